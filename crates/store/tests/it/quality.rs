//! Reports of the validator, kept and paged.

use bist_market::validate::{ValidationPolicy, validate};
use bist_market::{Calendar, Decision, ExchangeRules, Origin, Source, Verdict};
use bist_store::FindingFilter;
use jiff::Timestamp;
use jiff::civil::date;

use crate::{audit, bar, batch, only_received, store};

#[tokio::test]
async fn findings_are_paged_in_their_order_and_replaced_by_the_next_report() {
    let (store, _folder) = store().await;
    let days = [date(2024, 1, 6), date(2024, 1, 7), date(2024, 1, 13), date(2024, 1, 15)];
    let bars = days.map(|day| bar(day, 10_000)).to_vec();
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", bars)).await.unwrap();
    let received = only_received(&store, "THYAO").await;
    let policy = ValidationPolicy::default();
    let checked = validate(&received, Calendar::bist(), ExchangeRules::bist(), policy);
    let report = checked.quality();
    assert!(report.findings.len() >= 3, "three rows on weekends");

    for _ in 0..2 {
        store.save_quality(&[(report.clone(), true)], Timestamp::UNIX_EPOCH).await.unwrap();
        let mut paged = Vec::new();
        let mut from = Some(0);
        while let Some(begin) = from {
            let filter = FindingFilter {
                symbol: Some(report.symbol),
                from: begin,
                limit: 2,
                ..FindingFilter::default()
            };
            let page = store.findings(&filter).await.unwrap();
            paged.extend(page.records.into_iter().map(|record| record.finding));
            from = page.next;
        }
        assert_eq!(paged, report.findings);
    }
    let counts = store.finding_counts().await.unwrap();
    let weekend = counts.iter().find(|tally| tally.code == "weekend_row").unwrap();
    assert_eq!((weekend.count, weekend.source), (3, Source::CSV));
    let summary = store.quality_summaries().await.unwrap().remove(0);
    assert_eq!(
        (summary.quality.received_count, summary.validated_at, summary.is_primary),
        (4, Timestamp::UNIX_EPOCH, true)
    );
    // The second report changed nothing, so the history has one point.
    for scope in ["overall", "source:csv", "symbol:THYAO"] {
        assert_eq!(store.quality_history(scope).await.unwrap().len(), 1, "{scope}");
    }
}

#[tokio::test]
async fn the_newest_decision_about_a_finding_is_in_force_and_all_are_kept() {
    let (store, _folder) = store().await;
    let bars = vec![bar(date(2024, 1, 5), 10_000), bar(date(2024, 1, 6), 10_000)];
    store.ingest(&batch(Origin::Market, "a.csv", "THYAO", bars)).await.unwrap();
    let check = async || {
        let received = only_received(&store, "THYAO").await;
        let policy = ValidationPolicy::default();
        validate(&received, Calendar::bist(), ExchangeRules::bist(), policy).quality().clone()
    };
    let report = check().await;
    store.save_quality(&[(report.clone(), true)], Timestamp::UNIX_EPOCH).await.unwrap();
    let weekend =
        report.findings.iter().find(|finding| finding.kind.code() == "weekend_row").unwrap();
    let found = store.finding(weekend.id).await.unwrap().unwrap();
    let before = store.generation().await.unwrap();
    for (second, verdict) in [(1, Verdict::Accept), (2, Verdict::Reject), (3, Verdict::Accept)] {
        let decision = Decision {
            finding: weekend.id,
            verdict,
            reason: format!("reason {second}"),
            decided_by: "tester".to_owned(),
            decided_at: Timestamp::from_second(second).unwrap(),
        };
        store.save_decision(&found, &decision, &audit(&store).await).await.unwrap();
    }
    assert_ne!(store.generation().await.unwrap(), before, "bars must be checked again");
    assert_eq!(store.decisions(10).await.unwrap().len(), 3);
    let in_force = store.decisions_on(&[weekend.id]).await.unwrap();
    assert_eq!(in_force[&weekend.id].reason, "reason 3");
    assert_eq!(report.quarantined_count, 1);
    assert_eq!(check().await.quarantined_count, 0, "the accepted row is not kept out");
    let decided = FindingFilter { decided: Some(true), limit: 9, ..FindingFilter::default() };
    assert_eq!(store.findings(&decided).await.unwrap().records.len(), 1);
}
