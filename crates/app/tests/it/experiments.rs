//! Experiments in force: what the rule does to the registry where the truth is known, and that the
//! champion's word stands whatever becomes of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bist_app::experiments::{ExperimentError, ExperimentPlan, ExperimentStep, PlannedMode};
use bist_app::progress::ProgressSink;
use bist_app::registry::Asked;
use bist_app::signal_record::ServedWanted;
use bist_app::{App, Horizon, ModelVersion, SignalRecord};
use bist_feeds::FileFormat;
use bist_lifecycle::experiment::{ExperimentState, Exposure};
use bist_lifecycle::{FittedModel, ModelState, Signed};
use bist_market::{BarSeries, Clock, ValidationPolicy};
use bist_store::{ExposureRecord, Registration, Store};
use bist_testkit::bars::random_walk;
use bist_testkit::hand_clock::HandClock;
use bist_trading::ReturnInterval;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use tempfile::TempDir;

const SYMBOLS: [&str; 7] = ["AAAA1", "BBBB1", "CCCC1", "DDDD1", "EEEE1", "FFFF1", "GGGG1"];

/// The last bar that the versions learn from, and the one that comes next.
pub(crate) const UNTIL: Date = date(2026, 11, 19);
const NEXT: Date = date(2026, 11, 20);

const ASKED: Asked<'static> = Asked { by: "ayse", reason: "a test of experiments" };

pub(crate) fn quiet() -> Arc<ProgressSink> {
    Arc::new(|_| ())
}

pub(crate) fn tomorrow() -> Horizon {
    Horizon::from_sessions(1).unwrap()
}

fn walks() -> Vec<BarSeries> {
    let walk = |(seed, symbol): (u64, &&str)| random_walk(symbol, date(2023, 9, 4), NEXT, seed);
    (0..).zip(&SYMBOLS).map(walk).collect()
}

pub(crate) async fn ingest(app: &App, until: Date) {
    let folder = tempfile::tempdir().unwrap();
    for series in walks() {
        let mut text = "date,open,high,low,close,volume\n".to_owned();
        for bar in series.bars.iter().filter(|bar| bar.day() <= until) {
            let price = |units: i64| units as f64 / 10_000.0;
            let open = price(bar.open_units.unwrap());
            let [high, low, close] = [bar.high_units, bar.low_units, bar.close_units].map(price);
            let volume = bar.volume_shares.unwrap();
            text += &format!("{},{open:.4},{high:.4},{low:.4},{close:.4},{volume}\n", bar.day());
        }
        std::fs::write(folder.path().join(format!("{}.csv", series.symbol)), text).unwrap();
    }
    let paths = vec![folder.path().to_str().unwrap().to_owned()];
    app.ingest_files(FileFormat::Csv, None, paths, quiet()).await.unwrap();
}

pub(crate) async fn open(folder: &Path) -> App {
    let clock: Arc<dyn Clock> = Arc::new(HandClock::at("2026-11-20 18:30"));
    App::open(folder, clock, ValidationPolicy::default()).await.unwrap()
}

/// A data directory with a champion and a staged twin of it; made once.
pub(crate) fn trained() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().to_owned();
        let run = move || {
            tokio::runtime::Runtime::new().unwrap().block_on(async {
                let app = open(&path).await;
                ingest(&app, UNTIL).await;
                let champion = app.train(None, &[tomorrow()], 7, quiet()).await.unwrap().remove(0);
                app.close().await;
                register_twin(&path, &champion).await;
            });
        };
        std::thread::spawn(run).join().unwrap();
        folder
    };
    MADE.get_or_init(make).path()
}

/// Registers what forecasts nearly the same, and stages it.
async fn register_twin(folder: &Path, champion: &ModelVersion) {
    let store = Store::open(folder).await.unwrap();
    let mut fitted = FittedModel::from_bytes(&store.artifact(champion).await.unwrap()).unwrap();
    fitted.drift += 1e-4;
    let bytes = fitted.to_bytes();
    let ModelVersion { origin, trained_at, lineage, evaluation, .. } = champion.clone();
    let twin = ModelVersion::candidate(origin, trained_at, lineage, evaluation, &bytes);
    let signed = Signed { at: Timestamp::UNIX_EPOCH, by: "ayse".into(), reason: "a twin".into() };
    let id = twin.id.clone();
    let audit = open(folder).await.audit().await.unwrap();
    store.register(&[(twin, bytes)], Registration::Candidates, &signed, &audit).await.unwrap();
    store.move_version(&id, ModelState::Staged, &signed, &audit).await.unwrap();
    store.close().await;
}

/// A copy of that directory, with the names of the champion and the challenger.
pub(crate) async fn market() -> (TempDir, App, String, String) {
    let folder = tempfile::tempdir().unwrap();
    copy(trained(), folder.path());
    let app = open(folder.path()).await;
    let champion = app.find_model("champion", tomorrow()).await.unwrap().id;
    let challenger = app.find_model("challenger", tomorrow()).await.unwrap().id;
    (folder, app, champion, challenger)
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn plan() -> ExperimentPlan {
    ExperimentPlan {
        name: Some("autumn".to_owned()),
        days_min: Some(10),
        days_max: Some(40),
        watch_days: Some(40),
        guardrails: Some(Vec::new()),
        ..ExperimentPlan::of(tomorrow())
    }
}

async fn declare(app: &App, plan: &ExperimentPlan) {
    app.declare_experiment(plan, ASKED, quiet()).await.unwrap();
}

/// Forecasts of the last sessions but one: `seer` knows what comes, and `other` says something else.
async fn foresee(folder: &Path, experiment: &str, seer: &str, other: &str) {
    let mut exposures = Vec::new();
    for (place, series) in walks().iter().enumerate() {
        let bars: Vec<_> = series.bars.iter().filter(|bar| bar.day() <= UNTIL).collect();
        let pairs: Vec<_> = bars.windows(2).rev().take(40).collect();
        for (number, pair) in pairs.into_iter().enumerate() {
            let [today, next] = pair else { unreachable!("a window of two") };
            let comes = (next.close_units as f64 / today.close_units as f64).ln();
            let guess = f64::from(u32::try_from((place * 31 + number * 17) % 13).unwrap()) / 1e3;
            for (arm, forecast) in [(seer, comes), (other, guess)] {
                exposures.push(ExposureRecord {
                    exposure: Exposure {
                        experiment: experiment.to_owned(),
                        unit: series.symbol.to_string(),
                        day: today.day(),
                        arm: arm.to_owned(),
                        expected_log_return: forecast,
                        probability_up: 0.5,
                        interval_80: ReturnInterval { low: -0.1, high: 0.1 },
                        covariate: None,
                    },
                    moment: today.day().to_string(),
                    snapshot_hash: "made up".to_owned(),
                    made_at: Timestamp::UNIX_EPOCH,
                });
            }
        }
    }
    let store = Store::open(folder).await.unwrap();
    assert_eq!(store.log_exposures(&exposures).await.unwrap(), exposures.len() as u64);
    assert_eq!(store.log_exposures(&exposures).await.unwrap(), 0, "each is there once");
    store.close().await;
}

async fn judge(app: &App) -> Vec<ExperimentStep> {
    app.judge_experiments(&[tomorrow()], quiet()).await.unwrap()
}

async fn state(app: &App, id: &str) -> ModelState {
    app.model_version(id).await.unwrap().unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_better_is_promoted_with_the_numbers_and_the_former_champion_may_come_back() {
    let (folder, app, old, new) = market().await;
    declare(&app, &plan()).await;
    foresee(folder.path(), "autumn", &new, &old).await;

    let step = judge(&app).await.remove(0);
    assert_eq!(step.state, ExperimentState::Promoted, "{step:?}");
    assert_eq!((step.outcomes_added, step.follow_up.as_deref()), (560, Some("autumn-watch")));
    let champion = app.find_model("champion", tomorrow()).await.unwrap();
    assert_eq!(champion.id, new);
    let history = app.with_history(champion).await.unwrap();
    let last = &history.changes.last().unwrap().signed;
    let view = app.experiment("autumn").await.unwrap();
    let numbers = view.report.challengers[0].improvement.unwrap();
    assert!(numbers.low > 0.0);
    assert_eq!(last.by, "experiment autumn");
    for part in [
        format!("{:+.3}, between {:+.3} and {:+.3}", numbers.value, numbers.low, numbers.high),
        format!("Over {} days", view.report.days_count),
        "95 % however often one looks: it is better.".to_owned(),
        format!("By rule {}: 10 to 40 days, level 0.05.", view.design_sha256),
    ] {
        assert!(last.reason.contains(&part), "{part} is not in: {}", last.reason);
    }
    assert_eq!(view.path.len(), view.report.days_count as usize);
    assert_eq!(view.path.last().unwrap().challengers[0].improvement, Some(numbers));
    let signals = app.signals(tomorrow(), None).await.unwrap();
    assert_eq!(signals.len(), 7, "the new champion has spoken before it is asked");
    assert!(signals.iter().all(|signal| signal.model_version == new));

    // What was decided is decided once.
    assert_eq!(state(&app, &old).await, ModelState::Staged);
    assert_eq!(judge(&app).await[0].experiment, "autumn-watch");
    assert_eq!(app.experiments(None, Some(ExperimentState::Promoted)).await.unwrap().len(), 1);

    foresee(folder.path(), "autumn-watch", &old, &new).await;
    let step = judge(&app).await.remove(0);
    assert_eq!((step.state, step.follow_up), (ExperimentState::Promoted, None));
    let back = app.find_model("champion", tomorrow()).await.unwrap();
    assert_eq!((&back.id, state(&app, &new).await), (&old, ModelState::Retired));
    let history = app.with_history(back).await.unwrap();
    assert_eq!(history.changes.last().unwrap().signed.by, "experiment autumn-watch");
    assert!(judge(&app).await.is_empty());
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_worse_is_stopped_and_the_champion_stays() {
    let (folder, app, old, new) = market().await;
    declare(&app, &plan()).await;
    foresee(folder.path(), "autumn", &old, &new).await;
    let step = judge(&app).await.remove(0);
    assert_eq!(step.state, ExperimentState::ChampionStays, "{step:?}");
    assert_eq!(app.find_model("champion", tomorrow()).await.unwrap().id, old);
    assert_eq!(state(&app, &new).await, ModelState::Candidate);
    let [change] = step.changes.as_slice() else { panic!("{step:?}") };
    assert!(change.signed.reason.contains("it is worse and was stopped"), "{change:?}");
    let ended = app.experiment("autumn").await.unwrap().concluded.unwrap();
    assert!(ended.reason.contains("By rule"), "{ended:?}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_that_was_cut_off_is_done_at_the_next_run_and_once_by_two() {
    let (folder, app, old, new) = market().await;
    declare(&app, &plan()).await;
    foresee(folder.path(), "autumn", &new, &old).await;
    // The decision has fallen, and the file of the winner is not there.
    let artifact = app.model_version(&new).await.unwrap().unwrap().artifact_sha256;
    let file = folder.path().join(format!("models/{artifact}.json"));
    let aside = file.with_extension("aside");
    std::fs::rename(&file, &aside).unwrap();
    let error = app.judge_experiments(&[tomorrow()], quiet()).await.unwrap_err();
    assert!(error.to_string().contains("cannot be written or read"), "{error}");
    let view = app.experiment("autumn").await.unwrap();
    assert!(view.state == ExperimentState::Running && view.report.state.is_final());
    assert_eq!(state(&app, &old).await, ModelState::Champion);

    std::fs::rename(&aside, &file).unwrap();
    let other = open(folder.path()).await;
    let (one, two) = tokio::join!(judge(&app), judge(&other));
    let crowned = app
        .state_changes(Some(tomorrow()))
        .await
        .unwrap()
        .into_iter()
        .filter(|change| change.version == new && change.to == ModelState::Champion);
    assert_eq!(crowned.count(), 1, "{one:?} {two:?}");
    let did = [&one, &two].into_iter().flatten().filter(|step| step.follow_up.is_some());
    assert_eq!(did.count(), 1, "{one:?} {two:?}");
    app.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shadow_leaves_what_is_served_as_it_was_byte_by_byte() {
    let (_folder, plain, ..) = market().await;
    ingest(&plain, NEXT).await;
    let without = plain.make_signals(None, quiet()).await.unwrap().reports.remove(0).signals;
    plain.close().await;

    let (_folder, app, old, new) = market().await;
    let view = app.declare_experiment(&plan(), ASKED, quiet()).await.unwrap();
    assert_eq!((view.design.champion, view.design.challengers), (old.clone(), vec![new.clone()]));
    let first = app.make_signals(None, quiet()).await.unwrap().reports.remove(0);
    let step = first.experiment.unwrap();
    assert_eq!((step.exposures_added, step.outcomes_added), (14, 0), "{step:?}");
    assert_eq!(
        app.make_signals(None, quiet()).await.unwrap().reports[0]
            .experiment
            .as_ref()
            .unwrap()
            .exposures_added,
        0,
        "a second run of the day adds nothing"
    );
    ingest(&app, NEXT).await;
    let second = app.make_signals(None, quiet()).await.unwrap().reports.remove(0);
    let step = second.experiment.as_ref().unwrap();
    assert_eq!((step.exposures_added, step.outcomes_added), (14, 14), "{step:?}");
    assert!(step.sentence.en.contains("too early to say anything"), "{step:?}");
    let bytes = |signals: &[SignalRecord]| serde_json::to_vec(signals).unwrap();
    assert_eq!(bytes(&second.signals), bytes(&without));
    let served = app.signals(tomorrow(), None).await.unwrap();
    assert_eq!(bytes(&served), bytes(&without));
    assert_eq!(app.experiment("autumn").await.unwrap().report.missing_by_arm, [0, 0]);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenger_that_cannot_speak_counts_as_missing_and_the_champion_is_served() {
    let (folder, app, old, new) = market().await;
    declare(&app, &plan()).await;
    let artifact = app.model_version(&new).await.unwrap().unwrap().artifact_sha256;
    let file = folder.path().join(format!("models/{artifact}.json"));
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    for (until, outcomes_count) in [(UNTIL, 0), (NEXT, 7)] {
        ingest(&app, until).await;
        let report = app.make_signals(None, quiet()).await.unwrap().reports.remove(0);
        assert_eq!((&report.model.id, report.signals.len()), (&old, 7));
        let step = report.experiment.unwrap();
        assert_eq!((step.exposures_added, step.outcomes_added), (7, outcomes_count), "{step:?}");
        let [problem] = step.problems.as_slice() else { panic!("{step:?}") };
        assert!(problem.contains("its SHA-256 differs"), "{problem}");
    }
    let report = app.experiment("autumn").await.unwrap().report;
    assert_eq!((report.missing_by_arm, report.unit_days_count), (vec![0, 7], 7));
    assert_eq!(app.signals(tomorrow(), None).await.unwrap().len(), 7);
    // Nor is one declared with a version that could not speak.
    app.stop_experiment("autumn", ASKED).await.unwrap();
    let refused = app.declare_experiment(&plan(), ASKED, quiet()).await.unwrap_err();
    assert!(refused.to_string().contains("is not the one that was trained"), "{refused}");
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_symbols_are_split_each_is_served_the_arm_that_it_belongs_to() {
    let (_folder, app, old, new) = market().await;
    let split = ExperimentPlan { mode: PlannedMode::Split(Vec::new()), ..plan() };
    let view = app.declare_experiment(&split, ASKED, quiet()).await.unwrap();
    let experiment = view.design.declare().unwrap();
    let report = app.make_signals(None, quiet()).await.unwrap().reports.remove(0);
    assert_eq!(report.experiment.as_ref().unwrap().exposures_added, 7);
    let served = app.signals(tomorrow(), None).await.unwrap();
    assert_eq!(served, report.signals);
    let forecasts = app.forecasts(tomorrow(), None).await.unwrap();
    let mut arms = Vec::new();
    for (signal, forecast) in served.iter().zip(&forecasts) {
        let arm = experiment.assign(signal.signal.symbol.as_str());
        assert_eq!((signal.model_version.as_str(), forecast.model_version.as_str()), (arm, arm));
        arms.push(arm);
    }
    assert!(arms.contains(&old.as_str()) && arms.contains(&new.as_str()), "{arms:?}");
    // On record is what was shown, and not what the champion said of the symbols of the challenger.
    let record = app.served_signals(None, ServedWanted::default(), 100).await.unwrap().items;
    let mut on_record: Vec<_> = record.into_iter().map(|served| served.record).collect();
    on_record.sort_by_key(|record| record.signal.symbol);
    assert_eq!(on_record, served);
    let ended = app.stop_experiment("aut", ASKED).await.unwrap();
    assert_eq!(
        (ended.state, state(&app, &new).await),
        (ExperimentState::Stopped, ModelState::Staged)
    );
    let served = app.signals(tomorrow(), None).await.unwrap();
    assert!(served.len() == 7 && served.iter().all(|signal| signal.model_version == old));
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_needs_arms_that_stand_where_they_must_and_ends_when_they_do_not() {
    let (_folder, app, old, new) = market().await;
    let refused = async |plan: ExperimentPlan| {
        app.declare_experiment(&plan, ASKED, quiet()).await.unwrap_err().to_string()
    };
    let named = |name: &str| ExperimentPlan { name: Some(name.to_owned()), ..plan() };
    assert!(refused(named("Autumn 1")).await.contains("cannot be the name"));
    assert!(refused(named("autumn-watch")).await.contains("do not end in -watch"));
    let alone = ExperimentPlan { challengers: vec![old.clone()], ..plan() };
    assert!(refused(alone).await.contains("is champion and cannot be a challenger"));
    let short = ExperimentPlan { watch_days: Some(9), ..plan() };
    assert!(refused(short).await.starts_with("watch_days is 9 and days_min 10"));
    declare(&app, &plan()).await;
    let running = refused(named("winter")).await;
    assert!(running.contains("the experiment 'autumn' of this horizon goes on"), "{running}");

    let version = app.model_version(&new).await.unwrap().unwrap();
    app.promote_model(&version, ASKED).await.unwrap();
    let step = judge(&app).await.remove(0);
    assert_eq!(step.state, ExperimentState::Stopped, "{step:?}");
    let over = app.stop_experiment("autumn", ASKED).await.unwrap_err();
    assert!(matches!(over, ExperimentError::Over { .. }), "{over}");
    let none = refused(named("winter")).await;
    assert!(none.contains("no version that looks 1 session ahead is staged"), "{none}");
    let unknown = app.experiment("winter").await.unwrap_err();
    assert!(matches!(unknown, ExperimentError::Unknown(_)), "{unknown}");
    app.close().await;
}
