//! Which database is asked, how it is written down, and how many connections it gets.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use bist_access::Secret;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

/// Connections that read at the same time unless told otherwise.
const READERS_DEFAULT: u32 = 4;

/// Connections to PostgreSQL that write at the same time unless told otherwise.
const WRITERS_DEFAULT: u32 = 4;

/// Where the database is; without a password.
#[derive(Clone)]
pub enum DatabaseAddress {
    /// A file of SQLite: the one of the data directory, or another.
    Sqlite(Option<PathBuf>),
    /// A database of PostgreSQL.
    Postgres(Box<PgConnectOptions>),
}

impl DatabaseAddress {
    /// Whether it is made sure over a network who the database is; `None` where none is passed.
    pub fn is_verified(&self) -> Option<bool> {
        let Self::Postgres(options) = self else { return None };
        let host = options.get_host();
        let is_here = options.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        (!is_here).then(|| matches!(options.get_ssl_mode(), PgSslMode::VerifyFull))
    }
}

impl Default for DatabaseAddress {
    fn default() -> Self {
        Self::Sqlite(None)
    }
}

/// A text that is no address of a database. It is not repeated, for it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseAddressError {
    /// It is none.
    #[error(
        "it is no address of a database; give sqlite: for the file in the data directory, or one such \
         as postgres://bist@127.0.0.1:5432/bist?sslmode=verify-full"
    )]
    Form,
    /// It has a password.
    #[error(
        "it has a password, which is no setting; leave it out here, and name its file as \
         database_password"
    )]
    Password,
}

impl FromStr for DatabaseAddress {
    type Err = DatabaseAddressError;

    fn from_str(text: &str) -> Result<Self, DatabaseAddressError> {
        if let Some(file) = text.strip_prefix("sqlite:") {
            return Ok(Self::Sqlite(Some(file).filter(|file| !file.is_empty()).map(PathBuf::from)));
        }
        let schemes = ["postgres://", "postgresql://"];
        let rest = schemes.into_iter().find_map(|scheme| text.strip_prefix(scheme));
        let rest = rest.ok_or(DatabaseAddressError::Form)?;
        if has_password(rest) {
            return Err(DatabaseAddressError::Password);
        }
        let options: PgConnectOptions = text.parse().map_err(|_| DatabaseAddressError::Form)?;
        if options.get_database().is_none() {
            return Err(DatabaseAddressError::Form);
        }
        Ok(Self::Postgres(Box::new(options)))
    }
}

/// Whether what follows the scheme of an address gives a password, in either of its two places.
fn has_password(rest: &str) -> bool {
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let authority = place.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':'))
        || parameters.split('&').any(|parameter| parameter.starts_with("password="))
}

impl fmt::Display for DatabaseAddress {
    /// For people: which database it is, and nothing that is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(None) => f.write_str("SQLite in the data directory"),
            Self::Sqlite(Some(file)) => write!(f, "SQLite at {}", file.display()),
            Self::Postgres(options) => {
                let name = options.get_database().unwrap_or_default();
                match options.get_socket() {
                    Some(socket) => write!(f, "PostgreSQL '{name}' at {}", socket.display()),
                    None => {
                        let (host, port) = (options.get_host(), options.get_port());
                        write!(f, "PostgreSQL '{name}' at {host}:{port}")
                    }
                }
            }
        }
    }
}

impl fmt::Debug for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseAddress({self})")
    }
}

/// A database, and how it is used.
#[derive(Clone, Debug, Default)]
pub struct DatabaseSettings {
    /// Where it is.
    pub address: DatabaseAddress,
    /// What PostgreSQL asks for, if it asks.
    pub password: Option<Secret>,
    /// How many connections it gets.
    pub pool_sizes: PoolSizes,
}

impl From<DatabaseAddress> for DatabaseSettings {
    fn from(address: DatabaseAddress) -> Self {
        Self { address, ..Self::default() }
    }
}

/// How many connections a process keeps at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSizes {
    /// Connections that read, at least 1.
    pub readers_max: u32,
    /// Connections that write, at least 1; SQLite has one, whatever is said here.
    pub writers_max: u32,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self { readers_max: READERS_DEFAULT, writers_max: WRITERS_DEFAULT }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, DatabaseAddressError>) {
        let actual = text.parse::<DatabaseAddress>().map(|address| address.to_string());
        assert_eq!(actual, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn an_address_names_a_database_and_has_no_password() {
        check("sqlite:", Ok("SQLite in the data directory"));
        check("sqlite:other.sqlite", Ok("SQLite at other.sqlite"));
        check(
            "postgres://bist@db.example:5433/market",
            Ok("PostgreSQL 'market' at db.example:5433"),
        );
        check("postgresql://127.0.0.1/market", Ok("PostgreSQL 'market' at 127.0.0.1:5432"));
        check("postgres://bist@127.0.0.1", Err(DatabaseAddressError::Form));
        check("mysql://127.0.0.1/market", Err(DatabaseAddressError::Form));
        check("market.sqlite", Err(DatabaseAddressError::Form));
        for text in [
            "postgres://bist:hunter2@127.0.0.1/market",
            "postgres://bist@127.0.0.1/market?password=hunter2",
            "postgres://bist@127.0.0.1/market?sslmode=require&password=hunter2",
        ] {
            check(text, Err(DatabaseAddressError::Password));
        }
    }

    #[test]
    fn over_a_network_only_a_full_check_says_who_the_database_is() {
        let verified = |text: &str| text.parse::<DatabaseAddress>().unwrap().is_verified();
        assert_eq!(verified("sqlite:"), None);
        assert_eq!(verified("postgres://bist@127.0.0.1/market"), None);
        assert_eq!(verified("postgres://bist@localhost/market"), None);
        assert_eq!(verified("postgres:///market?host=/run/postgresql&user=bist"), None);
        assert_eq!(verified("postgres://bist@db.example/market"), Some(false));
        assert_eq!(verified("postgres://bist@db.example/market?sslmode=require"), Some(false));
        assert_eq!(verified("postgres://bist@db.example/market?sslmode=verify-full"), Some(true));
    }

    #[test]
    fn what_is_shown_of_settings_has_no_password() {
        let settings = DatabaseSettings {
            address: "postgres://bist@127.0.0.1/market".parse().unwrap(),
            password: Some(Secret::new("hunter2".to_owned())),
            pool_sizes: PoolSizes::default(),
        };
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
