//! Writing a record as Optuna does, letter by letter.

use std::collections::BTreeMap;

use bist_lifecycle::search_space::{Choice, Distribution};
use bist_lifecycle::study::{FrozenTrial, Param, StudyDirection, TrialState};
use jiff::Timestamp;
use serde_json::Value;

use super::super::python_json::{
    COMPACT, SPACED, write_float, write_formatted, write_object, write_text, write_value,
};
use super::{AttrKind, Record, STATES, op};

impl Record {
    /// The line that says it, as Optuna writes it.
    pub(in super::super) fn line(&self, worker_id: &str) -> String {
        let mut line = Line::begin(self.op_code(), worker_id);
        match self {
            Self::CreateStudy { name, directions } => {
                line.field("study_name", |out| write_text(out, name));
                line.field("directions", |out| {
                    write_list(out, directions, |out, direction| {
                        out.push(match direction {
                            StudyDirection::Minimize => '1',
                            StudyDirection::Maximize => '2',
                        });
                    });
                });
            }
            Self::DeleteStudy { study } => line.number("study_id", study.0),
            Self::StudyAttr { study, kind, attrs } => {
                line.number("study_id", study.0);
                line.attrs(kind.field(), attrs);
            }
            Self::CreateTrial { study, trial, is_template } => {
                line.number("study_id", study.0);
                line.instant("datetime_start", trial.started_at);
                if *is_template {
                    line.template(trial);
                }
            }
            Self::Param { trial, name, param } => {
                line.number("trial_id", trial.0);
                line.field("param_name", |out| write_text(out, name));
                line.field("param_value_internal", |out| write_internal(out, param));
                line.field("distribution", |out| write_text(out, &text_of(&param.distribution)));
            }
            Self::State { trial, state, values, at } => {
                line.number("trial_id", trial.0);
                line.state(*state);
                line.values(values.as_deref());
                if *state == TrialState::Running {
                    line.instant("datetime_start", *at);
                } else if state.is_finished() {
                    line.instant("datetime_complete", *at);
                }
            }
            Self::Report { trial, step, value } => {
                line.number("trial_id", trial.0);
                line.field("step", |out| write_formatted(out, format_args!("{step}")));
                line.field("intermediate_value", |out| write_float(out, *value));
            }
            Self::TrialAttr { trial, kind, attrs } => {
                line.number("trial_id", trial.0);
                line.attrs(kind.field(), attrs);
            }
        }
        line.end()
    }

    const fn op_code(&self) -> u64 {
        match self {
            Self::CreateStudy { .. } => op::CREATE_STUDY,
            Self::DeleteStudy { .. } => op::DELETE_STUDY,
            Self::StudyAttr { kind: AttrKind::User, .. } => op::SET_STUDY_USER_ATTR,
            Self::StudyAttr { kind: AttrKind::System, .. } => op::SET_STUDY_SYSTEM_ATTR,
            Self::CreateTrial { .. } => op::CREATE_TRIAL,
            Self::Param { .. } => op::SET_TRIAL_PARAM,
            Self::State { .. } => op::SET_TRIAL_STATE_VALUES,
            Self::Report { .. } => op::SET_TRIAL_INTERMEDIATE_VALUE,
            Self::TrialAttr { kind: AttrKind::User, .. } => op::SET_TRIAL_USER_ATTR,
            Self::TrialAttr { kind: AttrKind::System, .. } => op::SET_TRIAL_SYSTEM_ATTR,
        }
    }
}

/// A line in the making, its fields in Optuna's order.
struct Line(String);

impl Line {
    fn begin(op_code: u64, worker_id: &str) -> Self {
        let mut line = Self(format!("{{\"op_code\":{op_code}"));
        line.field("worker_id", |out| write_text(out, worker_id));
        line
    }

    fn end(mut self) -> String {
        self.0.push_str("}\n");
        self.0
    }

    fn field(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        write_formatted(&mut self.0, format_args!(",\"{name}\":"));
        write(&mut self.0);
    }

    fn number(&mut self, name: &str, number: i64) {
        self.field(name, |out| write_formatted(out, format_args!("{number}")));
    }

    fn attrs(&mut self, name: &str, attrs: &BTreeMap<String, Value>) {
        self.field(name, |out| {
            write_object(out, attrs, COMPACT, |out, value| write_value(out, value, COMPACT));
        });
    }

    fn instant(&mut self, name: &str, at: Option<Timestamp>) {
        self.field(name, |out| match at {
            Some(at) => write_formatted(
                out,
                format_args!("\"{}+00:00\"", at.strftime("%Y-%m-%dT%H:%M:%S.%6f")),
            ),
            None => out.push_str("null"),
        });
    }

    fn state(&mut self, state: TrialState) {
        let number = STATES.iter().position(|other| *other == state).unwrap_or_default();
        self.field("state", |out| write_formatted(out, format_args!("{number}")));
    }

    fn values(&mut self, values: Option<&[f64]>) {
        self.field("values", |out| match values {
            Some(values) => write_list(out, values, |out, value| write_float(out, *value)),
            None => out.push_str("null"),
        });
    }

    /// What stands in the record of a trial that is not simply begun.
    fn template(&mut self, trial: &FrozenTrial) {
        self.state(trial.state);
        let values = trial.values.as_deref();
        let several = values.filter(|values| values.len() > 1);
        self.field("value", |out| match values {
            Some([value]) => write_float(out, *value),
            _ => out.push_str("null"),
        });
        self.values(several);
        if trial.completed_at.is_some() {
            self.instant("datetime_complete", trial.completed_at);
        }
        self.field("distributions", |out| {
            write_object(out, &trial.params, COMPACT, |out, param| {
                write_text(out, &text_of(&param.distribution));
            });
        });
        self.field("params", |out| write_object(out, &trial.params, COMPACT, write_internal));
        self.attrs("user_attrs", &trial.user_attrs);
        self.attrs("system_attrs", &trial.system_attrs);
        let reports: Vec<(String, f64)> = trial
            .intermediate_values
            .iter()
            .map(|(step, value)| (step.to_string(), *value))
            .collect();
        self.field("intermediate_values", |out| {
            let members = reports.iter().map(|(step, value)| (step, value));
            write_object(out, members, COMPACT, |out, value| write_float(out, *value));
        });
    }
}

fn write_list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        write(out, item);
    }
    out.push(']');
}

/// The place of a category is a whole number, everything else one with a fraction.
fn write_internal(out: &mut String, param: &Param) {
    match param.distribution {
        Distribution::Categorical { .. } => {
            write_formatted(out, format_args!("{}", param.internal));
        }
        Distribution::Float { .. } | Distribution::Int { .. } => write_float(out, param.internal),
    }
}

/// The text of a distribution, with the names in Optuna's order.
fn text_of(distribution: &Distribution) -> String {
    let mut out = String::new();
    match distribution {
        Distribution::Float { low, high, log, step } => {
            out.push_str(r#"{"name": "FloatDistribution", "attributes": {"step": "#);
            match step {
                Some(step) => write_float(&mut out, *step),
                None => out.push_str("null"),
            }
            out.push_str(", \"low\": ");
            write_float(&mut out, *low);
            out.push_str(", \"high\": ");
            write_float(&mut out, *high);
            write_formatted(&mut out, format_args!(", \"log\": {log}}}}}"));
        }
        Distribution::Int { low, high, log, step } => write_formatted(
            &mut out,
            format_args!(
                r#"{{"name": "IntDistribution", "attributes": {{"log": {log}, "step": {step}, "low": {low}, "high": {high}}}}}"#
            ),
        ),
        Distribution::Categorical { choices } => {
            out.push_str(r#"{"name": "CategoricalDistribution", "attributes": {"choices": "#);
            let choices = choices.iter().map(value_of).collect();
            write_value(&mut out, &Value::Array(choices), SPACED);
            out.push_str("}}");
        }
    }
    out
}

fn value_of(choice: &Choice) -> Value {
    match choice {
        Choice::Bool(is) => Value::from(*is),
        Choice::Int(number) => Value::from(*number),
        Choice::Float(number) => Value::from(*number),
        Choice::Text(text) => Value::from(text.as_str()),
        Choice::Null => Value::Null,
    }
}
