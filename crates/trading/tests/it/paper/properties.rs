//! What holds of every portfolio, whatever is ordered and whatever the market does.

use std::collections::BTreeMap;

use super::*;
use bist_market::{CorporateAction, CorporateActionKind, theoretical_base_of};
use bist_trading::{CancelReason, DayValue, OrderStatus, PaperEvent, Session, step};
use proptest::prelude::*;

/// Sessions of a scenario.
const SESSIONS: usize = 30;

/// Numbers from a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    /// The dice of one purpose on one day, so that one day does not move another.
    fn of(seed: u64, purpose: u64, day: usize) -> Self {
        let day = u64::try_from(day).unwrap();
        Self(seed ^ purpose.wrapping_mul(0x9e37_79b9) ^ (day << 40))
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn units(&mut self, from: i64, to: i64) -> i64 {
        let sides = u64::try_from(to - from + 1).unwrap();
        from + i64::try_from(self.roll(sides)).unwrap()
    }
}

fn symbols() -> [Symbol; 3] {
    ["AKBNK", "SASA", "THYAO"].map(|text| Symbol::parse(text).unwrap())
}

/// All that can be seen at the end of a session.
#[derive(Clone, Debug, PartialEq)]
struct Evening {
    portfolio: Portfolio,
    orders: Vec<Order>,
    events: Vec<PaperEvent>,
    value: DayValue,
}

/// A scenario: orders and cancellations from `seed`, the market from `seed` and, from the session
/// `changed_from` on, from another one.
fn run(seed: u64, changed_from: usize) -> Vec<Evening> {
    let calendar = Calendar::bist();
    let mut portfolio = portfolio("100000.00");
    let mut closes: BTreeMap<Symbol, Price> =
        symbols().into_iter().map(|symbol| (symbol, price("100.00"))).collect();
    let mut orders = Vec::new();
    let mut evenings: Vec<Evening> = Vec::new();
    let mut evening = OPENED_ON;
    for index in 0..SESSIONS {
        order_and_cancel(&mut Dice::of(seed, 1, index), &portfolio, &mut orders, evening, &closes);
        let day = calendar.next_session(evening).unwrap();
        let market_seed = if index < changed_from { seed } else { !seed };
        let mut dice = Dice::of(market_seed, 2, index);
        let actions = actions(&mut dice, day);
        let bars: BTreeMap<Symbol, SessionBar> = symbols()
            .into_iter()
            .filter_map(|symbol| {
                Some((symbol, bar_of(&mut dice, symbol, day, &actions, closes[&symbol])?))
            })
            .collect();
        let halted = dice.roll(15) == 0;
        let session = Session { day, bars: &bars, actions: &actions, halted };
        let before = closes.clone();
        let (events, value) =
            step(&mut portfolio, &mut orders, &session, &|symbol| before.get(&symbol).copied())
                .unwrap();
        closes.extend(bars.iter().map(|(symbol, bar)| (*symbol, bar.close)));
        let (portfolio, orders) = (portfolio.clone(), orders.clone());
        evenings.push(Evening { portfolio, orders, events, value });
        evening = day;
    }
    evenings
}

/// What somebody does in an evening: up to three orders, some of them refused, and a cancellation.
fn order_and_cancel(
    dice: &mut Dice,
    portfolio: &Portfolio,
    orders: &mut Vec<Order>,
    evening: Date,
    closes: &BTreeMap<Symbol, Price>,
) {
    let first_session = Calendar::bist().next_session(evening).unwrap();
    for _ in 0..dice.roll(4) {
        let symbol = symbols()[usize::try_from(dice.roll(3)).unwrap()];
        let last_close = closes[&symbol];
        let intent = intent(dice, symbol, last_close, first_session);
        let valuation = portfolio.value(|symbol| closes.get(&symbol).copied());
        let context = RiskContext {
            quoted: Some(Quoted { last_day: evening, last_close, expected_day: evening }),
            open_orders: orders,
            value: valuation.value,
            position_value: Notional::of(last_close, portfolio.shares(symbol)).unwrap(),
            ..context(portfolio, first_session)
        };
        if let Ok(approved) = review(intent, &context) {
            orders.push(Order::place(approved, at(evening), first_session));
        }
    }
    if dice.roll(4) == 0
        && let Some(order) = orders.iter_mut().find(|order| order.is_open())
    {
        order.cancel(CancelReason::Owner, at(evening)).unwrap();
    }
}

fn intent(dice: &mut Dice, symbol: Symbol, close: Price, first_session: Date) -> OrderIntent {
    let side = if dice.roll(2) == 0 { Side::Buy } else { Side::Sell };
    let wanted = Price::from_units(close.units() * dice.units(93, 107) / 100).unwrap();
    let limit = ExchangeRules::bist().round_nearest(first_session, wanted);
    let (kind, validity) = match (dice.roll(3), limit) {
        (0, _) | (_, None) => (OrderKind::Market, Validity::Day),
        (1, Some(price)) => (OrderKind::Limit { price }, Validity::Day),
        (_, Some(price)) => {
            let days = dice.units(0, 12);
            let day = first_session.saturating_add(jiff::Span::new().days(days));
            (OrderKind::Limit { price }, Validity::Until { day })
        }
    };
    OrderIntent { symbol, side, quantity: Shares(1 + dice.roll(700)), kind, validity }
}

/// Sometimes one or two actions.
fn actions(dice: &mut Dice, effective_on: Date) -> Vec<CorporateAction> {
    if dice.roll(4) != 0 {
        return Vec::new();
    }
    let symbol = symbols()[usize::try_from(dice.roll(3)).unwrap()];
    (0..=dice.roll(2))
        .map(|_| {
            let kind = match dice.roll(5) {
                0 => CorporateActionKind::CashDividend { per_share: price("1.37") },
                1 => CorporateActionKind::BonusIssue { new_per_old: 0.613_7 },
                2 => CorporateActionKind::RightsIssue {
                    new_per_old: 0.25,
                    subscription: price("1.00"),
                },
                3 => CorporateActionKind::Split { new_per_old: 2.0 },
                _ => CorporateActionKind::CapitalDecrease { new_per_old: 0.413 },
            };
            CorporateAction { symbol, effective_on, kind }
        })
        .collect()
}

/// The day of a share after a close: none at all, locked, or somewhere within its limits.
fn bar_of(
    dice: &mut Dice,
    symbol: Symbol,
    day: Date,
    actions: &[CorporateAction],
    previous: Price,
) -> Option<SessionBar> {
    let kinds: Vec<_> =
        actions.iter().filter(|a| a.symbol == symbol).map(|action| action.kind).collect();
    let rules = ExchangeRules::bist();
    let base = Price::nearest(theoretical_base_of(&kinds, previous))?;
    let limits = rules.daily_limits_of(day, symbol, base)?;
    let (lower, upper) = (limits.lower.units(), limits.upper.units());
    let (from, to) = match dice.roll(10) {
        0 => return None,
        1 => (upper, upper),
        2 => (lower, lower),
        _ => (lower, upper),
    };
    let mut prices: Vec<Price> = (0..4)
        .filter_map(|_| rules.round_nearest(day, Price::from_units(dice.units(from, to)).ok()?))
        .collect();
    let (open, close) = (prices[0], prices[1]);
    prices.sort();
    let volume = match dice.roll(12) {
        0 => None,
        1 => Some(Shares(0)),
        _ => Some(Shares(dice.roll(20_000))),
    };
    Some(SessionBar {
        open: (dice.roll(12) != 0).then_some(open),
        high: prices[3],
        low: prices[0],
        close,
        volume,
        limits: Some(limits),
        previous_close: Some(previous),
    })
}

proptest! {
    #[test]
    fn cash_and_shares_are_never_negative_and_the_value_is_what_was_earned(seed: u64) {
        for Evening { portfolio, value, .. } in run(seed, SESSIONS) {
            prop_assert!(portfolio.cash >= Notional::ZERO);
            prop_assert!(portfolio.positions.values().all(|p| p.shares > Shares(0)));
            prop_assert!(portfolio.positions.values().all(|p| p.cost >= Notional::ZERO));
            prop_assert!(portfolio.pending.iter().all(|p| p.settles_on >= value.day));
            prop_assert_eq!(portfolio.cash, value.cash);
            let cost = portfolio.positions.values().map(|p| p.cost);
            let cost = cost.fold(Notional::ZERO, Notional::saturating_add);
            let invested = value.value.saturating_sub(value.cash);
            let earned = portfolio.realised.saturating_add(invested.saturating_sub(cost));
            prop_assert_eq!(value.value, portfolio.opening_cash.saturating_add(earned));
        }
    }

    #[test]
    fn no_final_order_changes_and_no_order_has_more_shares_than_it_asked_for(seed: u64) {
        let evenings = run(seed, SESSIONS);
        for pair in evenings.windows(2) {
            for (before, after) in pair[0].orders.iter().zip(&pair[1].orders) {
                prop_assert!(before.is_open() || before == after);
                prop_assert!(before.filled <= after.filled);
            }
        }
        let last = &evenings[SESSIONS - 1];
        for (index, order) in last.orders.iter().enumerate() {
            let fills = evenings.iter().flat_map(|evening| &evening.events);
            let filled: u64 = fills
                .filter_map(|event| match event {
                    PaperEvent::Filled { order, fill } => (*order == index).then_some(fill.shares.0),
                    PaperEvent::Expired { .. }
                    | PaperEvent::Dividend { .. }
                    | PaperEvent::Shares { .. }
                    | PaperEvent::RightsSold { .. } => None,
                })
                .sum();
            prop_assert_eq!(filled, order.filled.0);
            let is_full = order.remaining() == Shares(0);
            prop_assert_eq!(is_full, matches!(order.status, OrderStatus::Filled { .. }));
            prop_assert!(!order.is_open() || order.last_session() > last.value.day);
        }
    }

    #[test]
    fn changing_later_bars_changes_nothing_earlier(seed: u64, changed_from in 0..SESSIONS) {
        let (one, other) = (run(seed, SESSIONS), run(seed, changed_from));
        prop_assert_eq!(&one[..changed_from], &other[..changed_from]);
    }

    #[test]
    fn the_same_bars_and_orders_give_the_same_record(seed: u64) {
        prop_assert_eq!(run(seed, SESSIONS), run(seed, SESSIONS));
    }

    #[test]
    fn no_fill_is_outside_what_was_traded_or_beyond_its_limit(seed: u64) {
        let evenings = run(seed, SESSIONS);
        for evening in &evenings {
            for event in &evening.events {
                let PaperEvent::Filled { order, fill } = event else { continue };
                let limit = evening.orders[*order].intent.kind.limit_price();
                let is_within = |limit| match fill.side {
                    Side::Buy => fill.price <= limit,
                    Side::Sell => fill.price >= limit,
                };
                prop_assert!(limit.is_none_or(is_within));
                prop_assert_eq!(Some(fill.amount), Notional::of(fill.price, fill.shares));
                let rules = ExchangeRules::bist();
                prop_assert_eq!(rules.round_down(fill.day, fill.price), Some(fill.price));
            }
        }
    }
}

#[test]
fn the_scenarios_are_not_empty() {
    let evenings: Vec<Evening> = (0..20).flat_map(|seed| run(seed, SESSIONS)).collect();
    let count = |is: fn(&PaperEvent) -> bool| {
        evenings.iter().flat_map(|evening| &evening.events).filter(|event| is(event)).count()
    };
    assert!(count(|event| matches!(event, PaperEvent::Filled { .. })) > 200);
    assert!(count(|event| matches!(event, PaperEvent::Expired { .. })) > 100);
    assert!(count(|event| matches!(event, PaperEvent::Dividend { .. })) > 5);
    assert!(count(|event| matches!(event, PaperEvent::Shares { .. })) > 20);
    assert!(count(|event| matches!(event, PaperEvent::RightsSold { .. })) > 5);
}
