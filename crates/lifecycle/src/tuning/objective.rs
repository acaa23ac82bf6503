//! What a trial is judged by: forecasts of unseen days before the hold-out.

use std::ops::ControlFlow;
use std::sync::Arc;

use bist_models::{FeatureSpec, FitError, FittedForecaster as _, Panel};
use bist_trading::{AfterCosts, Opportunity, ReturnInterval};
use serde_json::json;

use super::epochs::{go_on, learn_side_by_side};
use super::{HoldOut, Part, SpaceError, spec_of};
use crate::evaluation::{
    DailyCoefficients, FoldLayout, LearningTarget, OutOfFold, calibration_slope,
};
use crate::members::Member;
use crate::rank_ic::{Correlation, DependentMean, lag_days, mean};
use crate::study::{Trial, TrialEnd};
use crate::training::{
    Lesson, OutOfFoldForecasts, TrainError, TrainingSpec, forecast_folds, horizon_returns,
};

/// The user attribute with the standard error of a trial's value, by Newey and West.
pub const STANDARD_ERROR_ATTR: &str = "bist:standard_error";

/// The user attribute with the value of each fold.
pub const FOLDS_ATTR: &str = "bist:folds";

/// Builds the panel with given windows, to the end of the history.
pub type PanelOf<'a> = dyn Fn(FeatureSpec) -> Panel + Send + Sync + 'a;

/// Judges configurations of one part on what was known before the hold-out.
///
/// The value of a configuration is the mean daily rank information coefficient of forecasts of
/// unseen days, over the purged folds of a walk-forward; it is reported fold by fold, so that a
/// pruner can end a trial early, and that of the network, which is slow, on the validation rows of
/// all folds epoch by epoch. Members are judged alone. Windows of features are judged by the
/// trees and the elastic net, which read the features of the day alone, weighted alike. The
/// ensemble is judged by what all its members forecast, and the signal by what following it would
/// have earned a period after costs, and by the share of the money that was bought and sold in one.
pub struct Objective<'a> {
    part: Part,
    base: TrainingSpec,
    hold_out: HoldOut,
    panel_of: Box<PanelOf<'a>>,
    /// The panel with the windows of the base, cut before the hold-out.
    panel: Arc<Panel>,
    /// What the members of the base forecast on the folds, where trials share it.
    forecasts: Option<OutOfFoldForecasts>,
}

/// How a trial went, before anything of it is written down.
#[derive(Debug)]
struct Judged {
    /// One for each objective.
    values: Vec<f64>,
    standard_error: Option<f64>,
    folds: Vec<f64>,
}

impl<'a> Objective<'a> {
    /// Prepares to judge `part` of configurations that are otherwise as `base`.
    ///
    /// # Errors
    ///
    /// [`TrainError`] when the history before the hold-out is too short, or the members of the base
    /// cannot be fitted; [`TrainError::TooFewSymbols`] when symbols cannot be compared on most days.
    pub fn prepare(
        part: Part,
        base: TrainingSpec,
        hold_out: HoldOut,
        panel_of: Box<PanelOf<'a>>,
    ) -> Result<Self, TrainError> {
        let panel = hold_out.tuning_panel(&panel_of(base.features));
        let lesson = Lesson::of(&panel, &base)?;
        if lesson.kind == LearningTarget::Absolute {
            return Err(TrainError::TooFewSymbols);
        }
        lesson.folds()?;
        let forecasts = match part.builds_on_others() {
            true => Some(forecast_folds(&panel, &base, &|_, _| ControlFlow::Continue(()))?),
            false => None,
        };
        Ok(Self { part, base, hold_out, panel_of, panel: Arc::new(panel), forecasts })
    }

    /// Runs one trial: chooses a configuration, lets `look` know of it, and judges it.
    ///
    /// # Errors
    ///
    /// How the trial ended without a value; among them what `look` gave.
    pub fn run(
        &self,
        trial: &mut Trial<'_>,
        look: &dyn Fn(&TrainingSpec) -> Result<(), TrialEnd>,
    ) -> Result<Vec<f64>, TrialEnd> {
        let spec = spec_of(self.part, &self.base, &mut |name, distribution| {
            trial.suggest(name, distribution)
        })?;
        look(&spec)?;
        let judged = match self.part {
            Part::Trees => self.judge_members(trial, &spec, &[Member::Trees])?,
            Part::ElasticNet => self.judge_members(trial, &spec, &[Member::ElasticNet])?,
            Part::Lstm => self.judge_network(trial, &spec)?,
            Part::Prophet => self.judge_members(trial, &spec, &[Member::Prophet])?,
            Part::Features => {
                self.judge_members(trial, &spec, &[Member::Trees, Member::ElasticNet])?
            }
            Part::Ensemble => self.judge_ensemble(trial, &spec)?,
            Part::Signal => self.judge_signal(&spec)?,
        };
        if let Some(standard_error) = judged.standard_error {
            trial.set_user_attr(STANDARD_ERROR_ATTR, &json!(standard_error))?;
        }
        if !judged.folds.is_empty() {
            trial.set_user_attr(FOLDS_ATTR, &json!(judged.folds))?;
        }
        Ok(judged.values)
    }

    /// The members by themselves, weighted alike.
    fn judge_members(
        &self,
        trial: &mut Trial<'_>,
        spec: &TrainingSpec,
        members: &[Member],
    ) -> Result<Judged, TrialEnd> {
        let panel = if spec.features == self.base.features {
            Arc::clone(&self.panel)
        } else {
            Arc::new(self.hold_out.tuning_panel(&(self.panel_of)(spec.features)))
        };
        let lesson = Lesson::of(&panel, spec).map_err(failed)?;
        let folds = lesson.folds().map_err(failed)?;
        let mut record = Record::default();
        for fold in &folds {
            let mut of_members = Vec::new();
            for &member in members {
                of_members.extend(lesson.forecast_alone(member, fold).map_err(not_fitted)?);
            }
            let combined: Vec<f64> = (0..fold.test_rows.len())
                .map(|at| mean(&of_members.iter().map(|of| of[at]).collect::<Vec<_>>()))
                .collect();
            record.end_fold(&daily_rank_ics(&panel, &fold.test_rows, &combined));
            record.report(trial, folds.len())?;
        }
        record.judged(spec)
    }

    /// The network by itself, of which the folds learn side by side, watched epoch by epoch.
    fn judge_network(
        &self,
        trial: &mut Trial<'_>,
        spec: &TrainingSpec,
    ) -> Result<Judged, TrialEnd> {
        let Some(params) = spec.members.lstm else {
            return Err(TrialEnd::Failed("the network takes no part".to_owned()));
        };
        let lesson = Lesson::of(&self.panel, spec).map_err(failed)?;
        let folds = lesson.folds().map_err(failed)?;
        let begin = |fold| Ok((fold, lesson.begin_network(params, fold).map_err(not_fitted)?));
        let folds = folds.iter().map(begin).collect::<Result<Vec<_>, TrialEnd>>()?;
        let networks = learn_side_by_side(folds, trial, |fold, forecasts| {
            daily_rank_ics(&self.panel, &fold.validation_rows, forecasts)
        })?;
        let mut record = Record::default();
        for (fold, network) in networks {
            let forecasts = network.predict(&self.panel.known, &fold.test_rows);
            record.end_fold(&daily_rank_ics(&self.panel, &fold.test_rows, &forecasts));
        }
        record.judged(spec)
    }

    /// The ensemble, of forecasts that the members of the base made once.
    fn judge_ensemble(
        &self,
        trial: &mut Trial<'_>,
        spec: &TrainingSpec,
    ) -> Result<Judged, TrialEnd> {
        let forecasts = self.reweighed(spec)?;
        let coefficients =
            DailyCoefficients::of(&forecasts.records, Correlation::Spearman, |record| {
                record.predicted.model
            });
        let mut record = Record::default();
        for fold in 0..forecasts.layouts.len() {
            let of_fold = coefficients.days.iter().filter(|day| day.fold == fold);
            record.end_fold(&of_fold.map(|day| day.value).collect::<Vec<_>>());
            record.report(trial, forecasts.layouts.len())?;
        }
        record.judged(spec)
    }

    /// The forecasts of the base's members that take part in `spec`, weighted as it says.
    fn reweighed(&self, spec: &TrainingSpec) -> Result<OutOfFoldForecasts, TrialEnd> {
        let mut forecasts = self.shared_forecasts().clone();
        let kinds = spec.members.kinds();
        let kept: Vec<usize> = (self.base.members.kinds().iter().enumerate())
            .filter(|(_, kind)| kinds.contains(kind))
            .map(|(index, _)| index)
            .collect();
        for record in forecasts.warm_up.iter_mut().chain(&mut forecasts.records) {
            record.members = kept.iter().map(|&index| record.members[index]).collect();
        }
        let lesson = Lesson::of(&self.panel, spec).map_err(failed)?;
        forecasts.weights =
            lesson.weigh(&mut forecasts.warm_up, &mut forecasts.records, &forecasts.layouts);
        Ok(forecasts)
    }

    fn judge_signal(&self, spec: &TrainingSpec) -> Result<Judged, TrialEnd> {
        let OutOfFoldForecasts { warm_up, records, layouts, .. } = self.shared_forecasts();
        let after_costs = follow_policy(warm_up, records, layouts, spec);
        let net = after_costs.as_ref().and_then(|after| after.net_return_share);
        match (after_costs, net) {
            (Some(after), Some(net)) => Ok(Judged {
                values: vec![net.value, after.turnover_share],
                standard_error: None,
                folds: Vec::new(),
            }),
            _ => Err(TrialEnd::Failed("there are too few periods to follow a signal".to_owned())),
        }
    }

    fn shared_forecasts(&self) -> &OutOfFoldForecasts {
        self.forecasts.as_ref().expect("they were prepared for the parts that share them")
    }
}

impl std::fmt::Debug for Objective<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objective")
            .field("part", &self.part)
            .field("base", &self.base)
            .field("hold_out", &self.hold_out)
            .finish_non_exhaustive()
    }
}

impl From<SpaceError> for TrialEnd {
    fn from(error: SpaceError) -> Self {
        Self::Failed(error.to_string())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn failed(error: TrainError) -> TrialEnd {
    TrialEnd::Failed(error.to_string())
}

fn not_fitted((kind, source): (&'static str, FitError)) -> TrialEnd {
    TrialEnd::Failed(format!("fitting the {kind} model: {source}"))
}

/// The daily coefficients of a trial so far.
#[derive(Debug, Default)]
struct Record {
    daily: Vec<f64>,
    /// The mean of each fold.
    folds: Vec<f64>,
}

impl Record {
    fn end_fold(&mut self, daily: &[f64]) {
        self.daily.extend(daily);
        self.folds.push(mean(daily));
    }

    /// Reports the coefficient so far, unless all `folds_count` are over when nothing follows that
    /// could be spared.
    fn report(&self, trial: &mut Trial<'_>, folds_count: usize) -> Result<(), TrialEnd> {
        let (step, value) = (self.folds.len() as u64, mean(&self.daily));
        if self.folds.len() == folds_count {
            return trial.report(step, value);
        }
        go_on(trial, step, value)
    }

    fn judged(self, spec: &TrainingSpec) -> Result<Judged, TrialEnd> {
        let whole = DependentMean::newey_west(&self.daily, lag_days(spec.horizon.sessions()));
        let whole = whole.ok_or_else(|| TrialEnd::Failed("there are too few days".to_owned()))?;
        let standard_error = Some(whole.standard_error);
        Ok(Judged { values: vec![whole.mean], standard_error, folds: self.folds })
    }
}

/// The rank coefficient of each day of `rows`, which are sorted, between forecasts and returns over
/// the horizon; of hourly rows the mean of that of its hours.
fn daily_rank_ics(panel: &Panel, rows: &[usize], forecasts: &[f64]) -> Vec<f64> {
    let (keys, returns) = (&panel.known.keys, horizon_returns(panel));
    let mut begin = 0;
    let of_moment = |rows: &[usize]| {
        let of_moment = &forecasts[begin..begin + rows.len()];
        begin += rows.len();
        let realised: Vec<f64> = rows.iter().map(|&row| returns[row]).collect();
        (keys[rows[0]].day, Correlation::Spearman.of(of_moment, &realised))
    };
    let moments: Vec<_> =
        rows.chunk_by(|&a, &b| keys[a].moment() == keys[b].moment()).map(of_moment).collect();
    let days = moments.chunk_by(|a, b| a.0 == b.0);
    days.map(|day| mean(&day.iter().map(|moment| moment.1).collect::<Vec<_>>())).collect()
}

/// What buying by the signals of `spec` would have earned on `records`, whose forecasts stand; what
/// a forecast is worth is told on each fold by the records, of those before (`warm_up`) and these,
/// whose outcome was known before it began.
pub(super) fn follow_policy(
    warm_up: &[OutOfFold],
    records: &[OutOfFold],
    layouts: &[FoldLayout],
    spec: &TrainingSpec,
) -> Option<AfterCosts> {
    let lag = lag_days(spec.horizon.sessions());
    let cost_share = spec.costs.round_trip_share();
    let slopes: Vec<(f64, f64)> = layouts
        .iter()
        .map(|layout| {
            let known: Vec<OutOfFold> = (warm_up.iter().chain(records))
                .filter(|record| record.known_on < layout.test_from)
                .cloned()
                .collect();
            let model = |record: &OutOfFold| record.predicted.model;
            let method = DailyCoefficients::of(&known, Correlation::Spearman, model).method;
            let slope = calibration_slope(&known, method, lag);
            slope.map_or((-1.0, 1.0), |slope| (slope.low, slope.high))
        })
        .collect();
    let opportunities: Vec<Opportunity> = records
        .iter()
        .map(|record| {
            let expected = record.predicted.model;
            let of_members = expected - record.drift;
            let (low, high) = slopes[record.fold];
            let ends = (record.drift + low * of_members, record.drift + high * of_members);
            let interval_80 = ReturnInterval { low: ends.0.min(ends.1), high: ends.0.max(ends.1) };
            let bought = spec.signal.buys(expected, interval_80, cost_share);
            Opportunity {
                day: record.day,
                time: record.time,
                // What is not bought is as if nothing were expected of it.
                expected_return_share: if bought { expected.exp_m1() } else { 0.0 },
                traded_return_share: Some(record.tradable_return)
                    .filter(|known| known.is_finite())
                    .map(f64::exp_m1),
                held_return_share: record.realised().exp_m1(),
            }
        })
        .collect();
    AfterCosts::of(&opportunities, spec.horizon, &spec.costs)
}
