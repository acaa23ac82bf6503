//! The provider of announcements against a server that plays the platform.

use std::sync::Arc;
use std::time::Duration;

use bist_access::Secret;
use bist_feeds::kap::{Kap, KapStrategy};
use bist_feeds::{
    Batch, Content, FetchError, Fetched, Piece, Provider, Scope, SourceSettings, Validators, Wanted,
};
use bist_market::{Interval, Source};
use bist_testkit::http_server::{HttpServer, Reply, Script};
use jiff::civil::date;

use super::{DETAIL, SITE};
use crate::batch_of;
use crate::http::FakeWaits;

struct Scene {
    server: HttpServer,
    kap: Kap,
    waits: Arc<FakeWaits>,
}

impl Scene {
    fn of(credential: Option<&str>, strategy: KapStrategy, script: Script) -> Self {
        Self::with(credential, strategy, script, |_| {})
    }

    fn with(
        credential: Option<&str>,
        strategy: KapStrategy,
        script: Script,
        change: impl FnOnce(&mut SourceSettings),
    ) -> Self {
        let server = HttpServer::start(script);
        let mut settings = SourceSettings::of(Source::KAP)
            .unwrap()
            .with_base_url("api", &server.url("/api/vyk"))
            .unwrap()
            .with_base_url("site", &server.url("/site"))
            .unwrap();
        settings.credential = credential.map(Secret::new).map(Into::into).unwrap_or_default();
        change(&mut settings);
        let waits = Arc::new(FakeWaits::default());
        let kap = Kap::new(&settings, strategy, Arc::<FakeWaits>::clone(&waits)).unwrap();
        Self { server, kap, waits }
    }

    async fn fetch(&self, piece: &Piece) -> Result<Fetched, FetchError> {
        self.kap.fetch(piece, &Validators::default()).await
    }

    async fn failure(&self, piece: &Piece) -> String {
        self.fetch(piece).await.unwrap_err().to_string().replace(&self.server.url(""), "")
    }

    fn plan(&self, from_index: Option<u64>) -> Vec<Piece> {
        let wanted = Wanted {
            symbols: Vec::new(),
            from: date(2025, 10, 24),
            to: date(2025, 11, 30),
            interval: Interval::Daily,
            series: Vec::new(),
            from_index,
        };
        self.kap.plan(&wanted, "2025-11-01T12:00:00+03:00".parse().unwrap()).unwrap()
    }

    /// What was asked for, in its order.
    fn targets(&self) -> Vec<String> {
        let show = |path: &str| path.trim_start_matches("/api/vyk/").to_owned();
        self.server.requests().iter().map(|request| show(&request.path)).collect()
    }
}

fn batch(fetched: &Fetched) -> Batch {
    batch_of(fetched.content.clone())
}

fn indices(fetched: &Fetched) -> Vec<u64> {
    batch(fetched).disclosures.iter().map(|disclosure| disclosure.index).collect()
}

/// A platform with these announcements; asked for a page, it gives those from there on.
fn platform(indices: &[u64]) -> Script {
    let last = indices.last().unwrap();
    let script = Script::new().on(
        "/api/vyk/lastDisclosureIndex",
        Reply::json(format!(r#"{{"lastDisclosureIndex":"{last}"}}"#)),
    );
    let first = indices[0].saturating_sub(60);
    let script = (first..=*last).fold(script, |script, from| {
        let page: Vec<_> =
            indices.iter().filter(|index| (from..from + 50).contains(*index)).collect();
        let lines: Vec<_> =
            page.iter().map(|index| format!(r#"{{"disclosureIndex":"{index}"}}"#)).collect();
        let path = format!("/api/vyk/disclosures?disclosureIndex={from}");
        script.on(&path, Reply::json(format!("[{}]", lines.join(","))))
    });
    indices.iter().fold(script, |script, index| {
        let path = format!("/api/vyk/disclosureDetail/{index}?");
        script.on(&path, Reply::json(DETAIL.replace("1600001", &index.to_string())))
    })
}

#[tokio::test]
async fn announcements_are_walked_from_piece_to_piece_to_the_last() {
    let indices_of_all: Vec<u64> = (1_600_001..=1_600_012).chain([1_600_100, 1_600_101]).collect();
    let scene = Scene::of(Some("key:secret"), KapStrategy::Official, platform(&indices_of_all));
    let mut next = scene.plan(Some(1_600_001)).pop();
    let mut walked = Vec::new();
    let mut keys = Vec::new();
    while let Some(piece) = next {
        let fetched = scene.fetch(&piece).await.unwrap();
        walked.extend(indices(&fetched));
        keys.push(piece.key);
        next = fetched.next;
    }
    assert_eq!(walked, indices_of_all);
    // The third piece falls into a gap that is longer than a page.
    assert_eq!(keys, ["from 1600001", "from 1600011", "from 1600013", "from 1600063"]);
    let requests = scene.server.requests();
    assert!(requests.iter().all(|r| r.header("authorization") == Some("Basic a2V5OnNlY3JldA==")));
    let asked_for_last = scene.targets().iter().filter(|t| *t == "lastDisclosureIndex").count();
    assert_eq!(asked_for_last, 1);
    // Six calls a minute.
    assert!(scene.waits.slept_s().iter().all(|wait_s| *wait_s <= 10.0));
    let waited: f64 = scene.waits.slept_s().iter().sum();
    assert!((waited - 10.0 * (requests.len() as f64 - 1.0)).abs() < 1e-6, "{waited}");
}

#[tokio::test]
async fn a_walk_is_resumed_where_it_stopped() {
    let all: Vec<u64> = (1_600_001..=1_600_025).collect();
    let scene = Scene::of(Some("key:secret"), KapStrategy::Official, platform(&all));
    let first = scene.fetch(&scene.plan(Some(1_600_001))[0]).await.unwrap();
    let next = first.next.unwrap();
    assert_eq!((next.key.as_str(), next.is_final), ("from 1600011", true));
    // Another process, which knows nothing but the piece.
    let scene = Scene::of(Some("key:secret"), KapStrategy::Official, platform(&all));
    let second = scene.fetch(&next).await.unwrap();
    assert_eq!(indices(&second), (1_600_011..=1_600_020).collect::<Vec<_>>());
    let third = second.next.unwrap();
    // It will hold what has not been published yet.
    assert_eq!((third.key.as_str(), third.is_final), ("from 1600021", false));
    assert!(scene.fetch(&third).await.unwrap().next.is_none());
}

#[tokio::test]
async fn without_a_number_the_walk_begins_with_the_newest_page() {
    let all: Vec<u64> = (1_600_001..=1_600_060).collect();
    let scene = Scene::of(Some("key:secret"), KapStrategy::Official, platform(&all));
    let piece = scene.plan(None).pop().unwrap();
    assert_eq!((piece.key.as_str(), piece.is_final), ("newest", false));
    let fetched = scene.fetch(&piece).await.unwrap();
    assert_eq!(indices(&fetched), (1_600_011..=1_600_020).collect::<Vec<_>>());
}

#[tokio::test]
async fn past_the_newest_there_is_nothing_and_no_error() {
    let scene = Scene::of(Some("key:secret"), KapStrategy::Official, platform(&[1_600_001]));
    let fetched = scene.fetch(&scene.plan(Some(1_600_002))[0]).await.unwrap();
    let Content::Absent { reason } = fetched.content else { panic!() };
    assert_eq!(reason, "there is nothing newer than announcement 1600001");
    assert_eq!((fetched.next, scene.targets()), (None, vec!["lastDisclosureIndex".to_owned()]));
}

#[tokio::test]
async fn an_announcement_without_a_detail_is_noted() {
    let script = platform(&[1_600_001, 1_600_002])
        .on("/api/vyk/disclosureDetail/1600001?fileType=data", Reply::status(404, "blocked"));
    let scene = Scene::of(Some("key:secret"), KapStrategy::Official, script);
    let fetched = scene.fetch(&scene.plan(Some(1_600_001))[0]).await.unwrap();
    assert_eq!((indices(&fetched), batch(&fetched).rows_read), (vec![1_600_002], 2));
    assert_eq!(batch(&fetched).notes, ["announcement 1600001 has no detail any more"]);
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_and_again_when_it_has_expired() {
    let all = [1_600_001];
    let script = platform(&all)
        .on("/auth/generateToken?apiKey=k%2F1", Reply::json(r#"{"token":"t1"}"#))
        .on("/auth/generateToken?apiKey=k%2F1", Reply::json(r#"{"token":"t2"}"#))
        .on("/api/vyk/disclosures", Reply::status(401, "expired"));
    let scene = Scene::of(Some("k/1"), KapStrategy::Official, script);
    // The page for this number is not in the script: the general answer of the list counts.
    let failure =
        scene.failure(&Piece { scope: Scope::Cursor(1), ..scene.plan(Some(1))[0].clone() }).await;
    assert_eq!(
        failure,
        "kap refused disclosures?disclosureIndex=1: it answered 401 (expired); check the credential of the source 'kap'"
    );
    let tokens: Vec<_> = scene
        .server
        .requests()
        .iter()
        .filter_map(|request| request.header("authorization").map(str::to_owned))
        .collect();
    assert_eq!(tokens, ["Bearer t1", "Bearer t1", "Bearer t2"]);
}

#[tokio::test]
async fn every_other_answer_says_what_it_was() {
    let official = |reply: Reply| async {
        let script = Script::new().on("/api/vyk", reply);
        let settings = |settings: &mut SourceSettings| settings.requests_per_minute = u32::MAX;
        let scene = Scene::with(Some("key:secret"), KapStrategy::Official, script, settings);
        let failure = scene.failure(&scene.plan(Some(7))[0]).await;
        (failure, scene.waits.slept_s())
    };
    let (busy, waits) = official(Reply::status(429, "limit").header("Retry-After", "40")).await;
    assert!(busy.starts_with("kap limits how often it may be asked"), "{busy}");
    assert_eq!(waits, [40.0; 4]);
    let (page, _) = official(Reply::html("<html>maintenance")).await;
    assert!(page.contains("with an HTML page instead of JSON"), "{page}");
    let (cut, _) = official(Reply::json(r#"{"lastDisclosureIndex":"16"}"#).cut_after(10)).await;
    assert!(cut.contains("broke off"), "{cut}");
    let (other, _) = official(Reply::json("{}")).await;
    assert!(
        other.starts_with("the answer of kap for the newest announcement cannot be understood"),
        "{other}"
    );
    let (refused, _) = official(Reply::status(403, "no")).await;
    assert!(
        refused.starts_with("kap refused lastDisclosureIndex: it answered 403 (no)"),
        "{refused}"
    );
    let nameless = Scene::of(None, KapStrategy::Official, Script::new());
    let missing = nameless.failure(&nameless.plan(None)[0]).await;
    assert!(missing.starts_with("kap needs the key of a contract with MKK; set it"), "{missing}");
}

#[tokio::test]
async fn a_service_that_stalls_is_given_up() {
    let script =
        Script::new().on("/api/vyk", Reply::json(r#"{"lastDisclosureIndex":1}"#).stall_after(5));
    let scene = Scene::with(Some("key:secret"), KapStrategy::Official, script, |settings| {
        settings.attempts_max = 1;
        settings.answer_timeout = Duration::from_millis(100);
    });
    let failure = scene.failure(&scene.plan(None)[0]).await;
    assert!(failure.contains("did not answer within"), "{failure}");
}

#[tokio::test]
async fn the_site_is_asked_day_by_day_after_a_visit() {
    let script = Script::new()
        .on("/site/tr/bildirim-sorgu", Reply::html("<html>").header("Set-Cookie", "s=1; Path=/"))
        .on("/site/tr/api/disclosure/members/byCriteria", Reply::json(SITE))
        .on("/site/tr/api/disclosure/members/byCriteria", Reply::json("[]"));
    let scene = Scene::of(None, KapStrategy::Site, script);
    let pieces = scene.plan(None);
    let keys: Vec<_> = pieces.iter().map(|piece| (piece.key.as_str(), piece.is_final)).collect();
    assert_eq!((keys.len(), keys[0], keys[8]), (9, ("2025-10-24", true), ("2025-11-01", false)));
    assert_eq!(indices(&scene.fetch(&pieces[6]).await.unwrap()), [1_600_002, 1_600_003]);
    let nothing = scene.fetch(&pieces[7]).await.unwrap().content;
    assert!(matches!(nothing, Content::Absent { .. }), "{nothing:?}");
    let requests = scene.server.requests();
    assert_eq!(requests.iter().filter(|request| request.method == "GET").count(), 1);
    assert_eq!(requests[1].header("cookie"), Some("s=1"));
    assert_eq!(requests[1].header("content-type"), Some("application/json"));
    let question: serde_json::Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(
        (&question["fromDate"], &question["toDate"]),
        (&"2025-10-30".into(), &"2025-10-30".into())
    );
}

#[tokio::test]
async fn the_sites_firewall_is_named() {
    for status in [403, 666] {
        let scene = Scene::of(
            None,
            KapStrategy::Site,
            Script::new().on("/site", Reply::status(status, "")),
        );
        let failure = scene.failure(&scene.plan(None)[0]).await;
        assert!(
            failure.contains(&format!("the site's web firewall answered {status}")),
            "{failure}"
        );
    }
    let scene = Scene::of(None, KapStrategy::Site, Script::new());
    let other = Piece { scope: Scope::Cursor(1), ..scene.plan(None)[0].clone() };
    assert!(scene.failure(&other).await.contains("no piece of the service in use"));
}
