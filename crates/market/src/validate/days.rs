//! A table of all days of the calendar, so that a row finds its day without a time zone.

use std::sync::OnceLock;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::bar::midnight_of;
use crate::calendar::{Calendar, DayKind};
use crate::exchange_rules::ExchangeRules;

/// Seconds in a day without a change of summer time.
const DAY_S: i64 = 86_400;

/// The days that the calendar covers, in order; a row holds the index of its day.
///
/// A column a question, because each check asks one of every row.
#[derive(Debug)]
pub(super) struct Days {
    dates: Vec<Date>,
    kinds: Vec<DayKind>,
    is_session: Vec<bool>,
    /// How many sessions there are from the first day to each, itself included.
    sessions_to: Vec<u32>,
    /// The daily limit of shares, a share of the base; infinite when it is not known.
    limit_shares: Vec<f64>,
    /// The first second of each day, and that of the day after the last.
    begins_s: Vec<i64>,
    /// For each day the session after it.
    next_sessions: Vec<NextSession>,
    /// For each day the last one of its month.
    month_ends: Vec<usize>,
}

/// The first session after a day.
#[derive(Clone, Copy, Debug)]
struct NextSession {
    index: usize,
    /// Its first second; one that no time stamp has where no session follows.
    begin_s: i64,
}

impl NextSession {
    const NONE: Self = Self { index: usize::MAX, begin_s: i64::MAX };
}

impl Days {
    /// The table; made once, as there is one calendar and one set of rules.
    pub(super) fn of(calendar: &Calendar, rules: &ExchangeRules) -> &'static Self {
        static DAYS: OnceLock<Days> = OnceLock::new();
        DAYS.get_or_init(|| Self::build(calendar, rules))
    }

    fn build(calendar: &Calendar, rules: &ExchangeRules) -> Self {
        let after = calendar.last_day().tomorrow().expect("the calendar ends before time does");
        let dates: Vec<Date> =
            calendar.first_day().series(1.day()).take_while(|date| *date < after).collect();
        let kinds: Vec<DayKind> = dates.iter().map(|date| calendar.day(*date)).collect();
        let is_session: Vec<bool> =
            kinds.iter().map(|kind| matches!(kind, DayKind::Session { .. })).collect();
        let count = |sessions: &mut u32, is_session: &bool| {
            *sessions += u32::from(*is_session);
            Some(*sessions)
        };
        let sessions_to = is_session.iter().scan(0, count).collect();
        let limit = |date: &Date| rules.limit_share(*date).map_or(f64::INFINITY, |l| l.share());
        let limit_shares = dates.iter().map(limit).collect();
        let begins_s: Vec<i64> =
            dates.iter().chain([&after]).map(|date| midnight_of(*date).as_second()).collect();
        let mut next_sessions = vec![NextSession::NONE; dates.len()];
        for index in (1..dates.len()).rev() {
            next_sessions[index - 1] = match is_session[index] {
                true => NextSession { index, begin_s: begins_s[index] },
                false => next_sessions[index],
            };
        }
        let mut month_ends: Vec<usize> = (0..dates.len()).collect();
        for index in (1..dates.len()).rev() {
            if dates[index - 1].month() == dates[index].month() {
                month_ends[index - 1] = month_ends[index];
            }
        }
        Self {
            dates,
            kinds,
            is_session,
            sessions_to,
            limit_shares,
            begins_s,
            next_sessions,
            month_ends,
        }
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
        (index < self.dates.len()).then_some(index)
    }

    /// The index of the first session after day `after`, if it begins at `at`.
    #[inline]
    pub(super) fn next_session_at(&self, after: usize, at: Timestamp) -> Option<usize> {
        let next = self.next_sessions[after];
        (at.as_second() == next.begin_s && at.subsec_nanosecond() == 0).then_some(next.index)
    }

    /// The index of a date; `None` outside the calendar.
    pub(super) fn index_of(&self, date: Date) -> Option<usize> {
        let days = date.duration_since(self.first()).as_hours() / 24;
        usize::try_from(days).ok().filter(|index| date >= self.first() && *index < self.dates.len())
    }

    /// The first day of the table.
    pub(super) fn first(&self) -> Date {
        self.dates[0]
    }

    /// The date of a day.
    pub(super) fn date(&self, index: usize) -> Date {
        self.dates[index]
    }

    /// The index of the last day of the table in the month of a day.
    pub(super) fn month_end(&self, index: usize) -> usize {
        self.month_ends[index]
    }

    /// What the exchange did on a day.
    pub(super) fn kind(&self, index: usize) -> DayKind {
        self.kinds[index]
    }

    /// Whether shares were traded on a day.
    pub(super) fn is_session(&self, index: usize) -> bool {
        self.is_session[index]
    }

    /// The daily limit of shares, a share of the base; infinite when it is not known.
    pub(super) fn limit_share(&self, index: usize) -> f64 {
        self.limit_shares[index]
    }

    /// Midnight in Istanbul at the beginning of a day, given a time stamp of that day.
    #[inline]
    pub(super) fn midnight(&self, index: usize, at: Timestamp) -> Timestamp {
        let begin_s = self.begins_s[index];
        if at.as_second() == begin_s && at.subsec_nanosecond() == 0 {
            return at;
        }
        Timestamp::from_second(begin_s).expect("a day of the calendar is within the range of time")
    }

    /// The sessions after day `after` up to and including day `until`; zero when it is not later.
    pub(super) fn sessions_between(&self, after: usize, until: usize) -> u32 {
        self.sessions_to[until].saturating_sub(self.sessions_to[after])
    }

    /// The sessions after day `after` and before day `until`, in order.
    pub(super) fn sessions_inside(
        &self,
        after: usize,
        until: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        (after + 1..until).filter(|index| self.is_session[*index])
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
        let first = midnight_of(days.first());
        let mut at = first;
        while let Some(index) = days.index_at(at) {
            assert_eq!(days.date(index), day_of(at), "{at}");
            assert_eq!(days.midnight(index, at), midnight_of(day_of(at)));
            at += hour;
        }
        assert_eq!(day_of(at - hour), Calendar::bist().last_day());
        assert_eq!(days.index_at(first - SignedDuration::from_nanos(1)), None);
    }

    #[test]
    fn the_table_says_what_the_calendar_says() {
        let calendar = Calendar::bist();
        let days = Days::of(calendar, ExchangeRules::bist());
        for (index, date) in days.dates.iter().enumerate() {
            assert_eq!(days.index_of(*date), Some(index));
            assert_eq!(days.kind(index), calendar.day(*date));
            assert_eq!(days.is_session(index), calendar.is_session(*date));
            assert_eq!(
                days.date(days.month_end(index)),
                date.last_of_month().min(calendar.last_day())
            );
            let counted = calendar.sessions_between(calendar.first_day(), *date).unwrap();
            assert_eq!(days.sessions_between(0, index), counted);
        }
        for index in 0..days.dates.len() {
            let next = (index + 1..days.dates.len()).find(|later| days.is_session(*later));
            for later in index + 1..days.dates.len().min(index + 15) {
                let midnight = midnight_of(days.date(later));
                let found = days.next_session_at(index, midnight);
                assert_eq!(found, next.filter(|next| *next == later));
                assert_eq!(days.next_session_at(index, midnight + 1.nanosecond()), None);
            }
        }
        assert_eq!(days.index_of(calendar.last_day().tomorrow().unwrap()), None);
        assert_eq!(days.index_of(calendar.first_day().yesterday().unwrap()), None);
    }
}
