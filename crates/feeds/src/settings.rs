//! How a source is asked: its addresses, its pace, its limits.

mod section;

use std::collections::BTreeMap;
use std::time::Duration;

use bist_market::Source;

use crate::secret::Secret;
use crate::settings::section::check_address;

pub use section::{SettingsError, SourceSection};

/// How we name ourselves; some sources turn away programs that do not begin like a browser.
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; bist/", env!("CARGO_PKG_VERSION"), ")");

/// Addresses of the sources: source, name of the address, address.
const BASE_URLS: [(Source, &str, &str); 9] = [
    (Source::BULLETIN, "files", "https://www.borsaistanbul.com/data/thb"),
    (Source::EVDS, "data", "https://evds3.tcmb.gov.tr/igmevdsms-dis"),
    (Source::EVDS, "rates", "https://www.tcmb.gov.tr/kurlar"),
    (Source::ISYATIRIM, "site", "https://www.isyatirim.com.tr"),
    (Source::KAP, "api", "https://apigw.mkk.com.tr/api/vyk"),
    (Source::KAP, "site", "https://www.kap.org.tr"),
    (Source::YAHOO, "chart", "https://query2.finance.yahoo.com"),
    (Source::YAHOO, "cookie", "https://fc.yahoo.com"),
    (Source::YAHOO, "crumb", "https://query1.finance.yahoo.com"),
];

/// How a source is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSettings {
    /// By name, without a slash at the end; [`SourceSettings::of`] fixes the names.
    base_urls: BTreeMap<String, String>,
    /// The `User-Agent` that is sent.
    pub user_agent: String,
    /// The most requests in a minute, evenly spread; 1 or more.
    pub requests_per_minute: u32,
    /// The most attempts for one request; 1 means no retry.
    pub attempts_max: u32,
    /// The most to wait before the second attempt; doubles from then on.
    pub backoff_first: Duration,
    /// The most to wait before any attempt, unless the source asks for more.
    pub backoff_max: Duration,
    /// The time for one request with all its attempts, once its turn has come.
    pub deadline: Duration,
    /// The time for one attempt, from connecting to the last byte.
    pub answer_timeout: Duration,
    /// The largest answer that is read, bytes after decompression.
    pub answer_bytes_max: u64,
    /// Failed requests in a row after which the source is left alone; 1 or more.
    pub breaker_failures_max: u32,
    /// How long it is then left alone.
    pub breaker_open_for: Duration,
    /// A proxy for all requests, without user and password.
    pub proxy_url: Option<String>,
    /// A key or `user:password`, for sources that need one; never from the configuration file.
    pub credential: Option<Secret>,
}

impl SourceSettings {
    /// The settings of a source that is asked over HTTP; `None` for files and unknown names.
    ///
    /// Paces are those that the services or the users of their services name; where nobody names
    /// one, one request a second.
    pub fn of(source: Source) -> Option<Self> {
        let base_urls: BTreeMap<String, String> = BASE_URLS
            .iter()
            .filter(|(of, _, _)| *of == source)
            .map(|(_, name, url)| ((*name).to_owned(), (*url).to_owned()))
            .collect();
        let settings = Self {
            base_urls,
            user_agent: USER_AGENT.to_owned(),
            requests_per_minute: 60,
            attempts_max: 5,
            backoff_first: Duration::from_secs(1),
            backoff_max: Duration::from_secs(60),
            deadline: Duration::from_secs(180),
            answer_timeout: Duration::from_secs(30),
            answer_bytes_max: 32 << 20,
            breaker_failures_max: 5,
            breaker_open_for: Duration::from_secs(300),
            proxy_url: None,
            credential: None,
        };
        match source {
            Source::BULLETIN | Source::EVDS | Source::ISYATIRIM => Some(settings),
            // The free plan of the disclosure service allows six calls a minute.
            Source::KAP => Some(Self { requests_per_minute: 6, ..settings }),
            // It limits without saying when to come back.
            Source::YAHOO => Some(Self {
                backoff_first: Duration::from_secs(30),
                backoff_max: Duration::from_secs(300),
                deadline: Duration::from_secs(900),
                breaker_failures_max: 3,
                breaker_open_for: Duration::from_secs(900),
                ..settings
            }),
            _ => None,
        }
    }

    /// The address of this name, without a slash at the end.
    ///
    /// # Panics
    ///
    /// When the source has none of this name; the names are constants of its provider.
    pub fn base_url(&self, name: &str) -> &str {
        self.base_urls.get(name).expect("a provider asks for addresses that its source has")
    }

    /// With another address of this name, such as a test server's; a slash at the end is dropped.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] when the source has no such address, or the new one is none.
    pub fn with_base_url(mut self, name: &str, url: &str) -> Result<Self, SettingsError> {
        let Some(known) = self.base_urls.get_mut(name) else {
            let known = self.base_urls.keys().cloned().collect::<Vec<_>>().join(", ");
            return Err(SettingsError::UnknownAddress { name: name.to_owned(), known });
        };
        check_address(&format!("base_urls.{name}"), url)?;
        *known = url.trim_end_matches('/').to_owned();
        Ok(self)
    }
}
