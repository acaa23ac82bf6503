//! Sessions one after another.

use std::collections::BTreeMap;

use super::*;
use bist_market::{CorporateAction, CorporateActionKind};
use bist_trading::{
    CancelReason, NoFill, NotOpen, OrderStatus, PaperEvent, Pending, Session, SessionApplied, step,
};

/// Applies a session in which the share has `bar`, and answers what happened.
fn apply(
    portfolio: &mut Portfolio,
    orders: &mut [Order],
    day: Date,
    bar: Option<SessionBar>,
    action: Option<CorporateActionKind>,
) -> Vec<PaperEvent> {
    let bars: BTreeMap<_, _> = bar.map(|bar| (symbol(), bar)).into_iter().collect();
    let actions: Vec<_> = action
        .map(|kind| CorporateAction { symbol: symbol(), effective_on: day, kind })
        .into_iter()
        .collect();
    let session = Session { day, bars: &bars, actions: &actions, halted: false };
    let close = Some(price("100.00"));
    let (events, value) = step(portfolio, orders, &session, &|_| close).unwrap();
    assert_eq!(value.cash, portfolio.cash);
    events
}

/// The bar of a session whose close before was `previous`.
fn after(previous: &str, bar: SessionBar) -> Option<SessionBar> {
    Some(SessionBar { previous_close: Some(price(previous)), limits: None, ..bar })
}

#[test]
fn a_month_is_the_one_worked_out_by_hand() {
    let mut portfolio = portfolio("100000.00");
    let mut orders = vec![place(&portfolio, market(Side::Buy, 100), date(2026, 6, 2))];
    let usual = bar("100.00", "102.00", "98.00", "101.00");

    // 100 * 100.10 with 4.00 + 0.20 + 0.30.
    apply(&mut portfolio, &mut orders, date(2026, 6, 2), after("100.00", usual), None);
    assert_eq!(orders[0].status, OrderStatus::Filled { on: date(2026, 6, 2) });
    assert_eq!(portfolio.cash, lira("89985.50"));
    assert_eq!(portfolio.positions[&symbol()].cost, lira("10014.50"));
    let amount = Notional::from_units(-lira("10014.50").units());
    assert_eq!(portfolio.pending, [Pending { settles_on: date(2026, 6, 4), amount }]);
    assert_eq!(portfolio.settled_cash(date(2026, 6, 3)), lira("100000.00"));
    assert_eq!(portfolio.value(|_| Some(price("101.00"))).value, lira("100085.50"));

    // 200.00 less 15 %.
    let dividend = CorporateActionKind::CashDividend { per_share: price("2.00") };
    let quiet = bar("103.00", "104.00", "102.00", "103.00");
    apply(&mut portfolio, &mut orders, date(2026, 6, 10), after("105.00", quiet), Some(dividend));
    assert_eq!((portfolio.cash, portfolio.realised), (lira("90155.50"), lira("170.00")));

    let bonus = CorporateActionKind::BonusIssue { new_per_old: 0.5 };
    let lower = bar("71.00", "72.00", "70.00", "71.50");
    apply(&mut portfolio, &mut orders, date(2026, 6, 15), after("106.00", lower), Some(bonus));
    assert_eq!(portfolio.shares(symbol()), Shares(150));
    assert_eq!(portfolio.value(|_| Some(price("71.50"))).unrealised, lira("710.50"));

    // 72.50 less the slippage is 72.46, and 72.45 a step: 10,867.50 less 4.35 + 0.22 + 0.33.
    let sale = OrderIntent {
        validity: Validity::Until { day: date(2026, 6, 26) },
        ..limit(Side::Sell, 150, "72.00")
    };
    orders.push(place(&portfolio, sale, date(2026, 6, 16)));
    apply(&mut portfolio, &mut orders, date(2026, 6, 19), after("71.50", lower), None);
    assert!(orders[1].is_open());
    let higher = bar("72.50", "74.00", "72.00", "73.00");
    apply(&mut portfolio, &mut orders, date(2026, 6, 22), after("71.50", higher), None);
    assert_eq!(orders[1].status, OrderStatus::Filled { on: date(2026, 6, 22) });
    assert_eq!((portfolio.cash, portfolio.realised), (lira("101018.10"), lira("1018.10")));
    assert_eq!(portfolio.charges, lira("9.40"));
    assert_eq!(portfolio.settled_cash(date(2026, 6, 22)), lira("90155.50"));
    assert!(portfolio.positions.is_empty());
}

#[test]
fn a_day_order_ends_with_its_session_and_one_that_waits_on_its_last() {
    let mut portfolio = portfolio("1000000.00");
    let first = date(2026, 6, 2);
    let waits = OrderIntent {
        validity: Validity::Until { day: date(2026, 6, 3) },
        ..limit(Side::Buy, 300, "101.00")
    };
    let mut orders =
        vec![place(&portfolio, market(Side::Buy, 300), first), place(&portfolio, waits, first)];
    let thin =
        SessionBar { volume: Some(Shares(2_000)), ..bar("100.00", "102.00", "98.00", "101.00") };
    let events = apply(&mut portfolio, &mut orders, first, Some(thin), None);
    // The first takes the whole tenth, so the second has nothing left of it.
    assert!(matches!(events[0], PaperEvent::Filled { order: 0, .. }), "{events:?}");
    let expired =
        PaperEvent::Expired { order: 0, unfilled: Shares(100), why: NoFill::ShareOfVolume };
    assert_eq!(events[1..], [expired]);
    assert_eq!(orders[0].status, OrderStatus::Expired { on: first });
    assert_eq!((orders[1].filled, orders[1].is_open()), (Shares(0), true));
    let last = date(2026, 6, 3);
    let events = apply(&mut portfolio, &mut orders, last, None, None);
    let why = NoFill::NoBar;
    assert_eq!(events, [PaperEvent::Expired { order: 1, unfilled: Shares(300), why }]);
    assert_eq!(orders[1].status, OrderStatus::Expired { on: last });
}

#[test]
fn orders_are_executed_by_when_they_were_placed() {
    let mut portfolio = portfolio("100000.00");
    let day = date(2026, 6, 2);
    let later = Order { placed_at: at(day), ..place(&portfolio, market(Side::Buy, 600), day) };
    let earlier = Order { placed_at: at(OPENED_ON), ..later };
    let mut orders = vec![later, earlier];
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    let events = apply(&mut portfolio, &mut orders, day, Some(usual), None);
    assert!(matches!(events[0], PaperEvent::Filled { order: 1, .. }), "{events:?}");
    // 600 cost 60,087.02, and 398 more are paid for.
    let why = NoFill::CashShort;
    let unfilled = Shares(600 - orders[0].filled.0);
    assert_eq!(events[2], PaperEvent::Expired { order: 0, unfilled, why });
    assert_eq!(orders[0].filled, Shares(398));
}

#[test]
fn an_ex_day_ends_limit_orders_and_a_halted_session_executes_nothing() {
    let mut portfolio = portfolio("100000.00");
    let day = date(2026, 6, 2);
    let mut orders = vec![
        place(&portfolio, limit(Side::Buy, 1, "100.00"), day),
        place(&portfolio, limit(Side::Buy, 1, "100.00"), date(2026, 6, 3)),
        place(&portfolio, market(Side::Buy, 1), day),
    ];
    let usual = bar("98.00", "99.00", "97.00", "98.00");
    let dividend = CorporateActionKind::CashDividend { per_share: price("2.00") };
    let events = apply(&mut portfolio, &mut orders, day, Some(usual), Some(dividend));
    let why = NoFill::ActionOfDay;
    assert_eq!(events[0], PaperEvent::Expired { order: 0, unfilled: Shares(1), why });
    assert!(matches!(events[1], PaperEvent::Filled { order: 2, .. }), "{events:?}");
    assert!(orders[1].is_open(), "it was placed for a later session");

    let bars = BTreeMap::from([(symbol(), usual)]);
    let session = Session { day: date(2026, 6, 3), bars: &bars, actions: &[], halted: true };
    let (events, _) = step(&mut portfolio, &mut orders, &session, &|_| None).unwrap();
    let why = NoFill::Halted;
    assert_eq!(events, [PaperEvent::Expired { order: 1, unfilled: Shares(1), why }]);
}

#[test]
fn an_order_whose_sessions_were_never_applied_expires_on_its_own_last_day() {
    let mut portfolio = portfolio("100000.00");
    let mut orders = vec![place(&portfolio, market(Side::Buy, 1), date(2026, 6, 2))];
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    apply(&mut portfolio, &mut orders, date(2026, 6, 5), Some(usual), None);
    assert_eq!(orders[0].status, OrderStatus::Expired { on: date(2026, 6, 2) });
}

#[test]
fn a_session_is_applied_once() {
    let mut portfolio = portfolio("100000.00");
    let day = date(2026, 6, 2);
    let mut orders = vec![place(&portfolio, market(Side::Buy, 1), day)];
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    apply(&mut portfolio, &mut orders, day, Some(usual), None);
    let before = (portfolio.clone(), orders.clone());
    for again in [day, OPENED_ON] {
        let session = Session { day: again, bars: &BTreeMap::new(), actions: &[], halted: false };
        let refused = step(&mut portfolio, &mut orders, &session, &|_| None);
        assert_eq!(refused, Err(SessionApplied { day: again, through: day }));
        assert_eq!((portfolio.clone(), orders.clone()), before);
    }
}

#[test]
fn a_final_order_stays_as_it_is() {
    let portfolio = portfolio("100000.00");
    let mut order = place(&portfolio, market(Side::Buy, 1), date(2026, 6, 2));
    order.cancel(CancelReason::Owner, at(OPENED_ON)).unwrap();
    let status = order.status;
    let refused = Err(NotOpen { status });
    assert_eq!(order.cancel(CancelReason::Halt, at(OPENED_ON)), refused);
    assert_eq!(order.expire(OPENED_ON), refused);
    assert_eq!(order.fill(Shares(1), OPENED_ON), refused);
    assert_eq!((order.status, order.filled), (status, Shares(0)));
    assert_eq!(NotOpen { status }.to_string(), "the order is no longer open, it is cancelled");
}

#[test]
fn a_portfolio_and_its_events_survive_the_way_to_json_and_back() {
    let mut portfolio = portfolio("100000.00");
    let day = date(2026, 6, 2);
    let mut orders = vec![place(&portfolio, market(Side::Buy, 900), day)];
    portfolio.limits.position_share_max = 0.1;
    orders[0].intent.quantity = Shares(20_000);
    let usual = bar("100.00", "102.00", "98.00", "101.00");
    let events = apply(&mut portfolio, &mut orders, day, Some(usual), None);
    let json = serde_json::to_string(&(&portfolio, &orders, &events)).unwrap();
    let back: (Portfolio, Vec<Order>, Vec<PaperEvent>) = serde_json::from_str(&json).unwrap();
    assert_eq!(back, (portfolio, orders, events));
}

#[test]
fn a_portfolio_names_the_field_that_is_out_of_bounds() {
    let open = |name: &str, cash: &str, costs: CostModel| {
        Portfolio::open(name, lira(cash), costs, RiskLimits::default(), OPENED_ON)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let usual = CostModel::default();
    assert_eq!(open("a", "1000.00", usual), Ok(()));
    let cash = "opening_cash: give an amount from 1000.00 to 1000000000.00 TRY";
    assert_eq!(open("a", "999.99", usual), Err(cash.to_owned()));
    assert_eq!(open("a", "1000000000.01", usual), Err(cash.to_owned()));
    let dear = CostModel { commission_share: 0.06, ..usual };
    let expected = "costs.commission_share: give a share from 0 to 0.05";
    assert_eq!(open("a", "1000.00", dear), Err(expected.to_owned()));
    let taxed = CostModel { bsmv_share_of_commission: f64::NAN, ..usual };
    let expected = "costs.bsmv_share_of_commission: give a share from 0 to 1";
    assert_eq!(open("a", "1000.00", taxed), Err(expected.to_owned()));
    assert!(open("a\nb", "1000.00", usual).unwrap_err().starts_with("name: "));
    let limits = RiskLimits { position_share_max: 2.0, ..RiskLimits::default() };
    let refused = Portfolio::open("a", lira("1000.00"), usual, limits, OPENED_ON).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "limits.position_share_max: give a share above 0 and at most 1"
    );
    let mut portfolio = portfolio("1000.00");
    portfolio.rename(" Yeni ").unwrap();
    assert!(portfolio.rename("").is_err());
    assert_eq!(portfolio.name, "Yeni");
}
