//! Every signal that was served is scored once its horizon has ended, and stays as it was scored.

use std::sync::Arc;

use bist_app::progress::ProgressSink;
use bist_app::signal_record::{RecordFilter, ScoringReport, ServedWanted};
use bist_app::{App, HORIZON_DEFAULT, KeptScore, ServedSignal};
use bist_lifecycle::Grouping;
use bist_market::{Clock, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use bist_trading::SignalScore;
use jiff::civil::{Date, date};

use crate::market::{ingest, walks};

/// A Friday, and the one at whose close the signals of it end.
const FIRST: Date = date(2026, 11, 6);
const SECOND: Date = date(2026, 11, 13);

const SYMBOLS: [&str; 7] = ["AAAA1", "BBBB1", "CCCC1", "DDDD1", "EEEE1", "FFFF1", "GGGG1"];

fn quiet() -> Arc<ProgressSink> {
    Arc::new(|_| ())
}

async fn served(app: &App) -> Vec<ServedSignal> {
    app.served_signals(None, ServedWanted::default(), 100).await.unwrap().items
}

async fn score(app: &App) -> ScoringReport {
    app.score_signals(quiet()).await.unwrap()
}

fn scores(served: &[ServedSignal]) -> Vec<(u64, &SignalScore)> {
    served.iter().filter_map(of_one).collect()
}

fn of_one(served: &ServedSignal) -> Option<(u64, &SignalScore)> {
    match &served.score {
        Some((_, KeptScore::Scored(score))) => Some((served.number, score)),
        Some((_, KeptScore::NeverKnown { .. })) | None => None,
    }
}

#[tokio::test]
async fn a_signal_is_scored_once_when_its_horizon_has_ended_and_stays_as_it_was_scored() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-06 18:50"));
    let app =
        App::open(folder.path(), Arc::clone(&clock) as Arc<dyn Clock>, ValidationPolicy::default());
    let app = app.await.unwrap();
    let series = walks(&SYMBOLS, date(2023, 9, 4), date(2026, 11, 20));
    ingest(&app, &series, FIRST, None).await;
    app.train(None, &[HORIZON_DEFAULT], 7, quiet()).await.unwrap();
    let made = app.make_signals(None, quiet()).await.unwrap();
    assert_eq!(made.scoring, ScoringReport { open_count: 7, ..Default::default() });

    // The bars of the last session are there, and yet it may not be complete; and once it is, what was
    // brought in the middle of it may not be its end.
    clock.set("2026-11-13 15:00");
    ingest(&app, &series, SECOND, None).await;
    for time in ["2026-11-13 18:30", "2026-11-13 18:45"] {
        clock.set(time);
        let waiting = ScoringReport { open_count: 7, ..Default::default() };
        assert_eq!(score(&app).await, waiting, "{time}");
    }
    ingest(&app, &series, SECOND, None).await;
    assert_eq!(score(&app).await, ScoringReport { scored_count: 7, ..Default::default() });
    assert_eq!(score(&app).await, ScoringReport::default(), "nothing is scored twice");

    let first = served(&app).await;
    for (number, score) in scores(&first) {
        let of = first.iter().find(|served| served.number == number).unwrap();
        let symbol = of.record.signal.symbol;
        let walk = series.iter().find(|series| series.symbol == symbol).unwrap();
        let close = |day: Date| walk.bars.iter().find(|bar| bar.day() == day).unwrap().close_units;
        let expected = close(SECOND) as f64 / close(FIRST) as f64 - 1.0;
        assert!((score.return_share - expected).abs() < 1e-12, "{score:?}");
        assert!(score.made_in_time && score.ended_on == SECOND);
    }

    // A signal that says the same is the one that was served; one that says something else is kept
    // beside it.
    app.make_signals(None, quiet()).await.unwrap();
    clock.set("2026-11-13 19:00");
    app.make_signals(None, quiet()).await.unwrap();
    assert_eq!(served(&app).await.len(), 14);
    ingest(&app, &series, SECOND, Some(("CCCC1", SECOND))).await;
    app.make_signals(None, quiet()).await.unwrap();
    let all = served(&app).await;
    let revised = all.iter().find(|served| served.issue == 2).unwrap();
    let again = app.reproduce_signal(&revised.record, quiet()).await.unwrap();
    assert!(again.reproduced, "{again:?}");

    // The corrected close is the one by which the first signals of the share were scored.
    assert_eq!(score(&app).await.scored_count, 0);
    let before: Vec<_> = scores(&first);
    assert_eq!(scores(&all), before, "a correction changes no score");

    let filter = RecordFilter {
        horizon: HORIZON_DEFAULT,
        origin: None,
        only_in_time: true,
        by: Grouping::Symbol,
    };
    let record = app.signal_record(filter).await.unwrap();
    let summary = &record.of_horizon.summary;
    assert_eq!((summary.scored_count, summary.days_count), (7, 1));
    assert!(summary.is_too_early && summary.hits.share.is_none());
    assert_eq!(record.groups.len(), 7);
    assert_eq!(record.of_horizon.waiting_count, record.of_horizon.served_count - 7);
    assert!(record.reliability.unwrap().gain_over_coin.is_none());
}
