//! A forecast when a new row of one symbol arrives: the rows before it were read once and are kept.

use bist_market::Symbol;

use super::FittedLstm;
use crate::features::Known;

/// What the network read of the last rows of one symbol: those that come before its next row.
#[derive(Clone, Debug, Default)]
pub struct RecentRows {
    /// The stretch of the rows.
    stretch: u32,
    /// Inputs of each row, the earliest first; at most one row less than a sequence has.
    inputs: Vec<f32>,
}

impl RecentRows {
    /// The inputs of these rows and of the next, which is of `stretch`; rows of another stretch are
    /// passed over.
    pub(super) fn followed_by<'a>(
        &'a self,
        stretch: u32,
        next: &'a [f32],
    ) -> impl Iterator<Item = &'a [f32]> {
        let before = if self.stretch == stretch { self.inputs.as_slice() } else { &[] };
        before.chunks_exact(next.len().max(1)).chain([next])
    }
}

impl FittedLstm {
    /// What the network read of the rows before `row`, within its sequence.
    ///
    /// # Panics
    ///
    /// As [`crate::FittedForecaster::predict`].
    pub fn rows_before(&self, known: &Known, row: usize) -> RecentRows {
        let sequences = self.sequences(known, &[row]);
        let rows: Vec<&[f32]> = sequences.inputs(row).collect();
        let (_, before) = rows.split_last().expect("a sequence ends in its own row");
        RecentRows { stretch: known.stretch[row], inputs: before.concat() }
    }

    /// Adds a row that is final, whose `features` are in the order of the columns, to those that
    /// come before the next.
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub fn remember(&self, recent: &mut RecentRows, stretch: u32, features: &[f64]) {
        if recent.stretch != stretch {
            *recent = RecentRows { stretch, inputs: Vec::new() };
        }
        let scaler = &self.learned.scaler;
        recent.inputs.extend(scaler.inputs_of_row(features));
        let most = (self.learned.network.shape.steps - 1) * scaler.inputs_count();
        let surplus = recent.inputs.len().saturating_sub(most);
        recent.inputs.drain(..surplus);
    }

    /// The forecast for the row that follows `recent`, the bits of
    /// [`crate::FittedForecaster::predict`].
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub fn predict_next(
        &self,
        recent: &RecentRows,
        symbol: Symbol,
        stretch: u32,
        features: &[f64],
    ) -> f64 {
        let inputs = self.learned.scaler.inputs_of_row(features);
        let symbol = self.learned.symbols.binary_search(&symbol).ok();
        self.answer_alone(symbol, recent.followed_by(stretch, &inputs))
    }
}
