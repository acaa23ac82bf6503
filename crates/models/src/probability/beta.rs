//! Beta calibration: what maps scores with beta distributions to probabilities.

use serde::{Deserialize, Serialize};

use super::logistic::{self, sigmoid};

/// `sigmoid(a ln s - b ln(1 - s) + c)` for a score `s`, with `a, b >= 0`: never falls, and is the
/// identity at `a = b = 1`, `c = 0`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BetaMap {
    a: f64,
    b: f64,
    c: f64,
}

impl BetaMap {
    /// Learns from scores in 0..=1. An exponent that comes out negative is set to zero and the rest
    /// learned anew, as betacal does; when the rest is negative too, all scores get the share of
    /// true outcomes.
    ///
    /// Source: Kull, Silva Filho, Flach (2017), "Beta calibration", section 3.3.
    pub(super) fn fit(scores: &[f64], outcomes: &[bool]) -> Self {
        let targets: Vec<f64> = outcomes.iter().map(|o| if *o { 1.0 } else { 0.0 }).collect();
        let logs: Vec<[f64; 2]> = scores.iter().map(|score| logs(*score)).collect();
        let both: Vec<[f64; 3]> = logs.iter().map(|[a, b]| [*a, *b, 1.0]).collect();
        let alone = |which: usize| {
            let rows: Vec<[f64; 2]> = logs.iter().map(|logs| [logs[which], 1.0]).collect();
            logistic::fit(&rows, &targets)
        };
        let [a, b, c] = match logistic::fit(&both, &targets) {
            [a, ..] if a < 0.0 => {
                let [b, c] = alone(1);
                [0.0, b, c]
            }
            [_, b, _] if b < 0.0 => {
                let [a, c] = alone(0);
                [a, 0.0, c]
            }
            all => all,
        };
        if a < 0.0 || b < 0.0 {
            return Self { a: 0.0, b: 0.0, c: logistic::log_odds(&targets) };
        }
        Self { a, b, c }
    }

    pub(super) fn apply(&self, score: f64) -> f64 {
        let [of_a, of_b] = logs(score);
        sigmoid(self.a * of_a + self.b * of_b + self.c)
    }
}

/// `ln s` and `-ln(1 - s)`, with 0 and 1 moved inwards by the least step of a float at 1.
fn logs(score: f64) -> [f64; 2] {
    let score = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    [score.ln(), -(1.0 - score).ln()]
}
