//! Ridge against scikit-learn's; `tests/golden/ridge_sklearn.py` made the numbers.

use bist_models::{FeatureMatrix, FitError, Forecaster as _, Ridge};
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
    predicted: Vec<f64>,
}

#[test]
fn ridge_predicts_what_scikit_learn_does() {
    let golden: Golden =
        serde_json::from_str(include_str!("../golden/ridge_sklearn.json")).unwrap();
    let table = Table::generate(400, 8, 3);
    let x = known(FeatureMatrix::from_columns(table.names, table.columns).unwrap());
    let (train, test): (Vec<usize>, Vec<usize>) = (0..400).partition(|row| *row < 300);
    for GoldenFit { alpha, predicted } in golden.fits {
        let ours = Ridge { alpha }.fit(&x, &table.y, &train, &[]).unwrap().predict(&x, &test);
        for (ours, theirs) in ours.iter().zip(&predicted) {
            assert!((ours - theirs).abs() < 1e-8, "alpha {alpha}: {ours} and {theirs}");
        }
    }
}

#[test]
fn columns_that_depend_on_each_other_need_a_penalty() {
    let table = Table::generate(50, 5, 1);
    let double = table.columns[0].iter().map(|value| 2.0 * value).collect();
    let columns = vec![table.columns[0].clone(), double];
    let x = known(FeatureMatrix::from_columns(vec!["a".into(), "b".into()], columns).unwrap());
    let rows: Vec<usize> = (0..50).collect();
    let fit = |alpha| Ridge { alpha }.fit(&x, &table.y, &rows, &[]).map(drop);
    assert_eq!(fit(0.0), Err(FitError::Singular { alpha: 0.0 }));
    assert_eq!(fit(1.0), Ok(()));
    assert!(matches!(fit(-1.0), Err(FitError::Parameter { name: "alpha", .. })));
    assert!(matches!(fit(f64::NAN), Err(FitError::Parameter { name: "alpha", .. })));
}
