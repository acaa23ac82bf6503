//! İş Yatırım: what its answers say, and what is refused.

mod provider;

use bist_feeds::{Batch, parse_hisse_tekil, parse_sermaye, read_actions_csv};
use bist_market::CorporateAction;
use tempfile::TempDir;

use crate::real_prices;

const PRICES: &str = include_str!("../fixtures/isyatirim/hisse_tekil.json");
const ACTIONS: &str = include_str!("../fixtures/isyatirim/sermaye.json");

fn prices(json: &str) -> Batch {
    parse_hisse_tekil("AAAAA", json.as_bytes()).unwrap()
}

/// The answer with these rows.
fn answer(rows: &[&str]) -> String {
    format!(
        r#"{{"ok":true,"errorCode":null,"errorDescription":null,"value":[{}]}}"#,
        rows.join(",")
    )
}

/// A row of prices with some cells replaced.
fn price_row(changes: &[(&str, &str)]) -> String {
    let mut row = r#"{"HGDG_HS_KODU":"AAAAA","HGDG_TARIH":"30-10-2025","HGDG_KAPANIS":101.25,"HG_KAPANIS":103.5,"HG_AOF":103.1,"HG_MIN":102.0,"HG_MAX":104.2,"HG_HACIM":812345678.5,"PD":103500000000}"#.to_owned();
    for (from, to) in changes {
        assert!(row.contains(from), "{from}");
        row = row.replacen(from, to, 1);
    }
    row
}

fn refused(batch: &Batch) -> Vec<String> {
    batch.refused.iter().map(|row| format!("{}: {}", row.line, row.reason)).collect()
}

/// The one row with some cells replaced, as bars and refused rows.
#[track_caller]
fn check(changes: &[(&str, &str)], expected: Result<[i64; 3], &str>) {
    let batch = prices(&answer(&[&price_row(changes)]));
    match expected {
        Ok([high_units, low_units, close_units]) => {
            assert_eq!(refused(&batch), Vec::<String>::new());
            let bar = batch.series[0].bars[0];
            assert_eq!(
                [bar.high_units, bar.low_units, bar.close_units],
                [high_units, low_units, close_units]
            );
        }
        Err(reason) => {
            assert!(batch.series.is_empty());
            assert_eq!(refused(&batch), [format!("1: {reason}")]);
        }
    }
}

#[test]
fn prices_are_as_traded_and_no_opening_price_is_made_up() {
    let batch = prices(PRICES);
    assert_eq!((batch.rows_read, batch.refused.len()), (2, 0));
    assert_eq!(batch.series.len(), 1);
    let bar = batch.series[0].bars[1];
    assert_eq!(bar.day().to_string(), "2025-10-30");
    assert_eq!(bar.open_units, None);
    assert_eq!((bar.high_units, bar.low_units, bar.close_units), (1_042_000, 1_020_000, 1_035_000));
    assert_eq!(bar.adjusted_close, Some(101.25));
    assert_eq!(bar.volume_shares, None, "HACIM is money");
    let facts = &batch.days[1].facts;
    assert_eq!(facts.vwap_units, Some(1_031_000));
    assert_eq!(facts.turnover_units, Some(8_123_456_785_000));
    assert_eq!(facts.market_cap_lira, Some(103_500_000_000.0));
    assert_eq!(facts.previous_close_units, None);
}

#[test]
fn numbers_may_come_as_texts_and_nulls() {
    let sound = Ok([1_042_000, 1_020_000, 1_035_000]);
    check(&[], sound);
    check(&[("103.5", "\"103.5\""), ("104.2", "\"104,2\""), ("102.0", "\" 102 \"")], sound);
    check(&[("101.25", "null"), ("103.1", "null"), ("103500000000", "null")], sound);
    check(&[("101.25", "\"NaN\""), ("103.1", "\"\"")], sound);
    check(&[("\"HG_AOF\":103.1,", "")], sound);
    check(&[("103.5,\"HG_AOF", "1.035e2,\"HG_AOF")], sound);
    check(&[("103.5", "null")], Err("HG_KAPANIS is missing"));
    check(&[("104.2", "\"-\"")], Err("HG_MAX is missing"));
    check(&[("102.0", "0")], Err("HG_MIN is missing"));
    check(&[("103.5", "\"on\"")], Err("HG_KAPANIS is 'on', which is not a number"));
    check(&[("103.5", "[1]")], Err("HG_KAPANIS is '[1]', which is not a number"));
    check(&[("103.5", "true")], Err("HG_KAPANIS is 'true', which is not a number"));
    check(&[("101.25", "1e999")], Err("HGDG_KAPANIS is '1e999', which is too large"));
    check(&[("812345678.5", "1e300")], Err("HG_HACIM is '1e300', which is too large"));
    check(&[("30-10-2025", "31-02-2025")], Err("'31-02-2025' is not a date"));
    check(&[("\"30-10-2025\"", "null")], Err("'' is not a date"));
    check(&[("\"AAAAA\"", "\"A A\"")], Err("'A A' is not a symbol"));
}

#[test]
fn a_day_without_a_trade_has_its_facts_and_no_bar() {
    let nothing = [("103.5", "103.5"), ("102.0", "0.0"), ("104.2", "0"), ("812345678.5", "0")];
    let repeated = [("103.5", "101"), ("102.0", "101"), ("104.2", "101"), ("812345678.5", "0.0")];
    for changes in [nothing, repeated] {
        let batch = prices(&answer(&[&price_row(&changes)]));
        assert!(batch.series.is_empty() && batch.refused.is_empty());
        assert_eq!(batch.days[0].facts.turnover_units, Some(0));
        assert_eq!(batch.notes, ["days on which nothing was traded, without a bar: 1"]);
    }
}

#[test]
fn a_day_said_twice_is_refused_once_or_altogether() {
    let row = price_row(&[]);
    let batch = prices(&answer(&[&row, &row]));
    assert_eq!(refused(&batch), ["2: the row repeats line 1"]);
    assert_eq!(batch.series[0].bars.len(), 1);
    let batch = prices(&answer(&[&row, &price_row(&[("103.5", "103.6")])]));
    assert_eq!(batch.refused.len(), 2);
    assert!(batch.series.is_empty());
}

#[test]
fn an_unknown_share_has_no_rows_and_a_failure_has_the_sources_words() {
    assert_eq!(prices(&answer(&[])).rows_read, 0);
    assert_eq!(prices(r#"{"ok":true,"value":null}"#).rows_read, 0);
    let check = |json: &str, expected: &str| {
        let error = parse_hisse_tekil("AAAAA 2025", json.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        r#"{"ok":false,"errorCode":"7","errorDescription":"Tarih hatalı","value":null}"#,
        "isyatirim refused AAAAA 2025: Tarih hatalı",
    );
    check(r#"{"ok":false,"errorCode":7,"value":[]}"#, "isyatirim refused AAAAA 2025: 7");
    check(r#"{"ok":false}"#, "isyatirim refused AAAAA 2025: it gives no reason");
    let malformed = "the answer of isyatirim for AAAAA 2025 cannot be understood: ";
    check("{}", &format!("{malformed}the answer: it has neither the field ok nor the field value"));
    check("", &format!("{malformed}the answer: it is not an object"));
    check("[]", &format!("{malformed}the answer: it is not an object"));
    check(&PRICES[..PRICES.len() / 2], &format!("{malformed}the answer: EOF"));
    check(&answer(&["5"]), &format!("{malformed}row 1: it is not an object"));
    let many = answer(&vec!["{}"; 20_001]);
    check(
        &many,
        &format!(
            "{malformed}the answer: a list has more than 20000 elements, as no true answer has"
        ),
    );
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check(&answer(&[&deep]), &format!("{malformed}row 1: it is not an object"));
}

/// The actions as lines of JSON without their marks.
fn show(actions: &[CorporateAction]) -> Vec<String> {
    let lines = actions.iter().map(|action| serde_json::to_string(action).unwrap());
    lines.map(|line| line.replace(['"', '{', '}'], "")).collect()
}

#[test]
fn each_code_becomes_its_actions_or_a_note() {
    let batch = parse_sermaye("AAAAA actions", ACTIONS.as_bytes()).unwrap();
    assert_eq!(refused(&batch), Vec::<String>::new());
    assert_eq!(
        show(&batch.actions),
        [
            "symbol:AAAAA,effective_on:2021-05-03,kind:capital_decrease,new_per_old:0.25",
            "symbol:AAAAA,effective_on:2022-05-03,kind:bonus_issue,new_per_old:0.125",
            "symbol:AAAAA,effective_on:2023-05-03,kind:rights_issue,new_per_old:1.0,subscription:1.00",
            "symbol:AAAAA,effective_on:2023-05-03,kind:bonus_issue,new_per_old:0.25",
            "symbol:AAAAA,effective_on:2024-05-02,kind:rights_issue,new_per_old:0.5,subscription:1.00",
            "symbol:AAAAA,effective_on:2025-05-02,kind:bonus_issue,new_per_old:1.0",
            "symbol:AAAAA,effective_on:2025-08-04,kind:cash_dividend,per_share:1.25",
        ]
    );
    assert_eq!(
        batch.notes,
        [
            "AAAAA 2022-05-03: the factor given with the bonus_issue is 0.8, and that of its rate 0.8888888888888888",
            "AAAAA 2020-05-03: 'Sermaye Azaltımı' (78) is taken to change no price",
            "AAAAA 2019-05-03: 'Tahsisli' (07) is taken to change no price",
            "AAAAA 2018-05-03: 'Birleşme' (90) is taken to change no price",
            "AAAAA 2017-05-03: 'Halka Arz' (99) is taken to change no price",
        ]
    );
    assert_eq!(batch.rows_read, 10);
    assert!(batch.actions_are_complete);
}

/// One event with these cells, as actions and refused rows.
#[track_caller]
fn check_event(cells: &str, expected: Result<&[&str], &str>) {
    let row = format!(r#"{{"SHHE_HS_KODU":"AAAAA","SHHE_TARIH":1754265600000,{cells}}}"#);
    let json = serde_json::json!({ "d": format!("[{row}]") }).to_string();
    let batch = parse_sermaye("AAAAA actions", json.as_bytes()).unwrap();
    match expected {
        Ok(actions) => {
            assert_eq!(refused(&batch), Vec::<String>::new());
            let prefix = "symbol:AAAAA,effective_on:2025-08-04,kind:";
            let shown = show(&batch.actions);
            let shown: Vec<&str> = shown.iter().map(|s| s.strip_prefix(prefix).unwrap()).collect();
            assert_eq!(shown, actions);
        }
        Err(reason) => {
            assert!(batch.actions.is_empty());
            assert_eq!(refused(&batch), [format!("1: {reason}")]);
        }
    }
}

#[test]
fn an_event_that_cannot_be_is_refused() {
    check_event(
        r#""SHT_KODU":"06","SHHE_NAKIT_TM_ORAN":"57,0805","SHHE_BDLI_ORAN":"20","SHHE_BDSZ_IK_ORAN":10"#,
        Ok(&[
            "cash_dividend,per_share:0.5708",
            "rights_issue,new_per_old:0.2,subscription:1.00",
            "bonus_issue,new_per_old:0.1",
        ]),
    );
    check_event(r#""SHT_KODU":4,"SHHE_NAKIT_TM_ORAN":10"#, Ok(&["cash_dividend,per_share:0.10"]));
    check_event(r#""SHT_KODU":"04","SHHE_NAKIT_TM_ORAN":null"#, Err("every rate is missing"));
    check_event(
        r#""SHT_KODU":"01","SHHE_BDLI_ORAN":-3"#,
        Err("SHHE_BDLI_ORAN is '-3', which no such event has"),
    );
    check_event(
        r#""SHT_KODU":"04","SHHE_NAKIT_TM_ORAN":0.001"#,
        Err("SHHE_NAKIT_TM_ORAN is '0.001', which no such event has"),
    );
    check_event(
        r#""SHT_KODU":"02","SHHE_BDSZ_IK_ORAN":"?""#,
        Err("SHHE_BDSZ_IK_ORAN is '?', which is not a number"),
    );
    check_event(r#""SHT_KODU":"78""#, Err("HSP_BOLUNME_ONCESI_SERMAYE is missing"));
    check_event(
        r#""SHT_KODU":"78","HSP_BOLUNME_ONCESI_SERMAYE":10,"HSP_BOLUNME_SONRASI_SERMAYE":20"#,
        Err("HSP_BOLUNME_SONRASI_SERMAYE is '2', which no such event has"),
    );
    check_event(
        r#""SHT_KODU":"78","HSP_BOLUNME_ONCESI_SERMAYE":0,"HSP_BOLUNME_SONRASI_SERMAYE":0"#,
        Err("HSP_BOLUNME_SONRASI_SERMAYE is 'NaN', which no such event has"),
    );
    check_event(
        r#""SHT_KODU":"78","SHHE_BDLI_ORAN":50,"HSP_BOLUNME_ONCESI_SERMAYE":10,"HSP_BOLUNME_SONRASI_SERMAYE":5"#,
        Err("SHHE_BDLI_ORAN is '50', which no such event has"),
    );
}

#[test]
fn an_event_of_unknown_kind_is_told() {
    let json = r#"{"d":[{"SHHE_HS_KODU":"AAAAA","SHHE_TARIH":1754254800000,"SHT_KODU":"42","SHT_TANIMI":"Yeni"}]}"#;
    let batch = parse_sermaye("AAAAA actions", json.as_bytes()).unwrap();
    assert_eq!(batch.notes, ["AAAAA 2025-08-04: 'Yeni' (42) is taken to change no price"]);
}

#[test]
fn an_event_said_twice_counts_once_and_an_undated_one_not_at_all() {
    let row = r#"{"SHHE_HS_KODU":"AAAAA","SHHE_TARIH":1754265600000,"SHT_KODU":"04","SHHE_NAKIT_TM_ORAN":10}"#;
    let undated = row.replace("1754265600000", "99999999999999999");
    let ancient = row.replace("1754265600000", "-9000000000000");
    let json = format!(r#"{{"d":[{row},{row},{undated},{ancient}]}}"#);
    let batch = parse_sermaye("AAAAA actions", json.as_bytes()).unwrap();
    assert_eq!(batch.actions.len(), 1);
    assert!(!batch.actions_are_complete);
    assert_eq!(
        refused(&batch),
        [
            "2: the row repeats line 1",
            "3: '99999999999999999' is not a date",
            "4: '-9000000000000' is not a date",
        ]
    );
}

#[test]
fn an_answer_of_another_shape_is_refused_as_a_whole() {
    let check = |json: &str, expected: &str| {
        let error = parse_sermaye("AAAAA actions", json.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    };
    check(
        r#"{"Message":"There was an error processing the request.","StackTrace":""}"#,
        "isyatirim refused AAAAA actions: There was an error processing the request.",
    );
    let malformed = "the answer of isyatirim for AAAAA actions cannot be understood: ";
    check(r#"{"d":"[{"}"#, &format!("{malformed}the field d: EOF"));
    check(r#"{"d":"<html>"}"#, &format!("{malformed}the field d: expected value"));
    check(r#"{"d":[7]}"#, &format!("{malformed}row 1 of the field d: it is not an object"));
    check("<html>", &format!("{malformed}the answer: it is not an object"));
}

/// Reads `text` as a table of actions.
fn table(text: &str) -> Batch {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("actions.csv");
    std::fs::write(&path, text).unwrap();
    read_actions_csv(&path).unwrap()
}

#[test]
fn a_table_of_actions_is_read() {
    let batch = table(
        "symbol,date,kind,ratio_or_amount,price_adjust_factor\n\
         AAAAA,2024-05-02,cash_dividend_gross,1.774,0.92\n\
         AAAAA,2023-05-23,bonus_issue_dividend,1.25,0.4\n\
         AAAAA,2023-05-23,bonus_issue_internal,0.25,0.4\n\
         BBBBB,2021-08-02,rights_issue,0.5,0.75\n\
         BBBBB,2022-08-02,split,10,0.1\n\
         BBBBB,2025-05-13,capital_decrease,0.98,1.0\n\
         BBBBB,2025-05-14,capital_decrease,0.5,2.0\n\
         BBBBB,2020-10-01,merger,1.36,1.0\n",
    );
    assert_eq!(
        show(&batch.actions),
        [
            "symbol:AAAAA,effective_on:2023-05-23,kind:bonus_issue,new_per_old:1.5",
            "symbol:AAAAA,effective_on:2024-05-02,kind:cash_dividend,per_share:1.774",
            "symbol:BBBBB,effective_on:2021-08-02,kind:rights_issue,new_per_old:0.5,subscription:1.00",
            "symbol:BBBBB,effective_on:2022-08-02,kind:split,new_per_old:10.0",
            "symbol:BBBBB,effective_on:2025-05-14,kind:capital_decrease,new_per_old:0.5",
        ]
    );
    assert_eq!(
        batch.notes,
        [
            "BBBBB 2025-05-13: 'capital_decrease' is taken to change no price",
            "BBBBB 2020-10-01: 'merger' is taken to change no price",
        ]
    );
    assert_eq!(batch.rows_read, 8);
}

#[test]
fn a_bad_row_of_a_table_of_actions_is_named() {
    let batch = table(
        "Date;Symbol;Kind;Ratio or amount\n\
         2024-05-02;A-A;split;2\n\
         soon;AAAAA;split;2\n\
         2024-05-02;AAAAA;split;\n\
         2024-05-02;AAAAA;split;-2\n\
         2024-05-02;AAAAA;cash_dividend;x\n\
         2024-05-02;AAAAA;split\n",
    );
    assert_eq!(
        refused(&batch),
        [
            "2: 'A-A' is not a symbol",
            "3: 'soon' is not a date",
            "4: ratio_or_amount is missing",
            "5: ratio_or_amount is '-2', which no such event has",
            "6: ratio_or_amount is 'x', which is not a number",
            "7: the row has 3 fields and the header 4; is the file cut off?",
        ]
    );
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("actions.csv");
    std::fs::write(&path, "symbol,date\nAAAAA,2024-05-02\n").unwrap();
    let error = read_actions_csv(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("actions.csv', line 1: the header has no column for kind, ratio_or_amount; it names symbol,date"),
        "{error}"
    );
}

#[test]
fn every_real_action_is_an_action_a_note_or_refused() {
    let Some(folder) = real_prices() else { return };
    let path = folder.join("corporate_actions.csv");
    let batch = read_actions_csv(&path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(batch.rows_read, text.lines().count() as u64 - 1);
    // The vendor counts cancelled shares of one's own as a negative issue.
    let negative = text.lines().filter(|line| line.contains(",rights_issue,-")).count();
    assert_eq!(batch.refused.len(), negative, "{:?}", refused(&batch));
    let days = |kind: &str| {
        let lines = text.lines().filter(|line| line.contains(kind));
        let mut days: Vec<&str> = lines.map(|line| line.rsplitn(4, ',').last().unwrap()).collect();
        days.dedup();
        days.len()
    };
    let count = |code| batch.actions.iter().filter(|a| a.kind.code() == code).count();
    assert_eq!(count("cash_dividend"), text.matches(",cash_dividend_gross,").count());
    assert_eq!(count("bonus_issue"), days(",bonus_issue"));
    println!("{} actions, {} notes", batch.actions.len(), batch.notes.len());
}
