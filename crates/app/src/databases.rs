//! The database beneath: what it holds, and moving all of it to another.

use std::path::Path;

pub use bist_store::known_migrations;
use bist_store::{CopiedTable, DatabaseSettings, Store, StoreError};
use serde::Serialize;

use crate::App;

/// How many rows a table has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableRows {
    /// The table.
    pub name: &'static str,
    /// Its rows.
    pub rows_count: u64,
}

/// A table that was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MovedTable {
    /// The table.
    pub name: &'static str,
    /// Its rows, in both databases.
    pub rows_count: u64,
    /// The SHA-256 of all its rows, the same in both databases.
    pub sha256: String,
}

impl From<&CopiedTable> for MovedTable {
    fn from(table: &CopiedTable) -> Self {
        Self { name: table.name, rows_count: table.rows_count, sha256: table.sha256.clone() }
    }
}

impl App {
    /// How many rows each table has.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn table_rows(&self) -> Result<Vec<TableRows>, StoreError> {
        let counts = self.store.row_counts().await?;
        Ok(counts.into_iter().map(|(name, rows_count)| TableRows { name, rows_count }).collect())
    }
}

/// Moves everything that the database `from` of the data directory holds to the empty database `to`.
///
/// All of it or nothing, and it is read again there; `told` hears of each table that arrived. The
/// artefacts of models stay where they are, in `directory` and its bucket, and go with both.
///
/// # Errors
///
/// As [`Store::copy_to`].
pub async fn copy_database(
    directory: &Path,
    from: &DatabaseSettings,
    to: &DatabaseSettings,
    mut told: impl FnMut(&MovedTable),
) -> Result<Vec<MovedTable>, StoreError> {
    let (from, to) = (Store::open_at(directory, from).await?, Store::open_at(directory, to).await?);
    let copied = from.copy_to(&to, |table| told(&table.into())).await;
    from.close().await;
    to.close().await;
    Ok(copied?.iter().map(MovedTable::from).collect())
}
