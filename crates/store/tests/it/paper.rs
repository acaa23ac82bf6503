//! Paper trading in the database: each step once, whole, and on record, by several processes.

use std::collections::BTreeMap;

use bist_access::{Account, AccountId, AccountState, OrderId, PortfolioId, Role, SecondFactor};
use bist_market::{Calendar, ExchangeRules, Notional, Price, Shares};
use bist_store::{
    ActivityFilter, ActivityKind, Audit, AuditFilter, OrderCancelling, OrderFilter, OrderPlacing,
    PaperSession, PortfolioClosing, Store, StoredOrder, StoredPortfolio,
};
use bist_trading::{
    CancelReason, CostModel, DayValue, Denial, Order, OrderIntent, OrderKind, OrderStatus,
    PaperEvent, Portfolio, Quoted, RiskContext, RiskLimits, Session, SessionBar, Side, Validity,
    review, step,
};
use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};

use crate::home::Home;
use crate::{audit, store, symbol};

/// A Monday, the last session that has ended.
const BEFORE: Date = date(2026, 11, 23);

/// The session after it.
const FIRST: Date = date(2026, 11, 24);

fn evening() -> Timestamp {
    "2026-11-23T17:00:00Z".parse().unwrap()
}

fn portfolio_id(number: u64) -> PortfolioId {
    format!("f{number:016x}").parse().unwrap()
}

fn order_id(number: u64) -> OrderId {
    format!("o{number:016x}").parse().unwrap()
}

fn price(text: &str) -> Price {
    Price::parse(text).unwrap()
}

/// What puts a change on record, made in the evening.
async fn record(store: &Store) -> Audit {
    Audit { at: evening(), ..audit(store).await }
}

/// Somebody who has an account.
async fn person(store: &Store, number: u64, name: &str) -> AccountId {
    let owner = Account {
        id: format!("u{number:016x}").parse().unwrap(),
        user_name: name.parse().unwrap(),
        role: Role::Trader,
        state: AccountState::Active,
        second_factor: SecondFactor::NONE,
        created_at: evening(),
        last_signed_in_at: None,
    };
    let audit = record(store).await;
    let mut change = store.change_access().await.unwrap();
    change.add_account(&owner).await.unwrap();
    change.commit(&audit, Vec::new()).await.unwrap();
    owner.id
}

/// Opens the portfolio `number` of `account` with 100,000 TRY.
async fn open(store: &Store, account: &AccountId, number: u64) -> StoredPortfolio {
    let (costs, limits) = (CostModel::default(), RiskLimits::default());
    let cash = Notional::from_units(1_000_000_000);
    let portfolio = Portfolio::open("deneme", cash, costs, limits, BEFORE).unwrap();
    let id = portfolio_id(number);
    let audit = record(store).await;
    assert!(store.add_portfolio(account, &id, &portfolio, (3, 4), &audit).await.unwrap());
    seen(store, account, number).await
}

async fn seen(store: &Store, account: &AccountId, number: u64) -> StoredPortfolio {
    store.portfolio(account, &portfolio_id(number)).await.unwrap().unwrap().0
}

fn intent() -> OrderIntent {
    OrderIntent {
        symbol: symbol("THYAO"),
        side: Side::Buy,
        quantity: Shares(100),
        kind: OrderKind::Limit { price: price("100.00") },
        validity: Validity::Until { day: date(2026, 12, 4) },
    }
}

/// The order `number` of `of`, placed so many seconds into the evening.
fn order(of: &StoredPortfolio, number: u64, key: Option<&str>) -> StoredOrder {
    let quoted = Quoted { last_day: BEFORE, last_close: price("100.00"), expected_day: BEFORE };
    let context = RiskContext {
        halted: false,
        closed: false,
        rules: ExchangeRules::bist(),
        calendar: Calendar::bist(),
        first_session: FIRST,
        quoted: Some(quoted),
        portfolio: &of.portfolio,
        open_orders: &[],
        value: of.portfolio.cash,
        position_value: Notional::ZERO,
    };
    let approved = review(intent(), &context).unwrap();
    let placed_at = evening() + SignedDuration::from_secs(number.cast_signed());
    StoredOrder {
        id: order_id(number),
        portfolio: of.id.clone(),
        account: of.account.clone(),
        client_key: key.map(str::to_owned),
        order: Order::place(approved, placed_at, FIRST),
    }
}

/// Places the order `number` of the portfolio as it stands now.
async fn place(store: &Store, of: &StoredPortfolio, number: u64) -> StoredOrder {
    let audit = record(store).await;
    let (now, _) = store.portfolio(&of.account, &of.id).await.unwrap().unwrap();
    let new = order(&now, number, None);
    assert_eq!(store.place_order(&now, &new, &audit).await.unwrap(), OrderPlacing::Placed);
    new
}

/// What a session has made of a portfolio and its orders.
struct Applied {
    portfolio: Portfolio,
    orders: Vec<StoredOrder>,
    events: Vec<(Option<StoredOrder>, PaperEvent)>,
    value: DayValue,
}

/// The first session, in which the share was traded at 99 TRY, applied to `before`.
fn applied(before: &StoredPortfolio, open: &[StoredOrder]) -> Applied {
    let traded = price("99.00");
    let bar = SessionBar {
        open: Some(traded),
        high: traded,
        low: traded,
        close: traded,
        volume: Some(Shares(1_000_000)),
        limits: None,
        previous_close: Some(price("100.00")),
    };
    let bars = BTreeMap::from([(symbol("THYAO"), bar)]);
    let session = Session { day: FIRST, bars: &bars, actions: &[], halted: false };
    let mut portfolio = before.portfolio.clone();
    let mut orders: Vec<Order> = open.iter().map(|stored| stored.order.clone()).collect();
    let (events, value) = step(&mut portfolio, &mut orders, &session, &|_| None).unwrap();
    let after: Vec<StoredOrder> = open
        .iter()
        .zip(orders)
        .map(|(stored, order)| StoredOrder { order, ..stored.clone() })
        .collect();
    let of = |event: &PaperEvent| match event {
        PaperEvent::Filled { order, .. } | PaperEvent::Expired { order, .. } => {
            Some(after[*order].clone())
        }
        PaperEvent::Dividend { .. } | PaperEvent::Shares { .. } | PaperEvent::RightsSold { .. } => {
            None
        }
    };
    let events = events.into_iter().map(|event| (of(&event), event)).collect();
    Applied { portfolio, orders: after, events, value }
}

/// Applies the first session by what `seen` tells; whether it was kept.
async fn apply(store: &Store, (before, open): &(StoredPortfolio, Vec<StoredOrder>)) -> bool {
    let Applied { portfolio, orders, events, value } = applied(before, open);
    let session =
        PaperSession { portfolio: &portfolio, orders: &orders, events: &events, value: &value };
    store.save_paper_session(before, session, &record(store).await).await.unwrap()
}

/// The actions on record, the oldest first.
async fn actions(store: &Store) -> Vec<String> {
    let records = store.audit_records(&AuditFilter::default(), 1_000).await.unwrap();
    records.into_iter().rev().map(|record| record.action).collect()
}

#[tokio::test]
async fn an_order_is_placed_once_under_its_key_and_not_by_what_is_not_so_any_more() {
    let (store, _home) = store().await;
    let ayse = person(&store, 1, "ayse").await;
    let bora = person(&store, 2, "bora").await;
    let first = open(&store, &ayse, 1).await;
    let audit = record(&store).await;
    let new = order(&first, 1, Some("k1"));
    assert_eq!(store.place_order(&first, &new, &audit).await.unwrap(), OrderPlacing::Placed);
    // The same once more, and another one by what was seen before.
    let again = store.place_order(&first, &order(&first, 2, Some("k1")), &audit).await.unwrap();
    assert_eq!(again, OrderPlacing::KeyTaken(Box::new(new.clone())));
    let late = store.place_order(&first, &order(&first, 3, Some("k2")), &audit).await.unwrap();
    assert_eq!(late, OrderPlacing::Meanwhile);
    assert_eq!(store.order_of_key(&ayse, "k1").await.unwrap(), Some(new));
    // The key is another one for somebody else, who sees nothing of hers.
    assert_eq!(store.order_of_key(&bora, "k1").await.unwrap(), None);
    assert_eq!(store.order(&bora, &order_id(1)).await.unwrap(), None);
    assert_eq!(store.portfolio(&bora, &first.id).await.unwrap(), None);
    let theirs = open(&store, &bora, 2).await;
    let placed = store.place_order(&theirs, &order(&theirs, 4, Some("k1")), &audit).await.unwrap();
    assert_eq!(placed, OrderPlacing::Placed);
    let denial = Denial::NothingOrdered;
    store.record_denial(&first.id, &intent(), &denial, &audit).await.unwrap();
    let expected =
        ["portfolio.opened", "order.placed", "portfolio.opened", "order.placed", "order.denied"];
    assert_eq!(actions(&store).await, expected);
}

#[tokio::test]
async fn orders_are_listed_page_by_page_and_are_what_their_owner_did() {
    let (store, _home) = store().await;
    let ayse = person(&store, 1, "ayse").await;
    let (one, other) = (open(&store, &ayse, 1).await, open(&store, &ayse, 2).await);
    for number in 1..=3 {
        place(&store, &one, number).await;
    }
    place(&store, &other, 4).await;
    let audit = record(&store).await;
    let cancelled = store.cancel_order(&ayse, &order_id(2), &audit).await.unwrap();
    assert_eq!(cancelled, OrderCancelling::Cancelled);
    let again = store.cancel_order(&ayse, &order_id(2), &audit).await.unwrap();
    assert_eq!(again, OrderCancelling::NotOpen);
    let none = store.cancel_order(&ayse, &order_id(9), &audit).await.unwrap();
    assert_eq!(none, OrderCancelling::NotThere);
    let list = async |filter: OrderFilter, limit| -> Vec<OrderId> {
        let orders = store.orders(&ayse, &filter, limit).await.unwrap();
        orders.into_iter().map(|kept| kept.stored.id).collect()
    };
    let all = OrderFilter::default();
    assert_eq!(list(all.clone(), 3).await, [4, 3, 2].map(order_id));
    let older = OrderFilter { before: Some(order_id(2)), ..all.clone() };
    assert_eq!(list(older, 3).await, [order_id(1)]);
    let open = OrderFilter { is_open: Some(true), ..all.clone() };
    assert_eq!(list(open, 9).await, [4, 3, 1].map(order_id));
    let closed = OrderFilter { is_open: Some(false), ..all.clone() };
    assert_eq!(list(closed, 9).await, [order_id(2)]);
    let of_other = OrderFilter { portfolio: Some(other.id), ..all };
    assert_eq!(list(of_other, 9).await, [order_id(4)]);
    let kept = store.order(&ayse, &order_id(2)).await.unwrap().unwrap();
    let reason = CancelReason::Owner;
    assert_eq!(kept.stored.order.status, OrderStatus::Cancelled { reason, at: evening() });

    let wanted = ActivityFilter {
        from: evening(),
        to: evening() + SignedDuration::from_mins(1),
        alerts_from: evening(),
        account: Some(ayse.clone()),
        kind: Some(ActivityKind::Order),
        before: None,
    };
    let did = store.activities(&wanted, 9).await.unwrap();
    assert_eq!(did.len(), 4);
    assert!(did.iter().all(|one| one.subject.as_deref() == Some("THYAO")));
    let counted = store.activity_total(&wanted).await.unwrap();
    assert_eq!((counted.of(ActivityKind::Order), counted.active_count), (4, 1));
}

#[tokio::test]
async fn of_two_processes_one_applies_a_session_and_it_is_kept_whole() {
    let home = Home::new();
    let (one, other) = (home.open().await, home.open().await);
    let ayse = person(&one, 1, "ayse").await;
    let opened = open(&one, &ayse, 1).await;
    place(&one, &opened, 1).await;
    let before = one.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    let marks = one.change_marks().await.unwrap();
    let (ours, theirs) = tokio::join!(apply(&one, &before), apply(&other, &before));
    assert!(ours != theirs, "{ours} {theirs}");
    assert!(!apply(&one, &before).await);

    let (after, open) = one.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    assert_eq!(after.portfolio.through, FIRST);
    assert_eq!(after.portfolio.shares(symbol("THYAO")), Shares(100));
    assert_eq!(open, []);
    let kept = one.order(&ayse, &order_id(1)).await.unwrap().unwrap();
    assert_eq!(kept.stored.order.status, OrderStatus::Filled { on: FIRST });
    assert_eq!(kept.events, one.paper_events(&opened.id, None, 9).await.unwrap());
    assert_eq!(kept.events.len(), 1);
    assert_eq!((kept.events[0].seq, kept.events[0].day), (1, FIRST));
    assert_eq!(one.paper_events(&opened.id, Some(1), 9).await.unwrap(), []);
    let days = one.paper_days(&opened.id).await.unwrap();
    assert_eq!(days.iter().map(|day| day.day).collect::<Vec<_>>(), [FIRST]);
    assert_eq!(actions(&one).await, ["portfolio.opened", "order.placed", "order.filled"]);
    assert!(one.change_marks().await.unwrap().orders > marks.orders);
}

#[tokio::test]
async fn a_session_is_not_applied_to_what_was_changed_meanwhile() {
    let (store, _home) = store().await;
    let ayse = person(&store, 1, "ayse").await;
    let opened = open(&store, &ayse, 1).await;
    place(&store, &opened, 1).await;
    let audit = record(&store).await;
    let before = store.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    store.cancel_order(&ayse, &order_id(1), &audit).await.unwrap();
    assert!(!apply(&store, &before).await, "a cancelled order is not executed");
    let before = store.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    let closed = store.close_portfolio(&ayse, &opened.id, &audit).await.unwrap();
    assert!(matches!(closed, PortfolioClosing::Closed(_)), "{closed:?}");
    assert!(!apply(&store, &before).await, "a closed portfolio stays as it is");
    assert_eq!(store.paper_days(&opened.id).await.unwrap(), []);
    let again = store.close_portfolio(&ayse, &opened.id, &audit).await.unwrap();
    assert_eq!(again, PortfolioClosing::ClosedBefore);
    assert_eq!(store.open_portfolios().await.unwrap(), []);
}

#[tokio::test]
async fn only_so_many_portfolios_are_open_and_only_so_many_are_kept() {
    let (store, _home) = store().await;
    let ayse = person(&store, 1, "ayse").await;
    let first = open(&store, &ayse, 1).await;
    open(&store, &ayse, 2).await;
    open(&store, &ayse, 3).await;
    let audit = record(&store).await;
    let add = async |number| {
        let id = portfolio_id(number);
        store.add_portfolio(&ayse, &id, &first.portfolio, (3, 4), &audit).await.unwrap()
    };
    assert!(!add(4).await);
    store.close_portfolio(&ayse, &first.id, &audit).await.unwrap();
    assert!(add(4).await);
    store.close_portfolio(&ayse, &portfolio_id(4), &audit).await.unwrap();
    assert!(!add(5).await, "closed ones are kept");
    assert_eq!(store.portfolios(&ayse).await.unwrap().len(), 4);
}

#[tokio::test]
async fn halting_cancels_all_open_orders_and_none_is_placed_until_trading_goes_on() {
    let (store, _home) = store().await;
    let (ayse, bora) = (person(&store, 1, "ayse").await, person(&store, 2, "bora").await);
    let (hers, his) = (open(&store, &ayse, 1).await, open(&store, &bora, 2).await);
    let idle = open(&store, &ayse, 3).await;
    place(&store, &hers, 1).await;
    place(&store, &hers, 2).await;
    place(&store, &his, 3).await;
    assert_eq!(store.trading_halt().await.unwrap(), (None, 3));
    let audit = record(&store).await;
    let before = store.portfolio(&ayse, &hers.id).await.unwrap().unwrap();
    assert!(store.halt_trading("veri şüpheli", &audit).await.unwrap());
    assert!(!store.halt_trading("bir daha", &audit).await.unwrap());
    let (halt, open_count) = store.trading_halt().await.unwrap();
    let halt = halt.unwrap();
    assert_eq!((halt.is_halted, halt.reason.as_str(), open_count), (true, "veri şüpheli", 0));
    assert_eq!((halt.changed_at, halt.changed_by.as_str()), (evening(), "system"));
    assert!(!apply(&store, &before).await, "what was cancelled is not executed");
    let reason = CancelReason::Halt;
    for (owner, number) in [(&ayse, 1), (&ayse, 2), (&bora, 3)] {
        let kept = store.order(owner, &order_id(number)).await.unwrap().unwrap();
        assert_eq!(kept.stored.order.status, OrderStatus::Cancelled { reason, at: evening() });
    }
    // Nothing was changed about this portfolio, and it takes no order all the same.
    let placing = store.place_order(&idle, &order(&idle, 4, None), &audit).await.unwrap();
    assert_eq!(placing, OrderPlacing::Meanwhile);
    assert!(store.resume_trading("veri doğru", &audit).await.unwrap());
    assert!(!store.resume_trading("bir daha", &audit).await.unwrap());
    place(&store, &idle, 4).await;
    let done = actions(&store).await;
    let halted = [
        "trading.halted",
        "order.cancelled",
        "order.cancelled",
        "order.cancelled",
        "trading.resumed",
        "order.placed",
    ];
    assert_eq!(done[done.len() - halted.len()..], halted);
}

#[tokio::test]
async fn what_sessions_did_is_never_changed() {
    let home = Home::new();
    let store = home.open().await;
    let ayse = person(&store, 1, "ayse").await;
    let opened = open(&store, &ayse, 1).await;
    place(&store, &opened, 1).await;
    let before = store.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    assert!(apply(&store, &before).await);
    let mut raw = home.raw().await;
    for change in ["UPDATE paper_events SET day = 'x'", "UPDATE paper_days SET document = '{}'"] {
        let refused = raw.execute(change).await.unwrap_err().to_string();
        assert!(refused.contains("what sessions did is never changed"), "{refused}");
    }
    raw.close().await;
}

/// How many rows there are of paper trading, but for the numbers of changes.
async fn rows_count(store: &Store) -> u64 {
    let counts = store.row_counts().await.unwrap();
    let of_people = |name: &str| name.starts_with("paper_") && name != "paper_marks";
    counts.into_iter().filter(|(name, _)| of_people(name)).map(|(_, count)| count).sum()
}

#[tokio::test]
async fn who_is_forgotten_leaves_no_paper_portfolio_and_a_chain_that_is_whole() {
    let (store, _home) = store().await;
    let ayse = person(&store, 1, "ayse").await;
    let opened = open(&store, &ayse, 1).await;
    place(&store, &opened, 1).await;
    let before = store.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    assert!(apply(&store, &before).await);
    assert_eq!(rows_count(&store).await, 4, "a portfolio, an order, an event and a day");
    let audit = record(&store).await;
    let mut change = store.change_access().await.unwrap();
    change.forget_owner(&audit, &ayse).await.unwrap();
    change.commit(&audit, Vec::new()).await.unwrap();
    assert_eq!(rows_count(&store).await, 0);
    assert_eq!(store.verify_audit(&audit.key, &[]).await.unwrap().broken, None);
    assert!(actions(&store).await.contains(&"order.filled".to_owned()));
}

#[tokio::test]
async fn what_an_older_program_left_of_the_forgotten_is_removed() {
    let home = Home::new();
    let store = home.open().await;
    let (ayse, bora) = (person(&store, 1, "ayse").await, person(&store, 2, "bora").await);
    for (owner, number) in [(&ayse, 1), (&bora, 2)] {
        let opened = open(&store, owner, number).await;
        place(&store, &opened, number).await;
    }
    assert_eq!(store.forget_paper_of_the_forgotten().await.unwrap(), 0);
    let mut raw = home.raw().await;
    let forget = "UPDATE accounts SET user_name = NULL, state = 'disabled'
                  WHERE id = 'u0000000000000001'";
    raw.execute(forget).await.unwrap();
    raw.close().await;
    let left: Vec<_> = store.open_portfolios().await.unwrap();
    assert_eq!(left.iter().map(|stored| &stored.account).collect::<Vec<_>>(), [&bora]);
    assert_eq!(store.forget_paper_of_the_forgotten().await.unwrap(), 1);
    assert_eq!(rows_count(&store).await, 2);
}

#[tokio::test]
async fn a_portfolio_that_was_moved_goes_on_where_it_was() {
    let (store, _home) = store().await;
    let ayse = person(&store, 1, "ayse").await;
    let opened = open(&store, &ayse, 1).await;
    place(&store, &opened, 1).await;
    let audit = record(&store).await;
    assert!(store.halt_trading("taşınma", &audit).await.unwrap());
    assert!(store.resume_trading("taşındı", &audit).await.unwrap());
    place(&store, &opened, 2).await;
    let elsewhere = Home::new();
    let target = elsewhere.open().await;
    store.copy_to(&target, |_| ()).await.unwrap();
    let before = target.portfolio(&ayse, &opened.id).await.unwrap().unwrap();
    assert_eq!(store.portfolio(&ayse, &opened.id).await.unwrap().unwrap(), before);
    assert_eq!(target.trading_halt().await.unwrap(), store.trading_halt().await.unwrap());
    assert!(apply(&target, &before).await);
    assert_eq!(target.paper_events(&opened.id, None, 9).await.unwrap().len(), 1);
    assert_eq!(store.paper_days(&opened.id).await.unwrap(), []);
}
