//! Whose row it is, looked up once for each way in which a file writes a symbol.

use std::collections::HashMap;

use bist_market::Symbol;

use super::cell_end;
use super::number::word_at;
use crate::rows::Rows;

/// The symbols of a file as they are written, and their groups of rows.
///
/// A row mostly has the symbol of the row before it, or, in a file sorted by day, the one that
/// followed it on the day before.
#[derive(Debug)]
pub(super) struct Symbols {
    /// As they first came; the first when no column has a symbol.
    spellings: Vec<Spelling>,
    index_of: HashMap<String, usize>,
    latest: usize,
}

/// One way of writing a symbol.
#[derive(Debug)]
pub(super) struct Spelling {
    text: String,
    /// The first eight bytes of the text and its delimiter; the mask has those that they are.
    beginning: u64,
    beginning_mask: u64,
    group: usize,
    /// The spelling that came after this one the last time.
    next: usize,
}

impl Symbols {
    /// With the symbol of the whole file, or none when its rows name theirs.
    pub(super) fn new(symbol: Option<Symbol>, rows: &mut Rows) -> Self {
        let of_file = symbol.map(|symbol| Spelling::new("", 0, rows.group_of(symbol), 0));
        Self { spellings: Vec::from_iter(of_file), index_of: HashMap::new(), latest: 0 }
    }

    /// The group of the whole file; zero when its rows name theirs.
    #[inline]
    pub(super) fn of_file(&self) -> usize {
        self.spellings.first().map_or(0, |spelling| spelling.group)
    }

    /// The group of the symbol with which `row` begins; `None` when it is neither that of the row
    /// before nor the one that came next.
    #[inline]
    pub(super) fn likely(&mut self, row: &[u8], delimiter: u8) -> Option<usize> {
        let latest = self.spellings.get(self.latest)?;
        if latest.begins(row, delimiter) {
            return Some(latest.group);
        }
        let next = self.spellings.get(latest.next)?;
        next.begins(row, delimiter).then(|| {
            self.latest = latest.next;
            next.group
        })
    }

    /// The latest symbol as it is written.
    pub(super) fn latest(&self) -> Option<&Spelling> {
        self.spellings.get(self.latest)
    }

    /// The group of the symbol at `at`, and where its cell ends; `None` when it is not a plain
    /// symbol.
    #[inline]
    pub(super) fn find(
        &mut self,
        text: &str,
        at: usize,
        delimiter: u8,
        rows: &mut Rows,
    ) -> Option<(usize, usize)> {
        let cell = text.as_bytes().get(at..)?;
        if let Some(group) = self.likely(cell, delimiter) {
            return Some((group, at + self.spellings[self.latest].length()));
        }
        let end = cell_end(text.as_bytes(), at, delimiter)?;
        let index = self.index_of(&text[at..end], delimiter, rows)?;
        if let Some(latest) = self.spellings.get_mut(self.latest) {
            latest.next = index;
        }
        self.latest = index;
        Some((self.spellings[index].group, end))
    }

    #[inline(never)]
    fn index_of(&mut self, text: &str, delimiter: u8, rows: &mut Rows) -> Option<usize> {
        if let Some(index) = self.index_of.get(text) {
            return Some(*index);
        }
        let group = rows.group_of(Symbol::parse(text).ok()?);
        let index = self.spellings.len();
        self.spellings.push(Spelling::new(text, delimiter, group, index));
        self.index_of.insert(text.to_owned(), index);
        Some(index)
    }
}

impl Spelling {
    /// Bytes without the delimiter.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }

    /// Whether `row` begins with this and the delimiter.
    #[inline(always)]
    pub(super) fn begins(&self, row: &[u8], delimiter: u8) -> bool {
        let begins = |word| (word ^ self.beginning) & self.beginning_mask == 0;
        word_at(row, 0).is_some_and(begins)
            && (self.text.len() < 8
                || (row.starts_with(self.text.as_bytes())
                    && row.get(self.text.len()) == Some(&delimiter)))
    }

    fn new(text: &str, delimiter: u8, group: usize, next: usize) -> Self {
        let mut beginning = [0; 8];
        let mut mask = [0; 8];
        for (index, byte) in text.bytes().chain([delimiter]).take(8).enumerate() {
            beginning[index] = byte;
            mask[index] = 0xff;
        }
        Self {
            text: text.to_owned(),
            beginning: u64::from_le_bytes(beginning),
            beginning_mask: u64::from_le_bytes(mask),
            group,
            next,
        }
    }
}
