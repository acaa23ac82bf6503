//! Plots of explanations as PNG files, each beside what users would choose instead.

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
use super::side_by_side::{Bench, Judged, Report, Times, Turns, print_measured};
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
    #[command(flatten)]
    turns: Turns,
}

impl PlotsBenchArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let bench = Bench::new(self.turns, PEERS)?;
        write_numbers(bench.folder())?;
        let mut items = Vec::new();
        for &plot in Plot::value_variants() {
            let (name, work) = plot.names();
            let arguments = [name.clone().into(), bench.folder().into(), RUNS.to_string().into()];
            let told = |progress: &str| terminal.say(&format!("{name}: {progress}"));
            let sides = ("plot-side", &["shap with matplotlib"][..]);
            let comparison = bench.compare(work, sides, &arguments, told)?;
            items.push(Judged::of(plot, plot.goal_times_faster(), comparison));
        }
        let report = Report { items };
        terminal.result(&report, || report.text())
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
        let (times, found) = Times::of(self.runs, draw)?;
        print_measured(&times.measured(found))
    }
}
