//! So many requests in so much time.

use std::fmt;
use std::str::FromStr;

use super::Decision;

/// Microseconds of a second.
const SECOND_US: u64 = 1_000_000;

/// The most requests of a quota.
const REQUESTS_MAX: u32 = 1_000_000;

/// The longest period of a quota, seconds: a day.
const PERIOD_S_MAX: u64 = 86_400;

/// So many requests in so much time, such as `20/min`: all of them at once, or evenly spread for ever.
///
/// What was used comes back one by one over the period. So the first `N` requests may come at once, the
/// next one waits for a share of the period, and no period ever sees `2 N` of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    requests: u32,
    period_s: u64,
}

/// A text or number that is no quota.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no quota; give a number of requests from 1 to {REQUESTS_MAX}, a slash and a time of at \
     most a day in s, min or h, such as 20/min or 5/15min"
)]
pub struct QuotaError(String);

impl Quota {
    /// So many requests in so many seconds; `None` when either is zero or too large.
    pub const fn new(requests: u32, period_s: u64) -> Option<Self> {
        if requests == 0 || requests > REQUESTS_MAX || period_s == 0 || period_s > PERIOD_S_MAX {
            return None;
        }
        Some(Self { requests, period_s })
    }

    /// How many requests.
    pub const fn requests(self) -> u32 {
        self.requests
    }

    /// In how many seconds.
    pub const fn period_s(self) -> u64 {
        self.period_s
    }

    /// So many times as many requests in the same time, but not more than a quota may have.
    #[must_use]
    pub fn times(self, factor: u32) -> Self {
        let requests = self.requests.saturating_mul(factor).clamp(1, REQUESTS_MAX);
        Self { requests, ..self }
    }

    /// What one request costs, microseconds: the `T` of the rule. Rounded up, so that no rounding lets
    /// anything through.
    pub const fn interval_us(self) -> u64 {
        (self.period_s * SECOND_US).div_ceil(self.requests as u64)
    }

    /// What all requests of the quota cost, microseconds: `τ + T` of the rule.
    pub const fn burst_us(self) -> u64 {
        self.interval_us() * self.requests as u64
    }

    /// Decides about a request at `now_us`, when all that was done before is paid for at `full_at_us`.
    ///
    /// Returns the instant at which it is paid for together with this one. An instant that lies further
    /// ahead than the quota can bring it was kept before the clock was set back, and counts as the
    /// furthest.
    pub fn decide(self, full_at_us: u64, now_us: u64) -> (u64, Decision) {
        let full_at_us = full_at_us.clamp(now_us, now_us.saturating_add(self.burst_us()));
        let with_this_us = full_at_us.saturating_add(self.interval_us());
        let allowed = with_this_us - now_us <= self.burst_us();
        let full_at_us = if allowed { with_this_us } else { full_at_us };
        (full_at_us, self.decision(allowed, full_at_us - now_us))
    }

    /// What is told of a request that was decided, when everything is paid for in `full_after_us`.
    pub fn decision(self, allowed: bool, full_after_us: u64) -> Decision {
        let (interval_us, burst_us) = (self.interval_us(), self.burst_us());
        let spare_us = burst_us.saturating_sub(full_after_us);
        let remaining = u32::try_from(spare_us / interval_us).unwrap_or(self.requests);
        let next_after_us = interval_us - spare_us % interval_us;
        Decision { allowed, remaining, next_after_us, full_after_us }
    }
}

impl FromStr for Quota {
    type Err = QuotaError;

    fn from_str(text: &str) -> Result<Self, QuotaError> {
        parse(text).ok_or_else(|| QuotaError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Quota> {
    let (requests, period) = text.split_once('/')?;
    let digits = period.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = period.split_at(digits);
    let unit_s = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        _ => return None,
    };
    let count = if count.is_empty() { 1 } else { number(count)? };
    Quota::new(u32::try_from(number(requests)?).ok()?, count.checked_mul(unit_s)?)
}

/// A number of digits only.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.period_s {
            s if s.is_multiple_of(3_600) => (s / 3_600, "h"),
            s if s.is_multiple_of(60) => (s / 60, "min"),
            s => (s, "s"),
        };
        match count {
            1 => write!(f, "{}/{unit}", self.requests),
            _ => write!(f, "{}/{count}{unit}", self.requests),
        }
    }
}

impl fmt::Debug for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
