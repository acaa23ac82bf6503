//! Why a delivery did not come about, and whether it may at another time.

use std::fmt;
use std::time::Duration;

/// Why a delivery did not come about. Its text is shown to whom it is for, and names no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeliveryProblem {
    /// What went wrong.
    pub(super) text: String,
    /// Whether it would go wrong again.
    pub(super) is_final: bool,
    /// How long the other side asks to wait.
    pub(super) wait: Option<Duration>,
    /// Whether the other side is not there at all, for anybody.
    pub(super) is_away: bool,
}

impl fmt::Display for DeliveryProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl DeliveryProblem {
    /// It may come about later.
    pub(super) fn passing(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_final: false, wait: None, is_away: false }
    }

    /// The other side is not there, for whomever a message is.
    pub(super) fn away(text: impl Into<String>) -> Self {
        Self { is_away: true, ..Self::passing(text) }
    }

    /// It would go wrong again.
    pub(super) fn lasting(text: impl Into<String>) -> Self {
        Self { is_final: true, ..Self::passing(text) }
    }

    /// What an answer with this HTTP status means; `None` when it says that all is well.
    pub(super) fn of_status(status: u16, wait: Option<Duration>) -> Option<Self> {
        let text = format!("the other side answered with the status {status}");
        match status {
            200..=299 => None,
            408 | 425 | 429 | 500..=599 => Some(Self { wait, ..Self::passing(text) }),
            _ => Some(Self::lasting(text)),
        }
    }
}
