//! What changes a portfolio: fills, dividends, ex-days, and the passing of settlement days.

use bist_market::{Notional, Price, Shares, Symbol};
use jiff::civil::Date;

use super::{Pending, Portfolio, Position};
use crate::broker::Fill;
use crate::money::notional;
use crate::order::Side;

/// What an ex-day makes of a position.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchanged {
    /// The shares that it has become.
    pub(crate) shares: Shares,
    /// What they are worth at the theoretical price.
    pub(crate) worth: Notional,
    /// What is paid for fractions and rights.
    pub(crate) paid: Notional,
    /// The theoretical price, when the share did not trade on its ex-day.
    pub(crate) ex_price: Option<Price>,
}

impl Portfolio {
    /// Books a fill. The caller has made sure that the cash and the shares are there.
    pub(crate) fn book(&mut self, fill: &Fill) {
        let charges = fill.charges.total();
        self.charges = self.charges.saturating_add(charges);
        self.receive(fill.net(), fill.settles_on);
        let position = self.positions.entry(fill.symbol).or_default();
        match fill.side {
            Side::Buy => {
                position.shares = Shares(position.shares.0.saturating_add(fill.shares.0));
                position.cost = position.cost.saturating_add(fill.amount).saturating_add(charges);
            }
            Side::Sell => {
                let part = part_of(position.cost, fill.shares.0.into(), position.shares.0.into());
                position.shares = Shares(position.shares.0.saturating_sub(fill.shares.0));
                position.cost = position.cost.saturating_sub(part);
                let gained = fill.net().saturating_sub(part);
                self.realised = self.realised.saturating_add(gained);
            }
        }
        self.drop_empty(fill.symbol);
    }

    /// Books a dividend, net of what was withheld.
    pub(crate) fn book_dividend(&mut self, net: Notional, settles_on: Date) {
        self.dividends = self.dividends.saturating_add(net);
        self.realised = self.realised.saturating_add(net);
        self.receive(net, settles_on);
    }

    /// Books what an ex-day makes of a position. What is paid takes its part of the cost with it, as
    /// a sale does: the same part of the cost as of the worth.
    pub(crate) fn exchange(&mut self, symbol: Symbol, to: &Exchanged, settles_on: Date) {
        let Some(position) = self.positions.get_mut(&symbol) else { return };
        let (paid, worth) = (i128::from(to.paid.units()), i128::from(to.worth.units()));
        let part = match to.shares {
            Shares(0) => position.cost,
            _ => part_of(position.cost, paid, paid + worth),
        };
        *position = Position {
            shares: to.shares,
            cost: position.cost.saturating_sub(part),
            ex_price: to.ex_price,
        };
        self.realised = self.realised.saturating_add(to.paid.saturating_sub(part));
        self.receive(to.paid, settles_on);
        self.drop_empty(symbol);
    }

    /// Forgets what has changed hands by the beginning of `day`.
    pub(crate) fn settle(&mut self, day: Date) {
        self.pending.retain(|pending| pending.settles_on >= day);
    }

    /// Counts an amount to the cash, and when it changes hands; negative when it is paid.
    fn receive(&mut self, amount: Notional, settles_on: Date) {
        if amount == Notional::ZERO {
            return;
        }
        self.cash = self.cash.saturating_add(amount);
        let at = self.pending.partition_point(|pending| pending.settles_on < settles_on);
        match self.pending.get_mut(at) {
            Some(pending) if pending.settles_on == settles_on => {
                pending.amount = pending.amount.saturating_add(amount);
            }
            _ => self.pending.insert(at, Pending { settles_on, amount }),
        }
    }

    /// Removes a position of which nothing is left.
    fn drop_empty(&mut self, symbol: Symbol) {
        if self.shares(symbol) == Shares(0) {
            self.positions.remove(&symbol);
        }
    }
}

/// `part / whole` of a cost, rounded down; nothing of it when there is no whole.
fn part_of(cost: Notional, part: i128, whole: i128) -> Notional {
    if whole <= 0 {
        return Notional::ZERO;
    }
    notional(i128::from(cost.units()) * part / whole)
}
