//! The made-up companies: tickers that no listed share has, in eight sectors.

use super::Mechanism;
use crate::instrument::Symbol;

/// Numbers in a ticker run to two digits.
const PER_SECTOR_MAX: u32 = 50;

/// The largest number of symbols in a sample market.
pub const SYMBOLS_MAX: u32 = 400;

/// A sector of the sample market.
#[derive(Debug)]
pub(super) struct Sector {
    /// Its place among the sectors.
    pub(super) index: usize,
    /// Its name in Turkish, as the market would say it.
    pub(super) name: &'static str,
    /// What one company of it is called.
    company: &'static str,
    /// How its tickers begin.
    prefix: &'static str,
    pub(super) mechanism: Mechanism,
}

const fn sector(
    index: usize,
    name: &'static str,
    company: &'static str,
    prefix: &'static str,
    mechanism: Mechanism,
) -> Sector {
    Sector { index, name, company, prefix, mechanism }
}

/// In the order in which companies are founded, so that any number of symbols has half of them
/// predictable, give or take one.
static SECTORS: [Sector; SECTORS_COUNT] = [
    sector(0, "Bankacılık", "Örnek Banka", "SBNK", Mechanism::Reversal),
    sector(1, "Enerji", "Örnek Enerji", "SENR", Mechanism::None),
    sector(2, "Sanayi", "Örnek Sanayi", "SSAN", Mechanism::Reversal),
    sector(3, "Perakende", "Örnek Perakende", "SPRK", Mechanism::None),
    sector(4, "Teknoloji", "Örnek Teknoloji", "STEK", Mechanism::Reversal),
    sector(5, "Ulaştırma", "Örnek Ulaştırma", "SULS", Mechanism::None),
    sector(6, "Gıda", "Örnek Gıda", "SGDA", Mechanism::Reversal),
    sector(7, "Holding", "Örnek Holding", "SHLD", Mechanism::None),
];

pub(super) const SECTORS_COUNT: usize = 8;

/// A made-up company.
#[derive(Debug)]
pub(super) struct Company {
    /// Its place in the order of foundation; its own chance is drawn by it.
    pub(super) index: u64,
    pub(super) symbol: Symbol,
    pub(super) sector: &'static Sector,
    number: u32,
}

impl Company {
    /// The full name, such as `Örnek Banka 1`.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.sector.company, self.number)
    }
}

/// The first `count` companies, sorted by symbol.
pub(super) fn first(count: u32) -> Vec<Company> {
    let numbers = (1..=PER_SECTOR_MAX).flat_map(|number| SECTORS.iter().map(move |s| (number, s)));
    let mut companies: Vec<Company> = (0..u64::from(count))
        .zip(numbers)
        .map(|(index, (number, sector))| Company {
            index,
            symbol: Symbol::parse(&format!("{}{number}", sector.prefix))
                .expect("four letters and a number are a symbol"),
            sector,
            number,
        })
        .collect();
    companies.sort_by_key(|company| company.symbol);
    companies
}
