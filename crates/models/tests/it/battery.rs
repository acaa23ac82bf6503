//! What every forecaster must do, whichever it is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bist_market::{Calendar, Symbol};
use bist_models::{
    Drift, ElasticNet, Ets, FeatureMatrix, FitError, Forecaster, Gbdt, GbdtParams, Horizon, Known,
    Lstm, LstmParams, Objective, Prophet, ProphetParams, Ridge, RowKey, SeasonalNaive,
};
use bist_testkit::table::Table;
use jiff::civil::date;

/// All forecasters; a new one gets its tests by a line here.
pub(crate) fn forecasters() -> Vec<Box<dyn Forecaster>> {
    let params = GbdtParams { num_iterations: 20, num_leaves: 8, ..GbdtParams::default() };
    let drawing =
        GbdtParams { feature_fraction: 0.5, bagging_fraction: 0.6, bagging_freq: 2, ..params };
    let trained_for = |objective| Gbdt { params: GbdtParams { objective, ..params }, seed: 7 };
    let network =
        LstmParams { steps: 6, hidden: 8, epochs_max: 3, batch_size: 64, ..LstmParams::default() };
    let horizon = Horizon::from_sessions(5).unwrap();
    vec![
        Box::new(SeasonalNaive { horizon }),
        Box::new(Ridge { alpha: 1.0 }),
        Box::new(ElasticNet { alpha: 0.01, l1_ratio: 0.5 }),
        Box::new(Drift { horizon }),
        Box::new(Ets { horizon }),
        Box::new(Gbdt { params, seed: 7 }),
        Box::new(Gbdt { params: drawing, seed: 7 }),
        Box::new(trained_for(Objective::Huber { alpha: 0.5 })),
        Box::new(trained_for(Objective::Quantile { alpha: 0.7 })),
        Box::new(trained_for(Objective::Binary)),
        Box::new(trained_for(Objective::Lambdarank)),
        Box::new(Prophet { horizon, params: ProphetParams::default() }),
        Box::new(Lstm { params: network, seed: 7 }),
        Box::new(Lstm {
            params: LstmParams { layer_norm: true, dropout: 0.3, ..network },
            seed: 7,
        }),
    ]
}

/// 300 rows with holes; the first column is the return that the seasonal naive reads, the last is
/// unknown everywhere, and row 299 is unknown throughout.
pub(crate) fn table(seed: u64) -> (Known, Vec<f64>) {
    let mut table = Table::generate(300, 6, seed);
    table.names[0] = "return_5".to_owned();
    table.columns[5] = vec![f64::NAN; 300];
    for column in &mut table.columns {
        column[299] = f64::NAN;
    }
    let features = FeatureMatrix::from_columns(table.names, table.columns).unwrap();
    (known(features), table.y)
}

/// Rows of three symbols on a hundred sessions whose prices rise and fall with the first feature.
pub(crate) fn known(features: FeatureMatrix) -> Known {
    let sessions = Calendar::bist().sessions(date(2024, 1, 2), date(2025, 12, 31));
    let symbols = ["AAA", "BBB", "CCC"].map(|symbol| Symbol::parse(symbol).unwrap());
    let keys: Vec<RowKey> = sessions
        .flat_map(|(day, _)| symbols.map(|symbol| RowKey::daily(day, symbol)))
        .take(features.rows_count())
        .collect();
    let mut level = [0.0; 3];
    let log_close = (0..features.rows_count()).map(|row| {
        level[row % 3] +=
            0.01 * Some(features.value(row, 0)).filter(|v| v.is_finite()).unwrap_or(0.0);
        level[row % 3]
    });
    Known { log_close: log_close.collect(), stretch: vec![0; keys.len()], keys, features }
}

pub(crate) fn rows(range: std::ops::Range<usize>) -> Vec<usize> {
    range.collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        let fit = || forecaster.fit(&x, &y, &rows(0..200), &rows(200..250)).unwrap();
        assert_eq!(fit().artifact().to_bytes(), fit().artifact().to_bytes(), "{forecaster:?}");
        let predict = || bits(&fit().predict(&x, &rows(250..300)));
        assert_eq!(predict(), predict(), "{forecaster:?}");
    }
}

#[test]
fn refitting_forgets() {
    let (x, y) = table(1);
    let (other_x, other_y) = table(2);
    for (used, fresh) in forecasters().into_iter().zip(forecasters()) {
        let train = |forecaster: &dyn Forecaster, x, y: &[f64]| {
            forecaster.fit(x, y, &rows(0..200), &rows(200..250)).unwrap().artifact().to_bytes()
        };
        train(used.as_ref(), &other_x, &other_y);
        let again = train(used.as_ref(), &x, &y);
        assert_eq!(again, train(fresh.as_ref(), &x, &y), "{used:?}");
    }
}

#[test]
fn rows_outside_training_and_validation_are_not_looked_at() {
    let (x, y) = table(1);
    let features = &x.features;
    let columns = (0..features.columns_count())
        .map(|j| [&features.column(j)[..250], &vec![0.5; 50]].concat())
        .collect();
    let names = features.names().to_vec();
    let mut changed =
        Known { features: FeatureMatrix::from_columns(names, columns).unwrap(), ..x.clone() };
    changed.log_close[250..].fill(5.0);
    let mut changed_y = y.clone();
    changed_y[250..].fill(f64::NAN);
    for forecaster in forecasters() {
        let bytes = |x, y: &[f64]| {
            forecaster.fit(x, y, &rows(0..200), &rows(200..250)).unwrap().artifact().to_bytes()
        };
        assert_eq!(bytes(&x, &y), bytes(&changed, &changed_y), "{forecaster:?}");
    }
}

#[test]
fn a_forecast_does_not_move_with_what_came_later() {
    let (x, y) = table(1);
    // Row 255 begins a day.
    let features = &x.features;
    let columns = (0..features.columns_count())
        .map(|j| [&features.column(j)[..255], &vec![0.5; 45]].concat())
        .collect();
    let names = features.names().to_vec();
    let mut changed =
        Known { features: FeatureMatrix::from_columns(names, columns).unwrap(), ..x.clone() };
    changed.log_close[255..].fill(5.0);
    changed.stretch[255..].fill(1);
    for forecaster in forecasters() {
        let fitted = forecaster.fit(&x, &y, &rows(0..200), &rows(200..240)).unwrap();
        let predict = |x| bits(&fitted.predict(x, &rows(0..255)));
        assert_eq!(predict(&x), predict(&changed), "{forecaster:?}");
    }
}

#[test]
fn a_constant_target_is_survived_and_learned() {
    let (x, _) = table(1);
    for forecaster in forecasters() {
        let fitted = forecaster.fit(&x, &[0.25; 300], &rows(0..200), &rows(200..250)).unwrap();
        let predicted = fitted.predict(&x, &rows(0..300));
        assert!(predicted.iter().all(|value| value.is_finite()), "{forecaster:?}");
        // Some models forecast from prices and do not read the target.
        let of_prices = [SeasonalNaive::KIND, Drift::KIND, Ets::KIND, Prophet::KIND];
        if !of_prices.contains(&forecaster.kind()) {
            // A probability of a rise, and a score of the order within days, are no returns.
            let expected = match format!("{forecaster:?}") {
                name if name.contains("Binary") => 1.0,
                name if name.contains("Lambdarank") => 0.0,
                _ => 0.25,
            };
            let exact = predicted.iter().all(|value| (value - expected).abs() < 1e-12);
            assert!(exact, "{forecaster:?}");
        }
    }
}

#[test]
fn too_few_rows_are_refused_with_the_numbers() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        let rows_count_min = match forecaster.kind() {
            SeasonalNaive::KIND | Drift::KIND => 1,
            Ridge::KIND | ElasticNet::KIND => 8,
            Ets::KIND => 30,
            Prophet::KIND => 60,
            _ => 40,
        };
        let too_few = rows_count_min - 1;
        let error = forecaster.fit(&x, &y, &rows(0..too_few), &[]).unwrap_err();
        assert_eq!(error, FitError::TooFewRows { rows_count: too_few, rows_count_min });
        assert!(forecaster.fit(&x, &y, &rows(0..rows_count_min), &[]).is_ok());
    }
}

#[test]
fn nan_never_leaves() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        let fitted = forecaster.fit(&x, &y, &rows(0..200), &rows(200..250)).unwrap();
        let predicted = fitted.predict(&x, &rows(0..300));
        assert_eq!(predicted.len(), 300);
        assert!(predicted.iter().all(|value| value.is_finite()), "{forecaster:?}");
    }
}

#[test]
fn a_target_that_is_not_finite_is_refused() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut y = y.clone();
            y[120] = value;
            let error = forecaster.fit(&x, &y, &rows(0..200), &[]).unwrap_err();
            let expected =
                format!("the target of row 120 is {value}: leave rows without a known target out");
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn rows_and_targets_that_do_not_fit_the_matrix_are_refused() {
    let (x, y) = table(1);
    for forecaster in forecasters() {
        let error = forecaster.fit(&x, &y[..299], &rows(0..200), &[]).unwrap_err();
        assert_eq!(error, FitError::TargetsCount { targets_count: 299, rows_count: 300 });
        let error = forecaster.fit(&x, &y, &rows(200..301), &[]).unwrap_err();
        assert_eq!(error, FitError::RowOutside { row: 300, rows_count: 300 });
    }
}

#[test]
fn a_matrix_with_other_columns_is_not_predicted() {
    let (x, y) = table(1);
    let features = &x.features;
    let mut names = features.names().to_vec();
    names.swap(0, 1);
    let columns = (0..features.columns_count()).map(|j| features.column(j).to_vec()).collect();
    let renamed =
        Known { features: FeatureMatrix::from_columns(names, columns).unwrap(), ..x.clone() };
    for forecaster in forecasters() {
        let fitted = forecaster.fit(&x, &y, &rows(0..200), &[]).unwrap();
        assert_eq!(fitted.feature_names(), features.names());
        let outcome = catch_unwind(AssertUnwindSafe(|| fitted.predict(&renamed, &[0])));
        assert!(outcome.is_err(), "{forecaster:?}");
    }
}

#[test]
fn the_seasonal_naive_repeats_the_last_return_and_needs_its_column() {
    let (x, y) = table(1);
    let naive = |sessions| SeasonalNaive { horizon: Horizon::from_sessions(sessions).unwrap() };
    let fitted = naive(5).fit(&x, &y, &rows(0..10), &[]).unwrap();
    let expected: Vec<f64> =
        x.features.column(0).iter().map(|r| if r.is_nan() { 0.0 } else { *r }).collect();
    assert_eq!(fitted.predict(&x, &rows(0..300)), expected);
    let error = naive(7).fit(&x, &y, &rows(0..10), &[]).unwrap_err();
    assert_eq!(error.to_string(), "the matrix has no column 'return_7'");
}
