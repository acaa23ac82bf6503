//! The Parzen estimator against Optuna's; `tests/golden/optuna_parzen.py` made the numbers.

use serde_json::Value;

use super::parzen::{Column, Parzen};
use crate::search_space::SearchSpace;

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn densities_are_optunas_up_to_a_constant() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/optuna_parzen.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let space: SearchSpace = serde_json::from_value(case["distributions"].clone()).unwrap();
        let column = |(name, distribution)| {
            let mut column = Column::of(distribution);
            for internal in numbers(&case["observed"][name]) {
                column.push(internal);
            }
            column
        };
        let columns = space.iter().map(column).collect();
        let parzen = Parzen::new(columns, &numbers(&case["weights"]), 1.0);
        let asked: Vec<Vec<f64>> = space.keys().map(|name| numbers(&case["asked"][name])).collect();
        let found = parzen.ln_densities(&asked);
        let expected = numbers(&case["ln_densities"]);
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - found_constant(&space)) - expected;
            // The table of the normal distribution and cells taken as straight.
            assert!(difference.abs() < 1e-5, "{}: {found} is not {expected}", case["name"]);
        }
    }
}

/// What our densities leave out: `ln sqrt(2 pi)` for each number without steps.
fn found_constant(space: &SearchSpace) -> f64 {
    let is_plain = |distribution: &&crate::search_space::Distribution| {
        matches!(distribution, crate::search_space::Distribution::Float { step: None, .. })
    };
    #[expect(clippy::cast_precision_loss, reason = "few parameters")]
    let count = space.values().filter(is_plain).count() as f64;
    count * 0.5 * (2.0 * std::f64::consts::PI).ln()
}
