//! What is sent: headers, validators, cookies, in which pace; and what is never shown.

use std::env;
use std::process::Command;
use std::sync::Arc;

use bist_access::Secret;
use bist_feeds::{Answer, Expects, FetchError, Request, Validators};
use bist_testkit::http_server::{HttpServer, Reply, Script};

use super::{SECOND, Scene, client};

#[tokio::test]
async fn an_answer_carries_what_recognises_it_and_is_not_sent_twice() {
    let first = Reply::json("{}")
        .header("ETag", "\"abc\"")
        .header("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT");
    let scene = Scene::of([first, Reply::status(304, "")]);
    let request = Request::get(scene.server.url("/a"), Expects::Json);
    let Answer::Body { bytes, content_type, validators } =
        scene.client.send(&request).await.unwrap()
    else {
        panic!("no body");
    };
    assert_eq!(bytes, b"{}");
    assert_eq!(content_type.as_deref(), Some("application/json; charset=utf-8"));
    let expected = Validators {
        etag: Some("\"abc\"".to_owned()),
        last_modified: Some("Tue, 24 Nov 2026 10:00:00 GMT".to_owned()),
    };
    assert_eq!(validators, expected);

    let again = request.if_newer_than(&validators);
    assert_eq!(scene.client.send(&again).await.unwrap(), Answer::NotModified);
    let seen = scene.server.requests();
    assert_eq!(seen[0].header("if-none-match"), None);
    assert_eq!(seen[1].header("if-none-match"), Some("\"abc\""));
    assert_eq!(seen[1].header("if-modified-since"), Some("Tue, 24 Nov 2026 10:00:00 GMT"));
}

#[tokio::test]
async fn not_modified_without_having_asked_is_an_error() {
    let scene = Scene::of([Reply::status(304, "")]);
    assert_eq!(scene.failure("/a").await, "/a answered 304");
}

#[tokio::test]
async fn headers_are_sent_and_we_name_ourselves() {
    let scene = Scene::of([Reply::json("[]")]);
    let request = Request::get(scene.server.url("/a?b=1"), Expects::Json)
        .header("Referer", "https://www.kap.org.tr/tr/bildirim-sorgu");
    scene.send(&request).await.unwrap();
    let seen = &scene.server.requests()[0];
    assert_eq!((seen.path.as_str(), seen.query.as_str()), ("/a", "b=1"));
    assert_eq!(seen.header("referer"), Some("https://www.kap.org.tr/tr/bildirim-sorgu"));
    assert!(seen.header("user-agent").unwrap().starts_with("Mozilla/5.0 (compatible; bist/"));
}

#[tokio::test]
async fn cookies_are_kept_until_they_are_forgotten() {
    let script = Script::new()
        .on("/page", Reply::html("<html>").header("Set-Cookie", "A3=x; Path=/; HttpOnly"))
        .on("/data", Reply::json("{}"));
    let scene = Scene::playing(script, |_| {});
    let page = Request::get(scene.server.url("/page"), Expects::Any);
    scene.send(&page).await.unwrap();
    scene.get("/data").await.unwrap();
    scene.client.forget_cookies();
    scene.get("/data").await.unwrap();
    let cookies: Vec<_> =
        scene.server.requests().iter().map(|r| r.header("cookie").map(str::to_owned)).collect();
    assert_eq!(cookies, [None, Some("A3=x".to_owned()), None]);
}

#[tokio::test]
async fn requests_of_one_client_keep_the_pace_together() {
    let scene = Scene::with([Reply::json("{}")], |settings| settings.requests_per_minute = 6);
    let (a, b) = tokio::join!(scene.get("/a"), scene.get("/b"));
    a.unwrap();
    b.unwrap();
    scene.waits.pass(25 * SECOND);
    scene.get("/c").await.unwrap();
    scene.get("/d").await.unwrap();
    assert_eq!(scene.waits.slept_s(), [10.0, 10.0]);
}

#[tokio::test]
async fn a_retry_keeps_the_pace_too() {
    let replies = [Reply::status(503, ""), Reply::json("{}")];
    let scene = Scene::with(replies, |settings| settings.requests_per_minute = 6);
    scene.get("/a").await.unwrap();
    assert_eq!(scene.waits.slept_s(), [1.0, 9.0]);
}

#[tokio::test]
async fn secrets_stand_in_no_message() {
    let echo = "key s3cr3t is not known";
    let replies =
        [Reply::status(403, echo), Reply::status(429, echo), Reply::html(echo), Reply::reset()];
    let scene = Scene::with(replies, |settings| {
        settings.attempts_max = 1;
        settings.credential = Secret::new("s3cr3t").into();
    });
    let request = Request::get(scene.server.url("/a?crumb=cr%2Fmb&apiKey=k3y"), Expects::Json)
        .secret_header("key", Secret::new("s3cr3t"));
    let mut texts = vec![format!("{request:?}"), format!("{:?}", scene.client)];
    texts.push(format!("{:?}", scene.client.settings()));
    for _ in 0..4 {
        let error = scene.client.send(&request).await.unwrap_err();
        texts.push(error.to_string());
    }
    assert_eq!(scene.server.requests()[0].header("key"), Some("s3cr3t"));
    assert!(scene.server.requests()[0].query.contains("k3y"));
    for text in &texts {
        for secret in ["s3cr3t", "cr%2Fmb", "k3y"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    assert!(texts[3].ends_with("/a?crumb=***&apiKey=*** answered 403: key *** is not known"));
}

#[tokio::test]
async fn a_request_that_is_none_is_named() {
    let scene = Scene::of([]);
    let newline = Request::get(scene.server.url("/a"), Expects::Json).header("x", "a\r\nb: c");
    for request in [Request::get("nowhere", Expects::Json), newline] {
        let error = scene.client.send(&request).await.unwrap_err();
        assert!(matches!(error, FetchError::NotOffered { .. }), "{error}");
        assert!(error.to_string().contains("is malformed"), "{error}");
    }
    assert_eq!(scene.server.requests().len(), 0);
}

#[tokio::test]
async fn a_proxy_is_asked_instead_of_the_source() {
    let proxy = HttpServer::start(Script::new().on("http://prices.test/", Reply::json("{}")));
    let scene = Scene::of([]);
    let client = client(&Arc::clone(&scene.waits), |settings| {
        settings.proxy_url = Some(proxy.url(""));
    });
    client.send(&Request::get("http://prices.test/a", Expects::Json)).await.unwrap();
    assert_eq!(proxy.requests()[0].path, "http://prices.test/a");
}

#[test]
fn a_proxy_of_the_environment_is_not_asked() {
    let proxy = HttpServer::start(Script::new());
    // The environment is read by the library, so another process of this test must have it.
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "http::requests::headers_are_sent_and_we_name_ourselves"])
        .envs([("HTTP_PROXY", proxy.url("")), ("http_proxy", proxy.url(""))])
        .env("ALL_PROXY", proxy.url(""))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(told.contains("1 passed"), "{told}");
    assert_eq!(proxy.requests(), []);
}
