//! The exchange's bulletin: what its table says, and what is refused.

mod provider;

use std::io::{Cursor, Write};

use bist_feeds::{Batch, parse_bulletin_csv, parse_bulletin_zip, read_bulletin};
use bist_market::InstrumentDay;
use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

pub(crate) const TABLE: &str = include_str!("../fixtures/bulletin/thb202510301.csv");

fn parse(table: &str) -> Batch {
    parse_bulletin_csv("thb.csv", table.as_bytes()).unwrap()
}

fn refusal(table: &[u8]) -> String {
    parse_bulletin_csv("thb.csv", table).unwrap_err().to_string()
}

/// An archive with these files.
pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The bars as lines: symbol, open, high, low, close, volume.
fn bars(batch: &Batch) -> Vec<String> {
    let bars = batch.series.iter().flat_map(|s| s.bars.iter().map(|bar| (s.symbol, bar)));
    bars.map(|(symbol, bar)| {
        let open = bar.open_units.map_or("none".to_owned(), |units| units.to_string());
        let volume = bar.volume_shares.map_or("none".to_owned(), |shares| shares.to_string());
        let (high, low, close) = (bar.high_units, bar.low_units, bar.close_units);
        format!("{symbol} {} {open} {high} {low} {close} {volume}", bar.day())
    })
    .collect()
}

fn refused(batch: &Batch) -> Vec<String> {
    batch.refused.iter().map(|row| format!("{}: {}", row.line, row.reason)).collect()
}

fn facts<'a>(batch: &'a Batch, symbol: &str) -> &'a InstrumentDay {
    &batch.days.iter().find(|day| day.symbol.as_str() == symbol).unwrap().facts
}

/// The table with the first two header lines and these rows.
fn with_rows(rows: &[&str]) -> String {
    let header: Vec<&str> = TABLE.lines().take(2).collect();
    format!("{}\n{}\n", header.join("\n"), rows.join("\n"))
}

fn row(index: usize) -> &'static str {
    TABLE.lines().nth(index + 2).unwrap()
}

#[test]
fn shares_are_kept_with_prices_facts_and_names() {
    let batch = parse(TABLE);
    assert_eq!(
        bars(&batch),
        [
            "AAAAA 2025-10-30 1000000 1020000 998000 1012500 8053312",
            "BBBBB 2025-10-30 100200 101000 98000 100500 500000",
        ]
    );
    assert_eq!(
        *facts(&batch, "BBBBB"),
        InstrumentDay {
            segment: Some("N".to_owned()),
            trading_method: Some("SI".to_owned()),
            in_bist100: Some(false),
            in_bist30: Some(false),
            gross_settlement: Some(true),
            suspended: Some(false),
            corporate_action: Some("01".to_owned()),
            previous_close_units: Some(200_000),
            vwap_units: Some(99_870),
            turnover_units: Some(49_935_000_000),
            trades_count: Some(812),
            market_cap_lira: None,
        }
    );
    assert_eq!(facts(&batch, "AAAAA").in_bist100, Some(true));
    assert_eq!(facts(&batch, "AAAAA").corporate_action, None);
    let names: Vec<_> = batch.instruments.iter().map(|i| i.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["AAAAA SANAYI", "BBBBB ENERJI", "CCCCC YATIRIM"]);
}

#[test]
fn a_share_without_a_trade_has_its_facts_and_no_bar() {
    let batch = parse(TABLE);
    let facts = facts(&batch, "CCCCC");
    assert_eq!(facts.suspended, Some(true));
    assert_eq!(facts.previous_close_units, Some(43_600));
    assert_eq!((facts.vwap_units, facts.turnover_units), (None, Some(0)));

    // Some years repeat the last price where nothing was traded.
    let repeated = row(3).replace(";4.36;0;0;0;0;0;0;", ";4.36;4.36;4.36;4.36;4.36;4.36;4.36;");
    assert_eq!(bars(&parse(&with_rows(&[&repeated]))), Vec::<String>::new());
}

#[test]
fn other_instruments_are_counted_and_the_counts_add_up() {
    let batch = parse(TABLE);
    assert_eq!(
        batch.notes,
        [
            "4 of 7 rows are no shares of the equity market: 1 of group AOF, 1 of group RHT, 1 of market PMOSA, 1 with suffix F",
            "shares that were not traded and have no bar: 1",
        ]
    );
    assert_eq!(batch.rows_read, 7);
    assert!(batch.refused.is_empty());
}

#[test]
fn one_header_line_is_enough_and_the_order_is_free() {
    let expected = parse(TABLE);
    let lines: Vec<&str> = TABLE.lines().collect();
    for header in [lines[0], lines[1]] {
        let table = format!("{header}\n{}\n", lines[2..].join("\n"));
        assert_eq!(bars(&parse(&table)), bars(&expected));
        assert_eq!(parse(&table).days, expected.days);
    }
    let reversed: Vec<String> = lines
        .iter()
        .map(|line| line.split(';').rev().collect::<Vec<_>>().join(";") + "\n")
        .collect();
    assert_eq!(parse(&reversed.concat()).days, expected.days);
}

#[test]
fn names_are_known_in_any_case_with_accents_and_blanks() {
    let table = TABLE
        .replace("ISLEM  KODU", "İşlem Kodu")
        .replace("KAPANIS FIYATI;KAPANIS SEANSI", "kapanış fiyatı ;KAPANIS SEANSI")
        .replace("ONCEKI KAPANIS", "ÖNCEKİ  KAPANIŞ");
    assert_eq!(parse(&table).days, parse(TABLE).days);
}

#[test]
fn the_exchange_writes_utf_8_with_a_mark_or_windows_1254() {
    let expected = parse(TABLE);
    let marked = format!("\u{feff}{TABLE}");
    assert_eq!(parse(&marked).days, expected.days);
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    for c in TABLE.replace("BBBBB ENERJI", "BBBBB ENERJİ ŞİRKETİ").chars() {
        bytes.push(match c {
            'İ' => 0xdd,
            'Ş' => 0xde,
            c => u8::try_from(u32::from(c)).unwrap(),
        });
    }
    let batch = parse_bulletin_csv("thb.csv", &bytes).unwrap();
    assert_eq!(batch.days, expected.days);
    assert_eq!(batch.instruments[1].name.as_deref(), Some("BBBBB ENERJİ ŞİRKETİ"));
}

#[test]
fn either_mark_separates_decimals_but_not_both() {
    let comma = row(0).replace('.', ",").replace("AAAAA,E", "AAAAA.E");
    let grouped = row(2).replace("4993500.00", "4.993.500,00");
    let batch = parse(&with_rows(&[&comma, &grouped]));
    assert_eq!(bars(&batch), ["AAAAA 2025-10-30 1000000 1020000 998000 1012500 8053312"]);
    assert_eq!(refused(&batch), ["4: TOPLAM ISLEM HACMI is '4.993.500,00', which is not a number"]);
}

#[test]
fn days_are_read_in_the_spellings_of_all_years() {
    for day in ["30.10.2025", "30/10/2025", "30-10-2025", "20251030"] {
        let batch = parse(&TABLE.replace("2025-10-30", day));
        assert_eq!(batch.days[0].day.to_string(), "2025-10-30", "{day}");
    }
}

#[test]
fn a_bad_row_is_named_and_the_others_stay() {
    let rows = [
        row(0).replace("102.00;101.25", "abc;101.25"),
        row(2).replace(";9.80;10.10;", ";;10.10;"),
        row(2).replace("2025-10-30", "yesterday").replace("BBBBB", "GGGGG"),
        row(2).replace("BBBBB.E", "B-B.E"),
        row(2)[..60].to_owned(),
        row(2).replace("BBBBB", "HHHHH").replace("4993500.00", "1e300"),
        row(2).replace("BBBBB", "IIIII"),
    ];
    let batch = parse(&with_rows(&rows.each_ref().map(String::as_str)));
    assert_eq!(bars(&batch), ["IIIII 2025-10-30 100200 101000 98000 100500 500000"]);
    assert_eq!(
        refused(&batch),
        [
            "3: EN YUKSEK FIYAT is 'abc', which is not a number",
            "4: EN DUSUK FIYAT is missing",
            "5: 'yesterday' is not a date",
            "6: 'B-B.E' is not a symbol",
            "7: the row has 9 fields and the header 31; is the file cut off?",
            "8: TOPLAM ISLEM HACMI is '1e300', which is too large",
        ]
    );
    assert_eq!(batch.refused[0].symbol.unwrap().as_str(), "AAAAA");
    assert_eq!(batch.rows_read, 7);
}

#[test]
fn a_price_that_no_trade_opened_is_not_made_up() {
    let opened = row(0).replace(";100.00;100.00;99.80", ";0;0;99.80");
    let batch = parse(&with_rows(&[&opened]));
    assert_eq!(bars(&batch), ["AAAAA 2025-10-30 none 1020000 998000 1012500 8053312"]);
}

#[test]
fn a_share_said_twice_is_refused_once_or_altogether() {
    let other = row(0).replace(";101.25;101.25;1.351", ";101.30;101.30;1.4");
    let batch = parse(&with_rows(&[row(0), row(0), row(2), &other, row(0)]));
    assert_eq!(bars(&batch), ["BBBBB 2025-10-30 100200 101000 98000 100500 500000"]);
    assert_eq!(
        refused(&batch),
        [
            "3: the row contradicts line 6, which has the same time stamp",
            "4: the row repeats line 3",
            "6: the row contradicts line 3, which has the same time stamp",
            "7: the row contradicts line 3, which has the same time stamp",
        ]
    );
    assert_eq!(batch.rows_read, 5);
}

#[test]
fn a_flag_that_is_neither_0_nor_1_is_unknown_and_told() {
    let unclear = row(0).replace(";SI;0;1;0;0;;0;", ";SI;0;E;0;;;0;");
    let batch = parse(&with_rows(&[&unclear]));
    assert_eq!(facts(&batch, "AAAAA").in_bist100, None);
    assert_eq!(facts(&batch, "AAAAA").gross_settlement, None);
    assert_eq!(
        batch.notes,
        ["'BIST 100 ENDEKS' is neither 0 nor 1 in 1 rows ('E' first) and is unknown there"]
    );
}

#[test]
fn a_company_may_have_a_quotation_mark_in_its_name() {
    let named = row(0).replace("AAAAA SANAYI", "\"AAAAA\" SANAYI");
    let batch = parse(&with_rows(&[&named]));
    assert_eq!(batch.instruments[0].name.as_deref(), Some("\"AAAAA\" SANAYI"));
}

#[test]
fn an_older_bulletin_with_fewer_columns_says_what_it_lacks() {
    let table = "TRADE DATE;INSTRUMENT SERIES CODE;OPENING PRICE;LOWEST PRICE;HIGHEST PRICE;CLOSING PRICE;TOTAL TRADED VOLUME\n\
                 2016-05-02;AAAAA.E;10;9.9;10.2;10.1;1000\n\
                 2016-05-02;AAAAA.V;1;1;1;1;1";
    let batch = parse(table);
    assert_eq!(bars(&batch), ["AAAAA 2016-05-02 100000 102000 99000 101000 1000"]);
    assert_eq!(facts(&batch, "AAAAA"), &InstrumentDay::default());
    assert_eq!(
        batch.notes,
        [
            "the bulletin has no column for INSTRUMENT NAME, MARKET SEGMENT, MARKET, INSTRUMENT GROUP, TRADING METHOD, BIST 100 INDEX, BIST 30 INDEX, GROSS SETTLEMENT, CORPORATE ACTION, SUSPENDED, PREVIOUS LAST PRICE, VWAP, TOTAL TRADED VALUE, TOTAL NUMBER OF CONTRACTS",
            "1 of 2 rows are no shares of the equity market: 1 with suffix V",
            "the last line does not end with a newline; a download that was cut off looks the same",
        ]
    );
}

#[test]
fn what_is_no_bulletin_is_refused_as_a_whole() {
    let check = |table: &str, expected: &str| assert_eq!(refusal(table.as_bytes()), expected);
    check("", "'thb.csv': the file is empty, not even a header is there; download it again");
    check(
        "<!DOCTYPE html><html></html>",
        "'thb.csv': this is a web page, not a table of prices as text; the download went wrong, download the file again",
    );
    check(
        "a;b\n1;2\n",
        "'thb.csv', line 1: the header has no column for TRADE DATE, INSTRUMENT SERIES CODE, LOWEST PRICE, HIGHEST PRICE, CLOSING PRICE; it names 'a', 'b'",
    );
    check(
        "INSTRUMENT SERIES CODE;CLOSING PRICE;LOWEST PRICE\n",
        "'thb.csv', line 1: the header has no column for TRADE DATE, HIGHEST PRICE; it names 'INSTRUMENT SERIES CODE', 'CLOSING PRICE', 'LOWEST PRICE'",
    );
    check(
        "ISLEM KODU;KAPANIS FIYATI;CLOSING PRICE\n",
        "'thb.csv', line 1, column 'CLOSING PRICE': the columns 'KAPANIS FIYATI' and 'CLOSING PRICE' both look like the CLOSING PRICE; remove one",
    );
    let contradicting =
        TABLE.replacen("LOWEST PRICE;HIGHEST PRICE", "HIGHEST PRICE;LOWEST PRICE", 1);
    check(
        &contradicting,
        "'thb.csv', line 2, column 'LOWEST PRICE': the columns 'EN DUSUK FIYAT' and 'LOWEST PRICE' both look like the LOWEST PRICE; remove one",
    );
    let two_days = with_rows(&[row(0), &row(2).replace("2025-10-30", "2025-10-31")]);
    check(
        &two_days,
        "'thb.csv', line 4: the row is of 2025-10-31 and the rows above it are of 2025-10-30; a bulletin has one day",
    );
    let wide = with_rows(&[row(0), &";".repeat(20_000)]);
    check(&wide, "'thb.csv', line 4: it is larger than 16384 bytes, as no true one is");
    let endless = with_rows(&[&"x\n".repeat(60_000)]);
    check(&endless, "'thb.csv': it has more than 50000 lines, as no true one has");
}

#[test]
fn an_archive_with_one_table_is_unpacked() {
    let expected = parse(TABLE).days;
    let name = "thb202510301.csv";
    let plain = zipped(&[(name, TABLE.as_bytes())]);
    let beside = zipped(&[("readme.txt", b"-"), (name, TABLE.as_bytes())]);
    let english = zipped(&[("thb202510301_ENG.csv", b"-"), (name, TABLE.as_bytes())]);
    for archive in [plain, beside, english] {
        assert_eq!(parse_bulletin_zip("thb.zip", &archive).unwrap().days, expected);
    }
}

#[test]
fn an_archive_that_is_damaged_or_holds_something_else_is_refused() {
    let check = |bytes: &[u8], expected: &str| {
        let error = parse_bulletin_zip("thb.zip", bytes).unwrap_err().to_string();
        assert!(error.starts_with("'thb.zip': ") && error.contains(expected), "{error}");
    };
    check(&zipped(&[]), "the archive holds nothing instead of one .csv file");
    check(&zipped(&[("a.pdf", b"x")]), "the archive holds a.pdf instead of one .csv file");
    let two = zipped(&[("a.csv", b"x"), ("b.csv", b"y")]);
    check(&two, "the archive holds a.csv, b.csv instead of one .csv file");
    let many: Vec<String> = (0..100).map(|i| format!("{i}.csv")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    check(&zipped(&many), "the archive holds 100 files instead of one .csv file");

    let whole = zipped(&[("thb.csv", TABLE.as_bytes())]);
    for length in (0..whole.len()).step_by(7) {
        check(&whole[..length], "cannot be read");
    }
    // One bit of the packed table: the checksum tells.
    let mut flipped = whole;
    flipped[120] ^= 0x10;
    check(&flipped, "cannot be read");
}

#[test]
fn an_archive_that_unpacks_to_gigabytes_is_stopped() {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("thb.csv", SimpleFileOptions::default()).unwrap();
    let block = vec![b'\n'; 1 << 20];
    for _ in 0..65 {
        archive.write_all(&block).unwrap();
    }
    let bomb = archive.finish().unwrap().into_inner();
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    assert_eq!(
        parse_bulletin_zip("thb.zip", &bomb).unwrap_err().to_string(),
        "'thb.zip': it is larger than 67108864 bytes, as no true one is"
    );
}

#[test]
fn a_file_is_read_as_archive_or_table_whatever_its_name() {
    let folder = TempDir::new().unwrap();
    let archive = zipped(&[("thb202510301.csv", TABLE.as_bytes())]);
    for (name, bytes) in [("a.zip", &archive[..]), ("b.csv", TABLE.as_bytes()), ("c", &archive)] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let batch = read_bulletin(&path).unwrap();
        assert_eq!(batch.days, parse(TABLE).days);
        assert_eq!(batch.file, path.display().to_string());
    }
    let error = read_bulletin(&folder.path().join("none.zip")).unwrap_err().to_string();
    assert!(error.contains("none.zip"), "{error}");
}
