//! The database: migrations and queries; the artefacts of models beside it, and backups of all of it.
//!
//! The only crate that contains SQL. A [`Store`] is one SQLite file in WAL mode in the data
//! directory; the SQL keeps to what PostgreSQL understands as well (docs/adr/0003-database.md).
//! Functions take and return the types of the pure crates. A write has happened when its function
//! returns: it is one transaction, synced to disk, and survives the death of the process.
//!
//! Several sources of one series lie side by side, and nothing that was received is forgotten: a
//! bar or rate that its source revises is kept aside, and an event that is changed or taken back
//! keeps the time over which it was known.

pub mod access_change;
pub mod accounts;
pub mod actions;
pub mod activities;
pub mod admin_tallies;
pub mod alert_deliveries;
pub mod alerts;
pub mod api_keys;
pub mod api_usage;
pub mod artifacts;
pub mod audit;
pub mod backup;
pub mod bucket;
pub mod certificate_orders;
pub mod change_marks;
pub mod decisions;
pub mod disclosures;
pub mod error;
pub mod errors_kept;
pub mod experiments;
pub mod findings;
pub mod ingests;
pub mod instrument_days;
pub mod instruments;
pub mod job_stages;
pub mod jobs;
pub mod leadership;
pub mod migrate;
pub mod model_versions;
pub mod observations;
pub mod orders;
pub mod outside_part;
pub mod paper_portfolios;
pub mod passkeys;
pub mod personal;
pub mod pieces;
pub mod pool;
pub mod quality;
pub mod quality_history;
pub mod received;
pub mod redis_link;
pub mod secrets;
pub mod series;
pub mod sessions;
pub mod shared_answers;
pub mod shared_limiter;
pub mod shared_stream;
pub mod signal_scores;
pub mod signals;
pub mod snapshots;
pub mod source_status;
mod standing;
pub mod studies;
pub mod study_journal;
pub mod study_storage;
pub mod tallies;
pub mod trading_halt;
pub mod trials;
mod version;
pub mod whole_file;

mod bars;
mod bulk;
mod columns;
mod copy;
mod db;
mod owned;
mod preference;
mod refused_rows;
mod schema;

pub use access_change::AccessChange;
pub use accounts::{Invitation, InvitationPurpose, StoredAccount};
pub use actions::ActionRecord;
pub use activities::{
    Activity, ActivityCounts, ActivityFilter, ActivityKind, ActivityPlace, ActivityPoint,
    NewActivity,
};
pub use admin_tallies::AdminTallies;
pub use alert_deliveries::{ClaimedDelivery, DeliveryOutcome};
pub use alerts::{
    Alert, AlertDocument, Delivery, DeliveryState, NewAlert, StoredChannel, StoredRule,
};
pub use api_usage::{
    Refusals, RefusedBy, Resolution, SKETCH_ERROR, UsageCaller, UsageCounts, UsageFilter, UsageKey,
    UsagePage, UsageReader, UsageRow, UsageWindow,
};
pub use artifacts::ARTIFACT_BYTES_MAX;
pub use audit::{Audit, AuditFilter, AuditNote};
pub use backup::{
    Backup, BackupBucket, BackupEntry, BackupError, BackupFolder, BackupIdentities, BackupKeyError,
    BackupManifest, BackupNote, BackupPlan, BackupRecipients, BackupTable, LogFollower,
    LogGeneration, LogNote, LogPiece, LogPlan, Place, Retention, ShownMoment, Ticked, Unpacked,
    VerifiedLog, unpack, unpack_log, unpack_moment, verify_file,
};
pub use bucket::{BucketError, BucketSettings, BucketSettingsError, Keys, ObjectStoreUrl};
pub use change_marks::{ChangeMarks, SignalMark};
pub use copy::CopiedTable;
pub use db::{
    DatabaseAddress, DatabaseAddressError, DatabaseSettings, DatabaseVersion, PoolSizes,
    TRACES_TARGET, ask_within,
};
pub use decisions::DecisionRecord;
pub use error::StoreError;
pub use errors_kept::{
    ErrorBreadcrumb, ErrorEvent, ErrorFilter, ErrorGroup, ErrorKind, ErrorState, KeptMax, NewError,
};
pub use experiments::{EndSteps, ExperimentRecord, ExposureRecord};
pub use findings::{FindingFilter, FindingPage, FindingRecord, FindingTally};
pub use ingests::{Generation, IngestBatch, IngestCounts, IngestFile, Ingested};
pub use instrument_days::{IndexMembers, InstrumentDayRecord};
pub use job_stages::{JobLine, JobStage, StageProgress};
pub use jobs::{ClaimedJob, JobEnd, JobPart, JobRun, JobState, NewJob, NewPart};
pub use leadership::{LEADER_LEASE, Leadership};
pub use migrate::{KnownMigrations, known_migrations};
pub use model_versions::Registration;
pub use observations::ObservationOverview;
pub use orders::{OrderCancelling, OrderFilter, OrderPlacing, OrderWithEvents, StoredOrder};
pub use outside_part::{NotAsked, OutsidePart};
pub use paper_portfolios::{PaperEventRecord, PaperSession, PortfolioClosing, StoredPortfolio};
pub use passkeys::{Ceremony, StoredPasskey};
pub use personal::{Changed, PersonalMark, PersonalTopic, Revised, StoredWatchlist};
pub use pieces::{PieceMark, PieceRecord};
pub use pool::Store;
pub use quality::QualitySummary;
pub use quality_history::HistoryPoint;
pub use redis_link::{RedisAddress, RedisAddressError, RedisError, RedisLink};
pub use schema::TABLES;
pub use series::{SeriesOverview, SymbolOverview};
pub use sessions::{Origins, SignIn, SignInOutcome};
pub use shared_answers::SharedAnswers;
pub use shared_limiter::SharedLimiter;
pub use shared_stream::{Life, NextNews, SharedStream, StreamReader, ToPublish};
pub use signal_scores::{KeptScore, ServedCounts, ServedFilter, ServedSignal};
pub use signals::{ForecastRecord, Serving, SignalRecord, signal_id};
pub use source_status::{AttemptOutcome, SourceStatus};
pub use standing::DatabaseStanding;
pub use studies::{AttributeKind, DatabaseStudies};
pub use study_journal::JournalStorage;
pub use study_storage::{StudyStorageSpec, StudyStorageSpecError};
pub use tallies::{JobTally, PoolTally};
pub use trading_halt::TradingHalt;
pub use whole_file::{Existing, write_private, write_whole};
