//! From single rows to the bars of a file: how long each bar is, and rows said twice.

use std::collections::BTreeMap;
use std::path::Path;

use bist_market::bar::{day_of, midnight_of};
use bist_market::{BarSeries, Interval, RawBar, Refusal, RefusedRow, Symbol};
use jiff::Timestamp;

use crate::error::{Broken, Fault};
use crate::file_bars::{FileBars, FileNote};

/// Characters of a refused row that are kept.
const TEXT_LENGTH_MAX: usize = 200;

/// A row with all its numbers.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) line: u64,
    pub(crate) symbol: Symbol,
    pub(crate) bar: RawBar,
}

impl Row {
    fn is_at_midnight(&self) -> bool {
        midnight_of(self.bar.day()) == self.bar.opened_at
    }
}

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
    pub(crate) rows: Vec<Row>,
    pub(crate) refused: Vec<RefusedRow>,
    pub(crate) notes: Vec<FileNote>,
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
        self.rows.push(Row { line, symbol, bar });
    }

    /// Makes bars of the rows; `text_of` gives the words of a line for those refused here.
    pub(crate) fn finish(
        mut self,
        file: &Path,
        hint: Option<Interval>,
        text_of: impl Fn(u64) -> String,
    ) -> Result<FileBars, Broken> {
        let rows_read = (self.rows.len() + self.refused.len()) as u64;
        if rows_read == 0 {
            self.notes.insert(0, FileNote::EmptyFile);
        }
        let mut by_symbol: BTreeMap<Symbol, Vec<Row>> = BTreeMap::new();
        for row in self.rows {
            by_symbol.entry(row.symbol).or_default().push(row);
        }
        let mut series = Vec::with_capacity(by_symbol.len());
        if !by_symbol.is_empty() {
            let only_days = by_symbol.values().flatten().all(Row::is_at_midnight);
            let interval =
                if only_days { Interval::Daily } else { most_frequent_step(&by_symbol, hint)? };
            for (symbol, mut rows) in by_symbol {
                if interval == Interval::Daily && !only_days {
                    for row in &mut rows {
                        row.bar.opened_at = midnight_of(row.bar.day());
                    }
                }
                let refusals = repeated(&rows);
                let mut bars = Vec::with_capacity(rows.len() - refusals.len());
                for (index, row) in rows.iter().enumerate() {
                    let Some(reason) = refusals.get(&index) else {
                        bars.push(row.bar);
                        continue;
                    };
                    self.refused.push(RefusedRow {
                        file: file.display().to_string(),
                        line: row.line,
                        symbol: Some(symbol),
                        day: Some(row.bar.day()),
                        text: shortened(&text_of(row.line)),
                        reason: reason.clone(),
                    });
                }
                series.push(BarSeries { symbol, interval, bars });
            }
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

/// How long bars with times are: the most frequent step between two of one symbol; the file's name
/// helps only when there is no step.
fn most_frequent_step(
    by_symbol: &BTreeMap<Symbol, Vec<Row>>,
    hint: Option<Interval>,
) -> Result<Interval, Broken> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for rows in by_symbol.values() {
        let mut times: Vec<Timestamp> = rows.iter().map(|row| row.bar.opened_at).collect();
        times.sort_unstable();
        times.dedup();
        for pair in times.windows(2) {
            *counts.entry(pair[1].as_second() - pair[0].as_second()).or_default() += 1;
        }
    }
    // Of equally frequent steps the shortest: the longer ones run over a night.
    let mut best: Option<(i64, usize)> = None;
    for (step_s, count) in counts {
        if best.is_none_or(|(_, most)| count > most) {
            best = Some((step_s, count));
        }
    }
    let unknown = || Broken::from(Fault::UnknownInterval);
    let Some((step_s, _)) = best else { return hint.ok_or_else(unknown) };
    if step_s >= 24 * 3600 {
        return Ok(Interval::Daily);
    }
    match u16::try_from(step_s / 60) {
        Ok(minutes @ 1..) if step_s % 60 == 0 => Ok(Interval::Minutes(minutes)),
        _ => Err(unknown()),
    }
}

/// Which rows repeat or contradict another of the same time, by their index.
pub(crate) fn repeated(rows: &[Row]) -> BTreeMap<usize, Refusal> {
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|index| (rows[*index].bar.opened_at, rows[*index].line));
    let mut refusals = BTreeMap::new();
    for same_time in order.chunk_by(|a, b| rows[*a].bar.opened_at == rows[*b].bar.opened_at) {
        let (first, others) = (same_time[0], &same_time[1..]);
        if others.is_empty() {
            continue;
        }
        let conflict = others.iter().find(|index| rows[**index].bar != rows[first].bar);
        let Some(conflict) = conflict else {
            for index in others {
                refusals.insert(*index, Refusal::DuplicateRow { first_line: rows[first].line });
            }
            continue;
        };
        for index in same_time {
            let other = if *index == first { *conflict } else { first };
            refusals.insert(*index, Refusal::ConflictingDuplicate { first_line: rows[other].line });
        }
    }
    refusals
}
