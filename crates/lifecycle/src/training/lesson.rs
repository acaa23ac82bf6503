//! What there is to learn from a panel, and learning it fold by fold.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bist_models::{
    Drift, Ets, FitError, Forecaster, Gbdt, GbdtParams, Lstm, LstmParams, LstmTraining, Panel,
    Ridge, SeasonalNaive,
};
use jiff::civil::Date;

use super::{OutOfFoldForecasts, TrainError, TrainingSpec, TrainingStage};
use crate::evaluation::{
    Baseline, ByBaseline, FoldLayout, LearningTarget, OutOfFold, OutlookRecord, Predicted,
    Protocol, SYMBOLS_PER_DAY_MIN,
};
use crate::leak_gate::{self, LeakCheck};
use crate::members::{FittedMembers, GivenTrees, Learned, Member, MemberParams, MemberRows};
use crate::outlook::{FittedOutlook, for_rows_count};
use crate::rank_ic::{DependentMean, lag_days, mean};
use crate::regime::{self, RegimeWeights, Stacked, turbulence};
use crate::walk_forward::{Fold, LabelledRow, days_of};

/// What there is to learn from a panel.
pub(crate) struct Lesson<'a> {
    pub(crate) panel: &'a Panel,
    pub(crate) spec: &'a TrainingSpec,
    pub(crate) kind: LearningTarget,
    /// The rows to learn from and to be judged on, sorted by day.
    pub(crate) rows: Vec<LabelledRow>,
    /// The days over which the folds are laid: those of `rows`.
    pub(crate) days: Vec<Date>,
    /// What is learned, for each row of the panel; read at `rows` only.
    pub(crate) target: Vec<f64>,
}

impl<'a> Lesson<'a> {
    pub(crate) fn of(panel: &'a Panel, spec: &'a TrainingSpec) -> Result<Self, TrainError> {
        let targets = &panel.targets;
        if targets.horizon != spec.horizon {
            return Err(TrainError::HorizonMismatch { panel: targets.horizon, spec: spec.horizon });
        }
        if let Some(given) = &spec.members.given
            && given.trees(panel.known.features.names()).is_none()
        {
            return Err(TrainError::NoGivenTrees);
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
    pub(crate) fn forecast_folds(
        &self,
        blocks_count_max: usize,
        begun: &dyn Fn(TrainingStage, usize) -> ControlFlow<()>,
    ) -> Result<OutOfFoldForecasts, TrainError> {
        let embargo_days = usize::from(self.spec.horizon.sessions());
        let walk_forward = &self.spec.walk_forward;
        let folds = self.folds()?;
        let begin = |stage, done| match begun(stage, done) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TrainError::Cancelled),
        };
        begin(TrainingStage::WarmUp, 0)?;
        let mut warm_up = match walk_forward.warm_up(&self.days, &self.rows, embargo_days) {
            Some(fold) => self.learn_fold(&fold, 0)?.0,
            None => Vec::new(),
        };
        let (mut records, mut layouts) = (Vec::new(), Vec::new());
        for (number, fold) in (1..).zip(folds.iter().take(blocks_count_max)) {
            begin(TrainingStage::Fold { number, folds_count: folds.len() }, number)?;
            let (forecasts, trees_count) = self.learn_fold(fold, number)?;
            records.extend(forecasts);
            layouts.push(FoldLayout::of(fold, trees_count));
        }
        let weights = self.weigh(&mut warm_up, &mut records, &layouts);
        Ok(OutOfFoldForecasts { warm_up, records, layouts, weights })
    }

    /// Changes the future after the day on which the first fold's test block begins, learns again up
    /// to that fold, and compares.
    pub(crate) fn pass_leak_gate(
        &self,
        forecasts: &OutOfFoldForecasts,
        other_future: &dyn Fn(Date) -> Panel,
    ) -> Result<LeakCheck, TrainError> {
        let day = forecasts.layouts.first().expect("there is a fold").test_from;
        let other = other_future(day);
        let values_count = leak_gate::compare_known(self.panel, &other, day)?;
        // The folds stay where they are, though an outcome may be known in one future only.
        let lesson = Lesson { days: self.days.clone(), ..Lesson::of(&other, self.spec)? };
        let others = lesson.forecast_folds(1, &|_, _| ControlFlow::Continue(()))?;
        let kinds = self.spec.members.kinds();
        let forecasts_count =
            leak_gate::compare_forecasts(&forecasts.records, &others.records, &kinds, day)?;
        Ok(LeakCheck { changed_after: day, values_count, forecasts_count })
    }

    /// Fits all models on one fold; gives their forecasts for the test block, the ensemble's not yet
    /// among them, and the number of trees.
    ///
    /// `number` counts the folds from one; zero is the warm-up.
    pub(crate) fn learn_fold(
        &self,
        fold: &Fold,
        number: usize,
    ) -> Result<(Vec<OutOfFold>, usize), TrainError> {
        let Self { panel, spec, target, .. } = self;
        let known = &panel.known;
        let failed = |(kind, source)| TrainError::Fit { kind, fold: Some(number), source };
        let seen = fold.seen_rows();
        if let Some(given) = &spec.members.given
            && fold.test_days.0 <= given.known_until()
        {
            let (known_until, test_from) = (given.known_until(), fold.test_days.0);
            return Err(TrainError::SeenByGivenTrees { known_until, test_from });
        }

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
    pub(crate) fn weigh(
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
            RegimeWeights::fit(&rows, members_count, self.spec.stacking_prior_share)
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
    pub(crate) fn drift(&self, rows: &[usize]) -> f64 {
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

    /// How many trees the validation rows ask for, at least one; or how many were given.
    pub(crate) fn trees_count(&self, fold: &Fold) -> Result<usize, FitError> {
        let known = &self.panel.known;
        let given = self.spec.members.given.as_ref();
        if let Some(trees) = given.and_then(|given| given.trees(known.features.names())) {
            return Ok(trees.trees_count());
        }
        let params = for_rows_count(self.spec.members.gbdt, fold.train_rows.len());
        let fitted = Gbdt { params, seed: self.spec.seed }.fit_known(
            known,
            &BTreeMap::new(),
            &self.target,
            &fold.train_rows,
            &fold.validation_rows,
        )?;
        Ok(fitted.trees_count().max(1))
    }

    /// Fits the members, with this many trees.
    pub(crate) fn fit_members(
        &self,
        rows: MemberRows<'_>,
        trees_count: usize,
    ) -> Result<FittedMembers, (&'static str, FitError)> {
        let spec = self.spec;
        let gbdt = self.trees_of(trees_count, rows.all.len());
        let members = MemberParams { gbdt, ..spec.members.clone() };
        members.fit(self.learned(), rows, spec.seed)
    }

    /// What `member` alone forecasts for the test block of `fold`, of what is learned; nothing when
    /// it takes no part.
    pub(crate) fn forecast_alone(
        &self,
        member: Member,
        fold: &Fold,
    ) -> Result<Option<Vec<f64>>, (&'static str, FitError)> {
        let spec = self.spec;
        let seen = fold.seen_rows();
        let mut members = spec.members.clone();
        if member == Member::Trees {
            let trees_count = self.trees_count(fold).map_err(|source| (Gbdt::KIND, source))?;
            members.gbdt = self.trees_of(trees_count, seen.len());
        }
        let rows =
            MemberRows { train: &fold.train_rows, validation: &fold.validation_rows, all: &seen };
        members.forecast_alone(member, self.learned(), rows, &fold.test_rows, spec.seed)
    }

    /// The network of `params`, ready to learn on `fold`.
    pub(crate) fn begin_network(
        &self,
        params: LstmParams,
        fold: &Fold,
    ) -> Result<LstmTraining, (&'static str, FitError)> {
        let network = Lstm { params, seed: self.spec.seed };
        network
            .begin(&self.panel.known, &self.target, &fold.train_rows, &fold.validation_rows)
            .map_err(|source| (Lstm::KIND, source))
    }

    /// The folds, in order.
    pub(crate) fn folds(&self) -> Result<Vec<Fold>, TrainError> {
        let embargo_days = usize::from(self.spec.horizon.sessions());
        Ok(self.spec.walk_forward.folds_over(&self.days, &self.rows, embargo_days)?)
    }

    fn learned(&self) -> Learned<'_> {
        Learned {
            known: &self.panel.known,
            y: &self.target,
            horizon: self.spec.horizon,
            target: self.kind,
        }
    }

    /// The hyperparameters of so many trees that learn from so many rows.
    fn trees_of(&self, trees_count: usize, rows_count: usize) -> GbdtParams {
        let most = self.spec.members.gbdt.num_iterations;
        let num_iterations = u32::try_from(trees_count).map_or(most, |count| count.min(most));
        let params = for_rows_count(self.spec.members.gbdt, rows_count);
        GbdtParams { num_iterations, early_stopping_rounds: 0, ..params }
    }

    pub(crate) fn protocol(&self, configurations_count: u32) -> Protocol {
        let horizon_sessions = u32::from(self.spec.horizon.sessions());
        Protocol {
            scheme: "expanding_walk_forward".to_owned(),
            learning_target: self.kind,
            walk_forward: self.spec.walk_forward,
            purge_sessions: horizon_sessions,
            embargo_sessions: horizon_sessions,
            configurations_tried_count: configurations_count,
            given_trees_known_until: self.spec.members.given.as_ref().map(GivenTrees::known_until),
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
pub(crate) fn horizon_returns(panel: &Panel) -> &[f64] {
    panel.targets.step_returns.last().map_or(&[], Vec::as_slice)
}
