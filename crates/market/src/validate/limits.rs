//! How far a price may move between two days.

use super::ValidationPolicy;
use super::days::Days;
use crate::exchange_rules::ExchangeRules;
use crate::instrument::Symbol;

/// How far beyond its bound a price may be for rounding, units: the price and its base are each
/// rounded to one.
const ROUNDING_UNITS: f64 = 2.0;

/// What one symbol's price may do between two days.
pub(super) struct Limits<'a> {
    symbol: Symbol,
    days: &'a Days,
    rules: &'a ExchangeRules,
    tolerance_share: f64,
    /// Whether the symbol's limits are those of all shares, which the table of days holds.
    usual: bool,
}

/// The largest moves that pass, shares of the base, both positive.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    pub(super) up: f64,
    pub(super) down: f64,
}

impl Allowed {
    /// Where no limit holds, or none is known.
    pub(super) const ANYTHING: Self = Self { up: f64::INFINITY, down: f64::INFINITY };

    /// The highest and lowest prices that may follow a base, all in units.
    pub(super) fn highest(self, base: f64) -> f64 {
        base * (1.0 + self.up) + ROUNDING_UNITS
    }

    pub(super) fn lowest(self, base: f64) -> f64 {
        base * (1.0 - self.down) - ROUNDING_UNITS
    }

    /// Whether a price may follow a base, both in units.
    pub(super) fn admits(self, base: f64, price: f64) -> bool {
        price <= self.highest(base) && price >= self.lowest(base)
    }
}

/// The highest and lowest prices that may follow a base in a session, as factors.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    highest: f64,
    lowest: f64,
}

impl Bounds {
    /// Whether all prices between these two may follow a base, all in units.
    #[inline]
    pub(super) fn admit(self, base: f64, low: f64, high: f64) -> bool {
        high <= base * self.highest + ROUNDING_UNITS && low >= base * self.lowest - ROUNDING_UNITS
    }
}

impl From<Allowed> for Bounds {
    fn from(allowed: Allowed) -> Self {
        Self { highest: 1.0 + allowed.up, lowest: 1.0 - allowed.down }
    }
}

/// The bounds of sessions, worked out anew only where the limit changes.
pub(super) struct SessionBounds<'a> {
    limits: &'a Limits<'a>,
    /// The limit of all shares that `bounds` are of.
    share: Option<f64>,
    bounds: Bounds,
}

impl<'a> SessionBounds<'a> {
    pub(super) fn new(limits: &'a Limits<'a>) -> Self {
        Self { limits, share: None, bounds: Allowed::ANYTHING.into() }
    }

    /// What may happen in the session of `day` alone.
    #[inline(always)]
    pub(super) fn of(&mut self, day: usize) -> Bounds {
        let share = self.limits.days.limit_share(day);
        if !self.limits.usual || self.share != Some(share) {
            (self.share, self.bounds) = (Some(share), self.limits.of_session(day).into());
        }
        self.bounds
    }
}

impl<'a> Limits<'a> {
    pub(super) fn new(
        symbol: Symbol,
        days: &'a Days,
        rules: &'a ExchangeRules,
        policy: ValidationPolicy,
    ) -> Self {
        let usual = !rules.has_own_limit(symbol);
        Self { symbol, days, rules, tolerance_share: policy.move_tolerance_share, usual }
    }

    /// What may happen from the close of day `base` to that of `day`: the limits of the sessions in
    /// between, compounded.
    pub(super) fn over(&self, base: usize, day: usize) -> Allowed {
        let (mut highest, mut lowest) = (1.0, 1.0);
        let last = Some(day).filter(|day| self.days.is_session(*day));
        for session in self.days.sessions_inside(base, day).chain(last) {
            let Some(limit) = self.share(session) else { return Allowed::ANYTHING };
            highest *= 1.0 + limit;
            lowest *= 1.0 - limit;
        }
        self.with_tolerance(highest, lowest)
    }

    /// What may happen in the session of `day` alone.
    #[inline]
    pub(super) fn of_session(&self, day: usize) -> Allowed {
        match self.share(day) {
            Some(limit) => self.with_tolerance(1.0 + limit, 1.0 - limit),
            None => Allowed::ANYTHING,
        }
    }

    /// The limit of the session of `day`, a share of the base; `None` when there is none, or none
    /// is known.
    #[inline]
    pub(super) fn share(&self, day: usize) -> Option<f64> {
        if self.usual {
            return Some(self.days.limit_share(day)).filter(|share| share.is_finite());
        }
        self.rules.limit_share_of(self.days.date(day), self.symbol).map(|limit| limit.share())
    }

    fn with_tolerance(&self, highest: f64, lowest: f64) -> Allowed {
        let tolerance = self.tolerance_share;
        Allowed { up: highest - 1.0 + tolerance, down: 1.0 - lowest + tolerance }
    }
}
