//! Delimited text: headers, numbers, dates, and what is refused.

use bist_feeds::FileNote;

use crate::{read, read_named, refusal, show, show_refused};

/// The one bar that every spelling of it below must give.
const BAR: &str =
    "THYAO 1d 2024-02-29T21:00:00Z 2705000 2740000 2701250 12732500 [1100.5] [1250000]";

#[track_caller]
fn check(text: &str) {
    assert_eq!(show(&read(text)), [BAR], "{text}");
}

#[test]
fn one_bar_in_many_spellings_is_one_bar() {
    check(
        "date,open,high,low,close,adj_close,volume\n2024-03-01,270.5,274,270.125,1273.25,1100.5,1250000\n",
    );
    check(
        "Tarih;Açılış;Yüksek;Düşük;Kapanış;Düzeltilmiş Kapanış;Hacim\n01.03.2024;270,50;274,00;270,125;1.273,25;1.100,50;1.250.000\n",
    );
    check(
        "TARİH\tAÇILIŞ\tYÜKSEK\tDÜŞÜK\tSON\tDÜZ. KAPANIŞ\tLOT\r\n1.3.2024\t270,5\t274\t270,125\t1273,25\t1100,5\t1250000\r\n",
    );
    check("Date|Open|High|Low|Price|Adj Close|Vol.|Change %\n29/02/2024|1|1|1|1|1|1|0.1%\n01/03/2024|270.5|274|270.125|1273.25|1100.5|1.25M|-1.2%\n".replace("29/02/2024|1|1|1|1|1|1|0.1%\n", "").replace("01/03/2024", "2024/03/01").as_str());
    check(
        "sep=;\nDate;Open;High;Low;Close;Adj Close;Volume;\n\n2024-03-01;270.5;274;270.125;1273.25;1100.5;1250000.0;\n;;;;;;;\n\n",
    );
    check(
        "\"Date\",\"Open\",\"High\",\"Low\",\"Close\",\"Adj Close\",\"Volume\"\n\"2024-03-01\",\"270.5\",\"274\",\"270.125\",\"1,273.25\",\"1,100.5\",\"1,250,000\"\n",
    );
    check(
        "Date,Open,High,Low,Close,Adj Close,Volume\n2024-03-01 00:00:00+03:00,2.705e2,2.74e2,270.125,1.27325e3,1100.5,1250K\n",
    );
    check(
        "Kod;Tarih;Saat;Açılış;Yüksek;Düşük;Kapanış;DüzKapanış;Adet\nTHYAO.E;01-03-2024;00:00;270,5;274;270,125;1273,25;1100,5;1,25Mn\n",
    );
    check(
        "timestamp,open,high,low,close,adj close,volume\n1709240400,270.5,274,270.125,1273.25,1100.5,1250000\n",
    );
    check(
        "\u{feff}date,open,high,low,close,adj_close,volume\n2024-03-01,270.5,274,270.125,1273.25,1100.5,1250000\n",
    );
}

#[test]
fn utf_16_and_windows_1254_are_read() {
    let text = "Tarih;Açılış;Yüksek;Düşük;Kapanış;Düz.Kapanış;Hacim\n01.03.2024;270,5;274;270,125;1273,25;1100,5;1250000\n";
    let mut utf_16 = vec![0xff, 0xfe];
    utf_16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    assert_eq!(show(&read_named("THYAO.csv", &utf_16).unwrap()), [BAR]);

    let (header, row) = text.split_once('\n').unwrap();
    let windows: Vec<u8> = header
        .chars()
        .map(|c| match c {
            'ı' => 0xfd,
            'ş' => 0xfe,
            c => u8::try_from(u32::from(c)).unwrap(),
        })
        .chain(*b"\n")
        .chain(row.bytes())
        .collect();
    assert!(std::str::from_utf8(&windows).is_err());
    assert_eq!(show(&read_named("THYAO.csv", &windows).unwrap()), [BAR]);
}

#[test]
fn yahoos_headers_of_several_lines_give_each_symbol_its_bars() {
    let one = "Price,Close,High,Low,Open,Volume\nTicker,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS\nDate,,,,,\n2024-03-01,273.25,274.0,270.0,270.5,100\n";
    let expected = "THYAO 1d 2024-02-29T21:00:00Z 2705000 2740000 2700000 2732500 [] [100]";
    assert_eq!(show(&read_named("whatever.csv", one.as_bytes()).unwrap()), [expected]);
    let two_lines = one.replace("Date,,,,,\n", "").replace("Price,", ",").replace("Ticker,", ",");
    assert_eq!(show(&read_named("whatever.csv", two_lines.as_bytes()).unwrap()), [expected]);

    let wide = "Ticker,THYAO.IS,THYAO.IS,THYAO.IS,THYAO.IS,AKBNK.IS,AKBNK.IS,AKBNK.IS,AKBNK.IS\n\
                Price,Open,High,Low,Close,Open,High,Low,Close\n\
                Date,,,,,,,,\n\
                2024-03-01,10.5,11,10,10.75,20.5,21,20,20.75\n\
                2024-03-04,,,,,20.5,21,20,20.75\n\
                2024-03-05,10.5,11,10,10.75,20.5,,20,20.75\n";
    let wide = read(wide);
    assert_eq!(
        show(&wide),
        [
            "AKBNK 1d 2024-02-29T21:00:00Z 205000 210000 200000 207500 [] []",
            "AKBNK 1d 2024-03-03T21:00:00Z 205000 210000 200000 207500 [] []",
            "THYAO 1d 2024-02-29T21:00:00Z 105000 110000 100000 107500 [] []",
            "THYAO 1d 2024-03-04T21:00:00Z 105000 110000 100000 107500 [] []",
        ]
    );
    assert_eq!(show_refused(&wide), ["6: high is missing"]);
    assert_eq!(wide.rows_read, 5);
}

#[test]
fn several_symbols_in_a_column_become_several_series() {
    let read = read_named(
        "all.csv",
        b"Symbol,Date,Open,High,Low,Close\nTHYAO.IS,2024-03-01,1.5,1.5,1.5,1.5\nakbnk,2024-03-01,2.5,2.5,2.5,2.5\n",
    )
    .unwrap();
    assert_eq!(
        read.series.iter().map(|s| s.symbol.as_str()).collect::<Vec<_>>(),
        ["AKBNK", "THYAO"]
    );
    assert_eq!(read.rows_read, 2);
}

#[test]
fn the_most_frequent_step_is_the_interval() {
    let intraday = "timestamp,open,high,low,close\n2024-03-01T17:00:00,1.5,1.5,1.5,1.5\n2024-03-01T18:00:00,1.5,1.5,1.5,1.5\n2024-03-04T10:00:00,1.5,1.5,1.5,1.5\n2024-03-04T11:00:00,1.5,1.5,1.5,1.5\n";
    assert_eq!(read(intraday).series[0].interval.to_string(), "60m");
    assert_eq!(
        show(&read(intraday))[0],
        "THYAO 60m 2024-03-01T14:00:00Z 15000 15000 15000 15000 [] []"
    );
    // Yahoo stamps daily bars with the time of the opening: a day is a day all the same.
    let daily = "timestamp,open,high,low,close\n1709276400,1.5,1.5,1.5,1.5\n1709535600,1.5,1.5,1.5,1.5\n1709622000,1.5,1.5,1.5,1.5\n";
    assert_eq!(
        show(&read(daily))[0],
        "THYAO 1d 2024-02-29T21:00:00Z 15000 15000 15000 15000 [] []"
    );
    let one = "timestamp,open,high,low,close\n2024-03-01T10:00,1.5,1.5,1.5,1.5\n";
    assert!(refusal(one).contains("how long each bar is cannot be told"));
    let named = read_named("THYAO_15m.csv", one.as_bytes()).unwrap();
    assert_eq!(named.series[0].interval.to_string(), "15m");
}

#[test]
fn rows_without_a_price_are_refused_and_the_others_kept() {
    let read = read(
        "date,open,high,low,close,volume\n2024-03-01,1.5,1.5,1.5,1.5,\n2024-03-04,,1.5,1.5,1.5,10\n2024-03-05,1.5,NaN,1.5,1.5,10\n2024-03-06,1.5,1.5,1.5,#N/A,-\n2024-03-07,1.5,1.5,1.5,1.5,N/A\nToplam,,,,,20\n",
    );
    assert_eq!(read.rows_read, 6);
    assert_eq!(read.bars_count(), 2);
    assert_eq!(
        show_refused(&read),
        [
            "3: open is missing",
            "4: high is missing",
            "5: close is missing",
            "7: 'Toplam' is not a date"
        ]
    );
    assert_eq!(read.refused[0].text, "2024-03-04,,1.5,1.5,1.5,10");
    assert_eq!(read.refused[0].day.unwrap().to_string(), "2024-03-04");
    assert_eq!(read.refused[0].symbol.unwrap().as_str(), "THYAO");
}

#[test]
fn a_row_said_twice_counts_once_and_a_contradiction_not_at_all() {
    let read = read(
        "date,open,high,low,close\n2024-03-05,1.5,1.5,1.5,1.5\n2024-03-04,1.5,1.5,1.5,1.5\n2024-03-04,1.50,1.5,1.5,1.5\n2024-03-01,1.5,1.5,1.5,1.5\n2024-03-01,1.5,1.5,1.5,1.6\n2024-03-01,1.5,1.5,1.5,1.5\n",
    );
    assert_eq!(
        show_refused(&read),
        [
            "4: the row repeats line 3",
            "5: the row contradicts line 6, which has the same time stamp",
            "6: the row contradicts line 5, which has the same time stamp",
            "7: the row contradicts line 5, which has the same time stamp",
        ]
    );
    assert_eq!(read.bars_count(), 2);
    assert_eq!(read.rows_read, 6);

    let below = crate::read(
        "date,open,high,low,close,volume\n2024-03-01,1.5,1.5,1.5,1.5,10\n2024-03-04,1.5,1.5,1.5,1.5,10\n2024-03-04,1.5,1.5,1.5,1.5,10\n",
    );
    assert_eq!(show_refused(&below), ["4: the row repeats line 3"]);
    assert_eq!(below.refused[0].text, "2024-03-04,1.5,1.5,1.5,1.5,10");
}

#[test]
fn what_is_worth_knowing_is_noted() {
    let header = "date,open,high,low,close,mood,Değişim %\n";
    assert_eq!(
        read(header).notes,
        [FileNote::EmptyFile, FileNote::IgnoredColumns(vec!["mood".to_owned()])]
    );
    assert_eq!(read(header).rows_read, 0);
    let unfinished = read("date,open,high,low,close\n2024-03-01,1.5,1.5,1.5,1.5");
    assert_eq!(unfinished.notes, [FileNote::NoFinalNewline { line: 2 }]);
    assert_eq!(unfinished.bars_count(), 1);
}

#[test]
fn a_broken_file_is_refused_with_line_column_and_advice() {
    let header = "date,open,high,low,close,volume\n2024-03-01,1.5,1.5,1.5,1.5,1\n";
    let check = |rows: &str, expected: &str| {
        assert_eq!(refusal(&format!("{header}{rows}")), format!("THYAO.csv', {expected}"));
    };
    check(
        "2024-03-04,1.5,abc,1.5,1.5,1\n",
        "line 3, column 'high': 'abc' is not a number; correct the cell or download the file again",
    );
    check(
        "2024-03-04,,1.5,1.5,1.5,lots\n",
        "line 3, column 'volume': 'lots' is not a number; correct the cell or download the file again",
    );
    check(
        "2024-03-04,1.5,1,5,1.5,1.5,1\n",
        "line 3: the row has 7 fields and the header 6; the file is damaged or cut off, download it again",
    );
    check(
        "2024-03-04,1.5,1.5",
        "line 3: the row has 3 fields and the header 6; the file is damaged or cut off, download it again",
    );
    check(
        "2024-03-04,1.5,1.5,1.5,\"1.5,1\n",
        "line 3: a quotation mark is not closed on its line; the file is damaged or cut off, download it again",
    );
    check(
        "yesterday,1.5,1.5,1.5,1.5,1\n",
        "line 3, column 'date': 'yesterday' is not a date; write it as 2024-03-01 or 01.03.2024",
    );
    check(
        "2024-03-04,1e300,1.5,1.5,1.5,1\n",
        "line 3, column 'open': '1e300' is too large to be a price or a volume; correct the cell or download the file again",
    );
    assert_eq!(
        refusal("name,age\nAli,3\n"),
        "THYAO.csv', line 1: the header has no column for date, open, high, low, close; it names 'name', 'age'"
    );
    assert!(refusal("").contains("the file is empty"));
    assert!(refusal("\n\n").contains("the file is empty"));
    assert!(refusal("<html><body>Not found</body></html>").contains("a web page"));
    let nameless = read_named("prices.csv", header.as_bytes()).unwrap_err().to_string();
    assert!(nameless.contains("nothing says whose prices these are"), "{nameless}");
}

#[test]
fn what_can_be_read_two_ways_is_refused_unless_the_file_tells() {
    let bars = |date: &str, price: &str, more: &str| {
        format!("date;open;high;low;close\n{date};{price};{price};{price};{price}\n{more}")
    };
    assert_eq!(
        refusal(&bars("2024-03-01", "1.234", "")),
        "THYAO.csv', line 2, column 'open': '1.234' may be in thousands or have three decimals, and nothing else in the file tells which; write the decimals of every price with two or four places"
    );
    let units = |text: &str| read(text).series[0].bars[0].open_units.unwrap();
    assert_eq!(units(&bars("2024-03-01", "1.234", "2024-03-04;1,5;1,5;1,5;1,5\n")), 12_340_000);
    assert_eq!(units(&bars("2024-03-01", "1.234", "2024-03-04;1.5;1.5;1.5;1.5\n")), 12_340);
    assert_eq!(units(&bars("2024-03-01", "1,234", "2024-03-04;1234;1234;1234;1234\n")), 12_340);
    assert!(
        refusal(&bars("2024-03-01", "1.234,5", "2024-03-04;1,234.5;1;1;1\n"))
            .contains("'1,234.5' is not a number")
    );

    assert_eq!(
        refusal(&bars("03/04/2024", "1.5", "05/04/2024;1.5;1.5;1.5;1.5\n")),
        "THYAO.csv', line 2, column 'date': '03/04/2024' may have the day or the month first, and no date in the file tells which; write dates as 2024-03-01 or 01.03.2024"
    );
    let first = |text: &str| read(text).series[0].bars[0].day().to_string();
    assert_eq!(first(&bars("03/04/2024", "1.5", "13/04/2024;1.5;1.5;1.5;1.5\n")), "2024-04-03");
    assert_eq!(first(&bars("03/04/2024", "1.5", "04/13/2024;1.5;1.5;1.5;1.5\n")), "2024-03-04");
    assert_eq!(first(&bars("05/05/2024", "1.5", "")), "2024-05-05");
    assert!(
        refusal(&bars("05/05/2024", "1.5", "06/05/2024;1.5;1.5;1.5;1.5\n"))
            .contains("line 3, column 'date'")
    );
    assert!(
        refusal(&bars("13/04/2024", "1.5", "04/14/2024;1.5;1.5;1.5;1.5\n"))
            .contains("'04/14/2024' is not a date")
    );
}
