//! What is found on generated markets whose truth is known: of what can be foreseen how much, and
//! whether skill is claimed where there is none.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;

use anyhow::{Context as _, ensure};
use bist_app::{Horizon, parse_horizon};
use bist_market::sample::{Mechanism, SampleSpec, SampleTruth};
use clap::Args;
use jiff::civil::{Date, date};
use serde::Serialize;

use crate::commands::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct SkillBenchArgs {
    /// How many markets, of the seeds 1, 2, ...
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// How far ahead, in sessions; the truth states what is attainable for 5
    #[arg(long, value_name = "SESSIONS", default_value = "5", value_parser = parse_horizon)]
    horizon: Horizon,
    /// How many shares a market has
    #[arg(long, default_value_t = 30)]
    symbols: u32,
    /// How many years of daily bars
    #[arg(long, default_value_t = 6)]
    years: u32,
    /// Last day of the markets
    #[arg(long, value_name = "DATE", default_value_t = date(2025, 12, 31))]
    until: Date,
}

/// What was found on one market.
#[derive(Serialize)]
struct Found {
    seed: u64,
    /// Mean rank correlation over time of the symbols that have a predictable part.
    predictable_rank_ic: f64,
    /// Mean of what the truth states as attainable for them: the rank correlation of a perfect
    /// forecast of 5-session returns.
    attainable: f64,
    /// Symbols with a predictable part, and those of them on which skill was shown.
    predictable_symbols_count: usize,
    predictable_shown_count: usize,
    /// Symbols without, and those of them on which skill was claimed all the same.
    noise_symbols_count: usize,
    noise_claimed_count: usize,
    /// Mean rank correlation over time of the symbols without a predictable part.
    noise_rank_ic: f64,
}

/// The JSON document.
#[derive(Serialize)]
struct Report {
    horizon: Horizon,
    items: Vec<Found>,
    /// Mean of the correlations over mean of what is attainable; for a horizon of 5 sessions.
    attained_share: Option<f64>,
    noise_symbols_count: usize,
    noise_claimed_count: usize,
}

impl SkillBenchArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let mut items = Vec::new();
        for seed in 1..=self.seeds {
            terminal.say(&format!("market {seed} of {}", self.seeds));
            let found = self.market(seed, config, terminal).await?;
            terminal.say(&found.in_words());
            items.push(found);
        }
        let report = Report::of(self.horizon, items);
        terminal.result(&report, || report.text())
    }

    /// Makes a market of its own, trains on it, and compares with its truth.
    async fn market(
        &self,
        seed: u64,
        config: &Config,
        terminal: &Terminal,
    ) -> anyhow::Result<Found> {
        let folder = tempfile::tempdir().context("no folder for the market")?;
        let config = Config { data_dir: folder.path().to_owned(), ..config.clone() };
        let app = open(&config).await?;
        let spec =
            SampleSpec { symbols_count: self.symbols, years: self.years, seed, until: self.until };
        let made = app.make_sample(spec, terminal.progress()).await?;
        let truth: SampleTruth =
            serde_json::from_reader(BufReader::new(File::open(&made.truth_file)?))?;
        let versions = app.train(None, &[self.horizon], seed, terminal.progress()).await?;
        app.close().await;
        let version = versions.first().context("training made no model")?;

        let mut predictable = (Vec::new(), Vec::new(), 0);
        let mut noise = (Vec::new(), 0);
        for symbol in &version.evaluation.by_symbol {
            let Some(rank_ic) = symbol.rank_ic else { continue };
            let of_symbol = truth.symbols.iter().find(|truth| truth.symbol == symbol.symbol);
            let truth = of_symbol.context("the truth does not know a symbol of its market")?;
            match truth.mechanism {
                Mechanism::None => {
                    noise.0.push(rank_ic.value);
                    noise.1 += usize::from(symbol.skill_shown);
                }
                Mechanism::Reversal => {
                    predictable.0.push(rank_ic.value);
                    predictable.1.push(truth.attainable_rank_ic());
                    predictable.2 += usize::from(symbol.skill_shown);
                }
            }
        }
        ensure!(
            !predictable.0.is_empty() && !noise.0.is_empty(),
            "no symbol was judged, or only one kind: the market is too small or too short"
        );
        Ok(Found {
            seed,
            predictable_rank_ic: mean(&predictable.0),
            attainable: mean(&predictable.1),
            predictable_symbols_count: predictable.0.len(),
            predictable_shown_count: predictable.2,
            noise_symbols_count: noise.0.len(),
            noise_claimed_count: noise.1,
            noise_rank_ic: mean(&noise.0),
        })
    }
}

impl Found {
    fn in_words(&self) -> String {
        format!(
            "market {}: rank IC {:.3} of {:.3}, shown on {} of {}, claimed on {} of {} without any",
            self.seed,
            self.predictable_rank_ic,
            self.attainable,
            self.predictable_shown_count,
            self.predictable_symbols_count,
            self.noise_claimed_count,
            self.noise_symbols_count,
        )
    }
}

impl Report {
    fn of(horizon: Horizon, items: Vec<Found>) -> Self {
        let of_all = |part: &dyn Fn(&Found) -> f64| items.iter().map(part).sum::<f64>();
        let attained =
            of_all(&|found| found.predictable_rank_ic) / of_all(&|found| found.attainable);
        Self {
            horizon,
            attained_share: (horizon.sessions() == 5).then_some(attained),
            noise_symbols_count: items.iter().map(|found| found.noise_symbols_count).sum(),
            noise_claimed_count: items.iter().map(|found| found.noise_claimed_count).sum(),
            items,
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{} generated markets, {} session(s) ahead\n\n{:>6}{:>22}{:>14}{:>12}{:>20}\n",
            self.items.len(),
            self.horizon,
            "seed",
            "predictable rank IC",
            "attainable",
            "shown",
            "claimed on noise"
        );
        for found in &self.items {
            let shown =
                format!("{}/{}", found.predictable_shown_count, found.predictable_symbols_count);
            let claimed = format!("{}/{}", found.noise_claimed_count, found.noise_symbols_count);
            let (rank_ic, attainable) = (found.predictable_rank_ic, found.attainable);
            writeln!(
                text,
                "{:>6}{rank_ic:>22.3}{attainable:>14.3}{shown:>12}{claimed:>20}",
                found.seed
            )
            .expect("text can be written to a string");
        }
        if let Some(share) = self.attained_share {
            text.push_str(&format!("\nof what is attainable, {:.0} % is attained", 100.0 * share));
        }
        text.push_str(&format!(
            "\nskill was claimed on {} of {} symbols without any",
            self.noise_claimed_count, self.noise_symbols_count
        ));
        text
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few values")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
