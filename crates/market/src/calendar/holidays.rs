//! The dated facts from which the calendar is made.
//!
//! Source: the holidays of Turkish law as the exchange applies them, checked day by day against
//! `exchange_calendars` 4.13.2 (XIST) for 2000-2026, against the `holidays` package 0.109 for the
//! same years, and for 2026 against a newspaper's list; read for `BIST_RULES.md` section 14.
//! 24 and 31 December, Christmas and the government's bridging leave days are ordinary sessions,
//! save those among the exceptional closures. No session was added or moved to another day.
//!
//! **How sure.** From 2010 on all sources agree (certainty A). Before 2010, holidays and feasts
//! agree with XIST and, from 2004 on, with `QuantLib`'s list of the exchange's own closures (A);
//! eves are half days by law (B). Where sources differ, prices of thirteen shares decided:
//!
//! - 1 May 2009 is closed, as in XIST. The prices dated so are no session: each holds the range and
//!   the volume of 30 April and more, which makes it the whole of 30 April beside a part of it.
//! - 9 January 2006 is the eve of a feast that began on the 10th, hence a half day, as in `QuantLib`
//!   (C). XIST has the feast begin a day early.
//! - Some sixty weekdays from May 2000 to December 2002, 24 January 2005 and 9 October 2006 are
//!   sessions, as in XIST and `QuantLib`, though the one vendor that has prices of them has no volume
//!   (B; C to 2002). On 26 September 2001 its prices move all the same; and after its empty weeks
//!   of February and September 2001 many shares stand further from the price before than one
//!   session allows. What it lacks is the trades, not the sessions: the Capital Markets Board counts
//!   246 sessions in 2000 and 248 in 2001, and without those days there would be 222 and 211.
//! - Ours are five more than the Board's in 2000 and three more in 2001, as administrative leave of
//!   those years is in no list that we know; from 2002 to 2005 they differ by one at most.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// The first day of the years that the facts below cover.
pub(super) const FIRST_DAY: Date = date(2000, 1, 1);

/// The last day of the years that the facts below cover. The eves of the feasts of later years must
/// come from the exchange's yearly announcement.
pub(super) const LAST_DAY: Date = date(2026, 12, 31);

/// A holiday on the same day each year.
struct FixedHoliday {
    month: i8,
    day: i8,
    /// The first year in which the exchange closed for it; `None` when it was before 2000.
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
    FixedHoliday { month: 5, day: 1, since_year: Some(2009), name: "Labour and Solidarity Day" },
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

/// The first days of Ramazan Bayramı; the year 2000 had two.
const RAMAZAN_FIRST_DAYS: &[Date] = &[
    date(2000, 1, 8),
    date(2000, 12, 27),
    date(2001, 12, 16),
    date(2002, 12, 5),
    date(2003, 11, 25),
    date(2004, 11, 14),
    date(2005, 11, 3),
    date(2006, 10, 23),
    date(2007, 10, 12),
    date(2008, 9, 30),
    date(2009, 9, 20),
    date(2010, 9, 9),
    date(2011, 8, 30),
    date(2012, 8, 19),
    date(2013, 8, 8),
    date(2014, 7, 28),
    date(2015, 7, 17),
    date(2016, 7, 5),
    date(2017, 6, 25),
    date(2018, 6, 15),
    date(2019, 6, 4),
    date(2020, 5, 24),
    date(2021, 5, 13),
    date(2022, 5, 2),
    date(2023, 4, 21),
    date(2024, 4, 10),
    date(2025, 3, 30),
    date(2026, 3, 20),
];

/// The first days of Kurban Bayramı; the year 2006 had two.
const KURBAN_FIRST_DAYS: &[Date] = &[
    date(2000, 3, 16),
    date(2001, 3, 5),
    date(2002, 2, 22),
    date(2003, 2, 11),
    date(2004, 2, 1),
    date(2005, 1, 20),
    date(2006, 1, 10),
    date(2006, 12, 31),
    date(2007, 12, 20),
    date(2008, 12, 8),
    date(2009, 11, 27),
    date(2010, 11, 16),
    date(2011, 11, 6),
    date(2012, 10, 25),
    date(2013, 10, 15),
    date(2014, 10, 4),
    date(2015, 9, 24),
    date(2016, 9, 12),
    date(2017, 9, 1),
    date(2018, 8, 21),
    date(2019, 8, 11),
    date(2020, 7, 31),
    date(2021, 7, 20),
    date(2022, 7, 9),
    date(2023, 6, 28),
    date(2024, 6, 16),
    date(2025, 6, 6),
    date(2026, 5, 27),
];

/// Closures that no rule foresees: from, to, name.
///
/// - 26 December 2000: announced by the exchange for the shares market, whose trades of 22 December
///   were settled on 3 January (Hürriyet, "İMKB 6 gün tatil yapacak"), and nothing traded in twenty
///   of twenty files; XIST has a half day (B). The same announcement names the 25th, on which all
///   twenty files have trades at prices of their own: it stays a session (C).
/// - 4 January 2002: XIST, "market holiday"; nothing traded (B).
/// - 10 February 2003: no eve of that year but a whole closed day; nothing traded in twenty of
///   twenty files, and XIST (A).
/// - 21 to 28 November 2003: the bombs of the 20th halted that session in the morning, its trades
///   stood, and the exchange reopened on 1 December; the week of the feast had been given up before
///   (agency report in O Estado de São Paulo of 20 November 2003, and XIST: A).
/// - 23 January 2004: snow. 30 and 31 December 2004: the change to the new lira (both XIST, and
///   nothing traded: A).
/// - After the earthquakes of 6 February 2023 the session of the 8th opened, was halted at about
///   11:00 and every trade of the day was cancelled; the exchange reopened on the 15th. The trades
///   of the 6th and 7th stand (A).
const EXCEPTIONAL_CLOSURES: &[(Date, Date, &str)] = &[
    (date(2000, 12, 26), date(2000, 12, 26), "closed on the eve of Ramazan Bayramı"),
    (date(2002, 1, 4), date(2002, 1, 4), "closed by the exchange"),
    (date(2003, 2, 10), date(2003, 2, 10), "closed on the eve of Kurban Bayramı"),
    (date(2003, 11, 21), date(2003, 11, 21), "closed after the attacks of 20 November"),
    (date(2003, 11, 24), date(2003, 11, 24), "closed on the eve of Ramazan Bayramı"),
    (date(2003, 11, 28), date(2003, 11, 28), "closed after Ramazan Bayramı"),
    (date(2004, 1, 23), date(2004, 1, 23), "closed because of snow"),
    (date(2004, 12, 30), date(2004, 12, 31), "closed for the change to the new lira"),
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
    let within = |firsts: &[Date], days: i64| {
        firsts.iter().any(|first| day >= *first && day < *first + days.days())
    };
    fixed
        .or_else(|| within(RAMAZAN_FIRST_DAYS, RAMAZAN_DAYS).then_some(RAMAZAN))
        .or_else(|| within(KURBAN_FIRST_DAYS, KURBAN_DAYS).then_some(KURBAN))
}

/// Whether `day` is the eve of a feast or of Republic Day.
pub(super) fn is_eve(day: Date) -> bool {
    (day.month(), day.day()) == REPUBLIC_DAY_EVE
        || day.tomorrow().is_ok_and(|tomorrow| {
            RAMAZAN_FIRST_DAYS.contains(&tomorrow) || KURBAN_FIRST_DAYS.contains(&tomorrow)
        })
}
