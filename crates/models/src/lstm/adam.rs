//! Adam with decoupled weight decay.
//!
//! Sources: Kingma and Ba (2015), "Adam: A Method for Stochastic Optimization"; Loshchilov and
//! Hutter (2019), "Decoupled Weight Decay Regularization". Constants are those of the papers.

use super::scaler::single;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f32 = 1e-8;

/// The optimiser and what it remembers of the gradients so far.
#[derive(Clone, Debug)]
pub(super) struct Adam {
    learning_rate: f64,
    weight_decay: f64,
    /// Decaying mean of the gradients, and of their squares.
    means: Vec<f32>,
    squares: Vec<f32>,
    /// What the decay has left of the zeros at the beginning.
    left_1: f64,
    left_2: f64,
}

impl Adam {
    pub(super) fn new(weights_count: usize, learning_rate: f64, weight_decay: f64) -> Self {
        let zeros = vec![0.0; weights_count];
        Self {
            learning_rate,
            weight_decay,
            means: zeros.clone(),
            squares: zeros,
            left_1: 1.0,
            left_2: 1.0,
        }
    }

    /// Moves the weights against the gradient.
    pub(super) fn step(&mut self, weights: &mut [f32], gradient: &[f32]) {
        self.left_1 *= BETA_1;
        self.left_2 *= BETA_2;
        let kept = single(1.0 - self.learning_rate * self.weight_decay);
        let rate = single(self.learning_rate / (1.0 - self.left_1));
        let root = single(1.0 / (1.0 - self.left_2).sqrt());
        let (beta_1, beta_2) = (single(BETA_1), single(BETA_2));
        let (rest_1, rest_2) = (single(1.0 - BETA_1), single(1.0 - BETA_2));
        let moments = self.means.iter_mut().zip(&mut self.squares);
        for ((weight, g), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
            *mean = beta_1 * *mean + rest_1 * g;
            *square = beta_2 * *square + rest_2 * g * g;
            *weight = kept * *weight - rate * *mean / (square.sqrt() * root + EPSILON);
        }
    }
}

/// The length of the gradient, and its factor so that it is no longer than `norm_max`; `None` when
/// it is not a number.
pub(super) fn clip_factor(gradient: &[f32], norm_max: f64) -> Option<f32> {
    // Eight sums beside each other, so that the additions need not wait for each other.
    let mut sums = [0.0_f64; 8];
    for part in gradient.chunks(8) {
        for (sum, g) in sums.iter_mut().zip(part) {
            *sum += f64::from(*g) * f64::from(*g);
        }
    }
    let norm = sums.iter().sum::<f64>().sqrt();
    norm.is_finite().then(|| single((norm_max / norm).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gradient_is_shortened_to_the_limit_and_never_lengthened() {
        let factor = clip_factor(&[3.0, 0.0, 4.0], 1.0).unwrap();
        assert!((factor - 0.2).abs() < 1e-7);
        assert_eq!(clip_factor(&[0.3, 0.4], 1.0), Some(1.0));
        assert_eq!(clip_factor(&[0.0], 1.0), Some(1.0));
        assert_eq!(clip_factor(&[1.0, f32::INFINITY], 1.0), None);
    }

    #[test]
    fn weight_decay_shrinks_a_weight_without_gradient() {
        let mut weights = [2.0];
        Adam::new(1, 0.1, 0.5).step(&mut weights, &[0.0]);
        assert!((weights[0] - 2.0 * 0.95).abs() < 1e-6);
    }
}
