//! Trees that learned elsewhere: the table that they learn from, taking them in, and giving ours away.

use std::fs::File;
use std::io::{self, BufWriter, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bist_access::AuditAction;
use bist_lifecycle::evaluation::LearningTarget;
use bist_lifecycle::trial::configurations_count;
use bist_lifecycle::{
    GivenTrees, GivenTreesError, ModelVersion, TrialPurpose, learned_targets, sha256_hex,
    spec_of_given,
};
use bist_models::{FeatureSpec, FittedGbdt, Horizon, ModelTextError, Panel};
use bist_store::{ARTIFACT_BYTES_MAX, AuditNote, Registration, StoreError};
use jiff::civil::{Date, Time};
use serde::Serialize;
use serde_json::json;

use crate::model_file::{ImportedModel, exported};
use crate::out_file::{Existing, OutFileError, refuse_existing, write_out};
use crate::progress::{Progress, ProgressSink};
use crate::reason::ReasonError;
use crate::registry::Asked;
use crate::training::{TrainingError, run_training};
use crate::{App, blocking};

/// Why trees were not taken in or given away, or a table not written.
#[derive(Debug, thiserror::Error)]
pub enum GivenTreesFileError {
    /// The file to write is there already, or cannot be written.
    #[error(transparent)]
    Out(#[from] OutFileError),
    /// The file cannot be read, or is not text.
    #[error("the file {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than any model.
    #[error("the file {path} has more than {ARTIFACT_BYTES_MAX} bytes, which no model may have")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a model of LightGBM, or has something that we would misread.
    #[error("the file {path} is refused, and nothing was kept: {source}")]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ModelTextError,
    },
    /// The trees do not serve here.
    #[error("the file {path} is refused, and nothing was kept: {source}")]
    Unsuited {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: GivenTreesError,
    },
    /// The reason is none.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// The bars are not good enough, or the trees cannot be judged on them.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is said of trees that are taken in.
#[derive(Clone, Copy, Debug)]
pub struct TreesSaid {
    /// How far ahead they look.
    pub horizon: Horizon,
    /// The last day of whose prices they know anything, as features or as outcomes.
    pub known_until: Date,
    /// Seed of everything that is learned beside them.
    pub seed: u64,
}

/// Trees that were written to a file.
#[derive(Clone, Debug, Serialize)]
pub struct ExportedTrees {
    /// The version whose they are.
    pub model_version: String,
    /// The file.
    pub file: PathBuf,
    /// How many trees there are.
    pub trees_count: usize,
    /// What their forecasts are of.
    pub learning_target: LearningTarget,
}

/// A table that was written to a file.
#[derive(Clone, Debug, Serialize)]
pub struct LearningTable {
    /// The file.
    pub file: PathBuf,
    /// How far ahead its target looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// What its target is.
    pub learning_target: LearningTarget,
    /// Its rows.
    pub rows_count: usize,
    /// Of them those with a target.
    pub rows_with_target_count: usize,
    /// Its features.
    pub features_count: usize,
}

impl App {
    /// Takes the trees in the file `path` in, LightGBM's text: they are judged on the days after those
    /// that they know, everything that goes with a forecast is learned beside them, and the version
    /// that comes of it is a candidate.
    ///
    /// # Errors
    ///
    /// [`GivenTreesFileError`] of a file that cannot serve here, and when there are too few days to
    /// judge the trees on; nothing is kept then.
    pub async fn take_in_trees(
        &self,
        path: &Path,
        said: TreesSaid,
        asked: Asked<'_>,
        progress: Arc<ProgressSink>,
    ) -> Result<ImportedModel, GivenTreesFileError> {
        let mut signed = self.signed(asked)?;
        let TreesSaid { horizon, known_until, seed } = said;
        let file = path.to_owned();
        let (trees, sha256) = blocking(move || read_trees(&file)).await?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        signed.reason =
            format!("learned elsewhere, from {name} (SHA-256 {sha256}): {}", signed.reason);

        let names = FeatureSpec::default().names(horizon.interval());
        let given = GivenTrees::new(&trees, known_until, &names)
            .map_err(|source| GivenTreesFileError::Unsuited { path: path.to_owned(), source })?;
        let asked = [(horizon, FeatureSpec::default())];
        let admitted = self.admit(None, &asked, &*progress).await?;
        let spec = spec_of_given(&admitted.panels[0], given, seed).map_err(TrainingError::Train)?;
        let specs = std::slice::from_ref(&spec);
        let trials = self.record_trials(TrialPurpose::Train, &admitted, specs).await?;
        let count = configurations_count(&trials, admitted.origin, horizon);
        let (admitted, learned) = run_training(admitted, vec![(spec, count)], progress).await?;
        let version = admitted.version(&learned[0], Vec::new(), signed.at);
        let was_there = self.store.model_version(&version.0.id).await?.is_some();
        self.store.save_snapshot(&admitted.snapshot_hash, &admitted.snapshot).await?;
        let mut kept = self
            .store
            .register(&[version], Registration::Candidates, &signed, &self.audit().await?)
            .await?;
        Ok(ImportedModel { version: kept.remove(0), was_there, changes_elsewhere: Vec::new() })
    }

    /// Writes the trees of `version` to the file `path` in LightGBM's text format.
    ///
    /// # Errors
    ///
    /// [`GivenTreesFileError::Out`] of a file that is to be kept, and the others as named.
    pub async fn export_trees(
        &self,
        version: &ModelVersion,
        path: &Path,
        existing: Existing,
    ) -> Result<ExportedTrees, GivenTreesFileError> {
        refuse_existing(path, existing)?;
        let trees = self.fitted_model(version).await?.members.gbdt;
        self.put_on_record(exported(version, "lightgbm", path)).await?;
        let file = path.to_owned();
        let trees_count = trees.trees_count();
        blocking(move || {
            let text = trees.to_lightgbm_text();
            write_out(&file, existing, |out| out.write_all(text.as_bytes()))
        })
        .await?;
        Ok(ExportedTrees {
            model_version: version.id.clone(),
            file: path.to_owned(),
            trees_count,
            learning_target: version.evaluation.protocol.learning_target,
        })
    }

    /// Writes what a model for `horizon` learns from, as a table: a row for each symbol and moment,
    /// its features, and its target where one is known.
    ///
    /// # Errors
    ///
    /// As [`Self::export_trees`], and when the bars are not good enough.
    pub async fn write_learning_table(
        &self,
        horizon: Horizon,
        path: &Path,
        existing: Existing,
        progress: Arc<ProgressSink>,
    ) -> Result<LearningTable, GivenTreesFileError> {
        refuse_existing(path, existing)?;
        let asked = [(horizon, FeatureSpec::default())];
        let admitted = self.admit(None, &asked, &*progress).await?;
        let details = [("file", json!(path.display().to_string()))];
        let subject = format!("horizon:{horizon}");
        let note = AuditNote::new(AuditAction::LearningTableExported, subject, details);
        self.put_on_record(note).await?;
        let file = path.to_owned();
        blocking(move || {
            let panel = &admitted.panels[0];
            let (learning_target, targets) =
                learned_targets(panel, horizon).map_err(TrainingError::Train)?;
            write_out(&file, existing, |out| {
                write_rows(&mut BufWriter::new(out), panel, &targets, &*progress)
            })?;
            Ok(LearningTable {
                file,
                horizon,
                learning_target,
                rows_count: targets.len(),
                rows_with_target_count: targets.iter().flatten().count(),
                features_count: panel.known.features.columns_count(),
            })
        })
        .await
    }
}

/// The trees in the file `path`, and the hash of the file.
fn read_trees(path: &Path) -> Result<(FittedGbdt, String), GivenTreesFileError> {
    let failed = |source| GivenTreesFileError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(ARTIFACT_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > ARTIFACT_BYTES_MAX {
        return Err(GivenTreesFileError::TooLarge { path: path.to_owned() });
    }
    let sha256 = sha256_hex(&bytes);
    let text = String::from_utf8(bytes)
        .map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))?;
    let trees = FittedGbdt::from_lightgbm_text(&text)
        .map_err(|source| GivenTreesFileError::Text { path: path.to_owned(), source })?;
    Ok((trees, sha256))
}

/// A CSV table: moment, symbol, features, the target, and the day on which that is known. Numbers are
/// written so that they are read as the same bits; what is not known is empty.
fn write_rows(
    out: &mut impl io::Write,
    panel: &Panel,
    targets: &[Option<f64>],
    progress: &ProgressSink,
) -> io::Result<()> {
    /// Rows after which it is told how far it is.
    const ROWS_BETWEEN: usize = 10_000;

    let known = &panel.known;
    writeln!(out, "day,time,symbol,{},target,known_on", known.features.names().join(","))?;
    for (row, (key, target)) in known.keys.iter().zip(targets).enumerate() {
        if row.is_multiple_of(ROWS_BETWEEN) {
            progress(Progress::of("writing", row as u64, targets.len() as u64));
        }
        let time = if key.time == Time::midnight() { String::new() } else { key.time.to_string() };
        write!(out, "{},{time},{},", key.day, key.symbol)?;
        for value in known.features.row(row) {
            if !value.is_nan() {
                write!(out, "{value}")?;
            }
            out.write_all(b",")?;
        }
        match (target, panel.targets.known_on[row]) {
            (Some(target), Some(known_on)) => writeln!(out, "{target},{known_on}")?,
            (Some(_) | None, _) => out.write_all(b",\n")?,
        }
    }
    out.flush()
}
