//! Training: mini-batches in random order, until the validation rows say that it is enough.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rayon::prelude::*;

use super::LstmParams;
use super::adam::{Adam, clip_factor};
use super::layer::PackedBack;
use super::network::{Network, Pass};
use super::product::{LANES, Packed};
use super::scaler::single;
use super::sequences::{Group, Sequences};

/// Random streams of one seed: first weights, order of the rows, and units that are dropped.
pub(super) const WEIGHTS_STREAM: u64 = 1;
const ORDER_STREAM: u64 = 2;
const DROPOUT_STREAM: u64 = 3;

/// What one group of a mini-batch works with.
#[derive(Clone, Debug)]
struct Worker {
    group: Group,
    pass: Pass,
    gradient: Vec<f32>,
}

/// What is learned from.
#[derive(Debug)]
pub(super) struct Lesson {
    pub(super) sequences: Sequences,
    /// Standard score of the target of each row.
    pub(super) targets: Vec<f32>,
    pub(super) train_rows: Vec<usize>,
    pub(super) validation_rows: Vec<usize>,
}

/// A network that learns, epoch by epoch, until enough are over or the error on the validation rows
/// no longer falls; the weights with the lowest are kept, or without validation rows the last.
///
/// Groups of a mini-batch are shared out between threads; their gradients are added in the order of
/// the groups, so that the bits do not depend on the number of threads.
#[derive(Debug)]
pub(super) struct Training {
    network: Network,
    lesson: Lesson,
    order: Vec<usize>,
    order_rng: ChaCha8Rng,
    dropout_rng: ChaCha8Rng,
    batch_size: usize,
    trainer: Trainer,
    epochs_max: u32,
    /// Epochs without a lower error after which it is over; 0 for never.
    patience: u32,
    epochs_count: u32,
    is_over: bool,
    best: Option<Best>,
}

/// The lowest error on the validation rows so far.
#[derive(Debug)]
struct Best {
    error: f64,
    /// The epoch after which it was so low, and the weights then.
    epoch: u32,
    weights: Vec<f32>,
}

/// What the network says after an epoch.
#[derive(Debug)]
pub(super) struct AfterEpoch {
    /// The epoch, the first is 1.
    pub(super) number: u32,
    /// The answers for the validation rows.
    pub(super) answers: Vec<f32>,
    /// Whether the weights as they are would be kept.
    pub(super) is_best: bool,
}

impl Training {
    pub(super) fn new(params: &LstmParams, seed: u64, network: Network, lesson: Lesson) -> Self {
        let batch_size = (params.batch_size as usize).min(lesson.train_rows.len());
        Self {
            order: lesson.train_rows.clone(),
            order_rng: stream(seed, ORDER_STREAM),
            dropout_rng: stream(seed, DROPOUT_STREAM),
            batch_size,
            trainer: Trainer::new(params, &network, batch_size),
            epochs_max: params.epochs_max,
            patience: params.early_stopping_epochs,
            epochs_count: 0,
            is_over: false,
            best: None,
            network,
            lesson,
        }
    }

    /// Passes over the training rows once more; `None` when it is over.
    pub(super) fn epoch(&mut self) -> Option<AfterEpoch> {
        if self.is_over || self.epochs_count == self.epochs_max {
            return None;
        }
        self.epochs_count += 1;
        shuffle(&mut self.order_rng, &mut self.order);
        for batch in self.order.chunks(self.batch_size) {
            self.trainer.step(&mut self.network, &self.lesson, batch, &mut self.dropout_rng);
        }
        let rows = &self.lesson.validation_rows;
        let (answers, error) = self.trainer.judge(&self.network, &self.lesson, rows);
        let is_best = answers.is_empty() || self.is_lower(error);
        if is_best && !answers.is_empty() {
            let weights = self.network.weights.clone();
            self.best = Some(Best { error, epoch: self.epochs_count, weights });
        }
        let since = self.best.as_ref().map_or(0, |best| self.epochs_count - best.epoch);
        self.is_over = self.patience > 0 && since >= self.patience;
        Some(AfterEpoch { number: self.epochs_count, answers, is_best })
    }

    fn is_lower(&self, error: f64) -> bool {
        self.best.as_ref().is_none_or(|best| error < best.error || best.error.is_nan())
    }

    /// The network with the weights to keep.
    pub(super) fn finish(self) -> Network {
        match self.best {
            Some(best) => Network { weights: best.weights, ..self.network },
            None => self.network,
        }
    }
}

#[derive(Debug)]
struct Trainer {
    dropout: f32,
    gradient_norm_max: f64,
    adam: Adam,
    forward: Vec<Packed>,
    back: Vec<PackedBack>,
    /// One for each group of a mini-batch.
    workers: Vec<Worker>,
    /// One for each thread, without dropout.
    judges: Vec<Worker>,
}

impl Trainer {
    fn new(params: &LstmParams, network: &Network, batch_size: usize) -> Self {
        let weights_count = network.layout.weights_count();
        let worker = |thinned: bool, weights_count: usize| Worker {
            group: Group::default(),
            pass: Pass::new(&network.shape, thinned),
            gradient: vec![0.0; weights_count],
        };
        let thinned = params.dropout > 0.0;
        let mut trainer = Self {
            dropout: single(params.dropout),
            gradient_norm_max: params.gradient_norm_max,
            adam: Adam::new(weights_count, params.learning_rate, params.weight_decay),
            forward: Vec::new(),
            back: Vec::new(),
            workers: vec![worker(thinned, weights_count); batch_size.div_ceil(LANES)],
            judges: vec![worker(false, 0); rayon::current_num_threads()],
        };
        trainer.pack(network);
        trainer
    }

    fn pack(&mut self, network: &Network) {
        network.pack_forward(&mut self.forward);
        network.pack_back(&mut self.back);
    }

    /// One step of the optimiser on the mean squared error of a mini-batch.
    ///
    /// A mini-batch whose gradient is not a number is passed over.
    fn step(
        &mut self,
        network: &mut Network,
        lesson: &Lesson,
        batch: &[usize],
        rng: &mut ChaCha8Rng,
    ) {
        let groups_count = batch.len().div_ceil(LANES);
        let workers = &mut self.workers[..groups_count];
        if self.dropout > 0.0 {
            for kept in workers.iter_mut().flat_map(|worker| worker.pass.kept()) {
                for value in kept.iter_mut() {
                    let dropped = uniform(rng) < self.dropout;
                    *value = if dropped { 0.0 } else { 1.0 / (1.0 - self.dropout) };
                }
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a mini-batch has few rows")]
        let share = 2.0 / batch.len() as f32;
        let (forward, back) = (&self.forward, &self.back);
        let learn = |(rows, worker): (&[usize], &mut Worker)| {
            lesson.sequences.gather(rows, &mut worker.group);
            worker.pass.forward(network, forward, &worker.group);
            let mut d_answers = [0.0; LANES];
            for ((d, answer), &row) in d_answers.iter_mut().zip(worker.pass.answers).zip(rows) {
                *d = share * (answer - lesson.targets[row]);
            }
            worker.gradient.fill(0.0);
            let Worker { group, pass, gradient } = worker;
            pass.backward(network, back, group, &d_answers, gradient, false);
        };
        batch.par_chunks(LANES).zip(&mut *workers).for_each(learn);

        let (first, others) = workers.split_at_mut(1);
        let gradient = &mut first[0].gradient;
        for other in others {
            for (sum, g) in gradient.iter_mut().zip(&other.gradient) {
                *sum += g;
            }
        }
        let Some(factor) = clip_factor(gradient, self.gradient_norm_max) else { return };
        for g in gradient.iter_mut() {
            *g *= factor;
        }
        self.adam.step(&mut network.weights, gradient);
        self.pack(network);
    }

    /// The answers for the given rows and their mean squared error.
    #[expect(clippy::cast_precision_loss, reason = "fewer rows than 2^53")]
    fn judge(&mut self, network: &Network, lesson: &Lesson, rows: &[usize]) -> (Vec<f32>, f64) {
        let forward = &self.forward;
        let answer = |(rows, worker): (&[usize], &mut Worker)| {
            lesson.sequences.gather(rows, &mut worker.group);
            worker.pass.forward(network, forward, &worker.group);
            worker.pass.answers
        };
        let mut answers = Vec::with_capacity(rows.len());
        for rows in rows.chunks(LANES * self.judges.len()) {
            let groups: Vec<[f32; LANES]> =
                rows.par_chunks(LANES).zip(&mut self.judges).map(answer).collect();
            answers.extend(groups.as_flattened().iter().take(rows.len()));
        }
        let squared =
            |(answer, &row): (&f32, &usize)| f64::from(answer - lesson.targets[row]).powi(2);
        let of_group = |(answers, rows): (&[f32], &[usize])| {
            answers.iter().zip(rows).map(squared).sum::<f64>()
        };
        let sum: f64 = answers.chunks(LANES).zip(rows.chunks(LANES)).map(of_group).sum();
        (answers, sum / rows.len() as f64)
    }
}

pub(super) fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// A uniform number in 0..1.
#[expect(clippy::cast_precision_loss, reason = "24 bits fit exactly")]
pub(super) fn uniform(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1_u32 << 24) as f32
}

/// Every order equally likely.
///
/// Source: Knuth, "The Art of Computer Programming", volume 2, section 3.4.2, algorithm P.
#[expect(clippy::cast_possible_truncation, reason = "a number below the count of rows")]
fn shuffle(rng: &mut ChaCha8Rng, rows: &mut [usize]) {
    for last in (1..rows.len()).rev() {
        let drawn = (u128::from(rng.next_u64()) * (last as u128 + 1)) >> 64;
        rows.swap(last, drawn as usize);
    }
}
