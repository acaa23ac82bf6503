//! The names of findings: a hash of whose row it is, its own numbers, and what was found.

use jiff::Timestamp;
use jiff::civil::Date;

use super::FindingKind;
use crate::bar::{Interval, RawBar};
use crate::instrument::Symbol;
use crate::refused_row::RefusedRow;
use crate::source::Source;
use crate::validate::decision::FindingId;

/// The names of findings about one series.
///
/// Of 64 bits: among a million findings two share a name by accident with a probability of about
/// three in a hundred million.
#[derive(Clone, Copy, Debug)]
pub(in crate::validate) struct Names {
    series: Mix,
}

impl Names {
    /// The names for one series of one source.
    pub(in crate::validate) fn of(symbol: Symbol, interval: Interval, source: Source) -> Self {
        let mut series = Mix(0);
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
        opened_at: Timestamp,
        raw: &RawBar,
        copy: u32,
    ) -> FindingId {
        let mut hash = self.series;
        hash.kind(kind);
        hash.number(opened_at.as_second());
        hash.number(raw.open_units.unwrap_or(i64::MIN));
        hash.number(raw.high_units);
        hash.number(raw.low_units);
        hash.number(raw.close_units);
        hash.word(raw.adjusted_close.map_or(0, f64::to_bits));
        hash.number(raw.volume_shares.unwrap_or(i64::MIN));
        hash.word(copy.into());
        FindingId(hash.0)
    }

    /// The name of a finding about a day without a row, or, without a day, about the series.
    pub(in crate::validate) fn of_day(self, kind: &FindingKind, day: Option<Date>) -> FindingId {
        let mut hash = self.series;
        hash.kind(kind);
        hash.day(day);
        FindingId(hash.0)
    }

    /// The name of a finding about a row that was refused, by its text and how many such rows came
    /// before it.
    pub(in crate::validate) fn of_refused(
        self,
        kind: &FindingKind,
        row: &RefusedRow,
        copy: u32,
    ) -> FindingId {
        let mut hash = self.series;
        hash.kind(kind);
        hash.text(&row.text);
        hash.day(row.day);
        hash.word(copy.into());
        FindingId(hash.0)
    }
}

/// The hash so far: words mixed in by multiplying and shifting, as the finaliser of `SplitMix64` does
/// (Steele, Lea, Flood 2014).
#[derive(Clone, Copy, Debug)]
struct Mix(u64);

impl Mix {
    fn word(&mut self, word: u64) {
        let mut mixed = (self.0 ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = mixed ^ (mixed >> 31);
    }

    fn number(&mut self, number: i64) {
        self.word(u64::from_le_bytes(number.to_le_bytes()));
    }

    /// A text, eight bytes a word, and its length, so that two texts are not taken for one.
    fn text(&mut self, text: &str) {
        for bytes in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.word(u64::from_le_bytes(word));
        }
        self.word(text.len().try_into().expect("a length fits in 64 bits"));
    }

    fn day(&mut self, day: Option<Date>) {
        let number = |day: Date| {
            let (year, month) = (i64::from(day.year()), i64::from(day.month()));
            (year * 100 + month) * 100 + i64::from(day.day())
        };
        self.number(day.map_or(0, number));
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
            FindingKind::OutsideCalendar { from, .. } => self.day(Some(*from)),
            _ => {}
        }
    }
}
