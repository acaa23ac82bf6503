//! `bist bench`: our speed beside what users would choose instead, as ratios of one run, and the time
//! that a live bar takes.
//!
//! Each side of a comparison runs in a process of its own, on one core, in turns, so that a busy machine slows both.
//! Seconds of another day or machine are never compared.

mod ingest;
mod side_by_side;
mod streaming;

use std::fs;

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
    /// One side of a comparison: prints its measurement as a line of JSON
    #[command(hide = true)]
    IngestSide(ingest::IngestSideArgs),
}

impl BenchArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        match self.topic {
            Topic::Ingest(args) => args.run(terminal),
            Topic::Streaming(args) => args.run(config, terminal).await,
            Topic::IngestSide(args) => args.run(),
        }
    }
}

/// The most memory that this process has held, MiB.
fn peak_mib() -> Option<f64> {
    let text = fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}
