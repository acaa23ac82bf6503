//! A bucket of an S3-compatible object store, as far as artefacts need one.

mod settings;

use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bist_market::breaker::BreakerState;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, PutPayload, RetryConfig,
};

use crate::artifacts::on_disk;
use crate::outside_part::OutsidePart;

pub use settings::{BucketSettings, BucketSettingsError, BucketUrl, Keys, ObjectStoreUrl};

/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long one attempt may take, the bytes included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// Attempts after the first, of what may be tried again: a server that fails or cannot be reached.
const RETRIES_MAX: usize = 2;

/// After so long nothing is tried again.
const RETRY_TIMEOUT: Duration = Duration::from_secs(90);

/// Bytes of a file that are sent at once; servers want all parts but the last of the same size, and at
/// least 5 MiB.
const PART_BYTES: usize = 8 << 20;

/// After so many requests in a row that failed, all their attempts included, it is left alone for a
/// while: whoever waits for a model then hears at once that it cannot be had.
const FAILURES_MAX: u32 = 3;
const LEFT_ALONE_FOR: Duration = Duration::from_secs(30);

/// The most to wait before the second attempt; the bound doubles with each.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);

/// The most to wait before any attempt.
const BACKOFF_MAX: Duration = Duration::from_secs(2);

/// How the client tells that a server answered with an error: its words, the status, and the answer,
/// which may name the key.
const ANSWERED: &str = "Server returned non-2xx status code: ";

/// Why an object could not be had or put.
#[derive(Debug, thiserror::Error)]
#[error("the object {object} cannot be {asked}: {reason}")]
pub struct BucketError {
    /// The address of the object.
    pub object: String,
    /// What was asked, as in "read".
    pub asked: &'static str,
    /// What failed.
    pub reason: String,
}

/// A bucket that can be asked. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub(crate) struct Bucket {
    client: Arc<AmazonS3>,
    url: BucketUrl,
    part: OutsidePart,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Bucket {
    pub(crate) fn new(settings: &BucketSettings, keys: &Keys) -> Result<Self, BucketError> {
        let url = settings.url.clone();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(url.bucket())
            .with_region(&settings.region)
            .with_access_key_id(keys.access_key_id())
            .with_secret_access_key(keys.secret_access_key())
            // What may be asked without TLS was decided with the settings.
            .with_allow_http(true)
            .with_http_connector(Connector)
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: BACKOFF_FIRST,
                    max_backoff: BACKOFF_MAX,
                    base: 2.0,
                },
                max_retries: RETRIES_MAX,
                retry_timeout: RETRY_TIMEOUT,
            });
        if let Some(token) = keys.session_token() {
            builder = builder.with_token(token);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        match builder.build() {
            Ok(client) => {
                let part = OutsidePart::new(FAILURES_MAX, LEFT_ALONE_FOR);
                Ok(Self { client: Arc::new(client), url, part })
            }
            Err(error) => Err(failed(url.to_string(), "asked", &error)),
        }
    }

    /// The address of the object `name`.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("{}/{name}", self.url)
    }

    /// The bytes of the object `name`, if there are not more than `bytes_max`.
    pub(crate) async fn get(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, BucketError> {
        let asked = "read";
        self.pass(name, asked)?;
        let failed = |error| self.noted(name, asked, &error);
        let found = self.client.get(&self.path(name)).await.map_err(failed)?;
        let size = found.meta.size;
        if size > bytes_max {
            let reason = format!("it has {size} bytes, and {bytes_max} are the most");
            return Err(BucketError { object: self.address(name), asked, reason });
        }
        let bytes = found.bytes().await.map_err(failed)?;
        self.part.note(None::<&BucketError>);
        Ok(bytes.into())
    }

    /// Puts the object `name`, unless one of that size is there: its name tells its bytes.
    pub(crate) async fn put_once(&self, name: &str, bytes: &[u8]) -> Result<(), BucketError> {
        let (path, asked) = (self.path(name), "written");
        self.pass(name, asked)?;
        let failed = |error| self.noted(name, asked, &error);
        match self.client.head(&path).await {
            Ok(found) if found.size == bytes.len() as u64 => {
                self.part.note(None::<&BucketError>);
                return Ok(());
            }
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(error)),
        }
        self.client.put(&path, PutPayload::from(bytes.to_vec())).await.map_err(failed)?;
        self.part.note(None::<&BucketError>);
        Ok(())
    }

    /// Puts the file `file` as the object `name`, part by part: all of it, or none.
    pub(crate) async fn put_file(&self, name: &str, file: &FilePath) -> Result<(), BucketError> {
        let (path, asked) = (self.path(name), "written");
        self.pass(name, asked)?;
        let failed = |error| self.noted(name, asked, &error);
        let unreadable = |error: io::Error| BucketError {
            object: self.address(name),
            asked,
            reason: format!("{} cannot be read: {error}", file.display()),
        };
        let mut file = Some(File::open(file).map_err(unreadable)?);
        let mut upload = self.client.put_multipart(&path).await.map_err(failed)?;
        let sent = async {
            while let Some(mut open) = file.take() {
                let read = on_disk(move || {
                    let mut part = Vec::with_capacity(PART_BYTES);
                    let count = (&mut open).take(PART_BYTES as u64).read_to_end(&mut part)?;
                    Ok::<_, io::Error>((part, (count == PART_BYTES).then_some(open)))
                });
                let (part, rest) = read.await.map_err(unreadable)?;
                file = rest;
                if !part.is_empty() {
                    upload.put_part(PutPayload::from(part)).await.map_err(failed)?;
                }
            }
            upload.complete().await.map_err(failed)
        };
        if let Err(error) = sent.await {
            // What was sent is nothing that anybody can read; the server forgets it, now or later.
            upload.abort().await.ok();
            return Err(error);
        }
        self.part.note(None::<&BucketError>);
        Ok(())
    }

    /// The names of all objects right below the prefix of the bucket.
    pub(crate) async fn names(&self) -> Result<Vec<String>, BucketError> {
        let asked = "listed";
        self.pass("", asked)?;
        let prefix = Path::from(self.url.prefix());
        let found = self.client.list_with_delimiter(Some(&prefix)).await;
        let found = found.map_err(|error| self.noted("", asked, &error))?;
        self.part.note(None::<&BucketError>);
        let names = found.objects.iter().filter_map(|object| object.location.filename());
        Ok(names.map(str::to_owned).collect())
    }

    /// The names of all objects in the folders below `folder`, as they were put.
    pub(crate) async fn names_below(&self, folder: &str) -> Result<Vec<String>, BucketError> {
        let asked = "listed";
        self.pass(folder, asked)?;
        let failed = |error| self.noted(folder, asked, &error);
        let found = self.client.list_with_delimiter(Some(&self.path(folder))).await;
        let mut names = Vec::new();
        for below in found.map_err(failed)?.common_prefixes {
            let found = self.client.list_with_delimiter(Some(&below)).await.map_err(failed)?;
            let files = found.objects.iter().filter_map(|object| object.location.filename());
            let below = below.filename().unwrap_or_default();
            names.extend(files.map(|file| format!("{folder}/{below}/{file}")));
        }
        self.part.note(None::<&BucketError>);
        Ok(names)
    }

    /// Removes the object `name`.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), BucketError> {
        let asked = "removed";
        self.pass(name, asked)?;
        let removed = self.client.delete(&self.path(name)).await;
        removed.map_err(|error| self.noted(name, asked, &error))?;
        self.part.note(None::<&BucketError>);
        Ok(())
    }

    /// Whether it is being asked.
    pub(crate) fn state(&self) -> BreakerState {
        self.part.state()
    }

    /// Refuses while it is left alone.
    fn pass(&self, name: &str, asked: &'static str) -> Result<(), BucketError> {
        self.part.pass().map_err(|alone| {
            let reason = format!(
                "it failed {} times in a row and is left alone for {} s; the last time {}",
                alone.failures_count,
                alone.retry_in.as_secs() + 1,
                alone.last
            );
            BucketError { object: self.address(name), asked, reason }
        })
    }

    /// The error, after it was noted whether the server is there.
    fn noted(&self, name: &str, asked: &'static str, error: &object_store::Error) -> BucketError {
        let told = failed(self.address(name), asked, error);
        let is_there = matches!(
            error,
            object_store::Error::NotFound { .. }
                | object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }
        );
        self.part.note((!is_there).then_some(&told.reason));
        told
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.url.prefix()))
    }
}

/// Makes the client that everything is sent through, with our limits and without proxies of the
/// environment.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // Fails only when another thread was faster, with the same provider.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ATTEMPT_TIMEOUT)
            // What was signed for one address is sent to no other.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build();
        match client {
            Ok(client) => Ok(HttpClient::new(client)),
            Err(error) => {
                Err(object_store::Error::Generic { store: "S3", source: Box::new(error) })
            }
        }
    }
}

fn failed(object: String, asked: &'static str, error: &object_store::Error) -> BucketError {
    BucketError { object, asked, reason: reason(error) }
}

/// What failed, in words that hold nothing of what was sent: the innermost cause; of an answer its
/// status, and the code in it.
fn reason(error: &object_store::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let cause = innermost.to_string();
    let Some(answer) = cause.strip_prefix(ANSWERED) else { return cause };
    let status = answer.split(':').next().unwrap_or_default();
    let advice = if matches!(error, object_store::Error::NotFound { .. }) {
        ", so that the object, or the bucket, is not there"
    } else if matches!(
        error,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. }
    ) {
        "; see whether AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong to somebody who may"
    } else {
        ""
    };
    match code(answer) {
        Some(code) => format!("the server answered {status} ({code}){advice}"),
        None => format!("the server answered {status}{advice}"),
    }
}

/// The code in an answer of S3, such as `NoSuchBucket`.
fn code(answer: &str) -> Option<&str> {
    let (code, _) = answer.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_word = code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_word.then_some(code)
}
