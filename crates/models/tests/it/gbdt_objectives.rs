//! Boosted trees of all objectives and with categories, against LightGBM;
//! `tests/golden/objectives_lightgbm.py` made the numbers.

use std::collections::BTreeMap;

use bist_market::Symbol;
use bist_models::{
    FeatureMatrix, FeatureRole, FitError, FittedGbdt, Gbdt, GbdtParams, Known, Objective, RowKey,
};
use bist_testkit::table::Table;
use jiff::ToSpan as _;
use jiff::civil::date;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Vec<Option<f64>>>,
    answers: Vec<Answers>,
    quality: Vec<Quality>,
}

/// What LightGBM answers for the rows.
#[derive(Deserialize)]
struct Answers {
    name: String,
    /// The model; empty where it is ours.
    text: String,
    predicted: Vec<f64>,
    raw: Vec<f64>,
    contributions: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Quality {
    objective: String,
    alpha: Option<f64>,
    #[serde(default)]
    lambda_l1: f64,
    #[serde(default)]
    max_depth: u32,
    #[serde(default)]
    monotone_constraints: Vec<i8>,
    loss: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/objectives_lightgbm.json")).unwrap()
}

/// Our models under their names, as the golden test below writes them.
fn our_models() -> BTreeMap<String, String> {
    serde_json::from_str(include_str!("../golden/ours_objectives.json")).unwrap()
}

/// A table whose first column is one of 25 categories, each with an effect of its own; 20 rows a
/// day.
fn categories(rows_count: usize, columns_count: usize, seed: u64) -> (Known, Vec<f64>) {
    let mut table = Table::generate(rows_count, columns_count, seed);
    for (value, y) in table.columns[0].iter_mut().zip(&mut table.y) {
        *value = ((*value + 1.0) * 0.5 * 25.0).floor();
        *y += if value.is_nan() { 0.0 } else { 0.25 * (*value * 7.0 % 25.0) - 3.0 };
    }
    let symbol = Symbol::parse("AAA").unwrap();
    let first = date(2000, 1, 1);
    let keys = (0..rows_count)
        .map(|row| RowKey::daily(first + i64::try_from(row / 20).unwrap().days(), symbol))
        .collect();
    let features = FeatureMatrix::from_columns(table.names, table.columns).unwrap();
    let (log_close, stretch) = (vec![0.0; rows_count], vec![0; rows_count]);
    (Known { keys, features, log_close, stretch }, table.y)
}

fn roles(others: &[(usize, FeatureRole)]) -> BTreeMap<String, FeatureRole> {
    [(0, FeatureRole::Categorical)]
        .iter()
        .chain(others)
        .map(|(j, role)| (format!("Column_{j}"), *role))
        .collect()
}

fn all_objectives() -> [(&'static str, Objective); 5] {
    [
        ("regression", Objective::Regression),
        ("huber", Objective::Huber { alpha: 0.5 }),
        ("quantile", Objective::Quantile { alpha: 0.8 }),
        ("binary", Objective::Binary),
        ("lambdarank", Objective::Lambdarank),
    ]
}

fn fit(
    params: GbdtParams,
    known: &Known,
    roles: &BTreeMap<String, FeatureRole>,
    y: &[f64],
    rows_count: usize,
) -> FittedGbdt {
    let rows: Vec<usize> = (0..rows_count).collect();
    Gbdt { params, seed: 1 }.fit_known(known, roles, y, &rows, &[]).unwrap()
}

/// Guards against change, not against error: the checked-in models are today's fits.
#[test]
fn seeded_fits_of_all_objectives_golden() {
    let (known, y) = categories(600, 5, 1);
    let models: BTreeMap<String, String> = all_objectives()
        .into_iter()
        .map(|(name, objective)| {
            let (num_iterations, num_leaves) = (3, 6);
            let params = GbdtParams { objective, num_iterations, num_leaves, ..Default::default() };
            let roles = roles(&[(1, FeatureRole::Increasing), (2, FeatureRole::Decreasing)]);
            (name.to_owned(), fit(params, &known, &roles, &y, 500).to_lightgbm_text())
        })
        .collect();
    if std::env::var_os("BIST_UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/ours_objectives.json");
        std::fs::write(path, serde_json::to_string(&models).unwrap() + "\n").unwrap();
    }
    assert_eq!(models, our_models(), "run with BIST_UPDATE_SNAPSHOTS=1 and objectives_lightgbm.py");
}

#[test]
fn lightgbm_and_we_answer_alike_from_the_same_text_of_every_kind() {
    let golden = golden();
    let our_models = our_models();
    // Often enough that the rows are also predicted as a batch.
    let times = 60;
    let columns = (0..5)
        .map(|j| {
            let column: Vec<f64> =
                golden.rows.iter().map(|row| row[j].unwrap_or(f64::NAN)).collect();
            column.repeat(times)
        })
        .collect();
    let names = (0..5).map(|j| format!("Column_{j}")).collect();
    let x = FeatureMatrix::from_columns(names, columns).unwrap();
    let (few, many): (Vec<usize>, Vec<usize>) =
        ((0..golden.rows.len()).collect(), (0..x.rows_count()).collect());
    let mut of_ours = 0;
    for Answers { name, text, predicted, raw, contributions } in &golden.answers {
        let ours = name.strip_prefix("our ").map(|name| &our_models[name]);
        of_ours += usize::from(ours.is_some());
        let fitted = FittedGbdt::from_lightgbm_text(ours.unwrap_or(text)).unwrap();
        let written = fitted.to_lightgbm_text();
        assert_eq!(FittedGbdt::from_lightgbm_text(&written).unwrap(), fitted, "{name}");
        let averaged = written.contains("\naverage_output\n");
        assert_eq!(averaged, name.contains("boosting=rf"));

        // LightGBM's raw scores and contributions of averaged trees are of their sum.
        let factor = if averaged { 3.0 } else { 1.0 };
        for rows in [&few, &many] {
            let raw_scores = fitted.raw_scores(&x, rows).into_iter().map(|raw| factor * raw);
            let answers =
                [(fitted.predict_features(&x, rows), predicted), (raw_scores.collect(), raw)];
            for (ours, theirs) in &answers {
                for (row, (ours, theirs)) in ours.iter().zip(theirs.iter().cycle()).enumerate() {
                    let tolerance = 1e-12 * theirs.abs().max(1.0);
                    let close = (ours - theirs).abs() <= tolerance;
                    assert!(close, "{name} row {row}: {ours} and {theirs}");
                }
            }
        }
        for (row, theirs) in contributions.iter().enumerate() {
            let explained = fitted.contributions(&x, row);
            let sum = factor * (explained.base + explained.values.iter().sum::<f64>());
            assert!((sum - raw[row]).abs() < 1e-9, "{name} row {row}: {sum} and {}", raw[row]);
            for (ours, theirs) in explained.values.iter().chain([&explained.base]).zip(theirs) {
                let ours = factor * ours;
                assert!((ours - theirs).abs() < 1e-9, "{name} row {row}: {ours} and {theirs}");
            }
        }
    }
    assert_eq!(of_ours, our_models.len(), "objectives_lightgbm.py has not seen all our models");
}

/// The losses of the script that made LightGBM's.
fn loss(objective: Objective, predicted: &[f64], y: &[f64]) -> f64 {
    let mean = |loss: fn(f64, f64) -> f64| {
        predicted.iter().zip(y).map(|(p, y)| loss(*p, *y)).sum::<f64>() / y.len() as f64
    };
    match objective {
        Objective::Regression => mean(|p, y| (p - y).powi(2)).sqrt(),
        Objective::Huber { .. } => mean(|p, y| (p - y).abs()),
        Objective::Quantile { .. } => mean(|p, y| (0.8 * (y - p)).max(-0.2 * (y - p))),
        Objective::Binary => mean(|p, y| -(if y > 0.0 { p } else { 1.0 - p }).ln()),
        Objective::Lambdarank => {
            let days = predicted.chunks(20).zip(y.chunks(20));
            let wrong = days.map(|(p, y)| {
                let pairs = (0..20).flat_map(|a| (0..20).map(move |b| (a, b)));
                pairs.filter(|&(a, b)| (p[a] - p[b]) * (y[a] - y[b]) < 0.0).count()
            });
            wrong.sum::<usize>() as f64 / (20 * y.len()) as f64
        }
    }
}

#[test]
fn out_of_sample_every_objective_is_as_good_as_lightgbm() {
    let (known, y) = categories(7_000, 8, 1);
    let test: Vec<usize> = (5_000..7_000).collect();
    for quality in golden().quality {
        let Quality { objective, alpha, lambda_l1, max_depth, monotone_constraints, loss: theirs } =
            quality;
        let (_, named) = all_objectives().into_iter().find(|(name, _)| *name == objective).unwrap();
        assert!(alpha.is_none_or(|alpha| format!("{named:?}").contains(&alpha.to_string())));
        let num_iterations = 80;
        let objective = named;
        let params =
            GbdtParams { objective, num_iterations, lambda_l1, max_depth, ..Default::default() };
        let increasing = monotone_constraints.iter().position(|constraint| *constraint == 1);
        let increasing: Vec<_> =
            increasing.map(|j| (j, FeatureRole::Increasing)).into_iter().collect();
        let fitted = fit(params, &known, &roles(&increasing), &y, 5_000);
        let ours = loss(objective, &fitted.predict_features(&known.features, &test), &y[5_000..]);
        println!(
            "{params:?} {increasing:?}: {ours:.5}, LightGBM {theirs:.5}, {:.4}",
            ours / theirs
        );
        assert!(ours <= 1.02 * theirs, "{ours} and LightGBM {theirs} with {params:?}");
    }
}

#[test]
fn a_forecast_never_goes_against_the_direction_of_a_feature() {
    let (known, y) = categories(3_000, 6, 2);
    let directions = [(2, FeatureRole::Increasing), (3, FeatureRole::Decreasing)];
    for (name, objective) in all_objectives() {
        let params = GbdtParams { objective, num_iterations: 40, ..Default::default() };
        for (roles, expected) in [(roles(&directions), true), (roles(&[]), false)] {
            let fitted = fit(params, &known, &roles, &y, 3_000);
            let mut kept = true;
            for (feature, role) in directions {
                for row in (0..3_000).step_by(100) {
                    let steps: Vec<f64> = (-20..=20).map(|i| f64::from(i) / 20.0).collect();
                    let columns = (0..6)
                        .map(|j| match j == feature {
                            true => steps.clone(),
                            false => vec![known.features.value(row, j); steps.len()],
                        })
                        .collect();
                    let names = known.features.names().to_vec();
                    let x = FeatureMatrix::from_columns(names, columns).unwrap();
                    let all: Vec<usize> = (0..steps.len()).collect();
                    let forecasts = fitted.raw_scores(&x, &all);
                    kept &= forecasts.is_sorted_by(|a, b| match role {
                        FeatureRole::Decreasing => b <= a,
                        FeatureRole::Increasing | FeatureRole::Categorical => a <= b,
                    });
                }
            }
            assert_eq!(kept, expected, "{name} with {roles:?}");
        }
    }
}

#[test]
fn trees_are_no_deeper_than_they_may_be() {
    let (known, y) = categories(2_000, 6, 3);
    let params = GbdtParams { max_depth: 2, num_iterations: 5, ..Default::default() };
    let text = fit(params, &known, &roles(&[]), &y, 2_000).to_lightgbm_text();
    let leaves: Vec<&str> = text.lines().filter(|line| line.starts_with("num_leaves=")).collect();
    assert_eq!(leaves, ["num_leaves=4"; 5]);
}

#[test]
fn every_objective_gives_the_same_bits_for_any_number_of_threads() {
    let (known, y) = categories(6_000, 12, 4);
    let (train, validation): (Vec<usize>, Vec<usize>) = (0..6_000).partition(|row| *row < 5_000);
    for (name, objective) in all_objectives() {
        let (feature_fraction, bagging_fraction, bagging_freq) = (0.8, 0.9, 1);
        let params = GbdtParams {
            objective,
            num_iterations: 6,
            feature_fraction,
            bagging_fraction,
            bagging_freq,
            ..Default::default()
        };
        let text = |threads_count| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads_count).build().unwrap();
            let gbdt = Gbdt { params, seed: 3 };
            let fit = || gbdt.fit_known(&known, &roles(&[]), &y, &train, &validation);
            pool.install(fit).unwrap().to_lightgbm_text()
        };
        let one = text(1);
        assert_eq!(one, text(2), "{name}");
        assert_eq!(one, text(5), "{name}");
    }
}

#[test]
fn every_objective_stops_when_its_own_loss_no_longer_falls() {
    let (known, y) = categories(1_400, 6, 5);
    let (train, validation): (Vec<usize>, Vec<usize>) = (0..1_400).partition(|row| *row < 1_000);
    for (name, objective) in all_objectives() {
        let params = GbdtParams {
            objective,
            num_iterations: 400,
            learning_rate: 0.3,
            early_stopping_rounds: 10,
            ..Default::default()
        };
        let gbdt = Gbdt { params, seed: 1 };
        let fitted = gbdt.fit_known(&known, &roles(&[]), &y, &train, &validation).unwrap();
        assert!((1..390).contains(&fitted.trees_count()), "{name}: {}", fitted.trees_count());
    }
}

#[test]
fn trees_of_few_and_of_many_leaves_are_predicted_as_a_batch_and_row_by_row_alike() {
    let (known, y) = categories(3_000, 6, 6);
    // More than 256 leaves are always walked to.
    for num_leaves in [2, 8, 20, 100, 250, 300] {
        let params =
            GbdtParams { num_leaves, min_data_in_leaf: 2, num_iterations: 5, ..Default::default() };
        let fitted = fit(params, &known, &roles(&[]), &y, 3_000);
        let all: Vec<usize> = (0..3_000).collect();
        let together = fitted.predict_features(&known.features, &all);
        for row in (0..3_000).step_by(37) {
            let alone = fitted.predict_features(&known.features, &[row]);
            assert_eq!(
                alone[0].to_bits(),
                together[row].to_bits(),
                "{num_leaves} leaves, row {row}"
            );
        }
    }
}

#[test]
fn what_does_not_suit_an_objective_or_a_role_is_refused() {
    let (known, y) = categories(200, 5, 7);
    let rows: Vec<usize> = (0..200).collect();
    let fit = |objective, roles: &BTreeMap<String, FeatureRole>| {
        let params = GbdtParams { objective, ..Default::default() };
        let fitted = Gbdt { params, seed: 1 }.fit_known(&known, roles, &y, &rows, &[]);
        fitted.unwrap_err().to_string()
    };
    assert_eq!(
        fit(Objective::Huber { alpha: 0.0 }, &roles(&[])),
        "huber alpha is 0, and must be positive"
    );
    assert_eq!(
        fit(Objective::Quantile { alpha: 1.0 }, &roles(&[])),
        "quantile alpha is 1, and must be above 0 and below 1"
    );
    assert_eq!(
        fit(Objective::Regression, &roles(&[(9, FeatureRole::Increasing)])),
        "the matrix has no column 'Column_9'"
    );
    let refused = fit(Objective::Regression, &roles(&[(1, FeatureRole::Categorical)]));
    assert!(refused.starts_with("a category is "), "{refused}");
    assert!(refused.ends_with(", and must be a whole number from 0 to 65535"), "{refused}");

    let params = GbdtParams { objective: Objective::Lambdarank, ..Default::default() };
    let fitted = Gbdt { params, seed: 1 }.fit_trees(&known.features, &y, &rows, &[]);
    assert_eq!(fitted.unwrap_err(), FitError::NoDays);
}
