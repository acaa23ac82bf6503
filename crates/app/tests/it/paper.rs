//! Paper trading from the order to the fill: sessions that are applied once, and what is denied.

use std::path::Path;
use std::sync::Arc;

use bist_access::{Account, Actor, Role, Secret};
use bist_app::access::Visit;
use bist_app::orders::{OrderView, OrdersWanted};
use bist_app::portfolios::{PortfolioTerms, PortfolioView, TAIL_LEVELS, TradingError};
use bist_app::{App, AuditFilter};
use bist_market::{BarSeries, Notional, Price, Shares, Symbol, ValidationPolicy};
use bist_testkit::hand_clock::HandClock;
use bist_trading::{
    CancelReason, Denial, OrderIntent, OrderKind, OrderStatus, RiskLimits, Side, Validity,
};
use jiff::civil::{Date, date};
use tempfile::TempDir;

use crate::market::{ingest, walks};

const SHARE: &str = "AAAA1";

/// A data directory, its clock, all bars there will be, and somebody who trades.
struct World {
    folder: TempDir,
    clock: Arc<HandClock>,
    series: Vec<BarSeries>,
    ayse: Account,
}

async fn process(folder: &Path, clock: &Arc<HandClock>) -> App {
    App::open(folder, clock.clone(), ValidationPolicy::default()).await.unwrap()
}

/// Two shares up to Friday, 20 November 2026, on the evening of that day, and an empty portfolio.
async fn world() -> (World, App, PortfolioView) {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-20T19:00"));
    let app = process(folder.path(), &clock).await;
    let series = walks(&[SHARE, "BBBB1"], date(2026, 1, 5), date(2026, 12, 1));
    ingest(&app, &series, date(2026, 11, 20), None).await;
    let invited = app.invite("ayse", Role::Trader).await.unwrap();
    let password = Secret::new("kirmizi bisiklet yagmur 7");
    let signed_in =
        app.accept_invitation(invited.token.expose(), &password, &Visit::default()).await.unwrap();
    let ayse = signed_in.account;
    let app = app.acting(Actor::Account(ayse.id.clone()), Some("r1".to_owned()));
    let terms = PortfolioTerms {
        name: "deneme".to_owned(),
        opening_cash: lira(100_000),
        costs: None,
        limits: Some(RiskLimits::new(lira(50_000), 0.5).unwrap()),
    };
    let portfolio = app.open_portfolio(&ayse, terms).await.unwrap();
    (World { folder, clock, series, ayse }, app, portfolio)
}

impl World {
    /// The bars up to `until` come, on the evening of that day.
    async fn bars_come(&self, app: &App, until: Date) {
        self.clock.set(&format!("{until}T19:00"));
        ingest(app, &self.series, until, None).await;
    }

    /// The open of the share on `day`.
    fn open_of(&self, day: Date) -> Price {
        let bar = self.series[0].bars.iter().find(|bar| bar.day() == day).unwrap();
        Price::from_units(bar.open_units.unwrap()).unwrap()
    }
}

fn lira(count: i64) -> Notional {
    Notional::from_units(count * 10_000)
}

fn buy(shares: u64) -> OrderIntent {
    OrderIntent {
        symbol: Symbol::parse(SHARE).unwrap(),
        side: Side::Buy,
        quantity: Shares(shares),
        kind: OrderKind::Market,
        validity: Validity::Day,
    }
}

async fn place(app: &App, ayse: &Account, of: &PortfolioView, intent: OrderIntent) -> OrderView {
    let placed = app.place_order(ayse, of.id.as_str(), intent, None).await.unwrap();
    assert!(placed.is_new);
    placed.order
}

/// Who did what about paper trading, the oldest first.
async fn done(app: &App) -> Vec<(String, String)> {
    let records = app.audit_records(&AuditFilter::default(), 1_000).await.unwrap();
    let nouns = ["portfolio.", "order.", "trading."];
    records
        .into_iter()
        .rev()
        .filter(|record| nouns.iter().any(|noun| record.action.starts_with(noun)))
        .map(|record| (record.action, record.actor))
        .collect()
}

#[tokio::test]
async fn an_order_is_executed_by_the_session_after_it_once_whichever_process_applies_it() {
    let (world, app, opened) = world().await;
    let ayse = &world.ayse;
    assert_eq!((opened.value, opened.available), (lira(100_000), lira(100_000)));
    let order = place(&app, ayse, &opened, buy(100)).await;
    assert_eq!(order.order.first_session, date(2026, 11, 23));
    let waiting = app.portfolio(ayse, opened.id.as_str()).await.unwrap();
    assert!(waiting.reserved > Notional::ZERO && waiting.available < lira(100_000));
    assert_eq!(app.apply_paper_sessions().await.unwrap().sessions_count, 0, "nothing is due");

    world.bars_come(&app, date(2026, 11, 23)).await;
    let other = process(world.folder.path(), &world.clock).await;
    let (ours, theirs) = tokio::join!(app.apply_paper_sessions(), other.apply_paper_sessions());
    let again = (ours.unwrap().sessions_count, theirs.unwrap().sessions_count);
    assert_eq!(again, (0, 0), "it was applied when the bars came");

    let filled = app.order(ayse, order.id.as_str()).await.unwrap();
    assert_eq!(filled.order.status, OrderStatus::Filled { on: date(2026, 11, 23) });
    let fill = filled.fills[0];
    assert!(fill.price >= world.open_of(date(2026, 11, 23)), "{fill:?}");
    let after = app.portfolio(ayse, opened.id.as_str()).await.unwrap();
    assert_eq!(after.portfolio.through, date(2026, 11, 23));
    assert_eq!(after.positions[0].shares, Shares(100));
    assert_eq!(after.positions[0].last_day, Some(date(2026, 11, 23)));
    assert!(!after.positions[0].is_stale);
    assert_eq!(after.risk.tails.len(), TAIL_LEVELS.len(), "more than a hundred sessions are known");
    assert_eq!(
        after.value.units(),
        (lira(100_000).units() + after.portfolio.realised.units()) + after.unrealised.units()
    );
    let days = app.portfolio_days(ayse, opened.id.as_str()).await.unwrap();
    assert_eq!(days.last().map(|day| day.value), Some(after.value));
    let events = app.portfolio_events(ayse, opened.id.as_str(), None, 10).await.unwrap();
    assert_eq!((events.items.len(), events.next_before), (1, None));
    let by = format!("account:{}", ayse.id);
    let expected = [
        ("portfolio.opened", by.as_str()),
        ("order.placed", by.as_str()),
        ("order.filled", "system"),
    ];
    let expected = expected.map(|(action, actor)| (action.to_owned(), actor.to_owned()));
    assert_eq!(done(&app).await, expected);
    assert_eq!(app.verify_audit(&[]).await.unwrap().broken, None);
}

#[tokio::test]
async fn sessions_that_were_missed_are_made_up_in_their_order_and_wait_for_bars() {
    let (world, app, opened) = world().await;
    place(&app, &world.ayse, &opened, buy(10)).await;
    // It is Wednesday evening, and only Monday has come: the other two sessions are waited for.
    world.clock.set("2026-11-25T19:00");
    ingest(&app, &world.series, date(2026, 11, 23), None).await;
    let days = async || -> Vec<Date> {
        let days = app.portfolio_days(&world.ayse, opened.id.as_str()).await.unwrap();
        days.into_iter().map(|day| day.day).collect()
    };
    assert_eq!(days().await, [date(2026, 11, 23)]);
    let report = app.apply_paper_sessions().await.unwrap();
    assert_eq!((report.sessions_count, report.waiting_count), (0, 1));
    ingest(&app, &world.series, date(2026, 11, 25), None).await;
    assert_eq!(days().await, [23, 24, 25].map(|day| date(2026, 11, day)));
}

#[tokio::test]
async fn what_is_denied_is_told_and_on_record_and_binds_nothing() {
    let (world, app, opened) = world().await;
    let (ayse, id) = (&world.ayse, opened.id.as_str());
    let denial = async |intent: OrderIntent| match app.place_order(ayse, id, intent, None).await {
        Err(TradingError::Denied(denial)) => denial.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(denial(buy(0)).await, "nothing_ordered");
    assert_eq!(denial(buy(5_000)).await, "notional_above_limit");
    assert_eq!(denial(OrderIntent { side: Side::Sell, ..buy(10) }).await, "shares_short");
    let unknown = OrderIntent { symbol: Symbol::parse("ZZZZ1").unwrap(), ..buy(10) };
    let error = app.place_order(ayse, id, unknown, None).await.unwrap_err();
    assert!(matches!(error, TradingError::NoSuchSymbol(_)), "{error}");
    let error = app.place_order(ayse, "f0000000000000000", buy(1), None).await.unwrap_err();
    assert!(matches!(error, TradingError::NoSuchPortfolio(_)), "{error}");
    // Bars of Monday are due, and there are none.
    world.clock.set("2026-11-23T19:00");
    assert_eq!(denial(buy(10)).await, "stale");
    assert_eq!(app.orders(ayse, &OrdersWanted::default(), 10).await.unwrap().items, []);
    let actions: Vec<String> = done(&app).await.into_iter().map(|done| done.0).collect();
    assert_eq!(
        actions,
        ["portfolio.opened", "order.denied", "order.denied", "order.denied", "order.denied"]
    );
}

#[tokio::test]
async fn a_preview_tells_what_an_order_would_be_and_keeps_nothing() {
    let (world, app, opened) = world().await;
    let (ayse, id) = (&world.ayse, opened.id.as_str());
    let preview = app.preview_order(ayse, id, buy(100)).await.unwrap();
    assert_eq!(preview.first_session, date(2026, 11, 23));
    assert_eq!(preview.executes_from.to_string(), "2026-11-23T06:40:00Z");
    assert_eq!(Some(preview.amount), Notional::of(preview.estimated_price, Shares(100)));
    assert!(preview.reserve > preview.amount, "the upper limit, with charges");
    let paid = preview.amount.units() + preview.charges.total().units();
    assert_eq!(preview.cash_after.units(), lira(100_000).units() - paid);
    let error = app.preview_order(ayse, id, buy(0)).await.unwrap_err();
    assert!(matches!(error, TradingError::Denied(Denial::NothingOrdered)), "{error}");
    assert_eq!(app.orders(ayse, &OrdersWanted::default(), 10).await.unwrap().items, []);
    assert_eq!(done(&app).await.len(), 1, "the portfolio was opened");
}

#[tokio::test]
async fn the_same_key_is_the_same_order_or_none() {
    let (world, app, opened) = world().await;
    let (ayse, id) = (&world.ayse, opened.id.as_str());
    let first = app.place_order(ayse, id, buy(10), Some("k1")).await.unwrap();
    let again = app.place_order(ayse, id, buy(10), Some("k1")).await.unwrap();
    assert_eq!((first.is_new, again.is_new), (true, false));
    assert_eq!(first.order, again.order);
    let error = app.place_order(ayse, id, buy(11), Some("k1")).await.unwrap_err();
    assert!(matches!(error, TradingError::KeyReused), "{error}");
    let other = process(world.folder.path(), &world.clock).await;
    let (ours, theirs) = tokio::join!(
        app.place_order(ayse, id, buy(20), Some("k2")),
        other.place_order(ayse, id, buy(20), Some("k2"))
    );
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(ours.order, theirs.order);
    assert!(ours.is_new != theirs.is_new);
    assert_eq!(app.orders(ayse, &OrdersWanted::default(), 10).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn while_trading_is_halted_nothing_is_taken_and_nothing_is_open() {
    let (world, app, opened) = world().await;
    let (ayse, id) = (&world.ayse, opened.id.as_str());
    let order = place(&app, ayse, &opened, buy(10)).await;
    assert_eq!(app.trading_state().await.unwrap().open_orders, 1);
    let state = app.halt_trading("veri şüpheli").await.unwrap();
    assert!(state.halted);
    assert_eq!((state.reason.as_deref(), state.open_orders), (Some("veri şüpheli"), 0));
    assert_eq!(state.changed_by, Some(format!("account:{}", ayse.id)));
    let cancelled = app.order(ayse, order.id.as_str()).await.unwrap().order.status;
    assert!(matches!(cancelled, OrderStatus::Cancelled { reason: CancelReason::Halt, .. }));
    let error = app.place_order(ayse, id, buy(10), None).await.unwrap_err();
    assert!(matches!(error, TradingError::Denied(Denial::Halted)), "{error}");
    let error = app.cancel_order(ayse, order.id.as_str()).await.unwrap_err();
    assert!(matches!(error, TradingError::NotOpen(_)), "{error}");
    assert!(!app.resume_trading("veri doğru").await.unwrap().halted);
    place(&app, ayse, &opened, buy(10)).await;
}

#[tokio::test]
async fn a_closed_portfolio_is_read_and_takes_nothing() {
    let (world, app, opened) = world().await;
    let (ayse, id) = (&world.ayse, opened.id.as_str());
    let order = place(&app, ayse, &opened, buy(10)).await;
    let closed = app.close_portfolio(ayse, id).await.unwrap();
    assert!(closed.closed_at.is_some());
    let status = app.order(ayse, order.id.as_str()).await.unwrap().order.status;
    assert!(matches!(status, OrderStatus::Cancelled { reason: CancelReason::Closed, .. }));
    let error = app.place_order(ayse, id, buy(10), None).await.unwrap_err();
    assert!(matches!(error, TradingError::Denied(Denial::Closed)), "{error}");
    let error = app.close_portfolio(ayse, id).await.unwrap_err();
    assert!(matches!(error, TradingError::PortfolioClosed(_)), "{error}");
    world.bars_come(&app, date(2026, 11, 23)).await;
    assert_eq!(app.portfolio(ayse, id).await.unwrap(), closed);
    assert_eq!(app.portfolios(ayse).await.unwrap(), [closed]);
}

#[tokio::test]
async fn what_is_kept_of_a_person_has_their_paper_portfolios_until_they_are_forgotten() {
    let (world, app, opened) = world().await;
    place(&app, &world.ayse, &opened, buy(10)).await;
    world.bars_come(&app, date(2026, 11, 23)).await;
    app.invite("bora", Role::Admin).await.unwrap();
    let data = app.personal_data("ayse").await.unwrap();
    let [kept] = data.portfolios.as_slice() else { panic!("{:?}", data.portfolios) };
    assert_eq!((kept.orders.len(), kept.events.len(), kept.days.len()), (1, 1, 1));
    app.erase_user("ayse").await.unwrap();
    let error = app.portfolio(&world.ayse, opened.id.as_str()).await.unwrap_err();
    assert!(matches!(error, TradingError::NoSuchPortfolio(_)), "{error}");
    assert_eq!(app.apply_paper_sessions().await.unwrap().portfolios_count, 0);
    assert_eq!(app.verify_audit(&[]).await.unwrap().broken, None);
}
