//! Volatility-based measures (VBTS) and market segments.

use std::fmt;

use serde::Serialize;

use super::dated::{Certainty, Dated, DatedTable};

/// The measures put on a share that moves too much, each on top of the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct VolatilityMeasures {
    /// The stages in order; each adds to the ones before.
    pub stages: &'static [&'static str],
    /// When a stage begins and how long it lasts.
    pub timing: &'static str,
}

impl fmt::Display for VolatilityMeasures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (stage, text) in (1..).zip(self.stages) {
            writeln!(f, "{stage}: {text}")?;
        }
        f.write_str(self.timing)
    }
}

/// The measures.
pub(super) const VOLATILITY: DatedTable<VolatilityMeasures> = DatedTable {
    entries: &[Dated::new(
        VolatilityMeasures {
            stages: &[
                "no short sale, no margin purchase",
                "gross settlement: a purchase cannot be netted against a sale",
                "order package: no market or market-to-limit orders, no cancelling, reducing or \
                 worsening, auction information restricted",
                "single-price trading",
            ],
            timing: "published after the close, from the next session on, for about a month",
        },
        Certainty::B,
        "several pages of 2025 and 2026, among them paratic (Jan 2026)",
    )
    .from(2025, 1, 1)
    .note("as read in pages of 2025 and 2026; when the stages began is not established")],
    unknown_before: "the stages before 2025 are not established",
    unknown_after: "",
};

/// A segment of the equity market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Its English name.
    pub name: &'static str,
    /// The code in the exchange's bulletin, if it is known.
    pub code: Option<&'static str>,
}

/// The segments of the equity market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Segments(&'static [Segment]);

impl fmt::Display for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Segment { name, code }) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}")?;
            if let Some(code) = code {
                write!(f, " ({code})")?;
            }
        }
        Ok(())
    }
}

const fn segment(name: &'static str, code: Option<&'static str>) -> Segment {
    Segment { name, code }
}

/// The segments.
pub(super) const SEGMENTS: DatedTable<Segments> = DatedTable {
    entries: &[Dated::new(
        Segments(&[
            segment("Stars", Some("Z")),
            segment("Main", Some("N")),
            segment("Sub-market", None),
            segment("Watchlist", Some("W")),
            segment("Structured Products and Funds", Some("K")),
            segment("Venture Capital", Some("Q")),
            segment("Pre-Market Trading Platform", Some("S")),
            segment("Commodity", None),
        ]),
        Certainty::B,
        "Ünlü Menkul, Oct 2020",
    )
    .from(2020, 10, 1)],
    unknown_before: "the segments before 1 Oct 2020 were not read",
    unknown_after: "",
};
