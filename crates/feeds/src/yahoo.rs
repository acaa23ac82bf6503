//! The chart service of Yahoo Finance: daily bars, bars of minutes, dividends and splits.
//!
//! Prices are divided by later splits and not by dividends, so all history moves when a share is
//! split: [`level_changed`] tells when it has to be fetched again. The service is neither
//! documented nor promised; it answers most requests without a key, some only with a cookie and a
//! crumb that belongs to it, and too many with `Too Many Requests` as plain text.

mod answer;
mod chart;
mod events;
mod finished;
mod level;
mod plan;
mod session;
mod table;
mod ticker;

use std::sync::Arc;

use bist_market::{Clock, Source};
use jiff::Timestamp;

pub use chart::{ChartRequest, parse_chart};
pub use level::level_changed;
pub use ticker::{symbol_of, ticker_of};

use crate::fetch_error::FetchError;
use crate::http::{Answer, BreakerState, Expects, HttpClient, Request, Waits};
use crate::provider::{Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted};
use crate::settings::SourceSettings;
use answer::Complaint;
use session::{Session, query_of};

/// Charts of Yahoo Finance.
#[derive(Debug)]
pub struct Yahoo {
    client: HttpClient,
    /// Tells which bars are still growing.
    clock: Arc<dyn Clock>,
    session: Session,
}

impl Yahoo {
    /// A provider that asks the addresses of `settings`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when no HTTP client can be made of the settings.
    pub fn new(
        settings: &SourceSettings,
        waits: Arc<dyn Waits>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, FetchError> {
        let client = HttpClient::new(Source::YAHOO, settings, waits)?;
        Ok(Self { client, clock, session: Session::default() })
    }

    async fn fetch_chart(
        &self,
        request: &ChartRequest<'_>,
        known: &Validators,
    ) -> Result<Fetched, FetchError> {
        let crumb = self.session.crumb();
        let mut outcome = self.send(request, known, crumb.as_deref()).await;
        if outcome.as_ref().is_err_and(asks_for_session) {
            let crumb = self.session.renew(&self.client, crumb.as_deref()).await?;
            outcome = self.send(request, known, Some(&crumb)).await;
        }
        let (content, validators) = match outcome {
            Ok(Answer::NotModified) => (Content::NotModified, known.clone()),
            Ok(Answer::Body { bytes, validators, .. }) => {
                (parse_chart(&bytes, request, self.clock.now())?, validators)
            }
            Err(error) => (meaning_of(error, request)?, Validators::default()),
        };
        Ok(Fetched { content, validators, next: None })
    }

    async fn send(
        &self,
        request: &ChartRequest<'_>,
        known: &Validators,
        crumb: Option<&str>,
    ) -> Result<Answer, FetchError> {
        let (begin_s, end_s) = plan::period_s(request.from, request.to);
        let (begin, end) = (begin_s.to_string(), end_s.to_string());
        let mut parameters = vec![
            ("period1", begin.as_str()),
            ("period2", end.as_str()),
            ("interval", chart::interval_name(request.interval).unwrap_or_default()),
            ("includePrePost", "false"),
            ("events", "div,splits,capitalGains"),
        ];
        parameters.extend(crumb.map(|crumb| ("crumb", crumb)));
        let base_url = self.client.settings().base_url("chart");
        let ticker = ticker_of(request.symbol);
        let url = format!("{base_url}/v8/finance/chart/{ticker}?{}", query_of(&parameters));
        self.client.send(&Request::get(url, Expects::Json).if_newer_than(known)).await
    }
}

/// Whether the request was turned away for want of a cookie and crumb.
fn asks_for_session(error: &FetchError) -> bool {
    let FetchError::Status { status, body, .. } = error else { return false };
    matches!(status, 401 | 403) || contains(body, "Invalid Crumb")
}

/// What an answer with another status means; some say in JSON that there is nothing.
fn meaning_of(error: FetchError, request: &ChartRequest<'_>) -> Result<Content, FetchError> {
    let FetchError::Status { body, beginning, retry_after, .. } = &error else { return Err(error) };
    if contains(body, "Too Many Requests") {
        let (reason, retry_after) = (beginning.clone(), *retry_after);
        return Err(FetchError::RateLimited { source_name: Source::YAHOO, reason, retry_after });
    }
    match Complaint::read(body) {
        Some(complaint) => chart::meaning_of(complaint, request),
        None => Err(error),
    }
}

fn contains(body: &[u8], words: &str) -> bool {
    body.windows(words.len()).any(|window| window == words.as_bytes())
}

impl Provider for Yahoo {
    fn source(&self) -> Source {
        Source::YAHOO
    }

    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        plan::plan(wanted, now)
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            let Scope::Share { symbol, from, to, interval } = piece.scope else {
                let reason = format!("{} is not a chart of one symbol", piece.key);
                return Err(FetchError::NotOffered { source_name: Source::YAHOO, reason });
            };
            let request = ChartRequest { piece: &piece.key, symbol, interval, from, to };
            self.fetch_chart(&request, known).await
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.client.breaker())
    }
}
