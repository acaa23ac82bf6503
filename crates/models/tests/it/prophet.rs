//! Prophet on series whose rule is known, and as a forecaster of closes.

use bist_market::calendar::{DayKind, SessionKind};
use bist_market::{Calendar, Symbol};
use bist_models::prophet::{
    BandSampling, Effect, FittedProphet, FittedProphetSeries, Growth, Mode, Prophet, ProphetParams,
    Regressor, Seasonality,
};
use bist_models::{FeatureMatrix, FitError, FittedForecaster as _, Horizon, Known, RowKey};
use bist_testkit::table::Table;
use jiff::civil::{Date, date};

fn sessions(count: usize) -> Vec<Date> {
    let days: Vec<Date> = (Calendar::bist().sessions(date(2015, 1, 2), date(2026, 12, 31)))
        .map(|(day, _)| day)
        .take(count)
        .collect();
    assert_eq!(days.len(), count);
    days
}

/// Numbers with mean 0 and standard deviation 1, nearly normal.
fn noise(count: usize, seed: u64) -> Vec<f64> {
    // The sum of twelve uniform numbers of -1..1, whose variance is 4.
    let table = Table::generate(20 * count, 5, seed);
    let known = table.columns[0].iter().filter(|value| value.is_finite()).copied();
    let values: Vec<f64> = known.take(12 * count).collect();
    values.chunks(12).map(|chunk| chunk.iter().sum::<f64>() / 2.0).collect()
}

fn weekly() -> ProphetParams {
    ProphetParams {
        seasonalities: vec![Seasonality::weekly()],
        holidays: None,
        ..ProphetParams::default()
    }
}

fn rising(index: usize) -> f64 {
    100.0 + 0.05 * f64::from(u32::try_from(index).unwrap())
}

#[test]
fn bands_hold_the_share_of_outcomes_that_they_promise() {
    let days = sessions(430);
    let (mut inside, mut count) = (0.0, 0.0);
    for seed in 0..40 {
        let values: Vec<f64> =
            noise(430, seed).iter().enumerate().map(|(i, e)| rising(i) + 2.0 * e).collect();
        let fitted = weekly().fit_series(&days[..400], &values[..400], &[]).unwrap();
        let forecast = fitted.forecast(&days[400..], &[]);
        let bands = fitted.bands(&forecast, BandSampling { level: 0.8, samples_count: 500, seed });
        for (i, value) in values[400..].iter().enumerate() {
            count += 1.0;
            if (bands.yhat_lower[i]..=bands.yhat_upper[i]).contains(value) {
                inside += 1.0;
            }
        }
    }
    let share = inside / count;
    assert!((0.76..0.86).contains(&share), "{share} of {count} outcomes are inside");
}

#[test]
fn bands_widen_with_time_and_the_same_seed_gives_the_same_bits() {
    let days = sessions(900);
    let values: Vec<f64> = (0..400).map(|i| if i < 200 { rising(i) } else { 120.0 }).collect();
    let values: Vec<f64> = values.iter().zip(noise(400, 1)).map(|(v, e)| v + e).collect();
    let fitted = weekly().fit_series(&days[..400], &values, &[]).unwrap();
    let forecast = fitted.forecast(&days, &[]);
    let bands =
        |seed| fitted.bands(&forecast, BandSampling { level: 0.9, samples_count: 200, seed });
    assert_eq!(bands(1), bands(1));
    assert_ne!(bands(1), bands(2));
    let bands = bands(1);
    let width = |row: usize| bands.trend_upper[row] - bands.trend_lower[row];
    assert!(width(399) <= 0.0 && width(410) < width(600) && width(600) < width(899));
    assert!((0..900).all(|row| bands.yhat_lower[row] < bands.yhat_upper[row]));
}

#[test]
fn components_add_up_to_the_forecast() {
    let days = sessions(700);
    let multiplicative = Effect { mode: Mode::Multiplicative, ..Effect::default() };
    let values: Vec<f64> =
        noise(700, 3).iter().enumerate().map(|(i, e)| rising(i) + 0.5 * e).collect();
    let level = noise(700, 4);
    for growth in [Growth::Linear, Growth::Logistic { headroom: 0.5 }] {
        let yearly = Seasonality { effect: multiplicative, ..Seasonality::yearly() };
        let params = ProphetParams {
            growth,
            seasonalities: vec![yearly, Seasonality::weekly()],
            ..ProphetParams::default()
        };
        let regressor =
            Regressor { name: "level", effect: Effect::default(), values: &level[..600] };
        let fitted = params.fit_series(&days[..600], &values[..600], &[regressor]).unwrap();
        let forecast = fitted.forecast(&days, &[&level]);
        let names: Vec<&str> = forecast.terms.iter().map(|term| term.name.as_str()).collect();
        assert_eq!(names, ["yearly", "weekly", "holidays", "level"]);
        for row in 0..700 {
            let terms: f64 = forecast.terms.iter().map(|term| term.values[row]).sum();
            assert!((forecast.trend[row] + terms - forecast.yhat[row]).abs() < 1e-9);
        }
    }
}

#[test]
fn what_was_put_into_a_series_is_found_in_its_components() {
    let days = sessions(1000);
    let calendar = Calendar::bist();
    let half = |day: &Date| calendar.day(*day) == DayKind::Session { session: SessionKind::Half };
    let values: Vec<f64> = (days.iter().zip(noise(1000, 5)).enumerate())
        .map(|(i, (day, e))| {
            let bend = 0.1 * f64::from(u32::try_from(i.saturating_sub(500)).unwrap());
            rising(i) + bend + 0.2 * e + if half(day) { 5.0 } else { 0.0 }
        })
        .collect();
    let params = ProphetParams { holidays: Some(Effect::default()), ..weekly() };
    let fitted = params.fit_series(&days, &values, &[]).unwrap();
    let forecast = fitted.forecast(&days, &[]);
    let slope = |row: usize| (forecast.trend[row + 100] - forecast.trend[row]) / 100.0;
    assert!((slope(200) - 0.05).abs() < 0.005, "{}", slope(200));
    assert!((slope(800) - 0.15).abs() < 0.005, "{}", slope(800));
    let holidays = &forecast.terms[1];
    for (day, effect) in days.iter().zip(&holidays.values) {
        let expected = if half(day) { 5.0 } else { 0.0 };
        assert!((effect - expected).abs() < 0.5, "{day}: {effect}");
    }
}

#[test]
fn a_constant_series_is_continued() {
    let days = sessions(130);
    for growth in [Growth::Linear, Growth::Logistic { headroom: 0.1 }] {
        for value in [0.0, 3.0, -2.0] {
            let params = ProphetParams { growth, ..ProphetParams::default() };
            let fitted = params.fit_series(&days[..100], &[value; 100], &[]).unwrap();
            assert_eq!(fitted.forecast(&days, &[]).yhat, [value; 130]);
        }
    }
}

#[test]
fn a_line_without_noise_is_continued() {
    let days = sessions(400);
    let values: Vec<f64> = (days.iter())
        .map(|day| 100.0 + 0.05 * day.duration_since(days[0]).as_secs_f64() / 86_400.0)
        .collect();
    let fitted = weekly().fit_series(&days[..300], &values[..300], &[]).unwrap();
    for (ours, value) in fitted.forecast(&days, &[]).yhat.iter().zip(&values) {
        assert!((ours - value).abs() < 1e-3, "{ours} and {value}");
    }
}

#[test]
fn what_cannot_be_fitted_is_refused_with_the_numbers() {
    let days = sessions(100);
    let values: Vec<f64> = (0..100).map(rising).collect();
    let refuse = |params: ProphetParams, days: &[Date], values: &[f64]| {
        params.fit_series(days, values, &[]).unwrap_err()
    };
    assert_eq!(
        refuse(weekly(), &days[..1], &values[..1]),
        FitError::TooFewRows { rows_count: 1, rows_count_min: 2 }
    );
    let mut twice = days.clone();
    twice[7] = twice[6];
    assert_eq!(refuse(weekly(), &twice, &values), FitError::DaysOutOfOrder { row: 7 });
    let mut unknown = values.clone();
    unknown[9] = f64::INFINITY;
    assert_eq!(
        refuse(weekly(), &days, &unknown),
        FitError::TargetNotFinite { row: 9, value: f64::INFINITY }
    );
    let mut level = values.clone();
    level[3] = f64::NEG_INFINITY;
    let regressor = Regressor { name: "level", effect: Effect::default(), values: &level };
    let error = weekly().fit_series(&days, &values, &[regressor]).unwrap_err().to_string();
    let expected = "the regressor 'level' is -inf in row 3: fill it, or leave the row out";
    assert_eq!(error, expected);
    let name_of = |params: ProphetParams| {
        let error = refuse(params, &days, &values);
        let FitError::Parameter { name, .. } = error else { panic!("{error}") };
        name
    };
    assert_eq!(name_of(ProphetParams { changepoint_range: 1.5, ..weekly() }), "changepoint_range");
    let unbent = ProphetParams { changepoint_prior_scale: 0.0, ..weekly() };
    assert_eq!(name_of(unbent), "changepoint_prior_scale");
    let capless = ProphetParams { growth: Growth::Logistic { headroom: f64::NAN }, ..weekly() };
    assert_eq!(name_of(capless), "headroom");
    let endless = vec![Seasonality::additive("endless", 0.0, 3)];
    assert_eq!(name_of(ProphetParams { seasonalities: endless, ..weekly() }), "period_days");
    let flat = vec![Seasonality::additive("flat", 7.0, 0)];
    assert_eq!(name_of(ProphetParams { seasonalities: flat, ..weekly() }), "fourier_order");
}

/// The closes of two symbols; the second has a break after 300 rows and goes down in what follows.
fn closes() -> (Known, Vec<f64>) {
    let days = sessions(800);
    let symbols = ["AAA", "BBB"].map(|symbol| Symbol::parse(symbol).unwrap());
    let mut known = Known {
        keys: Vec::new(),
        features: FeatureMatrix::from_columns(vec!["none".into()], vec![vec![0.0; 1600]]).unwrap(),
        log_close: Vec::new(),
        stretch: Vec::new(),
    };
    for (i, (day, e)) in days.iter().zip(noise(800, 6)).enumerate() {
        for (symbol, slope) in symbols.iter().zip([0.001, if i < 300 { 0.002 } else { -0.002 }]) {
            known.keys.push(RowKey::daily(*day, *symbol));
            known.log_close.push(2.0 + slope * f64::from(u32::try_from(i).unwrap()) + 0.002 * e);
            known.stretch.push(u32::from(slope < 0.0));
        }
    }
    (known, vec![0.0; 1600])
}

fn prophet(sessions: u8) -> Prophet {
    let params = ProphetParams::default();
    Prophet { horizon: Horizon::from_sessions(sessions).unwrap(), params }
}

#[test]
fn each_stretch_of_each_symbol_follows_its_own_trend() {
    let (known, y) = closes();
    let train: Vec<usize> = (0..1500).collect();
    let fitted = prophet(20).fit_closes(&known, &y, &train).unwrap();
    let predicted = fitted.predict(&known, &[400, 401, 1500, 1501]);
    for (predicted, expected) in predicted.iter().zip([0.02, 0.04, 0.02, -0.04]) {
        assert!((predicted - expected).abs() < 0.006, "{predicted} instead of {expected}");
    }
}

#[test]
fn components_of_a_return_add_up_to_it() {
    let (known, y) = closes();
    let fitted = prophet(5).fit_closes(&known, &y, &(0..1500).collect::<Vec<_>>()).unwrap();
    let rows: Vec<usize> = (1400..1600).step_by(2).collect();
    let components = fitted.component_returns(&known, &rows);
    let names: Vec<&str> = components.iter().map(|component| component.name.as_str()).collect();
    assert_eq!(names, ["trend", "yearly", "weekly", "holidays"]);
    for (i, predicted) in fitted.predict(&known, &rows).iter().enumerate() {
        let sum: f64 = components.iter().map(|component| component.values[i]).sum();
        assert!((sum - predicted).abs() < 1e-12);
    }
}

#[test]
fn a_model_whose_terms_and_coefficients_do_not_go_together_is_not_read() {
    let (known, y) = closes();
    let fitted = prophet(5).fit_closes(&known, &y, &(0..1500).collect::<Vec<_>>()).unwrap();
    let written = serde_json::to_value(&fitted).unwrap();
    assert_eq!(serde_json::from_value::<FittedProphet>(written.clone()).unwrap(), fitted);
    let refused = |change: fn(&mut serde_json::Value)| {
        let mut changed = written.clone();
        change(&mut changed["stretches"]);
        serde_json::from_value::<FittedProphet>(changed).unwrap_err().to_string()
    };
    let terms = "the terms of a series and its coefficients do not go together";
    let regressor = |stretches: &mut serde_json::Value| {
        let effect = stretches[0]["series"]["params"]["holidays"].clone();
        let named = serde_json::json!({"name": "x", "effect": effect, "mean": 0.0, "std_dev": 1.0});
        stretches[0]["series"]["regressors"] = serde_json::json!([named]);
        stretches[0]["series"]["betas"].as_array_mut().unwrap().push(0.5.into());
    };
    assert_eq!(refused(regressor), terms);
    assert_eq!(refused(|s| drop(s[0]["series"]["betas"].as_array_mut().unwrap().pop())), terms);
    assert_eq!(refused(|s| s[1]["series"]["trend"]["deltas"] = serde_json::json!([])), terms);
    let order = "the stretches are not in their order, each once";
    assert_eq!(refused(|s| s.as_array_mut().unwrap().reverse()), order);
}

#[test]
fn what_no_model_knows_is_forecast_to_stand_still() {
    let (mut known, y) = closes();
    // The second stretch of BBB has 59 training rows.
    let train: Vec<usize> =
        (0..600).chain((600..600 + 2 * 59).filter(|row| row % 2 == 1)).collect();
    let fitted = prophet(5).fit_closes(&known, &y, &train).unwrap();
    assert_eq!(fitted.predict(&known, &[601, 1501]), [0.0, 0.0]);
    assert_ne!(fitted.predict(&known, &[600]), [0.0]);
    assert!(fitted.component_returns(&known, &[601]).is_empty());
    // The last sessions of the calendar, and one of another symbol.
    known.keys[1598].day = date(2026, 12, 31);
    known.keys[1596].symbol = Symbol::parse("CCC").unwrap();
    assert_eq!(fitted.predict(&known, &[1596, 1598]), [0.0, 0.0]);
}

#[test]
fn a_seasonality_without_two_turns_is_dropped() {
    let (known, y) = closes();
    let names = |rows_count: usize| -> Vec<String> {
        let rows: Vec<usize> = (0..rows_count).step_by(2).collect();
        let fitted = prophet(5).fit_closes(&known, &y, &rows).unwrap();
        fitted.component_returns(&known, &[0]).into_iter().map(|term| term.name).collect()
    };
    assert_eq!(names(2 * 480), ["trend", "weekly", "holidays"]);
    assert_eq!(names(2 * 520), ["trend", "yearly", "weekly", "holidays"]);
}

#[test]
fn the_level_of_the_closes_changes_nothing() {
    let (known, y) = closes();
    let train: Vec<usize> = (0..1500).collect();
    let mut raised = known.clone();
    raised.log_close.iter_mut().for_each(|value| *value += 4.0);
    let predict = |known: &Known| {
        prophet(5).fit_closes(known, &y, &train).unwrap().predict(known, &[10, 700, 1550, 1551])
    };
    for (one, other) in predict(&known).iter().zip(predict(&raised)) {
        assert!((one - other).abs() < 1e-9, "{one} and {other}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (known, y) = closes();
    let rows: Vec<usize> = (0..1600).collect();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let fitted = prophet(5).fit_closes(&known, &y, &rows[..1500]).unwrap();
            let bits: Vec<u64> =
                fitted.predict(&known, &rows).iter().map(|value| value.to_bits()).collect();
            (fitted.artifact().to_bytes(), bits)
        })
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn a_fitted_series_survives_the_way_to_json_and_back() {
    let days = sessions(300);
    let values: Vec<f64> = (0..300).map(rising).zip(noise(300, 8)).map(|(v, e)| v + e).collect();
    let params =
        ProphetParams { growth: Growth::Logistic { headroom: 0.3 }, ..ProphetParams::default() };
    let fitted = params.fit_series(&days, &values, &[]).unwrap();
    let text = serde_json::to_string(&fitted).unwrap();
    let read: FittedProphetSeries = serde_json::from_str(&text).unwrap();
    assert_eq!(read, fitted);
}

type Shape = fn(f64, f64) -> f64;

#[test]
fn whatever_the_series_the_fit_ends_and_its_forecasts_are_finite() {
    let all_days = sessions(300);
    // The value of a row from its number and a random number.
    let shapes: [(&str, Shape); 10] = [
        ("noise", |_, e| e),
        ("line", |i, _| 3.0 + 0.01 * i),
        ("step", |i, _| if i < 30.0 { 1.0 } else { 2.0 }),
        ("last value differs", |i, _| if i > 57.0 { 1.0 } else { 0.0 }),
        ("outlier", |i, e| if (i - 20.0).abs() < 0.5 { 1e6 } else { e }),
        ("huge", |i, e| 1e12 * (1.0 + 0.001 * i + 0.01 * e)),
        ("tiny", |i, e| 1e-12 * (1.0 + 0.001 * i + 0.01 * e)),
        ("hardly moves", |i, e| 5.0 + 1e-13 * (i + e)),
        ("weekly", |i, _| (i % 5.0) - 2.0),
        ("negative", |i, e| -50.0 - 0.1 * i - e),
    ];
    let multiplicative = Effect { mode: Mode::Multiplicative, prior_scale: 10.0 };
    for rows_count in [2, 3, 4, 10, 60, 130] {
        let noise = noise(rows_count, 11);
        for (name, shape) in shapes {
            let values: Vec<f64> =
                (0_u32..).zip(&noise).map(|(i, e)| shape(f64::from(i), *e)).collect();
            for growth in [Growth::Linear, Growth::Logistic { headroom: 0.1 }] {
                for effect in [Effect::default(), multiplicative] {
                    for n_changepoints in [0, 25] {
                        let params = ProphetParams {
                            growth,
                            n_changepoints,
                            seasonalities: vec![
                                Seasonality { effect, ..Seasonality::yearly() },
                                Seasonality { effect, ..Seasonality::weekly() },
                            ],
                            holidays: Some(effect),
                            ..ProphetParams::default()
                        };
                        let days = &all_days[..rows_count];
                        let fitted = params.fit_series(days, &values, &[]).unwrap();
                        let forecast = fitted.forecast(&all_days[..rows_count + 20], &[]);
                        let sampling = BandSampling { level: 0.8, samples_count: 20, seed: 1 };
                        let bands = fitted.bands(&forecast, sampling);
                        let finite = (forecast.yhat.iter())
                            .chain(&bands.yhat_lower)
                            .chain(&bands.trend_upper)
                            .all(|value| value.is_finite());
                        assert!(finite, "{rows_count} rows of {name}, {params:?}");
                    }
                }
            }
        }
    }
}
