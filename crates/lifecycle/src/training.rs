//! Training: learn on folds, judge what came of it, fit the model that forecasts from now on.

use std::collections::BTreeMap;
use std::fmt;

use bist_market::Symbol;
use bist_models::{
    CalibrationError, ConformalBand, Drift, ElasticNet, Ets, FitError, Forecaster, Gbdt,
    GbdtParams, Horizon, LstmParams, Panel, ProbabilityError, ProphetParams, Ridge, SeasonalNaive,
};
use bist_trading::CostModel;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::combinatorial_purged::{CombinatorialPurged, CombinatorialPurgedError};
use crate::direction;
use crate::evaluation::{
    BAND_LEVELS, Baseline, ByBaseline, Evaluation, FoldLayout, Judged, LearningTarget,
    MemberWeights, OutOfFold, OutlookRecord, PathsEvaluation, Predicted, Protocol, RegimeShares,
    SYMBOLS_PER_DAY_MIN, evaluate, follow_bands, step_residuals,
};
use crate::forecast::FittedModel;
use crate::leak_gate::{self, Leak, LeakCheck};
use crate::members::{FittedMembers, MemberParams, MemberRows};
use crate::outlook::{FittedOutlook, for_rows_count};
use crate::rank_ic::{DependentMean, count, lag_days, mean};
use crate::regime::{self, RegimeWeights, Stacked, turbulence};
use crate::walk_forward::{Fold, LabelledRow, WalkForward, WalkForwardError, days_of, indices};

/// What the gate against leaks learns again: the warm-up and the first fold.
const LEAK_GATE_PARTS_COUNT: usize = 2;

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
    /// Hyperparameters of the trees of the outlook; their objective is not read.
    pub outlook: GbdtParams,
    /// Penalty of the ridge regression that the ensemble is compared with.
    pub ridge_alpha: f64,
    /// The elastic net that the ensemble is compared with.
    pub elastic_net: ElasticNet,
    /// Layout of the folds.
    pub walk_forward: WalkForward,
    /// The seed of everything random.
    pub seed: u64,
    /// What trading costs.
    pub costs: CostModel,
}

impl TrainingSpec {
    /// The one configuration that we stand by, for a weak signal among much noise: trees of four
    /// leaves, large leaves, a slow learning rate; an elastic net that drops what is hardly seen; a
    /// network of one small layer that sees two weeks; Prophet as its authors set it. The trees
    /// were chosen on generated markets, whose truth is known, before any record on real prices was
    /// looked at; the others were not chosen at all.
    ///
    /// Horizons within a session have the same but for the layout of the folds, and without Prophet,
    /// which learns series of days.
    pub fn of(horizon: Horizon, seed: u64) -> Self {
        let trees = GbdtParams {
            num_iterations: 300,
            learning_rate: 0.03,
            num_leaves: 4,
            min_data_in_leaf: 300,
            min_gain_to_split: 0.0,
            lambda_l2: 10.0,
            feature_fraction: 0.7,
            bagging_fraction: 0.7,
            bagging_freq: 1,
            max_bin: 63,
            early_stopping_rounds: 60,
            ..GbdtParams::default()
        };
        let (prophet, walk_forward) = match horizon {
            Horizon::Sessions(_) => (Some(ProphetParams::default()), WalkForward::default()),
            Horizon::NextHour | Horizon::EndOfDay => (None, WalkForward::HOURLY),
        };
        // Drops a feature whose correlation with the target is below a hundredth or so.
        let elastic_net = ElasticNet { alpha: 0.001, l1_ratio: 0.5 };
        Self {
            horizon,
            members: MemberParams {
                gbdt: trees,
                elastic_net: Some(elastic_net),
                lstm: Some(LstmParams {
                    steps: 10,
                    layers: 1,
                    hidden: 16,
                    batch_size: 256,
                    epochs_max: 8,
                    early_stopping_epochs: 2,
                    ..LstmParams::default()
                }),
                prophet,
            },
            outlook: GbdtParams {
                num_iterations: 100,
                learning_rate: 0.05,
                early_stopping_rounds: 0,
                ..trees
            },
            ridge_alpha: 1000.0,
            elastic_net,
            walk_forward,
            seed,
            costs: CostModel::default(),
        }
    }
}

/// What training is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainingStage {
    /// Learning before the first fold, so that the members can be weighted on it.
    WarmUp,
    /// Learning on a fold, counted from one.
    Fold {
        /// Which.
        number: usize,
        /// Of how many.
        folds_count: usize,
    },
    /// Learning on a split of the combinatorial cross-validation, counted from one.
    Split {
        /// Which.
        number: usize,
        /// Of how many.
        splits_count: usize,
    },
    /// Judging the forecasts.
    Evaluation,
    /// Learning again from data with another future, to see that it is not looked at.
    LeakGate,
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
        "the panel looks {} and the training {}: build it for the same",
        panel.in_words(),
        spec.in_words()
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
    /// The splits could not be laid out.
    #[error(transparent)]
    CombinatorialPurged(#[from] CombinatorialPurgedError),
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
    /// The probability of a rise could not be calibrated.
    #[error("calibrating the probability of a rise: {0}")]
    Direction(#[from] ProbabilityError),
    /// The model has seen the future.
    #[error(transparent)]
    Leak(#[from] Leak),
    /// The band could not be calibrated.
    #[error("calibrating the band: {0}")]
    Calibration(#[from] CalibrationError),
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
/// can be told from zero. With fewer than [`SYMBOLS_PER_DAY_MIN`] symbols at most moments, the
/// return itself is learned and there is no drift.
///
/// A row is learned from and judged when its return over the horizon is known, its volatility is
/// known and positive and, where symbols are compared, its moment has enough of them.
///
/// # Errors
///
/// [`TrainError`] when the history is too short, the rows cannot support a model, or something has
/// seen the future.
///
/// # Panics
///
/// Never: every fold has test rows, so there are forecasts to judge.
pub fn train(
    panel: &Panel,
    spec: &TrainingSpec,
    context: &TrainingContext<'_>,
    progress: &dyn Fn(TrainingProgress),
) -> Result<Trained, TrainError> {
    let lesson = Lesson::of(panel, spec)?;
    // The work is the warm-up and the folds, what the gate learns again, and the final fit.
    let parts_count = count(spec.walk_forward.folds_count as usize + 1 + LEAK_GATE_PARTS_COUNT + 1);
    let report = |stage, done: usize| {
        progress(TrainingProgress { stage, done_share: count(done) / parts_count });
    };
    let forecasts = lesson.forecast_folds(usize::MAX, &report)?;
    let folds_count = forecasts.layouts.len();
    report(TrainingStage::LeakGate, folds_count + 1);
    let leak_check = lesson.pass_leak_gate(&forecasts, context.other_future)?;

    let OutOfFoldForecasts { warm_up, records, layouts, weights } = forecasts;
    let learned_count = folds_count + 1 + LEAK_GATE_PARTS_COUNT;
    report(TrainingStage::Evaluation, learned_count);
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

    report(TrainingStage::FinalFit, learned_count);
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
    report(TrainingStage::FinalFit, learned_count + 1);
    let drift = lesson.drift(&all);
    let outlook = FittedOutlook::fit(panel, &all, spec.outlook, spec.seed)
        .map_err(|source| TrainError::Fit { kind: Gbdt::KIND, fold: None, source })?;
    Ok(Trained {
        model: FittedModel {
            calibration_slope: evaluation.calibration_slope,
            members,
            weights,
            drift,
            outlook,
            band,
            adaptive: bands.adaptive,
            direction: direction.in_force.calibration,
            horizon: spec.horizon,
        },
        evaluation,
        trees_count,
        first_day: rows[0].day,
        last_day: rows[rows.len() - 1].day,
        rows_count: rows.len(),
    })
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

/// What there is to learn from a panel.
struct Lesson<'a> {
    panel: &'a Panel,
    spec: &'a TrainingSpec,
    kind: LearningTarget,
    /// The rows to learn from and to be judged on, sorted by day.
    rows: Vec<LabelledRow>,
    /// The days over which the folds are laid: those of `rows`.
    days: Vec<Date>,
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
        let keys = &panel.known.keys;
        let moments = || rows.chunk_by(|a, b| keys[a.row].moment() == keys[b.row].moment());
        let wide = || moments().filter(|moment| moment.len() >= SYMBOLS_PER_DAY_MIN);
        let mut target = returns.to_vec();
        if 2 * wide().count() < moments().count() {
            let days = days_of(&rows);
            return Ok(Self { panel, spec, kind: LearningTarget::Absolute, rows, days, target });
        }
        for moment in wide() {
            let common = mean_of(moment.iter().map(|row| returns[row.row]));
            for row in moment {
                target[row.row] -= common;
            }
        }
        rows = wide().flatten().copied().collect();
        let days = days_of(&rows);
        Ok(Self { panel, spec, kind: LearningTarget::RelativeToDay, rows, days, target })
    }

    /// Learns and forecasts on the first `blocks_count_max` folds.
    fn forecast_folds(
        &self,
        blocks_count_max: usize,
        begun: &dyn Fn(TrainingStage, usize),
    ) -> Result<OutOfFoldForecasts, TrainError> {
        let embargo_days = usize::from(self.spec.horizon.sessions());
        let walk_forward = &self.spec.walk_forward;
        let folds = walk_forward.folds_over(&self.days, &self.rows, embargo_days)?;
        begun(TrainingStage::WarmUp, 0);
        let mut warm_up = match walk_forward.warm_up(&self.days, &self.rows, embargo_days) {
            Some(fold) => self.learn_fold(&fold, 0)?.0,
            None => Vec::new(),
        };
        let (mut records, mut layouts) = (Vec::new(), Vec::new());
        for (number, fold) in (1..).zip(folds.iter().take(blocks_count_max)) {
            begun(TrainingStage::Fold { number, folds_count: folds.len() }, number);
            let (forecasts, trees_count) = self.learn_fold(fold, number)?;
            records.extend(forecasts);
            layouts.push(FoldLayout::of(fold, trees_count));
        }
        let weights = self.weigh(&mut warm_up, &mut records, &layouts);
        Ok(OutOfFoldForecasts { warm_up, records, layouts, weights })
    }

    /// Changes the future after the day on which the first fold's test block begins, learns again up
    /// to that fold, and compares.
    fn pass_leak_gate(
        &self,
        forecasts: &OutOfFoldForecasts,
        other_future: &dyn Fn(Date) -> Panel,
    ) -> Result<LeakCheck, TrainError> {
        let day = forecasts.layouts.first().expect("there is a fold").test_from;
        let other = other_future(day);
        let values_count = leak_gate::compare_known(self.panel, &other, day)?;
        // The folds stay where they are, though an outcome may be known in one future only.
        let lesson = Lesson { days: self.days.clone(), ..Lesson::of(&other, self.spec)? };
        let others = lesson.forecast_folds(1, &|_, _| {})?;
        let kinds = self.spec.members.kinds();
        let forecasts_count =
            leak_gate::compare_forecasts(&forecasts.records, &others.records, &kinds, day)?;
        Ok(LeakCheck { changed_after: day, values_count, forecasts_count })
    }

    /// Fits all models on one fold; gives their forecasts for the test block, the ensemble's not yet
    /// among them, and the number of trees.
    ///
    /// `number` counts the folds from one; zero is the warm-up.
    fn learn_fold(
        &self,
        fold: &Fold,
        number: usize,
    ) -> Result<(Vec<OutOfFold>, usize), TrainError> {
        let Self { panel, spec, target, .. } = self;
        let known = &panel.known;
        let failed = |(kind, source)| TrainError::Fit { kind, fold: Some(number), source };
        let mut seen = [fold.train_rows.as_slice(), &fold.validation_rows].concat();
        seen.sort_unstable();

        let trees_count = self.trees_count(fold).map_err(|source| failed((Gbdt::KIND, source)))?;
        let member_rows =
            MemberRows { train: &fold.train_rows, validation: &fold.validation_rows, all: &seen };
        let members = self.fit_members(member_rows, trees_count).map_err(failed)?;
        let drift = self.drift(&seen);
        let outlook = FittedOutlook::fit(panel, &seen, spec.outlook, spec.seed)
            .map_err(|source| failed((Gbdt::KIND, source)))?;

        let rows = &fold.test_rows;
        let of_members = members.predict(known, rows);
        let baselines = self.forecast_baselines(&seen, rows, drift).map_err(failed)?;
        let turbulence = turbulence(known, rows);
        let outlooks = outlook.predict(known, rows, &panel.targets.volatility);
        let forecasts = rows.iter().enumerate().filter_map(|(at, &row)| {
            let (key, targets) = (panel.known.keys[row], &panel.targets);
            Some(OutOfFold {
                symbol: key.symbol,
                day: key.day,
                time: key.time,
                known_on: targets.known_on[row]?,
                fold: number.saturating_sub(1),
                predicted: Predicted {
                    model: f64::NAN,
                    baselines: ByBaseline::of(|baseline| baselines[baseline][at]),
                },
                members: of_members.iter().map(|forecasts| drift + forecasts[at]).collect(),
                turbulence: turbulence[at],
                drift,
                learned: target[row],
                step_returns: targets.step_returns.iter().map(|returns| returns[row]).collect(),
                tradable_return: targets.tradable_return[row],
                volatility: targets.volatility[row],
                outlook: OutlookRecord {
                    said: outlooks[at],
                    average: outlook.average(targets.volatility[row]),
                    rose: targets.rose(row),
                    realised_volatility: targets.realised_volatility[row],
                    barrier: targets.barrier[row],
                },
            })
        });
        Ok((forecasts.collect(), trees_count))
    }

    /// What each baseline, having learned from the rows `seen`, forecasts for `rows`.
    fn forecast_baselines(
        &self,
        seen: &[usize],
        rows: &[usize],
        drift: f64,
    ) -> Result<ByBaseline<Vec<f64>>, (&'static str, FitError)> {
        let (known, spec) = (&self.panel.known, self.spec);
        let (returns, horizon) = (horizon_returns(self.panel), spec.horizon);
        let forecast = |model: &dyn Forecaster, y: &[f64], plus: f64| {
            let fitted = model.fit(known, y, seen, &[]).map_err(|source| (model.kind(), source))?;
            Ok(fitted.predict(known, rows).into_iter().map(|value| plus + value).collect())
        };
        let linear = |model: &dyn Forecaster| forecast(model, &self.target, drift);
        let of_price = |model: &dyn Forecaster| forecast(model, returns, 0.0);
        let training_mean = mean_of(seen.iter().map(|&row| returns[row]));
        ByBaseline::try_of(|baseline| match baseline {
            Baseline::Ridge => linear(&Ridge { alpha: spec.ridge_alpha }),
            Baseline::ElasticNet => linear(&spec.elastic_net),
            Baseline::Ets => of_price(&Ets { horizon }),
            Baseline::Drift => of_price(&Drift { horizon }),
            Baseline::SeasonalNaive => of_price(&SeasonalNaive { horizon }),
            Baseline::TrainingMean => Ok(vec![training_mean; rows.len()]),
            Baseline::Zero => Ok(vec![0.0; rows.len()]),
        })
    }

    /// Weights the members on each fold by the records whose outcome was known before its block
    /// began, and fills in the ensemble's forecasts; the last weights are those of all records.
    fn weigh(
        &self,
        warm_up: &mut [OutOfFold],
        records: &mut [OutOfFold],
        layouts: &[FoldLayout],
    ) -> Vec<RegimeWeights> {
        let members_count = self.spec.members.kinds().len();
        let fit = |wanted: &dyn Fn(&OutOfFold) -> bool| {
            let rows: Vec<Stacked> = warm_up
                .iter()
                .chain(records.iter())
                .filter(|record| wanted(record))
                .map(|record| Stacked {
                    forecasts: record.members.iter().map(|member| member - record.drift).collect(),
                    outcome: record.learned,
                    turbulence: record.turbulence,
                })
                .collect();
            RegimeWeights::fit(&rows, members_count, STACKING_PRIOR_SHARE)
                .expect("members are few and forecasts are finite")
        };
        let mut weights: Vec<RegimeWeights> = layouts
            .iter()
            .map(|layout| fit(&|record| record.known_on < layout.test_from))
            .collect();
        weights.push(fit(&|_| true));
        let alike = fit(&|_| false).at(0.0);
        for record in warm_up {
            record.predicted.model = regime::combine(&alike, &record.members);
        }
        for record in records {
            let weights = weights[record.fold].at(record.turbulence);
            record.predicted.model = regime::combine(&weights, &record.members);
        }
        weights
    }

    /// What is added to forecasts of models fitted to `rows`, which are sorted by day.
    ///
    /// With the mean `m` over days of the mean over moments of the mean returns and its standard
    /// error `s` by Newey and West this is `m max(0, 1 - s^2 / m^2)`: the positive-part estimator
    /// of James and Stein (1961), "Estimation with Quadratic Loss", for a single mean.
    fn drift(&self, rows: &[usize]) -> f64 {
        if self.kind == LearningTarget::Absolute {
            return 0.0;
        }
        let (returns, keys) = (horizon_returns(self.panel), &self.panel.known.keys);
        let daily: Vec<f64> = rows
            .chunk_by(|&a, &b| keys[a].day == keys[b].day)
            .map(|day| {
                let moments = day.chunk_by(|&a, &b| keys[a].moment() == keys[b].moment());
                mean_of(moments.map(|rows| mean_of(rows.iter().map(|&row| returns[row]))))
            })
            .collect();
        match DependentMean::newey_west(&daily, lag_days(self.spec.horizon.sessions())) {
            Some(DependentMean { mean, standard_error, .. }) if mean.abs() > standard_error => {
                mean * (1.0 - (standard_error / mean).powi(2))
            }
            _ => 0.0,
        }
    }

    /// How many trees the validation rows ask for; at least one.
    fn trees_count(&self, fold: &Fold) -> Result<usize, FitError> {
        let params = for_rows_count(self.spec.members.gbdt, fold.train_rows.len());
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
        let params = for_rows_count(spec.members.gbdt, rows.all.len());
        let gbdt = GbdtParams { num_iterations, early_stopping_rounds: 0, ..params };
        let members = MemberParams { gbdt, ..spec.members.clone() };
        members.fit(&panel.known, target, rows, spec.horizon, *kind, spec.seed)
    }

    fn protocol(&self, configurations_count: u32) -> Protocol {
        let horizon_sessions = u32::from(self.spec.horizon.sessions());
        Protocol {
            scheme: "expanding_walk_forward".to_owned(),
            learning_target: self.kind,
            walk_forward: self.spec.walk_forward,
            purge_sessions: horizon_sessions,
            embargo_sessions: horizon_sessions,
            configurations_tried_count: configurations_count,
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
