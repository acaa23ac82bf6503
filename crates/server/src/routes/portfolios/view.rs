//! How a portfolio looks: what is in it, what it is worth, and what may become of that.

use bist_app::portfolios::{PortfolioView, PositionView};
use bist_market::bar::day_of;
use bist_market::{Notional, Source, Symbol};
use bist_trading::{DayValue, Drawdown, Pending, TailRisk};
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::terms::{CostsDocument, LimitsDocument};
use crate::schema::{Amount, Day, Decimal, Instant, OriginWord};

/// Money that was traded for and has not changed hands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PendingMoney)]
pub(super) struct PendingResponse {
    /// When it does.
    settles_on: Day,
    /// How much: positive when it comes, negative when it is paid.
    amount: Amount,
}

/// Shares that are held.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Position)]
struct PositionResponse {
    /// The ticker.
    #[schema(value_type = String, example = "THYAO")]
    symbol: Symbol,
    /// How many.
    #[schema(example = 100)]
    quantity_shares: u64,
    /// How many of them no open order offers for sale.
    #[schema(example = 100)]
    free_shares: u64,
    /// What they cost, charges counted, by the average of what was paid.
    cost: Amount,
    /// The same of one share.
    #[schema(required)]
    average_cost: Option<Decimal>,
    /// The last close by the last session that was applied, as traded; null when there is none.
    #[schema(required)]
    last_close: Option<Decimal>,
    /// The day of that close.
    #[schema(required)]
    last_day: Option<Day>,
    /// Whether the share is real; null without data of it.
    #[schema(required)]
    origin: Option<OriginWord>,
    /// Where the close comes from.
    #[schema(required, value_type = Option<String>, example = "csv")]
    source: Option<Source>,
    /// Whether a newer close is due and has not been received.
    is_stale: bool,
    /// That close against the one before, corporate actions taken out.
    #[schema(required)]
    day_change_share: Option<f64>,
    /// What they are worth at that close.
    #[schema(required)]
    value: Option<Amount>,
    /// Which share of the value of the portfolio that is.
    #[schema(required)]
    value_share: Option<f64>,
    /// What they are worth above what they cost, charges of a sale not counted.
    #[schema(required)]
    unrealised: Option<Amount>,
}

/// What may be lost in one session, by the past of what is held now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TailRisk)]
struct TailRiskResponse {
    /// In which share of sessions the loss was no larger.
    #[schema(minimum = 0, maximum = 1, example = 0.95)]
    level: f64,
    /// Value at risk: that loss, as a share of the value.
    value_at_risk_share: f64,
    /// Expected shortfall: the mean of the losses beyond it, as a share of the value.
    expected_shortfall_share: f64,
    /// How many past sessions it is made of.
    #[schema(example = 250)]
    returns_count: u64,
}

/// The deepest fall of the value.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PortfolioDrawdown)]
struct DrawdownResponse {
    /// By how much it fell, as a share of the value before.
    #[schema(minimum = 0, maximum = 1)]
    share: f64,
    /// From which session; the day on which it was opened, where it was never worth more.
    peak_day: Day,
    /// To which session.
    trough_day: Day,
}

/// A portfolio of paper money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Portfolio)]
pub(crate) struct PortfolioResponse {
    /// Always true: no broker is asked, and no money is at stake.
    paper: bool,
    /// Its name for programs.
    #[schema(example = "f0123456789abcdef")]
    id: String,
    /// What its owner calls it.
    #[schema(example = "Deneme")]
    name: String,
    /// When it was opened.
    opened_at: Instant,
    /// When it was closed; null while it is open.
    #[schema(required)]
    closed_at: Option<Instant>,
    /// How often it or one of its orders was written.
    revision: u64,
    /// The last session that was applied to it.
    through: Day,
    /// The newest day of a close that it is valued at; null without shares.
    #[schema(required)]
    as_of: Option<Day>,
    /// With how much it was opened.
    opening_cash: Amount,
    /// Money and shares together, at the closes of the last session that was applied.
    value: Amount,
    /// The money, with what has not settled.
    cash: Amount,
    /// The money that has settled.
    settled_cash: Amount,
    /// The money that open orders bind at most.
    reserved_cash: Amount,
    /// The money that no open order binds, with what has not settled: what a purchase may cost.
    free_cash: Amount,
    /// What the shares are worth at those closes.
    invested: Amount,
    /// The same as a share of the value.
    #[schema(required)]
    invested_share: Option<f64>,
    /// The value less what it was opened with.
    profit: Amount,
    /// The same as a share of what it was opened with.
    profit_share: f64,
    /// What the last session that was applied brought; null before there was one.
    #[schema(required)]
    day_profit: Option<Amount>,
    /// What the shares are worth above what they cost.
    unrealised: Amount,
    /// What was gained by sales and dividends, after charges.
    realised: Amount,
    /// Commissions, taxes on them and fees that were paid.
    charges: Amount,
    /// Dividends that were received, after tax.
    dividends: Amount,
    /// What was traded for and has not changed hands.
    pending: Vec<PendingResponse>,
    /// How many orders are open.
    open_orders_count: u64,
    /// What is held, by ticker.
    positions: Vec<PositionResponse>,
    /// Which share of the value the largest position is, to be held against
    /// `limits.position_share_max`.
    #[schema(required)]
    largest_position_share: Option<f64>,
    /// Shares without any close, which count with what they cost.
    #[schema(value_type = Vec<String>, example = json!([]))]
    missing: Vec<Symbol>,
    /// What trading costs.
    costs: CostsDocument,
    /// What an order may not go beyond.
    limits: LimitsDocument,
    /// What may be lost in one session; empty with too short a past.
    tail_risks: Vec<TailRiskResponse>,
    /// The deepest fall of the value since it was opened; null before there was one.
    #[schema(required)]
    drawdown: Option<DrawdownResponse>,
}

impl PortfolioResponse {
    /// A portfolio whose values after each session are `days`, of which those without a drawdown need
    /// none.
    pub(super) fn of(view: PortfolioView, days: &[DayValue]) -> Self {
        let opened_on = day_of(view.opened_at);
        let PortfolioView { portfolio, risk, .. } = view;
        Self {
            paper: true,
            id: view.id.to_string(),
            name: portfolio.name,
            opened_at: Instant(view.opened_at),
            closed_at: view.closed_at.map(Instant),
            revision: view.revision,
            through: Day(portfolio.through),
            as_of: view.as_of.map(Day),
            opening_cash: Amount(portfolio.opening_cash),
            value: Amount(view.value),
            cash: Amount(portfolio.cash),
            settled_cash: Amount(view.settled_cash),
            reserved_cash: Amount(view.reserved),
            free_cash: Amount(view.available),
            invested: Amount(view.invested),
            invested_share: risk.invested_share,
            profit: Amount(view.total_profit),
            profit_share: ratio(view.total_profit, portfolio.opening_cash),
            day_profit: view.day_profit.map(Amount),
            unrealised: Amount(view.unrealised),
            realised: Amount(portfolio.realised),
            charges: Amount(portfolio.charges),
            dividends: Amount(portfolio.dividends),
            pending: portfolio.pending.into_iter().map(PendingResponse::from).collect(),
            open_orders_count: view.open_orders_count as u64,
            positions: view.positions.into_iter().map(PositionResponse::from).collect(),
            largest_position_share: risk.largest_position_share,
            missing: view.missing,
            costs: portfolio.costs.into(),
            limits: portfolio.limits.into(),
            tail_risks: risk.tails.into_iter().map(TailRiskResponse::from).collect(),
            drawdown: risk.drawdown.and_then(|fall| DrawdownResponse::of(fall, opened_on, days)),
        }
    }
}

impl DrawdownResponse {
    /// The fall from one value to another: the first is what the portfolio was opened with, and those
    /// of `days` follow. `None` when there was none.
    fn of(fall: Drawdown, opened_on: Date, days: &[DayValue]) -> Option<Self> {
        let day = |index: usize| match index.checked_sub(1) {
            None => Some(Day(opened_on)),
            Some(index) => days.get(index).map(|day| Day(day.day)),
        };
        let (peak_day, trough_day) = (day(fall.peak_index)?, day(fall.trough_index)?);
        (fall.share > 0.0).then_some(Self { share: fall.share, peak_day, trough_day })
    }
}

impl From<Pending> for PendingResponse {
    fn from(pending: Pending) -> Self {
        Self { settles_on: Day(pending.settles_on), amount: Amount(pending.amount) }
    }
}

impl From<PositionView> for PositionResponse {
    fn from(position: PositionView) -> Self {
        Self {
            symbol: position.symbol,
            quantity_shares: position.shares.0,
            free_shares: position.free_shares.0,
            cost: Amount(position.cost),
            average_cost: position.average_cost.map(Decimal),
            last_close: position.last_close.map(Decimal),
            last_day: position.last_day.map(Day),
            origin: position.origin.map(OriginWord),
            source: position.source,
            is_stale: position.is_stale,
            day_change_share: position.day_change_share,
            value: position.value.map(Amount),
            value_share: position.value_share,
            unrealised: position.unrealised.map(Amount),
        }
    }
}

impl From<TailRisk> for TailRiskResponse {
    fn from(risk: TailRisk) -> Self {
        Self {
            level: risk.level,
            value_at_risk_share: risk.value_at_risk_share,
            expected_shortfall_share: risk.expected_shortfall_share,
            returns_count: risk.returns_count as u64,
        }
    }
}

/// `part` as a share of `whole`, which is above zero.
#[expect(clippy::cast_precision_loss, reason = "a share needs no last digit of an amount")]
fn ratio(part: Notional, whole: Notional) -> f64 {
    part.units() as f64 / whole.units() as f64
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_fall_is_from_the_opening_or_from_a_session() {
        let opened_on = date(2026, 11, 20);
        let value = |day| DayValue {
            day: date(2026, 11, day),
            value: Notional::ZERO,
            cash: Notional::ZERO,
            stale: Vec::new(),
        };
        let days = [value(23), value(24), value(25)];
        let between = |peak_index, trough_index| {
            let fall = Drawdown { share: 0.1, peak_index, trough_index };
            let told = DrawdownResponse::of(fall, opened_on, &days)?;
            Some((told.peak_day.0.day(), told.trough_day.0.day()))
        };
        assert_eq!(between(0, 1), Some((20, 23)));
        assert_eq!(between(2, 3), Some((24, 25)));
        assert_eq!(between(2, 4), None, "a value that is not told");
        let none = Drawdown { share: 0.0, peak_index: 0, trough_index: 0 };
        assert!(DrawdownResponse::of(none, opened_on, &days).is_none());
    }
}
