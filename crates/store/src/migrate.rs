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
mod tests;
