//! The nightly ingest: when it is due, and the run itself.
//!
//! Due after each session at 18:40 Istanbul time, on half days at 13:30, when the exchange's
//! bulletin and the vendors have the day. A run that was missed, because the machine was off, is
//! made up as soon as the program runs again; a run is claimed in the store, so that of several
//! processes one does it. A run that failed, or found that a source has not the day yet, is begun
//! again with growing waits until the next one is due, and asks for what is still to come.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bist_feeds::Wanted;
use bist_market::bar::{day_of, istanbul};
use bist_market::calendar::{Calendar, DayKind};
use bist_market::{Interval, SessionKind, Source, Symbol};
use bist_store::{JobEnd, StoreError};
use jiff::civil::{Date, Time, time};
use jiff::{SignedDuration, Timestamp, ToSpan};

use crate::App;
use crate::fetch::Reuse;
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

/// How many years of history the first run of a source asks for.
const FIRST_RUN_YEARS: i32 = 10;

/// How many sessions before the newest bar a run asks for again, to see corrections and whether the
/// source has moved its level.
const OVERLAP_SESSIONS: u32 = 5;

/// How often a run says that it goes on; the store takes it for dead after ten minutes.
const RENEW_EVERY: Duration = Duration::from_secs(60);

/// How long a run that has failed once waits before it is begun again.
const RETRY_WAIT_FIRST: SignedDuration = SignedDuration::from_mins(15);

/// Which sources are asked each night, and for whose data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NightlySettings {
    /// In this order.
    pub sources: Vec<Source>,
    /// For sources about shares.
    pub universe: UniverseName,
}

/// What became of a nightly run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NightlyOutcome {
    /// Nothing is due, or another process has it, or it is not set up.
    NothingDue,
    /// It ran.
    Done {
        /// The session that it was for.
        day: Date,
        /// What came, in one sentence.
        told: String,
    },
    /// It ran and something failed.
    Failed {
        /// The session that it was for.
        day: Date,
        /// What failed, and what came, in one sentence.
        told: String,
        /// When it is begun again, unless the next run is due by then.
        retry_at: Timestamp,
    },
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
        let attempt = run.attempts_count;
        tracing::info!(%day, attempt, "the nightly ingest of {day} begins");
        let night = Night { day, due_at, settings };
        let Told { done, failed } = tokio::select! {
            told = self.ask_all(&night, &progress) => told,
            never = self.renew_run(run.id) => match never {},
        };
        let (end, outcome) = if failed.is_empty() {
            (JobEnd::Done, NightlyOutcome::Done { day, told: done.join("; ") })
        } else {
            let retry_at = self.now().saturating_add(retry_wait(attempt)).unwrap_or(Timestamp::MAX);
            let told = failed.into_iter().chain(done).collect::<Vec<_>>().join("; ");
            let end = JobEnd::Failed { retry_at: Some(retry_at) };
            (end, NightlyOutcome::Failed { day, told, retry_at })
        };
        let told = match &outcome {
            NightlyOutcome::Done { told, .. } => {
                tracing::info!(%day, attempt, "the nightly ingest of {day} is done: {told}");
                told
            }
            NightlyOutcome::Failed { told, retry_at, .. } => {
                tracing::error!(%day, attempt, %retry_at,
                    "the nightly ingest of {day} failed and is begun again at {retry_at}: {told}");
                told
            }
            NightlyOutcome::NothingDue => "",
        };
        if !self.store.finish_job(run.id, self.now(), end, told).await? {
            tracing::warn!(%day, "another process has begun the nightly ingest of {day} again");
        }
        Ok(outcome)
    }

    /// Asks each source, and checks what is stored.
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
        told
    }

    /// Says every minute that the run `id` goes on, for as long as it is asked to.
    async fn renew_run(&self, id: i64) -> Infallible {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            if let Err(error) = self.store.renew_job(id, self.now()).await {
                tracing::warn!(%error, "the nightly ingest could not say that it goes on: {error}");
            }
        }
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

/// How long a run that has failed `attempts` times waits: a quarter of an hour, doubled each time,
/// at most four hours.
fn retry_wait(attempts: u64) -> SignedDuration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(4);
    RETRY_WAIT_FIRST.saturating_mul(1 << doublings)
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
