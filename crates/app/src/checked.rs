//! All series of all sources, each judged on its own rows and by what the others say.

use std::collections::BTreeMap;

use bist_market::adjust::{PriceTerms, compare_with_vendor};
use bist_market::calendar::Calendar;
use bist_market::drift::{DriftPolicy, SeriesDrift, series_drift};
use bist_market::exchange_rules::ExchangeRules;
use bist_market::reconcile::{
    IndexPolicy, ReconcilePolicy, Reconciliation, Side, SideName, early_closes_by_index, reconcile,
};
use bist_market::validate::{Received, Remark, ValidatedBars, ValidationPolicy, validate_with};
use bist_market::{CorporateAction, Interval, Source, Symbol};

/// The sources in the order in which they are believed, when nothing else decides.
const PREFERENCE: [Source; 6] = [
    Source::BULLETIN,
    Source::CSV,
    Source::PARQUET,
    Source::YAHOO,
    Source::ISYATIRIM,
    Source::SAMPLE,
];

/// The index that the market as a whole is compared with.
const MARKET_INDEX: &str = "XU100";

/// A series of one symbol from one source.
type Key = (Symbol, Source);

/// The series of one interval, by symbol and source.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) series: BTreeMap<Key, ValidatedBars>,
    /// Which source of each symbol models and charts use.
    pub(crate) primary: BTreeMap<Symbol, Source>,
    /// The primary source of a symbol beside each other one.
    pub(crate) reconciliations: BTreeMap<Key, Reconciliation>,
    /// The corporate actions of each symbol that has some.
    actions: BTreeMap<Symbol, Vec<CorporateAction>>,
}

/// Checks every series, compares them with each other, and checks again those about which the
/// comparison had something to say. `progress` is told how many series are done.
///
/// The primary source of a symbol is the first of `wanted` that has it; without one it is the
/// source with the most accepted bars.
pub(crate) fn check_all(
    received: &[Received],
    wanted: &[Source],
    policy: ValidationPolicy,
    progress: &dyn Fn(u64),
) -> Checked {
    let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
    let key = |received: &Received| (received.series.symbol, received.source);
    let mut checked = Checked::default();
    for (done, received) in (1_u64..).zip(received) {
        let bars = validate_with(received, &[], calendar, rules, policy);
        checked.series.insert(key(received), bars);
        if !received.actions.is_empty() {
            checked.actions.insert(received.series.symbol, received.actions.clone());
        }
        progress(done);
    }
    checked.choose_primaries(wanted);
    let daily = received.first().is_some_and(|first| first.series.interval == Interval::Daily);
    if daily {
        let mut remarks = checked.own_remarks();
        checked.compare_sources(&mut remarks);
        checked.compare_with_index(&mut remarks);
        for received in received {
            if let Some(remarks) = remarks.get(&key(received)) {
                let bars = validate_with(received, remarks, calendar, rules, policy);
                checked.series.insert(key(received), bars);
            }
        }
    }
    checked
}

impl Checked {
    /// The series of the primary source of each symbol.
    pub(crate) fn into_primary(mut self) -> BTreeMap<Symbol, ValidatedBars> {
        let primary = std::mem::take(&mut self.primary).into_iter();
        primary.filter_map(|key| Some((key.0, self.series.remove(&key)?))).collect()
    }

    /// Compares two sources of `symbol`; `None` when one of them does not have it.
    pub(crate) fn reconcile(&self, symbol: Symbol, a: Source, b: Source) -> Option<Reconciliation> {
        let side = |source| {
            let bars = self.series.get(&(symbol, source))?;
            Some(Side { source, bars: bars.bars(), terms: terms(bars) })
        };
        let actions = self.actions.get(&symbol).map_or(&[][..], Vec::as_slice);
        Some(reconcile(&side(a)?, &side(b)?, actions, ReconcilePolicy::default()))
    }

    fn choose_primaries(&mut self, wanted: &[Source]) {
        let place = |order: &[Source], source: Source| {
            order.iter().position(|known| *known == source).unwrap_or(order.len())
        };
        let mut best: BTreeMap<Symbol, _> = BTreeMap::new();
        for ((symbol, source), bars) in &self.series {
            let accepted = bars.bars().len();
            let rank = (
                place(wanted, *source),
                std::cmp::Reverse(accepted),
                place(&PREFERENCE, *source),
                *source,
            );
            let held = best.entry(*symbol).or_insert(rank);
            *held = (*held).min(rank);
        }
        self.primary = best.into_iter().map(|(symbol, rank)| (symbol, rank.3)).collect();
    }

    /// What each series says about itself besides its rows: the vendor's adjustments against our
    /// events, and whether it has drifted.
    fn own_remarks(&self) -> BTreeMap<Key, Vec<Remark>> {
        let mut remarks: BTreeMap<Key, Vec<Remark>> = BTreeMap::new();
        for (key, bars) in &self.series {
            let drifts = series_drift(bars.bars(), Calendar::bist(), DriftPolicy::default());
            let mut said: Vec<Remark> = drifts.iter().filter_map(SeriesDrift::remark).collect();
            if let (Some(actions), Some(terms)) = (self.actions.get(&key.0), terms(bars)) {
                said.extend(compare_with_vendor(bars.bars(), actions, terms).remarks());
            }
            if !said.is_empty() {
                remarks.insert(*key, said);
            }
        }
        remarks
    }

    /// Compares the primary source of each symbol with its other sources.
    fn compare_sources(&mut self, remarks: &mut BTreeMap<Key, Vec<Remark>>) {
        let others: Vec<Key> = (self.series.keys().copied())
            .filter(|(symbol, source)| self.primary.get(symbol) != Some(source))
            .collect();
        for (symbol, source) in others {
            let Some(primary) = self.primary.get(&symbol).copied() else { continue };
            let Some(compared) = self.reconcile(symbol, primary, source) else { continue };
            for (side, source) in [(SideName::A, primary), (SideName::B, source)] {
                let said = compared.remarks(side);
                if !said.is_empty() {
                    remarks.entry((symbol, source)).or_default().extend(said);
                }
            }
            self.reconciliations.insert((symbol, source), compared);
        }
    }

    /// Compares all shares of each source with the index, to see days on which a vendor closed the
    /// whole market early.
    fn compare_with_index(&self, remarks: &mut BTreeMap<Key, Vec<Remark>>) {
        let Ok(index) = Symbol::parse(MARKET_INDEX) else { return };
        let Some(index_source) = self.primary.get(&index).copied() else { return };
        let Some(index_bars) = self.series.get(&(index, index_source)) else { return };
        let mut by_source: BTreeMap<Source, Vec<(Symbol, &[bist_market::Bar])>> = BTreeMap::new();
        for ((symbol, source), bars) in &self.series {
            if symbol.class() == bist_market::InstrumentClass::Share {
                by_source.entry(*source).or_default().push((*symbol, bars.bars()));
            }
        }
        for (source, series) in by_source {
            let days = early_closes_by_index(&series, index_bars.bars(), IndexPolicy::default());
            for (symbol, remark) in days.iter().flat_map(|day| day.remarks(index_source)) {
                let said = remarks.entry((symbol, source)).or_default();
                // Two sources may have said so already.
                if !said
                    .iter()
                    .any(|known| known.day == remark.day && known.kind.code() == remark.kind.code())
                {
                    said.push(remark);
                }
            }
        }
    }
}

/// What the prices of a series mean, as of its last bar.
fn terms(bars: &ValidatedBars) -> Option<PriceTerms> {
    PriceTerms::of(bars.quality().basis, bars.bars().last()?.day)
}
