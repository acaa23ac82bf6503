//! Which corporate actions a company takes, and when; the amounts follow the price of the day.

use jiff::civil::Date;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Session;
use super::companies::Company;
use super::factors::{Purpose, rng};
use crate::corporate_action::CorporateActionKind;
use crate::price::Price;

/// Two of three companies pay a dividend every year.
const DIVIDEND_PAYERS: (u64, u64) = (2, 3);

/// One of four issues bonus shares once, one of eight splits once.
const BONUS_EVERY: u64 = 4;
const SPLIT_EVERY: u64 = 8;

/// Dividends are paid in these months.
const DIVIDEND_MONTHS: std::ops::RangeInclusive<i8> = 3..=6;

/// A corporate action whose amount waits for the price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Planned {
    /// A dividend of this share of the previous close.
    Dividend {
        yield_share: f64,
    },
    Bonus {
        new_per_old: f64,
    },
    Split {
        new_per_old: f64,
    },
}

impl Planned {
    /// The action, once the previous close is known; `None` when a dividend would round to nothing.
    pub(super) fn at(self, previous_close: Price) -> Option<CorporateActionKind> {
        match self {
            Self::Dividend { yield_share } => {
                let lira = previous_close.lira() * yield_share;
                Price::parse(&format!("{lira:.4}"))
                    .ok()
                    .map(|per_share| CorporateActionKind::CashDividend { per_share })
            }
            Self::Bonus { new_per_old } => Some(CorporateActionKind::BonusIssue { new_per_old }),
            Self::Split { new_per_old } => Some(CorporateActionKind::Split { new_per_old }),
        }
    }
}

/// The actions of one company: the index of the ex-day's session and what happens, one a session.
pub(super) fn plan(seed: u64, company: &Company, sessions: &[Session]) -> Vec<(usize, Planned)> {
    let mut rng = rng(seed, Purpose::Actions(company.index));
    let mut plan = Vec::new();
    if company.index % DIVIDEND_PAYERS.1 < DIVIDEND_PAYERS.0 {
        for (index, day) in dividend_days(sessions, &mut rng) {
            debug_assert_eq!(sessions[index].day, day);
            plan.push((index, Planned::Dividend { yield_share: rng.random_range(0.01..0.06) }));
        }
    }
    // The middle half of the history, so that both sides of the step can be seen.
    let middle = sessions.len() / 4..sessions.len() * 3 / 4;
    if company.index % BONUS_EVERY == 1 && !middle.is_empty() {
        let new_per_old = [0.5, 1.0, 2.0][rng.random_range(0..3)];
        plan.push((rng.random_range(middle.clone()), Planned::Bonus { new_per_old }));
    }
    if company.index % SPLIT_EVERY == 2 && !middle.is_empty() {
        let new_per_old = [2.0, 5.0, 10.0][rng.random_range(0..3)];
        plan.push((rng.random_range(middle), Planned::Split { new_per_old }));
    }
    plan.sort_by_key(|(index, _)| *index);
    plan.dedup_by_key(|(index, _)| *index);
    plan
}

/// One session in spring for each year that has any; never the first of the history, which has no
/// previous close.
fn dividend_days(sessions: &[Session], rng: &mut ChaCha8Rng) -> Vec<(usize, Date)> {
    let spring: Vec<(usize, Date)> = sessions
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(_, session)| DIVIDEND_MONTHS.contains(&session.day.month()))
        .map(|(index, session)| (index, session.day))
        .collect();
    spring
        .chunk_by(|a, b| a.1.year() == b.1.year())
        .map(|year| year[rng.random_range(0..year.len())])
        .collect()
}
