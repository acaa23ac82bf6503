//! Random numbers that belong to a trial and a name.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

/// The random numbers of `component` in the trial of that number. The key is a hash, so that neither
/// two names nor two neighbouring seeds or trials have anything in common.
pub(crate) fn stream(seed: u64, number: u64, component: &str) -> ChaCha8Rng {
    let mut key = Sha256::new();
    key.update(seed.to_le_bytes());
    key.update(number.to_le_bytes());
    key.update(component.as_bytes());
    ChaCha8Rng::from_seed(key.finalize().into())
}

/// A uniform number in 0..1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A whole number below `count`, which is not zero.
///
/// The upper half of a product of 64 by 64 bits; for the counts of trials and choices the bias is
/// below 2^-40.
pub(crate) fn below(rng: &mut ChaCha8Rng, count: usize) -> usize {
    let product = u128::from(rng.next_u64()) * count as u128;
    usize::try_from(product >> 64).expect("below the count")
}

/// A standard normal number, by the polar method.
///
/// Source: Marsaglia and Bray (1964), "A Convenient Method for Generating Normal Variables"; the
/// second number of a pair is dropped, so that a draw has no memory.
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    loop {
        let (u, v) = (2.0 * uniform(rng) - 1.0, 2.0 * uniform(rng) - 1.0);
        let s = u * u + v * v;
        if s > 0.0 && s < 1.0 {
            return u * (-2.0 * s.ln() / s).sqrt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_trials_and_seeds_have_streams_of_their_own() {
        let first = |seed, number, name| stream(seed, number, name).next_u64();
        let mut all = Vec::new();
        for seed in 0..4 {
            for number in 0..4 {
                for name in ["a", "b", "ab"] {
                    all.push(first(seed, number, name));
                    assert_eq!(all.last(), Some(&first(seed, number, name)));
                }
            }
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 48);
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "few draws")]
    fn the_normal_numbers_have_the_moments_of_the_normal_distribution() {
        const COUNT: usize = 20_000;
        let mut rng = stream(1, 2, "x");
        let draws: Vec<f64> = (0..COUNT).map(|_| normal(&mut rng)).collect();
        let moment = |power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / COUNT as f64;
        // Four standard errors: 1, sqrt(2), sqrt(96) over sqrt(COUNT).
        assert!(moment(1).abs() < 0.028, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.04, "{}", moment(2));
        assert!((moment(4) - 3.0).abs() < 0.28, "{}", moment(4));
    }

    #[test]
    fn whole_numbers_are_below_the_count_and_all_occur() {
        let mut rng = stream(1, 2, "x");
        let mut counts = [0_u32; 5];
        for _ in 0..1_000 {
            counts[below(&mut rng, 5)] += 1;
        }
        assert!(counts.iter().all(|&count| (140..260).contains(&count)), "{counts:?}");
    }
}
