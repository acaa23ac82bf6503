//! What the plots of a study show: its history, one parameter, all parameters, two objectives.
//!
//! Plots hold numbers that can be drawn: a value that is infinite is left out of them.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::importance::fanova;
use crate::search_space::Distribution;
use crate::study::{FrozenTrial, StudyDirection, TrialState};

/// A trial in the history of one objective.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// The trial.
    pub number: u64,
    /// How far it is.
    pub state: TrialState,
    /// Its value; of a pruned trial the one that it reported last.
    pub value: Option<f64>,
    /// The best value of the complete trials up to this number.
    pub best: Option<f64>,
}

/// Every trial with the best value so far, by number.
pub fn history(
    trials: &[Arc<FrozenTrial>],
    objective: usize,
    direction: StudyDirection,
) -> Vec<HistoryPoint> {
    let mut best: Option<f64> = None;
    let points = trials.iter().map(|trial| {
        let value = value_of(trial, objective);
        if let Some(value) = value.filter(|_| trial.state == TrialState::Complete)
            && best.is_none_or(|best| direction.loss(value) < direction.loss(best))
        {
            best = Some(value);
        }
        HistoryPoint { number: trial.number, state: trial.state, value, best }
    });
    points.collect()
}

/// A parameter on the axis of a plot.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamAxis {
    /// Its name.
    pub name: String,
    /// What it could be, over all complete trials: a range that changed is as wide as all of them.
    pub distribution: Distribution,
}

/// A complete trial on the axes of its study.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The trial.
    pub number: u64,
    /// Its value.
    pub value: f64,
    /// Internal values on the axes; absent where the trial has no such parameter.
    pub internals: Vec<Option<f64>>,
}

/// The complete trials over all parameters at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParallelCoordinates {
    /// The parameters by name.
    pub axes: Vec<ParamAxis>,
    /// The trials by number.
    pub lines: Vec<Line>,
}

/// The complete trials over all parameters, coloured by one objective.
pub fn parallel_coordinates(trials: &[Arc<FrozenTrial>], objective: usize) -> ParallelCoordinates {
    let axes = axes(trials);
    let lines = complete(trials, objective).map(|(trial, value)| {
        let internal = |axis: &ParamAxis| trial.params.get(&axis.name).map(|param| param.internal);
        Line { number: trial.number, value, internals: axes.iter().map(internal).collect() }
    });
    ParallelCoordinates { lines: lines.collect(), axes }
}

/// A complete trial at the value of one parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlicePoint {
    /// The trial.
    pub number: u64,
    /// The internal value of the parameter.
    pub internal: f64,
    /// The value of the objective.
    pub value: f64,
}

/// An objective over the values of one parameter; `None` when no complete trial has it.
pub fn slice(
    trials: &[Arc<FrozenTrial>],
    param: &str,
    objective: usize,
) -> Option<(ParamAxis, Vec<SlicePoint>)> {
    let axis = axes(trials).into_iter().find(|axis| axis.name == param)?;
    let points = complete(trials, objective).filter_map(|(trial, value)| {
        let internal = trial.params.get(param)?.internal;
        Some(SlicePoint { number: trial.number, internal, value })
    });
    Some((axis, points.collect()))
}

/// Fewest complete trials from which importances are told.
const IMPORTANCE_TRIALS_MIN: usize = 10;

/// The same trials have the same importances.
const IMPORTANCE_SEED: u64 = 0;

/// How much each parameter mattered for one objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Importances {
    /// Complete trials that they were told from.
    pub trials_count: u64,
    /// The parameters with their shares of the variation, the largest first and together one, or why
    /// there are none.
    pub shares: Result<Vec<(String, f64)>, NoImportances>,
}

/// Why no parameter can be said to matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoImportances {
    /// There are fewer than ten complete trials.
    TooFewTrials,
    /// All complete trials have the same value, or no parameter varies.
    OneValue,
}

impl NoImportances {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::TooFewTrials, Self::OneValue];

    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooFewTrials => "too_few_trials",
            Self::OneValue => "one_value",
        }
    }
}

/// How much each parameter mattered for one objective, by [`fanova`].
pub fn importances(trials: &[Arc<FrozenTrial>], objective: usize) -> Importances {
    let count = complete(trials, objective).count();
    let shares = if count < IMPORTANCE_TRIALS_MIN {
        Err(NoImportances::TooFewTrials)
    } else {
        let mut shares: Vec<(String, f64)> =
            fanova(trials, objective, IMPORTANCE_SEED).into_iter().collect();
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        let explains = shares.first().is_some_and(|(_, share)| *share > 0.0);
        if explains { Ok(shares) } else { Err(NoImportances::OneValue) }
    };
    Importances { trials_count: count as u64, shares }
}

/// By what trials are put in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TrialOrder {
    /// Their number.
    #[default]
    Number,
    /// The value of the first objective.
    Value,
    /// How long they took.
    Duration,
}

/// The trials in `state`, or all, in this order. Those without what they are ordered by come last,
/// and equal ones by number.
pub fn ordered(
    trials: &[Arc<FrozenTrial>],
    state: Option<TrialState>,
    order: TrialOrder,
    is_descending: bool,
) -> Vec<Arc<FrozenTrial>> {
    let mut wanted: Vec<Arc<FrozenTrial>> = trials
        .iter()
        .filter(|trial| state.is_none_or(|state| trial.state == state))
        .map(Arc::clone)
        .collect();
    let turned = |ordering: Ordering| if is_descending { ordering.reverse() } else { ordering };
    let key = |trial: &FrozenTrial| match order {
        TrialOrder::Number => None,
        TrialOrder::Value => trial.value(),
        TrialOrder::Duration => trial.duration_s(),
    };
    wanted.sort_by(|a, b| {
        let by_number = turned(a.number.cmp(&b.number));
        match (key(a), key(b)) {
            (Some(a), Some(b)) => turned(a.total_cmp(&b)).then(by_number),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => by_number,
        }
    });
    wanted
}

/// The complete trials with their value, those whose value can be drawn.
fn complete(
    trials: &[Arc<FrozenTrial>],
    objective: usize,
) -> impl Iterator<Item = (&FrozenTrial, f64)> {
    trials
        .iter()
        .filter(|trial| trial.state == TrialState::Complete)
        .filter_map(move |trial| Some((&**trial, value_of(trial, objective)?)))
}

fn value_of(trial: &FrozenTrial, objective: usize) -> Option<f64> {
    trial.values.as_ref()?.get(objective).copied().filter(|value| value.is_finite())
}

/// The parameters of the complete trials by name.
fn axes(trials: &[Arc<FrozenTrial>]) -> Vec<ParamAxis> {
    let mut found: BTreeMap<&str, Distribution> = BTreeMap::new();
    for trial in trials.iter().filter(|trial| trial.state == TrialState::Complete) {
        for (name, param) in &trial.params {
            match found.get_mut(name.as_str()) {
                Some(known) => known.widen(&param.distribution),
                None => {
                    found.insert(name, param.distribution.clone());
                }
            }
        }
    }
    let axis = |(name, distribution): (&str, _)| ParamAxis { name: name.to_owned(), distribution };
    found.into_iter().map(axis).collect()
}

impl Distribution {
    /// Lets a range reach as far as `other`, which is of the same kind.
    fn widen(&mut self, other: &Self) {
        match (self, other) {
            (Self::Float { low, high, .. }, Self::Float { low: l, high: h, .. }) => {
                (*low, *high) = (low.min(*l), high.max(*h));
            }
            (Self::Int { low, high, .. }, Self::Int { low: l, high: h, .. }) => {
                (*low, *high) = ((*low).min(*l), (*high).max(*h));
            }
            // Storages refuse a parameter of two kinds.
            (Self::Float { .. } | Self::Int { .. } | Self::Categorical { .. }, _) => {}
        }
    }
}

impl FrozenTrial {
    /// How long a finished trial took, seconds.
    pub fn duration_s(&self) -> Option<f64> {
        Some(self.completed_at?.duration_since(self.started_at?).as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Param, TrialId};

    use jiff::{SignedDuration, Timestamp};

    fn trial(number: u64, state: TrialState, value: Option<f64>) -> FrozenTrial {
        let begun = Timestamp::UNIX_EPOCH;
        // The later a trial began, the quicker it was.
        let took = SignedDuration::from_secs(100 - i64::try_from(number).unwrap());
        FrozenTrial {
            id: TrialId(0),
            number,
            state,
            values: value.map(|value| vec![value]),
            params: BTreeMap::new(),
            intermediate_values: BTreeMap::new(),
            user_attrs: BTreeMap::new(),
            system_attrs: BTreeMap::new(),
            started_at: Some(begun),
            completed_at: state.is_finished().then(|| begun + took),
        }
    }

    fn with(mut trial: FrozenTrial, name: &str, low: f64, high: f64, internal: f64) -> FrozenTrial {
        let param = Param { distribution: Distribution::float(low, high), internal };
        trial.params.insert(name.to_owned(), param);
        trial
    }

    fn shared(trials: Vec<FrozenTrial>) -> Vec<Arc<FrozenTrial>> {
        trials.into_iter().map(Arc::new).collect()
    }

    fn study() -> Vec<Arc<FrozenTrial>> {
        shared(vec![
            with(trial(0, TrialState::Complete, Some(1.0)), "a", 0.0, 1.0, 0.5),
            with(trial(1, TrialState::Pruned, Some(9.0)), "c", 0.0, 1.0, 0.5),
            with(trial(2, TrialState::Complete, Some(f64::INFINITY)), "a", -1.0, 0.5, 0.1),
            with(
                with(trial(3, TrialState::Complete, Some(3.0)), "a", 0.0, 2.0, 1.5),
                "b",
                0.0,
                1.0,
                0.25,
            ),
            trial(4, TrialState::Fail, None),
            trial(5, TrialState::Running, None),
        ])
    }

    #[test]
    fn the_best_so_far_counts_complete_trials_and_numbers_only() {
        let best = |direction| -> Vec<Option<f64>> {
            history(&study(), 0, direction).iter().map(|point| point.best).collect()
        };
        let one = Some(1.0);
        assert_eq!(best(StudyDirection::Minimize), [one; 6]);
        let three = Some(3.0);
        assert_eq!(best(StudyDirection::Maximize), [one, one, one, three, three, three]);
        let values: Vec<Option<f64>> =
            history(&study(), 0, StudyDirection::Maximize).iter().map(|p| p.value).collect();
        assert_eq!(values, [one, Some(9.0), None, three, None, None]);
    }

    #[test]
    fn lines_have_gaps_where_a_parameter_is_missing_and_axes_are_as_wide_as_all_ranges() {
        let plot = parallel_coordinates(&study(), 0);
        let axis = |name: &str, low, high| ParamAxis {
            name: name.to_owned(),
            distribution: Distribution::float(low, high),
        };
        assert_eq!(plot.axes, [axis("a", -1.0, 2.0), axis("b", 0.0, 1.0)]);
        let lines: Vec<(u64, &[Option<f64>])> =
            plot.lines.iter().map(|line| (line.number, line.internals.as_slice())).collect();
        assert_eq!(lines, [(0, [Some(0.5), None].as_slice()), (3, &[Some(1.5), Some(0.25)])]);
    }

    #[test]
    fn a_slice_holds_the_complete_trials_that_have_the_parameter() {
        let (axis, points) = slice(&study(), "b", 0).unwrap();
        assert_eq!(axis.name, "b");
        assert_eq!(points, [SlicePoint { number: 3, internal: 0.25, value: 3.0 }]);
        // A pruned trial's parameter has no axis.
        assert_eq!(slice(&study(), "c", 0), None);
    }

    /// So many trials with the value of `a` as theirs, and a `b` that does nothing.
    fn trials_of_a(count: u64) -> Vec<Arc<FrozenTrial>> {
        let one = |number: u64| {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let a = number as f64 / 40.0;
            let trial = with(trial(number, TrialState::Complete, Some(a)), "a", 0.0, 1.0, a);
            with(trial, "b", 0.0, 1.0, if number.is_multiple_of(2) { 0.2 } else { 0.8 })
        };
        shared((0..count).map(one).collect())
    }

    #[test]
    fn importances_name_what_matters_first_or_say_why_there_are_none() {
        let told = importances(&trials_of_a(40), 0);
        assert_eq!(told.trials_count, 40);
        let shares = told.shares.unwrap();
        assert!(shares[0].0 == "a" && shares[0].1 > 0.9, "{shares:?}");
        assert!((shares.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
        let few = importances(&trials_of_a(9), 0);
        assert_eq!((few.trials_count, few.shares), (9, Err(NoImportances::TooFewTrials)));
        let alike: Vec<FrozenTrial> = (0..12)
            .map(|number| with(trial(number, TrialState::Complete, Some(1.0)), "a", 0.0, 1.0, 0.5))
            .collect();
        assert_eq!(importances(&shared(alike), 0).shares, Err(NoImportances::OneValue));
    }

    #[track_caller]
    fn check(state: Option<TrialState>, order: TrialOrder, is_descending: bool, wanted: &[u64]) {
        let trials = ordered(&study(), state, order, is_descending);
        let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
        assert_eq!(numbers, wanted);
    }

    #[test]
    fn trials_without_what_they_are_ordered_by_come_last() {
        check(None, TrialOrder::Number, true, &[5, 4, 3, 2, 1, 0]);
        check(None, TrialOrder::Value, false, &[0, 3, 1, 2, 4, 5]);
        check(None, TrialOrder::Value, true, &[2, 1, 3, 0, 5, 4]);
        check(None, TrialOrder::Duration, false, &[4, 3, 2, 1, 0, 5]);
        check(Some(TrialState::Complete), TrialOrder::Value, true, &[2, 3, 0]);
    }
}
