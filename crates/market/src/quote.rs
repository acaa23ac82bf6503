//! What a live source says that a share costs at this moment, and whether that can be.
//!
//! A quote is shown and never stored. Before it is shown, [`Quote::review`] holds it against what is
//! known: the rules of the exchange, the stored bars, and the quote before it.

use std::fmt;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::bar::day_of;
use crate::calendar::Calendar;
use crate::exchange_rules::ExchangeRules;
use crate::instrument::{InstrumentClass, Symbol};
use crate::price::Price;

/// How far the clock of a source may be ahead of ours.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(1);

/// A price of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Whose.
    pub symbol: Symbol,
    /// What it costs.
    pub price: Price,
    /// When that was so, in the words of the source: the time of the trade, or of the bar's end.
    pub at: Timestamp,
    /// The price from which the daily limits are reckoned, where the source names it.
    pub base: Option<Price>,
}

/// What is stored of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredClose {
    /// The day of its newest bar.
    pub day: Date,
    /// The close of that.
    pub close: Price,
}

/// What is known of the share that a quote is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownShare {
    /// What is stored; `None` without a bar.
    pub stored: Option<StoredClose>,
    /// The newest quote.
    pub newest: Option<Quote>,
}

/// Why a quote, or what should have been one, is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuoteRefusal {
    /// What came cannot be understood.
    Unreadable,
    /// The price is zero, negative or none.
    NotAPrice,
    /// Nothing is stored of such a share.
    UnknownSymbol,
    /// It is the same as the one before it.
    Repeated,
    /// It is older than the one before it.
    OutOfOrder,
    /// It is of a time to come.
    FromTheFuture,
    /// It is of a day without a session.
    NoSession,
    /// A bar of the same session, or of a later one, is stored.
    Superseded,
    /// The price is not a multiple of the price step of its day.
    OffTick,
    /// The price is beyond the daily limits.
    OutsideLimits,
}

impl QuoteRefusal {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Unreadable,
        Self::NotAPrice,
        Self::UnknownSymbol,
        Self::Repeated,
        Self::OutOfOrder,
        Self::FromTheFuture,
        Self::NoSession,
        Self::Superseded,
        Self::OffTick,
        Self::OutsideLimits,
    ];

    /// The word used in the API and in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotAPrice => "not_a_price",
            Self::UnknownSymbol => "unknown_symbol",
            Self::Repeated => "repeated",
            Self::OutOfOrder => "out_of_order",
            Self::FromTheFuture => "from_the_future",
            Self::NoSession => "no_session",
            Self::Superseded => "superseded",
            Self::OffTick => "off_tick",
            Self::OutsideLimits => "outside_limits",
        }
    }
}

impl fmt::Display for QuoteRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Quote {
    /// Whether the quote can be, at `now`, after what is `known` of its share; `None` where nothing is.
    ///
    /// Limits are reckoned from the base price that the source names, otherwise from the stored close
    /// of the session before; without either they are not looked at. Rates of exchange have neither
    /// limits nor price steps, indices no price steps.
    ///
    /// # Errors
    ///
    /// [`QuoteRefusal`] for the first reason why not.
    pub fn review(
        &self,
        known: Option<&KnownShare>,
        now: Timestamp,
        calendar: &Calendar,
        rules: &ExchangeRules,
    ) -> Result<(), QuoteRefusal> {
        let known = known.ok_or(QuoteRefusal::UnknownSymbol)?;
        if self.at.duration_since(now) > AHEAD_MAX {
            return Err(QuoteRefusal::FromTheFuture);
        }
        if let Some(newest) = &known.newest {
            if self.at < newest.at {
                return Err(QuoteRefusal::OutOfOrder);
            }
            if (self.at, self.price) == (newest.at, newest.price) {
                return Err(QuoteRefusal::Repeated);
            }
        }
        let day = day_of(self.at);
        let class = self.symbol.class();
        if class == InstrumentClass::Fx {
            return Ok(());
        }
        if !calendar.is_session(day) {
            return Err(QuoteRefusal::NoSession);
        }
        if known.stored.is_some_and(|stored| stored.day >= day) {
            return Err(QuoteRefusal::Superseded);
        }
        if class == InstrumentClass::Share
            && self.price.units() % rules.tick(day, self.price).units() != 0
        {
            return Err(QuoteRefusal::OffTick);
        }
        let before =
            known.stored.filter(|stored| calendar.previous_session(day) == Some(stored.day));
        let base = self.base.or(before.map(|stored| stored.close));
        let limits = base.and_then(|base| rules.daily_limits_of(day, self.symbol, base));
        match limits {
            Some(limits) if !(limits.lower..=limits.upper).contains(&self.price) => {
                Err(QuoteRefusal::OutsideLimits)
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An instant of a Friday, by the clocks of Istanbul.
    fn at(time: &str) -> Timestamp {
        format!("2026-11-27T{time}+03:00").parse().unwrap()
    }

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    fn quote(text: &str, time: &str) -> Quote {
        let symbol = Symbol::parse("THYAO").unwrap();
        Quote { symbol, price: price(text), at: at(time), base: None }
    }

    /// A share that closed at 100 the session before.
    fn share() -> KnownShare {
        let day = jiff::civil::date(2026, 11, 26);
        KnownShare { stored: Some(StoredClose { day, close: price("100") }), newest: None }
    }

    #[track_caller]
    fn check(quote: Quote, known: KnownShare, expected: Result<(), QuoteRefusal>) {
        let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
        assert_eq!(quote.review(Some(&known), at("12:00:30"), calendar, rules), expected);
    }

    #[test]
    fn a_price_on_the_ladder_within_the_limits_is_shown() {
        for text in ["100", "101.50", "110", "90"] {
            check(quote(text, "12:00:00"), share(), Ok(()));
        }
    }

    #[test]
    fn a_price_off_the_ladder_or_beyond_the_limits_is_not() {
        check(quote("100.13", "12:00:00"), share(), Err(QuoteRefusal::OffTick));
        check(quote("110.10", "12:00:00"), share(), Err(QuoteRefusal::OutsideLimits));
        check(quote("89.95", "12:00:00"), share(), Err(QuoteRefusal::OutsideLimits));
        // On a day without its dividend the source says from where the limits are reckoned.
        let base = Some(price("95"));
        check(Quote { base, ..quote("88", "12:00:00") }, share(), Ok(()));
        check(
            Quote { base, ..quote("106", "12:00:00") },
            share(),
            Err(QuoteRefusal::OutsideLimits),
        );
        // A close of long ago is no base.
        let day = jiff::civil::date(2026, 11, 20);
        let old = KnownShare { stored: Some(StoredClose { day, close: price("10") }), ..share() };
        check(quote("100", "12:00:00"), old, Ok(()));
    }

    #[test]
    fn time_goes_forward_only_and_not_beyond_now() {
        let known = KnownShare { newest: Some(quote("100", "11:59:00")), ..share() };
        check(quote("100", "11:59:00"), known, Err(QuoteRefusal::Repeated));
        check(quote("100.10", "11:59:00"), known, Ok(()));
        check(quote("100", "11:59:01"), known, Ok(()));
        check(quote("101", "11:58:59"), known, Err(QuoteRefusal::OutOfOrder));
        check(quote("101", "12:01:31"), known, Err(QuoteRefusal::FromTheFuture));
        check(quote("101", "12:01:30"), known, Ok(()));
    }

    #[test]
    fn a_day_without_session_and_one_that_is_stored_have_no_quotes() {
        let holiday: Timestamp = "2026-10-29T12:00:00+03:00".parse().unwrap();
        check(
            Quote { at: holiday, ..quote("100", "12:00:00") },
            KnownShare { stored: None, newest: None },
            Err(QuoteRefusal::NoSession),
        );
        let day = jiff::civil::date(2026, 11, 27);
        let stored = Some(StoredClose { day, close: price("100") });
        check(
            quote("100", "12:00:00"),
            KnownShare { stored, newest: None },
            Err(QuoteRefusal::Superseded),
        );
    }

    #[test]
    fn nobody_knows_a_share_without_bars() {
        let refused = quote("100", "12:00:00").review(
            None,
            at("12:00:30"),
            Calendar::bist(),
            ExchangeRules::bist(),
        );
        assert_eq!(refused, Err(QuoteRefusal::UnknownSymbol));
    }

    #[test]
    fn an_index_has_no_price_steps() {
        let symbol = Symbol::parse("XU100").unwrap();
        check(Quote { symbol, ..quote("100.13", "12:00:00") }, share(), Ok(()));
    }
}
