//! What a configuration file may change of a source's settings.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::settings::SourceSettings;

/// What a configuration file says about a source; what it leaves out stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSection {
    /// Addresses by name.
    pub base_urls: BTreeMap<String, String>,
    /// [`SourceSettings::user_agent`].
    pub user_agent: Option<String>,
    /// [`SourceSettings::requests_per_minute`], 1 to 600.
    pub requests_per_minute: Option<u32>,
    /// [`SourceSettings::attempts_max`], 1 to 10.
    pub attempts_max: Option<u32>,
    /// [`SourceSettings::backoff_first`] in seconds.
    pub backoff_first_s: Option<u64>,
    /// [`SourceSettings::backoff_max`] in seconds.
    pub backoff_max_s: Option<u64>,
    /// [`SourceSettings::deadline`] in seconds, 1 or more.
    pub deadline_s: Option<u64>,
    /// [`SourceSettings::answer_timeout`] in seconds, 1 or more.
    pub answer_timeout_s: Option<u64>,
    /// [`SourceSettings::answer_bytes_max`], 1 KiB to 1 GiB.
    pub answer_bytes_max: Option<u64>,
    /// [`SourceSettings::breaker_failures_max`], 1 to 100.
    pub breaker_failures_max: Option<u32>,
    /// [`SourceSettings::breaker_open_for`] in seconds.
    pub breaker_open_s: Option<u64>,
    /// [`SourceSettings::proxy_url`].
    pub proxy_url: Option<String>,
}

/// What is wrong with a section of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A number is out of its range.
    #[error("{field} is {value}; give a number from {min} to {max}")]
    OutOfRange {
        /// Which.
        field: &'static str,
        /// What it is.
        value: u64,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// The source has no address of this name.
    #[error("base_urls.{name} is not an address of this source; it has {known}")]
    UnknownAddress {
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// Not an address of the web.
    #[error(
        "{field} is not an address; give one that begins with http:// or https://, without user and password"
    )]
    BadAddress {
        /// Which.
        field: String,
    },
}

impl SourceSettings {
    /// These settings with what `section` changes.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] for the first value that cannot be.
    pub fn with(mut self, section: &SourceSection) -> Result<Self, SettingsError> {
        for (name, url) in &section.base_urls {
            self = self.with_base_url(name, url)?;
        }
        let seconds = |field, value: Option<u64>, min, unset| -> Result<Duration, SettingsError> {
            let Some(value) = value else { return Ok(unset) };
            in_range(field, value, min, 86_400).map(Duration::from_secs)
        };
        let count = |field, value: Option<u32>, max, unset| -> Result<u32, SettingsError> {
            let Some(value) = value else { return Ok(unset) };
            in_range(field, u64::from(value), 1, max).map(|_| value)
        };
        if let Some(url) = &section.proxy_url {
            check_address("proxy_url", url)?;
            self.proxy_url = Some(url.clone());
        }
        if let Some(bytes) = section.answer_bytes_max {
            self.answer_bytes_max = in_range("answer_bytes_max", bytes, 1 << 10, 1 << 30)?;
        }
        let s = section;
        Ok(Self {
            user_agent: s.user_agent.clone().unwrap_or(self.user_agent),
            requests_per_minute: count(
                "requests_per_minute",
                s.requests_per_minute,
                600,
                self.requests_per_minute,
            )?,
            attempts_max: count("attempts_max", s.attempts_max, 10, self.attempts_max)?,
            backoff_first: seconds("backoff_first_s", s.backoff_first_s, 0, self.backoff_first)?,
            backoff_max: seconds("backoff_max_s", s.backoff_max_s, 0, self.backoff_max)?,
            deadline: seconds("deadline_s", s.deadline_s, 1, self.deadline)?,
            answer_timeout: seconds(
                "answer_timeout_s",
                s.answer_timeout_s,
                1,
                self.answer_timeout,
            )?,
            breaker_failures_max: count(
                "breaker_failures_max",
                s.breaker_failures_max,
                100,
                self.breaker_failures_max,
            )?,
            breaker_open_for: seconds(
                "breaker_open_s",
                s.breaker_open_s,
                0,
                self.breaker_open_for,
            )?,
            ..self
        })
    }
}

fn in_range(field: &'static str, value: u64, min: u64, max: u64) -> Result<u64, SettingsError> {
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(SettingsError::OutOfRange { field, value, min, max })
    }
}

/// A password does not belong into a file of settings, nor into an address that messages show.
pub(crate) fn check_address(field: &str, url: &str) -> Result<(), SettingsError> {
    let sound = reqwest::Url::parse(url).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
    });
    if sound { Ok(()) } else { Err(SettingsError::BadAddress { field: field.to_owned() }) }
}
