//! The migrations, compiled in, so that the binary needs no file beside it.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// Version, description and text of each migration, oldest first. Forward only.
const MIGRATIONS: [(i64, &str, &str); 8] = [
    (1, "market data", include_str!("../../../migrations/0001_market_data.sql")),
    (2, "validation", include_str!("../../../migrations/0002_validation.sql")),
    (3, "models", include_str!("../../../migrations/0003_models.sql")),
    (4, "sources", include_str!("../../../migrations/0004_sources.sql")),
    (5, "job attempts", include_str!("../../../migrations/0005_job_attempts.sql")),
    (6, "horizons", include_str!("../../../migrations/0006_horizons.sql")),
    (7, "trials", include_str!("../../../migrations/0007_trials.sql")),
    (8, "hourly horizons", include_str!("../../../migrations/0008_hourly_horizons.sql")),
];

/// All migrations, ready to be run.
pub(crate) fn migrator() -> Migrator {
    let migrations = MIGRATIONS
        .iter()
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
