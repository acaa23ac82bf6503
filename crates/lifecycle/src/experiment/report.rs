//! What an experiment says: a state, a verdict of each challenger, and every number behind them.

use bist_trading::Estimate;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::metric::Metric;
use crate::evaluation::Sentence;

/// What is known of a challenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Verdict {
    /// There are fewer days than were declared as the least.
    TooEarly,
    /// It cannot be told yet from the champion.
    Undecided,
    /// It is better by more than what was asked for.
    Better,
    /// It is worse: it is stopped.
    Worse,
    /// It is not worse, but certainly not better by what was asked for: it is stopped.
    TooSmall,
    /// It spoils another metric by more than it may: it is stopped.
    GuardrailBroken {
        /// Which.
        metric: Metric,
    },
}

impl Verdict {
    /// Whether the challenger forecasts no longer.
    pub const fn is_stopped(self) -> bool {
        matches!(self, Self::Worse | Self::TooSmall | Self::GuardrailBroken { .. })
    }
}

/// Where an experiment stands; the first two are those of one that goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum State {
    /// There are fewer days than were declared as the least: too early to say.
    TooEarly,
    /// There are days enough to decide, but no decision: too early to say.
    Running,
    /// A challenger takes the place of the champion.
    Promoted {
        /// Its version.
        challenger: String,
    },
    /// All challengers were stopped.
    ChampionStays,
    /// The last day came without a decision: the champion stays.
    NoDecision,
    /// What was seen cannot be compared: the champion stays.
    Invalid {
        /// Why.
        reason: InvalidReason,
    },
}

impl State {
    /// Whether the experiment is over.
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::TooEarly | Self::Running)
    }
}

/// Why what was seen cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvalidReason {
    /// More or fewer units came to an arm than the weights say.
    SampleRatioMismatch,
    /// Too many units lack a forecast of one arm.
    MissingForecasts,
}

/// What is known of a guardrail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardrailReport {
    /// The metric.
    pub metric: Metric,
    /// By how much the challenger may be worse.
    pub loss_max: f64,
    /// By how much it is better, with an interval like that of the deciding metric; absent while
    /// there are too few days.
    pub improvement: Option<Estimate>,
}

/// What is known of a challenger, with the numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChallengerReport {
    /// Its version.
    pub version: String,
    /// The verdict.
    pub verdict: Verdict,
    /// The last day that was judged of it: when the verdict fell, where it is stopped.
    pub last_day: Option<Date>,
    /// Days judged.
    pub days_count: u32,
    /// Blocks of independent days among them.
    pub blocks_count: u64,
    /// By how much it is better than the champion, with the interval by which it is judged: all
    /// intervals of all challengers hold at all times together with probability one less the
    /// declared level; absent while there are too few days.
    pub improvement: Option<Estimate>,
    /// The p-value for the improvement that is asked for, times the number of challengers: to be
    /// compared with the declared level, at any time.
    pub p_value: f64,
    /// The share of the variance that the covariate took away, zero when it brings nothing; absent
    /// where none was declared.
    pub variance_removed_share: Option<f64>,
    /// The guardrails in their order.
    pub guardrails: Vec<GuardrailReport>,
    /// The same in words.
    pub sentence: Sentence,
}

/// What an experiment says, with every number of the decision: the entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentReport {
    /// The name of the experiment.
    pub experiment: String,
    /// The fingerprint of its rule.
    pub design_sha256: String,
    /// Where it stands.
    pub state: State,
    /// The first day judged; absent while there is none.
    pub from: Option<Date>,
    /// The last day judged: when it was decided, where it was.
    pub to: Option<Date>,
    /// Days judged.
    pub days_count: u32,
    /// Units of each arm, the champion first; empty in shadow mode.
    pub units_by_arm: Vec<u64>,
    /// The p-value of the declared weights, valid at any time; the experiment is invalid from 0.001
    /// on. Absent in shadow mode.
    pub sample_ratio_p_value: Option<f64>,
    /// Units of days, each day anew.
    pub unit_days_count: u64,
    /// Of those, the ones that lacked a forecast of each arm until it was stopped, the champion first;
    /// empty in split mode.
    pub missing_by_arm: Vec<u64>,
    /// The challengers in their order.
    pub challengers: Vec<ChallengerReport>,
    /// The state in words.
    pub sentence: Sentence,
}
