//! The elastic net against scikit-learn's; `tests/golden/elastic_net_sklearn.py` made the numbers.

use bist_models::{
    ElasticNet, FeatureMatrix, FitError, FittedElasticNet, FittedForecaster as _, Ridge,
};
use bist_testkit::table::Table;
use serde::Deserialize;

use crate::battery::known;

#[derive(Deserialize)]
struct Golden {
    fits: Vec<GoldenFit>,
}

#[derive(Deserialize)]
struct GoldenFit {
    alpha: f64,
    l1_ratio: f64,
    coefficients: Vec<f64>,
    predicted: Vec<f64>,
}

/// Both searches end within rounding of the minimum, which is one point.
#[test]
fn the_elastic_net_is_the_one_of_scikit_learn() {
    let golden: Golden =
        serde_json::from_str(include_str!("../golden/elastic_net_sklearn.json")).unwrap();
    let table = Table::generate(400, 8, 3);
    let x = known(FeatureMatrix::from_columns(table.names, table.columns).unwrap());
    let (train, test): (Vec<usize>, Vec<usize>) = (0..400).partition(|row| *row < 300);
    for GoldenFit { alpha, l1_ratio, coefficients, predicted } in golden.fits {
        let net = ElasticNet { alpha, l1_ratio };
        let fitted = net.fit_coefficients(&x.features, &table.y, &train).unwrap();
        for (ours, theirs) in fitted.coefficients().iter().zip(&coefficients) {
            assert!((ours - theirs).abs() < 1e-8, "{net:?}: {ours} and {theirs}");
            // What is left out is the same, not nearly so.
            assert_eq!(ours.abs() <= 0.0, theirs.abs() <= 0.0, "{net:?}");
        }
        for (ours, theirs) in fitted.predict(&x, &test).iter().zip(&predicted) {
            assert!((ours - theirs).abs() < 1e-8, "{net:?}: {ours} and {theirs}");
        }
    }
}

#[test]
fn a_model_without_a_coefficient_for_each_feature_is_not_read() {
    let table = Table::generate(100, 8, 5);
    let x = known(FeatureMatrix::from_columns(table.names, table.columns).unwrap());
    let rows: Vec<usize> = (0..100).collect();
    let net = ElasticNet { alpha: 0.01, l1_ratio: 0.5 };
    let fitted = net.fit_coefficients(&x.features, &table.y, &rows).unwrap();
    let written = serde_json::to_value(&fitted).unwrap();
    assert_eq!(serde_json::from_value::<FittedElasticNet>(written.clone()).unwrap(), fitted);
    for field in ["feature_names", "means", "std_devs", "coefficients"] {
        let mut changed = written.clone();
        changed[field].as_array_mut().unwrap().pop();
        let error = serde_json::from_value::<FittedElasticNet>(changed).unwrap_err().to_string();
        let why = "there is not one mean, deviation and coefficient for each feature";
        assert_eq!(error, why, "{field}");
    }
}

/// The ridge's penalty is on the sum over rows, that of the net on the mean.
#[test]
fn without_a_penalty_on_sizes_it_is_the_ridge() {
    let table = Table::generate(400, 8, 5);
    let x = known(FeatureMatrix::from_columns(table.names, table.columns).unwrap());
    let rows: Vec<usize> = (0..400).collect();
    let net = ElasticNet { alpha: 0.05, l1_ratio: 0.0 };
    let net = net.fit_coefficients(&x.features, &table.y, &rows).unwrap().predict(&x, &rows);
    let ridge = Ridge { alpha: 0.05 * 400.0 };
    let ridge = ridge.fit_coefficients(&x.features, &table.y, &rows).unwrap().predict(&x, &rows);
    for (net, ridge) in net.iter().zip(&ridge) {
        assert!((net - ridge).abs() < 1e-9, "{net} and {ridge}");
    }
}

#[test]
fn columns_that_repeat_each_other_share_and_bad_penalties_are_refused() {
    let table = Table::generate(50, 5, 1);
    let columns = vec![table.columns[0].clone(); 2];
    let x = known(FeatureMatrix::from_columns(vec!["a".into(), "b".into()], columns).unwrap());
    let rows: Vec<usize> = (0..50).collect();
    let fit = |alpha, l1_ratio| {
        ElasticNet { alpha, l1_ratio }.fit_coefficients(&x.features, &table.y, &rows)
    };
    let shared = fit(0.01, 0.5).unwrap();
    assert!((shared.coefficients()[0] - shared.coefficients()[1]).abs() < 1e-6, "{shared:?}");
    assert!(matches!(fit(-1.0, 0.5), Err(FitError::Parameter { name: "alpha", .. })));
    assert!(matches!(fit(1.0, 1.1), Err(FitError::Parameter { name: "l1_ratio", .. })));
    assert!(matches!(fit(1.0, f64::NAN), Err(FitError::Parameter { name: "l1_ratio", .. })));
}
