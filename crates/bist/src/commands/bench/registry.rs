//! Registering a trained model and loading it, beside `MLflow`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bist_app::HORIZON_DEFAULT;
use bist_app::registry::Asked;
use bist_market::sample::SampleSpec;
use clap::Args;
use jiff::civil::{Date, date};

use super::side_by_side::{Bench, Judged, Report, Stopwatch, Times, Turns, print_measured};
use crate::commands::open;
use crate::config::Config;
use crate::terminal::Terminal;

/// The peer's side: a model of its own, logged, registered and loaded.
const PEERS: &str = include_str!("registry/peers.py");

/// How many times as fast as the peer we mean to be.
const GOAL_TIMES_FASTER: f64 = 20.0;

/// Versions that each process registers and loads, after one to warm up.
const RUNS: u16 = 7;

/// The data directory in which the versions were trained.
const TRAINED: &str = "trained";

/// The last day of the market that is learned from.
const UNTIL: Date = date(2026, 11, 20);

const ASKED: Asked<'static> = Asked { by: "bist bench", reason: "to be measured" };

#[derive(Args, Debug)]
pub(crate) struct RegistryBenchArgs {
    #[command(flatten)]
    turns: Turns,
}

impl RegistryBenchArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let bench = Bench::new(self.turns, PEERS)?;
        train_versions(bench.folder(), config, terminal).await?;
        let arguments = [bench.folder().into(), RUNS.to_string().into()];
        let work = "Registering a version with its metrics and its artefact, and loading it";
        let told = |progress: &str| terminal.say(progress);
        let sides = ("registry-side", &["MLflow"][..]);
        let comparison = bench.compare(work.to_owned(), sides, &arguments, told)?;
        let judged = Judged::of("register-and-load", Some(GOAL_TIMES_FASTER), comparison);
        let report = Report { items: vec![judged] };
        terminal.result(&report, || report.text())
    }
}

/// Trains a version for each run, and one to warm up, in a data directory below `folder`.
async fn train_versions(folder: &Path, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
    let app = open(&alone(config, folder.join(TRAINED))).await?;
    let spec = SampleSpec { symbols_count: 6, years: 3, seed: 7, until: UNTIL };
    app.make_sample(spec, terminal.progress()).await?;
    for seed in 0..=u64::from(RUNS) {
        app.train(None, &[HORIZON_DEFAULT], seed, terminal.progress()).await?;
    }
    app.close().await;
    Ok(())
}

/// The same settings for another data directory, and without a bucket.
fn alone(config: &Config, data_dir: PathBuf) -> Config {
    Config { data_dir, bucket: None, ..config.clone() }
}

#[derive(Args, Debug)]
pub(crate) struct RegistrySideArgs {
    folder: PathBuf,
    runs: u16,
}

impl RegistrySideArgs {
    pub(crate) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let trained = open(&alone(config, self.folder.join(TRAINED))).await?;
        let mut versions = Vec::new();
        for version in trained.model_versions().await? {
            let artifact = trained.artifact(&version).await?;
            versions.push((version, artifact));
        }
        trained.close().await;
        let registry = tempfile::tempdir_in(&self.folder).context("no folder for a registry")?;
        let app = open(&alone(config, registry.path().to_owned())).await?;
        let mut versions = versions.into_iter();
        let mut register_and_load = async || -> anyhow::Result<String> {
            let (version, artifact) = versions.next().context("there is no version left")?;
            let found = format!("a model of {} bytes", artifact.len());
            let model = app.register_and_load(version, artifact, ASKED).await?;
            ensure!(model.horizon == HORIZON_DEFAULT, "another model came back");
            Ok(found)
        };
        let mut found = register_and_load().await?;
        let mut times = Times::default();
        for _ in 0..self.runs {
            let watch = Stopwatch::start();
            found = register_and_load().await?;
            times.push(watch);
        }
        app.close().await;
        print_measured(&times.measured(found))
    }
}
