//! Daily prices (`HisseTekil`).
//!
//! `HG_*` are the prices as traded, `HGDG_*` the same adjusted for everything up to the day of the
//! answer. There is no opening price, and the average (`AOF`) is none. `HACIM` is money and not
//! shares; the number of shares is not given and not estimated.

use bist_market::bar::midnight_of;
use bist_market::{InstrumentDay, RawBar, Refusal, Symbol};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{malformed, refused};
use crate::day_rows::{DayRow, DayRows, Place, number, price};
use crate::decimal;
use crate::fetch_error::FetchError;
use crate::json::{Cell, Column, parse_object};
use crate::moment::{DateOrder, Moment};
use crate::provider::Batch;
use crate::rows::shortened;

/// The most rows that are read: far more than the days of a share since 1986.
const ROWS_MAX: usize = 20_000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    /// False when the source failed.
    ok: Option<bool>,
    #[serde(rename = "errorCode")]
    error_code: Cell,
    #[serde(rename = "errorDescription")]
    error_description: Cell,
    value: Option<Column<Box<RawValue>, ROWS_MAX>>,
}

/// The cells of a row that we use, by the source's own names.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct Cells {
    hgdg_hs_kodu: Cell,
    hgdg_tarih: Cell,
    /// The adjusted close.
    hgdg_kapanis: Cell,
    hg_kapanis: Cell,
    hg_min: Cell,
    hg_max: Cell,
    /// The volume-weighted average.
    hg_aof: Cell,
    /// The turnover in lira.
    hg_hacim: Cell,
    /// The market capitalisation in lira.
    pd: Cell,
}

/// Reads daily prices; `piece` names the answer in messages.
///
/// An unknown share has no rows, which is no error: [`Batch::rows_read`] is zero.
///
/// # Errors
///
/// [`FetchError::Refused`] when the source says that it failed, [`FetchError::Malformed`] when the
/// answer does not have its documented shape.
pub fn parse_hisse_tekil(piece: &str, bytes: &[u8]) -> Result<Batch, FetchError> {
    let envelope: Envelope =
        parse_object(bytes).map_err(|error| malformed(piece, "the answer", error))?;
    let rows = match (envelope.ok, envelope.value) {
        (Some(false), _) => {
            let said = [envelope.error_description.text(), envelope.error_code.text()];
            let words = said.into_iter().find(|words| !words.is_empty());
            return Err(refused(piece, words.unwrap_or_default()));
        }
        (_, Some(Column(rows))) => rows,
        (Some(true), None) => Vec::new(),
        (None, None) => {
            let reason = "it has neither the field ok nor the field value";
            return Err(malformed(piece, "the answer", reason));
        }
    };
    let rows_read = rows.len() as u64;
    let mut read = DayRows::new(piece);
    for (line, row) in (1_u64..).zip(&rows) {
        let cells: Cells = parse_object(row.get().as_bytes())
            .map_err(|error| malformed(piece, &format!("row {line}"), error))?;
        read_row(&mut read, Place { line, text: row.get() }, &cells);
    }
    let batch = read.finish();
    let bars_count: usize = batch.series.iter().map(|series| series.bars.len()).sum();
    let untraded_count = batch.days.len() - bars_count;
    let notes = if untraded_count > 0 {
        vec![format!("days on which nothing was traded, without a bar: {untraded_count}")]
    } else {
        Vec::new()
    };
    Ok(Batch { rows_read, notes, ..batch })
}

fn read_row<'a>(read: &mut DayRows<'a>, place: Place<'a>, cells: &Cells) {
    let code = cells.hgdg_hs_kodu.text();
    let Ok(symbol) = Symbol::parse(code) else {
        return read.refuse(place, None, None, Refusal::NotASymbol { text: shortened(code) });
    };
    let day = cells.hgdg_tarih.text();
    let Some(Moment::Day(day)) = Moment::parse(day, DateOrder::DayFirst) else {
        let reason = Refusal::NotADate { text: shortened(day) };
        return read.refuse(place, Some(symbol), None, reason);
    };
    match day_row(symbol, day, cells) {
        Ok(row) => read.add(place, row),
        Err(reason) => read.refuse(place, Some(symbol), Some(day), reason),
    }
}

fn day_row(symbol: Symbol, day: Date, cells: &Cells) -> Result<DayRow, Refusal> {
    let facts = InstrumentDay {
        vwap_units: price("HG_AOF", cells.hg_aof.text())?,
        turnover_units: number("HG_HACIM", cells.hg_hacim.text(), decimal::price_units)?,
        market_cap_lira: number("PD", cells.pd.text(), decimal::lira)?,
        ..InstrumentDay::default()
    };
    let low = price("HG_MIN", cells.hg_min.text())?;
    let high = price("HG_MAX", cells.hg_max.text())?;
    let close = price("HG_KAPANIS", cells.hg_kapanis.text())?;
    let adjusted_close = number("HGDG_KAPANIS", cells.hgdg_kapanis.text(), decimal::lira)?;
    // A day without a trade has the close of the day before, if any price at all.
    let no_turnover = facts.turnover_units.unwrap_or(0) == 0;
    let repeats = facts.turnover_units.is_some() && low == high && low == close;
    let bar = if no_turnover && (repeats || (low.is_none() && high.is_none())) {
        None
    } else {
        let needed = |units: Option<i64>, field: &str| {
            units.ok_or_else(|| Refusal::MissingField { field: field.to_owned() })
        };
        Some(RawBar {
            opened_at: midnight_of(day),
            open_units: None,
            high_units: needed(high, "HG_MAX")?,
            low_units: needed(low, "HG_MIN")?,
            close_units: needed(close, "HG_KAPANIS")?,
            adjusted_close,
            volume_shares: None,
        })
    };
    Ok(DayRow { symbol, day, bar, facts, name: None })
}
