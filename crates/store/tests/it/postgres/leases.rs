//! Jobs on PostgreSQL: who is not heard of loses what it does, and notes nothing of it afterwards.

use bist_store::jobs::LEASE_DEFAULT;
use bist_store::{ClaimedJob, JobEnd, JobState, StageProgress, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::database;
use crate::home::open;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn claim(store: &Store, now: i64) -> Option<ClaimedJob> {
    store.schedule_job("retraining", at(0), &Value::Null, at(now)).await.unwrap();
    store.claim_job("retraining", at(now)).await.unwrap()
}

#[tokio::test]
async fn a_job_of_a_process_that_is_not_heard_of_is_taken_up_once_and_lost_to_it() {
    let Some(database) = database() else { return };
    let (mine, theirs) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let one = open(mine.path(), &database.url()).await;
    let other = open(theirs.path(), &database.url()).await;
    let lease = LEASE_DEFAULT.as_secs();

    let first = claim(&one, 100).await.unwrap();
    let stages = ["a".to_owned(), "b".to_owned()];
    one.lay_out_stages(&first, &stages).await.unwrap();
    one.begin_stage(&first, 0, at(101)).await.unwrap();
    one.end_stage(&first, 0, at(102), (JobState::Done, "", &json!(17))).await.unwrap();
    assert!(claim(&other, 99 + lease).await.is_none(), "it is thought to live");
    one.renew_job(&first, at(150)).await.unwrap();
    assert!(claim(&other, 149 + lease).await.is_none(), "it was heard of");

    // Both would have it; one gets it.
    let (left, right) = tokio::join!(claim(&one, 150 + lease), claim(&other, 150 + lease));
    let mut taken = [left, right].into_iter().flatten();
    let second = taken.next().expect("it is taken up");
    assert!(taken.next().is_none(), "once");
    assert_eq!((second.id, second.attempts_count), (first.id, 2));
    let held = other.lay_out_stages(&second, &stages).await.unwrap();
    assert_eq!((held[0].state, &held[0].result), (JobState::Done, &json!(17)));

    // Who lets go of what another one does takes it from nobody.
    one.let_go_of_job(first.id, first.attempts_count).await.unwrap();
    assert!(claim(&one, 151 + lease).await.is_none());

    // The first was only slow. Whatever it does is refused, and changes nothing.
    let before = other.job_stages(second.id).await.unwrap();
    let half = StageProgress { part: "b1".to_owned(), done: 1, total: 2 };
    let ended = (JobState::Done, "", &json!(18));
    let refused = [
        one.renew_job(&first, at(999)).await,
        one.begin_stage(&first, 1, at(999)).await,
        one.note_progress(&first, 1, &half, at(999)).await,
        one.end_stage(&first, 1, at(999), ended).await,
        one.forget_stages(&first, 0).await,
        one.lay_out_stages(&first, &[]).await.map(drop),
    ];
    for result in refused {
        assert!(matches!(result, Err(StoreError::JobLost(id)) if id == second.id), "{result:?}");
    }
    assert_eq!(other.job_stages(second.id).await.unwrap(), before);
    let lost = one.finish_job(first, at(999), JobEnd::Done, "late").await;
    assert!(matches!(lost, Err(StoreError::JobLost(_))), "{lost:?}");
    // Who stops lets go of it, and need not be waited for.
    assert!(claim(&one, 152 + lease).await.is_none());
    other.let_go_of_job(second.id, second.attempts_count).await.unwrap();
    let third = claim(&one, 152 + lease).await.expect("it is free");
    let done = one.finish_job(third, at(999), JobEnd::Done, "once").await.unwrap();
    assert_eq!((done.state, done.detail.as_deref()), (JobState::Done, Some("once")));
    assert!(claim(&one, 1 << 36).await.is_none(), "done is done");
}
