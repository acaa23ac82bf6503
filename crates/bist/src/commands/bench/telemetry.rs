//! What it costs to count, log and note each answer: the server with all of it and with none, in turns.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use clap::Args;
use serde::Serialize;

use super::http::{Asked, Figures, Run, Server, Wrk, head};
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
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// Seconds of each run
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=600))]
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
    /// The share of the requests a second that it takes.
    cost: f64,
    cost_goal: f64,
    goal_met: bool,
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
        let mut runs: BTreeMap<(u32, bool), Vec<Run>> = BTreeMap::new();
        for round in 1..=self.rounds {
            for is_with in [true, false] {
                let name = if is_with { "with" } else { "without" };
                terminal.say(&format!("round {round} of {}: {name}", self.rounds));
                // As anybody starts it, its log in a file; and with neither.
                let (settings, flags): (_, &[&str]) =
                    if is_with { ("", &[]) } else { (NOTHING, &["--log", "off"]) };
                let mut server = Server::ours(self.core, folder, settings, flags)?;
                server.wait_until_it_answers(folder)?;
                for bars in ASKED {
                    let url = asked.url(server.address, bars, true);
                    wrk.ask(&url, &asked.key, 1)?;
                    let run = wrk.ask(&url, &asked.key, self.seconds)?;
                    ensure!(run.errors == 0, "{} answers {name} it were errors", run.errors);
                    runs.entry((bars, is_with)).or_default().push(run);
                }
            }
        }
        let items = ASKED.map(|bars| {
            let figures = |is_with| Figures::of(&runs[&(bars, is_with)]);
            Item::of(bars, figures(true), figures(false))
        });
        let report =
            Report { rounds: self.rounds, connections: self.connections, items: items.into() };
        terminal.result(&report, || report.text())
    }
}

impl Item {
    fn of(bars: u32, with: Figures, without: Figures) -> Self {
        let cost = 1.0 - with.requests_per_s / without.requests_per_s;
        Self { bars, with, without, cost, cost_goal: COST_GOAL, goal_met: cost < COST_GOAL }
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
                "counting, logging and noting take {:.1} %; goal {:.0} %: {met}\n\n",
                item.cost * 100.0,
                item.cost_goal * 100.0
            );
        }
        text.trim_end().to_owned()
    }
}
