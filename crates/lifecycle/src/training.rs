//! Training: learn on folds, judge what came of it, fit the model that forecasts from now on.

use bist_models::{
    CalibrationError, ConformalBand, FitError, FittedForecaster, FittedGbdt, Forecaster, Gbdt,
    GbdtParams, Horizon, Panel, Ridge, SeasonalNaive,
};
use bist_trading::CostModel;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::{
    BAND_LEVELS, Evaluation, FoldLayout, OutOfFold, Predicted, Protocol, evaluate, step_residuals,
};
use crate::forecast::{ErrorDistribution, FittedModel};
use crate::rank_ic::{count, mean};
use crate::walk_forward::{Fold, LabelledRow, WalkForward, WalkForwardError};

/// Everything that decides what training makes of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSpec {
    /// How far ahead to forecast; that of the panel.
    pub horizon: Horizon,
    /// Hyperparameters of the trees. `num_iterations` is the most that a fold may grow.
    pub gbdt: GbdtParams,
    /// Penalty of the ridge regression that the trees are compared with.
    pub ridge_alpha: f64,
    /// Layout of the folds.
    pub walk_forward: WalkForward,
    /// The seed of everything random.
    pub seed: u64,
    /// What trading costs.
    pub costs: CostModel,
}

impl TrainingSpec {
    /// The one configuration that we stand by, chosen for a weak signal among much noise before any
    /// record was looked at: small trees, large leaves, a slow learning rate.
    pub fn of(horizon: Horizon, seed: u64) -> Self {
        Self {
            horizon,
            gbdt: GbdtParams {
                num_iterations: 300,
                learning_rate: 0.04,
                num_leaves: 15,
                min_data_in_leaf: 100,
                min_gain_to_split: 0.0,
                lambda_l2: 5.0,
                feature_fraction: 0.5,
                bagging_fraction: 0.7,
                bagging_freq: 1,
                max_bin: 63,
                early_stopping_rounds: 40,
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
/// they are fitted anew, with the number of trees found, to both. So the forecasts judged are those
/// of a model that has seen everything it was allowed to see, made by the same steps as the final
/// model, which is fitted to all rows with the median number of trees. Ridge regression and the
/// training mean learn from the same rows.
///
/// A row is learned from and judged when its return over the horizon is known, and its volatility
/// is known and positive.
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
    // The work is the folds and the final fit, which takes about as long as one of them.
    let parts_count = count(spec.walk_forward.folds_count as usize + 1);
    let report = |stage, done: usize| {
        progress(TrainingProgress { stage, done_share: count(done) / parts_count });
    };
    let OutOfFoldForecasts { records, layouts } = forecast_folds(panel, spec, &report)?;

    report(TrainingStage::Evaluation, layouts.len());
    let evaluation = evaluate(Gbdt::KIND, spec.horizon, &records, &layouts, protocol(spec));
    let residuals = step_residuals(records.iter(), spec.horizon);
    let band = ConformalBand::calibrate(&residuals, &BAND_LEVELS)?;
    let errors = residuals.last().and_then(|last| ErrorDistribution::of(last));
    let errors = errors.expect("a band cannot be calibrated on no errors");

    report(TrainingStage::FinalFit, layouts.len());
    let rows = labelled_rows(panel);
    let trees_count = lower_median(layouts.iter().map(|layout| layout.trees_count).collect());
    let all: Vec<usize> = rows.iter().map(|row| row.row).collect();
    let gbdt = fit_trees_count(panel, spec, &all, trees_count)
        .map_err(|source| TrainError::Fit { kind: Gbdt::KIND, fold: None, source })?;
    progress(TrainingProgress { stage: TrainingStage::FinalFit, done_share: 1.0 });
    Ok(Trained {
        evaluation,
        model: FittedModel { gbdt, band, errors, horizon: spec.horizon },
        trees_count,
        first_day: rows[0].day,
        last_day: rows[rows.len() - 1].day,
        rows_count: rows.len(),
    })
}

/// The forecasts that the folds made for their test blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct OutOfFoldForecasts {
    /// The forecasts with what came, by day and symbol.
    pub records: Vec<OutOfFold>,
    /// Where the folds lay.
    pub layouts: Vec<FoldLayout>,
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
    if panel.targets.horizon != spec.horizon {
        return Err(TrainError::HorizonMismatch {
            panel: panel.targets.horizon,
            spec: spec.horizon,
        });
    }
    let embargo_days = usize::from(spec.horizon.sessions());
    let folds = spec.walk_forward.folds(&labelled_rows(panel), embargo_days)?;
    let (mut records, mut layouts) = (Vec::new(), Vec::new());
    for (index, fold) in folds.iter().enumerate() {
        begun(TrainingStage::Fold { number: index + 1, folds_count: folds.len() }, index);
        let (forecasts, trees_count) = learn_fold(panel, spec, fold, index)?;
        records.extend(forecasts);
        layouts.push(FoldLayout::of(fold, trees_count));
    }
    Ok(OutOfFoldForecasts { records, layouts })
}

/// The rows whose return over the horizon is known and whose volatility is known and positive.
fn labelled_rows(panel: &Panel) -> Vec<LabelledRow> {
    let targets = &panel.targets;
    let returns = horizon_returns(panel);
    panel
        .keys
        .iter()
        .enumerate()
        .filter(|(row, _)| returns[*row].is_finite() && targets.volatility[*row] > 0.0)
        .filter_map(|(row, key)| {
            Some(LabelledRow { row, day: key.day, known_on: targets.known_on[row]? })
        })
        .collect()
}

/// What is forecast: the return over the whole horizon.
fn horizon_returns(panel: &Panel) -> &[f64] {
    panel.targets.step_returns.last().map_or(&[], Vec::as_slice)
}

/// Fits all models on one fold; gives their forecasts for the test block and the number of trees.
fn learn_fold(
    panel: &Panel,
    spec: &TrainingSpec,
    fold: &Fold,
    index: usize,
) -> Result<(Vec<OutOfFold>, usize), TrainError> {
    let (x, y) = (&panel.features, horizon_returns(panel));
    let failed = |kind| move |source| TrainError::Fit { kind, fold: Some(index + 1), source };
    let mut seen = [fold.train_rows.as_slice(), &fold.validation_rows].concat();
    seen.sort_unstable();

    let stopped = Gbdt { params: spec.gbdt, seed: spec.seed }
        .fit_trees(x, y, &fold.train_rows, &fold.validation_rows)
        .map_err(failed(Gbdt::KIND))?;
    let trees_count = stopped.trees_count();
    let gbdt = fit_trees_count(panel, spec, &seen, trees_count).map_err(failed(Gbdt::KIND))?;
    let ridge =
        Ridge { alpha: spec.ridge_alpha }.fit(x, y, &seen, &[]).map_err(failed(Ridge::KIND))?;
    let naive = SeasonalNaive { horizon: spec.horizon }
        .fit(x, y, &seen, &[])
        .map_err(failed(SeasonalNaive::KIND))?;
    let training_mean = mean(&seen.iter().map(|&row| y[row]).collect::<Vec<_>>());

    let rows = &fold.test_rows;
    let predicted = gbdt.predict(x, rows).into_iter();
    let predicted = predicted.zip(ridge.predict(x, rows)).zip(naive.predict(x, rows)).map(
        |((model, ridge), seasonal_naive)| Predicted {
            model,
            ridge,
            seasonal_naive,
            training_mean,
        },
    );
    let forecasts = rows.iter().zip(predicted);
    let forecasts = forecasts.filter_map(|(&row, predicted)| {
        let (key, targets) = (panel.keys[row], &panel.targets);
        Some(OutOfFold {
            symbol: key.symbol,
            day: key.day,
            known_on: targets.known_on[row]?,
            fold: index,
            predicted,
            step_returns: targets.step_returns.iter().map(|returns| returns[row]).collect(),
            tradable_return: targets.tradable_return[row],
            volatility: targets.volatility[row],
        })
    });
    Ok((forecasts.collect(), trees_count))
}

/// Fits this many trees, at least one, to `rows`, without stopping early.
fn fit_trees_count(
    panel: &Panel,
    spec: &TrainingSpec,
    rows: &[usize],
    trees_count: usize,
) -> Result<FittedGbdt, FitError> {
    let num_iterations = u32::try_from(trees_count.max(1)).unwrap_or(spec.gbdt.num_iterations);
    let params = GbdtParams { num_iterations, early_stopping_rounds: 0, ..spec.gbdt };
    Gbdt { params, seed: spec.seed }.fit_trees(&panel.features, horizon_returns(panel), rows, &[])
}

fn protocol(spec: &TrainingSpec) -> Protocol {
    let horizon_sessions = u32::from(spec.horizon.sessions());
    Protocol {
        scheme: "expanding_walk_forward".to_owned(),
        walk_forward: spec.walk_forward,
        purge_sessions: horizon_sessions,
        embargo_sessions: horizon_sessions,
        configurations_tried_count: 1,
        seed: spec.seed,
        costs: spec.costs,
    }
}

/// The middle value, the lower of two; zero when there are none.
fn lower_median(counts: Vec<u64>) -> usize {
    let mut counts = counts;
    counts.sort_unstable();
    let middle = counts.len().saturating_sub(1) / 2;
    counts.get(middle).map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX))
}
