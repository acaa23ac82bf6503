//! Which pieces are asked for, and what the site answers.

use std::sync::Arc;

use bist_feeds::{
    Content, Fetched, IsYatirimProvider, Piece, Provider, Scope, SourceSettings, Validators, Wanted,
};
use bist_market::{Interval, Source, Symbol};
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::Timestamp;
use jiff::civil::date;

use super::{ACTIONS, PRICES, answer};
use crate::http::FakeWaits;

const PRICES_PATH: &str = "/_layouts/15/Isyatirim.Website/Common/Data.aspx/HisseTekil";
const ACTIONS_PATH: &str =
    "/_layouts/15/IsYatirim.Website/StockInfo/CompanyInfoAjax.aspx/GetSermayeArttirimlari";
const PAGE_PATH: &str = "/tr-tr/analiz/hisse/Sayfalar/sirket-karti.aspx";

fn symbol() -> Symbol {
    Symbol::parse("AAAAA").unwrap()
}

fn provider(server: &HttpServer) -> IsYatirimProvider {
    let settings = SourceSettings::of(Source::ISYATIRIM).unwrap();
    let mut settings = settings.with_base_url("site", &server.url("")).unwrap();
    settings.answer_bytes_max = 1 << 20;
    IsYatirimProvider::new(&settings, Arc::new(FakeWaits::default())).unwrap()
}

fn prices_piece() -> Piece {
    let (from, to) = (date(2025, 1, 1), date(2025, 12, 31));
    let scope = Scope::Share { symbol: symbol(), from, to, interval: Interval::Daily };
    Piece { key: "AAAAA 1d 2025".to_owned(), scope, is_final: false }
}

fn actions_piece() -> Piece {
    let scope = Scope::Actions { symbol: symbol() };
    Piece { key: "AAAAA actions".to_owned(), scope, is_final: false }
}

async fn fetch(provider: &IsYatirimProvider, piece: &Piece) -> Result<Fetched, String> {
    let fetched = provider.fetch(piece, &Validators::default()).await;
    fetched.map_err(|error| error.to_string())
}

/// What these answers make of the prices of a year.
async fn prices(replies: impl IntoIterator<Item = Reply>) -> Result<Content, String> {
    let script = replies.into_iter().fold(Script::new(), |script, reply| script.on("/", reply));
    let server = HttpServer::start(script);
    let fetched = fetch(&provider(&server), &prices_piece()).await;
    fetched.map(|f| f.content).map_err(|error| error.replace(&server.url(PRICES_PATH), "P"))
}

#[tokio::test]
async fn a_year_of_a_share_is_one_request() {
    let server = HttpServer::start(Script::new().on(PRICES_PATH, Reply::json(PRICES)));
    let fetched = fetch(&provider(&server), &prices_piece()).await.unwrap();
    let Content::Data(batch) = fetched.content else { panic!("{:?}", fetched.content) };
    assert_eq!((batch.file.as_str(), batch.rows_read), ("AAAAA 1d 2025", 2));
    let asked = server.requests();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].path.as_str()), ("GET", PRICES_PATH));
    assert_eq!(asked[0].query, "hisse=AAAAA&startdate=01-01-2025&enddate=31-12-2025");
}

#[tokio::test]
async fn an_unknown_share_is_absent_and_a_failure_is_told() {
    let absent = prices([Reply::json(answer(&[]))]).await.unwrap();
    assert!(
        matches!(&absent, Content::Absent { reason } if reason == "it has nothing for AAAAA 1d 2025"),
        "{absent:?}"
    );
    let check = |outcome: Result<Content, String>, expected: &str| {
        let message = outcome.unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    };
    let failed = r#"{"ok":false,"errorCode":null,"errorDescription":"Hata","value":null}"#;
    check(prices([Reply::json(failed)]).await, "isyatirim refused AAAAA 1d 2025: Hata");
    check(prices([Reply::html("<html></html>")]).await, "P?hisse=AAAAA");
    check(prices([Reply::status(404, "no")]).await, "P?hisse=AAAAA");
    let other = PRICES.replace("\"AAAAA\"", "\"BBBBB\"");
    check(
        prices([Reply::json(other)]).await,
        "the answer of isyatirim for AAAAA 1d 2025 cannot be understood: the code of the share: it is BBBBB",
    );
    // Cut before it was sent: a proxy may announce the length of what it has.
    check(
        prices([Reply::json(&PRICES[..700])]).await,
        "the answer of isyatirim for AAAAA 1d 2025 cannot be understood: the answer: EOF",
    );
}

#[tokio::test]
async fn an_outage_a_limit_and_a_cut_are_followed_by_another_attempt() {
    let good = || Reply::json(PRICES);
    for bad in
        [Reply::status(500, "x"), Reply::status(429, "x"), good().cut_after(100), Reply::reset()]
    {
        assert!(matches!(prices([bad, good()]).await, Ok(Content::Data(_))));
    }
}

#[tokio::test]
async fn the_actions_are_asked_for_within_a_session() {
    let page = Reply::html("<html></html>").header("Set-Cookie", "ASP.NET_SessionId=s1; path=/");
    let script = Script::new()
        .on(PAGE_PATH, page)
        .on(ACTIONS_PATH, Reply::status(503, "busy"))
        .on(ACTIONS_PATH, Reply::json(ACTIONS));
    let server = HttpServer::start(script);
    let provider = provider(&server);
    for _ in 0..2 {
        let fetched = fetch(&provider, &actions_piece()).await.unwrap();
        let Content::Data(batch) = fetched.content else { panic!("{:?}", fetched.content) };
        assert_eq!(batch.actions.len(), 7);
    }
    let asked = server.requests();
    let paths: Vec<&str> = asked.iter().map(|request| request.path.as_str()).collect();
    // One session for all, and a question that is repeated although it is a POST.
    assert_eq!(paths, [PAGE_PATH, ACTIONS_PATH, ACTIONS_PATH, ACTIONS_PATH]);
    assert_eq!(asked[0].query, "hisse=AAAAA");
    let question = &asked[1];
    assert_eq!(question.method, "POST");
    assert_eq!(question.header("cookie"), Some("ASP.NET_SessionId=s1"));
    assert_eq!(question.header("x-requested-with"), Some("XMLHttpRequest"));
    assert_eq!(question.header("origin"), Some(server.url("").as_str()));
    assert_eq!(
        question.header("referer"),
        Some(server.url(&format!("{PAGE_PATH}?hisse=AAAAA")).as_str())
    );
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&question.body).unwrap(),
        serde_json::json!({"hisseKodu":"AAAAA","hisseTanimKodu":"","yil":0,"zaman":"HEPSI","endeksKodu":"09","sektorKodu":""})
    );
}

#[tokio::test]
async fn a_session_that_has_ended_is_begun_again_once() {
    let page = |id: &str| {
        Reply::html("<html></html>")
            .header("Set-Cookie", &format!("ASP.NET_SessionId={id}; path=/"))
    };
    let script = Script::new()
        .on(PAGE_PATH, page("s1"))
        .on(PAGE_PATH, page("s2"))
        .on(ACTIONS_PATH, Reply::json(ACTIONS))
        .on(ACTIONS_PATH, Reply::html("<html>Oturum</html>"))
        .on(ACTIONS_PATH, Reply::json(ACTIONS))
        .on(ACTIONS_PATH, Reply::html("<html>Oturum</html>"));
    let server = HttpServer::start(script);
    let provider = provider(&server);
    for _ in 0..2 {
        assert!(matches!(
            fetch(&provider, &actions_piece()).await.unwrap().content,
            Content::Data(_)
        ));
    }
    let cookies: Vec<_> = server
        .requests()
        .iter()
        .filter(|request| request.path == ACTIONS_PATH)
        .map(|request| request.header("cookie").unwrap().to_owned())
        .collect();
    let (first, second) = ("ASP.NET_SessionId=s1", "ASP.NET_SessionId=s2");
    assert_eq!(cookies, [first, first, second]);
    let message = fetch(&provider, &actions_piece()).await.unwrap_err();
    assert!(message.contains("an HTML page instead of JSON"), "{message}");
    assert_eq!(server.requests().len(), 8, "two pages and two questions more, and no loop");
}

#[tokio::test]
async fn a_share_without_actions_withdraws_none() {
    let script = Script::new()
        .on(PAGE_PATH, Reply::html("<html></html>"))
        .on(ACTIONS_PATH, Reply::json(r#"{"d":"[]"}"#));
    let server = HttpServer::start(script);
    let fetched = fetch(&provider(&server), &actions_piece()).await.unwrap();
    assert!(matches!(fetched.content, Content::Absent { .. }));
}

fn plan(wanted: &Wanted, now: &str) -> Result<Vec<Piece>, String> {
    let server = HttpServer::start(Script::new());
    let now: Timestamp = now.parse().unwrap();
    provider(&server).plan(wanted, now).map_err(|error| error.to_string())
}

#[test]
fn a_share_is_cut_into_years_and_its_actions() {
    let wanted = Wanted {
        symbols: vec![symbol(), Symbol::parse("BBBBB").unwrap()],
        from: date(2024, 6, 1),
        to: date(2026, 12, 31),
        interval: Interval::Daily,
        series: Vec::new(),
        from_index: None,
    };
    let show = |now: &str| -> Vec<String> {
        let pieces = plan(&wanted, now).unwrap();
        let lines = pieces.iter().map(|piece| {
            let days = if let Scope::Share { from, to, .. } = &piece.scope {
                format!("{from} {to}")
            } else {
                format!("{:?}", piece.scope)
            };
            format!("{} {days} {}", piece.key, piece.is_final)
        });
        lines.collect()
    };
    let lines = show("2025-01-31T12:00:00+03:00");
    assert_eq!(
        lines[..4],
        [
            "AAAAA 1d 2024 2024-01-01 2024-12-31 false",
            "AAAAA 1d 2025 2025-01-01 2025-01-31 false",
            "AAAAA actions Actions { symbol: AAAAA } false",
            "BBBBB 1d 2024 2024-01-01 2024-12-31 false",
        ]
    );
    assert_eq!(lines.len(), 6);
    // A month after its end a year is no longer asked for.
    assert_eq!(show("2025-02-01T12:00:00+03:00")[0], "AAAAA 1d 2024 2024-01-01 2024-12-31 true");
}

#[test]
fn a_wish_that_makes_no_sense_is_refused() {
    let wanted = Wanted {
        symbols: Vec::new(),
        from: date(2024, 6, 1),
        to: date(2024, 6, 1),
        interval: Interval::Daily,
        series: Vec::new(),
        from_index: None,
    };
    let now = "2025-01-31T12:00:00+03:00";
    assert_eq!(
        plan(&wanted, now).unwrap_err(),
        "isyatirim cannot give that: it gives one share at a time; name the shares"
    );
    let hourly = Wanted { symbols: vec![symbol()], interval: Interval::Minutes(60), ..wanted };
    assert_eq!(
        plan(&hourly, now).unwrap_err(),
        "isyatirim cannot give that: it has daily bars only, and 60m is asked"
    );
}

#[tokio::test]
async fn another_kind_of_piece_is_not_offered() {
    let server = HttpServer::start(Script::new());
    let piece = Piece { scope: Scope::Day(date(2025, 10, 30)), ..actions_piece() };
    let message = fetch(&provider(&server), &piece).await.unwrap_err();
    assert_eq!(
        message,
        "isyatirim cannot give that: 'AAAAA actions' is neither days nor actions of a share"
    );
}
