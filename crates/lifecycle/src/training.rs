//! Training: learn on folds, judge what came of it, fit the model that forecasts from now on.

mod error;
mod lesson;
mod progress;
mod spec;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use bist_market::Symbol;
use bist_models::{ConformalBand, Gbdt, Horizon, Panel};
use jiff::civil::Date;

use crate::combinatorial_purged::CombinatorialPurged;
use crate::direction;
use crate::evaluation::{
    BAND_LEVELS, Evaluation, FoldLayout, Judged, LearningTarget, MemberWeights, OutOfFold,
    PathsEvaluation, RegimeShares, evaluate, follow_bands, step_residuals,
};
use crate::forecast::FittedModel;
use crate::members::{GivenTrees, MemberParams, MemberRows};
use crate::outlook::FittedOutlook;
use crate::rank_ic::{count, mean};
use crate::regime::RegimeWeights;
use crate::walk_forward::indices;

pub use error::TrainError;
pub(crate) use lesson::{Lesson, horizon_returns};
pub use progress::{TrainingProgress, TrainingStage};
pub use spec::TrainingSpec;

/// What the gate against leaks learns again: the warm-up and the first fold.
const LEAK_GATE_PARTS_COUNT: usize = 2;

/// A trained model and its record.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// What it was worth out of sample.
    pub evaluation: Evaluation,
    /// The forecasts out of sample on which that rests.
    pub forecasts: OutOfFoldForecasts,
    /// What forecasts from now on.
    pub model: FittedModel,
    /// Trees of the model: the median of what the folds asked for, the lower of two.
    pub trees_count: usize,
    /// First day of the rows it was fitted on.
    pub first_day: Date,
    /// Last day of the rows it was fitted on.
    pub last_day: Date,
    /// Rows it was fitted on.
    pub rows_count: usize,
}

/// What training has to know besides the panel and the spec.
#[derive(Clone, Copy)]
pub struct TrainingContext<'a> {
    /// How many configurations were looked at, this one included, see
    /// [`crate::trial::configurations_count`].
    pub configurations_count: u32,
    /// The sectors of the symbols, as far as they are known.
    pub sectors: &'a BTreeMap<Symbol, String>,
    /// The same panel as it would be if all bars after a day were other ones; what was known and
    /// forecast up to that day must then be the same, see [`crate::leak_gate`].
    pub other_future: &'a dyn Fn(Date) -> Panel,
}

impl fmt::Debug for TrainingContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrainingContext")
            .field("configurations_count", &self.configurations_count)
            .field("sectors", &self.sectors)
            .finish_non_exhaustive()
    }
}

/// Trains on `panel`.
///
/// On each fold the trees are fitted to the training rows and stopped by the validation rows; then
/// they are fitted anew, with the number of trees found, to both. The recurrent network learns from
/// the training rows and is stopped by the validation rows, and the others learn from both. The
/// ensemble weights their forecasts by what they were worth on the blocks before, as far as the
/// outcomes were known before the block began: for that, a block before the first is forecast too,
/// where members count alike, and judged by nobody. So the forecasts judged are
/// those of a model that has seen everything it was allowed to see, made by the same steps as the
/// final model: its members are fitted to all rows, the trees with the median number of trees and
/// the network with the newest rows to stop it, and weighted by all blocks. Ridge regression and the
/// training mean learn from the same rows.
///
/// What is learned is how a symbol will do relative to the mean of all at its moment, which is a
/// day or, of hourly bars, an hour: what moves all alike is one observation a day however many
/// symbols there are, and the rows of a few hundred days are too few to learn it from. The forecast
/// is that plus the drift, the mean return of the rows learned from, which is believed as far as it
/// can be told from zero. With fewer than
/// [`SYMBOLS_PER_DAY_MIN`](crate::evaluation::SYMBOLS_PER_DAY_MIN) symbols at most moments, the return
/// itself is learned and there is no drift.
///
/// A row is learned from and judged when its return over the horizon is known, its volatility is
/// known and positive and, where symbols are compared, its moment has enough of them.
///
/// `progress` is told of each part as it begins, and may end the training there.
///
/// # Errors
///
/// [`TrainError`] when the history is too short, the rows cannot support a model, or something has
/// seen the future; [`TrainError::Cancelled`] when `progress` ended it.
///
/// # Panics
///
/// Never: every fold has test rows, so there are forecasts to judge.
pub fn train(
    panel: &Panel,
    spec: &TrainingSpec,
    context: &TrainingContext<'_>,
    progress: &dyn Fn(TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let lesson = Lesson::of(panel, spec)?;
    // The work is the warm-up and the folds, what the gate learns again, and the final fit.
    let parts_count = count(spec.walk_forward.folds_count as usize + 1 + LEAK_GATE_PARTS_COUNT + 1);
    let report = |stage, done: usize| {
        progress(TrainingProgress { stage, done_share: count(done) / parts_count })
    };
    let go_on = |stage, done| match report(stage, done) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(TrainError::Cancelled),
    };
    let forecasts = lesson.forecast_folds(usize::MAX, &report)?;
    let folds_count = forecasts.layouts.len();
    go_on(TrainingStage::LeakGate, folds_count + 1)?;
    let leak_check = lesson.pass_leak_gate(&forecasts, context.other_future)?;

    let OutOfFoldForecasts { warm_up, records, layouts, weights } = forecasts;
    let learned_count = folds_count + 1 + LEAK_GATE_PARTS_COUNT;
    go_on(TrainingStage::Evaluation, learned_count)?;
    let members = member_weights(&spec.members.kinds(), &weights);
    let protocol = lesson.protocol(context.configurations_count);
    let bands = follow_bands(&warm_up, &records, &layouts, spec.horizon)?;
    let direction = direction::calibrate(&warm_up, &records, &layouts)?;
    let evaluation = evaluate(Judged {
        kind: FittedModel::KIND,
        horizon: spec.horizon,
        records: &records,
        layouts: &layouts,
        members: &members,
        bands: &bands,
        direction: Some(&direction),
        sectors: context.sectors,
        protocol,
        leak_check,
    });
    let residuals = step_residuals(warm_up.iter().chain(&records), spec.horizon);
    let band = ConformalBand::calibrate(&residuals, &BAND_LEVELS)?;

    go_on(TrainingStage::FinalFit, learned_count)?;
    let trees_count = lower_median(layouts.iter().map(|layout| layout.trees_count).collect());
    let rows = &lesson.rows;
    let all: Vec<usize> = rows.iter().map(|row| row.row).collect();
    let (train, validation) =
        spec.walk_forward.newest_apart(rows).expect("there were rows for the folds");
    let (train, validation) = (indices(&train), indices(&validation));
    let member_rows = MemberRows { train: &train, validation: &validation, all: &all };
    let members = lesson
        .fit_members(member_rows, trees_count)
        .map_err(|(kind, source)| TrainError::Fit { kind, fold: None, source })?;
    let weights_now = weights.last().expect("the weights of now follow those of the folds").clone();
    go_on(TrainingStage::FinalFit, learned_count + 1)?;
    let drift = lesson.drift(&all);
    let outlook = FittedOutlook::fit(panel, &all, spec.outlook, spec.seed)
        .map_err(|source| TrainError::Fit { kind: Gbdt::KIND, fold: None, source })?;
    Ok(Trained {
        model: FittedModel {
            calibration_slope: evaluation.calibration_slope,
            members,
            weights: weights_now,
            drift,
            outlook,
            band,
            adaptive: bands.adaptive,
            direction: direction.in_force.calibration,
            horizon: spec.horizon,
        },
        evaluation,
        forecasts: OutOfFoldForecasts { warm_up, records, layouts, weights },
        trees_count,
        first_day: rows[0].day,
        last_day: rows[rows.len() - 1].day,
        rows_count: rows.len(),
    })
}

/// The configuration whose only member is `given`, judged on the days of `panel` that the trees
/// know nothing of; everything else is learned here, as of any other model.
///
/// The test blocks are as many as [`TrainingSpec::of`] has, or fewer where there are few such days.
///
/// # Errors
///
/// [`TrainError::TooFewUnseenDays`], and [`TrainError::NoGivenTrees`] when the trees read other
/// columns than the panel has.
pub fn spec_of_given(
    panel: &Panel,
    given: GivenTrees,
    seed: u64,
) -> Result<TrainingSpec, TrainError> {
    let known_until = given.known_until();
    let mut spec = TrainingSpec::of(panel.targets.horizon, seed);
    spec.members = MemberParams {
        gbdt: spec.members.gbdt,
        given: Some(given),
        elastic_net: None,
        lstm: None,
        prophet: None,
    };
    let days = Lesson::of(panel, &spec)?.days;
    let unseen = days.iter().filter(|day| **day > known_until).count();
    let unseen = unseen.saturating_sub(usize::from(spec.horizon.sessions()));
    let days_count_min = spec.walk_forward.unseen_days_min();
    spec.walk_forward = spec
        .walk_forward
        .within_newest(unseen, days.len())
        .ok_or(TrainError::TooFewUnseenDays { known_until, days_count: unseen, days_count_min })?;
    Ok(spec)
}

/// What is learned of each row of `panel` by a model for `horizon`, see [`train`]; `None` of rows that
/// are not learned from.
///
/// # Errors
///
/// [`TrainError::HorizonMismatch`] when the panel is for another horizon.
pub fn learned_targets(
    panel: &Panel,
    horizon: Horizon,
) -> Result<(LearningTarget, Vec<Option<f64>>), TrainError> {
    // The seed decides nothing of what is learned.
    let spec = TrainingSpec::of(horizon, 0);
    let lesson = Lesson::of(panel, &spec)?;
    let mut targets = vec![None; panel.known.keys.len()];
    for row in &lesson.rows {
        targets[row.row] = Some(lesson.target[row.row]);
    }
    Ok((lesson.kind, targets))
}

/// The weights by member: now, and on each fold.
fn member_weights(kinds: &[&str], weights: &[RegimeWeights]) -> Vec<MemberWeights> {
    let of_member = |(member, kind): (usize, &&str)| {
        let over_time: Vec<RegimeShares> = weights
            .iter()
            .map(|weights| RegimeShares {
                calm: weights.calm.as_slice()[member],
                turbulent: weights.turbulent.as_slice()[member],
            })
            .collect();
        let (now, folds) = over_time.split_last().expect("there are weights of now");
        MemberWeights { kind: (*kind).to_owned(), weight: *now, fold_weights: folds.to_vec() }
    };
    kinds.iter().enumerate().map(of_member).collect()
}

/// The forecasts that the folds made for their test blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFoldForecasts {
    /// The forecasts of the block before the first fold, by moment and symbol: weighted alike, and
    /// judged by nobody. Empty where the history is too short for it.
    pub warm_up: Vec<OutOfFold>,
    /// The forecasts with what came, by moment and symbol.
    pub records: Vec<OutOfFold>,
    /// Where the folds lay.
    pub layouts: Vec<FoldLayout>,
    /// How the members were weighted on each fold, and last how all folds together weight them.
    pub weights: Vec<RegimeWeights>,
}

/// Lays the folds over `panel`, and learns and forecasts on each as [`train`] describes.
///
/// `begun` is told of each fold as it begins, and how many are done, and may end the work there.
///
/// # Errors
///
/// As [`train`].
pub fn forecast_folds(
    panel: &Panel,
    spec: &TrainingSpec,
    begun: &dyn Fn(TrainingStage, usize) -> ControlFlow<()>,
) -> Result<OutOfFoldForecasts, TrainError> {
    Lesson::of(panel, spec)?.forecast_folds(usize::MAX, begun)
}

/// Judges `spec` by combinatorial purged cross-validation on `panel`: whether the record would have
/// been another had other days been the test.
///
/// Every split learns as a fold of [`train`] does, from rows on both sides of what it tests; its
/// members are weighted alike, as there are no forecasts of unseen days to weight them by that
/// another split does not test.
///
/// # Errors
///
/// [`TrainError`] when the history is too short or the rows cannot support a model.
///
/// # Panics
///
/// Never: every day is tested by some split.
pub fn evaluate_paths(
    panel: &Panel,
    spec: &TrainingSpec,
    progress: &dyn Fn(TrainingProgress),
) -> Result<PathsEvaluation, TrainError> {
    let lesson = Lesson::of(panel, spec)?;
    let splits = CombinatorialPurged::default().splits(&lesson.rows)?;
    let splits_count = splits.splits.len();
    let mut records = Vec::with_capacity(splits_count);
    for (number, split) in (1..).zip(&splits.splits) {
        progress(TrainingProgress {
            stage: TrainingStage::Split { number, splits_count },
            done_share: count(number - 1) / count(splits_count),
        });
        let mut of_split = lesson.learn_fold(&split.fold, number)?.0;
        for record in &mut of_split {
            record.predicted.model = mean(&record.members);
        }
        records.push(of_split);
    }
    let paths = PathsEvaluation::of(&splits.paths(&records));
    let stage = TrainingStage::Split { number: splits_count, splits_count };
    progress(TrainingProgress { stage, done_share: 1.0 });
    Ok(paths.expect("every day is tested by some split"))
}

/// The middle value, the lower of two; zero when there are none.
fn lower_median(counts: Vec<u64>) -> usize {
    let mut counts = counts;
    counts.sort_unstable();
    let middle = counts.len().saturating_sub(1) / 2;
    counts.get(middle).map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX))
}
