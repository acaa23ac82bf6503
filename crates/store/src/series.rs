//! The series that the store holds: one a symbol, interval and source.

use bist_market::bar::day_of;
use bist_market::{Instrument, Interval, Source, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::columns::{count, instant, instant_us, interval, source, symbol};
use crate::db::{Row, query};
use crate::error::StoreError;
use crate::instruments::instrument;
use crate::pool::Store;

/// What the store holds of one symbol at one interval from one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesOverview {
    /// Whose bars.
    pub symbol: Symbol,
    /// What its bars cover.
    pub interval: Interval,
    /// Where they come from.
    pub source: Source,
    /// How many bars there are, not yet validated; zero when the source answered with none.
    pub rows_count: u64,
    /// The day of the first of them.
    pub first_day: Option<Date>,
    /// The day of the last of them.
    pub last_day: Option<Date>,
    /// When the source was last asked for them and answered.
    pub fetched_at: Timestamp,
}

/// One line of the list of symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolOverview {
    /// The instrument.
    pub instrument: Instrument,
    /// Intervals of its bars are listed one by one; this is one of them.
    pub interval: Interval,
    /// When any source was last asked for them and answered.
    pub fetched_at: Timestamp,
}

impl Store {
    /// All symbols that have at least one bar, by name, one line an interval.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn symbol_overviews(&self) -> Result<Vec<SymbolOverview>, StoreError> {
        query(
            "SELECT i.symbol, i.name, i.sector, i.origin, s.bar_interval,
                    MAX(s.fetched_at_us) AS fetched_at_us
             FROM bar_series s JOIN instruments i ON i.symbol = s.symbol
             WHERE s.rows_count > 0
             GROUP BY i.symbol, i.name, i.sector, i.origin, s.bar_interval
             ORDER BY i.symbol, s.bar_interval",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            Ok(SymbolOverview {
                instrument: instrument(row)?,
                interval: interval(row)?,
                fetched_at: instant_us(row.try_get("fetched_at_us")?)?,
            })
        })
        .collect()
    }

    /// All series, by symbol, interval and source.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn series_overviews(&self) -> Result<Vec<SeriesOverview>, StoreError> {
        query(
            "SELECT symbol, bar_interval, source, rows_count, first_opened_at, last_opened_at,
                    fetched_at_us
             FROM bar_series ORDER BY symbol, bar_interval, source",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(overview)
        .collect()
    }

    /// The series for which there is something to validate, by symbol, interval and source: those
    /// of [`Store::series_overviews`], and those of which a source gave refused rows alone.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn series_keys(&self) -> Result<Vec<(Symbol, Interval, Source)>, StoreError> {
        query(
            "SELECT symbol, bar_interval, source FROM bar_series
             UNION
             SELECT symbol, bar_interval, source FROM refused_rows WHERE symbol IS NOT NULL
             ORDER BY 1, 2, 3",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| Ok((symbol(row)?, interval(row)?, source(row)?)))
        .collect()
    }
}

fn overview(row: &Row) -> Result<SeriesOverview, StoreError> {
    let day = |name| -> Result<Option<Date>, StoreError> {
        let second: Option<i64> = row.try_get(name)?;
        Ok(second.map(instant).transpose()?.map(day_of))
    };
    Ok(SeriesOverview {
        symbol: symbol(row)?,
        interval: interval(row)?,
        source: source(row)?,
        rows_count: count(row, "rows_count")?,
        first_day: day("first_opened_at")?,
        last_day: day("last_opened_at")?,
        fetched_at: instant_us(row.try_get("fetched_at_us")?)?,
    })
}
