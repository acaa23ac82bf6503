//! What a study may choose for a parameter: the kinds, the ranges and the values.
//!
//! A value has two faces, as in Optuna, whose files we read and write: the *internal* one, a number
//! (of a category its place among the choices), which samplers and storages work with, and the
//! [`ParamValue`] that people and objectives see.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The distributions of the parameters of one trial, by name.
pub type SearchSpace = BTreeMap<String, Distribution>;

/// What a parameter may be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", content = "attributes")]
pub enum Distribution {
    /// A real number between `low` and `high`, both included.
    #[serde(rename = "FloatDistribution")]
    Float {
        /// The lowest value.
        low: f64,
        /// The highest value.
        high: f64,
        /// Whether orders of magnitude count alike; `low` is then positive, and there is no step.
        log: bool,
        /// The distance between values, from `low` upwards; `None` for any value.
        step: Option<f64>,
    },
    /// A whole number between `low` and `high`, both included.
    #[serde(rename = "IntDistribution")]
    Int {
        /// The lowest value.
        low: i64,
        /// The highest value.
        high: i64,
        /// Whether orders of magnitude count alike; `low` is then positive, and `step` one.
        log: bool,
        /// The distance between values, from `low` upwards.
        step: i64,
    },
    /// One of several choices without an order.
    #[serde(rename = "CategoricalDistribution")]
    Categorical {
        /// The choices, at least one.
        choices: Vec<Choice>,
    },
}

/// One of the choices of a category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A word.
    Text(String),
    /// Nothing.
    Null,
}

/// What a parameter is, as people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// One of several choices.
    Choice(Choice),
}

/// Why a distribution makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// The ends are the wrong way round or not finite.
    #[error("the lowest value is {low} and the highest {high}: give finite ones in that order")]
    Range {
        /// The lowest value.
        low: f64,
        /// The highest value.
        high: f64,
    },
    /// Orders of magnitude below or at zero.
    #[error("a logarithmic range begins at {low}: it has to begin above zero")]
    LogOfNothing {
        /// The lowest value.
        low: f64,
    },
    /// A step that is not positive.
    #[error("the step is {step}: it has to be above zero")]
    Step {
        /// The step.
        step: f64,
    },
    /// A logarithmic range with a step.
    #[error("a logarithmic range has no step (it is {step})")]
    LogWithStep {
        /// The step.
        step: f64,
    },
    /// A category without choices.
    #[error("there is nothing to choose from: give at least one choice")]
    NoChoices,
}

impl Distribution {
    /// Any real number from `low` to `high`.
    pub const fn float(low: f64, high: f64) -> Self {
        Self::Float { low, high, log: false, step: None }
    }

    /// The same, where orders of magnitude count alike.
    pub const fn log_float(low: f64, high: f64) -> Self {
        Self::Float { low, high, log: true, step: None }
    }

    /// Any whole number from `low` to `high`.
    pub const fn int(low: i64, high: i64) -> Self {
        Self::Int { low, high, log: false, step: 1 }
    }

    /// The same, where orders of magnitude count alike.
    pub const fn log_int(low: i64, high: i64) -> Self {
        Self::Int { low, high, log: true, step: 1 }
    }

    /// One of `choices`.
    pub fn categorical(choices: impl IntoIterator<Item = impl Into<Choice>>) -> Self {
        Self::Categorical { choices: choices.into_iter().map(Into::into).collect() }
    }

    /// Whether it makes sense.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    #[expect(clippy::cast_precision_loss, reason = "only to name the ends in a message")]
    pub fn check(&self) -> Result<(), DistributionError> {
        match *self {
            Self::Float { low, high, .. }
                if !(low.is_finite() && high.is_finite() && low <= high) =>
            {
                Err(DistributionError::Range { low, high })
            }
            Self::Int { low, high, .. } if low > high => {
                Err(DistributionError::Range { low: low as f64, high: high as f64 })
            }
            Self::Float { low, log: true, .. } if low <= 0.0 => {
                Err(DistributionError::LogOfNothing { low })
            }
            Self::Int { low, log: true, .. } if low <= 0 => {
                Err(DistributionError::LogOfNothing { low: low as f64 })
            }
            Self::Float { step: Some(step), log: true, .. } => {
                Err(DistributionError::LogWithStep { step })
            }
            Self::Int { step, log: true, .. } if step != 1 => {
                Err(DistributionError::LogWithStep { step: step as f64 })
            }
            Self::Float { step: Some(step), .. } if !(step > 0.0 && step.is_finite()) => {
                Err(DistributionError::Step { step })
            }
            Self::Int { step, .. } if step <= 0 => {
                Err(DistributionError::Step { step: step as f64 })
            }
            Self::Categorical { ref choices } if choices.is_empty() => {
                Err(DistributionError::NoChoices)
            }
            Self::Float { .. } | Self::Int { .. } | Self::Categorical { .. } => Ok(()),
        }
    }

    /// Whether `internal` is a value of it; a step is not looked at.
    #[expect(clippy::cast_precision_loss, reason = "whole numbers of parameters are below 2^53")]
    pub fn contains(&self, internal: f64) -> bool {
        match self {
            Self::Float { low, high, .. } => (*low..=*high).contains(&internal),
            Self::Int { low, high, .. } => {
                internal.fract() == 0.0 && (*low as f64..=*high as f64).contains(&internal)
            }
            Self::Categorical { choices } => {
                internal.fract() == 0.0 && (0.0..choices.len() as f64).contains(&internal)
            }
        }
    }

    /// Whether there is one value only.
    pub fn is_single(&self) -> bool {
        match self {
            Self::Float { low, high, step, .. } => {
                high - low <= 0.0 || step.is_some_and(|step| high - low < step)
            }
            // Both ends may be as far apart as whole numbers are.
            Self::Int { low, high, step, .. } => high.saturating_sub(*low) < *step,
            Self::Categorical { choices } => choices.len() == 1,
        }
    }

    /// The internal value of what people see; `None` when it is no value of this distribution.
    #[expect(clippy::cast_precision_loss, reason = "whole numbers of parameters are below 2^53")]
    pub fn internal(&self, value: &ParamValue) -> Option<f64> {
        let choice = match value {
            ParamValue::Int(value) => Choice::Int(*value),
            ParamValue::Float(value) => Choice::Float(*value),
            ParamValue::Choice(choice) => choice.clone(),
        };
        let internal = match (self, choice) {
            (Self::Categorical { choices }, choice) => {
                choices.iter().position(|other| *other == choice)? as f64
            }
            (_, Choice::Int(value)) => value as f64,
            (_, Choice::Float(value)) => value,
            (_, Choice::Bool(_) | Choice::Text(_) | Choice::Null) => return None,
        };
        self.contains(internal).then_some(internal)
    }

    /// What people see of the value `internal`; `None` when it is no value of this distribution.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was checked")]
    pub fn value(&self, internal: f64) -> Option<ParamValue> {
        if !self.contains(internal) {
            return None;
        }
        Some(match self {
            Self::Float { .. } => ParamValue::Float(internal),
            Self::Int { .. } => ParamValue::Int(internal as i64),
            Self::Categorical { choices } => ParamValue::Choice(choices[internal as usize].clone()),
        })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
            Self::Null => f.pad("-"),
        }
    }
}

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Choice(value) => value.fmt(f),
        }
    }
}

impl From<&str> for Choice {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<bool> for Choice {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Choice {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(distribution: &Distribution, expected: Result<(), &str>) {
        let actual = distribution.check().map_err(|error| error.to_string());
        assert_eq!(actual, expected.map_err(str::to_owned));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_numbers() {
        check(&Distribution::float(0.0, 1.0), Ok(()));
        check(&Distribution::float(1.0, 1.0), Ok(()));
        check(
            &Distribution::float(1.0, 0.5),
            Err("the lowest value is 1 and the highest 0.5: give finite ones in that order"),
        );
        check(
            &Distribution::log_float(0.0, 0.5),
            Err("a logarithmic range begins at 0: it has to begin above zero"),
        );
        check(
            &Distribution::Int { low: 1, high: 9, log: true, step: 2 },
            Err("a logarithmic range has no step (it is 2)"),
        );
        check(
            &Distribution::Int { low: 1, high: 9, log: false, step: 0 },
            Err("the step is 0: it has to be above zero"),
        );
        check(
            &Distribution::categorical(Vec::<Choice>::new()),
            Err("there is nothing to choose from: give at least one choice"),
        );
    }

    #[test]
    fn the_text_of_a_distribution_is_optunas() {
        let check = |distribution: &Distribution, text: &str| {
            assert_eq!(serde_json::to_string(distribution).unwrap(), text);
            assert_eq!(&serde_json::from_str::<Distribution>(text).unwrap(), distribution);
        };
        check(
            &Distribution::log_float(0.5, 2.0),
            r#"{"name":"FloatDistribution","attributes":{"low":0.5,"high":2.0,"log":true,"step":null}}"#,
        );
        check(
            &Distribution::int(1, 9),
            r#"{"name":"IntDistribution","attributes":{"low":1,"high":9,"log":false,"step":1}}"#,
        );
        check(
            &Distribution::Categorical {
                choices: vec![
                    Choice::Text("a".into()),
                    Choice::Int(3),
                    Choice::Float(0.5),
                    Choice::Bool(true),
                    Choice::Null,
                ],
            },
            r#"{"name":"CategoricalDistribution","attributes":{"choices":["a",3,0.5,true,null]}}"#,
        );
    }

    #[test]
    fn whole_numbers_with_the_furthest_ends_are_not_single() {
        assert!(!Distribution::int(i64::MIN, i64::MAX).is_single());
        assert!(!Distribution::int(i64::MIN, 0).is_single());
        assert!(Distribution::int(i64::MIN, i64::MIN).is_single());
        let stepped = |high| Distribution::Int { low: 1, high, log: false, step: 5 };
        assert!(stepped(5).is_single() && !stepped(6).is_single());
    }

    #[test]
    fn a_value_is_what_the_distribution_says_or_none() {
        assert_eq!(Distribution::int(1, 9).value(3.0), Some(ParamValue::Int(3)));
        assert_eq!(Distribution::int(1, 9).value(3.5), None);
        assert_eq!(Distribution::int(1, 9).value(10.0), None);
        let words = Distribution::categorical(["a", "b"]);
        assert_eq!(words.value(1.0), Some(ParamValue::Choice(Choice::Text("b".into()))));
        assert_eq!(words.value(2.0), None);
        assert_eq!(words.internal(&ParamValue::Choice("b".into())), Some(1.0));
        assert_eq!(words.internal(&ParamValue::Choice("c".into())), None);
        assert_eq!(Distribution::int(1, 9).internal(&ParamValue::Int(3)), Some(3.0));
        assert_eq!(Distribution::int(1, 9).internal(&ParamValue::Float(3.5)), None);
        assert_eq!(Distribution::float(1.0, 9.0).internal(&ParamValue::Int(3)), Some(3.0));
    }
}
