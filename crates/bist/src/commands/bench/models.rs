//! The models and indicators, each beside what users would choose instead.

pub(super) mod data;
mod ours;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::side_by_side::{Judged, Report, Side, compare, print_measured};
use crate::terminal::Terminal;

/// The peers' side: the same tasks on the same files.
const PEERS: &str = include_str!("models/peers.py");

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Task {
    /// RSI, MACD, ATR, Bollinger bands, ADX, four SMA, four EMA, OBV, MFI and the stochastic
    Indicators,
    /// Fitting Prophet to 2520 closes of each of five symbols and forecasting 30 days more
    Prophet,
    /// A training step of a recurrent network: two layers of 64, 20 features, 60 steps, batches of 64
    LstmTraining,
    /// One window through that network
    LstmInference,
    /// Training 300 boosted trees of 31 leaves on 300,000 rows of 40 features, binning included
    TreesTraining,
    /// Predicting 60,000 rows with those trees
    TreesPrediction,
    /// Exact `TreeSHAP` of 1,000 rows with those trees
    TreesExplanation,
}

impl Task {
    /// The peer, as the table names it.
    const fn peer(self) -> &'static str {
        match self {
            Self::Indicators => "TA-Lib",
            Self::Prophet => "Python prophet",
            Self::LstmTraining | Self::LstmInference => "PyTorch",
            Self::TreesTraining | Self::TreesPrediction | Self::TreesExplanation => "LightGBM",
        }
    }

    /// How many times as fast as the peer we mean to be.
    const fn goal_times_faster(self) -> Option<f64> {
        match self {
            Self::Indicators | Self::TreesPrediction => Some(2.0),
            Self::Prophet => Some(20.0),
            Self::LstmTraining => Some(1.5),
            Self::LstmInference => Some(4.0),
            Self::TreesTraining => Some(1.0),
            Self::TreesExplanation => None,
        }
    }

    /// How often each process does it, after once to warm up where that takes little time.
    const fn runs(self) -> u16 {
        match self {
            Self::Indicators | Self::LstmInference | Self::TreesPrediction => 7,
            Self::LstmTraining | Self::TreesExplanation => 3,
            Self::Prophet => 2,
            Self::TreesTraining => 1,
        }
    }

    /// Its name on the command line, and what it is in a table.
    fn names(self) -> (String, String) {
        let value = self.to_possible_value().expect("no task is skipped");
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), help)
    }
}

#[derive(Args, Debug)]
pub(crate) struct ModelsBenchArgs {
    /// Only these [default: all]
    #[arg(value_enum)]
    tasks: Vec<Task>,
    /// How often the sides take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// The Python that has TA-Lib, prophet, torch and lightgbm; what it lacks is not measured
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: OsString,
    /// The core that everything runs on
    #[arg(long, default_value_t = 0)]
    core: usize,
}

impl ModelsBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let tasks = if self.tasks.is_empty() { Task::value_variants() } else { &self.tasks };
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let peers = folder.path().join("peers.py");
        fs::write(&peers, PEERS).with_context(|| format!("writing {}", peers.display()))?;
        let this = std::env::current_exe().context("the path of this program is not known")?;
        let mut items = Vec::new();
        for &task in tasks {
            let (name, work) = task.names();
            terminal.say(&format!("{name}: making the data"));
            data::write(task, folder.path())?;
            let arguments: [OsString; 3] =
                [name.clone().into(), folder.path().into(), task.runs().to_string().into()];
            let ours = [this.clone().into(), "bench".into(), "model-side".into()];
            let theirs = [self.python.clone(), peers.clone().into()];
            let sides = [
                Side { name: "bist", command: ours.into_iter().chain(arguments.clone()).collect() },
                Side { name: task.peer(), command: theirs.into_iter().chain(arguments).collect() },
            ];
            let told = |progress: &str| terminal.say(&format!("{name}: {progress}"));
            let comparison = compare(work, &sides, usize::from(self.rounds), self.core, told)?;
            items.push(Judged::of(task, task.goal_times_faster(), comparison));
        }
        let report = Report { items };
        terminal.result(&report, || report.text())
    }
}

#[derive(Args, Debug)]
pub(crate) struct ModelSideArgs {
    #[arg(value_enum)]
    task: Task,
    folder: PathBuf,
    runs: u16,
}

impl ModelSideArgs {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        print_measured(&ours::measure(self.task, &self.folder, self.runs)?)
    }
}
