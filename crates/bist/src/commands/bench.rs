//! `bist bench`: our speed beside what users would choose instead, as ratios of one run; the time
//! that a live bar takes; and what is found where the truth is known.
//!
//! Each side of a comparison runs in a process of its own, on one core, in turns, so that a busy
//! machine slows both. Seconds of another day or machine are never compared.

mod access;
mod experiments;
mod explain;
mod http;
mod ingest;
mod limits;
mod live;
mod models;
mod plots;
mod registry;
mod side_by_side;
mod skill;
mod streaming;
mod telemetry;
mod tune;

use clap::{Args, Subcommand};

use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// Reading, parsing and validating daily bars from CSV, beside polars and pandera
    Ingest(ingest::IngestBenchArgs),
    /// Bars of the last sessions one by one to all features and the forecast of the model in force
    Streaming(streaming::StreamingBenchArgs),
    /// Indicators, Prophet, the recurrent network and boosted trees, beside TA-Lib, Python prophet,
    /// `PyTorch` and LightGBM
    Models(models::ModelsBenchArgs),
    /// Explaining the forecasts of trees, beside `LightGBM`, shap and lime
    Explain(explain::ExplainBenchArgs),
    /// Plots of explanations as PNG files, beside shap with matplotlib
    Plots(plots::PlotsBenchArgs),
    /// Registering a version with its metrics and its artefact and loading it, beside `MLflow`
    Registry(registry::RegistryBenchArgs),
    /// Studies beside Optuna's: how good what they find is, how fast they are, and what a trial costs
    /// when there are many. Takes minutes
    Tune(tune::TuneBenchArgs),
    /// Bars over HTTP beside `FastAPI` with slowapi: requests a second, how soon, and memory when idle
    Http(http::HttpBenchArgs),
    /// What it costs to count, log and note each answer: the server with all of it and with none
    Telemetry(telemetry::TelemetryBenchArgs),
    /// What it costs to count a request: in this process with one key and with a million, and in Redis
    Limits(limits::LimitsBenchArgs),
    /// Many who listen to the live stream: whether each hears everything once, how soon, and what each
    /// takes of memory
    Live(live::LiveBenchArgs),
    /// What it costs to know who asks, and what many who sign in at once cost
    Access(access::AccessBenchArgs),
    /// Simulated experiments of models: how often which decision is made where the truth is known
    Experiments(experiments::ExperimentsBenchArgs),
    /// Training on generated markets: how much of what can be foreseen is, and what is claimed of
    /// noise. Takes minutes
    Skill(skill::SkillBenchArgs),
    /// Those who listen: told what to do by lines on standard input
    #[command(hide = true)]
    LiveSide(live::LiveSideArgs),
    /// One side of a comparison: prints its measurement as a line of JSON
    #[command(hide = true)]
    ModelSide(models::ModelSideArgs),
    /// One side of a comparison: prints its measurement as a line of JSON
    #[command(hide = true)]
    ExplainSide(explain::ExplainSideArgs),
    /// One side of a comparison: prints its measurement as a line of JSON
    #[command(hide = true)]
    PlotSide(plots::PlotSideArgs),
    /// One side of a comparison: prints its measurement as a line of JSON
    #[command(hide = true)]
    IngestSide(ingest::IngestSideArgs),
    /// One side of a comparison: prints its measurement as a line of JSON
    #[command(hide = true)]
    RegistrySide(registry::RegistrySideArgs),
    /// One side of a comparison: prints what it found as a line of JSON
    #[command(hide = true)]
    TuneSide(tune::TuneSideArgs),
}

impl BenchArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        match self.topic {
            Topic::Ingest(args) => args.run(terminal),
            Topic::Streaming(args) => args.run(config, terminal).await,
            Topic::Models(args) => args.run(terminal),
            Topic::Explain(args) => args.run(terminal),
            Topic::Plots(args) => args.run(terminal),
            Topic::Registry(args) => args.run(config, terminal).await,
            Topic::Http(args) => args.run(terminal).await,
            Topic::Telemetry(args) => args.run(terminal).await,
            Topic::Live(args) => args.run(terminal).await,
            Topic::LiveSide(args) => args.run().await,
            Topic::Limits(args) => args.run(config, terminal).await,
            Topic::Access(args) => args.run(terminal).await,
            Topic::Experiments(args) => args.run(terminal),
            Topic::Skill(args) => args.run(config, terminal).await,
            Topic::ModelSide(args) => args.run(),
            Topic::ExplainSide(args) => args.run(),
            Topic::PlotSide(args) => args.run(),
            Topic::RegistrySide(args) => args.run(config).await,
            Topic::IngestSide(args) => args.run(),
            Topic::Tune(args) => args.run(terminal),
            Topic::TuneSide(args) => args.run(),
        }
    }
}
