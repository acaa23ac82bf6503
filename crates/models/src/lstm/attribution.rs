//! What each feature adds to a forecast of the network, by integrated gradients.
//!
//! The path begins where every feature, at each step of the sequence, stands at its mean over the
//! training rows and none is missing, which is zero as the network reads them. The symbol's vector
//! is held as it is: what the symbol alone makes of the forecast is part of the base.

use bist_market::Symbol;

use super::double::DoubleNetwork;
use super::{FittedLstm, Learned, RecentRows};
use crate::explain::integrated_gradients::along_path;
use crate::features::Known;

/// How far the parts may miss the answer before nodes are doubled, in standard deviations of the
/// target.
const RESIDUAL_MAX: f64 = 1e-9;

/// What each feature adds to one forecast, in units of the forecast (log-return).
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceAttribution {
    /// The forecast for the same symbol with average features at every step.
    pub base: f64,
    /// What each feature adds over all steps, in the order of the columns. With the base they add up
    /// to the forecast but for `residual` and the rounding of single precision, in which forecasts
    /// are made.
    pub values: Vec<f64>,
    /// The same by step: first the earliest row of the sequence, last that of the forecast.
    pub by_step: Vec<Vec<f64>>,
    /// What the quadrature left over: the network's answer in double precision less the base and all
    /// values.
    pub residual: f64,
    /// How many places of the path were looked at.
    pub nodes_count: u16,
}

impl FittedLstm {
    /// What each feature adds to the forecast for `row`.
    ///
    /// # Panics
    ///
    /// As [`crate::FittedForecaster::predict`].
    pub fn attribute(&self, known: &Known, row: usize) -> SequenceAttribution {
        let sequences = self.sequences(known, &[row]);
        let rows: Vec<&[f32]> = sequences.inputs(row).collect();
        self.attribute_sequence(sequences.symbol(row), &rows)
    }

    /// What each feature adds to the forecast for the row that follows `recent`: the bits of
    /// [`Self::attribute`].
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub fn attribute_next(
        &self,
        recent: &RecentRows,
        symbol: Symbol,
        stretch: u32,
        features: &[f64],
    ) -> SequenceAttribution {
        let inputs = self.learned.scaler.inputs_of_row(features);
        let rows: Vec<&[f32]> = recent.followed_by(stretch, &inputs).collect();
        self.attribute_sequence(self.learned.symbols.binary_search(&symbol).ok(), &rows)
    }

    fn attribute_sequence(&self, symbol: Option<usize>, rows: &[&[f32]]) -> SequenceAttribution {
        let Learned { scaler, target, network, .. } = &self.learned;
        let path = DoubleNetwork::of(network, &network.embed(symbol), rows);
        let (from, to) = (path.answer(0.0), path.answer(1.0));
        let gradient = |share| path.gate_gradient(share);
        let along = along_path(&path.of_inputs, to - from, RESIDUAL_MAX, gradient);
        let by_inputs = path.by_inputs(&along.mean);
        let by_step: Vec<Vec<f64>> = (by_inputs.chunks_exact(network.shape.width(0)).zip(rows))
            .map(|(derivatives, inputs)| {
                let added = derivatives.iter().zip(*inputs);
                let added: Vec<f64> =
                    added.map(|(d, x)| target.std_dev * d * f64::from(*x)).collect();
                scaler.by_feature(&added)
            })
            .collect();
        let mut values = vec![0.0; scaler.features_count()];
        for step in &by_step {
            for (sum, value) in values.iter_mut().zip(step) {
                *sum += value;
            }
        }
        SequenceAttribution {
            base: target.mean + target.std_dev * from,
            values,
            by_step,
            residual: target.std_dev * along.residual,
            nodes_count: along.nodes_count,
        }
    }
}
