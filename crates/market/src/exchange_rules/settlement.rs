//! When a trade is paid for and delivered.

use std::fmt;

use serde::Serialize;

use super::dated::{Certainty, Dated, DatedTable};

/// How long after a trade it settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// Full sessions after the trade day; half days do not count, as nothing settles on them.
    pub full_sessions_count: u8,
}

impl fmt::Display for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "T+{}, full sessions only, delivery versus payment at Takasbank",
            self.full_sessions_count
        )
    }
}

/// The lag.
pub(super) const LAG: DatedTable<Settlement> = DatedTable {
    entries: &[Dated::new(
        Settlement { full_sessions_count: 2 },
        Certainty::A,
        "settlement dates published for eleven days of 2024-2026, all given by this rule",
    )
    .note(
        "when it began is not established. T+1 has been in a test environment since 5 Jan 2026, \
         with readiness aimed for 31 Dec 2026; no date was announced",
    )],
    unknown_before: "",
    unknown_after: "",
};
