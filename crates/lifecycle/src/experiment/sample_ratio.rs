//! Whether as many units came to each arm as were declared.

/// The level of the alarm.
pub const MISMATCH_LEVEL: f64 = 0.001;

/// How closely the alternative keeps to the declared shares: as if so many units had been seen.
const CONCENTRATION: f64 = 100.0;

/// The evidence against the declared shares, unit after unit: the Bayes factor of a Dirichlet
/// distribution around them. Exact at any number of looks, whatever the number of units.
///
/// Source: Lindon and Malek (2022), "Anytime-Valid Inference for Multinomial Count Data".
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRatio {
    shares: Vec<f64>,
    counts: Vec<u64>,
    takes_part: Vec<bool>,
    log_e_value: f64,
    log_e_value_max: f64,
}

impl SampleRatio {
    /// For arms of these weights, each above zero.
    pub fn new(weights: &[u32]) -> Self {
        let total: f64 = weights.iter().copied().map(f64::from).sum();
        Self {
            shares: weights.iter().map(|weight| f64::from(*weight) / total).collect(),
            counts: vec![0; weights.len()],
            takes_part: vec![true; weights.len()],
            log_e_value: 0.0,
            log_e_value_max: 0.0,
        }
    }

    /// No unit comes to an arm any longer: from now on the others are compared with each other.
    pub fn stop(&mut self, arm: usize) {
        self.takes_part[arm] = false;
    }

    /// Adds units that came to each arm since the last look, in the order of the arms.
    pub fn push(&mut self, new_counts: &[u64]) {
        for (arm, new_count) in new_counts.iter().enumerate() {
            for _ in 0..*new_count {
                self.push_unit(arm);
            }
        }
        self.log_e_value_max = self.log_e_value_max.max(self.log_e_value);
    }

    /// A unit is expected in an arm with the share of the units that were there before, and of
    /// [`CONCENTRATION`] more that keep to the declared shares.
    fn push_unit(&mut self, arm: usize) {
        if !self.takes_part[arm] {
            return;
        }
        let (mut shares, mut seen) = (0.0, 0);
        for other in (0..self.counts.len()).filter(|other| self.takes_part[*other]) {
            shares += self.shares[other];
            seen += self.counts[other];
        }
        let declared = self.shares[arm] / shares;
        let expected = (CONCENTRATION * self.shares[arm] + as_float(self.counts[arm]))
            / (CONCENTRATION * shares + as_float(seen));
        self.log_e_value += (expected / declared).ln();
        self.counts[arm] += 1;
    }

    /// Units of each arm, in the order of the arms.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The logarithm of the evidence now.
    pub const fn log_e_value(&self) -> f64 {
        self.log_e_value
    }

    /// The p-value by all looks so far, valid at any time.
    pub fn p_value(&self) -> f64 {
        (-self.log_e_value_max).exp()
    }

    /// Whether the shares are not the declared ones, at [`MISMATCH_LEVEL`].
    pub fn is_mismatch(&self) -> bool {
        self.p_value() <= MISMATCH_LEVEL
    }
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts of units are far below 2^53")]
pub(super) const fn as_float(count: u64) -> f64 {
    count as f64
}
