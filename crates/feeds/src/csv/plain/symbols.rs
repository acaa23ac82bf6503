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
struct Spelling {
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
        let word = word_at(cell, 0)?;
        let is = |spelling: &Spelling| {
            (word ^ spelling.beginning) & spelling.beginning_mask == 0
                && (spelling.text.len() < 8
                    || (cell.starts_with(spelling.text.as_bytes())
                        && cell.get(spelling.text.len()) == Some(&delimiter)))
        };
        let latest = self.spellings.get(self.latest);
        if let Some(latest) = latest.filter(|latest| is(latest)) {
            return Some((latest.group, at + latest.text.len()));
        }
        if let Some(latest) = latest
            && let Some(next) = self.spellings.get(latest.next).filter(|next| is(next))
        {
            self.latest = latest.next;
            return Some((next.group, at + next.text.len()));
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
