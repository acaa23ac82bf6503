//! Files of delimited text.
//!
//! What a file leaves open is decided once for all its rows: the delimiter and the meaning of the
//! columns from the header, the decimal mark and the order of day and month from the first cells
//! that can only be read one way. A file in which no cell tells is refused, not guessed at.
//!
//! A file that was cut off is refused when the cut shows: in the middle of a row, of a quoted field
//! or of a character. A cut inside the last field of a row cannot be told from a shorter number;
//! such a file is read, with [`FileNote::NoFinalNewline`].

pub(crate) mod line;
pub(crate) mod text;

use std::borrow::Cow;
use std::cell::LazyCell;
use std::fs;
use std::path::Path;

use bist_market::{Refusal, RefusedRow, Symbol};

use crate::decimal::{self, DecimalMark, Evidence, NumberFault};
use crate::error::{Broken, Fault, FeedError, Place};
use crate::file_bars::{FileBars, FileNote};
use crate::header::{self, Cells, Layout};
use crate::moment::{self, DateOrder, Moment};
use crate::rows::{RowFields, Rows, shortened};

/// Reads a file of delimited text.
///
/// # Errors
///
/// [`FeedError`] when the file cannot be read or understood; it names the line and the column. No
/// row of such a file may be used.
pub fn read_csv(file: &Path) -> Result<FileBars, FeedError> {
    let bytes =
        fs::read(file).map_err(|source| FeedError::Read { path: file.to_owned(), source })?;
    parse(file, bytes).map_err(|broken| broken.of_file(file))
}

/// The rows in `bytes`; `file` is for messages and for what its name tells.
fn parse(file: &Path, bytes: Vec<u8>) -> Result<FileBars, Broken> {
    let text = text::decode(bytes).map_err(|(line, fault)| Broken {
        place: line.map(Place::Line),
        column: None,
        fault,
    })?;
    let table = Table::of(&text)?;
    let style = table.style()?;
    let hints = header::hints_of(file);
    let symbol = if table.layout.symbol.is_none() && table.layout.cells[0].symbol.is_none() {
        Some(hints.symbol?)
    } else {
        None
    };

    let mut rows = Rows::default();
    if !table.layout.ignored.is_empty() {
        rows.notes.push(FileNote::IgnoredColumns(table.layout.ignored.clone()));
    }
    let mut fields = Vec::new();
    for line in table.lines() {
        table.split(line, &mut fields)?;
        let reader =
            RowReader { file, layout: &table.layout, style, symbol, line, fields: &fields };
        reader.read_into(&mut rows)?;
    }
    if !text.ends_with('\n') && rows.rows.len() + rows.refused.len() > 0 {
        let last = text.lines().count() as u64;
        rows.notes.push(FileNote::NoFinalNewline { line: last });
    }
    let lines = LazyCell::new(|| text.lines().collect::<Vec<_>>());
    rows.finish(file, hints.interval, |number| {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        lines.get(at).copied().unwrap_or_default().to_owned()
    })
}

/// A line that is not blank, with its number from 1.
#[derive(Clone, Copy, Debug)]
struct Line<'a> {
    number: u64,
    text: &'a str,
}

/// What is decided once for a file.
#[derive(Clone, Copy, Debug)]
struct Style {
    mark: DecimalMark,
    order: DateOrder,
}

/// A text whose header is understood.
#[derive(Debug)]
struct Table<'a> {
    text: &'a str,
    delimiter: char,
    layout: Layout,
    /// The last line of the header.
    header_ends_on: u64,
    /// Columns of the header, without an empty one that a delimiter at the end makes.
    width: usize,
}

impl<'a> Table<'a> {
    fn of(text: &'a str) -> Result<Self, Broken> {
        let mut lines = filled_lines(text).peekable();
        // Spreadsheets may name the delimiter above the header.
        lines.next_if(|line| line.text.starts_with("sep="));
        let Some(first) = lines.next() else { return Err(Fault::ZeroBytes.into()) };
        let delimiter = line::delimiter_of(first.text);
        let mut names = fields_of(first, delimiter)?;
        while names.len() > 1 && names.last().is_some_and(|name| name.is_empty()) {
            names.pop();
        }

        let second = lines.next();
        let pairs = match second {
            Some(second) => {
                let second = fields_of(second, delimiter)?;
                Layout::recognise_pairs(&as_strs(&names), &as_strs(&second))
            }
            None => None,
        };
        let (layout, header_ends_on) = match (pairs, second) {
            (Some(layout), Some(second)) => {
                let third = lines.next();
                let dates = match third {
                    Some(third) => {
                        header::only_names_the_date(&as_strs(&fields_of(third, delimiter)?))
                    }
                    None => false,
                };
                let last = third.filter(|_| dates).unwrap_or(second);
                (layout, last.number)
            }
            _ => (Layout::recognise(&as_strs(&names)), first.number),
        };
        let layout = layout.map_err(|fault| Broken::on_line(first.number, fault))?;
        let width = layout.names.len();
        Ok(Self { text, delimiter, layout, header_ends_on, width })
    }

    /// The rows of data.
    fn lines(&self) -> impl Iterator<Item = Line<'a>> {
        let (delimiter, header_ends_on) = (self.delimiter, self.header_ends_on);
        filled_lines(self.text)
            .skip_while(move |line| line.number <= header_ends_on)
            // Spreadsheets write their empty rows as delimiters only.
            .filter(move |line| line.text.contains(|c: char| c != delimiter && !c.is_whitespace()))
    }

    /// The fields of a row, as many as the header has.
    fn split(&self, line: Line<'a>, fields: &mut Vec<Cow<'a, str>>) -> Result<(), Broken> {
        line::split(line.text, self.delimiter, fields)
            .map_err(|_| Broken::on_line(line.number, Fault::OpenQuote))?;
        while fields.len() > self.width && fields.last().is_some_and(|field| field.is_empty()) {
            fields.pop();
        }
        if fields.len() != self.width && !is_footer(&self.layout, fields) {
            let fault = Fault::FieldCount { expected: self.width, found: fields.len() };
            return Err(Broken::on_line(line.number, fault));
        }
        Ok(())
    }

    /// Decides the decimal mark and the order of dates from as many rows as it takes.
    fn style(&self) -> Result<Style, Broken> {
        let mut marks = MarkSearch::default();
        let mut order = None;
        let mut slashed = false;
        let mut unclear_date: Option<(u64, String)> = None;
        let mut fields = Vec::new();
        let columns: Vec<usize> = self.layout.cells.iter().flat_map(Cells::numbers).collect();
        for line in self.lines() {
            self.split(line, &mut fields)?;
            if is_footer(&self.layout, &fields) {
                continue;
            }
            let date: &str = &fields[self.layout.date];
            slashed |= moment::is_slashed(date);
            if order.is_none() && moment::depends_on_order(date) {
                order = moment::order_shown(date);
                unclear_date.get_or_insert_with(|| (line.number, date.to_owned()));
            }
            for column in &columns {
                marks.look_at(line.number, *column, &fields[*column]);
            }
            if marks.found.is_some() && (order.is_some() || !slashed) {
                // Dates of one file look alike: when the first has no slash, none is waited for.
                break;
            }
        }
        let order = match (order, unclear_date) {
            (Some(order), _) => order,
            (None, None) => DateOrder::DayFirst,
            (None, Some((number, date))) => {
                let column = &self.layout.names[self.layout.date];
                return Err(Broken::in_cell(
                    Place::Line(number),
                    column,
                    Fault::AmbiguousDate(date),
                ));
            }
        };
        Ok(Style { mark: marks.decide(&self.layout.names)?, order })
    }
}

/// Looks for a number that can only be read one way.
#[derive(Debug, Default)]
struct MarkSearch {
    found: Option<DecimalMark>,
    ungrouped: bool,
    /// The first number with three digits behind a point, and behind a comma.
    unclear: [Option<(u64, usize, String)>; 2],
}

impl MarkSearch {
    fn look_at(&mut self, line: u64, column: usize, cell: &str) {
        if self.found.is_some() || decimal::is_null(cell) {
            return;
        }
        match decimal::evidence(cell) {
            Evidence::None => {}
            Evidence::Ungrouped => self.ungrouped = true,
            Evidence::Decimal(mark) => self.found = Some(mark),
            Evidence::Unclear(mark) => {
                let slot = match mark {
                    DecimalMark::Point => 0,
                    DecimalMark::Comma => 1,
                };
                self.unclear[slot].get_or_insert_with(|| (line, column, cell.to_owned()));
            }
        }
    }

    fn decide(self, names: &[String]) -> Result<DecimalMark, Broken> {
        if let Some(mark) = self.found {
            return Ok(mark);
        }
        match (self.unclear, self.ungrouped) {
            ([None, None], _) => Ok(DecimalMark::Point),
            // The file writes long numbers without groups, so the mark cannot group either.
            ([Some(_), None], true) => Ok(DecimalMark::Point),
            ([None, Some(_)], true) => Ok(DecimalMark::Comma),
            ([Some((line, column, cell)), _] | [None, Some((line, column, cell))], _) => Err(
                Broken::in_cell(Place::Line(line), &names[column], Fault::AmbiguousNumber(cell)),
            ),
        }
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

/// Whether a row sums the others up instead of being one of them: it has no date and begins with a
/// word such as `Toplam`.
fn is_footer(layout: &Layout, fields: &[Cow<'_, str>]) -> bool {
    let dated = fields
        .get(layout.date)
        .is_some_and(|date| Moment::parse(date, DateOrder::DayFirst).is_some());
    !dated && fields.first().is_some_and(|first| header::is_footer(first))
}

/// The lines that are not blank; a carriage return at the end is dropped with the blanks.
fn filled_lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    (1..)
        .zip(text.split('\n'))
        .map(|(number, text)| Line { number, text: text.strip_suffix('\r').unwrap_or(text) })
        .filter(|line| !line.text.trim().is_empty())
}

fn fields_of(line: Line<'_>, delimiter: char) -> Result<Vec<Cow<'_, str>>, Broken> {
    let mut fields = Vec::new();
    line::split(line.text, delimiter, &mut fields)
        .map_err(|_| Broken::on_line(line.number, Fault::OpenQuote))?;
    Ok(fields)
}

fn as_strs<'a>(fields: &'a [Cow<'_, str>]) -> Vec<&'a str> {
    fields.iter().map(AsRef::as_ref).collect()
}
