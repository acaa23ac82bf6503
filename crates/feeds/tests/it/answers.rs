//! Whatever a server sends: no panic, and never more rows than were sent.

use bist_feeds::evds::{default_series, parse_evds};
use bist_feeds::kap::{
    ListedDisclosure, parse_disclosure_detail, parse_disclosures, parse_last_index,
    parse_site_disclosures,
};
use bist_feeds::tcmb_rates::parse_rates_xml;
use bist_feeds::yahoo::{ChartRequest, parse_chart};
use bist_feeds::{Batch, Content};
use bist_market::{Interval, Symbol};
use jiff::civil::date;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const DOCUMENTS: [&str; 9] = [
    include_str!("../fixtures/yahoo/daily.json"),
    include_str!("../fixtures/yahoo/hourly.json"),
    include_str!("../fixtures/yahoo/not_found.json"),
    include_str!("../fixtures/evds/daily.json"),
    include_str!("../fixtures/evds/monthly.json"),
    include_str!("../fixtures/evds/rates.xml"),
    include_str!("../fixtures/kap/page.json"),
    include_str!("../fixtures/kap/detail.json"),
    include_str!("../fixtures/kap/site.json"),
];

/// Values that stand where others are expected.
const WORDS: [&str; 12] = [
    "null",
    "-1",
    "0",
    "1e308",
    "9223372036854775807",
    "-9223372036854775808",
    "\"\"",
    "\"ş\"",
    "[]",
    "{}",
    "true",
    "Infinity",
];

/// Reads `bytes` with every parser.
fn read_all(bytes: &[u8]) {
    for interval in [Interval::Daily, Interval::Minutes(60)] {
        let request = ChartRequest {
            piece: "piece",
            symbol: Symbol::parse("AAAAA").unwrap(),
            interval,
            from: date(1, 1, 1),
            to: date(9999, 12, 31),
        };
        let now = "2025-11-01T12:00:00+03:00".parse().unwrap();
        if let Ok(Content::Data(batch)) = parse_chart(bytes, &request, now) {
            check_rows(&batch);
        }
    }
    if let Ok(batch) = parse_evds(bytes, "piece", &default_series()) {
        assert!(batch.observations.iter().all(|observation| observation.value.is_finite()));
    }
    if let Ok(batch) = parse_rates_xml(bytes, "piece", date(2025, 10, 30)) {
        assert!(batch.observations.iter().all(|observation| observation.value > 0.0));
    }
    let listed = ListedDisclosure { index: 1_600_001, class: String::new(), sender: String::new() };
    // Only that they return.
    parse_disclosures(bytes, "piece").ok();
    parse_disclosure_detail(bytes, &listed).ok();
    parse_last_index(bytes).ok();
    if let Ok(batch) = parse_site_disclosures(bytes, "piece") {
        assert!((batch.disclosures.len() + batch.refused.len()) as u64 <= batch.rows_read);
    }
}

fn check_rows(batch: &Batch) {
    let bars: usize = batch.series.iter().map(|series| series.bars.len()).sum();
    assert!((bars + batch.refused.len()) as u64 <= batch.rows_read);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_bytes_are_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn a_document_with_other_bytes_is_an_answer_or_an_error(
        document in prop::sample::select(&DOCUMENTS[..]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = document.as_bytes().to_vec();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_all(&bytes);
    }

    #[test]
    fn a_document_with_another_value_is_an_answer_or_an_error(
        document in prop::sample::select(&DOCUMENTS[..]),
        at in any::<prop::sample::Index>(),
        word in prop::sample::select(&WORDS[..]),
    ) {
        // The value between one colon or comma and the next.
        let marks: Vec<usize> = document.match_indices([':', ',', '[', ']', '}']).map(|(at, _)| at).collect();
        prop_assume!(marks.len() > 1);
        let begin = at.index(marks.len() - 1);
        let (before, after) = (&document[..=marks[begin]], &document[marks[begin + 1]..]);
        read_all(format!("{before}{word}{after}").as_bytes());
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_the_end_of_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("<a>", "</a>")] {
        let text = format!("{}{}", open.repeat(200_000), close.repeat(200_000));
        read_all(text.as_bytes());
        read_all(format!("{{\"chart\":{{\"result\":{text}}}}}").as_bytes());
    }
}
