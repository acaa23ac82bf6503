//! Taking in files: read all of them, then store all of them or none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bist_feeds::{
    Batch, Content, FetchError, FileFormat, FileProvider, Provider, Validators, Wanted,
};
use bist_market::bar::day_of;
use bist_market::rename::canonical;
use bist_market::{BarSeries, Interval, Origin, RefusedRow, Source, Symbol};
use bist_store::{IngestBatch, IngestCounts, IngestFile, PieceMark, StoreError};
use serde::Serialize;

use crate::App;
use crate::progress::{Progress, ProgressSink};
use crate::secrets::SecretStoreError;

/// Why data were not taken in; what is not acknowledged is not stored.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// A path or a file is not what it should be, or a source cannot give what was asked.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The program was started without this source.
    #[error("the source {0} is not set up; see [sources.{0}] in docs/CONFIGURATION.md")]
    NoSuchSource(Source),
    /// The key of the source cannot be had from the secrets.
    #[error(transparent)]
    Credential(#[from] SecretStoreError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of the data.
#[derive(Debug, Serialize)]
pub struct IngestReport {
    /// Where the rows came from.
    pub source: Source,
    /// Data rows read from all files and answers.
    pub rows_read: u64,
    /// New or revised rows.
    pub rows_stored: u64,
    /// Of those stored, revisions of earlier values.
    pub rows_revised: u64,
    /// Rows that the store had already.
    pub rows_unchanged: u64,
    /// Rows that could not become bars.
    pub rows_refused: u64,
    /// Symbols with at least one bar.
    pub symbols_count: u64,
    /// Symbols of the sample market that made room.
    pub sample_symbols_removed: u64,
    /// Corporate actions that are new or changed.
    pub actions_stored: u64,
    /// Facts of a share and a day that are new or changed.
    pub days_stored: u64,
    /// Rates that are new or changed.
    pub observations_stored: u64,
    /// Announcements that are new.
    pub disclosures_stored: u64,
    /// For services, which are fetched in pieces: what became of the pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pieces: Option<PiecesReport>,
    /// By file or piece.
    pub files: Vec<FileReport>,
}

/// What became of the pieces of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PiecesReport {
    /// Pieces that the wish consists of.
    pub planned_count: u64,
    /// Pieces that brought something.
    pub fetched_count: u64,
    /// Pieces that an earlier run has brought for good.
    pub had_before_count: u64,
    /// Pieces of which the source has nothing newer.
    pub not_modified_count: u64,
    /// Pieces of which the source has nothing.
    pub absent_count: u64,
    /// Pieces that could not be had.
    pub failed: Vec<FailedPiece>,
    /// Pieces that were not tried because an earlier failure made it pointless.
    pub not_tried_count: u64,
}

/// A piece that could not be had.
#[derive(Clone, Debug, Serialize)]
pub struct FailedPiece {
    /// Which.
    pub piece: String,
    /// Why.
    pub reason: String,
}

impl PiecesReport {
    /// The one sentence about a run that did not bring everything; `None` when it did.
    pub fn failure(&self) -> Option<String> {
        let first = self.failed.first()?;
        Some(format!(
            "{} of {} pieces could not be fetched, {} were not tried; first {}: {}; what came is stored, run the same command again for the rest",
            self.failed.len(),
            self.planned_count,
            self.not_tried_count,
            first.piece,
            first.reason
        ))
    }
}

/// What became of one file or piece.
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
    /// Takes in all files that `paths` name (files, folders, globs), as files of `vendor` or of
    /// their format.
    ///
    /// # Errors
    ///
    /// [`IngestError::Fetch`] for the first path or file that is broken, [`IngestError::Store`] when
    /// the database fails. Either way nothing was stored.
    pub async fn ingest_files(
        &self,
        format: FileFormat,
        vendor: Option<Source>,
        paths: Vec<String>,
        progress: Arc<ProgressSink>,
    ) -> Result<IngestReport, IngestError> {
        let provider = FileProvider::new(format, vendor, paths);
        let today = day_of(self.now());
        let everything = Wanted::of_days(today, today);
        let pieces = provider.plan(&everything, self.now())?;
        let total = pieces.len() as u64;
        let mut batches = Vec::with_capacity(pieces.len());
        for (done, piece) in (0_u64..).zip(&pieces) {
            progress(Progress::of("reading files", done, total));
            let fetched = provider.fetch(piece, &Validators::default()).await?;
            if let Content::Data(batch) = fetched.content {
                batches.push(*batch);
            }
        }
        progress(Progress::of("reading files", total, total));
        let report = self.store_whole(provider.source(), batches, &*progress).await?;
        self.apply_paper_sessions_after_ingest().await;
        Ok(report)
    }

    /// Stores all of `batches` or none.
    async fn store_whole(
        &self,
        source: Source,
        batches: Vec<Batch>,
        progress: &ProgressSink,
    ) -> Result<IngestReport, IngestError> {
        let total = batches.iter().map(|batch| batch.rows_read).sum();
        progress(Progress::of("storing rows", 0, total));
        let mut tally = Tally::new(source);
        tally.store(self, batches.into_iter().map(|batch| (batch, None)).collect()).await?;
        progress(Progress::of("storing rows", total, total));
        Ok(tally.report)
    }
}

/// Collects what was stored into a report.
pub(crate) struct Tally {
    pub(crate) report: IngestReport,
    symbols: BTreeSet<Symbol>,
}

impl Tally {
    pub(crate) fn new(source: Source) -> Self {
        let report = IngestReport {
            source,
            rows_read: 0,
            rows_stored: 0,
            rows_revised: 0,
            rows_unchanged: 0,
            rows_refused: 0,
            symbols_count: 0,
            sample_symbols_removed: 0,
            actions_stored: 0,
            days_stored: 0,
            observations_stored: 0,
            disclosures_stored: 0,
            pieces: None,
            files: Vec::new(),
        };
        Self { report, symbols: BTreeSet::new() }
    }

    /// Stores `batches` with the marks of their pieces in one transaction, and counts them.
    pub(crate) async fn store(
        &mut self,
        app: &App,
        batches: Vec<(Batch, Option<PieceMark>)>,
    ) -> Result<(), StoreError> {
        let mut told = Vec::with_capacity(batches.len());
        let mut files = Vec::with_capacity(batches.len());
        for (batch, piece) in batches {
            let file = ingest_file(batch, piece, &mut told);
            let with_bars = file.series.iter().filter(|series| !series.bars.is_empty());
            self.symbols.extend(with_bars.map(|series| series.symbol));
            files.push(file);
        }
        let batch = IngestBatch {
            source: self.report.source,
            origin: Origin::Market,
            received_at: app.now(),
            files,
        };
        let ingested = app.store.ingest(&batch).await?;
        app.live.stir();
        let report = &mut self.report;
        report.symbols_count = self.symbols.len() as u64;
        report.sample_symbols_removed += ingested.sample_symbols_removed;
        for (counts, (refused, notes)) in ingested.files.into_iter().zip(told) {
            report.rows_read += counts.rows_read;
            report.rows_stored += counts.rows_stored;
            report.rows_revised += counts.rows_revised;
            report.rows_unchanged += counts.rows_unchanged;
            report.rows_refused += counts.rows_refused;
            report.actions_stored += counts.actions_stored;
            report.days_stored += counts.days_stored;
            report.observations_stored += counts.observations_stored;
            report.disclosures_stored += counts.disclosures_stored;
            report.files.push(FileReport { counts, refused, notes });
        }
        Ok(())
    }
}

/// What the store takes in of a batch, under the present names of the shares; what only the report
/// needs goes to `told`.
fn ingest_file(
    batch: Batch,
    piece: Option<PieceMark>,
    told: &mut Vec<(Vec<RefusedRow>, Vec<String>)>,
) -> IngestFile {
    let Batch { file, rows_read, series, mut refused, mut instruments, .. } = batch;
    let (mut actions, mut days, mut disclosures) = (batch.actions, batch.days, batch.disclosures);
    for row in &mut refused {
        row.symbol = row.symbol.map(|symbol| row.day.map_or(symbol, |day| canonical(symbol, day)));
    }
    for action in &mut actions {
        action.symbol = canonical(action.symbol, action.effective_on);
    }
    for day in &mut days {
        day.symbol = canonical(day.symbol, day.day);
    }
    for disclosure in &mut disclosures {
        let day = day_of(disclosure.published_at);
        for symbol in &mut disclosure.symbols {
            *symbol = canonical(*symbol, day);
        }
    }
    // The name that a source gives to an old ticker is the old name of the company.
    instruments.retain(|instrument| {
        bist_market::rename::current_name(instrument.symbol) == instrument.symbol
    });
    told.push((refused.clone(), batch.notes));
    IngestFile {
        file,
        rows_read,
        series: under_present_names(series),
        refused,
        instruments,
        actions,
        actions_are_complete: batch.actions_are_complete,
        days,
        observations: batch.observations,
        disclosures,
        piece,
    }
}

/// The bars under the present name of whoever traded under a ticker on a day, so that a renamed
/// share has one continuous history.
fn under_present_names(series: Vec<BarSeries>) -> Vec<BarSeries> {
    let mut named: BTreeMap<(Symbol, Interval), BarSeries> = BTreeMap::new();
    let mut rest = Vec::new();
    for series in series {
        let renamed = |bar: &bist_market::RawBar| canonical(series.symbol, bar.day());
        if series.bars.iter().all(|bar| renamed(bar) == series.symbol) {
            rest.push(series);
            continue;
        }
        for bar in series.bars.iter().copied() {
            let (symbol, interval) = (renamed(&bar), series.interval);
            let bars = named.entry((symbol, interval)).or_insert_with(|| BarSeries {
                symbol,
                interval,
                bars: Vec::new(),
            });
            bars.bars.push(bar);
        }
    }
    rest.extend(named.into_values());
    rest
}
