//! `bist evaluate`: the out-of-sample proof, run again.

use bist_app::training::{EvaluationReport, PathsReport};
use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use clap::{Args, ValueEnum};

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct EvaluateArgs {
    /// That of the model that looks so far ahead: 1, 5 or 20 sessions, 1h or eod
    #[arg(long, value_name = "HORIZON", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
    /// How the days are divided
    #[arg(long, value_enum, default_value_t = Scheme::WalkForward)]
    scheme: Scheme,
}

/// How the days are divided into those learned from and those tested.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scheme {
    /// Always the past and then what follows: the proof that a model stands by
    WalkForward,
    /// Combinatorial purged cross-validation: whether other test days would have told otherwise
    Combinatorial,
}

impl EvaluateArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        match self.scheme {
            Scheme::WalkForward => {
                let report = app.evaluate(self.horizon, terminal.progress()).await?;
                app.close().await;
                terminal.result(&report, || proof(&report))
            }
            Scheme::Combinatorial => {
                let report = app.evaluate_paths(self.horizon, terminal.progress()).await?;
                app.close().await;
                terminal.result(&report, || paths(&report))
            }
        }
    }
}

fn proof(report: &EvaluationReport) -> String {
    let verdict = match report.reproduced {
        Some(true) => {
            "the same bars as in training: model and evaluation came out the same, bit for bit"
        }
        Some(false) => {
            "WARNING: the same bars as in training, and yet another result; another version of the \
             program or another machine?"
        }
        None => "the bars have changed since the model was trained",
    };
    format!("model {} ({})\n{}{verdict}", report.model_version, report.origin, report.evaluation)
}

fn paths(report: &PathsReport) -> String {
    let paths = &report.paths;
    let of_paths: Vec<String> =
        paths.rank_ics.iter().map(|rank_ic| format!("{rank_ic:+.4}")).collect();
    format!(
        "model {} ({}), {}, combinatorial purged cross-validation\n\
         rank IC of {} paths: {}\n\
         mean {:+.4}, standard deviation {:.4}, positive {:.0} %\n\
         The paths share most of what they learned from: their spread tells how much the record owes \
         to the choice of the test days, and nothing of luck.",
        report.model_version,
        report.origin,
        report.horizon.in_words(),
        of_paths.len(),
        of_paths.join("  "),
        paths.mean,
        paths.standard_deviation,
        100.0 * paths.share_positive
    )
}
