//! Orders of certificates: one process at a time, and not too soon after a failure.

use bist_store::Store;
use bist_store::certificate_orders::OrderTurn;
use jiff::{SignedDuration, Timestamp};

use crate::home::Home;

#[tokio::test]
async fn one_orders_at_a_time_and_a_failure_is_waited_out_by_all() {
    let home = Home::new();
    let (ours, theirs) = (home.open().await, home.open().await);
    let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
    let minute = SignedDuration::from_mins(1);
    let claim = async |store: &Store, wanted, now: Timestamp| {
        store.claim_certificate_order(wanted, now, now + minute * 5).await.unwrap()
    };
    assert_eq!(claim(&ours, "a", now).await, OrderTurn::Ours { failures_count: 0 });
    assert_eq!(claim(&theirs, "a", now).await, OrderTurn::NotBefore(now + minute * 5));
    // Whoever died leaves it to others.
    let later = now + minute * 5;
    assert_eq!(claim(&theirs, "a", later).await, OrderTurn::Ours { failures_count: 0 });
    theirs.defer_certificate_order(1, later + minute).await.unwrap();
    assert_eq!(claim(&ours, "a", later).await, OrderTurn::NotBefore(later + minute));
    // Another wish need not wait for it.
    assert_eq!(claim(&ours, "b", later).await, OrderTurn::Ours { failures_count: 0 });
    ours.defer_certificate_order(4, later + minute).await.unwrap();
    assert_eq!(claim(&ours, "b", later + minute).await, OrderTurn::Ours { failures_count: 4 });
    // What the authority has to find is told by whoever is asked, until the order is filled.
    ours.keep_certificate_answer("bist.example", "first").await.unwrap();
    ours.keep_certificate_answer("bist.example", "second").await.unwrap();
    let answer = theirs.certificate_answer("bist.example").await.unwrap();
    assert_eq!(answer.as_deref(), Some("second"));
    ours.end_certificate_order().await.unwrap();
    assert_eq!(theirs.certificate_answer("bist.example").await.unwrap(), None);
    assert_eq!(claim(&theirs, "b", later).await, OrderTurn::Ours { failures_count: 0 });
}
