//! Prices as traded that are not multiples of the price step of their day.

use super::days::Days;
use super::finding::{FindingKind, PriceField};
use super::notes::Notes;
use super::row::Row;
use crate::exchange_rules::ExchangeRules;
use crate::price::Price;

/// Remarks on the first such price of each sound row.
pub(super) fn check(rows: &mut [Row<'_>], days: &Days, rules: &ExchangeRules, notes: &mut Notes) {
    for row in rows.iter_mut().filter(|row| row.is_sound()) {
        let date = days.day(row.day).date;
        let prices = [
            (PriceField::Open, row.raw.open_units),
            (PriceField::High, Some(row.raw.high_units)),
            (PriceField::Low, Some(row.raw.low_units)),
            (PriceField::Close, Some(row.raw.close_units)),
        ];
        let off = prices.into_iter().find_map(|(field, units)| {
            let price = Price::from_units(units?).ok()?;
            let tick_units = rules.tick(date, price).units();
            let price_units = price.units();
            (price_units % tick_units != 0).then_some(FindingKind::OffTick {
                field,
                price_units,
                tick_units,
            })
        });
        if let Some(kind) = off {
            notes.row(row, kind);
        }
    }
}
