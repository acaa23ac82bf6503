//! A study in short: what it searches, how far it is, and the best that it found.

use bist_market::Origin;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Horizon;
use crate::study::optimize::beat_at;
use crate::study::{FrozenTrial, History, StudyDirection, StudyRecord, TrialState};

/// The system attribute of a study with the names of its objectives; Optuna's own.
pub const METRIC_NAMES: &str = "study:metric_names";

/// The user attribute of a study with the word of what it tunes.
pub const PART: &str = "bist:part";

/// The user attribute of a study with the horizon of the models that it tunes.
pub const HORIZON: &str = "bist:horizon";

/// The user attribute of a study that says whether its data are real.
pub const ORIGIN: &str = "bist:origin";

/// The user attribute of a study with the fingerprint of its bars.
pub const SNAPSHOT_HASH: &str = "bist:snapshot_hash";

/// The user attribute of a study with what its best value is worth given the number of trials.
pub const DEFLATED: &str = "bist:deflated";

/// The user attribute of a study with the comparison on the hold-out.
pub const HOLD_OUT: &str = "bist:holdout";

/// A study of which nothing was heard for longer is not running.
const RUNNING_GRACE: SignedDuration = SignedDuration::from_mins(1);

/// How far a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyState {
    /// Something was heard of a trial within the last minute.
    Running,
    /// What it found was compared on the hold-out.
    Finished,
    /// Neither: it can be continued.
    Idle,
}

impl StudyState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Running, Self::Finished, Self::Idle];

    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Idle => "idle",
        }
    }
}

/// How many trials of a study are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialCounts {
    /// With a value for each objective.
    pub complete: u64,
    /// Stopped early.
    pub pruned: u64,
    /// Ended without a value.
    pub fail: u64,
    /// That a worker is at.
    pub running: u64,
    /// To be run.
    pub waiting: u64,
}

/// A study in short.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyOverview {
    /// Its name.
    pub name: String,
    /// One for each objective.
    pub directions: Vec<StudyDirection>,
    /// The names of the objectives; `value` where there is none.
    pub objectives: Vec<String>,
    /// How far ahead the tuned models look; absent of a study of somebody else.
    pub horizon: Option<Horizon>,
    /// What is tuned.
    pub part: Option<String>,
    /// Whether the data are real.
    pub origin: Option<Origin>,
    /// Fingerprint of the bars.
    pub snapshot_hash: Option<String>,
    /// How far it is.
    pub state: StudyState,
    /// How many trials there are.
    pub trials: TrialCounts,
    /// When its first trial began.
    pub started_at: Option<Timestamp>,
    /// When something was last heard of it.
    pub as_of: Option<Timestamp>,
}

impl StudyOverview {
    /// Of the study `record`, whose trials `history` knows, at the moment `now`.
    pub fn of(record: &StudyRecord, history: &History, now: Timestamp) -> Self {
        let text = |key: &str| record.user_attrs.get(key).and_then(Value::as_str);
        let as_of = history.trials().iter().filter_map(|trial| heard_at(trial)).max();
        let state = if as_of.is_some_and(|at| is_recent(at, now)) && is_going_on(history) {
            StudyState::Running
        } else if record.user_attrs.contains_key(HOLD_OUT) {
            StudyState::Finished
        } else {
            StudyState::Idle
        };
        Self {
            name: record.name.clone(),
            directions: record.directions.clone(),
            objectives: objectives(record),
            horizon: text(HORIZON).and_then(|word| crate::parse_horizon(word).ok()),
            part: text(PART).map(str::to_owned),
            origin: record.user_attrs.get(ORIGIN).and_then(|word| Origin::deserialize(word).ok()),
            snapshot_hash: text(SNAPSHOT_HASH).map(str::to_owned),
            state,
            trials: counts(history),
            started_at: history.trials().iter().filter_map(|trial| trial.started_at).min(),
            as_of,
        }
    }
}

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) <= RUNNING_GRACE
}

/// Whether a worker is between two trials or at one.
fn is_going_on(history: &History) -> bool {
    history.unfinished().next().is_some()
}

/// When something was last heard of a trial.
fn heard_at(trial: &FrozenTrial) -> Option<Timestamp> {
    trial.completed_at.max(trial.started_at).max(beat_at(trial))
}

fn counts(history: &History) -> TrialCounts {
    let mut counts = TrialCounts::default();
    for trial in history.trials() {
        *match trial.state {
            TrialState::Complete => &mut counts.complete,
            TrialState::Pruned => &mut counts.pruned,
            TrialState::Fail => &mut counts.fail,
            TrialState::Running => &mut counts.running,
            TrialState::Waiting => &mut counts.waiting,
        } += 1;
    }
    counts
}

/// The names that the study gives its objectives, where it gives one to each.
fn objectives(record: &StudyRecord) -> Vec<String> {
    let named: Option<Vec<String>> = record
        .system_attrs
        .get(METRIC_NAMES)
        .and_then(|names| serde_json::from_value(names.clone()).ok());
    let count = record.directions.len();
    match named {
        Some(names) if names.len() == count => names,
        _ if count == 1 => vec!["value".to_owned()],
        _ => (0..count).map(|index| format!("value {index}")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{InMemoryStorage, NewTrial, StudyStorage};

    use serde_json::json;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A study whose one trial ended at second 10 and whose other one began then.
    fn study() -> (InMemoryStorage, StudyRecord) {
        let storage = InMemoryStorage::new();
        let id = storage.create_study("s", &[StudyDirection::Maximize]).unwrap();
        let trial = storage.create_trial(id, NewTrial::Running, at(0)).unwrap();
        storage.finish(trial.id, TrialState::Complete, Some(&[1.0]), at(10)).unwrap();
        storage.create_trial(id, NewTrial::Running, at(10)).unwrap();
        let record = storage.find_study("s").unwrap().unwrap();
        (storage, record)
    }

    fn overview(storage: &InMemoryStorage, second: i64) -> StudyOverview {
        let record = storage.find_study("s").unwrap().unwrap();
        let mut history = History::new(&record);
        history.refresh(storage).unwrap();
        StudyOverview::of(&record, &history, at(second))
    }

    #[test]
    fn a_study_runs_as_long_as_something_is_heard_of_it() {
        let (storage, record) = study();
        assert_eq!(overview(&storage, 70).state, StudyState::Running);
        assert_eq!(overview(&storage, 71).state, StudyState::Idle);
        let running = storage.trials_after(record.id, 1, &[]).unwrap();
        let beat = json!(at(60).to_string());
        storage.set_trial_system_attr(running[0].id, "bist:heartbeat", &beat).unwrap();
        assert_eq!(overview(&storage, 120).state, StudyState::Running);
        assert_eq!(overview(&storage, 120).as_of, Some(at(60)));
        storage.set_study_user_attr(record.id, HOLD_OUT, &json!({})).unwrap();
        assert_eq!(overview(&storage, 121).state, StudyState::Finished);
    }

    #[test]
    fn a_study_whose_trials_have_all_ended_does_not_run() {
        let (storage, record) = study();
        let running = storage.trials_after(record.id, 1, &[]).unwrap();
        storage.finish(running[0].id, TrialState::Fail, None, at(12)).unwrap();
        let overview = overview(&storage, 13);
        assert_eq!(overview.state, StudyState::Idle);
        let counts = TrialCounts { complete: 1, fail: 1, ..TrialCounts::default() };
        assert_eq!((overview.trials, overview.started_at), (counts, Some(at(0))));
    }

    #[test]
    fn what_the_study_does_not_say_is_absent_and_objectives_always_have_a_name() {
        let (storage, record) = study();
        let bare = overview(&storage, 0);
        assert_eq!(bare.objectives, ["value"]);
        assert_eq!((bare.horizon, bare.part, bare.origin), (None, None, None));
        storage.set_study_system_attr(record.id, METRIC_NAMES, &json!(["rank_ic"])).unwrap();
        for (key, value) in [(HORIZON, "5"), (PART, "trees"), (ORIGIN, "sample")] {
            storage.set_study_user_attr(record.id, key, &json!(value)).unwrap();
        }
        let named = overview(&storage, 0);
        assert_eq!(named.objectives, ["rank_ic"]);
        assert_eq!(named.horizon.map(|horizon| horizon.to_string()), Some("5".to_owned()));
        assert_eq!((named.part.as_deref(), named.origin), (Some("trees"), Some(Origin::Sample)));
    }
}
