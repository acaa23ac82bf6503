//! The provider of charts against a server that plays Yahoo.

use std::sync::Arc;

use bist_feeds::yahoo::Yahoo;
use bist_feeds::{
    Content, FetchError, Fetched, Piece, Provider, Scope, SourceSettings, Validators, Wanted,
};
use bist_market::{FixedClock, Interval, Source, Symbol};
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::Timestamp;
use jiff::civil::date;

use super::{DAILY, bars};
use crate::batch_of;
use crate::http::FakeWaits;

const CHART: &str = "/v8/finance/chart/AAAAA.IS";
const UNAUTHORIZED: &str = include_str!("../../fixtures/yahoo/invalid_crumb.json");

fn now() -> Timestamp {
    "2025-11-01T12:00:00+03:00".parse().unwrap()
}

/// A server, the provider that asks it, and the waits it asked for.
struct Scene {
    server: HttpServer,
    yahoo: Yahoo,
    waits: Arc<FakeWaits>,
}

impl Scene {
    fn of(script: Script) -> Self {
        let server = HttpServer::start(script);
        let mut settings = SourceSettings::of(Source::YAHOO).unwrap();
        for name in ["chart", "cookie", "crumb", "gate", "consent"] {
            settings = settings.with_base_url(name, &server.url(&format!("/{name}"))).unwrap();
        }
        settings = settings.with_base_url("chart", &server.url("")).unwrap();
        settings.requests_per_minute = u32::MAX;
        let waits = Arc::new(FakeWaits::default());
        let clock = Arc::new(FixedClock(now()));
        let yahoo = Yahoo::new(&settings, Arc::<FakeWaits>::clone(&waits), clock).unwrap();
        Self { server, yahoo, waits }
    }

    async fn fetch(&self) -> Result<Fetched, FetchError> {
        self.yahoo.fetch(&piece(), &Validators::default()).await
    }

    async fn bars(&self) -> usize {
        bars(&batch_of(self.fetch().await.unwrap().content)).len()
    }

    /// The message of a failure, without the address of the server.
    async fn failure(&self) -> String {
        self.fetch().await.unwrap_err().to_string().replace(&self.server.url(""), "")
    }

    /// The paths that were asked for, in their order.
    fn paths(&self) -> Vec<String> {
        self.server.requests().into_iter().map(|request| request.path).collect()
    }
}

fn piece() -> Piece {
    let (from, to, interval) = (date(2025, 10, 27), date(2025, 10, 30), Interval::Daily);
    let symbol = Symbol::parse("AAAAA").unwrap();
    let scope = Scope::Share { symbol, from, to, interval };
    Piece { key: "AAAAA 1d from 2025-10-27".to_owned(), scope, is_final: false }
}

#[tokio::test]
async fn a_chart_is_asked_for_without_cookie_and_crumb() {
    let scene = Scene::of(Script::new().on(CHART, Reply::json(DAILY).header("ETag", "\"1\"")));
    let fetched = scene.fetch().await.unwrap();
    assert_eq!(fetched.validators.etag.as_deref(), Some("\"1\""));
    let requests = scene.server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        requests[0].query,
        "period1=1761512400&period2=1761858000&interval=1d&includePrePost=false&events=div%2Csplits%2CcapitalGains"
    );
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let scene = Scene::of(Script::new().on(CHART, Reply::status(304, "")));
    let known = Validators { etag: Some("\"1\"".to_owned()), last_modified: None };
    let fetched = scene.yahoo.fetch(&piece(), &known).await.unwrap();
    assert!(matches!(fetched.content, Content::NotModified));
    assert_eq!(fetched.validators, known);
    assert_eq!(scene.server.requests()[0].header("if-none-match"), Some("\"1\""));
}

#[tokio::test]
async fn a_crumb_is_fetched_when_it_is_asked_for_and_kept() {
    let script = Script::new()
        .on(CHART, Reply::status(401, UNAUTHORIZED))
        .on(CHART, Reply::json(DAILY))
        .on("/cookie", Reply::status(404, "").header("Set-Cookie", "A3=x; Path=/"))
        .on("/crumb/v1/test/getcrumb", Reply::ok("text/plain", "a/b.c"));
    let scene = Scene::of(script);
    assert_eq!((scene.bars().await, scene.bars().await), (3, 3));
    assert_eq!(scene.paths(), [CHART, "/cookie", "/crumb/v1/test/getcrumb", CHART, CHART]);
    let requests = scene.server.requests();
    assert_eq!(requests[2].header("cookie"), Some("A3=x"));
    for request in &requests[3..] {
        assert!(request.query.ends_with("&crumb=a%2Fb.c"), "{}", request.query);
        assert_eq!(request.header("cookie"), Some("A3=x"));
    }
}

/// The pages of the way of consent.
fn with_consent(script: Script) -> Script {
    let form = r#"<html><form><input type="hidden" name="csrfToken" value="t&k"><input name="sessionId" value="s-1"></form>"#;
    script
        .on("/gate/consent", Reply::html(form))
        .on("/consent/v2/collectConsent", Reply::html("<html>thanks"))
        .on("/gate/copyConsent", Reply::html("<html>").header("Set-Cookie", "A1=y; Path=/"))
        .on("/v1/test/getcrumb", Reply::ok("text/plain", "c2"))
}

#[tokio::test]
async fn where_the_page_gives_no_crumb_consent_is_sent() {
    let script = Script::new()
        .on(CHART, Reply::status(403, "<html>no</html>"))
        .on(CHART, Reply::json(DAILY))
        .on("/cookie", Reply::html("<html>"))
        .on("/crumb", Reply::html("<html>Too Many Requests"));
    let scene = Scene::of(with_consent(script));
    assert_eq!(scene.bars().await, 3);
    assert_eq!(
        scene.paths()[2..],
        [
            "/crumb/v1/test/getcrumb",
            "/gate/consent",
            "/consent/v2/collectConsent",
            "/gate/copyConsent",
            "/v1/test/getcrumb",
            CHART
        ]
    );
    let requests = scene.server.requests();
    assert_eq!(requests[4].query, "sessionId=s-1");
    let form = String::from_utf8(requests[4].body.clone()).unwrap();
    assert!(form.contains("&sessionId=s-1&csrfToken=t%26k&"), "{form}");
    assert!(requests[7].query.ends_with("&crumb=c2"));
}

#[tokio::test]
async fn a_crumb_that_is_turned_away_is_replaced_on_the_other_way_once() {
    let script = Script::new()
        .on(CHART, Reply::status(401, UNAUTHORIZED))
        .on(CHART, Reply::json(DAILY))
        .on(CHART, Reply::status(401, UNAUTHORIZED))
        .on("/cookie", Reply::html(""))
        .on("/crumb", Reply::ok("text/plain", "c1"));
    let scene = Scene::of(with_consent(script));
    assert_eq!(scene.bars().await, 3);
    assert_eq!(
        scene.failure().await,
        "yahoo refused AAAAA 1d from 2025-10-27: Unauthorized: Invalid Crumb"
    );
    let charts: Vec<_> =
        scene.server.requests().into_iter().filter(|request| request.path == CHART).collect();
    let crumbs: Vec<_> =
        charts.iter().map(|request| request.query.split_once("crumb=").map(|(_, c)| c)).collect();
    assert_eq!(crumbs, [None, Some("c1"), Some("c1"), Some("c2")]);
}

#[tokio::test]
async fn an_unknown_symbol_is_absent() {
    let body = include_str!("../../fixtures/yahoo/not_found.json");
    let scene = Scene::of(Script::new().on(CHART, Reply::status(404, body)));
    let Content::Absent { reason } = scene.fetch().await.unwrap().content else { panic!() };
    assert_eq!(reason, "No data found, symbol may be delisted");
}

#[track_caller]
fn check(actual: &str, expected: &str) {
    assert!(actual.starts_with(expected), "{actual}");
}

#[tokio::test]
async fn every_other_answer_says_what_it_was() {
    let failure =
        |reply: Reply| async { Scene::of(Script::new().on(CHART, reply)).failure().await };
    let too_deep = include_str!("../../fixtures/yahoo/too_deep.json");
    for status in [400, 422] {
        check(
            &failure(Reply::status(status, too_deep)).await,
            "yahoo refused AAAAA 1d from 2025-10-27: Unprocessable Entity: 1m data not available",
        );
    }
    check(&failure(Reply::status(404, "nothing here")).await, &format!("{CHART}?period1="));
    check(
        &failure(Reply::status(999, "Edge: Too Many Requests")).await,
        "yahoo limits how often it may be asked (Edge: Too Many Requests)",
    );
    let page = failure(Reply::html("<!DOCTYPE html><title>Will be right back")).await;
    assert!(
        page.contains("with an HTML page instead of JSON: <!DOCTYPE html><title>Will"),
        "{page}"
    );
    let outage = failure(Reply::status(503, "<html>Will be right back...")).await;
    assert!(outage.contains("answered 503: <html>Will be right back"), "{outage}");
    let cut = failure(Reply::json(DAILY).cut_after(700)).await;
    assert!(cut.contains("broke off"), "{cut}");
    check(
        &failure(Reply::json(&DAILY[..700])).await,
        "the answer of yahoo for AAAAA 1d from 2025-10-27 cannot be understood: the document: EOF",
    );
}

#[tokio::test]
async fn too_many_requests_are_waited_for_and_open_the_breaker() {
    let busy = Reply::status(429, "Too Many Requests");
    let scene = Scene::of(
        Script::new().on(CHART, busy.clone()).on(CHART, busy).on(CHART, Reply::json(DAILY)),
    );
    assert_eq!(scene.bars().await, 3);
    assert_eq!(scene.waits.slept_s(), [30.0, 60.0]);

    let scene = Scene::of(Script::new().on(CHART, Reply::status(429, "Edge: Too Many Requests")));
    for _ in 0..3 {
        let failure = scene.failure().await;
        check(&failure, "yahoo limits how often it may be asked");
        assert!(failure.contains("Edge: Too Many Requests"), "{failure}");
    }
    let asked = scene.server.requests().len();
    check(&scene.failure().await, "yahoo failed 3 times in a row and is left alone for 900 s");
    assert_eq!(scene.server.requests().len(), asked);
}

#[tokio::test]
async fn a_piece_of_another_source_is_not_offered() {
    let scene = Scene::of(Script::new());
    let other = Piece { scope: Scope::Cursor(7), ..piece() };
    let error = scene.yahoo.fetch(&other, &Validators::default()).await.unwrap_err();
    assert!(matches!(error, FetchError::NotOffered { .. }), "{error}");
    assert!(scene.server.requests().is_empty());
}

/// The keys of the pieces of a wish, `!` behind those that are final.
fn plan(symbols: &[&str], interval: &str, from: &str, to: &str) -> Result<Vec<String>, String> {
    let wanted = Wanted {
        symbols: symbols.iter().map(|symbol| Symbol::parse(symbol).unwrap()).collect(),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        interval: Interval::parse(interval).unwrap(),
        series: Vec::new(),
        from_index: None,
    };
    let pieces = Scene::of(Script::new()).yahoo.plan(&wanted, now());
    let show = |piece: Piece| format!("{}{}", piece.key, if piece.is_final { "!" } else { "" });
    pieces.map(|p| p.into_iter().map(show).collect()).map_err(|error| error.to_string())
}

#[test]
fn past_years_are_one_piece_and_the_year_that_runs_another() {
    assert_eq!(
        plan(&["AAAAA", "USDTRY"], "1d", "2010-01-01", "2025-12-31").unwrap(),
        [
            "AAAAA 1d 2010-01-01..2024-12-31!",
            "AAAAA 1d from 2025-01-01",
            "USDTRY 1d 2010-01-01..2024-12-31!",
            "USDTRY 1d from 2025-01-01",
        ]
    );
    assert_eq!(
        plan(&["AAAAA"], "1d", "2020-05-01", "2020-06-01").unwrap(),
        ["AAAAA 1d 2020-05-01..2020-06-01!"]
    );
    assert_eq!(
        plan(&["AAAAA"], "1m", "2025-10-25", "2025-11-01").unwrap(),
        ["AAAAA 1m from 2025-10-25"]
    );
}

#[test]
fn what_yahoo_does_not_keep_is_not_asked_for() {
    let refusal = |interval, from, to| plan(&["AAAAA"], interval, from, to).unwrap_err();
    let check = |interval, from, expected: &str| {
        assert_eq!(
            refusal(interval, from, "2025-11-01"),
            format!("yahoo cannot give that: {expected}")
        );
    };
    check(
        "1m",
        "2025-10-24",
        "it keeps bars of 1m since 2025-10-25 only; ask for that day or a later one",
    );
    check(
        "15m",
        "2025-09-02",
        "it keeps bars of 15m since 2025-09-03 only; ask for that day or a later one",
    );
    check(
        "60m",
        "2023-11-02",
        "it keeps bars of 60m since 2023-11-03 only; ask for that day or a later one",
    );
    check("30m", "2025-10-30", "it has no bars of 30m; ask for 1d, 1m, 2m, 5m, 15m, 60m or 90m");
    check("1d", "2025-11-02", "there are no days from 2025-11-02 to 2025-11-01");
    assert!(plan(&[], "1d", "2025-10-30", "2025-10-30").unwrap_err().contains("name at least one"));
}
