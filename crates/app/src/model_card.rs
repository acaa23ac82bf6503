//! The card of a version: what it is, and what has come of it since.

use bist_lifecycle::signal_record::summarise;
use bist_lifecycle::{
    CardDrift, Horizon, ModelCard, ModelVersion, RecordSummary, ScoredSignal, Since,
};
use bist_store::StoreError;

use crate::App;
use crate::jobs::Job;
use crate::registry::VersionWithHistory;

/// How many retraining runs are looked through for what was last found of drift.
const RUNS_LOOKED_AT: u32 = 30;

impl App {
    /// The card of `version` as things stand.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn model_card(&self, version: ModelVersion) -> Result<ModelCard, StoreError> {
        let horizon = version.evaluation.horizon;
        let mut scored = self.store.scored_signals(version.origin, horizon).await?;
        scored.retain(|signal| signal.model_version == version.id);
        let drift = self.last_drift(&version.id).await?;
        let VersionWithHistory { version, changes } = self.with_history(version).await?;
        let since = Since { changes, drift, record: record(&scored, horizon) };
        Ok(ModelCard::of(version, since, self.now()))
    }

    /// What a retraining last found of drift of the version `id`.
    async fn last_drift(&self, id: &str) -> Result<Option<CardDrift>, StoreError> {
        for run in self.store.jobs(Some(Job::Retraining.as_str()), None, RUNS_LOOKED_AT).await? {
            let Some((at, reports)) = self.drift_of(&run).await? else { continue };
            if let Some(found) = reports.into_iter().find(|report| report.model_version == id) {
                return Ok(Some(CardDrift::of(found, at)));
            }
        }
        Ok(None)
    }
}

fn record(scored: &[ScoredSignal], horizon: Horizon) -> Option<RecordSummary> {
    let scored: Vec<&ScoredSignal> = scored.iter().collect();
    (!scored.is_empty()).then(|| summarise(&scored, horizon))
}
