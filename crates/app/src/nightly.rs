//! The nightly ingest: when it is due, and the run itself.
//!
//! Due after each session at 18:40 Istanbul time, on half days at 13:30, when the exchange's
//! bulletin and the vendors have the day. A run that was missed, because the machine was off, is
//! made up as soon as the program runs again. A run that failed, or found that a source has not the
//! day yet, is begun again with growing waits until the next one is due, and asks for what is still to
//! come.

use std::collections::BTreeMap;
use std::sync::Arc;

use bist_feeds::Wanted;
use bist_market::bar::istanbul;
use bist_market::calendar::{Calendar, DayKind};
use bist_market::{Interval, SessionKind, Source, Symbol};
use bist_store::{ClaimedJob, JobRun, StoreError};
use jiff::civil::{Date, Time, time};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::fetch::Reuse;
use crate::ingest::{IngestError, IngestReport, PiecesReport};
use crate::jobs::{StageDone, plan_of};
use crate::progress::ProgressSink;
use crate::universes::{UniverseName, UniverseNameError};
use crate::{App, due};

/// Local time of the run after a full session.
const AFTER_FULL_SESSION: Time = time(18, 40, 0, 0);

/// Local time of the run after a half session.
const AFTER_HALF_SESSION: Time = time(13, 30, 0, 0);

/// How many years of history the first run of a source asks for.
const FIRST_RUN_YEARS: i32 = 10;

/// How many sessions before the newest bar a run asks for again, to see corrections and whether the
/// source has moved its level.
const OVERLAP_SESSIONS: u32 = 5;

/// The stages of the run.
const INGEST: &str = "ingest";
const DRIFT: &str = "drift";

/// Which sources are asked each night, and for whose data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightlySettings {
    /// In this order.
    pub sources: Vec<Source>,
    /// For sources about shares.
    pub universe: UniverseName,
}

/// What a nightly run is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NightlyPlan {
    /// The session whose data are fetched.
    pub day: Date,
}

/// What failed of a nightly ingest, and what came, a sentence each.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub(crate) struct NightlyFailure(Vec<String>);

impl App {
    /// The nightly run that is due: when it was, and what it is to do.
    ///
    /// A missed run is made up; runs before the last one are not, as the last one asks for all days
    /// since the newest bar.
    pub(crate) fn nightly_due(&self) -> Option<(Timestamp, NightlyPlan)> {
        self.nightly.as_ref()?;
        let (day, due_at) = last_due(self.now(), Calendar::bist())?;
        Some((due_at, NightlyPlan { day }))
    }

    /// Does the nightly run `run`: asks each source, then checks what is stored.
    pub(crate) async fn do_nightly(
        &self,
        run: ClaimedJob,
        progress: Arc<ProgressSink>,
    ) -> Result<JobRun, StoreError> {
        let NightlyPlan { day } = plan_of(&run.plan)?;
        let stages = [INGEST, DRIFT].map(str::to_owned).to_vec();
        let attended = self.attend(run, stages, progress).await?;
        let work = async {
            let ingest = |progress| async move {
                let told = self.ingest_night(day, &progress).await?;
                let told = told.unwrap_or_else(|| "no source is set up".to_owned());
                Ok::<_, NightlyFailure>(StageDone { result: told.clone(), told })
            };
            let told: String = attended.stage(INGEST, ingest).await?;
            let drift = |progress| async move {
                let told = self.look_for_drift(progress).await;
                Ok::<_, NightlyFailure>(StageDone { result: told.clone(), told })
            };
            let drift: String = attended.stage(DRIFT, drift).await?;
            Ok(format!("{told}; {drift}"))
        };
        let outcome = attended.watch(work).await;
        attended.finish(outcome).await
    }

    /// Asks each source that is set up for the session of `day`, and checks what is stored; `None`
    /// when none is.
    ///
    /// # Errors
    ///
    /// [`NightlyFailure`] with everything that failed.
    pub(crate) async fn ingest_night(
        &self,
        day: Date,
        progress: &Arc<ProgressSink>,
    ) -> Result<Option<String>, NightlyFailure> {
        let Some(settings) = &self.nightly else { return Ok(None) };
        let due_at = due_at(day, Calendar::bist()).unwrap_or_else(|| self.now());
        let Told { done, failed } = self.ask_all(&Night { day, due_at, settings }, progress).await;
        match failed.is_empty() {
            true => Ok(Some(done.join("; "))),
            false => Err(NightlyFailure(failed.into_iter().chain(done).collect())),
        }
    }

    /// Asks each source, checks what is stored, scores the signals that are due, and applies the session to
    /// paper portfolios.
    async fn ask_all(&self, night: &Night<'_>, progress: &Arc<ProgressSink>) -> Told {
        let mut told = Told::default();
        for source in night.settings.sources.iter().copied() {
            match self.ask(source, night, progress).await {
                Ok(report) => {
                    told.done.push(format!("{source}: {} rows stored", report.rows_stored));
                    let failure = report.pieces.as_ref().and_then(PiecesReport::failure);
                    told.failed.extend(failure.map(|failure| format!("{source}: {failure}")));
                    if let Err(error) = self.shows_day(source, night.day).await {
                        told.failed.push(format!("{source}: {error}"));
                    }
                }
                Err(error) => told.failed.push(format!("{source}: {error}")),
            }
        }
        match self.validate(None, Arc::clone(progress)).await {
            Ok(overview) => told.done.extend(
                overview.score_share.map(|score| format!("quality {:.2} %", 100.0 * score)),
            ),
            Err(error) => told.failed.push(error.to_string()),
        }
        match self.score_signals(Arc::clone(progress)).await {
            Ok(report) => told.done.push(report.to_string()),
            Err(error) => told.failed.push(error.to_string()),
        }
        match self.apply_paper_sessions().await {
            Ok(report) if report.portfolios_count == 0 => {}
            Ok(report) => told.done.push(report.to_string()),
            Err(error) => told.failed.push(error.to_string()),
        }
        told
    }

    async fn ask(
        &self,
        source: Source,
        night: &Night<'_>,
        progress: &Arc<ProgressSink>,
    ) -> Result<IngestReport, NightlyError> {
        let wishes = self.nightly_wishes(source, night).await?;
        // A source that has not had the day is asked for everything again.
        let reuse = match self.shows_day(source, night.day).await {
            Ok(()) => Reuse::Since(night.due_at),
            Err(NightlyError::DayMissing(_)) => Reuse::Final,
            Err(error) => return Err(error),
        };
        Ok(self.ingest_wishes(source, wishes, reuse, Arc::clone(progress)).await?)
    }

    /// What a night asks of `source`: each share since its own newest bar, so that one that is new
    /// gets its history and one that has left does not make all others long.
    async fn nightly_wishes(
        &self,
        source: Source,
        night: &Night<'_>,
    ) -> Result<Vec<Wanted>, NightlyError> {
        let first = night.day.saturating_sub(FIRST_RUN_YEARS.years());
        let from = |newest: Option<Date>| newest.map_or(first, |newest| begin(newest, night.day));
        if !is_about_shares(source) {
            let statuses = self.store.source_statuses().await?;
            let status = statuses.into_iter().find(|status| status.source == source);
            let newest = status.and_then(|status| status.newest_day);
            return Ok(vec![Wanted::of_days(from(newest), night.day)]);
        }
        let newest = self.newest_days(source).await?;
        let mut by_first: BTreeMap<Date, Vec<Symbol>> = BTreeMap::new();
        for symbol in self.universe(&night.settings.universe, night.day).await? {
            by_first.entry(from(newest.get(&symbol).copied())).or_default().push(symbol);
        }
        let wish = |(from, symbols)| Wanted { symbols, ..Wanted::of_days(from, night.day) };
        Ok(by_first.into_iter().map(wish).collect())
    }

    /// Whether `source`, if it gives bars, has given one of `day`.
    async fn shows_day(&self, source: Source, day: Date) -> Result<(), NightlyError> {
        let newest = self.newest_days(source).await?.into_values().max();
        match gives_bars(source) && newest.is_none_or(|newest| newest < day) {
            true => Err(NightlyError::DayMissing(day)),
            false => Ok(()),
        }
    }

    /// The day of the newest daily bar of each symbol from `source`.
    async fn newest_days(&self, source: Source) -> Result<BTreeMap<Symbol, Date>, StoreError> {
        let held = self.store.series_overviews().await?;
        let of_source = held
            .into_iter()
            .filter(|series| series.source == source && series.interval == Interval::Daily);
        Ok(of_source.filter_map(|series| Some((series.symbol, series.last_day?))).collect())
    }
}

/// One run.
struct Night<'a> {
    /// The session that it is for.
    day: Date,
    /// When it was due.
    due_at: Timestamp,
    settings: &'a NightlySettings,
}

/// What came and what failed, a sentence each.
#[derive(Default)]
struct Told {
    done: Vec<String>,
    failed: Vec<String>,
}

/// The day from which a series that ends on `newest` is asked for in the run of `day`; the same
/// whether or not an earlier attempt has brought that day, so that its pieces are known again.
fn begin(newest: Date, day: Date) -> Date {
    let calendar = Calendar::bist();
    let before = calendar.previous_session(day).unwrap_or(day);
    (0..OVERLAP_SESSIONS)
        .try_fold(newest.min(before), |day, _| calendar.previous_session(day))
        .unwrap_or(newest)
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
    #[error("it has no bar of {0} yet")]
    DayMissing(Date),
}

/// Whether a source gives bars of every session; rates and announcements have days of their own.
fn gives_bars(source: Source) -> bool {
    matches!(source, Source::BULLETIN | Source::YAHOO | Source::ISYATIRIM)
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
    due::last(now, |day| due_at(day, calendar))
}

/// The first run after `now`.
pub fn next_due(now: Timestamp, calendar: &Calendar) -> Option<Timestamp> {
    due::next(now, |day| due_at(day, calendar))
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
