//! The dated facts from which the calendar is made.
//!
//! Source: the holidays of Turkish law as the exchange applies them, checked day by day against
//! `exchange_calendars` 4.13.2 (XIST) and the `holidays` package for 2010-2026, and for 2026 against
//! a newspaper's list; read for `BIST_RULES.md` section 14. 24 and 31 December, Christmas and the
//! government's bridging leave days are ordinary sessions. No session was added or moved to another
//! day in these years.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// The first day of the years that the facts below cover.
pub(super) const FIRST_DAY: Date = date(2010, 1, 1);

/// The last day of the years that the facts below cover. The eves of the feasts of later years must
/// come from the exchange's yearly announcement.
pub(super) const LAST_DAY: Date = date(2026, 12, 31);

/// A holiday on the same day each year.
struct FixedHoliday {
    month: i8,
    day: i8,
    /// The first year in which the exchange closed for it; `None` when it was before 2010.
    since_year: Option<i16>,
    name: &'static str,
}

const FIXED_HOLIDAYS: &[FixedHoliday] = &[
    FixedHoliday { month: 1, day: 1, since_year: None, name: "New Year's Day" },
    FixedHoliday {
        month: 4,
        day: 23,
        since_year: None,
        name: "National Sovereignty and Children's Day",
    },
    FixedHoliday { month: 5, day: 1, since_year: None, name: "Labour and Solidarity Day" },
    FixedHoliday {
        month: 5,
        day: 19,
        since_year: None,
        name: "Commemoration of Atatürk, Youth and Sports Day",
    },
    FixedHoliday {
        month: 7,
        day: 15,
        since_year: Some(2017),
        name: "Democracy and National Unity Day",
    },
    FixedHoliday { month: 8, day: 30, since_year: None, name: "Victory Day" },
    FixedHoliday { month: 10, day: 29, since_year: None, name: "Republic Day" },
];

/// The half day of every year, month and day: the eve of Republic Day.
const REPUBLIC_DAY_EVE: (i8, i8) = (10, 28);

const RAMAZAN: &str = "Ramazan Bayramı";
const KURBAN: &str = "Kurban Bayramı";

/// How many days each feast closes the exchange, from its first day on. Its eve is a half day.
const RAMAZAN_DAYS: i64 = 3;
const KURBAN_DAYS: i64 = 4;

/// The first days of the two feasts: Ramazan Bayramı, Kurban Bayramı.
const FEASTS: &[(Date, Date)] = &[
    (date(2010, 9, 9), date(2010, 11, 16)),
    (date(2011, 8, 30), date(2011, 11, 6)),
    (date(2012, 8, 19), date(2012, 10, 25)),
    (date(2013, 8, 8), date(2013, 10, 15)),
    (date(2014, 7, 28), date(2014, 10, 4)),
    (date(2015, 7, 17), date(2015, 9, 24)),
    (date(2016, 7, 5), date(2016, 9, 12)),
    (date(2017, 6, 25), date(2017, 9, 1)),
    (date(2018, 6, 15), date(2018, 8, 21)),
    (date(2019, 6, 4), date(2019, 8, 11)),
    (date(2020, 5, 24), date(2020, 7, 31)),
    (date(2021, 5, 13), date(2021, 7, 20)),
    (date(2022, 5, 2), date(2022, 7, 9)),
    (date(2023, 4, 21), date(2023, 6, 28)),
    (date(2024, 4, 10), date(2024, 6, 16)),
    (date(2025, 3, 30), date(2025, 6, 6)),
    (date(2026, 3, 20), date(2026, 5, 27)),
];

/// Closures that no rule foresees: from, to, name.
///
/// After the earthquakes of 6 February 2023 the session of the 8th opened, was halted at about
/// 11:00 and every trade of the day was cancelled; the exchange reopened on the 15th. The trades of
/// the 6th and 7th stand.
const EXCEPTIONAL_CLOSURES: &[(Date, Date, &str)] = &[
    (date(2023, 2, 8), date(2023, 2, 8), super::SESSION_CANCELLED),
    (date(2023, 2, 9), date(2023, 2, 14), "closed after the earthquake"),
];

/// The name of the exceptional closure that covers `day`.
pub(super) fn exceptional_closure(day: Date) -> Option<&'static str> {
    EXCEPTIONAL_CLOSURES
        .iter()
        .find(|(from, to, _)| (*from..=*to).contains(&day))
        .map(|(_, _, name)| *name)
}

/// The name of the holiday that closes the exchange for the whole of `day`.
pub(super) fn full_holiday(day: Date) -> Option<&'static str> {
    let fixed = FIXED_HOLIDAYS
        .iter()
        .filter(|h| (h.month, h.day) == (day.month(), day.day()))
        .find(|h| h.since_year.is_none_or(|year| day.year() >= year))
        .map(|h| h.name);
    fixed.or_else(|| {
        FEASTS.iter().find_map(|(ramazan, kurban)| {
            let within = |first: Date, days: i64| day >= first && day < first + days.days();
            match () {
                () if within(*ramazan, RAMAZAN_DAYS) => Some(RAMAZAN),
                () if within(*kurban, KURBAN_DAYS) => Some(KURBAN),
                () => None,
            }
        })
    })
}

/// Whether `day` is the eve of a feast or of Republic Day.
pub(super) fn is_eve(day: Date) -> bool {
    (day.month(), day.day()) == REPUBLIC_DAY_EVE
        || FEASTS.iter().any(|(ramazan, kurban)| {
            day.tomorrow().is_ok_and(|tomorrow| tomorrow == *ramazan || tomorrow == *kurban)
        })
}
