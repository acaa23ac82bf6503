//! What a person decided about a finding: quarantine is reversible.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Names a finding: the same row, with the same numbers, of the same source and for the same
/// reason has the same name whenever it is checked. A revised row has findings with other names.
///
/// Written as 16 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FindingId(pub(crate) u64);

/// Why a text does not name a finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' does not name a finding: expected 16 hexadecimal digits, as `bist validate` lists")]
pub struct FindingIdError(String);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for FindingId {
    type Err = FindingIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(number) if digits => Ok(Self(number)),
            _ => Err(FindingIdError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for FindingId {
    type Error = FindingIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FindingId> for String {
    fn from(id: FindingId) -> Self {
        id.to_string()
    }
}

/// What becomes of the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The row is right: this finding does not keep it out, nor count against the score.
    Accept,
    /// The row is wrong: it is kept out, whatever the severity of the finding.
    Reject,
}

impl Verdict {
    /// The word used in the store, the API and on the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }
}

/// One decision. They are only ever added; the newest about a finding is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// About which finding.
    pub finding: FindingId,
    /// What was decided.
    pub verdict: Verdict,
    /// Why, in the words of whoever decided.
    pub reason: String,
    /// Who decided: the account, or the user of the operating system.
    pub decided_by: String,
    /// When.
    pub decided_at: Timestamp,
}
