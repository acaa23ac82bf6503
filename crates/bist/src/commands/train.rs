//! `bist train`: a model with its proof, put in force.

use bist_market::Symbol;
use clap::Args;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Only these symbols [default: all with daily bars]
    #[arg(value_name = "SYMBOL")]
    symbols: Vec<Symbol>,
    /// Seed of everything random: the same bars and the same seed give the same model, bit for bit
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl TrainArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let wanted = (!self.symbols.is_empty()).then_some(self.symbols.as_slice());
        let version = app.train(wanted, self.seed, terminal.progress()).await?;
        app.close().await;
        terminal.result(&version, || {
            let mut text = String::new();
            for out in &version.lineage.excluded {
                text.push_str(&format!("left out: {}\n", out.reason));
            }
            format!(
                "{text}{}\nmodel {} ({}) is in force, trained on {} rows of {} symbols, {} to {}",
                version.evaluation,
                version.id,
                version.origin,
                version.lineage.rows_count,
                version.lineage.symbols.len(),
                version.lineage.first_day,
                version.lineage.last_day,
            )
        })
    }
}
