//! The names of findings: a hash of whose row it is, its own numbers, and what was found.

use jiff::civil::Date;

use super::FindingKind;
use crate::bar::{Interval, RawBar};
use crate::instrument::Symbol;
use crate::source::Source;
use crate::validate::decision::FindingId;

/// The names of findings about one series.
///
/// FNV-1a with 64 bits (Fowler, Noll, Vo; RFC 9923): two findings of one series share a name by
/// accident with a probability of about one in 10^13 for a thousand findings.
#[derive(Clone, Copy, Debug)]
pub(in crate::validate) struct Names {
    series: Fnv,
}

impl Names {
    /// The names for one series of one source.
    pub(in crate::validate) fn of(symbol: Symbol, interval: Interval, source: Source) -> Self {
        let mut series = Fnv(0xcbf2_9ce4_8422_2325);
        series.text(symbol.as_str());
        series.text(source.as_str());
        series.number(match interval {
            Interval::Daily => 0,
            Interval::Minutes(minutes) => minutes.into(),
        });
        Self { series }
    }

    /// The name of a finding about a row: its own numbers decide, not its neighbours'. Of several
    /// rows that are the same, each has its number in `copy`.
    pub(in crate::validate) fn of_row(
        self,
        kind: &FindingKind,
        raw: &RawBar,
        copy: u64,
    ) -> FindingId {
        let mut hash = self.series;
        hash.kind(kind);
        hash.number(raw.opened_at.as_second());
        for units in [raw.open_units.unwrap_or(i64::MIN), raw.high_units, raw.low_units] {
            hash.number(units);
        }
        hash.number(raw.close_units);
        hash.bytes(&raw.adjusted_close.map_or(0, f64::to_bits).to_le_bytes());
        hash.number(raw.volume_shares.unwrap_or(i64::MIN));
        hash.bytes(&copy.to_le_bytes());
        FindingId(hash.0)
    }

    /// The name of a finding about a day without a row, or, without a day, about the series.
    pub(in crate::validate) fn of_day(self, kind: &FindingKind, day: Option<Date>) -> FindingId {
        let mut hash = self.series;
        hash.kind(kind);
        if let Some(day) = day {
            hash.text(&day.to_string());
        }
        FindingId(hash.0)
    }

    /// The name of a finding about a row that was refused, by its text and how many rows of this
    /// text came before.
    pub(in crate::validate) fn of_refused(
        self,
        kind: &FindingKind,
        text: &str,
        copy: u64,
    ) -> FindingId {
        let mut hash = self.series;
        hash.kind(kind);
        hash.text(text);
        hash.bytes(&copy.to_le_bytes());
        FindingId(hash.0)
    }
}

/// The hash so far.
#[derive(Clone, Copy, Debug)]
struct Fnv(u64);

impl Fnv {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn number(&mut self, number: i64) {
        self.bytes(&number.to_le_bytes());
    }

    /// A text and its end, so that two texts are not taken for one.
    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
        self.bytes(&[0]);
    }

    /// The code, and what tells two findings of one kind about one row apart.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a kind that comes once a row needs no more than its code"
    )]
    fn kind(&mut self, kind: &FindingKind) {
        self.text(match kind {
            // Which of the two it is, and which price it is about, is seen in later rows.
            FindingKind::ScaleBreak { .. } => "move_beyond_limit",
            _ => kind.code(),
        });
        match kind {
            FindingKind::NonPositivePrice { field, .. } | FindingKind::OffTick { field, .. } => {
                self.text(field.as_str());
            }
            FindingKind::EarlyClose { other_source, .. }
            | FindingKind::ReturnDisagreement { other_source, .. }
            | FindingKind::VolumeDisagreement { other_source, .. } => {
                self.text(other_source.as_str());
            }
            FindingKind::DistributionDrift { what, .. } => self.text(what),
            FindingKind::OutsideCalendar { from, .. } => self.text(&from.to_string()),
            _ => {}
        }
    }
}
