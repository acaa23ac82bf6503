//! What only bars within a day can be checked for: their hours, their number, their moves.
//!
//! Days without a session are left out here, as every row on them is named anyway. The hours are
//! those of [`ExchangeRules::timetable`]; a half day whose hours are not known is judged by those of
//! a full day, outside of which it cannot lie either.
//!
//! A bar belongs to the session when any of it does: a source that begins its hours at 09:30 has a
//! bar that begins before the opening auction and ends after it.

mod completeness;
mod hours;
mod moves;
mod shift;
mod trades;

use jiff::civil::{Date, Time};

use super::days::Days;
use super::limits::Limits;
use super::{FindingKind, Remark, ValidationPolicy};
use crate::bar::{RawBar, istanbul};
use crate::calendar::{Calendar, DayKind, SessionKind};
use crate::corporate_action::CorporateAction;
use crate::exchange_rules::{ExchangeRules, PhaseKind, Timetable};
use crate::instrument::Symbol;

/// Checks the bars of one share or index, sorted by time, each of `minutes` minutes; `actions` are
/// those of `symbol`.
///
/// The remarks are in the order of time, and each is about a bar or a day; none depends on the
/// order in which bars of one time stamp come.
pub fn check(
    symbol: Symbol,
    minutes: u16,
    bars: &[RawBar],
    actions: &[CorporateAction],
    calendar: &Calendar,
    rules: &ExchangeRules,
    policy: ValidationPolicy,
) -> Vec<Remark> {
    let slots = slots(bars, minutes);
    let days = days(&slots, calendar, rules);
    let mut remarks = Vec::new();
    let in_place = shift::check(&days, minutes, &mut remarks);
    for day in &in_place {
        hours::outside(day, &mut remarks);
    }
    hours::misaligned(&in_place, minutes, &mut remarks);
    completeness::check(&in_place, &mut remarks);
    let table = Days::of(calendar, rules);
    let limits = Limits::new(symbol, table, rules, policy);
    moves::check(&days, table, &limits, actions, &mut remarks);
    trades::check(&slots, &in_place, policy, &mut remarks);
    remarks.sort_by_key(|remark| (remark.day, remark.opened_at));
    remarks
}

/// A bar and the time of its day in Istanbul, seconds since midnight.
#[derive(Clone, Copy)]
struct Slot<'a> {
    raw: &'a RawBar,
    day: Date,
    begins_s: i32,
    ends_s: i32,
}

impl Slot<'_> {
    /// A remark about the bar.
    fn remark(&self, kind: FindingKind) -> Remark {
        Remark { opened_at: Some(self.raw.opened_at), day: Some(self.day), kind }
    }

    /// The same bar so much earlier.
    const fn earlier_by(self, by_s: i32) -> Self {
        Self { begins_s: self.begins_s - by_s, ends_s: self.ends_s - by_s, ..self }
    }
}

/// The bars of one session.
#[derive(Clone, Copy)]
struct Session<'a> {
    day: Date,
    kind: SessionKind,
    slots: &'a [Slot<'a>],
    /// The hours of the day; those of a full day where those of a half day are not known.
    hours: Timetable,
    /// Whether `hours` are those of the day itself.
    hours_known: bool,
}

impl Session<'_> {
    /// A remark about the day.
    const fn remark(&self, kind: FindingKind) -> Remark {
        Remark { opened_at: None, day: Some(self.day), kind }
    }

    /// The continuous phases, begin and end in seconds since midnight.
    fn continuous(&self) -> impl Iterator<Item = (i32, i32)> {
        let phases = self.hours.phases.iter();
        phases
            .filter(|phase| phase.phase == PhaseKind::Continuous)
            .map(|phase| (seconds(phase.begins), seconds(phase.ends)))
    }
}

/// Seconds since midnight.
fn seconds(time: Time) -> i32 {
    i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second())
}

/// Each bar with its time of the day.
fn slots(bars: &[RawBar], minutes: u16) -> Vec<Slot<'_>> {
    bars.iter()
        .map(|raw| {
            let begins = istanbul().to_datetime(raw.opened_at);
            let begins_s = seconds(begins.time());
            Slot { raw, day: begins.date(), begins_s, ends_s: begins_s + i32::from(minutes) * 60 }
        })
        .collect()
}

/// The bars by session; those of other days are left out.
fn days<'a>(slots: &'a [Slot<'a>], calendar: &Calendar, rules: &ExchangeRules) -> Vec<Session<'a>> {
    slots
        .chunk_by(|a, b| a.day == b.day)
        .filter_map(|slots| {
            let day = slots[0].day;
            let DayKind::Session { session: kind } = calendar.day(day) else { return None };
            let own = rules.timetable(day, kind);
            let hours = own.or_else(|| rules.timetable(day, SessionKind::Full))?;
            Some(Session { day, kind, slots, hours, hours_known: own.is_some() })
        })
        .collect()
}
