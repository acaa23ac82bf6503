//! Gauss-Legendre quadrature on 0..1.

/// Nodes that are worked on together: one wide register, or a few narrow ones.
pub(crate) const LANES: usize = 8;

/// One number for each node of a block; begins at a cache line, so that no register of them is read
/// from two.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
pub(crate) struct Lanes(pub(crate) [f64; LANES]);

impl Lanes {
    #[inline(always)]
    pub(crate) fn of(lane: impl FnMut(usize) -> f64) -> Self {
        Self(std::array::from_fn(lane))
    }

    #[inline(always)]
    pub(crate) fn times(&self, other: &Self) -> Self {
        Self::of(|lane| self.0[lane] * other.0[lane])
    }

    #[inline(always)]
    pub(crate) fn scaled(&self, factor: f64) -> Self {
        Self(self.0.map(|number| number * factor))
    }

    #[inline(always)]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self::of(|lane| self.0[lane] + other.0[lane])
    }

    /// The sum of the lanes, always in the same order.
    #[inline(always)]
    pub(crate) fn sum(&self) -> f64 {
        let fours: [f64; 4] = std::array::from_fn(|lane| self.0[lane] + self.0[lane + 4]);
        (fours[0] + fours[2]) + (fours[1] + fours[3])
    }
}

/// Some nodes and their weights.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) nodes: Lanes,
    pub(crate) weights: Lanes,
}

/// A rule that integrates every polynomial of `degree` over 0..1 exactly, in blocks of [`LANES`]
/// nodes.
///
/// Source: Golub, Welsch (1969), "Calculation of Gauss quadrature rules", for what the rule is; the
/// nodes are the roots of the Legendre polynomial, found by Newton's method.
pub(crate) fn blocks(degree: usize) -> Vec<Block> {
    // n nodes are exact up to degree 2 n - 1.
    let blocks_count = (degree / 2 + 1).div_ceil(LANES);
    let count = blocks_count * LANES;
    (0..blocks_count)
        .map(|block| {
            let lanes = |of: fn((f64, f64)) -> f64| {
                Lanes::of(|lane| of(node_and_weight(count, block * LANES + lane)))
            };
            Block { nodes: lanes(|(node, _)| node), weights: lanes(|(_, weight)| weight) }
        })
        .collect()
}

/// Node `index` of `count`, ascending from 0 to 1, and its weight.
#[expect(clippy::cast_precision_loss, reason = "a rule has few nodes")]
fn node_and_weight(count: usize, index: usize) -> (f64, f64) {
    let n = count as f64;
    let mut root = -(std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5)).cos();
    let mut slope = 1.0;
    // Newton's method doubles the digits of the first guess, which has three or more.
    for _ in 0..6 {
        let (mut before, mut value) = (1.0, root);
        for k in 2..=count {
            let k = k as f64;
            (before, value) = (value, ((2.0 * k - 1.0) * root * value - (k - 1.0) * before) / k);
        }
        slope = n * (root * value - before) / (root * root - 1.0);
        root -= value / slope;
    }
    let weight = 2.0 / ((1.0 - root * root) * slope * slope);
    (0.5 * (root + 1.0), 0.5 * weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_integrates_powers_up_to_its_degree() {
        for degree in [0_u32, 1, 7, 15, 16, 31, 40] {
            let blocks = blocks(degree as usize);
            for power in 0..=i32::try_from(degree).unwrap() {
                let terms =
                    blocks.iter().flat_map(|block| block.nodes.0.iter().zip(block.weights.0));
                let integral: f64 = terms.map(|(node, weight)| weight * node.powi(power)).sum();
                let expected = 1.0 / f64::from(power + 1);
                assert!((integral - expected).abs() < 4e-15, "{degree} {power}: {integral}");
            }
        }
    }
}
