//! Probabilities that mean what they say: learned maps from a score to a probability, and how good
//! probabilities were.
//!
//! [`ProbabilityCalibration`] maps the score of a forecast (a probability of a model, or any number
//! that grows with the chance) to the probability that the outcome is true. [`ProbabilityScores`]
//! judges probabilities by what happened. Which rows may teach and which may judge is the caller's
//! to decide; here nothing knows the time but the order of the rows.

mod beta;
mod isotonic;
mod logistic;
mod platt;
mod scores;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use beta::BetaMap;
use isotonic::IsotonicMap;
use platt::PlattMap;

pub use scores::{ProbabilityScores, ReliabilityBin};

/// Log losses that differ by less, in nats a row, are a tie.
const TIE_NATS: f64 = 1e-9;

/// How a score becomes a probability. Ordered from the simplest to the one that learns most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// The score is the probability.
    Identity,
    /// A logistic curve of the score: two numbers learned. It falls where outcomes do as the score
    /// rises.
    ///
    /// Source: Platt (1999), "Probabilistic Outputs for Support Vector Machines", section 2.2.
    Platt,
    /// A curve of two exponents for scores that are probabilities: three numbers learned. Never
    /// falls, and can be the identity, which a logistic curve cannot.
    ///
    /// Source: Kull, Silva Filho, Flach (2017), "Beta calibration", section 3.
    Beta,
    /// The best curve that never falls: as many numbers as the data ask for. Stays as far from 0 and
    /// 1 as Platt's targets do.
    ///
    /// Source: Zadrozny, Elkan (2002), "Transforming Classifier Scores into Accurate Multiclass
    /// Probability Estimates", section 3.
    Isotonic,
}

impl CalibrationMethod {
    /// All methods, the simplest first.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Platt, Self::Beta, Self::Isotonic];

    /// Whether the method reads any number as a score, and not probabilities alone.
    const fn reads_any_number(self) -> bool {
        match self {
            Self::Identity | Self::Beta => false,
            Self::Platt | Self::Isotonic => true,
        }
    }
}

/// A learned map from scores to probabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProbabilityCalibration(Map);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", content = "map", rename_all = "snake_case", deny_unknown_fields)]
enum Map {
    Identity,
    Platt(PlattMap),
    Beta(BetaMap),
    Isotonic(IsotonicMap),
}

/// The calibration that [`ProbabilityCalibration::select`] chose, and what spoke for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelectedCalibration {
    /// The chosen method, learned from all rows.
    pub calibration: ProbabilityCalibration,
    /// What each method that competed lost, the simplest first.
    pub log_losses: Vec<MethodLogLoss>,
}

/// How well a method foretold blocks that it had not learned from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodLogLoss {
    /// The method.
    pub method: CalibrationMethod,
    /// Mean log loss over the rows of those blocks, nats.
    pub log_loss: f64,
}

/// Why probabilities cannot be calibrated or judged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbabilityError {
    /// Not one outcome for each row.
    #[error("{outcomes_count} outcomes for {rows_count} rows: give one outcome for each row")]
    OutcomesCount {
        /// Outcomes given.
        outcomes_count: usize,
        /// Scores or forecasts given.
        rows_count: usize,
    },
    /// No rows at all.
    #[error("there are no rows to judge")]
    NoRows,
    /// A score is NaN or infinite.
    #[error("the score of row {row} is {value}: leave the row out")]
    ScoreNotFinite {
        /// The row.
        row: usize,
        /// Its score.
        value: f64,
    },
    /// What is to be a probability is not one.
    #[error("row {row} has {value}, and a probability lies between 0 and 1")]
    NotProbability {
        /// The row.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// All outcomes are the same.
    #[error(
        "the outcomes of all {rows_count} rows are {outcome}: both must occur to be told apart"
    )]
    OneOutcome {
        /// Rows given.
        rows_count: usize,
        /// The outcome they share.
        outcome: bool,
    },
    /// A block is empty, overlaps the one before it or ends after the rows.
    #[error("block {block} is empty, overlaps the one before it or ends after the rows")]
    BlockOutOfOrder {
        /// Which block.
        block: usize,
    },
    /// No block has earlier rows to learn from.
    #[error("none of {blocks_count} blocks follows rows with both outcomes: give longer blocks")]
    NothingToJudge {
        /// Blocks given.
        blocks_count: usize,
    },
}

impl ProbabilityCalibration {
    /// Learns the map from `scores` and what came of them, row by row in any order.
    ///
    /// Scores are probabilities in 0..=1 for [`CalibrationMethod::Identity`] and
    /// [`CalibrationMethod::Beta`], and any finite numbers for the others.
    ///
    /// # Errors
    ///
    /// [`ProbabilityError`] when rows do not go together, a score cannot be read, or all outcomes
    /// are the same; the identity, which learns nothing, needs no outcomes of both kinds.
    pub fn fit(
        method: CalibrationMethod,
        scores: &[f64],
        outcomes: &[bool],
    ) -> Result<Self, ProbabilityError> {
        check_scores(scores, outcomes)?;
        if !method.reads_any_number() {
            check_probabilities(scores)?;
        }
        if method != CalibrationMethod::Identity {
            check_both_occur(outcomes)?;
        }
        Ok(Self::learned(method, scores, outcomes))
    }

    /// Learns by the method that foretells best, from rows in the order of time.
    ///
    /// The rule: each block but the first is foretold by every method, learned from all rows up to
    /// the end of the block before it; the method with the least mean log loss over the rows of these
    /// blocks is chosen, the simpler one at a tie, and learned anew from all rows. Methods that
    /// cannot read the scores do not compete, and blocks before which only one outcome occurred do
    /// not count.
    ///
    /// `blocks` ascend and do not overlap. Rows between two blocks do not judge, and do not teach
    /// the block after them: leave those between whose outcomes were not known when it began.
    ///
    /// # Errors
    ///
    /// As [`Self::fit`], and when the blocks are out of order or none can be judged.
    pub fn select(
        scores: &[f64],
        outcomes: &[bool],
        blocks: &[Range<usize>],
    ) -> Result<SelectedCalibration, ProbabilityError> {
        check_scores(scores, outcomes)?;
        check_blocks(blocks, scores.len())?;
        let folds: Vec<(usize, &Range<usize>)> = (blocks.iter().zip(blocks.iter().skip(1)))
            .map(|(before, block)| (before.end, block))
            .filter(|(end, _)| check_both_occur(&outcomes[..*end]).is_ok())
            .collect();
        if folds.is_empty() {
            return Err(ProbabilityError::NothingToJudge { blocks_count: blocks.len() });
        }
        let are_probabilities = check_probabilities(scores).is_ok();
        let log_losses: Vec<MethodLogLoss> = CalibrationMethod::ALL
            .into_iter()
            .filter(|method| are_probabilities || method.reads_any_number())
            .map(|method| MethodLogLoss {
                method,
                log_loss: chained_log_loss(method, scores, outcomes, &folds),
            })
            .collect();
        let mut chosen = log_losses[0];
        for of_method in &log_losses {
            if of_method.log_loss < chosen.log_loss - TIE_NATS {
                chosen = *of_method;
            }
        }
        let calibration = Self::learned(chosen.method, scores, outcomes);
        Ok(SelectedCalibration { calibration, log_losses })
    }

    /// As [`Self::fit`], of rows that were checked.
    fn learned(method: CalibrationMethod, scores: &[f64], outcomes: &[bool]) -> Self {
        Self(match method {
            CalibrationMethod::Identity => Map::Identity,
            CalibrationMethod::Platt => Map::Platt(PlattMap::fit(scores, outcomes)),
            CalibrationMethod::Beta => Map::Beta(BetaMap::fit(scores, outcomes)),
            CalibrationMethod::Isotonic => Map::Isotonic(IsotonicMap::fit(scores, outcomes)),
        })
    }

    /// By which method it was learned.
    pub const fn method(&self) -> CalibrationMethod {
        match self.0 {
            Map::Identity => CalibrationMethod::Identity,
            Map::Platt(_) => CalibrationMethod::Platt,
            Map::Beta(_) => CalibrationMethod::Beta,
            Map::Isotonic(_) => CalibrationMethod::Isotonic,
        }
    }

    /// The probability, in 0..=1, that the outcome of a forecast with this score is true; NaN for a
    /// score of NaN. A score beyond those learned from counts as a probability counts that lies
    /// beyond 0 or 1: as the nearest one that can be read.
    pub fn apply(&self, score: f64) -> f64 {
        match &self.0 {
            Map::Identity => score.clamp(0.0, 1.0),
            Map::Platt(map) => map.apply(score),
            Map::Beta(map) => map.apply(score),
            Map::Isotonic(map) => map.apply(score),
        }
    }
}

/// Mean log loss over the blocks of `folds`, each foretold from the rows before its first number.
fn chained_log_loss(
    method: CalibrationMethod,
    scores: &[f64],
    outcomes: &[bool],
    folds: &[(usize, &Range<usize>)],
) -> f64 {
    let (mut sum, mut rows_count) = (0.0, 0);
    for (end, block) in folds {
        let map = ProbabilityCalibration::learned(method, &scores[..*end], &outcomes[..*end]);
        let rows = scores[(*block).clone()].iter().zip(&outcomes[(*block).clone()]);
        sum += rows.map(|(s, outcome)| scores::log_loss(map.apply(*s), *outcome)).sum::<f64>();
        rows_count += block.len();
    }
    sum / count(rows_count)
}

fn check_scores(scores: &[f64], outcomes: &[bool]) -> Result<(), ProbabilityError> {
    check_counts(scores, outcomes)?;
    match scores.iter().position(|score| !score.is_finite()) {
        Some(row) => Err(ProbabilityError::ScoreNotFinite { row, value: scores[row] }),
        None => Ok(()),
    }
}

fn check_counts(rows: &[f64], outcomes: &[bool]) -> Result<(), ProbabilityError> {
    let (rows_count, outcomes_count) = (rows.len(), outcomes.len());
    if rows_count != outcomes_count {
        return Err(ProbabilityError::OutcomesCount { outcomes_count, rows_count });
    }
    if rows_count == 0 { Err(ProbabilityError::NoRows) } else { Ok(()) }
}

fn check_probabilities(values: &[f64]) -> Result<(), ProbabilityError> {
    match values.iter().position(|value| !(0.0..=1.0).contains(value)) {
        Some(row) => Err(ProbabilityError::NotProbability { row, value: values[row] }),
        None => Ok(()),
    }
}

fn check_both_occur(outcomes: &[bool]) -> Result<(), ProbabilityError> {
    let first = outcomes[0];
    if outcomes.iter().all(|outcome| *outcome == first) {
        return Err(ProbabilityError::OneOutcome { rows_count: outcomes.len(), outcome: first });
    }
    Ok(())
}

fn check_blocks(blocks: &[Range<usize>], rows_count: usize) -> Result<(), ProbabilityError> {
    let mut free_from = 0;
    for (block, rows) in blocks.iter().enumerate() {
        if rows.is_empty() || rows.start < free_from || rows.end > rows_count {
            return Err(ProbabilityError::BlockOutOfOrder { block });
        }
        free_from = rows.end;
    }
    Ok(())
}

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn count(count: usize) -> f64 {
    count as f64
}
