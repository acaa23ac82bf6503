//! The same trees over other columns, and in other units.

use super::FittedGbdt;

/// A column that trees read and that is not among those given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trees read the feature '{0}', which is not among those given")]
pub struct NoSuchFeature(pub String);

impl FittedGbdt {
    /// Whether what the trees answer adds up to a forecast in the units of the target: not to one
    /// that a link makes of it, as a probability, and not to the score of a ranking.
    pub fn forecasts_target(&self) -> bool {
        self.output.forecasts_target()
    }

    /// The objective as LightGBM writes it, such as `regression` or `binary sigmoid:1`.
    pub fn objective_line(&self) -> &str {
        self.output.objective_line()
    }

    /// The same trees for rows with the columns `names`, among which are all that they read, in any
    /// order.
    ///
    /// # Errors
    ///
    /// [`NoSuchFeature`] names the first that is missing; what no tree splits may be.
    pub fn for_columns(&self, names: &[String]) -> Result<Self, NoSuchFeature> {
        let place = |feature: usize| {
            let name = &self.feature_names[feature];
            let place = names.iter().position(|other| other == name);
            place.ok_or_else(|| NoSuchFeature(name.clone()))
        };
        let mut trees = self.trees.clone();
        for node in trees.iter_mut().flat_map(|tree| &mut tree.nodes) {
            node.feature = place(node.feature)?;
        }
        let info = |name: &String| {
            let known = self.feature_names.iter().position(|other| other == name);
            known.map_or_else(|| "none".to_owned(), |j| self.feature_infos[j].clone())
        };
        let infos = names.iter().map(info).collect();
        Ok(Self::new(names.to_vec(), infos, trees, self.output.clone()))
    }

    /// The same trees with answers `factor` times as large.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let mut trees = self.trees.clone();
        for tree in &mut trees {
            for node in &mut tree.nodes {
                node.value *= factor;
            }
            for leaf in &mut tree.leaves {
                leaf.value *= factor;
            }
        }
        let (names, infos) = (self.feature_names.clone(), self.feature_infos.clone());
        Self::new(names, infos, trees, self.output.clone())
    }
}
