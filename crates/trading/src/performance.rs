//! What following the forecasts would have earned after costs, beside simply holding everything.

use bist_models::Horizon;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::costs::CostModel;
use crate::estimate::{Estimate, count};

/// Level of the intervals in [`AfterCosts`].
pub const INTERVAL_LEVEL: f64 = 0.95;

/// One forecast and what it led to. All returns are simple and total.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Opportunity {
    /// The session in which the forecast was made.
    pub day: Date,
    /// When the bar began at whose close it was made; midnight for a daily bar.
    pub time: Time,
    /// What was forecast for the horizon.
    pub expected_return_share: f64,
    /// From the next bar's open to the close that ends the horizon; `None` when one of them is not
    /// known.
    pub traded_return_share: Option<f64>,
    /// From the close at which the forecast was made to the close that ends the horizon.
    pub held_return_share: f64,
}

/// The record of one rule, fixed before any forecast was seen, over periods that do not overlap.
///
/// The rule: at the close of every `horizon`-th day, take the symbols whose expected return exceeds
/// the cost of a round trip; buy them in equal parts at the next session's open, sell all at the
/// close that ends the horizon, and pay for every purchase and sale. With forecasts of the next hour
/// this is done at the close of every hour; with forecasts to the end of the day once a day, at the
/// close of its first hour. When there is none, stay in
/// cash, which earns nothing. Beside it stands holding all symbols in equal parts from close to
/// close, which pays no costs and is never out of the market: the comparison favours it.
///
/// What is left out: whether the opening price could be had (a share at its upper limit cannot be
/// bought), the market impact of the trade, and taxes on gains (none for listed shares).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AfterCosts {
    /// Periods that do not overlap.
    pub periods_count: u64,
    /// Days of the record from the beginning of one period to that of the next; zero where a day has
    /// several periods.
    pub days_per_period: u64,
    /// Periods in which something was bought.
    pub invested_periods_count: u64,
    /// Purchases, each followed by its sale.
    pub trades_count: u64,
    /// Symbols that the rule chose and whose opening or closing price is not known; they are left
    /// out of the return.
    pub untradable_count: u64,
    /// Cost of a purchase and its sale, share of the amount.
    pub round_trip_share: f64,
    /// Mean share of the money that was bought and sold in a period, 0..=1.
    pub turnover_share: f64,
    /// Mean return of a period before costs.
    pub gross_return_share: f64,
    /// Mean return of a period after costs, with Student's interval; absent for a single period.
    pub net_return_share: Option<Estimate>,
    /// Mean return of holding all symbols in equal parts.
    pub hold_return_share: f64,
    /// Mean of net return less the return of holding, period by period, with Student's interval.
    pub excess_return_share: Option<Estimate>,
}

/// One period of the rule.
struct Period {
    bought_count: usize,
    untradable_count: usize,
    gross_share: f64,
    hold_share: f64,
}

impl AfterCosts {
    /// Follows the rule of [`AfterCosts`] through `opportunities` of forecasts over `horizon`, which
    /// are sorted by day and time. `None` when there are none.
    pub fn of(opportunities: &[Opportunity], horizon: Horizon, costs: &CostModel) -> Option<Self> {
        let round_trip_share = costs.round_trip_share();
        let moments: Vec<&[Opportunity]> =
            opportunities.chunk_by(|a, b| (a.day, a.time) == (b.day, b.time)).collect();
        let (begins, days_per_period): (Vec<&[Opportunity]>, u64) = match horizon {
            Horizon::Sessions(sessions) => {
                let sessions = sessions.get();
                (moments.into_iter().step_by(sessions.into()).collect(), sessions.into())
            }
            Horizon::NextHour => (moments, 0),
            Horizon::EndOfDay => {
                let days = moments.chunk_by(|a, b| a[0].day == b[0].day);
                (days.map(|moments| moments[0]).collect(), 1)
            }
        };
        let periods: Vec<Period> =
            begins.into_iter().map(|begin| period(begin, round_trip_share)).collect();
        if periods.is_empty() {
            return None;
        }
        let invested = |p: &Period| if p.bought_count > 0 { 1.0 } else { 0.0 };
        let net: Vec<f64> =
            periods.iter().map(|p| p.gross_share - round_trip_share * invested(p)).collect();
        let excess: Vec<f64> = net.iter().zip(&periods).map(|(n, p)| n - p.hold_share).collect();
        let mean = |of: &dyn Fn(&Period) -> f64| {
            periods.iter().map(of).sum::<f64>() / count(periods.len())
        };
        Some(Self {
            periods_count: periods.len() as u64,
            days_per_period,
            invested_periods_count: periods.iter().filter(|p| p.bought_count > 0).count() as u64,
            trades_count: periods.iter().map(|p| p.bought_count as u64).sum(),
            untradable_count: periods.iter().map(|p| p.untradable_count as u64).sum(),
            round_trip_share,
            turnover_share: mean(&invested),
            gross_return_share: mean(&|p| p.gross_share),
            net_return_share: Estimate::of_mean(&net, INTERVAL_LEVEL),
            hold_return_share: mean(&|p| p.hold_share),
            excess_return_share: Estimate::of_mean(&excess, INTERVAL_LEVEL),
        })
    }
}

/// What the rule did at one moment, at which there is at least one opportunity.
fn period(begin: &[Opportunity], round_trip_share: f64) -> Period {
    let chosen = || begin.iter().filter(|o| o.expected_return_share > round_trip_share);
    let bought: Vec<f64> = chosen().filter_map(|o| o.traded_return_share).collect();
    let held: f64 = begin.iter().map(|o| o.held_return_share).sum();
    Period {
        bought_count: bought.len(),
        untradable_count: chosen().count() - bought.len(),
        gross_share: bought.iter().sum::<f64>() / count(bought.len().max(1)),
        hold_share: held / count(begin.len()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    fn opportunity(day: i64, expected: f64, traded: Option<f64>, held: f64) -> Opportunity {
        Opportunity {
            day: date(2024, 1, 1) + day.days(),
            time: Time::midnight(),
            expected_return_share: expected,
            traded_return_share: traded,
            held_return_share: held,
        }
    }

    fn costs(per_side_share: f64) -> CostModel {
        CostModel {
            commission_share: 0.0,
            bsmv_share_of_commission: 0.0,
            exchange_fee_share: 0.0,
            slippage_share: per_side_share,
        }
    }

    fn sessions(count: u8) -> Horizon {
        Horizon::from_sessions(count).unwrap()
    }

    #[test]
    fn every_hour_is_a_period_of_its_own_and_the_end_of_a_day_ends_one_that_began_in_its_first() {
        let hours = [(0, 10), (0, 11), (1, 10), (1, 11), (1, 12)];
        let record = hours.map(|(day, hour)| Opportunity {
            time: Time::constant(hour, 0, 0, 0),
            ..opportunity(day, 0.05, Some(f64::from(hour) / 1000.0), 0.0)
        });
        let of = |horizon| AfterCosts::of(&record, horizon, &costs(0.0)).unwrap();
        let (hourly, daily) = (of(Horizon::NextHour), of(Horizon::EndOfDay));
        assert_eq!((hourly.periods_count, hourly.days_per_period), (5, 0));
        assert_eq!((daily.periods_count, daily.days_per_period), (2, 1));
        assert!((daily.gross_return_share - 0.010).abs() < 1e-15);
        assert!((hourly.gross_return_share - 0.0108).abs() < 1e-15);
    }

    #[test]
    fn only_what_exceeds_the_costs_is_bought_and_every_period_pays() {
        let record = [
            opportunity(0, 0.05, Some(0.04), 0.05),
            opportunity(0, 0.03, Some(0.02), 0.01),
            opportunity(0, 0.01, Some(-0.5), 0.0),
            // Not the beginning of a period: no part of it may be seen.
            opportunity(1, 0.5, Some(9.0), 9.0),
            opportunity(2, -0.05, Some(-0.1), -0.02),
            opportunity(2, 0.009, Some(0.1), 0.04),
        ];
        let after = AfterCosts::of(&record, sessions(2), &costs(0.005)).unwrap();
        assert_eq!((after.periods_count, after.invested_periods_count), (2, 1));
        assert_eq!((after.trades_count, after.untradable_count), (2, 0));
        assert!((after.turnover_share - 0.5).abs() < 1e-15);
        assert!((after.gross_return_share - 0.015).abs() < 1e-15);
        assert!((after.net_return_share.unwrap().value - 0.01).abs() < 1e-15);
        assert!((after.hold_return_share - 0.015).abs() < 1e-15);
        assert!((after.excess_return_share.unwrap().value + 0.005).abs() < 1e-15);
    }

    #[test]
    fn an_expectation_equal_to_the_costs_is_not_bought() {
        let after =
            AfterCosts::of(&[opportunity(0, 0.01, Some(1.0), 0.0)], sessions(5), &costs(0.005))
                .unwrap();
        assert_eq!(after.trades_count, 0);
        assert!(after.gross_return_share.abs() < 1e-15);
        assert_eq!(after.net_return_share, None, "one period has no interval");
    }

    #[test]
    fn a_symbol_without_a_price_is_counted_and_left_out() {
        let record = [opportunity(0, 0.5, None, 0.0), opportunity(0, 0.5, Some(0.03), 0.0)];
        let after = AfterCosts::of(&record, sessions(1), &costs(0.0)).unwrap();
        assert_eq!((after.trades_count, after.untradable_count), (1, 1));
        assert!((after.gross_return_share - 0.03).abs() < 1e-15);
    }

    #[test]
    fn no_opportunities_are_no_record() {
        assert_eq!(AfterCosts::of(&[], sessions(5), &CostModel::default()), None);
    }
}
