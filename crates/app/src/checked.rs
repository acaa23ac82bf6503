//! All series of all sources, each judged on its own rows and by what the others say.

use std::collections::BTreeMap;

use bist_market::adjust::{PriceTerms, compare_with_vendor};
use bist_market::calendar::Calendar;
use bist_market::drift::series_drift;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::reconcile::{Reconciliation, Side, reconcile};
use bist_market::validate::{Received, Remark, ValidatedBars, ValidationPolicy, validate_with};
use bist_market::{Interval, Source, Symbol};

/// The sources in the order in which they are believed, when nothing else decides.
const PREFERENCE: [Source; 6] = [
    Source::BULLETIN,
    Source::CSV,
    Source::PARQUET,
    Source::YAHOO,
    Source::ISYATIRIM,
    Source::SAMPLE,
];

/// The series of one interval, by symbol and source.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    pub(crate) series: BTreeMap<(Symbol, Source), ValidatedBars>,
    /// Which source of each symbol models and charts use.
    pub(crate) primary: BTreeMap<Symbol, Source>,
    /// The primary source of a symbol beside each other one.
    pub(crate) reconciliations: BTreeMap<(Symbol, Source), Reconciliation>,
}

/// Checks every series, compares the sources of each symbol, and checks again those about which the
/// comparison had something to say.
///
/// The primary source of a symbol is the first of `wanted` that has it; without one it is the
/// source with the most accepted bars.
pub(crate) fn check_all(
    received: &[Received],
    wanted: &[Source],
    policy: ValidationPolicy,
) -> Checked {
    let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
    let mut checked = Checked::default();
    for of_symbol in received.chunk_by(|a, b| a.series.symbol == b.series.symbol) {
        let symbol = of_symbol[0].series.symbol;
        let mut remarks: Vec<Vec<Remark>> = of_symbol.iter().map(|_| Vec::new()).collect();
        let mut bars: Vec<ValidatedBars> = of_symbol
            .iter()
            .map(|received| validate_with(received, &[], calendar, rules, policy))
            .collect();
        let primary = primary_of(of_symbol, &bars, wanted);
        for (index, received) in of_symbol.iter().enumerate() {
            if received.series.interval == Interval::Daily {
                remarks[index].extend(own_remarks(received, &bars[index]));
            }
            if index == primary || received.series.interval != Interval::Daily {
                continue;
            }
            let side = |index: usize| Side {
                source: of_symbol[index].source,
                bars: &bars[index],
                actions: &of_symbol[index].actions,
            };
            let compared = reconcile(&side(primary), &side(index));
            remarks[primary].extend(compared.remarks_a.iter().cloned());
            remarks[index].extend(compared.remarks_b.iter().cloned());
            checked.reconciliations.insert((symbol, received.source), compared.reconciliation);
        }
        for (index, remarks) in remarks.iter().enumerate().filter(|(_, some)| !some.is_empty()) {
            bars[index] = validate_with(&of_symbol[index], remarks, calendar, rules, policy);
        }
        checked.primary.insert(symbol, of_symbol[primary].source);
        let sources = of_symbol.iter().map(|received| (symbol, received.source));
        checked.series.extend(sources.zip(bars));
    }
    checked
}

/// What a series says about itself besides its rows: the vendor's adjustments against our events,
/// and whether it has drifted.
fn own_remarks(received: &Received, bars: &ValidatedBars) -> Vec<Remark> {
    let mut remarks = series_drift(bars.bars(), Calendar::bist());
    if let Some(last) = bars.bars().last()
        && let Some(terms) = PriceTerms::of(received.basis, last.day)
    {
        remarks.extend(compare_with_vendor(bars.bars(), &received.actions, terms).remarks());
    }
    remarks
}

/// The index of the source that models and charts use.
fn primary_of(received: &[Received], bars: &[ValidatedBars], wanted: &[Source]) -> usize {
    let place = |order: &[Source], source: Source| {
        order.iter().position(|known| *known == source).unwrap_or(order.len())
    };
    let indices = 0..received.len();
    let first = indices.min_by_key(|index| {
        let source = received[*index].source;
        let accepted = bars[*index].bars().len();
        (place(wanted, source), std::cmp::Reverse(accepted), place(&PREFERENCE, source), source)
    });
    first.unwrap_or_default()
}
