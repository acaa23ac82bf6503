//! What the exchange allowed on a given day: ticks, limits, hours, breakers, fees and the rest.
//!
//! Every number stands in a dated table with the days on which it holds, its source, the day it was
//! read and how sure we are ([`Dated`]). The code below only looks things up. What no source tells
//! is [`RuleOnDay::Unknown`] and is never guessed.

mod breakers;
mod costs;
mod dated;
mod events;
mod limits;
mod measures;
mod order_messages;
mod rules_of_day;
mod sessions;
mod settlement;
mod short_selling;
mod ticks;

use jiff::civil::Date;

pub use breakers::{IndexBreaker, MarketHalt, ShareHalt, ShareTrigger};
pub use costs::{FeeRange, Tax};
pub use dated::{BasisPoints, Certainty, Dated, RuleOnDay};
pub use events::MarketEvent;
pub use limits::{BasePrice, DailyLimit, LimitException};
pub use measures::{Segment, Segments, VolatilityMeasures};
pub use order_messages::{ExcessCharge, OrderToTrade};
pub use rules_of_day::{RulesOfDay, SymbolLimit};
pub use sessions::{Phase, PhaseKind, Timetable};
pub use settlement::Settlement;
pub use short_selling::{MarginRule, ShortSale, UptickRule};
pub use ticks::{TickBand, TickTable};

use crate::calendar::SessionKind;
use crate::instrument::Symbol;
use crate::price::Price;

/// The dated rules of Borsa Istanbul's equity market.
#[derive(Debug)]
pub struct ExchangeRules(());

/// The prices between which orders were accepted on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceLimits {
    /// The lowest price (taban), a valid tick.
    pub lower: Price,
    /// The highest price (tavan), a valid tick.
    pub upper: Price,
}

impl ExchangeRules {
    /// The rules of Borsa Istanbul.
    pub const fn bist() -> &'static Self {
        static BIST: ExchangeRules = ExchangeRules(());
        &BIST
    }

    /// The price step of a share at `price` on `day`: that of the price's own band.
    ///
    /// # Panics
    ///
    /// Never: the tick table has an entry for every day and every tick is positive.
    pub fn tick(&self, day: Date, price: Price) -> Price {
        price_of(self.tick_units(day, price.units())).expect("every tick is positive")
    }

    /// The highest valid price of a share that is not above `price`; `None` when there is none,
    /// because `price` is below the smallest tick.
    pub fn round_down(&self, day: Date, price: Price) -> Option<Price> {
        let units = price.units();
        // Every band begins at a multiple of its tick, so rounding down never leaves the band.
        price_of(units - units % self.tick_units(day, units))
    }

    /// The lowest valid price of a share that is not below `price`; `None` only when it would be
    /// too large to hold.
    pub fn round_up(&self, day: Date, price: Price) -> Option<Price> {
        let tick = self.tick_units(day, price.units());
        // A band's upper end is a multiple of its tick, so the step above is valid there as well.
        price_of(next_multiple(price.units(), tick)?)
    }

    /// The valid price of a share nearest to `price`, the higher of two equally near; `None` when it
    /// would be zero or too large to hold.
    pub fn round_nearest(&self, day: Date, price: Price) -> Option<Price> {
        let up = self.round_up(day, price);
        let down = self.round_down(day, price);
        match (down, up) {
            (Some(down), Some(up)) => {
                let nearer_below = price.units() - down.units() < up.units() - price.units();
                Some(if nearer_below { down } else { up })
            }
            // Below the smallest tick: zero is no price, so half a tick rounds up and less to none.
            (None, Some(up)) => (price.units() * 2 >= up.units()).then_some(up),
            (down, None) => down,
        }
    }

    /// The daily limit of shares on `day`, a share of the base price; `None` when it is not known.
    pub fn limit_share(&self, day: Date) -> Option<BasisPoints> {
        limits::SHARES.on(day).map(|entry| entry.value.share)
    }

    /// The same for one symbol, which may have a limit of its own.
    pub fn limit_share_of(&self, day: Date, symbol: Symbol) -> Option<BasisPoints> {
        match limit_exception(day, symbol) {
            Some(exception) => exception.value.share,
            None => self.limit_share(day),
        }
    }

    /// Whether `symbol` has, or had, a limit of its own on some day.
    pub(crate) fn has_own_limit(&self, symbol: Symbol) -> bool {
        limits::EXCEPTIONS.iter().any(|entry| entry.value.symbol == Some(symbol.as_str()))
    }

    /// The prices between which a share with base price `base` could trade on `day`: the lower limit
    /// rounded up and the upper rounded down to a valid tick. `None` when the limit is not known or
    /// no valid price lies between.
    pub fn daily_limits(&self, day: Date, base: Price) -> Option<PriceLimits> {
        self.limits_by(day, self.limit_share(day)?, base)
    }

    /// The same for one symbol, which may have a limit of its own.
    pub fn daily_limits_of(&self, day: Date, symbol: Symbol, base: Price) -> Option<PriceLimits> {
        self.limits_by(day, self.limit_share_of(day, symbol)?, base)
    }

    fn limits_by(&self, day: Date, share: BasisPoints, base: Price) -> Option<PriceLimits> {
        let share = i128::from(share.0);
        let base = i128::from(base.units());
        // Whole units inwards; exact, as a price has no more than four decimals.
        let lower = (base * (10_000 - share) + 9_999) / 10_000;
        let upper = base * (10_000 + share) / 10_000;
        let lower = self.round_up(day, price_of(i64::try_from(lower).ok()?)?)?;
        let upper = self.round_down(day, price_of(i64::try_from(upper).ok()?)?)?;
        (lower <= upper).then_some(PriceLimits { lower, upper })
    }

    /// What is withheld of a dividend with ex-day `day`, a share of its gross amount.
    ///
    /// On the days of late December 2024 whose rate no source tells, the later and higher one.
    ///
    /// # Panics
    ///
    /// Never: the last entry of the table has no end.
    pub fn dividend_withholding(&self, day: Date) -> BasisPoints {
        let entry = costs::DIVIDENDS.entries.iter().find(|e| e.valid_to.is_none_or(|to| day <= to));
        entry.expect("the last rate has no end").value.share
    }

    /// The phases of a session of this kind on `day`; `None` when its hours are not known.
    pub fn timetable(&self, day: Date, session: SessionKind) -> Option<Timetable> {
        sessions::of_kind(session).on(day).map(|entry| entry.value)
    }

    /// Everything we know of `day`, and of `symbol` on that day if one is given.
    pub fn rules_on(&self, day: Date, symbol: Option<Symbol>) -> RulesOfDay {
        RulesOfDay::of(day, symbol)
    }

    /// The tick of a share at a price, units of 0.0001 TRY.
    fn tick_units(&self, day: Date, price_units: i64) -> i64 {
        let table = ticks::SHARES.on(day).expect("the tick table has an entry for every day");
        table.value.tick_units(price_units)
    }
}

/// The settlement rule of a trade day.
pub(crate) fn settlement(trade_day: Date) -> Option<&'static Dated<Settlement>> {
    settlement::LAG.on(trade_day)
}

/// The exception that is made for `symbol` by name on `day`.
fn limit_exception(day: Date, symbol: Symbol) -> Option<&'static Dated<LimitException>> {
    limits::EXCEPTIONS
        .iter()
        .filter(|entry| entry.holds_on(day))
        .find(|entry| entry.value.symbol == Some(symbol.as_str()))
}

/// A price of so many units, if they are positive.
fn price_of(units: i64) -> Option<Price> {
    Price::from_units(units).ok()
}

/// The lowest multiple of `tick` that is not below `units`, both positive.
fn next_multiple(units: i64, tick: i64) -> Option<i64> {
    match units % tick {
        0 => Some(units),
        rest => units.checked_add(tick - rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_day_has_two_entries_of_one_rule() {
        ticks::SHARES.assert_in_order();
        ticks::FUNDS.assert_in_order();
        limits::SHARES.assert_in_order();
        limits::BASE_PRICE.assert_in_order();
        sessions::FULL_DAYS.assert_in_order();
        sessions::HALF_DAYS.assert_in_order();
        breakers::SHARE_TRIGGER.assert_in_order();
        breakers::SHARE_HALT.assert_in_order();
        breakers::INDEX_BREAKER.assert_in_order();
        short_selling::PERMISSION.assert_in_order();
        short_selling::UPTICK.assert_in_order();
        short_selling::MARGIN.assert_in_order();
        order_messages::RATIO.assert_in_order();
        order_messages::CHARGE.assert_in_order();
        measures::VOLATILITY.assert_in_order();
        measures::SEGMENTS.assert_in_order();
        settlement::LAG.assert_in_order();
        costs::EXCHANGE_FEE.assert_in_order();
        costs::COMMISSION.assert_in_order();
        costs::BSMV.assert_in_order();
        costs::GAINS.assert_in_order();
        costs::DIVIDENDS.assert_in_order();
        costs::FUND_GAINS.assert_in_order();
    }

    #[test]
    fn an_unknown_dividend_withholding_is_taken_to_be_the_later_one() {
        use jiff::civil::date;
        let rate = |day| ExchangeRules::bist().dividend_withholding(day).0;
        assert_eq!(rate(Date::MIN), 1_000);
        assert_eq!(rate(date(2024, 12, 20)), 1_000);
        assert_eq!(rate(date(2024, 12, 21)), 1_500);
        assert_eq!(rate(date(2025, 1, 1)), 1_500);
        assert_eq!(rate(Date::MAX), 1_500);
    }

    #[test]
    fn ticks_limits_and_settlement_are_known_on_every_day() {
        for day in [Date::MIN, Date::MAX] {
            assert!(ticks::SHARES.on(day).is_some());
            assert!(limits::SHARES.on(day).is_some());
            assert!(settlement::LAG.on(day).is_some());
        }
        for entry in ticks::SHARES.entries {
            let bands = entry.value.bands();
            assert_eq!(bands[0].from_units, 0);
            for pair in bands.windows(2) {
                assert!(pair[0].from_units < pair[1].from_units);
                // So that rounding never leaves the band of the price downwards.
                assert_eq!(pair[1].from_units % pair[0].tick_units, 0);
                assert_eq!(pair[1].from_units % pair[1].tick_units, 0);
            }
        }
    }
}
