//! The store on a real database file in a temporary folder.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod bucket;
mod experiments;
mod ingests;
mod jobs;
mod quality;
mod secrets;
mod signals;
mod sources;
mod studies;
mod trials;

use bist_market::bar::midnight_of;
use bist_market::{BarSeries, Instrument, Interval, Origin, RawBar, Received, Source, Symbol};
use bist_store::{IngestBatch, IngestFile, Store};
use jiff::Timestamp;
use jiff::civil::Date;
use tempfile::TempDir;

/// A store in a folder that lasts as long as the test.
async fn store() -> (Store, TempDir) {
    let folder = TempDir::new().unwrap();
    (Store::open(folder.path()).await.unwrap(), folder)
}

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

fn bar(day: Date, close_units: i64) -> RawBar {
    RawBar {
        opened_at: midnight_of(day),
        open_units: Some(close_units),
        high_units: close_units,
        low_units: close_units,
        close_units,
        adjusted_close: Some(0.1 + 0.2),
        volume_shares: Some(1000),
    }
}

/// A batch of one file with the bars of one symbol.
fn batch(origin: Origin, file: &str, name: &str, bars: Vec<RawBar>) -> IngestBatch {
    let source = if origin == Origin::Sample { Source::SAMPLE } else { Source::CSV };
    batch_of(source, origin, file, name, bars)
}

/// The same from a source of one's choice.
fn batch_of(
    source: Source,
    origin: Origin,
    file: &str,
    name: &str,
    bars: Vec<RawBar>,
) -> IngestBatch {
    let instrument = Instrument { symbol: symbol(name), name: None, sector: None, origin };
    IngestBatch {
        source,
        origin,
        received_at: Timestamp::UNIX_EPOCH,
        files: vec![IngestFile {
            file: file.to_owned(),
            rows_read: bars.len() as u64,
            series: vec![BarSeries { symbol: symbol(name), interval: Interval::Daily, bars }],
            instruments: vec![instrument],
            ..IngestFile::default()
        }],
    }
}

/// Everything received of a symbol whose bars come from one source.
async fn only_received(store: &Store, name: &str) -> Received {
    let mut received = store.received(symbol(name), Interval::Daily).await.unwrap();
    assert_eq!(received.len(), 1, "one source");
    received.remove(0)
}
