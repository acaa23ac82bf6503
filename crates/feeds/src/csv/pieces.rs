//! The bytes of a file piece by piece, each of whole lines, so that a large file is never in memory
//! at once and each piece is still in the processor's cache when its rows are read.

use std::io::{self, Read, Seek, SeekFrom};

/// Bytes of a piece, if no line is longer.
pub(super) const PIECE_LENGTH: usize = 256 * 1024;

/// Reads a file in pieces.
#[derive(Debug)]
pub(super) struct Pieces<R> {
    reader: R,
    length: usize,
    /// The latest piece, and behind it the beginning of the next.
    buffer: Vec<u8>,
    piece_end: usize,
    is_at_end: bool,
}

impl<R: Read + Seek> Pieces<R> {
    /// Pieces of about `length` bytes.
    pub(super) fn new(reader: R, length: usize) -> Self {
        Self { reader, length, buffer: Vec::new(), piece_end: 0, is_at_end: false }
    }

    /// The next lines; `None` when there are no more. Only the last piece may end without the end
    /// of a line.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.drain(..self.piece_end);
        self.piece_end = 0;
        let mut from = 0;
        while !self.is_at_end {
            let before = self.buffer.len();
            let wanted = self.length.saturating_sub(before).max(1);
            let wanted = u64::try_from(wanted).expect("a length fits in 64 bits");
            let read = self.reader.by_ref().take(wanted).read_to_end(&mut self.buffer)?;
            self.is_at_end = read == 0;
            if self.buffer.len() < self.length && !self.is_at_end {
                continue;
            }
            if let Some(at) = self.buffer[from..].iter().rposition(|byte| *byte == b'\n') {
                self.piece_end = from + at + 1;
                return Ok(Some(&self.buffer[..self.piece_end]));
            }
            // A line longer than a piece.
            from = self.buffer.len();
            self.length = self.length.max(2 * from);
        }
        self.piece_end = self.buffer.len();
        Ok(Some(self.buffer.as_slice()).filter(|rest| !rest.is_empty()))
    }

    /// Whether nothing comes behind the latest piece.
    pub(super) fn is_last(&mut self) -> io::Result<bool> {
        if self.piece_end < self.buffer.len() || self.is_at_end {
            return Ok(self.piece_end == self.buffer.len());
        }
        let read = self.reader.by_ref().take(1).read_to_end(&mut self.buffer)?;
        self.is_at_end = read == 0;
        Ok(self.is_at_end)
    }

    /// The whole file from its beginning; no pieces come after it.
    pub(super) fn whole(&mut self) -> io::Result<Vec<u8>> {
        let length = self.reader.seek(SeekFrom::End(0))?;
        self.reader.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        self.reader.read_to_end(&mut bytes)?;
        (self.piece_end, self.is_at_end) = (0, true);
        self.buffer.clear();
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[track_caller]
    fn check(text: &str, length: usize, expected: &[&str]) {
        let mut pieces = Pieces::new(Cursor::new(text.as_bytes()), length);
        let mut read = Vec::new();
        let mut last = Vec::new();
        while let Some(piece) = pieces.next().unwrap().map(<[u8]>::to_vec) {
            read.push(String::from_utf8(piece).unwrap());
            last.push(pieces.is_last().unwrap());
        }
        assert_eq!(read, expected);
        let lasts: Vec<bool> = (1..=read.len()).map(|count| count == read.len()).collect();
        assert_eq!(last, lasts);
        assert_eq!(pieces.whole().unwrap(), text.as_bytes());
    }

    #[test]
    fn pieces_are_whole_lines_and_together_the_file() {
        check("", 4, &[]);
        check("a\n", 4, &["a\n"]);
        check("a\nb\nc\n", 4, &["a\nb\n", "c\n"]);
        check("a\nbcd\ne", 4, &["a\n", "bcd\n", "e"]);
        check("abcdefghij\nk\nl", 4, &["abcdefghij\nk\n", "l"]);
        check("abcdefghij", 4, &["abcdefghij"]);
        check("a\n\n\nb", 1, &["a\n", "\n\n", "b"]);
    }
}
