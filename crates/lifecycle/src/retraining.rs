//! Whether a model that was trained anew takes the place of the champion, by a rule that was declared
//! before anything was seen.
//!
//! Both are judged on the same days: those whose outcome the champion could not have learned from,
//! and for which the new model has forecasts of its folds, which had not seen them either. Trained by
//! the same recipe, the two differ little, so that few days tell which is better; the rule therefore
//! asks whether the new one is worse. A model that is not, and has learned from newer rows, takes over
//! as soon as there are days enough to have noticed.

mod comparison;
mod sentence;

use std::fmt;

use bist_market::Calendar;
use bist_models::Horizon;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::evaluation::Sentence;
use crate::forecast::{FittedModel, sha256_hex};

pub use comparison::{Judged, RetrainingComparison, judge_champion};

/// How many horizons the days of the comparison last at least, so that some outcomes have nothing in
/// common.
const HORIZONS_MIN: u32 = 3;

/// What decides whether a new model takes the champion's place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetrainingRule {
    /// Fewest days of the comparison; three horizons where that is more.
    pub days_min: u32,
    /// Level of the interval of the difference: a model is told worse, or better, when zero lies
    /// outside of it.
    pub level: f64,
    /// By how much the mean daily rank information coefficient may be lower than the champion's when
    /// the difference is within what chance does.
    pub loss_max: f64,
}

impl Default for RetrainingRule {
    fn default() -> Self {
        Self { days_min: 20, level: 0.9, loss_max: 0.02 }
    }
}

impl RetrainingRule {
    /// Fewest days of the comparison of models for `horizon`.
    pub fn days_min_for(&self, horizon: Horizon) -> u32 {
        self.days_min.max(HORIZONS_MIN * u32::from(horizon.sessions()))
    }

    /// The fingerprint of the rule: SHA-256 in hexadecimal.
    ///
    /// # Panics
    ///
    /// Never: a rule is plain numbers.
    pub fn sha256(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("a rule is plain numbers"))
    }

    /// Decides by `comparison`, which is `None` where there is nothing to compare with.
    pub fn decide(&self, comparison: Option<&RetrainingComparison>, alarmed: bool) -> Verdict {
        if alarmed {
            return Verdict::Alarmed;
        }
        let Some(comparison) = comparison else { return Verdict::FirstModel };
        if comparison.days_count < u64::from(comparison.days_min) {
            return Verdict::TooEarly;
        }
        let Some(difference) = comparison.difference else { return Verdict::TooEarly };
        if difference.high < 0.0 {
            Verdict::Worse
        } else if !comparison.worse_than.is_empty() {
            Verdict::WorseThanBaseline
        } else if difference.low > 0.0 {
            Verdict::Better
        } else if difference.value < -self.loss_max {
            Verdict::LossTooLarge
        } else {
            Verdict::Refreshed
        }
    }
}

/// What becomes of a new model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Promoted: there is no champion that could be used.
    FirstModel,
    /// Promoted: the interval of the difference lies above zero.
    Better,
    /// Promoted: it cannot be told from the champion, and has learned from newer rows.
    Refreshed,
    /// Kept back: there are too few days that neither has learned from.
    TooEarly,
    /// Kept back: the interval of the difference lies below zero.
    Worse,
    /// Kept back: the difference is within what chance does, but larger than the rule allows.
    LossTooLarge,
    /// Kept back: a baseline is told better, which the champion is not told to be worse than.
    WorseThanBaseline,
    /// Kept back: its record is too good to be true.
    Alarmed,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::FirstModel,
        Self::Better,
        Self::Refreshed,
        Self::TooEarly,
        Self::Worse,
        Self::LossTooLarge,
        Self::WorseThanBaseline,
        Self::Alarmed,
    ];

    /// Whether the new model takes the champion's place.
    pub const fn is_promoted(self) -> bool {
        matches!(self, Self::FirstModel | Self::Better | Self::Refreshed)
    }

    /// The word in the store, the API and the reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstModel => "first_model",
            Self::Better => "better",
            Self::Refreshed => "refreshed",
            Self::TooEarly => "too_early",
            Self::Worse => "worse",
            Self::LossTooLarge => "loss_too_large",
            Self::WorseThanBaseline => "worse_than_baseline",
            Self::Alarmed => "alarmed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The champion beside which a new model is judged.
#[derive(Clone, Copy, Debug)]
pub struct Champion<'a> {
    /// Its model.
    pub model: &'a FittedModel,
    /// The last day of the rows it learned from.
    pub learned_to: Date,
}

/// A decision with what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetrainingDecision {
    /// How far ahead the models look.
    pub horizon: Horizon,
    /// The new version.
    pub candidate: String,
    /// The version that was in force when they were compared.
    pub champion: Option<String>,
    /// Why the champion could not be used, if it could not.
    pub champion_unusable: Option<String>,
    /// The rule.
    pub rule: RetrainingRule,
    /// Its fingerprint, as it was declared.
    pub rule_sha256: String,
    /// How both did; absent where there was nothing to compare with.
    pub comparison: Option<RetrainingComparison>,
    /// What becomes of the new version.
    pub verdict: Verdict,
    /// The same in words, with the numbers.
    pub sentence: Sentence,
}

impl RetrainingDecision {
    /// Decides by `rule` what becomes of `candidate`.
    pub fn of(
        horizon: Horizon,
        (candidate, alarmed): (String, bool),
        champion: Option<String>,
        champion_unusable: Option<String>,
        rule: RetrainingRule,
        comparison: Option<RetrainingComparison>,
    ) -> Self {
        let verdict = rule.decide(comparison.as_ref(), alarmed);
        let sentence = sentence::of(verdict, &rule, comparison.as_ref());
        Self {
            horizon,
            candidate,
            champion,
            champion_unusable,
            rule_sha256: rule.sha256(),
            rule,
            comparison,
            verdict,
            sentence,
        }
    }
}

/// The first day on which a forecast for `horizon` has an outcome of which a model that learned from
/// rows up to `learned_to` knows nothing; `None` past the end of the calendar.
///
/// The outcome of the last row learned from reaches a horizon further, and a forecast at the close of
/// that day is of what follows it.
pub fn first_unseen_day(learned_to: Date, horizon: Horizon, calendar: &Calendar) -> Option<Date> {
    calendar.session_after(learned_to, u32::from(horizon.sessions()))
}

#[cfg(test)]
mod tests {
    use bist_trading::Estimate;
    use jiff::civil::date;

    use super::*;

    fn comparison(days_count: u64, value: f64, half_width: f64) -> RetrainingComparison {
        RetrainingComparison {
            from: date(2026, 9, 1),
            to: date(2026, 11, 2),
            days_count,
            days_min: 20,
            candidate: None,
            champion: None,
            difference: Some(Estimate {
                value,
                low: value - half_width,
                high: value + half_width,
                level: 0.9,
            }),
            worse_than: Vec::new(),
        }
    }

    #[test]
    fn a_model_that_is_not_told_worse_takes_over_once_there_are_days_enough() {
        let rule = RetrainingRule::default();
        let decide = |comparison: &RetrainingComparison| rule.decide(Some(comparison), false);
        assert_eq!(decide(&comparison(19, 0.5, 0.1)), Verdict::TooEarly);
        assert_eq!(decide(&comparison(20, 0.03, 0.02)), Verdict::Better);
        assert_eq!(decide(&comparison(20, 0.01, 0.02)), Verdict::Refreshed);
        assert_eq!(decide(&comparison(20, -0.02, 0.03)), Verdict::Refreshed);
        assert_eq!(decide(&comparison(20, -0.021, 0.03)), Verdict::LossTooLarge);
        assert_eq!(decide(&comparison(20, -0.02, 0.01)), Verdict::Worse);
        let beaten = RetrainingComparison {
            worse_than: vec!["zero".to_owned()],
            ..comparison(20, 0.03, 0.02)
        };
        assert_eq!(decide(&beaten), Verdict::WorseThanBaseline);
        assert_eq!(rule.decide(Some(&comparison(20, 0.03, 0.02)), true), Verdict::Alarmed);
        assert_eq!(rule.decide(None, false), Verdict::FirstModel);
        assert_eq!(rule.decide(None, true), Verdict::Alarmed);
    }

    #[test]
    fn the_days_of_a_comparison_last_three_horizons() {
        let rule = RetrainingRule::default();
        let sessions = |count: u8| Horizon::Sessions(count.try_into().unwrap());
        assert_eq!(rule.days_min_for(sessions(1)), 20);
        assert_eq!(rule.days_min_for(sessions(20)), 60);
        assert_eq!(rule.days_min_for(Horizon::NextHour), 20);
    }

    #[test]
    fn the_first_unseen_day_is_that_on_which_the_last_outcome_learned_from_ended() {
        // Monday, five sessions on: the Monday after.
        let first = first_unseen_day(
            date(2026, 11, 9),
            Horizon::Sessions(5.try_into().unwrap()),
            Calendar::bist(),
        );
        assert_eq!(first, Some(date(2026, 11, 16)));
    }

    #[test]
    fn another_rule_has_another_fingerprint() {
        let rule = RetrainingRule::default();
        let other = RetrainingRule { loss_max: 0.03, ..rule };
        assert_ne!(rule.sha256(), other.sha256());
        assert_eq!(rule.sha256(), RetrainingRule::default().sha256());
    }
}
