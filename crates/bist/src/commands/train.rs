//! `bist train`: a model for each horizon with its proof, put in force.

use anyhow::bail;
use bist_app::{Horizon, ModelVersion, horizons_of, parse_horizon};
use bist_market::{Interval, Symbol};
use clap::Args;
use serde::Serialize;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// Only these symbols [default: all with such bars]
    #[arg(value_name = "SYMBOL")]
    symbols: Vec<Symbol>,
    /// The bars to learn from: 1d, or 60m for forecasts within a session [default: those that the
    /// horizons look ahead from, or else 1d]
    #[arg(long, value_parser = Interval::parse)]
    interval: Option<Interval>,
    /// Only models that look so far ahead: 1, 5 or 20 sessions, 1h, or eod for the end of the day;
    /// may be given several times [default: all of the bars]
    #[arg(long = "horizon", value_name = "HORIZON", value_parser = parse_horizon)]
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
        let horizons = self.horizons()?;
        let app = open(config).await?;
        let wanted = (!self.symbols.is_empty()).then_some(self.symbols.as_slice());
        let versions = app.train(wanted, &horizons, self.seed, terminal.progress()).await?;
        app.close().await;
        terminal.result(&Report { items: &versions }, || text(&versions))
    }

    /// The horizons asked for, all of the same bars.
    fn horizons(&self) -> anyhow::Result<Vec<Horizon>> {
        let of_first = self.horizons.first().map(|horizon| horizon.interval());
        let interval = self.interval.or(of_first).unwrap_or(Interval::Daily);
        if !matches!(interval, Interval::Daily | Interval::HOURLY) {
            bail!("there are no models of bars of {interval}; give 1d or 60m");
        }
        if let Some(other) = self.horizons.iter().find(|other| other.interval() != interval) {
            bail!(
                "the horizon {other} is for bars of {}, and not of {interval}; train once for each",
                other.interval()
            );
        }
        let mut horizons = horizons_of(interval);
        horizons.retain(|horizon| self.horizons.is_empty() || self.horizons.contains(horizon));
        Ok(horizons)
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
