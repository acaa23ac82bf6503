//! `bist train`: a model for each horizon with its proof, put in force.

use bist_app::{HORIZONS, Horizon, ModelVersion, parse_horizon};
use bist_market::Symbol;
use clap::Args;
use serde::Serialize;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Only these symbols [default: all with daily bars]
    #[arg(value_name = "SYMBOL")]
    symbols: Vec<Symbol>,
    /// Only models that look so many sessions ahead; may be given several times [default: all]
    #[arg(long = "horizon", value_name = "SESSIONS", value_parser = parse_horizon)]
    horizons: Vec<Horizon>,
    /// Seed of everything random: the same bars and the same seed give the same model, bit for bit
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// The JSON document.
#[derive(Serialize)]
struct Report<'a> {
    /// The models, by horizon.
    items: &'a [ModelVersion],
}

impl TrainArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let wanted = (!self.symbols.is_empty()).then_some(self.symbols.as_slice());
        let horizons: Vec<Horizon> = HORIZONS
            .into_iter()
            .filter(|horizon| self.horizons.is_empty() || self.horizons.contains(horizon))
            .collect();
        let versions = app.train(wanted, &horizons, self.seed, terminal.progress()).await?;
        app.close().await;
        terminal.result(&Report { items: &versions }, || text(&versions))
    }
}

fn text(versions: &[ModelVersion]) -> String {
    let mut text = String::new();
    // All models learned from the same symbols.
    for out in versions.first().into_iter().flat_map(|version| &version.lineage.excluded) {
        text.push_str(&format!("left out: {}\n", out.reason));
    }
    for version in versions {
        text.push_str(&format!(
            "{}\nmodel {} ({}) is in force, trained on {} rows of {} symbols, {} to {}\n\n",
            version.evaluation,
            version.id,
            version.origin,
            version.lineage.rows_count,
            version.lineage.symbols.len(),
            version.lineage.first_day,
            version.lineage.last_day,
        ));
    }
    text
}
