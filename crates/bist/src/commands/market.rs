//! `bist market`: the exchange's rules as the rest of the program applies them.

use bist_market::Symbol;
use bist_market::exchange_rules::ExchangeRules;
use clap::{Args, Subcommand};
use jiff::civil::Date;

use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(crate) struct MarketArgs {
    #[command(subcommand)]
    topic: Topic,
}

#[derive(Debug, Subcommand)]
enum Topic {
    /// The rules of a day: sessions, ticks, limits, settlement, breakers, short sale, costs
    Rules {
        /// The day, such as 2023-11-06
        #[arg(long, value_name = "DATE")]
        on: Date,
        /// A share whose own exceptions should be regarded
        #[arg(long)]
        symbol: Option<Symbol>,
    },
}

impl MarketArgs {
    pub(crate) fn run(self, terminal: &Terminal) -> anyhow::Result<()> {
        let Topic::Rules { on, symbol } = self.topic;
        let rules = ExchangeRules::bist().rules_on(on, symbol);
        terminal.result(&rules, || rules.to_string())
    }
}
