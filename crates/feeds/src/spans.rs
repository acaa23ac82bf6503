//! Ranges of days cut into the spans that are fetched at once.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use bist_market::bar::day_of;

/// Days after which a source no longer corrects a value.
const CORRECTED_FOR_DAYS: i64 = 7;

/// Days that are fetched at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Date,
    pub(crate) to: Date,
    /// Whether nothing of it changes any more.
    pub(crate) is_final: bool,
}

impl Span {
    /// The days `from` to `to`, both included.
    pub(crate) fn of(from: Date, to: Date, now: Timestamp) -> Self {
        let final_to = day_of(now).saturating_sub(CORRECTED_FOR_DAYS.days());
        Self { from, to, is_final: to < final_to }
    }

    /// The name of a piece about `what` in this span. Without its last day while that moves on from
    /// run to run, so that the piece is known again.
    pub(crate) fn key(self, what: &str) -> String {
        if self.is_final {
            format!("{what} {}..{}", self.from, self.to)
        } else {
            format!("{what} from {}", self.from)
        }
    }
}

/// Cuts `from` to `to` where a year begins for which `is_cut` holds.
pub(crate) fn by_years(
    from: Date,
    to: Date,
    now: Timestamp,
    is_cut: impl Fn(i16) -> bool,
) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut begin = from;
    for year in from.year() + 1..=to.year() {
        let (first, last) = (Date::new(year, 1, 1), Date::new(year - 1, 12, 31));
        if let (true, Ok(first), Ok(last)) = (is_cut(year), first, last) {
            spans.push(Span::of(begin, last, now));
            begin = first;
        }
    }
    if begin <= to {
        spans.push(Span::of(begin, to, now));
    }
    spans
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(from: Date, to: Date, expected: &[&str]) {
        let now = "2026-11-24T12:00:00+03:00".parse().unwrap();
        let spans = by_years(from, to, now, |year| year % 2 == 0);
        assert_eq!(spans.iter().map(|span| span.key("X")).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn spans_follow_each_other_and_the_last_one_keeps_its_name() {
        check(
            date(2021, 6, 1),
            date(2026, 11, 23),
            &[
                "X 2021-06-01..2021-12-31",
                "X 2022-01-01..2023-12-31",
                "X 2024-01-01..2025-12-31",
                "X from 2026-01-01",
            ],
        );
        check(date(2026, 3, 1), date(2026, 11, 16), &["X 2026-03-01..2026-11-16"]);
        check(date(2026, 3, 1), date(2026, 11, 17), &["X from 2026-03-01"]);
        check(date(2026, 3, 2), date(2026, 3, 1), &[]);
    }
}
