//! The baselines that forecast a price from itself: the random walk with drift, and exponential
//! smoothing.

use bist_models::{Drift, Ets, FeatureMatrix, Forecaster, Horizon, Known};
use bist_testkit::table::Table;

use crate::battery::{known, rows};

const HORIZON: Horizon = Horizon::from_sessions(3).unwrap();

/// Three symbols on a hundred sessions, three rows a day, with these logarithms of the close.
fn closes(log_close: impl Fn(usize, usize) -> f64) -> Known {
    let table = Table::generate(300, 5, 1);
    let known = known(FeatureMatrix::from_columns(table.names, table.columns).unwrap());
    Known { log_close: (0..300).map(|row| log_close(row % 3, row / 3)).collect(), ..known }
}

fn forecasts(forecaster: &dyn Forecaster, known: &Known, train: usize) -> Vec<f64> {
    let fitted = forecaster.fit(known, &[0.0; 300], &rows(0..train), &[]).unwrap();
    fitted.predict(known, &rows(0..300))
}

fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

#[test]
fn drift_goes_on_with_the_mean_return_up_to_the_row() {
    // The returns of the second symbol are 0.01, 0.02, ...; their mean over `day` days is
    // 0.01 (day + 1) / 2.
    let known = closes(|symbol, day| match symbol {
        0 => 5.0,
        1 => 0.01 * float(day * (day + 1) / 2),
        _ => 3.0 - 0.004 * float(day),
    });
    let forecasts = forecasts(&Drift { horizon: HORIZON }, &known, 10);
    for day in 1..100 {
        let expected = [0.0, 3.0 * 0.01 * float(day + 1) / 2.0, -3.0 * 0.004];
        for (symbol, expected) in expected.into_iter().enumerate() {
            let ours = forecasts[3 * day + symbol];
            assert!((ours - expected).abs() < 1e-12, "{ours} and {expected} on day {day}");
        }
    }
    assert!(forecasts[..3].iter().all(|first| first.abs() <= 0.0));
}

#[test]
fn drift_takes_no_return_across_a_break() {
    let mut known = closes(|_, day| if day < 50 { 0.01 * float(day) } else { 7.0 });
    for row in 150..300 {
        known.stretch[row] = 1;
    }
    let forecasts = forecasts(&Drift { horizon: HORIZON }, &known, 10);
    assert!((forecasts[150] - 0.03).abs() < 1e-12);
    assert!((forecasts[299] - 0.03 * 49.0 / 98.0).abs() < 1e-12);
}

#[test]
fn exponential_smoothing_extends_what_a_series_does() {
    let known = closes(|symbol, day| match symbol {
        0 => 5.0,
        1 => 2.0 + 0.01 * float(day),
        // Up and down about a level, to which a forecast returns.
        _ => {
            if day % 2 == 0 {
                3.0
            } else {
                3.1
            }
        }
    });
    let forecasts = forecasts(&Ets { horizon: HORIZON }, &known, 240);
    for day in 1..100 {
        assert!(forecasts[3 * day].abs() < 1e-9);
        assert!((forecasts[3 * day + 1] - 0.03).abs() < 1e-6, "{}", forecasts[3 * day + 1]);
    }
    for day in 60..100 {
        let expected = if day % 2 == 0 { 0.05 } else { -0.05 };
        let ours = forecasts[3 * day + 2];
        assert!((ours - expected).abs() < 0.01, "{ours} and {expected} on day {day}");
    }
}

#[test]
fn what_exponential_smoothing_has_not_learned_stands_still() {
    let rising = |_, day: usize| 0.01 * float(day);
    let mut known = closes(rising);
    for row in 240..300 {
        known.stretch[row] = 1;
    }
    // The second stretch and everything before the first row trained on.
    let fitted = Ets { horizon: HORIZON }.fit(&known, &[0.0; 300], &rows(60..240), &[]).unwrap();
    let forecasts = fitted.predict(&known, &rows(0..300));
    assert!(forecasts[..60].iter().chain(&forecasts[240..]).all(|still| still.abs() <= 0.0));
    assert!(forecasts[60..240].iter().all(|rise| (rise - 0.03).abs() < 1e-6));
    // Too few rows of each symbol.
    let fitted = Ets { horizon: HORIZON }.fit(&known, &[0.0; 300], &rows(0..87), &[]).unwrap();
    assert!(fitted.predict(&known, &rows(0..300)).iter().all(|still| still.abs() <= 0.0));
}

#[test]
fn a_forecast_grows_with_the_horizon() {
    let known = closes(|_, day| 0.01 * float(day));
    let at = |sessions| {
        let horizon = Horizon::from_sessions(sessions).unwrap();
        [&Drift { horizon } as &dyn Forecaster, &Ets { horizon }]
            .map(|forecaster| forecasts(forecaster, &known, 240)[299])
    };
    for (one, seven) in at(1).into_iter().zip(at(7)) {
        assert!((one - 0.01).abs() < 1e-6 && (seven - 0.07).abs() < 1e-6, "{one} and {seven}");
    }
}
