//! Ranking by several criteria at once: TOPSIS with weights by entropy.
//!
//! Values are brought to 0..=1 by their smallest and largest, so that more is better. A criterion
//! weighs the more, the more its values tell the alternatives apart: one less the entropy of its
//! shares (Shannon 1948). The closeness of an alternative is its distance from the worst that there
//! is over the sum of its distances from the worst and from the best (Hwang and Yoon 1981).

/// A criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// More is better.
    More,
    /// Less is better.
    Less,
}

/// How the alternatives stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranking {
    /// What each criterion weighs; they add up to one.
    pub weights: Vec<f64>,
    /// Of each alternative, 0 (the worst in everything) to 1 (the best in everything).
    pub closeness: Vec<f64>,
}

/// Ranks `alternatives`, each with a finite value for each of `criteria`; `None` with fewer than two
/// of them, without a criterion, or when they are alike in all.
///
/// # Panics
///
/// When an alternative does not have a value for each criterion.
pub fn rank(alternatives: &[Vec<f64>], criteria: &[Wanted]) -> Option<Ranking> {
    assert!(
        alternatives.iter().all(|values| values.len() == criteria.len()),
        "an alternative has a value for each criterion"
    );
    if alternatives.len() < 2 || criteria.is_empty() {
        return None;
    }
    let scaled = scaled(alternatives, criteria);
    let weights = entropy_weights(&scaled)?;
    let closeness = closeness(&scaled, &weights);
    Some(Ranking { weights, closeness })
}

/// Each value between the worst (0) and the best (1) of its criterion; 0 where all are alike.
fn scaled(alternatives: &[Vec<f64>], criteria: &[Wanted]) -> Vec<Vec<f64>> {
    let mut scaled = alternatives.to_vec();
    for (index, wanted) in criteria.iter().enumerate() {
        let values = || alternatives.iter().map(|values| values[index]);
        let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
        for (row, value) in scaled.iter_mut().zip(values()) {
            let better = match wanted {
                Wanted::More => value - low,
                Wanted::Less => high - value,
            };
            row[index] = if high > low { better / (high - low) } else { 0.0 };
        }
    }
    scaled
}

/// What each column weighs by how unevenly its sum is spread over the rows; `None` when all are spread
/// evenly.
fn entropy_weights(rows: &[Vec<f64>]) -> Option<Vec<f64>> {
    let columns = rows.first()?.len();
    let even = f64::from(u32::try_from(rows.len()).ok()?).ln();
    let spread: Vec<f64> = (0..columns)
        .map(|column| {
            let sum: f64 = rows.iter().map(|row| row[column]).sum();
            // A criterion in which all are alike tells nothing.
            if sum <= 0.0 {
                return 0.0;
            }
            let shares = rows.iter().map(|row| row[column] / sum).filter(|share| *share > 0.0);
            1.0 + shares.map(|share| share * share.ln()).sum::<f64>() / even
        })
        .collect();
    let whole: f64 = spread.iter().sum();
    (whole > 0.0).then(|| spread.into_iter().map(|spread| spread / whole).collect())
}

/// The closeness of each row of scaled values.
fn closeness(rows: &[Vec<f64>], weights: &[f64]) -> Vec<f64> {
    let edge = |fold: fn(f64, f64) -> f64, from: f64| -> Vec<f64> {
        let of_column = |column: usize| rows.iter().map(|row| row[column]).fold(from, fold);
        (0..weights.len()).map(of_column).collect()
    };
    let (best, worst) = (edge(f64::max, f64::MIN), edge(f64::min, f64::MAX));
    let distance = |row: &[f64], from: &[f64]| -> f64 {
        let squares = row.iter().zip(from).zip(weights);
        squares.map(|((value, from), weight)| (weight * (value - from)).powi(2)).sum::<f64>().sqrt()
    };
    rows.iter()
        .map(|row| {
            let (from_worst, from_best) = (distance(row, &worst), distance(row, &best));
            from_worst / (from_worst + from_best)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(actual: &[f64], expected: &[f64]) {
        assert_eq!(actual.len(), expected.len());
        for (actual, expected) in actual.iter().zip(expected) {
            assert!((actual - expected).abs() < 1e-12, "{actual} {expected}");
        }
    }

    #[test]
    fn weights_and_closeness_are_those_of_pymcdm() {
        let rows = [[0.62, 0.79, 0.17], [0.10, 0.95, 0.33], [0.97, 0.05, 0.02], [0.30, 0.90, 0.99]]
            .map(Vec::from);
        let weights = entropy_weights(&rows).unwrap();
        // pymcdm 1.3.1: entropy_weights(rows), TOPSIS()(rows, weights, [1, 1, 1]).
        near(&weights, &[0.255_115_179_280_642, 0.235_013_009_848_591_25, 0.509_871_810_870_766_8]);
        let expected = [
            0.367_399_518_899_810_5,
            0.399_073_534_598_804_07,
            0.312_433_524_409_98,
            0.739_573_802_953_957_8,
        ];
        near(&closeness(&scaled(&rows, &[Wanted::More; 3]), &weights), &expected);
    }

    #[test]
    fn less_can_be_better_and_what_is_alike_weighs_nothing() {
        let rows = [vec![1.0, 5.0, 2.0], vec![2.0, 5.0, 2.5], vec![3.0, 5.0, 4.0]];
        let ranking = rank(&rows, &[Wanted::Less, Wanted::More, Wanted::Less]).unwrap();
        assert!(ranking.weights[1].abs() < 1e-15);
        near(&[ranking.closeness[0], ranking.closeness[2]], &[1.0, 0.0]);
        assert_eq!(rank(&rows[..1], &[Wanted::More; 3]), None);
        assert_eq!(rank(&[vec![1.0], vec![1.0]], &[Wanted::More]), None);
    }
}
