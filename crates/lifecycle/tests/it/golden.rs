//! Our statistics against those of `SciPy` and statsmodels (`tests/golden/rank_ic_statsmodels.py`).

use bist_lifecycle::rank_ic::{DependentMean, spearman};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/rank_ic_statsmodels.json")).unwrap()
}

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn rank_correlations_with_ties_are_those_of_scipy() {
    for case in golden()["spearman"].as_array().unwrap() {
        let (actual, expected) =
            (spearman(&numbers(&case["x"]), &numbers(&case["y"])), case["rho"].as_f64().unwrap());
        // Sums of at most forty products of numbers of size one.
        assert!((actual - expected).abs() < 1e-13, "{actual} is not {expected}");
    }
}

#[test]
fn standard_errors_of_dependent_series_are_those_of_statsmodels() {
    for case in golden()["newey_west"].as_array().unwrap() {
        let lag = usize::try_from(case["lag"].as_u64().unwrap()).unwrap();
        let actual = DependentMean::newey_west(&numbers(&case["series"]), lag).unwrap();
        for (ours, name) in [(actual.mean, "mean"), (actual.standard_error, "standard_error")] {
            let expected = case[name].as_f64().unwrap();
            assert!((ours - expected).abs() < 1e-12, "{name} {ours} is not {expected}");
        }
    }
}
