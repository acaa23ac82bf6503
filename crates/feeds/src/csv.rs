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
//! A file is read piece by piece where its first piece tells all that is to be decided and it is
//! plain UTF-8, and as a whole otherwise.
//!
//! Rows are read in two ways that agree: most rows are plain and are read byte by byte
//! (`csv/plain.rs`), any other goes through the reader that knows every spelling
//! (`csv/careful.rs`).

mod careful;
pub(crate) mod line;
mod pieces;
mod plain;
mod style;
mod table;
pub(crate) mod text;

use std::cell::LazyCell;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::error::{Broken, Fault, FeedError, Place};
use crate::file_bars::{FileBars, FileNote};
use crate::header;
use crate::rows::Rows;
use careful::CarefulReader;
use pieces::{PIECE_LENGTH, Pieces};
use plain::PlainReader;
use table::{Lines, Table};

/// Reads a file of delimited text.
///
/// # Errors
///
/// [`FeedError`] when the file cannot be read or understood; it names the line and the column. No
/// row of such a file may be used.
pub fn read_csv(file: &Path) -> Result<FileBars, FeedError> {
    let unreadable = |source| FeedError::Read { path: file.to_owned(), source };
    let reader = File::open(file).map_err(unreadable)?;
    let pieces = Pieces::new(reader, PIECE_LENGTH);
    let plain = |careful: &CarefulReader<'_>, rows: &mut Rows| PlainReader::of(careful, rows);
    parse(file, pieces, plain).map_err(|trouble| match trouble {
        Trouble::Unreadable(source) => unreadable(source),
        Trouble::Broken(broken) => broken.of_file(file),
    })
}

/// Why there are no rows.
#[derive(Debug)]
enum Trouble {
    Unreadable(io::Error),
    Broken(Broken),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Broken> for Trouble {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// The rows in `pieces`; `file` is for messages and for what its name tells. `plain` makes the
/// reader of plain rows, if the file can have such.
fn parse<R: Read + Seek>(
    file: &Path,
    mut pieces: Pieces<R>,
    plain: impl Fn(&CarefulReader<'_>, &mut Rows) -> Option<PlainReader>,
) -> Result<FileBars, Trouble> {
    let first = pieces.next()?.unwrap_or_default().to_vec();
    if !pieces.is_last()?
        && let Some(text) = text::plain(&first)
        && let Some(bars) = read_rows(file, text, &mut pieces, &plain)?
    {
        return Ok(bars);
    }
    drop(first);
    let text = text::decode(pieces.whole()?).map_err(|(line, fault)| Broken {
        place: line.map(Place::Line),
        column: None,
        fault,
    })?;
    let bars = read_rows(file, &text, &mut pieces, &plain)?;
    Ok(bars.expect("the whole file tells all that there is to decide"))
}

/// The rows of `first`, the first text of a file, and of the `pieces` behind it; `None` when the
/// first text leaves open what would be decided by later ones.
fn read_rows<R: Read + Seek>(
    file: &Path,
    first: &str,
    pieces: &mut Pieces<R>,
    plain: impl Fn(&CarefulReader<'_>, &mut Rows) -> Option<PlainReader>,
) -> Result<Option<FileBars>, Trouble> {
    let is_whole = pieces.is_last()?;
    let table = Table::of(first)?;
    let Some(style) = table.style(is_whole)? else { return Ok(None) };
    let hints = header::hints_of(file);
    let symbol = if table.layout.symbol.is_none() && table.layout.cells[0].symbol.is_none() {
        Some(hints.symbol.map_err(Broken::from)?)
    } else {
        None
    };

    let mut rows = Rows::default();
    if !table.layout.ignored.is_empty() {
        rows.notes.push(FileNote::IgnoredColumns(table.layout.ignored.clone()));
    }
    let careful = CarefulReader { file, table: &table, style, symbol };
    let mut plain = plain(&careful, &mut rows);
    let mut lines = table.lines();
    read_lines(&careful, plain.as_mut(), &mut lines, &mut rows)?;
    let mut next_line = lines.number;
    let mut ends_in_line = !first.ends_with('\n');
    while let Some(piece) = pieces.next()? {
        let text = str::from_utf8(piece).map_err(|error| {
            let before = piece[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n');
            Broken::on_line(next_line + before.count() as u64, Fault::NotText)
        })?;
        let mut lines = table.lines_of(text, next_line);
        read_lines(&careful, plain.as_mut(), &mut lines, &mut rows)?;
        next_line = lines.number;
        ends_in_line = !text.ends_with('\n');
    }

    if ends_in_line && !rows.is_empty() {
        rows.notes.push(FileNote::NoFinalNewline { line: next_line - 1 });
    }
    let whole = LazyCell::new(|| {
        let text = pieces.whole().ok().and_then(|bytes| text::decode(bytes).ok());
        text.unwrap_or_default()
    });
    let lines = LazyCell::new(|| whole.lines().collect::<Vec<_>>());
    let bars = rows.finish(file, hints.interval, |number| {
        let at = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        lines.get(at).copied().unwrap_or_default().to_owned()
    })?;
    Ok(Some(bars))
}

/// Reads `lines`, each in the way that it needs.
fn read_lines<'a>(
    careful: &CarefulReader<'_>,
    mut plain: Option<&mut PlainReader>,
    lines: &mut Lines<'a>,
    rows: &mut Rows,
) -> Result<(), Broken> {
    let mut fields = Vec::new();
    loop {
        if let Some(plain) = &mut plain {
            plain.read(lines, rows);
        }
        let Some(line) = lines.next() else { return Ok(()) };
        careful.read(line, &mut fields, rows)?;
    }
}

#[cfg(test)]
mod tests;
