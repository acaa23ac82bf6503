//! Shapley values by their definition, for the tests: games of few players, given by what every set
//! of players (bits of its index) is worth.

use std::collections::BTreeMap;

use bist_market::Symbol;

use crate::features::{FeatureMatrix, Known, RowKey};
use crate::gbdt::{Child, FeatureRole, FittedGbdt, Gbdt, GbdtParams, Tree};

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

/// The mean over all orders of the players of what each adds.
pub(super) fn shapley_values(worth: &[f64]) -> Vec<f64> {
    let players = worth.len().trailing_zeros() as usize;
    let value = |player: usize| {
        let without = (0..worth.len()).filter(|set| set >> player & 1 == 0);
        let terms = without.map(|set| {
            let size = set.count_ones() as usize;
            let weight = factorial(size) * factorial(players - size - 1) / factorial(players);
            weight * (worth[set | 1 << player] - worth[set])
        });
        terms.sum()
    };
    (0..players).map(value).collect()
}

/// The Shapley interaction index, half of it on either side of the diagonal, and on the diagonal
/// what is left of each value.
pub(super) fn shapley_interactions(worth: &[f64]) -> Vec<Vec<f64>> {
    let players = worth.len().trailing_zeros() as usize;
    let mut table = vec![vec![0.0; players]; players];
    for a in 0..players {
        for b in (0..players).filter(|&b| b != a) {
            let pair = 1 << a | 1 << b;
            let without = (0..worth.len()).filter(|set| set & pair == 0);
            let terms = without.map(|set| {
                let size = set.count_ones() as usize;
                let weight = factorial(size) * factorial(players - size - 2)
                    / (2.0 * factorial(players - 1));
                let both = worth[set | pair] + worth[set];
                weight * (both - worth[set | 1 << a] - worth[set | 1 << b])
            });
            table[a][b] = terms.sum();
        }
    }
    for (a, value) in shapley_values(worth).into_iter().enumerate() {
        table[a][a] = value - table[a].iter().sum::<f64>();
    }
    table
}

/// What the trees answer when only some features are known, for each set of known features.
pub(super) fn path_dependent_worth(fitted: &FittedGbdt, row: &[f64]) -> Vec<f64> {
    let share = fitted.tree_share();
    let answers = |known| {
        let trees = fitted.trees_and_paths();
        trees.map(|(tree, _)| share * answer(tree, tree.root(), row, known)).sum()
    };
    (0..1 << row.len()).map(answers).collect()
}

fn answer(tree: &Tree, at: Child, row: &[f64], known: usize) -> f64 {
    let count = |at: Child| match at {
        Child::Node(node) => tree.nodes[node].rows_count as f64,
        Child::Leaf(leaf) => tree.leaves[leaf].rows_count as f64,
    };
    match at {
        Child::Leaf(leaf) => tree.leaves[leaf].value,
        Child::Node(index) => {
            let node = &tree.nodes[index];
            if known >> node.feature & 1 == 1 {
                return answer(tree, node.child(row[node.feature]), row, known);
            }
            let part = |child| count(child) * answer(tree, child, row, known);
            (part(node.left) + part(node.right)) / count(at)
        }
    }
}

/// Models of different shapes and the rows to explain: with missing values, with a categorical
/// feature, of one leaf, and so deep that features come back on the way.
pub(super) fn models() -> Vec<(FittedGbdt, FeatureMatrix)> {
    let mut models = Vec::new();
    for (columns, trees, leaves, min_rows, seed) in
        [(6, 12, 31, 5, 1), (10, 8, 20, 2, 2), (5, 3, 200, 1, 3), (8, 20, 4, 20, 4)]
    {
        let mut table = bist_testkit::table::Table::generate(600, columns, seed);
        let category =
            |value: &f64| if value.is_nan() { *value } else { (4.0 * value + 4.0).floor() };
        table.columns[1] = table.columns[1].iter().map(category).collect();
        let features = FeatureMatrix::from_columns(table.names, table.columns).unwrap();
        let params = GbdtParams {
            num_iterations: trees,
            num_leaves: leaves,
            min_data_in_leaf: min_rows,
            ..GbdtParams::default()
        };
        let roles = BTreeMap::from([("Column_1".to_owned(), FeatureRole::Categorical)]);
        let day = jiff::civil::date(2024, 1, 2);
        let key = RowKey::daily(day, Symbol::parse("THYAO").unwrap());
        let (keys, log_close, stretch) = (vec![key; 600], vec![0.0; 600], vec![0; 600]);
        let known = Known { keys, features, log_close, stretch };
        let rows: Vec<usize> = (0..600).collect();
        let fitted = Gbdt { params, seed }.fit_known(&known, &roles, &table.y, &rows, &[]).unwrap();
        models.push((fitted, known.features));
    }
    models
}
