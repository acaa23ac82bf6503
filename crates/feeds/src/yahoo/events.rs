//! Dividends and splits beside the bars of a chart.

use bist_market::{CorporateAction, CorporateActionKind, Price, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::answer::{Dividend, Events, Split};
use crate::decimal;
use crate::provider::Batch;

/// Adds the corporate actions of `events` to `batch`, ordered by day; what cannot be one is noted.
pub(super) fn read(events: &Events, symbol: Symbol, zone: &TimeZone, batch: &mut Batch) {
    let dividends = events.dividends.values().map(|dividend| (dividend.date, cash(dividend)));
    let splits = events.splits.values().map(|split| (split.date, exchange(split)));
    let mut unusable_count = 0_u64;
    for (date, kind) in dividends.chain(splits) {
        match day_of(date, zone).zip(kind) {
            Some((effective_on, kind)) => {
                batch.actions.push(CorporateAction { symbol, effective_on, kind });
            }
            None => unusable_count += 1,
        }
    }
    batch.actions.sort_by_key(|action| action.effective_on);
    batch.actions.dedup();
    if unusable_count > 0 {
        batch.notes.push(format!(
            "{unusable_count} dividends or splits had no usable date, amount or ratio and were left out"
        ));
    }
}

fn day_of(date: i64, zone: &TimeZone) -> Option<Date> {
    Some(zone.to_datetime(Timestamp::from_second(date).ok()?).date())
}

fn cash(dividend: &Dividend) -> Option<CorporateActionKind> {
    if dividend.currency.as_deref().is_some_and(|currency| currency != "TRY") {
        return None;
    }
    let units = dividend.amount.decimal(decimal::price_units).ok()??;
    Some(CorporateActionKind::CashDividend { per_share: Price::from_units(units).ok()? })
}

fn exchange(split: &Split) -> Option<CorporateActionKind> {
    let numerator = split.numerator.decimal(decimal::lira).ok()??;
    let denominator = split.denominator.decimal(decimal::lira).ok()??;
    let new_per_old = numerator / denominator;
    let usable = numerator > 0.0 && denominator > 0.0 && new_per_old.is_normal();
    usable.then_some(CorporateActionKind::Split { new_per_old })
}
