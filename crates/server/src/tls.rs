//! TLS that ends in this process, with a certificate that may be renewed while it runs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// A certificate with its key, read again when their files have changed.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Files>);

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    read: Mutex<Read>,
}

/// What was read last.
#[derive(Debug)]
struct Read {
    config: Arc<ServerConfig>,
    marks: [Mark; 2],
}

/// What changes when a file is written anew.
type Mark = Option<(SystemTime, u64)>;

/// Why a certificate is not used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the file {path} cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than its owner may read the key, or replace it.
    #[error(
        "the key file {path} may be read or written by others than its owner (mode {mode:03o}); run \
         `chmod 600 {path}`, and have a new certificate made if anybody has read it"
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// There is no certificate, or no key, in PEM form.
    #[error("the file {path} holds no {wanted} in PEM form")]
    NothingThere {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: &'static str,
    },
    /// They do not belong together, or cannot be used.
    #[error("the certificate {path} cannot be used with its key: {error}")]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// Why.
        error: rustls::Error,
    },
}

impl Tls {
    /// Reads the certificate, with those that lead to its root, and its key; both in PEM form.
    ///
    /// # Errors
    ///
    /// [`TlsError`] when they cannot be read or do not fit, or others may read the key.
    pub fn read(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let marks = marks(&certificate, &key);
        let read = Mutex::new(Read { config: config(&certificate, &key)?, marks });
        Ok(Self(Arc::new(Files { certificate, key, read })))
    }

    /// What greets the next connection.
    ///
    /// Looks whether the files have changed, which costs a few microseconds beside the thousand of a
    /// greeting. When what they hold cannot be used, perhaps because one of them is still being
    /// written, the certificate from before goes on.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let Files { certificate, key, read } = &*self.0;
        let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks(certificate, key);
        if marks != read.marks {
            read.marks = marks;
            match config(certificate, key) {
                Ok(config) => {
                    read.config = config;
                    tracing::info!("the certificate was read anew");
                }
                Err(error) => tracing::warn!(
                    %error,
                    "the certificate from before stays in use: {error}"
                ),
            }
        }
        TlsAcceptor::from(Arc::clone(&read.config))
    }
}

fn marks(certificate: &Path, key: &Path) -> [Mark; 2] {
    [certificate, key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

/// TLS 1.2 and 1.3 with the suites of rustls, all of which have forward secrecy and authenticated
/// encryption.
fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&bytes(certificate)?).collect::<Result<Vec<_>, _>>();
    let nothing = |path: &Path, wanted| TlsError::NothingThere { path: path.to_owned(), wanted };
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| nothing(certificate, "certificate"))?;
    check_private(key)?;
    let own = PrivateKeyDer::from_pem_slice(&bytes(key)?);
    let own = own.map_err(|_| nothing(key, "private key"))?;
    let unusable = |error| TlsError::Unusable { path: certificate.to_owned(), error };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?;
    let mut config =
        builder.with_no_client_auth().with_single_cert(chain, own).map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Unreadable { path: path.to_owned(), error })
}

/// Refuses a key that others than its owner may read or write.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt as _;
    let unreadable = |error| TlsError::Unreadable { path: path.to_owned(), error };
    let mode = fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(TlsError::OpenToOthers { path: path.to_owned(), mode })
    }
}

/// Other systems have no such permissions.
#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), TlsError> {
    Ok(())
}
