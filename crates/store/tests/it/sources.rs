//! Several sources of one symbol, what was known when, and what was fetched.

use bist_market::{
    CorporateAction, CorporateActionKind, DatedInstrumentDay, InstrumentDay, Observation, Origin,
    Price, SeriesCode, ShareIndex, Source,
};
use bist_store::{AttemptOutcome, PieceMark};
use jiff::Timestamp;
use jiff::civil::date;

use crate::{bar, batch_of, store, symbol};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[tokio::test]
async fn no_source_overwrites_another() {
    let (store, _folder) = store().await;
    let day = date(2024, 1, 2);
    for (source, close) in [(Source::CSV, 100), (Source::YAHOO, 200)] {
        let batch = batch_of(source, Origin::Market, "a", "THYAO", vec![bar(day, close)]);
        let counts = &store.ingest(&batch).await.unwrap().files[0];
        assert_eq!((counts.rows_stored, counts.rows_revised), (1, 0), "{source}");
    }
    let received = store.received_all(bist_market::Interval::Daily).await.unwrap();
    let closes: Vec<_> =
        received.iter().map(|r| (r.source, r.series.bars[0].close_units)).collect();
    assert_eq!(closes, [(Source::CSV, 100), (Source::YAHOO, 200)]);
    let series = store.series_overviews().await.unwrap();
    assert_eq!(series.iter().map(|s| s.rows_count).sum::<u64>(), 2);
}

#[tokio::test]
async fn what_was_known_of_an_event_can_be_asked_as_of_an_instant() {
    let (store, _folder) = store().await;
    let dividend = |lira: &str| CorporateAction {
        symbol: symbol("THYAO"),
        effective_on: date(2024, 5, 20),
        kind: CorporateActionKind::CashDividend { per_share: Price::parse(lira).unwrap() },
    };
    for (second, lira) in [(10, "1.00"), (20, "1.00"), (30, "1.25")] {
        let mut batch = batch_of(Source::ISYATIRIM, Origin::Market, "a", "THYAO", Vec::new());
        batch.received_at = at(second);
        batch.files[0].actions = vec![dividend(lira)];
        batch.files[0].actions_are_complete = true;
        let stored = store.ingest(&batch).await.unwrap().files[0].actions_stored;
        assert_eq!(stored, u64::from(second != 20), "the same event is stored once");
    }
    let known = async |known_at| {
        let records = store.actions(symbol("THYAO"), known_at).await.unwrap();
        records.into_iter().map(|record| record.action).collect::<Vec<_>>()
    };
    assert_eq!(known(Some(at(9))).await, []);
    assert_eq!(known(Some(at(25))).await, [dividend("1.00")]);
    assert_eq!(known(None).await, [dividend("1.25")]);
}

#[tokio::test]
async fn the_members_of_an_index_are_those_of_the_day() {
    let (store, _folder) = store().await;
    for (day, members) in [(date(2024, 1, 2), ["AAA", "BBB"]), (date(2024, 7, 1), ["AAA", "CCC"])] {
        let mut batch = batch_of(Source::BULLETIN, Origin::Market, "a", "AAA", Vec::new());
        batch.files[0].days = ["AAA", "BBB", "CCC"]
            .map(|name| DatedInstrumentDay {
                symbol: symbol(name),
                day,
                facts: InstrumentDay {
                    in_bist30: Some(members.contains(&name)),
                    gross_settlement: Some(false),
                    ..InstrumentDay::default()
                },
            })
            .to_vec();
        store.ingest(&batch).await.unwrap();
    }
    let members = async |day| store.members_on(ShareIndex::Bist30, day).await.unwrap();
    assert_eq!(members(date(2024, 1, 1)).await, None);
    let spring = members(date(2024, 6, 28)).await.unwrap();
    assert_eq!(
        (spring.as_of, spring.symbols),
        (date(2024, 1, 2), vec![symbol("AAA"), symbol("BBB")])
    );
    let summer = members(date(2024, 8, 1)).await.unwrap();
    assert_eq!(summer.symbols, [symbol("AAA"), symbol("CCC")]);
    assert_eq!(members(date(2024, 8, 1)).await, Some(summer));
    let none = store.members_on(ShareIndex::Bist100, date(2024, 8, 1)).await.unwrap();
    assert_eq!(none, None, "nothing said who is in BIST 100");
}

#[tokio::test]
async fn a_piece_is_marked_together_with_what_it_brought() {
    let (store, _folder) = store().await;
    let mut batch =
        batch_of(Source::YAHOO, Origin::Market, "p", "THYAO", vec![bar(date(2024, 1, 2), 100)]);
    let mark = PieceMark {
        key: "THYAO 1d 2024".to_owned(),
        is_final: true,
        etag: Some("\"x\"".to_owned()),
        last_modified: None,
    };
    batch.files[0].piece = Some(mark.clone());
    assert_eq!(store.piece(Source::YAHOO, &mark.key).await.unwrap(), None);
    store.ingest(&batch).await.unwrap();
    let piece = store.piece(Source::YAHOO, &mark.key).await.unwrap().unwrap();
    assert!(piece.is_final);
    assert_eq!((piece.etag, piece.rows_count), (mark.etag, 1));
    assert_eq!(store.piece(Source::CSV, &mark.key).await.unwrap(), None, "by source");
    assert_eq!(store.piece_counts().await.unwrap()[&Source::YAHOO], 1);
}

#[tokio::test]
async fn failures_in_a_row_are_counted_until_a_success() {
    let (store, _folder) = store().await;
    let failed = AttemptOutcome::Failed { reason: "no answer" };
    for second in [1, 2] {
        store.record_attempt(Source::YAHOO, at(second), failed.clone()).await.unwrap();
    }
    let status = store.source_statuses().await.unwrap().remove(0);
    assert_eq!((status.failures_count, status.last_success_at), (2, None));
    store.record_attempt(Source::YAHOO, at(3), AttemptOutcome::Done).await.unwrap();
    let status = store.source_statuses().await.unwrap().remove(0);
    assert_eq!((status.failures_count, status.last_success_at), (0, Some(at(3))));
    assert_eq!(status.last_error.as_deref(), Some("no answer"), "kept for whoever looks later");
}

#[tokio::test]
async fn a_rate_comes_back_and_a_revision_replaces_it() {
    let (store, _folder) = store().await;
    let series = SeriesCode::parse("TP.DK.USD.S.YTL").unwrap();
    for value in [30.25, 30.5] {
        let mut batch = batch_of(Source::EVDS, Origin::Market, "a", "THYAO", Vec::new());
        let day = date(2024, 1, 2);
        batch.files[0].observations = vec![Observation { series: series.clone(), day, value }];
        store.ingest(&batch).await.unwrap();
    }
    let (from, to) = (date(2024, 1, 1), date(2024, 1, 31));
    let rates = store.observations(&series, from, to).await.unwrap();
    assert_eq!(rates.iter().map(|(_, rate)| rate.value).collect::<Vec<_>>(), [30.5]);
}
