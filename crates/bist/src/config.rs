//! Configuration: one TOML file, then `BIST_...` environment variables, then flags.
//!
//! The only place that reads the environment (clap does it for the flags below, `object_store` for
//! the names that other software knows). Every key is described in docs/CONFIGURATION.md.

mod alerts;
mod backup;
pub(crate) mod database;
pub(crate) mod edge;
mod errors;
pub(crate) mod live;
mod object_store;
pub(crate) mod processes;
mod secrets;
mod telemetry;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bist_access::SecretName;
use bist_app::alerts::AlertSettings;
use bist_app::backups::BackupSettings;
use bist_app::nightly::NightlySettings;
use bist_app::secrets::{MasterKeySource, StoredCredential};
use bist_app::telemetry::sentry::SentrySettings;
use bist_app::telemetry::traces::TraceSettings;
use bist_app::telemetry::usage::TelemetrySettings;
use bist_app::universes::UniverseName;
use bist_feeds::{KapStrategy, SourceSection, SourceSettings};
use bist_market::validate::ValidationPolicy;
use bist_market::{PriceBasis, Source};
use clap::Args;
use serde::Deserialize;

use self::alerts::{AlertsSection, SmtpSection};
use self::backup::BackupSection;
use self::database::{Database, DatabaseSection};
use self::edge::{Edge, LimitsSection, ServerSection};
use self::errors::ErrorsSection;
use self::live::{LiveConfig, LiveSection, QuotesConfig};
use self::object_store::Bucket;
use self::processes::{HealthSection, JobsSection, Processes};
use self::secrets::{SecretsSection, in_file};
use self::telemetry::TelemetrySection;

/// Where the server listens unless told otherwise.
const BIND_DEFAULT: &str = "127.0.0.1:8080";

/// Where the data lie unless told otherwise.
const DATA_DIR_DEFAULT: &str = "data";

/// Who types a command where the system does not say.
pub(crate) const OPERATOR_UNKNOWN: &str = "unknown";

/// Flags that every command takes.
#[derive(Args, Debug)]
pub(crate) struct CommonArgs {
    /// Directory that holds the database and the models [default: data]
    #[arg(long, value_name = "DIR", global = true, env = "BIST_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (TOML); see docs/CONFIGURATION.md
    #[arg(long, value_name = "FILE", global = true, env = "BIST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Which database: `sqlite:` (the file in the data directory) or `postgres://USER@HOST/NAME`
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "BIST_DATABASE_URL",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,
    /// Where the artefacts of models are kept besides: `file:` (nowhere else) or `s3://BUCKET/PREFIX`
    #[arg(
        long,
        value_name = "URL",
        global = true,
        env = "BIST_OBJECT_STORE_URL",
        hide_env_values = true
    )]
    pub(crate) object_store_url: Option<String>,
    /// File with the master key of the secrets, which only its owner may read
    #[arg(long, value_name = "FILE", global = true, env = "BIST_MASTER_KEY_FILE")]
    pub(crate) master_key_file: Option<PathBuf>,
    /// Print one JSON document on standard output; progress and messages go to standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No progress and no messages; errors are still told
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// What to log to standard error, such as `info` or `bist_server=debug`
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER", hide_env_values = true)]
    pub(crate) log: Option<String>,
}

/// The settings in force.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Directory that holds the database and the models.
    pub(crate) data_dir: PathBuf,
    /// Which database is used, and how.
    pub(crate) database: Database,
    /// The bucket in which the artefacts of models are kept besides.
    pub(crate) bucket: Option<Bucket>,
    /// Where the server listens; a flag of `bist serve` may override it.
    pub(crate) bind: SocketAddr,
    /// How it is reached, by whom, and how much they may take.
    pub(crate) edge: Edge,
    /// What this process does, and how jobs are shared.
    pub(crate) processes: Processes,
    /// How the live stream is kept.
    pub(crate) live: LiveConfig,
    /// How people are told of alerts.
    pub(crate) alerts: AlertSettings,
    /// Where errors go besides the product's own list.
    pub(crate) errors: SentrySettings,
    /// How backups are made and read.
    pub(crate) backup: BackupSettings,
    /// The bucket in which copies of backups are.
    pub(crate) backup_bucket: Option<Bucket>,
    /// What is counted and noted of how it is used.
    pub(crate) telemetry: TelemetrySettings,
    /// Where spans go, if anywhere.
    pub(crate) traces: Option<TraceSettings>,
    /// When data are good enough.
    pub(crate) policy: ValidationPolicy,
    /// How each service is asked.
    pub(crate) sources: BTreeMap<Source, SourceSettings>,
    /// The keys of services that are secrets.
    pub(crate) stored_credentials: BTreeMap<Source, StoredCredential>,
    /// Where the master key of the secrets is.
    pub(crate) master_key: Option<MasterKeySource>,
    /// Which source of a symbol is used, the first that has it.
    pub(crate) source_order: Vec<Source>,
    /// What the prices of a source mean, where the user says so.
    pub(crate) price_basis: BTreeMap<Source, PriceBasis>,
    /// Through which service announcements are asked.
    pub(crate) kap: KapStrategy,
    /// What `bist serve` fetches each night; `None` when it fetches nothing.
    pub(crate) nightly: Option<NightlySettings>,
    /// Whether `bist serve` trains anew each night after a session.
    pub(crate) retraining: bool,
    /// Who types commands, by the name that the system has for them.
    pub(crate) operator: String,
    /// What to log.
    pub(crate) log: Option<String>,
}

/// The TOML file; every key is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    database_url: Option<String>,
    /// A file that holds the password of PostgreSQL.
    database_password: Option<PathBuf>,
    #[serde(default)]
    database: DatabaseSection,
    object_store_url: Option<String>,
    role: Option<String>,
    #[serde(default)]
    jobs: JobsSection,
    #[serde(default)]
    health: HealthSection,
    redis_url: Option<String>,
    /// A file that holds the password of Redis, or a secret.
    redis_password: Option<String>,
    #[serde(default)]
    server: ServerSection,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    live: LiveSection,
    #[serde(default)]
    alerts: AlertsSection,
    smtp: Option<SmtpSection>,
    #[serde(default)]
    errors: ErrorsSection,
    #[serde(default)]
    backup: BackupSection,
    #[serde(default)]
    telemetry: TelemetrySection,
    #[serde(default)]
    market: MarketSection,
    #[serde(default)]
    data: DataSection,
    /// How services are asked, by name.
    #[serde(default)]
    sources: BTreeMap<Source, SourceSection>,
    /// Files that hold the key or the user and password of a service, by name, or secrets.
    #[serde(default)]
    credentials: BTreeMap<Source, String>,
    #[serde(default)]
    secrets: SecretsSection,
    nightly: Option<NightlySection>,
    #[serde(default)]
    retraining: RetrainingSection,
    #[serde(default)]
    kap: KapSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KapSection {
    #[serde(default)]
    strategy: KapStrategy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DataSection {
    #[serde(default)]
    source_order: Vec<Source>,
    #[serde(default)]
    price_basis: BTreeMap<Source, PriceBasis>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NightlySection {
    sources: Vec<Source>,
    #[serde(default = "nightly_universe")]
    universe: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetrainingSection {
    enabled: Option<bool>,
}

/// The universe of the nightly run unless the file names one.
fn nightly_universe() -> String {
    "bist30".to_owned()
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketSection {
    #[serde(default)]
    validation: ValidationSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidationSection {
    accepted_share_min: Option<f64>,
}

impl Config {
    /// Joins the file that `args` names with the flags and the environment.
    pub(crate) fn load(args: &CommonArgs) -> anyhow::Result<Self> {
        let file = args.config.as_deref().map_or_else(|| Ok(File::default()), read)?;
        let mut policy = ValidationPolicy::default();
        if let Some(share) = file.market.validation.accepted_share_min {
            if !(0.5..=1.0).contains(&share) {
                bail!(
                    "market.validation.accepted_share_min is {share}; give a share from 0.5 to 1, such as 0.95"
                );
            }
            policy.accepted_share_min = share;
        }
        let bind = match file.server.bind {
            Some(bind) => bind,
            None => BIND_DEFAULT.parse().context("the default address is well-formed")?,
        };
        let processes = Processes::load(file.role, &file.jobs, &file.health)?;
        let redis_password = file.redis_password.as_deref();
        let live = LiveConfig::load(&file.live)?;
        let edge =
            Edge::load(file.server, &file.limits, live.limits, file.redis_url, redis_password)?;
        let data_dir = args.data_dir.clone().or(file.data_dir);
        let object_store_url =
            args.object_store_url.as_deref().or(file.object_store_url.as_deref());
        let database_url = args.database_url.as_deref().or(file.database_url.as_deref());
        let database = Database::load(database_url, file.database_password, &file.database)?;
        let sources = source_settings(&file.sources, &file.credentials)?;
        let stored_credentials = stored_credentials(&sources, &file.credentials)?;
        let nightly = file.nightly.map(|section| nightly(section, &sources)).transpose()?;
        let is_algolab = |quotes: &QuotesConfig| quotes.source == Source::ALGOLAB;
        if live.quotes.as_ref().is_some_and(is_algolab)
            && !stored_credentials.contains_key(&Source::ALGOLAB)
        {
            bail!(
                "live.source is algolab, which needs a key; set credentials.algolab to 'secret:NAME', a \
                 secret with API-KEY:USER:PASSWORD"
            );
        }
        let errors = errors::load(file.errors)?;
        let backup_url = file.backup.object_store_url.clone();
        let backup = backup::load(file.backup, args.config.as_deref(), &database.address)?;
        Ok(Self {
            data_dir: data_dir.unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT)),
            database,
            bucket: object_store::bucket("object_store_url", object_store_url)?,
            backup_bucket: object_store::bucket("backup.object_store_url", backup_url.as_deref())?,
            bind,
            alerts: alerts::load(
                &file.alerts,
                file.smtp.as_ref(),
                edge.public_url().map(ToString::to_string),
            )?,
            traces: telemetry::traces(&file.telemetry, &errors.environment)?,
            errors,
            backup,
            telemetry: telemetry::load(&file.telemetry)?,
            edge,
            processes,
            live,
            policy,
            sources,
            stored_credentials,
            master_key: secrets::master_key(args.master_key_file.as_deref(), file.secrets)?,
            source_order: file.data.source_order,
            price_basis: file.data.price_basis,
            kap: file.kap.strategy,
            nightly,
            retraining: file.retraining.enabled.unwrap_or(true),
            operator: environment("USER")?.unwrap_or_else(|| OPERATOR_UNKNOWN.to_owned()),
            log: args.log.clone(),
        })
    }
}

impl Config {
    /// Where people find the pages: where they are told to, or on this machine.
    pub(crate) fn base_url(&self) -> String {
        let public = self.edge.public_url().map(ToString::to_string);
        public.unwrap_or_else(|| format!("http://{}", self.bind))
    }

    /// Settings that hold a key or password in a file or the environment, rather than name a secret.
    pub(crate) fn plain_secrets(&self) -> Vec<String> {
        let services = self.sources.iter().filter(|(source, settings)| {
            settings.credential.get().is_some() && !self.stored_credentials.contains_key(source)
        });
        let mut plain: Vec<String> =
            services.map(|(source, _)| format!("credentials.{source}")).collect();
        let buckets = self.bucket.iter().chain(&self.backup_bucket).take(1);
        let bucket = buckets.flat_map(Bucket::plain_secrets);
        plain.extend(bucket.map(str::to_owned));
        plain.extend(self.errors.dsn.is_some().then(|| errors::DSN_VARIABLE.to_owned()));
        plain.extend(self.edge.has_plain_password().then(|| "redis_password".to_owned()));
        plain
    }
}

/// The settings of all services, with what the file changes.
fn source_settings(
    sections: &BTreeMap<Source, SourceSection>,
    credentials: &BTreeMap<Source, String>,
) -> anyhow::Result<BTreeMap<Source, SourceSettings>> {
    let services = bist_feeds::SERVICES;
    if let Some(unknown) =
        sections.keys().chain(credentials.keys()).find(|source| !services.contains(source))
    {
        let known = services.map(|source| source.to_string()).join(", ");
        bail!("'{unknown}' is not a source that is asked over the network; there are {known}");
    }
    services
        .into_iter()
        .filter_map(|source| Some((source, SourceSettings::of(source)?)))
        .map(|(source, mut settings)| {
            if let Some(section) = sections.get(&source) {
                settings = settings.with(section).with_context(|| format!("[sources.{source}]"))?;
            }
            if let Some(text) = credentials.get(&source)
                && reference(source, text)?.is_none()
            {
                let key = in_file(Path::new(text));
                settings.credential = key.with_context(|| format!("credentials.{source}"))?.into();
            }
            Ok((source, settings))
        })
        .collect()
}

/// The keys of services that are secrets, each with the place from which its provider takes it.
fn stored_credentials(
    sources: &BTreeMap<Source, SourceSettings>,
    credentials: &BTreeMap<Source, String>,
) -> anyhow::Result<BTreeMap<Source, StoredCredential>> {
    let mut stored = BTreeMap::new();
    for (source, settings) in sources {
        let text = credentials.get(source);
        if let Some(name) = text.map(|text| reference(*source, text)).transpose()?.flatten() {
            let credential = settings.credential.clone();
            stored.insert(*source, StoredCredential { name, credential });
        }
    }
    Ok(stored)
}

/// The secret that the credential of `source` names; `None` when it names a file.
fn reference(source: Source, text: &str) -> anyhow::Result<Option<SecretName>> {
    secrets::reference(text).with_context(|| format!("credentials.{source}"))
}

fn nightly(
    section: NightlySection,
    sources: &BTreeMap<Source, SourceSettings>,
) -> anyhow::Result<NightlySettings> {
    let can_be_fetched =
        |source: &Source| sources.contains_key(source) && *source != Source::ALGOLAB;
    if let Some(unknown) = section.sources.iter().find(|source| !can_be_fetched(source)) {
        let known = sources.keys().filter(|source| can_be_fetched(source));
        let known: Vec<String> = known.map(ToString::to_string).collect();
        bail!(
            "nightly.sources names '{unknown}', which cannot be fetched; there are {}",
            known.join(", ")
        );
    }
    if section.sources.is_empty() {
        bail!("nightly.sources is empty; name what to fetch, or leave the section [nightly] out");
    }
    Ok(NightlySettings {
        sources: section.sources,
        universe: UniverseName::parse(&section.universe),
    })
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file '{}'", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration file '{}' is malformed", path.display()))
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
