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
pub(super) struct Lesson<'a> {
    pub(super) sequences: &'a Sequences,
    /// Standard score of the target of each row.
    pub(super) targets: &'a [f32],
    pub(super) train_rows: &'a [usize],
    pub(super) validation_rows: &'a [usize],
}

/// Trains until enough epochs are over or the error on the validation rows no longer falls; keeps
/// the weights with the lowest, or without validation rows the last.
///
/// Groups of a mini-batch are shared out between threads; their gradients are added in the order of
/// the groups, so that the bits do not depend on the number of threads.
pub(super) fn train(params: &LstmParams, seed: u64, network: &mut Network, lesson: &Lesson<'_>) {
    let mut order_rng = stream(seed, ORDER_STREAM);
    let mut dropout_rng = stream(seed, DROPOUT_STREAM);
    let batch_size = (params.batch_size as usize).min(lesson.train_rows.len());
    let mut trainer = Trainer::new(params, network, batch_size);
    let mut order = lesson.train_rows.to_vec();
    let mut best: Option<(f64, u32, Vec<f32>)> = None;
    for epoch in 0..params.epochs_max {
        shuffle(&mut order_rng, &mut order);
        for batch in order.chunks(batch_size) {
            trainer.step(network, lesson, batch, &mut dropout_rng);
        }
        if lesson.validation_rows.is_empty() {
            continue;
        }
        let error = trainer.squared_error(network, lesson, lesson.validation_rows);
        match &best {
            Some((lowest, since, _)) if error >= *lowest => {
                let stops = params.early_stopping_epochs > 0;
                if stops && epoch - since >= params.early_stopping_epochs {
                    break;
                }
            }
            _ => best = Some((error, epoch, network.weights.clone())),
        }
    }
    if let Some((_, _, weights)) = best {
        network.weights = weights;
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
        lesson: &Lesson<'_>,
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

    /// The mean squared error on the given rows.
    #[expect(clippy::cast_precision_loss, reason = "fewer rows than 2^53")]
    fn squared_error(&mut self, network: &Network, lesson: &Lesson<'_>, rows: &[usize]) -> f64 {
        let forward = &self.forward;
        let judge = |(rows, worker): (&[usize], &mut Worker)| {
            lesson.sequences.gather(rows, &mut worker.group);
            worker.pass.forward(network, forward, &worker.group);
            let errors = worker.pass.answers.iter().zip(rows);
            errors
                .map(|(answer, &row)| f64::from(answer - lesson.targets[row]).powi(2))
                .sum::<f64>()
        };
        let mut sum = 0.0;
        for rows in rows.chunks(LANES * self.judges.len()) {
            let errors: Vec<f64> =
                rows.par_chunks(LANES).zip(&mut self.judges).map(judge).collect();
            for error in errors {
                sum += error;
            }
        }
        sum / rows.len() as f64
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
