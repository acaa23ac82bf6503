//! The chart service: what its answers become.

mod provider;

use bist_feeds::yahoo::{ChartRequest, level_changed, parse_chart};
use bist_feeds::{Batch, Content, FetchError};
use bist_market::{CorporateAction, Interval, Symbol};
use jiff::Timestamp;
use jiff::civil::{Date, date};

use crate::batch_of;

const DAILY: &str = include_str!("../fixtures/yahoo/daily.json");
const HOURLY: &str = include_str!("../fixtures/yahoo/hourly.json");

fn request(interval: Interval) -> ChartRequest<'static> {
    ChartRequest {
        piece: "AAAAA",
        symbol: Symbol::parse("AAAAA").unwrap(),
        interval,
        from: date(2025, 10, 27),
        to: date(2025, 10, 30),
    }
}

fn parse_at(text: &str, interval: Interval, now: &str) -> Result<Content, FetchError> {
    parse_chart(text.as_bytes(), &request(interval), now.parse().unwrap())
}

/// A day later, when all is finished.
fn parse(text: &str) -> Result<Content, FetchError> {
    parse_at(text, Interval::Daily, "2025-11-01T12:00:00+03:00")
}

#[track_caller]
fn batch(content: Result<Content, FetchError>) -> Batch {
    batch_of(content.unwrap())
}

/// The bars as lines: time, open, high, low, close, adjusted close, volume.
fn bars(batch: &Batch) -> Vec<String> {
    let bars = batch.series.iter().flat_map(|series| &series.bars);
    bars.map(|bar| {
        let adjusted = bar.adjusted_close.map_or(String::new(), |a| a.to_string());
        let volume = bar.volume_shares.map_or(String::new(), |v| v.to_string());
        format!(
            "{} {} {} {} {} [{adjusted}] [{volume}]",
            bar.opened_at,
            bar.open_units.unwrap(),
            bar.high_units,
            bar.low_units,
            bar.close_units
        )
    })
    .collect()
}

fn refused(batch: &Batch) -> Vec<String> {
    batch.refused.iter().map(|row| format!("{}: {}", row.line, row.reason)).collect()
}

fn actions(batch: &Batch) -> Vec<String> {
    let show = |action: &CorporateAction| {
        format!("{} {}", action.effective_on, serde_json::to_string(&action.kind).unwrap())
    };
    batch.actions.iter().map(show).collect()
}

#[test]
fn a_chart_becomes_bars_and_actions() {
    let batch = batch(parse(DAILY));
    assert_eq!(batch.rows_read, 4);
    assert_eq!(batch.series[0].interval, Interval::Daily);
    assert_eq!(
        bars(&batch),
        [
            "2025-10-26T21:00:00Z 1000000 1020000 990000 1010000 [99.75] [1200000]",
            "2025-10-27T21:00:00Z 1005000 1010000 1000000 1007500 [] [640000]",
            "2025-10-29T21:00:00Z 1013000 1030000 1005000 1015000 [101.5] [900000]",
        ]
    );
    assert_eq!(
        actions(&batch),
        [
            r#"2025-10-28 {"kind":"split","new_per_old":2.0}"#,
            r#"2025-10-30 {"kind":"cash_dividend","per_share":"1.25"}"#,
        ]
    );
    assert_eq!(
        batch.notes,
        [
            "1 rows had no price at all and were skipped",
            "1 adjusted closes were not numbers and were left out",
        ]
    );
    assert_eq!(refused(&batch), [""; 0]);
}

#[test]
fn a_row_that_lacks_a_price_or_has_no_number_is_refused() {
    let text = DAILY
        .replace("\"low\":[99.0,100.0", "\"low\":[null,\"high\"")
        .replace("\"volume\":[1200000,640000,null,900000]", "\"volume\":[1200000,640000,7,1e300]");
    let batch = batch(parse(&text));
    assert_eq!(
        refused(&batch),
        [
            "1: low is missing",
            "2: low is 'high', which is not a number",
            "3: open is missing",
            "4: volume is '1e300', which is too large",
        ]
    );
    assert_eq!(batch.refused[0].text, "1761546600,100.0,102.0,,101.0,1200000");
    assert_eq!(batch.refused[0].day, Some(date(2025, 10, 27)));
    assert_eq!(bars(&batch), [""; 0]);
}

#[test]
fn the_row_of_a_running_session_is_left_out() {
    let during = batch(parse_at(DAILY, Interval::Daily, "2025-10-30T15:00:00+03:00"));
    assert_eq!(bars(&during).len(), 2);
    assert!(during.notes.iter().any(|note| note.contains("still running")), "{:?}", during.notes);
    let after = batch(parse_at(DAILY, Interval::Daily, "2025-10-30T18:40:00+03:00"));
    assert_eq!(bars(&after).len(), 3);
}

/// The daily fixture with the live price of 30 October as a row of its own.
fn with_live_row() -> String {
    DAILY
        .replace("1761719400,1761805800]", "1761805800,1761836999]")
        .replace("null,101.30000305", "100.9,101.3")
        .replace("null,103.0", "102.9,103.0")
        .replace("null,100.5", "100.5,100.5")
        .replace("null,101.5],\"vol", "101.4,101.5],\"vol")
        .replace("null,900000", "899000,900000")
}

#[test]
fn the_live_row_takes_the_place_of_the_row_of_its_day() {
    let finished = batch(parse(&with_live_row()));
    assert_eq!(
        bars(&finished)[2],
        "2025-10-29T21:00:00Z 1013000 1030000 1005000 1015000 [101.5] [900000]"
    );
    assert_eq!(refused(&finished), [""; 0]);
    assert!(finished.notes.iter().any(|note| note.contains("live row")), "{:?}", finished.notes);
    let running = batch(parse_at(&with_live_row(), Interval::Daily, "2025-10-30T15:00:00+03:00"));
    assert_eq!(bars(&running).len(), 2);
}

#[test]
fn the_live_row_past_the_days_asked_for_is_left_out() {
    let asked = ChartRequest { to: date(2025, 10, 29), ..request(Interval::Daily) };
    let now: Timestamp = "2025-11-01T12:00:00+03:00".parse().unwrap();
    let batch = batch(parse_chart(DAILY.as_bytes(), &asked, now));
    assert_eq!(bars(&batch).len(), 2);
    assert!(batch.notes.iter().any(|note| note.contains("outside the days")), "{:?}", batch.notes);
}

#[test]
fn two_rows_of_one_day_that_contradict_each_other_are_both_refused() {
    let text =
        with_live_row().replace("\"regularMarketTime\":1761836999", "\"regularMarketTime\":0");
    let batch = batch(parse(&text));
    assert_eq!(
        refused(&batch),
        [
            "3: the row contradicts line 4, which has the same time stamp",
            "4: the row contradicts line 3, which has the same time stamp",
        ]
    );
}

#[test]
fn minutes_keep_their_times_and_the_live_price_is_no_bar() {
    let hours = Interval::Minutes(60);
    let read = batch(parse_at(HOURLY, hours, "2025-11-01T12:00:00+03:00"));
    assert_eq!(
        bars(&read),
        [
            "2025-10-30T06:30:00Z 1000000 1000000 1000000 1000000 [] [0]",
            "2025-10-30T07:30:00Z 1001000 1004000 999000 1002000 [] [51000]",
            "2025-10-30T14:30:00Z 1002000 1005000 1000000 1003000 [] [72000]",
        ]
    );
    assert_eq!(read.notes, ["1 rows were replaced by the live row of the same day"]);
    let running = batch(parse_at(HOURLY, hours, "2025-10-30T12:00:00+03:00"));
    assert_eq!(bars(&running).len(), 2);
}

#[test]
fn days_before_2016_follow_summer_time() {
    // Midnight and half past nine in Istanbul, in winter (+02:00) and summer (+03:00).
    let days = |stamps: &str, from: Date| {
        let text = DAILY.replace("1761546600,1761633000,1761719400,1761805800", stamps);
        let asked = ChartRequest { from, ..request(Interval::Daily) };
        let now: Timestamp = "2025-11-01T12:00:00+03:00".parse().unwrap();
        let batch = batch(parse_chart(text.as_bytes(), &asked, now));
        batch.series[0].bars.iter().map(|bar| bar.day().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(
        days("1420408800,1436994000,1,1450683000", date(2015, 1, 1)),
        ["2015-01-05", "2015-07-16", "2015-12-21"]
    );
}

#[test]
fn a_range_without_rows_is_absent() {
    let empty = r#"{"chart":{"result":[{"meta":{"symbol":"AAAAA.IS","exchangeTimezoneName":"Europe/Istanbul"},"indicators":{"quote":[{}]}}],"error":null}}"#;
    for text in [
        empty.to_owned(),
        empty.replace("{}", ""),
        empty.replace("}}],\"err", ",\"adjclose\":[{}]}}],\"err"),
    ] {
        let Content::Absent { reason } = parse(&text).unwrap() else { panic!("{text}") };
        assert_eq!(reason, "Yahoo has no rows from 2025-10-27 to 2025-10-30");
    }
    let unknown = include_str!("../fixtures/yahoo/not_found.json");
    let Content::Absent { reason } = parse(unknown).unwrap() else { panic!() };
    assert_eq!(reason, "No data found, symbol may be delisted");
}

#[track_caller]
fn refusal(text: &str, expected: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), expected);
}

#[test]
fn what_yahoo_complains_of_is_passed_on() {
    refusal(
        include_str!("../fixtures/yahoo/too_deep.json"),
        "yahoo refused AAAAA: Unprocessable Entity: 1m data not available for startTime=1700000000 and endTime=1700100000.",
    );
    refusal(
        include_str!("../fixtures/yahoo/invalid_crumb.json"),
        "yahoo refused AAAAA: Unauthorized: Invalid Crumb",
    );
}

#[test]
fn a_chart_that_was_not_asked_for_is_refused() {
    let check = |from: &str, to: &str, place: &str, reason: &str| {
        assert!(DAILY.contains(from), "{from}");
        let expected =
            format!("the answer of yahoo for AAAAA cannot be understood: {place}: {reason}");
        refusal(&DAILY.replace(from, to), &expected);
    };
    check("AAAAA.IS", "BBBBB.IS", "meta.symbol", "'BBBBB.IS' instead of 'AAAAA.IS'");
    check("\"TRY\"", "\"USD\"", "meta.currency", "'USD' instead of 'TRY'");
    check("\"1d\",\"range", "\"1wk\",\"range", "meta.dataGranularity", "'1wk' instead of '1d'");
    check("[1761546600,", "[", "indicators: open", "4 values where 3 time stamps are");
    check("640000,null", "640000", "indicators: volume", "3 values where 4 time stamps are");
    let zone = parse(&DAILY.replace("Europe/Istanbul", "Mars/Base")).unwrap_err().to_string();
    assert!(zone.contains("meta.exchangeTimezoneName"), "{zone}");
    let cut = parse(&DAILY[..700]).unwrap_err().to_string();
    assert!(cut.contains("the document: EOF while parsing"), "{cut}");
    refusal(
        r#"{"chart":{"result":[],"error":null}}"#,
        "the answer of yahoo for AAAAA cannot be understood: chart.result: it is missing",
    );
}

#[test]
fn unusable_events_are_noted_and_not_stored() {
    let text = DAILY
        .replace("\"amount\":1.25", "\"currency\":\"USD\",\"amount\":1.25")
        .replace("\"denominator\":1.0", "\"denominator\":0");
    let batch = batch(parse(&text));
    assert_eq!(actions(&batch), [""; 0]);
    assert!(batch.notes.iter().any(|note| note.starts_with("2 dividends or splits")));
}

#[test]
fn infinity_without_quotation_marks_costs_one_value_only() {
    let text = DAILY.replace("\"Infinity\"", "Infinity").replace("99.75", "-NaN");
    assert!(parse(&text).is_err());
    let batch = batch(parse(&text.replace("-NaN", "NaN")));
    assert_eq!(bars(&batch).len(), 3);
}

#[test]
fn a_split_between_two_answers_moves_the_level() {
    let before = batch(parse(DAILY)).series[0].bars.clone();
    let halved = DAILY.replace("[101.0,100.75,null,101.5],\"vol", "[50.5,50.375,null,50.75],\"vol");
    let after = batch(parse(&halved)).series[0].bars.clone();
    assert!(level_changed(&before, &after));
    assert!(!level_changed(&before, &before));
}
