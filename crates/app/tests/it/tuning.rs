//! Tuning counts every look, goes on with what is there, and changes what is in force only by the
//! rule.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_app::jobs::{Job, JobAsked, JobOrder, JobState, JobView};
use bist_app::progress::{Progress, ProgressSink};
use bist_app::tuning::{
    Part, PrunerChoice, SamplerChoice, StudyStorageSpec, TuningError, TuningOrder, TuningPlan,
    TuningReport,
};
use bist_app::{App, HORIZON_DEFAULT, Horizon};
use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyStorage as _, TrialId, TrialState,
};
use bist_lifecycle::{ModelState, TrialPurpose};
use bist_market::sample::SampleSpec;
use bist_market::{Clock, ValidationPolicy};
use bist_store::{JournalStorage, Store};
use bist_testkit::hand_clock::HandClock;
use jiff::Timestamp;
use jiff::civil::date;
use tempfile::TempDir;

async fn open(folder: &Path) -> App {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at("2026-11-20 18:30"));
    App::open(folder, clock, ValidationPolicy::default()).await.unwrap()
}

/// A sample market that is just long enough to hold a year out.
async fn market() -> (TempDir, App) {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path()).await;
    let spec = SampleSpec { symbols_count: 6, years: 4, seed: 7, until: date(2026, 11, 20) };
    app.make_sample(spec, quiet()).await.unwrap();
    (folder, app)
}

fn quiet() -> Arc<ProgressSink> {
    Arc::new(|_| ())
}

fn plan(trials_count: u64) -> TuningPlan {
    TuningPlan {
        horizon: HORIZON_DEFAULT,
        parts: vec![Part::ElasticNet],
        trials_count,
        duration_max: None,
        patience: None,
        sampler: SamplerChoice::Tpe,
        pruner: PrunerChoice::None,
        workers: NonZeroUsize::MIN,
        seed: 7,
        study: None,
        storage: StudyStorageSpec::Database,
    }
}

async fn tune(app: &App, plan: TuningPlan) -> Result<TuningReport, TuningError> {
    app.tune(plan, Arc::new(AtomicBool::new(false)), quiet()).await
}

/// How often the ledger was written to for this purpose.
async fn looks(folder: &Path, purpose: TrialPurpose) -> usize {
    let store = Store::open(folder).await.unwrap();
    let trials = store.trials().await.unwrap();
    trials.iter().filter(|trial| trial.purpose == purpose).count()
}

#[tokio::test]
async fn every_trial_is_in_the_ledger_and_a_study_that_is_done_is_not_run_again() {
    let (folder, app) = market().await;
    let report = tune(&app, plan(1)).await.unwrap();
    let part = &report.parts[0];
    assert_eq!((part.complete_count, part.pruned_count, part.failed_count), (1, 0, 0));
    assert!(part.best.as_ref().unwrap().is_base, "the configuration in force is tried first");
    assert!(report.comparison.is_none(), "there is nothing to compare it with");
    assert_eq!(looks(folder.path(), TrialPurpose::Tune).await, 1);
    let again = tune(&app, plan(1)).await.unwrap();
    assert_eq!(again.parts[0].study, part.study);
    assert_eq!(looks(folder.path(), TrialPurpose::Tune).await, 1);
    assert_eq!(looks(folder.path(), TrialPurpose::HoldOut).await, 0);

    let cancelled = Arc::new(AtomicBool::new(true));
    let report = app.tune(plan(5), cancelled, quiet()).await.unwrap();
    assert!(report.interrupted && report.comparison.is_none());
    assert_eq!(report.parts[0].complete_count, 1, "no trial begins");
    app.close().await;
}

#[tokio::test]
async fn what_is_found_is_compared_once_and_stays_a_candidate_unless_the_rule_promotes_it() {
    let (folder, app) = market().await;
    let cancelled = Arc::new(AtomicBool::new(false));
    let had_enough = Arc::clone(&cancelled);
    let progress = Arc::new(move |now: Progress<'_>| {
        had_enough.fetch_or(now.stage == "training", Ordering::Relaxed);
    });
    let interrupted = app.tune(plan(6), cancelled, progress).await.unwrap();
    assert!(interrupted.interrupted && interrupted.comparison.is_none());
    assert_eq!(interrupted.parts[0].complete_count, 6);
    let store = Store::open(folder.path()).await.unwrap();
    assert!(store.model_versions().await.unwrap().is_empty(), "nothing came of half a comparison");

    let report = tune(&app, plan(6)).await.unwrap();
    let comparison = report.comparison.expect("six trials find something else than the default");
    assert_eq!(comparison.trials_count, 6);
    assert_eq!(comparison.looks_count, 1);
    assert_eq!(looks(folder.path(), TrialPurpose::Tune).await, 6);
    assert_eq!(
        looks(folder.path(), TrialPurpose::HoldOut).await,
        2,
        "begun twice, of one configuration"
    );
    let versions = store.model_versions().await.unwrap();
    let version =
        versions.iter().find(|version| Some(&version.id) == report.model_version.as_ref());
    let version = version.unwrap();
    let champion = store.champion(HORIZON_DEFAULT).await.unwrap();
    if comparison.verdict.is_promoted() {
        assert_eq!(champion.map(|champion| champion.id), Some(version.id.clone()));
    } else {
        assert_eq!(version.state, ModelState::Candidate);
        assert_eq!(champion, None);
    }
    let tuned = &version.lineage.tuned[0];
    let best = report.parts[0].best.as_ref().unwrap();
    assert_eq!((tuned.part, tuned.trial_number), (Part::ElasticNet, best.number));
    assert_eq!((&tuned.study, tuned.trials_count), (&report.parts[0].study, 6));
    assert_eq!(version.evaluation.protocol.configurations_tried_count, 9 + 5, "each counts once");
    let study = store.find_study(&tuned.study).await.unwrap().unwrap();
    assert!(study.user_attrs["bist:holdout"]["sentence"]["tr"].is_string());
    assert!(study.user_attrs["bist:deflated"]["deflated"].is_number());
    app.close().await;
}

#[tokio::test]
async fn a_study_of_something_else_is_refused_by_what_differs() {
    let (folder, app) = market().await;
    let journal = StudyStorageSpec::Journal(folder.path().join("studies.journal"));
    let named = |plan: TuningPlan| TuningPlan {
        study: Some("mine".to_owned()),
        storage: journal.clone(),
        ..plan
    };
    tune(&app, named(plan(1))).await.unwrap();
    let trees = TuningPlan { parts: vec![Part::Trees], ..plan(1) };
    let tomorrow = TuningPlan { horizon: Horizon::from_sessions(1).unwrap(), ..plan(1) };
    let seed = TuningPlan { seed: 8, ..plan(1) };
    let signal = TuningPlan { parts: vec![Part::Signal], ..plan(1) };
    for (other, what) in [
        (trees, "the part elastic-net"),
        (tomorrow, "the horizon 5"),
        (seed, "the configuration "),
        (signal, "objectives [Maximize]"),
    ] {
        let error = tune(&app, named(other)).await.unwrap_err().to_string();
        let expected = format!("the study 'mine' is of {what}");
        assert!(error.starts_with(&expected) && error.contains("--study"), "{error}");
    }
    let several =
        TuningPlan { sampler: SamplerChoice::CmaEs, parts: vec![Part::Signal], ..plan(1) };
    let error = tune(&app, several).await.unwrap_err().to_string();
    assert!(error.starts_with("the sampler cmaes has one objective"), "{error}");
    app.close().await;
}

#[tokio::test]
async fn bars_of_another_day_are_another_study() {
    let (folder, app) = market().await;
    let path = folder.path().join("studies.journal");
    let storage = JournalStorage::open(&path).unwrap();
    let id = storage.create_study("mine", &[StudyDirection::Maximize]).unwrap();
    let of_yesterday = serde_json::json!("0".repeat(64));
    storage.set_study_user_attr(id, "bist:snapshot_hash", &of_yesterday).unwrap();
    let named = TuningPlan {
        study: Some("mine".to_owned()),
        storage: StudyStorageSpec::Journal(path),
        ..plan(1)
    };
    let error = tune(&app, named).await.unwrap_err().to_string();
    assert!(error.starts_with("the study 'mine' is of the bars 0000"), "{error}");
    app.close().await;
}

/// A trial of the configuration in force that somebody else ran.
fn foreign_trial() -> FrozenTrial {
    let param = |distribution: Distribution, internal| Param { distribution, internal };
    FrozenTrial {
        id: TrialId(0),
        number: 0,
        state: TrialState::Complete,
        values: Some(vec![0.5]),
        params: BTreeMap::from([
            ("alpha".to_owned(), param(Distribution::log_float(1e-6, 1.0), 0.001)),
            ("l1_ratio".to_owned(), param(Distribution::float(0.0, 1.0), 0.5)),
        ]),
        intermediate_values: BTreeMap::new(),
        user_attrs: BTreeMap::new(),
        system_attrs: BTreeMap::new(),
        started_at: Some(Timestamp::UNIX_EPOCH),
        completed_at: Some(Timestamp::UNIX_EPOCH),
    }
}

#[tokio::test]
async fn a_study_that_was_begun_elsewhere_is_gone_on_with() {
    let (folder, app) = market().await;
    let path = folder.path().join("studies.journal");
    let storage = JournalStorage::open(&path).unwrap();
    let id = storage.create_study("begun", &[StudyDirection::Maximize]).unwrap();
    let foreign = NewTrial::Finished(Box::new(foreign_trial()));
    storage.create_trial(id, foreign, Timestamp::UNIX_EPOCH).unwrap();
    let named = TuningPlan {
        study: Some("begun".to_owned()),
        storage: StudyStorageSpec::Journal(path.clone()),
        ..plan(3)
    };
    let report = tune(&app, named).await.unwrap();
    let part = &report.parts[0];
    assert_eq!(part.complete_count, 3, "that of somebody else counts");
    let best = part.best.as_ref().unwrap();
    assert_eq!((best.number, best.values.as_slice()), (0, &[0.5][..]));
    assert!(best.is_base && report.comparison.is_none());
    assert_eq!(looks(folder.path(), TrialPurpose::Tune).await, 2);
    let read = JournalStorage::open(&path).unwrap();
    let trials = read.trials_after(id, 0, &[]).unwrap();
    let numbers: Vec<u64> = trials.iter().map(|trial| trial.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert!(trials.iter().all(|trial| trial.state == TrialState::Complete));
    app.close().await;
}

/// Asks for a tuning in rounds of three.
async fn ask(app: &App) -> i64 {
    let order = TuningOrder {
        parts: vec![Part::ElasticNet],
        trials_count: 5,
        at_once: NonZeroUsize::new(3).unwrap(),
        ..TuningOrder::default()
    };
    let asked = JobAsked { by: "ayşe", reason: "a try" };
    app.ask_for_job(&JobOrder::Tuning(order), asked).await.unwrap().run.id
}

/// What the stages of a run found that are worth comparing.
fn found(view: &JobView) -> Vec<&serde_json::Value> {
    let stages = view.stages.iter().filter(|stage| stage.name != "prepare");
    stages.map(|stage| &stage.result).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tuning_that_is_asked_for_finds_the_same_by_one_process_and_by_two() {
    let (_one, alone) = market().await;
    let run = ask(&alone).await;
    let done = alone.run_waiting_job(Job::Tuning, quiet()).await.unwrap().unwrap();
    assert_eq!((done.id, done.state), (run, JobState::Done), "{done:?}");
    let by_one = alone.job(run, 0, 99).await.unwrap();
    assert_eq!(by_one.parts.len(), 5, "a part each trial");
    assert_eq!(by_one.stages[1].name, "tune elastic-net");
    assert!(by_one.stages[2].result["model_version"].is_string(), "{:?}", by_one.stages[2]);

    let (folder, first) = market().await;
    let second = Arc::new(open(folder.path()).await);
    let run = ask(&first).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let helping = {
        let (second, is_over) = (Arc::clone(&second), Arc::clone(&is_over));
        tokio::spawn(async move {
            let mut helped = 0;
            while !is_over.load(Ordering::Relaxed) {
                match second.run_waiting_part(quiet()).await.unwrap() {
                    Some(part) => helped += u64::from(part.state == JobState::Done),
                    None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                }
            }
            helped
        })
    };
    let done = first.run_waiting_job(Job::Tuning, quiet()).await.unwrap().unwrap();
    is_over.store(true, Ordering::Relaxed);
    assert!(helping.await.unwrap() > 0, "the other process did some of it");
    assert_eq!(done.state, JobState::Done, "{done:?}");
    let by_two = second.job(run, 0, 99).await.unwrap();
    assert!(by_two.parts.iter().all(|part| part.run.attempts_count == 1), "each once");
    assert_eq!(found(&by_two), found(&by_one), "bit for bit");
}
