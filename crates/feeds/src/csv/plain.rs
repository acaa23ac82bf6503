//! Rows without surprises, read byte by byte in one pass: the reader that makes files load fast.
//!
//! It reads what it is sure to understand as [`CarefulReader`] does, and leaves any other row to it
//! untouched. A cell in an unusual spelling is read by the same functions that the careful reader
//! uses; a row with a quotation mark, a missing price, another number of fields, or anything wrong
//! is not plain.

mod days;
mod number;
mod prices;
mod symbols;

use bist_market::RawBar;
use jiff::Timestamp;

use super::careful::CarefulReader;
use super::style::Style;
use super::table::Lines;
use crate::decimal::{self, DecimalMark, NumberFault};
use crate::moment::Moment;
use crate::rows::Rows;
use days::Days;
use prices::Prices;
use symbols::Symbols;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Symbol,
    Date,
    /// Open, high, low and close are 0 to 3.
    Price(usize),
    /// The four of them side by side, with another column behind, as most files have them.
    Prices,
    AdjustedClose,
    Volume,
    Ignored,
}

/// Reads plain rows.
#[derive(Debug)]
pub(super) struct PlainReader {
    style: Style,
    delimiter: u8,
    mark: u8,
    /// What the columns hold.
    roles: Vec<Role>,
    usual: Option<Usual>,
    prices: Prices,
    days: Days,
    symbols: Symbols,
}

/// The order of columns of most files, which is read without asking what each column holds: a
/// symbol where the rows name theirs, then date, open, high, low, close and volume, and nothing
/// more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Usual {
    WithSymbol,
    WithoutSymbol,
}

/// Bytes that a row in the usual order is looked for in; longer ones are read in the other way.
const USUAL_LENGTH: usize = 96;

/// Most bytes of four prices and a volume that are read at a glance, with the end of the line.
const NUMBERS_LENGTH: usize = 4 * prices::LENGTH_MAX + number::WHOLE_LENGTH_MAX + 2;

/// A row that was read, and where the next begins.
struct PlainRow {
    group: usize,
    bar: RawBar,
    /// Whether the date is a day, and the bar's time therefore midnight.
    is_day: bool,
    end: usize,
}

impl PlainReader {
    /// The reader for a file; `None` when none of its rows can be plain.
    pub(super) fn of(careful: &CarefulReader<'_>, rows: &mut Rows) -> Option<Self> {
        let table = careful.table;
        let layout = &table.layout;
        let [cells] = layout.cells.as_slice() else { return None };
        let delimiter = u8::try_from(table.delimiter).ok()?;
        let mark = match careful.style.mark {
            DecimalMark::Point => b'.',
            DecimalMark::Comma => b',',
        };
        if layout.time.is_some() || mark == delimiter {
            return None;
        }
        let symbol = cells.symbol.or(careful.symbol);
        let mut roles = vec![Role::Ignored; table.width];
        let meant = [
            (Some(layout.date), Role::Date),
            (layout.symbol.filter(|_| symbol.is_none()), Role::Symbol),
            (Some(cells.open), Role::Price(0)),
            (Some(cells.high), Role::Price(1)),
            (Some(cells.low), Role::Price(2)),
            (Some(cells.close), Role::Price(3)),
            (cells.adjusted_close, Role::AdjustedClose),
            (cells.volume, Role::Volume),
        ];
        for (column, role) in meant {
            let Some(column) = column else { continue };
            let slot = roles.get_mut(column)?;
            if *slot != Role::Ignored {
                return None;
            }
            *slot = role;
        }
        let lines = table.lines();
        let first_line = &lines.text[lines.at..];
        let first_date = first_line.split(table.delimiter).nth(layout.date).unwrap_or_default();
        let roles = joined(&roles);
        Some(Self {
            style: careful.style,
            delimiter,
            mark,
            usual: Usual::of(&roles),
            roles,
            prices: Prices::new(mark, delimiter),
            days: Days::like(first_date, delimiter),
            symbols: Symbols::new(symbol, rows),
        })
    }

    /// Reads rows up to the first that is not plain, or the end.
    pub(super) fn read(&mut self, lines: &mut Lines<'_>, rows: &mut Rows) {
        loop {
            if let Some(usual) = self.usual {
                self.read_usual(usual, lines, rows);
            }
            let Some(row) = self.row(lines.text, lines.at, rows) else { return };
            if !row.is_day {
                rows.note_time(row.bar.opened_at);
            }
            rows.push(row.group, lines.number, row.bar);
            lines.at = row.end;
            lines.number += 1;
        }
    }

    /// Reads rows up to the first that takes more than a glance: one in another order or spelling,
    /// with a symbol or a month that was not expected, or at the end of the text.
    #[inline(never)]
    fn read_usual(&mut self, usual: Usual, lines: &mut Lines<'_>, rows: &mut Rows) {
        let Self { symbols, days, prices, delimiter, .. } = self;
        let bytes = lines.text.as_bytes();
        let row_at = |at: usize| bytes.get(at..)?.first_chunk::<USUAL_LENGTH>();
        let (mut at, mut number) = (lines.at, lines.number);
        while let Some(row) = row_at(at)
            && let Some(group) = match usual {
                Usual::WithSymbol => symbols.likely(row, *delimiter),
                Usual::WithoutSymbol => Some(symbols.of_file()),
            }
        {
            let symbol = symbols.latest().filter(|_| usual == Usual::WithSymbol);
            let date_at = symbol.map_or(0, |symbol| symbol.length() + 1);
            let group = rows.group_mut(group);
            let begin = at;
            while let Some(row) = row_at(at)
                && symbol.is_none_or(|symbol| symbol.begins(row, *delimiter))
                && let Some(cells) = row.get(date_at..)
                && let Some((opened_at, cells)) = days.likely(cells)
                && let Some(cells) = cells.first_chunk()
                && let Some((bar, length)) = numbers(prices, cells, opened_at)
            {
                group.push(number, bar);
                at += date_at + days::CELL_LENGTH + length;
                number += 1;
            }
            if at == begin {
                break;
            }
        }
        (lines.at, lines.number) = (at, number);
    }

    /// The row that begins at `at`; `None` when it is not plain.
    #[inline]
    fn row(&mut self, text: &str, mut at: usize, rows: &mut Rows) -> Option<PlainRow> {
        let bytes = text.as_bytes();
        let delimiter = self.delimiter;
        let mut group = self.symbols.of_file();
        let (mut opened_at, mut is_day) = (Timestamp::UNIX_EPOCH, false);
        let mut prices = [0; 4];
        let mut adjusted_close = None;
        let mut volume_shares = None;
        let mut end = at;
        for index in 0..self.roles.len() {
            if index > 0 {
                at = (*bytes.get(end)? == delimiter).then_some(end + 1)?;
            }
            match self.roles[index] {
                Role::Prices => {
                    for units in &mut prices {
                        (*units, at) = match self.prices.read(bytes, at) {
                            Some(read) => read,
                            None => {
                                let (units, end) = self.price(text, at)?;
                                (units, (*bytes.get(end)? == delimiter).then_some(end + 1)?)
                            }
                        };
                    }
                    end = at - 1;
                }
                Role::Date => {
                    (opened_at, end, is_day) = match self.days.find(bytes, at) {
                        Some((midnight, end)) => (midnight, end, true),
                        None => self.moment(text, at)?,
                    };
                }
                Role::Symbol => (group, end) = self.symbols.find(text, at, delimiter, rows)?,
                Role::Volume => {
                    (volume_shares, end) = match number::whole(bytes, at) {
                        Some((shares, end)) => (Some(shares), end),
                        None => self.volume(text, at)?,
                    };
                }
                Role::Price(price) => (prices[price], end) = self.price(text, at)?,
                Role::AdjustedClose => {
                    (adjusted_close, end) = self.number(text, at, decimal::lira)?;
                }
                Role::Ignored => end = cell_end(bytes, at, delimiter)?,
            }
        }
        let next = next_line(bytes, end)?;
        let [open_units, high_units, low_units, close_units] = prices;
        let bar = RawBar {
            opened_at,
            open_units: Some(open_units),
            high_units,
            low_units,
            close_units,
            adjusted_close,
            volume_shares,
        };
        Some(PlainRow { group, bar, is_day, end: next })
    }

    /// The price at `at` in any spelling, and the end of its cell.
    #[inline(never)]
    fn price(&self, text: &str, at: usize) -> Option<(i64, usize)> {
        if let Some(read) = number::scaled(text.as_bytes(), at, self.mark, 4) {
            return Some(read);
        }
        let (units, end) = self.number(text, at, decimal::price_units)?;
        Some((units?, end))
    }

    /// The number of shares at `at` in any spelling, and the end of its cell.
    #[inline(never)]
    fn volume(&self, text: &str, at: usize) -> Option<(Option<i64>, usize)> {
        match number::scaled(text.as_bytes(), at, self.mark, 0) {
            Some((shares, end)) => Some((Some(shares), end)),
            None => self.number(text, at, decimal::shares),
        }
    }

    /// The moment at `at` in any spelling, the end of its cell, and whether it is a day.
    #[inline(never)]
    fn moment(&self, text: &str, at: usize) -> Option<(Timestamp, usize, bool)> {
        let (cell, end) = self.cell(text, at)?;
        let moment = Moment::parse(cell, self.style.order)?;
        Some((moment.instant()?, end, matches!(moment, Moment::Day(_))))
    }

    /// The number at `at` in any spelling, and the end of its cell.
    #[inline(never)]
    fn number<T>(
        &self,
        text: &str,
        at: usize,
        read: impl Fn(&str, DecimalMark) -> Result<T, NumberFault>,
    ) -> Option<(Option<T>, usize)> {
        let (cell, end) = self.cell(text, at)?;
        if decimal::is_null(cell) {
            return Some((None, end));
        }
        Some((Some(read(cell, self.style.mark).ok()?), end))
    }

    fn cell<'t>(&self, text: &'t str, at: usize) -> Option<(&'t str, usize)> {
        let end = cell_end(text.as_bytes(), at, self.delimiter)?;
        Some((text[at..end].trim(), end))
    }
}

/// Where the next line begins when this one ends at `at`; `None` when it does not.
#[inline(always)]
fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..)? {
        [b'\n', ..] => Some(at + 1),
        [b'\r', b'\n', ..] => Some(at + 2),
        _ => None,
    }
}

/// The bar of the prices and the volume with which `cells` begin, and their length with the end of
/// the line.
#[inline(always)]
fn numbers(
    prices: &Prices,
    cells: &[u8; NUMBERS_LENGTH],
    opened_at: Timestamp,
) -> Option<(RawBar, usize)> {
    let ([open_units, high_units, low_units, close_units], at) = prices.read_four(cells)?;
    let (volume_shares, end) = number::whole(cells, at)?;
    let length = next_line(cells, end)?;
    let bar = RawBar {
        opened_at,
        open_units: Some(open_units),
        high_units,
        low_units,
        close_units,
        adjusted_close: None,
        volume_shares: Some(volume_shares),
    };
    Some((bar, length))
}

impl Usual {
    /// The usual order that these columns have.
    fn of(roles: &[Role]) -> Option<Self> {
        match roles {
            [Role::Symbol, Role::Date, Role::Prices, Role::Volume] => Some(Self::WithSymbol),
            [Role::Date, Role::Prices, Role::Volume] => Some(Self::WithoutSymbol),
            _ => None,
        }
    }
}

/// The end of the cell that begins at `at`: the delimiter or the end of the line behind it; `None`
/// when the cell has a quotation mark, or the text ends first.
#[inline]
fn cell_end(bytes: &[u8], at: usize, delimiter: u8) -> Option<usize> {
    let cell = bytes.get(at..)?;
    let length = cell.iter().position(|b| *b == delimiter || matches!(b, b'\n' | b'"'))?;
    (cell[length] != b'"').then_some(at + length)
}

/// The roles with four prices side by side as one, unless no column follows them.
fn joined(roles: &[Role]) -> Vec<Role> {
    const PRICES: [Role; 4] = [Role::Price(0), Role::Price(1), Role::Price(2), Role::Price(3)];
    let mut joined = roles.to_vec();
    let begin = roles.windows(5).position(|columns| columns[..4] == PRICES);
    if let Some(begin) = begin {
        joined.splice(begin..begin + 4, [Role::Prices]);
    }
    joined
}
