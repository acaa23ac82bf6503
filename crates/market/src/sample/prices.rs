//! The prices of one symbol, session by session, within the rules of the day.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "prices stay below 10^6 lira and volumes below 10^12 shares, far inside i64 and f64"
)]

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::actions::Planned;
use super::companies::Company;
use super::factors::{Purpose, Shock, rng};
use super::{MEMORY_SESSIONS, Session};
use crate::bar::{RawBar, midnight_of};
use crate::calendar::SessionKind;
use crate::corporate_action::{CorporateAction, CorporateActionKind};
use crate::exchange_rules::{ExchangeRules, PriceLimits};
use crate::price::{Price, UNITS_PER_LIRA};

/// The log-return of a session to be expected when the past says nothing; about 13 % a year.
const DRIFT_PER_SESSION: f64 = 0.000_5;

/// Steps of the path inside a session; the first of them happen before the opening.
const PATH_STEPS: usize = 32;
const OVERNIGHT_STEPS: usize = 6;

/// A move this many times past the limit locks the price there for the whole session.
const LOCKED_MULTIPLE: f64 = 1.5;

/// How log-volume answers to a move of one standard deviation, and remembers the day before.
const VOLUME_PER_DEVIATION: f64 = 0.35;
const VOLUME_MEMORY: f64 = 0.8;
const VOLUME_NOISE: f64 = 0.25;

/// The history of one symbol before any defect.
#[derive(Debug)]
pub(super) struct History {
    pub(super) bars: Vec<RawBar>,
    pub(super) actions: Vec<CorporateAction>,
    pub(super) drift_per_session: f64,
}

/// Lets the price of `company` run through `sessions`.
pub(super) fn simulate(
    seed: u64,
    company: &Company,
    sessions: &[Session],
    shocks: &[Shock],
    plan: Vec<(usize, Planned)>,
    rules: &ExchangeRules,
) -> History {
    let mut rng = rng(seed, Purpose::Path(company.index));
    let weight = company.sector.mechanism.weight();
    let mut plan = plan.into_iter().peekable();
    let mut volume = VolumeProcess::new(&mut rng);
    let mut previous_close = first_price(&mut rng);
    // Log-returns less drift; the last five are what a reversal answers to.
    let mut surprises: Vec<f64> = Vec::with_capacity(sessions.len());
    let mut bars: Vec<RawBar> = Vec::with_capacity(sessions.len());
    let mut factors: Vec<(usize, f64)> = Vec::new();
    let mut actions = Vec::new();

    for (index, (session, shock)) in sessions.iter().zip(shocks).enumerate() {
        let mut base_lira = previous_close.lira();
        if let Some((_, planned)) = plan.next_if(|(ex_index, _)| *ex_index == index)
            && let Some(kind) = planned.at(previous_close)
        {
            base_lira = kind.ex_price(previous_close.lira());
            factors.push((index, base_lira / previous_close.lira()));
            actions.push(CorporateAction {
                symbol: company.symbol,
                effective_on: session.day,
                kind,
            });
            volume.shares_multiply(kind);
        }
        let recent = &surprises[surprises.len().saturating_sub(MEMORY_SESSIONS)..];
        let expected = DRIFT_PER_SESSION + weight * recent.iter().sum::<f64>();
        let market = Day::new(session, base_lira, rules);
        let log_return = expected + shock.value;
        let [open, high, low, close] = market.trade(log_return, shock.deviation, &mut rng);
        let realised = (close.lira() / base_lira).ln();
        bars.push(RawBar {
            opened_at: midnight_of(session.day),
            open_units: Some(open.units()),
            high_units: high.units(),
            low_units: low.units(),
            close_units: close.units(),
            adjusted_close: Some(close.lira()),
            volume_shares: Some(volume.next(
                (log_return / shock.deviation).abs(),
                session.kind,
                &mut rng,
            )),
        });
        surprises.push(realised - DRIFT_PER_SESSION);
        previous_close = close;
    }
    adjust(&mut bars, &factors);
    History { bars, actions, drift_per_session: DRIFT_PER_SESSION }
}

/// Multiplies the adjusted close of every bar before an ex-day by what the action took away.
fn adjust(bars: &mut [RawBar], factors: &[(usize, f64)]) {
    for (ex_index, factor) in factors {
        for bar in &mut bars[..*ex_index] {
            bar.adjusted_close = bar.adjusted_close.map(|adjusted| adjusted * factor);
        }
    }
}

/// Between 10 and 200 lira, evenly in logarithms.
fn first_price(rng: &mut ChaCha8Rng) -> Price {
    let lira: f64 = rng.random_range(10_f64.ln()..200_f64.ln()).exp();
    price_of(lira)
}

/// The price nearest to `lira`, at least 0.0001.
fn price_of(lira: f64) -> Price {
    let units = (lira * UNITS_PER_LIRA as f64).round() as i64;
    Price::from_units(units.max(1)).expect("one unit is positive")
}

/// What one session allows.
struct Day<'a> {
    session: &'a Session,
    rules: &'a ExchangeRules,
    base_lira: f64,
    /// `None` on days whose limits are not known, which the calendar's years do not have.
    limits: Option<PriceLimits>,
}

impl<'a> Day<'a> {
    fn new(session: &'a Session, base_lira: f64, rules: &'a ExchangeRules) -> Self {
        let limits = rules.daily_limits(session.day, price_of(base_lira));
        Self { session, rules, base_lira, limits }
    }

    /// Open, high, low and close of a session whose log-return wants to be `log_return`.
    fn trade(&self, log_return: f64, deviation: f64, rng: &mut ChaCha8Rng) -> [Price; 4] {
        let path = bridge(log_return, deviation, rng);
        let close = self.allowed(log_return);
        let bound = (close.lira() / self.base_lira).ln();
        if self.at_limit(close) && log_return.abs() > LOCKED_MULTIPLE * bound.abs() {
            return [close; 4];
        }
        let (mut high, mut low) = (close, close);
        for step in &path[OVERNIGHT_STEPS..] {
            let price = self.allowed(*step);
            high = high.max(price);
            low = low.min(price);
        }
        [self.allowed(path[OVERNIGHT_STEPS]), high, low, close]
    }

    /// The valid price nearest to this log-return from the base.
    fn allowed(&self, log_return: f64) -> Price {
        let wanted = price_of(self.base_lira * log_return.exp());
        let day = self.session.day;
        let rounded = self
            .rules
            .round_nearest(day, wanted)
            .or_else(|| self.rules.round_up(day, wanted))
            .unwrap_or(wanted);
        self.limits.map_or(rounded, |limits| rounded.clamp(limits.lower, limits.upper))
    }

    fn at_limit(&self, price: Price) -> bool {
        self.limits.is_some_and(|limits| price == limits.lower || price == limits.upper)
    }
}

/// A random walk from zero, yesterday's close, to `end`, today's.
fn bridge(end: f64, deviation: f64, rng: &mut ChaCha8Rng) -> [f64; PATH_STEPS + 1] {
    let step_deviation = deviation / (PATH_STEPS as f64).sqrt();
    let mut path = [0.0; PATH_STEPS + 1];
    for step in 1..=PATH_STEPS {
        let draw: f64 = StandardNormal.sample(rng);
        path[step] = path[step - 1] + step_deviation * draw;
    }
    let missed = end - path[PATH_STEPS];
    for (step, value) in path.iter_mut().enumerate() {
        *value += missed * step as f64 / PATH_STEPS as f64;
    }
    path
}

/// The volume of a symbol: a level, a slow swing, and an answer to the size of the move.
struct VolumeProcess {
    /// Logarithm of the shares of an ordinary session.
    level: f64,
    swing: f64,
}

impl VolumeProcess {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        Self { level: rng.random_range(1e6_f64.ln()..3e7_f64.ln()), swing: 0.0 }
    }

    /// More shares, more of them traded.
    fn shares_multiply(&mut self, kind: CorporateActionKind) {
        self.level += match kind {
            CorporateActionKind::BonusIssue { new_per_old } => (1.0 + new_per_old).ln(),
            CorporateActionKind::Split { new_per_old } => new_per_old.ln(),
            CorporateActionKind::CashDividend { .. }
            | CorporateActionKind::RightsIssue { .. }
            | CorporateActionKind::CapitalDecrease { .. } => 0.0,
        };
    }

    fn next(&mut self, deviations: f64, kind: SessionKind, rng: &mut ChaCha8Rng) -> i64 {
        let draw: f64 = StandardNormal.sample(rng);
        self.swing = VOLUME_MEMORY * self.swing + VOLUME_NOISE * draw;
        let length = match kind {
            SessionKind::Full => 1.0,
            SessionKind::Half => 0.45,
        };
        let shares = length * (self.level + self.swing + VOLUME_PER_DEVIATION * deviations).exp();
        (shares.round() as i64).max(1)
    }
}
