//! The sample market: made, stored, and its truth written beside it.

use std::io::Write as _;
use std::path::PathBuf;

use bist_market::sample::{SampleError, SampleMarket, SampleSpec, generate};
use bist_market::{Origin, RawBar, Source};
use bist_store::{IngestBatch, IngestFile, StoreError};
use jiff::civil::Date;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::{App, blocking};

/// Name of the file that tells the truth about the sample market.
const TRUTH_FILE: &str = "sample-truth.json";

/// Why there is no sample market.
#[derive(Debug, thiserror::Error)]
pub enum MakeSampleError {
    /// The parameters make no market.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The database failed, or holds real data.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The truth could not be written.
    #[error("cannot write {path}: {source}")]
    Truth {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What was made.
#[derive(Clone, Debug, Serialize)]
pub struct SampleReport {
    /// Always `sample`.
    pub origin: Origin,
    /// Seed of the generator.
    pub seed: u64,
    /// Symbols made.
    pub symbols_count: u64,
    /// Of those, the ones with a predictable part.
    pub predictable_symbols_count: u64,
    /// Bars made.
    pub bars_count: u64,
    /// First day.
    pub first_day: Option<Date>,
    /// Last day.
    pub last_day: Option<Date>,
    /// File with the truth about each symbol and the planted defects.
    pub truth_file: PathBuf,
}

impl App {
    /// Makes the sample market of `spec` and stores it in place of an earlier sample.
    ///
    /// # Errors
    ///
    /// [`MakeSampleError`] when the parameters make no market, the store holds real data, or
    /// something cannot be written.
    pub async fn make_sample(
        &self,
        spec: SampleSpec,
        progress: std::sync::Arc<ProgressSink>,
    ) -> Result<SampleReport, MakeSampleError> {
        let total = u64::from(spec.symbols_count);
        progress(Progress::of("making the sample market", 0, total));
        let label = format!(
            "sample: {} symbols, {} years until {}, seed {}",
            spec.symbols_count, spec.years, spec.until, spec.seed
        );
        let seed = spec.seed;
        let market = blocking(move || generate(&spec)).await?;
        progress(Progress::of("making the sample market", total, total));

        let SampleMarket { instruments, series, actions, truth } = market;
        let rows_read = series.iter().map(|series| series.bars.len() as u64).sum();
        let days = || series.iter().flat_map(|series| &series.bars).map(RawBar::day);
        let (first_day, last_day) = (days().min(), days().max());
        let predictable = truth.symbols.iter().filter(|truth| truth.predictable_share > 0.0);
        let truth_file = self.directory().join(TRUTH_FILE);
        let report = SampleReport {
            origin: Origin::Sample,
            seed,
            symbols_count: instruments.len() as u64,
            predictable_symbols_count: predictable.count() as u64,
            bars_count: rows_read,
            first_day,
            last_day,
            truth_file: truth_file.clone(),
        };
        progress(Progress::of("storing rows", 0, rows_read));
        let batch = IngestBatch {
            source: Source::SAMPLE,
            origin: Origin::Sample,
            received_at: self.now(),
            files: vec![IngestFile {
                file: label,
                rows_read,
                series,
                instruments,
                actions,
                actions_are_complete: true,
                ..IngestFile::default()
            }],
        };
        self.store.ingest(&batch).await?;
        self.live.stir();
        write_truth(&truth_file, &truth)
            .map_err(|source| MakeSampleError::Truth { path: truth_file, source })?;
        progress(Progress::of("storing rows", rows_read, rows_read));
        Ok(report)
    }
}

/// Writes the truth whole or not at all.
fn write_truth(path: &std::path::Path, truth: &impl Serialize) -> std::io::Result<()> {
    let part = path.with_extension("json.part");
    let mut file = std::fs::File::create(&part)?;
    serde_json::to_writer_pretty(&mut file, truth)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(part, path)
}
