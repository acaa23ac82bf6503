//! The record of signals: nothing that was served or scored is changed or forgotten.

use bist_lifecycle::{Explanation, HORIZON_DEFAULT};
use bist_market::{Origin, Price};
use bist_store::{KeptScore, ServedFilter, Serving, SignalRecord, Store, StoreError};
use bist_trading::{Action, NeverKnown, Reason, ReturnInterval, Signal, TopContributions};
use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::home::Home;
use crate::{audit, bar, batch, store, symbol};

const DAY: Date = date(2026, 11, 9);

fn record(made_at: i64, probability_up: f64) -> SignalRecord {
    let interval = ReturnInterval { low: -0.03, high: 0.05 };
    let signal = Signal {
        symbol: symbol("THYAO"),
        as_of: DAY,
        as_of_time: None,
        last_close: Price::from_units(1_000_000).unwrap(),
        horizon: HORIZON_DEFAULT,
        next_session: None,
        valid_until: None,
        valid_until_time: None,
        action: Action::Hold,
        reason: Reason::NextSessionUnknown { as_of: DAY },
        expected_return_share: 0.01,
        expected_return_interval_80: interval,
        cost_share: 0.002,
        expected_return_after_costs_share: 0.008,
        probability_up,
        interval_50: interval,
        interval_80: interval,
        target: None,
        stop: None,
        risk_reward: None,
        contributions: TopContributions {
            base_share: 0.0,
            items: Vec::new(),
            other_share: 0.01,
            total_share: 0.01,
        },
    };
    SignalRecord {
        id: format!("gbdt-0-THYAO-{DAY}"),
        origin: Origin::Sample,
        model_version: "gbdt-0".to_owned(),
        snapshot_hash: format!("bars of {made_at}"),
        made_at: Timestamp::from_second(made_at).unwrap(),
        signal,
    }
}

/// Whatever a signal needs to be kept, without the work of training.
async fn ready() -> (Store, Home) {
    let (store, folder) = store().await;
    store.ingest(&batch(Origin::Sample, "a", "THYAO", vec![bar(DAY, 1_000_000)])).await.unwrap();
    let mut raw = folder.raw().await;
    let insert = "INSERT INTO model_versions (id, state, origin, horizon, trained_at_us, document)
                  VALUES ('gbdt-0', 'champion', 'sample', '5', 0, '{}')";
    raw.execute(insert).await.unwrap();
    raw.close().await;
    (store, folder)
}

fn explanation() -> Explanation {
    Explanation { base: 0.0, drift: 0.0, forecast: 0.01, members: Vec::new(), features: Vec::new() }
}

async fn save(store: &Store, record: &SignalRecord) -> SignalRecord {
    let (signals, why) = (std::slice::from_ref(record), [explanation()]);
    store
        .save_signals(&[], signals, &why, Serving::AtOnce, &audit(store).await)
        .await
        .unwrap()
        .remove(0)
}

const ALL: ServedFilter = ServedFilter {
    origin: Origin::Sample,
    horizon: None,
    symbol: None,
    only_closed: false,
    before: None,
};

#[tokio::test]
async fn what_is_kept_is_on_record_only_when_it_is_shown() {
    let (store, _folder) = ready().await;
    let first = record(100, 0.6);
    let (signals, why) = (std::slice::from_ref(&first), [explanation()]);
    store
        .save_signals(&[], signals, &why, Serving::Afterwards, &audit(&store).await)
        .await
        .unwrap();
    assert_eq!(store.signal(&first.id).await.unwrap(), Some(first.clone()));
    assert!(store.served_signals(ALL, 10).await.unwrap().is_empty());
    for _ in 0..2 {
        store.serve_signals(signals).await.unwrap();
        let served = store.served_signals(ALL, 10).await.unwrap();
        let served: Vec<_> =
            served.into_iter().map(|served| (served.issue, served.record)).collect();
        assert_eq!(served, [(1, first.clone())]);
    }
}

#[tokio::test]
async fn a_signal_made_again_is_kept_once_and_one_that_says_something_else_beside_it() {
    let (store, _folder) = ready().await;
    let first = record(100, 0.6);
    assert_eq!(save(&store, &first).await, first);
    assert_eq!(save(&store, &record(200, 0.6)).await, first, "it was served then, not now");
    assert_eq!(store.signal(&first.id).await.unwrap(), Some(first.clone()));
    let other = record(300, 0.7);
    assert_eq!(save(&store, &other).await, other);
    assert_eq!(store.signal(&first.id).await.unwrap(), Some(other.clone()), "the newest issue");

    let served = store.served_signals(ALL, 10).await.unwrap();
    let issues: Vec<_> = served.iter().map(|s| (s.number, s.issue, &s.record)).collect();
    assert_eq!(issues, [(2, 2, &other), (1, 1, &first)]);
    let before = ServedFilter { before: Some(2), ..ALL };
    assert_eq!(store.served_signals(before, 10).await.unwrap()[0].record, first);
    let of_market = ServedFilter { origin: Origin::Market, ..ALL };
    assert!(store.served_signals(of_market, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_can_be_taken_out_of_the_record_of_signals_and_the_first_score_stands() {
    let (store, folder) = ready().await;
    save(&store, &record(100, 0.6)).await;
    let noted = |reason| [(1, KeptScore::NeverKnown { reason })];
    let now = Timestamp::from_second(900).unwrap();
    let save_scores = async |scores: &[(u64, KeptScore)]| -> Result<u64, StoreError> {
        store.save_scores(scores, now).await
    };
    assert_eq!(save_scores(&noted(NeverKnown::NoBars)).await.unwrap(), 1);
    assert_eq!(save_scores(&noted(NeverKnown::FirstBarGone)).await.unwrap(), 0);
    let served = store.served_signals(ALL, 10).await.unwrap();
    let reason = NeverKnown::NoBars;
    assert_eq!(served[0].score, Some((now, KeptScore::NeverKnown { reason })));
    assert!(store.waiting_signals().await.unwrap().is_empty());
    let counts = store.served_counts().await.unwrap();
    assert_eq!((counts[0].served_count, counts[0].never_known_count), (1, 1));

    let mut raw = folder.raw().await;
    for (statement, told) in [
        ("DELETE FROM served_signals", "served signals are never removed"),
        ("UPDATE served_signals SET made_at_us = 0", "served signals are never changed"),
        ("DELETE FROM signal_scores", "scores of signals are never removed"),
        ("UPDATE signal_scores SET state = 'scored'", "scores of signals are never changed"),
    ] {
        let error = raw.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[tokio::test]
async fn the_record_of_a_sample_stays_when_it_gives_way() {
    let (store, _folder) = ready().await;
    save(&store, &record(100, 0.6)).await;
    let real = batch(Origin::Market, "b", "THYAO", vec![bar(DAY, 1_000_000)]);
    store.ingest(&real).await.unwrap();
    assert_eq!(store.signal(&record(100, 0.6).id).await.unwrap(), None);
    let served = store.served_signals(ALL, 10).await.unwrap();
    assert_eq!(served.len(), 1);
    assert_eq!(served[0].record.origin, Origin::Sample);
}
