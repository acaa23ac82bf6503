//! Whether a rule fires now.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::AlertRule;
use super::judge::{Fact, Silence, Verdict};

/// What came of a rule when it was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleState {
    /// Whether it was met; `None` when nobody could tell, or it was never looked at.
    pub is_met: Option<bool>,
    /// Why nobody could tell.
    pub silence: Option<Silence>,
    /// The name of the fact that met it, and for what lasts, of the one with which that began.
    pub fact: Option<String>,
    /// The name of the last fact that fired it.
    pub fired_fact: Option<String>,
    /// When that was.
    pub fired_at: Option<Timestamp>,
}

/// What becomes of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its state from now on.
    pub state: RuleState,
    /// What fires it, if something does.
    pub fires: Option<Fact>,
}

impl RuleState {
    /// Until when `rule` does not fire again; `None` when it may.
    pub fn cools_until(&self, rule: &AlertRule, now: Timestamp) -> Option<Timestamp> {
        let pause = SignedDuration::from_mins(rule.cool_down_minutes.into());
        self.fired_at?.checked_add(pause).ok().filter(|until| now < *until)
    }
}

/// What becomes of `rule`, which was in `state`, by `verdict` at `now`.
///
/// The same fact fires a rule once. What lasts is one fact from its beginning to its end, also when
/// nobody could tell in between. A fact that comes while the rule cools down fires it afterwards, if
/// it is still the newest then.
pub fn step(rule: &AlertRule, state: &RuleState, verdict: Verdict, now: Timestamp) -> Step {
    let before = state.clone();
    let mut fact = match verdict {
        Verdict::Unknown(silence) => {
            let state = RuleState { is_met: None, silence: Some(silence), ..before };
            return Step { state, fires: None };
        }
        Verdict::NotMet => {
            let state = RuleState { is_met: Some(false), silence: None, fact: None, ..before };
            return Step { state, fires: None };
        }
        Verdict::Met(fact) => fact,
    };
    if let (true, Some(began)) = (rule.condition.is_lasting(), &before.fact) {
        fact.key.clone_from(began);
    }
    let met =
        RuleState { is_met: Some(true), silence: None, fact: Some(fact.key.clone()), ..before };
    let is_told = met.fired_fact.as_ref() == Some(&fact.key);
    if is_told || met.cools_until(rule, now).is_some() {
        return Step { state: met, fires: None };
    }
    let state = RuleState { fired_fact: Some(fact.key.clone()), fired_at: Some(now), ..met };
    Step { state, fires: Some(fact) }
}
