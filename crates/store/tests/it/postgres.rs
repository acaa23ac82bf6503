//! What is about PostgreSQL itself: the suite once more on it, the same tables, moving there, and its
//! leases.

mod copy;
mod leases;
mod opening;
mod schema;

use std::process::Command;

use bist_testkit::postgres_database::PostgresDatabase;

use crate::home::{ON_POSTGRES, is_on_postgres};

/// What is about SQLite's file alone, or has no database.
const OF_SQLITE: [&str; 4] =
    ["a_file_that_is_no_database", "studies::optuna", "studies::journal", "studies::memory"];

#[test]
fn the_suite_passes_on_postgresql_as_on_sqlite() {
    if is_on_postgres() {
        return;
    }
    let Some(_answers) = PostgresDatabase::make() else { return };
    let mut suite = Command::new(std::env::current_exe().unwrap());
    suite.env(ON_POSTGRES, "1").arg("--quiet");
    for test in OF_SQLITE {
        suite.args(["--skip", test]);
    }
    let output = suite.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "on PostgreSQL:\n{told}");
}

/// A database for a test that is about PostgreSQL wherever the suite runs; `None` where the suite runs
/// on it, so that nothing is done twice, or none answers.
fn database() -> Option<PostgresDatabase> {
    if is_on_postgres() { None } else { PostgresDatabase::make() }
}
