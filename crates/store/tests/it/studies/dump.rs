//! What a place holds, in the form of `golden/optuna_dump.py`.

use std::collections::BTreeMap;

use bist_lifecycle::study::{FrozenTrial, StudyRecord, StudyStorage};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// All studies with their trials.
pub(super) fn dump(storage: &dyn StudyStorage) -> Value {
    let studies = storage.studies().unwrap();
    json!({ "studies": studies.iter().map(|study| dump_study(storage, study)).collect::<Vec<_>>() })
}

fn dump_study(storage: &dyn StudyStorage, study: &StudyRecord) -> Value {
    let trials = storage.trials_after(study.id, 0, &[]).unwrap();
    json!({
        "id": study.id,
        "name": study.name,
        "directions": study.directions,
        "user_attrs": study.user_attrs,
        "system_attrs": study.system_attrs,
        "trials": trials.iter().map(|trial| dump_trial(trial)).collect::<Vec<_>>(),
    })
}

fn dump_trial(trial: &FrozenTrial) -> Value {
    let params: Map<String, Value> = trial
        .params
        .iter()
        .map(|(name, param)| {
            let shown = json!({
                "distribution": param.distribution,
                "internal": param.internal,
                "value": param.value(),
            });
            (name.clone(), shown)
        })
        .collect();
    let reports: BTreeMap<String, Value> = trial
        .intermediate_values
        .iter()
        .map(|(step, value)| (step.to_string(), number(*value)))
        .collect();
    let values = trial.values.as_ref();
    json!({
        "id": trial.id,
        "number": trial.number,
        "state": trial.state,
        "values": values.map(|values| values.iter().map(|&value| number(value)).collect::<Vec<_>>()),
        "params": params,
        "intermediate_values": reports,
        "user_attrs": trial.user_attrs,
        "system_attrs": trial.system_attrs,
        "started_at_us": trial.started_at.map(Timestamp::as_microsecond),
        "completed_at_us": trial.completed_at.map(Timestamp::as_microsecond),
    })
}

/// A number that JSON does not have is a text.
fn number(value: f64) -> Value {
    if value.is_finite() {
        return json!(value);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    json!(if value.is_nan() { "NaN".to_owned() } else { format!("{sign}Infinity") })
}
