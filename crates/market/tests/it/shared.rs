//! Reads the real data beside the repository, where they are present.

use std::path::{Path, PathBuf};

use bist_market::bar::midnight_of;
use bist_market::{BarSeries, Interval, RawBar, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;

/// A file or folder of the real data; `None`, with a word about it, when it is not here.
///
/// The data lie beside the repository, or beside a folder that holds it, as with a second worktree.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let path = above.map(|folder| folder.join("shared/data/bist").join(name)).find(|p| p.exists());
    if path.is_none() {
        println!("skipped: ../shared is not here");
    }
    path
}

/// The lines of a file below its header, split at commas; no field we read has a comma in it.
pub(crate) fn rows(path: &Path) -> Vec<Vec<String>> {
    std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}

/// A daily file as a series: date, open, high, low, close, adjusted close, volume.
pub(crate) fn daily_series(path: &Path) -> BarSeries {
    let bars = rows(path)
        .iter()
        .map(|fields| {
            let opened_at = midnight_of(fields[0].parse::<Date>().unwrap());
            RawBar { adjusted_close: number(&fields[5]), ..bar(opened_at, fields, 6) }
        })
        .collect();
    BarSeries { symbol: symbol(path), interval: Interval::Daily, bars }
}

/// A file of hourly bars as a series: time stamp, open, high, low, close, volume.
pub(crate) fn intraday_series(path: &Path) -> BarSeries {
    let bars = rows(path).iter().map(|fields| bar(fields[0].parse().unwrap(), fields, 5)).collect();
    BarSeries { symbol: symbol(path), interval: Interval::Minutes(60), bars }
}

/// The symbol at the beginning of a file's name.
fn symbol(path: &Path) -> Symbol {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    Symbol::parse(stem.split('_').next().unwrap()).unwrap()
}

/// A row whose prices stand in fields 1 to 4, without an adjusted close.
fn bar(opened_at: Timestamp, fields: &[String], volume_field: usize) -> RawBar {
    let units = |index: usize| whole(number(&fields[index]).unwrap() * 10_000.0);
    RawBar {
        opened_at,
        open_units: Some(units(1)),
        high_units: units(2),
        low_units: units(3),
        close_units: units(4),
        adjusted_close: None,
        volume_shares: number(&fields[volume_field]).map(whole),
    }
}

fn number(field: &str) -> Option<f64> {
    field.parse().ok()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "prices and volumes of a file are far below 2^63"
)]
fn whole(number: f64) -> i64 {
    number.round() as i64
}
