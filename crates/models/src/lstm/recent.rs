//! A forecast when a new row of one symbol arrives: the rows before it were read once and are kept.

use bist_market::Symbol;

use super::FittedLstm;

/// What the network read of the last rows of one symbol: those that come before its next row.
#[derive(Clone, Debug, Default)]
pub struct RecentRows {
    /// The stretch of the rows.
    stretch: u32,
    /// Inputs of each row, the earliest first; at most one row less than a sequence has.
    inputs: Vec<f32>,
}

impl FittedLstm {
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
        let before = if recent.stretch == stretch { recent.inputs.as_slice() } else { &[] };
        let inputs = self.learned.scaler.inputs_of_row(features);
        let rows = before.chunks_exact(inputs.len().max(1)).chain([inputs.as_slice()]);
        self.answer_alone(self.learned.symbols.binary_search(&symbol).ok(), rows)
    }
}
