//! The migrations, compiled in, so that the binary needs no file beside it.
//!
//! Each step says whether programs that do not know it can go on with the tables as they are then. The
//! database keeps which ones can, so that an older program opens what a newer one has only added to, and
//! refuses the rest (docs/adr/0048-expand-contract.md).

use std::borrow::Cow;
use std::sync::Once;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, SqlSafeStr};

use crate::db::{Row, Target, query};
use crate::error::StoreError;

/// What makes one step of the tables' history.
#[derive(Clone, Copy, Debug)]
struct Script {
    version: i64,
    description: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// One step of the tables' history.
#[derive(Clone, Copy, Debug)]
struct Step {
    script: Script,
    effect: Effect,
}

/// What a step means to a program that does not know it.
#[derive(Clone, Copy, Debug)]
enum Effect {
    /// It only adds, and whoever does not know what was added does everything right: tables, columns that
    /// may be missing or have a default, indices that refuse nothing.
    Expands,
    /// Programs whose newest step is before `migration_min` cannot go on, for the reason `why`.
    Contracts { migration_min: i64, why: &'static str },
}

impl Script {
    const fn expands(self) -> Step {
        Step { script: self, effect: Effect::Expands }
    }

    /// `migration_min` is the step itself, unless programs from an earlier step on do without what is
    /// taken away.
    const fn contracts(self, migration_min: i64, why: &'static str) -> Step {
        Step { script: self, effect: Effect::Contracts { migration_min, why } }
    }
}

/// A step whose text both databases understand.
macro_rules! shared {
    ($version:literal, $description:literal, $file:literal) => {
        Script {
            version: $version,
            description: $description,
            sqlite: include_str!(concat!("../../../migrations/", $file)),
            postgres: include_str!(concat!("../../../migrations/", $file)),
        }
    };
}

/// A step that is written twice, as triggers are; both make the same tables.
macro_rules! forked {
    ($version:literal, $description:literal, $file:literal) => {
        Script {
            version: $version,
            description: $description,
            sqlite: include_str!(concat!("../../../migrations/", $file)),
            postgres: include_str!(concat!("../../../migrations/postgres/", $file)),
        }
    };
}

/// The step from which on the database keeps which programs may use it.
const FLOOR: i64 = 25;

/// Each step, oldest first. Forward only.
const STEPS: [Step; 26] = [
    shared!(1, "market data", "0001_market_data.sql").expands(),
    shared!(2, "validation", "0002_validation.sql")
        .contracts(2, "an instrument with findings is not removed without them"),
    shared!(3, "models", "0003_models.sql")
        .contracts(3, "an instrument with forecasts is not removed without them"),
    shared!(4, "sources", "0004_sources.sql")
        .contracts(4, "bars, events and findings have the source in their keys"),
    shared!(5, "job attempts", "0005_job_attempts.sql").expands(),
    shared!(6, "horizons", "0006_horizons.sql")
        .contracts(6, "several models are in force, one for each horizon"),
    forked!(7, "trials", "0007_trials.sql").expands(),
    shared!(8, "hourly horizons", "0008_hourly_horizons.sql")
        .contracts(8, "the number of sessions of a horizon is gone"),
    shared!(9, "studies", "0009_studies.sql").expands(),
    shared!(10, "explanations", "0010_explanations.sql")
        .contracts(10, "a signal with an explanation is not removed without it"),
    forked!(11, "registry", "0011_registry.sql")
        .contracts(11, "each change of a model is noted beside it"),
    shared!(12, "jobs", "0012_jobs.sql").contracts(12, "a job has another name"),
    forked!(13, "experiments", "0013_experiments.sql").expands(),
    forked!(14, "signal scores", "0014_signal_scores.sql")
        .contracts(14, "each signal is noted when it is served"),
    shared!(15, "secrets", "0015_secrets.sql").expands(),
    forked!(16, "audit", "0016_audit.sql")
        .contracts(16, "nothing is changed that is not on record"),
    shared!(17, "accounts", "0017_accounts.sql")
        .contracts(17, "nobody is let in without an account"),
    shared!(18, "renewals", "0018_renewals.sql").expands(),
    shared!(19, "passkeys", "0019_passkeys.sql")
        .contracts(19, "who has a passkey is asked for it, and forgotten with it"),
    shared!(20, "alerts", "0020_alerts.sql")
        .contracts(20, "who is forgotten is forgotten in lists and alerts too"),
    shared!(21, "job parts", "0021_job_parts.sql")
        .contracts(21, "a run may be a part of another, which is not a run by itself"),
    shared!(22, "errors", "0022_errors.sql").expands(),
    forked!(23, "usage", "0023_usage.sql")
        .contracts(23, "who is forgotten is forgotten in what they did too"),
    shared!(24, "error requests", "0024_error_requests.sql").expands(),
    shared!(25, "schema floor", "0025_schema_floor.sql")
        .contracts(25, "programs before it do not look whether they may use newer tables"),
    forked!(26, "paper trading", "0026_paper_trading.sql").expands(),
];

/// The newest step, by its number.
pub(crate) const NEWEST: i64 = STEPS[STEPS.len() - 1].script.version;

/// What this program knows of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMigrations {
    /// The newest migration.
    pub newest: i64,
    /// The newest that a program knows at least which may use tables that this one has brought up to date.
    pub migration_min: i64,
}

/// What this program knows of the tables, whatever database there is.
pub fn known_migrations() -> KnownMigrations {
    let floors = STEPS.into_iter().map(|step| match step.effect {
        Effect::Expands => 0,
        Effect::Contracts { migration_min, .. } => migration_min,
    });
    KnownMigrations { newest: NEWEST, migration_min: floors.max().unwrap_or(0) }
}

/// The newest step that a database has.
pub(crate) const NEWEST_RUN: &str = "SELECT max(version) FROM _sqlx_migrations WHERE success";

/// The steps that a database has, and since when programs may use it.
const HISTORY: &str = "
    SELECT m.version, f.migration_min, f.why
    FROM _sqlx_migrations AS m LEFT JOIN schema_floor AS f ON f.id = 1
    WHERE m.success ORDER BY m.version";

/// Brings the tables of a database of SQLite up to date, or shows that they can be used as a newer program
/// has left them.
///
/// # Errors
///
/// [`StoreError::TooNew`] when this program cannot use them, and the others when the database fails.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    sqlite_to(&STEPS, connection).await
}

/// The same of PostgreSQL.
///
/// # Errors
///
/// As [`sqlite`].
pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<(), StoreError> {
    postgres_to(&STEPS, connection).await
}

async fn sqlite_to(steps: &[Step], connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut migrator = migrator(steps, |script| script.sqlite);
    let ran = migrator.run_direct(None, connection, false).await;
    if has_unknown(ran)? {
        admit(steps, Target::Sqlite(connection)).await?;
        // All of ours were run; whether they are the same ones is looked at.
        migrator.set_ignore_missing(true);
        migrator.run_direct(None, connection, false).await?;
    }
    Ok(())
}

async fn postgres_to(steps: &[Step], connection: &mut PgConnection) -> Result<(), StoreError> {
    let mut migrator = migrator(steps, |script| script.postgres);
    let ran = migrator.run_direct(None, connection, false).await;
    if has_unknown(ran)? {
        // Whoever migrates waits meanwhile: the lock is this connection's until it is closed.
        admit(steps, Target::Postgres(connection)).await?;
        migrator.set_ignore_missing(true);
        migrator.run_direct(None, connection, false).await?;
    }
    Ok(())
}

/// Whether nothing was run, because the database has a step that is none of ours.
fn has_unknown(ran: Result<(), MigrateError>) -> Result<bool, StoreError> {
    match ran {
        Ok(()) => Ok(false),
        Err(MigrateError::VersionMissing(_)) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Lets a program that knows `steps` use a database which has others too, or says why not.
async fn admit(steps: &[Step], database: Target<'_>) -> Result<(), StoreError> {
    static TOLD: Once = Once::new();
    let history = History::of(&query(HISTORY).fetch_all(database).await?)?;
    let newest = history.admits(steps)?;
    let known = newest_of(steps);
    TOLD.call_once(|| {
        tracing::warn!(
            migration.newest = newest,
            migration.known = known,
            "the tables are at migration {newest}, made by a newer bist; this one knows them up to \
             {known} and uses them all the same"
        );
    });
    Ok(())
}

/// What a database says of its steps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct History {
    /// The steps that were run, oldest first.
    versions: Vec<i64>,
    /// The newest step that a program knows at least which may use it, and why.
    floor: Option<(i64, String)>,
}

impl History {
    fn of(rows: &[Row]) -> Result<Self, StoreError> {
        let mut versions = Vec::with_capacity(rows.len());
        let mut floor = None;
        for row in rows {
            versions.push(row.try_get("version")?);
            let migration_min: Option<i64> = row.try_get("migration_min")?;
            let why: Option<String> = row.try_get("why")?;
            floor = migration_min.zip(why);
        }
        Ok(Self { versions, floor })
    }

    /// The newest step, where a program that knows `steps` may use the database as it is: it has all of
    /// them, has others only after them, and asks for none of these.
    fn admits(&self, steps: &[Step]) -> Result<i64, StoreError> {
        let ours: Vec<i64> = steps.iter().map(|step| step.script.version).collect();
        let known = newest_of(steps);
        let unknown = self.versions.iter().find(|version| !ours.contains(version));
        let newest = self.versions.last().copied().unwrap_or(0);
        match (&self.floor, unknown) {
            (Some((migration_min, why)), _) if *migration_min > known => {
                Err(StoreError::TooNew { migration_min: *migration_min, known, why: why.clone() })
            }
            (Some(_), _) if self.versions.starts_with(&ours) => Ok(newest),
            (_, Some(version)) => Err(MigrateError::VersionMissing(*version).into()),
            (_, None) => Ok(newest),
        }
    }
}

/// The newest of `steps`.
fn newest_of(steps: &[Step]) -> i64 {
    steps.last().map_or(0, |step| step.script.version)
}

fn migrator(steps: &[Step], text: fn(&Script) -> &'static str) -> Migrator {
    let migrations = steps
        .iter()
        .map(|Step { script, effect }| {
            let mut migration = Migration::new(
                script.version,
                Cow::Borrowed(script.description),
                MigrationType::Simple,
                text(script).into_sql_str(),
                false,
            );
            if let Effect::Contracts { migration_min, why } = *effect
                && script.version >= FLOOR
            {
                // In the transaction of the step. Its checksum stays that of the file.
                let sql = format!("{}\n{}", text(script), raised_floor(migration_min, why));
                migration.sql = AssertSqlSafe(sql).into_sql_str();
            }
            migration
        })
        .collect();
    Migrator::with_migrations(migrations)
}

/// Has programs before `migration_min` refuse the database from now on.
fn raised_floor(migration_min: i64, why: &str) -> String {
    let why = why.replace('\'', "''");
    format!(
        "INSERT INTO schema_floor (id, migration_min, why) VALUES (1, {migration_min}, '{why}')
         ON CONFLICT (id) DO UPDATE SET migration_min = excluded.migration_min, why = excluded.why
         WHERE schema_floor.migration_min < excluded.migration_min;"
    )
}

#[cfg(test)]
mod tests {
    use bist_testkit::postgres_database::PostgresDatabase;
    use sqlx::Connection as _;
    use sqlx::postgres::PgPoolOptions;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;
    use crate::db::{Pool, PostgresPool, PostgresServer};

    /// An empty database, which ends with this value.
    struct Place {
        pool: Pool,
        _database: Option<PostgresDatabase>,
    }

    impl Place {
        /// One of SQLite, and one of PostgreSQL where it answers.
        async fn all() -> Vec<Self> {
            let options = SqlitePoolOptions::new().max_connections(1);
            let pool = Pool::Sqlite(options.connect("sqlite::memory:").await.unwrap());
            let mut places = vec![Self { pool, _database: None }];
            if let Some(database) = PostgresDatabase::make() {
                let options = PgPoolOptions::new().max_connections(1);
                let connections = options.connect(&database.url()).await.unwrap();
                let server = PostgresServer::new(connections.connect_options().as_ref().clone());
                let pool = Pool::Postgres(PostgresPool::new(connections, server));
                places.push(Self { pool, _database: Some(database) });
            }
            places
        }

        /// Runs the first `count` migrations.
        async fn run(&self, count: usize) {
            self.open(&STEPS[..count]).await.unwrap();
        }

        /// Opens it as a program does that knows `steps`.
        async fn open(&self, steps: &[Step]) -> Result<(), StoreError> {
            match &self.pool {
                Pool::Sqlite(pool) => {
                    let mut connection = pool.acquire().await.unwrap();
                    sqlite_to(steps, &mut connection).await
                }
                Pool::Postgres(pool) => {
                    // Closed at the end, as where a store is opened: what was locked is free then.
                    let mut connection = pool.connections.acquire().await.unwrap().detach();
                    let opened = postgres_to(steps, &mut connection).await;
                    connection.close().await.unwrap();
                    opened
                }
                Pool::SqliteReaders(_) => unreachable!("these places are written to"),
            }
        }

        /// The oldest program that may use it, and why.
        async fn floor(&self) -> (i64, String) {
            let text = "SELECT migration_min, why FROM schema_floor";
            let read = |row: &Row| (row.try_get::<i64, _>(0).unwrap(), word(row, 1));
            self.rows(text, read).await.remove(0)
        }

        async fn rows<T>(&self, text: &'static str, read: impl Fn(&Row) -> T) -> Vec<T> {
            query(text).fetch_all(&self.pool).await.unwrap().iter().map(read).collect()
        }
    }

    fn word(row: &Row, place: usize) -> String {
        row.try_get(place).unwrap()
    }

    #[tokio::test]
    async fn champions_of_sessions_keep_their_place_when_horizons_become_texts() {
        for place in Place::all().await {
            place.run(7).await;
            for (id, state, sessions) in
                [("a", "champion", 1_i64), ("b", "champion", 20), ("c", "retired", 20)]
            {
                let insert = query(
                    "INSERT INTO model_versions
                         (id, state, origin, horizon_sessions, trained_at_us, document)
                     VALUES ($1, $2, 'market', $3, 0, '{}')",
                );
                insert.bind(id).bind(state).bind(sessions).execute(&place.pool).await.unwrap();
            }
            place.run(STEPS.len()).await;
            let text = "SELECT id, horizon FROM model_versions ORDER BY id";
            let rows = place.rows(text, |row| (word(row, 0), word(row, 1))).await;
            let expected = [("a", "1"), ("b", "20"), ("c", "20")];
            assert_eq!(rows, expected.map(|(id, horizon)| (id.to_owned(), horizon.to_owned())));
            // An hourly champion stands beside that of one session, and no second one beside it.
            let add = async |id, horizon| {
                let insert = query(
                    "INSERT INTO model_versions
                         (id, state, origin, horizon, trained_at_us, document)
                     VALUES ($1, 'champion', 'market', $2, 0, '{}')",
                );
                insert.bind(id).bind(horizon).execute(&place.pool).await
            };
            add("d", "1h").await.unwrap();
            add("e", "1h").await.unwrap_err();
            add("f", "1").await.unwrap_err();
        }
    }

    #[tokio::test]
    async fn versions_from_before_changes_were_noted_have_a_history_that_ends_where_they_stand() {
        for place in Place::all().await {
            place.run(10).await;
            let versions = [
                ("a", "retired", "5", 10_i64),
                ("b", "candidate", "5", 15),
                ("c", "champion", "5", 20),
                ("d", "retired", "1h", 30),
            ];
            for (id, state, horizon, trained_at_us) in versions {
                query(
                    "INSERT INTO model_versions
                         (id, state, origin, horizon, trained_at_us, document)
                     VALUES ($1, $2, 'market', $3, $4, '{}')",
                )
                .bind(id)
                .bind(state)
                .bind(horizon)
                .bind(trained_at_us)
                .execute(&place.pool)
                .await
                .unwrap();
            }
            place.run(STEPS.len()).await;
            let text = "SELECT model_version, from_state, to_state, changed_at_us
                        FROM model_state_changes ORDER BY number";
            let read = |row: &Row| {
                let from: Option<String> = row.try_get(1).unwrap();
                let at: i64 = row.try_get(3).unwrap();
                (word(row, 0), from, word(row, 2), at)
            };
            let rows = place.rows(text, read).await;
            let row = |id: &str, from: Option<&str>, to: &str, at| {
                (id.to_owned(), from.map(str::to_owned), to.to_owned(), at)
            };
            let expected = [
                row("a", None, "champion", 10),
                row("b", None, "candidate", 15),
                row("c", None, "champion", 20),
                row("d", None, "champion", 30),
                row("a", Some("champion"), "retired", 20),
                row("d", Some("champion"), "retired", 30),
            ];
            assert_eq!(rows, expected);
        }
    }

    /// The steps of ours, and of a later program.
    fn and_later(later: &[Step]) -> Vec<Step> {
        STEPS.iter().chain(later).copied().collect()
    }

    /// A step of a later program, the same for both databases.
    const fn later(version: i64, text: &'static str) -> Script {
        Script { version, description: "of later", sqlite: text, postgres: text }
    }

    /// A table of later, with a column of later in one of ours.
    const ADDED: Step = later(
        NEWEST + 1,
        "CREATE TABLE of_later (id BIGINT PRIMARY KEY);
         ALTER TABLE accounts ADD COLUMN of_later TEXT;
         ALTER TABLE accounts ADD COLUMN of_later_still BIGINT NOT NULL DEFAULT 7;",
    )
    .expands();

    /// What only programs do without that know the column.
    const TAKEN_AWAY: Step = later(NEWEST + 2, "ALTER TABLE accounts DROP COLUMN password_hash;")
        .contracts(NEWEST + 1, "a password isn't kept in accounts");

    #[tokio::test]
    async fn an_older_program_works_with_tables_that_were_only_added_to() {
        for place in Place::all().await {
            place.open(&and_later(&[ADDED])).await.unwrap();
            let floor = place.floor().await;
            assert_eq!(floor.0, FLOOR);
            place.open(&STEPS).await.unwrap();
            let insert = query(
                "INSERT INTO accounts (id, user_name, role, state, created_at_us)
                 VALUES ('a', 'ada', 'user', 'active', 0)",
            );
            insert.execute(&place.pool).await.unwrap();
            let names = place.rows("SELECT user_name FROM accounts", |row| word(row, 0)).await;
            assert_eq!(names, ["ada"]);
            let steps = "SELECT MAX(version) FROM _sqlx_migrations";
            let newest = place.rows(steps, |row| row.try_get::<i64, _>(0).unwrap()).await;
            assert_eq!(newest, [NEWEST + 1], "nothing was run");
            // The newer one goes on with what the older one has written.
            place.open(&and_later(&[ADDED])).await.unwrap();
            assert_eq!(place.floor().await, floor);
        }
    }

    #[tokio::test]
    async fn an_older_program_refuses_tables_that_it_needs_more_of_and_says_why() {
        for place in Place::all().await {
            place.open(&and_later(&[ADDED, TAKEN_AWAY])).await.unwrap();
            let floor = (NEWEST + 1, "a password isn't kept in accounts".to_owned());
            assert_eq!(place.floor().await, floor);
            let error = place.open(&STEPS).await.unwrap_err();
            let StoreError::TooNew { migration_min, known, why } = &error else {
                panic!("{error}")
            };
            assert_eq!((*migration_min, *known, why), (NEWEST + 1, NEWEST, &floor.1));
            let told = error.to_string();
            for number in [NEWEST, NEWEST + 1] {
                assert!(told.contains(&number.to_string()), "{told}");
            }
            // The one between them did without it already.
            place.open(&and_later(&[ADDED])).await.unwrap();
        }
    }

    #[tokio::test]
    async fn the_floor_never_goes_down() {
        for place in Place::all().await {
            let third = later(NEWEST + 3, "CREATE TABLE third (id BIGINT PRIMARY KEY);")
                .contracts(FLOOR, "it is not needed by any that are left");
            let fourth =
                later(NEWEST + 4, "CREATE TABLE fourth (id BIGINT PRIMARY KEY);").expands();
            let floor = (NEWEST + 1, "a password isn't kept in accounts".to_owned());
            for steps in [
                and_later(&[ADDED, TAKEN_AWAY]),
                and_later(&[ADDED, TAKEN_AWAY, third, fourth]),
                and_later(&[ADDED, TAKEN_AWAY, third]),
                and_later(&[ADDED]),
            ] {
                place.open(&steps).await.unwrap();
                assert_eq!(place.floor().await, floor);
            }
            place.open(&STEPS).await.unwrap_err();
            assert_eq!(place.floor().await, floor);
        }
    }

    #[tokio::test]
    async fn a_database_with_another_history_is_refused() {
        for place in Place::all().await {
            place.open(&and_later(&[ADDED])).await.unwrap();
            // A step of ours that is another one there, and one that is missing.
            let mut other = STEPS;
            other[6].script.sqlite = "CREATE TABLE other (id BIGINT PRIMARY KEY);";
            other[6].script.postgres = other[6].script.sqlite;
            let error = place.open(&other).await.unwrap_err();
            assert!(
                matches!(&error, StoreError::Migration(MigrateError::VersionMismatch(7))),
                "{error}"
            );
            let remove = query("DELETE FROM _sqlx_migrations WHERE version = 7");
            remove.execute(&place.pool).await.unwrap();
            let error = place.open(&STEPS).await.unwrap_err();
            let StoreError::Migration(MigrateError::VersionMissing(version)) = &error else {
                panic!("{error}")
            };
            assert_eq!(*version, NEWEST + 1);
        }
    }

    #[test]
    fn a_step_that_is_said_to_add_does_nothing_else_and_any_other_says_why() {
        for Step { script, effect } in STEPS {
            let version = script.version;
            match effect {
                Effect::Expands => {
                    for text in [script.sqlite, script.postgres] {
                        let found = more_than_added(text);
                        assert!(
                            found.is_empty(),
                            "step {version} is said to expand, which programs before it would have to \
                             survive; say .contracts({version}, WHY), or leave out: {found:#?}"
                        );
                    }
                }
                Effect::Contracts { migration_min, why } => {
                    assert!(why.len() > 10, "step {version} does not say why");
                    assert!(migration_min <= version, "nobody could use step {version}");
                    // Before, whoever does not know a step refuses it.
                    assert!(version < FLOOR || migration_min >= FLOOR, "step {version}");
                }
            }
        }
    }

    #[test]
    fn what_is_more_than_an_addition_is_found() {
        for added in [
            "-- Words; more words.\nCREATE TABLE t (\n    -- DROP.\n    id TEXT PRIMARY KEY\n);",
            "CREATE TABLE t (a TEXT);\nCREATE UNIQUE INDEX i ON t (a);\nINSERT INTO t SELECT 1;",
            "CREATE TABLE t (a TEXT);\nCREATE TRIGGER x BEFORE UPDATE ON t\nBEGIN\n    SELECT 1;\nEND;",
            "CREATE INDEX i ON t (a);",
            "ALTER TABLE t ADD COLUMN a TEXT;\nUPDATE t SET a = b;",
            "ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT '';",
            "CREATE TABLE t (a TEXT REFERENCES sessions (id) ON DELETE CASCADE);",
            "CREATE TABLE t (a TEXT REFERENCES accounts (id));",
        ] {
            assert_eq!(more_than_added(added), Vec::<String>::new(), "{added}");
        }
        for more in [
            "DROP TABLE t;",
            "DROP INDEX i;",
            "ALTER TABLE t RENAME TO u;",
            "ALTER TABLE t DROP COLUMN a;",
            "ALTER TABLE t ADD COLUMN a TEXT NOT NULL;",
            "ALTER TABLE t ADD COLUMN a TEXT;\nUPDATE t SET b = a;",
            "UPDATE t SET a = 1;",
            "DELETE FROM t;",
            "INSERT INTO t SELECT 1;",
            "CREATE UNIQUE INDEX i ON t (a);",
            "CREATE TRIGGER x BEFORE UPDATE ON t\nBEGIN\n    SELECT 1;\nEND;",
            "CREATE TABLE t (a TEXT REFERENCES signals (id));",
        ] {
            assert_eq!(more_than_added(more).len(), 1, "{more}");
        }
    }

    /// The statements of `text` that a program may stumble over which does not know them.
    fn more_than_added(text: &str) -> Vec<String> {
        let statements = statements(text);
        let mut tables: Vec<&str> = Vec::new();
        let mut columns: Vec<(&str, &str)> = Vec::new();
        let mut found = Vec::new();
        for statement in &statements {
            let words: Vec<&str> = statement
                .split(|c: char| c.is_whitespace() || "(),;".contains(c))
                .filter(|word| !word.is_empty())
                .collect();
            if let ["CREATE", "TABLE", table, ..] = words.as_slice() {
                tables.push(*table);
            }
            let on = words.iter().position(|word| *word == "ON").map(|at| words[at + 1]);
            let is_on_new = on.is_some_and(|table| tables.contains(&table));
            // Rows of ours are removed by whoever does not know that others refer to them. An account never
            // is.
            let refers_safely = statement.split("REFERENCES ").skip(1).all(|part| {
                let column = part.split(",\n").next().unwrap_or_default();
                let to = part.split([' ', '(']).next().unwrap_or_default();
                let gives_way = ["ON DELETE CASCADE", "ON DELETE SET NULL"];
                to == "accounts"
                    || tables.contains(&to)
                    || gives_way.iter().any(|rule| column.contains(*rule))
            });
            let is_addition = match words.as_slice() {
                ["CREATE", "TABLE", ..] => refers_safely,
                ["CREATE", "INDEX" | "FUNCTION", ..] => true,
                ["CREATE", "UNIQUE", "INDEX", ..] | ["CREATE", "TRIGGER", ..] => is_on_new,
                ["INSERT", "INTO", table, ..] => tables.contains(table),
                ["ALTER", "TABLE", table, "ADD", "COLUMN", column, ..] => {
                    columns.push((*table, *column));
                    let may_be_left_out =
                        !statement.contains("NOT NULL") || statement.contains(" DEFAULT ");
                    refers_safely && may_be_left_out && !statement.contains("UNIQUE")
                }
                ["UPDATE", table, "SET", column, ..] => {
                    columns.contains(&(*table, *column)) && !statement.contains(',')
                }
                _ => false,
            };
            if !is_addition {
                found.push(statement.clone());
            }
        }
        found
    }

    /// The statements of a text, without comments and empty lines; a trigger or function is one of them.
    fn statements(text: &str) -> Vec<String> {
        let mut statements = Vec::new();
        let mut statement = String::new();
        for line in text.lines() {
            let line = line.split("--").next().unwrap_or_default().trim_end();
            if line.is_empty() {
                continue;
            }
            statement.push_str(line);
            statement.push('\n');
            let ends = if statement.contains("$$") {
                line.ends_with(';') && statement.matches("$$").count() == 2
            } else if statement.starts_with("CREATE TRIGGER") && statement.contains("\nBEGIN") {
                line == "END;"
            } else {
                line.ends_with(';')
            };
            if ends {
                statements.push(std::mem::take(&mut statement));
            }
        }
        if !statement.is_empty() {
            statements.push(statement);
        }
        statements
    }
}
