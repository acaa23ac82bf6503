//! A root: where the chain stood, to be kept where nobody who writes to the database can change it.

use std::fmt;
use std::str::FromStr;

use super::{AuditHead, AuditRecord, NO_MAC};

/// The place of a record and its MAC, by which everything up to it is fixed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRoot {
    /// The place, or 0 for a chain without a record.
    pub seq: u64,
    /// The MAC, hexadecimal digits.
    pub mac: String,
}

/// A text that is no root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no root of the audit; give NUMBER:MAC as `bist audit root` prints it")]
pub struct AuditRootError(String);

impl AuditRoot {
    /// The root of a chain without a record.
    pub fn empty() -> Self {
        Self { seq: 0, mac: NO_MAC.to_owned() }
    }
}

impl From<&AuditRecord> for AuditRoot {
    fn from(record: &AuditRecord) -> Self {
        Self { seq: record.seq, mac: record.mac.clone() }
    }
}

impl From<AuditHead> for AuditRoot {
    fn from(head: AuditHead) -> Self {
        Self { seq: head.records_count, mac: head.last_mac }
    }
}

impl FromStr for AuditRoot {
    type Err = AuditRootError;

    fn from_str(text: &str) -> Result<Self, AuditRootError> {
        let wrong = || AuditRootError(text.to_owned());
        let (seq, mac) = text.split_once(':').ok_or_else(wrong)?;
        let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        if mac.len() != NO_MAC.len() || !mac.chars().all(is_digit) {
            return Err(wrong());
        }
        Ok(Self { seq: seq.parse().map_err(|_| wrong())?, mac: mac.to_owned() })
    }
}

impl fmt::Display for AuditRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, self.mac)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_a_number_and_a_mac() {
        let root = AuditRoot { seq: 12, mac: "0f".repeat(32) };
        assert_eq!(root.to_string().parse(), Ok(root.clone()));
        assert_eq!(AuditRoot::empty().to_string().parse(), Ok(AuditRoot::empty()));
        let mac = &root.mac;
        for text in ["", "12", mac, &format!("-1:{mac}"), &format!("1:{mac}0"), "1:F"] {
            assert!(text.parse::<AuditRoot>().is_err(), "{text}");
        }
    }
}
