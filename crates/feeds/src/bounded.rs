//! Files and lines that are read no further than a true one reaches.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::day_rows::Place;
use crate::error::{Broken, Fault, FeedError};

/// The most bytes of a line; those of true tables have a few hundred.
const LINE_BYTES_MAX: usize = 16 << 10;

/// The most lines that are not blank; bulletins of 2026 have about 12 000.
const LINES_MAX: usize = 50_000;

/// The bytes of a file.
pub(crate) fn read_file(file: &Path, size_bytes_max: u64) -> Result<Vec<u8>, FeedError> {
    let refused = |source| FeedError::Read { path: file.to_owned(), source };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(refused)?;
    opened.take(size_bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > size_bytes_max {
        return Err(Broken::from(Fault::TooManyBytes { size_bytes_max }).of_file(file));
    }
    Ok(bytes)
}

/// The lines that are not blank.
pub(crate) fn filled_lines(text: &str) -> impl Iterator<Item = Result<Place<'_>, Broken>> {
    let lines = (1_u64..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.enumerate().map(|(index, (line, text))| {
        let size_bytes_max = LINE_BYTES_MAX as u64;
        if index >= LINES_MAX {
            Err(Fault::TooManyLines { lines_max: LINES_MAX }.into())
        } else if text.len() > LINE_BYTES_MAX {
            Err(Broken::on_line(line, Fault::TooManyBytes { size_bytes_max }))
        } else {
            Ok(Place { line, text })
        }
    })
}
