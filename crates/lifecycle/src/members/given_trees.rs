//! Trees that learned elsewhere.

use std::sync::Arc;

use bist_models::{FittedForecaster as _, FittedGbdt, NoSuchFeature};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::forecast::sha256_hex;

/// Trees that learned elsewhere, in the place of ours.
///
/// In a record they are named by their hash. Trees read from a record are absent until they are
/// attached, from the model in which they serve.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenTrees {
    /// SHA-256 of the trees in LightGBM's text format, over our columns, in lower-case hexadecimal.
    sha256: String,
    /// The last day of whose prices they know anything, as whoever gave them says.
    known_until: Date,
    #[serde(skip)]
    trees: Option<Arc<FittedGbdt>>,
}

impl PartialEq for GivenTrees {
    /// Trees are told apart by their hash, absent or not.
    fn eq(&self, other: &Self) -> bool {
        (&self.sha256, self.known_until) == (&other.sha256, other.known_until)
    }
}

/// Why trees do not serve here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GivenTreesError {
    /// They read what is not computed here.
    #[error(
        "{0}; `bist models table` writes the features that there are, and trees may read any of them"
    )]
    Feature(#[from] NoSuchFeature),
    /// Their answers are not in the units of a return.
    #[error(
        "trained for '{0}', the trees do not answer with a return; train them on the column `target` \
         for regression, regression_l1, huber, fair, quantile or mape"
    )]
    Objective(String),
    /// They are not those that the record names.
    #[error("the trees of the model are not those that its record names")]
    OtherTrees,
}

impl GivenTrees {
    /// `trees`, which know nothing of prices after `known_until`, for rows with the columns `names`.
    ///
    /// # Errors
    ///
    /// [`GivenTreesError`] when they read another column or answer with something else than a return.
    pub fn new(
        trees: &FittedGbdt,
        known_until: Date,
        names: &[String],
    ) -> Result<Self, GivenTreesError> {
        if !trees.forecasts_target() {
            return Err(GivenTreesError::Objective(trees.objective_line().to_owned()));
        }
        let trees = trees.for_columns(names)?;
        let sha256 = sha256_hex(trees.to_lightgbm_text().as_bytes());
        Ok(Self { sha256, known_until, trees: Some(Arc::new(trees)) })
    }

    /// The last day of whose prices they know anything, as whoever gave them says.
    pub fn known_until(&self) -> Date {
        self.known_until
    }

    /// Puts `trees` in, which a record names.
    ///
    /// # Errors
    ///
    /// [`GivenTreesError::OtherTrees`] when their hash is another.
    pub fn attach(&mut self, trees: FittedGbdt) -> Result<(), GivenTreesError> {
        if sha256_hex(trees.to_lightgbm_text().as_bytes()) != self.sha256 {
            return Err(GivenTreesError::OtherTrees);
        }
        self.trees = Some(Arc::new(trees));
        Ok(())
    }

    /// The trees; `None` when they are absent, or do not read the columns `names` alone.
    pub(crate) fn trees(&self, names: &[String]) -> Option<&FittedGbdt> {
        self.trees.as_deref().filter(|trees| trees.feature_names() == names)
    }
}
