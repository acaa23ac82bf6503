//! Spans of time, and the rows of which they consist.

use jiff::{SignedDuration, Timestamp};

/// How long the time of a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resolution {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
}

impl Resolution {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its name in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// Its length, seconds.
    pub const fn length_s(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 60 * 60,
            Self::Day => 24 * 60 * 60,
        }
    }

    /// The next coarser one; that of a day is a day.
    pub const fn coarser(self) -> Self {
        match self {
            Self::Minute => Self::Hour,
            Self::Hour | Self::Day => Self::Day,
        }
    }

    /// The begin of the row that `at` belongs to.
    pub fn begin(self, at: Timestamp) -> Timestamp {
        let begin_s = floor(at.as_second(), self.length_s());
        Timestamp::from_second(begin_s).unwrap_or(Timestamp::MIN)
    }

    /// The first begin of a row that is not before `at`.
    pub fn end(self, at: Timestamp) -> Timestamp {
        let begin = self.begin(at);
        if begin == at {
            return at;
        }
        begin.saturating_add(SignedDuration::from_secs(self.length_s())).unwrap_or(Timestamp::MAX)
    }

    /// How many rows of one caller are read at a time, so that what is read has a bound.
    const fn at_once(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Hour => 24,
            Self::Day => 32,
        }
    }
}

/// A span of time of which rows are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageWindow {
    /// From this instant on, which is a begin of `finest`.
    pub from: Timestamp,
    /// Before this instant, which is one too.
    pub to: Timestamp,
    /// The finest rows that are needed.
    pub finest: Resolution,
    /// The coarsest rows that will do.
    pub coarsest: Resolution,
}

/// Rows of one resolution that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) resolution: Resolution,
    pub(super) from_s: i64,
    pub(super) to_s: i64,
}

impl UsageWindow {
    /// The rows that make it up, each instant in one: coarse ones in the middle, finer ones at its ends.
    pub(super) fn pieces(self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let (from_s, to_s) = (self.from.as_second(), self.to.as_second());
        push(&mut pieces, Piece { resolution: self.finest, from_s, to_s }, self.coarsest);
        pieces.into_iter().flat_map(Piece::shorter).collect()
    }
}

impl Piece {
    /// The same in pieces that can be read at once.
    fn shorter(self) -> impl Iterator<Item = Self> {
        let Self { resolution, from_s, to_s } = self;
        let length_s = resolution.length_s() * resolution.at_once();
        let begins = std::iter::successors(Some(from_s), move |begin_s| Some(begin_s + length_s));
        begins.take_while(move |begin_s| *begin_s < to_s).map(move |begin_s| Self {
            resolution,
            from_s: begin_s,
            to_s: to_s.min(begin_s + length_s),
        })
    }
}

fn push(pieces: &mut Vec<Piece>, piece: Piece, coarsest: Resolution) {
    let Piece { resolution, from_s, to_s } = piece;
    if from_s >= to_s {
        return;
    }
    let coarser = resolution.coarser();
    let length_s = coarser.length_s();
    let (begin_s, end_s) = (floor(from_s + length_s - 1, length_s), floor(to_s, length_s));
    if resolution >= coarsest || begin_s >= end_s {
        pieces.push(piece);
        return;
    }
    push(pieces, Piece { to_s: begin_s, ..piece }, resolution);
    push(pieces, Piece { resolution: coarser, from_s: begin_s, to_s: end_s }, coarsest);
    push(pieces, Piece { from_s: end_s, ..piece }, resolution);
}

/// The last multiple of `length_s` that is not after `at_s`.
const fn floor(at_s: i64, length_s: i64) -> i64 {
    at_s - at_s.rem_euclid(length_s)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn each_instant_of_a_window_is_in_one_row_and_most_of_it_in_few() {
        let (from, to) = (at("2026-11-20T22:58:00Z"), at("2026-11-24T02:03:00Z"));
        for coarsest in Resolution::ALL {
            let window = UsageWindow { from, to, finest: Resolution::Minute, coarsest };
            let pieces = window.pieces();
            let mut next_s = from.as_second();
            for Piece { resolution, from_s, to_s } in &pieces {
                assert_eq!((*from_s, from_s % resolution.length_s()), (next_s, 0));
                assert!(*resolution <= coarsest);
                next_s = *to_s;
            }
            assert_eq!(next_s, to.as_second());
            let rows: i64 = pieces
                .iter()
                .map(|piece| (piece.to_s - piece.from_s) / piece.resolution.length_s())
                .sum();
            // 2 minutes, 1 hour, 3 days, 2 hours, 3 minutes.
            let expected = [4_505, 2 + 75 + 3, 2 + 1 + 3 + 2 + 3];
            assert_eq!(rows, expected[coarsest as usize]);
        }
    }

    #[test]
    fn a_window_without_time_has_no_rows() {
        let from = at("2026-11-24T00:00:00Z");
        let window =
            UsageWindow { from, to: from, finest: Resolution::Day, coarsest: Resolution::Day };
        assert_eq!(window.pieces(), []);
    }

    #[test]
    fn what_begins_is_its_own_begin_and_end() {
        let begun = at("2026-11-24T12:00:00Z");
        assert_eq!((Resolution::Hour.begin(begun), Resolution::Hour.end(begun)), (begun, begun));
        let later = at("2026-11-24T12:00:00.000001Z");
        assert_eq!(Resolution::Minute.begin(later), begun);
        assert_eq!(Resolution::Minute.end(later), at("2026-11-24T12:01:00Z"));
        assert_eq!(Resolution::Day.begin(at("1969-12-31T23:59:59Z")), at("1969-12-31T00:00:00Z"));
    }
}
