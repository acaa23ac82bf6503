//! The central bank: what its answers become.

mod provider;

use bist_feeds::evds::parse_evds;
use bist_feeds::tcmb_rates::parse_rates_xml;
use bist_feeds::{Batch, FetchError};
use bist_market::SeriesCode;
use jiff::civil::date;

const DAILY: &str = include_str!("../fixtures/evds/daily.json");
const RATES: &str = include_str!("../fixtures/evds/rates.xml");

fn codes(names: &[&str]) -> Vec<SeriesCode> {
    names.iter().map(|name| SeriesCode::parse(name).unwrap()).collect()
}

fn parse(text: &str) -> Result<Batch, FetchError> {
    let codes = codes(&["TP.DK.USD.A.YTL", "TP.PY.P02.1H"]);
    parse_evds(text.as_bytes(), "2025", &codes)
}

fn rates(text: &str) -> Result<Batch, FetchError> {
    parse_rates_xml(text.as_bytes(), "2025-10-30", date(2025, 10, 30))
}

fn observations(batch: &Batch) -> Vec<String> {
    let show = |o: &bist_market::Observation| format!("{} {} {}", o.series, o.day, o.value);
    batch.observations.iter().map(show).collect()
}

fn refused(batch: &Batch) -> Vec<String> {
    batch.refused.iter().map(|row| format!("{}: {}", row.line, row.reason)).collect()
}

#[test]
fn texts_and_numbers_become_observations_and_null_does_not() {
    let batch = parse(DAILY).unwrap();
    assert_eq!(batch.rows_read, 3);
    assert_eq!(
        observations(&batch),
        [
            "TP.DK.USD.A.YTL 2025-10-30 41.9512",
            "TP.DK.USD.A.YTL 2025-10-31 41.973",
            "TP.PY.P02.1H 2025-10-30 39.5",
            "TP.PY.P02.1H 2025-10-31 39.5",
        ]
    );
    assert!(batch.notes.is_empty() && batch.refused.is_empty());
}

#[test]
fn a_month_is_its_first_day_and_the_clock_helps_where_the_text_does_not() {
    let text = include_str!("../fixtures/evds/monthly.json");
    let batch = parse(text).unwrap();
    assert_eq!(
        observations(&batch),
        ["TP.DK.USD.A.YTL 2025-10-01 41.87", "TP.DK.USD.A.YTL 2025-11-01 42.15"]
    );
    assert_eq!(batch.notes, ["the answer does not name TP.PY.P02.1H"]);
}

#[test]
fn values_and_days_that_cannot_be_read_are_refused() {
    let text =
        DAILY.replace("41.9512", "ND").replace("31-10-2025", "soon").replace("1761858000", "later");
    let batch = parse(&text).unwrap();
    assert_eq!(observations(&batch), ["TP.PY.P02.1H 2025-10-30 39.5"]);
    assert_eq!(
        refused(&batch),
        ["1: TP.DK.USD.A.YTL is 'ND', which is not a number", "2: 'soon' is not a date"]
    );
}

#[test]
fn a_day_said_twice_counts_once_and_a_contradiction_not_at_all() {
    let batch = parse(&DAILY.replace("31-10-2025", "30-10-2025")).unwrap();
    assert_eq!(observations(&batch), ["TP.PY.P02.1H 2025-10-30 39.5"]);
    assert_eq!(
        refused(&batch),
        [
            "1: the row contradicts line 2, which has the same time stamp",
            "2: the row contradicts line 1, which has the same time stamp",
            "2: the row repeats line 1",
        ]
    );
}

#[test]
fn an_answer_with_fewer_rows_than_it_says_is_refused() {
    let error = parse(&DAILY.replace("\"totalCount\":3", "\"totalCount\":1200")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer of evds for 2025 cannot be understood: items: 3 rows of the 1200 announced"
    );
    assert!(parse("{}").is_err() && parse("[]").is_err() && parse(&DAILY[..80]).is_err());
}

#[test]
fn a_days_rates_are_for_one_unit_of_each_currency() {
    let batch = rates(RATES).unwrap();
    assert_eq!(batch.rows_read, 3);
    assert_eq!(
        observations(&batch),
        [
            "TP.DK.JPY.A.YTL 2025-10-30 0.2725",
            "TP.DK.JPY.S.YTL 2025-10-30 0.275",
            "TP.DK.USD.A.YTL 2025-10-30 41.9512",
            "TP.DK.USD.S.YTL 2025-10-30 42.0268",
            "TP.DK.XDR.A.YTL 2025-10-30 57.1234",
        ]
    );
}

#[test]
fn a_currency_that_cannot_be_read_is_refused_alone() {
    let text = RATES.replace("27.25", "n/k").replace("Kod=\"XDR\"", "Kod=\"x d r\"");
    let batch = rates(&text).unwrap();
    assert_eq!(
        refused(&batch),
        ["15: ForexBuying is 'n/k', which is not a number", "22: 'x d r' is not a symbol"]
    );
    assert_eq!(batch.observations.len(), 2);
    let no_unit = rates(&RATES.replace("<Unit>100</Unit>", "")).unwrap();
    assert_eq!(refused(&no_unit), ["15: Unit is missing"]);
}

#[test]
fn rates_of_another_day_and_entities_are_refused() {
    let check = |text: &str, expected: &str| {
        let error = rates(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&RATES.replace("30.10.2025", "29.10.2025"), "Tarih_Date: Tarih: '29.10.2025' instead of");
    check("<html/>", "Tarih_Date: Tarih: '' instead of 2025-10-30");
    check(&RATES[..500], "the document: ");
    let bomb = format!("<!DOCTYPE a [<!ENTITY b \"cc\">]>{}", &RATES[95..]);
    check(&bomb, "the document: ");
    check(&"<a>".repeat(60_000), "the document: nodes limit reached");
    let large = format!("{RATES}{}", " ".repeat(256 << 10));
    check(&large, "the document: it is larger than 262144 bytes, as no true one is");
}
