//! Training: learn on folds, judge what came of it, fit the model that forecasts from now on.

use std::collections::BTreeMap;

use bist_models::{
    CalibrationError, ConformalBand, FitError, Forecaster, Gbdt, GbdtParams, Horizon, LstmParams,
    Panel, ProphetParams, Ridge, SeasonalNaive, StackingWeights,
};
use bist_trading::CostModel;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::{
    BAND_LEVELS, Baseline, ByBaseline, Evaluation, FoldLayout, LearningTarget, MemberWeights,
    OutOfFold, Predicted, Protocol, SYMBOLS_PER_DAY_MIN, evaluate, step_residuals,
};
use crate::forecast::{ErrorDistribution, FittedModel};
use crate::members::{FittedMembers, MemberParams, MemberRows};
use crate::rank_ic::{DependentMean, count, lag_days, mean};
use crate::walk_forward::{Fold, LabelledRow, WalkForward, WalkForwardError, indices};

/// Configurations whose record was looked at before [`TrainingSpec::of`] was settled, itself
/// included: learning the return itself with trees alone, learning it relative to the day, and the
/// ensemble with two strengths of the prior of its weights. Counted on generated
/// and on real prices alike; docs/adr/0009-skill.md tells the story. Whoever tries another raises it.
const CONFIGURATIONS_TRIED_COUNT: u32 = 4;

/// How strongly weights are drawn towards equal ones, see [`StackingWeights::fit`]. Forecasts of
/// returns are small beside what comes, so that their errors tell little of who is better: the prior
/// counts as much as all that the forecasts themselves vary.
const STACKING_PRIOR_SHARE: f64 = 1.0;

/// Everything that decides what training makes of a panel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// How far ahead to forecast; that of the panel.
    pub horizon: Horizon,
    /// Hyperparameters of the ensemble's members.
    pub members: MemberParams,
    /// Penalty of the ridge regression that the ensemble is compared with.
    pub ridge_alpha: f64,
    /// Layout of the folds.
    pub walk_forward: WalkForward,
    /// The seed of everything random.
    pub seed: u64,
    /// What trading costs.
    pub costs: CostModel,
}

impl TrainingSpec {
    /// The one configuration that we stand by, for a weak signal among much noise: trees of four
    /// leaves, large leaves, a slow learning rate; a network of one small layer that sees two weeks;
    /// Prophet as its authors set it. The trees were chosen on generated markets, whose truth is
    /// known, before any record on real prices was looked at; the others were not chosen at all.
    pub fn of(horizon: Horizon, seed: u64) -> Self {
        Self {
            horizon,
            members: MemberParams {
                gbdt: GbdtParams {
                    num_iterations: 300,
                    learning_rate: 0.03,
                    num_leaves: 4,
                    min_data_in_leaf: 300,
                    min_gain_to_split: 0.0,
                    lambda_l2: 10.0,
                    feature_fraction: 0.3,
                    bagging_fraction: 0.7,
                    bagging_freq: 1,
                    max_bin: 63,
                    early_stopping_rounds: 60,
                    ..GbdtParams::default()
                },
                lstm: Some(LstmParams {
                    steps: 10,
                    layers: 1,
                    hidden: 16,
                    batch_size: 256,
                    epochs_max: 8,
                    early_stopping_epochs: 2,
                    ..LstmParams::default()
                }),
                prophet: Some(ProphetParams::default()),
            },
            ridge_alpha: 1000.0,
            walk_forward: WalkForward::default(),
            seed,
            costs: CostModel::default(),
        }
    }
}

/// What training is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingStage {
    /// Learning on a fold, counted from one.
    Fold {
        /// Which.
        number: usize,
        /// Of how many.
        folds_count: usize,
    },
    /// Judging the forecasts.
    Evaluation,
    /// Fitting the model that forecasts from now on.
    FinalFit,
}

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingProgress {
    /// What begins now; after the last one, what has ended.
    pub stage: TrainingStage,
    /// The share of the work that is done, 0..=1.
    pub done_share: f64,
}

/// A trained model and its record.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// What it was worth out of sample.
    pub evaluation: Evaluation,
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

/// Why there is no model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The panel was built for another horizon.
    #[error(
        "the panel looks {panel} sessions ahead and the training {spec}: build it for the same"
    )]
    HorizonMismatch {
        /// The panel's.
        panel: Horizon,
        /// The training's.
        spec: Horizon,
    },
    /// The folds could not be laid out.
    #[error(transparent)]
    WalkForward(#[from] WalkForwardError),
    /// A model could not be fitted.
    #[error("fitting the {kind} model{}: {source}", fold.map_or(String::new(), |n| format!(" of fold {n}")))]
    Fit {
        /// The kind of model.
        kind: &'static str,
        /// The fold, from one; `None` for the final fit.
        fold: Option<usize>,
        /// Why.
        source: FitError,
    },
    /// The band could not be calibrated.
    #[error("calibrating the band: {0}")]
    Calibration(#[from] CalibrationError),
}

/// Trains on `panel`.
///
/// On each fold the trees are fitted to the training rows and stopped by the validation rows; then
/// they are fitted anew, with the number of trees found, to both. The recurrent network learns from
/// the training rows and is stopped by the validation rows, and Prophet learns from both. The
/// ensemble weights their forecasts by what they were worth on the blocks before, as far as the
/// outcomes were known before the block began, and alike on the first. So the forecasts judged are
/// those of a model that has seen everything it was allowed to see, made by the same steps as the
/// final model: its members are fitted to all rows, the trees with the median number of trees and
/// the network with the newest rows to stop it, and weighted by all blocks. Ridge regression and the
/// training mean learn from the same rows.
///
/// What is learned is how a symbol will do relative to the mean of all on its day: what moves all
/// alike is one observation a day however many symbols there are, and the rows of a few hundred days
/// are too few to learn it from. The forecast is that plus the drift, the mean return of the rows
/// learned from, which is believed as far as it can be told from zero. With fewer than
/// [`SYMBOLS_PER_DAY_MIN`] symbols on most days, the return itself is learned and there is no drift.
///
/// A row is learned from and judged when its return over the horizon is known, its volatility is
/// known and positive and, where symbols are compared, its day has enough of them.
///
/// # Errors
///
/// [`TrainError`] when the history is too short or the rows cannot support a model.
///
/// # Panics
///
/// Never: every fold has test rows, so there are forecasts to judge.
pub fn train(
    panel: &Panel,
    spec: &TrainingSpec,
    progress: &dyn Fn(TrainingProgress),
) -> Result<Trained, TrainError> {
    let lesson = Lesson::of(panel, spec)?;
    // The work is the folds and the final fit, which takes about as long as one of them.
    let parts_count = count(spec.walk_forward.folds_count as usize + 1);
    let report = |stage, done: usize| {
        progress(TrainingProgress { stage, done_share: count(done) / parts_count });
    };
    let OutOfFoldForecasts { records, layouts, weights } = lesson.forecast_folds(&report)?;

    report(TrainingStage::Evaluation, layouts.len());
    let members = member_weights(&spec.members.kinds(), &weights);
    let protocol = lesson.protocol();
    let sectors = BTreeMap::new();
    let evaluation =
        evaluate(FittedModel::KIND, spec.horizon, &records, &layouts, &members, &sectors, protocol);
    let residuals = step_residuals(records.iter(), spec.horizon);
    let band = ConformalBand::calibrate(&residuals, &BAND_LEVELS)?;
    let errors = residuals.last().and_then(|last| ErrorDistribution::of(last));
    let errors = errors.expect("a band cannot be calibrated on no errors");

    report(TrainingStage::FinalFit, layouts.len());
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
    let weights = weights.last().expect("the weights of now follow those of the folds").clone();
    report(TrainingStage::FinalFit, layouts.len() + 1);
    let drift = lesson.drift(&all);
    Ok(Trained {
        evaluation,
        model: FittedModel { members, weights, drift, band, errors, horizon: spec.horizon },
        trees_count,
        first_day: rows[0].day,
        last_day: rows[rows.len() - 1].day,
        rows_count: rows.len(),
    })
}

/// The weights by member: now, and on each fold.
fn member_weights(kinds: &[&str], weights: &[StackingWeights]) -> Vec<MemberWeights> {
    let of_member = |(member, kind): (usize, &&str)| {
        let over_time: Vec<f64> =
            weights.iter().map(|weights| weights.as_slice()[member]).collect();
        let (now, folds) = over_time.split_last().expect("there are weights of now");
        MemberWeights { kind: (*kind).to_owned(), weight: *now, fold_weights: folds.to_vec() }
    };
    kinds.iter().enumerate().map(of_member).collect()
}

/// The forecasts that the folds made for their test blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFoldForecasts {
    /// The forecasts with what came, by day and symbol.
    pub records: Vec<OutOfFold>,
    /// Where the folds lay.
    pub layouts: Vec<FoldLayout>,
    /// How the members were weighted on each fold, and last how all folds together weight them.
    pub weights: Vec<StackingWeights>,
}

/// Lays the folds over `panel`, and learns and forecasts on each as [`train`] describes.
///
/// `begun` is told of each fold as it begins, and how many are done.
///
/// # Errors
///
/// As [`train`].
pub fn forecast_folds(
    panel: &Panel,
    spec: &TrainingSpec,
    begun: &dyn Fn(TrainingStage, usize),
) -> Result<OutOfFoldForecasts, TrainError> {
    Lesson::of(panel, spec)?.forecast_folds(begun)
}

/// What there is to learn from a panel.
struct Lesson<'a> {
    panel: &'a Panel,
    spec: &'a TrainingSpec,
    kind: LearningTarget,
    /// The rows to learn from and to be judged on, sorted by day.
    rows: Vec<LabelledRow>,
    /// What is learned, for each row of the panel; read at `rows` only.
    target: Vec<f64>,
}

impl<'a> Lesson<'a> {
    fn of(panel: &'a Panel, spec: &'a TrainingSpec) -> Result<Self, TrainError> {
        let targets = &panel.targets;
        if targets.horizon != spec.horizon {
            return Err(TrainError::HorizonMismatch { panel: targets.horizon, spec: spec.horizon });
        }
        let returns = horizon_returns(panel);
        let mut rows: Vec<LabelledRow> = panel
            .known
            .keys
            .iter()
            .enumerate()
            .filter(|(row, _)| returns[*row].is_finite() && targets.volatility[*row] > 0.0)
            .filter_map(|(row, key)| {
                Some(LabelledRow { row, day: key.day, known_on: targets.known_on[row]? })
            })
            .collect();
        let days = || rows.chunk_by(|a, b| a.day == b.day);
        let wide = || days().filter(|day| day.len() >= SYMBOLS_PER_DAY_MIN);
        let mut target = returns.to_vec();
        if 2 * wide().count() < days().count() {
            return Ok(Self { panel, spec, kind: LearningTarget::Absolute, rows, target });
        }
        for day in wide() {
            let common = mean_of(day.iter().map(|row| returns[row.row]));
            for row in day {
                target[row.row] -= common;
            }
        }
        rows = wide().flatten().copied().collect();
        Ok(Self { panel, spec, kind: LearningTarget::RelativeToDay, rows, target })
    }

    fn forecast_folds(
        &self,
        begun: &dyn Fn(TrainingStage, usize),
    ) -> Result<OutOfFoldForecasts, TrainError> {
        let embargo_days = usize::from(self.spec.horizon.sessions());
        let folds = self.spec.walk_forward.folds(&self.rows, embargo_days)?;
        let (mut records, mut layouts) = (Vec::new(), Vec::new());
        for (index, fold) in folds.iter().enumerate() {
            begun(TrainingStage::Fold { number: index + 1, folds_count: folds.len() }, index);
            let (forecasts, trees_count) = self.learn_fold(fold, index)?;
            records.extend(forecasts);
            layouts.push(FoldLayout::of(fold, trees_count));
        }
        let weights = self.weigh(&mut records, &layouts);
        Ok(OutOfFoldForecasts { records, layouts, weights })
    }

    /// Fits all models on one fold; gives their forecasts for the test block, the ensemble's not yet
    /// among them, and the number of trees.
    fn learn_fold(&self, fold: &Fold, index: usize) -> Result<(Vec<OutOfFold>, usize), TrainError> {
        let Self { panel, spec, target, .. } = self;
        let (known, returns) = (&panel.known, horizon_returns(panel));
        let failed = |(kind, source)| TrainError::Fit { kind, fold: Some(index + 1), source };
        let mut seen = [fold.train_rows.as_slice(), &fold.validation_rows].concat();
        seen.sort_unstable();

        let trees_count = self.trees_count(fold).map_err(|source| failed((Gbdt::KIND, source)))?;
        let member_rows =
            MemberRows { train: &fold.train_rows, validation: &fold.validation_rows, all: &seen };
        let members = self.fit_members(member_rows, trees_count).map_err(failed)?;
        let drift = self.drift(&seen);
        let ridge = Ridge { alpha: spec.ridge_alpha }
            .fit(known, target, &seen, &[])
            .map_err(|source| failed((Ridge::KIND, source)))?;
        let naive = SeasonalNaive { horizon: spec.horizon }
            .fit(known, returns, &seen, &[])
            .map_err(|source| failed((SeasonalNaive::KIND, source)))?;
        let training_mean = mean_of(seen.iter().map(|&row| returns[row]));

        let rows = &fold.test_rows;
        let of_members = members.predict(known, rows);
        let (linear, naive) = (ridge.predict(known, rows), naive.predict(known, rows));
        let forecasts = rows.iter().enumerate().filter_map(|(at, &row)| {
            let (key, targets) = (panel.known.keys[row], &panel.targets);
            Some(OutOfFold {
                symbol: key.symbol,
                day: key.day,
                known_on: targets.known_on[row]?,
                fold: index,
                predicted: Predicted {
                    model: f64::NAN,
                    baselines: ByBaseline::of(|baseline| match baseline {
                        Baseline::Ridge => drift + linear[at],
                        Baseline::SeasonalNaive => naive[at],
                        Baseline::TrainingMean => training_mean,
                        Baseline::Zero => 0.0,
                    }),
                },
                members: of_members.iter().map(|forecasts| drift + forecasts[at]).collect(),
                drift,
                learned: target[row],
                step_returns: targets.step_returns.iter().map(|returns| returns[row]).collect(),
                tradable_return: targets.tradable_return[row],
                volatility: targets.volatility[row],
            })
        });
        Ok((forecasts.collect(), trees_count))
    }

    /// Weights the members on each fold by the records whose outcome was known before its block
    /// began, and fills in the ensemble's forecasts; the last weights are those of all records.
    fn weigh(&self, records: &mut [OutOfFold], layouts: &[FoldLayout]) -> Vec<StackingWeights> {
        let members_count = self.spec.members.kinds().len();
        let fit = |known: &[&OutOfFold]| {
            let of_member = |member: usize| {
                known.iter().map(|record| record.members[member] - record.drift).collect()
            };
            let forecasts: Vec<Vec<f64>> = (0..members_count).map(of_member).collect();
            let outcomes: Vec<f64> = known.iter().map(|record| record.learned).collect();
            StackingWeights::fit(&forecasts, &outcomes, STACKING_PRIOR_SHARE)
                .expect("members are few and forecasts are finite")
        };
        let mut weights: Vec<StackingWeights> = layouts
            .iter()
            .map(|layout| {
                let known = |record: &&OutOfFold| record.known_on < layout.test_from;
                fit(&records.iter().filter(known).collect::<Vec<_>>())
            })
            .collect();
        weights.push(fit(&records.iter().collect::<Vec<_>>()));
        for record in records {
            record.predicted.model = weights[record.fold].combine(&record.members);
        }
        weights
    }

    /// What is added to forecasts of models fitted to `rows`, which are sorted by day.
    ///
    /// With the mean `m` of the daily mean returns and its standard error `s` by Newey and West this
    /// is `m max(0, 1 - s^2 / m^2)`: the positive-part estimator of James and Stein (1961),
    /// "Estimation with Quadratic Loss", for a single mean.
    fn drift(&self, rows: &[usize]) -> f64 {
        if self.kind == LearningTarget::Absolute {
            return 0.0;
        }
        let (returns, keys) = (horizon_returns(self.panel), &self.panel.known.keys);
        let daily: Vec<f64> = rows
            .chunk_by(|&a, &b| keys[a].day == keys[b].day)
            .map(|day| mean_of(day.iter().map(|&row| returns[row])))
            .collect();
        match DependentMean::newey_west(&daily, lag_days(self.spec.horizon.sessions())) {
            Some(DependentMean { mean, standard_error, .. }) if mean.abs() > standard_error => {
                mean * (1.0 - (standard_error / mean).powi(2))
            }
            _ => 0.0,
        }
    }

    /// The trees' hyperparameters for this many rows.
    fn params(&self, rows_count: usize) -> GbdtParams {
        let most = u32::try_from(rows_count / 16).unwrap_or(u32::MAX).max(1);
        let params = self.spec.members.gbdt;
        GbdtParams { min_data_in_leaf: params.min_data_in_leaf.min(most), ..params }
    }

    /// How many trees the validation rows ask for; at least one.
    fn trees_count(&self, fold: &Fold) -> Result<usize, FitError> {
        let params = self.params(fold.train_rows.len());
        let fitted = Gbdt { params, seed: self.spec.seed }.fit_trees(
            &self.panel.known.features,
            &self.target,
            &fold.train_rows,
            &fold.validation_rows,
        )?;
        Ok(fitted.trees_count().max(1))
    }

    /// Fits the members, with this many trees.
    fn fit_members(
        &self,
        rows: MemberRows<'_>,
        trees_count: usize,
    ) -> Result<FittedMembers, (&'static str, FitError)> {
        let Self { panel, spec, target, kind, .. } = self;
        let most = spec.members.gbdt.num_iterations;
        let num_iterations = u32::try_from(trees_count).map_or(most, |count| count.min(most));
        let params = self.params(rows.all.len());
        let gbdt = GbdtParams { num_iterations, early_stopping_rounds: 0, ..params };
        let members = MemberParams { gbdt, ..spec.members.clone() };
        members.fit(&panel.known, target, rows, spec.horizon, *kind, spec.seed)
    }

    fn protocol(&self) -> Protocol {
        let horizon_sessions = u32::from(self.spec.horizon.sessions());
        Protocol {
            scheme: "expanding_walk_forward".to_owned(),
            learning_target: self.kind,
            walk_forward: self.spec.walk_forward,
            purge_sessions: horizon_sessions,
            embargo_sessions: horizon_sessions,
            configurations_tried_count: CONFIGURATIONS_TRIED_COUNT,
            seed: self.spec.seed,
            costs: self.spec.costs,
        }
    }
}

/// The mean of a few values; zero when there are none.
fn mean_of(values: impl Iterator<Item = f64>) -> f64 {
    mean(&values.collect::<Vec<_>>())
}

/// What is forecast: the return over the whole horizon.
fn horizon_returns(panel: &Panel) -> &[f64] {
    panel.targets.step_returns.last().map_or(&[], Vec::as_slice)
}

/// The middle value, the lower of two; zero when there are none.
fn lower_median(counts: Vec<u64>) -> usize {
    let mut counts = counts;
    counts.sort_unstable();
    let middle = counts.len().saturating_sub(1) / 2;
    counts.get(middle).map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX))
}
