//! Opening a database of PostgreSQL: several writers, several readers.

use std::time::Duration;

use bist_access::Secret;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use super::postgres_pool::{PostgresPool, PostgresServer};
use super::{Pool, PoolSizes};
use crate::error::StoreError;
use crate::migrate;

/// How we are called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "bist";

/// How long a connection is waited for.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(10);

/// What holds for whoever writes: a lock is waited for as long as SQLite would wait for another
/// process; who was stopped in a transaction does not keep it from the others; and what was
/// acknowledged survives a power cut.
const WRITER: [(&str, &str); 3] = [
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("synchronous_commit", "on"),
];

/// What holds for whoever reads: nothing can be changed, and a transaction shows one moment.
const READER: [(&str, &str); 2] =
    [("default_transaction_read_only", "on"), ("default_transaction_isolation", "repeatable read")];

/// The writers and the readers of a database, whose tables are brought up to date.
pub(crate) async fn open(
    options: &PgConnectOptions,
    password: Option<&Secret>,
    sizes: PoolSizes,
) -> Result<(Pool, Pool), StoreError> {
    let options = options.clone().application_name(APPLICATION_NAME);
    let options = match password {
        Some(password) => options.password(password.expose()),
        None => options,
    };
    bring_up_to_date(&options).await?;
    let server = PostgresServer::new(options.clone());
    let pool = async |connections_max, options| {
        let pool = PgPoolOptions::new()
            .max_connections(connections_max)
            .acquire_timeout(CONNECTION_TIME_MAX);
        let pool = PostgresPool::new(pool.connect_with(options).await?, server.clone());
        Ok::<_, sqlx::Error>(Pool::Postgres(pool))
    };
    let writer = pool(sizes.writers_max, options.clone().options(WRITER)).await?;
    let reader = pool(sizes.readers_max, options.options(READER)).await?;
    Ok((writer, reader))
}

/// Checks that texts sort and are kept as in SQLite, and runs the migrations that are missing; of
/// several processes one after the other, for as long as it takes.
async fn bring_up_to_date(options: &PgConnectOptions) -> Result<(), StoreError> {
    let mut connection = options.connect().await?;
    // Texts sort by their bytes in Rust and in SQLite; 'B' comes before 'a' where they do here too.
    let check = "SELECT 'B' < 'a' AS is_bytewise, getdatabaseencoding() = 'UTF8' AS is_utf8";
    let row = sqlx::query(check).fetch_one(&mut connection).await?;
    if !(row.try_get("is_bytewise")? && row.try_get("is_utf8")?) {
        let name = options.get_database().unwrap_or_default().to_owned();
        return Err(StoreError::Collation(name));
    }
    migrate::postgres(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
