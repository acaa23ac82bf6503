//! Random numbers of explanations and scenarios: what is drawn for one purpose does not depend on
//! how much is drawn for another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// What numbers are drawn for; each has its streams.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(crate) enum Purpose {
    /// Sets of features.
    Coalitions = 1,
    /// Rows near the explained one; a stream for each feature.
    Neighbourhood = 2,
    /// Orders of rows; a stream for each feature and repeat.
    Permutation = 3,
    /// What may come of a scenario.
    Scenario = 4,
}

/// Stream `number` of a purpose.
pub(crate) fn stream(seed: u64, purpose: Purpose, number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((purpose as u64) << 48 | number);
    rng
}

/// A uniform number in 0..1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A whole number below `count`.
#[expect(clippy::cast_possible_truncation, reason = "a number below `count`")]
pub(crate) fn below(rng: &mut ChaCha8Rng, count: usize) -> usize {
    ((u128::from(rng.next_u64()) * count as u128) >> 64) as usize
}

/// Two independent standard normal numbers.
///
/// Source: Box, Muller (1958), "A note on the generation of random normal deviates".
pub(crate) fn normals(rng: &mut ChaCha8Rng) -> (f64, f64) {
    let radius = (-2.0 * (1.0 - uniform(rng)).ln()).sqrt();
    let (sine, cosine) = (std::f64::consts::TAU * uniform(rng)).sin_cos();
    (radius * cosine, radius * sine)
}

/// Brings `chosen_count` of the items to the front, every choice equally likely.
///
/// Source: Knuth, "The Art of Computer Programming", volume 2, section 3.4.2, algorithm P.
pub(crate) fn choose<T>(rng: &mut ChaCha8Rng, items: &mut [T], chosen_count: usize) {
    for first in 0..chosen_count.min(items.len().saturating_sub(1)) {
        let drawn = first + below(rng, items.len() - first);
        items.swap(first, drawn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut rng = stream(1, Purpose::Neighbourhood, 0);
        let numbers: Vec<f64> =
            (0..20_000).map(|_| normals(&mut rng)).flat_map(|(a, b)| [a, b]).collect();
        let moment = |power| numbers.iter().map(|x| x.powi(power)).sum::<f64>() / 40_000.0;
        for (power, expected, tolerance) in [(1, 0.0, 0.02), (2, 1.0, 0.03), (4, 3.0, 0.2)] {
            assert!((moment(power) - expected).abs() < tolerance, "{power}: {}", moment(power));
        }
    }

    #[test]
    fn every_choice_of_two_in_four_comes_equally_often() {
        let mut rng = stream(1, Purpose::Coalitions, 0);
        let mut counts = [0_u32; 16];
        for _ in 0..6_000 {
            let mut items = [0, 1, 2, 3];
            choose(&mut rng, &mut items, 2);
            counts[1 << items[0] | 1 << items[1]] += 1;
        }
        for pair in [0b11, 0b101, 0b1001, 0b110, 0b1010, 0b1100] {
            assert!((880..1_120).contains(&counts[pair]), "{pair:b}: {}", counts[pair]);
        }
    }
}
