//! Our statistics against those of `SciPy`, statsmodels, arch and dieboldmariano; the scripts
//! beside the files in `tests/golden` made the numbers.

use bist_lifecycle::bootstrap::{StationaryBootstrap, optimal_block_length};
use bist_lifecycle::diebold_mariano::DieboldMariano;
use bist_lifecycle::rank_ic::{Correlation, DependentMean};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/rank_ic_statsmodels.json")).unwrap()
}

fn arch() -> Value {
    serde_json::from_str(include_str!("../golden/bootstrap_arch.json")).unwrap()
}

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn rank_correlations_with_ties_are_those_of_scipy() {
    for case in golden()["spearman"].as_array().unwrap() {
        let (actual, expected) = (
            Correlation::Spearman.of(&numbers(&case["x"]), &numbers(&case["y"])),
            case["rho"].as_f64().unwrap(),
        );
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

#[test]
fn correlations_of_values_are_those_of_scipy() {
    for case in arch()["pearson"].as_array().unwrap() {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        let (actual, expected) = (Correlation::Pearson.of(&x, &y), case["rho"].as_f64().unwrap());
        assert!((actual - expected).abs() < 1e-13, "{actual} is not {expected}");
    }
}

#[test]
fn block_lengths_are_those_of_arch() {
    for case in arch()["block_lengths"].as_array().unwrap() {
        let actual = optimal_block_length(&numbers(&case["series"]));
        // A block has at least one value; arch leaves it to the caller.
        let expected = case["stationary"].as_f64().unwrap().max(1.0);
        // Sums of at most five hundred products, of which differences are taken.
        assert!((actual - expected).abs() < 1e-9 * expected, "{actual} is not {expected}");
    }
}

/// The draws differ, so the quantiles agree as far as 20,000 draws each tell them: at 2.5 % the
/// standard error of a quantile is `sqrt(0.025 * 0.975 / n) / density`, for a normal statistic 0.019
/// of its standard deviation; both together 0.027. Allowed are four of those.
#[test]
fn bootstrap_intervals_are_those_of_arch() {
    let ratio = |values: &[f64]| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        mean / (squares / (n - 1.0)).sqrt()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let golden = arch();
    let resamples_count = u32::try_from(golden["resamples"].as_u64().unwrap()).unwrap();
    for case in golden["intervals"].as_array().unwrap() {
        let mean_block_length = case["mean_block_length"].as_f64().unwrap();
        let bootstrap = StationaryBootstrap { mean_block_length, resamples_count, seed: 7 };
        let series = numbers(&case["series"]);
        for (name, actual) in [
            ("mean", bootstrap.estimate(&series, mean, 0.95).unwrap()),
            ("ratio", bootstrap.estimate(&series, ratio, 0.95).unwrap()),
        ] {
            let allowed = 4.0 * 0.027 * case[format!("{name}_deviation")].as_f64().unwrap();
            for (ours, theirs) in [actual.low, actual.high].iter().zip(numbers(&case[name])) {
                assert!((ours - theirs).abs() < allowed, "{name}: {ours} is not {theirs}");
            }
        }
    }
}

#[test]
fn comparisons_of_losses_are_those_of_dieboldmariano() {
    let golden: Value =
        serde_json::from_str(include_str!("../golden/diebold_mariano.json")).unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let horizon = u8::try_from(case["horizon"].as_u64().unwrap()).unwrap();
        let actual = DieboldMariano::of(&numbers(&case["differences"]), horizon).unwrap();
        // The package ends its continued fraction at 1e-10.
        for (ours, name) in [(actual.statistic, "statistic"), (actual.p_value, "p_value")] {
            let expected = case[name].as_f64().unwrap();
            assert!((ours - expected).abs() < 1e-9, "{name} {ours} is not {expected}");
        }
    }
}
