//! Where the artefacts of models are kept besides the data directory.

use anyhow::{Context, bail};
use bist_app::{BucketSettings, Keys, ObjectStoreUrl};

/// The region of a server that has none of its own.
const REGION_DEFAULT: &str = "us-east-1";

/// The bucket that `url` names; `None` when it is the data directory alone, as without one.
///
/// Keys, region and endpoint come from the environment, under the names that other software knows.
pub(super) fn bucket(url: Option<&str>) -> anyhow::Result<Option<BucketSettings>> {
    let Some(url) = url else { return Ok(None) };
    let url = match url.parse().context("object_store_url")? {
        ObjectStoreUrl::DataDirectory => return Ok(None),
        ObjectStoreUrl::Bucket(url) => url,
    };
    let (Some(key), Some(secret)) =
        (environment("AWS_ACCESS_KEY_ID")?, environment("AWS_SECRET_ACCESS_KEY")?)
    else {
        bail!(
            "object_store_url names a bucket, which is asked by keys; set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
        );
    };
    let keys = Keys::new(key, secret, environment("AWS_SESSION_TOKEN")?);
    let keys = keys.context("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")?;
    let region = environment("AWS_REGION")?.unwrap_or_else(|| REGION_DEFAULT.to_owned());
    let settings = BucketSettings::new(url, region, keys).context("AWS_REGION")?;
    Ok(Some(match environment("AWS_ENDPOINT_URL")? {
        Some(endpoint) => settings.with_endpoint(&endpoint).context("AWS_ENDPOINT_URL")?,
        None => settings,
    }))
}

/// The variable `name`; `None` when it is not set, or empty.
#[expect(clippy::disallowed_methods, reason = "this is where configuration is read once")]
fn environment(name: &'static str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{name} is not text"),
    }
}
