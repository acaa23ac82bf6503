//! A new model and the champion on the days that neither has learned from.

use std::collections::BTreeMap;

use bist_market::Calendar;
use bist_models::{Panel, RowKey};
use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Champion, RetrainingRule, first_unseen_day};
use crate::evaluation::{Better, DailyCoefficients, OutOfFold, compare_with_baselines};
use crate::forecast::Forecast;
use crate::rank_ic::{Correlation, DependentMean, lag_days};
use crate::training::{Trained, TrainingSpec};

/// How a new model and the champion did on the same days. Rank information coefficients are means over
/// days, their intervals those of Newey and West.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrainingComparison {
    /// The first day that the champion could not have learned from.
    pub from: Date,
    /// The last day with a known outcome.
    pub to: Date,
    /// Days on which both are compared.
    pub days_count: u64,
    /// Fewest days by which the rule decides.
    pub days_min: u32,
    /// The new model's rank information coefficient; absent when there are too few days.
    pub candidate: Option<Estimate>,
    /// The champion's.
    pub champion: Option<Estimate>,
    /// The new one's less the champion's, day by day.
    pub difference: Option<Estimate>,
    /// Baselines whose squared errors are told to be smaller than the new model's and are not told to
    /// be smaller than the champion's.
    pub worse_than: Vec<String>,
}

/// A forecast of the champion on a day that it has not learned from, and what came.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Of which row.
    pub key: RowKey,
    /// What it said.
    pub forecast: Forecast,
    /// The log-return over the horizon that came.
    pub realised: f64,
}

/// What `champion` says of the rows of `panel` that it has not learned from and whose outcome is
/// known, by moment and symbol.
///
/// # Panics
///
/// When the panel has other features or another horizon than the model.
pub fn judge_champion(champion: Champion<'_>, panel: &Panel, calendar: &Calendar) -> Vec<Judged> {
    let Champion { model, learned_to } = champion;
    let Some(from) = first_unseen_day(learned_to, model.horizon, calendar) else {
        return Vec::new();
    };
    let realised = crate::training::horizon_returns(panel);
    let keys = &panel.known.keys;
    let begin = keys.partition_point(|key| key.day < from);
    let rows: Vec<usize> = (begin..keys.len()).filter(|row| realised[*row].is_finite()).collect();
    let forecasts = model.forecast_rows(panel, &rows, calendar);
    let judged = rows.iter().zip(forecasts).filter_map(|(&row, forecast)| {
        Some(Judged { key: keys[row], forecast: forecast?, realised: realised[row] })
    });
    judged.collect()
}

impl RetrainingComparison {
    /// Compares what training made of `spec` with `of_champion`, the champion's forecasts from `from`
    /// on, see [`judge_champion`].
    pub fn of(
        (spec, trained): (&TrainingSpec, &Trained),
        from: Date,
        of_champion: &[Judged],
        rule: &RetrainingRule,
    ) -> Self {
        let forecast = |judged: &Judged| (judged.key, judged.forecast.expected_log_return);
        let champion: BTreeMap<RowKey, f64> = of_champion.iter().map(forecast).collect();
        let mut of_candidate = Vec::new();
        let mut of_champion = Vec::new();
        let records = &trained.forecasts.records;
        let begin = records.partition_point(|record| record.day < from);
        for record in &records[begin..] {
            let OutOfFold { symbol, day, time, .. } = *record;
            if let Some(&forecast) = champion.get(&RowKey { symbol, day, time }) {
                let mut other = record.clone();
                other.predicted.model = forecast;
                of_candidate.push(record.clone());
                of_champion.push(other);
            }
        }
        let coefficients = |records: &[OutOfFold]| {
            DailyCoefficients::of(records, Correlation::Spearman, |record| record.predicted.model)
        };
        let (candidate, champion) = (coefficients(&of_candidate), coefficients(&of_champion));
        let lag = lag_days(spec.horizon.sessions());
        let champion_days: BTreeMap<Date, f64> =
            champion.days.iter().map(|day| (day.day, day.value)).collect();
        let differences: Vec<f64> = candidate
            .days
            .iter()
            .filter_map(|day| Some(day.value - champion_days.get(&day.day)?))
            .collect();
        let estimate = |values: &[f64]| {
            DependentMean::newey_west(values, lag).and_then(|mean| mean.estimate(rule.level))
        };
        let beaten_by = |records: &[OutOfFold]| -> Vec<String> {
            let comparisons = compare_with_baselines(records, candidate.method, spec.horizon);
            let better = comparisons.into_iter().filter(|other| other.better == Better::Other);
            better.map(|comparison| comparison.against).collect()
        };
        let champion_beaten_by = beaten_by(&of_champion);
        let mut worse_than = beaten_by(&of_candidate);
        worse_than.retain(|baseline| !champion_beaten_by.contains(baseline));
        Self {
            from,
            to: of_candidate.last().map_or(from, |record| record.day),
            days_count: differences.len() as u64,
            days_min: rule.days_min_for(spec.horizon),
            candidate: candidate.estimate(spec.horizon, rule.level),
            champion: champion.estimate(spec.horizon, rule.level),
            // Days on which both say the same are no evidence of either.
            difference: estimate(&differences),
            worse_than,
        }
    }
}
