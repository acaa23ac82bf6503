//! Fees and taxes of a trade.

use std::fmt;

use serde::Serialize;

use super::dated::{BasisPoints, Certainty, Dated, DatedTable};

/// A fee as a share of the value traded, on each side, between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FeeRange {
    /// The lowest seen.
    pub share_min: f64,
    /// The highest seen.
    pub share_max: f64,
    /// A fair one, if a source names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_typical: Option<f64>,
}

impl fmt::Display for FeeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4} to {:.4} % a side", self.share_min * 100.0, self.share_max * 100.0)?;
        match self.share_typical {
            Some(share) => write!(f, ", typically {:.4} %", share * 100.0),
            None => Ok(()),
        }
    }
}

/// The exchange's own fee.
pub(super) const EXCHANGE_FEE: DatedTable<FeeRange> = DatedTable {
    entries: &[Dated::new(
        FeeRange { share_min: 0.000_025, share_max: 0.000_03, share_typical: None },
        Certainty::B,
        "a secondary source read in 2026",
    )
    .from(2026, 1, 1)
    .note("as read in 2026; what held before is not established")],
    unknown_before: "the fee before 2026 is not established",
    unknown_after: "",
};

/// The broker's commission.
pub(super) const COMMISSION: DatedTable<FeeRange> = DatedTable {
    entries: &[Dated::new(
        FeeRange { share_min: 0.000_1, share_max: 0.002, share_typical: Some(0.000_4) },
        Certainty::B,
        "a secondary source read in 2026",
    )
    .from(2026, 1, 1)
    .note("tiered by turnover, typical is a fair price online; as read in 2026")],
    unknown_before: "commissions before 2026 are not established",
    unknown_after: "",
};

/// A tax on a base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tax {
    /// The rate, a share of the base.
    pub share: BasisPoints,
    /// What it is a share of.
    pub of: &'static str,
}

impl fmt::Display for Tax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.share, self.of)
    }
}

/// Banking and insurance transactions tax (BSMV).
pub(super) const BSMV: DatedTable<Tax> = DatedTable {
    entries: &[Dated::new(
        Tax { share: BasisPoints(500), of: "the commission" },
        Certainty::A,
        "secondary sources that agree",
    )
    .note("not of the trade; when it began is not established")],
    unknown_before: "",
    unknown_after: "",
};

/// Withholding on gains of individuals from listed shares.
pub(super) const GAINS: DatedTable<Tax> = DatedTable {
    entries: &[Dated::new(
        Tax { share: BasisPoints(0), of: "an individual's gains from listed shares" },
        Certainty::B,
        "a secondary source on the decree of 11 Dec 2025",
    )
    .from(2025, 12, 11)
    .to(2030, 12, 31)
    .note("extends an earlier rule whose beginning is not established")],
    unknown_before: "the rate before the decree of 11 Dec 2025 was not read",
    unknown_after: "the rule ends on 31 Dec 2030",
};

/// Withholding on dividends.
pub(super) const DIVIDENDS: DatedTable<Tax> = DatedTable {
    entries: &[
        Dated::new(
            Tax { share: BasisPoints(1_000), of: "a dividend" },
            Certainty::A,
            "secondary sources that agree",
        )
        .to(2024, 12, 20)
        .note("changed in late December 2024; when it began is not established"),
        Dated::new(
            Tax { share: BasisPoints(1_500), of: "a dividend" },
            Certainty::A,
            "secondary sources that agree",
        )
        .from(2025, 1, 1)
        .note("since a day in late December 2024 that is not established"),
    ],
    unknown_before: "",
    unknown_after: "the rate changed on a day in late December 2024 that is not established",
};

/// Withholding on gains from funds that do not hold mostly shares; those that do pay nothing.
pub(super) const FUND_GAINS: DatedTable<Tax> = DatedTable {
    entries: &[Dated::new(
        Tax {
            share: BasisPoints(1_750),
            of: "gains from funds other than equity-heavy ones, which pay nothing",
        },
        Certainty::B,
        "a secondary source on the rates from 9 Jul 2025",
    )
    .from(2025, 7, 9)],
    unknown_before: "the rate before 9 Jul 2025 was not read",
    unknown_after: "",
};
