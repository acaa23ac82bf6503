//! Daily price limits and the price they are reckoned from.

use std::fmt;

use serde::Serialize;

use super::dated::{BasisPoints, Certainty, Dated, DatedTable};

/// How far a price may be from the base price in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DailyLimit {
    /// Up and down, a share of the base price.
    pub share: BasisPoints,
}

impl fmt::Display for DailyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "±{} of the base price", self.share)
    }
}

/// The limit of shares in the Stars, Main and Sub-market and on the Watchlist.
pub(super) const SHARES: DatedTable<DailyLimit> = DatedTable {
    entries: &[
        Dated::new(
            DailyLimit { share: BasisPoints(2_000) },
            Certainty::A,
            "exchange announcement 2020/20 of 12 Mar 2020, which names the limit it replaces",
        )
        .to(2020, 3, 12)
        .note(
            "the day on which this limit began is not established, and it is taken to hold from \
             2000 on; before 30 Nov 2015 two sessions a day had a limit of 10 % each, reckoned from \
             the weighted average of the session before, so that a day could move by 21 % (C)",
        ),
        Dated::new(
            DailyLimit { share: BasisPoints(1_000) },
            Certainty::A,
            "exchange announcement 2020/20 of 12 Mar 2020, carried by ekonomim; lists of daily \
             gainers to 2026",
        )
        .from(2020, 3, 13)
        .note(
            "until further notice; certainty B for the Sub-market and the Watchlist; limits are \
             rounded inwards to the tick (certainty C)",
        ),
    ],
    unknown_before: "",
    unknown_after: "",
};

/// From which price the limit is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BasePrice {
    /// A weighted average of the previous session's trades.
    WeightedAverage,
    /// The previous closing price.
    PreviousClose,
}

impl fmt::Display for BasePrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WeightedAverage => "weighted average of the session before",
            Self::PreviousClose => "previous closing price",
        })
    }
}

/// The base price of shares.
pub(super) const BASE_PRICE: DatedTable<BasePrice> = DatedTable {
    entries: &[
        Dated::new(
            BasePrice::WeightedAverage,
            Certainty::C,
            "inferred from the change of 30 Nov 2015",
        )
        .to(2015, 11, 29),
        Dated::new(
            BasePrice::PreviousClose,
            Certainty::A,
            "sources that agree on the move to BISTECH, 30 Nov 2015",
        )
        .from(2015, 11, 30)
        .note(
            "without a trade the base carries over; after a corporate action it is the theoretical \
             price (C); on the first day the offer price (C), or where there is none the first \
             traded price (B)",
        ),
    ],
    unknown_before: "",
    unknown_after: "",
};

/// An instrument or class with a limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LimitException {
    /// Which instruments, in words.
    pub applies_to: &'static str,
    /// The ticker, when it is a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<&'static str>,
    /// Up and down, a share of the base price; `None` when there is no limit.
    pub share: Option<BasisPoints>,
}

impl fmt::Display for LimitException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.share {
            Some(share) => write!(f, "{}: ±{share}", self.applies_to),
            None => write!(f, "{}: no limit", self.applies_to),
        }
    }
}

const fn exception(
    applies_to: &'static str,
    symbol: Option<&'static str>,
    share: Option<BasisPoints>,
) -> LimitException {
    LimitException { applies_to, symbol, share }
}

const BROKERS: &str = "pages of VakıfBank and PhillipCapital";
const FUNDS_2026: &str = "a secondary source on the changes of February 2026";

/// All exceptions we know of; several may hold on one day.
pub(super) const EXCEPTIONS: &[Dated<LimitException>] = &[
    Dated::new(
        exception("rights coupons", None, Some(BasisPoints(5_000))),
        Certainty::B,
        "pages of VakıfBank and PhillipCapital; unchanged by announcement 2020/20 (ekonomim)",
    ),
    Dated::new(exception("ISKUR", Some("ISKUR"), Some(BasisPoints(5_000))), Certainty::B, BROKERS),
    Dated::new(exception("warrants and certificates", None, None), Certainty::B, BROKERS),
    Dated::new(
        exception(
            "closing auction, around the last price of continuous trading",
            None,
            Some(BasisPoints(300)),
        ),
        Certainty::C,
        "a broker's text from before 2020",
    )
    .note("besides the daily limit; whether it still holds is not established"),
    Dated::new(
        exception("ALTIN.S1 (gold certificate)", None, Some(BasisPoints(500))),
        Certainty::B,
        FUNDS_2026,
    )
    .to(2026, 1, 31),
    Dated::new(
        exception("ALTIN.S1 (gold certificate)", None, Some(BasisPoints(1_000))),
        Certainty::B,
        FUNDS_2026,
    )
    .from(2026, 3, 1)
    .note("changed on a day in February 2026 that is not established"),
    Dated::new(
        exception("some precious-metal funds (lower group)", None, Some(BasisPoints(2_000))),
        Certainty::B,
        FUNDS_2026,
    )
    .from(2026, 3, 1)
    .note("changed on a day in February 2026; which funds is not established"),
    Dated::new(
        exception("some precious-metal funds (upper group)", None, Some(BasisPoints(3_500))),
        Certainty::B,
        FUNDS_2026,
    )
    .from(2026, 3, 1)
    .note("changed on a day in February 2026; which funds is not established"),
];
