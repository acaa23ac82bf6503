//! Announcements of companies on the public disclosure platform (KAP).
//!
//! By default through the official service (VYK), which needs a contract with MKK. The site's own
//! service needs none, but the site's terms forbid systematic and commercial reuse: who chooses
//! [`KapStrategy::Site`] answers for it.

mod auth;
mod codes;
mod cursor;
mod official;
mod site;

use std::sync::Arc;

use bist_market::Source;
use bist_market::bar::day_of;
use jiff::Timestamp;
use serde::Deserialize;

pub use official::{
    ListedDisclosure, parse_disclosure_detail, parse_disclosures, parse_last_index,
};
pub use site::parse_site_disclosures;

use crate::fetch_error::FetchError;
use crate::http::{BreakerState, HttpClient, Waits};
use crate::provider::{Fetching, Piece, Provider, Scope, Validators, Wanted};
use crate::settings::SourceSettings;
use cursor::Official;
use site::Site;

/// Through which of its services the platform is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KapStrategy {
    /// The official one, by contract: announcements in the order of their numbers.
    #[default]
    Official,
    /// The site's own: announcements by day. Its terms forbid systematic and commercial reuse.
    Site,
}

/// Announcements of the platform.
#[derive(Debug)]
pub struct Kap {
    client: HttpClient,
    service: Service,
}

#[derive(Debug)]
enum Service {
    Official(Official),
    Site(Site),
}

impl Kap {
    /// A provider that asks the addresses of `settings`; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`FetchError::NotOffered`] when no HTTP client can be made of the settings.
    pub fn new(
        settings: &SourceSettings,
        strategy: KapStrategy,
        waits: Arc<dyn Waits>,
    ) -> Result<Self, FetchError> {
        let service = match strategy {
            KapStrategy::Official => Service::Official(Official::default()),
            KapStrategy::Site => Service::Site(Site::default()),
        };
        Ok(Self { client: HttpClient::new(Source::KAP, settings, waits)?, service })
    }
}

impl Provider for Kap {
    fn source(&self) -> Source {
        Source::KAP
    }

    /// The official service knows no days: the walk begins with [`Wanted::from_index`], or with the
    /// newest page, and each piece names the next. The site is asked day by day.
    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        match &self.service {
            Service::Official(_) => {
                Ok(vec![cursor::piece_from(wanted.from_index.unwrap_or_default(), false)])
            }
            Service::Site(_) => Ok(site::plan(wanted.from, wanted.to.min(day_of(now)), now)),
        }
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, _known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            match (&self.service, &piece.scope) {
                (Service::Official(service), Scope::Cursor(index)) => {
                    service.fetch(&self.client, &piece.key, *index).await
                }
                (Service::Site(site), Scope::Day(day)) => {
                    site.fetch(&self.client, &piece.key, *day).await
                }
                (Service::Official(_) | Service::Site(_), _) => Err(FetchError::NotOffered {
                    source_name: Source::KAP,
                    reason: format!("{} is no piece of the service in use", piece.key),
                }),
            }
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        Some(self.client.breaker())
    }
}

/// One sentence about codes that are no symbols of shares.
fn note_of_codes(codes: &[String]) -> Option<String> {
    let (count, first) = (codes.len(), codes.first()?);
    Some(format!("{count} codes are no symbols of shares and were left out, such as '{first}'"))
}
