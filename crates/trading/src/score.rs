//! What came of a signal when its horizon ended.
//!
//! A score is made once, from the bars as they stand then, and never again. Until the bars are
//! there a signal waits; where they will not come, that is said with its reason and not left out.
//!
//! Returns are of total return and counted as models forecast them, from close to close of the
//! sessions of the calendar; unlike a label, which no model should learn from, the return through a
//! session locked at its limit counts, for whoever held the share had it.

use std::fmt;

use bist_market::{
    Calendar, DayKind, ExchangeRules, Price, Symbol, ValidatedBars,
    bar::{istanbul, midnight_of},
    bars_hash,
};
use bist_models::{NoWay, RealisedWay, WayBar};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::signal::{Action, ReturnInterval, Signal};

/// Sessions that bars may come late by, as many as each night are asked for again: a signal whose bars
/// are missing longer after its horizon ended, while the market went on, is never known.
pub const GRACE_SESSIONS: u32 = 5;

/// How far a price may miss the target or stop by rounding and still have touched it, a share of it.
const TOUCH_TOLERANCE: f64 = 1e-6;

/// Everything that [`score`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct ScoreInput<'a> {
    /// The signal as it was served.
    pub signal: &'a Signal,
    /// When it was made.
    pub made_at: Timestamp,
    /// The bars of its symbol as they stand now, of the kind that its horizon is of; `None` when
    /// there are none.
    pub series: Option<&'a ValidatedBars>,
    /// The last day of which any symbol has such a bar.
    pub market_day: Option<Date>,
    /// The last session whose bars are complete by now.
    pub complete_until: Option<Date>,
    /// The exchange's sessions.
    pub calendar: &'a Calendar,
    /// The exchange's hours.
    pub rules: &'a ExchangeRules,
}

/// What is known of a signal by now.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// All that will ever be known.
    Scored(Box<SignalScore>),
    /// Not yet.
    Waiting(Waiting),
    /// Nothing, and it will stay so.
    NeverKnown(NeverKnown),
}

/// Why a signal has no score yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Waiting {
    /// Its horizon has not ended, or the bars of its last session are not complete.
    HorizonOpen {
        /// The session at whose close it ends; `None` when the calendar does not reach so far.
        ends_on: Option<Date>,
    },
    /// Its horizon has ended and the bars do not tell it; they may still come.
    BarsMissing {
        /// What is missing.
        missing: NeverKnown,
    },
}

/// Why it is not known what came of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[non_exhaustive]
pub enum NeverKnown {
    /// The symbol has no bars any more: it was delisted, renamed, or its source was removed.
    NoBars,
    /// The bar that the signal rests on is no longer among the bars that are accepted.
    FirstBarGone,
    /// The symbol has no bar since: it was delisted or its trading halted for good.
    NoBarSince {
        /// The day of its last bar.
        last_day: Date,
    },
    /// The share was not traded at the end of the horizon, though it was later.
    NotTradedAtTheEnd,
    /// Between the signal and the end of its horizon prices broke in a way that nothing explains.
    Break {
        /// The first day behind the break.
        day: Date,
    },
    /// The hours of the session are not known, so that its end cannot be told.
    EndUnknown,
    /// The sample market that it was made from has given way.
    SampleGone,
}

impl NeverKnown {
    /// The stable word for this reason in the store, the API and the files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoBars => "no_bars",
            Self::FirstBarGone => "first_bar_gone",
            Self::NoBarSince { .. } => "no_bar_since",
            Self::NotTradedAtTheEnd => "not_traded_at_the_end",
            Self::Break { .. } => "break",
            Self::EndUnknown => "end_unknown",
            Self::SampleGone => "sample_gone",
        }
    }
}

impl fmt::Display for NeverKnown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBars => f.write_str("the symbol has no bars any more"),
            Self::FirstBarGone => f.write_str("the bar that it rests on is no longer accepted"),
            Self::NoBarSince { last_day } => write!(f, "the symbol has no bar since {last_day}"),
            Self::NotTradedAtTheEnd => f.write_str("the share was not traded at the end"),
            Self::Break { day } => {
                write!(f, "prices broke on {day} in a way that nothing explains")
            }
            Self::EndUnknown => f.write_str("the hours of its session are not known"),
            Self::SampleGone => f.write_str("the sample market has given way"),
        }
    }
}

/// Whether someone who acted on the signal could have, at the open of the first bar after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// Yes, at its open.
    Open,
    /// The share was not traded then.
    NoBar,
    /// The source does not give an open.
    NoOpen,
    /// It traded at the limit of that bar's session and nowhere else, so that nobody sold to a buyer,
    /// or bought from a seller.
    Locked,
}

impl Entry {
    /// The word used in the store, the API and the files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::NoBar => "no_bar",
            Self::NoOpen => "no_open",
            Self::Locked => "locked",
        }
    }
}

/// What the price touched first of target and stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "first", rename_all = "snake_case")]
pub enum Touch {
    /// The target.
    Target {
        /// The day on which it did.
        day: Date,
    },
    /// The stop.
    Stop {
        /// The day on which it did.
        day: Date,
    },
    /// Both in one bar, of which the order is not known: to be counted as the stop.
    Both {
        /// The day on which it did.
        day: Date,
    },
    /// Neither before the horizon ended.
    Neither,
}

impl Touch {
    /// The word used in the API and the files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Target { .. } => "target",
            Self::Stop { .. } => "stop",
            Self::Both { .. } => "both",
            Self::Neither => "neither",
        }
    }
}

/// What came of a signal. Returns are simple and of total return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalScore {
    /// What the signal said to do.
    pub action: Action,
    /// The probability of a rise that it gave.
    pub probability_up: f64,
    /// The return that it expected.
    pub expected_return_share: f64,
    /// The cost of a purchase and its sale, as it said.
    pub cost_share: f64,
    /// Whether it was made before the first bar that it is for had begun, or, within a session, before
    /// its horizon ended: later nobody could act on it.
    pub made_in_time: bool,
    /// The close that it is counted from, as traded, as the bars told when it was scored.
    pub first_close: Price,
    /// The session of the close at which its horizon ended.
    pub ended_on: Date,
    /// That close, as traded.
    pub last_close: Price,
    /// What splits and dividends between the two closes multiply the later one by, one for none.
    pub adjustment: f64,
    /// SHA-256 of the bars from the first close to the last, as they were when it was scored.
    pub bars_hash: String,
    /// Bars of the way that the share was not traded in.
    pub missing_bars_count: u32,
    /// From close to close.
    pub return_share: f64,
    /// Whether the price rose; `None` when it did not move.
    pub rose: Option<bool>,
    /// Whether the probability was on the right side of one half; `None` when the price did not move
    /// or the probability was one half.
    pub hit: Option<bool>,
    /// The squared distance of the probability from what came; `None` when the price did not move.
    pub brier: Option<f64>,
    /// Whether the band of 50 % held the return.
    pub held_50: bool,
    /// Whether the band of 80 % held the return.
    pub held_80: bool,
    /// Whether one could act on it; `None` for hold.
    pub entry: Option<Entry>,
    /// What acting on it at the next open brought after costs: for buy the return from there to the
    /// end less the costs; for sell, beside keeping the share, what was avoided less the costs. `None`
    /// for hold and when one could not act.
    pub gain_after_costs_share: Option<f64>,
    /// Target and stop; `None` for hold.
    pub touch: Option<Touch>,
}

/// Scores a signal, if it can be by now.
pub fn score(input: &ScoreInput<'_>) -> Outcome {
    let ScoreInput { signal, calendar, .. } = *input;
    let sessions = signal.horizon.sessions().into();
    let ends_on = match signal.as_of_time {
        None => calendar.session_after(signal.as_of, sessions),
        Some(_) => Some(signal.as_of),
    };
    let Some(ended_on) = ends_on.filter(|day| Some(*day) <= input.complete_until) else {
        return Outcome::Waiting(Waiting::HorizonOpen { ends_on });
    };
    match way(input) {
        Ok(way) => Outcome::Scored(Box::new(score_of(input, &way, ended_on))),
        Err(missing) => {
            let since = |day| calendar.sessions_between(ended_on, day);
            if input.market_day.and_then(since).is_some_and(|count| count > GRACE_SESSIONS) {
                Outcome::NeverKnown(missing)
            } else {
                Outcome::Waiting(Waiting::BarsMissing { missing })
            }
        }
    }
}

/// The way from the signal to its end, which has a last bar.
fn way(input: &ScoreInput<'_>) -> Result<RealisedWay, NeverKnown> {
    let ScoreInput { signal, series, calendar, .. } = *input;
    let series = series.filter(|series| !series.bars().is_empty()).ok_or(NeverKnown::NoBars)?;
    let way = RealisedWay::of(series, signal.as_of, signal.as_of_time, signal.horizon, calendar);
    let way = way.map_err(|none| match none {
        NoWay::NoFirstBar => NeverKnown::FirstBarGone,
        NoWay::EndUnknown => NeverKnown::EndUnknown,
    })?;
    if let Some(day) = way.broken_on {
        return Err(NeverKnown::Break { day });
    }
    if way.last().is_none() {
        let last_day = series.bars()[series.bars().len() - 1].day;
        let is_later = last_day >= way.ends.1.date();
        return Err(if is_later {
            NeverKnown::NotTradedAtTheEnd
        } else {
            NeverKnown::NoBarSince { last_day }
        });
    }
    Ok(way)
}

fn score_of(input: &ScoreInput<'_>, way: &RealisedWay, ended_on: Date) -> SignalScore {
    let signal = input.signal;
    let last = way.bars[way.bars.len() - 1];
    let return_share = last.close / way.from.close - 1.0;
    let rose = (return_share.abs() > 0.0).then_some(return_share > 0.0);
    let probability_up = signal.probability_up;
    let said = ((probability_up - 0.5).abs() > 0.0).then_some(probability_up > 0.5);
    let holds =
        |ReturnInterval { low, high }: ReturnInterval| low <= return_share && return_share <= high;
    let entry = entry(signal.action, way);
    SignalScore {
        action: signal.action,
        probability_up,
        expected_return_share: signal.expected_return_share,
        cost_share: signal.cost_share,
        made_in_time: is_in_time(input),
        first_close: way.from.traded.close,
        ended_on,
        last_close: last.traded.close,
        adjustment: adjustment(&way.from, &last),
        bars_hash: hash(signal.symbol, way),
        missing_bars_count: missing_bars_count(input, way),
        return_share,
        rose,
        hit: rose.zip(said).map(|(rose, said)| rose == said),
        brier: rose.map(|rose| (probability_up - f64::from(rose)).powi(2)),
        held_50: holds(signal.interval_50),
        held_80: holds(signal.interval_80),
        entry,
        gain_after_costs_share: entry
            .filter(|entry| *entry == Entry::Open)
            .and_then(|_| gain_after_costs(signal, way)),
        touch: touch(signal, way),
    }
}

fn hash(symbol: Symbol, way: &RealisedWay) -> String {
    bars_hash(symbol, [&way.from].into_iter().chain(&way.bars).map(|bar| &bar.traded))
}

/// What turns the price of `last` into one of the scale of `first`.
fn adjustment(first: &WayBar, last: &WayBar) -> f64 {
    let scale = |bar: &WayBar| bar.close / bar.traded.close.lira();
    scale(last) / scale(first)
}

/// Bars between the two ends of the way that are not there.
fn missing_bars_count(input: &ScoreInput<'_>, way: &RealisedWay) -> u32 {
    let (first, last) = way.ends;
    let expected = if first.date() == last.date() && input.signal.as_of_time.is_some() {
        let minutes = last.duration_since(first).as_mins();
        u32::try_from(minutes / 60 + 1).unwrap_or(0)
    } else {
        u32::from(input.signal.horizon.sessions())
    };
    expected.saturating_sub(u32::try_from(way.bars.len()).unwrap_or(u32::MAX))
}

/// Whether a signal was made while one could still act on it.
fn is_in_time(input: &ScoreInput<'_>) -> bool {
    let ScoreInput { signal, made_at, calendar, rules, .. } = *input;
    let instant = |day: Date, time: Time| istanbul().to_timestamp(day.to_datetime(time)).ok();
    let deadline = match signal.valid_until_time {
        Some(ends_at) => instant(signal.as_of, ends_at),
        None => calendar.next_session(signal.as_of).map(|day| {
            let DayKind::Session { session } = calendar.day(day) else { return midnight_of(day) };
            let phases = rules.timetable(day, session).map(|timetable| timetable.phases);
            let opens = phases.and_then(<[_]>::first).and_then(|first| instant(day, first.begins));
            opens.unwrap_or_else(|| midnight_of(day))
        }),
    };
    deadline.is_some_and(|deadline| made_at < deadline)
}

/// Whether one could do what the signal says at the open of the first bar.
fn entry(action: Action, way: &RealisedWay) -> Option<Entry> {
    let blocked = match action {
        Action::Buy => 1,
        Action::Sell => -1,
        Action::Hold => return None,
    };
    Some(match way.first() {
        None => Entry::NoBar,
        Some(first) if first.locked == blocked => Entry::Locked,
        Some(WayBar { open: None, .. }) => Entry::NoOpen,
        Some(_) => Entry::Open,
    })
}

fn gain_after_costs(signal: &Signal, way: &RealisedWay) -> Option<f64> {
    let traded = way.tradable_log_return()?.exp_m1();
    match signal.action {
        Action::Buy => Some(traded - signal.cost_share),
        Action::Sell => Some(-traded - signal.cost_share),
        Action::Hold => None,
    }
}

/// What was touched first. Target and stop move with what the signal's close has become since: with
/// splits and dividends, and with a source that writes its whole past anew.
fn touch(signal: &Signal, way: &RealisedWay) -> Option<Touch> {
    let scale = way.from.close / signal.last_close.lira();
    let (target, stop) = (signal.target?.lira() * scale, signal.stop?.lira() * scale);
    let touched = |bar: &WayBar| {
        let up_to = |price: f64| bar.high >= price * (1.0 - TOUCH_TOLERANCE);
        let down_to = |price: f64| bar.low <= price * (1.0 + TOUCH_TOLERANCE);
        let (at_target, at_stop) = match signal.action {
            Action::Buy => (up_to(target), down_to(stop)),
            Action::Sell => (down_to(target), up_to(stop)),
            Action::Hold => (false, false),
        };
        let day = bar.traded.day;
        match (at_target, at_stop) {
            (true, true) => Some(Touch::Both { day }),
            (true, false) => Some(Touch::Target { day }),
            (false, true) => Some(Touch::Stop { day }),
            (false, false) => None,
        }
    };
    Some(way.bars.iter().find_map(touched).unwrap_or(Touch::Neither))
}
