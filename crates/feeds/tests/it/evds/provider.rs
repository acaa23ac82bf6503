//! The provider of series against a server that plays the central bank.

use std::sync::Arc;

use bist_access::Secret;
use bist_feeds::evds::Evds;
use bist_feeds::{
    Batch, Content, FetchError, Piece, Provider, Scope, SourceSettings, Validators, Wanted,
};
use bist_market::{Interval, Source};
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::civil::date;

use super::{DAILY, RATES, codes, observations};
use crate::batch_of;
use crate::http::FakeWaits;

struct Scene {
    server: HttpServer,
    evds: Evds,
}

impl Scene {
    fn of(key: Option<&str>, data_path: &str, script: Script) -> Self {
        let server = HttpServer::start(script);
        let mut settings = SourceSettings::of(Source::EVDS)
            .unwrap()
            .with_base_url("data", &server.url(data_path))
            .unwrap()
            .with_base_url("rates", &server.url("/kurlar"))
            .unwrap();
        settings.requests_per_minute = u32::MAX;
        settings.credential = key.map(Secret::new).map(Into::into).unwrap_or_default();
        let evds = Evds::new(&settings, Arc::new(FakeWaits::default())).unwrap();
        Self { server, evds }
    }

    async fn fetch(&self, piece: &Piece) -> Result<Content, FetchError> {
        Ok(self.evds.fetch(piece, &Validators::default()).await?.content)
    }

    async fn batch(&self, piece: &Piece) -> Batch {
        batch_of(self.fetch(piece).await.unwrap())
    }

    fn plan(&self, series: &[&str], from: &str, to: &str) -> Result<Vec<Piece>, String> {
        let wanted = Wanted {
            symbols: Vec::new(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            interval: Interval::Daily,
            series: codes(series),
            from_index: None,
        };
        let now = "2025-11-01T12:00:00+03:00".parse().unwrap();
        self.evds.plan(&wanted, now).map_err(|error| error.to_string())
    }
}

fn piece() -> Piece {
    let codes = codes(&["TP.DK.USD.A.YTL", "TP.PY.P02.1H"]);
    let scope = Scope::Series { codes, from: date(2025, 10, 30), to: date(2025, 11, 1) };
    Piece { key: "rates".to_owned(), scope, is_final: false }
}

fn keys(pieces: &[Piece]) -> Vec<&str> {
    pieces.iter().map(|piece| piece.key.as_str()).collect()
}

#[tokio::test]
async fn the_key_goes_in_a_header_and_parameters_behind_the_path_or_a_question_mark() {
    let target =
        "series=TP.DK.USD.A.YTL-TP.PY.P02.1H&startDate=30-10-2025&endDate=01-11-2025&type=json";
    for (address, path, query) in
        [("/dis", format!("/dis/{target}"), ""), ("/dis/?", "/dis/".to_owned(), target)]
    {
        let scene =
            Scene::of(Some("s3cr3t"), address, Script::new().on("/dis", Reply::json(DAILY)));
        assert_eq!(observations(&scene.batch(&piece()).await).len(), 4);
        let request = &scene.server.requests()[0];
        assert_eq!((request.path.as_str(), request.query.as_str()), (path.as_str(), query));
        assert_eq!(request.header("key"), Some("s3cr3t"));
    }
}

#[tokio::test]
async fn a_page_a_bad_key_and_a_redirect_to_a_page_give_advice() {
    let failure = |script: Script| async {
        let scene = Scene::of(Some("s3cr3t"), "/dis", script);
        let message = scene.fetch(&piece()).await.unwrap_err().to_string();
        assert!(!message.contains("s3cr3t"), "{message}");
        message
    };
    let page = Reply::html("<!DOCTYPE html><html><head>");
    let direct = failure(Script::new().on("/dis", page.clone())).await;
    let moved = Reply::status(302, "").header("Location", "/new");
    let redirected = failure(Script::new().on("/dis", moved).on("/new", page)).await;
    for message in [direct, redirected] {
        assert!(
            message.contains("with an HTML page instead of JSON: the address is an old one"),
            "{message}"
        );
    }
    for status in [400, 401, 403] {
        let refused = failure(Script::new().on("/dis", Reply::status(status, "key s3cr3t?"))).await;
        let expected =
            format!("evds refused rates: it answered {status} (key ***?); check the key");
        assert!(refused.starts_with(&expected), "{refused}");
    }
    let cut = failure(Script::new().on("/dis", Reply::json(DAILY).chunked_cut_after(100))).await;
    assert!(cut.contains("broke off"), "{cut}");
    let busy = failure(Script::new().on("/dis", Reply::status(429, "slow down"))).await;
    assert!(busy.starts_with("evds limits how often it may be asked"), "{busy}");
}

#[tokio::test]
async fn without_a_key_the_rates_of_a_day_are_read_from_its_document() {
    let script = Script::new().on("/kurlar/202510/30102025.xml", Reply::ok("text/xml", RATES));
    let scene = Scene::of(None, "/dis", script);
    let pieces = scene.plan(&[], "2025-10-30", "2025-11-02").unwrap();
    assert_eq!(
        keys(&pieces),
        [
            "TP.DK.USD.A.YTL TP.DK.USD.S.YTL 2025-10-30",
            "TP.DK.USD.A.YTL TP.DK.USD.S.YTL 2025-10-31"
        ]
    );
    let batch = scene.batch(&pieces[0]).await;
    assert_eq!(
        observations(&batch),
        ["TP.DK.USD.A.YTL 2025-10-30 41.9512", "TP.DK.USD.S.YTL 2025-10-30 42.0268"]
    );
    assert!(batch.notes[0].starts_with("no key is set"), "{:?}", batch.notes);
    let Content::Absent { reason } = scene.fetch(&pieces[1]).await.unwrap() else { panic!() };
    assert_eq!(reason, "no rates were announced on 2025-10-31");
}

#[tokio::test]
async fn without_a_key_nothing_else_is_promised() {
    let scene = Scene::of(None, "/dis", Script::new());
    let missing = "evds needs a key for all but the exchange rates; get one for nothing at \
                   https://evds3.tcmb.gov.tr and set it as the credential of the source 'evds'";
    for series in [&["TP.APIFON4"][..], &["TP.DK.USD.A.YTL", "TP.APIFON4"]] {
        assert_eq!(scene.plan(series, "2025-10-30", "2025-10-30").unwrap_err(), missing);
    }
    assert_eq!(scene.fetch(&piece()).await.unwrap_err().to_string(), missing);
    let page = Reply::html("<html>");
    let scene = Scene::of(None, "/dis", Script::new().on("/kurlar", page));
    let pieces = scene.plan(&["TP.DK.JPY.S.YTL"], "2025-10-30", "2025-10-30").unwrap();
    let error = scene.fetch(&pieces[0]).await.unwrap_err().to_string();
    assert!(error.contains("with an HTML page instead of XML"), "{error}");
}

#[test]
fn with_a_key_a_piece_is_one_series_and_two_years() {
    let scene = Scene::of(Some("s3cr3t"), "/dis", Script::new());
    let pieces = scene.plan(&["TP.APIFON4", "TP.FG.J0"], "2021-03-01", "2025-12-31").unwrap();
    assert_eq!(
        keys(&pieces),
        [
            "TP.APIFON4 2021-03-01..2021-12-31",
            "TP.APIFON4 2022-01-01..2023-12-31",
            "TP.APIFON4 from 2024-01-01",
            "TP.FG.J0 2021-03-01..2021-12-31",
            "TP.FG.J0 2022-01-01..2023-12-31",
            "TP.FG.J0 from 2024-01-01",
        ]
    );
    assert_eq!(pieces.iter().filter(|piece| piece.is_final).count(), 4);
    assert_eq!(scene.plan(&[], "2025-10-30", "2025-10-30").unwrap().len(), 7);
    assert!(scene.plan(&[], "2025-11-02", "2025-11-30").unwrap_err().contains("there are no days"));
}
