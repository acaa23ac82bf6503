//! What one file held.

use std::fmt;

use bist_market::{BarSeries, RefusedRow};

use crate::provider::Batch;

/// The rows of one file: every row is either a bar or refused.
#[derive(Clone, Debug, PartialEq)]
pub struct FileBars {
    /// The file as it was named.
    pub file: String,
    /// Rows of data in the file; equals the bars of `series` and the `refused` rows together. In a
    /// file with the symbols side by side each symbol's cells on a line are a row, unless all of
    /// them are blank.
    pub rows_read: u64,
    /// The bars, one series a symbol, ordered by symbol; inside a series in the file's order.
    pub series: Vec<BarSeries>,
    /// The rows that cannot become bars, in the file's order.
    pub refused: Vec<RefusedRow>,
    /// What the user should know although nothing failed.
    pub notes: Vec<FileNote>,
}

impl FileBars {
    /// The number of bars in all series.
    pub fn bars_count(&self) -> usize {
        self.series.iter().map(|series| series.bars.len()).sum()
    }
}

impl From<FileBars> for Batch {
    fn from(read: FileBars) -> Self {
        let FileBars { file, rows_read, series, refused, notes } = read;
        let notes = notes.iter().map(ToString::to_string).collect();
        Self { file, rows_read, series, refused, notes, ..Self::default() }
    }
}

/// Something about a file that is worth a line in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileNote {
    /// There is a header and no row below it.
    EmptyFile,
    /// The last line has no end-of-line mark; a download that was cut off looks the same.
    NoFinalNewline {
        /// The last line, counted from 1.
        line: u64,
    },
    /// Columns whose names we do not know.
    IgnoredColumns(Vec<String>),
}

impl fmt::Display for FileNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyFile => f.write_str("the file has a header and no rows"),
            Self::NoFinalNewline { line } => write!(
                f,
                "line {line}, the last, does not end with a newline; a download that was cut off looks the same"
            ),
            Self::IgnoredColumns(names) => {
                write!(f, "columns not used: {}", names.join(", "))
            }
        }
    }
}
