//! The migrations, compiled in, so that the binary needs no file beside it.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// One step of the tables' history.
#[derive(Clone, Copy, Debug)]
struct Step {
    version: i64,
    description: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// A step whose text both databases understand.
macro_rules! shared {
    ($version:literal, $description:literal, $file:literal) => {
        Step {
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
        Step {
            version: $version,
            description: $description,
            sqlite: include_str!(concat!("../../../migrations/", $file)),
            postgres: include_str!(concat!("../../../migrations/postgres/", $file)),
        }
    };
}

/// Each step, oldest first. Forward only.
const STEPS: [Step; 24] = [
    shared!(1, "market data", "0001_market_data.sql"),
    shared!(2, "validation", "0002_validation.sql"),
    shared!(3, "models", "0003_models.sql"),
    shared!(4, "sources", "0004_sources.sql"),
    shared!(5, "job attempts", "0005_job_attempts.sql"),
    shared!(6, "horizons", "0006_horizons.sql"),
    forked!(7, "trials", "0007_trials.sql"),
    shared!(8, "hourly horizons", "0008_hourly_horizons.sql"),
    shared!(9, "studies", "0009_studies.sql"),
    shared!(10, "explanations", "0010_explanations.sql"),
    forked!(11, "registry", "0011_registry.sql"),
    shared!(12, "jobs", "0012_jobs.sql"),
    forked!(13, "experiments", "0013_experiments.sql"),
    forked!(14, "signal scores", "0014_signal_scores.sql"),
    shared!(15, "secrets", "0015_secrets.sql"),
    forked!(16, "audit", "0016_audit.sql"),
    shared!(17, "accounts", "0017_accounts.sql"),
    shared!(18, "renewals", "0018_renewals.sql"),
    shared!(19, "passkeys", "0019_passkeys.sql"),
    shared!(20, "alerts", "0020_alerts.sql"),
    shared!(21, "job parts", "0021_job_parts.sql"),
    shared!(22, "errors", "0022_errors.sql"),
    forked!(23, "usage", "0023_usage.sql"),
    shared!(24, "error requests", "0024_error_requests.sql"),
];

/// The newest step, by its number.
pub(crate) const NEWEST: i64 = STEPS[STEPS.len() - 1].version;

/// All migrations of SQLite, ready to be run.
pub(crate) fn sqlite() -> Migrator {
    migrator(&STEPS, |step| step.sqlite)
}

/// All migrations of PostgreSQL, ready to be run.
pub(crate) fn postgres() -> Migrator {
    migrator(&STEPS, |step| step.postgres)
}

fn migrator(steps: &[Step], text: fn(&Step) -> &'static str) -> Migrator {
    let migrations = steps
        .iter()
        .map(|step| {
            Migration::new(
                step.version,
                Cow::Borrowed(step.description),
                MigrationType::Simple,
                text(step).into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

#[cfg(test)]
mod tests {
    use bist_testkit::postgres_database::PostgresDatabase;
    use sqlx::postgres::PgPoolOptions;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;
    use crate::db::{Pool, PostgresPool, PostgresServer, Row, query};

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
            match &self.pool {
                Pool::Sqlite(pool) => {
                    migrator(&STEPS[..count], |step| step.sqlite).run(pool).await.unwrap();
                }
                Pool::Postgres(pool) => {
                    let migrator = migrator(&STEPS[..count], |step| step.postgres);
                    migrator.run(&pool.connections).await.unwrap();
                }
                Pool::SqliteReaders(_) => unreachable!("these places are written to"),
            }
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
}
