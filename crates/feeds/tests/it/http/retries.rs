//! What is asked again, when, and how often.

use bist_feeds::{Expects, FetchError, Request, SourceSettings};
use bist_testkit::http_server::Reply;

use super::{SECOND, Scene, client};

/// Plays `replies` and compares the outcome, the number of requests and the waits.
#[track_caller]
fn check(
    replies: impl IntoIterator<Item = Reply>,
    outcome: Result<&str, &str>,
    requests_count: usize,
    waits_s: &[f64],
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let scene = Scene::of(replies);
        let actual = scene.get("/a").await.map_err(|error| error.to_string());
        let actual = actual.map_err(|message| message.replace(&scene.server.url(""), ""));
        assert_eq!(actual, outcome.map(str::to_owned).map_err(str::to_owned));
        assert_eq!(scene.server.requests().len(), requests_count, "requests");
        assert_eq!(scene.waits.slept_s(), waits_s, "waits");
    });
}

fn good() -> Reply {
    Reply::json("{}")
}

#[test]
fn what_passes_is_asked_again_with_longer_and_longer_waits() {
    for status in [408, 425, 500, 502, 503, 504] {
        let bad = || Reply::status(status, "busy");
        check([bad(), bad(), good()], Ok("{}"), 3, &[1.0, 2.0]);
        check([bad()], Err(&format!("/a answered {status}: busy")), 3, &[1.0, 2.0]);
    }
}

#[test]
fn what_stays_wrong_is_asked_once() {
    for status in [400, 401, 403, 404, 410, 422, 501] {
        let error = format!("/a answered {status}: no such share");
        check([Reply::status(status, "no\r\nsuch share")], Err(&error), 1, &[]);
    }
    check([Reply::status(404, "")], Err("/a answered 404"), 1, &[]);
}

#[test]
fn a_limit_in_plain_text_is_told_as_a_limit() {
    let limit = || Reply::status(429, "Edge: Too Many Requests");
    let error = "isyatirim limits how often it may be asked (/a answered 429: Edge: Too Many \
                 Requests); it will be asked again later";
    check([limit()], Err(error), 3, &[1.0, 2.0]);
    check([limit(), good()], Ok("{}"), 2, &[1.0]);
}

#[test]
fn connections_that_break_are_tried_again() {
    check([Reply::reset(), good()], Ok("{}"), 2, &[1.0]);
    check([Reply::raw(""), good()], Ok("{}"), 2, &[1.0]);
    check([Reply::raw("HTTP/1.1 200 OK\r\nContent-Le"), good()], Ok("{}"), 2, &[1.0]);
    check([Reply::raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), good()], Ok("{}"), 2, &[1.0]);
    check([good().cut_after(1), good()], Ok("{}"), 2, &[1.0]);
    check([good().chunked_cut_after(2), good()], Ok("{}"), 2, &[1.0]);
}

#[test]
fn the_wait_that_the_source_asks_for_is_kept() {
    let asks = |wait: &str| Reply::status(503, "").header("Retry-After", wait);
    check([asks("7"), asks("1"), good()], Ok("{}"), 3, &[7.0, 2.0]);
    check([asks("soon"), good()], Ok("{}"), 2, &[1.0]);
    let at = asks("Tue, 24 Nov 2026 10:00:30 GMT").header("Date", "Tue, 24 Nov 2026 10:00:00 GMT");
    check([at, good()], Ok("{}"), 2, &[30.0]);
    // The deadline is after three minutes: waiting would be in vain.
    check([asks("180"), good()], Err("/a answered 503"), 1, &[]);
}

#[tokio::test]
async fn the_wait_that_was_asked_for_is_handed_on() {
    for status in [429, 503] {
        let scene = Scene::of([Reply::status(status, "").header("Retry-After", "3600")]);
        let (FetchError::RateLimited { retry_after, .. } | FetchError::Status { retry_after, .. }) =
            scene.get("/a").await.unwrap_err()
        else {
            panic!("another error");
        };
        assert_eq!(retry_after, Some(3600 * SECOND));
    }
}

#[tokio::test]
async fn waits_have_a_limit_and_all_attempts_a_deadline() {
    let change = |settings: &mut SourceSettings| {
        settings.attempts_max = 10;
        settings.backoff_max = 4 * SECOND;
        settings.deadline = 16 * SECOND;
    };
    let scene = Scene::with([Reply::status(500, "")], change);
    assert_eq!(scene.failure("/a").await, "/a answered 500");
    assert_eq!(scene.waits.slept_s(), [1.0, 2.0, 4.0, 4.0, 4.0]);
}

#[tokio::test]
async fn what_may_not_be_repeated_is_sent_once() {
    let scene = Scene::of([Reply::status(503, "")]);
    let post = Request::post(scene.server.url("/a"), "application/json", "{}", Expects::Json);
    assert!(matches!(scene.send(&post).await, Err(FetchError::Status { status: 503, .. })));
    assert_eq!(scene.server.requests().len(), 1);

    let repeatable = Request { idempotent: true, ..post };
    scene.send(&repeatable).await.unwrap_err();
    assert_eq!(scene.server.requests().len(), 4);
    let seen = &scene.server.requests()[3];
    assert_eq!((seen.method.as_str(), seen.body.as_slice()), ("POST", b"{}".as_slice()));
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named() {
    let scene = Scene::of([]);
    let url = scene.server.url("/a?token=abc");
    drop(scene.server);
    let client = client(&scene.waits, |_| {});
    let error = client.send(&Request::get(&url, Expects::Json)).await.unwrap_err().to_string();
    let expected = format!(
        "{} cannot be reached: Connection refused (os error 111); check the network and the address",
        url.replace("abc", "***")
    );
    assert_eq!(error, expected);
    assert_eq!(scene.waits.slept_s(), [1.0, 2.0]);
}
