//! Runs of jobs: one process does each, whoever dies, and what was done is not done again.

use bist_store::{
    Audit, ClaimedJob, JobEnd, JobState, JobTally, NewJob, StageProgress, Store, StoreError,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::audit;
use crate::home::{Home, is_on_postgres};

const NAME: &str = "retraining";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn audit_at(store: &Store, second: i64) -> Audit {
    Audit { at: at(second), ..audit(store).await }
}

/// Two processes on one data directory.
async fn stores() -> (Store, Store, Home) {
    let home = Home::new();
    (home.open().await, home.open().await, home)
}

/// Claims the run that is due at `due`, if there is one to claim.
async fn claim(store: &Store, due: i64, now: i64) -> Option<ClaimedJob> {
    store.schedule_job(NAME, at(due), &json!({"due": due}), at(now)).await.unwrap();
    store.claim_job(NAME, at(now)).await.unwrap()
}

async fn states(store: &Store) -> Vec<(i64, JobState)> {
    let runs = store.jobs(Some(NAME), None, 9).await.unwrap();
    runs.into_iter().map(|run| (run.id, run.state)).collect()
}

#[tokio::test]
async fn of_two_who_claim_a_run_one_gets_it_for_as_long_as_it_lives() {
    let (one, other, _folder) = stores().await;
    let mine = claim(&one, 1_000, 1_010).await.unwrap();
    assert_eq!((mine.attempts_count, &mine.plan), (1, &json!({"due": 1_000})));
    assert!(claim(&other, 1_000, 1_010).await.is_none());
    if !is_on_postgres() {
        assert!(claim(&other, 1_000, 1 << 36).await.is_none(), "it may take long");
    }
    // The process dies; what it held is free once its lease is over, and its stage is known.
    one.lay_out_stages(&mine, &["a".to_owned(), "b".to_owned()]).await.unwrap();
    one.begin_stage(&mine, 0, at(1_011)).await.unwrap();
    let done = (JobState::Done, "all of it", &json!(17));
    one.end_stage(&mine, 0, at(1_012), done).await.unwrap();
    one.begin_stage(&mine, 1, at(1_012)).await.unwrap();
    let half = StageProgress { part: "b1".to_owned(), done: 1, total: 2 };
    one.note_progress(&mine, 1, &half, at(1_013)).await.unwrap();
    let id = mine.id;
    drop(mine);

    let again = claim(&other, 1_000, 1_114).await.unwrap();
    assert_eq!((again.id, again.attempts_count), (id, 2), "the same run");
    let stages = other.lay_out_stages(&again, &["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!((stages[0].state, &stages[0].result), (JobState::Done, &json!(17)));
    assert_eq!((stages[1].state, &stages[1].progress), (JobState::Running, &half));
    let ended = other.finish_job(again, at(1_120), JobEnd::Done, "all well").await.unwrap();
    assert_eq!((ended.state, ended.detail.as_deref()), (JobState::Done, Some("all well")));
    assert!(claim(&one, 1_000, 1 << 36).await.is_none(), "done is done");
}

#[tokio::test]
async fn a_failed_run_is_begun_again_when_its_time_has_come_and_not_before() {
    let (store, _, _folder) = stores().await;
    let first = claim(&store, 1_000, 1_000).await.unwrap();
    let end = JobEnd::Failed { retry_at: Some(at(2_000)) };
    let failed = store.finish_job(first, at(1_100), end, "no answer").await.unwrap();
    assert_eq!((failed.state, failed.retry_at), (JobState::Failed, Some(at(2_000))));
    assert!(claim(&store, 1_000, 1_999).await.is_none());
    let again = claim(&store, 1_000, 2_000).await.unwrap();
    assert_eq!((again.attempts_count, again.state), (2, JobState::Running));
    let end = JobEnd::Failed { retry_at: None };
    store.finish_job(again, at(2_100), end, "no answer").await.unwrap();
    assert!(claim(&store, 1_000, 1 << 36).await.is_none(), "it gave up");
    assert_eq!(states(&store).await.len(), 1, "one row a run");
}

#[tokio::test]
async fn a_newer_run_of_the_schedule_makes_up_for_older_ones() {
    let (store, _, _folder) = stores().await;
    let failed = claim(&store, 1_000, 1_000).await.unwrap();
    let end = JobEnd::Failed { retry_at: Some(at(5_000)) };
    store.finish_job(failed, at(1_100), end, "no answer").await.unwrap();
    drop(claim(&store, 2_000, 2_000).await.unwrap());
    let newest = claim(&store, 3_000, 9_000).await.unwrap();
    assert_eq!(newest.due_at, at(3_000));
    store.finish_job(newest, at(9_100), JobEnd::Done, "").await.unwrap();
    assert!(claim(&store, 3_000, 9_200).await.is_none());
    let expected = [(3, JobState::Done), (2, JobState::Failed), (1, JobState::Failed)];
    assert_eq!(states(&store).await, expected);
}

#[tokio::test]
async fn a_scheduler_that_slept_puts_in_nothing_that_a_later_run_has_made_up_for() {
    let (store, sleeper, _folder) = stores().await;
    let put_in = async |store: &Store, due| {
        store.schedule_job(NAME, at(due), &Value::Null, at(3_000)).await.unwrap()
    };
    assert!(put_in(&store, 2_000).await);
    // The other has found an earlier one to be due, and was stopped before it put it in.
    assert!(!put_in(&sleeper, 1_000).await);
    assert!(!put_in(&sleeper, 2_000).await, "once");
    assert_eq!(states(&store).await, [(1, JobState::Waiting)]);
    // While a run goes on, the next one waits to be put in, and nothing is given up.
    let running = store.claim_job(NAME, at(3_000)).await.unwrap().unwrap();
    assert!(!put_in(&sleeper, 2_500).await);
    store.finish_job(running, at(3_001), JobEnd::Done, "").await.unwrap();
    assert!(put_in(&sleeper, 2_500).await);
}

#[tokio::test]
async fn a_run_that_is_asked_for_waits_and_there_is_one_at_a_time() {
    let (store, other, _folder) = stores().await;
    let new = NewJob { name: NAME, asked_by: "ayşe", reason: "drift", plan: Value::Null };
    let waiting = store.ask_for_job(&new, &audit_at(&store, 1_000).await).await.unwrap();
    assert_eq!((waiting.state, waiting.started_at), (JobState::Waiting, None));
    let refused = other.ask_for_job(&new, &audit_at(&other, 1_001).await).await.unwrap_err();
    assert!(matches!(refused, StoreError::JobUnderWay { id, .. } if id == waiting.id), "{refused}");
    let claimed = other.claim_job(NAME, at(1_002)).await.unwrap().unwrap();
    assert_eq!(claimed.asked_by.as_deref(), Some("ayşe"));
    other.finish_job(claimed, at(1_003), JobEnd::Done, "").await.unwrap();
    assert!(store.claim_job(NAME, at(1_004)).await.unwrap().is_none());
    assert_eq!(
        store.ask_for_job(&new, &audit_at(&store, 1_000).await).await.unwrap().id,
        2,
        "at the same instant"
    );
}

#[tokio::test]
async fn a_run_is_cancelled_at_once_when_it_waits_and_by_its_process_when_it_runs() {
    let (store, other, _folder) = stores().await;
    let new = NewJob { name: NAME, asked_by: "ayşe", reason: "drift", plan: Value::Null };
    let waiting = store.ask_for_job(&new, &audit_at(&store, 1_000).await).await.unwrap();
    let cancelled = other
        .cancel_job(waiting.id, "can", "enough", &audit_at(&other, 1_001).await)
        .await
        .unwrap();
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert!(store.claim_job(NAME, at(1_002)).await.unwrap().is_none());

    // It waits again once it is to be begun again, and may be cancelled again.
    other.retry_job(waiting.id, "again", &audit_at(&other, 1_002).await).await.unwrap();
    let cancelled = other
        .cancel_job(waiting.id, "can", "enough", &audit_at(&other, 1_002).await)
        .await
        .unwrap();
    assert_eq!((cancelled.state, cancelled.retry_at), (JobState::Cancelled, None));
    assert!(store.claim_job(NAME, at(1_002)).await.unwrap().is_none());

    // Begun again, it is running when it is cancelled; its process dies before it sees that.
    other.retry_job(waiting.id, "again", &audit_at(&other, 1_003).await).await.unwrap();
    let running = store.claim_job(NAME, at(1_003)).await.unwrap().unwrap();
    assert_eq!((running.id, running.cancel_asked_by.as_deref()), (waiting.id, None));
    let asked = other
        .cancel_job(waiting.id, "can", "enough", &audit_at(&other, 1_004).await)
        .await
        .unwrap();
    assert_eq!((asked.state, asked.cancel_asked_by.as_deref()), (JobState::Running, Some("can")));
    drop(running);
    assert!(store.claim_job(NAME, at(1_105)).await.unwrap().is_none(), "it is not wanted");
    assert_eq!(states(&store).await, [(1, JobState::Cancelled)]);

    let refused =
        store.cancel_job(1, "can", "enough", &audit_at(&store, 1_006).await).await.unwrap_err();
    assert_eq!(refused.to_string(), "run 1 is cancelled and cannot be cancelled");
    assert!(matches!(
        store.retry_job(7, "again", &audit_at(&store, 1_006).await).await,
        Err(StoreError::NoSuchJob(7))
    ));
}

#[tokio::test]
async fn other_stages_than_before_are_begun_anew() {
    let (store, _, _folder) = stores().await;
    let run = claim(&store, 1_000, 1_000).await.unwrap();
    let names = |names: [&str; 2]| names.map(str::to_owned);
    store.lay_out_stages(&run, &names(["a", "b"])).await.unwrap();
    for number in 0..2 {
        store.begin_stage(&run, number, at(1_001)).await.unwrap();
        store.end_stage(&run, number, at(1_002), (JobState::Done, "", &json!(1))).await.unwrap();
    }
    let stages = store.lay_out_stages(&run, &names(["a", "c"])).await.unwrap();
    let told: Vec<_> = stages.iter().map(|stage| (stage.name.as_str(), stage.state)).collect();
    assert_eq!(told, [("a", JobState::Done), ("c", JobState::Waiting)]);
    store.forget_stages(&run, 0).await.unwrap();
    let stages = store.job_stages(run.id).await.unwrap();
    assert!(stages.iter().all(|stage| stage.state == JobState::Waiting), "{stages:?}");
}

#[tokio::test]
async fn what_a_run_says_is_read_from_any_line_on() {
    let (store, _, _folder) = stores().await;
    let run = claim(&store, 1_000, 1_000).await.unwrap();
    for line in ["one", "two", "three"] {
        store.say_in_job(run.id, at(1_001), line == "three", line).await.unwrap();
    }
    let read = async |after, limit| -> Vec<String> {
        let lines = store.job_lines(run.id, after, limit).await.unwrap();
        lines.into_iter().map(|line| format!("{} {}", line.number, line.line)).collect()
    };
    assert_eq!(read(0, 2).await, ["2 two", "3 three"]);
    assert_eq!(read(2, 9).await, ["3 three"]);
    assert!(store.job_lines(run.id, 2, 9).await.unwrap()[0].is_failure);
}

#[tokio::test]
async fn no_run_is_begun_again_beside_another_that_waits() {
    let (store, _, _folder) = stores().await;
    let new = NewJob { name: NAME, asked_by: "ayşe", reason: "drift", plan: Value::Null };
    let first = store.ask_for_job(&new, &audit_at(&store, 1_000).await).await.unwrap();
    let audit = audit_at(&store, 1_001).await;
    store.cancel_job(first.id, "can", "enough", &audit).await.unwrap();
    let second = store.ask_for_job(&new, &audit_at(&store, 1_002).await).await.unwrap();
    let refused = store.retry_job(first.id, "again", &audit_at(&store, 1_003).await).await;
    assert!(
        matches!(refused, Err(StoreError::JobUnderWay { id, .. }) if id == second.id),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_was_going_on_in_what_is_restored_is_ended_and_what_waits_is_not() {
    let (store, _, _folder) = stores().await;
    let run = claim(&store, 1_000, 1_000).await.unwrap();
    store.lay_out_stages(&run, &["a".to_owned(), "b".to_owned()]).await.unwrap();
    store.begin_stage(&run, 0, at(1_001)).await.unwrap();
    let id = run.id;
    drop(run);
    let told = "nobody goes on with it";
    assert_eq!(store.end_left_jobs("backup", at(2_000), told).await.unwrap(), Vec::<i64>::new());
    assert_eq!(store.end_left_jobs(NAME, at(2_000), told).await.unwrap(), [id]);
    let run = store.job(id).await.unwrap().unwrap();
    assert_eq!((run.state, run.finished_at), (JobState::Cancelled, Some(at(2_000))));
    assert_eq!(run.detail.as_deref(), Some(told));
    let stages = store.job_stages(id).await.unwrap();
    let states: Vec<_> = stages.iter().map(|stage| stage.state).collect();
    assert_eq!(states, [JobState::Cancelled, JobState::Waiting]);
    assert!(store.claim_job(NAME, at(1 << 36)).await.unwrap().is_none(), "{told}");

    store.schedule_job(NAME, at(3_000), &Value::Null, at(3_000)).await.unwrap();
    assert_eq!(store.end_left_jobs(NAME, at(3_000), told).await.unwrap(), Vec::<i64>::new());
    assert_eq!(store.claim_job(NAME, at(3_000)).await.unwrap().unwrap().due_at, at(3_000));
}

#[tokio::test]
async fn how_many_wait_and_run_is_told_by_job_and_when_one_was_done_last() {
    let (store, other, _folder) = stores().await;
    assert!(store.job_tallies().await.unwrap().is_empty());
    let told = async || {
        let tallies = store.job_tallies().await.unwrap();
        let tally = |of: JobTally| {
            let done_at_s = of.last_done_at.map(Timestamp::as_second);
            (of.name, of.waiting_count, of.running_count, done_at_s)
        };
        tallies.into_iter().map(tally).collect::<Vec<_>>()
    };
    let of = |waiting, running, done_at_s| vec![(NAME.to_owned(), waiting, running, done_at_s)];
    store.schedule_job(NAME, at(1_000), &Value::Null, at(1_000)).await.unwrap();
    assert_eq!(told().await, of(1, 0, None));
    let run = other.claim_job(NAME, at(1_000)).await.unwrap().unwrap();
    assert_eq!(told().await, of(0, 1, None));
    other.finish_job(run, at(1_100), JobEnd::Done, "done").await.unwrap();
    assert_eq!(told().await, of(0, 0, Some(1_100)));
    let failed = claim(&store, 2_000, 2_000).await.unwrap();
    let end = JobEnd::Failed { retry_at: None };
    store.finish_job(failed, at(2_100), end, "no answer").await.unwrap();
    assert_eq!(told().await, of(0, 0, Some(1_100)));
}

#[tokio::test]
async fn the_database_has_a_size_and_connections() {
    let (store, _, _folder) = stores().await;
    assert!(store.size_bytes().await.unwrap() > 4_096);
    let [reader, writer] = store.pools();
    assert_eq!((reader.name, writer.name), ("reader", "writer"));
    for pool in [reader, writer] {
        assert!(pool.used_count + pool.idle_count > 0, "{pool:?}");
    }
}
