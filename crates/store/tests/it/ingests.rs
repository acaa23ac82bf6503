//! What an ingest leaves behind, and what it leaves alone.

use bist_market::refused_row::{Refusal, RefusedRow};
use bist_market::{Interval, Origin};
use bist_store::{Store, StoreError};
use jiff::civil::date;

use crate::{bar, batch, only_received, store, symbol};

async fn bars_of(store: &Store, name: &str) -> Vec<i64> {
    let received = store.received(symbol(name), Interval::Daily).await.unwrap();
    received.iter().flat_map(|r| &r.series.bars).map(|bar| bar.close_units).collect()
}

#[tokio::test]
async fn bars_come_back_as_they_went_in() {
    let (store, folder) = store().await;
    let bars = vec![bar(date(2024, 1, 2), 100), bar(date(2024, 1, 3), -5)];
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", bars.clone())).await.unwrap();
    store.close().await;

    let again = folder.open().await;
    let received = only_received(&again, "THYAO").await;
    assert_eq!(received.series.bars, bars, "the adjusted close too, bit for bit");
}

#[tokio::test]
async fn a_second_ingest_of_the_same_rows_stores_none() {
    let (store, _folder) = store().await;
    let same = batch(Origin::Market, "a.csv", "THYAO", vec![bar(date(2024, 1, 2), 100)]);
    store.ingest(&same).await.unwrap();
    let counts = &store.ingest(&same).await.unwrap().files[0];
    assert_eq!((counts.rows_read, counts.rows_stored, counts.rows_unchanged), (1, 0, 1));
}

#[tokio::test]
async fn a_revision_replaces_the_bar_and_is_counted() {
    let (store, _folder) = store().await;
    let day = date(2024, 1, 2);
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", vec![bar(day, 100)])).await.unwrap();
    let revised = batch(Origin::Market, "b.csv", "THYAO", vec![bar(day, 101)]);
    let counts = &store.ingest(&revised).await.unwrap().files[0];
    assert_eq!((counts.rows_stored, counts.rows_revised), (1, 1));
    assert_eq!(bars_of(&store, "THYAO").await, [101]);
}

#[tokio::test]
async fn refused_rows_are_kept_with_their_place_and_replaced_by_the_next_reading() {
    let (store, _folder) = store().await;
    let mut batch = batch(Origin::Market, "a.csv", "THYAO", vec![bar(date(2024, 1, 2), 100)]);
    let row = RefusedRow {
        file: "a.csv".to_owned(),
        line: 3,
        symbol: Some(symbol("THYAO")),
        day: Some(date(2024, 1, 3)),
        text: "2024-01-03,,,,".to_owned(),
        reason: Refusal::MissingField { field: "open".to_owned() },
    };
    batch.files[0].refused.push(row.clone());
    for _ in 0..2 {
        store.ingest(&batch).await.unwrap();
        let received = only_received(&store, "THYAO").await;
        assert_eq!(received.refused, std::slice::from_ref(&row));
    }
    batch.files[0].refused.clear();
    store.ingest(&batch).await.unwrap();
    let received = only_received(&store, "THYAO").await;
    assert!(received.refused.is_empty());
}

#[tokio::test]
async fn real_data_replace_the_sample_and_all_that_was_made_from_it() {
    let (store, _folder) = store().await;
    let sample = batch(Origin::Sample, "sample 7", "SBNK1", vec![bar(date(2024, 1, 2), 100)]);
    store.ingest(&sample).await.unwrap();
    let real = batch(Origin::Market, "a.csv", "THYAO", vec![bar(date(2024, 1, 2), 200)]);
    assert_eq!(store.ingest(&real).await.unwrap().sample_symbols_removed, 1);
    assert_eq!(store.origin().await.unwrap(), Some(Origin::Market));
    assert!(bars_of(&store, "SBNK1").await.is_empty());
    assert_eq!(bars_of(&store, "THYAO").await, [200]);
}

#[tokio::test]
async fn a_sample_is_never_mixed_into_real_data() {
    let (store, _folder) = store().await;
    let real = batch(Origin::Market, "a.csv", "THYAO", vec![bar(date(2024, 1, 2), 200)]);
    store.ingest(&real).await.unwrap();
    let sample = batch(Origin::Sample, "sample 7", "SBNK1", vec![bar(date(2024, 1, 2), 100)]);
    assert!(matches!(store.ingest(&sample).await, Err(StoreError::HoldsRealData)));
    assert_eq!(bars_of(&store, "THYAO").await, [200]);
}

#[tokio::test]
async fn a_sample_with_other_parameters_replaces_the_sample() {
    let (store, _folder) = store().await;
    for (file, name, removed) in
        [("seed 7", "SBNK1", 0), ("seed 7", "SBNK1", 0), ("seed 8", "SHLD1", 1)]
    {
        let sample = batch(Origin::Sample, file, name, vec![bar(date(2024, 1, 2), 100)]);
        assert_eq!(store.ingest(&sample).await.unwrap().sample_symbols_removed, removed, "{file}");
    }
    assert!(bars_of(&store, "SBNK1").await.is_empty());
}

#[tokio::test]
async fn the_generation_tells_whether_an_ingest_came_in_between() {
    let (store, _folder) = store().await;
    let empty = store.generation().await.unwrap();
    assert_eq!(store.generation().await.unwrap(), empty);
    let real = batch(Origin::Market, "a.csv", "THYAO", vec![bar(date(2024, 1, 2), 200)]);
    store.ingest(&real).await.unwrap();
    assert_ne!(store.generation().await.unwrap(), empty);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("bist.sqlite");
    let text = "this is not a database, and longer than the header of one would be: ".repeat(20);
    std::fs::write(&file, &text).unwrap();
    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
}
