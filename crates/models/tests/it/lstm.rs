//! The recurrent network: what it can learn, and what must not change its answers.

use bist_market::Symbol;
use bist_models::{
    Artifact, Epoch, FeatureMatrix, FittedForecaster, FittedLstm, Known, Lstm, LstmParams,
};

use crate::battery::{known, rows, table};

fn small() -> LstmParams {
    LstmParams {
        steps: 6,
        hidden: 16,
        dropout: 0.0,
        learning_rate: 0.01,
        batch_size: 64,
        epochs_max: 30,
        ..LstmParams::default()
    }
}

fn fit(params: LstmParams, known: &Known, y: &[f64]) -> FittedLstm {
    let rows_count = known.keys.len();
    let (train, validation) = (rows(0..rows_count * 2 / 3), rows(rows_count * 2 / 3..rows_count));
    Lstm { params, seed: 3 }.fit_network(known, y, &train, &validation).unwrap()
}

/// Rows of three symbols with a column of noise, and for target its value two rows of the symbol
/// earlier: only a sequence tells.
fn echo(rows_count: usize) -> (Known, Vec<f64>) {
    let mut state = 12_345_u64;
    let noise: Vec<f64> = (0..rows_count)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1_u32 << 24) - 0.5
        })
        .collect();
    let y = (0..rows_count).map(|row| if row < 6 { 0.0 } else { 0.02 * noise[row - 6] + 0.001 });
    let y = y.collect();
    let features = FeatureMatrix::from_columns(vec!["noise".to_owned()], vec![noise]).unwrap();
    (known(features), y)
}

fn squared_error(predicted: &[f64], y: &[f64]) -> f64 {
    predicted.iter().zip(y).map(|(p, y)| (p - y).powi(2)).sum::<f64>() / y.len() as f64
}

#[test]
fn what_was_seen_two_rows_before_is_remembered() {
    let (x, y) = echo(1200);
    for layer_norm in [false, true] {
        let fitted = fit(LstmParams { layer_norm, ..small() }, &x, &y);
        let predicted = fitted.predict(&x, &rows(800..1200));
        let share = squared_error(&predicted, &y[800..]) / squared_error(&[0.001; 400], &y[800..]);
        assert!(share < 0.05, "{share} of the variance is left");
    }
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let (x, y) = table(1);
    let params = LstmParams { dropout: 0.2, epochs_max: 3, batch_size: 100, ..small() };
    let on_threads = |count: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
        pool.install(|| fit(params, &x, &y).artifact().to_bytes())
    };
    assert_eq!(on_threads(1), on_threads(2));
    assert_eq!(on_threads(1), on_threads(3));
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    let (x, y) = table(1);
    for layer_norm in [false, true] {
        // 13 units fill no register.
        let params = LstmParams { layer_norm, hidden: 13, epochs_max: 2, ..small() };
        let fitted = fit(params, &x, &y);
        let together = fitted.predict(&x, &rows(0..300));
        for (row, value) in together.iter().enumerate() {
            assert_eq!(fitted.predict(&x, &[row])[0].to_bits(), value.to_bits(), "row {row}");
        }
    }
}

#[test]
fn a_forecast_reads_the_last_rows_of_its_symbol_and_stretch_only() {
    let (mut x, y) = echo(300);
    // Symbol AAA has the rows that three divides; a break before row 240.
    for row in (240..300).step_by(3) {
        x.stretch[row] = 1;
    }
    let fitted = fit(LstmParams { epochs_max: 2, ..small() }, &x, &y);
    let answer = |x: &Known, row: usize| fitted.predict(x, &[row])[0];
    let with = |row: usize| {
        let mut column = x.features.column(0).to_vec();
        column[row] += 0.3;
        let names = x.features.names().to_vec();
        let features = FeatureMatrix::from_columns(names, vec![column]).unwrap();
        Known { features, ..x.clone() }
    };
    for (row, seen) in [(201, vec![186, 189, 192, 195, 198, 201]), (246, vec![240, 243, 246])] {
        for changed in 150..300 {
            let moved = answer(&with(changed), row).to_bits() != answer(&x, row).to_bits();
            assert_eq!(moved, seen.contains(&changed), "row {changed} for the forecast of {row}");
        }
    }
}

#[test]
fn the_gradient_of_a_sequence_is_the_change_of_the_forecast() {
    let (x, y) = table(1);
    let fitted = fit(LstmParams { epochs_max: 5, ..small() }, &x, &y);
    let gradient = fitted.sequence_gradient(&x, 200);
    assert_eq!(gradient.rows, [185, 188, 191, 194, 197, 200]);
    let mut checked_count = 0;
    for (&row, derivatives) in gradient.rows.iter().zip(&gradient.derivatives) {
        for (j, derivative) in derivatives.iter().enumerate() {
            let at = |shift: f64| {
                let mut columns: Vec<Vec<f64>> = (0..x.features.columns_count())
                    .map(|j| x.features.column(j).to_vec())
                    .collect();
                columns[j][row] += shift;
                let names = x.features.names().to_vec();
                let features = FeatureMatrix::from_columns(names, columns).unwrap();
                fitted.predict(&Known { features, ..x.clone() }, &[200])[0]
            };
            let expected = (at(0.01) - at(-0.01)) / 0.02;
            let error = (derivative - expected).abs();
            assert!(error < 1e-3 * (0.1 + expected.abs()), "{derivative} for {expected}");
            if x.features.value(row, j).is_nan() {
                assert!(derivative.abs() <= 0.0);
            }
            checked_count += usize::from(expected.abs() > 1e-3);
        }
    }
    assert!(checked_count > 20, "only {checked_count} derivatives were more than nothing");
    let beginning = fitted.sequence_gradient(&x, 4);
    assert_eq!(beginning.rows, [1, 4]);
}

/// The rows of `x` with what the network reads of them moved towards the average: `share` of the way
/// to it is left. `means` are those of the training rows.
fn drawn_towards_average(x: &Known, means: &[f64], share: f64) -> Known {
    let column = |j: usize| -> Vec<f64> {
        x.features.column(j).iter().map(|value| means[j] + share * (value - means[j])).collect()
    };
    let columns = (0..x.features.columns_count()).map(column).collect();
    let features = FeatureMatrix::from_columns(x.features.names().to_vec(), columns).unwrap();
    Known { features, ..x.clone() }
}

#[test]
fn contributions_to_a_forecast_are_the_mean_slopes_on_the_way_from_the_average() {
    // Without holes: flags cannot be moved part of the way.
    let (holes, y) = table(1);
    let columns: Vec<Vec<f64>> = (0..3)
        .map(|j| {
            let known = |value: &f64| if value.is_nan() { 0.3 } else { *value };
            holes.features.column(j).iter().map(known).collect()
        })
        .collect();
    let names = holes.features.names()[..3].to_vec();
    let x = Known { features: FeatureMatrix::from_columns(names, columns).unwrap(), ..holes };
    for layer_norm in [false, true] {
        let fitted = fit(LstmParams { layer_norm, epochs_max: 5, ..small() }, &x, &y);
        let means: Vec<f64> =
            (0..3).map(|j| x.features.column(j)[..200].iter().sum::<f64>() / 200.0).collect();
        let row = 250;
        let explained = fitted.attribute(&x, row);
        // The trapezoid rule over a hundred pieces, of derivatives that were computed otherwise.
        let (mut expected, pieces_count) = (vec![vec![0.0; 3]; 6], 100);
        for piece in 0..=pieces_count {
            let share = f64::from(piece) / f64::from(pieces_count);
            let weight = if piece == 0 || piece == pieces_count { 0.5 } else { 1.0 };
            let gradient = fitted.sequence_gradient(&drawn_towards_average(&x, &means, share), row);
            for (step, of_row) in gradient.rows.iter().enumerate() {
                for (j, expected) in expected[step].iter_mut().enumerate() {
                    let change = x.features.value(*of_row, j) - means[j];
                    *expected +=
                        weight / f64::from(pieces_count) * change * gradient.derivatives[step][j];
                }
            }
        }
        let size = explained.values.iter().fold(0.0_f64, |size, value| size.max(value.abs()));
        assert!(size > 1e-4, "there is something to explain: {size}");
        for (by_step, expected) in explained.by_step.iter().zip(&expected) {
            for (value, expected) in by_step.iter().zip(expected) {
                assert!((value - expected).abs() < 1e-3 * size, "{value} for {expected}");
            }
        }
        let average = fitted.predict(&drawn_towards_average(&x, &means, 0.0), &[row])[0];
        assert!((explained.base - average).abs() < 1e-6 * size, "{} for {average}", explained.base);
    }
}

#[test]
fn a_row_that_follows_what_was_read_is_the_row_itself() {
    let (x, y) = table(1);
    let fitted = fit(LstmParams { epochs_max: 2, ..small() }, &x, &y);
    for row in [1, 7, 200] {
        let (before, key) = (fitted.rows_before(&x, row), x.keys[row]);
        let features = x.features.row(row);
        let next = fitted.predict_next(&before, key.symbol, 0, &features);
        assert_eq!(next.to_bits(), fitted.predict(&x, &[row])[0].to_bits());
        let explained = fitted.attribute_next(&before, key.symbol, 0, &features);
        assert_eq!(explained, fitted.attribute(&x, row));
    }
}

#[test]
fn contributions_and_the_base_add_up_to_the_forecast() {
    let (x, y) = table(1);
    let spread = squared_error(&y, &[0.0; 300]).sqrt();
    for params in [small(), LstmParams { layer_norm: true, layers: 1, embedding: 0, ..small() }] {
        let fitted = fit(LstmParams { epochs_max: 5, ..params }, &x, &y);
        // The last row of all has no feature, and the first two have no full sequence.
        for row in [0, 4, 200, 251, 299] {
            let explained = fitted.attribute(&x, row);
            let sum = explained.base + explained.values.iter().sum::<f64>();
            let forecast = fitted.predict(&x, &[row])[0];
            assert!(explained.residual.abs() <= 1e-9 * spread, "{}", explained.residual);
            // Forecasts are made in single precision.
            assert!((sum - forecast).abs() < 1e-6 * spread, "{sum} and {forecast} in row {row}");
            let by_step = explained.by_step.iter();
            assert_eq!(by_step.len(), fitted.sequence_gradient(&x, row).rows.len());
            for (j, value) in explained.values.iter().enumerate() {
                let over_steps: f64 = explained.by_step.iter().map(|step| step[j]).sum();
                assert!((over_steps - value).abs() < 1e-15);
            }
        }
    }
}

#[test]
fn symbols_are_told_apart_by_their_vectors() {
    let (x, _) = table(1);
    let y: Vec<f64> = (0..300).map(|row| [0.01, -0.02, 0.03][row % 3]).collect();
    let fitted = fit(LstmParams { embedding: 4, epochs_max: 60, ..small() }, &x, &y);
    let error = squared_error(&fitted.predict(&x, &rows(0..300)), &y);
    assert!(error.sqrt() < 0.004, "{error}");
    let alike = fit(LstmParams { embedding: 0, epochs_max: 10, ..small() }, &x, &y);
    let error = squared_error(&alike.predict(&x, &rows(200..300)), &y[200..]);
    assert!(error.sqrt() > 0.01, "without vectors nothing tells them apart: {error}");

    let mut stranger = x.clone();
    for key in stranger.keys.iter_mut().step_by(3) {
        key.symbol = Symbol::parse("NEW").unwrap();
    }
    let predicted = fitted.predict(&stranger, &rows(0..300));
    assert!(predicted.iter().all(|value| value.is_finite()));
    assert_ne!(predicted[150].to_bits(), fitted.predict(&x, &[150])[0].to_bits());
}

#[test]
fn training_stops_at_the_lowest_error_on_the_validation_rows() {
    let (x, y) = table(1);
    // Noise alone: every epoch after the first few makes the validation rows worse.
    let y: Vec<f64> = (0..300).map(|row| y[(row * 7 + 11) % 300]).collect();
    let error = |epochs_max, early_stopping_epochs| {
        let params = LstmParams { epochs_max, early_stopping_epochs, ..small() };
        squared_error(&fit(params, &x, &y).predict(&x, &rows(200..300)), &y[200..])
    };
    let stopped = error(40, 3);
    assert_eq!(stopped.to_bits(), error(400, 3).to_bits(), "it stops long before 40 epochs");
    assert!(error(40, 0) <= stopped, "it may look further, and keeps the lowest");
    let to_the_end = Lstm { params: LstmParams { epochs_max: 40, ..small() }, seed: 3 }
        .fit_network(&x, &y, &rows(0..200), &[])
        .unwrap();
    assert!(squared_error(&to_the_end.predict(&x, &rows(200..300)), &y[200..]) > stopped);
}

#[test]
fn each_epoch_is_told_and_the_best_of_them_is_what_is_kept() {
    let (x, y) = table(1);
    let (train, validation) = (rows(0..200), rows(200..300));
    let network = Lstm { params: LstmParams { epochs_max: 8, ..small() }, seed: 3 };
    let mut training = network.begin(&x, &y, &train, &validation).unwrap();
    let told: Vec<Epoch> = std::iter::from_fn(|| training.epoch()).collect();
    assert_eq!(training.epoch(), None, "what is over stays over");
    let watched = training.finish();
    assert_eq!(watched, network.fit_network(&x, &y, &train, &validation).unwrap());
    let numbers: Vec<u32> = told.iter().map(|epoch| epoch.number).collect();
    assert_eq!(numbers, (1..).take(numbers.len()).collect::<Vec<_>>());

    let mut lowest = f64::INFINITY;
    for epoch in &told {
        let error = squared_error(&epoch.validation, &y[200..]);
        assert_eq!(epoch.is_best, error < lowest, "{}: {error} after {lowest}", epoch.number);
        lowest = lowest.min(error);
    }
    let kept = told.iter().rfind(|epoch| epoch.is_best).unwrap();
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&kept.validation), bits(&watched.predict(&x, &validation)));
}

#[test]
fn training_may_end_after_any_epoch() {
    let (x, y) = table(1);
    let network = |epochs_max| Lstm { params: LstmParams { epochs_max, ..small() }, seed: 3 };
    let mut training = network(30).begin(&x, &y, &rows(0..200), &[]).unwrap();
    for _ in 0..2 {
        let epoch = training.epoch().unwrap();
        assert!(epoch.is_best && epoch.validation.is_empty());
    }
    assert_eq!(training.finish(), network(2).fit_network(&x, &y, &rows(0..200), &[]).unwrap());
}

#[test]
fn hyperparameters_outside_their_range_are_refused() {
    let (x, y) = table(1);
    let check = |params: LstmParams, expected: &str| {
        let error = Lstm { params, seed: 1 }.fit_network(&x, &y, &rows(0..200), &[]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    let valid = LstmParams::default();
    check(LstmParams { steps: 0, ..valid }, "steps is 0, and must be 1 to 250");
    check(LstmParams { layers: 5, ..valid }, "layers is 5, and must be 1 to 4");
    check(LstmParams { hidden: 513, ..valid }, "hidden is 513, and must be 1 to 512");
    check(LstmParams { dropout: 1.0, ..valid }, "dropout is 1, and must be 0 or more and below 1");
    check(
        LstmParams { learning_rate: f64::NAN, ..valid },
        "learning_rate is NaN, and must be above 0 and at most 1",
    );
    check(
        LstmParams { gradient_norm_max: 0.0, ..valid },
        "gradient_norm_max is 0, and must be above 0",
    );
}

#[test]
fn wild_values_and_a_great_step_leave_the_forecast_finite() {
    let (x, y) = table(1);
    let mut columns: Vec<Vec<f64>> =
        (0..x.features.columns_count()).map(|j| x.features.column(j).to_vec()).collect();
    columns[1][50] = 1e300;
    columns[2][250] = -1e300;
    let names = x.features.names().to_vec();
    let features = FeatureMatrix::from_columns(names, columns).unwrap();
    let wild = Known { features, ..x };
    let params =
        LstmParams { learning_rate: 1.0, gradient_norm_max: 1e30, epochs_max: 5, ..small() };
    let fitted = fit(params, &wild, &y);
    assert!(fitted.predict(&wild, &rows(0..300)).iter().all(|value| value.is_finite()));
}

#[test]
fn stored_networks_that_do_not_hold_together_are_refused() {
    let (x, y) = table(1);
    let fitted = fit(LstmParams { epochs_max: 1, ..small() }, &x, &y);
    let stored = serde_json::to_value(&fitted).unwrap();
    let read = |stored| serde_json::from_value::<FittedLstm>(stored).map_err(|e| e.to_string());
    assert_eq!(read(stored.clone()).unwrap(), fitted);
    let mut other = stored.clone();
    other["shape"]["hidden"] = 17.into();
    let error = read(other).unwrap_err();
    assert!(error.contains("must be F32 [68, "), "{error}");
    let mut other = stored.clone();
    other["symbols"] = serde_json::json!(["AAA"]);
    let error = read(other).unwrap_err();
    assert!(error.contains("do not go together"), "{error}");
    let mut other = stored;
    other["weights"] = "AAAA".into();
    let error = read(other).unwrap_err();
    assert!(error.contains("cannot be read as safetensors"), "{error}");
    assert!(matches!(fitted.artifact(), Artifact::Lstm(_)));
}
