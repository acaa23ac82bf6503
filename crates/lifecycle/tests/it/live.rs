//! A model that follows live bars says what it says of the panel.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bist_lifecycle::evaluation::LearningTarget;
use bist_lifecycle::{
    Explained, FittedModel, LiveModel, OtherFeatures, RowModel, TrainingContext, change_features,
};
use bist_market::{Bar, BarSeries, Calendar, Interval, Symbol, ValidatedBars};
use bist_models::{FeatureMatrix, FeatureSpec, Panel, features};
use bist_testkit::bars::{random_walk, validated};
use jiff::civil::{Date, date};

use crate::panels::{HORIZON, Recipe, spec};

const FIRST_ON: Date = date(2019, 6, 3);
const LAST_ON: Date = date(2021, 4, 30);

/// What the live model has seen before it follows.
const UNTIL: Date = date(2021, 4, 9);

/// Shares with gaps, one of which comes back after a long absence, the index and the rate.
fn market() -> Vec<BarSeries> {
    let symbols = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "USDTRY", "XU100"];
    let mut market: Vec<BarSeries> = (symbols.into_iter().zip([37, 11, 23, 7, 53, 41, 29, 13, 19]))
        .map(|(symbol, every)| {
            let series = random_walk(symbol, FIRST_ON, LAST_ON, 3);
            let kept = series.bars.into_iter().enumerate().filter(|(i, _)| i % every != 3);
            BarSeries { bars: kept.map(|(_, bar)| bar).collect(), ..series }
        })
        .collect();
    let away = |day: Date| (date(2021, 3, 1)..date(2021, 4, 20)).contains(&day);
    market[1].bars.retain(|bar| !away(bar.day()));
    market
}

fn panel(series: &[ValidatedBars]) -> Panel {
    features::build(series, &[], Calendar::bist(), &[HORIZON]).remove(0)
}

/// A model of all members, with fewer trees and epochs than that of the product.
fn fitted() -> &'static FittedModel {
    static FITTED: OnceLock<FittedModel> = OnceLock::new();
    FITTED.get_or_init(|| {
        let series: Vec<ValidatedBars> = market().into_iter().map(validated).collect();
        let mut spec = spec(3);
        spec.walk_forward.folds_count = 2;
        // A walk has no pattern, so that stopping early would leave no trees.
        spec.members.gbdt.early_stopping_rounds = 0;
        spec.members.gbdt.num_iterations = 20;
        spec.outlook.num_iterations = 10;
        let trained = bist_lifecycle::train(
            &panel(&series),
            &spec,
            &TrainingContext {
                configurations_count: 1,
                sectors: &BTreeMap::new(),
                other_future: &|day| {
                    let other = series.iter().map(|series| series.with_another_future(day));
                    panel(&other.collect::<Vec<_>>())
                },
            },
            &|_| std::ops::ControlFlow::Continue(()),
        );
        trained.unwrap().model
    })
}

/// The last bars of each day, in an order that changes from day to day.
fn by_day(series: &[ValidatedBars]) -> BTreeMap<Date, Vec<(Symbol, Bar, bool)>> {
    let mut days: BTreeMap<Date, Vec<(Symbol, Bar, bool)>> = BTreeMap::new();
    for series in series {
        for (index, bar) in series.bars().iter().enumerate().filter(|(_, bar)| bar.day > UNTIL) {
            let of_day = days.entry(bar.day).or_default();
            of_day.push((series.symbol(), *bar, series.continues(index)));
        }
    }
    for (number, bars) in days.values_mut().enumerate() {
        let by = number * 5 % bars.len();
        bars.rotate_left(by);
    }
    days
}

/// The forecast and its explanation as text, in which numbers of different bits differ.
fn written(explained: Option<&Explained>) -> String {
    format!("{explained:?}")
}

#[test]
fn a_live_model_forecasts_what_the_panel_of_the_bars_so_far_gives() {
    let market = market();
    let series: Vec<ValidatedBars> = market.iter().cloned().map(validated).collect();
    let fitted = fitted();
    assert!(fitted.members.lstm.is_some() && fitted.members.prophet.is_some());
    assert_eq!(fitted.members.target, LearningTarget::RelativeToDay);
    let whole = panel(&series);
    let mut live =
        LiveModel::new(fitted.clone(), FeatureSpec::default(), &series, &[], UNTIL).unwrap();
    let (mut compared_count, mut new_stretches_count) = (0, 0);
    for (number, (day, bars)) in by_day(&series).into_iter().enumerate() {
        for (index, (symbol, bar, continues)) in bars.iter().enumerate() {
            let provisional = Bar { close: bar.low, ..*bar };
            live.push(*symbol, &provisional, *continues).unwrap();
            let forecast = live.push(*symbol, bar, *continues).unwrap();
            if number == 4 && live.row(*symbol).is_some() {
                let so_far = market.iter().cloned().map(|mut series| {
                    let arrived = bars[..=index].iter().any(|(of, ..)| *of == series.symbol);
                    series.bars.retain(|bar| bar.day() < day || (bar.day() == day && arrived));
                    validated(series)
                });
                let panel = panel(&so_far.collect::<Vec<_>>());
                let row =
                    panel.known.keys.iter().position(|key| key.day == day && key.symbol == *symbol);
                let batch = fitted.explain(&panel, row.unwrap(), Calendar::bist()).unwrap();
                assert_eq!(forecast, batch.as_ref().map(|batch| batch.forecast.clone()));
                let live_row = live.row(*symbol).unwrap();
                let explained = live.explain(&live_row).unwrap();
                assert!(explained.is_some());
                assert_eq!(written(explained.as_ref()), written(batch.as_ref()), "{symbol}");
            }
        }
        for (symbol, ..) in &bars {
            let Some(live_row) = live.row(*symbol) else { continue };
            let explained = live.explain(&live_row).unwrap();
            let row = whole.known.keys.binary_search(&live_row.key).unwrap();
            let batch = fitted.explain(&whole, row, Calendar::bist()).unwrap();
            assert_eq!(written(explained.as_ref()), written(batch.as_ref()), "{:?}", live_row.key);
            let forecasts =
                [live.forecast(&live_row), fitted.forecast(&whole, row, Calendar::bist())];
            let alone = explained.map(|explained| explained.forecast);
            assert_eq!(forecasts, [alone.clone(), alone]);
            compared_count += usize::from(batch.is_some());
            new_stretches_count += usize::from(live_row.stretch > 0 && day > UNTIL);
        }
    }
    assert!(compared_count > 60, "{compared_count}");
    assert!(new_stretches_count > 0, "BBB has come back");
}

#[test]
fn the_model_of_a_row_says_what_was_forecast_and_moves_with_its_features() {
    let series: Vec<ValidatedBars> = market().into_iter().map(validated).collect();
    let (fitted, panel) = (fitted(), panel(&series));
    let row = panel.known.keys.len() - 1;
    let day = fitted.prophet_day(&panel, row);
    let model = RowModel::of(fitted, &panel, row, day.as_ref());
    let features = panel.known.features.row(row);
    let explained = fitted.explain(&panel, row, Calendar::bist()).unwrap().unwrap();
    let expected = explained.forecast.expected_log_return;
    assert_eq!(model.expected(&features).to_bits(), expected.to_bits());
    let of_rows = fitted.explain_rows(&panel, &[row], Calendar::bist()).unwrap();
    assert_eq!(of_rows, [Some(explained.clone())]);

    let changes = BTreeMap::from([("return_5".to_owned(), 0.2), ("rsi_14".to_owned(), 20.0)]);
    let (changed, _) = change_features(model.feature_names(), &features, &changes).unwrap();
    let other = model.explain(&changed, Calendar::bist()).unwrap().unwrap();
    assert!((other.forecast.expected_log_return - expected).abs() > 1e-9);
    assert!((other.explanation.sum() - other.forecast.expected_log_return).abs() < 1e-6);
    let by_prophet = |explained: &Explained| explained.explanation.members[3].clone();
    assert_eq!(by_prophet(&other), by_prophet(&explained), "Prophet looks at no feature");
    let both = [features, changed];
    let columns = (0..both[0].len()).map(|j| both.iter().map(|row| row[j]).collect()).collect();
    let names = model.feature_names().to_vec();
    let table = FeatureMatrix::from_columns(names, columns).unwrap();
    let together = model.expected_of(&table);
    assert_eq!(together, [expected, other.forecast.expected_log_return]);
}

#[test]
fn a_model_of_other_features_does_not_follow() {
    let recipe = Recipe { symbols_count: 4, days_count: 300, strength: 0.3, seed: 1 };
    let panel = recipe.panel();
    let mut spec = spec(1);
    spec.members.lstm = None;
    spec.members.prophet = None;
    spec.walk_forward.folds_count = 2;
    let model = crate::panels::train(&panel, &spec).unwrap().model;
    let refused =
        LiveModel::new(model, FeatureSpec::default(), &[], &[], UNTIL).map(|_| ()).unwrap_err();
    let live_count = FeatureSpec::default().names(Interval::Daily).len();
    let of_model_count = panel.known.features.columns_count();
    assert_eq!(refused, OtherFeatures { of_model_count, live_count });
}
