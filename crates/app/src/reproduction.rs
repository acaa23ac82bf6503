//! Proof that a version, or a signal, is what its record says: made again, byte by byte.

use std::fmt;
use std::sync::Arc;

use bist_lifecycle::{FieldDifference, FittedModel, ModelVersion, document_differences};
use bist_market::SnapshotDifference;
use bist_store::SignalRecord;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::progress::ProgressSink;
use crate::signals::{Said, said_by, signal_record};
use crate::training::{Admitted, CODE_VERSION, TrainingError, run_training};
use crate::{App, blocking};

/// What came of making something again.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reproduction {
    /// The model version.
    pub version: String,
    /// The signal, where one was made again.
    pub signal: Option<String>,
    /// Whether all bytes are equal.
    pub reproduced: bool,
    /// Where not; empty otherwise.
    pub differences: Vec<Difference>,
}

/// Why something did not come out as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Difference {
    /// The record of the version was changed.
    Lineage,
    /// The trees that were given are not those that the record names.
    GivenTrees,
    /// The file of the model was changed, or cannot be read.
    Artifact {
        /// What is wrong with it.
        reason: String,
    },
    /// What was kept of the bars is missing.
    NoSnapshot,
    /// The bars, or what is known of the symbols, are other ones.
    Data(SnapshotDifference),
    /// The bars of the years are the same, and yet not their fingerprint: their breaks or symbols
    /// are others.
    Fingerprint,
    /// Learning from the same bars gave another model.
    Model {
        /// The version of the program that made it, and the one that made it again.
        code_versions: [String; 2],
    },
    /// The record out of sample is another.
    Evaluation(FieldDifference),
    /// There is no signal of that symbol.
    Silent,
    /// The signal is another.
    Signal(FieldDifference),
    /// The explanation kept with the signal is another.
    Explanation(FieldDifference),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lineage => f.write_str(
                "a parameter of its record was changed: the version is not the one it is named after",
            ),
            Self::GivenTrees => {
                f.write_str("the trees that were given are not those that the record names")
            }
            Self::Artifact { reason } => write!(f, "the file of the model: {reason}"),
            Self::NoSnapshot => f.write_str(
                "it was made before the bars behind it were noted, so that they cannot be told apart \
                 from those that came since",
            ),
            Self::Data(difference) => difference.fmt(f),
            Self::Fingerprint => f.write_str("the breaks between the bars differ"),
            Self::Model { code_versions: [then, now] } if then == now => {
                f.write_str("learning again from the same bars gave another model: another machine?")
            }
            Self::Model { code_versions: [then, now] } => write!(
                f,
                "learning again gave another model: it was made by version {then} of the program, and \
                 this is {now}"
            ),
            Self::Evaluation(field) => write!(f, "record out of sample, {field}"),
            Self::Silent => f.write_str("the model says nothing of the symbol on these bars"),
            Self::Signal(field) => write!(f, "signal, {field}"),
            Self::Explanation(field) => write!(f, "explanation, {field}"),
        }
    }
}

/// Most fields that are named of a document that differs.
const FIELDS_MAX: usize = 20;

impl Reproduction {
    /// That of `version` itself.
    fn of(version: &ModelVersion, differences: Vec<Difference>) -> Self {
        let reproduced = differences.is_empty();
        Self { version: version.id.clone(), signal: None, reproduced, differences }
    }
}

impl App {
    /// Trains `version` again on the bars that it learned from, and compares bytes and record.
    ///
    /// Looks at nothing that was not looked at before, so that the ledger of trials stays.
    ///
    /// # Errors
    ///
    /// [`TrainingError`] when the bars are not good enough, or the database fails.
    pub async fn reproduce_version(
        &self,
        version: &ModelVersion,
        progress: Arc<ProgressSink>,
    ) -> Result<Reproduction, TrainingError> {
        let (fitted, mut differences) = self.checked_model(version).await;
        let mut spec = version.lineage.spec.clone();
        if let (Some(given), Some(fitted)) = (&mut spec.members.given, fitted)
            && given.attach(fitted.members.gbdt).is_err()
        {
            differences.push(Difference::GivenTrees);
        }
        if !differences.is_empty() && spec.members.given.is_some() {
            // Without the trees that were given there is nothing to begin with.
            return Ok(Reproduction::of(version, differences));
        }
        let hash = &version.lineage.snapshot_hash;
        let again = self.bars_again(version, hash, version.trained_at, &*progress).await?;
        match again {
            Err(others) => differences.extend(others),
            Ok(admitted) => {
                let count = version.evaluation.protocol.configurations_tried_count;
                let (_, mut learned) =
                    run_training(admitted, vec![(spec, count)], progress).await?;
                let trained = learned.remove(0).trained;
                if !version.owns(&trained.model.to_bytes()) {
                    let versions = [version.lineage.code_version.as_str(), CODE_VERSION];
                    let code_versions = versions.map(str::to_owned);
                    differences.push(Difference::Model { code_versions });
                }
                let records = (json!(version.evaluation), json!(trained.evaluation));
                differences.extend(fields(records, Difference::Evaluation));
            }
        }
        Ok(Reproduction::of(version, differences))
    }

    /// Makes `record` again with the model that made it, on the bars that it was made of, and
    /// compares the bytes of signal and explanation.
    ///
    /// # Errors
    ///
    /// [`TrainingError`] when the bars are not good enough, the database fails, or a forecast cannot
    /// be explained.
    pub async fn reproduce_signal(
        &self,
        record: &SignalRecord,
        progress: Arc<ProgressSink>,
    ) -> Result<Reproduction, TrainingError> {
        let id = &record.model_version;
        let version = self.store.model_version(id).await?;
        let version = version.ok_or_else(|| bist_store::StoreError::NoSuchVersion(id.clone()))?;
        let (fitted, mut differences) = self.checked_model(&version).await;
        let hash = &record.snapshot_hash;
        match self.bars_again(&version, hash, record.made_at, &*progress).await? {
            Err(others) => differences.extend(others),
            Ok(admitted) => {
                if let Some(fitted) = fitted {
                    let kept = self.store.explanation(&record.id).await?;
                    let of_record = record.clone();
                    let others = blocking(move || {
                        let said = said_by(&version, &fitted, &admitted, 0)?;
                        Ok::<_, TrainingError>(compare(&of_record, kept, said, |signal| {
                            signal_record(&version, &admitted, of_record.made_at, signal)
                        }))
                    });
                    differences.extend(others.await?);
                }
            }
        }
        Ok(Reproduction {
            version: record.model_version.clone(),
            signal: Some(record.id.clone()),
            reproduced: differences.is_empty(),
            differences,
        })
    }

    /// The model of `version` as far as its file is the one that was trained, and what is wrong with
    /// the version itself.
    async fn checked_model(
        &self,
        version: &ModelVersion,
    ) -> (Option<FittedModel>, Vec<Difference>) {
        let mut differences = Vec::new();
        if !version.is_named_truly() {
            differences.push(Difference::Lineage);
        }
        match self.fitted_model(version).await {
            Ok(fitted) => (Some(fitted), differences),
            Err(error) => {
                differences.push(Difference::Artifact { reason: error.to_string() });
                (None, differences)
            }
        }
    }

    /// The bars whose fingerprint is `hash`, of which nothing came after `made_at`; or where those
    /// that are there differ.
    async fn bars_again(
        &self,
        version: &ModelVersion,
        hash: &str,
        made_at: Timestamp,
        progress: &ProgressSink,
    ) -> Result<Result<Admitted, Vec<Difference>>, TrainingError> {
        let Some(snapshot) = self.store.snapshot(hash).await? else {
            return Ok(Err(vec![Difference::NoSnapshot]));
        };
        let spec = &version.lineage.spec;
        let asked = [(spec.horizon, spec.features)];
        let admitted = self.admit_again(&snapshot, made_at, &asked, progress).await?;
        let differences = snapshot.differences(&admitted.snapshot);
        if !differences.is_empty() {
            return Ok(Err(differences.into_iter().map(Difference::Data).collect()));
        }
        if admitted.snapshot_hash != hash {
            return Ok(Err(vec![Difference::Fingerprint]));
        }
        Ok(Ok(admitted))
    }
}

/// Where what is `said` of the symbol of `record` is not what was kept.
fn compare(
    record: &SignalRecord,
    kept: Option<bist_lifecycle::Explanation>,
    said: Vec<Said>,
    as_record: impl FnOnce(bist_trading::Signal) -> SignalRecord,
) -> Vec<Difference> {
    let symbol = record.signal.symbol;
    let Some(said) = said.into_iter().find(|said| said.signal.symbol == symbol) else {
        return vec![Difference::Silent];
    };
    let mut differences = Vec::new();
    if let Some(kept) = kept {
        let explanations = (json!(kept), json!(said.explanation));
        differences.extend(fields(explanations, Difference::Explanation));
    }
    let signals = (json!(record), json!(as_record(said.signal)));
    differences.extend(fields(signals, Difference::Signal));
    differences
}

/// The first fields in which two documents differ, the kept one first.
fn fields(
    (kept, again): (serde_json::Value, serde_json::Value),
    difference: impl Fn(FieldDifference) -> Difference,
) -> Vec<Difference> {
    document_differences(kept, again).into_iter().take(FIELDS_MAX).map(difference).collect()
}
