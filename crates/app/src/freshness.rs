//! How fresh the bars are: the last sessions of each series, one cell a session.

use std::collections::BTreeMap;

use bist_market::bar::day_of;
use bist_market::calendar::Calendar;
use bist_market::validate::{FindingKind, ValidatedBars};
use bist_market::{Source, Symbol, Verdict};
use bist_store::StoreError;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::App;
use crate::nightly::due_at;
use crate::symbols::ended_sessions_since;

/// What there is of a series on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionCell {
    /// A bar that passed the checks.
    Bar,
    /// A row that is kept out.
    Quarantined,
    /// A bar that a person let through.
    AcceptedByHand,
    /// Nothing, although the session is over and its data should be there.
    Missing,
    /// Nothing yet: the data of the session are not due.
    NotYet,
}

impl SessionCell {
    /// The word used in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Quarantined => "quarantined",
            Self::AcceptedByHand => "accepted_by_hand",
            Self::Missing => "missing",
            Self::NotYet => "not_yet",
        }
    }
}

/// The last sessions of one series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreshnessRow {
    /// Whose bars.
    pub symbol: Symbol,
    /// Which source.
    pub source: Source,
    /// The day of the newest bar that passed the checks.
    pub newest_day: Option<Date>,
    /// Sessions that have ended since; `None` without a bar, or beyond the calendar.
    pub lag_sessions: Option<u32>,
    /// One cell a session, oldest first.
    pub cells: Vec<SessionCell>,
}

/// The last sessions of all daily series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// Now.
    pub as_of: Timestamp,
    /// The sessions, oldest first; the last may be going on.
    pub sessions: Vec<Date>,
    /// By symbol and source.
    pub rows: Vec<FreshnessRow>,
}

impl App {
    /// What there is of the last `sessions_count` sessions, of all sources or of one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn freshness(
        &self,
        sessions_count: u32,
        source: Option<Source>,
    ) -> Result<Freshness, StoreError> {
        let now = self.now();
        let bars = self.daily_bars().await?;
        let sessions = last_sessions(day_of(now), sessions_count);
        let rows = bars
            .all()
            .filter(|series| source.is_none_or(|wanted| series.quality().source == wanted))
            .map(|series| row(series, &sessions, now))
            .collect();
        Ok(Freshness { as_of: now, sessions, rows })
    }
}

/// The newest `count` sessions that have begun by `today`, oldest first.
fn last_sessions(today: Date, count: u32) -> Vec<Date> {
    let calendar = Calendar::bist();
    let first =
        if calendar.is_session(today) { Some(today) } else { calendar.previous_session(today) };
    let mut sessions: Vec<Date> =
        std::iter::successors(first, |day| calendar.previous_session(*day))
            .take(count as usize)
            .collect();
    sessions.reverse();
    sessions
}

fn row(series: &ValidatedBars, sessions: &[Date], now: Timestamp) -> FreshnessRow {
    let from = sessions.first().copied().unwrap_or(Date::MAX);
    let mut cells: BTreeMap<Date, SessionCell> = BTreeMap::new();
    let recent = series.bars().iter().rev().take_while(|bar| bar.day >= from);
    cells.extend(recent.map(|bar| (bar.day, SessionCell::Bar)));
    for finding in series.quality().findings.iter().rev() {
        let Some(day) = finding.day.filter(|day| *day >= from) else { continue };
        // A day without a row has no row that could be kept out.
        let about_a_row =
            !matches!(finding.kind, FindingKind::MissingSession | FindingKind::SessionGap { .. });
        if finding.quarantines() && about_a_row {
            cells.insert(day, SessionCell::Quarantined);
        } else if finding.decision == Some(Verdict::Accept) {
            cells.entry(day).and_modify(|cell| {
                if *cell == SessionCell::Bar {
                    *cell = SessionCell::AcceptedByHand;
                }
            });
        }
    }
    let absent = |day: Date| match due_at(day, Calendar::bist()) {
        Some(due) if due > now => SessionCell::NotYet,
        _ => SessionCell::Missing,
    };
    let newest_day = series.bars().last().map(|bar| bar.day);
    FreshnessRow {
        symbol: series.symbol(),
        source: series.quality().source,
        newest_day,
        lag_sessions: newest_day.and_then(|day| ended_sessions_since(day, day_of(now))),
        cells: sessions
            .iter()
            .map(|day| cells.get(day).copied().unwrap_or_else(|| absent(*day)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_last_sessions_skip_days_without_one() {
        // 29 October is a holiday; the 31st is a Saturday.
        assert_eq!(
            last_sessions(date(2026, 10, 31), 3),
            [date(2026, 10, 27), date(2026, 10, 28), date(2026, 10, 30)]
        );
        assert_eq!(last_sessions(date(2026, 10, 30), 1), [date(2026, 10, 30)]);
        assert!(last_sessions(date(2026, 10, 30), 0).is_empty());
    }
}
