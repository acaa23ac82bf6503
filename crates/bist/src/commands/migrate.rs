//! `bist migrate`: what the database holds, which tables this program knows, and moving all of it to another.

use std::fmt::Write as _;

use anyhow::bail;
use bist_app::databases::{MovedTable, TableRows, copy_database, known_migrations};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::open_directory;
use crate::config::{Config, database};
use crate::terminal::Terminal;

#[derive(Debug, Subcommand)]
pub(crate) enum MigrateCommand {
    /// Bring the tables up to date, as every command does, and count their rows
    Status,
    /// Tell the newest migration that this program knows, and the newest that another one has to know to go on
    /// with tables that this one has brought up to date; no database is asked
    Known,
    /// Move everything to an empty database, all of it or nothing, and prove that it arrived
    Copy(CopyArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CopyArgs {
    /// Whose rows are moved: `sqlite:` (the file in the data directory) or `postgres://USER@HOST/NAME`
    #[arg(long, value_name = "URL")]
    from: String,
    /// Where to: an empty database
    #[arg(long, value_name = "URL")]
    to: String,
}

/// The JSON document of the state.
#[derive(Serialize)]
struct Status {
    database: String,
    tables: Vec<TableRows>,
}

/// The JSON document of what is known.
#[derive(Serialize)]
struct Known {
    newest: i64,
    migration_min: i64,
}

/// The JSON document of a move.
#[derive(Serialize)]
struct Moved {
    from: String,
    to: String,
    rows_count: u64,
    tables: Vec<MovedTable>,
}

impl MigrateCommand {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        match self {
            Self::Status => status(config, terminal).await,
            Self::Known => known(terminal),
            Self::Copy(args) => args.run(config, terminal).await,
        }
    }
}

async fn status(config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
    let app = open_directory(config).await?;
    let tables = app.table_rows().await;
    app.close().await;
    let status = Status { database: config.database.address.to_string(), tables: tables? };
    terminal.result(&status, || {
        let mut text = format!("{}:", status.database);
        for table in &status.tables {
            // Writing to a text cannot fail.
            write!(text, "\n{:>12}  {}", table.rows_count, table.name).ok();
        }
        text
    })
}

fn known(terminal: &Terminal) -> anyhow::Result<()> {
    let known = known_migrations();
    let known = Known { newest: known.newest, migration_min: known.migration_min };
    terminal.result(&known, || {
        format!(
            "migrations up to {}; programs that know {} can go on with its tables",
            known.newest, known.migration_min
        )
    })
}

impl CopyArgs {
    async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let from = config.database.settings_of(database::address(&self.from)?)?;
        let to = config.database.settings_of(database::address(&self.to)?)?;
        let (from_text, to_text) = (from.address.to_string(), to.address.to_string());
        if from_text == to_text {
            bail!("--from and --to name the same database; name an empty one to move to");
        }
        let tables = copy_database(&config.data_dir, &from, &to, |table| {
            terminal.say(&format!("{}: {} rows", table.name, table.rows_count));
        })
        .await?;
        let rows_count = tables.iter().map(|table| table.rows_count).sum();
        let moved = Moved { from: from_text, to: to_text, rows_count, tables };
        terminal.result(&moved, || {
            format!(
                "{} rows of {} tables went from {} to {}; their counts and their hashes are the same \
                 in both\nThe artefacts of models are files of the data directory and of the object \
                 store, and stay where they are\nHave database_url name the new database from now on, \
                 and keep the old one as a backup",
                moved.rows_count,
                moved.tables.len(),
                moved.from,
                moved.to
            )
        })
    }
}
