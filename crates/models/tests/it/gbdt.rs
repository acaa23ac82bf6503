//! Boosted trees, against LightGBM where it has an opinion; `tests/golden/trees_lightgbm.py` made
//! the numbers.

use std::collections::BTreeMap;

use bist_models::{FeatureMatrix, FittedForecaster as _, FittedGbdt, Gbdt, GbdtParams};
use bist_testkit::table::Table;
use serde::Deserialize;

const OURS: &str = include_str!("../golden/ours_model.txt");
const THEIRS: &str = include_str!("../golden/trees_lightgbm.txt");
const THEIRS_ZERO: &str = include_str!("../golden/trees_lightgbm_zero_as_missing.txt");

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Vec<Option<f64>>>,
    answers: BTreeMap<String, Answers>,
    quality: Vec<Quality>,
}

/// What LightGBM answers for the rows.
#[derive(Deserialize)]
struct Answers {
    predicted: Vec<f64>,
    contributions: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Quality {
    params: GbdtParams,
    rmse: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/trees_lightgbm.json")).unwrap()
}

fn matrix(table: &Table) -> FeatureMatrix {
    FeatureMatrix::from_columns(table.names.clone(), table.columns.clone()).unwrap()
}

/// The golden rows as a matrix.
fn golden_rows(golden: &Golden) -> FeatureMatrix {
    let columns = (0..6)
        .map(|j| golden.rows.iter().map(|row| row[j].unwrap_or(f64::NAN)).collect())
        .collect();
    FeatureMatrix::from_columns((0..6).map(|j| format!("Column_{j}")).collect(), columns).unwrap()
}

fn rmse(fitted: &FittedGbdt, x: &FeatureMatrix, y: &[f64], rows: &[usize]) -> f64 {
    let predicted = fitted.predict_features(x, rows);
    let squares = rows.iter().zip(predicted).map(|(&row, p)| (y[row] - p).powi(2));
    (squares.sum::<f64>() / rows.len() as f64).sqrt()
}

#[test]
fn lightgbm_and_we_predict_and_explain_alike_from_the_same_text() {
    let golden = golden();
    let x = golden_rows(&golden);
    let rows: Vec<usize> = (0..x.rows_count()).collect();
    for (name, text) in [
        ("ours_model", OURS),
        ("trees_lightgbm", THEIRS),
        ("trees_lightgbm_zero_as_missing", THEIRS_ZERO),
    ] {
        let fitted = FittedGbdt::from_lightgbm_text(text).unwrap();
        let answers = &golden.answers[name];
        let predicted = fitted.predict_features(&x, &rows);
        for (row, (ours, theirs)) in predicted.iter().zip(&answers.predicted).enumerate() {
            assert!((ours - theirs).abs() <= 1e-12, "{name} row {row}: {ours} and {theirs}");
            let explained = fitted.contributions(&x, row);
            let ours = explained.values.iter().chain([&explained.base]);
            for (ours, theirs) in ours.zip(&answers.contributions[row]) {
                assert!((ours - theirs).abs() < 1e-10, "{name} row {row}: {ours} and {theirs}");
            }
        }
    }
}

#[test]
fn the_text_of_a_model_is_read_and_written_alike() {
    let ours = FittedGbdt::from_lightgbm_text(OURS).unwrap();
    assert_eq!(ours.to_lightgbm_text(), OURS);
    for text in [THEIRS, THEIRS_ZERO] {
        let theirs = FittedGbdt::from_lightgbm_text(text).unwrap();
        assert_eq!(FittedGbdt::from_lightgbm_text(&theirs.to_lightgbm_text()).unwrap(), theirs);
    }
}

/// Guards against change, not against error: the checked-in model is today's fit.
#[test]
fn a_seeded_fit_golden() {
    let table = Table::generate(700, 6, 1);
    let params =
        GbdtParams { num_iterations: 8, num_leaves: 7, max_bin: 63, ..GbdtParams::default() };
    let (train, validation): (Vec<usize>, Vec<usize>) = ((0..490).collect(), (490..595).collect());
    let fitted =
        Gbdt { params, seed: 1 }.fit_trees(&matrix(&table), &table.y, &train, &validation).unwrap();
    assert_eq!(fitted.to_lightgbm_text(), OURS);
}

#[test]
fn out_of_sample_we_are_as_good_as_lightgbm() {
    let table = Table::generate(7_000, 12, 1);
    let x = matrix(&table);
    let all: Vec<usize> = (0..7_000).collect();
    for Quality { params, rmse: theirs } in golden().quality {
        let fitted =
            Gbdt { params, seed: 1 }.fit_trees(&x, &table.y, &all[..4_900], &all[4_900..5_950]);
        let ours = rmse(&fitted.unwrap(), &x, &table.y, &all[5_950..]);
        println!("rmse {ours:.5}, LightGBM {theirs:.5}, ratio {:.4}", ours / theirs);
        assert!(ours <= 1.01 * theirs, "rmse {ours} and LightGBM {theirs} with {params:?}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let table = Table::generate(8_000, 20, 4);
    let x = matrix(&table);
    let (train, validation): (Vec<usize>, Vec<usize>) = (0..8_000).partition(|row| *row < 7_000);
    let params = GbdtParams {
        num_iterations: 10,
        feature_fraction: 0.8,
        bagging_fraction: 0.9,
        bagging_freq: 1,
        ..GbdtParams::default()
    };
    let fit = |threads_count| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads_count).build().unwrap();
        let gbdt = Gbdt { params, seed: 3 };
        pool.install(|| gbdt.fit_trees(&x, &table.y, &train, &validation)).unwrap()
    };
    let one = fit(1);
    assert_eq!(one.to_lightgbm_text(), fit(2).to_lightgbm_text());
    assert_eq!(one.to_lightgbm_text(), fit(5).to_lightgbm_text());
    let other_seed = Gbdt { params, seed: 4 }.fit_trees(&x, &table.y, &train, &validation);
    assert_ne!(one.to_lightgbm_text(), other_seed.unwrap().to_lightgbm_text());
}

#[test]
fn early_stopping_keeps_the_trees_up_to_the_lowest_error() {
    let table = Table::generate(600, 6, 2);
    let x = matrix(&table);
    let (train, validation): (Vec<usize>, Vec<usize>) = (0..600).partition(|row| *row < 400);
    let params = GbdtParams {
        num_iterations: 400,
        learning_rate: 0.3,
        early_stopping_rounds: 10,
        ..GbdtParams::default()
    };
    let fit =
        |params| Gbdt { params, seed: 1 }.fit_trees(&x, &table.y, &train, &validation).unwrap();
    let stopped = fit(params);
    let kept = u32::try_from(stopped.trees_count()).unwrap();
    assert!(kept < 400);
    let error_with = |trees_count| {
        let params = GbdtParams { num_iterations: trees_count, early_stopping_rounds: 0, ..params };
        rmse(&fit(params), &x, &table.y, &validation)
    };
    let lowest = error_with(kept);
    assert!((rmse(&stopped, &x, &table.y, &validation) - lowest).abs() < 1e-12);
    for more in 1..=10 {
        assert!(error_with(kept + more) >= lowest - 1e-12, "{more} trees more");
    }
}

#[test]
fn contributions_add_up_to_the_prediction() {
    let table = Table::generate(2_000, 12, 6);
    let x = matrix(&table);
    let rows: Vec<usize> = (0..2_000).collect();
    let gbdt = Gbdt { params: GbdtParams::default(), seed: 1 };
    let fitted = gbdt.fit_trees(&x, &table.y, &rows[..1_500], &[]).unwrap();
    let predicted = fitted.predict_features(&x, &rows);
    for row in (0..2_000).step_by(40) {
        let explained = fitted.contributions(&x, row);
        let sum = explained.base + explained.values.iter().sum::<f64>();
        assert!((sum - predicted[row]).abs() < 1e-9, "row {row}: {sum} and {}", predicted[row]);
    }
}

#[test]
fn a_learned_direction_of_missing_values_is_used() {
    // The target is one where the value is missing, else nearly zero.
    let column: Vec<f64> =
        (0..400).map(|i| if i % 4 == 0 { f64::NAN } else { f64::from(i % 50) }).collect();
    let y: Vec<f64> = column.iter().map(|v| if v.is_nan() { 1.0 } else { 0.001 * v }).collect();
    let x = FeatureMatrix::from_columns(vec!["a".to_owned()], vec![column]).unwrap();
    let rows: Vec<usize> = (0..400).collect();
    let fitted = Gbdt { params: GbdtParams::default(), seed: 1 }.fit_trees(&x, &y, &rows, &[]);
    assert!(rmse(&fitted.unwrap(), &x, &y, &rows) < 0.01);
}

#[track_caller]
fn check_refused(text: &str, expected: &str) {
    assert_eq!(FittedGbdt::from_lightgbm_text(text).unwrap_err().to_string(), expected);
}

#[test]
fn models_that_we_would_misread_are_refused() {
    let with = |from: &str, to: &str| {
        let changed = THEIRS.replacen(from, to, 1);
        assert_ne!(changed, THEIRS, "{from}");
        changed
    };
    check_refused(&with("num_cat=0", "num_cat=1"), "tree 0 has no line 'cat_boundaries='");
    check_refused(
        &with("decision_type=10", "decision_type=1"),
        "tree 0: 'threshold=0.29919532987009873 -0.73802382302443181...' is not readable: \
         expected sets of categories below 0",
    );
    check_refused(
        &with("is_linear=0", "is_linear=1"),
        "tree 0 has linear leaves, which is not supported",
    );
    check_refused(
        &with("objective=regression", "objective=multiclass num_class:3"),
        "the header has the objective 'multiclass num_class:3', which is not supported",
    );
    check_refused(
        &with("num_class=1", "num_class=3"),
        "the header has more than one class (num_class), which is not supported",
    );
    check_refused(
        &with("version=v4", "version=v3"),
        "the header has version v3, which is not supported",
    );
}

#[test]
fn a_damaged_model_text_is_named() {
    check_refused("", "not a LightGBM model: the first line is not 'tree'");
    let (before_last, _) = OURS.split_once("Tree=7").unwrap();
    check_refused(before_last, "the model text breaks off before 'end of trees'");
    check_refused(
        &OURS.replacen("leaf_value=", "leaf_valu=", 1),
        "tree 0 has no line 'leaf_value='",
    );
    let short = OURS.replacen("split_feature=", "split_feature=x ", 1);
    let error = FittedGbdt::from_lightgbm_text(&short).unwrap_err().to_string();
    assert!(error.starts_with("tree 0: 'split_feature=x "), "{error}");
    assert!(error.ends_with("is not readable: expected 6 numbers"), "{error}");

    let joined = OURS.replacen("\n\nTree=0", "\nTree=0", 1);
    let error = FittedGbdt::from_lightgbm_text(&joined).unwrap_err().to_string();
    assert!(error.starts_with("the header: 'tree_sizes=831 866 "), "{error}");
    assert!(error.ends_with("is not readable: expected sizes of 7 trees"), "{error}");

    let counts = OURS.lines().find(|line| line.starts_with("leaf_count=")).unwrap();
    let (_, later_counts) = counts.split_once(' ').unwrap();
    let none = format!("leaf_count=0 {later_counts}");
    let error = FittedGbdt::from_lightgbm_text(&OURS.replacen(counts, &none, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("tree 0: '{none}' is not readable: expected positive numbers")
    );

    let children = OURS.lines().find(|line| line.starts_with("left_child=")).unwrap();
    let back = children.replacen(|c: char| c.is_ascii_digit(), "0", 1);
    check_refused(
        &OURS.replacen(children, &back, 1),
        "tree 0 is not a tree: node 0 leads back to node 0",
    );
}

#[test]
fn a_model_without_trees_answers_the_same_zero_for_few_rows_and_for_many() {
    let (head, _) = OURS.split_once("tree_sizes=").unwrap();
    let text = format!("{head}tree_sizes=\n\nend of trees\n");
    let model = FittedGbdt::from_lightgbm_text(&text).unwrap();
    let columns = vec![vec![0.0; 16]; 6];
    let x = FeatureMatrix::from_columns(model.feature_names().to_vec(), columns).unwrap();
    let many = model.predict_features(&x, &(0..16).collect::<Vec<_>>());
    assert!(many.iter().all(|answer| answer.to_bits() == model.predict_row(&[0.0; 6]).to_bits()));
}

#[test]
fn hyperparameters_outside_their_range_are_refused() {
    let table = Table::generate(100, 5, 1);
    let x = matrix(&table);
    let rows: Vec<usize> = (0..100).collect();
    let good = GbdtParams::default();
    for (params, expected) in [
        (GbdtParams { num_leaves: 1, ..good }, "num_leaves is 1, and must be 2 or more"),
        (GbdtParams { max_bin: 256, ..good }, "max_bin is 256, and must be 3 to 255"),
        (
            GbdtParams { learning_rate: 0.0, ..good },
            "learning_rate is 0, and must be above 0 and at most 1",
        ),
        (GbdtParams { lambda_l2: f64::NAN, ..good }, "lambda_l2 is NaN, and must be 0 or more"),
    ] {
        let error = Gbdt { params, seed: 1 }.fit_trees(&x, &table.y, &rows, &[]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
