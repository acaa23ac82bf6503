//! Use cases: load, decide, save.
//!
//! [`App`] holds what every use case needs: the store, the clock, the policy. A method of it reads
//! as the sentence one would say aloud; decisions are made in the pure crates, and the command line
//! and the HTTP server call the same methods.

pub mod access;
pub mod alerts;
pub mod answers;
pub mod audit;
pub mod backups;
pub mod bars;
pub mod certificates;
mod checked;
pub mod databases;
pub mod decisions;
mod due;
pub mod experiments;
pub mod explanations;
pub mod fetch;
pub mod freshness;
pub mod given_trees;
pub mod health;
pub mod ingest;
pub mod jobs;
pub mod live;
pub mod market_view;
pub mod model_card;
pub mod model_file;
pub mod models;
pub mod nightly;
pub mod orders;
pub mod out_file;
pub mod outside;
pub mod paper_sessions;
pub mod personal;
pub mod plots;
pub mod portfolios;
pub mod process_role;
pub mod progress;
pub mod quality;
pub mod rate_limits;
pub mod reason;
pub mod reconciliation;
pub mod registry;
pub mod release;
pub mod reproduction;
pub mod retraining;
pub mod sample;
pub mod secrets;
pub mod security;
pub mod signal_record;
pub mod signals;
pub mod sources;
pub mod streaming;
pub mod studies;
pub mod symbols;
pub mod telemetry;
pub mod training;
pub mod tuning;
pub mod universes;
pub mod user_settings;
pub mod watchlists;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bist_access::{Actor, AuditKey};
use bist_feeds::Provider;
use bist_market::rename::current_name;
use bist_market::validate::{ValidatedBars, ValidationPolicy};
use bist_market::{Clock, Interval, Origin, PriceBasis, Source, Symbol};
use bist_store::{BackupBucket, DatabaseVersion, Generation, Store, SymbolOverview};
use jiff::SignedDuration;
use tokio::sync::{Mutex, OnceCell, watch};
use tracing::Span;

use crate::access::{Hashing, KnownCallers, KnownTokenKey};
use crate::alerts::{AlertSettings, Alerting};
use crate::answers::Answers;
use crate::backups::{BackupSettings, Swap};
use crate::checked::Checked;
use crate::jobs::HeldJobs;
use crate::live::{Followed, Live};
use crate::market_view::KnownMarketView;
use crate::nightly::NightlySettings;
use crate::secrets::{KnownMasterKey, MasterKeySource, StoredCredential};
use crate::studies::{KnownImportances, KnownTrials};
use crate::telemetry::sentry::Sentry;
use crate::telemetry::trail::Trail;
use crate::telemetry::usage::TelemetrySettings;
use crate::telemetry::{ProcessLog, Telemetry};
use crate::training::KnownLessons;
use crate::tuning::KnownObjective;

pub use bist_access::rate_limit::{Class, Decision, Quota, QuotaError};
pub use bist_lifecycle::{
    HORIZON_DEFAULT, HORIZONS, HORIZONS_HOURLY, Horizon, ModelVersion, horizons_of, parse_horizon,
};
pub use bist_store::{
    Alert, AlertDocument, AuditFilter, BucketSettings, BucketSettingsError, DatabaseAddress,
    DatabaseAddressError, DatabaseSettings, Delivery, DeliveryState, ErrorBreadcrumb, ErrorEvent,
    ErrorFilter, ErrorGroup, ErrorKind, ErrorState, ForecastRecord, InvitationPurpose, KeptScore,
    Keys, LEADER_LEASE, Leadership, ObjectStoreUrl, Origins, PaperEventRecord, PersonalTopic,
    PoolSizes, RedisAddress, RedisAddressError, RedisError, RedisLink, Revised, ServedSignal,
    SharedLimiter, SignIn, SignInOutcome, SignalRecord, StoreError, StoredChannel, StoredPortfolio,
    StoredRule, StoredWatchlist,
};
pub use process_role::{ProcessRole, UnknownProcessRole};

/// Everything that a use case needs.
///
/// Cloning is cheap and shares what was read.
#[derive(Clone, Debug)]
pub struct App {
    store: Store,
    clock: Arc<dyn Clock>,
    policy: ValidationPolicy,
    /// The services that can be asked.
    providers: BTreeMap<Source, Arc<dyn Provider>>,
    /// Which source of a symbol is used, the first that has it; what is not named follows.
    source_order: Vec<Source>,
    /// What the prices of a source mean, where the user says so.
    price_basis: BTreeMap<Source, PriceBasis>,
    nightly: Option<NightlySettings>,
    /// Whether models are trained anew each night after a session.
    retraining_enabled: bool,
    master_key: Arc<KnownMasterKey>,
    token_key: Arc<KnownTokenKey>,
    hashing: Arc<Hashing>,
    /// What continues the audit, found or made when something is first put on record.
    audit_key: Arc<OnceCell<AuditKey>>,
    /// For whom this acts.
    actor: Actor,
    /// The request that is being answered.
    request_id: Option<String>,
    /// The keys of services that are secrets here.
    stored_credentials: BTreeMap<Source, StoredCredential>,
    daily: Arc<KnownBars>,
    known_callers: Arc<KnownCallers>,
    market_view: Arc<KnownMarketView>,
    /// How people are told of what their rules fired.
    alerting: Arc<Alerting>,
    /// How backups are made.
    backups: Arc<BackupSettings>,
    /// Where copies of them are.
    backup_copies: Option<BackupBucket>,
    /// Going back to one.
    swap: Arc<Swap>,
    live: Live,
    /// The source of prices of this moment.
    followed: Option<Arc<Followed>>,
    /// What several processes share.
    redis: Option<RedisLink>,
    /// Whether this process does no jobs any more.
    jobs_stopped: Arc<watch::Sender<bool>>,
    /// The runs and parts that it does.
    held_jobs: Arc<HeldJobs>,
    /// The bars that those learn from.
    known_lessons: Arc<KnownLessons>,
    known_objective: Arc<KnownObjective>,
    known_trials: Arc<KnownTrials>,
    known_importances: Arc<KnownImportances>,
    answers: Arc<Answers>,
    telemetry: Arc<Telemetry>,
    /// Where errors go besides.
    sentry: Arc<Sentry>,
    telemetry_settings: TelemetrySettings,
}

/// The validated daily bars of the newest generation; the lock makes one caller load for all.
#[derive(Debug, Default)]
struct KnownBars(Mutex<Option<CurrentBars>>);

/// The daily bars that were in force when they were asked for last.
#[derive(Debug)]
struct CurrentBars {
    /// How the database stood then.
    version: DatabaseVersion,
    generation: Generation,
    bars: Arc<DailyBars>,
}

/// The daily bars of one generation of the store.
#[derive(Debug)]
pub struct DailyBars {
    /// The validated bars of each symbol, from the source that models and charts use.
    pub series: BTreeMap<Symbol, ValidatedBars>,
    /// The same of all sources, and how they compare.
    pub(crate) checked: Checked,
    /// What the store knows of each symbol besides.
    pub(crate) overviews: Vec<SymbolOverview>,
}

impl DailyBars {
    /// The validated bars of every source, by symbol and source.
    pub(crate) fn all(&self) -> impl Iterator<Item = &ValidatedBars> {
        self.checked.series.values()
    }

    /// Whether `symbol`, by whatever name it has had, is real.
    pub(crate) fn origin_of(&self, symbol: Symbol) -> Option<Origin> {
        let symbol = current_name(symbol);
        let of_it = |overview: &&SymbolOverview| overview.instrument.symbol == symbol;
        self.overviews.iter().find(of_it).map(|overview| overview.instrument.origin)
    }

    /// The sources of `symbol`, the one in use first.
    pub(crate) fn sources_of(&self, symbol: Symbol) -> Vec<Source> {
        let primary = self.checked.primary.get(&symbol).copied();
        let others = self.checked.series.keys().filter(|key| key.0 == symbol).map(|key| key.1);
        primary.into_iter().chain(others.filter(|source| Some(*source) != primary)).collect()
    }
}

impl App {
    /// Opens the data directory with the SQLite database in it.
    ///
    /// # Errors
    ///
    /// As [`App::open_at`].
    pub async fn open(
        directory: &Path,
        clock: Arc<dyn Clock>,
        policy: ValidationPolicy,
    ) -> Result<Self, StoreError> {
        Self::open_at(directory, &DatabaseSettings::default(), clock, policy).await
    }

    /// Opens the data directory, and the database that `database` names.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be opened.
    pub async fn open_at(
        directory: &Path,
        database: &DatabaseSettings,
        clock: Arc<dyn Clock>,
        policy: ValidationPolicy,
    ) -> Result<Self, StoreError> {
        bist_store::ask_within(Trail::request_span);
        let store = Store::open_at(directory, database).await?;
        let telemetry = Arc::new(Telemetry::new(Arc::clone(&clock), ProcessLog::default()));
        Ok(Self {
            store,
            clock,
            policy,
            providers: BTreeMap::new(),
            source_order: Vec::new(),
            price_basis: BTreeMap::new(),
            nightly: None,
            retraining_enabled: false,
            master_key: Arc::default(),
            token_key: Arc::default(),
            hashing: Arc::default(),
            audit_key: Arc::default(),
            actor: Actor::System,
            request_id: None,
            stored_credentials: BTreeMap::new(),
            daily: Arc::default(),
            known_callers: Arc::default(),
            market_view: Arc::default(),
            alerting: Arc::default(),
            backups: Arc::default(),
            backup_copies: None,
            swap: Arc::default(),
            live: Live::default(),
            followed: None,
            redis: None,
            jobs_stopped: Arc::default(),
            held_jobs: Arc::default(),
            known_lessons: Arc::default(),
            known_objective: Arc::default(),
            known_trials: Arc::default(),
            known_importances: Arc::default(),
            answers: Arc::default(),
            telemetry,
            telemetry_settings: TelemetrySettings::default(),
            sentry: Arc::default(),
        })
    }

    /// The same with services that can be asked.
    #[must_use]
    pub fn with_providers(self, providers: Vec<Arc<dyn Provider>>) -> Self {
        let providers =
            providers.into_iter().map(|provider| (provider.source(), provider)).collect();
        Self { providers, ..self }
    }

    /// The same with sources that are preferred, the first that has a symbol for that symbol.
    #[must_use]
    pub fn with_source_order(self, source_order: Vec<Source>) -> Self {
        Self { source_order, ..self }
    }

    /// The same with prices of sources that mean what the user says.
    #[must_use]
    pub fn with_price_basis(self, price_basis: BTreeMap<Source, PriceBasis>) -> Self {
        Self { price_basis, ..self }
    }

    /// The same with a run each night.
    #[must_use]
    pub fn with_nightly(self, nightly: NightlySettings) -> Self {
        Self { nightly: Some(nightly), ..self }
    }

    /// The same with models that are trained anew each night after a session.
    #[must_use]
    pub fn with_retraining(self) -> Self {
        Self { retraining_enabled: true, ..self }
    }

    /// The same with a Redis that several processes share.
    #[must_use]
    pub fn with_redis(self, link: RedisLink) -> Self {
        Self { redis: Some(link), ..self }
    }

    /// The Redis that several processes share.
    pub fn redis(&self) -> Option<&RedisLink> {
        self.redis.as_ref()
    }

    /// The same where a job on PostgreSQL is lost to a process that was not heard of for `lease`.
    #[must_use]
    pub fn with_job_lease(self, lease: SignedDuration) -> Self {
        Self { store: self.store.with_job_lease(lease), ..self }
    }

    /// The same with a master key that opens the secrets; it is read when it is first needed. Without
    /// one it is in the data directory, where it is made before there is a secret.
    #[must_use]
    pub fn with_master_key(self, source: MasterKeySource) -> Self {
        Self { master_key: Arc::new(KnownMasterKey::at(source)), ..self }
    }

    /// The same acting for `actor`, as what it changes is put on record; the product itself otherwise.
    #[must_use]
    pub fn with_actor(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }

    /// A view of this application that acts for `actor`, who asks by the request `request_id`.
    #[must_use]
    pub fn acting(&self, actor: Actor, request_id: Option<String>) -> Self {
        Self { actor, request_id, ..self.clone() }
    }

    /// The same with keys of services that are secrets; each is read whenever its service is asked, so
    /// that a new value needs no new start.
    #[must_use]
    pub fn with_stored_credentials(
        self,
        stored_credentials: BTreeMap<Source, StoredCredential>,
    ) -> Self {
        Self { stored_credentials, ..self }
    }

    /// The same with an object store that keeps the artefacts of models beside the data directory.
    ///
    /// # Errors
    ///
    /// [`StoreError::Bucket`] when no client can be made; nothing is asked of the network yet.
    pub fn with_bucket(self, settings: &BucketSettings, keys: &Keys) -> Result<Self, StoreError> {
        Ok(Self { store: self.store.with_bucket(settings, keys)?, ..self })
    }

    /// The same with ways to tell people of what their rules fired.
    #[must_use]
    pub fn with_alerts(self, settings: AlertSettings) -> Self {
        Self { alerting: Arc::new(Alerting::new(settings)), ..self }
    }

    /// The same with the log of this process. What was noticed before is forgotten, so this comes first.
    #[must_use]
    pub fn with_log(self, log: ProcessLog) -> Self {
        let telemetry = Telemetry::new(Arc::clone(&self.clock), log);
        Self { telemetry: Arc::new(telemetry), ..self }
    }

    /// The same where this is counted and noted, and kept as long.
    #[must_use]
    pub fn with_telemetry(self, settings: TelemetrySettings) -> Self {
        self.telemetry.metrics().switch(settings.metrics);
        self.telemetry.usage().switch(settings.usage);
        self.telemetry.activities().switch(settings.activity);
        Self { telemetry_settings: settings, ..self }
    }

    /// What is noticed of this process.
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
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

    /// The clock that everything here goes by.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
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
        let version = self.store.version().await?;
        let mut held = self.daily.0.lock().await;
        if let Some(current) = held.as_ref()
            && current.version == version
        {
            return Ok(Arc::clone(&current.bars));
        }
        // Whoever waited meanwhile may know more than has been read.
        let generation = self.store.generation().await?;
        if let Some(current) = held.as_mut()
            && current.generation == generation
        {
            current.version = version;
            return Ok(Arc::clone(&current.bars));
        }
        let checked = self.check_interval(Interval::Daily, Arc::new(|_| {})).await?;
        let mut overviews = self.store.symbol_overviews().await?;
        overviews.retain(|overview| overview.interval == Interval::Daily);
        let primary = checked.primary.iter();
        let series = primary
            .filter_map(|key| Some((*key.0, checked.series.get(&(*key.0, *key.1))?.clone())))
            .collect();
        let bars = Arc::new(DailyBars { series, checked, overviews });
        *held = Some(CurrentBars { version, generation, bars: Arc::clone(&bars) });
        Ok(bars)
    }
}

/// Runs `work` on a thread that may take its time.
///
/// # Panics
///
/// When `work` does: its panic goes on in the caller.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // What is logged there belongs to the same request or run.
    let (span, trail) = (Span::current(), Trail::current());
    let work = move || span.in_scope(|| Trail::go_on(trail, work));
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
