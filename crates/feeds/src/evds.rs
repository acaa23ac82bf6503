//! The central bank's data service (EVDS): exchange rates and interest rates.
//!
//! The service needs a key, which is free and goes along in a header. Without one only the exchange
//! rates can be had, from the bank's daily documents ([`crate::tcmb_rates`]), one request a day.
//! Those are dated by the day on which they were announced, at 15:30, and hold for the next
//! business day.

mod plan;
mod table;

use std::sync::Arc;

use bist_access::Secret;
use bist_market::{SeriesCode, Source};
use jiff::Timestamp;
use jiff::civil::Date;

pub use plan::default_series;
pub use table::parse_evds;

use crate::fetch_error::FetchError;
use crate::http::{Answer, BreakerState, Expects, HttpClient, Request, Waits};
use crate::provider::{
    Batch, Content, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted,
};
use crate::settings::SourceSettings;
use crate::tcmb_rates::parse_rates_xml;

/// Series of the central bank.
#[derive(Debug)]
pub struct Evds {
    client: HttpClient,
}

impl Evds {
    /// A provider that asks the addresses of `settings` with its key, if it has one; nothing is
    /// sent yet.
    ///
    /// The service takes its parameters behind the path; where a gateway wants them behind a
    /// question mark, the address `data` ends with one.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when no HTTP client can be made of the settings.
    pub fn new(settings: &SourceSettings, waits: Arc<dyn Waits>) -> Result<Self, FetchError> {
        Ok(Self { client: HttpClient::new(Source::EVDS, settings, waits)? })
    }

    fn key(&self) -> Option<Secret> {
        self.client.settings().credential.get()
    }

    async fn fetch_series(
        &self,
        key: &Secret,
        piece: &str,
        codes: &[SeriesCode],
        (from, to): (Date, Date),
        known: &Validators,
    ) -> Result<Fetched, FetchError> {
        let base_url = self.client.settings().base_url("data");
        let separator = if base_url.ends_with('?') { "" } else { "/" };
        let names: Vec<&str> = codes.iter().map(SeriesCode::as_str).collect();
        let url = format!(
            "{base_url}{separator}series={}&startDate={}&endDate={}&type=json",
            names.join("-"),
            from.strftime("%d-%m-%Y"),
            to.strftime("%d-%m-%Y"),
        );
        let request =
            Request::get(url, Expects::Json).secret_header("key", key.clone()).if_newer_than(known);
        match self.client.send(&request).await.map_err(|error| with_advice(error, piece))? {
            Answer::NotModified => Ok(not_modified(known)),
            Answer::Body { bytes, validators, .. } => {
                let batch = parse_evds(&bytes, piece, codes)?;
                Ok(Fetched { content: Content::Data(Box::new(batch)), validators, next: None })
            }
        }
    }

    /// The rates of one day without a key; those of `codes` are kept.
    async fn fetch_day(
        &self,
        piece: &str,
        codes: &[SeriesCode],
        day: Date,
        known: &Validators,
    ) -> Result<Fetched, FetchError> {
        let base_url = self.client.settings().base_url("rates");
        let url = format!("{base_url}/{}/{}.xml", day.strftime("%Y%m"), day.strftime("%d%m%Y"));
        let request = Request::get(url, Expects::Xml).if_newer_than(known);
        match self.client.send(&request).await {
            Ok(Answer::NotModified) => Ok(not_modified(known)),
            Ok(Answer::Body { bytes, validators, .. }) => {
                let mut batch: Batch = parse_rates_xml(&bytes, piece, day)?;
                batch.observations.retain(|observation| codes.contains(&observation.series));
                batch.notes.push(
                    "no key is set: exchange rates only, dated by the day of their announcement"
                        .to_owned(),
                );
                Ok(Fetched { content: Content::Data(Box::new(batch)), validators, next: None })
            }
            Err(FetchError::Status { status: 404, .. }) => Ok(Fetched {
                content: Content::Absent { reason: format!("no rates were announced on {day}") },
                validators: Validators::default(),
                next: None,
            }),
            Err(error) => Err(error),
        }
    }
}

fn not_modified(known: &Validators) -> Fetched {
    Fetched { content: Content::NotModified, validators: known.clone(), next: None }
}

/// The error with what experience says of it.
fn with_advice(error: FetchError, piece: &str) -> FetchError {
    if let FetchError::WrongKind { url, expected, found, .. } = error {
        let advice = "the address is an old one or the key is not accepted; the service is at \
                      https://evds3.tcmb.gov.tr/igmevdsms-dis";
        return FetchError::WrongKind { url, expected, found, beginning: advice.to_owned() };
    }
    if let FetchError::Status { status: status @ (400 | 401 | 403), beginning, .. } = error {
        let reason = format!(
            "it answered {status} ({beginning}); check the key of the source 'evds', and that the \
             series exists"
        );
        return FetchError::Refused { source_name: Source::EVDS, piece: piece.to_owned(), reason };
    }
    error
}

impl Provider for Evds {
    fn source(&self) -> Source {
        Source::EVDS
    }

    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        plan::plan(wanted, self.key().is_some(), now)
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            let not_offered = |reason| FetchError::NotOffered { source_name: Source::EVDS, reason };
            let Scope::Series { codes, from, to } = &piece.scope else {
                return Err(not_offered(format!("{} is not about its series", piece.key)));
            };
            match self.key() {
                Some(key) => self.fetch_series(&key, &piece.key, codes, (*from, *to), known).await,
                None if from == to => self.fetch_day(&piece.key, codes, *from, known).await,
                None => Err(plan::key_is_missing()),
            }
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.client.breaker())
    }
}
