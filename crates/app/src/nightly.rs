//! The nightly ingest: when it is due, and the run itself.
//!
//! Due after each session at 18:40 Istanbul time, on half days at 13:30, when the exchange's
//! bulletin and the vendors have the day. A run that was missed, because the machine was off, is
//! made up as soon as the program runs again; a run is claimed in the store, so that of several
//! processes one does it.

use std::sync::Arc;

use bist_market::bar::{day_of, istanbul};
use bist_market::calendar::{Calendar, DayKind};
use bist_market::{SessionKind, Source};
use bist_store::StoreError;
use jiff::civil::{Date, Time, time};
use jiff::{Timestamp, ToSpan};

use crate::App;
use crate::fetch::FetchRequest;
use crate::ingest::{IngestError, IngestReport, PiecesReport};
use crate::progress::ProgressSink;
use crate::universes::{UniverseName, UniverseNameError};

/// Local time of the run after a full session.
const AFTER_FULL_SESSION: Time = time(18, 40, 0, 0);

/// Local time of the run after a half session.
const AFTER_HALF_SESSION: Time = time(13, 30, 0, 0);

/// How far back a missed run is looked for, and ahead the next one; the longest closure of the
/// exchange is ten days.
const DAYS_LOOKED_AT: i32 = 40;

/// The name of the run in the store.
pub(crate) const JOB_NAME: &str = "nightly ingest";

/// How many days of history the first run of a source asks for.
const FIRST_RUN_YEARS: i32 = 10;

/// How many sessions before the newest bar a run asks for again, to see corrections and whether the
/// source has moved its level.
const OVERLAP_SESSIONS: u32 = 5;

/// Which sources are asked each night, and for whose data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightlySettings {
    /// In this order.
    pub sources: Vec<Source>,
    /// For sources about shares.
    pub universe: UniverseName,
}

/// What became of a nightly run.
#[derive(Debug)]
pub enum NightlyOutcome {
    /// Nothing is due, or another process has it, or it is not set up.
    NothingDue,
    /// It ran; one sentence tells what came.
    Done(String),
    /// It ran and something failed; one sentence tells what.
    Failed(String),
}

impl App {
    /// Runs the nightly ingest if one is due that nobody has run: asks each source, then checks
    /// what is stored. A missed run is made up; runs before the last one are not, as the last one
    /// asks for all days since the newest bar.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn run_nightly(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<NightlyOutcome, StoreError> {
        let Some(settings) = &self.nightly else { return Ok(NightlyOutcome::NothingDue) };
        let Some((day, due_at)) = last_due(self.now(), Calendar::bist()) else {
            return Ok(NightlyOutcome::NothingDue);
        };
        let Some(run) = self.store.claim_job(JOB_NAME, due_at, self.now()).await? else {
            return Ok(NightlyOutcome::NothingDue);
        };
        tracing::info!(%day, "the nightly ingest begins");
        let mut told = Vec::new();
        let mut failed = Vec::new();
        for source in settings.sources.iter().copied() {
            match self.nightly_of(source, settings, day, &progress).await {
                Ok(report) => match report.pieces.as_ref().and_then(PiecesReport::failure) {
                    Some(failure) => failed.push(format!("{source}: {failure}")),
                    None => told.push(format!("{source}: {} rows stored", report.rows_stored)),
                },
                Err(error) => failed.push(format!("{source}: {error}")),
            }
        }
        match self.validate(None, Arc::clone(&progress)).await {
            Ok(overview) => told.extend(
                overview.score_share.map(|score| format!("quality {:.2} %", 100.0 * score)),
            ),
            Err(error) => failed.push(error.to_string()),
        }
        let outcome = if failed.is_empty() {
            NightlyOutcome::Done(told.join("; "))
        } else {
            NightlyOutcome::Failed(failed.join("; "))
        };
        let (succeeded, detail) = match &outcome {
            NightlyOutcome::Failed(detail) => (false, detail.as_str()),
            NightlyOutcome::Done(detail) => (true, detail.as_str()),
            NightlyOutcome::NothingDue => (true, ""),
        };
        self.store.finish_job(run.id, self.now(), succeeded, detail).await?;
        Ok(outcome)
    }

    async fn nightly_of(
        &self,
        source: Source,
        settings: &NightlySettings,
        day: Date,
        progress: &Arc<ProgressSink>,
    ) -> Result<IngestReport, NightlyError> {
        let held = self.store.series_overviews().await?;
        let newest = held.iter().filter(|series| series.source == source);
        let newest = newest.filter_map(|series| series.last_day).min();
        let calendar = Calendar::bist();
        let from = match newest {
            // Of all series the one that is furthest behind.
            Some(newest) => (0..OVERLAP_SESSIONS)
                .try_fold(newest.min(day), |day, _| calendar.previous_session(day))
                .unwrap_or(newest),
            None => day.saturating_sub(FIRST_RUN_YEARS.years()),
        };
        let mut request = FetchRequest::of_days(from, day);
        if is_about_shares(source) {
            request.symbols = self.universe(&settings.universe, day).await?;
        }
        Ok(self.ingest_source(source, request, Arc::clone(progress)).await?)
    }
}

/// Why a source was not asked.
#[derive(Debug, thiserror::Error)]
enum NightlyError {
    #[error(transparent)]
    Universe(#[from] UniverseNameError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a source is asked about single shares.
fn is_about_shares(source: Source) -> bool {
    matches!(source, Source::YAHOO | Source::ISYATIRIM)
}

/// When the data of the session of `day` should be fetched; `None` when there is no session, or the
/// calendar does not know.
pub fn due_at(day: Date, calendar: &Calendar) -> Option<Timestamp> {
    let DayKind::Session { session } = calendar.day(day) else { return None };
    let at = match session {
        SessionKind::Full => AFTER_FULL_SESSION,
        SessionKind::Half => AFTER_HALF_SESSION,
    };
    istanbul().to_timestamp(day.to_datetime(at)).ok()
}

/// The newest run that is due at `now`: the session it is for, and the instant it was due.
pub fn last_due(now: Timestamp, calendar: &Calendar) -> Option<(Date, Timestamp)> {
    let today = day_of(now);
    (0..DAYS_LOOKED_AT)
        .filter_map(|back| today.checked_sub(back.days()).ok())
        .find_map(|day| due_at(day, calendar).filter(|due| *due <= now).map(|due| (day, due)))
}

/// The first run after `now`.
pub fn next_due(now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    let today = day_of(now);
    (0..DAYS_LOOKED_AT)
        .filter_map(|ahead| today.checked_add(ahead.days()).ok())
        .find_map(|day| due_at(day, calendar).filter(|due| *due > now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(now: &str, last: &str, next: &str) {
        let (calendar, now) = (Calendar::bist(), now.parse().unwrap());
        assert_eq!(last_due(now, calendar).unwrap().1.to_string(), last, "last at {now}");
        assert_eq!(next_due(now, calendar).unwrap().to_string(), next, "next at {now}");
    }

    #[test]
    fn a_run_follows_each_session() {
        // A Tuesday, a minute before and at 18:40 in Istanbul.
        check("2026-11-24T15:39:59Z", "2026-11-23T15:40:00Z", "2026-11-24T15:40:00Z");
        check("2026-11-24T15:40:00Z", "2026-11-24T15:40:00Z", "2026-11-25T15:40:00Z");
    }

    #[test]
    fn a_half_day_is_fetched_at_noon_and_a_holiday_not_at_all() {
        // 28 October 2026 is a half day, the 29th a holiday, the 30th a Friday.
        check("2026-10-28T10:30:00Z", "2026-10-28T10:30:00Z", "2026-10-30T15:40:00Z");
        check("2026-10-29T20:00:00Z", "2026-10-28T10:30:00Z", "2026-10-30T15:40:00Z");
    }

    #[test]
    fn a_weekend_has_no_run_and_remembers_the_missed_one() {
        check("2026-11-22T12:00:00Z", "2026-11-20T15:40:00Z", "2026-11-23T15:40:00Z");
    }

    #[test]
    fn summer_time_before_2016_moves_the_instant_not_the_clock() {
        check("2015-07-01T15:40:00Z", "2015-07-01T15:40:00Z", "2015-07-02T15:40:00Z");
        check("2015-01-05T16:40:00Z", "2015-01-05T16:40:00Z", "2015-01-06T16:40:00Z");
    }

    #[test]
    fn beyond_the_calendar_nothing_is_due() {
        let (calendar, now) = (Calendar::bist(), "2027-06-01T12:00:00Z".parse().unwrap());
        assert!(last_due(now, calendar).is_none() && next_due(now, calendar).is_none());
    }
}
