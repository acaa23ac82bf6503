//! The ratio of orders to trades, and what an order beyond it costs.

use std::fmt;

use serde::{Serialize, Serializer};

use super::dated::{Certainty, Dated, DatedTable};
use crate::price::Lira;

/// How many order messages a trade pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OrderToTrade {
    /// Order messages for each trade; more are charged.
    pub orders_per_trade: u8,
}

impl fmt::Display for OrderToTrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to 1", self.orders_per_trade)
    }
}

const SOURCE: &str = "secondary sources on the measures of March 2025 and March 2026";

/// The ratio.
pub(super) const RATIO: DatedTable<OrderToTrade> = DatedTable {
    entries: &[
        Dated::new(OrderToTrade { orders_per_trade: 5 }, Certainty::B, SOURCE)
            .from(2025, 3, 21)
            .to(2025, 3, 23)
            .note("listed from the last session before the change; when it began is not established"),
        Dated::new(OrderToTrade { orders_per_trade: 3 }, Certainty::B, SOURCE)
            .from(2025, 3, 24)
            .to(2025, 4, 25),
        Dated::new(OrderToTrade { orders_per_trade: 5 }, Certainty::B, SOURCE)
            .from(2025, 4, 26)
            .to(2026, 2, 28),
        Dated::new(OrderToTrade { orders_per_trade: 3 }, Certainty::B, SOURCE)
            .from(2026, 3, 10)
            .note("since early March 2026 until further notice; whether it still holds is not established"),
    ],
    unknown_before: "the ratio before March 2025 is not established",
    unknown_after: "the ratio changed on a day in early March 2026 that is not established",
};

/// What each message beyond the ratio costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ExcessCharge {
    /// The charge for a message, units of 0.0001 TRY; serialised as a decimal.
    #[serde(rename = "per_message", serialize_with = "decimal")]
    pub per_message_units: i64,
}

impl fmt::Display for ExcessCharge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} TRY for each message beyond the ratio", Lira(self.per_message_units))
    }
}

/// Writes units as a decimal string.
fn decimal<S: Serializer>(units: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Lira(*units))
}

/// The charge.
pub(super) const CHARGE: DatedTable<ExcessCharge> = DatedTable {
    entries: &[
        Dated::new(ExcessCharge { per_message_units: 2_500 }, Certainty::B, SOURCE)
            .from(2025, 3, 21)
            .to(2025, 3, 23)
            .note(
                "listed from the last session before the change; when it began is not established",
            ),
        Dated::new(ExcessCharge { per_message_units: 5_000 }, Certainty::B, SOURCE)
            .from(2025, 3, 24)
            .note("cancelling, worsening or reducing an order in an auction is charged too"),
    ],
    unknown_before: "the charge before March 2025 is not established",
    unknown_after: "",
};
