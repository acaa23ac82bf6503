//! A result that is too good to be true is an alarm and no success.

use serde::{Deserialize, Serialize};

use super::{InformationCoefficient, RankIcMethod};

/// The highest rank information coefficient across symbols that is believed.
///
/// Source: Grinold and Kahn (2000), "Active Portfolio Management": a good forecaster has 0.05, a
/// great one 0.10 and a world-class one 0.15; more "usually signals a faulty backtest".
pub(super) const RANK_IC_PLAUSIBLE_MAX: f64 = 0.15;

/// What is implausible about a record, and where to look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its stable word.
    pub code: AlarmCode,
    /// What was measured.
    pub measured: f64,
    /// The most that is believed.
    pub bound: f64,
    /// The same in a sentence.
    pub text: String,
}

/// The alarms, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AlarmCode {
    /// The rank information coefficient is higher than any honest forecast reaches.
    ImplausibleRankIc,
}

impl Alarm {
    /// The alarm that `rank_ic` raises. Over time, where a common trend counts, there is no such
    /// bound.
    pub(super) fn of(rank_ic: &InformationCoefficient) -> Option<Self> {
        let measured = rank_ic.estimate?.value;
        let across = rank_ic.method == RankIcMethod::CrossSectional;
        (across && measured > RANK_IC_PLAUSIBLE_MAX).then(|| Self {
            code: AlarmCode::ImplausibleRankIc,
            measured,
            bound: RANK_IC_PLAUSIBLE_MAX,
            text: format!(
                "a rank IC of {measured:.4} is above {RANK_IC_PLAUSIBLE_MAX}, which no honest \
                 forecast of daily prices reaches; before it is believed, look for a feature or a \
                 label that knows the future, for companies that are missing because they failed, \
                 and for stale prices that the next trade catches up with"
            ),
        })
    }
}
