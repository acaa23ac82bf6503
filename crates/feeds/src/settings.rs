//! How a source is asked: its addresses, its pace, its limits.

mod section;

use std::collections::BTreeMap;
use std::time::Duration;

use bist_market::Source;

use crate::credential::Credential;
use crate::settings::section::check_address;

pub use section::{SettingsError, SourceSection};

/// How we name ourselves; some sources turn away programs that do not begin like a browser.
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; bist/", env!("CARGO_PKG_VERSION"), ")");

/// Addresses of the sources: source, name of the address, address.
const BASE_URLS: [(Source, &str, &str); 12] = [
    (Source::ALGOLAB, "api", "https://www.algolab.com.tr/api"),
    (Source::BULLETIN, "files", "https://www.borsaistanbul.com/data/thb"),
    (Source::EVDS, "data", "https://evds3.tcmb.gov.tr/igmevdsms-dis"),
    (Source::EVDS, "rates", "https://www.tcmb.gov.tr/kurlar"),
    (Source::ISYATIRIM, "site", "https://www.isyatirim.com.tr"),
    (Source::KAP, "api", "https://apigw.mkk.com.tr/api/vyk"),
    (Source::KAP, "site", "https://www.kap.org.tr"),
    (Source::YAHOO, "chart", "https://query2.finance.yahoo.com"),
    (Source::YAHOO, "consent", "https://consent.yahoo.com"),
    (Source::YAHOO, "cookie", "https://fc.yahoo.com"),
    (Source::YAHOO, "crumb", "https://query1.finance.yahoo.com"),
    (Source::YAHOO, "gate", "https://guce.yahoo.com"),
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
    pub credential: Credential,
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
            credential: Credential::default(),
        };
        match source {
            Source::BULLETIN | Source::EVDS | Source::ISYATIRIM => Some(settings),
            // The broker's own programs wait so long between two requests.
            Source::ALGOLAB => Some(Self { requests_per_minute: 12, ..settings }),
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

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: [Source; 6] = crate::SERVICES;

    fn section(text: &str) -> SourceSection {
        toml::from_str(text).unwrap()
    }

    /// The message for a section of Yahoo's settings.
    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let settings = SourceSettings::of(Source::YAHOO).unwrap();
        assert_eq!(settings.with(&section(text)).unwrap_err().to_string(), expected);
    }

    #[test]
    fn every_default_is_a_setting_that_one_could_give() {
        for source in SOURCES {
            let settings = SourceSettings::of(source).unwrap();
            assert!(!settings.base_urls.is_empty(), "{source}");
            let text = format!(
                "requests_per_minute = {}\nattempts_max = {}\nbackoff_first_s = {}\n\
                 backoff_max_s = {}\ndeadline_s = {}\nanswer_timeout_s = {}\n\
                 answer_bytes_max = {}\nbreaker_failures_max = {}\nbreaker_open_s = {}\n\
                 user_agent = \"{}\"\n[base_urls]\n{}",
                settings.requests_per_minute,
                settings.attempts_max,
                settings.backoff_first.as_secs(),
                settings.backoff_max.as_secs(),
                settings.deadline.as_secs(),
                settings.answer_timeout.as_secs(),
                settings.answer_bytes_max,
                settings.breaker_failures_max,
                settings.breaker_open_for.as_secs(),
                settings.user_agent,
                settings
                    .base_urls
                    .iter()
                    .map(|(n, u)| format!("{n} = \"{u}\"\n"))
                    .collect::<String>(),
            );
            assert_eq!(settings.clone().with(&section(&text)), Ok(settings.clone()), "{source}");
            assert_eq!(settings.clone().with(&SourceSection::default()), Ok(settings), "{source}");
        }
    }

    #[test]
    fn the_pace_is_that_which_the_services_ask_for() {
        for source in SOURCES {
            let expected = match source {
                Source::ALGOLAB => 12,
                Source::KAP => 6,
                _ => 60,
            };
            let settings = SourceSettings::of(source).unwrap();
            assert_eq!(settings.requests_per_minute, expected, "{source}");
        }
    }

    #[test]
    fn files_are_not_asked_over_http() {
        assert_eq!(SourceSettings::of(Source::CSV), None);
        assert_eq!(SourceSettings::of(Source::SAMPLE), None);
    }

    #[test]
    fn a_section_changes_what_it_names_and_leaves_the_rest() {
        let text = "requests_per_minute = 30\ndeadline_s = 20\n\
                    proxy_url = \"http://proxy:3128\"\nbase_urls.chart = \"http://127.0.0.1:80/x/\"";
        let defaults = SourceSettings::of(Source::YAHOO).unwrap();
        let settings = defaults.clone().with(&section(text)).unwrap();
        assert_eq!(settings.base_url("chart"), "http://127.0.0.1:80/x");
        assert_eq!(settings.base_url("crumb"), defaults.base_url("crumb"));
        let expected = SourceSettings {
            requests_per_minute: 30,
            deadline: Duration::from_secs(20),
            proxy_url: Some("http://proxy:3128".to_owned()),
            base_urls: settings.base_urls.clone(),
            ..defaults
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name_and_range() {
        check_refused("attempts_max = 0", "attempts_max is 0; give a number from 1 to 10");
        check_refused("deadline_s = 0", "deadline_s is 0; give a number from 1 to 86400");
        check_refused(
            "answer_bytes_max = 1",
            "answer_bytes_max is 1; give a number from 1024 to 1073741824",
        );
        check_refused(
            "base_urls.site = \"https://a.tr\"",
            "base_urls.site is not an address of this source; it has chart, consent, cookie, crumb, gate",
        );
        let advice = "is not an address; give one that begins with http:// or https://, without \
                      user and password";
        check_refused("base_urls.chart = \"a.tr\"", &format!("base_urls.chart {advice}"));
        check_refused("proxy_url = \"http://me:word@a.tr\"", &format!("proxy_url {advice}"));
        for unknown in ["credential = \"x\"", "retries = 3"] {
            assert!(toml::from_str::<SourceSection>(unknown).is_err(), "{unknown}");
        }
    }
}
