//! Where we let a source send us.

use bist_access::Secret;
use bist_feeds::{Expects, Request};
use bist_testkit::http_server::{HttpServer, Reply, Script};

use super::Scene;

fn to(status: u16, location: &str) -> Reply {
    Reply::status(status, "moved").header("Location", location)
}

fn paths(server: &HttpServer) -> Vec<String> {
    server.requests().into_iter().map(|r| format!("{} {}", r.method, r.path)).collect()
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let script = Script::new()
        .on("/1", to(301, "/2"))
        .on("/2", to(302, "3"))
        .on("/3", to(307, "/4"))
        .on("/4", Reply::json("{}"))
        .on("/0", to(308, "/1"));
    let scene = Scene::playing(script, |_| {});
    assert_eq!(scene.get("/1").await.unwrap(), "{}");
    assert_eq!(scene.failure("/0").await, "/3 answered 307: it sends us on more than 3 times");
}

#[tokio::test]
async fn a_retired_service_that_sends_to_a_page_is_another_kind() {
    let script = Script::new()
        .on("/service/evds/", to(302, "/new"))
        .on("/new", Reply::html("<!DOCTYPE html><html>EVDS"));
    let scene = Scene::playing(script, |_| {});
    let expected = "/new answered with an HTML page instead of JSON: <!DOCTYPE html><html>EVDS";
    assert_eq!(scene.failure("/service/evds/series=TP").await, expected);
}

#[tokio::test]
async fn another_host_without_tls_is_not_gone_to() {
    let other = HttpServer::start(Script::new().on("/", Reply::json("{}")));
    // The same server under another name.
    let location = other.url("/").replace("127.0.0.1", "localhost");
    let scene = Scene::of([to(302, &location)]);
    let expected =
        "/a answered 302: it sends us on to http://localhost, which is not safe to follow";
    assert_eq!(scene.failure("/a").await, expected);
    assert_eq!(paths(&other), [""; 0]);
}

#[tokio::test]
async fn secrets_do_not_follow_to_another_port() {
    let other = HttpServer::start(Script::new().on("/", Reply::json("{}")));
    let scene = Scene::playing(
        Script::new().on("/a", to(302, "/b")).on("/b", to(302, &other.url("/c"))),
        |_| {},
    );
    let request = Request::get(scene.server.url("/a"), Expects::Json)
        .header("x-requested-with", "XMLHttpRequest")
        .secret_header("key", Secret::new("s3cr3t"));
    scene.send(&request).await.unwrap();
    let seen = [scene.server.requests(), other.requests()].concat();
    let keys: Vec<_> = seen.iter().map(|request| request.header("key")).collect();
    assert_eq!(keys, [Some("s3cr3t"), Some("s3cr3t"), None]);
    assert_eq!(seen[2].header("x-requested-with"), Some("XMLHttpRequest"));
}

#[tokio::test]
async fn a_redirected_post_becomes_a_get_unless_the_status_says_otherwise() {
    for (status, expected) in [(302, "GET /b"), (303, "GET /b"), (307, "POST /b")] {
        let script = Script::new().on("/a", to(status, "/b")).on("/b", Reply::json("{}"));
        let scene = Scene::playing(script, |_| {});
        let post = Request::post(scene.server.url("/a"), "text/plain", "x", Expects::Json);
        scene.send(&post).await.unwrap();
        assert_eq!(paths(&scene.server), ["POST /a", expected], "{status}");
    }
}

#[tokio::test]
async fn a_redirect_that_names_no_place_is_an_answer() {
    let scene = Scene::of([Reply::status(302, "moved")]);
    assert_eq!(scene.failure("/a").await, "/a answered 302: moved");
}
