//! Where a test keeps its store: a folder, and on PostgreSQL a database of its own.

use std::path::Path;

use bist_store::{DatabaseSettings, Store};
use bist_testkit::postgres_database::PostgresDatabase;
use sqlx::postgres::{PgConnection, PgQueryResult};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

/// The file of SQLite.
const FILE: &str = "bist.sqlite";

/// Set where the suite runs on PostgreSQL.
pub(crate) const ON_POSTGRES: &str = "BIST_TEST_ON_POSTGRES";

/// Whether this process runs the suite on PostgreSQL.
pub(crate) fn is_on_postgres() -> bool {
    std::env::var_os(ON_POSTGRES).is_some()
}

/// A folder, and the database that goes with it; both end with this value.
pub(crate) struct Home {
    folder: TempDir,
    database: Option<PostgresDatabase>,
}

impl Home {
    pub(crate) fn new() -> Self {
        let database =
            is_on_postgres().then(|| PostgresDatabase::make().expect("it answered a moment ago"));
        Self { folder: TempDir::new().unwrap(), database }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The same once more, as a copy that goes its own way; nobody is connected to this one.
    pub(crate) fn copy(&self) -> Self {
        let folder = TempDir::new().unwrap();
        let database = self.database.as_ref().map(PostgresDatabase::copy);
        if database.is_none() {
            std::fs::copy(self.path().join(FILE), folder.path().join(FILE)).unwrap();
        }
        Self { folder, database }
    }

    /// The address of the database, as it is configured.
    pub(crate) fn url(&self) -> String {
        self.database.as_ref().map_or_else(|| "sqlite:".to_owned(), PostgresDatabase::url)
    }

    /// Opens the store, as another process would.
    pub(crate) async fn open(&self) -> Store {
        open(self.path(), &self.url()).await
    }

    /// A connection for whoever tampers.
    pub(crate) async fn raw(&self) -> Raw {
        match &self.database {
            Some(database) => Raw::Postgres(PgConnection::connect(&database.url()).await.unwrap()),
            None => Raw::of_file(&self.path().join(FILE)).await,
        }
    }
}

/// Opens the store of `folder` with the database at `url`.
pub(crate) async fn open(folder: &Path, url: &str) -> Store {
    let settings =
        DatabaseSettings { address: url.parse().unwrap(), ..DatabaseSettings::default() };
    Store::open_at(folder, &settings).await.unwrap()
}

/// A connection of either database that obeys none of our rules.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    async fn of_file(file: &Path) -> Self {
        let url = format!("sqlite:{}", file.display());
        Self::Sqlite(SqliteConnection::connect(&url).await.unwrap())
    }

    pub(crate) async fn execute(&mut self, sql: impl Into<String>) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.into());
        match self {
            Self::Sqlite(connection) => connection.execute(sqlx::raw_sql(sql)).await.map(drop),
            Self::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(sql)).await.map(|_: PgQueryResult| ())
            }
        }
    }

    /// Has every new row of `table` refused by the trigger `cut`, in these words: cut off.
    pub(crate) async fn cut(&mut self, table: &str) {
        let body = match self {
            Self::Sqlite(_) => "BEGIN SELECT RAISE(ABORT, 'cut off'); END",
            Self::Postgres(_) => "FOR EACH ROW EXECUTE FUNCTION bist_refuse('cut off')",
        };
        self.execute(format!("CREATE TRIGGER cut BEFORE INSERT ON {table} {body}")).await.unwrap();
    }

    /// Takes the trigger off that keeps rows of `table` as they are.
    pub(crate) async fn drop_trigger(&mut self, trigger: &str, table: &str) {
        let sql = match self {
            Self::Sqlite(_) => format!("DROP TRIGGER {trigger}"),
            Self::Postgres(_) => format!("DROP TRIGGER {trigger} ON {table}"),
        };
        self.execute(sql).await.unwrap();
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}
