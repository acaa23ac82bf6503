//! What the signals that were served have been worth, once their horizons had ended.
//!
//! Signals of one day share the market's move, and horizons that overlap share their days. So a day
//! is one observation, intervals are those of Newey and West over days, and as long as the days
//! cover fewer than [`PERIODS_COUNT_MIN`] horizons that do not overlap, nothing but counts is said:
//! it is too early. Signals that look differently far ahead are never taken together.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use bist_market::Symbol;
use bist_models::{Horizon, ProbabilityScores, ReliabilityBin};
use bist_trading::{Action, Entry, Estimate, SignalScore, Touch};
use jiff::civil::Date;
use serde::Serialize;

use crate::evaluation::LEVEL;
use crate::rank_ic::{DependentMean, count, lag_days, mean};

/// Horizons that do not overlap which the days of a record must cover before more than counts is
/// said of it.
pub const PERIODS_COUNT_MIN: u64 = 10;

/// Most points of the reliability curve.
const BINS_COUNT: NonZeroUsize = NonZeroUsize::new(10).unwrap();

/// The lower ends of the buckets of confidence, which is the probability of the side that a signal
/// thought more likely; the last ends at one.
pub const CONFIDENCE_FROM: [f64; 5] = [0.5, 0.525, 0.55, 0.6, 0.7];

/// A signal that was scored.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredSignal {
    /// Whose.
    pub symbol: Symbol,
    /// The model that gave it.
    pub model_version: String,
    /// How far ahead it looked.
    pub horizon: Horizon,
    /// The day of the last bar that it knew.
    pub as_of: Date,
    /// What came of it.
    pub score: SignalScore,
}

impl ScoredSignal {
    /// The probability of the side that it thought more likely, 0.5..=1.
    fn confidence(&self) -> f64 {
        self.score.probability_up.max(1.0 - self.score.probability_up)
    }
}

/// What signals are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grouping {
    /// Their symbol.
    Symbol,
    /// The model version that gave them.
    Version,
    /// The month of the last bar that they knew.
    Month,
    /// How sure they were of the direction.
    Confidence,
    /// What they said to do.
    Action,
}

impl Grouping {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Symbol, Self::Version, Self::Month, Self::Confidence, Self::Action];

    /// The word of the command line and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Symbol => "symbol",
            Self::Version => "version",
            Self::Month => "month",
            Self::Confidence => "confidence",
            Self::Action => "action",
        }
    }

    /// The name of the group of `signal`; the order of the names is that of the groups.
    fn key(self, signal: &ScoredSignal) -> String {
        match self {
            Self::Symbol => signal.symbol.to_string(),
            Self::Version => signal.model_version.clone(),
            Self::Month => signal.as_of.strftime("%Y-%m").to_string(),
            Self::Confidence => bucket(signal.confidence()),
            Self::Action => signal.score.action.to_string(),
        }
    }
}

impl fmt::Display for Grouping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that is no [`Grouping`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not what a record is grouped by; give symbol, version, month, confidence or action"
)]
pub struct UnknownGrouping(String);

impl FromStr for Grouping {
    type Err = UnknownGrouping;

    fn from_str(text: &str) -> Result<Self, UnknownGrouping> {
        let found = Self::ALL.into_iter().find(|grouping| grouping.as_str() == text);
        found.ok_or_else(|| UnknownGrouping(text.to_owned()))
    }
}

/// The bucket of a confidence, as percent: `52.5-55`.
fn bucket(confidence: f64) -> String {
    let index = CONFIDENCE_FROM.iter().rposition(|from| confidence >= *from).unwrap_or(0);
    let end = CONFIDENCE_FROM.get(index + 1).copied().unwrap_or(1.0);
    let percent = |share: f64| (1000.0 * share).round() / 10.0;
    format!("{}-{}", percent(CONFIDENCE_FROM[index]), percent(end))
}

/// How many signals of a number were so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tally {
    /// How many could have been so.
    pub of_count: u64,
    /// How many were.
    pub count: u64,
    /// The mean over days of the day's share, with its 95 % interval; `None` while it is too early to
    /// say.
    pub share: Option<Estimate>,
}

/// What signals that said the same to do led to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ActionRecord {
    /// What they said.
    pub action: Action,
    /// How many were scored.
    pub scored_count: u64,
    /// Of those whose price moved, the ones with the probability on its side.
    pub hits: Tally,
    /// Those that one could act on.
    pub tradable_count: u64,
    /// Those that one could not act on: locked at the limit, or without trade or open.
    pub untradable_count: u64,
    /// Of those that one could act on, the ones that brought more than they cost.
    pub paid: Tally,
    /// What acting on them brought after costs: mean over days with its 95 % interval; `None` while
    /// it is too early to say.
    pub gain_after_costs_share: Option<Estimate>,
    /// Those with target and stop of which the price touched the target first.
    pub target_first: Tally,
    /// The same of the stop, those included that touched both in one bar.
    pub stop_first: Tally,
    /// Those that touched both in one bar, of which the order is not known.
    pub both_in_one_bar_count: u64,
}

/// What became of some signals of one horizon.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordSummary {
    /// Signals scored.
    pub scored_count: u64,
    /// Days on which they were given.
    pub days_count: u64,
    /// The first of them.
    pub first_day: Option<Date>,
    /// The last of them.
    pub last_day: Option<Date>,
    /// Horizons that do not overlap which these days cover, rounded down.
    pub periods_count: u64,
    /// How many are needed before more than counts is said.
    pub periods_count_min: u64,
    /// Whether it is too early to say more than counts.
    pub is_too_early: bool,
    /// Signals made when nobody could act on them any more.
    pub late_count: u64,
    /// Of those whose price moved, the ones with the probability on its side.
    pub hits: Tally,
    /// Of those whose price moved, the ones that rose: the hits of always saying up.
    pub rises: Tally,
    /// The mean probability of the side that they thought more likely, of those whose price moved:
    /// what the share of hits should be.
    pub mean_confidence: Option<f64>,
    /// Those whose band of 50 % held the return.
    pub held_50: Tally,
    /// Those whose band of 80 % held the return.
    pub held_80: Tally,
    /// By what they said to do: buy, sell, hold.
    pub actions: Vec<ActionRecord>,
}

/// The signals of one group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordGroup {
    /// What they have in common.
    pub key: String,
    /// What became of them.
    #[serde(flatten)]
    pub summary: RecordSummary,
}

/// A point of the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ReliabilityPoint {
    /// Where it lies.
    #[serde(flatten)]
    pub bin: ReliabilityBin,
    /// The mean over days of the day's share of rises, with its 95 % interval; `None` while it is too
    /// early to say.
    pub observed: Option<Estimate>,
}

/// How good the probabilities were.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReliabilityRecord {
    /// Signals whose price moved.
    pub rows_count: u64,
    /// Mean squared distance of the probabilities from what came.
    pub brier: f64,
    /// The same of always saying the share of rises of the whole record, which nobody knew before.
    pub base_rate_brier: f64,
    /// The same of always saying one half.
    pub coin_brier: f64,
    /// By how much the score is below that of one half: mean over days with its 95 % interval; `None`
    /// while it is too early to say.
    pub gain_over_coin: Option<Estimate>,
    /// Expected calibration error over the points.
    pub ece: f64,
    /// The curve, the lowest probabilities first; each point has about equally many signals.
    pub points: Vec<ReliabilityPoint>,
}

/// What became of `signals`, all of which look ahead as far as `horizon`.
pub fn summarise(signals: &[&ScoredSignal], horizon: Horizon) -> RecordSummary {
    let days = ByDay::of(signals, horizon);
    let days_count = days.days.len() as u64;
    let moved = |signal: &ScoredSignal| signal.score.rose.is_some();
    let confidences: Vec<f64> =
        signals.iter().filter(|s| moved(s)).map(|s| s.confidence()).collect();
    RecordSummary {
        scored_count: signals.len() as u64,
        days_count,
        first_day: signals.iter().map(|signal| signal.as_of).min(),
        last_day: signals.iter().map(|signal| signal.as_of).max(),
        periods_count: days_count / u64::from(horizon.sessions()),
        periods_count_min: PERIODS_COUNT_MIN,
        is_too_early: is_too_early(days.days.len(), horizon),
        late_count: signals.iter().filter(|signal| !signal.score.made_in_time).count() as u64,
        hits: days.tally(|score| score.hit),
        rises: days.tally(|score| score.rose),
        mean_confidence: (!confidences.is_empty()).then(|| mean(&confidences)),
        held_50: days.tally(|score| Some(score.held_50)),
        held_80: days.tally(|score| Some(score.held_80)),
        actions: [Action::Buy, Action::Sell, Action::Hold]
            .map(|action| of_action(signals, action, horizon))
            .into(),
    }
}

/// The signals of each group, all of which look ahead as far as `horizon`.
pub fn summarise_by(signals: &[&ScoredSignal], by: Grouping, horizon: Horizon) -> Vec<RecordGroup> {
    let mut groups: BTreeMap<String, Vec<&ScoredSignal>> = BTreeMap::new();
    for signal in signals {
        groups.entry(by.key(signal)).or_default().push(signal);
    }
    let group = |(key, of_group): (String, Vec<&ScoredSignal>)| RecordGroup {
        key,
        summary: summarise(&of_group, horizon),
    };
    groups.into_iter().map(group).collect()
}

/// How good the probabilities of `signals` were, all of which look ahead as far as `horizon`; `None`
/// when no price moved.
pub fn reliability(signals: &[&ScoredSignal], horizon: Horizon) -> Option<ReliabilityRecord> {
    let moved: Vec<&ScoredSignal> =
        signals.iter().copied().filter(|signal| signal.score.rose.is_some()).collect();
    let said: Vec<f64> = moved.iter().map(|signal| signal.score.probability_up).collect();
    let rose: Vec<bool> = moved.iter().map(|signal| signal.score.rose == Some(true)).collect();
    let scores = ProbabilityScores::of(&said, &rose, BINS_COUNT).ok()?;
    let point = |bin: &ReliabilityBin| {
        let is_inside =
            |signal: &&ScoredSignal| (bin.low..=bin.high).contains(&signal.score.probability_up);
        let of_bin: Vec<&ScoredSignal> = moved.iter().copied().filter(is_inside).collect();
        let observed = ByDay::of(&of_bin, horizon).tally(|score| score.rose).share;
        ReliabilityPoint { bin: *bin, observed }
    };
    let coin_brier = 0.25;
    let gain = |score: &SignalScore| score.brier.map(|brier| coin_brier - brier);
    Some(ReliabilityRecord {
        rows_count: moved.len() as u64,
        brier: scores.brier,
        base_rate_brier: scores.base_rate * (1.0 - scores.base_rate),
        coin_brier,
        gain_over_coin: ByDay::of(&moved, horizon).mean(gain),
        ece: scores.ece,
        points: scores.bins.iter().map(point).collect(),
    })
}

/// Whether so many days of a horizon say too little.
fn is_too_early(days_count: usize, horizon: Horizon) -> bool {
    (days_count as u64) < PERIODS_COUNT_MIN * u64::from(horizon.sessions())
}

fn of_action(signals: &[&ScoredSignal], action: Action, horizon: Horizon) -> ActionRecord {
    let of_action: Vec<&ScoredSignal> =
        signals.iter().copied().filter(|signal| signal.score.action == action).collect();
    let days = ByDay::of(&of_action, horizon);
    let counted = |is_so: &dyn Fn(&SignalScore) -> bool| {
        of_action.iter().filter(|signal| is_so(&signal.score)).count() as u64
    };
    let tradable_count = counted(&|score| score.gain_after_costs_share.is_some());
    ActionRecord {
        action,
        scored_count: of_action.len() as u64,
        hits: days.tally(|score| score.hit),
        tradable_count,
        untradable_count: counted(&|score| score.entry.is_some_and(|entry| entry != Entry::Open)),
        paid: days.tally(|score| score.gain_after_costs_share.map(|gain| gain > 0.0)),
        gain_after_costs_share: days.mean(|score| score.gain_after_costs_share),
        target_first: days
            .tally(|score| score.touch.map(|touch| matches!(touch, Touch::Target { .. }))),
        stop_first: days.tally(|score| {
            score.touch.map(|touch| matches!(touch, Touch::Stop { .. } | Touch::Both { .. }))
        }),
        both_in_one_bar_count: counted(&|score| matches!(score.touch, Some(Touch::Both { .. }))),
    }
}

/// Scores day by day.
struct ByDay<'a> {
    days: Vec<Vec<&'a SignalScore>>,
    horizon: Horizon,
}

impl<'a> ByDay<'a> {
    fn of(signals: &[&'a ScoredSignal], horizon: Horizon) -> Self {
        let mut days: BTreeMap<Date, Vec<&SignalScore>> = BTreeMap::new();
        for signal in signals {
            days.entry(signal.as_of).or_default().push(&signal.score);
        }
        Self { days: days.into_values().collect(), horizon }
    }

    /// The daily means of what scores say; days on which none says anything are left out.
    fn daily(&self, value: impl Fn(&SignalScore) -> Option<f64>) -> Vec<f64> {
        let of_day = |day: &Vec<&SignalScore>| {
            let values: Vec<f64> = day.iter().filter_map(|score| value(score)).collect();
            (!values.is_empty()).then(|| mean(&values))
        };
        self.days.iter().filter_map(of_day).collect()
    }

    /// The mean over days, unless it is too early.
    fn mean(&self, value: impl Fn(&SignalScore) -> Option<f64>) -> Option<Estimate> {
        let daily = self.daily(value);
        if is_too_early(daily.len(), self.horizon) {
            return None;
        }
        let lag = lag_days(self.horizon.sessions());
        DependentMean::newey_west(&daily, lag)?.estimate(LEVEL)
    }

    /// How often something was so. The interval of its share is that of a mean; where all days are
    /// alike, so that their spread tells nothing, that of Wilson for as many trials as there are
    /// horizons.
    fn tally(&self, is_so: impl Fn(&SignalScore) -> Option<bool>) -> Tally {
        let told: Vec<bool> = self.days.iter().flatten().filter_map(|score| is_so(score)).collect();
        let share = |score: &SignalScore| is_so(score).map(f64::from);
        let estimate = self.mean(share).and_then(|estimate| {
            if estimate.high > estimate.low {
                let (low, high) = (estimate.low.max(0.0), estimate.high.min(1.0));
                return Some(Estimate { low, high, ..estimate });
            }
            let trials_count = count(self.daily(share).len()) / f64::from(self.horizon.sessions());
            Estimate::of_share(estimate.value.clamp(0.0, 1.0), trials_count, LEVEL)
        });
        Tally {
            of_count: told.len() as u64,
            count: told.iter().filter(|is_so| **is_so).count() as u64,
            share: estimate,
        }
    }
}
