//! The records of a journal, one a line: what Optuna calls operations.

mod parse;
mod write;

use std::collections::BTreeMap;

use bist_lifecycle::study::{
    FrozenTrial, NewTrial, Param, StudyDirection, StudyId, TrialId, TrialState,
};
use jiff::Timestamp;
use serde_json::Value;

pub(super) use parse::parse;

/// What happened to a study or a trial.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    CreateStudy {
        name: String,
        directions: Vec<StudyDirection>,
    },
    DeleteStudy {
        study: StudyId,
    },
    StudyAttr {
        study: StudyId,
        kind: AttrKind,
        attrs: BTreeMap<String, Value>,
    },
    /// Times stand in the trial; its id and number are not known before the record is in the file.
    CreateTrial {
        study: StudyId,
        trial: Box<FrozenTrial>,
        is_template: bool,
    },
    Param {
        trial: TrialId,
        name: String,
        param: Param,
    },
    /// `at` is when it was begun or when it finished.
    State {
        trial: TrialId,
        state: TrialState,
        values: Option<Vec<f64>>,
        at: Option<Timestamp>,
    },
    Report {
        trial: TrialId,
        step: u64,
        value: f64,
    },
    TrialAttr {
        trial: TrialId,
        kind: AttrKind,
        attrs: BTreeMap<String, Value>,
    },
}

/// Who remembers something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttrKind {
    User,
    System,
}

impl AttrKind {
    const fn field(self) -> &'static str {
        match self {
            Self::User => "user_attr",
            Self::System => "system_attr",
        }
    }
}

/// The codes of the operations.
mod op {
    pub(super) const CREATE_STUDY: u64 = 0;
    pub(super) const DELETE_STUDY: u64 = 1;
    pub(super) const SET_STUDY_USER_ATTR: u64 = 2;
    pub(super) const SET_STUDY_SYSTEM_ATTR: u64 = 3;
    pub(super) const CREATE_TRIAL: u64 = 4;
    pub(super) const SET_TRIAL_PARAM: u64 = 5;
    pub(super) const SET_TRIAL_STATE_VALUES: u64 = 6;
    pub(super) const SET_TRIAL_INTERMEDIATE_VALUE: u64 = 7;
    pub(super) const SET_TRIAL_USER_ATTR: u64 = 8;
    pub(super) const SET_TRIAL_SYSTEM_ATTR: u64 = 9;
}

/// Optuna's numbers of the states, by place.
const STATES: [TrialState; 5] = [
    TrialState::Running,
    TrialState::Complete,
    TrialState::Pruned,
    TrialState::Fail,
    TrialState::Waiting,
];

impl Record {
    /// The record that makes `trial`.
    pub(super) fn create_trial(study: StudyId, trial: NewTrial, at: Timestamp) -> Self {
        let is_template = !matches!(trial, NewTrial::Running);
        let trial = Box::new(trial.begin(TrialId(0), 0, at));
        Self::CreateTrial { study, trial, is_template }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_optuna_wrote_is_written_again_letter_by_letter() {
        let journal = include_str!("../../tests/golden/optuna_journal.log");
        let mut differing = Vec::new();
        for line in journal.lines() {
            let (worker_id, record) = parse(line).unwrap();
            if record.is_none_or(|record| record.line(&worker_id).trim_end() != line) {
                differing.push(line);
            }
        }
        // What we do not know, and an attribute with numbers that JSON does not have.
        assert_eq!(differing.len(), 2, "{differing:#?}");
        assert!(differing[0].contains("NaN") && differing[0].contains("user_attr"));
        assert!(differing[1].contains("\"op_code\":10,"));
    }

    #[test]
    fn a_time_without_an_offset_is_of_the_clock_on_the_wall() {
        let line = |at: &str| {
            format!(r#"{{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"{at}"}}"#)
        };
        let began = |at: &str| match parse(&line(at)).unwrap().1 {
            Some(Record::CreateTrial { trial, .. }) => trial.started_at.unwrap(),
            other => panic!("{other:?}"),
        };
        let instant: Timestamp = "2026-11-28T10:45:40.051907Z".parse().unwrap();
        assert_eq!(began("2026-11-28T10:45:40.051907+00:00"), instant);
        assert_eq!(began("2026-11-28T13:45:40.051907+03:00"), instant);
        let here = jiff::tz::TimeZone::system();
        let wall = here.to_datetime(instant).to_string();
        assert_eq!(began(&wall), instant);
        assert!(parse(&line("yesterday")).is_err());
    }
}
