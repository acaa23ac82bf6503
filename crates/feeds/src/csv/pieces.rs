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
    /// Room that is used again for each piece, so that the system is asked once a piece.
    buffer: Vec<u8>,
    /// The end of what was read into the room: the latest piece and the beginning of the next.
    filled: usize,
    piece_end: usize,
    is_at_end: bool,
}

impl<R: Read + Seek> Pieces<R> {
    /// Pieces of about `length` bytes.
    pub(super) fn new(reader: R, length: usize) -> Self {
        Self { reader, length, buffer: Vec::new(), filled: 0, piece_end: 0, is_at_end: false }
    }

    /// The next lines; `None` when there are no more. Only the last piece may end without the end
    /// of a line.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.copy_within(self.piece_end..self.filled, 0);
        self.filled -= self.piece_end;
        self.piece_end = 0;
        let mut from = 0;
        while !self.is_at_end {
            self.fill(self.length.max(self.filled + 1))?;
            let line_end = self.buffer[from..self.filled].iter().rposition(|byte| *byte == b'\n');
            if let Some(at) = line_end {
                self.piece_end = from + at + 1;
                return Ok(Some(&self.buffer[..self.piece_end]));
            }
            // A line longer than a piece.
            from = self.filled;
            self.length = self.length.max(2 * from);
        }
        self.piece_end = self.filled;
        Ok(Some(&self.buffer[..self.filled]).filter(|rest| !rest.is_empty()))
    }

    /// Whether nothing comes behind the latest piece.
    pub(super) fn is_last(&mut self) -> io::Result<bool> {
        if self.piece_end == self.filled && !self.is_at_end {
            self.fill(self.filled + 1)?;
        }
        Ok(self.piece_end == self.filled)
    }

    /// Reads on until so many bytes are there, or the file ends.
    fn fill(&mut self, until: usize) -> io::Result<()> {
        if self.buffer.len() < until {
            self.buffer.resize(until, 0);
        }
        while self.filled < until && !self.is_at_end {
            match self.reader.read(&mut self.buffer[self.filled..until]) {
                Ok(read) => {
                    self.filled += read;
                    self.is_at_end = read == 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The whole file from its beginning; no pieces come after it.
    pub(super) fn whole(&mut self) -> io::Result<Vec<u8>> {
        let length = self.reader.seek(SeekFrom::End(0))?;
        self.reader.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        self.reader.read_to_end(&mut bytes)?;
        (self.filled, self.piece_end, self.is_at_end) = (0, 0, true);
        self.buffer = Vec::new();
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
