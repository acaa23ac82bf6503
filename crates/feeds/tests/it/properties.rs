//! Whatever the bytes are: no panic, and never a row that the file does not have.

use bist_feeds::{FeedError, FileBars, read_parquet};
use bist_market::RawBar;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tempfile::TempDir;

use crate::{read_named, show};

fn bars(read: &FileBars) -> Vec<RawBar> {
    read.series.iter().flat_map(|series| series.bars.clone()).collect()
}

fn read_parquet_bytes(bytes: &[u8]) -> Result<FileBars, FeedError> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("THYAO.parquet");
    std::fs::write(&path, bytes).unwrap();
    read_parquet(&path)
}

/// A sound file in one of several spellings, ending in a newline.
fn file() -> impl Strategy<Value = String> {
    let row = (1_i64..9_000_000, 0_i64..50_000_000);
    (0..4_usize, prop::collection::vec(row, 2..12)).prop_map(|(spelling, rows)| {
        let headers = [
            "date,open,high,low,close,volume\n",
            "Tarih;Açılış;Yüksek;Düşük;Kapanış;Hacim\r\n",
            "Price,Open,High,Low,Close,Volume\nTicker,THYAO,THYAO,THYAO,THYAO,THYAO\nDate,,,,,\n",
            "\"date\",\"open\",\"high\",\"low\",\"close\",\"volume\"\n",
        ];
        let mut text = headers[spelling].to_owned();
        for (index, (units, volume)) in rows.iter().enumerate() {
            let day = index + 1;
            let price = format!("{}.{:04}", units / 10_000, units % 10_000);
            let comma = price.replace('.', ",");
            text += &match spelling {
                1 => format!("{day:02}.03.2024;{comma};{comma};{comma};{comma};{volume}\r\n"),
                3 => format!("\"2024-03-{day:02}\",\"{price}\",\"{price}\",\"{price}\",\"{price}\",\"{volume}\"\n"),
                _ => format!("2024-03-{day:02},{price},{price},{price},{price},{volume}\n"),
            };
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_bytes_are_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(read) = read_named("THYAO.csv", &bytes) {
            prop_assert_eq!(read.rows_read, (read.bars_count() + read.refused.len()) as u64);
        }
    }

    #[test]
    fn arbitrary_cells_are_an_answer_or_an_error(
        cells in prop::collection::vec("[-+0-9.,eE/:TZ \"KMNa;ğ\u{a0}]{0,12}", 6..60),
    ) {
        let mut text = "date,open,high,low,close,volume\n".to_owned();
        for row in cells.chunks(6) {
            text += &row.join(",");
            text.push('\n');
        }
        if let Ok(read) = read_named("THYAO.csv", text.as_bytes()) {
            prop_assert_eq!(read.rows_read, (read.bars_count() + read.refused.len()) as u64);
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused_or_gives_its_first_rows(text in file(), cut in any::<prop::sample::Index>()) {
        let whole = bars(&read_named("THYAO.csv", text.as_bytes()).unwrap());
        let cut = cut.index(text.len());
        let Ok(read) = read_named("THYAO.csv", &text.as_bytes()[..cut]) else { return Ok(()) };
        let part = bars(&read);
        prop_assert!(part.len() <= whole.len());
        for (index, bar) in part.iter().enumerate() {
            // The one thing a cut can hide: the last field of the last row, here the volume.
            let last = index + 1 == part.len() && !read.notes.is_empty();
            let expected = if last {
                RawBar { volume_shares: bar.volume_shares, ..whole[index] }
            } else {
                whole[index]
            };
            prop_assert_eq!(*bar, expected);
        }
    }

    #[test]
    fn a_damaged_parquet_file_is_an_answer_or_an_error(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = include_bytes!("../golden/parquet/pandas_snappy_v1.parquet").to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(read) = read_parquet_bytes(&bytes) {
            prop_assert_eq!(read.rows_read, (read.bars_count() + read.refused.len()) as u64);
        }
    }
}

#[test]
fn a_parquet_file_cut_off_anywhere_is_refused() {
    let bytes = include_bytes!("../golden/parquet/pandas_snappy_v1.parquet");
    assert!(!show(&read_parquet_bytes(bytes).unwrap()).is_empty());
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("THYAO.parquet");
    std::fs::write(&path, bytes).unwrap();
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    for length in (0..bytes.len()).rev() {
        file.set_len(length as u64).unwrap();
        assert!(read_parquet(&path).is_err(), "{length} bytes");
    }
}
