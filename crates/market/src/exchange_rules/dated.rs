//! A fact with the days on which it holds, its source, and how sure we are of it.

use std::fmt;

use jiff::civil::{Date, date};
use serde::{Serialize, Serializer};

/// The day on which the sources of the rule tables were last read.
pub(super) const READ_ON: Date = date(2026, 11, 24);

/// How sure we are of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Certainty {
    /// An official text, or two independent sources that agree.
    A,
    /// One good secondary source: a broker, a news agency, a maintained package.
    B,
    /// Inferred or old; must be checked again.
    C,
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        })
    }
}

/// A fact and the days on which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Dated<T> {
    /// The fact.
    pub value: T,
    /// The first day for which a source supports it; `None` when the sources name no beginning.
    pub valid_from: Option<Date>,
    /// The last day on which it holds; `None` while no end is known.
    pub valid_to: Option<Date>,
    /// Where it was read.
    pub source: &'static str,
    /// When it was read.
    pub read_on: Date,
    /// How sure we are.
    pub certainty: Certainty,
    /// What the reader should know besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

impl<T> Dated<T> {
    /// A fact without dates; [`Dated::from`], [`Dated::to`] and [`Dated::note`] add to it.
    pub(super) const fn new(value: T, certainty: Certainty, source: &'static str) -> Self {
        Self {
            value,
            valid_from: None,
            valid_to: None,
            source,
            read_on: READ_ON,
            certainty,
            note: None,
        }
    }

    /// The same, in force from a day on.
    pub(super) const fn from(mut self, year: i16, month: i8, day: i8) -> Self
    where
        T: Copy,
    {
        self.valid_from = Some(date(year, month, day));
        self
    }

    /// The same, in force to the end of a day.
    pub(super) const fn to(mut self, year: i16, month: i8, day: i8) -> Self
    where
        T: Copy,
    {
        self.valid_to = Some(date(year, month, day));
        self
    }

    /// The same, with a note.
    pub(super) const fn note(mut self, note: &'static str) -> Self
    where
        T: Copy,
    {
        self.note = Some(note);
        self
    }

    /// Whether the fact holds on `day`.
    pub fn holds_on(&self, day: Date) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// The values of one rule in the order of time; at most one holds on any day.
#[derive(Clone, Copy, Debug)]
pub(super) struct DatedTable<T: 'static> {
    pub(super) entries: &'static [Dated<T>],
    /// What to say of days before the first entry.
    pub(super) unknown_before: &'static str,
    /// What to say of other days without an entry.
    pub(super) unknown_after: &'static str,
}

impl<T: Copy> DatedTable<T> {
    /// The entry that holds on `day`.
    pub(super) fn on(&self, day: Date) -> Option<&'static Dated<T>> {
        self.entries.iter().find(|entry| entry.holds_on(day))
    }

    /// What is known of the rule on `day`.
    pub(super) fn rule(&self, day: Date) -> RuleOnDay<T> {
        let first = self.entries.first().and_then(|entry| entry.valid_from);
        match self.on(day) {
            Some(entry) => RuleOnDay::InForce(*entry),
            None if first.is_some_and(|first| day < first) => {
                RuleOnDay::Unknown { reason: self.unknown_before }
            }
            None => RuleOnDay::Unknown { reason: self.unknown_after },
        }
    }

    /// Panics when two entries hold on one day or the entries are out of order.
    #[cfg(test)]
    pub(super) fn assert_in_order(&self) {
        for pair in self.entries.windows(2) {
            let (Some(end), Some(begin)) = (pair[0].valid_to, pair[1].valid_from) else {
                panic!("an entry in the middle of a table has no date");
            };
            assert!(end < begin, "{end} is not before {begin}");
        }
        for entry in self.entries {
            if let (Some(from), Some(to)) = (entry.valid_from, entry.valid_to) {
                assert!(from <= to, "{from} is after {to}");
            }
            assert!(!entry.source.is_empty());
        }
    }
}

/// What is known of a rule on a day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RuleOnDay<T> {
    /// The value in force, with its dates and source.
    InForce(Dated<T>),
    /// No source tells; nothing is guessed.
    Unknown {
        /// What is missing.
        reason: &'static str,
    },
}

impl<T> RuleOnDay<T> {
    /// The value, if it is known.
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::InForce(entry) => Some(&entry.value),
            Self::Unknown { .. } => None,
        }
    }
}

/// A share in ten-thousandths: 1000 is 10 %. Serialises as the share, 0.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasisPoints(pub u32);

impl BasisPoints {
    /// The share, 0..=1 for 0 to 100 %.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(f, "{whole} %"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{} %", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02} %"),
        }
    }
}

impl Serialize for BasisPoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basis_points_read_as_percent_and_serialise_as_a_share() {
        assert_eq!(BasisPoints(1000).to_string(), "10 %");
        assert_eq!(BasisPoints(1750).to_string(), "17.5 %");
        assert_eq!(BasisPoints(4).to_string(), "0.04 %");
        assert_eq!(serde_json::to_string(&BasisPoints(1000)).unwrap(), "0.1");
    }
}
