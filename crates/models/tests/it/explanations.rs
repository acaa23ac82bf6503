//! Explanations, against Python's shap and lime; the scripts beside the numbers in `tests/golden`
//! made them.

use std::collections::BTreeMap;

use bist_models::{
    FeatureMatrix, FittedGbdt, KernelShapParams, Lime, LimeParams, Neighbourhood, kernel_shap,
};
use bist_testkit::table::Table;
use serde::Deserialize;

const MODEL: &str = include_str!("../golden/trees_shap.txt");

/// What shap says of the model, for rows with missing values.
#[derive(Deserialize)]
struct Shap {
    rows: Vec<Vec<Option<f64>>>,
    background: Vec<Vec<Option<f64>>>,
    predicted: Vec<f64>,
    base: f64,
    contributions: Vec<Vec<f64>>,
    /// Of the third and fourth row.
    interactions: Vec<Vec<Vec<f64>>>,
    interventional_base: f64,
    interventional: Vec<Vec<f64>>,
}

fn matrix(rows: &[Vec<Option<f64>>]) -> FeatureMatrix {
    let width = rows[0].len();
    let column = |j: usize| rows.iter().map(|row| row[j].unwrap_or(f64::NAN)).collect();
    let names = (0..width).map(|j| format!("Column_{j}")).collect();
    FeatureMatrix::from_columns(names, (0..width).map(column).collect()).unwrap()
}

fn all_rows(x: &FeatureMatrix) -> Vec<usize> {
    (0..x.rows_count()).collect()
}

#[track_caller]
fn assert_near(ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!((ours - theirs).abs() < tolerance, "{ours} and {theirs}");
    }
}

#[test]
fn shap_and_we_explain_a_model_of_three_hundred_trees_alike() {
    let shap: Shap = serde_json::from_str(include_str!("../golden/trees_shap.json")).unwrap();
    let fitted = FittedGbdt::from_lightgbm_text(MODEL).unwrap();
    assert_eq!(fitted.trees_count(), 300);
    let x = matrix(&shap.rows);
    let rows = all_rows(&x);
    let explained = fitted.contributions_batch(&x, &rows);
    for ((explained, theirs), predicted) in
        explained.iter().zip(&shap.contributions).zip(&shap.predicted)
    {
        assert_near(&explained.values, theirs, 1e-9);
        assert!((explained.base - shap.base).abs() < 1e-9);
        let sum = explained.base + explained.values.iter().sum::<f64>();
        assert!((sum - predicted).abs() < 1e-9, "{sum} and {predicted}");
    }
    for (explained, theirs) in fitted.interactions(&x, &[2, 3]).iter().zip(&shap.interactions) {
        for (ours, theirs) in explained.values.iter().zip(theirs) {
            assert_near(ours, theirs, 1e-9);
        }
    }
}

/// shap keeps the weights of these values in single precision, and its own sums miss the prediction
/// by as much as 1e-7; ours do not.
#[test]
fn shap_and_we_explain_against_a_background_alike() {
    let shap: Shap = serde_json::from_str(include_str!("../golden/trees_shap.json")).unwrap();
    let fitted = FittedGbdt::from_lightgbm_text(MODEL).unwrap();
    let (x, background) = (matrix(&shap.rows), matrix(&shap.background));
    let explained = fitted
        .interventional_contributions(&x, &all_rows(&x), &background, &all_rows(&background))
        .unwrap();
    for ((explained, theirs), predicted) in
        explained.iter().zip(&shap.interventional).zip(&shap.predicted)
    {
        assert_near(&explained.values, theirs, 1e-6);
        assert!((explained.base - shap.interventional_base).abs() < 1e-9);
        let sum = explained.base + explained.values.iter().sum::<f64>();
        assert!((sum - predicted).abs() < 1e-9, "{sum} and {predicted}");
    }
}

#[derive(Deserialize)]
struct Kernel {
    background: Vec<Vec<Option<f64>>>,
    row: Vec<f64>,
    base: f64,
    values: Vec<f64>,
}

#[test]
fn shap_and_we_explain_a_function_by_all_coalitions_alike() {
    let kernel: Kernel = serde_json::from_str(include_str!("../golden/kernel_shap.json")).unwrap();
    let answer = |x: &[f64]| x[0] * x[1] + x[2].sin() + 0.5 * x[3].abs();
    let predict = |x: &FeatureMatrix| (0..x.rows_count()).map(|row| answer(&x.row(row))).collect();
    let background = matrix(&kernel.background);
    let explained =
        kernel_shap(predict, &kernel.row, &background, KernelShapParams::default()).unwrap();
    assert!(explained.is_exact && explained.sets_count == 14);
    assert!((explained.contributions.base - kernel.base).abs() < 1e-12);
    assert_near(&explained.contributions.values, &kernel.values, 1e-12);
    // The figures that were published for this function.
    let published = [1.039_210_93, 0.944_809_92, 0.556_680_88, 0.068_776_16];
    assert_near(&explained.contributions.values, &published, 1e-8);
}

#[test]
fn kernel_shap_of_trees_is_their_interventional_shap() {
    let shap: Shap = serde_json::from_str(include_str!("../golden/trees_shap.json")).unwrap();
    let fitted = FittedGbdt::from_lightgbm_text(MODEL).unwrap();
    let (x, background) = (matrix(&shap.rows), matrix(&shap.background));
    let expected =
        fitted.interventional_contributions(&x, &[5], &background, &all_rows(&background)).unwrap();
    let predict = |x: &FeatureMatrix| fitted.predict_features(x, &all_rows(x));
    let params = KernelShapParams { sets_count: 1_022, seed: 1 };
    let explained = kernel_shap(predict, &x.row(5), &background, params).unwrap();
    assert!(explained.is_exact);
    assert_near(&explained.contributions.values, &expected[0].values, 1e-9);
}

/// Ranks from the lowest.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        ranks[index] = rank as f64;
    }
    ranks
}

fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let squares: f64 = ranks(a).iter().zip(ranks(b)).map(|(a, b)| (a - b).powi(2)).sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0))
}

/// What lime finds for each of fifty rows.
#[derive(Deserialize)]
struct LimeWeights {
    weights: Vec<Vec<f64>>,
    /// The mean rank correlation of these with lime's own from another seed.
    alike_with_itself: f64,
}

#[test]
fn lime_and_we_rank_the_features_of_fifty_rows_alike() {
    let theirs: BTreeMap<String, LimeWeights> =
        serde_json::from_str(include_str!("../golden/lime_python.json")).unwrap();
    let fitted = FittedGbdt::from_lightgbm_text(include_str!("../golden/lime_python.txt")).unwrap();
    let table = Table::generate(2_000, 6, 7);
    let filled = |column: &Vec<f64>| -> Vec<f64> {
        column.iter().map(|value| if value.is_nan() { 0.1 } else { *value }).collect()
    };
    let columns: Vec<Vec<f64>> = table.columns.iter().map(filled).collect();
    let background = columns.iter().map(|column| column[..1_000].to_vec()).collect();
    let background = FeatureMatrix::from_columns(table.names, background).unwrap();
    let predict = |x: &FeatureMatrix| fitted.predict_features(x, &all_rows(x));
    for (name, neighbourhood) in
        [("quartiles", Neighbourhood::Quartiles), ("normal", Neighbourhood::Normal)]
    {
        let lime = Lime::new(&background, neighbourhood).unwrap();
        let LimeWeights { weights, alike_with_itself } = &theirs[name];
        assert_eq!(weights.len(), 50);
        let (mut alike, mut distance, mut size) = (0.0, 0.0, 0.0);
        for (index, theirs) in weights.iter().enumerate() {
            let row: Vec<f64> = columns.iter().map(|column| column[1_000 + index]).collect();
            let explained = lime.explain(predict, &row, LimeParams::default()).unwrap();
            let mut ours = vec![0.0; 6];
            for feature in explained.features {
                ours[feature.feature] = feature.weight;
            }
            alike += spearman(&ours, theirs) / 50.0;
            for (ours, theirs) in ours.iter().zip(theirs) {
                distance += (ours - theirs).abs();
                size += theirs.abs();
            }
        }
        assert!(alike >= 0.9, "{name}: a mean rank correlation of {alike}");
        assert!(alike >= alike_with_itself - 0.02, "{name}: {alike} and {alike_with_itself}");
        assert!(distance < 0.1 * size, "{name}: weights differ by {distance} of {size}");
    }
}
