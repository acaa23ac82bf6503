//! What is logged: forecasts that were made, and what came.

use std::collections::BTreeMap;

use bist_trading::ReturnInterval;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::design::{DeclaredExperiment, Mode};

/// A forecast that an arm made for a unit on a day; in split mode it was shown.
///
/// A unit has one forecast a day: of hourly horizons log one of them, or call the hour a part of the
/// unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    /// The name of the experiment.
    pub experiment: String,
    /// Whom or what the forecast was for: a symbol, for instance.
    pub unit: String,
    /// The session in which it was made.
    pub day: Date,
    /// The version that made it.
    pub arm: String,
    /// The forecast, log-return over the horizon.
    pub expected_log_return: f64,
    /// Probability that the close is higher at the end of the horizon.
    pub probability_up: f64,
    /// Where the return will lie with probability 0.8.
    pub interval_80: ReturnInterval,
    /// What the design declared as its covariate, known before the forecast; in shadow mode that of
    /// the champion counts. A unit without one is as if it had the mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covariate: Option<f64>,
}

/// What came of a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The name of the experiment.
    pub experiment: String,
    /// The unit of the forecast.
    pub unit: String,
    /// The session in which it was made.
    pub day: Date,
    /// The version that made it.
    pub arm: String,
    /// The session in which this became known.
    pub known_on: Date,
    /// The return over the horizon; `None` when it will never be known, as of a share that was
    /// delisted. A day is judged once all of its forecasts have an outcome.
    pub log_return: Option<f64>,
    /// What following the forecast would have earned after costs; `None` where that is not told.
    #[serde(default)]
    pub return_after_costs: Option<f64>,
}

/// Why records cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// A record of another experiment.
    #[error(
        "a record of {unit} on {day} is of the experiment {found}, not {expected}: give those of \
             one experiment"
    )]
    OtherExperiment {
        /// Its unit.
        unit: String,
        /// Its day.
        day: Date,
        /// Its experiment.
        found: String,
        /// The experiment that is judged.
        expected: String,
    },
    /// A version that does not take part.
    #[error(
        "the version {arm} of a record of {unit} on {day} does not take part in the experiment"
    )]
    UnknownArm {
        /// The version.
        arm: String,
        /// The unit.
        unit: String,
        /// The day.
        day: Date,
    },
    /// A unit was shown an arm that it does not belong to.
    #[error(
        "{unit} was shown {arm} on {day} but belongs to {assigned}: assign it as the design says"
    )]
    WrongArm {
        /// The unit.
        unit: String,
        /// The day.
        day: Date,
        /// The version that was shown.
        arm: String,
        /// The version that it belongs to.
        assigned: String,
    },
    /// Two forecasts of one arm for a unit on a day.
    #[error("{arm} has two {what} for {unit} on {day}: log one, nothing is counted twice")]
    Duplicate {
        /// Whether it is forecasts or outcomes.
        what: &'static str,
        /// The version.
        arm: String,
        /// The unit.
        unit: String,
        /// The day.
        day: Date,
    },
    /// What came of a forecast that was not made.
    #[error("{arm} has an outcome for {unit} on {day} and no forecast: log the forecast first")]
    NoExposure {
        /// The version.
        arm: String,
        /// The unit.
        unit: String,
        /// The day.
        day: Date,
    },
    /// A number that is none, or a probability outside 0..=1.
    #[error(
        "{field} of {arm} for {unit} on {day} is not a possible number: log finite numbers, \
             probabilities in 0..=1, and intervals from low to high"
    )]
    NotANumber {
        /// Which.
        field: &'static str,
        /// The version.
        arm: String,
        /// The unit.
        unit: String,
        /// The day.
        day: Date,
    },
    /// An outcome that was known before its forecast.
    #[error(
        "the outcome of {arm} for {unit} on {day} was known on {known_on}, before the forecast"
    )]
    KnownTooEarly {
        /// The version.
        arm: String,
        /// The unit.
        unit: String,
        /// The day.
        day: Date,
        /// When it was known.
        known_on: Date,
    },
}

/// A forecast and what came of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged<'a> {
    pub(super) exposure: &'a Exposure,
    pub(super) log_return: f64,
    pub(super) return_after_costs: Option<f64>,
}

/// A forecast with its outcome, where that is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Logged<'a> {
    pub(super) exposure: &'a Exposure,
    pub(super) outcome: Option<&'a Outcome>,
}

impl<'a> Logged<'a> {
    /// The forecast with its return; `None` while it is not known, and when it will never be.
    pub(super) fn judged(self) -> Option<Judged<'a>> {
        let outcome = self.outcome?;
        Some(Judged {
            exposure: self.exposure,
            log_return: outcome.log_return?,
            return_after_costs: outcome.return_after_costs,
        })
    }
}

/// The records of one experiment.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    /// The forecasts, in any order.
    pub exposures: &'a [Exposure],
    /// What came of them, in any order.
    pub outcomes: &'a [Outcome],
}

/// The place of a record: day, unit and the number of the arm.
pub(super) type Place<'a> = (Date, &'a str, usize);

impl<'a> Records<'a> {
    /// The forecasts by their place with the outcomes that were known on `today`, each checked.
    pub(super) fn by_place(
        self,
        experiment: &DeclaredExperiment,
        today: Date,
    ) -> Result<BTreeMap<Place<'a>, Logged<'a>>, RecordError> {
        let mut logged = BTreeMap::new();
        for exposure in self.exposures.iter().filter(|exposure| exposure.day <= today) {
            let place = place_of_exposure(experiment, exposure)?;
            if logged.insert(place, Logged { exposure, outcome: None }).is_some() {
                let Exposure { arm, unit, day, .. } = exposure.clone();
                return Err(RecordError::Duplicate { what: "forecasts", arm, unit, day });
            }
        }
        for outcome in self.outcomes.iter().filter(|outcome| outcome.known_on <= today) {
            let place = place_of_outcome(experiment, outcome)?;
            let Outcome { arm, unit, day, .. } = outcome;
            let (arm, unit, day) = (arm.clone(), unit.clone(), *day);
            match logged.get_mut(&place) {
                None => return Err(RecordError::NoExposure { arm, unit, day }),
                Some(Logged { outcome: Some(_), .. }) => {
                    return Err(RecordError::Duplicate { what: "outcomes", arm, unit, day });
                }
                Some(found) => found.outcome = Some(outcome),
            }
        }
        Ok(logged)
    }
}

fn place_of_exposure<'a>(
    experiment: &DeclaredExperiment,
    exposure: &'a Exposure,
) -> Result<Place<'a>, RecordError> {
    let Exposure { unit, day, arm, interval_80, .. } = exposure;
    let place =
        (*day, unit.as_str(), arm_number(experiment, &exposure.experiment, unit, *day, arm)?);
    if matches!(experiment.design().mode, Mode::Split { .. }) && experiment.assign(unit) != arm {
        return Err(RecordError::WrongArm {
            unit: unit.clone(),
            day: *day,
            arm: arm.clone(),
            assigned: experiment.assign(unit).to_owned(),
        });
    }
    let checks = [
        ("expected_log_return", exposure.expected_log_return.is_finite()),
        ("probability_up", (0.0..=1.0).contains(&exposure.probability_up)),
        ("interval_80", interval_80.low <= interval_80.high),
        ("covariate", exposure.covariate.is_none_or(f64::is_finite)),
    ];
    possible(&checks, arm, unit, *day)?;
    Ok(place)
}

fn place_of_outcome<'a>(
    experiment: &DeclaredExperiment,
    outcome: &'a Outcome,
) -> Result<Place<'a>, RecordError> {
    let Outcome { unit, day, arm, known_on, .. } = outcome;
    let place =
        (*day, unit.as_str(), arm_number(experiment, &outcome.experiment, unit, *day, arm)?);
    if known_on < day {
        return Err(RecordError::KnownTooEarly {
            arm: arm.clone(),
            unit: unit.clone(),
            day: *day,
            known_on: *known_on,
        });
    }
    let checks = [
        ("log_return", outcome.log_return.is_none_or(f64::is_finite)),
        ("return_after_costs", outcome.return_after_costs.is_none_or(f64::is_finite)),
    ];
    possible(&checks, arm, unit, *day)?;
    Ok(place)
}

fn possible(
    checks: &[(&'static str, bool)],
    arm: &str,
    unit: &str,
    day: Date,
) -> Result<(), RecordError> {
    match checks.iter().find(|(_, is_possible)| !is_possible) {
        None => Ok(()),
        Some(&(field, _)) => {
            Err(RecordError::NotANumber { field, arm: arm.to_owned(), unit: unit.to_owned(), day })
        }
    }
}

fn arm_number(
    experiment: &DeclaredExperiment,
    found: &str,
    unit: &str,
    day: Date,
    arm: &str,
) -> Result<usize, RecordError> {
    let expected = &experiment.design().id;
    if found != expected {
        let (unit, found, expected) = (unit.to_owned(), found.to_owned(), expected.clone());
        return Err(RecordError::OtherExperiment { unit, day, found, expected });
    }
    experiment.arms().position(|version| version == arm).ok_or_else(|| RecordError::UnknownArm {
        arm: arm.to_owned(),
        unit: unit.to_owned(),
        day,
    })
}
