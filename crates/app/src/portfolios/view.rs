//! A portfolio as its owner sees it, at the closes of the last session that was applied to it.

use std::sync::Arc;

use bist_market::bar::day_of;
use bist_market::rename::current_name;
use bist_market::{Calendar, Notional, Price, Symbol};
use bist_store::{StoreError, StoredOrder, StoredPortfolio};
use bist_trading::{DayValue, Order, Portfolio, Position, Valuation};
use jiff::civil::Date;

use super::risk::{risk_of, share};
use super::{PortfolioView, PositionView};
use crate::nightly::last_due;
use crate::paper_sessions::TradedShares;
use crate::{App, DailyBars, blocking};

/// What a view is made of.
struct Parts {
    stored: StoredPortfolio,
    open: Vec<Order>,
    days: Vec<DayValue>,
    bars: Arc<DailyBars>,
    traded: TradedShares,
    today: Date,
    /// The last session whose bars are due.
    expected: Option<Date>,
}

impl App {
    /// `stored` with its open orders as its owner sees it.
    pub(super) async fn view_of(
        &self,
        stored: StoredPortfolio,
        open: Vec<StoredOrder>,
    ) -> Result<PortfolioView, StoreError> {
        let bars = self.daily_bars().await?;
        let held: Vec<Symbol> = stored.portfolio.positions.keys().copied().collect();
        let parts = Parts {
            open: open.into_iter().map(|stored| stored.order).collect(),
            days: self.store.paper_days(&stored.id).await?,
            traded: self.traded_shares(&bars, held).await?,
            bars,
            stored,
            today: day_of(self.now()),
            expected: last_due(self.now(), Calendar::bist()).map(|(day, _)| day),
        };
        Ok(blocking(move || parts.view()).await)
    }
}

impl Parts {
    fn view(self) -> PortfolioView {
        let portfolio = &self.stored.portfolio;
        let value = value_at(portfolio, &self.traded);
        let positions: Vec<PositionView> = portfolio
            .positions
            .iter()
            .map(|(symbol, position)| self.position(*symbol, *position, value.value))
            .collect();
        let available = portfolio.buying_power(&self.open);
        let worth = (value.value, value.invested);
        let risk = risk_of(portfolio, &positions, worth, &self.days, (&self.bars, &self.traded));
        let before = self.days.len().checked_sub(2).map(|at| self.days[at].value);
        let day_profit = self
            .days
            .last()
            .map(|day| day.value.saturating_sub(before.unwrap_or(portfolio.opening_cash)));
        PortfolioView {
            as_of: positions.iter().filter_map(|position| position.last_day).max(),
            value: value.value,
            invested: value.invested,
            unrealised: value.unrealised,
            missing: value.missing,
            total_profit: value.value.saturating_sub(portfolio.opening_cash),
            day_profit,
            settled_cash: portfolio.settled_cash(self.today),
            reserved: portfolio.cash.saturating_sub(available),
            available,
            open_orders_count: self.open.len(),
            positions,
            risk,
            id: self.stored.id,
            revision: self.stored.revision,
            opened_at: self.stored.opened_at,
            closed_at: self.stored.closed_at,
            portfolio: self.stored.portfolio,
        }
    }

    fn position(&self, symbol: Symbol, position: Position, whole: Notional) -> PositionView {
        let through = self.stored.portfolio.through;
        let traded = self.traded.get(symbol);
        let bar = traded.and_then(|traded| traded.last_by(through));
        let close = position.ex_price.or_else(|| bar.map(|bar| bar.close));
        let value = close.and_then(|close| Notional::of(close, position.shares));
        let returns = traded.map(|traded| traded.returns(&self.bars, through));
        let day_change_share =
            returns.zip(bar).and_then(|(returns, bar)| returns.get(&bar.day).copied());
        PositionView {
            symbol,
            shares: position.shares,
            free_shares: self.stored.portfolio.free_shares(symbol, &self.open),
            cost: position.cost,
            average_cost: average(position),
            last_close: close,
            last_day: bar.map(|bar| bar.day),
            origin: self.bars.origin_of(symbol),
            source: self.bars.sources_of(current_name(symbol)).first().copied(),
            is_stale: bar.is_none_or(|bar| self.expected.is_some_and(|day| bar.day < day)),
            value,
            day_change_share,
            unrealised: value.map(|value| value.saturating_sub(position.cost)),
            value_share: value.and_then(|value| share(value, whole)),
        }
    }
}

/// What `portfolio` is worth at the closes of the last session that was applied to it: what came later
/// may be of other shares than it holds.
pub(crate) fn value_at(portfolio: &Portfolio, traded: &TradedShares) -> Valuation {
    portfolio.value(|symbol| traded.close_by(symbol, portfolio.through))
}

/// What one share of `position` cost.
fn average(position: Position) -> Option<Price> {
    let shares = i64::try_from(position.shares.0).ok().filter(|shares| *shares > 0)?;
    Price::from_units(position.cost.units() / shares).ok()
}
