//! Opening a database of PostgreSQL: by several at once, and whatever is wrong with it.

use std::path::Path;

use bist_store::{DatabaseSettings, PoolSizes, Store, StoreError};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tempfile::TempDir;

use super::database;
use crate::home::open;

/// A step of a newer program, as it is noted.
const OF_LATER: &str = "INSERT INTO _sqlx_migrations
    (version, description, success, checksum, execution_time)
    VALUES (9999, 'of later', TRUE, '\\x00', 0)";

async fn refused(url: &str) -> StoreError {
    let folder = TempDir::new().unwrap();
    let settings =
        DatabaseSettings { address: url.parse().unwrap(), ..DatabaseSettings::default() };
    Store::open_at(folder.path(), &settings).await.unwrap_err()
}

#[tokio::test]
async fn processes_that_start_at_once_on_an_empty_database_all_come_up() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    let (url, path) = (database.url(), folder.path());
    let (one, two, three) = tokio::join!(open(path, &url), open(path, &url), open(path, &url));
    for store in [one, two, three] {
        store.standing().await.unwrap();
        store.close().await;
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_refused() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    open(folder.path(), &database.url()).await.close().await;
    let mut raw = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query(OF_LATER).execute(&mut raw).await.unwrap();
    sqlx::query("UPDATE schema_floor SET migration_min = 9999, why = 'prices are gone'")
        .execute(&mut raw)
        .await
        .unwrap();
    let error = refused(&database.url()).await;
    assert!(matches!(error, StoreError::TooNew { migration_min: 9999, .. }), "{error}");
    assert!(error.to_string().contains("prices are gone"), "{error}");
}

#[tokio::test]
async fn a_database_that_a_newer_program_has_added_to_is_used_and_not_copied() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    open(folder.path(), &database.url()).await.close().await;
    let mut raw = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query(OF_LATER).execute(&mut raw).await.unwrap();
    let store = open(folder.path(), &database.url()).await;
    let standing = store.standing().await.unwrap();
    assert_eq!(standing.migration, 9999);
    assert!(standing.migration_min <= standing.migration_known);
    crate::audit(&store).await;
    let other = TempDir::new().unwrap();
    let to = open(other.path(), "sqlite:").await;
    let error = store.copy_to(&to, |_| ()).await.unwrap_err();
    assert!(matches!(error, StoreError::NotCopied { newest: 9999, .. }), "{error}");
    to.check_empty().await.unwrap();
}

/// Opens a database with one connection to read and one to write.
async fn open_with_one_connection_each(folder: &Path, url: &str) -> Store {
    let settings = DatabaseSettings {
        address: url.parse().unwrap(),
        password: None,
        pool_sizes: PoolSizes { readers_max: 1, writers_max: 1 },
    };
    Store::open_at(folder, &settings).await.unwrap()
}

#[tokio::test]
async fn who_has_asked_before_goes_on_when_a_newer_program_adds_columns() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    let store = open_with_one_connection_each(folder.path(), &database.url()).await;
    assert!(store.jobs(None, None, 9).await.unwrap().is_empty());
    let mut raw = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("ALTER TABLE job_runs ADD COLUMN of_later TEXT").execute(&mut raw).await.unwrap();
    assert!(store.jobs(None, None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_database_whose_steps_are_others_is_refused() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    open(folder.path(), &database.url()).await.close().await;
    let mut raw = PgConnection::connect(&database.url()).await.unwrap();
    sqlx::query("UPDATE _sqlx_migrations SET checksum = '\\x00' WHERE version = 7")
        .execute(&mut raw)
        .await
        .unwrap();
    let error = refused(&database.url()).await;
    assert!(matches!(error, StoreError::Migration(_)), "{error}");
}

#[tokio::test]
async fn a_server_or_database_that_is_not_there_is_unreachable() {
    let Some(database) = database() else { return };
    let elsewhere = format!("{}_of_nobody", database.url());
    // The port of nothing, which no server may have.
    for url in [elsewhere.as_str(), "postgres://postgres@127.0.0.1:1/market"] {
        let error = refused(url).await;
        assert!(matches!(error, StoreError::Unreachable(_)), "{url}: {error}");
    }
}

#[tokio::test]
async fn connections_that_the_server_cuts_come_out_as_unreachable_and_are_made_again() {
    let Some(database) = database() else { return };
    let folder = TempDir::new().unwrap();
    let store = open_with_one_connection_each(folder.path(), &database.url()).await;
    let change = store.change_access().await.unwrap();
    let mut raw = PgConnection::connect(&database.url()).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(cut).execute(&mut raw).await.unwrap();
    let audit = crate::audit_of(1);
    let error = change.commit(&audit, Vec::new()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    store.standing().await.unwrap();
    drop(store.change_access().await.unwrap());
}
