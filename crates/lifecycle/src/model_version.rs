//! A trained model as it is kept: what it is, where it came from, and where it stands.

use std::fmt;
use std::str::FromStr;

use bist_market::{Origin, Symbol};
use bist_models::Horizon;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::Evaluation;
use crate::forecast::sha256_hex;
use crate::training::TrainingSpec;
use crate::tuning::TunedPart;

/// Hexadecimal digits of the hash that names a version.
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
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Candidate, Self::Staged, Self::Champion, Self::Retired];

    /// Whether a version may go from here to `to`. What is in force leaves only when another takes
    /// its place, and what was in force once may be again.
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Candidate, Self::Staged | Self::Champion | Self::Retired)
                | (Self::Staged, Self::Candidate | Self::Champion | Self::Retired)
                | (Self::Champion, Self::Retired)
                | (Self::Retired, Self::Champion | Self::Staged)
        )
    }

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

/// A word that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no state '{word}'; give {}", ModelState::ALL.map(ModelState::as_str).join(", "))]
pub struct UnknownState {
    /// The word.
    pub word: String,
}

impl FromStr for ModelState {
    type Err = UnknownState;

    fn from_str(word: &str) -> Result<Self, UnknownState> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == word);
        found.ok_or_else(|| UnknownState { word: word.to_owned() })
    }
}

impl fmt::Display for ModelState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Who changed the state of a version, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed {
    /// When.
    pub at: Timestamp,
    /// Who: a person, or the command that follows a rule.
    pub by: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// A change of the state of a version; such changes are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChange {
    /// Which version.
    pub version: String,
    /// How far ahead it looks.
    pub horizon: Horizon,
    /// Where it stood; nowhere before it was registered.
    pub from: Option<ModelState>,
    /// Where it stands since.
    pub to: ModelState,
    /// Who, when and why.
    #[serde(flatten)]
    pub signed: Signed,
}

/// The version that was in force before the one that is, if `changes`, which are those of one
/// horizon in their order, tell of one that is still `kept`.
///
/// Who goes back to a version takes back what came after it: after `a`, `b`, `c` and a step back to
/// `b` the next step leads to `a`.
pub fn former_champion(changes: &[StateChange], kept: impl Fn(&str) -> bool) -> Option<&str> {
    let mut line: Vec<&str> = Vec::new();
    for change in changes.iter().filter(|change| change.to == ModelState::Champion) {
        match line.iter().position(|version| *version == change.version) {
            Some(at) => line.truncate(at + 1),
            None => line.push(&change.version),
        }
    }
    line.pop()?;
    line.into_iter().rev().find(|version| kept(version))
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
    /// Its name: the kind and the beginning of a hash of lineage and artefact, so that one name never
    /// stands for two models.
    pub id: String,
    /// The kind of model.
    pub kind: String,
    /// Whether it learned from real or from generated data.
    pub origin: Origin,
    /// Where it stands.
    pub state: ModelState,
    /// When it was trained.
    pub trained_at: Timestamp,
    /// How long that took, seconds; absent for versions from before it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training_seconds: Option<f64>,
    /// What it was made from.
    pub lineage: Lineage,
    /// What it was worth out of sample.
    pub evaluation: Evaluation,
    /// SHA-256 of the model's bytes, [`crate::FittedModel::to_bytes`].
    pub artifact_sha256: String,
}

impl ModelVersion {
    /// A candidate, named after its lineage and `artifact`, the model's bytes.
    pub fn candidate(
        origin: Origin,
        trained_at: Timestamp,
        lineage: Lineage,
        evaluation: Evaluation,
        artifact: &[u8],
    ) -> Self {
        let kind = evaluation.kind.clone();
        let artifact_sha256 = sha256_hex(artifact);
        Self {
            id: name(&kind, &lineage, &artifact_sha256),
            kind,
            origin,
            state: ModelState::Candidate,
            trained_at,
            training_seconds: None,
            lineage,
            evaluation,
            artifact_sha256,
        }
    }

    /// Whether the name is that of the lineage and the artefact that are recorded; versions from
    /// before 28 November 2026 were named after the lineage alone.
    pub fn is_named_truly(&self) -> bool {
        let Self { id, kind, lineage, artifact_sha256, .. } = self;
        *id == name(kind, lineage, artifact_sha256)
            || *id == format!("{kind}-{}", &lineage.hash()[..ID_DIGITS])
    }

    /// Whether `artifact` is the bytes that this version was trained to.
    pub fn owns(&self, artifact: &[u8]) -> bool {
        sha256_hex(artifact) == self.artifact_sha256
    }
}

/// The name of a version.
fn name(kind: &str, lineage: &Lineage, artifact_sha256: &str) -> String {
    let both = sha256_hex(format!("{}\n{artifact_sha256}", lineage.hash()).as_bytes());
    format!("{kind}-{}", &both[..ID_DIGITS])
}
