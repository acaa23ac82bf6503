//! A live bar to all features and the forecast of its symbol.

use std::fmt::Write as _;

use anyhow::ensure;
use bist_app::streaming::{Latency, StreamingPlan, StreamingReport};
use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use clap::Args;
use serde::Serialize;

use super::super::open;
use super::side_by_side::peak_mib;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct StreamingBenchArgs {
    /// The model in force that looks so many sessions ahead
    #[arg(long, value_name = "SESSIONS", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    /// How many of the last sessions are replayed
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    sessions: u16,
    /// How many bars of each symbol arrive in a session, each in the place of the one before
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    bars: u16,
}

/// The JSON document.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a StreamingReport,
    /// Whether 99 of 100 updates took less than a millisecond.
    below_one_ms: bool,
    /// The most memory that the process held, MiB, the batch included; absent where the system does
    /// not tell.
    peak_mib: Option<f64>,
}

impl StreamingBenchArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let plan = StreamingPlan {
            sessions_count: usize::from(self.sessions),
            bars_per_session: usize::from(self.bars),
        };
        let report = app.measure_streaming(self.horizon, plan, terminal.progress()).await?;
        app.close().await;
        let document =
            Document { report: &report, below_one_ms: report.is_quick(), peak_mib: peak_mib() };
        terminal.result(&document, || text(&document))?;
        ensure!(
            report.differing.is_empty(),
            "{} of {} forecasts are not those of the batch",
            report.differing.len(),
            report.compared_count
        );
        Ok(())
    }
}

fn text(document: &Document<'_>) -> String {
    let report = document.report;
    let mut text = format!(
        "{} bars of {} symbols on {} sessions, {} features each, to the forecast {} session(s) ahead\n\n",
        report.updates_count,
        report.symbols_count,
        report.sessions.len(),
        report.features_count,
        report.horizon_sessions,
    );
    let mut line = |name: &str, [median, p99, max]: [String; 3]| {
        writeln!(text, "{name:12}{median:>11}{p99:>10}{max:>10}")
    };
    let us = |latency: &Latency| {
        [latency.median_us, latency.p99_us, latency.max_us].map(|us| format!("{us:.1}"))
    };
    let mut written = line("", ["median us", "p99 us", "max us"].map(str::to_owned));
    written = written.and(line("features", us(&report.features)));
    written = written.and(line("ensemble", us(&report.ensemble)));
    written = written.and(line("together", us(&report.together)));
    let same_count = report.compared_count - report.differing.len();
    let below = if document.below_one_ms { "yes" } else { "no" };
    written = written.and(write!(
        text,
        "\nbelow 1 ms (99 of 100): {below}\nlongest first bar of a session: {:.1} us\n\
         the same as the batch, bit for bit: {same_count} of {} forecasts\n",
        report.first_of_session_max_us, report.compared_count,
    ));
    if let Some(peak_mib) = document.peak_mib {
        written = written.and(writeln!(text, "peak memory, the batch included: {peak_mib:.1} MiB"));
    }
    written.expect("writing to a string does not fail");
    text
}
