//! TLS that ends in this process, with a certificate that may be renewed while it runs: read from files,
//! or ordered from an authority.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bist_app::StoreError;
use bist_app::certificates::{Certificates, Validity};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{Acceptor, ClientHello, WantsServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

/// What an authority speaks that looks whether a domain is ours (RFC 8737).
const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

/// A certificate with its key.
#[derive(Clone, Debug)]
pub struct Tls(Arc<Source>);

/// Where it comes from.
#[derive(Debug)]
enum Source {
    Files(Files),
    Ordered(Ordered),
}

/// An ordered certificate; what is served with it, and what shows the authority that a domain is ours.
#[derive(Debug)]
struct Ordered {
    certificates: Arc<Certificates>,
    config: Arc<ServerConfig>,
}

/// A certificate that is read again when its files have changed.
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
    /// There is no way to speak TLS.
    #[error("TLS cannot be configured: {0}")]
    NoConfiguration(rustls::Error),
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
        Ok(Self(Arc::new(Source::Files(Files { certificate, key, read }))))
    }

    /// Takes the certificate that `certificates` looks after. Before there is one, every greeting ends
    /// with the alert `access_denied`.
    ///
    /// # Errors
    ///
    /// [`TlsError::NoConfiguration`] when TLS cannot be configured at all.
    pub fn ordered(certificates: Arc<Certificates>) -> Result<Self, TlsError> {
        let builder = builder().map_err(TlsError::NoConfiguration)?;
        let mut config = builder.with_cert_resolver(Arc::<Certificates>::clone(&certificates));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let config = Arc::new(config);
        Ok(Self(Arc::new(Source::Ordered(Ordered { certificates, config }))))
    }

    /// From when until when the certificate is good; `None` when there is none yet, or it cannot be read.
    pub fn validity(&self) -> Option<Validity> {
        match &*self.0 {
            Source::Files(files) => {
                let text = fs::read(&files.certificate).ok()?;
                Validity::of(&CertificateDer::from_pem_slice(&text).ok()?)
            }
            Source::Ordered(ordered) => Some(ordered.certificates.current()?.validity),
        }
    }

    /// Agrees on keys with whoever has connected; `None` when it was an authority that has seen by that
    /// what it wanted to.
    pub(crate) async fn greet(
        &self,
        stream: TcpStream,
    ) -> io::Result<Option<TlsStream<TcpStream>>> {
        let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        let config = match &*self.0 {
            Source::Files(files) => files.config(),
            Source::Ordered(ordered) => match challenged(&begun.client_hello()) {
                Some(domain) => {
                    let config = ordered.answer(&domain).await.map_err(io::Error::other)?;
                    begun.into_stream(config).await?;
                    return Ok(None);
                }
                None => Arc::clone(&ordered.config),
            },
        };
        Ok(Some(begun.into_stream(config).await?))
    }
}

/// The domain that an authority asks about, when the greeting is one of an authority.
fn challenged(hello: &ClientHello<'_>) -> Option<String> {
    let asks = hello.alpn()?.any(|protocol| protocol == CHALLENGE_PROTOCOL);
    if asks { hello.server_name().map(str::to_ascii_lowercase) } else { None }
}

impl Ordered {
    /// What shows the authority that `domain` is ours: a certificate that names what it told us.
    async fn answer(&self, domain: &str) -> Result<Arc<ServerConfig>, ChallengeError> {
        let digest = self.certificates.answer_for(domain).await?;
        let digest = digest.ok_or_else(|| ChallengeError::NotAsked(domain.to_owned()))?;
        let mut params = CertificateParams::new([domain.to_owned()])?;
        params.custom_extensions = vec![CustomExtension::new_acme_identifier(&digest)];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = rustls::crypto::ring::sign::any_supported_type(&key)?;
        // Not looked at here: what an authority is told stands in an extension that is critical, and
        // unknown to everybody else.
        let certified = CertifiedKey::new(vec![certificate.der().clone()], key);
        let only = Arc::new(SingleCertAndKey::from(certified));
        let mut config = builder()?.with_cert_resolver(only);
        config.alpn_protocols = vec![CHALLENGE_PROTOCOL.to_vec()];
        tracing::info!("an authority looks whether {domain} is ours");
        Ok(Arc::new(config))
    }
}

/// Why an authority gets no answer.
#[derive(Debug, thiserror::Error)]
enum ChallengeError {
    #[error("no certificate is being ordered for {0}")]
    NotAsked(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    Config(#[from] rustls::Error),
}

impl Files {
    /// What greets the next connection.
    ///
    /// Looks whether the files have changed, which costs a few microseconds beside the thousand of a
    /// greeting. When what they hold cannot be used, perhaps because one of them is still being
    /// written, the certificate from before goes on.
    fn config(&self) -> Arc<ServerConfig> {
        let Self { certificate, key, read } = self;
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
        Arc::clone(&read.config)
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
fn builder() -> Result<ConfigBuilder<ServerConfig, WantsServerCert>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider);
    Ok(builder.with_safe_default_protocol_versions()?.with_no_client_auth())
}

/// The configuration with a certificate and a key that are read from their files.
fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&bytes(certificate)?).collect::<Result<Vec<_>, _>>();
    let nothing = |path: &Path, wanted| TlsError::NothingThere { path: path.to_owned(), wanted };
    let chain = chain.ok().filter(|chain| !chain.is_empty());
    let chain = chain.ok_or_else(|| nothing(certificate, "certificate"))?;
    check_private(key)?;
    let own = PrivateKeyDer::from_pem_slice(&bytes(key)?);
    let own = own.map_err(|_| nothing(key, "private key"))?;
    let unusable = |error| TlsError::Unusable { path: certificate.to_owned(), error };
    let builder = builder().map_err(unusable)?;
    let mut config = builder.with_single_cert(chain, own).map_err(unusable)?;
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
