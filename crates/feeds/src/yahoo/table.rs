//! The parallel arrays of a chart as rows.

use bist_market::bar::midnight_of;
use bist_market::{Interval, RawBar, Refusal, RefusedRow};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::answer::Chart;
use super::chart::ChartRequest;
use crate::decimal;
use crate::fetch_error::FetchError;
use crate::json::Cell;
use crate::rows::shortened;

/// The years in which a bar can lie.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2200;

/// The columns of prices, in the order in which [`Table`] keeps them.
const PRICES: [&str; 4] = ["open", "high", "low", "close"];

/// Columns of equal length.
pub(super) struct Table<'a> {
    request: &'a ChartRequest<'a>,
    zone: &'a TimeZone,
    timestamps: &'a [i64],
    prices: [&'a [Cell]; 4],
    volume: &'a [Cell],
    /// Empty when the chart has none.
    adjusted_close: &'a [Cell],
}

/// Rows that became neither a bar nor a refused row, and what else is worth a line.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) empty: u64,
    pub(super) unfinished: u64,
    pub(super) outside: u64,
    pub(super) replaced: u64,
    adjusted_closes_left_out: u64,
}

impl Counts {
    /// One sentence for each of them that is not zero.
    pub(super) fn notes(self) -> Vec<String> {
        let counted = [
            (self.empty, "rows had no price at all and were skipped"),
            (self.unfinished, "rows were of sessions still running and were left out"),
            (self.outside, "rows lay outside the days asked for and were left out"),
            (self.replaced, "rows were replaced by the live row of the same day"),
            (self.adjusted_closes_left_out, "adjusted closes were not numbers and were left out"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        counted.map(|(count, what)| format!("{count} {what}")).collect()
    }
}

/// The number of a row, counted from one.
pub(super) const fn line_of(index: usize) -> u64 {
    index as u64 + 1
}

impl<'a> Table<'a> {
    /// The columns of `chart`.
    ///
    /// # Errors
    ///
    /// [`FetchError::Malformed`] when one of them is longer or shorter than the time stamps.
    pub(super) fn of(
        chart: &'a Chart,
        request: &'a ChartRequest<'a>,
        zone: &'a TimeZone,
    ) -> Result<Self, FetchError> {
        let timestamps = chart.timestamp.as_ref().map_or(&[][..], |column| &column.0[..]);
        let column = |name: &str, cells: &'a [Cell], may_be_absent: bool| {
            if cells.len() == timestamps.len() || (may_be_absent && cells.is_empty()) {
                return Ok(cells);
            }
            let reason =
                format!("{} values where {} time stamps are", cells.len(), timestamps.len());
            Err(request.malformed(format_args!("indicators: {name}"), reason))
        };
        let cells = |read: fn(&'a super::answer::Quote) -> &'a [Cell]| {
            chart.indicators.quote.first().map_or(&[][..], read)
        };
        let adjusted_close =
            chart.indicators.adjclose.first().map_or(&[][..], |block| &block.adjclose.0[..]);
        Ok(Self {
            request,
            zone,
            timestamps,
            prices: [
                column("open", cells(|quote| &quote.open.0), false)?,
                column("high", cells(|quote| &quote.high.0), false)?,
                column("low", cells(|quote| &quote.low.0), false)?,
                column("close", cells(|quote| &quote.close.0), false)?,
            ],
            volume: column("volume", cells(|quote| &quote.volume.0), true)?,
            adjusted_close: column("adjclose", adjusted_close, true)?,
        })
    }

    pub(super) const fn rows_count(&self) -> usize {
        self.timestamps.len()
    }

    /// The day of a row where the chart is at home, and the instant that stands for its bar; `None`
    /// when the time stamp is none of these centuries.
    pub(super) fn time(&self, index: usize) -> Option<(Date, Timestamp)> {
        let stamped_at = Timestamp::from_second(self.timestamps[index]).ok()?;
        let day = self.zone.to_datetime(stamped_at).date();
        if !YEARS.contains(&day.year()) {
            return None;
        }
        let opened_at = match self.request.interval {
            Interval::Daily => midnight_of(day),
            Interval::Minutes(_) => stamped_at,
        };
        Some((day, opened_at))
    }

    /// The row that the live price makes void. Yahoo appends the live price as a last row, stamped
    /// with the time of the last trade: a day then has two rows, of which the live one is the
    /// newer; among minutes it lies between two bars and is none itself.
    pub(super) fn replaced_row(&self, last_traded_s: Option<i64>) -> Option<usize> {
        let last = self.rows_count().checked_sub(1)?;
        if Some(self.timestamps[last]) != last_traded_s {
            return None;
        }
        let before = last.checked_sub(1)?;
        let ((day_before, begin), (day, _)) = (self.time(before)?, self.time(last)?);
        if day_before != day {
            return None;
        }
        match self.request.interval {
            Interval::Daily => Some(before),
            Interval::Minutes(minutes) => {
                let step = SignedDuration::from_mins(i64::from(minutes));
                let since =
                    Timestamp::from_second(self.timestamps[last]).ok()?.duration_since(begin);
                (since.as_secs() % step.as_secs() != 0).then_some(last)
            }
        }
    }

    /// The bar of a row; `None` when the row is empty, as on holidays.
    pub(super) fn bar(
        &self,
        index: usize,
        opened_at: Timestamp,
        counts: &mut Counts,
    ) -> Result<Option<RawBar>, Refusal> {
        let mut units = [None; 4];
        for ((name, cells), units) in PRICES.iter().zip(self.prices).zip(&mut units) {
            let price = cells[index].decimal(decimal::price_units);
            *units = price.map_err(|fault| fault.refusal(name, cells[index].text()))?;
        }
        let none = Cell::default();
        let volume = self.volume.get(index).unwrap_or(&none);
        let volume_shares = volume
            .decimal(decimal::shares)
            .map_err(|fault| fault.refusal("volume", volume.text()))?;
        if units == [None; 4] && volume_shares.unwrap_or_default() == 0 {
            return Ok(None);
        }
        let missing = |name: usize| Refusal::MissingField { field: PRICES[name].to_owned() };
        let [open_units, high_units, low_units, close_units] = units;
        let adjusted = self.adjusted_close.get(index).unwrap_or(&none);
        let adjusted_close = adjusted.decimal(decimal::lira).unwrap_or_else(|_| {
            counts.adjusted_closes_left_out += 1;
            None
        });
        Ok(Some(RawBar {
            opened_at,
            open_units: Some(open_units.ok_or_else(|| missing(0))?),
            high_units: high_units.ok_or_else(|| missing(1))?,
            low_units: low_units.ok_or_else(|| missing(2))?,
            close_units: close_units.ok_or_else(|| missing(3))?,
            adjusted_close,
            volume_shares,
        }))
    }

    /// A row that cannot become a bar.
    pub(super) fn refused(&self, index: usize, day: Date, reason: Refusal) -> RefusedRow {
        let [open, high, low, close] = self.prices.map(|cells| cells[index].text());
        let volume = self.volume.get(index).map(Cell::text).unwrap_or_default();
        let text = format!("{},{open},{high},{low},{close},{volume}", self.timestamps[index]);
        self.refused_row(index, Some(day), &text, reason)
    }

    /// A row whose time stamp cannot be read.
    pub(super) fn not_a_date(&self, index: usize) -> RefusedRow {
        let text = self.timestamps[index].to_string();
        self.refused_row(index, None, &text, Refusal::NotADate { text: text.clone() })
    }

    fn refused_row(
        &self,
        index: usize,
        day: Option<Date>,
        text: &str,
        reason: Refusal,
    ) -> RefusedRow {
        RefusedRow {
            file: self.request.piece.to_owned(),
            line: line_of(index),
            symbol: Some(self.request.symbol),
            day,
            text: shortened(text),
            reason,
        }
    }
}
