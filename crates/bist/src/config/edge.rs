//! How the server is reached, by whom, and how much they may take.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bist_access::{Secret, SecretName};
use bist_app::certificates::{AcmeSettings, Certificates, DIRECTORY_DEFAULT};
use bist_app::rate_limits::{Quotas, RateLimits};
use bist_app::{App, RedisAddress, RedisLink, SharedLimiter};
use bist_server::{ConnectionLimits, LiveLimits, Origin, ServerSettings, Tls};
use ipnet::IpNet;
use serde::Deserialize;

use super::environment;
use super::secrets::{in_file, reference};

/// The most connections that may be asked for.
const CONNECTIONS_MAX: usize = 1_000_000;

/// The longest that a head or a body may take, seconds.
const TIME_S_MAX: u64 = 300;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerSection {
    pub(super) bind: Option<SocketAddr>,
    public_url: Option<String>,
    #[serde(default)]
    trusted_proxies: Vec<String>,
    #[serde(default)]
    cors_origins: Vec<String>,
    tls: Option<TlsSection>,
    acme: Option<AcmeSection>,
    #[serde(default)]
    connections: ConnectionsSection,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsSection {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcmeSection {
    #[serde(default)]
    domains: Vec<String>,
    contact: Option<String>,
    directory: Option<String>,
    #[serde(default)]
    accept_terms: bool,
    roots: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionsSection {
    all_max: Option<usize>,
    per_address_max: Option<usize>,
    head_time_s_max: Option<u64>,
    body_time_s_max: Option<u64>,
    requests_max: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsSection {
    ai: Option<String>,
    auth: Option<String>,
    trading: Option<String>,
    default: Option<String>,
    address_multiple: Option<u32>,
}

/// The edge of the server.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    public_url: Option<Origin>,
    trusted_proxies: Vec<IpNet>,
    cors_origins: Vec<Origin>,
    connections: ConnectionLimits,
    live: LiveLimits,
    tls: Option<TlsFiles>,
    acme: Option<AcmeSettings>,
    quotas: Quotas,
    redis: Option<Redis>,
}

/// Files of a certificate and its key.
#[derive(Clone, Debug)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// What several processes share.
#[derive(Clone, Debug)]
struct Redis {
    address: RedisAddress,
    password: Option<Password>,
}

#[derive(Clone, Debug)]
enum Password {
    /// It was in a file.
    Here(Secret),
    /// It is a secret.
    Stored(SecretName),
}

impl Edge {
    /// Joins the sections of the file with the environment.
    pub(super) fn load(
        server: ServerSection,
        limits: &LimitsSection,
        live: LiveLimits,
        redis_url: Option<String>,
        redis_password: Option<&str>,
    ) -> anyhow::Result<Self> {
        let public_url = environment("BIST_PUBLIC_URL")?.or(server.public_url);
        let proxies = list("BIST_TRUSTED_PROXIES", server.trusted_proxies)?;
        let origins = list("BIST_CORS_ORIGINS", server.cors_origins)?;
        let redis_url = environment("BIST_REDIS_URL")?.or(redis_url);
        let public_url = public_url.as_deref().map(own_address).transpose()?;
        let acme = server.acme.map(|section| acme(section, public_url.as_ref())).transpose()?;
        Ok(Self {
            public_url,
            trusted_proxies: all(&proxies, network).context("server.trusted_proxies")?,
            cors_origins: all(&origins, |text| Ok(Origin::from_str(text)?))
                .context("server.cors_origins")?,
            connections: connections(&server.connections)?,
            live,
            tls: server.tls.map(|TlsSection { certificate, key }| TlsFiles { certificate, key }),
            acme,
            quotas: quotas(limits)?,
            redis: redis_url.map(|url| redis(&url, redis_password)).transpose()?,
        })
    }

    /// The address under which people reach the service, if one is configured.
    pub(crate) fn public_url(&self) -> Option<&Origin> {
        self.public_url.as_ref()
    }

    /// Whether the password of Redis lies in a file.
    pub(super) fn has_plain_password(&self) -> bool {
        let password = self.redis.as_ref().and_then(|redis| redis.password.as_ref());
        matches!(password, Some(Password::Here(_)))
    }

    /// The quotas that hold.
    pub(crate) fn quotas(&self) -> Quotas {
        self.quotas
    }

    /// What looks after the certificate, where one is ordered.
    pub(crate) async fn certificates(
        &self,
        app: &App,
    ) -> anyhow::Result<Option<Arc<Certificates>>> {
        let Some(acme) = &self.acme else { return Ok(None) };
        Ok(Some(Arc::new(Certificates::new(app.clone(), acme.clone()).await?)))
    }

    /// The settings of the server, with the certificate of `tls` rather than that of the file, or with
    /// the one that is ordered.
    pub(crate) async fn settings(
        &self,
        app: &App,
        tls: Option<TlsFiles>,
        ordered: Option<Arc<Certificates>>,
    ) -> anyhow::Result<ServerSettings> {
        let limits = RateLimits::new(self.quotas, app.clock());
        let limits = match app.redis() {
            Some(link) => limits.with_shared(SharedLimiter::new(link.clone())),
            None => limits,
        };
        let tls = tls.or_else(|| self.tls.clone());
        let tls = match (tls, ordered) {
            (Some(_), Some(_)) => bail!(
                "server.acme orders a certificate, and files of another one are given; keep one of \
                 the two: server.acme, or server.tls with --tls-cert and --tls-key"
            ),
            (Some(files), None) => Some(Tls::read(files.certificate, files.key)?),
            (None, Some(ordered)) => Some(Tls::ordered(ordered)?),
            (None, None) => None,
        };
        Ok(ServerSettings {
            public_url: self.public_url.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            cors_origins: self.cors_origins.clone(),
            connections: self.connections,
            live: self.live,
            tls,
            ..ServerSettings::new(Arc::new(limits))
        })
    }

    /// The settings of a process that says only how it is.
    pub(crate) fn health_settings(&self, app: &App) -> ServerSettings {
        let limits = RateLimits::new(self.quotas, app.clock());
        ServerSettings { connections: self.connections, ..ServerSettings::new(Arc::new(limits)) }
    }

    /// The way to Redis, if there is one.
    pub(crate) async fn redis_link(&self, app: &App) -> anyhow::Result<Option<RedisLink>> {
        let Some(Redis { address, password }) = &self.redis else { return Ok(None) };
        let password = match password {
            None => None,
            Some(Password::Here(secret)) => Some(secret.clone()),
            Some(Password::Stored(name)) => {
                let secret = app.secret(name).await;
                Some(secret.with_context(|| format!("redis_password is the secret '{name}'"))?)
            }
        };
        Ok(Some(RedisLink::new(address, password.as_ref()).context("redis_url")?))
    }
}

/// What the variable lists between commas; without one, what the file lists.
fn list(variable: &'static str, in_file: Vec<String>) -> anyhow::Result<Vec<String>> {
    Ok(match environment(variable)? {
        Some(text) => text.split(',').map(|part| part.trim().to_owned()).collect(),
        None => in_file,
    })
}

fn all<T>(texts: &[String], parse: impl Fn(&str) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    texts.iter().map(|text| parse(text)).collect()
}

/// The address under which people reach the server.
fn own_address(text: &str) -> anyhow::Result<Origin> {
    let origin: Origin =
        text.strip_suffix('/').unwrap_or(text).parse().context("server.public_url")?;
    if !origin.is_https() && !origin.is_loopback() {
        bail!(
            "server.public_url is {origin}, over which passwords would be sent in the clear; give an \
             address that begins with https://"
        );
    }
    Ok(origin)
}

/// What is ordered from which authority.
fn acme(section: AcmeSection, public_url: Option<&Origin>) -> anyhow::Result<AcmeSettings> {
    let AcmeSection { mut domains, contact, directory, accept_terms, roots } = section;
    let directory = directory.unwrap_or_else(|| DIRECTORY_DEFAULT.to_owned());
    if !directory.starts_with("https://") {
        bail!("server.acme.directory is '{directory}'; give an address that begins with https://");
    }
    if !accept_terms {
        bail!(
            "server.acme.accept_terms is not true: a certificate authority gives certificates to those \
             who accept its terms; read them at {directory}, where 'termsOfService' leads to them, and \
             set it"
        );
    }
    if domains.is_empty() {
        let Some(public_url) = public_url else {
            bail!("server.acme has no domains; name them, or set server.public_url");
        };
        domains.push(public_url.host().to_owned());
    }
    for domain in &mut domains {
        domain.make_ascii_lowercase();
        // Names and nothing else: tls-alpn-01 shows no whole zones, and addresses need other orders.
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        if !domain.split('.').all(is_part) || domain.parse::<IpAddr>().is_ok() {
            bail!(
                "server.acme.domains: '{domain}' is no name that a certificate is ordered for; give one \
                 such as bist.example, without an asterisk and no address"
            );
        }
    }
    if let Some(contact) = contact.as_ref().filter(|contact| !contact.contains('@')) {
        bail!(
            "server.acme.contact is '{contact}'; give an e-mail address such as ops@bist.example"
        );
    }
    Ok(AcmeSettings { domains, contact, directory, roots })
}

/// A network, or an address that stands for itself.
fn network(text: &str) -> anyhow::Result<IpNet> {
    let alone = text.parse::<IpAddr>().map(IpNet::from);
    alone.or_else(|_| text.parse()).with_context(|| {
        format!("'{text}' is no address or network; give one such as 10.0.0.0/8 or 2001:db8::/32")
    })
}

fn connections(section: &ConnectionsSection) -> anyhow::Result<ConnectionLimits> {
    let default = ConnectionLimits::default();
    let count = |name, given: Option<usize>, default| match given {
        Some(count @ 1..=CONNECTIONS_MAX) => Ok(count),
        Some(count) => {
            bail!("server.connections.{name} is {count}; give a number from 1 to {CONNECTIONS_MAX}")
        }
        None => Ok(default),
    };
    let time = |name, given: Option<u64>, default| match given {
        Some(time_s @ 1..=TIME_S_MAX) => Ok(Duration::from_secs(time_s)),
        Some(time_s) => {
            bail!("server.connections.{name} is {time_s}; give seconds from 1 to {TIME_S_MAX}")
        }
        None => Ok(default),
    };
    let per_address = default.connections_per_address_max;
    Ok(ConnectionLimits {
        connections_max: count("all_max", section.all_max, default.connections_max)?,
        connections_per_address_max: count(
            "per_address_max",
            section.per_address_max,
            per_address,
        )?,
        head_time_max: time("head_time_s_max", section.head_time_s_max, default.head_time_max)?,
        body_time_max: time("body_time_s_max", section.body_time_s_max, default.body_time_max)?,
        requests_max: count("requests_max", section.requests_max, default.requests_max)?,
    })
}

fn quotas(section: &LimitsSection) -> anyhow::Result<Quotas> {
    let mut quotas = Quotas::default();
    let LimitsSection { ai, auth, trading, default, .. } = section;
    for (name, text, quota) in [
        ("ai", ai, &mut quotas.ai),
        ("auth", auth, &mut quotas.auth),
        ("trading", trading, &mut quotas.trading),
        ("default", default, &mut quotas.default),
    ] {
        if let Some(text) = text {
            *quota = text.parse().with_context(|| format!("limits.{name}"))?;
        }
    }
    match section.address_multiple {
        Some(multiple @ 1..=1_000) => quotas.address_multiple = multiple,
        Some(multiple) => {
            bail!("limits.address_multiple is {multiple}; give a number from 1 to 1000")
        }
        None => {}
    }
    Ok(quotas)
}

fn redis(url: &str, password: Option<&str>) -> anyhow::Result<Redis> {
    let address = url.parse().context("redis_url")?;
    let password = password.map(|text| -> anyhow::Result<Password> {
        Ok(match reference(text)? {
            Some(name) => Password::Stored(name),
            None => Password::Here(in_file(Path::new(text))?),
        })
    });
    Ok(Redis { address, password: password.transpose().context("redis_password")? })
}
