//! The readers through their public face.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]
#![expect(clippy::print_stdout, reason = "what a test skipped or counted is worth reading")]

mod algolab;
mod answers;
mod bulletin;
mod csv;
mod discover;
mod evds;
mod files;
#[cfg(unix)]
mod fuzz;
mod http;
mod isyatirim;
mod kap;
mod paper_properties;
mod parquet;
mod polling;
mod properties;
mod real_prices;
mod yahoo;

use std::path::PathBuf;

use bist_feeds::{Batch, Content, FeedError, FileBars, read_csv};
use tempfile::TempDir;

/// Reads `bytes` as a file of this name.
fn read_named(name: &str, bytes: &[u8]) -> Result<FileBars, FeedError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read_csv(&path)
}

/// What a piece brought.
#[track_caller]
fn batch_of(content: Content) -> Batch {
    let Content::Data(batch) = content else { panic!("{content:?}") };
    *batch
}

/// Reads `text` as THYAO.csv.
fn read(text: &str) -> FileBars {
    read_named("THYAO.csv", text.as_bytes()).unwrap()
}

/// The error that `text` gives as THYAO.csv, without the folder.
fn refusal(text: &str) -> String {
    let error = read_named("THYAO.csv", text.as_bytes()).unwrap_err().to_string();
    error[error.find("THYAO.csv").unwrap()..].to_owned()
}

/// The bars as lines: symbol, interval, time, open, high, low, close, adjusted close, volume.
fn show(read: &FileBars) -> Vec<String> {
    let mut lines = Vec::new();
    for series in &read.series {
        for bar in &series.bars {
            let adjusted = bar.adjusted_close.map_or(String::new(), |a| a.to_string());
            let volume = bar.volume_shares.map_or(String::new(), |v| v.to_string());
            lines.push(format!(
                "{} {} {} {} {} {} {} [{adjusted}] [{volume}]",
                series.symbol,
                series.interval,
                bar.opened_at,
                bar.open_units.unwrap(),
                bar.high_units,
                bar.low_units,
                bar.close_units
            ));
        }
    }
    lines
}

/// The refused rows as lines.
fn show_refused(read: &FileBars) -> Vec<String> {
    read.refused.iter().map(|row| format!("{}: {}", row.line, row.reason)).collect()
}

/// The folder of real prices beside the repository, if it is here.
fn real_prices() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/bist"));
    if !folder.is_dir() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(folder)
}
