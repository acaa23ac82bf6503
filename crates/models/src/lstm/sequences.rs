//! Which rows come before which: sequences of one symbol without a break.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bist_market::Symbol;

use super::product::LANES;
use super::scaler::Scaler;
use crate::features::Known;

/// Where there is no row before.
const NONE: u32 = u32::MAX;

/// The rows of the sequences that end in the wanted rows, each with its inputs and the row of its
/// symbol before it.
///
/// A sequence holds the last `steps` rows of the symbol within the stretch, whether or not they are
/// wanted themselves: their features were known. It never reaches later than its own row.
#[derive(Clone, Debug)]
pub(super) struct Sequences {
    steps: usize,
    width: usize,
    /// The rows, the latest first.
    rows: Vec<usize>,
    /// Inputs of each row.
    inputs: Vec<f32>,
    /// Position of the row before; [`NONE`] where the stretch begins or nobody looks further.
    before: Vec<u32>,
    /// Which symbol of those learned each row is of.
    symbols: Vec<Option<usize>>,
}

impl Sequences {
    /// Collects what the sequences of the `wanted` rows need.
    ///
    /// # Panics
    ///
    /// When a row does not exist.
    pub(super) fn of(
        known: &Known,
        wanted: &[usize],
        steps: usize,
        scaler: &Scaler,
        symbols: &[Symbol],
    ) -> Self {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut rows: Vec<usize> = Vec::new();
        let mut before = Vec::new();
        // For each symbol the position that waits for the row before, and how many more rows the
        // longest of its sequences needs.
        let mut waiting: BTreeMap<Symbol, (usize, usize)> = BTreeMap::new();
        let mut row = wanted.last().map_or(0, |row| row + 1);
        while row > 0 {
            row -= 1;
            if waiting.is_empty() {
                // Nothing between here and the next wanted row is needed.
                let Some(&next) = wanted.last() else { break };
                row = next;
            }
            let symbol = known.keys[row].symbol;
            let mut needed = 0;
            if wanted.last() == Some(&row) {
                wanted.pop();
                needed = steps;
            }
            let waits = waiting.entry(symbol);
            if let Entry::Occupied(waits) = &waits {
                let (later, more) = *waits.get();
                if known.stretch[rows[later]] == known.stretch[row] {
                    before[later] = u32::try_from(rows.len()).expect("fewer than 2^32 rows");
                    needed = needed.max(more);
                }
            }
            if needed > 1 {
                waits.insert_entry((rows.len(), needed - 1));
            } else if let Entry::Occupied(waits) = waits {
                waits.remove();
            }
            if needed > 0 {
                rows.push(row);
                before.push(NONE);
            }
        }
        let inputs = scaler.inputs(&known.features, &rows);
        let symbols = rows.iter().map(|&row| symbols.binary_search(&known.keys[row].symbol).ok());
        Self {
            steps,
            width: scaler.inputs_count(),
            symbols: symbols.collect(),
            rows,
            inputs,
            before,
        }
    }

    /// The positions of the sequence that ends in `row`, the latest first.
    fn positions(&self, row: usize) -> impl Iterator<Item = usize> {
        let last = self.rows.binary_search_by(|known| row.cmp(known)).ok();
        let last = last.expect("sequences are only asked for rows that were wanted");
        let next = |position: &usize| {
            let before = self.before[*position];
            (before != NONE).then_some(before as usize)
        };
        std::iter::successors(Some(last), next).take(self.steps)
    }

    /// The rows of the sequence that ends in `row`, the earliest first.
    pub(super) fn rows(&self, row: usize) -> Vec<usize> {
        let mut rows: Vec<usize> =
            self.positions(row).map(|position| self.rows[position]).collect();
        rows.reverse();
        rows
    }

    /// The symbol of the sequence that ends in `row`.
    pub(super) fn symbol(&self, row: usize) -> Option<usize> {
        self.positions(row).next().and_then(|position| self.symbols[position])
    }

    /// The inputs of the rows of the sequence that ends in `row`, the earliest first.
    pub(super) fn inputs(&self, row: usize) -> impl Iterator<Item = &[f32]> {
        let positions: Vec<usize> = self.positions(row).collect();
        let inputs =
            |position: usize| &self.inputs[position * self.width..(position + 1) * self.width];
        positions.into_iter().rev().map(inputs)
    }

    /// Puts the sequences that end in `rows`, at most [`LANES`], beside each other.
    pub(super) fn gather(&self, rows: &[usize], group: &mut Group) {
        group.inputs.resize(self.steps * self.width * LANES, 0.0);
        group.live.resize(self.steps * LANES, 0.0);
        group.inputs.fill(0.0);
        group.live.fill(0.0);
        group.symbols.fill(None);
        for (lane, &row) in rows.iter().enumerate() {
            group.symbols[lane] = self.symbol(row);
            for (back, position) in self.positions(row).enumerate() {
                let step = self.steps - 1 - back;
                group.live[step * LANES + lane] = 1.0;
                let values = &self.inputs[position * self.width..(position + 1) * self.width];
                let slots = &mut group.inputs[step * self.width * LANES..];
                for (slot, value) in slots.iter_mut().skip(lane).step_by(LANES).zip(values) {
                    *slot = *value;
                }
            }
        }
    }
}

/// Up to [`LANES`] sequences beside each other, which end at the same step.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Step after step, input after input, sequence after sequence; 0 before a sequence begins.
    pub(super) inputs: Vec<f32>,
    /// For each step and sequence 0 before it begins, then 1.
    pub(super) live: Vec<f32>,
    /// Which symbol of those learned each sequence is of.
    pub(super) symbols: [Option<usize>; LANES],
}

#[cfg(test)]
mod tests {
    use bist_market::Symbol;
    use jiff::civil::date;

    use super::*;
    use crate::features::{FeatureMatrix, RowKey};

    /// Rows of AAA and BBB on ten days; AAA has a break after the fifth.
    fn known() -> Known {
        let symbols = ["AAA", "BBB"].map(|symbol| Symbol::parse(symbol).unwrap());
        let keys: Vec<RowKey> = (1..=10)
            .flat_map(|day| symbols.map(|symbol| RowKey::daily(date(2024, 1, day), symbol)))
            .collect();
        let stretch = (0..20).map(|row| u32::from(row % 2 == 0 && row >= 10)).collect();
        let column = (0..20).map(f64::from).collect();
        let features = FeatureMatrix::from_columns(vec!["x".to_owned()], vec![column]).unwrap();
        Known { keys, features, log_close: vec![0.0; 20], stretch }
    }

    #[test]
    fn a_sequence_is_of_one_symbol_and_one_stretch() {
        let known = known();
        let scaler = Scaler::learn(&known.features, &[0, 1, 2, 3]);
        let symbols = [Symbol::parse("BBB").unwrap()];
        let wanted = [19, 14, 2, 19];
        let sequences = Sequences::of(&known, &wanted, 4, &scaler, &symbols);
        assert_eq!(sequences.rows(19), [13, 15, 17, 19]);
        assert_eq!(sequences.rows(14), [10, 12, 14], "the break ends it");
        assert_eq!(sequences.rows(2), [0, 2], "so does the beginning");
        assert_eq!((sequences.symbol(19), sequences.symbol(14)), (Some(0), None));
        assert_eq!(sequences.rows.len(), 9, "no other row was read");
    }

    #[test]
    fn sequences_beside_each_other_end_together() {
        let known = known();
        let scaler = Scaler::learn(&known.features, &[0, 2]);
        let sequences = Sequences::of(&known, &[2, 19], 3, &scaler, &[]);
        let mut group = Group::default();
        sequences.gather(&[19, 2], &mut group);
        let lanes = |values: &[f32]| -> Vec<[f32; 2]> {
            values.chunks(LANES).map(|step| [step[0], step[1]]).collect()
        };
        assert_eq!(lanes(&group.live), [[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]]);
        assert_eq!(lanes(&group.inputs), [[10.0, 0.0], [10.0, -1.0], [10.0, 1.0]]);
        assert!(sequences.inputs(2).eq([&[-1.0_f32], &[1.0]]));
    }
}
