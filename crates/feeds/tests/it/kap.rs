//! The disclosure platform: what its answers become.

mod provider;

use bist_feeds::kap::{
    ListedDisclosure, parse_disclosure_detail, parse_disclosures, parse_last_index,
    parse_site_disclosures,
};
use bist_market::Disclosure;

const PAGE: &str = include_str!("../fixtures/kap/page.json");
const DETAIL: &str = include_str!("../fixtures/kap/detail.json");
const SITE: &str = include_str!("../fixtures/kap/site.json");

fn listed(index: u64) -> ListedDisclosure {
    ListedDisclosure { index, class: "DG".to_owned(), sender: "the list's".to_owned() }
}

fn detail(text: &str) -> Result<(Disclosure, Vec<String>), String> {
    parse_disclosure_detail(text.as_bytes(), &listed(1_600_001)).map_err(|error| error.to_string())
}

fn symbols(disclosure: &Disclosure) -> Vec<&str> {
    disclosure.symbols.iter().map(bist_market::Symbol::as_str).collect()
}

#[test]
fn the_newest_number_is_a_number_or_a_text() {
    assert_eq!(parse_last_index(br#"{"lastDisclosureIndex":"1600001"}"#).unwrap(), 1_600_001);
    assert_eq!(parse_last_index(br#"{"lastDisclosureIndex":1600001}"#).unwrap(), 1_600_001);
    for text in ["{}", r#"{"lastDisclosureIndex":null}"#, r#"{"lastDisclosureIndex":-1}"#] {
        assert!(parse_last_index(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_page_is_ordered_by_number() {
    let page = parse_disclosures(PAGE.as_bytes(), "from 1600001").unwrap();
    let shown: Vec<_> =
        page.iter().map(|line| (line.index, line.class.as_str(), line.sender.as_str())).collect();
    assert_eq!(shown, [(1_600_001, "ODA", "AAAAA A.Ş."), (1_600_003, "ODA", "BBBBB A.Ş.")]);
    assert!(parse_disclosures(b"[]", "from 1").unwrap().is_empty());
    let error = parse_disclosures(br#"[{"disclosureIndex":"x"}]"#, "from 1").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer of kap for from 1 cannot be understood: [0].disclosureIndex: 'x' is no number"
    );
}

#[test]
fn a_detail_becomes_an_announcement() {
    let (disclosure, others) = detail(DETAIL).unwrap();
    assert_eq!(disclosure.published_at.to_string(), "2025-10-30T15:05:11Z");
    assert_eq!(symbols(&disclosure), ["AAAAA", "BBBBB"]);
    assert_eq!(disclosure.sender, "AAAAA SANAYİ A.Ş.");
    assert_eq!(disclosure.class, "ODA");
    assert_eq!(disclosure.subject.as_deref(), Some("Yeni İş İlişkisi"));
    assert_eq!(disclosure.summary.as_deref(), Some("Sözleşme imzalandı"));
    assert_eq!(disclosure.late, None);
    assert!(others.is_empty());
}

#[test]
fn an_announcement_on_behalf_of_a_company_is_about_that_company() {
    let text = DETAIL
        .replace("\"behalfSenderExchCodes\":[]", "\"behalfSenderExchCodes\":[\"CCATR, CCBTR\"]");
    assert_eq!(symbols(&detail(&text).unwrap().0), ["CCATR", "CCBTR", "BBBBB", "AAAAA"]);
}

#[test]
fn what_the_detail_lacks_the_list_says() {
    let (disclosure, _) =
        detail(r#"{"time":"01.02.2015 09:00:00","subject":"Genel","summary":{"tr":" ","en":"x"}}"#)
            .unwrap();
    assert_eq!((disclosure.sender.as_str(), disclosure.class.as_str()), ("the list's", "DG"));
    assert_eq!(disclosure.published_at.to_string(), "2015-02-01T07:00:00Z");
    assert_eq!(disclosure.subject.as_deref(), Some("Genel"));
    assert_eq!(disclosure.summary.as_deref(), Some("x"));
}

#[test]
fn a_detail_without_a_time_or_of_another_announcement_is_refused() {
    let check = |from: &str, to: &str, expected: &str| {
        let error = detail(&DETAIL.replace(from, to)).unwrap_err();
        assert_eq!(
            error,
            format!("the answer of kap for announcement 1600001 cannot be understood: {expected}")
        );
    };
    check("30.10.2025 18:05:11", "30.10.2025", "time: '30.10.2025' is no day and time");
    check("\"disclosureIndex\":\"1600001\"", "\"disclosureIndex\":7", "disclosureIndex: '7'");
}

#[test]
fn the_sites_list_becomes_announcements() {
    let batch = parse_site_disclosures(SITE.as_bytes(), "2025-10-30").unwrap();
    assert_eq!(batch.rows_read, 3);
    let shown: Vec<_> = batch.disclosures.iter().map(|d| (d.index, symbols(d), d.late)).collect();
    assert_eq!(
        shown,
        [
            (1_600_002, vec!["CCATR", "CCBTR", "CCCTR", "BBBBB"], Some(true)),
            (1_600_003, vec!["AAAAA"], Some(false)),
        ]
    );
    assert_eq!(batch.disclosures[0].summary, None);
    assert_eq!(batch.refused.len(), 1);
    assert_eq!(batch.refused[0].reason.to_string(), "'dün' is not a date");
}
