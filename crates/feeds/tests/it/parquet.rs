//! Small files of pandas, polars and Arrow; `tests/golden/parquet/make.py` writes them.

use std::path::PathBuf;

use bist_feeds::{FileBars, read_parquet};

use crate::{read_named, show, show_refused};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/parquet"))
        .join(format!("{name}.parquet"))
}

fn read(name: &str) -> FileBars {
    read_parquet(&golden(name)).unwrap()
}

/// The table that most of the files hold, as a CSV file gives it.
fn table(symbol: &str) -> FileBars {
    let text = "date,open,high,low,close,adj_close,volume\n\
        2024-03-01,270.5,274.0,270.125,273.25,1100.5,1250000\n\
        2024-03-04,271.25,275.5,270.0,272.1,1101.0,990000\n\
        2024-03-05,272.0,,271.0,272.5,1102.25,12\n";
    read_named(&format!("{symbol}.csv"), text.as_bytes()).unwrap()
}

#[test]
fn the_same_table_gives_the_same_bars_from_every_writer() {
    for name in [
        "pandas_snappy_v1",
        "pandas_zoned_zstd_v2",
        "pandas_nameless_index_int96",
        "arrow_date_gzip_v2",
        "arrow_text_float32",
        "arrow_decimal_flba",
        "arrow_decimal_int32",
    ] {
        let symbol = name.split('_').next().unwrap().to_uppercase();
        let read = read(name);
        assert_eq!(show(&read), show(&table(&symbol)), "{name}");
        assert_eq!(show_refused(&read), ["3: high is missing"], "{name}");
        assert_eq!(read.rows_read, 3, "{name}");
    }
}

#[test]
fn symbols_come_from_a_column_or_stand_side_by_side() {
    let long = read("polars_symbols_zstd");
    assert_eq!(show(&long)[1..], show(&table("THYAO")));
    assert_eq!(show(&long)[0], show(&table("AKBNK"))[0]);
    assert_eq!(long.rows_read, 4);

    let wide = read("pandas_wide");
    assert_eq!(show(&wide)[2..], show(&table("THYAO")));
    assert_eq!(
        show(&wide)[0],
        "AKBNK 1d 2024-02-29T21:00:00Z 5410000 5480000 5402500 5465000 [2201] [2500000]"
    );
    assert_eq!(show_refused(&wide), ["3: high is missing", "3: high is missing"]);
    assert_eq!(wide.rows_read, 6);
}

#[test]
fn times_of_any_unit_are_istanbuls() {
    for name in ["arrow_hours_ms", "arrow_hours_us", "arrow_hours_ns"] {
        let lines = show(&read(name));
        assert!(lines[0].starts_with("ARROW 60m 2024-03-01T07:00:00Z"), "{name}: {}", lines[0]);
        assert_eq!(lines.len(), 2);
    }
}

#[test]
fn a_column_that_holds_no_prices_is_refused_by_name() {
    #[track_caller]
    fn check(name: &str, expected: &str) {
        let error = read_parquet(&golden(name)).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    }
    check(
        "arrow_booleans",
        "column 'open': the column is of the type BOOLEAN, which cannot be read here; write it as a number, a date or text",
    );
    check(
        "arrow_slashed_text",
        "row 1, column 'date': '01/03/2024' is not a date; write it as 2024-03-01 or 01.03.2024",
    );
    check(
        "arrow_list",
        "no column for open, high, low, close; it names 'date', 'open.list.element'",
    );
    let script =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/parquet/make.py"));
    assert!(read_parquet(&script).unwrap_err().to_string().contains("not a readable Parquet file"));
}
