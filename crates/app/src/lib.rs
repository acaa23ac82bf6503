//! Use cases: load, decide, save.
//!
//! [`App`] holds what every use case needs: the store, the clock, the policy. A method of it reads
//! as the sentence one would say aloud; decisions are made in the pure crates, and the command line
//! and the HTTP server call the same methods.

pub mod bars;
pub mod ingest;
pub mod models;
pub mod nightly;
pub mod progress;
pub mod quality;
pub mod sample;
pub mod signals;
pub mod symbols;
pub mod training;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bist_market::calendar::Calendar;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::validate::{ValidatedBars, ValidationPolicy, validate};
use bist_market::{Clock, Interval, Symbol};
use bist_store::{Generation, Store, SymbolOverview};
use tokio::sync::Mutex;

pub use bist_store::{FindingPage, ForecastRecord, SignalRecord, StoreError};

/// Everything that a use case needs.
#[derive(Debug)]
pub struct App {
    store: Store,
    clock: Arc<dyn Clock>,
    policy: ValidationPolicy,
    /// The validated daily bars of the newest generation; the lock makes one caller load for all.
    daily: Mutex<Option<(Generation, Arc<DailyBars>)>>,
}

/// The daily bars of one generation of the store.
#[derive(Debug)]
pub struct DailyBars {
    /// The validated bars of each symbol.
    pub series: BTreeMap<Symbol, ValidatedBars>,
    /// What the store knows of each symbol besides.
    pub(crate) overviews: Vec<SymbolOverview>,
}

impl App {
    /// Opens the data directory.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when its database cannot be opened.
    pub async fn open(
        directory: &Path,
        clock: Arc<dyn Clock>,
        policy: ValidationPolicy,
    ) -> Result<Self, StoreError> {
        let store = Store::open(directory).await?;
        Ok(Self { store, clock, policy, daily: Mutex::new(None) })
    }

    /// The data directory.
    pub fn directory(&self) -> &Path {
        self.store.directory()
    }

    /// What decides whether data are good enough to train on.
    pub fn policy(&self) -> ValidationPolicy {
        self.policy
    }

    /// The instant that this application takes for now.
    pub fn now(&self) -> jiff::Timestamp {
        self.clock.now()
    }

    /// Shows that the database answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.store.ping().await
    }

    /// Closes the database.
    pub async fn close(self) {
        self.store.close().await;
    }

    /// The validated daily bars, read and checked again only when an ingest came in between.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn daily_bars(&self) -> Result<Arc<DailyBars>, StoreError> {
        let mut held = self.daily.lock().await;
        let generation = self.store.generation().await?;
        if let Some((known, bars)) = held.as_ref()
            && *known == generation
        {
            return Ok(Arc::clone(bars));
        }
        let received = self.store.received_all(Interval::Daily).await?;
        let mut overviews = self.store.symbol_overviews().await?;
        overviews.retain(|overview| overview.interval == Interval::Daily);
        let policy = self.policy;
        let series = blocking(move || {
            received
                .iter()
                .map(|received| {
                    let checked =
                        validate(received, Calendar::bist(), ExchangeRules::bist(), policy);
                    (received.series.symbol, checked)
                })
                .collect()
        })
        .await;
        let bars = Arc::new(DailyBars { series, overviews });
        *held = Some((generation, Arc::clone(&bars)));
        Ok(bars)
    }
}

/// Runs `work` on a thread that may take its time.
///
/// # Panics
///
/// When `work` does: its panic goes on in the caller.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
