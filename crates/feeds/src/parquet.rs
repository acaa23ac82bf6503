//! Parquet files, as pandas, polars and Arrow write them.
//!
//! Columns are recognised by the names that CSV files have, and each value goes through the same
//! reading of decimals, so that one table in either format gives the same bars. A float becomes the
//! shortest decimal that names it. Times with a zone are instants; times without one, INT96 among
//! them, are those of Istanbul's clocks.

use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;

use bist_market::Symbol;
use jiff::SignedDuration;
use jiff::civil::{DateTime, date};
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, Int96};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::decimal::{self, DecimalMark, NumberFault};
use crate::error::{Broken, Fault, FeedError, Place};
use crate::file_bars::{FileBars, FileNote};
use crate::header::{self, Cells, Layout};
use crate::moment::{self, DateOrder, Moment};
use crate::rows::{RowFields, Rows, shortened};

/// Reads a Parquet file.
///
/// # Errors
///
/// [`FeedError`] when the file cannot be read or understood; it names the row, counted from 1, and
/// the column. No row of such a file may be used.
pub fn read_parquet(file: &Path) -> Result<FileBars, FeedError> {
    let system = |source| FeedError::Read { path: file.to_owned(), source };
    let opened = File::open(file).map_err(system)?;
    if opened.metadata().map_err(system)?.len() == 0 {
        return Err(Broken::from(Fault::ZeroBytes).of_file(file));
    }
    // The library checks some damage with assertions; a damaged file is still only a damaged file.
    let parsed = catch_unwind(|| parse(file, opened)).unwrap_or_else(|_| {
        Err(Fault::Parquet("its parts contradict each other".to_owned()).into())
    });
    parsed.map_err(|broken| broken.of_file(file))
}

fn parse(file: &Path, opened: File) -> Result<FileBars, Broken> {
    let size_bytes = opened.metadata().map_err(|error| Fault::Parquet(error.to_string()))?.len();
    let reader = SerializedFileReader::new(opened)?;
    check_extents(&reader, size_bytes)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let names: Vec<String> =
        schema.columns().iter().map(|column| column.path().parts().join(".")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let layout = Layout::recognise_tuples(&names).unwrap_or_else(|| Layout::recognise(&names))?;

    let hints = header::hints_of(file);
    let in_header = layout.cells.first().is_some_and(|cells| cells.symbol.is_some());
    let symbol = if layout.symbol.is_none() && !in_header { Some(hints.symbol?) } else { None };

    let table = Table { columns: columns(&reader, &layout)?, layout, symbol };
    let mut rows = Rows::default();
    if !table.layout.ignored.is_empty() {
        rows.notes.push(FileNote::IgnoredColumns(table.layout.ignored.clone()));
    }
    let rows_count = table.columns[table.layout.date].len();
    for index in 0..rows_count {
        table.read_row(file, index, &mut rows)?;
    }
    rows.finish(file, hints.interval, |number| {
        usize::try_from(number).map(|number| table.text(number - 1)).unwrap_or_default()
    })
}

/// Refuses a file whose directory points outside it, before anything is read by that directory.
fn check_extents(reader: &SerializedFileReader<File>, size_bytes: u64) -> Result<(), Fault> {
    let chunks = reader.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
    for chunk in chunks {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let end = start.checked_add(chunk.compressed_size());
        let inside = |at: i64| u64::try_from(at).is_ok_and(|at| at <= size_bytes);
        if !inside(start) || !inside(chunk.compressed_size()) || !end.is_some_and(inside) {
            return Err(Fault::Parquet("it is cut off or damaged".to_owned()));
        }
    }
    Ok(())
}

impl From<ParquetError> for Broken {
    fn from(error: ParquetError) -> Self {
        Fault::Parquet(error.to_string()).into()
    }
}

/// One value, as near to what a CSV file would say as its type allows.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Null,
    Text(String),
    Moment(Moment),
}

/// All rows of a file; columns that are not needed are empty.
struct Table {
    columns: Vec<Vec<Cell>>,
    layout: Layout,
    /// The symbol of the file, when neither header nor row has one.
    symbol: Option<Symbol>,
}

impl Table {
    fn read_row(&self, file: &Path, index: usize, rows: &mut Rows) -> Result<(), Broken> {
        let opened_at = self.moment(index).and_then(Moment::instant).ok_or_else(|| {
            self.cell(index, self.layout.date, Fault::NotADate(self.word(index, self.layout.date)))
        })?;
        for cells in &self.layout.cells {
            let blank = |column: usize| self.number_text(index, column).is_none();
            if self.layout.cells.len() > 1 && cells.numbers().all(blank) {
                continue;
            }
            let price = |column| self.number(index, column, decimal::price_units);
            let prices =
                [price(cells.open)?, price(cells.high)?, price(cells.low)?, price(cells.close)?];
            let adjusted_close = match cells.adjusted_close {
                Some(column) => self.number(index, column, decimal::lira)?,
                None => None,
            };
            let volume_shares = match cells.volume {
                Some(column) => self.number(index, column, decimal::shares)?,
                None => None,
            };
            rows.add(RowFields {
                file,
                line: index as u64 + 1,
                text: || self.text(index),
                symbol: self.symbol_of(index, cells)?,
                opened_at,
                prices,
                adjusted_close,
                volume_shares,
            });
        }
        Ok(())
    }

    fn moment(&self, index: usize) -> Option<Moment> {
        let moment = match &self.columns[self.layout.date][index] {
            Cell::Null => None,
            Cell::Moment(moment) => Some(*moment),
            // Which of day and month comes first is never guessed; a column of dates has a type.
            Cell::Text(text) if moment::is_slashed(text) => None,
            Cell::Text(text) => Moment::parse(text, DateOrder::DayFirst),
        }?;
        match self.layout.time {
            Some(time) => moment.at_time(&self.word(index, time)),
            None => Some(moment),
        }
    }

    fn symbol_of(&self, index: usize, cells: &Cells) -> Result<Symbol, Broken> {
        if let Some(symbol) = cells.symbol.or(self.symbol) {
            return Ok(symbol);
        }
        let Some(column) = self.layout.symbol else { return Err(Fault::Nameless.into()) };
        Symbol::parse(&self.word(index, column))
            .map_err(|error| self.cell(index, column, Fault::NoSymbol(error)))
    }

    fn number_text(&self, index: usize, column: usize) -> Option<String> {
        let text = self.word(index, column);
        if decimal::is_null(&text) { None } else { Some(text) }
    }

    fn number<T>(
        &self,
        index: usize,
        column: usize,
        read: impl Fn(&str, DecimalMark) -> Result<T, NumberFault>,
    ) -> Result<Option<T>, Broken> {
        let Some(text) = self.number_text(index, column) else { return Ok(None) };
        read(&text, DecimalMark::Point).map(Some).map_err(|fault| {
            let fault = match fault {
                NumberFault::NotANumber => Fault::NotANumber(shortened(&text)),
                NumberFault::TooLarge => Fault::TooLarge(shortened(&text)),
            };
            self.cell(index, column, fault)
        })
    }

    fn word(&self, index: usize, column: usize) -> String {
        match &self.columns[column][index] {
            Cell::Null => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Moment(Moment::Day(day)) => day.to_string(),
            Cell::Moment(Moment::Local(local)) => local.to_string(),
            Cell::Moment(Moment::Instant(instant)) => instant.to_string(),
        }
    }

    /// The needed values of a row, for a report.
    fn text(&self, index: usize) -> String {
        let needed = (0..self.columns.len()).filter(|column| index < self.columns[*column].len());
        needed.map(|column| self.word(index, column)).collect::<Vec<_>>().join(",")
    }

    fn cell(&self, index: usize, column: usize, fault: Fault) -> Broken {
        Broken::in_cell(Place::Row(index as u64 + 1), &self.layout.names[column], fault)
    }
}

/// Reads the columns that the layout needs.
fn columns(reader: &SerializedFileReader<File>, layout: &Layout) -> Result<Vec<Vec<Cell>>, Broken> {
    let needed = [Some(layout.date), layout.time, layout.symbol];
    let mut needed: Vec<usize> = needed.into_iter().flatten().collect();
    needed.extend(layout.cells.iter().flat_map(Cells::numbers));
    needed.sort_unstable();
    needed.dedup();

    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let mut columns = vec![Vec::new(); schema.num_columns()];
    for column in needed {
        let descriptor = schema.column(column);
        let wrong_type = |what: String| Broken {
            place: None,
            column: Some(layout.names[column].clone()),
            fault: Fault::ColumnType(what),
        };
        if descriptor.max_rep_level() > 0 {
            return Err(wrong_type("list".to_owned()));
        }
        for group in 0..reader.num_row_groups() {
            let group = reader.get_row_group(group)?;
            let rows = usize::try_from(group.metadata().num_rows())
                .map_err(|_| Fault::Parquet("a negative number of rows".to_owned()))?;
            let before = columns[column].len();
            read_column(group.get_column_reader(column)?, &descriptor, rows, &mut columns[column])?
                .ok_or_else(|| wrong_type(type_name(&descriptor)))?;
            let found = columns[column].len() - before;
            if found != rows {
                let fault = Fault::Parquet(format!("{found} values where {rows} rows are"));
                return Err(Broken {
                    place: None,
                    column: Some(layout.names[column].clone()),
                    fault,
                });
            }
        }
    }
    Ok(columns)
}

/// Appends the values of one column of one row group; `None` when its type holds nothing of ours.
fn read_column(
    reader: ColumnReader,
    column: &ColumnDescriptor,
    rows: usize,
    cells: &mut Vec<Cell>,
) -> Result<Option<()>, Broken> {
    let kind = Kind::of(column);
    match reader {
        ColumnReader::BoolColumnReader(_) => return Ok(None),
        ColumnReader::Int32ColumnReader(reader) => {
            append(reader, column, rows, cells, |value| kind.whole(i64::from(*value)))?;
        }
        ColumnReader::Int64ColumnReader(reader) => {
            append(reader, column, rows, cells, |value| kind.whole(*value))?;
        }
        ColumnReader::Int96ColumnReader(reader) => {
            append(reader, column, rows, cells, |value| Some(local_of(value)))?;
        }
        ColumnReader::FloatColumnReader(reader) => {
            append(reader, column, rows, cells, |value| Some(Cell::Text(value.to_string())))?;
        }
        ColumnReader::DoubleColumnReader(reader) => {
            append(reader, column, rows, cells, |value| Some(Cell::Text(value.to_string())))?;
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            append(reader, column, rows, cells, |value| kind.bytes(value.data()))?;
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            append(reader, column, rows, cells, |value| {
                let value: &ByteArray = value;
                kind.bytes(value.data())
            })?;
        }
    }
    Ok(Some(()))
}

fn append<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    column: &ColumnDescriptor,
    rows: usize,
    cells: &mut Vec<Cell>,
    cell: impl Fn(&T::T) -> Option<Cell>,
) -> Result<(), Broken> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let optional = column.max_def_level() > 0;
    let mut records = 0;
    while records < rows {
        let (read, _, _) = reader.read_records(
            rows - records,
            optional.then_some(&mut levels),
            None,
            &mut values,
        )?;
        if read == 0 {
            break;
        }
        records += read;
    }
    let unreadable = || Broken {
        place: None,
        column: Some(column.name().to_owned()),
        fault: Fault::ColumnType(type_name(column)),
    };
    let mut values = values.iter();
    let present = |index: usize| !optional || levels.get(index) == Some(&column.max_def_level());
    for index in 0..records {
        let value = if present(index) { values.next() } else { None };
        cells.push(match value {
            Some(value) => cell(value).ok_or_else(unreadable)?,
            None => Cell::Null,
        });
    }
    Ok(())
}

/// What the values of a column stand for.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Plain,
    Date,
    /// So many units a second since 1970, on Istanbul's clocks or in UTC.
    Time {
        per_second: i64,
        utc: bool,
    },
    /// This many decimal places.
    Decimal(u32),
}

impl Kind {
    fn of(column: &ColumnDescriptor) -> Self {
        match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Self::Date,
            (Some(LogicalType::Timestamp(kind)), _) => {
                let per_second = match kind.unit {
                    TimeUnit::MILLIS => 1_000,
                    TimeUnit::MICROS => 1_000_000,
                    TimeUnit::NANOS => 1_000_000_000,
                };
                Self::Time { per_second, utc: kind.is_adjusted_to_u_t_c }
            }
            // The older annotations mean UTC, by the format's rules of compatibility.
            (None, ConvertedType::TIMESTAMP_MILLIS) => Self::Time { per_second: 1_000, utc: true },
            (None, ConvertedType::TIMESTAMP_MICROS) => {
                Self::Time { per_second: 1_000_000, utc: true }
            }
            (Some(LogicalType::Decimal(_)), _) | (None, ConvertedType::DECIMAL) => {
                u32::try_from(column.type_scale()).map_or(Self::Plain, Self::Decimal)
            }
            _ => Self::Plain,
        }
    }

    fn whole(self, value: i64) -> Option<Cell> {
        match self {
            Self::Plain => Some(Cell::Text(value.to_string())),
            Self::Date => {
                let days = SignedDuration::try_from_hours(value.checked_mul(24)?)?;
                let at = EPOCH.checked_add(days).ok()?;
                Some(Cell::Moment(Moment::Day(at.date())))
            }
            Self::Time { per_second, utc } => {
                let nanoseconds = i128::from(value) * i128::from(1_000_000_000 / per_second);
                if utc {
                    let instant = jiff::Timestamp::from_nanosecond(nanoseconds).ok()?;
                    return Some(Cell::Moment(Moment::Instant(instant)));
                }
                local_at(nanoseconds)
            }
            Self::Decimal(places) => Some(Cell::Text(decimal_text(i128::from(value), places))),
        }
    }

    fn bytes(self, value: &[u8]) -> Option<Cell> {
        match self {
            Self::Plain => Some(Cell::Text(std::str::from_utf8(value).ok()?.trim().to_owned())),
            Self::Decimal(places) if matches!(value.len(), 1..=16) => {
                // Big-endian two's complement.
                let fill = if value[0] & 0x80 == 0 { 0 } else { 0xff };
                let mut whole = [fill; 16];
                whole[16 - value.len()..].copy_from_slice(value);
                Some(Cell::Text(decimal_text(i128::from_be_bytes(whole), places)))
            }
            Self::Decimal(_) | Self::Date | Self::Time { .. } => None,
        }
    }
}

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// An INT96 time stamp: nanoseconds of the day and a Julian day.
fn local_of(value: &Int96) -> Cell {
    let [low, high, julian_day] = [value.data()[0], value.data()[1], value.data()[2]];
    let nanoseconds = (u64::from(high) << 32) | u64::from(low);
    let days = i128::from(julian_day) - 2_440_588;
    local_at(days * 86_400_000_000_000 + i128::from(nanoseconds)).unwrap_or(Cell::Null)
}

/// The reading of Istanbul's clocks this long after they showed the beginning of 1970.
fn local_at(nanoseconds: i128) -> Option<Cell> {
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    let part = i32::try_from(nanoseconds.rem_euclid(1_000_000_000)).ok()?;
    let local = EPOCH.checked_add(SignedDuration::new(seconds, part)).ok()?;
    Some(Cell::Moment(Moment::Local(local)))
}

/// `12345` with two places is `123.45`.
fn decimal_text(value: i128, places: u32) -> String {
    let places = places as usize;
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{whole}.{part}")
}

fn type_name(column: &ColumnDescriptor) -> String {
    match column.logical_type_ref() {
        Some(logical) => format!("{logical:?}"),
        None => column.physical_type().to_string(),
    }
}
