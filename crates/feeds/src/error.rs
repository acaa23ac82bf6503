//! Why files could not be found or understood, as data that reads as one sentence.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use bist_market::SymbolError;

use crate::discover::FileFormat;
use jiff::civil::Date;

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// The path names nothing.
    #[error("there is no file or folder '{}'; check the path", .0.display())]
    NoSuchPath(PathBuf),
    /// The folder holds no file of the format.
    #[error("the folder '{}' has no .{} file; name another folder or the files themselves", .folder.display(), .format.extensions().join(" or ."))]
    NoFiles {
        /// The folder looked into.
        folder: PathBuf,
        /// What was looked for.
        format: FileFormat,
    },
    /// The pattern matches no file.
    #[error("no file matches '{0}'; check the pattern")]
    NoMatch(String),
    /// The pattern is malformed.
    #[error("'{pattern}' is not a pattern of file names: {source}")]
    Pattern {
        /// The text given.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// The operating system refused.
    #[error("cannot read '{}': {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The file cannot be understood; none of its rows may be used.
    #[error(transparent)]
    Broken(Box<BrokenFile>),
}

/// Where and why a file cannot be understood.
#[derive(Debug, PartialEq, Eq)]
pub struct BrokenFile {
    /// The file as it was named.
    pub file: PathBuf,
    /// Where in the file.
    pub place: Option<Place>,
    /// The column as the file names it.
    pub column: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of text, counted from 1.
    Line(u64),
    /// A row of a Parquet file, counted from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Zero bytes.
    #[error("the file is empty, not even a header is there; download it again")]
    ZeroBytes,
    /// The bytes are of another kind of file.
    #[error("this is {what}, not a table of prices as text; {advice}")]
    OtherFormat {
        /// What it looks like.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The bytes are no text.
    #[error("the bytes are neither UTF-8 nor UTF-16 text; save the file as UTF-8")]
    NotText,
    /// Columns without which there is no bar.
    #[error("the header has no column for {missing}; it names {seen}")]
    MissingColumns {
        /// The columns not found, in words.
        missing: String,
        /// The header's own names.
        seen: String,
    },
    /// Two columns of one meaning.
    #[error("the columns '{first}' and '{second}' both look like the {field}; remove one")]
    TwoColumns {
        /// The meaning.
        field: &'static str,
        /// The first name.
        first: String,
        /// The second name.
        second: String,
    },
    /// A row with too few or too many fields.
    #[error(
        "the row has {found} fields and the header {expected}; the file is damaged or cut off, download it again"
    )]
    FieldCount {
        /// Fields in the header.
        expected: usize,
        /// Fields in the row.
        found: usize,
    },
    /// A quotation mark without its partner on the line.
    #[error(
        "a quotation mark is not closed on its line; the file is damaged or cut off, download it again"
    )]
    OpenQuote,
    /// Text where a number belongs.
    #[error("'{0}' is not a number; correct the cell or download the file again")]
    NotANumber(String),
    /// A number that no price or volume reaches.
    #[error(
        "'{0}' is too large to be a price or a volume; correct the cell or download the file again"
    )]
    TooLarge(String),
    /// Thousands or decimals.
    #[error(
        "'{0}' may be in thousands or have three decimals, and nothing else in the file tells which; write the decimals of every price with two or four places"
    )]
    AmbiguousNumber(String),
    /// Text where a date belongs.
    #[error("'{0}' is not a date; write it as 2024-03-01 or 01.03.2024")]
    NotADate(String),
    /// Day or month first.
    #[error(
        "'{0}' may have the day or the month first, and no date in the file tells which; write dates as 2024-03-01 or 01.03.2024"
    )]
    AmbiguousDate(String),
    /// No ticker in a column, a header or the file name.
    #[error("no symbol: {0}; name the file after its symbol, as THYAO.csv, or add a column Symbol")]
    NoSymbol(SymbolError),
    /// The file name is a common word and there is no symbol column.
    #[error(
        "nothing says whose prices these are; name the file after its symbol, as THYAO.csv, or add a column Symbol"
    )]
    Nameless,
    /// Intraday bars too few or too close to tell how long each is.
    #[error(
        "how long each bar is cannot be told from its times; give at least two bars a minute or more apart, or put the length in the file name, as THYAO_60m.csv"
    )]
    UnknownInterval,
    /// The Parquet library refused the file.
    #[error("not a readable Parquet file: {0}; write or download it again")]
    Parquet(String),
    /// A Parquet column of a type that holds no such thing.
    #[error(
        "the column is of the type {0}, which cannot be read here; write it as a number, a date or text"
    )]
    ColumnType(String),
    /// The archive cannot be unpacked.
    #[error("the ZIP archive cannot be read: {0}; download it again")]
    Zip(String),
    /// The archive does not hold one table.
    #[error("the archive holds {0} instead of one .csv file; is it another download?")]
    NotOneTable(String),
    /// The file, or what an archive unpacks to, is larger than any true one.
    #[error("it is larger than {size_bytes_max} bytes, as no true one is")]
    TooManyBytes {
        /// The most that is read.
        size_bytes_max: u64,
    },
    /// More lines than any true file has.
    #[error("it has more than {lines_max} lines, as no true one has")]
    TooManyLines {
        /// The most that are read.
        lines_max: usize,
    },
    /// A file of one day has rows of two.
    #[error(
        "the row is of {found} and the rows above it are of {expected}; a bulletin has one day"
    )]
    OtherDay {
        /// The day of the rows before.
        expected: Date,
        /// The day of this row.
        found: Date,
    },
}

impl fmt::Display for BrokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.file.display())?;
        if let Some(place) = self.place {
            write!(f, ", {place}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column '{column}'")?;
        }
        write!(f, ": {}", self.fault)
    }
}

impl std::error::Error for BrokenFile {}

/// A fault and its place, before the file's name is added at the door.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) place: Option<Place>,
    pub(crate) column: Option<String>,
    pub(crate) fault: Fault,
}

impl Broken {
    /// A fault of one line.
    pub(crate) fn on_line(line: u64, fault: Fault) -> Self {
        Self { place: Some(Place::Line(line)), column: None, fault }
    }

    /// A fault of one cell.
    pub(crate) fn in_cell(place: Place, column: &str, fault: Fault) -> Self {
        Self { place: Some(place), column: Some(column.to_owned()), fault }
    }

    /// Where in the file, in words.
    pub(crate) fn position(&self) -> String {
        let place = self.place.map(|place| place.to_string());
        let column = self.column.as_ref().map(|column| format!("column '{column}'"));
        let words: Vec<String> = place.into_iter().chain(column).collect();
        if words.is_empty() { "the file".to_owned() } else { words.join(", ") }
    }

    /// The error that callers see.
    pub(crate) fn of_file(self, file: &Path) -> FeedError {
        FeedError::Broken(Box::new(BrokenFile {
            file: file.to_owned(),
            place: self.place,
            column: self.column,
            fault: self.fault,
        }))
    }
}

impl From<Fault> for Broken {
    fn from(fault: Fault) -> Self {
        Self { place: None, column: None, fault }
    }
}
