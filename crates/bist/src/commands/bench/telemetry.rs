//! What it costs to count, log and note each answer: the server with all of it and with none.
//!
//! Both run all the time, each on a copy of the same data, and are asked in short turns, one right after
//! the other: what disturbs a machine lasts longer than a turn, and so disturbs both. The cost is the
//! median of what the pairs say. Beside it stands the time of processors that a request took, which others
//! on the machine disturb less.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Serialize;

use super::http::{Asked, Figures, Run, Server, Wrk, head};
use super::side_by_side::median;
use crate::terminal::Terminal;

/// What the server is told to leave out all of it.
const NOTHING: &str = "[telemetry]\nmetrics = false\nusage = false\nactivity = false\n";

/// Bars that are asked for at once.
const ASKED: [u32; 2] = [1, 30];

/// The most that all of it together may take of the requests a second, a share of one.
const COST_GOAL: f64 = 0.05;

#[derive(Args, Debug)]
pub(crate) struct TelemetryBenchArgs {
    /// How often the servers take turns
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Seconds of each run
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=600))]
    seconds: u16,
    /// Connections that ask at the same time
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    connections: u16,
    /// The core of the server
    #[arg(long, default_value_t = 0)]
    core: usize,
    /// The core of wrk, which asks
    #[arg(long, default_value_t = 1)]
    wrk_core: usize,
}

/// The server with and without, asked for the same bars.
#[derive(Debug, Serialize)]
struct Item {
    bars: u32,
    with: Figures,
    without: Figures,
    /// The share of the requests a second that it takes: the median of the rounds.
    cost: f64,
    /// Between these lies what half of the rounds say.
    cost_quartiles: [f64; 2],
    cost_goal: f64,
    goal_met: bool,
    /// Time of processors that a request took over all rounds, microseconds.
    with_processor_us: f64,
    without_processor_us: f64,
}

/// The runs of one server, and the time of processors that it used over them.
#[derive(Debug, Default)]
struct Runs {
    all: Vec<Run>,
    processor_s: f64,
}

impl Runs {
    fn processor_us(&self) -> f64 {
        let requests: u64 = self.all.iter().map(|run| run.requests).sum();
        self.processor_s * 1e6 / requests as f64
    }
}

/// The JSON document.
#[derive(Debug, Serialize)]
struct Report {
    rounds: u16,
    connections: u16,
    items: Vec<Item>,
}

impl TelemetryBenchArgs {
    pub(crate) async fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let folder = folder.path();
        let asked = Asked::prepare(folder, terminal).await?;
        let wrk = Wrk::prepare(folder, self.wrk_core, self.connections)?;
        // As anybody starts it, its log in a file; and with neither.
        let with = self.server(folder, "with", "", &[])?;
        let without = self.server(folder, "without", NOTHING, &["--log", "off"])?;
        let mut runs: BTreeMap<(u32, bool), Runs> = BTreeMap::new();
        for round in 1..=self.rounds {
            terminal.say(&format!("round {round} of {}", self.rounds));
            // Who goes first takes turns too.
            let turns = if round % 2 == 1 { [true, false] } else { [false, true] };
            for bars in ASKED {
                for is_with in turns {
                    let server = if is_with { &with } else { &without };
                    let url = asked.url(server.address, bars, true);
                    let before_s = server.processor_s()?;
                    let run = wrk.ask(&url, &asked.key, self.seconds)?;
                    ensure!(run.errors == 0, "{} answers were errors", run.errors);
                    let runs = runs.entry((bars, is_with)).or_default();
                    runs.processor_s += server.processor_s()? - before_s;
                    runs.all.push(run);
                }
            }
        }
        let items = ASKED.map(|bars| Item::of(bars, &runs[&(bars, true)], &runs[&(bars, false)]));
        let report =
            Report { rounds: self.rounds, connections: self.connections, items: items.into() };
        terminal.result(&report, || report.text())
    }

    /// A server on a copy of the data in `folder`, in a folder of its own.
    fn server(
        &self,
        folder: &Path,
        name: &str,
        settings: &str,
        flags: &[&str],
    ) -> anyhow::Result<Server> {
        let own = folder.join(name);
        copy(&folder.join("data"), &own.join("data")).context("copying the data")?;
        let mut server = Server::ours(self.core, &own, settings, flags)?;
        server.wait_until_it_answers(&own)?;
        Ok(server)
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

impl Item {
    fn of(bars: u32, with: &Runs, without: &Runs) -> Self {
        let pairs = with.all.iter().zip(&without.all);
        let mut costs: Vec<f64> =
            pairs.map(|(with, without)| 1.0 - with.per_s() / without.per_s()).collect();
        costs.sort_by(f64::total_cmp);
        let cost = median(&costs).unwrap_or(f64::NAN);
        let quarter = costs.len() / 4;
        let cost_quartiles = [costs[quarter], costs[costs.len() - 1 - quarter]];
        Self {
            bars,
            with: Figures::of(&with.all),
            without: Figures::of(&without.all),
            cost,
            cost_quartiles,
            cost_goal: COST_GOAL,
            goal_met: cost < COST_GOAL,
            with_processor_us: with.processor_us(),
            without_processor_us: without.processor_us(),
        }
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = head(self.connections, self.rounds);
        for item in &self.items {
            for (name, figures) in [("with", &item.with), ("without", &item.without)] {
                text += &figures.line(name, item.bars);
            }
            let met = if item.goal_met { "met" } else { "not met" };
            text += &format!(
                "counting, logging and noting take {:.1} % (half of the rounds {:.1} to {:.1} %); \
                 goal {:.0} %: {met}\na request takes {:.2} us of a processor with and {:.2} us without \
                 ({:.1} %)\n\n",
                item.cost * 100.0,
                item.cost_quartiles[0] * 100.0,
                item.cost_quartiles[1] * 100.0,
                item.cost_goal * 100.0,
                item.with_processor_us,
                item.without_processor_us,
                (1.0 - item.without_processor_us / item.with_processor_us) * 100.0
            );
        }
        text.trim_end().to_owned()
    }
}
