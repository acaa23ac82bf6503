//! Reports of the validator, kept and paged.

use bist_market::validate::{Received, ValidationPolicy, validate};
use bist_market::{Calendar, ExchangeRules, Interval, Origin};
use jiff::Timestamp;
use jiff::civil::date;

use crate::{bar, batch, store, symbol};

#[tokio::test]
async fn findings_are_paged_in_their_order_and_replaced_by_the_next_report() {
    let (store, _folder) = store().await;
    let days = [date(2024, 1, 6), date(2024, 1, 7), date(2024, 1, 13), date(2024, 1, 15)];
    let bars = days.map(|day| bar(day, 10_000)).to_vec();
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", bars)).await.unwrap();
    let received: Received =
        store.received(symbol("THYAO"), Interval::Daily).await.unwrap().unwrap();
    let policy = ValidationPolicy::default();
    let checked = validate(&received, Calendar::bist(), ExchangeRules::bist(), policy);
    let report = checked.quality();
    assert!(report.findings.len() >= 3, "three rows on weekends");

    for _ in 0..2 {
        store.save_quality(&[report], Timestamp::UNIX_EPOCH).await.unwrap();
        let mut paged = Vec::new();
        let mut from = Some(0);
        while let Some(begin) = from {
            let page = store.findings(report.symbol, Interval::Daily, begin, 2).await.unwrap();
            paged.extend(page.findings);
            from = page.next;
        }
        assert_eq!(paged, report.findings);
    }
    let counts = store.finding_counts().await.unwrap();
    let weekend = counts.iter().find(|(_, _, code, _, _)| code == "weekend_row").unwrap();
    assert_eq!(weekend.4, 3);
    let (summary, at) = store.quality_summaries().await.unwrap().remove(0);
    assert_eq!((summary.received_count, at), (4, Timestamp::UNIX_EPOCH));
}
