//! Dates and times as files write them.

use bist_market::bar::{istanbul, midnight_of};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Which comes first in a date such as `03/04/2024`; decided once for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateOrder {
    DayFirst,
    MonthFirst,
}

/// What the date cell of a row says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// A day without a time.
    Day(Date),
    /// A time on the clocks of Istanbul.
    Local(DateTime),
    /// A point in time.
    Instant(Timestamp),
}

impl Moment {
    /// Reads a date, a date with a time, or seconds, milli-, micro- or nanoseconds since 1970.
    pub(crate) fn parse(text: &str, order: DateOrder) -> Option<Self> {
        if let Some(moment) = Self::parse_digits(text) {
            return Some(moment);
        }
        let (date, time) = match text.find(['T', ' ']) {
            Some(at) => (&text[..at], text[at + 1..].trim()),
            None => (text, ""),
        };
        let date = parse_date(date, order)?;
        if time.is_empty() {
            return Some(Self::Day(date));
        }
        let (time, offset) = split_offset(time)?;
        let local = date.to_datetime(parse_time(time)?);
        match offset {
            None => Some(Self::Local(local)),
            Some(offset) => offset.to_timestamp(local).ok().map(Self::Instant),
        }
    }

    /// The same moment at the time of day in a column of its own.
    pub(crate) fn at_time(self, text: &str) -> Option<Self> {
        match self {
            Self::Day(day) => parse_time(text).map(|time| Self::Local(day.to_datetime(time))),
            Self::Local(_) | Self::Instant(_) => None,
        }
    }

    /// `20240301`, or a count since the beginning of 1970.
    fn parse_digits(text: &str) -> Option<Self> {
        if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None;
        }
        let digits = text.trim_end_matches('0').strip_suffix('.').unwrap_or(text);
        let count: i64 = digits.parse().ok()?;
        match digits.len() {
            8 => parse_date(
                &format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..]),
                DateOrder::DayFirst,
            )
            .map(Self::Day),
            9 | 10 => Timestamp::from_second(count).ok().map(Self::Instant),
            12 | 13 => Timestamp::from_millisecond(count).ok().map(Self::Instant),
            15 | 16 => Timestamp::from_microsecond(count).ok().map(Self::Instant),
            18 | 19 => Timestamp::from_nanosecond(i128::from(count)).ok().map(Self::Instant),
            _ => None,
        }
    }

    /// The instant meant; a day is its midnight in Istanbul, a time that clocks showed twice or
    /// never is the earlier or the shifted one.
    pub(crate) fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Day(day) => (1900..=2200).contains(&day.year()).then(|| midnight_of(day)),
            Self::Local(local) => istanbul().to_timestamp(local).ok(),
            Self::Instant(instant) => Some(instant),
        }
    }
}

/// Whether a date with slashes tells which of day and month comes first; `None` when it is no such
/// date or does not tell.
pub(crate) fn order_shown(text: &str) -> Option<DateOrder> {
    let (first, second) = slashed(text)?;
    match (first > 12, second > 12) {
        (true, false) => Some(DateOrder::DayFirst),
        (false, true) => Some(DateOrder::MonthFirst),
        // The 7th of July is the same either way, but says nothing of the other rows.
        _ => None,
    }
}

/// Whether the date reads differently with the day first and the month first.
pub(crate) fn depends_on_order(text: &str) -> bool {
    slashed(text).is_some_and(|(first, second)| first != second)
}

/// Whether the date is written with slashes, so that its order must be found out.
pub(crate) fn is_slashed(text: &str) -> bool {
    slashed(text).is_some()
}

fn slashed(text: &str) -> Option<(u8, u8)> {
    let mut parts = text.split('/');
    let first = parts.next()?.parse().ok()?;
    let second = parts.next()?.parse().ok()?;
    Some((first, second))
}

fn parse_date(text: &str, order: DateOrder) -> Option<Date> {
    let separator = text.chars().find(|c| !c.is_ascii_digit())?;
    if !matches!(separator, '-' | '.' | '/') {
        return None;
    }
    let mut parts = text.split(separator);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |s: &str, length_max: usize| {
        let digits =
            !s.is_empty() && s.len() <= length_max && s.bytes().all(|b| b.is_ascii_digit());
        if digits { s.parse::<i16>().ok() } else { None }
    };
    if parts.next().is_some() {
        return None;
    }
    let (year, month, day) = if a.len() == 4 {
        (a, b, c)
    } else if c.len() == 4 {
        match (separator, order) {
            ('/', DateOrder::MonthFirst) => (c, a, b),
            _ => (c, b, a),
        }
    } else {
        return None;
    };
    let month = i8::try_from(number(month, 2)?).ok()?;
    let day = i8::try_from(number(day, 2)?).ok()?;
    let date = Date::new(number(year, 4)?, month, day).ok()?;
    (1900..=2200).contains(&date.year()).then_some(date)
}

/// `10:00`, `10:00:30` or `10:00:30.5`.
fn parse_time(text: &str) -> Option<Time> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let two = |s: &str| {
        let digits = matches!(s.len(), 1 | 2) && s.bytes().all(|b| b.is_ascii_digit());
        if digits { s.parse::<i8>().ok() } else { None }
    };
    let hour = two(parts.next()?)?;
    let minute = two(parts.next()?)?;
    let second = parts.next().map_or(Some(0), two)?;
    if parts.next().is_some() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let nanosecond =
        if fraction.is_empty() { 0 } else { format!("{fraction:0<9}").parse().ok()? };
    Time::new(hour, minute, second, nanosecond).ok()
}

/// Splits `10:00:00+03:00` into the time and the offset, if it has one; `None` when what follows
/// the time is neither.
fn split_offset(text: &str) -> Option<(&str, Option<Offset>)> {
    if let Some(time) = text.strip_suffix(['Z', 'z']) {
        return Some((time.trim_end(), Some(Offset::UTC)));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, None)) };
    let sign = if text.as_bytes()[at] == b'-' { -1 } else { 1 };
    let digits: String = text[at + 1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = if digits.len() == 4 { digits[2..].parse().ok()? } else { 0 };
    let offset = Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?;
    Some((text[..at].trim_end(), Some(offset)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, order: DateOrder, expected: Option<&str>) {
        let instant = Moment::parse(text, order).and_then(Moment::instant);
        assert_eq!(instant.map(|i| i.to_string()).as_deref(), expected, "{text:?}");
    }

    #[test]
    fn a_day_is_its_midnight_in_istanbul() {
        use DateOrder::{DayFirst, MonthFirst};
        for text in ["2024-03-01", "01.03.2024", "1.3.2024", "01/03/2024", "01-03-2024", "20240301"]
        {
            check(text, DayFirst, Some("2024-02-29T21:00:00Z"));
        }
        check("2024/03/01", MonthFirst, Some("2024-02-29T21:00:00Z"));
        check("03/01/2024", MonthFirst, Some("2024-02-29T21:00:00Z"));
        check("01.03.2024", MonthFirst, Some("2024-02-29T21:00:00Z"));
    }

    #[test]
    fn a_time_without_an_offset_is_istanbul_time() {
        use DateOrder::DayFirst;
        check("2024-03-01 10:00", DayFirst, Some("2024-03-01T07:00:00Z"));
        check("01.03.2024 10:00:30", DayFirst, Some("2024-03-01T07:00:30Z"));
        check("2015-01-05T10:00:00", DayFirst, Some("2015-01-05T08:00:00Z"));
        check("2024-03-01T10:00:00+03:00", DayFirst, Some("2024-03-01T07:00:00Z"));
        check("2024-03-01 10:00:00.250+0300", DayFirst, Some("2024-03-01T07:00:00.25Z"));
        check("2024-03-01T07:00:00Z", DayFirst, Some("2024-03-01T07:00:00Z"));
        check("2024-03-01T04:00:00-03", DayFirst, Some("2024-03-01T07:00:00Z"));
    }

    #[test]
    fn long_numbers_count_from_1970() {
        use DateOrder::DayFirst;
        for text in [
            "1709276400",
            "1709276400.0",
            "1709276400000",
            "1709276400000000",
            "1709276400000000000",
        ] {
            check(text, DayFirst, Some("2024-03-01T07:00:00Z"));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "abc",
            "2024",
            "2024-13-01",
            "2024-02-30",
            "1.2.24",
            "2024-03-01 25:00",
            "2024-03-01 10",
            "2024-03-01T10:00+3",
            "01.03.2024.",
            "9999-12-31",
            "12345",
            "2024-03-01x",
            "T",
            "é",
        ] {
            check(text, DateOrder::DayFirst, None);
        }
    }

    #[test]
    fn a_day_past_the_twelfth_tells_the_order() {
        assert_eq!(order_shown("13/01/2024"), Some(DateOrder::DayFirst));
        assert_eq!(order_shown("01/13/2024"), Some(DateOrder::MonthFirst));
        assert_eq!(order_shown("01/02/2024"), None);
        assert_eq!(order_shown("13.01.2024"), None);
        assert!(depends_on_order("01/02/2024") && !depends_on_order("02/02/2024"));
    }
}
