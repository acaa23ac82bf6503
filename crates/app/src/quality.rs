//! Validation: what was found in the stored rows, and how good they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bist_market::validate::{Decision, MonthQuality, QualityBand, score_share};
use bist_market::{DataQuality, Interval, Origin, Received, Source, Symbol};
use bist_store::{HistoryPoint, StoreError};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

pub use bist_store::{FindingFilter, FindingRecord};

use crate::checked::{Checked, check_all};
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
    /// Whether models and charts use this source of the symbol.
    pub is_primary: bool,
    /// Above the warning band, inside it, or below the gate of training.
    pub band: QualityBand,
    /// The validator's report; its findings may have been left out, `counts` has them all.
    pub quality: DataQuality,
    /// What was found how often.
    pub counts: Vec<FindingCount>,
}

/// What a score is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreParts {
    /// The score, 0..=1.
    pub score_share: f64,
    /// Rows that should be there.
    pub expected_count: u64,
    /// Of those, missing or with an error.
    pub error_rows_count: u64,
    /// Of those, with a warning and no error.
    pub warning_rows_count: u64,
}

/// The quality of one source.
#[derive(Clone, Debug)]
pub struct SourceQuality {
    /// Which.
    pub source: Source,
    /// Its score.
    pub parts: ScoreParts,
    /// Above the warning band, inside it, or below the gate.
    pub band: QualityBand,
    /// Symbols that it has.
    pub symbols_count: u64,
}

/// The quality of everything in the store.
#[derive(Clone, Debug)]
pub struct QualityOverview {
    /// When the validator ran last.
    pub validated_at: Option<Timestamp>,
    /// The overall score of what models may see, the primary series; `None` when nothing was
    /// validated.
    pub score_share: Option<f64>,
    /// The band of the overall score.
    pub band: Option<QualityBand>,
    /// Below this share training is refused.
    pub threshold_share: f64,
    /// From this share on the data are good; in between is the warning band.
    pub good_share: f64,
    /// By source.
    pub sources: Vec<SourceQuality>,
    /// By symbol, interval and source.
    pub series: Vec<SeriesQuality>,
}

/// Of what a score is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QualityScope {
    /// Everything that models may see.
    Overall,
    /// All series of a source.
    Source(Source),
    /// The primary series of a symbol.
    Symbol(Symbol),
}

impl fmt::Display for QualityScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overall => f.write_str("overall"),
            Self::Source(source) => write!(f, "source:{source}"),
            Self::Symbol(symbol) => write!(f, "symbol:{symbol}"),
        }
    }
}

/// The score over time.
#[derive(Clone, Debug, Default)]
pub struct QualityHistory {
    /// By month of the data, oldest first.
    pub months: Vec<(Date, ScoreParts)>,
    /// By check, oldest first; only checks that changed the score.
    pub runs: Vec<(Timestamp, ScoreParts)>,
}

/// Some findings, each with the decision in force.
#[derive(Clone, Debug)]
pub struct DecidedFindings {
    /// The findings.
    pub items: Vec<(FindingRecord, Option<Decision>)>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
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
        progress: Arc<ProgressSink>,
    ) -> Result<QualityOverview, ValidateError> {
        let mut keys = self.store.series_keys().await?;
        if keys.is_empty() {
            return Err(ValidateError::NoBars);
        }
        if let Some(wanted) = symbols {
            if let Some(unknown) =
                wanted.iter().find(|symbol| !keys.iter().any(|key| key.0 == **symbol))
            {
                return Err(ValidateError::UnknownSymbol(*unknown));
            }
            keys.retain(|key| wanted.contains(&key.0));
        }
        // Every series says something about the others, so all of an interval are checked together.
        let intervals: BTreeSet<Interval> = keys.iter().map(|key| key.1).collect();
        let names: BTreeSet<Symbol> = keys.iter().map(|key| key.0).collect();
        let mut reports = Vec::with_capacity(keys.len());
        for interval in intervals {
            let checked = self.check_interval(interval, Arc::clone(&progress)).await?;
            for ((symbol, source), bars) in checked.series {
                if names.contains(&symbol) {
                    let is_primary = checked.primary.get(&symbol) == Some(&source);
                    reports.push((bars.quality().clone(), is_primary));
                }
            }
        }
        self.store.save_quality(&reports, self.now()).await?;
        self.live.stir();

        let mut overview = self.quality_overview().await?;
        let key = |quality: &DataQuality| (quality.symbol, quality.interval, quality.source);
        let mut made: BTreeMap<_, _> =
            reports.into_iter().map(|(report, _)| (key(&report), report)).collect();
        overview.series.retain(|series| made.contains_key(&key(&series.quality)));
        // The findings themselves belong to the answer of this command.
        for series in &mut overview.series {
            if let Some(report) = made.remove(&key(&series.quality)) {
                series.quality = report;
            }
        }
        Ok(self.with_totals(overview))
    }

    /// All series of an interval, checked.
    pub(crate) async fn check_interval(
        &self,
        interval: Interval,
        progress: Arc<ProgressSink>,
    ) -> Result<Checked, StoreError> {
        self.check_received(interval, |_| true, progress).await
    }

    /// The series of an interval of which `take` is true, checked as `take` leaves them.
    pub(crate) async fn check_received(
        &self,
        interval: Interval,
        take: impl FnMut(&mut Received) -> bool,
        progress: Arc<ProgressSink>,
    ) -> Result<Checked, StoreError> {
        let mut received = self.store.received_all(interval).await?;
        received.retain_mut(take);
        for series in &mut received {
            if let Some(basis) = self.price_basis.get(&series.source) {
                series.basis = *basis;
            }
        }
        let (policy, wanted) = (self.policy, self.source_order.clone());
        Ok(blocking(move || {
            let total = received.len() as u64;
            let told = |done| progress(Progress::of("validating", done, total));
            check_all(&received, &wanted, policy, &told)
        })
        .await)
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
        let mut counts: BTreeMap<(Symbol, Interval, Source), Vec<FindingCount>> = BTreeMap::new();
        for found in self.store.finding_counts().await? {
            counts.entry((found.symbol, found.interval, found.source)).or_default().push(
                FindingCount { code: found.code, severity: found.severity, count: found.count },
            );
        }
        let summaries = self.store.quality_summaries().await?;
        let validated_at = summaries.iter().map(|summary| summary.validated_at).max();
        let series: Vec<SeriesQuality> = summaries
            .into_iter()
            .map(|summary| {
                let quality = summary.quality;
                let key = (quality.symbol, quality.interval, quality.source);
                SeriesQuality {
                    origin: origins.get(&quality.symbol).copied().unwrap_or(Origin::Market),
                    is_primary: summary.is_primary,
                    band: QualityBand::of(quality.score_share(), self.policy),
                    counts: counts.remove(&key).unwrap_or_default(),
                    quality,
                }
            })
            .collect();
        Ok(self.with_totals(QualityOverview {
            validated_at,
            score_share: None,
            band: None,
            threshold_share: self.policy.accepted_share_min,
            good_share: self.policy.good_share_min,
            sources: Vec::new(),
            series,
        }))
    }

    /// The scores of the whole and of each source, from the series that are there.
    fn with_totals(&self, overview: QualityOverview) -> QualityOverview {
        let parts = |series: &[&SeriesQuality]| self.parts(series.iter().map(|one| &one.quality));
        let primary: Vec<_> = overview.series.iter().filter(|series| series.is_primary).collect();
        let overall = parts(&primary).filter(|parts| parts.expected_count > 0);
        let mut by_source: BTreeMap<Source, Vec<&SeriesQuality>> = BTreeMap::new();
        for series in &overview.series {
            by_source.entry(series.quality.source).or_default().push(series);
        }
        let sources = by_source
            .into_iter()
            .filter_map(|(source, series)| {
                let parts = parts(&series)?;
                let symbols: BTreeSet<_> = series.iter().map(|one| one.quality.symbol).collect();
                let band = QualityBand::of(parts.score_share, self.policy);
                Some(SourceQuality { source, parts, band, symbols_count: symbols.len() as u64 })
            })
            .collect();
        QualityOverview {
            score_share: overall.map(|parts| parts.score_share),
            band: overall.map(|parts| QualityBand::of(parts.score_share, self.policy)),
            sources,
            ..overview
        }
    }

    /// The score of several series together; `None` of none.
    fn parts<'a>(&self, series: impl Iterator<Item = &'a DataQuality>) -> Option<ScoreParts> {
        series.fold(None, |sum: Option<ScoreParts>, quality| {
            let (expected, errors, warnings) = sum.map_or((0, 0, 0), |sum| {
                (sum.expected_count, sum.error_rows_count, sum.warning_rows_count)
            });
            Some(self.scored(
                expected + quality.expected_count(),
                errors + quality.error_rows_count(),
                warnings + quality.warning_rows_count,
            ))
        })
    }

    fn scored(&self, expected: u64, errors: u64, warnings: u64) -> ScoreParts {
        ScoreParts {
            score_share: score_share(expected, errors, self.policy.warning_weight * rows(warnings)),
            expected_count: expected,
            error_rows_count: errors,
            warning_rows_count: warnings,
        }
    }

    /// The score over time: by month of the data, and by check.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn quality_history(&self, scope: QualityScope) -> Result<QualityHistory, StoreError> {
        let mut months: BTreeMap<Date, (u64, u64, u64)> = BTreeMap::new();
        for summary in self.store.quality_summaries().await? {
            let wanted = match scope {
                QualityScope::Overall => summary.is_primary,
                QualityScope::Source(source) => summary.quality.source == source,
                QualityScope::Symbol(symbol) => {
                    summary.is_primary && summary.quality.symbol == symbol
                }
            };
            if !wanted {
                continue;
            }
            for MonthQuality {
                month, expected_count, error_rows_count, warning_rows_count, ..
            } in summary.quality.months
            {
                let sum = months.entry(month).or_default();
                sum.0 += expected_count;
                sum.1 += error_rows_count;
                sum.2 += warning_rows_count;
            }
        }
        let runs = self.store.quality_history(&scope.to_string()).await?;
        Ok(QualityHistory {
            months: months
                .into_iter()
                .filter(|(_, (expected, ..))| *expected > 0)
                .map(|(month, (expected, errors, warnings))| {
                    (month, self.scored(expected, errors, warnings))
                })
                .collect(),
            runs: runs
                .into_iter()
                .map(
                    |HistoryPoint {
                         recorded_at,
                         score_share,
                         expected_count,
                         error_count,
                         warning_count,
                     }| {
                        let parts = ScoreParts {
                            score_share,
                            expected_count,
                            error_rows_count: error_count,
                            warning_rows_count: warning_count,
                        };
                        (recorded_at, parts)
                    },
                )
                .collect(),
        })
    }

    /// The report of the daily series of `symbol` that models and charts use; `None` when it was
    /// never validated.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn primary_quality(
        &self,
        symbol: Symbol,
    ) -> Result<Option<SeriesQuality>, StoreError> {
        let overview = self.quality_overview().await?;
        Ok(overview.series.into_iter().find(|series| {
            let quality = &series.quality;
            series.is_primary && quality.symbol == symbol && quality.interval == Interval::Daily
        }))
    }

    /// Findings of the last check that match `filter`, each with the decision in force.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn finding_page(
        &self,
        filter: &FindingFilter,
    ) -> Result<DecidedFindings, StoreError> {
        let page = self.store.findings(filter).await?;
        let ids: Vec<_> = page.records.iter().map(|record| record.finding.id).collect();
        let mut decisions = self.store.decisions_on(&ids).await?;
        let items = page
            .records
            .into_iter()
            .map(|record| {
                let decision = decisions.remove(&record.finding.id);
                (record, decision)
            })
            .collect();
        Ok(DecidedFindings { items, next: page.next })
    }
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
const fn rows(count: u64) -> f64 {
    count as f64
}
