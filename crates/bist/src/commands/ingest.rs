//! `bist ingest`: market data into the store, from files and from the services of others.

use std::fmt::Write as _;

use anyhow::bail;
use bist_app::App;
use bist_app::fetch::Reuse;
use bist_app::ingest::{IngestReport, PiecesReport};
use bist_app::universes::UniverseName;
use bist_feeds::{FileFormat, Wanted};
use bist_market::bar::day_of;
use bist_market::{Interval, SeriesCode, Source, Symbol};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::{open, open_with_services};
use crate::config::Config;
use crate::terminal::Terminal;

/// Refused rows that the text report shows; `--json` has all.
const REFUSED_SHOWN_MAX: usize = 20;

/// Notes that the text report shows; `--json` has all.
const NOTES_SHOWN_MAX: usize = 20;

/// How far back a source is asked when the user does not say.
const DAYS_BACK_DEFAULT: i32 = 30;

#[derive(Args, Debug)]
pub(crate) struct IngestArgs {
    #[command(subcommand)]
    source: SourceCommand,
}

#[derive(Debug, Subcommand)]
enum SourceCommand {
    /// Delimited text; the header, the delimiter and the forms of dates and numbers are recognised
    Csv(PathArgs),
    /// Apache Parquet
    Parquet(PathArgs),
    /// The exchange's end-of-day bulletin: from its site, or files that you have
    Bulletin(BulletinArgs),
    /// Yahoo Finance chart: bars, dividends and splits
    Yahoo(ShareArgs),
    /// İş Yatırım: raw and adjusted prices without an open, turnover, corporate actions
    Isyatirim(ShareArgs),
    /// The central bank's rates (EVDS, or the daily exchange rates when there is no key)
    Evds(EvdsArgs),
    /// Announcements on the public disclosure platform
    Kap(KapArgs),
    /// Corporate actions from a CSV file: symbol, date, kind, ratio or amount
    Actions(PathArgs),
}

impl SourceCommand {
    fn asks_a_service(&self) -> bool {
        match self {
            Self::Csv(_) | Self::Parquet(_) | Self::Actions(_) => false,
            Self::Bulletin(args) => args.paths.is_empty(),
            Self::Yahoo(_) | Self::Isyatirim(_) | Self::Evds(_) | Self::Kap(_) => true,
        }
    }
}

#[derive(Args, Debug)]
struct PathArgs {
    /// Files, folders (their files of this format), or quoted patterns such as 'prices/*.csv'
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Whose files these are, so that two vendors are kept apart and compared [default: the format]
    #[arg(long, value_name = "NAME")]
    vendor: Option<Source>,
}

#[derive(Args, Debug)]
struct DayArgs {
    /// First day [default: 30 days before the last]
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Last day [default: today]
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// Ask again for what an earlier run has brought
    #[arg(long)]
    refresh: bool,
}

#[derive(Args, Debug)]
struct ShareArgs {
    /// Whose data: bist30, bist100, stored (all that the store has), or a file with one symbol a line
    #[arg(long, value_name = "NAME|FILE", default_value = "bist30", conflicts_with = "symbols")]
    universe: String,
    /// Only these
    #[arg(long, value_name = "SYMBOL", value_delimiter = ',')]
    symbols: Vec<Symbol>,
    /// What each bar covers, such as 1d or 60m
    #[arg(long, default_value = "1d", value_parser = Interval::parse)]
    interval: Interval,
    #[command(flatten)]
    days: DayArgs,
}

#[derive(Args, Debug)]
struct BulletinArgs {
    /// Files or folders that you have; without any, the exchange's site is asked
    #[arg(value_name = "PATH", conflicts_with_all = ["from", "to", "refresh"])]
    paths: Vec<String>,
    #[command(flatten)]
    days: DayArgs,
}

#[derive(Args, Debug)]
struct EvdsArgs {
    /// Which series, such as TP.DK.USD.S.YTL [default: USD/TRY, policy rate, corridor, TLREF]
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = SeriesCode::parse)]
    series: Vec<SeriesCode>,
    #[command(flatten)]
    days: DayArgs,
}

#[derive(Args, Debug)]
struct KapArgs {
    /// Begin with this number [default: after the newest in the store, else the newest 200]
    #[arg(long, value_name = "INDEX")]
    from_index: Option<u64>,
}

impl IngestArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = if self.source.asks_a_service() {
            open_with_services(config).await?
        } else {
            open(config).await?
        };
        let progress = terminal.progress();
        let now = app.now();
        let report = match self.source {
            SourceCommand::Csv(args) => {
                app.ingest_files(FileFormat::Csv, args.vendor, args.paths, progress).await?
            }
            SourceCommand::Parquet(args) => {
                app.ingest_files(FileFormat::Parquet, args.vendor, args.paths, progress).await?
            }
            SourceCommand::Actions(args) => {
                app.ingest_files(FileFormat::Actions, args.vendor, args.paths, progress).await?
            }
            SourceCommand::Bulletin(args) if !args.paths.is_empty() => {
                app.ingest_files(FileFormat::Bulletin, None, args.paths, progress).await?
            }
            SourceCommand::Bulletin(args) => {
                let (wanted, reuse) = args.days.wanted(now);
                app.ingest_source(Source::BULLETIN, wanted, reuse, progress).await?
            }
            SourceCommand::Yahoo(args) => {
                let (wanted, reuse) = args.wanted(&app).await?;
                app.ingest_source(Source::YAHOO, wanted, reuse, progress).await?
            }
            SourceCommand::Isyatirim(args) => {
                let (wanted, reuse) = args.wanted(&app).await?;
                app.ingest_source(Source::ISYATIRIM, wanted, reuse, progress).await?
            }
            SourceCommand::Evds(args) => {
                let (wanted, reuse) = args.days.wanted(now);
                let wanted = Wanted { series: args.series, ..wanted };
                app.ingest_source(Source::EVDS, wanted, reuse, progress).await?
            }
            SourceCommand::Kap(args) => {
                let (today, from_index) = (day_of(now), args.from_index);
                let wanted = Wanted { from_index, ..Wanted::of_days(today, today) };
                app.ingest_source(Source::KAP, wanted, Reuse::Final, progress).await?
            }
        };
        app.close().await;
        terminal.result(&report, || text(&report))?;
        match report.pieces.as_ref().and_then(PiecesReport::failure) {
            Some(failure) => bail!("{failure}"),
            None => Ok(()),
        }
    }
}

impl DayArgs {
    /// Daily data of these days, and what is not asked for again.
    fn wanted(&self, now: Timestamp) -> (Wanted, Reuse) {
        let to = self.to.unwrap_or_else(|| day_of(now));
        let from = self.from.unwrap_or_else(|| to.saturating_sub(DAYS_BACK_DEFAULT.days()));
        let reuse = if self.refresh { Reuse::Nothing } else { Reuse::Final };
        (Wanted::of_days(from, to), reuse)
    }
}

impl ShareArgs {
    /// The same of the shares of the universe that the user named.
    async fn wanted(self, app: &App) -> anyhow::Result<(Wanted, Reuse)> {
        let (wanted, reuse) = self.days.wanted(app.now());
        let symbols = if self.symbols.is_empty() {
            app.universe(&UniverseName::parse(&self.universe), wanted.to).await?
        } else {
            self.symbols
        };
        Ok((Wanted { symbols, interval: self.interval, ..wanted }, reuse))
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
    let notes = report
        .files
        .iter()
        .flat_map(|file| file.notes.iter().map(|note| format!("{}: {note}", file.counts.file)));
    for note in notes.clone().take(NOTES_SHOWN_MAX) {
        line(note);
    }
    more(&mut line, "notes", notes.count(), NOTES_SHOWN_MAX);
    let refused = report.files.iter().flat_map(|file| &file.refused);
    for row in refused.clone().take(REFUSED_SHOWN_MAX) {
        line(format!("refused {}, line {}: {}", row.file, row.line, row.reason));
    }
    more(&mut line, "refused rows", refused.count(), REFUSED_SHOWN_MAX);
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
    let others = [
        (report.actions_stored, "corporate action"),
        (report.days_stored, "day record"),
        (report.observations_stored, "rate"),
        (report.disclosures_stored, "announcement"),
    ];
    let others: Vec<String> = (others.iter().filter(|(count, _)| *count > 0))
        .map(|(count, noun)| counted(*count, noun))
        .collect();
    if !others.is_empty() {
        line(format!("also stored: {}", others.join(", ")));
    }
    if let Some(pieces) = &report.pieces {
        line(format!(
            "{} of {} fetched, {} had before, {} not changed, {} with nothing, {} failed",
            pieces.fetched_count,
            counted(pieces.planned_count, "piece"),
            pieces.had_before_count,
            pieces.not_modified_count,
            pieces.absent_count,
            pieces.failed.len(),
        ));
        for failed in &pieces.failed {
            line(format!("failed {}: {}", failed.piece, failed.reason));
        }
    }
    out
}

/// Says how many of a list were not shown, if any.
fn more(line: &mut impl FnMut(String) -> Option<()>, what: &str, count: usize, shown: usize) {
    if count > shown {
        line(format!("and {} more {what}; --json lists all of them", count - shown));
    }
}

/// A count with its noun, which takes an s unless there is one.
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
