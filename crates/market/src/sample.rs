//! The sample market: a made-up exchange on which what can be known of tomorrow is known.
//!
//! It keeps the calendar, the ticks and the daily limits of the day, has sectors, clustered
//! volatility with fat tails, volume that follows moves, dividends, bonus issues, splits, and a few
//! planted defects. Names and prices belong to no company; every ticker ends in a digit.
//!
//! **What is predictable.** Let `r_t` be the log-return of a session after adjustment for corporate
//! actions and `d` its drift. In the symbols of the *reversal* sectors
//! `r_t - d = weight * sum(r_(t-j) - d, j = 1..5) + e_t` with a negative weight; in the others
//! `r_t - d = e_t`. `e_t` is the sum of a market, a sector and an own factor, each a GARCH(1,1)
//! process with Student-t shocks: its size can be foreseen, its sign cannot. The share of the
//! variance of a 5-session return that the past explains follows from the weight alone
//! ([`SymbolTruth::predictable_share`]). Prices are rounded to the tick and cut at the daily limits;
//! since each session starts from the rounded price, neither carries over to the next one.
//!
//! [`generate`] is a pure function: the same [`SampleSpec`] gives the same market, bit for bit on
//! one machine, and a symbol does not depend on how many others there are.

mod actions;
mod companies;
mod defects;
mod factors;
mod prices;

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use companies::SYMBOLS_MAX;
pub use defects::{DefectKind, PlantedDefect};

use crate::bar::{BarSeries, Interval};
use crate::calendar::{Calendar, SessionKind};
use crate::corporate_action::CorporateAction;
use crate::exchange_rules::ExchangeRules;
use crate::instrument::{Instrument, Origin, Symbol};
use companies::Company;
use factors::Shocks;

/// How many past sessions a reversal looks back on, and how many ahead its share is stated for.
const MEMORY_SESSIONS: usize = 5;

/// The weight of each of the last five returns in the reversal sectors.
const REVERSAL_WEIGHT: f64 = -0.08;

/// Which sample market to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleSpec {
    /// How many symbols, from 1 to [`SYMBOLS_MAX`].
    pub symbols_count: u32,
    /// How many years, at least 1.
    pub years: u32,
    /// What all chance is drawn from.
    pub seed: u64,
    /// The last day.
    pub until: Date,
}

/// Why a sample market cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SampleError {
    /// Not between one symbol and as many as there are names.
    #[error("a sample market has 1 to {SYMBOLS_MAX} symbols, and {0} were asked for")]
    SymbolsCount(u32),
    /// No history at all.
    #[error("a sample market needs at least 1 year")]
    NoYears,
    /// The last day is not in the calendar.
    #[error("the last day {until} is outside the calendar, which knows {first} to {last}")]
    UntilOutsideCalendar {
        /// The last day asked for.
        until: Date,
        /// The calendar's first day.
        first: Date,
        /// The calendar's last day.
        last: Date,
    },
    /// The first day is not in the calendar.
    #[error(
        "{years} years up to {until} would begin before {first}, the first day of the calendar"
    )]
    BeginsBeforeCalendar {
        /// The years asked for.
        years: u32,
        /// The last day asked for.
        until: Date,
        /// The calendar's first day.
        first: Date,
    },
}

/// A made-up market as a source would deliver it, and the truth about it.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleMarket {
    /// The symbols, in alphabetical order; all of [`Origin::Sample`].
    pub instruments: Vec<Instrument>,
    /// Daily bars, in the order of `instruments`. Prices are raw, `adjusted_close` is adjusted for
    /// everything in `actions`.
    pub series: Vec<BarSeries>,
    /// Corporate actions, by symbol and day.
    pub actions: Vec<CorporateAction>,
    /// What is true of this market, and no model is told.
    pub truth: SampleTruth,
}

/// What is true of a sample market.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleTruth {
    /// What it was made from.
    pub spec: SampleSpec,
    /// One for each symbol, in alphabetical order.
    pub symbols: Vec<SymbolTruth>,
    /// The defects put into the rows, by symbol and day.
    pub defects: Vec<PlantedDefect>,
}

/// What is true of one symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SymbolTruth {
    /// The symbol.
    pub symbol: Symbol,
    /// How the past bears on the future.
    pub mechanism: Mechanism,
    /// The weight of each of the last five returns, less drift, in the expected next one.
    pub weight: f64,
    /// The log-return of a session that is expected when the past says nothing.
    pub drift_per_session: f64,
    /// The share of the variance of 5-session log-returns that the past explains, 0..=1; its square
    /// root is the correlation of a perfect forecast with what happens. Zero exactly, or what
    /// follows from `weight`; cut and rounded prices change it by less than sampling shows.
    pub predictable_share: f64,
}

impl SymbolTruth {
    /// The rank correlation of a perfect forecast of 5-session returns with what happens.
    ///
    /// That of two normal variables whose correlation is the root of
    /// [`Self::predictable_share`]: `6 / pi * asin(correlation / 2)` (Headrick 2016, "A Note on
    /// the Relationship between the Pearson ... and the Spearman Rank-Based Coefficients",
    /// equation 1). Shocks have fatter tails here, which changes it by less than sampling shows.
    pub fn attainable_rank_ic(&self) -> f64 {
        6.0 / std::f64::consts::PI * (self.predictable_share.sqrt() / 2.0).asin()
    }
}

/// How the past bears on the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mechanism {
    /// Not at all: a martingale in log terms around its drift.
    None,
    /// What rose over five sessions tends to fall, and the reverse.
    Reversal,
}

impl Mechanism {
    const fn weight(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Reversal => REVERSAL_WEIGHT,
        }
    }
}

/// One session of the sample market.
#[derive(Clone, Copy, Debug)]
struct Session {
    day: Date,
    kind: SessionKind,
}

/// Makes the market that `spec` describes.
///
/// # Errors
///
/// [`SampleError`] when there is nothing to make or the calendar does not reach.
pub fn generate(spec: &SampleSpec) -> Result<SampleMarket, SampleError> {
    let (calendar, rules) = (Calendar::bist(), ExchangeRules::bist());
    let sessions = sessions(spec, calendar)?;
    let companies = companies::first(spec.symbols_count);
    let shocks = Shocks::new(spec.seed, sessions.len());

    let mut market = SampleMarket {
        instruments: Vec::with_capacity(companies.len()),
        series: Vec::with_capacity(companies.len()),
        actions: Vec::new(),
        truth: SampleTruth {
            spec: *spec,
            symbols: Vec::with_capacity(companies.len()),
            defects: Vec::new(),
        },
    };
    for company in &companies {
        let own = shocks.of_symbol(company.index, company.sector.index, &sessions);
        let plan = actions::plan(spec.seed, company, &sessions);
        let history = prices::simulate(spec.seed, company, &sessions, &own, plan, rules);
        let mut bars = history.bars;
        let protected: Vec<Date> = history.actions.iter().map(|a| a.effective_on).collect();
        let defects = defects::plant(spec.seed, company, &mut bars, &protected, calendar);
        market.truth.defects.extend(defects);
        market.truth.symbols.push(truth_of(company, history.drift_per_session));
        market.series.push(BarSeries { symbol: company.symbol, interval: Interval::Daily, bars });
        market.actions.extend(history.actions);
        market.instruments.push(Instrument {
            symbol: company.symbol,
            name: Some(company.name()),
            sector: Some(company.sector.name.to_owned()),
            origin: Origin::Sample,
        });
    }
    Ok(market)
}

fn sessions(spec: &SampleSpec, calendar: &Calendar) -> Result<Vec<Session>, SampleError> {
    let (first, last) = (calendar.first_day(), calendar.last_day());
    let SampleSpec { symbols_count, years, until, .. } = *spec;
    if symbols_count == 0 || symbols_count > SYMBOLS_MAX {
        return Err(SampleError::SymbolsCount(symbols_count));
    }
    if years == 0 {
        return Err(SampleError::NoYears);
    }
    if !calendar.covers(until) {
        return Err(SampleError::UntilOutsideCalendar { until, first, last });
    }
    let early = SampleError::BeginsBeforeCalendar { years, until, first };
    let span = Span::new().try_years(years).map_err(|_| early.clone())?;
    let from = until.checked_sub(span).and_then(Date::tomorrow).map_err(|_| early.clone())?;
    if from < first {
        return Err(early);
    }
    Ok(calendar.sessions(from, until).map(|(day, kind)| Session { day, kind }).collect())
}

fn truth_of(company: &Company, drift_per_session: f64) -> SymbolTruth {
    let mechanism = company.sector.mechanism;
    SymbolTruth {
        symbol: company.symbol,
        mechanism,
        weight: mechanism.weight(),
        drift_per_session,
        predictable_share: predictable_share(mechanism.weight()),
    }
}

/// The share of the variance of the sum of the next five returns that the past explains, when each
/// return is `weight` times the sum of the five before it and an unforeseeable shock.
///
/// With `psi` the response to a shock `k` sessions later, the shock `j` sessions ago moves the sum
/// by `psi_(1+j) + ... + psi_(5+j)`, and the shock `m` sessions ahead by `psi_0 + ... + psi_(5-m)`;
/// variances are the sums of squares.
fn predictable_share(weight: f64) -> f64 {
    // Past this many sessions nothing is left of a shock.
    const RESPONSE_SESSIONS: usize = 500;
    let mut psi = vec![1.0];
    for k in 1..RESPONSE_SESSIONS {
        let recent: f64 = psi[k.saturating_sub(MEMORY_SESSIONS)..].iter().sum();
        psi.push(weight * recent);
    }
    let square = |responses: &[f64]| responses.iter().sum::<f64>().powi(2);
    let known: f64 = psi[1..].windows(MEMORY_SESSIONS).map(square).sum();
    let unknown: f64 = (1..=MEMORY_SESSIONS).map(|length| square(&psi[..length])).sum();
    known / (known + unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_predictable_without_a_weight() {
        assert!(predictable_share(0.0).abs() < f64::EPSILON);
    }

    /// For an autoregression of one lag and one session ahead the share is the square of its
    /// weight; for this process the first-order term is 11 squares of the weight (25 + 16 + 9 + 4 +
    /// 1 of five variances).
    #[test]
    fn a_small_weight_explains_eleven_times_its_square() {
        let weight = 1e-4;
        let share = predictable_share(weight);
        assert!((share / (11.0 * weight * weight) - 1.0).abs() < 1e-3, "{share}");
    }
}
