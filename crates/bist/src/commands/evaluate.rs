//! `bist evaluate`: the out-of-sample proof, run again.

use bist_app::{HORIZON_DEFAULT, Horizon, parse_horizon};
use clap::Args;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct EvaluateArgs {
    /// That of the model that looks so many sessions ahead
    #[arg(long, value_name = "SESSIONS", default_value_t = HORIZON_DEFAULT, value_parser = parse_horizon)]
    horizon: Horizon,
}

impl EvaluateArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let report = app.evaluate(self.horizon, terminal.progress()).await?;
        app.close().await;
        terminal.result(&report, || {
            let verdict = match report.reproduced {
                Some(true) => "the same bars as in training: model and evaluation came out the same, bit for bit",
                Some(false) => "WARNING: the same bars as in training, and yet another result; another version of the program or another machine?",
                None => "the bars have changed since the model was trained",
            };
            format!("model {} ({})\n{}{verdict}", report.model_version, report.origin, report.evaluation)
        })
    }
}
