//! A table of all days of the calendar, so that a row finds its day without a time zone.

use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};

use crate::bar::midnight_of;
use crate::calendar::{Calendar, DayKind};
use crate::exchange_rules::ExchangeRules;

/// Seconds in a day without a change of summer time.
const DAY_S: i64 = 86_400;

/// The days that the calendar covers, in order; a row holds the index of its day.
#[derive(Debug)]
pub(super) struct Days {
    days: Vec<Day>,
    /// The first second of each day, and that of the day after the last.
    begins_s: Vec<i64>,
}

/// What the checks need to know of a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Day {
    pub(super) date: Date,
    /// Midnight in Istanbul.
    pub(super) opened_at: Timestamp,
    pub(super) kind: DayKind,
    pub(super) weekend: bool,
    /// How many sessions there are from the first day of the table to this one, itself included.
    pub(super) sessions_to: u32,
    /// The daily limit of shares, a share of the base; `None` when it is not known.
    pub(super) limit_share: Option<f64>,
}

impl Day {
    /// Whether shares are traded.
    pub(super) fn is_session(&self) -> bool {
        matches!(self.kind, DayKind::Session { .. })
    }
}

impl Days {
    /// The table; made once, as there is one calendar and one set of rules.
    pub(super) fn of(calendar: &Calendar, rules: &ExchangeRules) -> &'static Self {
        static DAYS: OnceLock<Days> = OnceLock::new();
        DAYS.get_or_init(|| Self::build(calendar, rules))
    }

    fn build(calendar: &Calendar, rules: &ExchangeRules) -> Self {
        let (mut days, mut begins_s, mut sessions_to) = (Vec::new(), Vec::new(), 0);
        let mut date = calendar.first_day();
        while date <= calendar.last_day() {
            let opened_at = midnight_of(date);
            let kind = calendar.day(date);
            sessions_to += u32::from(matches!(kind, DayKind::Session { .. }));
            let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
            let limit_share = rules.limit_share(date).map(|limit| limit.share());
            days.push(Day { date, opened_at, kind, weekend, sessions_to, limit_share });
            begins_s.push(opened_at.as_second());
            date = date.tomorrow().expect("the calendar ends before the end of time");
        }
        begins_s.push(midnight_of(date).as_second());
        Self { days, begins_s }
    }

    /// The index of the day on which `at` lies in Istanbul; `None` outside the calendar.
    pub(super) fn index_at(&self, at: Timestamp) -> Option<usize> {
        let second = at.as_second();
        let since_s = second - self.begins_s[0];
        if since_s < 0 {
            return None;
        }
        // The table begins in winter, whose midnights are the latest, so that a day that begins
        // an hour earlier is the only correction.
        let guess = usize::try_from(since_s / DAY_S).ok()?;
        let later = self.begins_s.get(guess + 1).is_some_and(|begin| *begin <= second);
        let index = guess + usize::from(later);
        (index < self.days.len()).then_some(index)
    }

    /// The index of a date; `None` outside the calendar.
    pub(super) fn index_of(&self, date: Date) -> Option<usize> {
        let first = self.days.first()?.date;
        let index = usize::try_from(date.duration_since(first).as_hours() / 24).ok()?;
        (date >= first && index < self.days.len()).then_some(index)
    }

    /// The day with an index that this table gave.
    pub(super) fn day(&self, index: usize) -> &Day {
        &self.days[index]
    }

    /// The sessions after day `after` up to and including day `until`; zero when it is not later.
    pub(super) fn sessions_between(&self, after: usize, until: usize) -> u32 {
        self.days[until].sessions_to.saturating_sub(self.days[after].sessions_to)
    }

    /// The sessions after day `after` and before day `until`, in order.
    pub(super) fn sessions_inside(
        &self,
        after: usize,
        until: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        (after + 1..until).filter(|index| self.days[*index].is_session())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::bar::day_of;

    #[test]
    fn every_hour_of_the_calendar_finds_its_day() {
        let days = Days::of(Calendar::bist(), ExchangeRules::bist());
        let hour = SignedDuration::from_hours(1);
        let first = days.days[0].opened_at;
        let mut at = first;
        while let Some(index) = days.index_at(at) {
            assert_eq!(days.day(index).date, day_of(at), "{at}");
            at += hour;
        }
        assert_eq!(day_of(at - hour), Calendar::bist().last_day());
        assert_eq!(days.index_at(first - SignedDuration::from_nanos(1)), None);
    }

    #[test]
    fn the_table_says_what_the_calendar_says() {
        let calendar = Calendar::bist();
        let days = Days::of(calendar, ExchangeRules::bist());
        for (index, day) in days.days.iter().enumerate() {
            assert_eq!(days.index_of(day.date), Some(index));
            assert_eq!(day.kind, calendar.day(day.date));
            let counted = calendar.sessions_between(calendar.first_day(), day.date).unwrap();
            assert_eq!(days.sessions_between(0, index), counted);
        }
        assert_eq!(days.index_of(calendar.last_day().tomorrow().unwrap()), None);
        assert_eq!(days.index_of(calendar.first_day().yesterday().unwrap()), None);
    }
}
