//! Paper portfolios: paper money of one person, and what became of it.
//!
//! No broker is asked and nothing real is bought. What a portfolio holds changes when a session is
//! applied ([`crate::paper_sessions`]) and at no other time; what is shown of it here is worth what the
//! newest stored closes say.

mod risk;
mod view;

use bist_access::{Account, PortfolioId};
use bist_market::{Notional, Origin, Price, Shares, Source, Symbol};
use bist_store::{PaperEventRecord, PortfolioClosing, StoreError, StoredOrder, StoredPortfolio};
use bist_trading::portfolio::{PORTFOLIOS_MAX, PortfolioError};
use bist_trading::risk::RiskLimitsError;
use bist_trading::value_at_risk::{Drawdown, TailRisk};
use bist_trading::{CostModel, DayValue, Denial, Portfolio, RiskLimits};
use jiff::Timestamp;
use jiff::civil::Date;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use crate::App;
use crate::paper_sessions::last_ended;

pub(crate) use view::value_at;

/// Portfolios that are kept of one person, closed ones too: all are looked at together.
pub const PORTFOLIOS_KEPT_MAX: usize = 100;

/// Why something of paper trading was not done.
#[derive(Debug, thiserror::Error)]
pub enum TradingError {
    /// There is no such portfolio of theirs.
    #[error(
        "there is no paper portfolio '{0}' of yours; GET /api/v1/portfolios lists those there are"
    )]
    NoSuchPortfolio(String),
    /// There is no such order of theirs.
    #[error("there is no paper order '{0}' of yours; GET /api/v1/orders lists those there are")]
    NoSuchOrder(String),
    /// The order has come to its end.
    #[error("the order '{0}' is not open any more; nothing of it can be cancelled")]
    NotOpen(String),
    /// The portfolio takes nothing any more.
    #[error("the paper portfolio '{0}' is closed; it can be read, and changes no more")]
    PortfolioClosed(String),
    /// There are as many as one person may have.
    #[error(
        "there are {PORTFOLIOS_MAX} open paper portfolios already, or {PORTFOLIOS_KEPT_MAX} with closed \
         ones, and no more are kept; close one, or go on with one that is open"
    )]
    TooManyPortfolios,
    /// It is no portfolio.
    #[error(transparent)]
    Portfolio(#[from] PortfolioError),
    /// They are no limits.
    #[error(transparent)]
    Limits(#[from] RiskLimitsError),
    /// Nothing is known of the share.
    #[error("there are no daily bars of {0}; GET /api/v1/symbols lists what there is")]
    NoSuchSymbol(Symbol),
    /// The order was looked at, and is not taken.
    #[error("{0}")]
    Denied(Denial),
    /// Another order was placed under the key.
    #[error(
        "another order was placed under this Idempotency-Key; give each order a key of its own"
    )]
    KeyReused,
    /// The calendar ends.
    #[error("the calendar knows no session after now, so no order can be placed")]
    NoSession,
    /// The portfolio changed each time that something was to be done by what it was.
    #[error("the portfolio is being changed at this moment; try again")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a portfolio begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct PortfolioTerms {
    /// What its owner calls it, 1 to 60 characters.
    pub name: String,
    /// The paper money in it.
    pub opening_cash: Notional,
    /// What trading costs; the defaults of [`CostModel`] otherwise.
    pub costs: Option<CostModel>,
    /// What an order may be at most; the defaults of [`RiskLimits`] otherwise.
    pub limits: Option<RiskLimits>,
}

/// A portfolio as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PortfolioView {
    /// Its name for programs.
    pub id: PortfolioId,
    /// How often it was written, from one.
    pub revision: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Its name, terms, cash and what settles when; [`Portfolio::through`] is the last session applied.
    pub portfolio: Portfolio,
    /// The newest day of a close that it is valued at, never after [`Portfolio::through`]; `None` without
    /// positions.
    pub as_of: Option<Date>,
    /// Cash, and the positions at their last closes.
    pub value: Notional,
    /// The positions at their last closes.
    pub invested: Notional,
    /// What the positions are worth above what they cost.
    pub unrealised: Notional,
    /// Shares of which no close is known; they count what they cost.
    pub missing: Vec<Symbol>,
    /// The value less the cash that it was opened with.
    pub total_profit: Notional,
    /// What the last session that was applied brought; `None` before there was one.
    pub day_profit: Option<Notional>,
    /// The cash that has settled by today.
    pub settled_cash: Notional,
    /// What open purchases bind at most.
    pub reserved: Notional,
    /// The cash less what is bound.
    pub available: Notional,
    /// Open orders.
    pub open_orders_count: usize,
    /// The positions, by symbol.
    pub positions: Vec<PositionView>,
    /// What may be lost, and what was.
    pub risk: PortfolioRisk,
}

/// A position as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct PositionView {
    /// Which share.
    pub symbol: Symbol,
    /// How many are held.
    pub shares: Shares,
    /// How many no open sale offers.
    pub free_shares: Shares,
    /// What they cost, charges included.
    pub cost: Notional,
    /// What one of them cost.
    pub average_cost: Option<Price>,
    /// The last close, as traded; the theoretical price where the share has not traded since an ex-day.
    pub last_close: Option<Price>,
    /// The day of the last bar.
    pub last_day: Option<Date>,
    /// Whether the share is real; `None` without data of it.
    pub origin: Option<Origin>,
    /// Where its bars come from.
    pub source: Option<Source>,
    /// Whether the data of a later session are due.
    pub is_stale: bool,
    /// What they are worth.
    pub value: Option<Notional>,
    /// How the close changed against the one before, corporate actions taken out; a share.
    pub day_change_share: Option<f64>,
    /// The value less the cost.
    pub unrealised: Option<Notional>,
    /// Its part of the value of the portfolio, 0..=1.
    pub value_share: Option<f64>,
}

/// What may be lost with a portfolio, and what was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortfolioRisk {
    /// One session ahead, of today's holdings by their past returns, at [`TAIL_LEVELS`]; empty without
    /// positions, or where too few sessions of all of them are known.
    pub tails: Vec<TailRisk>,
    /// The deepest fall of the recorded values, of which the first is the opening cash: its indices count
    /// from there.
    pub drawdown: Option<Drawdown>,
    /// What is invested, a share of the value.
    pub invested_share: Option<f64>,
    /// The part of the largest position of the value; to be compared with
    /// [`RiskLimits::position_share_max`].
    pub largest_position_share: Option<f64>,
}

/// The levels at which [`PortfolioRisk::tails`] are told.
pub const TAIL_LEVELS: [f64; 2] = [0.95, 0.99];

/// A part of the record of a portfolio.
#[derive(Clone, Debug, PartialEq)]
pub struct PortfolioEventsPage {
    /// The events, the newest first.
    pub items: Vec<PaperEventRecord>,
    /// The place before which the next page begins; `None` at the end.
    pub next_before: Option<u64>,
}

impl App {
    /// The portfolios of `account`, the oldest first, closed ones too.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when the database fails.
    pub async fn portfolios(&self, account: &Account) -> Result<Vec<PortfolioView>, TradingError> {
        let mut views = Vec::new();
        for stored in self.store.portfolios(&account.id).await? {
            let open = self.store.open_orders(&stored.id).await?;
            views.push(self.view_of(stored, open).await?);
        }
        Ok(views)
    }

    /// The portfolio `id` of `account`.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is none, or the database fails.
    pub async fn portfolio(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<PortfolioView, TradingError> {
        let (stored, open) = self.stored_portfolio(account, id).await?;
        Ok(self.view_of(stored, open).await?)
    }

    /// Opens a portfolio of `account`.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when the terms are none, there are too many, or the database fails.
    pub async fn open_portfolio(
        &self,
        account: &Account,
        terms: PortfolioTerms,
    ) -> Result<PortfolioView, TradingError> {
        let PortfolioTerms { name, opening_cash, costs, limits } = terms;
        let audit = self.audit().await?;
        let through = last_ended(audit.at).ok_or(TradingError::NoSession)?;
        let (costs, limits) = (costs.unwrap_or_default(), limits.unwrap_or_default());
        let portfolio = Portfolio::open(&name, opening_cash, costs, limits, through)?;
        let id = PortfolioId::generate(&mut UnwrapErr(SysRng));
        let most = (PORTFOLIOS_MAX, PORTFOLIOS_KEPT_MAX);
        if !self.store.add_portfolio(&account.id, &id, &portfolio, most, &audit).await? {
            return Err(TradingError::TooManyPortfolios);
        }
        self.live.stir();
        self.portfolio(account, id.as_str()).await
    }

    /// Closes the portfolio `id` of `account` and cancels its open orders. It can be read afterwards, and
    /// changes no more.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is none, it was closed before, or the database fails.
    pub async fn close_portfolio(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<PortfolioView, TradingError> {
        let id = portfolio_id(id)?;
        let audit = self.audit().await?;
        match self.store.close_portfolio(&account.id, &id, &audit).await? {
            PortfolioClosing::Closed(stored) => {
                self.live.stir();
                Ok(self.view_of(*stored, Vec::new()).await?)
            }
            PortfolioClosing::ClosedBefore => Err(TradingError::PortfolioClosed(id.to_string())),
            PortfolioClosing::NotThere => Err(TradingError::NoSuchPortfolio(id.to_string())),
        }
    }

    /// What sessions did to the portfolio `id` of `account`, the newest first, at most `limit` before the
    /// place `before`.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is none, or the database fails.
    pub async fn portfolio_events(
        &self,
        account: &Account,
        id: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<PortfolioEventsPage, TradingError> {
        let (stored, _) = self.stored_portfolio(account, id).await?;
        let mut items =
            self.store.paper_events(&stored.id, before, limit.saturating_add(1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_before = items.last().filter(|_| more).map(|event| event.seq);
        Ok(PortfolioEventsPage { items, next_before })
    }

    /// What the portfolio `id` of `account` was worth on each session that was applied, the oldest first.
    ///
    /// # Errors
    ///
    /// [`TradingError`] when there is none, or the database fails.
    pub async fn portfolio_days(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<Vec<DayValue>, TradingError> {
        let (stored, _) = self.stored_portfolio(account, id).await?;
        Ok(self.store.paper_days(&stored.id).await?)
    }

    /// The portfolio `id` of `account` with its open orders, as they are at one moment.
    pub(crate) async fn stored_portfolio(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<(StoredPortfolio, Vec<StoredOrder>), TradingError> {
        let id = portfolio_id(id)?;
        let stored = self.store.portfolio(&account.id, &id).await?;
        stored.ok_or_else(|| TradingError::NoSuchPortfolio(id.to_string()))
    }
}

/// Reads the name of a portfolio; one that is none names nothing.
pub(crate) fn portfolio_id(text: &str) -> Result<PortfolioId, TradingError> {
    text.parse().map_err(|_| TradingError::NoSuchPortfolio(text.chars().take(40).collect()))
}
