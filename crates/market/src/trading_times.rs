//! When a session is on and prices can move, as instants: what is asked while it goes on, and how old
//! a price may be.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp};

use crate::bar::{day_of, istanbul};
use crate::calendar::{Calendar, DayKind};
use crate::exchange_rules::{ExchangeRules, Phase, PhaseKind};

/// The sessions of the exchange as instants.
#[derive(Clone, Copy, Debug)]
pub struct TradingTimes<'a> {
    calendar: &'a Calendar,
    rules: &'a ExchangeRules,
}

impl TradingTimes<'static> {
    /// Those of Borsa Istanbul.
    pub fn bist() -> Self {
        Self { calendar: Calendar::bist(), rules: ExchangeRules::bist() }
    }
}

impl TradingTimes<'_> {
    /// Whether a session is on: from the collection of orders for the opening to the last trade at the
    /// closing price.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.hours(day_of(now)).is_some_and(|(opens, ends)| opens <= now && now < ends)
    }

    /// When a session is on next: `now` while one is; `None` beyond the calendar, or where the hours are
    /// not known.
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        let today = day_of(now);
        match self.hours(today) {
            Some((opens, ends)) if now < ends => Some(opens.max(now)),
            Some(_) | None => Some(self.hours(self.calendar.next_session(today)?)?.0),
        }
    }

    /// When the session of `day` ends; `None` when there is none, or its hours are not known.
    pub fn ends_at(&self, day: Date) -> Option<Timestamp> {
        Some(self.hours(day)?.1)
    }

    /// Until when prices have moved, by the timetable alone: `now` in continuous trading and while the
    /// closing price is made, otherwise the end of the last such phase. `None` where that is not known.
    pub fn moved_until(&self, now: Timestamp) -> Option<Timestamp> {
        let today = day_of(now);
        let of_today = self.phases(today).into_iter().flatten();
        let moving = of_today.filter(|phase| moves(phase.phase));
        let mut last = moving.filter_map(|phase| Some((instant(today, phase.begins)?, phase.ends)));
        let begun = last.rfind(|(begins, _)| *begins <= now);
        if let Some((_, ends)) = begun {
            return Some(instant(today, ends)?.min(now));
        }
        let before = self.calendar.previous_session(today)?;
        let last = self.phases(before)?.iter().rev().find(|phase| moves(phase.phase))?;
        instant(before, last.ends)
    }

    /// Whether what was heard last at `heard_at` is older at `now` than `silence_max` and the timetable
    /// allow; `None` where the timetable is not known.
    pub fn is_stale(
        &self,
        heard_at: Timestamp,
        now: Timestamp,
        silence_max: SignedDuration,
    ) -> Option<bool> {
        Some(self.moved_until(now)?.duration_since(heard_at) > silence_max)
    }

    /// The beginning and the end of the session of `day`.
    fn hours(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let phases = self.phases(day)?;
        let (first, last) = (phases.first()?, phases.last()?);
        Some((instant(day, first.begins)?, instant(day, last.ends)?))
    }

    fn phases(&self, day: Date) -> Option<&'static [Phase]> {
        let DayKind::Session { session } = self.calendar.day(day) else { return None };
        Some(self.rules.timetable(day, session)?.phases)
    }
}

/// Whether prices move in a phase, rather than that orders are collected.
fn moves(phase: PhaseKind) -> bool {
    match phase {
        PhaseKind::Continuous | PhaseKind::ClosingMatching | PhaseKind::ClosingPhases => true,
        PhaseKind::OpeningCollection
        | PhaseKind::OpeningMatching
        | PhaseKind::OpeningAuction
        | PhaseKind::MiddayCollection
        | PhaseKind::MiddayMatching
        | PhaseKind::MiddayAuction
        | PhaseKind::Break
        | PhaseKind::ClosingPreparation
        | PhaseKind::ClosingCollection
        | PhaseKind::ClosingAnnouncement
        | PhaseKind::AtClosingPrice => false,
    }
}

fn instant(day: Date, time: Time) -> Option<Timestamp> {
    istanbul().to_timestamp(day.to_datetime(time)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An instant by the clocks of Istanbul.
    fn at(text: &str) -> Timestamp {
        format!("{}:00+03:00", text.replace(' ', "T")).parse().unwrap()
    }

    fn times() -> TradingTimes<'static> {
        TradingTimes::bist()
    }

    #[track_caller]
    fn check(now: &str, is_open: bool, opens_at: &str, moved_until: &str) {
        let now = at(now);
        assert_eq!(times().is_open(now), is_open, "open");
        assert_eq!(times().opens_at(now), Some(at(opens_at)), "opens");
        assert_eq!(times().moved_until(now), Some(at(moved_until)), "moved");
    }

    #[test]
    fn a_session_goes_from_the_first_order_to_the_last_trade() {
        // Friday the 27th of November 2026 is a session like any other; the next is on Monday.
        check("2026-11-27 09:39", false, "2026-11-27 09:40", "2026-11-26 18:07");
        check("2026-11-27 09:40", true, "2026-11-27 09:40", "2026-11-26 18:07");
        check("2026-11-27 12:34", true, "2026-11-27 12:34", "2026-11-27 12:34");
        check("2026-11-27 18:03", true, "2026-11-27 18:03", "2026-11-27 18:00");
        check("2026-11-27 18:06", true, "2026-11-27 18:06", "2026-11-27 18:06");
        check("2026-11-27 18:10", false, "2026-11-30 09:40", "2026-11-27 18:07");
        check("2026-11-29 12:00", false, "2026-11-30 09:40", "2026-11-27 18:07");
    }

    #[test]
    fn a_half_day_ends_at_noon() {
        check("2025-06-05 12:35", true, "2025-06-05 12:35", "2025-06-05 12:35");
        assert_eq!(times().ends_at(day_of(at("2025-06-05 09:00"))), Some(at("2025-06-05 12:40")));
        assert!(!times().is_open(at("2025-06-05 13:00")));
    }

    #[test]
    fn silence_counts_while_prices_move_and_not_at_night() {
        let minute = SignedDuration::from_mins(1);
        let stale = |heard: &str, now: &str| times().is_stale(at(heard), at(now), minute);
        assert_eq!(stale("2026-11-27 12:00", "2026-11-27 12:01"), Some(false));
        assert_eq!(stale("2026-11-27 12:00", "2026-11-27 12:02"), Some(true));
        // Heard to the end, and still the newest there is on Sunday and before the opening.
        assert_eq!(stale("2026-11-27 18:07", "2026-11-29 12:00"), Some(false));
        assert_eq!(stale("2026-11-27 18:07", "2026-11-30 09:59"), Some(false));
        assert_eq!(stale("2026-11-27 18:07", "2026-11-30 10:02"), Some(true));
        // The closing price was missed.
        assert_eq!(stale("2026-11-27 18:00", "2026-11-27 18:20"), Some(true));
    }

    #[test]
    fn beyond_the_calendar_nothing_is_known() {
        let far = at("2199-01-05 12:00");
        assert!(!times().is_open(far));
        assert_eq!((times().opens_at(far), times().moved_until(far)), (None, None));
        assert_eq!(times().is_stale(far, far, SignedDuration::from_mins(1)), None);
    }
}
