//! Taking in files: read all of them, then store all of them or none.

use std::path::PathBuf;

use bist_feeds::{FeedError, FileBars, FileFormat};
use bist_market::Origin;
use bist_market::refused_row::RefusedRow;
use bist_store::{IngestBatch, IngestCounts, IngestFile, StoreError};
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::{App, blocking};

/// Why files were not taken in; the store is as before.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// A path or a file is not what it should be.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of the files.
#[derive(Debug, Serialize)]
pub struct IngestReport {
    /// Where the rows came from.
    pub source: &'static str,
    /// Data rows read from all files.
    pub rows_read: u64,
    /// New or revised rows.
    pub rows_stored: u64,
    /// Of those stored, revisions of earlier values.
    pub rows_revised: u64,
    /// Rows that the store had already.
    pub rows_unchanged: u64,
    /// Rows that could not become bars.
    pub rows_refused: u64,
    /// Symbols with at least one row.
    pub symbols_count: u64,
    /// Symbols of the sample market that made room.
    pub sample_symbols_removed: u64,
    /// By file.
    pub files: Vec<FileReport>,
}

/// What became of one file.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// The counts.
    #[serde(flatten)]
    pub counts: IngestCounts,
    /// Each refused row with its line and reason.
    pub refused: Vec<RefusedRow>,
    /// What a reader of the file should know.
    pub notes: Vec<String>,
}

impl App {
    /// Takes in all files that `paths` name (files, folders, globs).
    ///
    /// # Errors
    ///
    /// [`IngestError::Feed`] for the first path or file that is broken, [`IngestError::Store`] when
    /// the database fails. Either way nothing was stored.
    pub async fn ingest_files(
        &self,
        format: FileFormat,
        paths: Vec<String>,
        progress: std::sync::Arc<ProgressSink>,
    ) -> Result<IngestReport, IngestError> {
        let told = std::sync::Arc::clone(&progress);
        let files = blocking(move || read_all(format, &paths, &*told)).await?;
        let total = files.iter().map(|file| file.rows_read).sum();
        progress(Progress { stage: "storing rows", done: 0, total });

        let mut notes = Vec::with_capacity(files.len());
        let mut batch = IngestBatch {
            source: format.extension(),
            origin: Origin::Market,
            received_at: self.clock.now(),
            instruments: Vec::new(),
            actions: Vec::new(),
            files: Vec::with_capacity(files.len()),
        };
        for file in files {
            let FileBars { file, rows_read, series, refused, notes: of_file } = file;
            let of_file: Vec<String> = of_file.iter().map(ToString::to_string).collect();
            notes.push((refused.clone(), of_file));
            batch.files.push(IngestFile { file, rows_read, series, refused });
        }
        let symbols: std::collections::BTreeSet<_> = batch
            .files
            .iter()
            .flat_map(|file| &file.series)
            .filter(|series| !series.bars.is_empty())
            .map(|series| series.symbol)
            .collect();
        let ingested = self.store.ingest(&batch).await?;
        progress(Progress { stage: "storing rows", done: total, total });

        let sum = |field: fn(&IngestCounts) -> u64| ingested.files.iter().map(field).sum();
        Ok(IngestReport {
            source: batch.source,
            rows_read: sum(|counts| counts.rows_read),
            rows_stored: sum(|counts| counts.rows_stored),
            rows_revised: sum(|counts| counts.rows_revised),
            rows_unchanged: sum(|counts| counts.rows_unchanged),
            rows_refused: sum(|counts| counts.rows_refused),
            symbols_count: symbols.len() as u64,
            sample_symbols_removed: ingested.sample_symbols_removed,
            files: ingested
                .files
                .iter()
                .cloned()
                .zip(notes)
                .map(|(counts, (refused, notes))| FileReport { counts, refused, notes })
                .collect(),
        })
    }
}

fn read_all(
    format: FileFormat,
    paths: &[String],
    progress: &ProgressSink,
) -> Result<Vec<FileBars>, FeedError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in paths {
        for file in bist_feeds::discover(path, format)? {
            if !found.contains(&file) {
                found.push(file);
            }
        }
    }
    let total = found.len() as u64;
    let mut files = Vec::with_capacity(found.len());
    for (done, path) in (0_u64..).zip(&found) {
        progress(Progress { stage: "reading files", done, total });
        files.push(match format {
            FileFormat::Csv => bist_feeds::read_csv(path)?,
            FileFormat::Parquet => bist_feeds::read_parquet(path)?,
        });
    }
    progress(Progress { stage: "reading files", done: total, total });
    Ok(files)
}
