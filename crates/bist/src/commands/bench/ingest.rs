//! Reading, parsing and validating a file of daily bars.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bist_market::sample::{SampleSpec, generate};
use bist_market::{
    BarSeries, Calendar, ExchangeRules, Received, Severity, Source, ValidationPolicy, validate,
};
use clap::Args;

use super::side_by_side::{Measured, Side, Stopwatch, compare, peak_mib, print_measured};
use crate::terminal::Terminal;

/// The peers' side: the rules that they can express, in each library's own way.
const PEERS: &str = include_str!("ingest_peers.py");

#[derive(Args, Debug)]
pub(crate) struct IngestBenchArgs {
    /// A file of daily bars with the columns symbol, date, open, high, low, close and volume
    /// [default: a generated one of 100 symbols and 15 years]
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// How often each process reads the file, after once to warm up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: u16,
    /// How often the sides take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// The Python that has polars, pandas and pandera
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: OsString,
    /// The core that everything runs on
    #[arg(long, default_value_t = 0)]
    core: usize,
}

impl IngestBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let csv = match self.csv {
            Some(csv) => csv,
            None => {
                terminal.say("making a file of daily bars");
                let csv = folder.path().join("bars.csv");
                write_bars(&csv).with_context(|| format!("writing {}", csv.display()))?;
                csv
            }
        };
        let peers = folder.path().join("ingest_peers.py");
        fs::write(&peers, PEERS).with_context(|| format!("writing {}", peers.display()))?;
        let rows = fs::read(&csv).with_context(|| format!("reading {}", csv.display()))?;
        let rows = rows.iter().filter(|byte| **byte == b'\n').count().saturating_sub(1);

        let runs = self.runs.to_string();
        let this = std::env::current_exe().context("the path of this program is not known")?;
        let peer = |name: &'static str| Side {
            name,
            command: vec![
                self.python.clone(),
                peers.clone().into(),
                csv.clone().into(),
                name.into(),
                runs.clone().into(),
            ],
        };
        let ours = vec![
            this.into(),
            "bench".into(),
            "ingest-side".into(),
            csv.clone().into(),
            "--runs".into(),
            runs.clone().into(),
        ];
        let sides =
            [Side { name: "bist", command: ours }, peer("polars"), peer("pandas"), peer("pandera")];
        let work = format!("read, parse and validate {rows} daily bars from CSV");
        let rounds = usize::from(self.rounds);
        let comparison =
            compare(work, &sides, rounds, self.core, |progress| terminal.say(progress))?;
        terminal.result(&comparison, || comparison.table())
    }
}

#[derive(Args, Debug)]
pub(crate) struct IngestSideArgs {
    csv: PathBuf,
    #[arg(long)]
    runs: u16,
}

impl IngestSideArgs {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let mut measured = Measured {
            wall_s: Vec::new(),
            cpu_s: Vec::new(),
            peak_mib: 0.0,
            versions: BTreeMap::from([("bist".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            found: String::new(),
        };
        for run in 0..=self.runs {
            let watch = Stopwatch::start();
            let found = read_and_validate(&self.csv)?;
            let (wall, cpu) = watch.stop();
            if run == 0 {
                measured.found = found;
                continue;
            }
            measured.wall_s.push(wall);
            measured.cpu_s.extend(cpu);
        }
        measured.peak_mib = peak_mib().unwrap_or_default();
        print_measured(&measured)
    }
}

/// What `bist ingest csv` and `bist validate` do of it before and after the database: the file to
/// bars, the bars to checked bars with findings. All that was read is held until the last series is
/// done, and the sound bars of a series until the next.
fn read_and_validate(csv: &Path) -> anyhow::Result<String> {
    let file = bist_feeds::read_csv(csv)?;
    let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
    let policy = ValidationPolicy::default();
    let series = file.series.into_iter();
    let received: Vec<_> = series.map(|series| Received::bars(series, Source::CSV)).collect();
    let (mut accepted, mut errors, mut warnings) = (0, 0, 0);
    for received in &received {
        let checked = validate(received, calendar, rules, policy);
        accepted += checked.bars().len();
        for finding in &checked.quality().findings {
            match finding.severity() {
                Severity::Error => errors += 1,
                Severity::Warning => warnings += 1,
                Severity::Info => {}
            }
        }
    }
    Ok(format!("{accepted} sound bars, {errors} errors and {warnings} warnings"))
}

/// Writes a sample market of about 375,000 rows.
fn write_bars(csv: &Path) -> anyhow::Result<()> {
    let spec = SampleSpec {
        symbols_count: 100,
        years: 15,
        seed: 7,
        until: jiff::civil::date(2025, 12, 31),
    };
    let market = generate(&spec)?;
    let mut text = String::from("symbol,date,open,high,low,close,volume\n");
    for BarSeries { symbol, bars, .. } in &market.series {
        for bar in bars {
            let price = |units: i64| format!("{}.{:02}", units / 10_000, units % 10_000 / 100);
            let [high, low, close] = [bar.high_units, bar.low_units, bar.close_units].map(price);
            let (open, volume) = (bar.open_units.map(price), bar.volume_shares);
            let (open, volume) = (open.unwrap_or_default(), volume.unwrap_or_default());
            writeln!(text, "{symbol},{},{open},{high},{low},{close},{volume}", bar.day())?;
        }
    }
    fs::write(csv, text)?;
    Ok(())
}
