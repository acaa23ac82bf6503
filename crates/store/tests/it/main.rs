//! The store on a real database: SQLite, and the same once more on PostgreSQL where one answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod audit;
mod backup;
mod backup_log;
mod backup_log_older;
mod bucket;
mod certificate_orders;
mod errors_kept;
mod experiments;
mod home;
mod ingests;
mod job_parts;
mod jobs;
mod paper;
mod postgres;
mod quality;
mod replacing;
mod secrets;
mod shipped_log;
mod signals;
mod sources;
mod studies;
mod trials;
mod usage;
mod version;
mod writer;

use bist_access::{Actor, AuditKey, MasterKey, SealedSecrets, SecretName};
use bist_market::bar::midnight_of;
use bist_market::{BarSeries, Instrument, Interval, Origin, RawBar, Received, Source, Symbol};
use bist_store::{Audit, IngestBatch, IngestFile, Store, StoreError};
use jiff::Timestamp;
use jiff::civil::Date;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::home::Home;

/// A store that lasts as long as the test.
async fn store() -> (Store, Home) {
    let home = Home::new();
    (home.open().await, home)
}

/// What puts a change on record; the audit begins when this is first asked for.
async fn audit(store: &Store) -> Audit {
    let mut rng = ChaCha20Rng::seed_from_u64(0);
    let (master, key) = (MasterKey::generate(&mut rng), AuditKey::generate(&mut rng));
    if store.audit_head().await.unwrap().is_none() {
        let (name, secret, at) = (SecretName::audit_key(), key.to_secret(), Timestamp::UNIX_EPOCH);
        let begin = |sealed: &mut SealedSecrets| {
            sealed.add(&master, &name, &secret, at, &mut rng).unwrap();
            Ok::<_, StoreError>(key.clone())
        };
        store.begin_audit(begin).await.unwrap();
    }
    Audit { key, actor: Actor::System, request_id: None, at: Timestamp::UNIX_EPOCH }
}

/// The same with another key, made of `seed`.
fn audit_of(seed: u64) -> Audit {
    let key = AuditKey::generate(&mut ChaCha20Rng::seed_from_u64(seed));
    Audit { key, actor: Actor::System, request_id: None, at: Timestamp::UNIX_EPOCH }
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
