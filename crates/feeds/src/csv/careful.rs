//! Rows in every spelling that files have, read field by field.

use std::borrow::Cow;
use std::path::Path;

use bist_market::{Refusal, RefusedRow, Symbol};

use super::style::Style;
use super::table::{Line, Table, is_footer};
use crate::decimal::{self, DecimalMark, NumberFault};
use crate::error::{Broken, Fault, Place};
use crate::header::{Cells, Layout};
use crate::moment::Moment;
use crate::rows::{RowFields, Rows, shortened};

/// Everything that is known of a file before its rows are read.
#[derive(Debug)]
pub(super) struct CarefulReader<'a> {
    pub(super) file: &'a Path,
    pub(super) table: &'a Table<'a>,
    pub(super) style: Style,
    /// The symbol of the file, when neither header nor row has one.
    pub(super) symbol: Option<Symbol>,
}

impl CarefulReader<'_> {
    /// Reads one line; `fields` is room to work in.
    pub(super) fn read<'t>(
        &self,
        line: Line<'t>,
        fields: &mut Vec<Cow<'t, str>>,
        rows: &mut Rows,
    ) -> Result<(), Broken> {
        self.table.split(line, fields)?;
        let row = RowReader {
            file: self.file,
            layout: &self.table.layout,
            style: self.style,
            symbol: self.symbol,
            line,
            fields,
        };
        row.read_into(rows)
    }
}

/// Everything needed to make bars of one line.
struct RowReader<'a> {
    file: &'a Path,
    layout: &'a Layout,
    style: Style,
    /// The symbol of the file, when neither header nor row has one.
    symbol: Option<Symbol>,
    line: Line<'a>,
    fields: &'a [Cow<'a, str>],
}

impl RowReader<'_> {
    fn read_into(&self, rows: &mut Rows) -> Result<(), Broken> {
        let moment = match self.moment() {
            Ok(moment) => moment,
            Err(_) if is_footer(self.layout, self.fields) => {
                rows.refused.push(RefusedRow {
                    file: self.file.display().to_string(),
                    line: self.line.number,
                    symbol: self.symbol,
                    day: None,
                    text: shortened(self.line.text),
                    reason: Refusal::NotADate { text: self.fields[0].to_string() },
                });
                return Ok(());
            }
            Err(broken) => return Err(broken),
        };
        let opened_at = moment.instant().ok_or_else(|| self.not_a_date(self.layout.date))?;
        for cells in &self.layout.cells {
            let side_by_side = self.layout.cells.len() > 1;
            if side_by_side && cells.numbers().all(|column| decimal::is_null(&self.fields[column]))
            {
                continue;
            }
            let symbol = self.symbol_of(cells)?;
            let number = |column| self.number(column, decimal::price_units);
            let prices = [
                number(cells.open)?,
                number(cells.high)?,
                number(cells.low)?,
                number(cells.close)?,
            ];
            let adjusted_close = match cells.adjusted_close {
                Some(column) => self.number(column, decimal::lira)?,
                None => None,
            };
            let volume_shares = match cells.volume {
                Some(column) => self.number(column, decimal::shares)?,
                None => None,
            };
            rows.add(RowFields {
                file: self.file,
                line: self.line.number,
                text: || self.line.text.to_owned(),
                symbol,
                opened_at,
                prices,
                adjusted_close,
                volume_shares,
            });
        }
        Ok(())
    }

    fn moment(&self) -> Result<Moment, Broken> {
        let date = &self.fields[self.layout.date];
        let moment = Moment::parse(date, self.style.order)
            .ok_or_else(|| self.not_a_date(self.layout.date))?;
        match self.layout.time {
            Some(time) => moment.at_time(&self.fields[time]).ok_or_else(|| self.not_a_date(time)),
            None => Ok(moment),
        }
    }

    fn symbol_of(&self, cells: &Cells) -> Result<Symbol, Broken> {
        if let Some(symbol) = cells.symbol.or(self.symbol) {
            return Ok(symbol);
        }
        let Some(column) = self.layout.symbol else { return Err(Fault::Nameless.into()) };
        Symbol::parse(&self.fields[column])
            .map_err(|error| self.cell(column, Fault::NoSymbol(error)))
    }

    /// The number in a cell, `None` when the cell says that there is none.
    fn number<T>(
        &self,
        column: usize,
        read: impl Fn(&str, DecimalMark) -> Result<T, NumberFault>,
    ) -> Result<Option<T>, Broken> {
        let text = self.fields[column].as_ref();
        if decimal::is_null(text) {
            return Ok(None);
        }
        match read(text, self.style.mark) {
            Ok(number) => Ok(Some(number)),
            Err(NumberFault::NotANumber) => {
                Err(self.cell(column, Fault::NotANumber(shortened(text))))
            }
            Err(NumberFault::TooLarge) => Err(self.cell(column, Fault::TooLarge(shortened(text)))),
        }
    }

    fn not_a_date(&self, column: usize) -> Broken {
        self.cell(column, Fault::NotADate(shortened(&self.fields[column])))
    }

    fn cell(&self, column: usize, fault: Fault) -> Broken {
        Broken::in_cell(Place::Line(self.line.number), &self.layout.names[column], fault)
    }
}
