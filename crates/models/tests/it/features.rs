//! Features know the past and nothing else.

use bist_market::{
    BarSeries, Calendar, ExchangeRules, Instrument, Interval, Origin, Price, RawBar, Symbol,
    ValidatedBars,
};
use bist_models::features::{self, SymbolStream};
use bist_models::{FeatureMatrix, FeatureSpec, Horizon, Panel, RowKey};
use bist_testkit::bars::{random_walk, validated};
use jiff::civil::{Date, date};

/// The last day that the perturbations leave as it was.
const TODAY: Date = date(2021, 3, 15);

/// Features that the day alone decides; no change of bars can move them.
const OF_THE_DAY: [&str; 6] = [
    "day_of_week",
    "month_end_distance",
    "half_day_next",
    "sessions_since_closure",
    "session_of_week",
    "closure_next",
];

const SHARES_COUNT: usize = 4;

/// Four shares, then the index and the rate of exchange.
fn market() -> Vec<BarSeries> {
    ["AAA", "BBB", "CCC", "DDD", "XU100", "USDTRY"]
        .map(|symbol| random_walk(symbol, date(2019, 6, 3), date(2021, 9, 30), 11))
        .to_vec()
}

fn panel(market: &[BarSeries]) -> Panel {
    let series: Vec<_> = market.iter().cloned().map(validated).collect();
    let horizon = Horizon::from_sessions(5).unwrap();
    features::build(&series, &instruments(), Calendar::bist(), &[horizon]).remove(0)
}

/// Two shares in one sector, one in another, one in none.
fn instruments() -> Vec<Instrument> {
    [("AAA", "Bank"), ("BBB", "Bank"), ("CCC", "Holding")]
        .map(|(symbol, sector)| Instrument {
            symbol: Symbol::parse(symbol).unwrap(),
            name: None,
            sector: Some(sector.to_owned()),
            origin: Origin::Market,
        })
        .to_vec()
}

/// Applies `change` to the bars after today of every symbol.
fn with_other_future(change: impl Fn(&BarSeries, Vec<RawBar>) -> Vec<RawBar>) -> Vec<BarSeries> {
    market()
        .into_iter()
        .map(|series| {
            let (mut bars, future): (Vec<RawBar>, Vec<RawBar>) =
                series.bars.iter().partition(|bar| bar.day() <= TODAY);
            bars.extend(change(&series, future));
            BarSeries { bars, ..series }
        })
        .collect()
}

/// Futures in which every bar is another one.
fn other_futures() -> Vec<(&'static str, Vec<BarSeries>)> {
    vec![
        (
            "another walk, other volumes, longer",
            with_other_future(|series, _| {
                let until = date(2021, 12, 30);
                let other = random_walk(series.symbol.as_str(), date(2019, 6, 3), until, 99);
                other.bars.into_iter().filter(|bar| bar.day() > TODAY).collect()
            }),
        ),
        (
            "every third bar gone, the others upside down",
            with_other_future(|_, future| {
                let kept = future.iter().enumerate().filter(|(i, _)| i % 3 != 0);
                kept.map(|(_, bar)| upside_down(*bar)).collect()
            }),
        ),
        ("no future at all", with_other_future(|_, _| Vec::new())),
        (
            "up to the limit every day, without volume",
            with_other_future(|_, future| locked(future)),
        ),
        (
            "a level ten times higher",
            with_other_future(|_, future| future.into_iter().map(|bar| scaled(bar, 10)).collect()),
        ),
    ]
}

fn upside_down(bar: RawBar) -> RawBar {
    RawBar {
        open_units: Some(bar.close_units),
        close_units: bar.open_units.unwrap(),
        adjusted_close: Some(bar.open_units.unwrap() as f64 / 9_000.0),
        volume_shares: bar.volume_shares.map(|shares| shares / 2 + 17),
        ..bar
    }
}

fn scaled(bar: RawBar, factor: i64) -> RawBar {
    RawBar {
        open_units: bar.open_units.map(|open| open * factor),
        high_units: bar.high_units * factor,
        low_units: bar.low_units * factor,
        close_units: bar.close_units * factor,
        adjusted_close: bar.adjusted_close.map(|lira| lira * factor as f64),
        volume_shares: bar.volume_shares.map(|shares| shares * 3),
        ..bar
    }
}

/// The first bar as it was, each later one at the upper limit, untraded.
fn locked(mut future: Vec<RawBar>) -> Vec<RawBar> {
    let rules = ExchangeRules::bist();
    for i in 1..future.len() {
        let base = Price::from_units(future[i - 1].close_units).unwrap();
        let upper = rules.daily_limits(future[i].day(), base).unwrap().upper.units();
        future[i] = RawBar {
            open_units: Some(upper),
            high_units: upper,
            low_units: upper,
            close_units: upper,
            adjusted_close: Some(upper as f64 / 10_000.0),
            volume_shares: Some(0),
            ..future[i]
        };
    }
    future.truncate(8);
    future
}

/// The rows up to today; they are the first of the panel.
fn known(keys: &[RowKey]) -> &[RowKey] {
    &keys[..keys.partition_point(|key| key.day <= TODAY)]
}

/// Columns whose first `rows_count` values are not the same bits in both matrices.
fn moved(before: &FeatureMatrix, after: &FeatureMatrix, rows_count: usize) -> Vec<String> {
    let bits = |x: &FeatureMatrix, j: usize| -> Vec<u64> {
        x.column(j)[..rows_count].iter().map(|value| value.to_bits()).collect()
    };
    let names = before.names().iter().enumerate();
    names
        .filter(|(j, _)| bits(before, *j) != bits(after, *j))
        .map(|(_, name)| name.clone())
        .collect()
}

#[test]
fn no_feature_moves_when_the_future_changes() {
    let before = panel(&market());
    let today = known(&before.known.keys);
    for (future, market) in other_futures() {
        let after = panel(&market);
        assert_eq!(today, known(&after.known.keys), "{future}");
        assert_eq!(
            moved(&before.known.features, &after.known.features, today.len()),
            [""; 0],
            "{future}"
        );
        let volatility = |panel: &Panel| -> Vec<u64> {
            panel.targets.volatility[..today.len()].iter().map(|v| v.to_bits()).collect()
        };
        assert_eq!(volatility(&before), volatility(&after), "{future}");
        let closes = |panel: &Panel| -> Vec<(u64, u32)> {
            let closes = panel.known.log_close.iter().zip(&panel.known.stretch);
            closes.take(today.len()).map(|(close, stretch)| (close.to_bits(), *stretch)).collect()
        };
        assert_eq!(closes(&before), closes(&after), "{future}");
    }
}

/// The test above would prove nothing about a feature that is never known, or that the changes do
/// not reach once they are the past.
#[test]
fn every_feature_is_known_today_and_moved_by_some_future() {
    let before = panel(&market());
    let today_count = known(&before.known.keys).len();
    let mut reached: Vec<String> = Vec::new();
    for (_, market) in other_futures() {
        let after = panel(&market);
        let later = |panel: &Panel, name: &str| -> Vec<(RowKey, u64)> {
            let column =
                panel.known.features.column(panel.known.features.column_index(name).unwrap());
            let rows = panel.known.keys.iter().zip(column).skip(today_count);
            rows.map(|(key, value)| (*key, value.to_bits())).collect()
        };
        for name in &FeatureSpec::default().names(Interval::Daily) {
            let (before, after) = (later(&before, name), later(&after, name));
            let shared = after.iter().any(|row| {
                before.binary_search_by_key(&row.0, |row| row.0).is_ok_and(|i| before[i] != *row)
            });
            if shared {
                reached.push(name.to_owned());
            }
        }
    }
    for name in &FeatureSpec::default().names(Interval::Daily) {
        let column =
            before.known.features.column(before.known.features.column_index(name).unwrap());
        assert!(column[..today_count].iter().any(|value| !value.is_nan()), "{name} is never known");
        let is_reached = reached.iter().any(|reached| reached == name);
        assert_eq!(is_reached, !OF_THE_DAY.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_feature_that_leaks_is_caught_by_name() {
    let with_leaks = |panel: &Panel| {
        let tomorrow = panel.targets.step_returns[0].clone();
        let close = panel.known.features.column(0);
        let mean = close.iter().filter(|v| !v.is_nan()).sum::<f64>() / close.len() as f64;
        let centred = close.iter().map(|value| value - mean).collect();
        let mut names = panel.known.features.names().to_vec();
        names.extend(["tomorrow".to_owned(), "centred_on_all_rows".to_owned()]);
        let mut columns: Vec<Vec<f64>> = (0..panel.known.features.columns_count())
            .map(|j| panel.known.features.column(j).to_vec())
            .collect();
        columns.extend([tomorrow, centred]);
        FeatureMatrix::from_columns(names, columns).unwrap()
    };
    let before = panel(&market());
    let today_count = known(&before.known.keys).len();
    let (_, market) = other_futures().swap_remove(0);
    let leaking = moved(&with_leaks(&before), &with_leaks(&panel(&market)), today_count);
    assert_eq!(leaking, ["tomorrow", "centred_on_all_rows"]);
}

#[test]
fn targets_known_by_today_do_not_move_and_others_do() {
    let before = panel(&market());
    let (_, market) = other_futures().swap_remove(0);
    let after = panel(&market);
    let (mut same_count, mut moved_count) = (0, 0);
    for (row, _) in known(&before.known.keys).iter().enumerate() {
        let bits = |panel: &Panel| panel.targets.step_returns[4][row].to_bits();
        if before.targets.known_on[row].is_some_and(|day| day <= TODAY) {
            assert_eq!(bits(&before), bits(&after), "{:?}", before.known.keys[row]);
            same_count += 1;
        } else {
            moved_count += usize::from(bits(&before) != bits(&after));
        }
    }
    // Four symbols; the targets of the last five sessions were still open.
    assert!(same_count > 1_000);
    assert_eq!(moved_count, 20);
}

#[test]
fn a_vendor_who_rescales_the_adjusted_closes_moves_nothing() {
    let mut rescaled = market();
    for bar in rescaled.iter_mut().flat_map(|series| &mut series.bars) {
        bar.adjusted_close = bar.adjusted_close.map(|lira| lira * 0.37);
    }
    let (before, after) = (panel(&market()), panel(&rescaled));
    assert_eq!(
        moved(&before.known.features, &after.known.features, before.known.keys.len()),
        [""; 0]
    );
}

#[test]
fn a_close_at_the_limit_is_seen_and_counted() {
    let (_, market) = other_futures().swap_remove(3);
    let panel = panel(&market);
    let of_last_day = |name: &str| {
        let column = panel.known.features.column(panel.known.features.column_index(name).unwrap());
        column[column.len() - SHARES_COUNT..].to_vec()
    };
    assert_eq!(of_last_day("limit_hit"), [1.0; 4]);
    assert_eq!(of_last_day("limit_hits_5"), [5.0; 4]);
    assert_eq!(of_last_day("zero_volume_share_20"), [7.0 / 20.0; 4]);
}

#[test]
fn rows_are_sorted_and_every_bar_has_one() {
    let market = market();
    let panel = panel(&market);
    assert!(panel.known.keys.is_sorted());
    assert_eq!(
        panel.known.keys.len(),
        market[..SHARES_COUNT].iter().map(|series| series.bars.len()).sum::<usize>()
    );
    assert_eq!(panel.known.features.rows_count(), panel.known.keys.len());
    assert_eq!(panel.known.features.names(), FeatureSpec::default().names(Interval::Daily));
    let backwards: Vec<BarSeries> = market.into_iter().rev().collect();
    let backwards = self::panel(&backwards);
    assert_eq!(backwards.known.keys, panel.known.keys);
    // The mean of a day is a sum over its rows, and these are in the panel's order.
    assert_eq!(
        moved(&panel.known.features, &backwards.known.features, panel.known.keys.len()),
        [""; 0]
    );
}

/// Values as bits, for NaN is what it is.
fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn bars_pushed_one_by_one_give_the_bits_of_the_batch() {
    let mut series = market().swap_remove(0);
    // A change of level that nothing explains: indicators begin anew.
    for bar in &mut series.bars[200..] {
        *bar = scaled(*bar, 3);
    }
    let series: ValidatedBars = validated(series);
    let bars = series.bars();
    assert!((1..bars.len()).any(|index| !series.continues(index)));
    let horizon = Horizon::from_sessions(5).unwrap();
    let batch = features::build(std::slice::from_ref(&series), &[], Calendar::bist(), &[horizon])
        .remove(0)
        .known;
    let mut stream = SymbolStream::new(ExchangeRules::bist(), FeatureSpec::default());
    let mut own_count = 0;
    for (row, bar) in bars.iter().enumerate() {
        let streamed = stream.push(bar, series.continues(row));
        assert_eq!(
            bits(&streamed),
            bits(&batch.features.row(row)[..streamed.len()]),
            "{}",
            bar.day
        );
        own_count = streamed.len();
    }
    let first_of_the_day = batch.features.column_index("day_of_week");
    assert_eq!(Some(own_count), first_of_the_day, "every feature of the symbol alone is streamed");
}

#[test]
fn what_is_no_share_is_context_and_has_no_rows() {
    let with = panel(&market());
    let without = panel(&market()[..SHARES_COUNT]);
    assert_eq!(with.known.keys, without.known.keys);
    let moved = moved(&with.known.features, &without.known.features, with.known.keys.len());
    assert!(moved.iter().all(|name| name.starts_with("index_") || name.starts_with("usdtry_")));
    assert_eq!(moved.len(), 8);
}

#[test]
fn a_symbol_alone_is_its_own_market() {
    let alone = panel(&market()[..1]);
    let value = |name: &str| {
        let column = alone.known.features.column(alone.known.features.column_index(name).unwrap());
        column[alone.known.keys.len() - 1]
    };
    assert_eq!(value("market_return_1").to_bits(), value("return_1").to_bits());
    assert!((value("beta_60") - 1.0).abs() < 1e-12);
    assert!(value("residual_return_60").abs() < 1e-12);
    assert_eq!((value("rank_return_5"), value("amihud_20")), (0.5, 0.0));
}

#[test]
fn there_are_more_than_thirty_features_each_with_formula_and_source() {
    let definitions = FeatureSpec::default().definitions(Interval::Daily);
    assert!(definitions.len() >= 30);
    assert!(definitions.iter().all(|d| !d.formula.is_empty() && !d.source.is_empty()));
    let horizon = Horizon::from_sessions(5).unwrap();
    let empty = features::build(&[], &[], Calendar::bist(), &[horizon]).remove(0);
    assert_eq!(
        (empty.known.features.rows_count(), empty.known.features.columns_count()),
        (0, definitions.len())
    );
}
