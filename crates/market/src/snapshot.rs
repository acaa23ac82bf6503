//! A fingerprint of the bars that a model was trained on, and what tells where others differ.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bar::Bar;
use crate::instrument::{Instrument, Symbol};
use crate::price::Price;
use crate::validate::ValidatedBars;

/// Hexadecimal digits of the fingerprint of a year: enough to see a difference, which nobody makes on
/// purpose where [`snapshot_hash()`] is compared too.
const YEAR_DIGITS: usize = 16;

/// SHA-256, in lower-case hexadecimal, of all accepted bars and the breaks between them.
///
/// Two sets of series have the same fingerprint exactly when they hold the same bars: the order of
/// `series` and everything in the quality reports besides the breaks is left out.
///
/// The bytes hashed are a version tag, then for each series by symbol and interval: both as text
/// with a zero byte after each, the number of bars, and for each bar the second it opened, four
/// prices in units of 0.0001 TRY, the bits of the adjusted close, the volume, and a byte of flags
/// (1 adjusted close known, 2 volume known, 4 continues from the bar before). Integers are eight
/// bytes, little-endian; what is not known is zero (an open of zero is no price).
pub fn snapshot_hash(series: &[ValidatedBars]) -> String {
    let mut ordered: Vec<_> = series.iter().collect();
    ordered.sort_by_key(|bars| (bars.symbol(), bars.interval()));
    let mut hasher = Sha256::new();
    hasher.update(b"bist-bars-1\0");
    for bars in ordered {
        hasher.update(bars.symbol().as_str());
        hasher.update([0]);
        hasher.update(bars.interval().to_string());
        hasher.update([0]);
        hasher.update(u64::try_from(bars.bars().len()).unwrap_or(u64::MAX).to_le_bytes());
        for (index, bar) in bars.bars().iter().enumerate() {
            hash_bar(&mut hasher, bar, bars.continues(index));
        }
    }
    hexadecimal(hasher)
}

/// SHA-256, in lower-case hexadecimal, of some bars of `symbol`: a version tag and the symbol with a
/// zero byte after it, then each bar as [`snapshot_hash()`] takes it, none of them continuing another.
pub fn bars_hash<'a>(symbol: Symbol, bars: impl IntoIterator<Item = &'a Bar>) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"bist-way-1\0");
    hasher.update(symbol.as_str());
    hasher.update([0]);
    bars.into_iter().for_each(|bar| hash_bar(&mut hasher, bar, false));
    hexadecimal(hasher)
}

fn hexadecimal(hasher: Sha256) -> String {
    hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// What is kept of a set of series, so that it can be had again from the bars that have come since,
/// and told where those are other ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// What is kept of each symbol.
    pub symbols: BTreeMap<Symbol, SymbolSnapshot>,
}

/// What is kept of the bars of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SymbolSnapshot {
    /// When its last bar opened.
    pub last: Timestamp,
    /// A fingerprint of the bars of each year.
    pub years: BTreeMap<i16, String>,
    /// Its sector, if it was known.
    pub sector: Option<String>,
}

/// Where two snapshots differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum SnapshotDifference {
    /// The symbol has no bars that are good enough.
    Missing {
        /// Which.
        symbol: Symbol,
    },
    /// The symbol was not there.
    Added {
        /// Which.
        symbol: Symbol,
    },
    /// Bars of a year are other ones, or more or fewer.
    Bars {
        /// Whose.
        symbol: Symbol,
        /// Which year.
        year: i16,
    },
    /// The sector is another.
    Sector {
        /// Whose.
        symbol: Symbol,
    },
}

impl fmt::Display for SnapshotDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { symbol } => write!(f, "{symbol} has no bars that are good enough"),
            Self::Added { symbol } => write!(f, "{symbol} was not there"),
            Self::Bars { symbol, year } => write!(f, "the bars of {symbol} of {year} differ"),
            Self::Sector { symbol } => write!(f, "the sector of {symbol} differs"),
        }
    }
}

impl Snapshot {
    /// What is to be kept of `series`, none of which is empty.
    pub fn of(series: &[ValidatedBars], instruments: &[Instrument]) -> Self {
        let of_symbol = |series: &ValidatedBars| {
            let symbol = series.symbol();
            let known = instruments.iter().find(|instrument| instrument.symbol == symbol);
            let sector = known.and_then(|instrument| instrument.sector.clone());
            let last = series.bars().last()?.opened_at;
            Some((symbol, SymbolSnapshot { last, years: years(series), sector }))
        };
        Self { symbols: series.iter().filter_map(of_symbol).collect() }
    }

    /// Where `now` is not what this one was; what came after it does not count.
    pub fn differences(&self, now: &Self) -> Vec<SnapshotDifference> {
        let mut differences = Vec::new();
        for (&symbol, then) in &self.symbols {
            let Some(now) = now.symbols.get(&symbol) else {
                differences.push(SnapshotDifference::Missing { symbol });
                continue;
            };
            let mut all: Vec<i16> = then.years.keys().chain(now.years.keys()).copied().collect();
            all.sort_unstable();
            all.dedup();
            let other = all.into_iter().filter(|year| then.years.get(year) != now.years.get(year));
            differences.extend(other.map(|year| SnapshotDifference::Bars { symbol, year }));
            if then.sector != now.sector {
                differences.push(SnapshotDifference::Sector { symbol });
            }
        }
        let added = now.symbols.keys().filter(|symbol| !self.symbols.contains_key(*symbol));
        differences.extend(added.map(|&symbol| SnapshotDifference::Added { symbol }));
        differences
    }
}

/// The fingerprints of the years of `series`.
fn years(series: &ValidatedBars) -> BTreeMap<i16, String> {
    let mut hashers: BTreeMap<i16, Sha256> = BTreeMap::new();
    for (index, bar) in series.bars().iter().enumerate() {
        let hasher = hashers.entry(bar.day.year()).or_default();
        hash_bar(hasher, bar, series.continues(index));
    }
    let digest = |(year, hasher)| {
        let mut text = hexadecimal(hasher);
        text.truncate(YEAR_DIGITS);
        (year, text)
    };
    hashers.into_iter().map(digest).collect()
}

/// One bar's bytes.
fn hash_bar(hasher: &mut Sha256, bar: &Bar, continues: bool) {
    hasher.update(bar.opened_at.as_second().to_le_bytes());
    for price in [bar.open, Some(bar.high), Some(bar.low), Some(bar.close)] {
        hasher.update(price.map_or(0, Price::units).to_le_bytes());
    }
    hasher.update(bar.adjusted_close.unwrap_or_default().to_bits().to_le_bytes());
    hasher.update(bar.volume.unwrap_or_default().0.to_le_bytes());
    let flags = u8::from(bar.adjusted_close.is_some())
        | u8::from(bar.volume.is_some()) << 1
        | u8::from(continues) << 2;
    hasher.update([flags]);
}
