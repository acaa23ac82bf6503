//! Which bulletins are asked for, and what the exchange's site answers.

use std::sync::Arc;

use bist_feeds::{
    BulletinProvider, Content, FetchError, Fetched, Piece, Provider, Scope, SourceSettings,
    Validators, Wanted,
};
use bist_market::{Interval, Source};
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::Timestamp;
use jiff::civil::{Date, date};

use super::{TABLE, zipped};
use crate::http::FakeWaits;

const PATH: &str = "/2025/10/thb202510301.zip";

fn archive() -> Vec<u8> {
    zipped(&[("thb202510301.csv", TABLE.as_bytes())])
}

fn zip(bytes: impl Into<Vec<u8>>) -> Reply {
    Reply::ok("application/x-zip-compressed", bytes)
}

fn provider(server: &HttpServer, change: impl FnOnce(&mut SourceSettings)) -> BulletinProvider {
    let settings = SourceSettings::of(Source::BULLETIN).unwrap();
    let mut settings = settings.with_base_url("files", &server.url("")).unwrap();
    change(&mut settings);
    BulletinProvider::new(&settings, Arc::new(FakeWaits::default())).unwrap()
}

fn piece(day: Date) -> Piece {
    Piece { key: day.to_string(), scope: Scope::Day(day), is_final: true }
}

/// What the site's answers make of 30 October 2025, and how often it was asked.
async fn fetch_with(
    replies: impl IntoIterator<Item = Reply>,
    change: impl FnOnce(&mut SourceSettings),
) -> (Result<Fetched, String>, usize) {
    let script = replies.into_iter().fold(Script::new(), |script, reply| script.on(PATH, reply));
    let server = HttpServer::start(script);
    let provider = provider(&server, change);
    let fetched = provider.fetch(&piece(date(2025, 10, 30)), &Validators::default()).await;
    let shown = fetched.map_err(|error| error.to_string().replace(&server.url(""), ""));
    (shown, server.requests().len())
}

async fn fetch(replies: impl IntoIterator<Item = Reply>) -> (Result<Fetched, String>, usize) {
    fetch_with(replies, |_| {}).await
}

/// The message of a failure, which begins so.
#[track_caller]
fn check_failure((outcome, asked): (Result<Fetched, String>, usize), times: usize, begins: &str) {
    let message = outcome.map(|fetched| fetched.content).unwrap_err();
    assert!(message.starts_with(begins), "{message}");
    assert_eq!(asked, times, "{message}");
}

#[tokio::test]
async fn a_bulletin_is_fetched_with_what_the_site_says_of_its_age() {
    let reply = zip(archive()).header("ETag", "\"7\"").header("Last-Modified", "then");
    let server = HttpServer::start(Script::new().on(PATH, reply).on(PATH, Reply::status(304, "")));
    let provider = provider(&server, |_| {});
    let piece = piece(date(2025, 10, 30));
    let first = provider.fetch(&piece, &Validators::default()).await.unwrap();
    let Content::Data(batch) = first.content else { panic!("{:?}", first.content) };
    assert_eq!((batch.series.len(), batch.days.len(), batch.rows_read), (2, 3, 7));
    assert_eq!(batch.file, "2025-10-30");

    let second = provider.fetch(&piece, &first.validators).await.unwrap();
    assert!(matches!(second.content, Content::NotModified));
    assert_eq!(second.validators, first.validators);
    let asked = server.requests();
    assert_eq!(asked[0].header("if-none-match"), None);
    assert_eq!(asked[1].header("if-none-match"), Some("\"7\""));
    assert_eq!(asked[1].header("if-modified-since"), Some("then"));
}

#[tokio::test]
async fn no_file_is_absent_but_a_page_in_its_place_is_an_error() {
    let (outcome, asked) = fetch([Reply::status(404, "<html>Not found</html>")]).await;
    let Content::Absent { reason } = outcome.unwrap().content else { panic!("404 is no failure") };
    assert_eq!(reason, "the exchange has no bulletin of 2025-10-30 on its site");
    assert_eq!(asked, 1);
    check_failure(
        fetch([Reply::html("<!DOCTYPE html><html>Bakım</html>")]).await,
        1,
        "/2025/10/thb202510301.zip answered with an HTML page instead of ",
    );
}

#[tokio::test]
async fn an_outage_is_waited_out_and_a_limit_respected() {
    for status in [500, 503, 429] {
        let (outcome, asked) = fetch([Reply::status(status, "busy"), zip(archive())]).await;
        assert!(matches!(outcome.unwrap().content, Content::Data(_)), "{status}");
        assert_eq!(asked, 2);
    }
    let (outcome, asked) = fetch([Reply::status(403, "no")]).await;
    assert_eq!((outcome.unwrap_err().contains("403"), asked), (true, 1));
}

#[tokio::test]
async fn an_archive_that_arrives_in_part_is_asked_for_again() {
    let whole = archive();
    let cut = zip(whole.clone()).cut_after(whole.len() / 2);
    let (outcome, asked) = fetch([cut, zip(whole.clone())]).await;
    assert!(matches!(outcome.unwrap().content, Content::Data(_)));
    assert_eq!(asked, 2);
    // Truncated before it was sent: the length is right and the archive is not.
    check_failure(
        fetch([zip(&whole[..whole.len() / 2])]).await,
        1,
        "the answer of bulletin for 2025-10-30 cannot be understood: the file: the ZIP archive cannot be read",
    );
}

#[tokio::test]
async fn a_slow_or_endless_answer_ends() {
    let change = |settings: &mut SourceSettings| {
        settings.attempts_max = 1;
        settings.answer_timeout = std::time::Duration::from_millis(200);
        settings.answer_bytes_max = 100_000;
    };
    let (outcome, _) = fetch_with([zip(archive()).stall_after(30)], change).await;
    assert!(outcome.unwrap_err().contains("did not answer within 0.2 s"));
    let endless = zip([b"PK\x03\x04".to_vec(), vec![0; 10_000]].concat()).endless();
    let (outcome, _) = fetch_with([endless], change).await;
    assert!(outcome.unwrap_err().contains("is larger than 100000 bytes"));
}

#[tokio::test]
async fn a_bulletin_of_another_day_or_of_nobody_is_refused() {
    let other = TABLE.replace("2025-10-30", "2025-10-31");
    check_failure(
        fetch([zip(zipped(&[("thb.csv", other.as_bytes())]))]).await,
        1,
        "the answer of bulletin for 2025-10-30 cannot be understood: the column TRADE DATE: it is the bulletin of 2025-10-31",
    );
    let header: Vec<&str> = TABLE.lines().take(2).collect();
    check_failure(
        fetch([zip(zipped(&[("thb.csv", header.join("\n").as_bytes())]))]).await,
        1,
        "the answer of bulletin for 2025-10-30 cannot be understood: the table: it names no share",
    );
    check_failure(
        fetch([zip(zipped(&[("thb.csv", b"a;b\n1;2\n")]))]).await,
        1,
        "the answer of bulletin for 2025-10-30 cannot be understood: line 1: the header has no column",
    );
}

#[tokio::test]
async fn what_is_no_day_is_not_offered() {
    let server = HttpServer::start(Script::new());
    let piece = Piece { scope: Scope::Cursor(7), ..piece(date(2025, 10, 30)) };
    let outcome = provider(&server, |_| {}).fetch(&piece, &Validators::default()).await;
    assert!(matches!(outcome, Err(FetchError::NotOffered { .. })));
    assert!(server.requests().is_empty());
}

/// The days planned, those that are not final with a question mark.
#[track_caller]
fn check_plan(from: Date, to: Date, now: &str, expected: Result<&[&str], &str>) {
    let server = HttpServer::start(Script::new());
    let wanted = Wanted {
        symbols: Vec::new(),
        from,
        to,
        interval: Interval::Daily,
        series: Vec::new(),
        from_index: None,
    };
    let now: Timestamp = now.parse().unwrap();
    let pieces = provider(&server, |_| {}).plan(&wanted, now).map_err(|error| error.to_string());
    let shown = pieces.map(|pieces| {
        let mark = |piece: &Piece| if piece.is_final { "" } else { "?" };
        pieces.iter().map(|piece| format!("{}{}", piece.key, mark(piece))).collect::<Vec<_>>()
    });
    let expected = expected.map_err(str::to_owned);
    assert_eq!(shown, expected.map(|days| days.iter().map(|&day| day.to_owned()).collect()));
}

#[test]
fn only_sessions_whose_bulletin_is_out_are_asked_for() {
    // 28 October is a half day and the 29th a holiday.
    let (from, to) = (date(2025, 10, 24), date(2025, 10, 31));
    let noon_after = "2025-11-03T12:00:00+03:00";
    check_plan(
        from,
        to,
        noon_after,
        Ok(&["2025-10-24", "2025-10-27", "2025-10-28?", "2025-10-30?", "2025-10-31?"]),
    );
    let half_day = |time| format!("2025-10-28T{time}+03:00");
    let before = ["2025-10-24?", "2025-10-27?"];
    check_plan(from, to, &half_day("13:24:59"), Ok(&before));
    check_plan(from, to, &half_day("13:25:00"), Ok(&["2025-10-24?", "2025-10-27?", "2025-10-28?"]));
    let thursday = date(2025, 10, 30);
    check_plan(thursday, to, "2025-10-30T18:24:59+03:00", Ok(&[]));
    check_plan(thursday, to, "2025-10-30T18:25:00+03:00", Ok(&["2025-10-30?"]));
    check_plan(to, from, noon_after, Ok(&[]));
}

#[test]
fn outside_the_years_of_the_calendar_weekdays_are_asked_for_or_nothing() {
    check_plan(
        date(2026, 12, 31),
        date(2027, 1, 5),
        "2027-03-01T00:00:00Z",
        Ok(&["2026-12-31", "2027-01-01", "2027-01-04", "2027-01-05"]),
    );
    check_plan(
        date(1999, 12, 31),
        date(2027, 1, 5),
        "2026-03-01T00:00:00Z",
        Err(
            "bulletin cannot give that: its bulletins are known from 2000-01-01 on; ask from there",
        ),
    );
}
