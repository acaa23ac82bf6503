//! `bist ingest`: files into the store.

use std::fmt::Write as _;

use bist_app::ingest::IngestReport;
use bist_feeds::FileFormat;
use clap::{Args, Subcommand};

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

/// Refused rows that the text report shows; `--json` has all.
const REFUSED_SHOWN_MAX: usize = 20;

#[derive(Args, Debug)]
pub(crate) struct IngestArgs {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Delimited text; the header, the delimiter and the forms of dates and numbers are recognised
    Csv(PathArgs),
    /// Apache Parquet
    Parquet(PathArgs),
}

#[derive(Args, Debug)]
struct PathArgs {
    /// Files, folders (their files of this format), or quoted patterns such as 'prices/*.csv'
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
}

impl IngestArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let (format, PathArgs { paths }) = match self.source {
            Source::Csv(args) => (FileFormat::Csv, args),
            Source::Parquet(args) => (FileFormat::Parquet, args),
        };
        let app = open(config).await?;
        let report = app.ingest_files(format, paths, terminal.progress()).await?;
        app.close().await;
        terminal.result(&report, || text(&report))
    }
}

fn text(report: &IngestReport) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").ok();
    if report.sample_symbols_removed > 0 {
        line(format!(
            "removed the sample market ({} symbols): real data replace it",
            report.sample_symbols_removed
        ));
    }
    for file in &report.files {
        for note in &file.notes {
            line(format!("{}: {note}", file.counts.file));
        }
    }
    let refused = report.files.iter().flat_map(|file| &file.refused);
    for row in refused.clone().take(REFUSED_SHOWN_MAX) {
        line(format!("refused {}, line {}: {}", row.file, row.line, row.reason));
    }
    let more = refused.count().saturating_sub(REFUSED_SHOWN_MAX);
    if more > 0 {
        line(format!("refused {more} more rows; --json lists all of them"));
    }
    line(format!(
        "{}, {}: {} rows read, {} stored ({} of them revised), {} unchanged, {} refused",
        counted(report.files.len() as u64, "file"),
        counted(report.symbols_count, "symbol"),
        report.rows_read,
        report.rows_stored,
        report.rows_revised,
        report.rows_unchanged,
        report.rows_refused,
    ));
    out
}

/// A count with its noun, which takes an s unless there is one.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
