//! Parquet files.

use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bist_feeds::{FeedError, read_parquet};

/// What the last panic said.
static SAID: Mutex<String> = Mutex::new(String::new());

/// Leaves panics to whoever catches them, where libFuzzer would end at the first: the library of Parquet
/// files checks some damage with assertions, which our reader catches.
pub(crate) fn catch_panics() {
    panic::set_hook(Box::new(|panic| {
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = panic.to_string();
    }));
}

pub(crate) fn check(bytes: &[u8], folder: &Path) -> bool {
    panic::catch_unwind(AssertUnwindSafe(|| check_file(bytes, folder))).unwrap_or_else(|_| {
        eprintln!("{}", SAID.lock().unwrap_or_else(PoisonError::into_inner));
        std::process::abort();
    })
}

fn check_file(bytes: &[u8], folder: &Path) -> bool {
    let path = folder.join("THYAO.parquet");
    std::fs::write(&path, bytes).expect("there is room for a file");
    match read_parquet(&path) {
        Ok(read) => {
            let bars = read.bars_count() as u64;
            assert_eq!(read.rows_read, bars + read.refused.len() as u64);
            assert!(read.refused.iter().all(|row| row.line >= 1), "rows are counted from 1");
            for series in &read.series {
                let mut times: Vec<_> = series.bars.iter().map(|bar| bar.opened_at).collect();
                times.sort_unstable();
                times.dedup();
                assert_eq!(times.len(), series.bars.len(), "two bars of one time");
            }
            bars > 0
        }
        Err(FeedError::Broken(broken)) => {
            assert!(!broken.fault.to_string().is_empty());
            false
        }
        Err(error) => panic!("not about the bytes: {error}"),
    }
}
