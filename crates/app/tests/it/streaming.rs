//! The champion follows the last sessions of the sample market.

use std::sync::Arc;

use bist_app::streaming::{StreamingError, StreamingPlan};
use bist_app::training::TrainingError;
use bist_app::{App, HORIZON_DEFAULT};
use bist_market::sample::SampleSpec;
use bist_market::{Clock, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use jiff::civil::date;

#[tokio::test]
async fn live_forecasts_of_the_sample_market_are_those_of_the_batch() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at("2026-11-20 18:30"));
    let app = App::open(folder.path(), clock, ValidationPolicy::default()).await.unwrap();
    let plan = StreamingPlan { sessions_count: 3, bars_per_session: 2 };
    let quiet = || Arc::new(|_: bist_app::progress::Progress<'_>| ());

    let unready = app.measure_streaming(HORIZON_DEFAULT, plan, quiet()).await.unwrap_err();
    let no_model = StreamingError::Training(TrainingError::NoModel(HORIZON_DEFAULT));
    assert_eq!(unready.to_string(), no_model.to_string());

    let spec = SampleSpec { symbols_count: 4, years: 3, seed: 7, until: date(2026, 11, 20) };
    app.make_sample(spec, quiet()).await.unwrap();
    app.train(None, &[HORIZON_DEFAULT], 7, quiet()).await.unwrap();
    let report = app.measure_streaming(HORIZON_DEFAULT, plan, quiet()).await.unwrap();
    assert_eq!(report.differing, []);
    assert_eq!(report.sessions.last(), Some(&date(2026, 11, 20)));
    assert_eq!((report.sessions.len(), report.symbols_count), (3, 4));
    assert_eq!(report.updates_count, 2 * report.compared_count);
    assert!((9..=12).contains(&report.compared_count), "{}", report.compared_count);
    app.close().await;
}
