//! Files of delimited text.
//!
//! What a file leaves open is decided once for all its rows: the delimiter and the meaning of the
//! columns from the header, the decimal mark and the order of day and month from the first cells
//! that can only be read one way. A file in which no cell tells is refused, not guessed at.
//!
//! A file that was cut off is refused when the cut shows: in the middle of a row, of a quoted field
//! or of a character. A cut inside the last field of a row cannot be told from a shorter number;
//! such a file is read, with [`FileNote::NoFinalNewline`].
//!
//! Rows are read in two ways that agree: most rows are plain and are read byte by byte
//! (`csv/plain.rs`), any other goes through the reader that knows every spelling
//! (`csv/careful.rs`).

mod careful;
pub(crate) mod line;
mod plain;
mod style;
mod table;
pub(crate) mod text;

use std::cell::LazyCell;
use std::fs;
use std::path::Path;

use crate::error::{Broken, FeedError, Place};
use crate::file_bars::{FileBars, FileNote};
use crate::header;
use crate::rows::Rows;
use careful::CarefulReader;
use plain::PlainReader;
use table::Table;

/// Reads a file of delimited text.
///
/// # Errors
///
/// [`FeedError`] when the file cannot be read or understood; it names the line and the column. No
/// row of such a file may be used.
pub fn read_csv(file: &Path) -> Result<FileBars, FeedError> {
    let bytes =
        fs::read(file).map_err(|source| FeedError::Read { path: file.to_owned(), source })?;
    parse(file, bytes, |careful, rows| PlainReader::of(careful, rows))
        .map_err(|broken| broken.of_file(file))
}

/// The rows in `bytes`; `file` is for messages and for what its name tells. `plain` makes the reader
/// of plain rows, if the file can have such.
fn parse(
    file: &Path,
    bytes: Vec<u8>,
    plain: impl for<'a> FnOnce(&'a CarefulReader<'a>, &mut Rows) -> Option<PlainReader<'a>>,
) -> Result<FileBars, Broken> {
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
    let careful = CarefulReader { file, table: &table, style, symbol };
    let mut plain = plain(&careful, &mut rows);
    let mut fields = Vec::new();
    let mut lines = table.lines();
    loop {
        if let Some(plain) = &mut plain {
            plain.read(&mut lines, &mut rows);
        }
        let Some(line) = lines.next() else { break };
        careful.read(line, &mut fields, &mut rows)?;
    }

    if !text.ends_with('\n') && !rows.is_empty() {
        let last = text.lines().count() as u64;
        rows.notes.push(FileNote::NoFinalNewline { line: last });
    }
    let lines = LazyCell::new(|| text.lines().collect::<Vec<_>>());
    rows.finish(file, hints.interval, |number| {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        lines.get(at).copied().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests;
