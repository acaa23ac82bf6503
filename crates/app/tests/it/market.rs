//! Bars of shares that walk at random, brought in as a user does.

use std::sync::Arc;

use bist_app::App;
use bist_feeds::FileFormat;
use bist_market::BarSeries;
use bist_testkit::bars::random_walk;
use jiff::civil::Date;

/// The bars of `symbols` from the first day to the last.
pub(crate) fn walks(symbols: &[&str], first_on: Date, last_on: Date) -> Vec<BarSeries> {
    let walk = |(seed, symbol): (u64, &&str)| random_walk(symbol, first_on, last_on, seed);
    (0..).zip(symbols).map(walk).collect()
}

/// Brings the bars up to `until` in; those of `changed` cost a tenth of a lira more on one day.
pub(crate) async fn ingest(
    app: &App,
    series: &[BarSeries],
    until: Date,
    changed: Option<(&str, Date)>,
) {
    let folder = tempfile::tempdir().unwrap();
    for series in series {
        let symbol = series.symbol.as_str();
        let mut text = "date,open,high,low,close,volume\n".to_owned();
        for bar in series.bars.iter().filter(|bar| bar.day() <= until) {
            let more = i64::from(changed == Some((symbol, bar.day()))) * 1_000;
            let price = |units: i64| (units + more) as f64 / 10_000.0;
            let open = price(bar.open_units.unwrap());
            let [high, low, close] = [bar.high_units, bar.low_units, bar.close_units].map(price);
            let volume = bar.volume_shares.unwrap();
            text += &format!("{},{open:.4},{high:.4},{low:.4},{close:.4},{volume}\n", bar.day());
        }
        std::fs::write(folder.path().join(format!("{symbol}.csv")), text).unwrap();
    }
    let paths = vec![folder.path().to_str().unwrap().to_owned()];
    app.ingest_files(FileFormat::Csv, None, paths, Arc::new(|_| ())).await.unwrap();
}
