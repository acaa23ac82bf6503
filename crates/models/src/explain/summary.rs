//! What the features contribute over many forecasts: the data of summary, beeswarm, dependence and
//! interaction plots.

use serde::Serialize;

use crate::explain::{Contributions, Interactions};
use crate::features::FeatureMatrix;

/// One forecast in the summary of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SummaryPoint {
    /// The row that was forecast.
    pub row: usize,
    /// The feature's value; `None` where it is missing.
    pub value: Option<f64>,
    /// Where the value lies between the 5th (0) and the 95th (1) percentile of the values; values
    /// outside count as the nearer of the two, and where both are one the place is the middle.
    pub shade: Option<f64>,
    /// What the feature adds to the forecast.
    pub contribution: f64,
}

/// A feature over many forecasts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureSummary {
    /// Its name.
    pub name: String,
    /// Mean size of its contributions: its importance.
    pub mean_abs: f64,
    /// Mean of its contributions.
    pub mean: f64,
    /// Every forecast, in the order of the rows.
    pub points: Vec<SummaryPoint>,
}

/// A value of one feature, what it contributes, and a value of another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct DependencePoint {
    /// The row that was forecast.
    pub row: usize,
    /// The feature's value.
    pub value: f64,
    /// What the feature adds to the forecast.
    pub contribution: f64,
    /// The other feature's value; `None` where it is missing.
    pub other: Option<f64>,
}

/// How much two features make together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct InteractionStrength {
    /// The name of the one.
    pub first: String,
    /// The name of the other.
    pub second: String,
    /// Mean size over the forecasts of what they make together, both halves.
    pub mean_abs: f64,
}

/// Summarises each feature over the forecasts of `rows`, the most important first.
///
/// # Panics
///
/// When there is not an explanation for each row with a value for each column, or a row does not
/// exist.
pub fn summarise(
    x: &FeatureMatrix,
    rows: &[usize],
    explained: &[Contributions],
) -> Vec<FeatureSummary> {
    check(x, rows, explained);
    let mut features: Vec<FeatureSummary> = x
        .names()
        .iter()
        .enumerate()
        .map(|(j, name)| {
            let shades = Shades::of(rows.iter().map(|&row| x.value(row, j)));
            let points: Vec<SummaryPoint> = rows
                .iter()
                .zip(explained)
                .map(|(&row, explained)| {
                    let value = known(x.value(row, j));
                    let shade = value.map(|value| shades.shade(value));
                    SummaryPoint { row, value, shade, contribution: explained.values[j] }
                })
                .collect();
            let contributions = points.iter().map(|point| point.contribution);
            let mean_abs = mean(contributions.clone().map(f64::abs));
            FeatureSummary { name: name.clone(), mean_abs, mean: mean(contributions), points }
        })
        .collect();
    features.sort_by(|a, b| b.mean_abs.total_cmp(&a.mean_abs));
    features
}

/// The known values of column `feature` in `rows` with what they contribute, beside those of column
/// `other`.
///
/// # Panics
///
/// As [`summarise`], and when there is no such column.
pub fn dependence(
    x: &FeatureMatrix,
    rows: &[usize],
    explained: &[Contributions],
    feature: usize,
    other: usize,
) -> Vec<DependencePoint> {
    check(x, rows, explained);
    rows.iter()
        .zip(explained)
        .filter_map(|(&row, explained)| {
            let value = known(x.value(row, feature))?;
            let other = known(x.value(row, other));
            Some(DependencePoint { row, value, contribution: explained.values[feature], other })
        })
        .collect()
}

/// How much each two features make together over the explained forecasts, the strongest first.
///
/// # Panics
///
/// When a table is not one of the features with these names.
pub fn interaction_strengths(
    names: &[String],
    explained: &[Interactions],
) -> Vec<InteractionStrength> {
    assert!(
        explained.iter().all(|once| once.values.len() == names.len()),
        "there is a row of the table for each name"
    );
    let mut strengths = Vec::new();
    for (i, first) in names.iter().enumerate() {
        for (j, second) in names.iter().enumerate().skip(i + 1) {
            // The table has a half on either side of the diagonal.
            let sizes = explained.iter().map(|once| 2.0 * once.values[i][j].abs());
            let (first, second) = (first.clone(), second.clone());
            strengths.push(InteractionStrength { first, second, mean_abs: mean(sizes) });
        }
    }
    strengths.sort_by(|a, b| b.mean_abs.total_cmp(&a.mean_abs));
    strengths
}

fn check(x: &FeatureMatrix, rows: &[usize], explained: &[Contributions]) {
    assert_eq!(rows.len(), explained.len(), "there is an explanation for each row");
    assert!(
        explained.iter().all(|once| once.values.len() == x.columns_count()),
        "there is a contribution for each column"
    );
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

/// The mean; zero of none.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

/// The range of values that is told apart.
#[derive(Clone, Copy, Debug)]
struct Shades {
    low: f64,
    high: f64,
}

impl Shades {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        // The nearest ranks.
        let at = |percent: usize| {
            sorted.get((sorted.len().saturating_sub(1) * percent + 50) / 100).copied()
        };
        Self { low: at(5).unwrap_or_default(), high: at(95).unwrap_or_default() }
    }

    fn shade(self, value: f64) -> f64 {
        if self.high > self.low {
            ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
        } else {
            0.5
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained() -> (FeatureMatrix, Vec<Contributions>) {
        let names = ["a", "b", "c"].map(str::to_owned).to_vec();
        let columns = vec![vec![1.0, 2.0, 3.0, 99.0], vec![f64::NAN, 5.0, 5.0, 5.0], vec![0.0; 4]];
        let values = [[0.1, -2.0, 0.0], [0.2, 2.0, 0.0], [-0.3, 1.0, 0.0]];
        let explained =
            values.map(|values| Contributions { base: 0.0, values: values.to_vec() }).to_vec();
        (FeatureMatrix::from_columns(names, columns).unwrap(), explained)
    }

    #[test]
    fn features_are_summarised_in_the_order_of_their_importance() {
        let (x, explained) = explained();
        let summary = summarise(&x, &[0, 1, 2], &explained);
        let names: Vec<&str> = summary.iter().map(|feature| feature.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert!((summary[0].mean_abs - 5.0 / 3.0).abs() < 1e-12);
        assert!((summary[0].mean - 1.0 / 3.0).abs() < 1e-12);
        assert!((summary[1].mean_abs - 0.2).abs() < 1e-12 && summary[1].mean.abs() < 1e-12);
        let shades = |of: &FeatureSummary| of.points.iter().map(|p| p.shade).collect::<Vec<_>>();
        assert_eq!(shades(&summary[0]), [None, Some(0.5), Some(0.5)]);
        assert_eq!(shades(&summary[1]), [Some(0.0), Some(0.5), Some(1.0)]);
        assert_eq!(summary[0].points[0].value, None);
    }

    #[test]
    fn shades_leave_the_outermost_values_aside() {
        let shades = Shades::of((0..=100).map(f64::from));
        let expected = [(0.0, 0.0), (5.0, 0.0), (50.0, 0.5), (95.0, 1.0), (1e9, 1.0)];
        for (value, shade) in expected {
            assert!((shades.shade(value) - shade).abs() < 1e-12, "{value}");
        }
    }

    #[test]
    fn dependence_leaves_out_what_is_missing() {
        let (x, explained) = explained();
        let points = dependence(&x, &[0, 1, 2], &explained, 1, 0);
        let found: Vec<(usize, f64, Option<f64>)> =
            points.iter().map(|p| (p.row, p.contribution, p.other)).collect();
        assert_eq!(found, [(1, 2.0, Some(2.0)), (2, 1.0, Some(3.0))]);
        assert_eq!(dependence(&x, &[0, 1, 2], &explained, 0, 1)[0].other, None);
    }

    #[test]
    fn interactions_are_added_up_from_both_halves() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let once = |ab: f64, bc: f64| Interactions {
            base: 0.0,
            values: vec![vec![9.0, ab, 0.0], vec![ab, 9.0, bc], vec![0.0, bc, 9.0]],
        };
        let strengths = interaction_strengths(&names, &[once(0.1, -1.0), once(-0.3, 1.0)]);
        let found: Vec<(&str, &str)> =
            strengths.iter().map(|s| (s.first.as_str(), s.second.as_str())).collect();
        assert_eq!(found, [("b", "c"), ("a", "b"), ("a", "c")]);
        let expected = [2.0, 0.4, 0.0];
        for (strength, expected) in strengths.iter().zip(expected) {
            assert!((strength.mean_abs - expected).abs() < 1e-12, "{strength:?}");
        }
    }
}
