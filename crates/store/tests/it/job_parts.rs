//! Parts of a run: each is done by one process, whoever dies, and what was done is not done again.

use bist_store::{ClaimedJob, JobEnd, JobPart, JobState, NewPart, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::audit;
use crate::home::{Home, is_on_postgres};

const NAME: &str = "retraining";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Two processes, and a run that the first of them does.
async fn shared() -> (Store, Store, ClaimedJob, Home) {
    let home = Home::new();
    let (one, other) = (home.open().await, home.open().await);
    one.schedule_job(NAME, at(1_000), &Value::Null, at(1_000)).await.unwrap();
    let run = one.claim_job(NAME, at(1_000)).await.unwrap().unwrap();
    (one, other, run, home)
}

fn parts(plans: &[(&str, i64)]) -> Vec<NewPart> {
    let new = |(part, plan): &(&str, i64)| NewPart { part: (*part).to_owned(), plan: json!(plan) };
    plans.iter().map(new).collect()
}

/// Does `part`, which finds `found`.
async fn finish(store: &Store, part: ClaimedJob, found: i64, now: i64) {
    let title = part.part.clone().unwrap();
    store.lay_out_stages(&part, &[title]).await.unwrap();
    store.begin_stage(&part, 0, at(now)).await.unwrap();
    store.end_stage(&part, 0, at(now), (JobState::Done, "", &json!(found))).await.unwrap();
    store.finish_job(part, at(now), JobEnd::Done, "found").await.unwrap();
}

async fn told(store: &Store, run: i64) -> Vec<(String, JobState, u64)> {
    let parts = store.job_parts(run, 99).await.unwrap();
    let of = |part: &JobPart| (part.title().to_owned(), part.run.state, part.run.attempts_count);
    parts.iter().map(of).collect()
}

#[tokio::test]
async fn each_part_is_one_process_s_and_one_that_dies_leaves_its_own_to_another() {
    let (one, other, run, _home) = shared().await;
    assert!(other.claim_part(None, at(1_001)).await.unwrap().is_none());
    one.put_in_parts(&run, &parts(&[("a", 1), ("b", 2)]), at(1_001)).await.unwrap();
    let (left, right) =
        tokio::join!(one.claim_part(Some(run.id), at(1_002)), other.claim_part(None, at(1_002)));
    let mut taken = [left.unwrap(), right.unwrap()].into_iter().flatten().collect::<Vec<_>>();
    while taken.len() < 2 {
        // Of two who look at one moment one may find the row in the other's hands.
        taken.push(other.claim_part(None, at(1_002)).await.unwrap().expect("one is left"));
    }
    taken.sort_by_key(|part| part.id);
    assert_eq!((&taken[0].plan, &taken[1].plan), (&json!(1), &json!(2)));
    assert_eq!(taken[0].parent, Some(run.id));
    assert!(other.claim_part(None, at(1_003)).await.unwrap().is_none(), "both are being done");
    let second = taken.pop().unwrap();
    finish(&other, second, 22, 1_010).await;

    // The process dies that does the first one.
    drop(taken);
    let again = other.claim_part(None, at(1_100)).await.unwrap().expect("it is left");
    assert_eq!((again.part.as_deref(), again.attempts_count), (Some("a"), 2));
    finish(&other, again, 11, 1_110).await;
    let done = |title: &str, attempts| (title.to_owned(), JobState::Done, attempts);
    assert_eq!(told(&one, run.id).await, [done("a", 2), done("b", 1)]);
    let listed = one.jobs(None, None, 9).await.unwrap();
    assert_eq!(listed.len(), 1, "parts are no runs of the list");
}

#[tokio::test]
async fn a_part_is_done_again_when_it_failed_or_is_to_do_something_else_and_only_then() {
    let (one, other, run, _home) = shared().await;
    one.put_in_parts(&run, &parts(&[("a", 1), ("b", 2), ("c", 3)]), at(1_001)).await.unwrap();
    for found in [11, 22] {
        let part = other.claim_part(None, at(1_002)).await.unwrap().unwrap();
        finish(&other, part, found, 1_003).await;
    }
    let third = other.claim_part(None, at(1_004)).await.unwrap().unwrap();
    let end = JobEnd::Failed { retry_at: None };
    other.finish_job(third, at(1_005), end, "no answer").await.unwrap();
    assert!(other.claim_part(None, at(9_000)).await.unwrap().is_none(), "nobody wants it yet");

    // Begun again, the run has another plan for the second.
    one.put_in_parts(&run, &parts(&[("a", 1), ("b", 7), ("c", 3)]), at(1_010)).await.unwrap();
    let mut again = Vec::new();
    while let Some(part) = other.claim_part(None, at(1_011)).await.unwrap() {
        assert!(other.job_stages(part.id).await.unwrap().is_empty(), "what it found is forgotten");
        again.push((part.part.clone().unwrap(), part.plan.clone()));
        finish(&other, part, 0, 1_012).await;
    }
    assert_eq!(again, [("b".to_owned(), json!(7)), ("c".to_owned(), json!(3))]);
    let first = one.job_parts(run.id, 99).await.unwrap().remove(0).run;
    assert_eq!(one.job_stages(first.id).await.unwrap()[0].result, json!(11), "it is kept");
}

#[tokio::test]
async fn who_does_a_part_that_is_taken_away_notes_nothing_of_it_any_more() {
    let (one, other, run, _home) = shared().await;
    one.put_in_parts(&run, &parts(&[("a", 1)]), at(1_001)).await.unwrap();
    let old = other.claim_part(None, at(1_002)).await.unwrap().unwrap();
    other.lay_out_stages(&old, &["a".to_owned()]).await.unwrap();
    one.put_in_parts(&run, &parts(&[("a", 2)]), at(1_003)).await.unwrap();
    let lost = other.renew_job(&old, at(1_004)).await.unwrap_err();
    assert!(matches!(lost, StoreError::JobLost(id) if id == old.id), "{lost}");
    let id = old.id;
    let late = other.end_stage(&old, 0, at(1_004), (JobState::Done, "", &json!(1))).await;
    assert!(matches!(late, Err(StoreError::JobLost(_))), "{late:?}");
    drop(old);
    let new = one.claim_part(Some(run.id), at(1_005)).await.unwrap().unwrap();
    assert_eq!((new.id, &new.plan, new.attempts_count), (id, &json!(2), 2));
}

#[tokio::test]
async fn a_run_is_cancelled_with_its_parts_and_they_are_not_cancelled_alone() {
    let (one, other, run, _home) = shared().await;
    one.put_in_parts(&run, &parts(&[("a", 1), ("b", 2), ("c", 3)]), at(1_001)).await.unwrap();
    let running = other.claim_part(None, at(1_002)).await.unwrap().unwrap();
    let dead = other.claim_part(None, at(1_002)).await.unwrap().unwrap();
    let audit = bist_store::Audit { at: at(1_003), ..audit(&one).await };
    let alone = one.cancel_job(running.id, "can", "enough", &audit).await.unwrap_err();
    assert!(matches!(alone, StoreError::JobPart { parent, .. } if parent == run.id), "{alone}");
    one.cancel_job(run.id, "can", "enough", &audit).await.unwrap();
    let states = told(&one, run.id).await;
    assert_eq!(states[2].1, JobState::Cancelled, "it waited");
    let asked = one.job(running.id).await.unwrap().unwrap();
    assert_eq!((asked.state, asked.cancel_asked_by.as_deref()), (JobState::Running, Some("can")));
    drop(dead);
    assert!(other.claim_part(None, at(1_004)).await.unwrap().is_none(), "nobody begins one");

    // Who does the run ends what nobody does any more.
    let later = if is_on_postgres() { 1_090 } else { 1_005 };
    other.renew_job(&running, at(later)).await.unwrap();
    one.cancel_parts(&run, at(later)).await.unwrap();
    let states: Vec<JobState> = told(&one, run.id).await.iter().map(|told| told.1).collect();
    assert_eq!(states, [JobState::Running, JobState::Cancelled, JobState::Cancelled]);
    other.finish_job(running, at(later), JobEnd::Cancelled, "").await.unwrap();
    one.finish_job(run, at(later), JobEnd::Cancelled, "").await.unwrap();
}
