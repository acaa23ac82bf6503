//! Rows made bar by bar are those of the batch.

use std::collections::BTreeMap;

use bist_market::{Bar, BarSeries, Calendar, Instrument, Origin, RawBar, Symbol, ValidatedBars};
use bist_models::features::{self, LateBar, MarketRow, MarketStream};
use bist_models::{FeatureSpec, FeatureWindow, Horizon, Known, RowKey};
use bist_testkit::bars::{random_walk, validated};
use jiff::civil::{Date, date};

const FIRST_ON: Date = date(2019, 6, 3);
const LAST_ON: Date = date(2021, 4, 30);

fn symbol(text: &str) -> Symbol {
    Symbol::parse(text).unwrap()
}

/// Five shares, the index and the rate: bars are missing here and there, one share comes late, one
/// is away for two months, one changes its level and has no adjusted closes from some day on.
fn market() -> Vec<BarSeries> {
    let gaps = |series: BarSeries, every: usize| {
        let is_kept =
            |(index, bar): &(usize, RawBar)| index % every != 3 || bar.day() >= date(2021, 4, 28);
        let kept = series.bars.into_iter().enumerate().filter(is_kept);
        BarSeries { bars: kept.map(|(_, bar)| bar).collect(), ..series }
    };
    let symbols = ["AAA", "BBB", "CCC", "DDD", "EEE", "USDTRY", "XU100"];
    let mut market: Vec<BarSeries> = (symbols.into_iter().zip([97, 11, 23, 7, 53, 13, 19]))
        .map(|(symbol, every)| gaps(random_walk(symbol, FIRST_ON, LAST_ON, 5), every))
        .collect();
    for bar in &mut market[0].bars[200..] {
        *bar = tripled(*bar);
    }
    market[1].bars.drain(240..285);
    market[2].bars.drain(..120);
    for bar in &mut market[3].bars[300..] {
        bar.adjusted_close = None;
    }
    market
}

fn tripled(bar: RawBar) -> RawBar {
    RawBar {
        open_units: bar.open_units.map(|open| open * 3),
        high_units: bar.high_units * 3,
        low_units: bar.low_units * 3,
        close_units: bar.close_units * 3,
        adjusted_close: bar.adjusted_close.map(|lira| lira * 3.0),
        ..bar
    }
}

fn instruments() -> Vec<Instrument> {
    [("AAA", "Bank"), ("BBB", "Bank"), ("CCC", "Holding"), ("DDD", "Bank")]
        .map(|(name, sector)| Instrument {
            symbol: symbol(name),
            name: None,
            sector: Some(sector.to_owned()),
            origin: Origin::Market,
        })
        .to_vec()
}

fn batch(series: &[ValidatedBars]) -> Known {
    batch_with(FeatureSpec::default(), series)
}

fn batch_with(spec: FeatureSpec, series: &[ValidatedBars]) -> Known {
    let horizons = [Horizon::from_sessions(1).unwrap()];
    let mut panels =
        features::build_with(spec, series, &instruments(), Calendar::bist(), &horizons);
    panels.remove(0).known.as_ref().clone()
}

/// The row as bits, for NaN is what it is.
fn bits_of(row: &MarketRow) -> (RowKey, u32, u64, Vec<u64>) {
    let features = row.features.iter().map(|value| value.to_bits()).collect();
    (row.key, row.stretch, row.volatility.to_bits(), features)
}

fn batch_bits(known: &Known, key: RowKey) -> (RowKey, u32, u64, Vec<u64>) {
    let row = known.keys.binary_search(&key).unwrap();
    let volatility = known.features.column_index("volatility_20").unwrap();
    bits_of(&MarketRow {
        key,
        features: known.features.row(row),
        stretch: known.stretch[row],
        volatility: known.features.value(row, volatility),
    })
}

/// The bars of each day, in an order that changes from day to day.
fn by_day(series: &[ValidatedBars]) -> BTreeMap<Date, Vec<(Symbol, Bar, bool)>> {
    let mut days: BTreeMap<Date, Vec<(Symbol, Bar, bool)>> = BTreeMap::new();
    for series in series {
        for (index, bar) in series.bars().iter().enumerate() {
            let bars = days.entry(bar.day).or_default();
            bars.push((series.symbol(), *bar, series.continues(index)));
        }
    }
    for (number, bars) in days.values_mut().enumerate() {
        let by = number * 5 % bars.len();
        bars.rotate_left(by);
        if number.is_multiple_of(3) {
            bars.reverse();
        }
    }
    days
}

/// What a source might have said of the day before the day was over.
fn provisional(bar: &Bar) -> Bar {
    Bar { close: bar.low, adjusted_close: bar.adjusted_close.map(|lira| 0.97 * lira), ..*bar }
}

#[test]
fn rows_streamed_in_any_order_with_provisional_bars_give_the_bits_of_the_batch() {
    let series: Vec<ValidatedBars> = market().into_iter().map(validated).collect();
    let breaks = |series: &ValidatedBars| {
        (1..series.bars().len()).filter(|index| !series.continues(*index)).count()
    };
    assert!(breaks(&series[0]) > 0 && breaks(&series[1]) > 0, "there are breaks to cross");
    let known = batch(&series);
    let mut stream = MarketStream::new(&instruments(), FeatureSpec::default());
    let mut closed: Vec<MarketRow> = Vec::new();
    let mut provisional_differs = false;
    for (number, bars) in by_day(&series).into_values().enumerate() {
        for (index, (symbol, bar, continues)) in bars.iter().enumerate() {
            if (number + index).is_multiple_of(4) {
                let update = stream.push(*symbol, &provisional(bar), *continues).unwrap();
                closed.extend(update.closed);
            }
            let before = stream.row(*symbol);
            let update = stream.push(*symbol, bar, *continues).unwrap();
            assert_eq!(update.row.as_ref().map(bits_of), stream.row(*symbol).as_ref().map(bits_of));
            provisional_differs |= before
                .is_some_and(|before| bits_of(&before) != bits_of(update.row.as_ref().unwrap()));
            closed.extend(update.closed);
        }
        for (symbol, bar, _) in &bars {
            if let Some(row) = stream.row(*symbol) {
                let key = RowKey::daily(bar.day, *symbol);
                assert_eq!(bits_of(&row), batch_bits(&known, key), "{key:?}");
            }
        }
    }
    assert!(provisional_differs);
    let keys: Vec<RowKey> = closed.iter().map(|row| row.key).collect();
    assert_eq!(keys, known.keys[..keys.len()], "each row of a day that ended is handed out once");
    assert!(known.keys[keys.len()..].iter().all(|key| key.day == LAST_ON));
    for row in &closed {
        assert_eq!(bits_of(row), batch_bits(&known, row.key), "{:?}", row.key);
    }
    let never_known: Vec<_> = (0..known.features.columns_count())
        .filter(|j| closed.iter().all(|row| row.features[*j].is_nan()))
        .map(|j| &known.features.names()[j])
        .collect();
    assert!(never_known.is_empty(), "{never_known:?}");
}

#[test]
fn chosen_windows_give_the_same_bits_in_the_stream_and_in_the_batch() {
    let series: Vec<ValidatedBars> = market().into_iter().map(validated).collect();
    let shortest = |spec: FeatureSpec, window: FeatureWindow| {
        spec.with(window, *window.range().start()).unwrap()
    };
    let spec = FeatureWindow::ALL.into_iter().fold(FeatureSpec::default(), shortest);
    let (chosen, usual) = (batch_with(spec, &series), batch(&series));
    let last = usual.keys.len() - 1;
    let differ: Vec<(&String, &String)> = (0..usual.features.columns_count())
        .filter(|j| {
            usual.features.value(last, *j).to_bits() != chosen.features.value(last, *j).to_bits()
        })
        .map(|j| (&usual.features.names()[j], &chosen.features.names()[j]))
        .collect();
    assert!(differ.iter().all(|(usual, chosen)| usual != chosen), "{differ:?}");
    assert_eq!(differ.len(), 15, "every window is that of one feature or of two: {differ:?}");
    let mut stream = MarketStream::new(&instruments(), spec);
    stream.warm_up(&series, LAST_ON, |_| {}).unwrap();
    let mut rows_count = 0;
    for (symbol, _) in stream.today() {
        let row = stream.row(symbol).unwrap();
        assert_eq!(bits_of(&row), batch_bits(&chosen, RowKey::daily(LAST_ON, symbol)));
        rows_count += 1;
    }
    assert!(rows_count > 1);
}

#[test]
fn in_the_middle_of_a_day_a_row_is_what_the_batch_gives_for_the_bars_so_far() {
    let market = market();
    let whole: Vec<ValidatedBars> = market.iter().cloned().map(validated).collect();
    let day_before_last = date(2021, 4, 29);
    let mut stream = MarketStream::new(&instruments(), FeatureSpec::default());
    let mut closed_count = 0;
    stream.warm_up(&whole, day_before_last, |rows| closed_count += rows.len()).unwrap();
    let mut arrived: Vec<Symbol> = Vec::new();
    for symbol in ["CCC", "XU100", "AAA", "EEE"].map(symbol) {
        arrived.push(symbol);
        let of_symbol = whole.iter().find(|series| series.symbol() == symbol).unwrap();
        let last = of_symbol.bars().len() - 1;
        let bar = of_symbol.bars()[last];
        assert_eq!(bar.day, LAST_ON);
        let row = stream.push(symbol, &bar, of_symbol.continues(last)).unwrap().row;
        let so_far = market.iter().cloned().map(|mut series| {
            let known =
                |bar: &RawBar| bar.day() <= day_before_last || arrived.contains(&series.symbol);
            series.bars.retain(known);
            validated(series)
        });
        let known = batch(&so_far.collect::<Vec<_>>());
        match row {
            Some(row) => assert_eq!(bits_of(&row), batch_bits(&known, row.key)),
            None => assert_eq!(symbol.as_str(), "XU100"),
        }
        for earlier in &arrived {
            if let Some(row) = stream.row(*earlier) {
                assert_eq!(bits_of(&row), batch_bits(&known, row.key));
            }
        }
    }
    assert!(stream.row(symbol("BBB")).is_none(), "it has no bar of the day yet");
    let full = batch(&whole);
    assert_eq!(closed_count, full.keys.partition_point(|key| key.day < day_before_last));
}

#[test]
fn a_bar_that_would_change_final_rows_is_refused_and_changes_nothing() {
    let series: Vec<ValidatedBars> = market().into_iter().map(validated).collect();
    let mut stream = MarketStream::new(&instruments(), FeatureSpec::default());
    let (wednesday, thursday) = (date(2021, 4, 28), date(2021, 4, 29));
    stream.warm_up(&series, thursday, |_| {}).unwrap();
    let rows = |stream: &MarketStream| -> Vec<_> {
        ["AAA", "CCC", "EEE"]
            .map(symbol)
            .iter()
            .filter_map(|s| stream.row(*s))
            .map(|row| bits_of(&row))
            .collect()
    };
    let before = rows(&stream);
    assert!(!before.is_empty());
    let late = |stream: &mut MarketStream, name: &str, day: Date| {
        let of_symbol = series.iter().find(|series| series.symbol() == symbol(name)).unwrap();
        let bar = Bar { day, ..*of_symbol.bars().last().unwrap() };
        stream.push(symbol(name), &bar, true).map(|_| ())
    };
    let refused = |name, day, earliest| Err(LateBar { symbol: symbol(name), day, earliest });
    assert_eq!(late(&mut stream, "AAA", wednesday), refused("AAA", wednesday, thursday));
    assert_eq!(late(&mut stream, "XU100", wednesday), refused("XU100", wednesday, thursday));
    let tuesday = date(2021, 4, 27);
    assert_eq!(late(&mut stream, "USDTRY", tuesday), refused("USDTRY", tuesday, thursday));
    assert_eq!(rows(&stream), before);
}
