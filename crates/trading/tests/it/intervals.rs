//! Our intervals against those of `SciPy` and statsmodels (`tests/golden/intervals_scipy.py`).

use bist_trading::Estimate;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../golden/intervals_scipy.json")).unwrap()
}

fn numbers(row: &Value) -> Vec<f64> {
    row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The quantiles come from a bisection that ends at the limit of doubles; the incomplete beta
/// function behind it is good to about 1e-12, and less for a quarter of a million degrees of freedom.
#[track_caller]
fn check(actual: Estimate, value: f64, low: f64, high: f64) {
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + b.abs());
    assert!(
        close(actual.value, value) && close(actual.low, low) && close(actual.high, high),
        "{actual:?} is not {value} ({low} to {high})"
    );
}

#[test]
fn student_intervals_are_those_of_scipy() {
    for row in golden()["student"].as_array().unwrap() {
        let [value, error, freedom, level, low, high] = numbers(row)[..] else { panic!("{row}") };
        check(Estimate::from_student_t(value, error, freedom, level).unwrap(), value, low, high);
    }
}

#[test]
fn wilson_intervals_are_those_of_statsmodels() {
    for row in golden()["wilson"].as_array().unwrap() {
        let [share, trials, level, low, high] = numbers(row)[..] else { panic!("{row}") };
        check(Estimate::of_share(share, trials, level).unwrap(), share, low, high);
    }
}

#[test]
fn intervals_of_a_mean_are_those_of_statsmodels() {
    for row in golden()["means"].as_array().unwrap() {
        let [level, mean, low, high] = numbers(&Value::from(&row.as_array().unwrap()[1..]))[..]
        else {
            panic!("{row}")
        };
        check(Estimate::of_mean(&numbers(&row[0]), level).unwrap(), mean, low, high);
    }
}

#[test]
fn what_cannot_be_estimated_is_none() {
    assert_eq!(Estimate::of_mean(&[1.0], 0.95), None);
    assert_eq!(Estimate::of_share(0.5, 0.0, 0.95), None);
    assert_eq!(Estimate::of_share(1.1, 5.0, 0.95), None);
    assert_eq!(Estimate::from_student_t(f64::NAN, 1.0, 5.0, 0.95), None);
    assert_eq!(Estimate::from_student_t(0.0, 1.0, 0.0, 0.95), None);
    assert_eq!(Estimate::from_student_t(0.0, 1.0, 5.0, 1.0), None);
}

#[test]
fn an_estimate_is_shown_with_its_interval() {
    let estimate = Estimate { value: 0.0312, low: 0.0101, high: 0.0523, level: 0.95 };
    assert_eq!(estimate.to_string(), "0.0312 (95 %: 0.0101 to 0.0523)");
    assert_eq!(format!("{estimate:.2}"), "0.03 (95 %: 0.01 to 0.05)");
}
