//! Rows that each say everything of one share and one day, gathered into a batch.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bist_market::{
    BarSeries, DatedInstrumentDay, Instrument, InstrumentDay, Interval, Origin, RawBar, Refusal,
    RefusedRow, Symbol,
};
use jiff::civil::Date;

use crate::decimal::{self, DecimalMark, NumberFault};
use crate::provider::Batch;
use crate::rows::shortened;

/// A row as it stood, for the report when it is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The line, or the number of the row where there are no lines; from 1.
    pub(crate) line: u64,
    pub(crate) text: &'a str,
}

/// What one row says.
#[derive(Debug, PartialEq)]
pub(crate) struct DayRow {
    pub(crate) symbol: Symbol,
    pub(crate) day: Date,
    /// `None` when the share was not traded.
    pub(crate) bar: Option<RawBar>,
    pub(crate) facts: InstrumentDay,
    /// The company.
    pub(crate) name: Option<String>,
}

/// The rows of one file or answer while it is being read.
#[derive(Debug)]
pub(crate) struct DayRows<'a> {
    file: &'a str,
    /// By share and day; `None` once two rows contradict each other.
    rows: BTreeMap<(Symbol, Date), (Place<'a>, Option<DayRow>)>,
    refused: Vec<RefusedRow>,
}

impl<'a> DayRows<'a> {
    pub(crate) fn new(file: &'a str) -> Self {
        Self { file, rows: BTreeMap::new(), refused: Vec::new() }
    }

    /// Takes a row in, unless an earlier one says the same or the contrary.
    pub(crate) fn add(&mut self, place: Place<'a>, row: DayRow) {
        let (symbol, day) = (row.symbol, row.day);
        let mut refusals = Vec::new();
        match self.rows.entry((symbol, day)) {
            Entry::Vacant(free) => {
                free.insert((place, Some(row)));
            }
            Entry::Occupied(mut taken) => {
                let (first, said) = taken.get_mut();
                let first_line = first.line;
                if *said == Some(row) {
                    refusals.push((place, Refusal::DuplicateRow { first_line }));
                } else {
                    if said.take().is_some() {
                        let contradiction =
                            Refusal::ConflictingDuplicate { first_line: place.line };
                        refusals.push((*first, contradiction));
                    }
                    refusals.push((place, Refusal::ConflictingDuplicate { first_line }));
                }
            }
        }
        for (place, reason) in refusals {
            self.refuse(place, Some(symbol), Some(day), reason);
        }
    }

    /// Keeps a row that cannot be used, with the reason.
    pub(crate) fn refuse(
        &mut self,
        place: Place<'_>,
        symbol: Option<Symbol>,
        day: Option<Date>,
        reason: Refusal,
    ) {
        self.refused.push(RefusedRow {
            file: self.file.to_owned(),
            line: place.line,
            symbol,
            day,
            text: shortened(place.text),
            reason,
        });
    }

    /// The batch, ordered by share and day; `rows_read` and the notes are left to the caller.
    pub(crate) fn finish(mut self) -> Batch {
        self.refused.sort_by_key(|row| (row.line, row.symbol));
        let mut batch =
            Batch { file: self.file.to_owned(), refused: self.refused, ..Batch::default() };
        for row in self.rows.into_values().filter_map(|(_, row)| row) {
            let DayRow { symbol, day, bar, facts, name } = row;
            if let Some(bar) = bar {
                match batch.series.last_mut().filter(|series| series.symbol == symbol) {
                    Some(series) => series.bars.push(bar),
                    None => batch.series.push(BarSeries {
                        symbol,
                        interval: Interval::Daily,
                        bars: vec![bar],
                    }),
                }
            }
            if name.is_some() {
                let origin = Origin::Market;
                batch.instruments.push(Instrument { symbol, name, sector: None, origin });
            }
            batch.days.push(DatedInstrumentDay { symbol, day, facts });
        }
        batch
    }
}

/// The number in a cell of a format that never groups thousands; `None` when there is none.
pub(crate) fn number<T>(
    field: &str,
    text: &str,
    read: impl Fn(&str, DecimalMark) -> Result<T, NumberFault>,
) -> Result<Option<T>, Refusal> {
    if decimal::is_null(text) {
        return Ok(None);
    }
    read(&decimal::with_point(text), DecimalMark::Point).map(Some).map_err(|fault| {
        let (field, text) = (field.to_owned(), shortened(text));
        match fault {
            NumberFault::NotANumber => Refusal::NotANumber { field, text },
            NumberFault::TooLarge => Refusal::NumberTooLarge { field, text },
        }
    })
}

/// A price in units of 0.0001 TRY; `None` when there is none, which sources also write as zero.
pub(crate) fn price(field: &str, text: &str) -> Result<Option<i64>, Refusal> {
    Ok(number(field, text, decimal::price_units)?.filter(|units| *units != 0))
}
