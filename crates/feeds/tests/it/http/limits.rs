//! Answers that are too slow, too large, broken, or of another kind.

use std::io::Write;
use std::time::Instant;

use bist_feeds::{Expects, FetchError, Request, SourceSettings};
use bist_testkit::http_server::Reply;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::{SECOND, Scene};

fn once(settings: &mut SourceSettings) {
    settings.attempts_max = 1;
}

/// The most is one KiB.
fn small(settings: &mut SourceSettings) {
    settings.answer_bytes_max = 1024;
}

/// An attempt takes a tenth of a second at most.
fn hasty(settings: &mut SourceSettings) {
    once(settings);
    settings.answer_timeout = SECOND / 10;
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn packed(bytes: &[u8]) -> Reply {
    Reply::json(gzip(bytes)).header("Content-Encoding", "gzip")
}

const TOO_LARGE: &str = "the answer of /a is larger than 1024 bytes and was not read to its end";

#[tokio::test]
async fn an_answer_of_the_largest_size_is_read_and_one_byte_more_is_not() {
    let body = |length: usize| format!("[{}]", " ".repeat(length - 2));
    // What is packed does not announce its length.
    for reply in [Reply::json, |body: String| packed(body.as_bytes())] {
        let scene = Scene::with([reply(body(1024)), reply(body(1025))], small);
        assert_eq!(scene.get("/a").await.unwrap().len(), 1024);
        assert_eq!(scene.failure("/a").await, TOO_LARGE);
        assert_eq!(scene.server.requests().len(), 2, "asking again would not help");
    }
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_waited_for() {
    let scene = Scene::with([Reply::json(" ".repeat(1025)).stall_after(0)], |settings| {
        small(settings);
        settings.answer_timeout = 10 * SECOND;
        settings.attempts_max = 1;
    });
    assert_eq!(scene.failure("/a").await, TOO_LARGE);
}

#[tokio::test]
async fn an_answer_without_end_is_left() {
    let scene = Scene::with([Reply::json("[1,2,3]").endless()], small);
    assert_eq!(scene.failure("/a").await, TOO_LARGE);
}

#[tokio::test]
async fn what_is_packed_counts_unpacked() {
    let bomb = vec![b' '; 512 << 10];
    assert!(gzip(&bomb).len() < 1024, "packed it is small enough");
    let scene = Scene::with([packed(b"{\"a\": 1}"), packed(&bomb)], small);
    assert_eq!(scene.get("/a").await.unwrap(), "{\"a\": 1}");
    assert!(scene.server.requests()[0].header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!(scene.failure("/a").await, TOO_LARGE);
}

#[tokio::test]
async fn an_answer_that_stalls_is_given_up() {
    for bytes in [0, 1] {
        let scene = Scene::with([Reply::json("{}").stall_after(bytes)], hasty);
        let asked_at = Instant::now();
        assert_eq!(scene.failure("/a").await, "/a did not answer within 0.1 s");
        assert!(asked_at.elapsed() < 10 * SECOND);
    }
}

#[tokio::test]
async fn an_error_page_that_stalls_or_never_ends_holds_nothing_up() {
    let scene = Scene::with([Reply::status(503, "wait").stall_after(1)], hasty);
    assert_eq!(scene.failure("/a").await, "/a did not answer within 0.1 s");

    let scene = Scene::with([Reply::status(404, "no such share; ").endless()], once);
    let FetchError::Status { body, beginning, .. } = scene.get("/a").await.unwrap_err() else {
        panic!("another error");
    };
    assert_eq!(body.len(), 64 << 10);
    assert!(beginning.starts_with("no such share; no such share;"), "{beginning}");
    assert!(beginning.chars().count() < 200, "{beginning}");
}

#[tokio::test]
async fn an_attempt_gets_no_more_time_than_is_left_of_all() {
    let replies = [Reply::status(503, ""), Reply::json("{}").stall_after(1)];
    let scene = Scene::with(replies, |settings| settings.deadline = SECOND + SECOND / 10);
    assert_eq!(scene.failure("/a").await, "/a did not answer within 1.1 s");
}

#[tokio::test]
async fn broken_answers_are_told_from_whole_ones() {
    let long = format!("[{}]", "1,".repeat(5000));
    let mut flipped = gzip(long.as_bytes());
    let middle = flipped.len() / 2;
    flipped.truncate(middle);
    let flipped = Reply::json(flipped).header("Content-Encoding", "gzip");
    let broken = [
        Reply::json(long.as_str()).cut_after(9000),
        Reply::json(long.as_str()).chunked_cut_after(9000),
        Reply::json(long.as_str()).cut_after(0),
        flipped,
        Reply::json("not packed").header("Content-Encoding", "gzip"),
    ];
    for reply in broken {
        let shown = format!("{reply:?}").chars().take(60).collect::<String>();
        let scene = Scene::with([reply], once);
        let error = scene.get("/a").await.unwrap_err();
        assert!(matches!(error, FetchError::Truncated { .. }), "{shown}: {error}");
    }
}

#[tokio::test]
async fn a_head_that_is_garbage_is_an_error_and_not_a_panic() {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n{{}}", "a: b\r\n".repeat(5000));
    let long = format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n{{}}", "b".repeat(1 << 20));
    let heads = [
        "HTTP/9.9 200 OK\r\n\r\n{}",
        "HTTP/1.1 2000 OK\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\na\0: b\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        "\u{1}\u{2}\u{3}",
        many.as_str(),
        long.as_str(),
    ];
    for head in heads {
        let scene = Scene::with([Reply::raw(head)], once);
        let error = scene.get("/a").await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable { .. }), "{}: {error}", &head[..3]);
    }
}

#[tokio::test]
async fn another_kind_of_answer_is_named() {
    let cases = [
        (Expects::Json, Reply::html("<!DOCTYPE html>\n<html>Will be right back"), "JSON"),
        (Expects::Json, Reply::json("<html>\n<body>Will be right back"), "JSON"),
        (Expects::Zip, Reply::ok("application/zip", "<HTML>Sayfa bulunamadı"), "a ZIP archive"),
        (Expects::Xml, Reply::html("<!-- x --><html>Sayfa"), "XML"),
        (Expects::Text, Reply::html("<html>consent"), "text"),
    ];
    for (expects, reply, expected) in cases {
        let scene = Scene::of([reply]);
        let error = scene.send(&Request::get(scene.server.url("/a"), expects)).await.unwrap_err();
        let beginning = format!("/a answered with an HTML page instead of {expected}: <");
        let message = error.to_string().replace(&scene.server.url(""), "");
        assert!(message.starts_with(&beginning), "{message}");
        assert_eq!(scene.server.requests().len(), 1);
    }
    let scene = Scene::of([Reply::json("")]);
    assert_eq!(scene.failure("/a").await, "/a answered with an empty answer instead of JSON: ");
}

#[tokio::test]
async fn json_under_a_wrong_media_type_is_json() {
    let scene = Scene::of([Reply::html("{\"ok\":true}")]);
    assert_eq!(scene.get("/a").await.unwrap(), "{\"ok\":true}");
}
