//! Which arm a unit belongs to.

use sha2::{Digest as _, Sha256};

use super::design::{DeclaredExperiment, Mode};

impl DeclaredExperiment {
    /// The version whose forecast is shown for `unit`: the champion in shadow mode, and in split
    /// mode the arm that the unit belongs to, always the same.
    ///
    /// The arm is told by SHA-256 of the name of the experiment and the unit, so that the arms of a
    /// unit in two experiments have nothing to do with each other.
    pub fn assign(&self, unit: &str) -> &str {
        let design = self.design();
        let Mode::Split { weights } = &design.mode else { return &design.champion };
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let mut place = below(total, &design.id, unit);
        for (arm, weight) in self.arms().zip(weights) {
            match place.checked_sub(u64::from(*weight)) {
                Some(rest) => place = rest,
                None => return arm,
            }
        }
        unreachable!("the place is below the sum of the weights")
    }
}

/// A place in `0..total`; the shares of places differ from equal ones by less than `total / 2^64`.
fn below(total: u64, experiment: &str, unit: &str) -> u64 {
    let mut hash = Sha256::new();
    // The lengths keep ("a", "bc") and ("ab", "c") apart.
    for text in [experiment, unit] {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    let digest = hash.finalize();
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    let product = u128::from(u64::from_be_bytes(*first)) * u128::from(total);
    u64::try_from(product >> 64).expect("below the total")
}
