//! `bist evaluate`: the out-of-sample proof, run again.

use clap::Args;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct EvaluateArgs {}

impl EvaluateArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let report = app.evaluate(terminal.progress()).await?;
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
