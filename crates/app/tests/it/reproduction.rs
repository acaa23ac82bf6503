//! What was made once can be made again from what it was made of, and what was changed is named.

use std::path::Path;
use std::sync::Arc;

use bist_app::progress::ProgressSink;
use bist_app::reproduction::{Difference, Reproduction};
use bist_app::{App, HORIZON_DEFAULT, ModelVersion, SignalRecord};
use bist_market::{BarSeries, Clock, SnapshotDifference, Symbol, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use jiff::civil::{Date, date};

use crate::market::{self, ingest};

/// With three versions 21 signals.
const SYMBOLS: [&str; 7] = ["AAAA1", "BBBB1", "CCCC1", "DDDD1", "EEEE1", "FFFF1", "GGGG1"];

/// The last bar that each of the three versions learns from.
const UNTIL: [Date; 3] = [date(2026, 11, 6), date(2026, 11, 13), date(2026, 11, 20)];

fn quiet() -> Arc<ProgressSink> {
    Arc::new(|_| ())
}

fn walks() -> Vec<BarSeries> {
    market::walks(&SYMBOLS, date(2023, 9, 4), date(2026, 11, 20))
}

async fn open(folder: &Path) -> App {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at("2026-11-20 18:30"));
    App::open(folder, clock, ValidationPolicy::default()).await.unwrap()
}

async fn of_version(app: &App, version: &ModelVersion) -> Reproduction {
    let stored = app.model_version(&version.id).await.unwrap().unwrap();
    app.reproduce_version(&stored, quiet()).await.unwrap()
}

async fn of_signal(app: &App, signal: &SignalRecord) -> Reproduction {
    let stored = app.signal(&signal.id).await.unwrap().unwrap();
    app.reproduce_signal(&stored, quiet()).await.unwrap()
}

#[tokio::test]
async fn versions_and_their_signals_are_made_again_and_what_was_tampered_with_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path()).await;
    let series = walks();
    let (mut versions, mut signals) = (Vec::new(), Vec::new());
    for (seed, until) in (7..).zip(UNTIL) {
        ingest(&app, &series, until, None).await;
        versions.extend(app.train(None, &[HORIZON_DEFAULT], seed, quiet()).await.unwrap());
        for report in app.make_signals(None, quiet()).await.unwrap().reports {
            signals.extend(report.signals);
        }
    }
    assert_eq!((versions.len(), signals.len()), (3, 21));

    // The newer bars that have come since are left out again.
    for version in &versions {
        let again = of_version(&app, version).await;
        assert!(again.reproduced, "{again:?}");
    }
    for signal in &signals {
        let again = of_signal(&app, signal).await;
        assert!(again.reproduced && again.version == signal.model_version, "{again:?}");
    }
    assert_eq!(app.model_versions().await.unwrap().len(), 3, "nothing was registered");

    // A number of a signal.
    let mut tampered = signals[0].clone();
    tampered.signal.probability_up = 0.75;
    let again = app.reproduce_signal(&tampered, quiet()).await.unwrap();
    let [Difference::Signal(field)] = again.differences.as_slice() else { panic!("{again:?}") };
    assert_eq!(field.field, "signal.probability_up");

    // A parameter of a version.
    let mut tampered = versions[0].clone();
    tampered.lineage.spec.ridge_alpha = 7.5;
    let again = app.reproduce_version(&tampered, quiet()).await.unwrap();
    assert!(again.differences.contains(&Difference::Lineage), "{again:?}");

    // The file of a model.
    let file = folder.path().join(format!("models/{}.json", versions[1].artifact_sha256));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let again = of_signal(&app, &signals[7]).await;
    assert!(matches!(again.differences.as_slice(), [Difference::Artifact { .. }]), "{again:?}");
    let again = of_version(&app, &versions[1]).await;
    assert!(matches!(again.differences.as_slice(), [Difference::Artifact { .. }]), "{again:?}");

    // A row that its source has revised.
    ingest(&app, &series, UNTIL[2], Some(("CCCC1", date(2025, 3, 12)))).await;
    let symbol = Symbol::parse("CCCC1").unwrap();
    let expected = Difference::Data(SnapshotDifference::Bars { symbol, year: 2025 });
    for again in [of_version(&app, &versions[2]).await, of_signal(&app, &signals[20]).await] {
        assert_eq!(again.differences, std::slice::from_ref(&expected), "{again:?}");
        assert_eq!(again.differences[0].to_string(), "the bars of CCCC1 of 2025 differ");
    }
}
