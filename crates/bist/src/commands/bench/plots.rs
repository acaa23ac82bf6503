//! Plots of explanations as PNG files, each beside what users would choose instead.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bist_app::plots::{PixelRatio, png};
use bist_models::explain::plot::{
    Beeswarm, BeeswarmFeature, Canvas, Contribution, Heading, Language, Palette, Theme, Unit,
    Waterfall,
};
use clap::{Args, ValueEnum};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1, StandardNormal};
use serde::Serialize;

use super::models::data::{read_f64, save};
use super::side_by_side::{
    Comparison, Measured, Side, Stopwatch, compare, peak_mib, print_measured,
};
use crate::terminal::Terminal;

/// The peers' side: the same plots of the same numbers.
const PEERS: &str = include_str!("plots/peers.py");

const ROWS_COUNT: usize = 2000;

const FEATURES_COUNT: usize = 40;

/// How often each process draws, after once to warm up.
const RUNS: u16 = 7;

const SEED: u64 = 20_261_128;

/// The size of shap's beeswarm of twenty rows at its usual 100 points an inch.
const CANVAS: Canvas = Canvas {
    width: 800,
    height: 950,
    theme: Theme::Light,
    palette: Palette::Standard,
    language: Language::English,
};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Plot {
    /// A beeswarm of 2,000 rows and 40 features in 20 rows of dots, to a PNG file
    Beeswarm,
    /// A waterfall of 40 features in 15 bars, to a PNG file
    Waterfall,
}

impl Plot {
    /// How many times as fast as the peer we mean to be.
    const fn goal_times_faster(self) -> Option<f64> {
        match self {
            Self::Beeswarm => Some(20.0),
            Self::Waterfall => None,
        }
    }

    /// Its name on the command line, and what it is in a table.
    fn names(self) -> (String, String) {
        let value = self.to_possible_value().expect("no plot is skipped");
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        (value.get_name().to_owned(), help)
    }
}

#[derive(Args, Debug)]
pub(crate) struct PlotsBenchArgs {
    /// How often the sides take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// The Python that has shap and matplotlib
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    python: OsString,
    /// The core that everything runs on
    #[arg(long, default_value_t = 0)]
    core: usize,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    items: Vec<PlotComparison>,
}

#[derive(Serialize)]
struct PlotComparison {
    plot: Plot,
    /// How many times as fast as the peer we mean to be.
    goal_times_faster: Option<f64>,
    /// Whether the median is; unknown without a goal or a peer.
    goal_met: Option<bool>,
    #[serde(flatten)]
    comparison: Comparison,
}

impl PlotsBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let folder = tempfile::tempdir().context("no folder for the bench's files")?;
        let peers = folder.path().join("peers.py");
        fs::write(&peers, PEERS).with_context(|| format!("writing {}", peers.display()))?;
        write_numbers(folder.path())?;
        let this = std::env::current_exe().context("the path of this program is not known")?;
        let mut items = Vec::new();
        for &plot in Plot::value_variants() {
            let (name, work) = plot.names();
            let arguments: [OsString; 3] =
                [name.clone().into(), folder.path().into(), RUNS.to_string().into()];
            let ours = [this.clone().into(), "bench".into(), "plot-side".into()];
            let theirs = [self.python.clone(), peers.clone().into()];
            let sides = [
                Side { name: "bist", command: ours.into_iter().chain(arguments.clone()).collect() },
                Side {
                    name: "shap with matplotlib",
                    command: theirs.into_iter().chain(arguments).collect(),
                },
            ];
            let told = |progress: &str| terminal.say(&format!("{name}: {progress}"));
            let comparison = compare(work, &sides, usize::from(self.rounds), self.core, told)?;
            let goal_times_faster = plot.goal_times_faster();
            let times_faster = comparison.ratios.first().map(|ratio| ratio.times_faster);
            let goal_met = goal_times_faster.zip(times_faster).map(|(goal, times)| times >= goal);
            items.push(PlotComparison { plot, goal_times_faster, goal_met, comparison });
        }
        let report = Report { items };
        terminal.result(&report, || report.text())
    }
}

impl Report {
    fn text(&self) -> String {
        let mut text = String::new();
        for item in &self.items {
            let goal = match (item.goal_times_faster, item.goal_met) {
                (Some(goal), Some(true)) => format!("goal {goal} times: met\n"),
                (Some(goal), Some(false)) => format!("goal {goal} times: MISSED\n"),
                _ => String::new(),
            };
            write!(text, "{}\n{goal}\n", item.comparison.table())
                .expect("text can be written to a string");
        }
        text
    }
}

/// `values.f64` and `effects.f64`, row by row: an effect is its value times the gain of its feature,
/// which is exponential, and some noise.
fn write_numbers(folder: &Path) -> anyhow::Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let gains: Vec<f64> = Exp1.sample_iter(&mut random).take(FEATURES_COUNT).collect();
    let mut normals = StandardNormal.sample_iter(&mut random);
    let mut draw = |count: usize| -> Vec<f64> { normals.by_ref().take(count).collect() };
    let values = draw(ROWS_COUNT * FEATURES_COUNT);
    let noise = draw(ROWS_COUNT * FEATURES_COUNT);
    let effect = |((value, noise), gain): ((&f64, &f64), &f64)| value * gain + 0.2 * noise;
    let effects = values.iter().zip(&noise).zip(gains.iter().cycle()).map(effect);
    save(folder, "effects.f64", effects.map(f64::to_le_bytes))?;
    save(folder, "values.f64", values.iter().map(|value| value.to_le_bytes()))
}

#[derive(Args, Debug)]
pub(crate) struct PlotSideArgs {
    #[arg(value_enum)]
    plot: Plot,
    folder: PathBuf,
    runs: u16,
}

impl PlotSideArgs {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let effects = read_f64(&self.folder, "effects.f64")?;
        let values = read_f64(&self.folder, "values.f64")?;
        let file = self.folder.join("bist.png");
        let column = |numbers: &[f64], k: usize| -> Vec<f64> {
            numbers.iter().copied().skip(k).step_by(FEATURES_COUNT).collect()
        };
        let beeswarm = Beeswarm {
            heading: Heading { title: "SHAP".to_owned(), subtitle: String::new() },
            unit: Unit::Plain,
            axis_label: "SHAP value".to_owned(),
            features: (0..FEATURES_COUNT)
                .map(|k| BeeswarmFeature {
                    label: format!("f{k}"),
                    effects: column(&effects, k),
                    values: column(&values, k),
                })
                .collect(),
            shown_max: 19,
        };
        let first = &effects[..FEATURES_COUNT];
        let waterfall = Waterfall {
            heading: beeswarm.heading.clone(),
            unit: Unit::Plain,
            axis_label: "SHAP value".to_owned(),
            base: 0.0,
            contributions: (0..FEATURES_COUNT)
                .map(|k| Contribution {
                    label: format!("f{k} = {:.3}", values[k]),
                    effect: first[k],
                })
                .collect(),
            forecast: first.iter().sum(),
            shown_max: 14,
        };
        let draw = || -> anyhow::Result<String> {
            let drawing = match self.plot {
                Plot::Beeswarm => beeswarm.draw(&CANVAS)?,
                Plot::Waterfall => waterfall.draw(&CANVAS)?,
            };
            let picture = png(&drawing, PixelRatio::One)?;
            fs::write(&file, &picture).with_context(|| format!("writing {}", file.display()))?;
            let (width, height) = (drawing.width(), drawing.height());
            Ok(format!("{width} x {height} px in {} bytes", picture.len()))
        };
        let mut found = draw()?;
        let (mut wall_s, mut cpu_s) = (Vec::new(), Vec::new());
        for _ in 0..self.runs {
            let watch = Stopwatch::start();
            found = draw()?;
            let (wall, cpu) = watch.stop();
            wall_s.push(wall);
            cpu_s.extend(cpu);
        }
        print_measured(&Measured {
            wall_s,
            cpu_s,
            peak_mib: peak_mib().unwrap_or_default(),
            versions: BTreeMap::from([("bist".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
            found,
        })
    }
}
