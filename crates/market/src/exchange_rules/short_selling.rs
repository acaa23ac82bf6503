//! Short selling: who may, the up-tick rule, and margin.

use std::fmt;

use serde::Serialize;

use super::dated::{BasisPoints, Certainty, Dated, DatedTable};

/// Which shares may be sold short. Selling before buying within a day counts as short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortSale {
    /// None.
    Banned,
    /// Those of the BIST 50 index.
    Bist50Only,
}

impl fmt::Display for ShortSale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Banned => "banned",
            Self::Bist50Only => "BIST 50 shares only",
        })
    }
}

const NOTE_2025: &str = "Mondaq article 1681844 (2025); news of the SPK decisions";
const BULLETINS_2026: &str = "SPK bulletin items 11/417 and 13/473 of 2026, through news";

/// The permission.
pub(super) const PERMISSION: DatedTable<ShortSale> = DatedTable {
    entries: &[
        Dated::new(ShortSale::Banned, Certainty::B, NOTE_2025).from(2023, 2, 6).to(2025, 1, 1),
        Dated::new(ShortSale::Bist50Only, Certainty::B, NOTE_2025).from(2025, 1, 2).to(2025, 3, 23),
        Dated::new(ShortSale::Banned, Certainty::B, NOTE_2025)
            .from(2025, 3, 24)
            .to(2025, 8, 31)
            .note("by successive extensions, the last to Friday 29 Aug 2025"),
        Dated::new(ShortSale::Bist50Only, Certainty::B, NOTE_2025).from(2025, 9, 1).to(2026, 3, 1),
        Dated::new(ShortSale::Banned, Certainty::B, BULLETINS_2026)
            .from(2026, 3, 2)
            .to(2026, 3, 13)
            .note("first to 6 Mar 2026, then extended"),
    ],
    unknown_before: "no source was read for the time before 6 Feb 2023",
    unknown_after: "the status after 13 Mar 2026 is unknown",
};

/// When the up-tick rule is switched on for the rest of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct UptickRule {
    /// The fall of XU100 from its previous close, a share.
    pub index_fall_share: BasisPoints,
}

impl fmt::Display for UptickRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "on for the rest of the day once XU100 is down {}: a short sale must be above the last \
             trade, or at it when the last change was upward",
            self.index_fall_share
        )
    }
}

/// The up-tick rule.
pub(super) const UPTICK: DatedTable<UptickRule> = DatedTable {
    entries: &[
        Dated::new(
            UptickRule { index_fall_share: BasisPoints(300) },
            Certainty::A,
            "exchange letter of 29 Aug 2025, which names the rule it replaces, carried by Yeniçağ",
        )
        .from(2025, 1, 2)
        .to(2025, 8, 31)
        .note(
            "listed from the day short sales were allowed again; when it began is not established",
        ),
        Dated::new(
            UptickRule { index_fall_share: BasisPoints(200) },
            Certainty::A,
            "exchange letter of 29 Aug 2025, carried by Anadolu Agency and Yeniçağ",
        )
        .from(2025, 9, 1),
    ],
    unknown_before: "the threshold before 2 Jan 2025 is not established",
    unknown_after: "",
};

/// What a margin account must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MarginRule {
    /// Own equity when a position is opened, a share of it.
    pub initial_equity_share: BasisPoints,
    /// Own equity below which more is called for.
    pub maintenance_equity_share: BasisPoints,
    /// The same while emergency measures hold.
    pub emergency_maintenance_equity_share: BasisPoints,
}

impl fmt::Display for MarginRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "own equity {} at first, at least {} later ({} while emergency measures hold)",
            self.initial_equity_share,
            self.maintenance_equity_share,
            self.emergency_maintenance_equity_share
        )
    }
}

/// Margin trading.
pub(super) const MARGIN: DatedTable<MarginRule> = DatedTable {
    entries: &[Dated::new(
        MarginRule {
            initial_equity_share: BasisPoints(5_000),
            maintenance_equity_share: BasisPoints(3_500),
            emergency_maintenance_equity_share: BasisPoints(2_000),
        },
        Certainty::B,
        "a secondary source read in 2026",
    )
    .from(2026, 1, 1)
    .note("as read in 2026; what held before is not established")],
    unknown_before: "the margins before 2026 are not established",
    unknown_after: "",
};
