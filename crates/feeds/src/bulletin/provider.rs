//! Fetching bulletins from the exchange, one a session.

use std::sync::Arc;

use bist_market::bar::istanbul;
use bist_market::{Calendar, DayKind, SessionKind, Source};
use jiff::civil::{Date, Time, Weekday, time};
use jiff::{Timestamp, ToSpan};

use super::zipped;
use crate::fetch_error::FetchError;
use crate::http::{Answer, BreakerState, Expects, HttpClient, Request, Waits};
use crate::provider::{
    Batch, Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted,
};
use crate::settings::SourceSettings;

/// When the bulletin of the day is out, Istanbul time: usually seen at about 18:20 and 13:20.
const OUT_AFTER_FULL_SESSION: Time = time(18, 25, 0, 0);
const OUT_AFTER_HALF_SESSION: Time = time(13, 25, 0, 0);

/// After so many days a bulletin is no longer corrected.
const FINAL_AFTER_DAYS: i64 = 7;

/// The bulletins on the exchange's site.
#[derive(Debug)]
pub struct BulletinProvider {
    client: HttpClient,
}

impl BulletinProvider {
    /// Asks as `settings` say; the address is `files`, the folder of the folders of years.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when the client cannot be made of the settings.
    pub fn new(settings: &SourceSettings, waits: Arc<dyn Waits>) -> Result<Self, FetchError> {
        Ok(Self { client: HttpClient::new(Source::BULLETIN, settings, waits)? })
    }

    /// Where the bulletin of a day lies; the 1 at the end was once the number of the session.
    fn url(&self, day: Date) -> String {
        let base = self.client.settings().base_url("files");
        format!("{base}/{}/thb{}1.zip", day.strftime("%Y/%m"), day.strftime("%Y%m%d"))
    }

    async fn fetch_day(&self, day: Date, known: &Validators) -> Result<Fetched, FetchError> {
        let request = Request::get(self.url(day), Expects::Zip).if_newer_than(known);
        let (content, validators) = match self.client.send(&request).await {
            Ok(Answer::NotModified) => (Content::NotModified, known.clone()),
            Ok(Answer::Body { bytes, validators, .. }) => {
                (Content::Data(Box::new(self.bulletin_of(day, &bytes)?)), validators)
            }
            // A page instead of the archive may as well be an outage, and is an error.
            Err(FetchError::Status { status: 404, .. }) => {
                let reason = format!("the exchange has no bulletin of {day} on its site");
                (Content::Absent { reason }, Validators::default())
            }
            Err(error) => return Err(error),
        };
        Ok(Fetched { content, validators, next: None })
    }

    /// The bulletin, if it is that of the day.
    fn bulletin_of(&self, day: Date, archive: &[u8]) -> Result<Batch, FetchError> {
        let piece = day.to_string();
        let malformed = |place: String, reason: String| FetchError::Malformed {
            source_name: Source::BULLETIN,
            piece: piece.clone(),
            place,
            reason,
        };
        let batch = zipped(&piece, archive)
            .map_err(|broken| malformed(broken.position(), broken.fault.to_string()))?;
        match batch.days.first() {
            Some(first) if first.day == day => Ok(batch),
            Some(first) => {
                let reason = format!("it is the bulletin of {}", first.day);
                Err(malformed("the column TRADE DATE".to_owned(), reason))
            }
            None => Err(malformed("the table".to_owned(), "it names no share".to_owned())),
        }
    }
}

impl Provider for BulletinProvider {
    fn source(&self) -> Source {
        Source::BULLETIN
    }

    /// A piece for each session whose bulletin is out. Of years that the calendar does not cover,
    /// weekdays are asked for, and the exchange says which of them had no session.
    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        let calendar = Calendar::bist();
        if wanted.from < calendar.first_day() {
            let first_day = calendar.first_day();
            let reason = format!("its bulletins are known from {first_day} on; ask from there");
            return Err(FetchError::NotOffered { source_name: Source::BULLETIN, reason });
        }
        let now = istanbul().to_datetime(now);
        let is_out = |day: Date| {
            let out_at = match calendar.day(day) {
                DayKind::Session { session: SessionKind::Full } => OUT_AFTER_FULL_SESSION,
                DayKind::Session { session: SessionKind::Half } => OUT_AFTER_HALF_SESSION,
                DayKind::Closed { .. } => return false,
                DayKind::Unknown if is_weekend(day) => return false,
                DayKind::Unknown => OUT_AFTER_FULL_SESSION,
            };
            day.to_datetime(out_at) <= now
        };
        let days = wanted.from.series(1.day());
        let days = days.take_while(|day| *day <= wanted.to && *day <= now.date());
        Ok(days.filter(|day| is_out(*day)).map(|day| piece(day, now.date())).collect())
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            let Scope::Day(day) = piece.scope else {
                let reason = format!("'{}' is no day; it has one bulletin a session", piece.key);
                return Err(FetchError::NotOffered { source_name: Source::BULLETIN, reason });
            };
            self.fetch_day(day, known).await
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.client.breaker())
    }
}

fn piece(day: Date, today: Date) -> Piece {
    let age_days = today.duration_since(day).as_hours() / 24;
    Piece { key: day.to_string(), scope: Scope::Day(day), is_final: age_days >= FINAL_AFTER_DAYS }
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}
