//! The table of a bulletin: which rows are shares, and what they say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bist_market::bar::midnight_of;
use bist_market::{InstrumentDay, RawBar, Refusal, Symbol};
use jiff::civil::Date;

use super::columns::{Column, Columns, no_header};
use super::other_rows::OtherRows;
use crate::bounded::filled_lines;
use crate::csv::{line, text};
use crate::day_rows::{DayRow, DayRows, Place, number, price};
use crate::decimal;
use crate::error::{Broken, Fault};
use crate::moment::{DateOrder, Moment};
use crate::provider::Batch;
use crate::rows::shortened;

/// Reads the table; `file` names it in refused rows.
pub(super) fn parse(file: &str, bytes: &[u8]) -> Result<Batch, Broken> {
    let text = decode(bytes)?;
    let mut lines = filled_lines(&text);
    let Some(first) = lines.next() else { return Err(Fault::ZeroBytes.into()) };
    let (columns, first_row) = header(first?, lines.next().transpose()?)?;

    let mut reader = Reader {
        columns: &columns,
        rows: DayRows::new(file),
        others: OtherRows::default(),
        unclear_flags: BTreeMap::new(),
        day: None,
    };
    let mut rows_read = 0_u64;
    let mut fields = Vec::new();
    for place in first_row.map(Ok).into_iter().chain(lines) {
        let place = place?;
        rows_read += 1;
        split(place.text, columns.width(), &mut fields);
        reader.read(place, &fields)?;
    }
    Ok(reader.finish(rows_read, text.ends_with('\n')))
}

/// UTF-8 or UTF-16 with or without a byte order mark, or Windows-1254, as the exchange writes.
fn decode(bytes: &[u8]) -> Result<String, Broken> {
    let marked_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if marked_utf16 || std::str::from_utf8(bytes).is_ok() {
        return text::decode(bytes.to_vec()).map_err(|(line, fault)| match line {
            Some(line) => Broken::on_line(line, fault),
            None => fault.into(),
        });
    }
    match text::other_format(bytes) {
        Some(fault) => Err(fault.into()),
        None => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            Ok(bytes.iter().map(|byte| text::windows_1254(*byte)).collect())
        }
    }
}

/// The columns that one or two lines name, and the second line if it is a row.
fn header<'a>(
    first: Place<'_>,
    second: Option<Place<'a>>,
) -> Result<(Columns, Option<Place<'a>>), Broken> {
    let names: Vec<&str> = first.text.split(';').map(str::trim).collect();
    let mut columns =
        Columns::recognise(first.line, &names)?.ok_or_else(|| no_header(first.line, &names))?;
    let mut row = second;
    if let Some(Place { line, text }) = second {
        let names: Vec<&str> = text.split(';').map(str::trim).collect();
        if let Some(second) = Columns::recognise(line, &names)? {
            columns.merge(line, second)?;
            row = None;
        }
    }
    Ok((columns.complete(first.line)?, row))
}

/// The fields of a row, without empty ones behind the last column. The exchange does not quote, so
/// a mark of quotation without its partner belongs to the name of a company.
fn split<'a>(text: &'a str, width: usize, fields: &mut Vec<Cow<'a, str>>) {
    if line::split(text, ';', fields).is_err() {
        fields.clear();
        fields.extend(text.split(';').map(|field| Cow::Borrowed(field.trim())));
    }
    while fields.len() > width && fields.last().is_some_and(|field| field.is_empty()) {
        fields.pop();
    }
}

/// Takes rows in one by one.
struct Reader<'a, 'c> {
    columns: &'c Columns,
    rows: DayRows<'a>,
    /// Rows of what is no share.
    others: OtherRows,
    /// Flags that are neither 0 nor 1: how many, and the first.
    unclear_flags: BTreeMap<Column, (u32, String)>,
    /// The day of the bulletin, once a row told it.
    day: Option<Date>,
}

impl<'a> Reader<'a, '_> {
    fn read(&mut self, place: Place<'a>, fields: &[Cow<'_, str>]) -> Result<(), Broken> {
        let (expected, found) = (self.columns.width(), fields.len());
        if expected != found {
            let (expected, found) = (expected as u64, found as u64);
            self.rows.refuse(place, None, None, Refusal::FieldCount { expected, found });
            return Ok(());
        }
        let code = self.cell(Column::Code, fields).unwrap_or_default();
        let group = self.cell(Column::Group, fields);
        if self.others.takes(code, group, self.cell(Column::Market, fields)) {
            return Ok(());
        }
        let Ok(symbol) = Symbol::parse(code) else {
            let reason = Refusal::NotASymbol { text: shortened(code) };
            self.rows.refuse(place, None, None, reason);
            return Ok(());
        };
        let day = self.cell(Column::Day, fields).unwrap_or_default();
        let Some(Moment::Day(day)) = Moment::parse(day, DateOrder::DayFirst) else {
            let reason = Refusal::NotADate { text: shortened(day) };
            self.rows.refuse(place, Some(symbol), None, reason);
            return Ok(());
        };
        let expected = *self.day.get_or_insert(day);
        if day != expected {
            return Err(Broken::on_line(place.line, Fault::OtherDay { expected, found: day }));
        }
        match self.share(symbol, day, fields) {
            Ok(row) => self.rows.add(place, row),
            Err(reason) => self.rows.refuse(place, Some(symbol), Some(day), reason),
        }
        Ok(())
    }

    fn share(
        &mut self,
        symbol: Symbol,
        day: Date,
        fields: &[Cow<'_, str>],
    ) -> Result<DayRow, Refusal> {
        let in_bist100 = self.flag(Column::InBist100, fields);
        let in_bist30 = self.flag(Column::InBist30, fields);
        let gross_settlement = self.flag(Column::GrossSettlement, fields);
        let suspended = self.flag(Column::Suspended, fields);
        let text = |column| {
            let cell = self.columns.cell(column, fields).filter(|cell| !cell.is_empty());
            cell.map(str::to_owned)
        };
        let count = |column| match self.columns.cell(column, fields) {
            Some(cell) => number(self.columns.name(column), cell, decimal::shares),
            None => Ok(None),
        };
        let units = |column| match self.columns.cell(column, fields) {
            Some(cell) => number(self.columns.name(column), cell, decimal::price_units),
            None => Ok(None),
        };
        let price = |column| match self.columns.cell(column, fields) {
            Some(cell) => price(self.columns.name(column), cell),
            None => Ok(None),
        };
        let volume_shares = count(Column::Volume)?;
        let trades_count = count(Column::Trades)?;
        let turnover_units = units(Column::Turnover)?;
        let prices = [
            price(Column::Open)?,
            price(Column::High)?,
            price(Column::Low)?,
            price(Column::Close)?,
        ];
        let facts = InstrumentDay {
            segment: text(Column::Segment),
            trading_method: text(Column::TradingMethod),
            in_bist100,
            in_bist30,
            gross_settlement,
            suspended,
            corporate_action: text(Column::CorporateAction),
            previous_close_units: price(Column::PreviousClose)?,
            vwap_units: price(Column::Vwap)?,
            turnover_units,
            trades_count: trades_count.and_then(|count| u64::try_from(count).ok()),
            market_cap_lira: None,
        };
        // Some years repeat the price of the day before where nothing was traded.
        let measures = [volume_shares, turnover_units, trades_count];
        let nothing_traded = measures.iter().any(Option::is_some)
            && measures.iter().flatten().all(|measure| *measure == 0);
        let bar = if nothing_traded || prices.iter().all(Option::is_none) {
            None
        } else {
            let [open_units, high, low, close] = prices;
            let needed = |units: Option<i64>, column| {
                let field = self.columns.name(column).to_owned();
                units.ok_or(Refusal::MissingField { field })
            };
            Some(RawBar {
                opened_at: midnight_of(day),
                open_units,
                high_units: needed(high, Column::High)?,
                low_units: needed(low, Column::Low)?,
                close_units: needed(close, Column::Close)?,
                adjusted_close: None,
                volume_shares,
            })
        };
        Ok(DayRow { symbol, day, bar, facts, name: text(Column::Name) })
    }

    fn cell<'f>(&self, column: Column, fields: &'f [Cow<'_, str>]) -> Option<&'f str> {
        self.columns.cell(column, fields)
    }

    /// A flag written as 0 or 1; what is neither is unknown, and told in a note.
    fn flag(&mut self, column: Column, fields: &[Cow<'_, str>]) -> Option<bool> {
        match self.cell(column, fields)? {
            "" => None,
            "0" => Some(false),
            "1" => Some(true),
            other => {
                let unclear =
                    self.unclear_flags.entry(column).or_insert_with(|| (0, shortened(other)));
                unclear.0 += 1;
                None
            }
        }
    }

    fn finish(self, rows_read: u64, ends_with_newline: bool) -> Batch {
        let mut notes = Vec::new();
        let missing = self.columns.all_missing();
        if !missing.is_empty() {
            notes.push(format!("the bulletin has no column for {}", missing.join(", ")));
        }
        notes.extend(self.others.note(rows_read));
        let batch = self.rows.finish();
        let untraded_count = batch.days.len() - batch.series.len();
        if untraded_count > 0 {
            notes.push(format!("shares that were not traded and have no bar: {untraded_count}"));
        }
        for (column, (count, first)) in &self.unclear_flags {
            notes.push(format!(
                "'{}' is neither 0 nor 1 in {count} rows ('{first}' first) and is unknown there",
                self.columns.name(*column)
            ));
        }
        if rows_read == 0 {
            notes.push("the bulletin has a header and no rows".to_owned());
        } else if !ends_with_newline {
            notes.push(
                "the last line does not end with a newline; a download that was cut off looks the same"
                    .to_owned(),
            );
        }
        Batch { rows_read, notes, ..batch }
    }
}
