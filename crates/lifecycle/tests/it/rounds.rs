//! Rounds: it does not matter who runs which trial, in which order, or how often it is begun.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use bist_lifecycle::pruner::PercentilePruner;
use bist_lifecycle::sampler::{GridSampler, Sampler, TpeSampler};
use bist_lifecycle::search_space::{Distribution, ParamValue};
use bist_lifecycle::study::{
    FrozenTrial, InMemoryStorage, OptimizeSettings, Optimizer, Round, RoundTrial, StopReason,
    StudyDirection, StudyRecord, StudyStorage as _, Trial, TrialEnd, TrialState, enqueue,
};
use jiff::Timestamp;

const TRIALS: u64 = 14;
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).unwrap();

/// In which order, and how often, the trials of a round are run.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    InOrder,
    Backwards,
    /// Each is interrupted at its second step and run again by somebody else.
    Interrupted,
}

fn sampler(kind: &str) -> Box<dyn Sampler> {
    let space = BTreeMap::from([
        ("x".to_owned(), Distribution::float(-1.0, 1.0)),
        ("n".to_owned(), Distribution::int(1, 4)),
    ]);
    match kind {
        "grid" => Box::new(GridSampler::new(3, &space, 4)),
        _ => Box::new(TpeSampler::new(3)),
    }
}

/// A bowl with four steps on the way, of which the first tells much.
fn objective(trial: &mut Trial<'_>, cancelled_at: Option<u64>) -> Result<Vec<f64>, TrialEnd> {
    let x = trial.suggest_float("x", -1.0, 1.0)?;
    #[expect(clippy::cast_precision_loss, reason = "one of four")]
    let n = trial.suggest_int("n", 1, 4)? as f64;
    let value = (x - 0.3).powi(2) + (n - 2.0).abs();
    for step in 0..4_u32 {
        if cancelled_at == Some(u64::from(step)) {
            return Err(TrialEnd::Interrupted);
        }
        trial.report(u64::from(step), value + f64::from(4 - step) * 0.01)?;
        if trial.should_prune()? {
            return Err(TrialEnd::Pruned);
        }
    }
    Ok(vec![value])
}

struct Place {
    storage: InMemoryStorage,
    study: StudyRecord,
    cancelled: AtomicBool,
}

impl Place {
    fn optimizer<'a>(&'a self, kind: &str) -> Optimizer<'a> {
        Optimizer {
            storage: &self.storage,
            study: &self.study,
            sampler: sampler(kind),
            pruner: Box::new(PercentilePruner::median()),
            settings: OptimizeSettings {
                workers: AT_ONCE,
                results_max: Some(TRIALS),
                ..OptimizeSettings::default()
            },
            clock: &|| Timestamp::UNIX_EPOCH,
            cancelled: &self.cancelled,
        }
    }

    fn run(&self, kind: &str, trial: &RoundTrial, cancelled_at: Option<u64>) -> TrialState {
        let judge = |trial: &mut Trial<'_>| objective(trial, cancelled_at);
        self.optimizer(kind).run_in_round(trial, &judge).unwrap().state
    }
}

/// The trials of a study that is run by such samplers in such a way, and why it ended.
fn study(kind: &str, way: Way) -> (Vec<FrozenTrial>, StopReason) {
    let storage = InMemoryStorage::new();
    let id = storage.create_study("s", &[StudyDirection::Minimize]).unwrap();
    let first = BTreeMap::from([("x".to_owned(), ParamValue::Float(0.0))]);
    enqueue(&storage, id, &first, Timestamp::UNIX_EPOCH).unwrap();
    let study = storage.find_study("s").unwrap().unwrap();
    let place = Place { storage, study, cancelled: AtomicBool::new(false) };
    let mut cut_short_count = 0;
    let ended = loop {
        let mut trials = match place.optimizer(kind).begin_round().unwrap() {
            Round::Trials(trials) => trials,
            Round::Ended(reason) => break reason,
        };
        assert!(trials.len() <= AT_ONCE.get());
        if way != Way::InOrder {
            // Begun once more before any is run, a round is the same.
            let again = place.optimizer(kind).begin_round().unwrap();
            assert_eq!(again, Round::Trials(trials.clone()));
            trials.reverse();
        }
        for trial in &trials {
            if way == Way::Interrupted {
                let state = place.run(kind, trial, Some(2));
                assert!(matches!(state, TrialState::Running | TrialState::Pruned), "{state:?}");
                cut_short_count += u32::from(state == TrialState::Running);
            }
        }
        for trial in &trials {
            assert_ne!(place.run(kind, trial, None), TrialState::Running);
            // Who was thought dead and runs it too changes nothing.
            place.run(kind, trial, None);
        }
    };
    assert_eq!(cut_short_count > 0, way == Way::Interrupted);
    let trials = place.storage.trials_after(id, 0, &[]).unwrap();
    assert!(!place.cancelled.load(Ordering::Relaxed));
    (trials.iter().map(|trial| FrozenTrial::clone(trial)).collect(), ended)
}

#[test]
fn a_study_in_rounds_is_the_same_whoever_runs_its_trials() {
    for kind in ["tpe", "grid"] {
        let (expected, ended) = study(kind, Way::InOrder);
        assert_eq!(ended, StopReason::Results, "{kind}");
        assert_eq!(expected.len() as u64, TRIALS, "{kind}");
        let count = |state| expected.iter().filter(|trial| trial.state == state).count();
        assert!(count(TrialState::Pruned) > 0, "{kind}: the pruner has something to say");
        assert!(count(TrialState::Complete) > 1, "{kind}");
        for way in [Way::Backwards, Way::Interrupted] {
            assert_eq!(study(kind, way), (expected.clone(), ended.clone()), "{kind}");
        }
    }
}

#[test]
fn trials_of_one_round_are_different_ones() {
    let (trials, _) = study("grid", Way::InOrder);
    let mut cells: Vec<String> = trials.iter().map(|trial| format!("{:?}", trial.params)).collect();
    cells.sort_unstable();
    cells.dedup();
    // The first was put in line by somebody and has what the grid has not.
    assert!(cells.len() + 1 >= trials.len(), "{cells:?}");
}
