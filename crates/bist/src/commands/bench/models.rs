//! The models and indicators, each beside what users would choose instead.

pub(super) mod data;
mod ours;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::side_by_side::{Bench, Judged, Report, Turns, print_measured};
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
    #[command(flatten)]
    turns: Turns,
}

impl ModelsBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let tasks = if self.tasks.is_empty() { Task::value_variants() } else { &self.tasks };
        let bench = Bench::new(self.turns, PEERS)?;
        let mut items = Vec::new();
        for &task in tasks {
            let (name, work) = task.names();
            terminal.say(&format!("{name}: making the data"));
            data::write(task, bench.folder())?;
            let arguments =
                [name.clone().into(), bench.folder().into(), task.runs().to_string().into()];
            let told = |progress: &str| terminal.say(&format!("{name}: {progress}"));
            let sides = ("model-side", &[task.peer()][..]);
            let comparison = bench.compare(work, sides, &arguments, told)?;
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
