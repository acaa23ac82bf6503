//! Inputs of some megabytes in which all is as it should be, but far too much of it: what is read
//! takes time and memory in proportion to its size.
//!
//! Sizes are such that a parser that looks at every row again for every row does not end within the
//! time that a child is given.

type Flood = fn() -> Vec<u8>;

/// `head`, then `row` for each number, with `mark` between them, then `tail`.
fn rows(
    head: &str,
    count: usize,
    mark: &str,
    row: impl Fn(usize) -> String,
    tail: &str,
) -> Vec<u8> {
    let rows: Vec<String> = (0..count).map(row).collect();
    format!("{head}{}{tail}", rows.join(mark)).into_bytes()
}

/// A code of five letters for each number.
fn code(mut number: usize) -> String {
    let mut letters = String::new();
    for _ in 0..5 {
        letters.push(char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26]));
        number /= 26;
    }
    letters
}

fn nested() -> Vec<u8> {
    b"[".repeat(4 << 20)
}

fn nested_objects() -> Vec<u8> {
    [b"{\"d\":".repeat(500_000).as_slice(), &b"}".repeat(500_000)].concat()
}

fn text_without_end() -> Vec<u8> {
    [b"{\"value\":\"", b"\\\\".repeat(2 << 20).as_slice()].concat()
}

const TABLE: &str = "date,open,high,low,close,volume\n";

pub(super) const CSV: [Flood; 5] = [
    // A symbol for every four of many columns.
    || {
        let names = rows("Price", 100_000, "", |_| ",Open,High,Low,Close".to_owned(), "\n");
        let tickers = rows("Ticker", 100_000, "", |i| format!(",{}", code(i)).repeat(4), "\n");
        let row = rows("2024-03-01", 400_000, "", |_| ",1.5".to_owned(), "\n");
        [names, tickers, row].concat()
    },
    || rows(TABLE, 100_000, "\n", |i| format!("2024-03-01,1.5,1.5,1.5,1.5,{i}"), "\n"),
    || {
        rows(
            "symbol,date,open,high,low,close\n",
            100_000,
            "\n",
            |i| format!("{},2024-03-01,1.5,1.5,1.5,1.5", code(i)),
            "\n",
        )
    },
    || rows("", 500_000, ",", |i| format!("c{i}"), "\n"),
    || rows(TABLE, 2 << 20, "", |_| "\"\"".to_owned(), "\n"),
];

pub(super) const ACTIONS_CSV: [Flood; 2] = [
    || {
        rows(
            "symbol,date,kind,ratio_or_amount\n",
            49_000,
            "\n",
            |_| "AAAAA,2024-05-02,bonus_issue,0.5".to_owned(),
            "\n",
        )
    },
    || {
        rows(
            "symbol,date,kind,ratio_or_amount\n",
            49_000,
            "\n",
            |i| format!("{},2024-05-02,merger,{i}", code(i)),
            "\n",
        )
    },
];

pub(super) const BULLETIN: [Flood; 2] = [|| bulletin(|_| "AAAAA".to_owned()), || bulletin(code)];

/// The bulletin with its first row again and again, each time of another share.
fn bulletin(code_of: fn(usize) -> String) -> Vec<u8> {
    let mut lines = crate::bulletin::TABLE.lines();
    let header = [lines.next().unwrap(), lines.next().unwrap(), ""].join("\n");
    let row = lines.next().unwrap();
    assert!(row.contains("AAAAA.E"));
    rows(
        &header,
        20_000,
        "\n",
        |i| row.replace("AAAAA.E", &format!("{}.E", code_of(i))).replace("8053312", &i.to_string()),
        "\n",
    )
}

pub(super) const YAHOO_DAYS: [Flood; 4] = [
    || answer(&chart(90_000, |_| 1_761_546_600)),
    || answer(&chart(90_000, |i| 86_400 * i)),
    // Charts after the first are not used.
    || answer(&vec![chart(400, |i| 86_400 * i); 200].join(",")),
    nested,
];

fn answer(charts: &str) -> Vec<u8> {
    format!("{{\"chart\":{{\"result\":[{charts}]}}}}").into_bytes()
}

/// A chart with so many rows.
fn chart(count: usize, stamp_of: fn(usize) -> usize) -> String {
    let list = |cell: &dyn Fn(usize) -> String| (0..count).map(cell).collect::<Vec<_>>().join(",");
    let meta = r#"{"symbol":"AAAAA.IS","exchangeTimezoneName":"Europe/Istanbul"}"#;
    let stamps = list(&|i| stamp_of(i).to_string());
    let prices = list(&|i| format!("{}.5", 100 + i % 900));
    let volumes = list(&|i| i.to_string());
    let columns = ["open", "high", "low", "close"].map(|name| format!("\"{name}\":[{prices}]"));
    let quote = format!("{{{},\"volume\":[{volumes}]}}", columns.join(","));
    format!("{{\"meta\":{meta},\"timestamp\":[{stamps}],\"indicators\":{{\"quote\":[{quote}]}}}}")
}

pub(super) const HISSE_TEKIL: [Flood; 4] = [
    || {
        rows(
            "{\"ok\":true,\"value\":[",
            20_000,
            ",",
            |i| {
                format!(
                    "{{\"HGDG_HS_KODU\":\"AAAAA\",\"HGDG_TARIH\":\"30-10-2025\",\"HG_KAPANIS\":{i},\"HG_MIN\":1,\"HG_MAX\":{i}}}"
                )
            },
            "]}",
        )
    },
    nested,
    nested_objects,
    text_without_end,
];

pub(super) const SERMAYE: [Flood; 3] = [
    || {
        rows(
            "{\"d\":[",
            5_000,
            ",",
            |i| {
                format!(
                    "{{\"SHHE_HS_KODU\":\"AAAAA\",\"SHHE_TARIH\":1754265600000,\"SHT_KODU\":\"04\",\"SHHE_NAKIT_TM_ORAN\":{i}}}"
                )
            },
            "]}",
        )
    },
    nested_objects,
    text_without_end,
];

pub(super) const EVDS: [Flood; 3] = [
    || {
        rows(
            "{\"items\":[",
            90_000,
            ",",
            |i| format!("{{\"Tarih\":\"30-10-2025\",\"TP_DK_USD_A_YTL\":\"{i}\"}}"),
            "]}",
        )
    },
    || rows("{\"items\":[{", 400_000, ",", |i| format!("\"{}\":{i}", code(i)), "}]}"),
    nested,
];

pub(super) const RATES: [Flood; 3] = [
    // No currency has a unit.
    || {
        let head = "<Tarih_Date Tarih=\"30.10.2025\">";
        rows(head, 20_000, "\n", |_| "<Currency/>".to_owned(), "</Tarih_Date>")
    },
    || rows("<Tarih_Date ", 100_000, " ", |i| format!("{}=\"\"", code(i)), "/>"),
    || b"<a>".repeat(1 << 20),
];

pub(super) const KAP_PAGE: [Flood; 2] = [
    || rows("[", 99_000, ",", |i| format!("{{\"disclosureIndex\":{}}}", i * 7919 % 99_991), "]"),
    nested,
];

pub(super) const KAP_DETAIL: [Flood; 2] = [
    || {
        rows(
            "{\"time\":\"30.10.2025 18:05:11\",\"senderExchCodes\":[\"",
            300_000,
            ",",
            code,
            "\"]}",
        )
    },
    nested,
];

pub(super) const KAP_SITE: [Flood; 2] = [
    || {
        rows(
            "[",
            50_000,
            ",",
            |i| {
                format!(
                    "{{\"publishDate\":\"30.10.2025 18:05:11\",\"disclosureIndex\":{i},\"stockCodes\":\"{},A/B\"}}",
                    code(i)
                )
            },
            "]",
        )
    },
    nested,
];
