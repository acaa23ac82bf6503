//! Reading a record, whoever wrote it.

use std::collections::BTreeMap;

use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::{FrozenTrial, Param, StudyDirection, StudyId, TrialId, TrialState};
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::temporal::Pieces};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::python_json::{Number, parse as parse_json};
use super::{AttrKind, Record, STATES, op};

/// The worker that wrote `line`, and its record; `None` for an operation that we do not know, which
/// Optuna skips as well.
pub(in super::super) fn parse(line: &str) -> Result<(String, Option<Record>), serde_json::Error> {
    let head: Head = parse_json(line)?;
    let record = match head.op_code {
        op::CREATE_STUDY => parse_json::<CreateStudy>(line)?.into(),
        op::DELETE_STUDY => Record::DeleteStudy { study: parse_json::<OfStudy>(line)?.study_id },
        op::SET_STUDY_USER_ATTR | op::SET_STUDY_SYSTEM_ATTR => {
            let (of, kind, attrs) = parse_json::<Attrs>(line)?.sorted()?;
            Record::StudyAttr { study: StudyId(of), kind, attrs }
        }
        op::CREATE_TRIAL => parse_json::<CreateTrial>(line)?.try_into()?,
        op::SET_TRIAL_PARAM => {
            let read: SetParam = parse_json(line)?;
            let param = Param {
                distribution: distribution(&read.distribution)?,
                internal: read.param_value_internal,
            };
            Record::Param { trial: read.trial_id, name: read.param_name, param }
        }
        op::SET_TRIAL_STATE_VALUES => parse_json::<SetState>(line)?.into(),
        op::SET_TRIAL_INTERMEDIATE_VALUE => {
            let read: SetReport = parse_json(line)?;
            Record::Report {
                trial: read.trial_id,
                step: read.step,
                value: read.intermediate_value.0,
            }
        }
        op::SET_TRIAL_USER_ATTR | op::SET_TRIAL_SYSTEM_ATTR => {
            let (of, kind, attrs) = parse_json::<Attrs>(line)?.sorted()?;
            Record::TrialAttr { trial: TrialId(of), kind, attrs }
        }
        _ => return Ok((head.worker_id, None)),
    };
    Ok((head.worker_id, Some(record)))
}

#[derive(Deserialize)]
struct Head {
    op_code: u64,
    worker_id: String,
}

#[derive(Deserialize)]
struct OfStudy {
    study_id: StudyId,
}

#[derive(Deserialize)]
struct CreateStudy {
    study_name: String,
    #[serde(deserialize_with = "directions")]
    directions: Vec<StudyDirection>,
}

impl From<CreateStudy> for Record {
    fn from(read: CreateStudy) -> Self {
        Self::CreateStudy { name: read.study_name, directions: read.directions }
    }
}

#[derive(Deserialize)]
struct Attrs {
    /// The study or the trial.
    #[serde(alias = "study_id", alias = "trial_id")]
    of: i64,
    user_attr: Option<BTreeMap<String, Value>>,
    system_attr: Option<BTreeMap<String, Value>>,
}

impl Attrs {
    fn sorted(self) -> Result<(i64, AttrKind, BTreeMap<String, Value>), serde_json::Error> {
        match (self.user_attr, self.system_attr) {
            (Some(attrs), None) => Ok((self.of, AttrKind::User, attrs)),
            (None, Some(attrs)) => Ok((self.of, AttrKind::System, attrs)),
            _ => Err(serde_json::Error::custom("neither user_attr nor system_attr, or both")),
        }
    }
}

#[derive(Deserialize)]
struct CreateTrial {
    study_id: StudyId,
    #[serde(deserialize_with = "instant")]
    datetime_start: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant")]
    datetime_complete: Option<Timestamp>,
    #[serde(default, deserialize_with = "state")]
    state: Option<TrialState>,
    #[serde(default)]
    value: Option<Number>,
    #[serde(default)]
    values: Option<Vec<Number>>,
    #[serde(default)]
    distributions: BTreeMap<String, String>,
    #[serde(default)]
    params: BTreeMap<String, f64>,
    #[serde(default)]
    user_attrs: BTreeMap<String, Value>,
    #[serde(default)]
    system_attrs: BTreeMap<String, Value>,
    #[serde(default)]
    intermediate_values: BTreeMap<u64, Number>,
}

impl TryFrom<CreateTrial> for Record {
    type Error = serde_json::Error;

    fn try_from(read: CreateTrial) -> Result<Self, serde_json::Error> {
        let mut params = BTreeMap::new();
        for (name, internal) in read.params {
            let Some(text) = read.distributions.get(&name) else {
                return Err(serde_json::Error::custom(format!("'{name}' has no distribution")));
            };
            params.insert(name, Param { distribution: distribution(text)?, internal });
        }
        let values = read.values.or_else(|| read.value.map(|value| vec![value]));
        let reports = read.intermediate_values;
        let trial = FrozenTrial {
            id: TrialId(0),
            number: 0,
            state: read.state.unwrap_or(TrialState::Running),
            values: values.map(|values| values.iter().map(|value| value.0).collect()),
            params,
            intermediate_values: reports.into_iter().map(|(step, value)| (step, value.0)).collect(),
            user_attrs: read.user_attrs,
            system_attrs: read.system_attrs,
            started_at: read.datetime_start,
            completed_at: read.datetime_complete,
        };
        let is_template = read.state.is_some();
        Ok(Self::CreateTrial { study: read.study_id, trial: Box::new(trial), is_template })
    }
}

#[derive(Deserialize)]
struct SetParam {
    trial_id: TrialId,
    param_name: String,
    param_value_internal: f64,
    distribution: String,
}

#[derive(Deserialize)]
struct SetState {
    trial_id: TrialId,
    #[serde(deserialize_with = "state")]
    state: Option<TrialState>,
    values: Option<Vec<Number>>,
    #[serde(default, deserialize_with = "instant")]
    datetime_start: Option<Timestamp>,
    #[serde(default, deserialize_with = "instant")]
    datetime_complete: Option<Timestamp>,
}

impl From<SetState> for Record {
    fn from(read: SetState) -> Self {
        let state = read.state.unwrap_or(TrialState::Running);
        Self::State {
            trial: read.trial_id,
            state,
            values: read.values.map(|values| values.iter().map(|value| value.0).collect()),
            at: if state.is_finished() { read.datetime_complete } else { read.datetime_start },
        }
    }
}

#[derive(Deserialize)]
struct SetReport {
    trial_id: TrialId,
    step: u64,
    intermediate_value: Number,
}

fn distribution(text: &str) -> Result<Distribution, serde_json::Error> {
    let read: Distribution = parse_json(text)?;
    read.check().map_err(serde_json::Error::custom)?;
    Ok(read)
}

fn directions<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<StudyDirection>, D::Error> {
    let direction = |number| match number {
        1 => Ok(StudyDirection::Minimize),
        2 => Ok(StudyDirection::Maximize),
        other => Err(D::Error::custom(format!("{other} is not a direction"))),
    };
    Vec::<u64>::deserialize(from)?.into_iter().map(direction).collect()
}

fn state<'de, D: Deserializer<'de>>(from: D) -> Result<Option<TrialState>, D::Error> {
    let number = usize::deserialize(from)?;
    let state = STATES.get(number).copied();
    state.map(Some).ok_or_else(|| D::Error::custom(format!("{number} is not a state")))
}

/// An instant with its offset, as Optuna 5 writes it; without one, as before, it is of the clock on
/// the wall here.
fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let read = Pieces::parse(&text).and_then(|pieces| {
        if pieces.offset().is_some() {
            return text.parse();
        }
        TimeZone::system().to_timestamp(text.parse()?)
    });
    read.map(Some).map_err(D::Error::custom)
}
