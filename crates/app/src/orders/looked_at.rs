//! Looking at an order: what is known when it is asked for, and what is said of it.

use bist_access::{Account, PortfolioId};
use bist_market::bar::day_of;
use bist_market::{
    Calendar, ExchangeRules, InstrumentClass, Notional, Origin, Price, Symbol, TradingTimes,
};
use bist_store::StoredPortfolio;
use bist_trading::{
    Approved, Charges, Denial, Order, OrderIntent, Quoted, RiskContext, Side, reserve, review,
};
use jiff::Timestamp;
use jiff::civil::Date;

use super::OrderPreview;
use crate::App;
use crate::nightly::last_due;
use crate::paper_sessions::TradedShares;
use crate::portfolios::{TradingError, value_at};

/// An order that was looked at.
pub(super) struct LookedAt {
    /// When.
    pub(super) at: Timestamp,
    /// Whether the share is real.
    origin: Option<Origin>,
    /// The portfolio as it was.
    pub(super) portfolio: StoredPortfolio,
    /// What the share last cost.
    quoted: Option<Quoted>,
    /// The first session that may execute it.
    pub(super) first_session: Date,
    /// When the opening auction of that begins.
    executes_from: Timestamp,
    /// What is said of it.
    pub(super) reviewed: Result<Approved<OrderIntent>, Denial>,
}

impl App {
    /// Looks at an order of a portfolio of `account`; nothing is kept.
    pub(super) async fn look_at(
        &self,
        account: &Account,
        portfolio: &PortfolioId,
        intent: OrderIntent,
    ) -> Result<LookedAt, TradingError> {
        let now = self.now();
        let (first_session, executes_from) = first_session(now).ok_or(TradingError::NoSession)?;
        let (stored, open) = self.stored_portfolio(account, portfolio.as_str()).await?;
        let bars = self.daily_bars().await?;
        if !bars.series.contains_key(&intent.symbol) {
            return Err(TradingError::NoSuchSymbol(intent.symbol));
        }
        let held = stored.portfolio.positions.keys().copied();
        let traded = self.traded_shares(&bars, held.chain([intent.symbol])).await?;
        let (halt, _) = self.store.trading_halt().await?;
        let quoted = quoted(&traded, intent.symbol, now);
        let open: Vec<Order> = open.into_iter().map(|stored| stored.order).collect();
        let reviewed = review(
            intent,
            &RiskContext {
                halted: halt.is_some_and(|halt| halt.is_halted),
                closed: stored.closed_at.is_some(),
                rules: ExchangeRules::bist(),
                calendar: Calendar::bist(),
                first_session,
                quoted,
                portfolio: &stored.portfolio,
                open_orders: &open,
                value: value_at(&stored.portfolio, &traded).value,
                position_value: position_value(&stored, &traded, intent.symbol),
            },
        );
        Ok(LookedAt {
            at: now,
            origin: bars.origin_of(intent.symbol),
            portfolio: stored,
            quoted,
            first_session,
            executes_from,
            reviewed,
        })
    }
}

impl LookedAt {
    /// What the order would be, at its limit or the last close.
    pub(super) fn preview(self, intent: &OrderIntent) -> Result<OrderPreview, Denial> {
        self.reviewed?;
        let quoted = self.quoted.ok_or(Denial::NoBars)?;
        let portfolio = &self.portfolio.portfolio;
        let price = intent.kind.limit_price().unwrap_or(quoted.last_close);
        let amount = Notional::of(price, intent.quantity).ok_or(Denial::TooLarge)?;
        let charges = Charges::of(amount, &portfolio.costs);
        let rules = ExchangeRules::bist();
        let bound = reserve(intent, &quoted, rules, self.first_session, &portfolio.costs);
        let traded = match intent.side {
            Side::Buy => portfolio.cash.saturating_sub(amount),
            Side::Sell => portfolio.cash.saturating_add(amount),
        };
        Ok(OrderPreview {
            origin: self.origin,
            estimated_price: price,
            amount,
            charges,
            reserve: bound.ok_or(Denial::LimitsUnknown)?,
            first_session: self.first_session,
            executes_from: self.executes_from,
            cash_after: traded.saturating_sub(charges.total()),
            price_limits: rules.daily_limits_of(
                self.first_session,
                intent.symbol,
                quoted.last_close,
            ),
            price_step: rules.tick(self.first_session, price),
        })
    }
}

/// The first session whose opening auction begins after `now`, and when it does; `None` beyond the
/// calendar.
pub(super) fn first_session(now: Timestamp) -> Option<(Date, Timestamp)> {
    let times = TradingTimes::bist();
    let opens_at = times.opens_at(now)?;
    // Of a session that has begun the next one is meant.
    let opens_at =
        if opens_at > now { opens_at } else { times.opens_at(times.ends_at(day_of(now))?)? };
    Some((day_of(opens_at), opens_at))
}

/// What `symbol` last cost; `None` for what is no share, or where that cannot be told.
fn quoted(traded: &TradedShares, symbol: Symbol, now: Timestamp) -> Option<Quoted> {
    if symbol.class() != InstrumentClass::Share {
        return None;
    }
    let last = traded.get(symbol)?.last()?;
    // A session whose data are not due is not missed yet.
    let (expected_day, _) = last_due(now, Calendar::bist())?;
    Some(Quoted { last_day: last.day, last_close: last.close, expected_day })
}

/// What the portfolio holds of `symbol` is worth, at the closes that the portfolio is valued at.
fn position_value(stored: &StoredPortfolio, traded: &TradedShares, symbol: Symbol) -> Notional {
    let portfolio = &stored.portfolio;
    let worth = portfolio.positions.get(&symbol).and_then(|position| {
        let close: Option<Price> =
            position.ex_price.or_else(|| traded.close_by(symbol, portfolio.through));
        close.map_or(Some(position.cost), |close| Notional::of(close, position.shares))
    });
    worth.unwrap_or(Notional::ZERO)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(now: &str, day: Date, opens_at: &str) {
        let at = |text: &str| -> Timestamp {
            format!("{}:00+03:00", text.replace(' ', "T")).parse().unwrap()
        };
        assert_eq!(first_session(at(now)), Some((day, at(opens_at))));
    }

    #[test]
    fn an_order_waits_for_an_opening_auction_that_begins_after_it() {
        // Friday the 27th of November 2026 is a session like any other.
        check("2026-11-27 09:39", date(2026, 11, 27), "2026-11-27 09:40");
        check("2026-11-27 09:40", date(2026, 11, 30), "2026-11-30 09:40");
        check("2026-11-27 15:00", date(2026, 11, 30), "2026-11-30 09:40");
        check("2026-11-27 20:00", date(2026, 11, 30), "2026-11-30 09:40");
        check("2026-11-28 12:00", date(2026, 11, 30), "2026-11-30 09:40");
        assert_eq!(first_session("2199-01-05T12:00:00Z".parse().unwrap()), None);
    }
}
