//! The migrations, compiled in, so that the binary needs no file beside it.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, description and text of each migration, oldest first. Forward only.
const MIGRATIONS: [(i64, &str, &str); 19] = [
    (1, "market data", include_str!("../../../migrations/0001_market_data.sql")),
    (2, "validation", include_str!("../../../migrations/0002_validation.sql")),
    (3, "models", include_str!("../../../migrations/0003_models.sql")),
    (4, "sources", include_str!("../../../migrations/0004_sources.sql")),
    (5, "job attempts", include_str!("../../../migrations/0005_job_attempts.sql")),
    (6, "horizons", include_str!("../../../migrations/0006_horizons.sql")),
    (7, "trials", include_str!("../../../migrations/0007_trials.sql")),
    (8, "hourly horizons", include_str!("../../../migrations/0008_hourly_horizons.sql")),
    (9, "studies", include_str!("../../../migrations/0009_studies.sql")),
    (10, "explanations", include_str!("../../../migrations/0010_explanations.sql")),
    (11, "registry", include_str!("../../../migrations/0011_registry.sql")),
    (12, "jobs", include_str!("../../../migrations/0012_jobs.sql")),
    (13, "experiments", include_str!("../../../migrations/0013_experiments.sql")),
    (14, "signal scores", include_str!("../../../migrations/0014_signal_scores.sql")),
    (15, "secrets", include_str!("../../../migrations/0015_secrets.sql")),
    (16, "audit", include_str!("../../../migrations/0016_audit.sql")),
    (17, "accounts", include_str!("../../../migrations/0017_accounts.sql")),
    (18, "renewals", include_str!("../../../migrations/0018_renewals.sql")),
    (19, "passkeys", include_str!("../../../migrations/0019_passkeys.sql")),
];

/// All migrations, ready to be run.
pub(crate) fn migrator() -> Migrator {
    first(MIGRATIONS.len())
}

/// The first `count` of them.
fn first(count: usize) -> Migrator {
    let migrations = MIGRATIONS
        .iter()
        .take(count)
        .map(|(version, description, sql)| {
            Migration::new(
                *version,
                Cow::Borrowed(description),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    #[tokio::test]
    async fn champions_of_sessions_keep_their_place_when_horizons_become_texts() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:");
        let pool = pool.await.unwrap();
        first(7).run(&pool).await.unwrap();
        for (id, state, sessions) in
            [("a", "champion", 1), ("b", "champion", 20), ("c", "retired", 20)]
        {
            let insert = sqlx::query(
                "INSERT INTO model_versions
                     (id, state, origin, horizon_sessions, trained_at_us, document)
                 VALUES ($1, $2, 'market', $3, 0, '{}')",
            );
            insert.bind(id).bind(state).bind(sessions).execute(&pool).await.unwrap();
        }
        migrator().run(&pool).await.unwrap();
        let rows = sqlx::query("SELECT id, horizon FROM model_versions ORDER BY id");
        let rows = rows.fetch_all(&pool).await.unwrap();
        let rows: Vec<(String, String)> =
            rows.iter().map(|row| (row.get("id"), row.get("horizon"))).collect();
        let expected = [("a", "1"), ("b", "20"), ("c", "20")];
        assert_eq!(rows, expected.map(|(id, horizon)| (id.to_owned(), horizon.to_owned())));
        // An hourly champion stands beside that of one session, and no second one beside it.
        let add = async |id, horizon| {
            let insert = sqlx::query(
                "INSERT INTO model_versions (id, state, origin, horizon, trained_at_us, document)
                 VALUES ($1, 'champion', 'market', $2, 0, '{}')",
            );
            insert.bind(id).bind(horizon).execute(&pool).await
        };
        add("d", "1h").await.unwrap();
        add("e", "1h").await.unwrap_err();
        add("f", "1").await.unwrap_err();
    }

    #[tokio::test]
    async fn versions_from_before_changes_were_noted_have_a_history_that_ends_where_they_stand() {
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:");
        let pool = pool.await.unwrap();
        first(10).run(&pool).await.unwrap();
        let versions = [
            ("a", "retired", "5", 10),
            ("b", "candidate", "5", 15),
            ("c", "champion", "5", 20),
            ("d", "retired", "1h", 30),
        ];
        for (id, state, horizon, trained_at_us) in versions {
            sqlx::query(
                "INSERT INTO model_versions (id, state, origin, horizon, trained_at_us, document)
                 VALUES ($1, $2, 'market', $3, $4, '{}')",
            )
            .bind(id)
            .bind(state)
            .bind(horizon)
            .bind(trained_at_us)
            .execute(&pool)
            .await
            .unwrap();
        }
        migrator().run(&pool).await.unwrap();
        let rows = sqlx::query(
            "SELECT model_version, from_state, to_state, changed_at_us
             FROM model_state_changes ORDER BY number",
        );
        let rows = rows.fetch_all(&pool).await.unwrap();
        let rows: Vec<(String, Option<String>, String, i64)> =
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
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
