//! Exact Shapley values of boosted trees.

use std::ops::Range;

use crate::explain::Contributions;
use crate::features::FeatureMatrix;
use crate::forecaster::{FittedForecaster, assert_columns};
use crate::gbdt::{Child, FittedGbdt, Tree};

impl FittedGbdt {
    /// Exact Shapley values of every feature for one row, by the tree path method.
    ///
    /// What a tree answers when only some features are known is the mean over the training rows
    /// that agree with the known ones at each branch ("path-dependent"). A missing value takes the
    /// branch chosen for missing values in training. The values have the units of the raw score
    /// ([`Self::raw_scores`]: the forecast itself for regression, the logarithm of the odds for log
    /// loss), and `base + sum(values)` equals it within 1e-9.
    ///
    /// Source: Lundberg et al. (2020), "From local explanations to global understanding with
    /// explainable AI for trees", algorithm 2 (EXTEND and UNWIND).
    ///
    /// # Panics
    ///
    /// When the columns of `x` are not those of the model, or `row` is outside `x`.
    pub fn contributions(&self, x: &FeatureMatrix, row: usize) -> Contributions {
        assert_columns(self.feature_names(), x);
        self.row_contributions(&x.row(row))
    }

    /// The same for one row of feature values in the order of the columns.
    ///
    /// # Panics
    ///
    /// When there are not as many values as columns.
    pub fn row_contributions(&self, row: &[f64]) -> Contributions {
        assert_eq!(row.len(), self.feature_names().len(), "there is a value for each column");
        let mut explained = Contributions { base: 0.0, values: vec![0.0; row.len()] };
        let share = self.tree_share();
        for tree in self.trees() {
            explained.base += share * expected_value(tree);
            let values = &mut explained.values;
            let mut walk = Walk { tree, share, row, values, steps: Vec::new() };
            walk.visit(tree.root(), 0..0, Step::new(None, 1.0, 1.0));
        }
        explained
    }
}

/// The mean of the tree's answers over the training rows.
fn expected_value(tree: &Tree) -> f64 {
    if tree.nodes.is_empty() {
        return tree.leaves[0].value;
    }
    let all = rows_count(tree, tree.root());
    (0..tree.leaves.len())
        .map(|leaf| rows_count(tree, Child::Leaf(leaf)) / all * tree.leaves[leaf].value)
        .sum()
}

/// Training rows that came to a node or leaf.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn rows_count(tree: &Tree, at: Child) -> f64 {
    match at {
        Child::Node(node) => tree.nodes[node].rows_count as f64,
        Child::Leaf(leaf) => tree.leaves[leaf].rows_count as f64,
    }
}

/// One feature on the way from the root: `d`, `z`, `o` and `w` of the source.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// The feature; none for the root's own element.
    feature: Option<usize>,
    /// Share of the rows that take this way when the feature is unknown.
    zero_share: f64,
    /// Whether the explained row takes this way: 1 or 0.
    one_share: f64,
    /// Weight of the subsets of this size.
    weight: f64,
}

impl Step {
    fn new(feature: Option<usize>, zero_share: f64, one_share: f64) -> Self {
        Self { feature, zero_share, one_share, weight: 0.0 }
    }
}

/// EXTEND: gives the last of `path` its place among the subsets of those before it.
#[expect(clippy::cast_precision_loss, reason = "a path is no longer than a tree is deep")]
fn extend(path: &mut [Step]) {
    let last = path.len() - 1;
    let size = path.len() as f64;
    let Step { zero_share, one_share, .. } = path[last];
    path[last].weight = if last == 0 { 1.0 } else { 0.0 };
    for i in (0..last).rev() {
        path[i + 1].weight += one_share * path[i].weight * (i + 1) as f64 / size;
        path[i].weight *= zero_share * (last - i) as f64 / size;
    }
}

/// UNWIND: takes step `at` out again; the last of `path` is then no part of it.
#[expect(clippy::cast_precision_loss, reason = "a path is no longer than a tree is deep")]
fn unwind(path: &mut [Step], at: usize) {
    let last = path.len() - 1;
    let size = path.len() as f64;
    let Step { zero_share, one_share, .. } = path[at];
    let mut next = path[last].weight;
    for j in (0..last).rev() {
        if one_share > 0.0 {
            let kept = path[j].weight;
            path[j].weight = next * size / ((j + 1) as f64 * one_share);
            next = kept - path[j].weight * zero_share * (last - j) as f64 / size;
        } else {
            path[j].weight *= size / (zero_share * (last - j) as f64);
        }
    }
    // The features close up; the weights belong to the places.
    for j in at..last {
        let weight = path[j].weight;
        path[j] = path[j + 1];
        path[j].weight = weight;
    }
}

/// The sum of the weights that [`unwind`] would leave.
#[expect(clippy::cast_precision_loss, reason = "a path is no longer than a tree is deep")]
fn unwound_sum(path: &[Step], at: usize) -> f64 {
    let last = path.len() - 1;
    let size = path.len() as f64;
    let Step { zero_share, one_share, .. } = path[at];
    let mut sum = 0.0;
    if one_share > 0.0 {
        let mut next = path[last].weight;
        for j in (0..last).rev() {
            let weight = next / ((j + 1) as f64 * one_share);
            next = path[j].weight - weight * zero_share * (last - j) as f64;
            sum += weight;
        }
    } else {
        for (j, step) in path[..last].iter().enumerate() {
            sum += step.weight / (zero_share * (last - j) as f64);
        }
    }
    sum * size
}

/// RECURSE of the source. The paths of all nodes above the visited one lie one after the other in
/// `steps`.
struct Walk<'a> {
    tree: &'a Tree,
    /// What the tree's answers count for.
    share: f64,
    row: &'a [f64],
    values: &'a mut [f64],
    steps: Vec<Step>,
}

impl Walk<'_> {
    /// Visits a node or leaf; its path is the one at `above` and one more step.
    fn visit(&mut self, at: Child, above: Range<usize>, step: Step) {
        let start = self.steps.len();
        self.steps.extend_from_within(above);
        self.steps.push(step);
        extend(&mut self.steps[start..]);
        match at {
            Child::Leaf(leaf) => self.credit(start, self.share * self.tree.leaves[leaf].value),
            Child::Node(node) => self.branch(start, node),
        }
        self.steps.truncate(start);
    }

    /// Credits a leaf's answer to the features of the path that begins at `start`.
    fn credit(&mut self, start: usize, answer: f64) {
        let path = &self.steps[start..];
        for (i, step) in path.iter().enumerate() {
            if let Some(feature) = step.feature {
                self.values[feature] +=
                    unwound_sum(path, i) * (step.one_share - step.zero_share) * answer;
            }
        }
    }

    /// Goes both ways, the row's own first.
    fn branch(&mut self, start: usize, index: usize) {
        let node = &self.tree.nodes[index];
        let hot = node.child(self.row[node.feature]);
        let cold = if hot == node.left { node.right } else { node.left };
        let (mut zero_share, mut one_share) = (1.0, 1.0);
        let path = &mut self.steps[start..];
        if let Some(earlier) = path.iter().position(|step| step.feature == Some(node.feature)) {
            (zero_share, one_share) = (path[earlier].zero_share, path[earlier].one_share);
            unwind(path, earlier);
            self.steps.pop();
        }
        let end = self.steps.len();
        let all = rows_count(self.tree, Child::Node(index));
        let share = |child| zero_share * rows_count(self.tree, child) / all;
        let (hot_share, cold_share) = (share(hot), share(cold));
        self.visit(hot, start..end, Step::new(Some(node.feature), hot_share, one_share));
        self.visit(cold, start..end, Step::new(Some(node.feature), cold_share, 0.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 6;

    /// What a tree answers when only the features in `known` (bits) are known.
    fn answer(tree: &Tree, at: Child, row: &[f64], known: usize) -> f64 {
        match at {
            Child::Leaf(leaf) => tree.leaves[leaf].value,
            Child::Node(index) => {
                let node = &tree.nodes[index];
                if known >> node.feature & 1 == 1 {
                    return answer(tree, node.child(row[node.feature]), row, known);
                }
                let part = |child| rows_count(tree, child) * answer(tree, child, row, known);
                (part(node.left) + part(node.right)) / rows_count(tree, at)
            }
        }
    }

    /// The definition: the mean over all orders in which the features may become known.
    fn shapley_values(fitted: &FittedGbdt, row: &[f64]) -> Vec<f64> {
        let answers: Vec<f64> = (0..1 << WIDTH)
            .map(|known| fitted.trees().iter().map(|t| answer(t, t.root(), row, known)).sum())
            .collect();
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        (0..WIDTH)
            .map(|feature| {
                (0_usize..1 << WIDTH)
                    .filter(|known| known >> feature & 1 == 0)
                    .map(|known| {
                        let size = known.count_ones() as usize;
                        factorial(size) * factorial(WIDTH - size - 1) / factorial(WIDTH)
                            * (answers[known | 1 << feature] - answers[known])
                    })
                    .sum()
            })
            .collect()
    }

    #[test]
    fn contributions_are_the_shapley_values_of_the_definition() {
        let text = include_str!("../../tests/golden/ours_model.txt");
        let fitted = FittedGbdt::from_lightgbm_text(text).unwrap();
        let table = bist_testkit::table::Table::generate(20, WIDTH, 5);
        let x = FeatureMatrix::from_columns(table.names, table.columns).unwrap();
        let mut largest = 0.0_f64;
        for row in 0..20 {
            let explained = fitted.contributions(&x, row);
            for (value, expected) in
                explained.values.iter().zip(shapley_values(&fitted, &x.row(row)))
            {
                assert!((value - expected).abs() < 1e-12, "row {row}: {value} and {expected}");
                largest = largest.max(value.abs());
            }
        }
        assert!(largest > 0.1, "the model must say something");
    }
}
