//! Early closes of a whole market, seen against its index.
//!
//! When a vendor takes its prices before the session's end for many symbols at once, a second
//! vintage of the same vendor has the same wrong closes. The index, from another source, has not.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::bar::Bar;
use crate::instrument::Symbol;
use crate::price::Price;
use crate::source::Source;
use crate::statistics::{count, median, robust_deviation, share};
use crate::validate::{FindingKind, Remark};

/// When a day counts as closed early.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IndexPolicy {
    /// With fewer symbols than this on a day nothing is said.
    pub symbols_min: usize,
    /// How many usual deviations the median excess return of a day, and of the next day backward,
    /// must have.
    pub deviations_min: f64,
    /// The largest part of the usual volume, relative to that of the index, that is a partial day.
    pub volume_share_max: f64,
    /// The smallest share of symbols with a partial day that makes it one of the vendor.
    pub symbols_share_min: f64,
    /// How many days before and after a day make its usual volume.
    pub volume_window_days: usize,
}

impl Default for IndexPolicy {
    fn default() -> Self {
        Self {
            symbols_min: 10,
            deviations_min: 6.0,
            volume_share_max: 1.0 / 3.0,
            symbols_share_min: 0.5,
            volume_window_days: 10,
        }
    }
}

/// Why a day is said to be closed early.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum IndexEvidence {
    /// The symbols left the index and were back on the next day, which most of them began with a
    /// jump that the index did not make. Medians over the symbols, logarithms.
    ReturnsTakenBack {
        /// Return of the day, over that of the index.
        excess: f64,
        /// Return of the next day, over that of the index.
        next_excess: f64,
        /// Next open over close, over that of the index.
        gap: f64,
    },
    /// A fraction of the usual volume was traded, while the volume of the index was as usual.
    ShortVolume {
        /// The median of the volumes over their usual, over the same of the index.
        volume_share: f64,
    },
}

/// A symbol whose close was taken early.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EarlySymbol {
    /// Whose close.
    pub symbol: Symbol,
    /// The close.
    pub close: Price,
    /// Its return since the day before, a share.
    pub return_share: f64,
}

/// A day on which a vendor took its prices before the session ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EarlyCloseDay {
    /// The session.
    pub day: Date,
    /// How one sees it.
    pub evidence: IndexEvidence,
    /// How many symbols were looked at.
    pub compared_count: u64,
    /// The return of the index since the day before, a share.
    pub index_return_share: f64,
    /// The symbols that were early, in order.
    pub symbols: Vec<EarlySymbol>,
}

impl EarlyCloseDay {
    /// A finding for each symbol that was early; `index_source` is where the index comes from.
    pub fn remarks(&self, index_source: Source) -> impl Iterator<Item = (Symbol, Remark)> {
        self.symbols.iter().map(move |early| {
            let kind = FindingKind::EarlyClose {
                close_units: early.close.units(),
                other_source: index_source,
                other_close_return_share: self.index_return_share,
                return_share: early.return_share,
            };
            (early.symbol, Remark { opened_at: None, day: Some(self.day), kind })
        })
    }
}

/// One symbol on one day, against the index.
struct Excess {
    symbol: Symbol,
    close: Price,
    return_share: f64,
    /// Logarithm of the return over that of the index.
    excess: f64,
    /// The same of the next day.
    next_excess: Option<f64>,
    /// Logarithm of next open over close, over that of the index.
    gap: Option<f64>,
    /// Volume over its usual, over the same of the index.
    volume_share: Option<f64>,
}

/// The days on which many symbols of one source were closed before the index of another.
///
/// `series` are the daily bars of each symbol, and `index` those of the index of their market,
/// oldest first. Excess returns are taken over the index as it stands (a beta of one), which the
/// median over many symbols forgives. A symbol with no trade at all on a day is left out of that
/// day's volumes: that is not an early close. The newest day can be judged by its volume only. Of a
/// day that was early as a whole only the symbols that show it themselves are named.
pub fn early_closes_by_index(
    series: &[(Symbol, &[Bar])],
    index: &[Bar],
    policy: IndexPolicy,
) -> Vec<EarlyCloseDay> {
    let index_volumes = usual_volumes(index, policy.volume_window_days);
    let mut days: BTreeMap<usize, Vec<Excess>> = BTreeMap::new();
    for (symbol, bars) in series {
        for (day, excess) in excesses(*symbol, bars, index, &index_volumes, policy) {
            days.entry(day).or_default().push(excess);
        }
    }
    days.retain(|_, symbols| symbols.len() >= policy.symbols_min);

    let medians: BTreeMap<usize, f64> = days
        .iter()
        .filter_map(|(day, symbols)| Some((*day, median_of(symbols, |s| Some(s.excess))?)))
        .collect();
    let Some(deviation) = robust_deviation(medians.values().copied()) else { return Vec::new() };
    days.iter()
        .filter_map(|(day, symbols)| {
            let (evidence, early) = taken_back(symbols, medians[day], deviation, policy)
                .or_else(|| short_volume(symbols, policy))?;
            let before = index[day.checked_sub(1)?].close.lira();
            Some(EarlyCloseDay {
                day: index[*day].day,
                evidence,
                compared_count: count(symbols.iter()),
                index_return_share: index[*day].close.lira() / before - 1.0,
                symbols: early
                    .into_iter()
                    .map(|s| EarlySymbol {
                        symbol: s.symbol,
                        close: s.close,
                        return_share: s.return_share,
                    })
                    .collect(),
            })
        })
        .collect()
}

/// Whether the symbols as a whole left the index and came back.
fn taken_back(
    symbols: &[Excess],
    excess: f64,
    deviation: f64,
    policy: IndexPolicy,
) -> Option<(IndexEvidence, Vec<&Excess>)> {
    let next_excess = median_of(symbols, |s| s.next_excess)?;
    let gap = median_of(symbols, |s| s.gap)?;
    let large = policy.deviations_min * deviation;
    let opposed = excess * next_excess < 0.0 && excess.abs().min(next_excess.abs()) > large;
    // What was lost on the first day is found on the second, and most of it before the opening.
    let balanced = (excess + next_excess).abs() <= 0.5 * excess.abs();
    let at_the_open = gap * next_excess > 0.0 && gap.abs() >= 0.5 * next_excess.abs();
    let early = symbols.iter().filter(|s| s.gap.is_some_and(|own| own / gap >= 0.5)).collect();
    (opposed && balanced && at_the_open)
        .then_some((IndexEvidence::ReturnsTakenBack { excess, next_excess, gap }, early))
}

/// Whether most symbols have a fraction of their usual volume.
fn short_volume(symbols: &[Excess], policy: IndexPolicy) -> Option<(IndexEvidence, Vec<&Excess>)> {
    let known = count(symbols.iter().filter(|s| s.volume_share.is_some()));
    let volume_share = median_of(symbols, |s| s.volume_share)?;
    let early: Vec<&Excess> = symbols
        .iter()
        .filter(|s| s.volume_share.is_some_and(|own| own <= policy.volume_share_max))
        .collect();
    let enough = usize::try_from(known).is_ok_and(|known| known >= policy.symbols_min)
        && share(count(early.iter()), known) >= policy.symbols_share_min;
    enough.then_some((IndexEvidence::ShortVolume { volume_share }, early))
}

/// The days of one symbol, by the position of the day in the index.
fn excesses(
    symbol: Symbol,
    bars: &[Bar],
    index: &[Bar],
    index_volumes: &[Option<f64>],
    policy: IndexPolicy,
) -> Vec<(usize, Excess)> {
    let volumes = usual_volumes(bars, policy.volume_window_days);
    let positions: Vec<Option<usize>> =
        bars.iter().map(|bar| index.binary_search_by_key(&bar.day, |i| i.day).ok()).collect();
    // Excess return of a bar over its predecessor, where both follow each other in the index too.
    let excess = |at: usize| {
        let before = at.checked_sub(1)?;
        let (own_before, own) = (bars.get(before)?, bars.get(at)?);
        let position = positions[at]?;
        let index_before = position.checked_sub(1).filter(|p| positions[before] == Some(*p))?;
        let own = own.close.lira() / own_before.close.lira();
        Some((own / (index[position].close.lira() / index[index_before].close.lira())).ln())
    };
    let gap = |at: usize| {
        excess(at + 1)?;
        let (next, position) = (bars.get(at + 1)?, positions[at]?);
        let own = next.open?.lira() / bars[at].close.lira();
        Some((own / (index[position + 1].open?.lira() / index[position].close.lira())).ln())
    };
    (1..bars.len())
        .filter_map(|at| {
            let position = positions[at]?;
            Some((
                position,
                Excess {
                    symbol,
                    close: bars[at].close,
                    return_share: bars[at].close.lira() / bars[at - 1].close.lira() - 1.0,
                    excess: excess(at)?,
                    next_excess: excess(at + 1),
                    gap: gap(at),
                    volume_share: volumes[at].zip(index_volumes[position]).map(|(own, i)| own / i),
                },
            ))
        })
        .collect()
}

/// For each bar, its volume over the median of the days around it; `None` where either is zero or
/// not known.
fn usual_volumes(bars: &[Bar], window_days: usize) -> Vec<Option<f64>> {
    let volumes: Vec<Option<f64>> = bars
        .iter()
        .map(|bar| bar.volume.map(crate::quantity::Shares::count).filter(|shares| *shares > 0.0))
        .collect();
    (0..bars.len())
        .map(|at| {
            let before = &volumes[at.saturating_sub(window_days)..at];
            let after = &volumes[at + 1..bars.len().min(at + 1 + window_days)];
            let usual = median(before.iter().chain(after).flatten().copied().collect())?;
            Some(volumes[at]? / usual)
        })
        .collect()
}

/// The median of a number over the symbols that have it.
fn median_of(symbols: &[Excess], number: impl Fn(&Excess) -> Option<f64>) -> Option<f64> {
    median(symbols.iter().filter_map(number).collect())
}
