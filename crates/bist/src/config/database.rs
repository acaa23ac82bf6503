//! Which database is used, and how.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bist_access::Secret;
use bist_app::{DatabaseAddress, DatabaseSettings, PoolSizes};
use serde::Deserialize;

use super::environment;
use super::secrets::{in_file, reference};

/// The most connections of a kind; PostgreSQL takes a hundred of all processes unless told otherwise.
const CONNECTIONS_MAX: u32 = 1_000;

/// How many connections a process keeps at most.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseSection {
    readers_max: Option<u32>,
    writers_max: Option<u32>,
}

/// A database, and where its password is.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Where it is.
    pub(crate) address: DatabaseAddress,
    password_file: Option<PathBuf>,
    pool_sizes: PoolSizes,
}

impl Database {
    /// The database that `url` names; the one of the data directory without it. `password_file` holds
    /// unless the variable names another.
    pub(super) fn load(
        url: Option<&str>,
        password_file: Option<PathBuf>,
        section: &DatabaseSection,
    ) -> anyhow::Result<Self> {
        let defaults = PoolSizes::default();
        let variable = environment("BIST_DATABASE_PASSWORD_FILE")?.map(PathBuf::from);
        Ok(Self {
            address: url.map(address).transpose()?.unwrap_or_default(),
            password_file: variable.or(password_file),
            pool_sizes: PoolSizes {
                readers_max: size("readers_max", section.readers_max, defaults.readers_max)?,
                writers_max: size("writers_max", section.writers_max, defaults.writers_max)?,
            },
        })
    }

    /// What opens it.
    pub(crate) fn settings(&self) -> anyhow::Result<DatabaseSettings> {
        self.settings_of(self.address.clone())
    }

    /// What opens the database at `address` in its place.
    pub(crate) fn settings_of(&self, address: DatabaseAddress) -> anyhow::Result<DatabaseSettings> {
        let password = match (&address, &self.password_file) {
            (DatabaseAddress::Postgres(_), Some(file)) => Some(password(file)?),
            (DatabaseAddress::Postgres(_) | DatabaseAddress::Sqlite(_), _) => None,
        };
        Ok(DatabaseSettings { address, password, pool_sizes: self.pool_sizes })
    }
}

/// The address of a database that a setting or a flag gives.
pub(crate) fn address(url: &str) -> anyhow::Result<DatabaseAddress> {
    url.parse().context("the address of the database")
}

fn password(file: &Path) -> anyhow::Result<Secret> {
    if reference(&file.to_string_lossy()).is_ok_and(|name| name.is_none()) {
        return in_file(file).context("database_password");
    }
    bail!(
        "database_password names a secret, and the secrets lie in that database; name a file, such as \
         /dev/fd/3 for one that is open already"
    )
}

fn size(name: &str, given: Option<u32>, default: u32) -> anyhow::Result<u32> {
    match given {
        None => Ok(default),
        Some(size @ 1..=CONNECTIONS_MAX) => Ok(size),
        Some(size) => bail!("database.{name} is {size}; give a number from 1 to {CONNECTIONS_MAX}"),
    }
}
