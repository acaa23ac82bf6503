//! Checks of how well an installation is protected, and the score that they make.

/// What was seen when one protection was put to the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityCheck {
    /// Which protection, by part and name, such as `sign_in.guessing`.
    pub id: &'static str,
    /// How much it counts, from 1 (good to have) to 5 (without it everything is open).
    pub weight: u8,
    /// What was seen.
    pub result: CheckResult,
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckResult {
    /// The protection works.
    Passed {
        /// What was seen.
        found: String,
    },
    /// It does not.
    Failed {
        /// What was seen.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// There is nothing here that it would protect.
    NotApplicable {
        /// Why not.
        reason: String,
    },
}

impl SecurityCheck {
    /// A check that found something: what protects, or else what does not.
    pub fn judged(
        id: &'static str,
        weight: u8,
        found: Result<String, String>,
        advice: &'static str,
    ) -> Self {
        let result = match found {
            Ok(found) => CheckResult::Passed { found },
            Err(found) => CheckResult::Failed { found, advice },
        };
        Self { id, weight, result }
    }

    /// A check of something that is not there.
    pub fn not_applicable(id: &'static str, weight: u8, reason: impl Into<String>) -> Self {
        Self { id, weight, result: CheckResult::NotApplicable { reason: reason.into() } }
    }

    /// Whether the protection does not work.
    pub fn is_failed(&self) -> bool {
        matches!(self.result, CheckResult::Failed { .. })
    }

    /// Whether there is something that it protects.
    fn is_applicable(&self) -> bool {
        !matches!(self.result, CheckResult::NotApplicable { .. })
    }
}

/// The share of the weight of all checks that apply which passed, from 0 to 10; `None` when none applies.
pub fn security_score(checks: &[SecurityCheck]) -> Option<f64> {
    let weight = |counts: fn(&SecurityCheck) -> bool| -> u32 {
        checks.iter().filter(|check| counts(check)).map(|check| u32::from(check.weight)).sum()
    };
    let all = weight(SecurityCheck::is_applicable);
    let failed = weight(SecurityCheck::is_failed);
    (all > 0).then(|| 10.0 * f64::from(all - failed) / f64::from(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_score_is_the_share_of_the_weight_that_holds() {
        assert_eq!(security_score(&[]), None);
        let passed = SecurityCheck::judged("a.b", 4, Ok("it holds".to_owned()), "");
        let failed = SecurityCheck::judged("a.c", 1, Err("it does not".to_owned()), "mend it");
        let none = SecurityCheck::not_applicable("a.d", 5, "there is no proxy");
        assert_eq!(security_score(std::slice::from_ref(&none)), None);
        assert_eq!(security_score(&[passed.clone(), none.clone()]), Some(10.0));
        assert_eq!(security_score(&[passed, failed.clone(), none]), Some(8.0));
        assert_eq!(security_score(&[failed]), Some(0.0));
    }
}
