//! Timetables of the equity market's continuous trading, by era. Times are those of Istanbul.

use std::fmt;

use jiff::civil::{Time, time};
use serde::{Serialize, Serializer};

use super::dated::{Certainty, Dated, DatedTable};
use crate::calendar::SessionKind;

/// What happens in a phase of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// Opening auction: orders are collected.
    OpeningCollection,
    /// Opening auction: the price is set and orders are matched.
    OpeningMatching,
    /// Opening auction, collection and matching together.
    OpeningAuction,
    /// Orders are matched as they come.
    Continuous,
    /// Midday auction: orders are collected.
    MiddayCollection,
    /// Midday auction: the price is set and orders are matched.
    MiddayMatching,
    /// Midday auction, collection and matching together.
    MiddayAuction,
    /// The break between two sessions.
    Break,
    /// The limits of the closing auction are published; earlier, orders are carried over to it.
    ClosingPreparation,
    /// Closing auction: orders are collected.
    ClosingCollection,
    /// Closing auction: the price is set and orders are matched.
    ClosingMatching,
    /// Closing auction and what follows it; the steps are not known.
    ClosingPhases,
    /// The closing price is announced.
    ClosingAnnouncement,
    /// Trades at the closing price.
    AtClosingPrice,
}

impl fmt::Display for PhaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OpeningCollection => "opening auction, orders collected",
            Self::OpeningMatching => "opening auction, price and matching",
            Self::OpeningAuction => "opening auction",
            Self::Continuous => "continuous trading",
            Self::MiddayCollection => "midday auction, orders collected",
            Self::MiddayMatching => "midday auction, price and matching",
            Self::MiddayAuction => "midday auction",
            Self::Break => "break",
            Self::ClosingPreparation => "closing auction, preparation",
            Self::ClosingCollection => "closing auction, orders collected",
            Self::ClosingMatching => "closing auction, price and matching",
            Self::ClosingPhases => "closing phases",
            Self::ClosingAnnouncement => "closing price announced",
            Self::AtClosingPrice => "trades at the closing price",
        })
    }
}

/// A phase of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Phase {
    /// What happens.
    pub phase: PhaseKind,
    /// When it begins.
    #[serde(serialize_with = "hours_and_minutes")]
    pub begins: Time,
    /// When it ends.
    #[serde(serialize_with = "hours_and_minutes")]
    pub ends: Time,
}

/// The phases of a day in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Timetable {
    /// The phases in order.
    pub phases: &'static [Phase],
}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Phase { phase, begins, ends }) in self.phases.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(
                f,
                "{separator}{}-{} {phase}",
                begins.strftime("%H:%M"),
                ends.strftime("%H:%M")
            )?;
        }
        Ok(())
    }
}

/// Writes a time as `HH:MM`.
pub(super) fn hours_and_minutes<S: Serializer>(
    time: &Time,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&time.strftime("%H:%M"))
}

const fn phase(phase: PhaseKind, begins: (i8, i8), ends: (i8, i8)) -> Phase {
    Phase { phase, begins: time(begins.0, begins.1, 0, 0), ends: time(ends.0, ends.1, 0, 0) }
}

const TWO_SESSIONS: Timetable = Timetable {
    phases: &[
        phase(PhaseKind::OpeningCollection, (9, 15), (9, 30)),
        phase(PhaseKind::OpeningMatching, (9, 30), (9, 35)),
        phase(PhaseKind::Continuous, (9, 35), (12, 30)),
        phase(PhaseKind::Break, (12, 30), (14, 0)),
        phase(PhaseKind::OpeningCollection, (14, 0), (14, 10)),
        phase(PhaseKind::OpeningMatching, (14, 10), (14, 15)),
        phase(PhaseKind::Continuous, (14, 15), (17, 30)),
        phase(PhaseKind::ClosingPreparation, (17, 30), (17, 33)),
        phase(PhaseKind::ClosingCollection, (17, 33), (17, 36)),
        phase(PhaseKind::ClosingMatching, (17, 36), (17, 38)),
        phase(PhaseKind::AtClosingPrice, (17, 38), (17, 40)),
    ],
};

const MIDDAY_FROM_1230: Timetable = Timetable {
    phases: &[
        phase(PhaseKind::OpeningAuction, (9, 15), (9, 35)),
        phase(PhaseKind::Continuous, (9, 35), (12, 30)),
        phase(PhaseKind::MiddayAuction, (12, 30), (13, 30)),
        phase(PhaseKind::Continuous, (13, 30), (17, 30)),
        phase(PhaseKind::ClosingPhases, (17, 30), (17, 37)),
        phase(PhaseKind::AtClosingPrice, (17, 37), (17, 40)),
    ],
};

const MIDDAY_FROM_1300: Timetable = Timetable {
    phases: &[
        phase(PhaseKind::OpeningAuction, (9, 15), (9, 35)),
        phase(PhaseKind::Continuous, (9, 35), (13, 0)),
        phase(PhaseKind::MiddayAuction, (13, 0), (14, 0)),
        phase(PhaseKind::Continuous, (14, 0), (17, 30)),
        phase(PhaseKind::ClosingPhases, (17, 30), (17, 37)),
        phase(PhaseKind::AtClosingPrice, (17, 37), (17, 40)),
    ],
};

const TO_1810_WITH_MIDDAY: Timetable = Timetable {
    phases: &[
        phase(PhaseKind::OpeningCollection, (9, 40), (9, 55)),
        phase(PhaseKind::OpeningMatching, (9, 55), (10, 0)),
        phase(PhaseKind::Continuous, (10, 0), (13, 0)),
        phase(PhaseKind::MiddayCollection, (13, 0), (13, 55)),
        phase(PhaseKind::MiddayMatching, (13, 55), (14, 0)),
        phase(PhaseKind::Continuous, (14, 0), (18, 0)),
        phase(PhaseKind::ClosingPreparation, (18, 0), (18, 1)),
        phase(PhaseKind::ClosingCollection, (18, 1), (18, 5)),
        phase(PhaseKind::ClosingMatching, (18, 5), (18, 8)),
        phase(PhaseKind::AtClosingPrice, (18, 8), (18, 10)),
    ],
};

const TO_1810: Timetable = Timetable {
    phases: &[
        phase(PhaseKind::OpeningCollection, (9, 40), (9, 55)),
        phase(PhaseKind::OpeningMatching, (9, 55), (10, 0)),
        phase(PhaseKind::Continuous, (10, 0), (18, 0)),
        phase(PhaseKind::ClosingPreparation, (18, 0), (18, 1)),
        phase(PhaseKind::ClosingCollection, (18, 1), (18, 5)),
        phase(PhaseKind::ClosingMatching, (18, 5), (18, 7)),
        phase(PhaseKind::ClosingAnnouncement, (18, 7), (18, 8)),
        phase(PhaseKind::AtClosingPrice, (18, 8), (18, 10)),
    ],
};

/// The timetables of a kind of session.
pub(super) const fn of_kind(session: SessionKind) -> DatedTable<Timetable> {
    match session {
        SessionKind::Full => FULL_DAYS,
        SessionKind::Half => HALF_DAYS,
    }
}

/// Full days.
pub(super) const FULL_DAYS: DatedTable<Timetable> = DatedTable {
    entries: &[
        Dated::new(TWO_SESSIONS, Certainty::B, "pages of İş Bankası and Türkiye Finans")
            .to(2015, 11, 29)
            .note(
                "the beginning is not established; an older page has continuous trading from 09:45",
            ),
        Dated::new(
            MIDDAY_FROM_1230,
            Certainty::B,
            "exchange announcement of Feb 2016 with the hours before and after, carried by turcomoney",
        )
        .from(2015, 11, 30)
        .to(2016, 3, 27),
        Dated::new(
            MIDDAY_FROM_1300,
            Certainty::B,
            "exchange announcement of Feb 2016 with the hours before and after, carried by turcomoney",
        )
        .from(2016, 3, 28)
        .to(2016, 11, 13),
        Dated::new(
            TO_1810_WITH_MIDDAY,
            Certainty::B,
            "Bigpara and Integral Yatırım (2016); page of finanskolik",
        )
        .from(2016, 11, 14)
        .to(2019, 10, 3),
        Dated::new(
            TO_1810,
            Certainty::A,
            "exchange announcement 2019/56 (no midday auction); broker pages and a news agency, 2024-2026",
        )
        .from(2019, 10, 4)
        .note("order collection ends at random within 30 seconds; for funds it lasts to 09:56"),
    ],
    unknown_before: "",
    unknown_after: "",
};

/// Half days.
pub(super) const HALF_DAYS: DatedTable<Timetable> = DatedTable {
    entries: &[
        Dated::new(
            Timetable {
                phases: &[
                    phase(PhaseKind::OpeningCollection, (9, 15), (9, 30)),
                    phase(PhaseKind::OpeningMatching, (9, 30), (9, 35)),
                    phase(PhaseKind::Continuous, (9, 35), (12, 30)),
                    phase(PhaseKind::ClosingPhases, (12, 30), (12, 40)),
                ],
            },
            Certainty::C,
            "a note on days with a first session only, page of Türkiye Finans",
        )
        .to(2015, 11, 29)
        .note("the beginning is not established"),
        Dated::new(
            Timetable {
                phases: &[
                    phase(PhaseKind::OpeningCollection, (9, 40), (9, 55)),
                    phase(PhaseKind::OpeningMatching, (9, 55), (10, 0)),
                    phase(PhaseKind::Continuous, (10, 0), (12, 30)),
                    phase(PhaseKind::ClosingPhases, (12, 30), (12, 40)),
                ],
            },
            Certainty::B,
            "broker pages, 2024-2026",
        )
        .from(2019, 10, 4)
        .note("some pages let the closing phases end at 12:50"),
    ],
    unknown_before: "",
    unknown_after: "the hours of half days between 30 Nov 2015 and 3 Oct 2019 were not found",
};
