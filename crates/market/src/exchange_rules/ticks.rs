//! Price steps.

use std::fmt;

use serde::{Serialize, Serializer};

use super::dated::{Certainty, Dated, DatedTable};
use crate::price::Lira;

/// One band of the tick table; the price of an order steps by the tick of its own band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TickBand {
    /// The lowest price of the band, units of 0.0001 TRY; serialised as a decimal.
    #[serde(rename = "from", serialize_with = "decimal")]
    pub from_units: i64,
    /// The step, units of 0.0001 TRY; serialised as a decimal.
    #[serde(rename = "tick", serialize_with = "decimal")]
    pub tick_units: i64,
}

/// The bands of a day, lowest first. Never empty; the first begins at zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TickTable(&'static [TickBand]);

impl TickTable {
    /// The bands, lowest first.
    pub const fn bands(&self) -> &'static [TickBand] {
        self.0
    }

    /// The step at a price, units of 0.0001 TRY.
    pub(super) fn tick_units(&self, price_units: i64) -> i64 {
        let above = self.0.partition_point(|band| band.from_units <= price_units);
        self.0[above.saturating_sub(1)].tick_units
    }
}

impl fmt::Display for TickTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, band) in self.0.iter().enumerate() {
            match index {
                0 => write!(f, "{}", Lira(band.tick_units))?,
                _ => write!(f, ", from {} {}", Lira(band.from_units), Lira(band.tick_units))?,
            }
        }
        Ok(())
    }
}

/// Writes units as a decimal string.
fn decimal<S: Serializer>(units: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Lira(*units))
}

const fn band(from_units: i64, tick_units: i64) -> TickBand {
    TickBand { from_units, tick_units }
}

const FOUR_BANDS: TickTable =
    TickTable(&[band(0, 100), band(200_000, 200), band(500_000, 500), band(1_000_000, 1_000)]);

const EIGHT_BANDS: TickTable = TickTable(&[
    band(0, 100),
    band(200_000, 200),
    band(500_000, 500),
    band(1_000_000, 1_000),
    band(2_500_000, 2_500),
    band(5_000_000, 5_000),
    band(10_000_000, 10_000),
    band(25_000_000, 25_000),
]);

/// Shares, rights coupons and real-estate certificates.
pub(super) const SHARES: DatedTable<TickTable> = DatedTable {
    entries: &[
        Dated::new(
            FOUR_BANDS,
            Certainty::A,
            "exchange announcement of the change, carried by sonbasin and paraajansi",
        )
        .to(2023, 11, 5)
        .note("the day on which this table began is not established"),
        Dated::new(
            EIGHT_BANDS,
            Certainty::A,
            "exchange announcement, carried by sonbasin and paraajansi",
        )
        .from(2023, 11, 6),
    ],
    unknown_before: "",
    unknown_after: "",
};

/// Exchange-traded funds: nothing with a date is known.
pub(super) const FUNDS: DatedTable<TickTable> = DatedTable {
    entries: &[],
    unknown_before: "",
    unknown_after: "the table for exchange-traded funds was not found; an older, undated one had \
                    0.01 below 50 TRY, 0.02 to 100, 0.05 to 250 and 0.10 above",
};
