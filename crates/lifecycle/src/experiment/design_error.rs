//! Why a rule makes no sense.

use std::collections::BTreeSet;

use super::blocks::Blocks;
use super::design::{BLOCKS_MIN, CHALLENGERS_MAX, ExperimentDesign, Mode};
use super::metric::Metric;

/// Why a rule makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DesignError {
    /// A name is empty.
    #[error("{field} has an empty name: give it one")]
    NoName {
        /// Where.
        field: &'static str,
    },
    /// None or too many challengers.
    #[error("challengers has {count} versions: give 1 to {CHALLENGERS_MAX}")]
    ChallengersCount {
        /// How many there are.
        count: usize,
    },
    /// Two arms are the same version.
    #[error("the version {version} stands twice among champion and challengers: name it once")]
    SameVersion {
        /// The version.
        version: String,
    },
    /// Not as many weights as arms.
    #[error(
        "mode.weights has {given} weights for {arms} arms: give one for the champion and each \
             challenger"
    )]
    WeightsCount {
        /// The weights that there are.
        given: usize,
        /// The arms that there are.
        arms: usize,
    },
    /// An arm that no unit would come to.
    #[error("mode.weights has a zero: no unit would come to that arm, give 1 or more")]
    ZeroWeight,
    /// A metric that cannot be compared between arms with different units.
    #[error(
        "{field} is the coverage error, which smaller arms have more of by chance: use shadow \
             mode or another metric"
    )]
    CoverageInSplit {
        /// Where.
        field: &'static str,
    },
    /// A share that is none.
    #[error("{field} is {given}: give a number above 0 and below {below}")]
    Share {
        /// Where.
        field: &'static str,
        /// What it is.
        given: f64,
        /// What it has to be below.
        below: f64,
    },
    /// Too few days for anything to be told.
    #[error(
        "days_min is {given}: with outcomes that overlap it takes {needed} days to have \
             {BLOCKS_MIN} blocks of independent ones, give at least as many"
    )]
    TooFewDays {
        /// What it is.
        given: u32,
        /// What it takes.
        needed: u32,
    },
    /// It would end before it begins to decide.
    #[error("days_max is {days_max} and days_min {days_min}: give a days_max that is not smaller")]
    EndsTooEarly {
        /// Days after which it ends.
        days_max: u32,
        /// Days before which nothing is decided.
        days_min: u32,
    },
    /// What was replaced would be watched for too short a time.
    #[error(
        "watch_days is {given} and days_min {days_min}: give zero, or a watch_days that is not smaller"
    )]
    WatchTooShort {
        /// What it is.
        given: u32,
        /// Days before which nothing is decided.
        days_min: u32,
    },
    /// An amount that is negative or no number.
    #[error("{field} is {given}: give zero or a finite number above")]
    Amount {
        /// Where.
        field: &'static str,
        /// What it is.
        given: f64,
    },
    /// The mean of the covariate is no number.
    #[error("covariate.mean is {given}: give its finite mean before the experiment")]
    CovariateMean {
        /// What it is.
        given: f64,
    },
    /// A metric has two roles.
    #[error("the metric {0:?} stands twice among metric and guardrails: name it once")]
    SameMetric(Metric),
}

/// Checks a rule, field after field.
pub(super) fn check(design: &ExperimentDesign) -> Result<(), DesignError> {
    check_arms(design)?;
    check_mode(design)?;
    check_numbers(design)?;
    check_days(design)?;
    check_guardrails(design)
}

fn check_arms(design: &ExperimentDesign) -> Result<(), DesignError> {
    let named = |field, name: &str| {
        if name.trim().is_empty() { Err(DesignError::NoName { field }) } else { Ok(()) }
    };
    named("id", &design.id)?;
    named("champion", &design.champion)?;
    let count = design.challengers.len();
    if !(1..=CHALLENGERS_MAX).contains(&count) {
        return Err(DesignError::ChallengersCount { count });
    }
    let mut versions = BTreeSet::from([&design.champion]);
    for version in &design.challengers {
        named("challengers", version)?;
        if !versions.insert(version) {
            return Err(DesignError::SameVersion { version: version.clone() });
        }
    }
    design.covariate.as_ref().map_or(Ok(()), |covariate| named("covariate", &covariate.name))
}

fn check_mode(design: &ExperimentDesign) -> Result<(), DesignError> {
    let Mode::Split { weights } = &design.mode else { return Ok(()) };
    let (given, arms) = (weights.len(), design.challengers.len() + 1);
    if given != arms {
        return Err(DesignError::WeightsCount { given, arms });
    }
    if weights.contains(&0) {
        return Err(DesignError::ZeroWeight);
    }
    if design.metric == Metric::CoverageError {
        return Err(DesignError::CoverageInSplit { field: "metric" });
    }
    if design.guardrails.iter().any(|guardrail| guardrail.metric == Metric::CoverageError) {
        return Err(DesignError::CoverageInSplit { field: "guardrails" });
    }
    Ok(())
}

fn check_numbers(design: &ExperimentDesign) -> Result<(), DesignError> {
    let shares = [
        ("error_level", design.error_level, 0.5),
        ("missing_share_max", design.missing_share_max, 1.0),
    ];
    for (field, given, below) in shares {
        if !(given > 0.0 && given < below) {
            return Err(DesignError::Share { field, given, below });
        }
    }
    let given = design.covariate.as_ref().map_or(0.0, |covariate| covariate.mean);
    if !given.is_finite() {
        return Err(DesignError::CovariateMean { given });
    }
    amount("improvement_min", design.improvement_min)
}

fn amount(field: &'static str, given: f64) -> Result<(), DesignError> {
    if given >= 0.0 && given.is_finite() {
        Ok(())
    } else {
        Err(DesignError::Amount { field, given })
    }
}

fn check_days(design: &ExperimentDesign) -> Result<(), DesignError> {
    let &ExperimentDesign { horizon, days_min, days_max, .. } = design;
    let needed = Blocks::days_of(horizon, BLOCKS_MIN);
    if days_min < needed {
        return Err(DesignError::TooFewDays { given: days_min, needed });
    }
    if days_max < days_min {
        return Err(DesignError::EndsTooEarly { days_max, days_min });
    }
    if (1..days_min).contains(&design.watch_days) {
        return Err(DesignError::WatchTooShort { given: design.watch_days, days_min });
    }
    Ok(())
}

fn check_guardrails(design: &ExperimentDesign) -> Result<(), DesignError> {
    let mut metrics = BTreeSet::from([design.metric]);
    for guardrail in &design.guardrails {
        amount("guardrails.loss_max", guardrail.loss_max)?;
        if !metrics.insert(guardrail.metric) {
            return Err(DesignError::SameMetric(guardrail.metric));
        }
    }
    Ok(())
}
