//! A forecast becomes a signal: buy, sell or hold, with the reason.

mod policy;
mod prices;
mod reason;

use std::fmt;

use bist_market::{Calendar, ExchangeRules, Price, Symbol};
use bist_models::Horizon;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::costs::CostModel;
use crate::record::{ModelRecord, SymbolRecord};

pub use policy::{PolicyError, SignalPolicy};
pub use reason::Reason;

/// Contributions that a signal names one by one.
const NAMED_COUNT: usize = 5;

/// How far contributions may be from adding up to the forecast, log-return.
const SUM_TOLERANCE: f64 = 1e-6;

/// What a signal knows of the session in which it is made and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithinSession {
    /// When the last bar that it rests on closed, in Istanbul.
    pub known_at: Time,
    /// When the horizon ends, in Istanbul.
    pub ends_at: Time,
    /// The base price of the session, from which its limits are counted; `None` when it is not known.
    pub base_price: Option<Price>,
}

/// What to do with a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Buy at the next session, or at the next hour.
    Buy,
    /// Reduce what one has and do not buy. The product is long-only: nothing is sold short.
    Sell,
    /// Do nothing; the reason says why.
    Hold,
}

impl Action {
    /// The word used in the store, the API and the files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Hold => "hold",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The ends of an interval of log-returns.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReturnInterval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl ReturnInterval {
    /// The same of simple returns.
    fn simple(self) -> Self {
        Self { low: self.low.exp_m1(), high: self.high.exp_m1() }
    }
}

/// What one feature adds to a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// The feature's name.
    pub feature: String,
    /// Its value in this row; `None` when it is not known.
    pub value: Option<f64>,
    /// What it adds, log-return.
    pub contribution_share: f64,
}

/// The largest contributions to a forecast and the sum of the rest.
///
/// All are log-returns, and `base_share`, the items and `other_share` add up to `total_share`
/// within 1e-6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TopContributions {
    /// The forecast for a row of which nothing is known.
    pub base_share: f64,
    /// The five largest contributions, by absolute value, largest first.
    pub items: Vec<Contribution>,
    /// The sum of all others.
    pub other_share: f64,
    /// The forecast.
    pub total_share: f64,
}

/// Everything that [`decide`] looks at.
#[derive(Clone, Copy, Debug)]
pub struct SignalInput<'a> {
    /// Whose signal.
    pub symbol: Symbol,
    /// The day of the last validated bar.
    pub as_of: Date,
    /// Its close, as traded.
    pub last_close: Price,
    /// How far ahead the forecast looks.
    pub horizon: Horizon,
    /// The session, for a horizon that ends within it.
    pub within_session: Option<WithinSession>,
    /// The forecast: log-return over the horizon, total return.
    pub expected_log_return: f64,
    /// Where the expected return lies with probability 0.8, by what the model's forecasts have been
    /// worth out of sample.
    pub expected_interval_80: ReturnInterval,
    /// Where the return will lie with probability 0.8.
    pub interval_80: ReturnInterval,
    /// Where the return will lie with probability 0.5.
    pub interval_50: ReturnInterval,
    /// Probability that the close is higher at the end of the horizon, calibrated out of sample.
    pub probability_up: f64,
    /// The forecast for a row of which nothing is known, log-return.
    pub base_share: f64,
    /// What each feature adds, in any order.
    pub contributions: &'a [Contribution],
    /// The model's record over all symbols.
    pub model_record: &'a ModelRecord,
    /// The model's record on this symbol.
    pub symbol_record: &'a SymbolRecord,
    /// What trading costs.
    pub costs: &'a CostModel,
    /// How sure the forecast has to be.
    pub policy: SignalPolicy,
    /// The exchange's sessions.
    pub calendar: &'a Calendar,
    /// The exchange's price steps and limits.
    pub rules: &'a ExchangeRules,
}

impl SignalInput<'_> {
    /// The session for which the signal is made; `None` past the end of the calendar.
    fn session(&self) -> Option<Date> {
        match self.within_session {
            None => self.calendar.next_session(self.as_of),
            Some(_) => Some(self.as_of),
        }
    }

    /// The base price of that session.
    fn base_price(&self) -> Option<Price> {
        self.within_session.map_or(Some(self.last_close), |within| within.base_price)
    }
}

/// What to do with a share at the next session, or at the next hour of the same, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Whose signal.
    pub symbol: Symbol,
    /// The day of the last bar it rests on.
    pub as_of: Date,
    /// The time, in Istanbul, at which that bar closed, where it is not that of a whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_time: Option<Time>,
    /// The close of that bar, as traded.
    pub last_close: Price,
    /// How far ahead it looks.
    pub horizon: Horizon,
    /// The session for which it is made; `None` past the end of the calendar.
    pub next_session: Option<Date>,
    /// The session at whose close it ends; `None` when the calendar does not reach so far, which
    /// means unknown and not for ever.
    pub valid_until: Option<Date>,
    /// The time of that day, in Istanbul, at which it ends, where that is not with the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until_time: Option<Time>,
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// Simple return expected over the horizon: the forecast's centre, costs not counted.
    pub expected_return_share: f64,
    /// Simple returns between which the expected return lies with probability 0.8, by what the
    /// model's forecasts have been worth out of sample.
    pub expected_return_interval_80: ReturnInterval,
    /// Cost of a purchase and its sale, share of the amount.
    pub cost_share: f64,
    /// The expected return with the costs taken off its size: what is left of the forecast for
    /// someone who acts on it. Of the other sign than `expected_return_share` when the costs are
    /// larger.
    pub expected_return_after_costs_share: f64,
    /// Probability that the close is higher at the end of the horizon, calibrated out of sample.
    pub probability_up: f64,
    /// Simple returns between which the return will lie with probability 0.5.
    pub interval_50: ReturnInterval,
    /// Simple returns between which the return will lie with probability 0.8.
    pub interval_80: ReturnInterval,
    /// Where the forecast expects the price: the centre, rounded towards the last close. An order
    /// at this price is valid in the next session. None for hold.
    pub target: Option<Price>,
    /// Where the forecast is refuted: the end of the 80 % interval on the other side, rounded away
    /// from the last close. An order at this price is valid in the next session. None for hold.
    pub stop: Option<Price>,
    /// Distance of the target from the last close over that of the stop, before costs. None for
    /// hold.
    pub risk_reward: Option<f64>,
    /// What the forecast is made of.
    pub contributions: TopContributions,
}

/// Decides what to do with a share.
///
/// In this order: hold when the model has not shown skill, when it has not shown it on this
/// symbol, when the forecast does not exceed the cost of a purchase and its sale as many times as the
/// policy asks for, when the band of the expected return at its level holds gains and losses once
/// costs are paid, and when no valid prices can be
/// named for the next session. Otherwise buy when the forecast is positive, and sell when it is
/// negative.
///
/// Target and stop lie within the limits of the session for which the signal is made: of the next
/// one, computed from the last close, and for a horizon within a session those of that session. If
/// a corporate action moves the base price of the next session, they move with it and must be
/// computed anew.
///
/// # Panics
///
/// When a number of the forecast is not finite, or the contributions do not add up to it within
/// 1e-6: a signal must not be explained by something else than its forecast.
pub fn decide(input: &SignalInput<'_>) -> Signal {
    let SignalInput { expected_log_return, interval_50, interval_80, probability_up, .. } = *input;
    let expected = input.expected_interval_80;
    for number in [
        expected_log_return,
        expected.low,
        expected.high,
        interval_50.low,
        interval_50.high,
        interval_80.low,
        interval_80.high,
        probability_up,
    ] {
        assert!(number.is_finite(), "the forecast of {} has the number {number}", input.symbol);
    }
    let contributions = top_contributions(input);
    let expected_return_share = expected_log_return.exp_m1();
    let cost_share = input.costs.round_trip_share();
    let verdict = verdict(input, expected_return_share, cost_share);
    let (action, reason, prices) = match verdict {
        Ok((action, reason, prices)) => (action, reason, Some(prices)),
        Err(reason) => (Action::Hold, reason, None),
    };
    Signal {
        symbol: input.symbol,
        as_of: input.as_of,
        as_of_time: input.within_session.map(|within| within.known_at),
        last_close: input.last_close,
        horizon: input.horizon,
        next_session: input.session(),
        valid_until: match input.within_session {
            None => input.calendar.session_after(input.as_of, u32::from(input.horizon.sessions())),
            Some(_) => Some(input.as_of),
        },
        valid_until_time: input.within_session.map(|within| within.ends_at),
        action,
        reason,
        expected_return_share,
        expected_return_interval_80: input.expected_interval_80.simple(),
        cost_share,
        expected_return_after_costs_share: expected_return_share
            - cost_share.copysign(expected_return_share),
        probability_up,
        interval_50: interval_50.simple(),
        interval_80: interval_80.simple(),
        target: prices.map(|p| p.target),
        stop: prices.map(|p| p.stop),
        risk_reward: prices.map(|p| p.risk_reward(input.last_close)),
        contributions,
    }
}

/// The action with its prices, or why to hold.
fn verdict(
    input: &SignalInput<'_>,
    expected_return_share: f64,
    cost_share: f64,
) -> Result<(Action, Reason, prices::Prices), Reason> {
    let SignalInput { model_record, symbol_record, policy, .. } = input;
    if !model_record.skill_shown() {
        let (rank_ic, unmet) = (model_record.rank_ic, model_record.unmet.clone());
        return Err(Reason::NoSkillShown { rank_ic, unmet });
    }
    if !symbol_record.skill_shown() {
        return Err(match symbol_record.rank_ic {
            Some(rank_ic) => Reason::NoSkillForSymbol { rank_ic },
            None => Reason::SymbolRecordTooShort {
                days_count: symbol_record.days_count,
                days_count_min: symbol_record.days_count_min,
            },
        });
    }
    if !policy.exceeds_costs(expected_return_share, cost_share) {
        let costs_multiple = policy.costs_multiple();
        return Err(Reason::WithinCosts { expected_return_share, cost_share, costs_multiple });
    }
    let band = policy.band(input.expected_log_return, input.expected_interval_80).simple();
    if !policy.is_one_sided(expected_return_share, band, cost_share) {
        let (level, ReturnInterval { low, high }) = (policy.band_level(), band);
        return Err(Reason::BandSpansZero { level, low, high, cost_share });
    }
    let prices = prices::of(input)?;
    Ok(if expected_return_share > 0.0 {
        let reason = Reason::ExpectedGainAboveCosts { expected_return_share, cost_share };
        (Action::Buy, reason, prices)
    } else {
        let reason = Reason::ExpectedLossAboveCosts { expected_return_share, cost_share };
        (Action::Sell, reason, prices)
    })
}

/// The five largest contributions and the rest.
fn top_contributions(input: &SignalInput<'_>) -> TopContributions {
    let sum: f64 = input.contributions.iter().map(|c| c.contribution_share).sum();
    let gap = input.base_share + sum - input.expected_log_return;
    assert!(
        gap.abs() <= SUM_TOLERANCE,
        "the contributions of {} miss the forecast by {gap}",
        input.symbol
    );
    let mut items = input.contributions.to_vec();
    items.sort_by(|a, b| {
        b.contribution_share
            .abs()
            .total_cmp(&a.contribution_share.abs())
            .then_with(|| a.feature.cmp(&b.feature))
    });
    let others = items.split_off(NAMED_COUNT.min(items.len()));
    TopContributions {
        base_share: input.base_share,
        items,
        other_share: others.iter().map(|c| c.contribution_share).sum(),
        total_share: input.expected_log_return,
    }
}
