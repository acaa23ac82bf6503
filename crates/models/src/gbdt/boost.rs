//! Boosting: each tree learns the error of the trees before it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::binning::BinnedRows;
use super::grow::{Ground, grow};
use super::histogram::PackedFeatures;
use super::objective::{Gradients, Scored};
use super::split::Direction;
use super::tree::Tree;
use super::{FeatureRole, GbdtParams, TrainingRows};
use crate::features::FeatureMatrix;

/// Random streams of one seed: which features a tree may use, and which rows it is grown on.
const FEATURES_STREAM: u64 = 1;
const ROWS_STREAM: u64 = 2;

/// Grows trees until there are enough, or none helps any more.
///
/// The first tree carries what the forecast starts with. The arguments are checked by the caller.
pub(crate) fn boost(params: &GbdtParams, seed: u64, rows: &TrainingRows<'_>) -> Vec<Tree> {
    let TrainingRows { x, train_rows, validation_rows, .. } = *rows;
    let is_categorical = |j: usize| rows.role(j) == Some(FeatureRole::Categorical);
    let binned = BinnedRows::choose(x, train_rows, params.max_bin as usize, is_categorical);
    let directions: Vec<Direction> = (0..x.columns_count())
        .map(|j| match rows.role(j) {
            Some(FeatureRole::Increasing) => Direction::Up,
            Some(FeatureRole::Decreasing) => Direction::Down,
            Some(FeatureRole::Categorical) | None => Direction::Any,
        })
        .collect();
    let (mut training, start) =
        Scored::training(params.objective, rows.targets(train_rows), &rows.moments(train_rows));
    let validation_rows = if params.early_stopping_rounds == 0 { &[] } else { validation_rows };
    let validation = Scored::other(
        params.objective,
        rows.targets(validation_rows),
        &rows.moments(validation_rows),
        start,
    );

    let mut feature_draw = FeatureDraw::new(params, seed, x.columns_count());
    let mut row_draw = RowDraw::new(params, seed, training.len());
    let mut packed = PackedFeatures::pack(&binned.columns, &feature_draw.features);
    let outside_values = if row_draw.draws() { x.gather(train_rows) } else { Vec::new() };
    let mut watch = Watch::new(params, x, validation_rows, validation);

    let mut trees: Vec<Tree> = Vec::new();
    let mut gradients = Gradients::default();
    for _ in 0..params.num_iterations {
        if feature_draw.next() {
            packed = PackedFeatures::pack(&binned.columns, &feature_draw.features);
        }
        row_draw.next();
        training.fill(&mut gradients);
        let ground = Ground {
            params,
            binned: &binned,
            features: &feature_draw.features,
            packed: &packed,
            directions: &directions,
            gradients: &gradients,
            renewal: training.renewal(),
        };
        let grown = grow(&ground, row_draw.inside.clone());
        if grown.tree.nodes.is_empty() {
            break;
        }
        for (row, answer) in grown.answers() {
            training.add(row, answer);
        }
        for &row in &row_draw.outside {
            let width = x.columns_count();
            let values = &outside_values[row as usize * width..][..width];
            training.add(row as usize, grown.tree.predict(values));
        }
        trees.push(grown.tree);
        if watch.is_past_best(&trees) {
            break;
        }
    }
    trees.truncate(watch.best_count(trees.len()));

    match trees.first_mut() {
        Some(first) => first.add_bias(start),
        None => trees.push(Tree::constant(start, training.len() as u64)),
    }
    trees
}

/// Draws the features of each tree.
struct FeatureDraw {
    rng: ChaCha8Rng,
    features: Vec<usize>,
    features_count: usize,
    chosen_count: usize,
}

impl FeatureDraw {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a small count"
    )]
    fn new(params: &GbdtParams, seed: u64, features_count: usize) -> Self {
        let chosen = (features_count as f64 * params.feature_fraction).round() as usize;
        Self {
            rng: stream(seed, FEATURES_STREAM),
            features: (0..features_count).collect(),
            features_count,
            chosen_count: chosen.clamp(features_count.min(1), features_count),
        }
    }

    /// Draws the features of the next tree, in ascending order; false when they are all of them.
    fn next(&mut self) -> bool {
        if self.chosen_count == self.features_count {
            return false;
        }
        self.features = choose(&mut self.rng, self.features_count, self.chosen_count).0;
        true
    }
}

/// Draws the rows that trees are grown on.
struct RowDraw {
    rng: ChaCha8Rng,
    rows_count: usize,
    inside_count: usize,
    trees_per_draw: u32,
    trees_since_draw: u32,
    inside: Vec<u32>,
    outside: Vec<u32>,
}

impl RowDraw {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row counts have 24 bits"
    )]
    fn new(params: &GbdtParams, seed: u64, rows_count: usize) -> Self {
        let inside_count = (rows_count as f64 * params.bagging_fraction) as usize;
        Self {
            rng: stream(seed, ROWS_STREAM),
            rows_count,
            inside_count: inside_count.clamp(1, rows_count),
            trees_per_draw: params.bagging_freq,
            trees_since_draw: 0,
            inside: (0..rows_count as u32).collect(),
            outside: Vec::new(),
        }
    }

    fn draws(&self) -> bool {
        self.trees_per_draw > 0 && self.inside_count < self.rows_count
    }

    #[expect(clippy::cast_possible_truncation, reason = "row counts have 24 bits")]
    fn next(&mut self) {
        if !self.draws() {
            return;
        }
        if self.trees_since_draw == 0 {
            let (inside, outside) = choose(&mut self.rng, self.rows_count, self.inside_count);
            self.inside = inside.into_iter().map(|row| row as u32).collect();
            self.outside = outside.into_iter().map(|row| row as u32).collect();
        }
        self.trees_since_draw = (self.trees_since_draw + 1) % self.trees_per_draw;
    }
}

/// Watches the loss on the validation rows.
struct Watch {
    values: Vec<f64>,
    width: usize,
    rows: Scored,
    patience_trees: usize,
    best: Option<(usize, f64)>,
}

impl Watch {
    fn new(params: &GbdtParams, x: &FeatureMatrix, rows: &[usize], scored: Scored) -> Self {
        Self {
            values: x.gather(rows),
            width: x.columns_count(),
            rows: scored,
            patience_trees: params.early_stopping_rounds as usize,
            best: None,
        }
    }

    /// Takes the newest tree into account; true when the best has been left too far behind.
    fn is_past_best(&mut self, trees: &[Tree]) -> bool {
        let Some(newest) = trees.last() else { return false };
        if self.rows.len() == 0 {
            return false;
        }
        for (row, values) in self.values.chunks_exact(self.width).enumerate() {
            self.rows.add(row, newest.predict(values));
        }
        let loss = self.rows.loss();
        if self.best.is_none_or(|(_, lowest)| loss < lowest) {
            self.best = Some((trees.len(), loss));
        }
        self.best.is_some_and(|(count, _)| trees.len() - count >= self.patience_trees)
    }

    fn best_count(&self, trees_count: usize) -> usize {
        self.best.map_or(trees_count, |(count, _)| count)
    }
}

fn stream(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// Chooses `chosen_count` of `0..count`, each set equally likely; the chosen and the others, both
/// ascending.
///
/// Source: Knuth, "The Art of Computer Programming", volume 2, section 3.4.2, algorithm S.
fn choose(rng: &mut ChaCha8Rng, count: usize, chosen_count: usize) -> (Vec<usize>, Vec<usize>) {
    let mut chosen = Vec::with_capacity(chosen_count);
    let mut others = Vec::with_capacity(count - chosen_count);
    for index in 0..count {
        let (left, needed) = ((count - index) as u128, (chosen_count - chosen.len()) as u128);
        // A uniform number of 0..left, by the upper half of a product.
        let drawn = (u128::from(rng.next_u64()) * left) >> 64;
        (if drawn < needed { &mut chosen } else { &mut others }).push(index);
    }
    (chosen, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_and_others_are_everything_once() {
        let mut rng = stream(7, ROWS_STREAM);
        let mut chosen_times = [0; 10];
        for _ in 0..5_000 {
            let (chosen, others) = choose(&mut rng, 10, 3);
            assert_eq!((chosen.len(), others.len()), (3, 7));
            let mut all = [chosen.clone(), others].concat();
            all.sort_unstable();
            assert_eq!(all, (0..10).collect::<Vec<_>>());
            chosen.iter().for_each(|index| chosen_times[*index] += 1);
        }
        // 1,500 expected each, standard deviation 32.
        assert!(
            chosen_times.iter().all(|times| (1_370..1_630).contains(times)),
            "{chosen_times:?}"
        );
    }
}
