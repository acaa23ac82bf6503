//! Champion against challengers: which forecasts are better, asked every day and decided by a rule
//! that was declared before anything was seen.
//!
//! [`ExperimentDesign`] is the rule, [`DeclaredExperiment`] the rule that passed its checks.
//! [`observe`] joins the append-only records of what was forecast and what came into improvements by
//! day, and [`judge`] walks through the days as they came and stops where the rule stops. Both are
//! functions of the records alone, so that it does not matter who looks, and how often.
//!
//! # What is exact and what is not
//!
//! A day's improvement is dependent on those of the `h - 1` days before, over which the outcomes of
//! a horizon of `h` sessions overlap. [`Blocks`] therefore takes means of `h` days and leaves out
//! `h - 1` days between two of them. When the challenger is as good as the champion whatever came
//! before, the mean of a block has expectation zero given all blocks before it: exactly.
//! [`TMixture`] is exact, at any number of looks, when the means of blocks are normal, whatever
//! their variance.
//!
//! Means of days are only close to normal. In simulations (`tests/it/experiments.rs`) heavy tails,
//! Student's t with four degrees of freedom, leave the share of false promotions near 1 % at a level
//! of 5 %. Improvements with many small gains and rare large losses bring it nearer: to 2 % with
//! skewness -1, and to 4 % with that of an exponential number, -2, where days are not averaged to
//! blocks and 60 of them are the least; where fewer are it would come to 5 %, and with 56 days at
//! most to 9 %. Skill that changes over months is no dependence that blocks remove: the interval is
//! of the mean over the days judged.
//!
//! In split mode another part is added for the units that fell to an arm, see [`Improvement`]; it is
//! Student's and asymptotic in the number of units.

mod assignment;
mod blocks;
mod conclusion;
mod cuped;
mod decision;
mod design;
mod design_error;
mod metric;
mod mixture;
mod observation;
mod record;
mod report;
mod sample_ratio;
mod sentence;
mod sequence;
mod simulation;
mod unit_error;

pub use blocks::Blocks;
pub use conclusion::{Conclusion, ExperimentState, UnknownExperimentState};
pub use cuped::Cuped;
pub use decision::{JudgedChallenger, JudgedDay, judge, judge_by_day};
pub use design::{
    BLOCKS_MIN, CHALLENGERS_MAX, Covariate, DeclaredExperiment, ExperimentDesign, Guardrail, Mode,
    WATCH_SUFFIX,
};
pub use design_error::DesignError;
pub use metric::{Metric, UnknownMetric};
pub use mixture::{Moments, TMixture};
pub use observation::{ChallengerDay, Improvement, Observations, ObservedDay, observe};
pub use record::{Exposure, Outcome, RecordError, Records};
pub use report::{
    ChallengerReport, ExperimentReport, GuardrailReport, InvalidReason, State, Verdict,
};
pub use sample_ratio::{MISMATCH_LEVEL, SampleRatio};
pub use sequence::ConfidenceSequence;
pub use simulation::{PowerPlan, PowerRow, PowerTable, simulate};
pub use unit_error::UnitError;
