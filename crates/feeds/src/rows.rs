//! From single rows to the bars of a file: how long each bar is, and rows said twice.

mod group;
mod interval;

use std::collections::BTreeMap;
use std::path::Path;

use bist_market::bar::{day_of, midnight_of};
use bist_market::{BarSeries, Interval, RawBar, Refusal, RefusedRow, Symbol};
use jiff::Timestamp;

use crate::error::Broken;
use crate::file_bars::{FileBars, FileNote};
pub(crate) use group::Group;

/// Characters of a refused row that are kept.
const TEXT_LENGTH_MAX: usize = 200;

/// What was read of one row, before it is known whether it is a bar.
pub(crate) struct RowFields<'a, T> {
    pub(crate) file: &'a Path,
    pub(crate) line: u64,
    /// Gives the row as it stood.
    pub(crate) text: T,
    pub(crate) symbol: Symbol,
    pub(crate) opened_at: Timestamp,
    /// Open, high, low and close; `None` where the file has none.
    pub(crate) prices: [Option<i64>; 4],
    pub(crate) adjusted_close: Option<f64>,
    pub(crate) volume_shares: Option<i64>,
}

/// The rows of one file while it is being read.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) refused: Vec<RefusedRow>,
    pub(crate) notes: Vec<FileNote>,
    /// The rows that are bars, a group a symbol, in the order in which the symbols came.
    groups: Vec<Group>,
    group_of: BTreeMap<Symbol, usize>,
    /// Whether a bar was opened at another time than midnight.
    has_times: bool,
}

impl Rows {
    /// Takes a row in, refusing it when a price is missing.
    pub(crate) fn add<T: FnOnce() -> String>(&mut self, fields: RowFields<'_, T>) {
        let RowFields { file, line, text, symbol, opened_at, prices, .. } = fields;
        let [open_units @ Some(_), Some(high_units), Some(low_units), Some(close_units)] = prices
        else {
            let missing = prices.iter().position(Option::is_none).unwrap_or_default();
            let field = ["open", "high", "low", "close"][missing].to_owned();
            self.refused.push(RefusedRow {
                file: file.display().to_string(),
                line,
                symbol: Some(symbol),
                day: Some(day_of(opened_at)),
                text: shortened(&text()),
                reason: Refusal::MissingField { field },
            });
            return;
        };
        let bar = RawBar {
            opened_at,
            open_units,
            high_units,
            low_units,
            close_units,
            adjusted_close: fields.adjusted_close,
            volume_shares: fields.volume_shares,
        };
        self.note_time(opened_at);
        let group = self.group_of(symbol);
        self.push(group, line, bar);
    }

    /// Takes note of a time that need not be midnight; to be called with every such time.
    pub(crate) fn note_time(&mut self, opened_at: Timestamp) {
        self.has_times = self.has_times || midnight_of(day_of(opened_at)) != opened_at;
    }

    /// The place of a symbol's group, for [`Rows::push`].
    pub(crate) fn group_of(&mut self, symbol: Symbol) -> usize {
        *self.group_of.entry(symbol).or_insert_with(|| {
            // In a file sorted by symbol, the next mostly has about as many rows as the one before.
            let group = match self.groups.last() {
                Some(last) => Group::like(last, symbol),
                None => Group::new(symbol),
            };
            self.groups.push(group);
            self.groups.len() - 1
        })
    }

    /// Takes a whole bar in.
    #[inline]
    pub(crate) fn push(&mut self, group: usize, line: u64, bar: RawBar) {
        self.groups[group].push(line, bar);
    }

    /// The group at a place that [`Rows::group_of`] gave.
    pub(crate) fn group_mut(&mut self, group: usize) -> &mut Group {
        &mut self.groups[group]
    }

    /// Whether no row was seen yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.refused.is_empty() && self.groups.iter().all(|group| group.bars.is_empty())
    }

    /// Makes bars of the rows; `text_of` gives the words of a line for those refused here.
    pub(crate) fn finish(
        mut self,
        file: &Path,
        hint: Option<Interval>,
        text_of: impl Fn(u64) -> String,
    ) -> Result<FileBars, Broken> {
        if self.is_empty() {
            self.notes.insert(0, FileNote::EmptyFile);
        }
        self.groups.retain(|group| !group.bars.is_empty());
        self.groups.sort_by_key(|group| group.symbol);
        let bars_count: usize = self.groups.iter().map(|group| group.bars.len()).sum();
        let rows_read = (bars_count + self.refused.len()) as u64;

        let interval = if self.has_times && bars_count > 0 {
            interval::most_frequent_step(&self.groups, hint)?
        } else {
            Interval::Daily
        };
        let mut series = Vec::with_capacity(self.groups.len());
        for mut group in self.groups {
            if interval == Interval::Daily && self.has_times {
                group.move_to_midnight();
            }
            let symbol = group.symbol;
            for (line, day, reason) in group.take_repeated() {
                self.refused.push(RefusedRow {
                    file: file.display().to_string(),
                    line,
                    symbol: Some(symbol),
                    day: Some(day),
                    text: shortened(&text_of(line)),
                    reason,
                });
            }
            series.push(BarSeries { symbol, interval, bars: group.bars });
        }
        self.refused.sort_by_key(|row| (row.line, row.symbol));
        Ok(FileBars {
            file: file.display().to_string(),
            rows_read,
            series,
            refused: self.refused,
            notes: self.notes,
        })
    }
}

/// The beginning of a row, for a report.
pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_LENGTH_MAX) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
