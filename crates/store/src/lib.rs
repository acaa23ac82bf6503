//! The database: migrations and queries.
//!
//! The only crate that contains SQL. A [`Store`] is one SQLite file in WAL mode in the data
//! directory; the SQL keeps to what PostgreSQL understands as well (docs/adr/0003-database.md).
//! Functions take and return the types of the pure crates. A write has happened when its function
//! returns: it is one transaction, synced to disk, and survives the death of the process.

pub mod bars;
pub mod error;
pub mod ingests;
pub mod instruments;
pub mod migrate;
pub mod model_versions;
pub mod pool;
pub mod quality;
pub mod signals;

pub use error::StoreError;
pub use ingests::{Generation, IngestBatch, IngestCounts, IngestFile, Ingested};
pub use instruments::SymbolOverview;
pub use pool::Store;
pub use quality::FindingPage;
pub use signals::{ForecastRecord, SignalRecord};
