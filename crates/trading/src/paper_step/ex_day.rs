//! What an ex-day makes of what is held.
//!
//! Shares are replaced first (split, capital decrease); dividends, rights and bonus shares are for
//! each share that is then held, all counted on the same holding. Fractions of a share are paid at
//! the theoretical price, and rights are taken as sold at their theoretical worth, since nobody can
//! subscribe with paper money. Actions that leave no positive price make no sense and are left out,
//! as the adjusted series leave them out.

use std::collections::BTreeMap;
use std::fmt;

use bist_market::{
    CorporateActionKind, ExchangeRules, Notional, Price, Shares, Symbol, theoretical_base_of,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{PaperEvent, Session, actions_of};
use crate::broker::settles_on;
use crate::money::{BILLION, billionths, kurus, share_of};
use crate::order::amount_of;
use crate::portfolio::{Exchanged, Portfolio};

/// Within what part of a share a fraction is the rounding of the source's ratio, billionths.
const RATIO_ROUNDING: i128 = BILLION / 1_000;

/// What changed the number of shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SharesChange {
    /// New shares for nothing.
    BonusIssue,
    /// Several shares for one, or one for several.
    Split,
    /// Shares were cancelled.
    CapitalDecrease,
}

impl SharesChange {
    /// Its name in the store and the API, that of the corporate action.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BonusIssue => "bonus_issue",
            Self::Split => "split",
            Self::CapitalDecrease => "capital_decrease",
        }
    }
}

impl fmt::Display for SharesChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Applies the actions of the day to what is held, share by share.
pub(super) fn apply(
    portfolio: &mut Portfolio,
    session: &Session<'_>,
    last_close: &impl Fn(Symbol) -> Option<Price>,
) -> Vec<PaperEvent> {
    let mut by_symbol: BTreeMap<Symbol, Vec<CorporateActionKind>> = BTreeMap::new();
    for action in actions_of(session) {
        by_symbol.entry(action.symbol).or_default().push(action.kind);
    }
    let mut events = Vec::new();
    for (symbol, kinds) in by_symbol {
        let bar = session.bars.get(&symbol);
        let previous = bar.and_then(|bar| bar.previous_close).or_else(|| last_close(symbol));
        let held = portfolio.positions.get(&symbol).copied().unwrap_or_default();
        // Between two ex-days without a trade the second starts from the price of the first.
        let Some(previous) = held.ex_price.or(previous) else { continue };
        let Some(theoretical) = Price::nearest(theoretical_base_of(&kinds, previous)) else {
            continue;
        };
        if held.shares == Shares(0) {
            continue;
        }
        let mut ex_day = ExDay { symbol, day: session.day, theoretical, events: &mut events };
        let mut exchanged = ex_day.exchange(portfolio, held.shares, previous, &kinds);
        exchanged.ex_price = bar.is_none().then_some(theoretical);
        portfolio.exchange(symbol, &exchanged, settles_on(session.day));
    }
    events
}

/// The ex-day of one share that is held.
struct ExDay<'a> {
    symbol: Symbol,
    day: Date,
    theoretical: Price,
    events: &'a mut Vec<PaperEvent>,
}

impl ExDay<'_> {
    /// Works out what becomes of a holding, and books its dividends.
    fn exchange(
        &mut self,
        portfolio: &mut Portfolio,
        held: Shares,
        previous: Price,
        kinds: &[CorporateActionKind],
    ) -> Exchanged {
        let (base, mut paid) = self.replace(held, previous, kinds);
        for kind in kinds {
            match *kind {
                CorporateActionKind::CashDividend { per_share } => {
                    self.pay_dividend(portfolio, base, per_share);
                }
                CorporateActionKind::RightsIssue { new_per_old, subscription } => {
                    paid = paid.saturating_add(self.sell_rights(base, new_per_old, subscription));
                }
                CorporateActionKind::BonusIssue { .. }
                | CorporateActionKind::Split { .. }
                | CorporateActionKind::CapitalDecrease { .. } => {}
            }
        }
        let (shares, paid_instead) = self.give_bonus(base, kinds);
        Exchanged {
            shares,
            worth: amount_of(self.theoretical, shares),
            paid: paid.saturating_add(paid_instead),
            ex_price: None,
        }
    }

    /// Replaces shares by others: what is then held, and what is paid for the fraction.
    fn replace(
        &mut self,
        held: Shares,
        previous: Price,
        kinds: &[CorporateActionKind],
    ) -> (Shares, Notional) {
        let mut replaced = None;
        let mut ratio = 1.0;
        for kind in kinds {
            let (change, new_per_old) = match *kind {
                CorporateActionKind::Split { new_per_old } => (SharesChange::Split, new_per_old),
                CorporateActionKind::CapitalDecrease { new_per_old } => {
                    (SharesChange::CapitalDecrease, new_per_old)
                }
                CorporateActionKind::CashDividend { .. }
                | CorporateActionKind::BonusIssue { .. }
                | CorporateActionKind::RightsIssue { .. } => continue,
            };
            replaced = replaced.or(Some(change));
            ratio *= new_per_old;
        }
        let Some(kind) = replaced else { return (held, Notional::ZERO) };
        let (after, fraction) = times(held, ratio);
        // What a replaced share is worth while the other rights are still in it.
        let price = Price::nearest(previous.lira() / ratio).unwrap_or(self.theoretical);
        let paid_instead = kurus(fraction * i128::from(price.units()), BILLION);
        self.note(kind, held, after, paid_instead);
        (after, paid_instead)
    }

    /// Gives the bonus shares of the day: what is then held, and what is paid for the fraction.
    fn give_bonus(&mut self, base: Shares, kinds: &[CorporateActionKind]) -> (Shares, Notional) {
        let new_per_old: f64 = kinds
            .iter()
            .map(|kind| match *kind {
                CorporateActionKind::BonusIssue { new_per_old } => new_per_old,
                CorporateActionKind::CashDividend { .. }
                | CorporateActionKind::RightsIssue { .. }
                | CorporateActionKind::Split { .. }
                | CorporateActionKind::CapitalDecrease { .. } => 0.0,
            })
            .sum();
        if new_per_old <= 0.0 {
            return (base, Notional::ZERO);
        }
        let (new, fraction) = times(base, new_per_old);
        let after = Shares(base.0.saturating_add(new.0));
        let paid_instead = kurus(fraction * i128::from(self.theoretical.units()), BILLION);
        self.note(SharesChange::BonusIssue, base, after, paid_instead);
        (after, paid_instead)
    }

    /// Pays a dividend, less what is withheld.
    fn pay_dividend(&mut self, portfolio: &mut Portfolio, shares: Shares, per_share: Price) {
        let gross = amount_of(per_share, shares);
        let rate = ExchangeRules::bist().dividend_withholding(self.day);
        let withheld = share_of(gross, rate.share());
        portfolio.book_dividend(gross.saturating_sub(withheld), settles_on(self.day));
        let symbol = self.symbol;
        self.events.push(PaperEvent::Dividend { symbol, shares, per_share, gross, withheld });
    }

    /// Sells the rights of an issue: for each new share, what it is worth above its subscription.
    fn sell_rights(&mut self, shares: Shares, new_per_old: f64, subscription: Price) -> Notional {
        let worth = i128::from(self.theoretical.units()) - i128::from(subscription.units());
        let for_each = worth.max(0) * billionths(new_per_old);
        let amount = kurus(for_each.saturating_mul(i128::from(shares.0)), BILLION);
        if amount > Notional::ZERO {
            self.events.push(PaperEvent::RightsSold { symbol: self.symbol, shares, amount });
        }
        amount
    }

    fn note(&mut self, kind: SharesChange, before: Shares, after: Shares, paid_instead: Notional) {
        let symbol = self.symbol;
        self.events.push(PaperEvent::Shares { symbol, kind, before, after, paid_instead });
    }
}

/// `shares` times a ratio: whole shares, and the fraction that is left in billionths of a share.
/// A fraction that is next to a whole share is the rounding of the ratio.
fn times(shares: Shares, ratio: f64) -> (Shares, i128) {
    let exact = i128::from(shares.0) * billionths(ratio);
    let (whole, fraction) = (exact / BILLION, exact % BILLION);
    let (whole, fraction) = if fraction >= BILLION - RATIO_ROUNDING {
        (whole + 1, 0)
    } else if fraction <= RATIO_ROUNDING {
        (whole, 0)
    } else {
        (whole, fraction)
    };
    (Shares(u64::try_from(whole).unwrap_or(u64::MAX)), fraction)
}
