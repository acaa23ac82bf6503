//! Long short-term memory: a recurrent network that reads the last rows of a symbol in their order.
//!
//! One network for all symbols; a vector learned for each symbol (its embedding) follows the
//! features of every step. It is trained on the mean squared error of the target's standard score
//! by Adam with decoupled weight decay on mini-batches, and stopped by the validation rows.
//!
//! - A sequence is the last `steps` rows of one symbol within one stretch. Where there are fewer the
//!   network starts later: steps before the first are passed over, not filled with invented rows.
//! - Features are read as standard scores of the training rows, cut at ten; a missing value stands
//!   at the mean and, if some were missing in training, a further input says so.
//! - A symbol that was not in training is given the mean of the symbols' vectors.
//!
//! The network counts in single precision, with the widest registers that the processor has
//! (AVX-512, AVX2, or one number at a time), chosen when the program runs. On one kind of processor
//! the same seed and the same rows give the same bits, for any number of threads.
//!
//! What is left out: bidirectional layers, projections and peepholes.

mod activation;
mod adam;
mod aligned;
mod attribution;
mod cell;
mod double;
#[cfg(test)]
mod gradient_check;
mod layer;
mod network;
mod product;
mod recent;
mod scaler;
mod sequences;
#[cfg(test)]
mod torch_golden;
mod train;
mod weights;
mod window;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bist_market::Symbol;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::artifact::Artifact;
use crate::features::Known;
use crate::forecaster::{FitError, FittedForecaster, Forecaster, assert_columns, check_rows};

use network::{Network, Pass, Shape};
use product::{LANES, Packed};
use scaler::{Scale, Scaler, single};
use sequences::{Group, Sequences};
use train::{Lesson, Training};
use window::WindowWeights;

pub use attribution::SequenceAttribution;
pub use recent::RecentRows;

/// Fewest training rows: fewer are not worth a network.
const ROWS_COUNT_MIN: usize = 40;

/// Up to this many sequences are computed one by one, which is quicker than a group with gaps; the
/// bits are the same.
const ALONE_MAX: usize = 4;

/// Hyperparameters of [`Lstm`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LstmParams {
    /// Rows that a sequence holds at most, its own included, 1 to 250.
    pub steps: u32,
    /// Recurrent layers, one on the other, 1 to 4.
    pub layers: u32,
    /// Units of each layer, 1 to 512.
    pub hidden: u32,
    /// Length of a symbol's vector, 0 to 64; 0 makes all symbols alike.
    pub embedding: u32,
    /// Share of each layer's outputs that are dropped while training, 0 or more and below 1.
    pub dropout: f64,
    /// Whether the output of each layer is normalised over its units.
    pub layer_norm: bool,
    /// Step of Adam, above 0 and at most 1.
    pub learning_rate: f64,
    /// Share of each weight that is taken away at every step, in units of the learning rate; 0 or
    /// more and at most 1.
    pub weight_decay: f64,
    /// Longest gradient; a longer one is shortened to it. Above 0.
    pub gradient_norm_max: f64,
    /// Rows of a mini-batch, 1 to 4096. They are worked on in groups of 16, shared between threads.
    pub batch_size: u32,
    /// Most passes over the training rows, 1 or more.
    pub epochs_max: u32,
    /// Stop when the error on the validation rows has not fallen for this many epochs, and keep the
    /// weights with the lowest; 0 never stops, and keeps them all the same. Without validation rows
    /// nothing stops, and the last weights are kept.
    pub early_stopping_epochs: u32,
}

impl Default for LstmParams {
    /// Small enough to train on the whole exchange within minutes.
    fn default() -> Self {
        Self {
            steps: 20,
            layers: 2,
            hidden: 32,
            embedding: 4,
            dropout: 0.1,
            layer_norm: false,
            learning_rate: 1e-3,
            weight_decay: 1e-2,
            gradient_norm_max: 1.0,
            batch_size: 128,
            epochs_max: 20,
            early_stopping_epochs: 3,
        }
    }
}

impl LstmParams {
    fn check(&self) -> Result<(), FitError> {
        let counts = [
            ("steps", self.steps, 1..=250, "1 to 250"),
            ("layers", self.layers, 1..=4, "1 to 4"),
            ("hidden", self.hidden, 1..=512, "1 to 512"),
            ("embedding", self.embedding, 0..=64, "0 to 64"),
            ("batch_size", self.batch_size, 1..=4096, "1 to 4096"),
            ("epochs_max", self.epochs_max, 1..=u32::MAX, "1 or more"),
        ];
        for (name, value, allowed, range) in counts {
            if !allowed.contains(&value) {
                return Err(FitError::Parameter { name, value: f64::from(value), range });
            }
        }
        let rate = self.learning_rate;
        let norm_max = self.gradient_norm_max;
        let numbers = [
            ("dropout", self.dropout, (0.0..1.0).contains(&self.dropout), "0 or more and below 1"),
            ("learning_rate", rate, rate > 0.0 && rate <= 1.0, "above 0 and at most 1"),
            (
                "weight_decay",
                self.weight_decay,
                (0.0..=1.0).contains(&self.weight_decay),
                "0 or more and at most 1",
            ),
            ("gradient_norm_max", norm_max, norm_max > 0.0 && norm_max.is_finite(), "above 0"),
        ];
        match numbers.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, value, _, range)) => Err(FitError::Parameter { name, value, range }),
            None => Ok(()),
        }
    }
}

/// A recurrent network before it has seen data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lstm {
    /// The hyperparameters.
    pub params: LstmParams,
    /// Decides the first weights, the order of the rows and what is dropped.
    pub seed: u64,
}

impl Lstm {
    /// The model's name in the store, the API and the files.
    pub const KIND: &str = "lstm";

    /// Learns, and returns the concrete type.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::fit`]; at least 40 training rows are needed.
    pub fn fit_network(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<FittedLstm, FitError> {
        let mut training = self.begin(known, y, train_rows, validation_rows)?;
        while training.epoch().is_some() {}
        Ok(training.finish())
    }

    /// Makes ready to learn epoch by epoch; `while training.epoch().is_some() {}` does what
    /// [`Lstm::fit_network`] does.
    ///
    /// # Errors
    ///
    /// As [`Lstm::fit_network`].
    pub fn begin(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<LstmTraining, FitError> {
        self.params.check()?;
        check_rows(&known.features, y, train_rows, ROWS_COUNT_MIN)?;
        check_rows(&known.features, y, validation_rows, 0)?;

        let mut symbols: Vec<Symbol> =
            train_rows.iter().map(|&row| known.keys[row].symbol).collect();
        symbols.sort_unstable();
        symbols.dedup();
        let scaler = Scaler::learn(&known.features, train_rows);
        let learned: Vec<f64> = train_rows.iter().map(|&row| y[row]).collect();
        let target = Scale::learn(&learned);
        let shape = Shape {
            steps: self.params.steps as usize,
            inputs: scaler.inputs_count(),
            symbols: symbols.len(),
            embedding: self.params.embedding as usize,
            layers: self.params.layers as usize,
            hidden: self.params.hidden as usize,
            layer_norm: self.params.layer_norm,
        };
        let network = Network::draw(shape, &mut train::stream(self.seed, train::WEIGHTS_STREAM));
        let rows = [train_rows, validation_rows].concat();
        let sequences = Sequences::of(known, &rows, shape.steps, &scaler, &symbols);
        let mut targets = vec![0.0; y.len()];
        for row in rows {
            targets[row] = single(target.score(y[row]));
        }
        let (train_rows, validation_rows) = (train_rows.to_vec(), validation_rows.to_vec());
        let lesson = Lesson { sequences, targets, train_rows, validation_rows };
        Ok(LstmTraining {
            training: Training::new(&self.params, self.seed, network, lesson),
            feature_names: known.features.names().to_vec(),
            symbols,
            scaler,
            target,
        })
    }
}

/// A recurrent network that learns, epoch by epoch.
#[derive(Debug)]
pub struct LstmTraining {
    training: Training,
    feature_names: Vec<String>,
    symbols: Vec<Symbol>,
    scaler: Scaler,
    target: Scale,
}

/// A pass over the training rows that has just ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Epoch {
    /// Its number, the first is 1.
    pub number: u32,
    /// What the network forecasts now for the validation rows, in their order: log-returns.
    pub validation: Vec<f64>,
    /// Whether its weights are the ones to keep, as things stand: no epoch before it has had so low
    /// an error on the validation rows, or there are none.
    pub is_best: bool,
}

impl LstmTraining {
    /// Passes over the training rows once more; `None` when as many epochs are over as were asked
    /// for, or the error on the validation rows no longer falls, or the target is always the same,
    /// which leaves nothing to learn.
    pub fn epoch(&mut self) -> Option<Epoch> {
        if self.target.std_dev <= 0.0 {
            return None;
        }
        let after = self.training.epoch()?;
        Some(Epoch {
            number: after.number,
            validation: after.answers.iter().map(|answer| self.target.number(*answer)).collect(),
            is_best: after.is_best,
        })
    }

    /// The network with the weights to keep after the epochs so far.
    pub fn finish(self) -> FittedLstm {
        let Self { training, feature_names, symbols, scaler, target } = self;
        let network = training.finish();
        FittedLstm::new(Learned { feature_names, symbols, scaler, target, network })
    }
}

impl Forecaster for Lstm {
    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn fit(
        &self,
        known: &Known,
        y: &[f64],
        train_rows: &[usize],
        validation_rows: &[usize],
    ) -> Result<Box<dyn FittedForecaster>, FitError> {
        Ok(Box::new(self.fit_network(known, y, train_rows, validation_rows)?))
    }
}

/// All that was learned.
#[derive(Clone, Debug, PartialEq)]
struct Learned {
    feature_names: Vec<String>,
    /// Symbols with a vector of their own, in their order.
    symbols: Vec<Symbol>,
    scaler: Scaler,
    target: Scale,
    network: Network,
}

/// A fitted recurrent network.
///
/// As data it is the scales in JSON and the weights as safetensors in base 64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredLstm", into = "StoredLstm")]
pub struct FittedLstm {
    learned: Learned,
    /// The weights again, as groups and single sequences read them.
    packed: Vec<Packed>,
    window: WindowWeights,
}

/// How a forecast answers to what the network read.
#[derive(Clone, Debug, PartialEq)]
pub struct SequenceGradient {
    /// The rows of the sequence, the earliest first.
    pub rows: Vec<usize>,
    /// For each of `rows` the derivative of the forecast by each feature, in the order of the
    /// columns: change of the log-return for a change of the feature by one. 0 where the value is
    /// missing, beyond ten standard deviations, or did not vary in training.
    pub derivatives: Vec<Vec<f64>>,
}

impl FittedLstm {
    fn new(learned: Learned) -> Self {
        let mut packed = Vec::new();
        learned.network.pack_forward(&mut packed);
        let window = WindowWeights::of(&learned.network);
        Self { learned, packed, window }
    }

    fn sequences(&self, known: &Known, rows: &[usize]) -> Sequences {
        let Learned { feature_names, symbols, scaler, network, .. } = &self.learned;
        assert_columns(feature_names, &known.features);
        Sequences::of(known, rows, network.shape.steps, scaler, symbols)
    }

    /// The forecast of one sequence of `symbol`, whose rows' inputs are given, the earliest first.
    fn answer_alone<'a>(
        &self,
        symbol: Option<usize>,
        rows: impl Iterator<Item = &'a [f32]>,
    ) -> f64 {
        let network = &self.learned.network;
        let vector = network.embed(symbol);
        let mut window = Vec::with_capacity(network.shape.steps * network.shape.width(0));
        for inputs in rows {
            window.extend_from_slice(inputs);
            window.extend_from_slice(&vector);
        }
        self.learned.target.number(self.window.answer(network, window))
    }

    /// The derivatives of the forecast for `row` by all that it was made from.
    ///
    /// # Panics
    ///
    /// As [`FittedForecaster::predict`].
    pub fn sequence_gradient(&self, known: &Known, row: usize) -> SequenceGradient {
        let sequences = self.sequences(known, &[row]);
        let Learned { scaler, target, network, .. } = &self.learned;
        let mut group = Group::default();
        sequences.gather(&[row], &mut group);
        let mut pass = Pass::new(&network.shape, false);
        pass.forward(network, &self.packed, &group);
        let mut back = Vec::new();
        network.pack_back(&mut back);
        let mut d_answers = [0.0; LANES];
        d_answers[0] = 1.0;
        let mut gradient = vec![0.0; network.layout.weights_count()];
        pass.backward(network, &back, &group, &d_answers, &mut gradient, true);

        let rows = sequences.rows(row);
        let step = network.shape.width(0) * LANES;
        let first = network.shape.steps - rows.len();
        let of_row = |(&row, derivatives): (&usize, &[f32])| {
            (0..scaler.features_count())
                .map(|j| {
                    let slope = scaler.slope(j, known.features.value(row, j));
                    target.std_dev * f64::from(derivatives[j * LANES]) * slope
                })
                .collect()
        };
        let steps = pass.d_inputs.chunks_exact(step).skip(first);
        SequenceGradient { derivatives: rows.iter().zip(steps).map(of_row).collect(), rows }
    }
}

impl FittedForecaster for FittedLstm {
    fn kind(&self) -> &'static str {
        Lstm::KIND
    }

    fn feature_names(&self) -> &[String] {
        &self.learned.feature_names
    }

    fn predict(&self, known: &Known, rows: &[usize]) -> Vec<f64> {
        let sequences = self.sequences(known, rows);
        let network = &self.learned.network;
        if rows.len() <= ALONE_MAX {
            let alone =
                |&row: &usize| self.answer_alone(sequences.symbol(row), sequences.inputs(row));
            return rows.iter().map(alone).collect();
        }
        let room = || (Group::default(), Pass::new(&network.shape, false));
        let of_chunk = |(group, pass): &mut (Group, Pass), rows: &[usize]| -> Vec<f64> {
            sequences.gather(rows, group);
            pass.forward(network, &self.packed, group);
            let answers = pass.answers[..rows.len()].iter();
            answers.map(|answer| self.learned.target.number(*answer)).collect()
        };
        let chunks: Vec<Vec<f64>> = rows.par_chunks(LANES).map_init(room, of_chunk).collect();
        chunks.concat()
    }

    fn artifact(&self) -> Artifact {
        Artifact::Lstm(self.clone())
    }
}

/// [`FittedLstm`] as data.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredLstm {
    feature_names: Vec<String>,
    symbols: Vec<Symbol>,
    scaler: Scaler,
    target: Scale,
    shape: Shape,
    /// Safetensors in base 64.
    weights: String,
}

impl From<FittedLstm> for StoredLstm {
    fn from(fitted: FittedLstm) -> Self {
        let Learned { feature_names, symbols, scaler, target, network } = fitted.learned;
        let weights = BASE64_STANDARD.encode(weights::to_safetensors(&network));
        Self { feature_names, symbols, scaler, target, shape: network.shape, weights }
    }
}

impl TryFrom<StoredLstm> for FittedLstm {
    type Error = String;

    fn try_from(stored: StoredLstm) -> Result<Self, String> {
        let StoredLstm { feature_names, symbols, scaler, target, shape, weights } = stored;
        let goes_together = feature_names.len() == scaler.features_count()
            && shape.inputs == scaler.inputs_count()
            && shape.symbols == symbols.len()
            && symbols.is_sorted_by(|a, b| a < b);
        if !goes_together || !shape.is_sound() || !scaler.is_sound() || !target.is_sound() {
            return Err(
                "the network's features, scales, symbols and shape do not go together".into()
            );
        }
        let weights = BASE64_STANDARD.decode(weights).map_err(|error| error.to_string())?;
        let network =
            weights::from_safetensors(shape, &weights).map_err(|error| error.to_string())?;
        Ok(Self::new(Learned { feature_names, symbols, scaler, target, network }))
    }
}
