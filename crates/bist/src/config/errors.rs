//! Where errors go besides the product's own list.

use anyhow::{Context, bail};
use bist_access::Secret;
use bist_app::telemetry::sentry::{ENVIRONMENT_DEFAULT, SentrySettings};
use serde::Deserialize;

use super::environment;

/// The variable that other software knows; the secret `sentry.dsn` holds before it.
pub(super) const DSN_VARIABLE: &str = "SENTRY_DSN";

/// Longest name of an environment, as Sentry takes it.
const ENVIRONMENT_CHARS_MAX: usize = 64;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorsSection {
    sample_rate: Option<f32>,
    environment: Option<String>,
}

/// How errors go to Sentry, by the section `[errors]` and the environment.
pub(super) fn load(section: ErrorsSection) -> anyhow::Result<SentrySettings> {
    let sample_rate = section.sample_rate.unwrap_or(1.0);
    if !(0.0..=1.0).contains(&sample_rate) {
        bail!("errors.sample_rate is {sample_rate}; give a share from 0 to 1, such as 0.25");
    }
    let name = section.environment.unwrap_or_else(|| ENVIRONMENT_DEFAULT.to_owned());
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > ENVIRONMENT_CHARS_MAX || !name.chars().all(is_plain) {
        bail!(
            "errors.environment is no name; give up to {ENVIRONMENT_CHARS_MAX} letters, digits, dots, \
             hyphens and underscores, such as staging"
        );
    }
    let dsn = environment(DSN_VARIABLE)?;
    if let Some(text) = &dsn {
        SentrySettings::check_dsn(text).context(DSN_VARIABLE)?;
    }
    Ok(SentrySettings { dsn: dsn.map(Secret::new), environment: name, sample_rate })
}
