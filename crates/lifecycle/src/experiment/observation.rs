//! From records to the improvements of the days.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::cuped::Cuped;
use super::design::{DeclaredExperiment, Mode};
use super::metric::Metric;
use super::record::{Judged, Logged, RecordError, Records};
use super::unit_error::{ArmUnits, UnitError};
use crate::rank_ic::mean;

/// By how much a challenger was better than the champion on a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Improvement {
    /// Its metric less that of the champion; above zero it is better.
    pub value: f64,
    /// The covariate of the day less its mean before the experiment; zero where there is none.
    pub covariate: f64,
    /// In split mode, what the units of the two arms, over all days so far, leave uncertain; `None`
    /// when both forecast for the same units.
    pub unit_error: Option<UnitError>,
}

/// The improvements of a challenger on a day, as far as they can be measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChallengerDay {
    /// By metric.
    pub improvements: BTreeMap<Metric, Improvement>,
}

/// What was seen of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedDay {
    /// The session in which the forecasts were made.
    pub day: Date,
    /// Units that were seen for the first time, of each arm: the champion, then the challengers. In
    /// shadow mode every unit comes to every arm and this is empty.
    pub new_units: Vec<u64>,
    /// Units with a forecast of any arm; in shadow mode only of days before the last.
    pub units_count: u64,
    /// Of those, in shadow mode, the ones that lack a forecast of each arm: the champion, then the
    /// challengers; empty in split mode.
    pub missing_by_arm: Vec<u64>,
    /// How each challenger did, in their order; `None` while an outcome of the day, or of a day
    /// before it, is open.
    pub challengers: Option<Vec<ChallengerDay>>,
}

/// All that was seen of an experiment up to a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observations {
    /// The days in order.
    pub days: Vec<ObservedDay>,
    /// The first day with an outcome that is open: later days wait for it.
    pub open_from: Option<Date>,
    /// In split mode with a covariate, the share of the variance of units that it took away, of the
    /// metric that decides.
    pub unit_variance_removed_share: Option<f64>,
}

/// Joins what was forecast with what came of it by `today`.
///
/// A day is judged once all of its forecasts have an outcome that was known on `today`, and so have
/// those of all days before: what was judged never changes.
///
/// # Errors
///
/// [`RecordError`] tells the first record that cannot be: nothing is skipped or counted twice.
pub fn observe(
    experiment: &DeclaredExperiment,
    records: Records<'_>,
    today: Date,
) -> Result<Observations, RecordError> {
    let places = records.by_place(experiment, today)?;
    let mut by_day: BTreeMap<Date, Day<'_>> = BTreeMap::new();
    let arms_count = experiment.arms().count();
    for ((day, unit, arm), logged) in places {
        by_day
            .entry(day)
            .or_default()
            .units
            .entry(unit)
            .or_insert_with(|| vec![None; arms_count])[arm] = Some(logged);
    }
    let mut observer = Observer::new(experiment, today);
    for (day, units) in by_day {
        observer.push(day, &units);
    }
    Ok(observer.finish())
}

/// The forecasts of a day by unit and arm.
#[derive(Debug, Default)]
struct Day<'a> {
    units: BTreeMap<&'a str, Vec<Option<Logged<'a>>>>,
}

impl<'a> Day<'a> {
    fn logged(&self) -> impl Iterator<Item = Logged<'a>> {
        self.units.values().flatten().copied().flatten()
    }

    fn is_open(&self) -> bool {
        self.logged().any(|logged| logged.outcome.is_none())
    }

    fn missing_by_arm(&self) -> Vec<u64> {
        let mut counts = vec![0; self.units.values().next().map_or(0, Vec::len)];
        for arms in self.units.values() {
            for (arm, count) in arms.iter().zip(&mut counts) {
                *count += u64::from(arm.is_none());
            }
        }
        counts
    }

    /// Forecasts of `arm` that `metric` can be measured of.
    fn of_arm(&self, arm: usize, metric: Metric) -> Vec<Judged<'a>> {
        let judged = self.units.values().filter_map(|arms| arms[arm]?.judged());
        judged.filter(|judged| is_told(metric, judged)).collect()
    }

    /// Forecasts of the champion and of `arm` for the same units.
    fn pairs(&self, arm: usize, metric: Metric) -> (Vec<Judged<'a>>, Vec<Judged<'a>>) {
        let judged = |arms: &[Option<Logged<'a>>], arm: usize| {
            arms[arm]?.judged().filter(|judged| is_told(metric, judged))
        };
        self.units.values().filter_map(|arms| judged(arms, 0).zip(judged(arms, arm))).unzip()
    }
}

fn is_told(metric: Metric, judged: &Judged<'_>) -> bool {
    metric != Metric::ReturnAfterCosts || judged.return_after_costs.is_some()
}

/// Goes through the days.
struct Observer<'a> {
    experiment: &'a DeclaredExperiment,
    today: Date,
    seen: BTreeSet<&'a str>,
    splits: BTreeMap<Metric, SplitUnits<'a>>,
    observations: Observations,
}

impl<'a> Observer<'a> {
    fn new(experiment: &'a DeclaredExperiment, today: Date) -> Self {
        let arms_count = experiment.arms().count();
        let splits = experiment.metrics().map(|metric| (metric, SplitUnits::new(arms_count)));
        Self {
            experiment,
            today,
            seen: BTreeSet::new(),
            splits: splits.collect(),
            observations: Observations::default(),
        }
    }

    fn push(&mut self, day: Date, units: &Day<'a>) {
        if units.is_open() {
            self.observations.open_from.get_or_insert(day);
        }
        let is_open = self.observations.open_from.is_some();
        let is_split = self.is_split();
        let complete = is_split || day < self.today;
        let observed = ObservedDay {
            day,
            new_units: if is_split { self.new_units(units) } else { Vec::new() },
            units_count: if complete { units.units.len() as u64 } else { 0 },
            missing_by_arm: if complete && !is_split { units.missing_by_arm() } else { Vec::new() },
            challengers: (!is_open).then(|| self.challengers(units)),
        };
        self.observations.days.push(observed);
    }

    fn is_split(&self) -> bool {
        matches!(self.experiment.design().mode, Mode::Split { .. })
    }

    fn new_units(&mut self, day: &Day<'a>) -> Vec<u64> {
        let mut counts = vec![0; self.experiment.arms().count()];
        for (unit, arms) in &day.units {
            if self.seen.insert(unit) {
                arms.iter()
                    .zip(&mut counts)
                    .for_each(|(arm, count)| *count += u64::from(arm.is_some()));
            }
        }
        counts
    }

    fn challengers(&mut self, day: &Day<'a>) -> Vec<ChallengerDay> {
        let challengers_count = self.experiment.design().challengers.len();
        let mut challengers = vec![ChallengerDay::default(); challengers_count];
        for metric in self.experiment.metrics() {
            let improvements = if self.is_split() {
                self.split(day, metric)
            } else {
                (1..=challengers_count).map(|arm| self.shadow(day, metric, arm)).collect()
            };
            for (challenger, improvement) in challengers.iter_mut().zip(improvements) {
                if let Some(improvement) = improvement {
                    challenger.improvements.insert(metric, improvement);
                }
            }
        }
        challengers
    }

    fn shadow(&self, day: &Day<'a>, metric: Metric, arm: usize) -> Option<Improvement> {
        let (champion, challenger) = day.pairs(arm, metric);
        let value = |units: &[Judged<'_>]| Some(metric.of_day(&metric.parts(units)?));
        Some(Improvement {
            value: value(&challenger)? - value(&champion)?,
            covariate: mean(&self.covariates(&champion)),
            unit_error: None,
        })
    }

    /// The covariates of units less the declared mean.
    fn covariates(&self, units: &[Judged<'_>]) -> Vec<f64> {
        let Some(covariate) = &self.experiment.design().covariate else {
            return vec![0.0; units.len()];
        };
        let of = |unit: &Judged<'_>| unit.exposure.covariate.map_or(0.0, |x| x - covariate.mean);
        units.iter().map(of).collect()
    }

    /// The improvements of all challengers where every unit has one arm.
    fn split(&mut self, day: &Day<'a>, metric: Metric) -> Vec<Option<Improvement>> {
        let arms: Vec<Vec<UnitValue<'a>>> = (0..self.experiment.arms().count())
            .map(|arm| {
                let units = day.of_arm(arm, metric);
                let parts = metric.parts(&units).unwrap_or_default();
                let covariates = self.covariates(&units);
                let values = units.iter().zip(parts).zip(covariates);
                values
                    .map(|((unit, value), covariate)| UnitValue {
                        unit: &unit.exposure.unit,
                        value,
                        covariate,
                    })
                    .collect()
            })
            .collect();
        self.splits.get_mut(&metric).map_or_else(Vec::new, |split| split.push(arms))
    }

    fn finish(self) -> Observations {
        let design = self.experiment.design();
        let share = (self.is_split() && design.covariate.is_some())
            .then(|| self.splits.get(&design.metric)?.cuped.variance_removed_share().into())
            .flatten();
        Observations { unit_variance_removed_share: share, ..self.observations }
    }
}

/// What a metric says of a unit on a day.
#[derive(Clone, Copy, Debug)]
struct UnitValue<'a> {
    unit: &'a str,
    value: f64,
    covariate: f64,
}

/// What a metric said of the units of each arm, in split mode.
#[derive(Debug)]
struct SplitUnits<'a> {
    arms: Vec<ArmUnits<'a>>,
    /// Learned from the units of all arms of the days before, so that it favours none.
    cuped: Cuped,
}

impl<'a> SplitUnits<'a> {
    fn new(arms_count: usize) -> Self {
        Self { arms: vec![ArmUnits::default(); arms_count], cuped: Cuped::default() }
    }

    /// Adds a day; the improvement of each challenger.
    fn push(&mut self, mut arms: Vec<Vec<UnitValue<'a>>>) -> Vec<Option<Improvement>> {
        self.adjust(&mut arms);
        let means: Vec<Option<f64>> = arms.iter().map(|arm| mean_of(arm)).collect();
        let everywhere = mean(&arms.iter().flatten().map(|unit| unit.value).collect::<Vec<_>>());
        for (arm, units) in self.arms.iter_mut().zip(&arms) {
            units.iter().for_each(|unit| arm.push(unit.unit, unit.value - everywhere));
        }
        let challengers = self.arms.iter().zip(&means).skip(1);
        challengers
            .map(|(units, mean)| {
                Some(Improvement {
                    value: (*mean)? - means[0]?,
                    covariate: 0.0,
                    unit_error: Some(units.error_beside(&self.arms[0])),
                })
            })
            .collect()
    }

    /// Takes from each unit what its covariate says of it beside the other units of the day.
    fn adjust(&mut self, arms: &mut [Vec<UnitValue<'a>>]) {
        let all: Vec<UnitValue<'a>> = arms.iter().flatten().copied().collect();
        let of =
            |number: fn(&UnitValue<'_>) -> f64| mean(&all.iter().map(number).collect::<Vec<_>>());
        let (value, covariate) = (of(|unit| unit.value), of(|unit| unit.covariate));
        let coefficient = self.cuped.coefficient();
        for unit in arms.iter_mut().flatten() {
            let (raw, beside) = (unit.value, unit.covariate - covariate);
            unit.value -= coefficient * beside;
            self.cuped.learn(raw - value, beside, unit.value - value);
        }
    }
}

fn mean_of(units: &[UnitValue<'_>]) -> Option<f64> {
    let values: Vec<f64> = units.iter().map(|unit| unit.value).collect();
    (!values.is_empty()).then(|| mean(&values))
}
