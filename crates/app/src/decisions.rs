//! What a person decides about a finding: quarantine is reversible, and every decision is kept.

use bist_market::validate::{Decision, FindingId, Verdict};
use bist_market::{Finding, Interval, Source, Symbol};
use bist_store::StoreError;
pub use bist_store::{DecisionRecord, FindingRecord};
use serde::Serialize;

use crate::App;
use crate::quality::ValidateError;
use crate::reason::{ReasonError, checked_reason};

/// A decision that was made, and what became of the series.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// Whose data.
    pub symbol: Symbol,
    /// What each bar covers.
    pub interval: Interval,
    /// Which source.
    pub source: Source,
    /// The finding as it stood.
    pub finding: Finding,
    /// The decision.
    pub decision: Decision,
    /// The score of the series before, 0..=1.
    pub score_share_before: f64,
    /// The score of the series now, 0..=1.
    pub score_share: f64,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The store has no such finding.
    #[error(
        "there is no finding {0}; `bist validate --all --json` and the page of data quality list them with their names"
    )]
    UnknownFinding(FindingId),
    /// Somebody decided about it once, and the last check has not found it.
    #[error(
        "finding {0} no longer occurs: its source has corrected the row; `bist validate decisions` has what was decided about it"
    )]
    NoLongerOccurs(FindingId),
    /// The reason is none.
    #[error(transparent)]
    Reason(#[from] ReasonError),
    /// The finding is about no row that could be let through or kept out.
    #[error(
        "finding {0} is about a day without a row or about the whole series; there is no row to accept or reject"
    )]
    AboutNoRow(FindingId),
    /// The series could not be checked again.
    #[error(transparent)]
    Validate(#[from] ValidateError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Accepts or rejects the row that `finding` is about, and checks its series again.
    ///
    /// # Errors
    ///
    /// [`DecideError`] when there is no such finding, no reason, or the database fails; nothing was
    /// decided then.
    pub async fn decide(
        &self,
        finding: FindingId,
        verdict: Verdict,
        reason: &str,
        decided_by: &str,
    ) -> Result<Decided, DecideError> {
        let reason = checked_reason(reason)?;
        let Some(record) = self.store.finding(finding).await? else {
            let known = self.store.decisions_on(&[finding]).await?;
            return Err(match known.is_empty() {
                true => DecideError::UnknownFinding(finding),
                false => DecideError::NoLongerOccurs(finding),
            });
        };
        if record.finding.opened_at.is_none() {
            return Err(DecideError::AboutNoRow(finding));
        }
        let decision = Decision {
            finding,
            verdict,
            reason: reason.to_owned(),
            decided_by: decided_by.to_owned(),
            decided_at: self.now(),
        };
        let score_share_before =
            self.score_of(record.symbol, record.interval, record.source).await?;
        self.store.save_decision(&record, &decision, &self.audit().await?).await?;
        self.validate(Some(&[record.symbol]), std::sync::Arc::new(|_| {})).await?;
        let score_share = self.score_of(record.symbol, record.interval, record.source).await?;
        Ok(Decided {
            symbol: record.symbol,
            interval: record.interval,
            source: record.source,
            finding: record.finding,
            decision,
            score_share_before,
            score_share,
        })
    }

    /// What was decided, at most `limit` decisions, the newest first; also about findings that no
    /// longer occur.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn decisions(&self, limit: u32) -> Result<Vec<DecisionRecord>, StoreError> {
        self.store.decisions(limit).await
    }

    /// The stored score of one series; zero when it was never checked.
    async fn score_of(
        &self,
        symbol: Symbol,
        interval: Interval,
        source: Source,
    ) -> Result<f64, StoreError> {
        let overview = self.quality_overview().await?;
        let series = overview.series.iter().find(|series| {
            let quality = &series.quality;
            (quality.symbol, quality.interval, quality.source) == (symbol, interval, source)
        });
        Ok(series.map_or(0.0, |series| series.quality.score_share()))
    }
}
