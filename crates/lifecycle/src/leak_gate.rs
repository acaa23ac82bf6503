//! The gate that no model passes that has seen the future.
//!
//! The future of the data is changed after a day, and everything is learned and forecast anew: what
//! is known and forecast up to that day must come out the same, bit for bit. A feature, a scaler, an
//! encoder, a member, the outlook or the weights of the ensemble that looks ahead shows itself.

use bist_market::Symbol;
use bist_models::Panel;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::OutOfFold;
use crate::outlook::Outlook;

/// What the gate has compared, and found equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakCheck {
    /// The last day that was left as it was: the first of the first test block.
    pub changed_after: Date,
    /// Values of features compared.
    pub values_count: u64,
    /// Forecasts compared.
    pub forecasts_count: u64,
}

/// Something that was known or forecast on a day and depends on what came after it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} of {symbol} on {day} changes when the bars after {changed_after} do: it has seen the \
     future, and the model is not put in force; this is a fault of the program, please report it"
)]
pub struct Leak {
    /// What it is.
    pub what: String,
    /// Whose.
    pub symbol: Symbol,
    /// When it was known, or forecast.
    pub day: Date,
    /// The last day that was left as it was.
    pub changed_after: Date,
}

/// Compares what was known up to `day` in a panel and in that with another future.
///
/// # Errors
///
/// The first [`Leak`].
pub(crate) fn compare_known(panel: &Panel, other: &Panel, day: Date) -> Result<u64, Leak> {
    let (known, changed) = (&panel.known, &other.known);
    let leak = |what: String, row: usize| {
        let key = known.keys[row];
        Leak { what, symbol: key.symbol, day: key.day, changed_after: day }
    };
    let rows_count = known.keys.partition_point(|key| key.day <= day);
    for row in 0..rows_count {
        if changed.keys.get(row) != Some(&known.keys[row]) {
            return Err(leak("the row".to_owned(), row));
        }
        let pairs = known.features.row(row).into_iter().zip(changed.features.row(row));
        for (column, (before, after)) in pairs.enumerate() {
            if !same(before, after) {
                return Err(leak(format!("the feature {}", known.features.names()[column]), row));
            }
        }
        if !same(panel.targets.volatility[row], other.targets.volatility[row]) {
            return Err(leak("the volatility".to_owned(), row));
        }
    }
    Ok((rows_count * known.features.columns_count()) as u64)
}

/// Compares the forecasts of either future that were made up to `day`; both are sorted by moment and
/// symbol. A forecast whose outcome is known in one future only is made in that one only, and not
/// compared.
///
/// # Errors
///
/// The first [`Leak`].
pub(crate) fn compare_forecasts(
    records: &[OutOfFold],
    others: &[OutOfFold],
    kinds: &[&str],
    day: Date,
) -> Result<u64, Leak> {
    let made = records.partition_point(|record| record.day <= day);
    let mut compared_count = 0;
    for record in &records[..made] {
        let key = |record: &OutOfFold| (record.moment(), record.symbol);
        let Ok(at) = others.binary_search_by_key(&key(record), key) else {
            continue;
        };
        let other = &others[at];
        let leak = |what: &str| Leak {
            what: what.to_owned(),
            symbol: record.symbol,
            day: record.day,
            changed_after: day,
        };
        if let Some((what, ..)) = forecasts(record, kinds)
            .zip(forecasts(other, kinds))
            .map(|((what, before), (_, after))| (what, before, after))
            .find(|(_, before, after)| !same(*before, *after))
        {
            return Err(leak(&format!("the {what}")));
        }
        compared_count += 1;
    }
    Ok(compared_count)
}

/// Everything forecast for one row, with its name.
fn forecasts<'a>(
    record: &'a OutOfFold,
    kinds: &'a [&str],
) -> impl Iterator<Item = (String, f64)> + 'a {
    let members = kinds.iter().zip(&record.members);
    let members = members.map(|(kind, value)| (format!("forecast of the member {kind}"), *value));
    let Outlook { up_share, volatility, barriers } = record.outlook.said;
    let of_outlook = [
        ("probability of a rise", Some(up_share)),
        ("volatility to come", volatility),
        ("probability of the upper barrier", barriers.map(|shares| shares.upper)),
        ("probability of the lower barrier", barriers.map(|shares| shares.lower)),
    ];
    let others = [
        ("forecast of the ensemble", Some(record.predicted.model)),
        ("drift", Some(record.drift)),
        ("probability of turbulence", Some(record.turbulence)),
    ];
    let named = others.into_iter().chain(of_outlook);
    let baselines = record.predicted.baselines.iter();
    let baselines = baselines
        .map(|(kind, value)| (format!("forecast of the baseline {}", kind.word()), *value));
    members
        .chain(baselines)
        .chain(named.map(|(name, value)| (name.to_owned(), value.unwrap_or(f64::NAN))))
}

/// Whether two numbers are the same, unknown ones included.
fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}
