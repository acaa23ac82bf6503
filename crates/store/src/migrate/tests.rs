//! What migrations do to tables that are there, of both databases.

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
        let StoreError::TooNew { migration_min, known, why } = &error else { panic!("{error}") };
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
        let fourth = later(NEWEST + 4, "CREATE TABLE fourth (id BIGINT PRIMARY KEY);").expands();
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
