//! Isotonic regression: the least squares of all curves that never fall.

use serde::{Deserialize, Serialize};

use super::{count, platt};

/// Straight lines between knots; before the first and after the last the curve is level.
///
/// There is at least one knot, scores ascend, probabilities lie in 0..=1 and do not fall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(f64, f64)>", into = "Vec<(f64, f64)>")]
pub(super) struct IsotonicMap {
    /// Score and probability.
    knots: Vec<(f64, f64)>,
}

/// Rows with neighbouring scores that share a probability.
#[derive(Clone, Copy, Debug)]
struct Pool {
    first_score: f64,
    last_score: f64,
    positives: usize,
    rows_count: usize,
}

impl Pool {
    fn probability(&self) -> f64 {
        count(self.positives) / count(self.rows_count)
    }

    /// Whether its probability is that of `next` or higher, compared without rounding.
    fn reaches(&self, next: &Self) -> bool {
        self.positives * next.rows_count >= next.positives * self.rows_count
    }

    fn and(self, next: &Self) -> Self {
        Self {
            first_score: self.first_score,
            last_score: next.last_score,
            positives: self.positives + next.positives,
            rows_count: self.rows_count + next.rows_count,
        }
    }
}

impl IsotonicMap {
    /// Learns from finite scores by pooling neighbours that violate the order; rows with the same
    /// score are one. Probabilities keep the distance from 0 and 1 that Platt's targets have, as a
    /// few rows alike at an end of the scores are no proof that nothing else can happen.
    ///
    /// Source: Ayer, Brunk, Ewing, Reid, Silverman (1955), "An Empirical Distribution Function for
    /// Sampling with Incomplete Information"; knots and bounds as in scikit-learn's
    /// `IsotonicRegression`.
    ///
    /// # Panics
    ///
    /// Without rows.
    pub(super) fn fit(scores: &[f64], outcomes: &[bool]) -> Self {
        let mut rows: Vec<(f64, bool)> =
            scores.iter().copied().zip(outcomes.iter().copied()).collect();
        rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut pools: Vec<Pool> = Vec::new();
        for alike in rows.chunk_by(|a, b| a.0 >= b.0) {
            let mut pool = Pool {
                first_score: alike[0].0,
                last_score: alike[0].0,
                positives: alike.iter().filter(|(_, outcome)| *outcome).count(),
                rows_count: alike.len(),
            };
            while let Some(before) = pools.pop_if(|before| before.reaches(&pool)) {
                pool = before.and(&pool);
            }
            pools.push(pool);
        }
        let (of_negative, of_positive) = platt::targets(outcomes);
        let knots = pools.iter().flat_map(|pool| {
            let probability = pool.probability().clamp(of_negative, of_positive);
            let last = (pool.last_score > pool.first_score).then_some(pool.last_score);
            [Some(pool.first_score), last].into_iter().flatten().map(move |s| (s, probability))
        });
        Self::try_from(knots.collect::<Vec<_>>()).expect("there are rows, and pools ascend")
    }

    pub(super) fn apply(&self, score: f64) -> f64 {
        if score.is_nan() {
            return f64::NAN;
        }
        let after = self.knots.partition_point(|(known, _)| *known < score);
        match (after.checked_sub(1).map(|before| self.knots[before]), self.knots.get(after)) {
            (Some((x0, p0)), Some((x1, p1))) => p0 + (p1 - p0) * ((score - x0) / (x1 - x0)),
            (None, Some((_, p))) => *p,
            (_, None) => self.knots[self.knots.len() - 1].1,
        }
    }
}

impl TryFrom<Vec<(f64, f64)>> for IsotonicMap {
    type Error = &'static str;

    fn try_from(knots: Vec<(f64, f64)>) -> Result<Self, Self::Error> {
        let ascends = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
        let inside = |&(score, p): &(f64, f64)| score.is_finite() && (0.0..=1.0).contains(&p);
        if knots.is_empty() || !knots.iter().all(inside) || !knots.windows(2).all(ascends) {
            return Err("the knots of an isotonic curve ascend, with probabilities in 0..=1");
        }
        Ok(Self { knots })
    }
}

impl From<IsotonicMap> for Vec<(f64, f64)> {
    fn from(map: IsotonicMap) -> Self {
        map.knots
    }
}
