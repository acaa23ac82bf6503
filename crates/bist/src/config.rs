//! Configuration: one TOML file, then `BIST_...` environment variables, then flags.
//!
//! The only place that reads the environment (clap does it for the flags below). Every key is
//! described in docs/CONFIGURATION.md.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bist_market::validate::ValidationPolicy;
use clap::Args;
use serde::Deserialize;

/// Where the server listens unless told otherwise.
const BIND_DEFAULT: &str = "127.0.0.1:8080";

/// Where the data lie unless told otherwise.
const DATA_DIR_DEFAULT: &str = "data";

/// Flags that every command takes.
#[derive(Args, Debug)]
pub(crate) struct CommonArgs {
    /// Directory that holds the database and the models [default: data]
    #[arg(long, value_name = "DIR", global = true, env = "BIST_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file (TOML); see docs/CONFIGURATION.md
    #[arg(long, value_name = "FILE", global = true, env = "BIST_CONFIG")]
    pub(crate) config: Option<PathBuf>,
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
    /// Where the server listens; a flag of `bist serve` may override it.
    pub(crate) bind: SocketAddr,
    /// When data are good enough.
    pub(crate) policy: ValidationPolicy,
    /// What to log.
    pub(crate) log: Option<String>,
}

/// The TOML file; every key is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    data_dir: Option<PathBuf>,
    #[serde(default)]
    server: ServerSection,
    #[serde(default)]
    market: MarketSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerSection {
    bind: Option<SocketAddr>,
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
        let data_dir = args.data_dir.clone().or(file.data_dir);
        Ok(Self {
            data_dir: data_dir.unwrap_or_else(|| PathBuf::from(DATA_DIR_DEFAULT)),
            bind,
            policy,
            log: args.log.clone(),
        })
    }
}

fn read(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration file '{}'", path.display()))?;
    toml::from_str(&text)
        .with_context(|| format!("the configuration file '{}' is malformed", path.display()))
}
