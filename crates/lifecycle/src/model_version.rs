//! A trained model as it is kept: what it is, where it came from, and where it stands.

use std::fmt;

use bist_market::{Origin, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;
use crate::forecast::sha256_hex;
use crate::training::TrainingSpec;
use crate::tuning::TunedPart;

/// Hexadecimal digits of the lineage's hash that name a version.
const ID_DIGITS: usize = 12;

/// Where a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// Trained and judged.
    Candidate,
    /// Chosen to be tried beside the champion.
    Staged,
    /// In force: its forecasts are the ones shown.
    Champion,
    /// No longer in force; kept so that its signals can be rebuilt.
    Retired,
}

impl ModelState {
    /// The word used in the store, the API and the files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Staged => "staged",
            Self::Champion => "champion",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for ModelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A symbol that was not learned from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludedSymbol {
    /// Which.
    pub symbol: Symbol,
    /// Why, in a sentence.
    pub reason: String,
}

/// Everything that a model was made from: the same lineage gives the same model, bit for bit on one
/// machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// Fingerprint of the bars, [`bist_market::snapshot_hash()`].
    pub snapshot_hash: String,
    /// The features in their order.
    pub feature_names: Vec<String>,
    /// The configuration, the seed included.
    pub spec: TrainingSpec,
    /// The version of the program.
    pub code_version: String,
    /// The symbols learned from, sorted.
    pub symbols: Vec<Symbol>,
    /// The symbols left out, sorted.
    pub excluded: Vec<ExcludedSymbol>,
    /// First day of the rows learned from.
    pub first_day: Date,
    /// Last day of the rows learned from.
    pub last_day: Date,
    /// Rows learned from.
    pub rows_count: u64,
    /// The studies that the configuration was found by; empty when it was not tuned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tuned: Vec<TunedPart>,
}

impl Lineage {
    /// SHA-256 of the lineage as JSON, in lower-case hexadecimal.
    ///
    /// # Panics
    ///
    /// Never: a lineage has no maps with keys that JSON cannot hold.
    pub fn hash(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("a lineage is plain data"))
    }
}

/// A trained model, its lineage and its record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// Its name: the kind and the beginning of the lineage's hash.
    pub id: String,
    /// The kind of model.
    pub kind: String,
    /// Whether it learned from real or from generated data.
    pub origin: Origin,
    /// Where it stands.
    pub state: ModelState,
    /// When it was trained.
    pub trained_at: Timestamp,
    /// What it was made from.
    pub lineage: Lineage,
    /// What it was worth out of sample.
    pub evaluation: Evaluation,
    /// SHA-256 of the model's bytes, [`crate::FittedModel::to_bytes`].
    pub artifact_sha256: String,
}

impl ModelVersion {
    /// A candidate, named after its lineage; `artifact` is the model's bytes.
    pub fn candidate(
        origin: Origin,
        trained_at: Timestamp,
        lineage: Lineage,
        evaluation: Evaluation,
        artifact: &[u8],
    ) -> Self {
        let kind = evaluation.kind.clone();
        Self {
            id: format!("{kind}-{}", &lineage.hash()[..ID_DIGITS]),
            kind,
            origin,
            state: ModelState::Candidate,
            trained_at,
            lineage,
            evaluation,
            artifact_sha256: sha256_hex(artifact),
        }
    }

    /// Whether `artifact` is the bytes that this version was trained to.
    pub fn owns(&self, artifact: &[u8]) -> bool {
        sha256_hex(artifact) == self.artifact_sha256
    }
}
