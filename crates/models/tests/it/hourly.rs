//! Hourly bars: what their rows know, and what models learn from them.

use bist_market::{
    BarSeries, Calendar, ExchangeRules, Instrument, Interval, Origin, Price, RawBar, Symbol,
    ValidatedBars,
};
use bist_models::{
    BARRIER_WIDTH, BarrierOutcome, Drift, Ets, FeatureSpec, FitError, Forecaster, Horizon, Panel,
    RowKey, SeasonalNaive, features,
};
use bist_testkit::bars::{hour_of, hourly_walk, random_walk, validated};
use jiff::civil::{Date, date, time};

/// A half day is among the sessions: 5 June 2025.
const FIRST_DAY: Date = date(2025, 4, 1);
const LAST_DAY: Date = date(2025, 7, 14);
const FULL_DAY: Date = date(2025, 6, 4);
const HALF_DAY: Date = date(2025, 6, 5);

/// The last day that the perturbations leave as it was.
const TODAY: Date = date(2025, 6, 12);

const SHARES: [&str; 3] = ["AAA", "BBB", "CCC"];

fn walk(symbol: &str) -> BarSeries {
    hourly_walk(symbol, FIRST_DAY, LAST_DAY, 5)
}

fn build(series: &[ValidatedBars], horizon: Horizon) -> Panel {
    let sectors = [("AAA", "Bank"), ("BBB", "Bank")].map(|(symbol, sector)| Instrument {
        symbol: Symbol::parse(symbol).unwrap(),
        name: None,
        sector: Some(sector.to_owned()),
        origin: Origin::Market,
    });
    features::build(series, &sectors, Calendar::bist(), &[horizon]).remove(0)
}

fn one(series: BarSeries, horizon: Horizon) -> Panel {
    build(&[validated(series)], horizon)
}

fn row(panel: &Panel, day: Date, hour: i8) -> usize {
    let key = |key: &RowKey| (key.day, key.time) == (day, time(hour, 0, 0, 0));
    panel.known.keys.iter().position(key).unwrap()
}

fn value(panel: &Panel, name: &str, row: usize) -> f64 {
    let features = &panel.known.features;
    features.value(row, features.column_index(name).unwrap())
}

fn bar(series: &BarSeries, day: Date, hour: i8) -> RawBar {
    *series.bars.iter().find(|bar| bar.opened_at == hour_of(day, hour)).unwrap()
}

fn close(series: &BarSeries, day: Date, hour: i8) -> f64 {
    bar(series, day, hour).close_units as f64
}

#[track_caller]
fn assert_near(actual: f64, expected: f64, what: &str) {
    assert!((actual - expected).abs() < 1e-12, "{what}: {actual} and not {expected}");
}

#[test]
fn an_hour_ahead_is_the_next_close_of_the_session_and_its_last_bar_has_none() {
    let series = walk("AAA");
    let panel = one(series.clone(), Horizon::NextHour);
    for (day, last) in [(FULL_DAY, 18), (HALF_DAY, 12)] {
        for hour in 10..last {
            let row = row(&panel, day, hour);
            let returned = (close(&series, day, hour + 1) / close(&series, day, hour)).ln();
            assert_near(panel.targets.step_returns[0][row], returned, "return");
            let next = bar(&series, day, hour + 1);
            let traded = (next.close_units as f64 / next.open_units.unwrap() as f64).ln();
            assert_near(panel.targets.tradable_return[row], traded, "tradable return");
            assert_eq!(panel.targets.known_on[row], Some(day));
            let volatility = value(&panel, "volatility_20", row);
            assert_near(panel.targets.volatility[row], volatility, "volatility");
        }
        let row = row(&panel, day, last);
        assert!(panel.targets.step_returns[0][row].is_nan());
        assert!(panel.targets.tradable_return[row].is_nan());
        assert!(panel.targets.realised_volatility[row].is_nan());
        assert_eq!(panel.targets.barrier[row], None);
        assert_eq!(panel.targets.known_on[row], None);
        assert!(panel.targets.volatility[row].abs() < 1e-15, "nothing is left");
    }
    assert_eq!(panel.targets.step_returns.len(), 1);
}

#[test]
fn the_end_of_the_day_is_the_close_of_the_closing_auction_also_of_a_half_day() {
    let series = walk("AAA");
    let panel = one(series.clone(), Horizon::EndOfDay);
    for (day, last) in [(FULL_DAY, 18), (HALF_DAY, 12)] {
        for hour in 10..last {
            let row = row(&panel, day, hour);
            let end = close(&series, day, last);
            let returned = (end / close(&series, day, hour)).ln();
            assert_near(panel.targets.step_returns[0][row], returned, "return");
            let entry = bar(&series, day, hour + 1).open_units.unwrap() as f64;
            assert_near(panel.targets.tradable_return[row], (end / entry).ln(), "tradable");
            let left = f64::from(last - hour);
            let expected = value(&panel, "volatility_20", row) * left.sqrt();
            assert_near(panel.targets.volatility[row], expected, "volatility");
        }
        assert!(panel.targets.step_returns[0][row(&panel, day, last)].is_nan());
    }
}

#[test]
fn the_volatility_to_come_is_that_of_all_bars_together_and_barriers_lie_at_it() {
    let series = walk("AAA");
    let panel = one(series.clone(), Horizon::EndOfDay);
    let mut seen = std::collections::BTreeSet::new();
    let days = Calendar::bist().sessions(date(2025, 4, 10), LAST_DAY).map(|(day, _)| day);
    for day in days.filter(|day| *day != HALF_DAY) {
        let row = row(&panel, day, 14);
        let bars: Vec<RawBar> = (15..=18).map(|hour| bar(&series, day, hour)).collect();
        let mut before = close(&series, day, 14);
        let mut variance = 0.0;
        for bar in &bars {
            let open = bar.open_units.unwrap() as f64;
            let range = (bar.high_units as f64 / bar.low_units as f64).ln();
            let body = (bar.close_units as f64 / open).ln();
            variance += (open / before).ln().powi(2) + 0.5 * range.powi(2)
                - (2.0 * std::f64::consts::LN_2 - 1.0) * body.powi(2);
            before = bar.close_units as f64;
        }
        assert_near(panel.targets.realised_volatility[row], variance.sqrt(), "volatility");

        let entry = bars[0].open_units.unwrap() as f64;
        let width = BARRIER_WIDTH * panel.targets.volatility[row];
        let upper = |bar: &&RawBar| bar.high_units as f64 >= entry * width.exp();
        let lower = |bar: &&RawBar| bar.low_units as f64 <= entry * (-width).exp();
        let expected = match bars.iter().find(|bar| upper(bar) || lower(bar)) {
            Some(bar) if lower(&bar) => BarrierOutcome::Lower,
            Some(_) => BarrierOutcome::Upper,
            None => BarrierOutcome::Vertical,
        };
        assert_eq!(panel.targets.barrier[row], Some(expected), "{day}");
        seen.insert(format!("{expected:?}"));
    }
    assert_eq!(seen.len(), 3, "each outcome occurs: {seen:?}");
}

#[test]
fn an_absent_hour_is_not_bridged() {
    let mut series = walk("AAA");
    let gap = hour_of(FULL_DAY, 13);
    series.bars.retain(|bar| bar.opened_at != gap);
    let next = one(series.clone(), Horizon::NextHour);
    assert!(next.targets.step_returns[0][row(&next, FULL_DAY, 12)].is_nan());
    assert!(next.targets.step_returns[0][row(&next, FULL_DAY, 14)].is_finite());
    let end = one(series, Horizon::EndOfDay);
    let before = row(&end, FULL_DAY, 12);
    assert!(end.targets.step_returns[0][before].is_finite(), "both closes are there");
    assert!(end.targets.tradable_return[before].is_nan(), "nothing could be bought");
    assert_eq!(end.targets.barrier[before], None);
    assert!(end.targets.realised_volatility[before].is_nan());
}

#[test]
fn without_its_closing_auction_a_day_has_no_end() {
    let mut series = walk("AAA");
    let auction = hour_of(FULL_DAY, 18);
    series.bars.retain(|bar| bar.opened_at != auction);
    let panel = one(series, Horizon::EndOfDay);
    for hour in 10..=17 {
        assert!(panel.targets.step_returns[0][row(&panel, FULL_DAY, hour)].is_nan());
    }
    assert!(panel.targets.step_returns[0][row(&panel, HALF_DAY, 10)].is_finite());
}

#[test]
fn a_session_that_goes_on_has_no_outcomes_yet() {
    for horizon in [Horizon::NextHour, Horizon::EndOfDay] {
        let mut series = walk("AAA");
        let now = hour_of(LAST_DAY, 15);
        series.bars.retain(|bar| bar.opened_at < now);
        let panel = one(series, horizon);
        for hour in 10..=14 {
            let row = row(&panel, LAST_DAY, hour);
            assert!(panel.targets.step_returns[0][row].is_nan(), "{horizon} {hour}");
            assert_eq!(panel.targets.known_on[row], None);
            assert!(panel.targets.volatility[row] > 0.0, "and can be forecast");
        }
        let before = Calendar::bist().previous_session(LAST_DAY).unwrap();
        assert!(panel.targets.step_returns[0][row(&panel, before, 17)].is_finite());
    }
}

#[test]
fn no_label_reaches_through_an_hour_locked_at_the_limit_of_the_day() {
    let mut series = walk("AAA");
    let before = Calendar::bist().previous_session(FULL_DAY).unwrap();
    // The limit is counted from the close of the day before, and not from the hour before.
    let base = Price::from_units(bar(&series, before, 18).close_units).unwrap();
    let limit = ExchangeRules::bist().daily_limits(FULL_DAY, base).unwrap().upper.units();
    for bar in &mut series.bars {
        let is_locked = bar.opened_at == hour_of(FULL_DAY, 14);
        let is_after = bar.opened_at > hour_of(FULL_DAY, 14) && bar.day() == FULL_DAY;
        if is_locked {
            bar.open_units = Some(limit);
            (bar.high_units, bar.low_units, bar.close_units) = (limit, limit, limit);
        } else if is_after {
            // It opens again below the limit.
            bar.open_units = Some(limit - 10_000);
            bar.high_units = limit;
            bar.low_units = limit - 20_000;
            bar.close_units = limit - 10_000;
        }
    }
    let hours = |panel: &Panel| -> Vec<bool> {
        let known = |hour| panel.targets.step_returns[0][row(panel, FULL_DAY, hour)].is_finite();
        (10..=17).map(known).collect()
    };
    let end = one(series.clone(), Horizon::EndOfDay);
    assert_near(value(&end, "limit_hit", row(&end, FULL_DAY, 14)), 1.0, "at the limit");
    assert_near(value(&end, "limit_hit", row(&end, FULL_DAY, 15)), 0.0, "below it");
    assert_eq!(hours(&end), [false, false, false, false, true, true, true, true]);
    assert!(end.targets.tradable_return[row(&end, FULL_DAY, 13)].is_nan());
    let next = one(series, Horizon::NextHour);
    assert_eq!(hours(&next), [true, true, true, false, true, true, true, true]);
}

#[test]
fn a_row_knows_where_it_stands_in_its_session() {
    let series = walk("AAA");
    let panel = one(series.clone(), Horizon::NextHour);
    let at = |hour, name: &str| value(&panel, name, row(&panel, FULL_DAY, hour));
    let before = Calendar::bist().previous_session(FULL_DAY).unwrap();
    let open = bar(&series, FULL_DAY, 10).open_units.unwrap() as f64;
    for hour in 10..=18 {
        assert_near(at(hour, "bar_of_session"), f64::from(hour - 9), "bar of the session");
        assert_near(at(hour, "bars_to_close"), f64::from(18 - hour), "bars to the close");
        let session = (close(&series, FULL_DAY, hour) / open).ln();
        assert_near(at(hour, "session_return"), session, "return of the session");
        let gap = (open / close(&series, before, 18)).ln();
        assert_near(at(hour, "session_gap"), gap, "gap");
    }
    assert_near(value(&panel, "bars_to_close", row(&panel, HALF_DAY, 10)), 2.0, "half day");

    let sessions: Vec<Date> =
        Calendar::bist().sessions(FIRST_DAY, FULL_DAY).map(|(day, _)| day).collect();
    let last_20 = &sessions[sessions.len() - 20..];
    let volume = |day: Date| bar(&series, day, 11).volume_shares.unwrap() as f64;
    let mean = last_20.iter().map(|day| volume(*day)).sum::<f64>() / 20.0;
    let ratio = at(11, "same_hour_volume_ratio_20");
    assert!((ratio - volume(FULL_DAY) / mean).abs() < 1e-9, "{ratio}");
    // The hour that follows, on the days before this one only.
    let before_today = &sessions[sessions.len() - 21..sessions.len() - 1];
    let returned = |day: Date| (close(&series, day, 12) / close(&series, day, 11)).ln();
    let mean = before_today.iter().map(|day| returned(*day)).sum::<f64>() / 20.0;
    let next = at(11, "next_hour_return_20");
    assert!((next - mean).abs() < 1e-9, "{next} and not {mean}");
    assert!(at(18, "next_hour_return_20").is_nan());
}

/// Three shares by the hour; index and dollar by the day.
fn market(future: impl Fn(BarSeries) -> BarSeries) -> Vec<ValidatedBars> {
    let shares = SHARES.map(walk);
    let context = ["XU100", "USDTRY"]
        .map(|symbol| random_walk(symbol, date(2025, 1, 2), date(2025, 7, 14), 11));
    shares.into_iter().chain(context).map(|series| validated(future(series))).collect()
}

/// The bars after today are those of `other`.
fn with_other_future(
    change: impl Fn(&mut RawBar),
    keeps: impl Fn(usize) -> bool,
) -> Vec<ValidatedBars> {
    market(|mut series| {
        let begin = series.bars.partition_point(|bar| bar.day() <= TODAY);
        series.bars[begin..].iter_mut().for_each(&change);
        let mut index = 0;
        series.bars.retain(|bar| {
            index += 1;
            bar.day() <= TODAY || keeps(index)
        });
        series
    })
}

fn other_futures() -> Vec<Vec<ValidatedBars>> {
    let upside_down = |bar: &mut RawBar| {
        let close = bar.close_units;
        bar.close_units = bar.open_units.unwrap();
        bar.open_units = Some(close);
        bar.volume_shares = bar.volume_shares.map(|shares| shares / 2 + 17);
    };
    let higher = |bar: &mut RawBar| {
        bar.open_units = bar.open_units.map(|units| units * 10);
        (bar.high_units, bar.low_units) = (bar.high_units * 10, bar.low_units * 10);
        bar.close_units *= 10;
        bar.adjusted_close = bar.adjusted_close.map(|lira| lira * 10.0);
    };
    vec![
        with_other_future(upside_down, |_| true),
        with_other_future(upside_down, |index| index % 3 != 0),
        with_other_future(higher, |_| true),
        with_other_future(|bar| bar.volume_shares = Some(0), |_| true),
        with_other_future(|_| (), |_| false),
    ]
}

/// The value of each feature at each row up to today, or of those after it.
fn bits(panel: &Panel, name: &str, wanted: impl Fn(&RowKey) -> bool) -> Vec<(RowKey, u64)> {
    let rows = panel.known.keys.iter().enumerate().filter(|(_, key)| wanted(key));
    rows.map(|(row, key)| (*key, value(panel, name, row).to_bits())).collect()
}

#[test]
fn no_hourly_feature_moves_when_the_future_changes() {
    let names = FeatureSpec::default().names(Interval::HOURLY);
    let is_past = |key: &RowKey| key.day <= TODAY;
    let before = build(&market(|series| series), Horizon::EndOfDay);
    // The calendar and the timetable alone decide these.
    let of_the_hours = ["bar_of_session", "bars_to_close"];
    let of_the_day = [
        "day_of_week",
        "month_end_distance",
        "half_day_next",
        "sessions_since_closure",
        "session_of_week",
        "closure_next",
    ];
    let mut reached = std::collections::BTreeSet::new();
    for future in other_futures() {
        let after = build(&future, Horizon::EndOfDay);
        for name in &names {
            let (then, now) = (bits(&before, name, is_past), bits(&after, name, is_past));
            assert_eq!(then, now, "{name}");
            let later = bits(&after, name, |key| !is_past(key));
            let known = bits(&before, name, |key| !is_past(key));
            if later.iter().any(|row| {
                known.binary_search_by_key(&row.0, |row| row.0).is_ok_and(|at| known[at] != *row)
            }) {
                reached.insert(name.clone());
            }
        }
        let volatility = |panel: &Panel| -> Vec<u64> {
            let rows = panel.known.keys.iter().zip(&panel.targets.volatility);
            rows.filter(|row| is_past(row.0)).map(|row| row.1.to_bits()).collect()
        };
        assert_eq!(volatility(&before), volatility(&after));
    }
    // The test would prove nothing about a feature that no change reaches once it is the past.
    let names = names.iter().map(String::as_str);
    let unmoved: Vec<&str> = names.filter(|name| !reached.contains(*name)).collect();
    assert_eq!(unmoved, [&of_the_hours[..], &of_the_day].concat());
}

#[test]
fn index_and_dollar_are_known_as_of_the_session_before() {
    let hourly = build(&market(|series| series), Horizon::NextHour);
    let daily = features::build(
        &["AAA", "XU100", "USDTRY"]
            .map(|name| validated(random_walk(name, date(2025, 1, 2), date(2025, 7, 14), 11))),
        &[],
        Calendar::bist(),
        &[Horizon::from_sessions(1).unwrap()],
    )
    .remove(0);
    let before = Calendar::bist().previous_session(FULL_DAY).unwrap();
    let of_day = |name: &str| {
        let row = daily.known.keys.iter().position(|key| key.day == before).unwrap();
        value(&daily, name, row)
    };
    for name in ["index_return_1", "index_volatility_20", "usdtry_return_5"] {
        for hour in [10, 18] {
            let known = value(&hourly, name, row(&hourly, FULL_DAY, hour));
            assert_eq!(known.to_bits(), of_day(name).to_bits(), "{name}");
        }
    }
}

#[test]
fn symbols_are_compared_with_those_of_the_same_hour() {
    let panel = build(&market(|series| series), Horizon::NextHour);
    let rows: Vec<usize> = (0..panel.known.keys.len())
        .filter(|&row| {
            let key = panel.known.keys[row];
            (key.day, key.time) == (FULL_DAY, time(13, 0, 0, 0))
        })
        .collect();
    assert_eq!(rows.len(), SHARES.len());
    let mean = rows.iter().map(|&row| value(&panel, "return_1", row)).sum::<f64>() / 3.0;
    let mut ranks: Vec<f64> = rows.iter().map(|&row| value(&panel, "rank_return_5", row)).collect();
    ranks.sort_unstable_by(f64::total_cmp);
    assert_eq!(ranks, [0.0, 0.5, 1.0]);
    for row in rows {
        assert_near(value(&panel, "market_return_1", row), mean, "the mean of the hour");
    }
    assert!(panel.known.keys.is_sorted());
}

#[test]
fn baselines_of_prices_look_as_far_ahead_as_the_session_lasts() {
    let series = walk("AAA");
    let panel = one(series.clone(), Horizon::EndOfDay);
    let y = vec![0.0; panel.known.keys.len()];
    let train: Vec<usize> = (0..200).collect();
    let predict = |model: &dyn Forecaster, row: usize| {
        model.fit(&panel.known, &y, &train, &[]).unwrap().predict(&panel.known, &[row])[0]
    };
    let (hour, day) = (Horizon::NextHour, Horizon::EndOfDay);
    let noon = row(&panel, FULL_DAY, 13);
    let before = Calendar::bist().previous_session(FULL_DAY).unwrap();
    let same = |to| (close(&series, before, to) / close(&series, before, 13)).ln();
    assert_near(predict(&SeasonalNaive { horizon: hour }, noon), same(14), "the same hour");
    assert_near(predict(&SeasonalNaive { horizon: day }, noon), same(18), "the same hours");
    // The half day before had no such hour.
    let after = Calendar::bist().next_session(HALF_DAY).unwrap();
    let unknown = row(&panel, after, 15);
    assert_near(predict(&SeasonalNaive { horizon: hour }, unknown), 0.0, "no such hour");

    let of_hour = predict(&Drift { horizon: hour }, noon);
    assert!(of_hour.abs() > 0.0);
    assert_near(predict(&Drift { horizon: day }, noon), 5.0 * of_hour, "five bars are left");
    for horizon in [hour, day] {
        assert!(predict(&Ets { horizon }, noon).is_finite());
    }
    // Daily rows do not tell how much of their session is left.
    let daily = validated(random_walk("AAA", date(2024, 1, 2), date(2025, 7, 14), 11));
    let horizon = Horizon::from_sessions(1).unwrap();
    let daily = features::build(&[daily], &[], Calendar::bist(), &[horizon]).remove(0);
    let y = vec![0.0; daily.known.keys.len()];
    for model in [&Drift { horizon: day } as &dyn Forecaster, &Ets { horizon: day }] {
        let error = model.fit(&daily.known, &y, &train, &[]).unwrap_err();
        assert_eq!(error, FitError::NoColumn("bars_to_close".to_owned()));
    }
}

#[test]
fn daily_shares_have_no_hourly_rows_and_every_hourly_feature_has_formula_and_source() {
    let series: Vec<ValidatedBars> = vec![
        validated(walk("AAA")),
        validated(random_walk("BBB", date(2025, 1, 2), date(2025, 7, 14), 11)),
    ];
    let panel = build(&series, Horizon::NextHour);
    assert!(panel.known.keys.iter().all(|key| key.symbol.as_str() == "AAA"));
    let definitions = FeatureSpec::default().definitions(Interval::HOURLY);
    assert!(definitions.iter().all(|d| !d.formula.is_empty() && !d.source.is_empty()));
    let names: Vec<&str> = definitions.iter().map(|definition| definition.name.as_str()).collect();
    assert_eq!(panel.known.features.names(), names);
    assert!(!names.contains(&"regime_turbulent"), "it takes years to learn");
}
