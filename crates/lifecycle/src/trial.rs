//! Every look at a record out of sample, counted: who looks often enough finds skill by luck.

use bist_market::Origin;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Horizon;
use crate::forecast::sha256_hex;
use crate::training::TrainingSpec;

/// Configurations whose record was looked at while the program was made, see
/// `docs/adr/0009-skill.md`, the one of [`TrainingSpec::of`] included: learning the return itself
/// with trees alone, learning it relative to the day, the ensemble with two strengths of the prior of
/// its weights, the features of reversal, trees that see other shares of the features or have eight
/// leaves, and the elastic net as a member. Counted on generated and on real prices alike. Whoever
/// tries another raises it.
const DEVELOPMENT_CONFIGURATIONS_COUNT: u64 = 9;

/// Why a record was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialPurpose {
    /// To train a model.
    Train,
    /// To run the proof again.
    Evaluate,
    /// To find a better configuration, before the hold-out.
    Tune,
    /// To compare a configuration that was found with the one in force, on the hold-out.
    HoldOut,
}

/// One look at the record of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// When it began; it counts even if it was cut short.
    pub at: Timestamp,
    /// Why.
    pub purpose: TrialPurpose,
    /// Whether the data are real.
    pub origin: Origin,
    /// How far ahead was forecast.
    pub horizon: Horizon,
    /// SHA-256 of the configuration as JSON, the seed included.
    pub spec_sha256: String,
    /// Fingerprint of the bars.
    pub snapshot_hash: String,
    /// The version of the program.
    pub code_version: String,
}

impl Trial {
    /// What chains this trial to those before it: SHA-256 of the link before and of this trial as
    /// JSON, in lower-case hexadecimal. The first follows the empty text.
    ///
    /// # Panics
    ///
    /// Never: a trial is plain data.
    pub fn link(&self, before: &str) -> String {
        let json = serde_json::to_string(self).expect("a trial is plain data");
        sha256_hex(format!("{before}\n{json}").as_bytes())
    }
}

/// What names the configuration `spec`.
///
/// # Panics
///
/// Never: a configuration is plain data.
pub fn spec_sha256(spec: &TrainingSpec) -> String {
    sha256_hex(&serde_json::to_vec(spec).expect("a configuration is plain data"))
}

/// How many configurations were looked at for `horizon` on data of `origin`.
///
/// They are those of the development, and those among `trials` that are other ones. A different seed
/// is a different configuration; the same one on newer bars is not.
pub fn configurations_count(trials: &[Trial], origin: Origin, horizon: Horizon) -> u32 {
    let mut specs: Vec<&str> = trials
        .iter()
        .filter(|trial| trial.origin == origin && trial.horizon == horizon)
        .map(|trial| trial.spec_sha256.as_str())
        .collect();
    specs.sort_unstable();
    specs.dedup();
    // One of the development's is the first that anybody trains.
    let others_count = (specs.len() as u64).saturating_sub(1);
    u32::try_from(DEVELOPMENT_CONFIGURATIONS_COUNT + others_count).unwrap_or(u32::MAX)
}
