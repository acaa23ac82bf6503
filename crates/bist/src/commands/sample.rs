//! `bist sample`: a generated market whose truth is known.

use bist_market::TradingTimes;
use bist_market::bar::day_of;
use bist_market::calendar::Calendar;
use bist_market::sample::SampleSpec;
use clap::Args;
use jiff::civil::Date;

use super::open;
use crate::config::Config;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct SampleArgs {
    /// How many shares
    #[arg(long, default_value_t = 30)]
    symbols: u32,
    /// How many years of daily bars
    #[arg(long, default_value_t = 6)]
    years: u32,
    /// Seed of the generator: the same seed makes the same market
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Last day of the market [default: the last session that has ended]
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
}

impl SampleArgs {
    pub(crate) async fn run(self, config: &Config, terminal: &Terminal) -> anyhow::Result<()> {
        let app = open(config).await?;
        let calendar = Calendar::bist();
        let now = app.now();
        let today = day_of(now).min(calendar.last_day());
        let has_ended = TradingTimes::bist().ends_at(today).is_some_and(|ends| ends <= now);
        let until = match self.until {
            Some(day) => day,
            None if has_ended => today,
            None => calendar.previous_session(today).unwrap_or(today),
        };
        let spec =
            SampleSpec { symbols_count: self.symbols, years: self.years, seed: self.seed, until };
        let report = app.make_sample(spec, terminal.progress()).await?;
        app.close().await;
        terminal.result(&report, || {
            format!(
                "sample market (seed {}): {} symbols, {} bars from {} to {}\n\
                 {} symbols have a predictable part, {} have none; the truth is in {}\n\
                 this is generated data and says nothing about any real company",
                report.seed,
                report.symbols_count,
                report.bars_count,
                day(report.first_day),
                day(report.last_day),
                report.predictable_symbols_count,
                report.symbols_count - report.predictable_symbols_count,
                report.truth_file.display(),
            )
        })
    }
}

fn day(day: Option<Date>) -> String {
    day.map_or_else(|| "-".to_owned(), |day| day.to_string())
}
