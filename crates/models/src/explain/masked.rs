//! What a model answers when only some features of a row are known: the mean over a background,
//! whose values the unknown features take.

use crate::explain::ExplanationError;
use crate::features::FeatureMatrix;

/// Numbers of a table that are predicted at once.
const CELLS_PER_CALL: usize = 1 << 22;

/// A row beside a background, for a model of which nothing is known but its answers.
pub(super) struct Masked<'a, P> {
    predict: P,
    row: &'a [f64],
    background: &'a FeatureMatrix,
}

/// Predicts a table and checks the answers.
pub(super) fn predicted<P>(predict: &P, x: &FeatureMatrix) -> Result<Vec<f64>, ExplanationError>
where
    P: Fn(&FeatureMatrix) -> Vec<f64>,
{
    let answers = predict(x);
    assert_eq!(answers.len(), x.rows_count(), "there is a prediction for each row");
    match answers.iter().position(|answer| !answer.is_finite()) {
        Some(row) => Err(ExplanationError::NotFinite { value: answers[row] }),
        None => Ok(answers),
    }
}

/// A table of the model's columns.
pub(super) fn table(names: &[String], columns: Vec<Vec<f64>>) -> FeatureMatrix {
    FeatureMatrix::from_columns(names.to_vec(), columns)
        .expect("names and values are those of other tables")
}

impl<'a, P> Masked<'a, P>
where
    P: Fn(&FeatureMatrix) -> Vec<f64>,
{
    /// # Panics
    ///
    /// When the row has not a value for each column, or one is infinite.
    pub(super) fn new(
        predict: P,
        row: &'a [f64],
        background: &'a FeatureMatrix,
    ) -> Result<Self, ExplanationError> {
        assert_eq!(row.len(), background.columns_count(), "there is a value for each column");
        assert!(row.iter().all(|value| !value.is_infinite()), "no value of the row is infinite");
        if background.rows_count() == 0 {
            return Err(ExplanationError::NoBackground);
        }
        Ok(Self { predict, row, background })
    }

    /// The answer for the row itself.
    pub(super) fn known(&self) -> Result<f64, ExplanationError> {
        let columns = self.row.iter().map(|value| vec![*value]).collect();
        Ok(predicted(&self.predict, &table(self.background.names(), columns))?[0])
    }

    /// The mean answer for the background.
    pub(super) fn unknown(&self) -> Result<f64, ExplanationError> {
        Ok(mean(&predicted(&self.predict, self.background)?))
    }

    /// The features in which some row of the background differs.
    pub(super) fn varying(&self) -> Vec<usize> {
        let differs = |j: &usize| {
            let own = self.row[*j];
            let same =
                |other: &f64| other.total_cmp(&own).is_eq() || (other.is_nan() && own.is_nan());
            !self.background.column(*j).iter().all(same)
        };
        (0..self.row.len()).filter(differs).collect()
    }

    /// The mean answer for each set of known features. A set is one flag for each of `features`;
    /// all other features are known.
    pub(super) fn worth(
        &self,
        features: &[usize],
        sets: &[Vec<bool>],
    ) -> Result<Vec<f64>, ExplanationError> {
        let (width, others) = (self.row.len(), self.background.rows_count());
        let sets_per_call = (CELLS_PER_CALL / (width * others)).max(1);
        let mut worth = Vec::with_capacity(sets.len());
        for sets in sets.chunks(sets_per_call) {
            let mut columns: Vec<Vec<f64>> =
                self.row.iter().map(|value| vec![*value; sets.len() * others]).collect();
            for (position, &feature) in features.iter().enumerate() {
                let background = self.background.column(feature);
                for (set, values) in sets.iter().zip(columns[feature].chunks_exact_mut(others)) {
                    if !set[position] {
                        values.copy_from_slice(background);
                    }
                }
            }
            let answers = predicted(&self.predict, &table(self.background.names(), columns))?;
            worth.extend(answers.chunks_exact(others).map(mean));
        }
        Ok(worth)
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
