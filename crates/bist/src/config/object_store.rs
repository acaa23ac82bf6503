//! Where the artefacts of models are kept besides the data directory.

use anyhow::{Context, bail};
use bist_access::{Secret, SecretName};
use bist_app::{App, BucketSettings, Keys, ObjectStoreUrl};

use super::environment;
use super::secrets::reference;

/// The region of a server that has none of its own.
const REGION_DEFAULT: &str = "us-east-1";

/// A bucket, and where its keys are.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    settings: BucketSettings,
    access_key_id: Key,
    secret_access_key: Key,
    session_token: Option<Key>,
}

/// One of the keys of a bucket, and the variable that gives it.
#[derive(Clone, Debug)]
struct Key {
    variable: &'static str,
    value: KeyValue,
}

#[derive(Clone, Debug)]
enum KeyValue {
    /// It is the value of the variable.
    Here(Secret),
    /// It is a secret.
    Stored(SecretName),
}

/// The bucket that the setting called `setting` names as `url`; `None` when it is the data directory
/// alone, as without one.
///
/// Keys, region and endpoint come from the environment, under the names that other software knows.
pub(super) fn bucket(setting: &'static str, url: Option<&str>) -> anyhow::Result<Option<Bucket>> {
    let Some(url) = url else { return Ok(None) };
    let url = match url.parse().context(setting)? {
        ObjectStoreUrl::DataDirectory => return Ok(None),
        ObjectStoreUrl::Bucket(url) => url,
    };
    let (Some(access_key_id), Some(secret_access_key)) =
        (key("AWS_ACCESS_KEY_ID")?, key("AWS_SECRET_ACCESS_KEY")?)
    else {
        bail!(
            "{setting} names a bucket, which is asked by keys; set AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY"
        );
    };
    let region = environment("AWS_REGION")?.unwrap_or_else(|| REGION_DEFAULT.to_owned());
    let settings = BucketSettings::new(url, region).context("AWS_REGION")?;
    let settings = match environment("AWS_ENDPOINT_URL")? {
        Some(endpoint) => settings.with_endpoint(&endpoint).context("AWS_ENDPOINT_URL")?,
        None => settings,
    };
    let session_token = key("AWS_SESSION_TOKEN")?;
    Ok(Some(Bucket { settings, access_key_id, secret_access_key, session_token }))
}

/// The key that the variable gives, or the secret that it names.
fn key(variable: &'static str) -> anyhow::Result<Option<Key>> {
    let Some(text) = environment(variable)? else { return Ok(None) };
    let text = Secret::new(text);
    let value = match reference(text.expose()).context(variable)? {
        Some(name) => KeyValue::Stored(name),
        None => KeyValue::Here(text),
    };
    Ok(Some(Key { variable, value }))
}

impl Bucket {
    /// The variables that hold a key themselves.
    pub(super) fn plain_secrets(&self) -> impl Iterator<Item = &'static str> {
        let keys =
            [Some(&self.access_key_id), Some(&self.secret_access_key), self.session_token.as_ref()];
        let is_plain = |key: &&Key| matches!(key.value, KeyValue::Here(_));
        keys.into_iter().flatten().filter(is_plain).map(|key| key.variable)
    }

    /// `app` with this bucket; keys that are secrets come from its store.
    pub(crate) async fn open(&self, app: App) -> anyhow::Result<App> {
        let keys = self.keys(&app).await?;
        Ok(app.with_bucket(&self.settings, &keys)?)
    }

    /// `app` with copies of backups in this bucket.
    pub(crate) async fn open_for_copies(&self, app: App) -> anyhow::Result<App> {
        let keys = self.keys(&app).await?;
        Ok(app.with_backup_copies(&self.settings, &keys)?)
    }

    async fn keys(&self, app: &App) -> anyhow::Result<Keys> {
        let token = match &self.session_token {
            Some(token) => Some(token.read(app).await?),
            None => None,
        };
        let (id, secret) =
            (self.access_key_id.read(app).await?, self.secret_access_key.read(app).await?);
        Keys::new(id, secret, token)
            .context("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
    }
}

impl Key {
    async fn read(&self, app: &App) -> anyhow::Result<Secret> {
        match &self.value {
            KeyValue::Here(secret) => Ok(secret.clone()),
            KeyValue::Stored(name) => app
                .secret(name)
                .await
                .with_context(|| format!("{} is the secret '{name}'", self.variable)),
        }
    }
}
