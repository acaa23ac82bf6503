//! Where a bucket is, and by which keys it is asked.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use bist_access::Secret;

/// Where artefacts are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectStoreUrl {
    /// `file:`, the data directory alone.
    DataDirectory,
    /// `s3://BUCKET/PREFIX`, the data directory and a bucket.
    Bucket(BucketUrl),
}

/// A place in a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketUrl {
    bucket: String,
    /// Without slashes at its ends; may be empty.
    prefix: String,
}

impl BucketUrl {
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for BucketUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// Why settings name no bucket. None of the sentences repeats what was given, which may be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BucketSettingsError {
    /// Neither of the two forms.
    #[error("it is no object store; give file: (the data directory) or s3://BUCKET/PREFIX")]
    Url,
    /// The name of the bucket is none.
    #[error(
        "its bucket has no valid name; give 3 to 63 small letters, digits, dots and hyphens, as in \
         s3://BUCKET/PREFIX, and no keys"
    )]
    BucketName,
    /// The prefix would be written otherwise by another program.
    #[error(
        "its prefix is not valid; give words of letters, digits and the signs . - _ with one slash \
         between them"
    )]
    Prefix,
    /// The endpoint is no address.
    #[error(
        "it is no address of a server; give one such as https://s3.example.org, without user, \
         password, query and fragment"
    )]
    Endpoint,
    /// The endpoint would be asked without TLS.
    #[error(
        "plain http goes to this machine only, as in http://127.0.0.1:9000; give an https address"
    )]
    PlainHttp,
    /// There is no key.
    #[error("a key or its secret is empty, or holds blanks; set both, without quotes")]
    Keys,
    /// The region is no word.
    #[error("it is no region; give one such as eu-central-1")]
    Region,
}

impl FromStr for ObjectStoreUrl {
    type Err = BucketSettingsError;

    fn from_str(text: &str) -> Result<Self, BucketSettingsError> {
        if text == "file:" {
            return Ok(Self::DataDirectory);
        }
        let place = text.strip_prefix("s3://").ok_or(BucketSettingsError::Url)?;
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let in_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        let at_end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !(3..=63).contains(&bucket.len())
            || !bucket.chars().all(in_name)
            || !at_end(bucket.chars().next())
            || !at_end(bucket.chars().next_back())
        {
            return Err(BucketSettingsError::BucketName);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let in_word = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(in_word) && !matches!(word, "." | "..")
        };
        if !prefix.is_empty() && !prefix.split('/').all(is_word) {
            return Err(BucketSettingsError::Prefix);
        }
        Ok(Self::Bucket(BucketUrl { bucket: bucket.to_owned(), prefix: prefix.to_owned() }))
    }
}

/// The keys by which a bucket is asked; never printed.
#[derive(Clone, Debug)]
pub struct Keys {
    access_key_id: Secret,
    secret_access_key: Secret,
    session_token: Option<Secret>,
}

impl Keys {
    /// Takes the keys in; `session_token` belongs to keys that expire.
    ///
    /// # Errors
    ///
    /// [`BucketSettingsError::Keys`] when one cannot be one.
    pub fn new(
        access_key_id: Secret,
        secret_access_key: Secret,
        session_token: Option<Secret>,
    ) -> Result<Self, BucketSettingsError> {
        let is_key = |key: &Secret| {
            let key = key.expose();
            !key.is_empty() && key.chars().all(|c| c.is_ascii_graphic())
        };
        let token = session_token.as_ref();
        if [Some(&access_key_id), Some(&secret_access_key), token].into_iter().flatten().all(is_key)
        {
            Ok(Self { access_key_id, secret_access_key, session_token })
        } else {
            Err(BucketSettingsError::Keys)
        }
    }

    pub(super) fn access_key_id(&self) -> &str {
        self.access_key_id.expose()
    }

    pub(super) fn secret_access_key(&self) -> &str {
        self.secret_access_key.expose()
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(Secret::expose)
    }
}

/// A bucket and its server.
#[derive(Clone, Debug)]
pub struct BucketSettings {
    pub(super) url: BucketUrl,
    pub(super) region: String,
    /// The server, where it is not that of the region.
    pub(super) endpoint: Option<String>,
}

impl BucketSettings {
    /// The bucket at `url` in `region` of Amazon.
    ///
    /// # Errors
    ///
    /// [`BucketSettingsError::Region`] when the region is no word.
    pub fn new(url: BucketUrl, region: String) -> Result<Self, BucketSettingsError> {
        let in_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if region.is_empty() || !region.chars().all(in_word) {
            return Err(BucketSettingsError::Region);
        }
        Ok(Self { url, region, endpoint: None })
    }

    /// The same on the server at `endpoint`. Plain http is for this machine only.
    ///
    /// # Errors
    ///
    /// [`BucketSettingsError::Endpoint`] and [`BucketSettingsError::PlainHttp`].
    pub fn with_endpoint(self, endpoint: &str) -> Result<Self, BucketSettingsError> {
        let url = reqwest::Url::parse(endpoint).map_err(|_| BucketSettingsError::Endpoint)?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(BucketSettingsError::Endpoint)?;
        let has_more = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        match url.scheme() {
            _ if has_more => return Err(BucketSettingsError::Endpoint),
            "https" => {}
            "http" if is_this_machine(host) => {}
            "http" => return Err(BucketSettingsError::PlainHttp),
            _ => return Err(BucketSettingsError::Endpoint),
        }
        Ok(Self { endpoint: Some(url.as_str().trim_end_matches('/').to_owned()), ..self })
    }
}

fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
