//! Reading and writing single columns: every text and number of a row becomes a type here.

use bist_market::{Interval, Origin, RawBar, Source, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::db::Row;
use crate::error::StoreError;

/// A bar of a row with the columns of `bars`.
pub(crate) fn raw_bar(row: &Row) -> Result<RawBar, StoreError> {
    Ok(RawBar {
        opened_at: instant(row.try_get("opened_at")?)?,
        open_units: row.try_get("open_units")?,
        high_units: row.try_get("high_units")?,
        low_units: row.try_get("low_units")?,
        close_units: row.try_get("close_units")?,
        adjusted_close: row.try_get("adjusted_close")?,
        volume_shares: row.try_get("volume_shares")?,
    })
}

/// The column `document` of `row`, read as JSON.
pub(crate) fn document<T: serde::de::DeserializeOwned>(
    what: &'static str,
    row: &Row,
) -> Result<T, StoreError> {
    let text: &str = row.try_get("document")?;
    serde_json::from_str(text).map_err(|source| StoreError::Document { what, source })
}

/// `value` as the JSON of a column.
pub(crate) fn json<T: serde::Serialize>(
    what: &'static str,
    value: &T,
) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|source| StoreError::Document { what, source })
}

/// The column `symbol`.
pub(crate) fn symbol(row: &Row) -> Result<Symbol, StoreError> {
    Symbol::parse(row.try_get("symbol")?).map_err(impossible)
}

/// The column `bar_interval`.
pub(crate) fn interval(row: &Row) -> Result<Interval, StoreError> {
    Interval::parse(row.try_get("bar_interval")?).map_err(impossible)
}

/// The column `source`.
pub(crate) fn source(row: &Row) -> Result<Source, StoreError> {
    Source::parse(row.try_get("source")?).map_err(impossible)
}

/// The day in the column `name`.
pub(crate) fn day(row: &Row, name: &str) -> Result<Date, StoreError> {
    row.try_get::<&str, _>(name)?.parse().map_err(impossible)
}

/// Reads an origin that we wrote.
pub(crate) fn origin(text: &str) -> Result<Origin, StoreError> {
    match text {
        "sample" => Ok(Origin::Sample),
        "market" => Ok(Origin::Market),
        other => Err(impossible(format!("origin '{other}'"))),
    }
}

/// An instant of a column in seconds.
pub(crate) fn instant(second: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(second).map_err(impossible)
}

/// An instant of a column in microseconds.
pub(crate) fn instant_us(microsecond: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microsecond).map_err(impossible)
}

/// The instant in microseconds in the column `name`, where it may be missing.
pub(crate) fn maybe_instant_us(row: &Row, name: &str) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(name)?.map(instant_us).transpose()
}

/// A count that we wrote.
pub(crate) fn count(row: &Row, name: &str) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<i64, _>(name)?).map_err(impossible)
}

/// A count as the signed integer that SQL has.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A value that no version of this program writes.
#[expect(clippy::needless_pass_by_value, reason = "so that it fits `map_err` as it stands")]
pub(crate) fn impossible(reason: impl ToString) -> StoreError {
    StoreError::Impossible(reason.to_string())
}
