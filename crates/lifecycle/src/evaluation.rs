//! What a model's forecasts were worth on days that it had not seen: the report a sceptic reads.

mod alarm;
mod baseline;
mod caveat;
mod coefficient;
mod comparison;
mod coverage;
mod errors;
mod members;
mod outlook;
mod paths;
mod report;
mod sentence;
mod skill;
mod slices;
mod slope;
mod symbols;

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::Horizon;
use bist_trading::{AfterCosts, CostModel, Estimate, ModelRecord, Opportunity, SymbolRecord};
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use crate::direction::CalibratedDirection;
use crate::leak_gate::LeakCheck;
use crate::rank_ic::{Correlation, DependentMean, count, lag_days, mean};
use crate::walk_forward::{Fold, WalkForward};

pub(crate) use coefficient::DailyCoefficients;
pub(crate) use comparison::with_baselines as compare_with_baselines;
use sentence::Told;
pub(crate) use sentence::{percent, with_comma};
use skill::Errors;
use slices::Slices;
pub(crate) use slope::calibration_slope;
pub(crate) use symbols::FALSE_SHARE_MAX;

pub use alarm::{Alarm, AlarmCode};
pub use baseline::{Baseline, ByBaseline};
pub use caveat::{Caveat, CaveatCode};
pub use coefficient::{Bootstrapped, InformationCoefficient, RankIcMethod};
pub use comparison::{Better, Comparison};
pub use coverage::{Coverage, FollowedBands, follow_bands};
pub(crate) use coverage::{centre, step_residuals};
pub use errors::Rmse;
pub use members::{MemberEvaluation, MemberWeights, RegimeShares};
pub use outlook::{
    BarrierEvaluation, DirectionEvaluation, OutlookEvaluation, OutlookRecord, VolatilityEvaluation,
};
pub use paths::PathsEvaluation;
pub use sentence::Sentence;
pub use skill::{SkillReason, SkillVerdict};
pub use slices::{SectorEvaluation, SliceEvaluation, YearEvaluation};
pub use symbols::SymbolEvaluation;

/// Level of the intervals over all symbols.
pub const LEVEL: f64 = 0.95;

/// Fewest symbols on a day, or at an hour, for a correlation across symbols.
pub const SYMBOLS_PER_DAY_MIN: usize = 5;

/// The levels at which the band around forecasts is calibrated and judged.
pub const BAND_LEVELS: [f64; 3] = [0.5, 0.8, 0.95];

/// One forecast for a moment that the model had not seen, and what came. Log-returns.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFold {
    /// Whose.
    pub symbol: Symbol,
    /// The session in which the forecast was made.
    pub day: Date,
    /// When the bar began at whose close it was made; midnight for a daily bar.
    pub time: Time,
    /// The last session of the horizon.
    pub known_on: Date,
    /// The fold whose test block holds the day, from zero.
    pub fold: usize,
    /// What was forecast for the horizon, by each model.
    pub predicted: Predicted,
    /// What each member of the ensemble forecast, the drift included, in the order of the members.
    pub members: Vec<f64>,
    /// The probability that the market was turbulent when the forecast was made.
    pub turbulence: f64,
    /// The drift that is part of every forecast, log-return over the horizon.
    pub drift: f64,
    /// The outcome of what was learned: the return over the horizon, or that relative to the day.
    pub learned: f64,
    /// Return after 1, 2, ... sessions; the last is that of the horizon and always known, the
    /// others are NaN when the bar is absent.
    pub step_returns: Vec<f64>,
    /// Return from the next bar's open to the close that ends the horizon; NaN when unknown.
    pub tradable_return: f64,
    /// Standard deviation of the return of a step, known at the time; positive.
    pub volatility: f64,
    /// What was said besides the return, and what came.
    pub outlook: OutlookRecord,
}

/// The forecasts of the model and of those it is compared with, log-returns over the horizon.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    /// The model that is judged.
    pub model: f64,
    /// Those it is compared with.
    pub baselines: ByBaseline<f64>,
}

impl OutOfFold {
    /// When the forecast was made: those of one moment are compared with each other.
    pub(crate) const fn moment(&self) -> DateTime {
        self.day.to_datetime(self.time)
    }

    /// The return over the horizon.
    pub(crate) fn realised(&self) -> f64 {
        self.step_returns.last().copied().unwrap_or(f64::NAN)
    }
}

/// What a model learns to forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LearningTarget {
    /// The return less the mean over the symbols of the same day and hour. To the forecast is added
    /// the mean return of the rows learned from, shrunk towards zero as far as it cannot be told
    /// from it.
    RelativeToDay,
    /// The return itself: there are too few symbols a day to compare.
    Absolute,
}

/// How the record came about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    /// Always `expanding_walk_forward`.
    pub scheme: String,
    /// What the model and the ridge regression learn.
    pub learning_target: LearningTarget,
    /// The layout of the folds.
    pub walk_forward: WalkForward,
    /// Sessions that a label reaches ahead: no row is learned from whose label was not known before
    /// the block that follows.
    pub purge_sessions: u32,
    /// Further sessions left out before each test block.
    pub embargo_sessions: u32,
    /// Configurations whose record was looked at before this one was chosen, itself included.
    pub configurations_tried_count: u32,
    /// The last day of whose prices trees that learned elsewhere know anything, as whoever gave them
    /// says; absent where the trees are ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_trees_known_until: Option<Date>,
    /// The seed of everything random.
    pub seed: u64,
    /// What trading was assumed to cost.
    pub costs: CostModel,
}

/// Where a fold lay and what it learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldLayout {
    /// First day of the training rows.
    pub train_from: Date,
    /// Last day of the training rows.
    pub train_to: Date,
    /// First day of the validation rows.
    pub validation_from: Date,
    /// Last day of the validation rows.
    pub validation_to: Date,
    /// First day of the test block.
    pub test_from: Date,
    /// Last day of the test block.
    pub test_to: Date,
    /// Training rows.
    pub train_rows_count: u64,
    /// Validation rows.
    pub validation_rows_count: u64,
    /// Test rows.
    pub test_rows_count: u64,
    /// Trees that the validation rows asked for.
    pub trees_count: u64,
}

impl FoldLayout {
    /// The layout of `fold`, whose model has `trees_count` trees.
    pub fn of(fold: &Fold, trees_count: usize) -> Self {
        Self {
            train_from: fold.train_days.0,
            train_to: fold.train_days.1,
            validation_from: fold.validation_days.0,
            validation_to: fold.validation_days.1,
            test_from: fold.test_days.0,
            test_to: fold.test_days.1,
            train_rows_count: fold.train_rows.len() as u64,
            validation_rows_count: fold.validation_rows.len() as u64,
            test_rows_count: fold.test_rows.len() as u64,
            trees_count: trees_count as u64,
        }
    }
}

/// One fold and how it went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldEvaluation {
    /// Where it lay.
    #[serde(flatten)]
    pub layout: FoldLayout,
    /// Mean rank information coefficient of the block; absent when no day of it can be measured.
    pub rank_ic: Option<f64>,
    /// Share of the block's rows whose sign was right; absent when nothing moved.
    pub hit_share: Option<f64>,
    /// Root mean squared errors in the block.
    pub rmse: Rmse,
}

/// How often the sign of the forecast was right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HitRate {
    /// Mean over days of the day's share of hits, with its 95 % interval; absent when there are too
    /// few days. Rows without a move do not count; a forecast of zero is a miss.
    pub estimate: Option<Estimate>,
    /// Always `newey_west_student_t`, on the daily shares: rows of one day and labels that
    /// overlap are not counted as independent.
    pub interval_method: String,
    /// Rows that moved.
    pub rows_count: u64,
    /// Mean over days of the day's share of rows that rose: the hit rate of always saying up.
    pub up_share: Option<f64>,
}

/// The record of a model out of sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The kind of model.
    pub kind: String,
    /// How far ahead it looks.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// First day judged.
    pub from: Date,
    /// Last day judged.
    pub to: Date,
    /// Days judged.
    pub days_count: u64,
    /// Forecasts judged.
    pub rows_count: u64,
    /// Symbols judged.
    pub symbols_count: u64,
    /// How the record came about.
    pub protocol: Protocol,
    /// Whether the order of the forecasts can be told from luck, for everybody to read.
    pub sentence: Sentence,
    /// That the record is too good to be true.
    pub alarm: Option<Alarm>,
    /// Whether the model has shown skill, by a rule fixed beforehand.
    pub skill: SkillVerdict,
    /// The rank information coefficient: does the order of the forecasts match that of what came?
    pub rank_ic: InformationCoefficient,
    /// The information coefficient: Pearson's correlation in place of Spearman's, so that a large
    /// move counts for more than a small one.
    pub ic: InformationCoefficient,
    /// How often the sign was right.
    pub hit_rate: HitRate,
    /// How much return has come for a unit of return forecast, with its 80 % interval: the slope of
    /// the outcomes on the forecasts. Absent when it cannot be measured.
    pub calibration_slope: Option<Estimate>,
    /// Root mean squared errors.
    pub rmse: Rmse,
    /// By what share the squared error is below that of the others; absent where the other makes no
    /// error.
    pub skill_scores: ByBaseline<Option<f64>>,
    /// Root mean squared errors once the mean of each day is taken from forecasts and outcomes;
    /// absent when there are too few symbols a day.
    pub relative_rmse: Option<Rmse>,
    /// The skill scores of those; here every constant forecast is as good as zero.
    pub relative_skill_scores: Option<ByBaseline<Option<f64>>>,
    /// The model beside each baseline, and then beside each member of the ensemble.
    pub comparisons: Vec<Comparison>,
    /// What following the forecasts would have earned.
    pub after_costs: Option<AfterCosts>,
    /// Whether the bands held what they promised.
    pub coverage: Vec<Coverage>,
    /// What was said besides the return: volatility and barriers.
    pub outlook: OutlookEvaluation,
    /// The folds in order.
    pub folds: Vec<FoldEvaluation>,
    /// The members of the ensemble, in the order of their weights.
    pub members: Vec<MemberEvaluation>,
    /// The years in order.
    pub by_year: Vec<YearEvaluation>,
    /// The sectors by name; none when no symbol's sector is known.
    pub by_sector: Vec<SectorEvaluation>,
    /// The symbols in order.
    pub by_symbol: Vec<SymbolEvaluation>,
    /// How it was made sure that nothing had seen the future.
    pub leak_check: LeakCheck,
    /// What the numbers do not say.
    pub caveats: Vec<Caveat>,
}

impl Evaluation {
    /// The part of the record that every signal rests on.
    pub fn model_record(&self) -> ModelRecord {
        ModelRecord { rank_ic: self.skill.rank_ic, unmet: self.skill.unmet() }
    }

    /// The part of the record that the signals of one symbol rest on.
    pub fn symbol_record(&self, symbol: Symbol) -> SymbolRecord {
        let found = self.by_symbol.iter().find(|evaluation| evaluation.symbol == symbol);
        SymbolRecord {
            rank_ic: found.and_then(|evaluation| evaluation.rank_ic),
            days_count: found.map_or(0, SymbolEvaluation::days_judged),
            days_count_min: symbols::days_count_min(self.horizon.sessions()) as u64,
        }
    }
}

/// What is judged.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The kind of model.
    pub kind: &'a str,
    /// How far ahead it looks.
    pub horizon: Horizon,
    /// Its forecasts, sorted by moment and symbol; at least one.
    pub records: &'a [OutOfFold],
    /// The folds in order.
    pub layouts: &'a [FoldLayout],
    /// The members of the ensemble, in the order of their forecasts.
    pub members: &'a [MemberWeights],
    /// The bands around them.
    pub bands: &'a FollowedBands,
    /// The probabilities of a rise, calibrated; absent where that could not be learned.
    pub direction: Option<&'a CalibratedDirection>,
    /// The sectors of the symbols, as far as they are known.
    pub sectors: &'a BTreeMap<Symbol, String>,
    /// How the forecasts came about.
    pub protocol: Protocol,
    /// How it was made sure that nothing had seen the future.
    pub leak_check: LeakCheck,
}

/// Judges forecasts, and those of the ensemble's members beside them.
///
/// # Panics
///
/// When there are no records.
pub fn evaluate(judged: Judged<'_>) -> Evaluation {
    let Judged { kind, horizon, records, layouts, members, .. } = judged;
    let Judged { bands, direction, sectors, protocol, leak_check, .. } = judged;
    assert!(!records.is_empty(), "there are no forecasts to judge");
    debug_assert!(records.is_sorted_by_key(|r| (r.moment(), r.symbol)), "records are sorted");
    let (from, to) = (records[0].day, records[records.len() - 1].day);
    let lag = lag_days(horizon.sessions());
    let forecast = |record: &OutOfFold| record.predicted.model;
    let days = DailyCoefficients::of(records, Correlation::Spearman, forecast);
    let rank_ic = days.judge(horizon, protocol.seed);
    let ic = DailyCoefficients::of(records, Correlation::Pearson, forecast)
        .judge(horizon, protocol.seed);
    let rmse = Rmse::of(records);
    let skill_scores = rmse.skill_scores();
    let folds: Vec<_> = layouts
        .iter()
        .enumerate()
        .map(|(fold, layout)| fold_evaluation(fold, *layout, records, &days))
        .collect();
    let relative_rmse = match rank_ic.method {
        RankIcMethod::CrossSectional => Some(Rmse::relative(records)),
        RankIcMethod::TimeSeries => None,
    };
    let relative_skill_scores = relative_rmse.as_ref().map(Rmse::skill_scores);
    let tried = protocol.configurations_tried_count;
    let skill = skill::verdict(
        &rank_ic,
        days.estimate(horizon, skill::level_for(tried)),
        tried,
        relative_skill_scores.as_ref().map_or(Errors::Absolute(&skill_scores), Errors::Relative),
        &folds,
    );
    let alarm = Alarm::of(&rank_ic);
    let told = Told {
        rank_ic: skill.rank_ic,
        days_count: rank_ic.days_count,
        from,
        to,
        configurations_tried_count: tried,
        alarmed: alarm.is_some(),
        skill_shown: skill.shown,
    };
    let comparisons = comparison::evaluate(records, rank_ic.method, members, horizon);
    let members = members::evaluate(members, records, horizon);
    let by_symbol = symbols::evaluate(records, horizon);
    let slices = Slices::of(records, horizon, rank_ic.method);
    let by_sector = slices.by_sector(sectors);
    let caveats = caveat::caveats(&rank_ic, &by_symbol, &by_sector, &protocol, horizon);
    Evaluation {
        kind: kind.to_owned(),
        horizon,
        from,
        to,
        days_count: records.chunk_by(|a, b| a.day == b.day).count() as u64,
        rows_count: records.len() as u64,
        symbols_count: by_symbol.len() as u64,
        hit_rate: hit_rate(records, lag),
        calibration_slope: calibration_slope(records, rank_ic.method, lag),
        after_costs: AfterCosts::of(&opportunities(records), horizon, &protocol.costs),
        coverage: coverage::evaluate(bands, horizon),
        outlook: outlook::evaluate(records, direction, lag),
        protocol,
        sentence: told.sentence(),
        alarm,
        skill,
        rank_ic,
        ic,
        rmse,
        skill_scores,
        relative_rmse,
        relative_skill_scores,
        comparisons,
        folds,
        members,
        by_year: slices.by_year(&days),
        by_sector,
        by_symbol,
        leak_check,
        caveats,
    }
}

fn hit_rate(records: &[OutOfFold], lag: usize) -> HitRate {
    let moved: Vec<_> = records.iter().filter(|r| r.realised().abs() > 0.0).collect();
    let daily_share = |hit: &dyn Fn(&OutOfFold) -> bool| -> Vec<f64> {
        moved
            .chunk_by(|a, b| a.day == b.day)
            .map(|day| count(day.iter().filter(|r| hit(r)).count()) / count(day.len()))
            .collect()
    };
    let up = daily_share(&|r| r.realised() > 0.0);
    HitRate {
        estimate: DependentMean::newey_west(&daily_share(&is_hit), lag)
            .and_then(|mean| mean.estimate(LEVEL)),
        interval_method: "newey_west_student_t".to_owned(),
        rows_count: moved.len() as u64,
        up_share: (!up.is_empty()).then(|| mean(&up)),
    }
}

/// Whether forecast and outcome have the same sign, and neither is zero.
fn is_hit(record: &OutOfFold) -> bool {
    let (predicted, realised) = (record.predicted.model, record.realised());
    predicted > 0.0 && realised > 0.0 || predicted < 0.0 && realised < 0.0
}

/// The share of hits among the rows that moved.
fn hit_share<'a>(records: impl Iterator<Item = &'a OutOfFold>) -> Option<f64> {
    let moved: Vec<_> = records.filter(|r| r.realised().abs() > 0.0).collect();
    let hits = moved.iter().filter(|r| is_hit(r)).count();
    (!moved.is_empty()).then(|| count(hits) / count(moved.len()))
}

/// A number of each record, less the mean of its moment where symbols are compared with each other.
fn compared(
    records: &[OutOfFold],
    method: RankIcMethod,
    value: impl Fn(&OutOfFold) -> f64,
) -> Vec<f64> {
    let mut values: Vec<f64> = records.iter().map(value).collect();
    match method {
        RankIcMethod::TimeSeries => {}
        RankIcMethod::CrossSectional => {
            let mut begin = 0;
            for moment in records.chunk_by(|a, b| a.moment() == b.moment()) {
                let of_moment = &mut values[begin..begin + moment.len()];
                let common = mean(of_moment);
                of_moment.iter_mut().for_each(|value| *value -= common);
                begin += moment.len();
            }
        }
    }
    values
}

fn opportunities(records: &[OutOfFold]) -> Vec<Opportunity> {
    records
        .iter()
        .map(|record| Opportunity {
            day: record.day,
            time: record.time,
            expected_return_share: record.predicted.model.exp_m1(),
            traded_return_share: Some(record.tradable_return)
                .filter(|known| known.is_finite())
                .map(f64::exp_m1),
            held_return_share: record.realised().exp_m1(),
        })
        .collect()
}

fn fold_evaluation(
    fold: usize,
    layout: FoldLayout,
    records: &[OutOfFold],
    daily: &DailyCoefficients,
) -> FoldEvaluation {
    let begin = records.partition_point(|record| record.fold < fold);
    let end = records.partition_point(|record| record.fold <= fold);
    let rows = &records[begin..end];
    let values: Vec<f64> =
        daily.days.iter().filter(|day| day.fold == fold).map(|day| day.value).collect();
    FoldEvaluation {
        layout,
        rank_ic: (!values.is_empty()).then(|| mean(&values)),
        hit_share: hit_share(rows.iter()),
        rmse: Rmse::of(rows),
    }
}
