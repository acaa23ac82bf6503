//! Explanations of boosted trees, beside what users would choose instead. All sides explain the
//! same model, from the same text in `LightGBM`'s format.

mod ours;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bist_models::{Gbdt, GbdtParams, Objective};
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::models::data::{TABLE_COLUMNS, all_rows, matrix, read_f32, write_table};
use super::side_by_side::{Bench, Judged, Report, Turns, print_measured};
use crate::terminal::Terminal;

/// The peers' side: the same tasks on the same files.
const PEERS: &str = include_str!("explain/peers.py");

/// Rows that the explained model learns from.
const TRAIN_ROWS: usize = 60_000;

/// What is measured, of a model of 300 trees of 31 leaves and 40 features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Task {
    /// Exact path-dependent `TreeSHAP` of 1,000 rows
    TreeShap,
    /// The same of one row
    TreeShapRow,
    /// Exact interventional `TreeSHAP` of 100 rows against 100
    Interventional,
    /// LIME of one row with quartiles, 5,000 samples
    LimeQuartiles,
    /// LIME of one row without bins, 5,000 samples
    LimeNormal,
    /// Predicting 5,000 rows, which LIME cannot do without
    LimeFloor,
    /// `KernelSHAP` of one row, 2,048 sets of features against 100 rows
    KernelShap,
    /// Predicting 204,800 rows, which `KernelSHAP` cannot do without
    KernelFloor,
}

impl Task {
    /// The peers, as the table names them.
    const fn peers(self) -> &'static [&'static str] {
        match self {
            Self::TreeShap => &["LightGBM", "shap"],
            Self::TreeShapRow | Self::LimeFloor | Self::KernelFloor => &["LightGBM"],
            Self::Interventional | Self::KernelShap => &["shap"],
            Self::LimeQuartiles | Self::LimeNormal => &["lime"],
        }
    }

    /// How many times as fast as each peer we mean to be.
    const fn goal_times_faster(self) -> Option<f64> {
        match self {
            Self::TreeShap | Self::Interventional => Some(4.0),
            Self::LimeQuartiles | Self::LimeNormal => Some(5.0),
            Self::KernelShap => Some(3.0),
            Self::TreeShapRow | Self::LimeFloor | Self::KernelFloor => None,
        }
    }

    /// How often each process does it, after once to warm up.
    const fn runs(self) -> u16 {
        match self {
            Self::TreeShapRow | Self::LimeQuartiles | Self::LimeNormal | Self::LimeFloor => 7,
            Self::TreeShap | Self::Interventional | Self::KernelShap | Self::KernelFloor => 2,
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
pub(crate) struct ExplainBenchArgs {
    /// Only these [default: all]
    #[arg(value_enum)]
    tasks: Vec<Task>,
    #[command(flatten)]
    turns: Turns,
}

impl ExplainBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let tasks = if self.tasks.is_empty() { Task::value_variants() } else { &self.tasks };
        let bench = Bench::new(self.turns, PEERS)?;
        terminal.say("making the data and training the model");
        write_model(bench.folder())?;
        let mut items = Vec::new();
        for &task in tasks {
            let (name, work) = task.names();
            let arguments =
                [name.clone().into(), bench.folder().into(), task.runs().to_string().into()];
            let told = |progress: &str| terminal.say(&format!("{name}: {progress}"));
            let sides = ("explain-side", task.peers());
            let comparison = bench.compare(work, sides, &arguments, told)?;
            items.push(Judged::of(task, task.goal_times_faster(), comparison));
        }
        let report = Report { items };
        terminal.result(&report, || report.text())
    }
}

/// Writes the table of the trees' benches and `model.txt`, trained on some of it.
fn write_model(folder: &Path) -> anyhow::Result<()> {
    write_table(folder, 0)?;
    let numbers = read_f32(folder, "0_train_x.f32")?;
    let x = matrix(&numbers[..TRAIN_ROWS * TABLE_COLUMNS], TABLE_COLUMNS)?;
    let y = read_f32(folder, "0_train_y.f32")?;
    let y: Vec<f64> = y[..TRAIN_ROWS].iter().map(|y| f64::from(*y)).collect();
    let params =
        GbdtParams { objective: Objective::Binary, num_iterations: 300, ..GbdtParams::default() };
    let fitted = Gbdt { params, seed: 1 }.fit_trees(&x, &y, &all_rows(&x), &[])?;
    let path = folder.join("model.txt");
    fs::write(&path, fitted.to_lightgbm_text())
        .with_context(|| format!("writing {}", path.display()))
}

#[derive(Args, Debug)]
pub(crate) struct ExplainSideArgs {
    #[arg(value_enum)]
    task: Task,
    folder: PathBuf,
    runs: u16,
}

impl ExplainSideArgs {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        print_measured(&ours::measure(self.task, &self.folder, self.runs)?)
    }
}
