//! Circuit breakers, of a single share and of the whole market (EBDKS).

use std::fmt;

use jiff::civil::{Time, time};
use serde::Serialize;

use super::dated::{BasisPoints, Certainty, Dated, DatedTable};
use super::sessions::hours_and_minutes;

/// When a single share is halted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShareTrigger {
    /// The move that halts it, a share of the reference price.
    pub move_share: BasisPoints,
    /// The price it is reckoned from.
    pub reference: &'static str,
    /// The phase in which it works.
    pub during: &'static str,
}

impl fmt::Display for ShareTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}, during {}", self.move_share, self.reference, self.during)
    }
}

/// The trigger of the single-share breaker.
pub(super) const SHARE_TRIGGER: DatedTable<ShareTrigger> = DatedTable {
    entries: &[Dated::new(
        ShareTrigger {
            move_share: BasisPoints(500),
            reference: "the last auction price, else the base price",
            during: "continuous trading",
        },
        Certainty::C,
        "exchange announcement 2020/20 of 12 Mar 2020, carried by ekonomim and soL; halts seen in \
         2025 and 2026",
    )
    .from(2020, 3, 13)
    .note(
        "both ways at first; a later announcement of 2020 took the upward trigger away until \
         further notice, and the state today is not established. Popular pages still give 10, 7.5 \
         and 5 % by segment",
    )],
    unknown_before: "the triggers by segment before 13 Mar 2020 are known from undated pages only",
    unknown_after: "",
};

/// How long a halted share stays out of continuous trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShareHalt {
    /// Order collection, minutes.
    pub collection_min: u8,
    /// Price and matching after it, minutes, roughly.
    pub matching_min: u8,
}

impl fmt::Display for ShareHalt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} min of order collection, then about {} min of matching",
            self.collection_min, self.matching_min
        )
    }
}

/// The halt of the single-share breaker.
pub(super) const SHARE_HALT: DatedTable<ShareHalt> = DatedTable {
    entries: &[
        Dated::new(
            ShareHalt { collection_min: 30, matching_min: 2 },
            Certainty::A,
            "exchange announcement 2020/20 of 12 Mar 2020, carried by ekonomim",
        )
        .from(2020, 3, 13)
        .to(2025, 8, 31),
        Dated::new(
            ShareHalt { collection_min: 10, matching_min: 2 },
            Certainty::A,
            "exchange letter of 29 Aug 2025, carried by Anadolu Agency and Yeniçağ",
        )
        .from(2025, 9, 1),
    ],
    unknown_before: "the length of a halt before 13 Mar 2020 is known from undated pages only",
    unknown_after: "",
};

/// The breaker of the whole market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IndexBreaker {
    /// The falls of the index from its previous close that trigger it, shares, in order.
    pub fall_shares: &'static [BasisPoints],
    /// The index watched.
    pub index: &'static str,
    /// How long trading stops, by series.
    pub halts: &'static [MarketHalt],
    /// From this time on a trigger ends continuous trading for the day; trading resumes with the
    /// closing session.
    #[serde(serialize_with = "hours_and_minutes")]
    pub late_from: Time,
}

/// How long trading in some series stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarketHalt {
    /// Which series.
    pub series: &'static str,
    /// Minutes without orders or trades.
    pub halt_min: u8,
    /// Minutes of order collection after it, if the sources name them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collection_min: Option<u8>,
}

impl fmt::Display for IndexBreaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages: Vec<_> = self.fall_shares.iter().map(|fall| format!("-{fall}")).collect();
        write!(f, "{} at {} from its previous close", self.index, stages.join(" and "))?;
        for MarketHalt { series, halt_min, collection_min } in self.halts {
            write!(f, "\n{halt_min} min for {series}")?;
            if let Some(minutes) = collection_min {
                write!(f, ", then {minutes} min of order collection and matching")?;
            }
        }
        write!(
            f,
            "\ntriggered from {} on: resumes with the closing session",
            self.late_from.strftime("%H:%M")
        )
    }
}

/// The breaker of the whole market.
pub(super) const INDEX_BREAKER: DatedTable<IndexBreaker> = DatedTable {
    entries: &[
        Dated::new(
            IndexBreaker {
                fall_shares: &[BasisPoints(500), BasisPoints(700)],
                index: "XU100",
                halts: &[MarketHalt {
                    series: "all shares and equity derivatives",
                    halt_min: 20,
                    collection_min: Some(5),
                }],
                late_from: time(17, 0, 0, 0),
            },
            Certainty::A,
            "exchange letter of 29 Aug 2025, which names the rule it replaces, carried by Anadolu \
             Agency and Yeniçağ",
        )
        .from(2023, 2, 8)
        .to(2025, 8, 31)
        .note("listed from its first trigger that we can date; when it began is not established"),
        Dated::new(
            IndexBreaker {
                fall_shares: &[BasisPoints(600)],
                index: "XU100",
                halts: &[
                    MarketHalt {
                        series: "series .E .F1 .F2 .S1 .G",
                        halt_min: 10,
                        collection_min: None,
                    },
                    MarketHalt {
                        series: "series .V .C .F .R .BE .AOF and equity and index derivatives",
                        halt_min: 20,
                        collection_min: None,
                    },
                ],
                late_from: time(17, 30, 0, 0),
            },
            Certainty::A,
            "exchange letter of 29 Aug 2025, carried by Anadolu Agency and Yeniçağ",
        )
        .from(2025, 9, 1)
        .note("derivatives resume at 18:08 after a late trigger"),
    ],
    unknown_before: "when the index breaker began, and its stages before 2023, are not established",
    unknown_after: "",
};
