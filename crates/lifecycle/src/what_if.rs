//! What the model would say if features of a row were others.
//!
//! Only what the model sees in that row changes: the network sees other features at its last step
//! and the same rows before. Prophet looks at no feature and says what it said. Features that follow
//! from the same prices (a return and its rank, say) do not move with each other, and neither does
//! the volatility by which bands are drawn.

use std::collections::BTreeMap;

use serde::Serialize;

/// Names that are suggested in place of one that is not known.
const NEAR_COUNT: usize = 3;

/// A feature that was changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FeatureChange {
    /// Its name.
    pub feature: String,
    /// Its value in the row; `None` when it is not known.
    pub before: Option<f64>,
    /// The value in its place.
    pub after: f64,
}

/// A change that cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The model reads no such feature.
    #[error("the model reads no feature '{feature}'; near it are {}", near.join(", "))]
    UnknownFeature {
        /// The name given.
        feature: String,
        /// The nearest names that there are.
        near: Vec<String>,
    },
    /// A value that is not a finite number.
    #[error("{feature}: {value} is not a value; give a finite number")]
    NotFinite {
        /// The feature.
        feature: String,
        /// The value given.
        value: f64,
    },
    /// Nothing is to be changed.
    #[error("nothing is changed; give one feature or more with a value")]
    Nothing,
}

/// The `features` of a row, which have these `names`, with `changes` made to them, and the changes in
/// the order of their names.
///
/// # Errors
///
/// [`ChangeError`] for the first change that cannot be made.
pub fn change_features(
    names: &[String],
    features: &[f64],
    changes: &BTreeMap<String, f64>,
) -> Result<(Vec<f64>, Vec<FeatureChange>), ChangeError> {
    if changes.is_empty() {
        return Err(ChangeError::Nothing);
    }
    let mut changed = features.to_vec();
    let mut made = Vec::with_capacity(changes.len());
    for (feature, &after) in changes {
        let Some(index) = names.iter().position(|name| name == feature) else {
            let near = nearest(feature, names);
            return Err(ChangeError::UnknownFeature { feature: feature.clone(), near });
        };
        if !after.is_finite() {
            return Err(ChangeError::NotFinite { feature: feature.clone(), value: after });
        }
        let before = Some(features[index]).filter(|value| value.is_finite());
        changed[index] = after;
        made.push(FeatureChange { feature: feature.clone(), before, after });
    }
    Ok((changed, made))
}

/// The names that take the fewest edits to become `wanted`, the nearest first.
fn nearest(wanted: &str, names: &[String]) -> Vec<String> {
    let mut by_edits: Vec<(usize, &String)> =
        names.iter().map(|name| (edits(wanted, name), name)).collect();
    by_edits.sort();
    by_edits.into_iter().take(NEAR_COUNT).map(|(_, name)| name.clone()).collect()
}

/// How many letters must be put in, taken out or replaced to make `b` of `a` (Levenshtein 1966).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, of_b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(of_a != *of_b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(changes: &[(&str, f64)]) -> Result<(Vec<f64>, Vec<FeatureChange>), ChangeError> {
        let names = ["return_5", "rsi_14", "mfi_14", "beta_60"].map(str::to_owned);
        let changes = changes.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        change_features(&names, &[0.01, 71.0, f64::NAN, 1.2], &changes)
    }

    #[test]
    fn named_features_change_and_the_others_stay() {
        let (changed, made) = change(&[("rsi_14", 30.0), ("mfi_14", 50.0)]).unwrap();
        assert_eq!(changed, [0.01, 30.0, 50.0, 1.2]);
        let told: Vec<(&str, Option<f64>, f64)> = made
            .iter()
            .map(|change| (change.feature.as_str(), change.before, change.after))
            .collect();
        assert_eq!(told, [("mfi_14", None, 50.0), ("rsi_14", Some(71.0), 30.0)]);
    }

    #[test]
    fn what_is_no_feature_or_no_number_is_refused() {
        let unknown = change(&[("rsi14", 30.0)]).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "the model reads no feature 'rsi14'; near it are rsi_14, mfi_14, beta_60"
        );
        let infinite = change(&[("rsi_14", f64::INFINITY)]).unwrap_err();
        assert_eq!(infinite.to_string(), "rsi_14: inf is not a value; give a finite number");
        assert_eq!(change(&[]), Err(ChangeError::Nothing));
    }
}
