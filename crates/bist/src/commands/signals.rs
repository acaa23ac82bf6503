//! `bist signals`: what the model in force says of the latest bars, and what came of what was said.

mod record;

use std::fmt::Write as _;

use bist_app::experiments::ExperimentStep;
use bist_app::signal_record::ScoringReport;
use bist_app::signals::{SignalsReport, SignalsRun, WithoutForecast, WithoutForecastReason};
use bist_app::training::TrainingError;
use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use bist_market::Price;
use bist_trading::Signal;
use clap::Args;
use jiff::civil::Time;
use serde::Serialize;

use self::record::SignalsCommand;
use super::{experiments, open};
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SignalsArgs {
    /// Show those of the model that looks so far ahead: 1, 5 or 20 sessions, 1h or eod; those of all
    /// models are made and kept
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    #[command(subcommand)]
    command: Option<SignalsCommand>,
}

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    model_version: &'a str,
    origin: &'static str,
    skill_shown: bool,
    items: Vec<Item<'a>>,
    without_forecast: &'a [WithoutForecast],
    /// What became of the experiment of this horizon, where there is one.
    experiment: Option<&'a ExperimentStep>,
    /// Why it did not go on, where it did not.
    experiment_problem: Option<&'a str>,
    /// Which of the signals served before were scored.
    scoring: ScoringReport,
}

#[derive(Serialize)]
struct Item<'a> {
    id: &'a str,
    origin: &'static str,
    model_version: &'a str,
    snapshot_hash: &'a str,
    made_at: jiff::Timestamp,
    reason_text: String,
    #[serde(flatten)]
    signal: &'a Signal,
}

impl SignalsArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        if let Some(SignalsCommand::Record(args)) = self.command {
            return args.run(config, terminal).await;
        }
        let app = open(config).await?;
        let SignalsRun { reports, scoring } = app.make_signals(None, terminal.progress()).await?;
        app.close().await;
        let of_horizon =
            reports.into_iter().find(|report| report.model.lineage.spec.horizon == self.horizon);
        let report = of_horizon.ok_or(TrainingError::NoModel(self.horizon))?;
        terminal.result(&document(&report, scoring), || text(&report, &scoring))
    }
}

fn document(report: &SignalsReport, scoring: ScoringReport) -> Report<'_> {
    Report {
        model_version: &report.model.id,
        origin: report.model.origin.as_str(),
        skill_shown: report.model.evaluation.skill.shown,
        items: report
            .signals
            .iter()
            .map(|record| Item {
                id: &record.id,
                origin: record.origin.as_str(),
                model_version: &record.model_version,
                snapshot_hash: &record.snapshot_hash,
                made_at: record.made_at,
                reason_text: record.signal.reason.to_string(),
                signal: &record.signal,
            })
            .collect(),
        without_forecast: &report.without_forecast,
        experiment: report.experiment.as_ref(),
        experiment_problem: report.experiment_problem.as_deref(),
        scoring,
    }
}

fn text(report: &SignalsReport, scoring: &ScoringReport) -> String {
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").ok();
    line(format!(
        "{:<8} {:<6} {:>10} {:>9} {:>9} {:>10} {:>10}  reason",
        "symbol", "signal", "last close", "expected", "net", "target", "stop"
    ));
    for record in &report.signals {
        let signal = &record.signal;
        let price = |price: Option<Price>| price.map_or_else(|| "-".to_owned(), |p| p.to_string());
        line(format!(
            "{:<8} {:<6} {:>10} {:>8.2}% {:>8.2}% {:>10} {:>10}  {}",
            signal.symbol,
            signal.action,
            signal.last_close,
            100.0 * signal.expected_return_share,
            100.0 * signal.expected_return_after_costs_share,
            price(signal.target),
            price(signal.stop),
            if report.model.evaluation.skill.shown {
                signal.reason.to_string()
            } else {
                signal.reason.code().to_owned()
            },
        ));
    }
    for WithoutForecast { symbol, as_of, reason } in &report.without_forecast {
        let why = match reason {
            WithoutForecastReason::BarsTooOld => "its last bar is too old",
            WithoutForecastReason::VolatilityUnknown => "its last bars do not tell the volatility",
        };
        let day = as_of.map_or_else(String::new, |day| format!(" ({day})"));
        line(format!("{symbol:<8} no forecast: {why}{day}"));
    }
    // Without skill every symbol has the same reason: one sentence, once.
    if let (false, Some(record)) = (report.model.evaluation.skill.shown, report.signals.first()) {
        line(record.signal.reason.to_string());
    }
    if let Some(Signal {
        as_of, as_of_time: Some(known_at), valid_until_time: Some(until), ..
    }) = report.signals.first().map(|record| &record.signal)
    {
        let time = |time: &Time| time.strftime("%H:%M").to_string();
        line(format!("as of {as_of} {}, valid until {}", time(known_at), time(until)));
    }
    line(format!("model {} ({} data)", report.model.id, report.model.origin));
    if scoring.scored_count + scoring.never_known_count > 0 {
        line(format!("of those served before: {scoring}; see bist signals record"));
    }
    if let Some(problem) = &report.experiment_problem {
        line(format!("the experiment did not go on: {problem}"));
    }
    if let Some(step) = &report.experiment {
        out.push_str(&experiments::step(step));
    }
    out
}
