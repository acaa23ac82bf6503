//! The trading calendar: which days are sessions, which are half, and when a trade settles.
//!
//! Built once from dated facts: holidays with the year from which they hold, the first days of the
//! two religious feasts, and exceptional closures. Outside the covered years the calendar says
//! [`DayKind::Unknown`] and guesses nothing.

mod holidays;

use std::fmt;
use std::sync::OnceLock;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use serde::Serialize;

use crate::exchange_rules::settlement;

/// What the exchange did, or is due to do, on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DayKind {
    /// Shares are traded.
    Session {
        /// The whole day or the morning.
        session: SessionKind,
    },
    /// Shares are not traded, or their trades were cancelled.
    Closed {
        /// Why, in a few words.
        name: &'static str,
    },
    /// The day lies outside the years that the calendar covers.
    Unknown,
}

/// How long a session lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// The whole day.
    Full,
    /// The morning only: the eve of a holiday. Trades are made, nothing settles.
    Half,
}

impl SessionKind {
    /// The word used in the API and on the terminal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Half => "half",
        }
    }
}

impl fmt::Display for SessionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The name of 8 February 2023 in the calendar: it opened, but every trade was cancelled.
pub const SESSION_CANCELLED: &str = "session cancelled (earthquake)";

/// The name of Saturdays and Sundays in the calendar.
pub const WEEKEND: &str = "weekend";

/// The sessions of Borsa Istanbul's equity market, 1 January 2000 to 31 December 2026.
#[derive(Debug)]
pub struct Calendar {
    /// One entry a day from the first covered day on.
    days: Vec<DayKind>,
    /// The sessions in order.
    sessions: Vec<(Date, SessionKind)>,
    /// For each covered day, how many sessions there are from the first day to it, itself included.
    sessions_count_to: Vec<u32>,
}

impl Calendar {
    /// The calendar of Borsa Istanbul's equity market.
    pub fn bist() -> &'static Self {
        static BIST: OnceLock<Calendar> = OnceLock::new();
        BIST.get_or_init(Self::build)
    }

    /// The first day that the calendar knows.
    pub const fn first_day(&self) -> Date {
        holidays::FIRST_DAY
    }

    /// The last day that the calendar knows.
    pub const fn last_day(&self) -> Date {
        holidays::LAST_DAY
    }

    /// Whether the calendar knows `day`.
    pub fn covers(&self, day: Date) -> bool {
        (self.first_day()..=self.last_day()).contains(&day)
    }

    /// What happens on `day`.
    pub fn day(&self, day: Date) -> DayKind {
        self.index_of(day).map_or(DayKind::Unknown, |index| self.days[index])
    }

    /// Whether `day` is known to be a session, full or half. False for days outside the covered
    /// years, about which nothing is known: ask [`Calendar::covers`] where that matters.
    pub fn is_session(&self, day: Date) -> bool {
        matches!(self.day(day), DayKind::Session { .. })
    }

    /// The sessions from `from` to `to`, both included, in order; only covered days appear.
    pub fn sessions(&self, from: Date, to: Date) -> impl Iterator<Item = (Date, SessionKind)> {
        let begin = self.sessions.partition_point(|(day, _)| *day < from);
        let end = self.sessions.partition_point(|(day, _)| *day <= to);
        self.sessions[begin.min(end)..end].iter().copied()
    }

    /// The first session after `after`; `None` when `after` is not covered, or none follows.
    pub fn next_session(&self, after: Date) -> Option<Date> {
        self.session_after(after, 1)
    }

    /// The last session before `before`; `None` when `before` is not covered, or none precedes it.
    pub fn previous_session(&self, before: Date) -> Option<Date> {
        self.index_of(before)?;
        let index = self.sessions.partition_point(|(day, _)| *day < before).checked_sub(1)?;
        Some(self.sessions[index].0)
    }

    /// The `count`-th session strictly after `day` (`day` itself for zero); `None` when `day` or the
    /// answer lies outside the covered years.
    pub fn session_after(&self, day: Date, count: u32) -> Option<Date> {
        self.index_of(day)?;
        let Some(steps) = count.checked_sub(1) else { return Some(day) };
        let first = self.sessions.partition_point(|(session, _)| *session <= day);
        self.sessions.get(first + usize::try_from(steps).ok()?).map(|(session, _)| *session)
    }

    /// The number of sessions after `after` up to and including `until`; `None` when one of them is
    /// not covered. Zero when `until` is not after `after`.
    pub fn sessions_between(&self, after: Date, until: Date) -> Option<u32> {
        let (after, until) = (self.index_of(after)?, self.index_of(until)?);
        Some(self.sessions_count_to[until].saturating_sub(self.sessions_count_to[after]))
    }

    /// The day on which a trade of `trade_day` settles: by the rule in force on the trade day, the
    /// second full session after it. A half day trades but does not settle.
    ///
    /// `None` when `trade_day` is not a session, or the answer lies outside the covered years.
    pub fn settles_on(&self, trade_day: Date) -> Option<Date> {
        if !self.is_session(trade_day) {
            return None;
        }
        let lag = settlement(trade_day)?.value.full_sessions_count;
        let first = self.sessions.partition_point(|(day, _)| *day <= trade_day);
        self.sessions[first..]
            .iter()
            .filter(|(_, kind)| *kind == SessionKind::Full)
            .nth(usize::from(lag).checked_sub(1)?)
            .map(|(day, _)| *day)
    }

    /// The position of `day` in the table of days.
    fn index_of(&self, day: Date) -> Option<usize> {
        let days = day.duration_since(self.first_day()).as_hours() / 24;
        usize::try_from(days).ok().filter(|index| *index < self.days.len())
    }

    /// Decides every covered day.
    fn build() -> Self {
        let (mut days, mut sessions, mut sessions_count_to) = (Vec::new(), Vec::new(), Vec::new());
        let mut count = 0;
        for day in holidays::FIRST_DAY.series(1.day()).take_while(|d| *d <= holidays::LAST_DAY) {
            let kind = decide(day);
            if let DayKind::Session { session } = kind {
                sessions.push((day, session));
                count += 1;
            }
            days.push(kind);
            sessions_count_to.push(count);
        }
        Self { days, sessions, sessions_count_to }
    }
}

/// What happens on a covered day, by the facts in order of precedence: weekend, exceptional
/// closure, holiday, half day.
fn decide(day: Date) -> DayKind {
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return DayKind::Closed { name: WEEKEND };
    }
    if let Some(name) = holidays::exceptional_closure(day).or_else(|| holidays::full_holiday(day)) {
        return DayKind::Closed { name };
    }
    let session = if holidays::is_eve(day) { SessionKind::Half } else { SessionKind::Full };
    DayKind::Session { session }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_day_outside_the_covered_years_is_unknown_and_no_session() {
        let calendar = Calendar::bist();
        for day in [date(1999, 12, 31), date(2027, 1, 4), date(1, 1, 1), date(9999, 12, 31)] {
            assert_eq!(calendar.day(day), DayKind::Unknown);
            assert!(!calendar.is_session(day) && !calendar.covers(day));
            assert_eq!(calendar.next_session(day), None);
            assert_eq!(calendar.previous_session(day), None);
            assert_eq!(calendar.sessions_between(day, date(2020, 1, 2)), None);
            assert_eq!(calendar.settles_on(day), None);
        }
    }

    #[test]
    fn the_cancelled_session_is_closed_and_named() {
        let calendar = Calendar::bist();
        assert_eq!(calendar.day(date(2023, 2, 8)), DayKind::Closed { name: SESSION_CANCELLED });
        assert_eq!(calendar.next_session(date(2023, 2, 7)), Some(date(2023, 2, 15)));
        assert_eq!(calendar.previous_session(date(2023, 2, 15)), Some(date(2023, 2, 7)));
        assert_eq!(calendar.sessions_between(date(2023, 2, 7), date(2023, 2, 15)), Some(1));
    }

    #[test]
    fn counting_sessions_and_stepping_over_them_agree() {
        let calendar = Calendar::bist();
        for day in [date(2000, 1, 1), date(2010, 1, 1), date(2019, 6, 2), date(2026, 3, 19)] {
            assert_eq!(calendar.session_after(day, 0), Some(day));
            for count in 1..=40 {
                let later = calendar.session_after(day, count).unwrap();
                assert!(calendar.is_session(later));
                assert_eq!(calendar.sessions_between(day, later), Some(count));
                assert_eq!(
                    calendar.sessions(day.tomorrow().unwrap(), later).count(),
                    usize::try_from(count).unwrap()
                );
            }
        }
        assert_eq!(calendar.session_after(date(2026, 12, 31), 1), None);
        assert_eq!(calendar.sessions_between(date(2020, 1, 9), date(2020, 1, 3)), Some(0));
    }
}
