//! A portfolio of paper money: cash, what has not settled, positions, and what came of them.

mod booking;

use std::collections::BTreeMap;

use bist_market::{Notional, Price, Shares, Symbol};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(crate) use booking::Exchanged;

use crate::costs::CostModel;
use crate::order::{Order, Side, amount_of};
use crate::risk::{RiskLimits, RiskLimitsError};
use crate::watchlist::{NameError, checked_name};

/// Open portfolios of one person.
pub const PORTFOLIOS_MAX: usize = 10;

/// The least that a portfolio is opened with, 1,000 TRY.
pub const OPENING_CASH_MIN: Notional = Notional::from_units(10_000_000);

/// The most that a portfolio is opened with, 1,000,000,000 TRY.
pub const OPENING_CASH_MAX: Notional = Notional::from_units(10_000_000_000_000);

/// The most that the commission, the exchange's fee and the slippage may each be of the amount.
pub const COST_SHARE_MAX: f64 = 0.05;

/// What is held of one share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// How many; never zero in a portfolio.
    pub shares: Shares,
    /// What they cost with charges, by the average-cost method.
    pub cost: Notional,
    /// The theoretical price since an ex-day on which the share did not trade; its last close is of
    /// other shares than these. `None` once it trades.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ex_price: Option<Price>,
}

/// Money that changes hands on a later day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// The day.
    pub settles_on: Date,
    /// To come when it is positive, to pay when it is negative; all of the day together.
    pub amount: Notional,
}

/// A portfolio; kept as a document.
///
/// At any closes, `value == opening_cash + realised + unrealised` to the last 0.0001 TRY, as long as
/// no amount is beyond what a [`Notional`] holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portfolio {
    /// What its owner calls it.
    pub name: String,
    /// What it was opened with.
    pub opening_cash: Notional,
    /// What its trades cost.
    pub costs: CostModel,
    /// What it allows itself.
    pub limits: RiskLimits,
    /// The money it has, with what has not settled; never negative.
    pub cash: Notional,
    /// The part of `cash` that changes hands later, by day.
    pub pending: Vec<Pending>,
    /// What it holds.
    pub positions: BTreeMap<Symbol, Position>,
    /// Profit and loss of what was sold, after charges, and dividends.
    pub realised: Notional,
    /// Commission, tax and fees paid so far.
    pub charges: Notional,
    /// Dividends received so far, net.
    pub dividends: Notional,
    /// The last session that was applied; at first the last one that ended before it was opened.
    pub through: Date,
}

/// Why a portfolio cannot be opened or renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortfolioError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Too little money, or too much.
    #[error("opening_cash: give an amount from {OPENING_CASH_MIN} to {OPENING_CASH_MAX} TRY")]
    OpeningCash,
    /// A cost that no broker asks.
    #[error("costs.{field}: give a share from 0 to {}", if *.field == BSMV { 1.0 } else { COST_SHARE_MAX })]
    Costs {
        /// Which part.
        field: &'static str,
    },
    /// A limit out of its bounds.
    #[error("limits.{0}")]
    Limits(#[from] RiskLimitsError),
}

/// The field whose bound is one: a share of the commission and not of the amount.
const BSMV: &str = "bsmv_share_of_commission";

/// What a portfolio is worth at some closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Valuation {
    /// Cash and shares together.
    pub value: Notional,
    /// The cash, with what has not settled.
    pub cash: Notional,
    /// The shares; those without a price at what they cost.
    pub invested: Notional,
    /// What the shares are worth above what they cost; negative when below.
    pub unrealised: Notional,
    /// The shares without a price, in order.
    pub missing: Vec<Symbol>,
}

impl Portfolio {
    /// A portfolio with nothing but money.
    ///
    /// `through` is the last session that ended before it was opened.
    ///
    /// # Errors
    ///
    /// [`PortfolioError`] names the field that is out of its bounds.
    pub fn open(
        name: &str,
        opening_cash: Notional,
        costs: CostModel,
        limits: RiskLimits,
        through: Date,
    ) -> Result<Self, PortfolioError> {
        let name = checked_name(name)?;
        if !(OPENING_CASH_MIN..=OPENING_CASH_MAX).contains(&opening_cash) {
            return Err(PortfolioError::OpeningCash);
        }
        check_costs(&costs)?;
        Ok(Self {
            name,
            opening_cash,
            costs,
            limits: limits.checked()?,
            cash: opening_cash,
            pending: Vec::new(),
            positions: BTreeMap::new(),
            realised: Notional::ZERO,
            charges: Notional::ZERO,
            dividends: Notional::ZERO,
            through,
        })
    }

    /// Calls it something else.
    ///
    /// # Errors
    ///
    /// [`PortfolioError::Name`] for a name that is none; nothing is changed then.
    pub fn rename(&mut self, name: &str) -> Result<(), PortfolioError> {
        self.name = checked_name(name)?;
        Ok(())
    }

    /// The cash that has changed hands by the end of `on`, as far as is known today; negative when
    /// purchases settle before the sales that pay for them.
    pub fn settled_cash(&self, on: Date) -> Notional {
        let later = self.pending.iter().filter(|pending| pending.settles_on > on);
        later.fold(self.cash, |cash, pending| cash.saturating_sub(pending.amount))
    }

    /// The shares that are held.
    pub fn shares(&self, symbol: Symbol) -> Shares {
        self.positions.get(&symbol).map_or(Shares(0), |position| position.shares)
    }

    /// The shares that are held and that no open sale offers.
    pub fn free_shares(&self, symbol: Symbol, open_orders: &[Order]) -> Shares {
        let offered = open_orders
            .iter()
            .filter(|order| order.is_open() && order.intent.symbol == symbol)
            .filter(|order| order.intent.side == Side::Sell)
            .fold(0_u64, |offered, order| offered.saturating_add(order.remaining().0));
        Shares(self.shares(symbol).0.saturating_sub(offered))
    }

    /// The cash that no open purchase binds, with what has not settled: purchases and sales settle
    /// net of each other. Below zero when other orders have used cash that an open one counted with.
    pub fn buying_power(&self, open_orders: &[Order]) -> Notional {
        open_orders
            .iter()
            .fold(self.cash, |free, order| free.saturating_sub(order.reserve(&self.costs)))
    }

    /// What it is worth: cash, and shares at the last close known for each. A share without one is
    /// counted at what it cost, and named.
    pub fn value(&self, close_of: impl Fn(Symbol) -> Option<Price>) -> Valuation {
        let (mut invested, mut unrealised, mut missing) =
            (Notional::ZERO, Notional::ZERO, Vec::new());
        for (symbol, position) in &self.positions {
            let worth = match position.ex_price.or_else(|| close_of(*symbol)) {
                Some(close) => amount_of(close, position.shares),
                None => {
                    missing.push(*symbol);
                    position.cost
                }
            };
            invested = invested.saturating_add(worth);
            unrealised = unrealised.saturating_add(worth.saturating_sub(position.cost));
        }
        let value = self.cash.saturating_add(invested);
        Valuation { value, cash: self.cash, invested, unrealised, missing }
    }
}

/// Whether each part of the costs is one that a broker may ask.
fn check_costs(costs: &CostModel) -> Result<(), PortfolioError> {
    let parts = [
        ("commission_share", costs.commission_share, COST_SHARE_MAX),
        (BSMV, costs.bsmv_share_of_commission, 1.0),
        ("exchange_fee_share", costs.exchange_fee_share, COST_SHARE_MAX),
        ("slippage_share", costs.slippage_share, COST_SHARE_MAX),
    ];
    match parts.into_iter().find(|(_, share, most)| !(0.0..=*most).contains(share)) {
        Some((field, ..)) => Err(PortfolioError::Costs { field }),
        None => Ok(()),
    }
}
