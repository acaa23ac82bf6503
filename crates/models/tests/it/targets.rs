//! What a model should learn: returns counted in sessions of the exchange.

use bist_market::{BarSeries, Calendar, ExchangeRules, Price, RawBar, ValidatedBars};
use bist_models::{BARRIER_WIDTH, BarrierOutcome, Horizon, Panel, features};
use bist_testkit::bars::{random_walk, validated};
use jiff::civil::{Date, date};

const HORIZON: u8 = 5;

fn panel(series: BarSeries) -> Panel {
    let horizon = Horizon::from_sessions(HORIZON).unwrap();
    one(&validated(series), horizon)
}

fn one(series: &ValidatedBars, horizon: Horizon) -> Panel {
    let series = std::slice::from_ref(series);
    features::build(series, &[], Calendar::bist(), &[horizon]).remove(0)
}

fn walk() -> BarSeries {
    random_walk("AAA", date(2022, 1, 3), date(2022, 6, 30), 1)
}

fn row_of(panel: &Panel, day: Date) -> usize {
    panel.known.keys.iter().position(|key| key.day == day).unwrap()
}

#[test]
fn targets_are_the_returns_that_followed() {
    let series = walk();
    let bars = series.bars.clone();
    let panel = panel(series);
    let adjusted_close = |i: usize| bars[i].adjusted_close.unwrap();
    let adjusted_open = |i: usize| {
        adjusted_close(i) * bars[i].open_units.unwrap() as f64 / bars[i].close_units as f64
    };
    let last = bars.len() - 1;
    for t in 0..bars.len() {
        for k in 1..=usize::from(HORIZON) {
            let actual = panel.targets.step_returns[k - 1][t];
            if t + k <= last {
                let expected = (adjusted_close(t + k) / adjusted_close(t)).ln();
                // Adjustment factors have nine digits.
                assert!((actual - expected).abs() < 2e-9, "row {t} step {k}");
            } else {
                assert!(actual.is_nan(), "row {t} step {k}");
            }
        }
        let tradable = panel.targets.tradable_return[t];
        if t + 5 <= last {
            let expected = (adjusted_close(t + 5) / adjusted_open(t + 1)).ln();
            assert!((tradable - expected).abs() < 2e-9, "row {t}");
            assert_eq!(panel.targets.known_on[t], Some(bars[t + 5].day()));
        } else {
            assert!(tradable.is_nan());
            assert!(panel.targets.known_on[t].is_some(), "the calendar goes on");
        }
    }
}

#[test]
fn an_absent_bar_leaves_its_own_targets_unknown_and_no_other() {
    let mut series = walk();
    let days: Vec<Date> = series.bars.iter().map(|bar| bar.day()).collect();
    let whole = panel(series.clone());
    series.bars.remove(53);
    let panel = panel(series);
    let row = row_of(&panel, days[50]);
    assert_eq!(row, 50);
    for k in [1, 2, 4, 5] {
        let bits = |panel: &Panel| panel.targets.step_returns[k - 1][row].to_bits();
        assert_eq!(bits(&panel), bits(&whole), "step {k}");
    }
    assert!(panel.targets.step_returns[2][row].is_nan());
    // Without a bar on the next session nothing could have been bought.
    let row = row_of(&panel, days[52]);
    assert!(panel.targets.tradable_return[row].is_nan());
    assert!(!panel.targets.step_returns[4][row].is_nan());
    // Without one on the last session of the horizon nothing could have been sold.
    let row = row_of(&panel, days[48]);
    assert!(panel.targets.tradable_return[row].is_nan());
}

#[test]
fn nothing_is_computed_across_a_break() {
    let mut series = walk();
    // An unexplained change of level: every price is a third from here on.
    for bar in &mut series.bars[60..] {
        bar.open_units = bar.open_units.map(|units| (units / 300) * 100);
        for units in [&mut bar.high_units, &mut bar.low_units, &mut bar.close_units] {
            *units = (*units / 300) * 100;
        }
        bar.adjusted_close = Some(bar.close_units as f64 / 10_000.0);
    }
    let days: Vec<Date> = series.bars.iter().map(|bar| bar.day()).collect();
    let validated = validated(series);
    let broken = (1..validated.bars().len()).find(|&i| !validated.continues(i));
    let first_after = validated.bars()[broken.expect("the change of level is a break")].day;
    let panel = one(&validated, Horizon::from_sessions(HORIZON).unwrap());
    let before = row_of(&panel, days[59]);
    assert!(panel.targets.step_returns.iter().all(|returns| returns[before].is_nan()));
    let after = row_of(&panel, first_after);
    for name in ["return_1", "return_5", "overnight_gap", "limit_hit", "rsi_14", "volatility_5"] {
        let column = panel.known.features.column_index(name).unwrap();
        assert!(panel.known.features.value(after, column).is_nan(), "{name}");
        assert!(!panel.known.features.value(before, column).is_nan(), "{name}");
    }
}

#[test]
fn where_adjusted_closes_begin_is_a_break() {
    let mut series = walk();
    for bar in &mut series.bars[..30] {
        bar.adjusted_close = None;
    }
    let panel = panel(series);
    let daily = panel.known.features.column(panel.known.features.column_index("return_1").unwrap());
    let unknown: Vec<usize> = (0..daily.len()).filter(|&row| daily[row].is_nan()).collect();
    assert_eq!(unknown, [0, 30]);
    assert!(panel.targets.step_returns[0][29].is_nan());
}

/// Makes every price of the bar at `index` the upper limit of its day, and of the later bars what
/// they were above it.
fn lock(series: &mut BarSeries, index: usize) {
    let before = series.bars[index - 1];
    let rules = ExchangeRules::bist();
    let base = Price::from_units(before.close_units).unwrap();
    let upper = rules.daily_limits(before.day().tomorrow().unwrap(), base).unwrap().upper.units();
    let bar = &mut series.bars[index];
    let factor = bar.adjusted_close.unwrap() / bar.close_units as f64;
    bar.open_units = Some(upper);
    (bar.high_units, bar.low_units, bar.close_units) = (upper, upper, upper);
    bar.adjusted_close = Some(upper as f64 * factor);
}

#[test]
fn no_label_reaches_through_a_session_locked_at_its_limit() {
    let mut series = walk();
    let whole = panel(series.clone());
    lock(&mut series, 80);
    let panel = panel(series);
    let hit = panel.known.features.column_index("limit_hit").unwrap();
    assert!((panel.known.features.value(80, hit) - 1.0).abs() < 1e-12, "the bar is at its limit");
    for t in 70..80 {
        for (k, returns) in (1..).zip(&panel.targets.step_returns) {
            assert_eq!(returns[t].is_nan(), t + k >= 80, "row {t} step {k}");
            if t + k < 80 {
                let before = whole.targets.step_returns[k - 1][t];
                assert_eq!(returns[t].to_bits(), before.to_bits(), "row {t} step {k}");
            }
        }
        let locked = t + usize::from(HORIZON) >= 80;
        assert_eq!(panel.targets.tradable_return[t].is_nan(), locked, "row {t}");
        assert_eq!(panel.targets.realised_volatility[t].is_nan(), locked, "row {t}");
        assert_eq!(panel.targets.barrier[t].is_none(), locked, "row {t}");
    }
    // A forecast made at the close of the locked session is of sessions that can be traded.
    assert!(panel.targets.step_returns.iter().all(|returns| returns[80].is_finite()));
}

#[test]
fn the_volatility_to_come_is_that_of_the_sessions_of_the_horizon() {
    let series = walk();
    let bars = series.bars.clone();
    let panel = panel(series);
    let lira = |units: i64| units as f64 / 10_000.0;
    // The first half carries one factor of adjustment, so that ratios of raw prices are those of
    // total returns.
    for t in 20..40 {
        let variance: f64 = (t + 1..=t + 5)
            .map(|i| {
                let (bar, open) = (bars[i], lira(bars[i].open_units.unwrap()));
                let overnight = (open / lira(bars[i - 1].close_units)).ln();
                let range = (lira(bar.high_units) / lira(bar.low_units)).ln();
                let body = (lira(bar.close_units) / open).ln();
                overnight.powi(2) + 0.5 * range.powi(2)
                    - (2.0 * std::f64::consts::LN_2 - 1.0) * body.powi(2)
            })
            .sum();
        let expected = (variance / 5.0).sqrt();
        let actual = panel.targets.realised_volatility[t];
        assert!((actual - expected).abs() < 1e-9, "row {t}: {actual} and not {expected}");
    }
}

#[test]
fn the_barrier_is_the_one_that_the_price_touched_first() {
    let series = walk();
    let bars = series.bars.clone();
    let panel = panel(series);
    let mut seen = std::collections::BTreeMap::new();
    for t in 25..55 {
        let entry = bars[t + 1].open_units.unwrap() as f64;
        let width = BARRIER_WIDTH * panel.targets.volatility[t] * 5.0_f64.sqrt();
        let upper = |bar: &RawBar| bar.high_units as f64 >= entry * width.exp();
        let lower = |bar: &RawBar| bar.low_units as f64 <= entry * (-width).exp();
        let touched = bars[t + 1..=t + 5].iter().find(|bar| upper(bar) || lower(bar));
        let expected = match touched {
            Some(bar) if lower(bar) => BarrierOutcome::Lower,
            Some(_) => BarrierOutcome::Upper,
            None => BarrierOutcome::Vertical,
        };
        assert_eq!(panel.targets.barrier[t], Some(expected), "row {t}");
        *seen.entry(format!("{expected:?}")).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 3, "each outcome occurs: {seen:?}");
    // Without the volatility there is no distance.
    assert_eq!(panel.targets.barrier[10], None);
}
