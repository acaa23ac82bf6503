//! The bars of one symbol while its file is being read.

use std::collections::BTreeMap;

use bist_market::bar::midnight_of;
use bist_market::{RawBar, Refusal, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;

/// The bars of one symbol and the lines they stood on, in the file's order.
#[derive(Debug)]
pub(crate) struct Group {
    pub(super) symbol: Symbol,
    pub(crate) bars: Vec<RawBar>,
    lines: Lines,
    /// When the last bar was opened; the beginning of time while there is none.
    latest: Timestamp,
    /// Whether each bar was opened after the one before it, and the first after the beginning of
    /// time: then none is said twice.
    pub(super) is_ascending: bool,
}

impl Group {
    pub(crate) fn new(symbol: Symbol) -> Self {
        Self {
            symbol,
            bars: Vec::new(),
            lines: Lines::default(),
            latest: Timestamp::MIN,
            is_ascending: true,
        }
    }

    /// With room for as many bars as `other` has.
    pub(super) fn like(other: &Self, symbol: Symbol) -> Self {
        Self { bars: Vec::with_capacity(other.bars.len()), ..Self::new(symbol) }
    }

    #[inline]
    pub(crate) fn push(&mut self, line: u64, bar: RawBar) {
        self.is_ascending &= self.latest < bar.opened_at;
        self.latest = bar.opened_at;
        if line != self.lines.next {
            self.lines.runs.push((self.bars.len() as u64, line));
        }
        self.lines.next = line + 1;
        self.bars.push(bar);
    }

    /// Makes each bar one of its day.
    pub(super) fn move_to_midnight(&mut self) {
        for bar in &mut self.bars {
            bar.opened_at = midnight_of(bar.day());
        }
        self.is_ascending = self.bars.is_sorted_by(|a, b| a.opened_at < b.opened_at);
    }

    /// Takes out the rows that repeat or contradict another of the same time; gives the line, the
    /// day and the reason of each.
    pub(crate) fn take_repeated(&mut self) -> Vec<(u64, Date, Refusal)> {
        if self.is_ascending {
            return Vec::new();
        }
        let refusals = self.repeated();
        let taken = refusals
            .iter()
            .map(|(&index, reason)| {
                (self.lines.of(index as u64), self.bars[index].day(), reason.clone())
            })
            .collect();
        let mut index = 0;
        self.bars.retain(|_| {
            index += 1;
            !refusals.contains_key(&(index - 1))
        });
        taken
    }

    /// Which rows repeat or contradict another of the same time, by their index.
    fn repeated(&self) -> BTreeMap<usize, Refusal> {
        let bars = &self.bars;
        let line = |index: usize| self.lines.of(index as u64);
        let mut order: Vec<usize> = (0..bars.len()).collect();
        // Stable, so rows of one time stay in the order of their lines.
        order.sort_by_key(|index| bars[*index].opened_at);
        let mut refusals = BTreeMap::new();
        for same_time in order.chunk_by(|a, b| bars[*a].opened_at == bars[*b].opened_at) {
            let (first, others) = (same_time[0], &same_time[1..]);
            if others.is_empty() {
                continue;
            }
            let conflict = others.iter().find(|index| bars[**index] != bars[first]);
            let Some(conflict) = conflict else {
                for index in others {
                    refusals.insert(*index, Refusal::DuplicateRow { first_line: line(first) });
                }
                continue;
            };
            for index in same_time {
                let other = if *index == first { *conflict } else { first };
                refusals.insert(*index, Refusal::ConflictingDuplicate { first_line: line(other) });
            }
        }
        refusals
    }
}

/// The line of each row, as runs: most rows stand on the line below the row before.
#[derive(Debug, Default)]
struct Lines {
    /// The index of the first row of a run, and its line.
    runs: Vec<(u64, u64)>,
    /// The line that would continue the last run; zero, which is no line, before the first.
    next: u64,
}

impl Lines {
    fn of(&self, index: u64) -> u64 {
        let behind = self.runs.partition_point(|(first, _)| *first <= index);
        let (first, begin) = self.runs[behind - 1];
        begin + (index - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_given_back_as_they_came() {
        let given = [2, 3, 4, 9, 10, 12, 14];
        let mut group = Group::new(Symbol::parse("THYAO").unwrap());
        for line in given {
            let bar = RawBar {
                opened_at: Timestamp::UNIX_EPOCH,
                open_units: Some(1),
                high_units: 1,
                low_units: 1,
                close_units: 1,
                adjusted_close: None,
                volume_shares: None,
            };
            group.push(line, bar);
        }
        assert_eq!(group.lines.runs.len(), 4);
        assert_eq!((0..7).map(|index| group.lines.of(index)).collect::<Vec<_>>(), given);
    }
}
