//! Validation: what was found in the stored rows, and how good they are.

use std::collections::BTreeMap;

use bist_market::calendar::Calendar;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::validate::{DataQuality, validate};
use bist_market::{Interval, Origin, Symbol};
use bist_store::{FindingPage, StoreError};
use jiff::Timestamp;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::{App, blocking};

/// How often one finding occurs in a series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// The finding's code.
    pub code: String,
    /// `error`, `warning` or `info`.
    pub severity: String,
    /// How often.
    pub count: u64,
}

/// The quality of one series.
#[derive(Clone, Debug)]
pub struct SeriesQuality {
    /// Whether the data are real.
    pub origin: Origin,
    /// The validator's report; its findings may have been left out, `counts` has them all.
    pub quality: DataQuality,
    /// What was found how often.
    pub counts: Vec<FindingCount>,
}

/// The quality of everything in the store.
#[derive(Clone, Debug)]
pub struct QualityOverview {
    /// When the validator ran last.
    pub validated_at: Option<Timestamp>,
    /// Overall share of sound rows; `None` when nothing was validated.
    pub score_share: Option<f64>,
    /// Below this share training is refused.
    pub threshold_share: f64,
    /// By symbol and interval.
    pub series: Vec<SeriesQuality>,
}

/// Why validation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    /// A symbol that the store does not have.
    #[error(
        "there are no bars of {0}; `bist validate --all` names what there is, `bist ingest` brings more"
    )]
    UnknownSymbol(Symbol),
    /// Nothing was ingested yet.
    #[error(
        "the data directory has no bars yet; bring some with `bist ingest csv PATH` or `bist sample`"
    )]
    NoBars,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Checks the stored series of `symbols` (of all, when `None`), and keeps the reports.
    ///
    /// # Errors
    ///
    /// [`ValidateError`] when a symbol is unknown, nothing is stored, or the database fails.
    pub async fn validate(
        &self,
        symbols: Option<&[Symbol]>,
        progress: &ProgressSink,
    ) -> Result<QualityOverview, ValidateError> {
        let mut keys = self.store.series_keys().await?;
        if keys.is_empty() {
            return Err(ValidateError::NoBars);
        }
        if let Some(wanted) = symbols {
            if let Some(unknown) =
                wanted.iter().find(|symbol| !keys.iter().any(|(known, _)| known == *symbol))
            {
                return Err(ValidateError::UnknownSymbol(*unknown));
            }
            keys.retain(|(symbol, _)| wanted.contains(symbol));
        }
        let total = keys.len() as u64;
        let mut reports = Vec::with_capacity(keys.len());
        for (done, (symbol, interval)) in (0_u64..).zip(keys) {
            progress(Progress { stage: "validating", done, total });
            let Some(received) = self.store.received(symbol, interval).await? else { continue };
            let policy = self.policy;
            let checked = blocking(move || {
                validate(&received, Calendar::bist(), ExchangeRules::bist(), policy)
            })
            .await;
            reports.push(checked.quality().clone());
        }
        progress(Progress { stage: "validating", done: total, total });
        self.store.save_quality(&reports.iter().collect::<Vec<_>>(), self.now()).await?;

        let names: Vec<(Symbol, Interval)> =
            reports.iter().map(|report| (report.symbol, report.interval)).collect();
        let mut overview = self.quality_overview().await?;
        overview
            .series
            .retain(|series| names.contains(&(series.quality.symbol, series.quality.interval)));
        // The findings themselves belong to the answer of this command.
        for (series, report) in overview.series.iter_mut().zip(reports) {
            debug_assert_eq!(series.quality.symbol, report.symbol, "both are in the order of keys");
            series.quality = report;
        }
        overview.score_share = overall(&overview.series);
        Ok(overview)
    }

    /// The reports of the validator's last runs, with counts instead of findings.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn quality_overview(&self) -> Result<QualityOverview, StoreError> {
        let origins: BTreeMap<Symbol, Origin> = self
            .store
            .instruments()
            .await?
            .into_iter()
            .map(|instrument| (instrument.symbol, instrument.origin))
            .collect();
        let mut counts: BTreeMap<(Symbol, Interval), Vec<FindingCount>> = BTreeMap::new();
        for (symbol, interval, code, severity, count) in self.store.finding_counts().await? {
            counts.entry((symbol, interval)).or_default().push(FindingCount {
                code,
                severity,
                count,
            });
        }
        let summaries = self.store.quality_summaries().await?;
        let validated_at = summaries.iter().map(|(_, at)| *at).max();
        let series: Vec<SeriesQuality> = summaries
            .into_iter()
            .map(|(quality, _)| SeriesQuality {
                origin: origins.get(&quality.symbol).copied().unwrap_or(Origin::Market),
                counts: counts.remove(&(quality.symbol, quality.interval)).unwrap_or_default(),
                quality,
            })
            .collect();
        Ok(QualityOverview {
            validated_at,
            score_share: overall(&series),
            threshold_share: self.policy.accepted_share_min,
            series,
        })
    }

    /// Findings of the daily series of `symbol`; `None` when it was never validated.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn findings(
        &self,
        symbol: Symbol,
        from: u64,
        limit: u32,
    ) -> Result<Option<(SeriesQuality, FindingPage)>, StoreError> {
        let overview = self.quality_overview().await?;
        let Some(series) = overview.series.into_iter().find(|series| {
            series.quality.symbol == symbol && series.quality.interval == Interval::Daily
        }) else {
            return Ok(None);
        };
        let page = self.store.findings(symbol, Interval::Daily, from, limit).await?;
        Ok(Some((series, page)))
    }
}

/// Sound rows of all series over all rows that could be judged and all that are missing.
fn overall(series: &[SeriesQuality]) -> Option<f64> {
    let (mut accepted, mut judged) = (0, 0);
    for SeriesQuality { quality, .. } in series {
        accepted += quality.accepted_count;
        judged +=
            quality.accepted_count + quality.quarantined_count + quality.missing_sessions_count;
    }
    #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
    let share = (judged > 0).then(|| accepted as f64 / judged as f64);
    share
}
