//! What ex-days make of a position.

use std::collections::BTreeMap;

use super::*;
use bist_market::{CorporateAction, CorporateActionKind};
use bist_trading::{PaperEvent, Position, Session, SharesChange, step};

const DAY: Date = date(2026, 6, 2);

/// The portfolio after an ex-day without a bar, and what happened. Before: `shares` that cost 100.00
/// each, and a close of `previous`.
fn ex_day(
    shares: u64,
    previous: &str,
    kinds: &[CorporateActionKind],
) -> (Portfolio, Vec<PaperEvent>) {
    let mut portfolio = portfolio("1000.00");
    give(&mut portfolio, shares);
    let actions: Vec<_> = kinds
        .iter()
        .map(|kind| CorporateAction { symbol: symbol(), effective_on: DAY, kind: *kind })
        .collect();
    let session = Session { day: DAY, bars: &BTreeMap::new(), actions: &actions, halted: false };
    let close = price(previous);
    let (events, day) = step(&mut portfolio, &mut [], &session, &|_| Some(close)).unwrap();
    let valuation = portfolio.value(|_| Some(close));
    assert_eq!(
        (day.value, day.stale.is_empty()),
        (valuation.value, valuation.invested == Notional::ZERO)
    );
    let earned = portfolio.realised.saturating_add(valuation.unrealised);
    assert_eq!(portfolio.opening_cash.saturating_add(earned), valuation.value);
    (portfolio, events)
}

fn shares_event(kind: SharesChange, before: u64, after: u64, paid_instead: Notional) -> PaperEvent {
    let (before, after) = (Shares(before), Shares(after));
    PaperEvent::Shares { symbol: symbol(), kind, before, after, paid_instead }
}

#[test]
fn a_dividend_is_paid_less_fifteen_percent_and_settles_later() {
    let per_share = price("2.00");
    let dividend = CorporateActionKind::CashDividend { per_share };
    let (portfolio, events) = ex_day(33, "100.00", &[dividend]);
    let (gross, withheld) = (lira("66.00"), lira("9.90"));
    let shares = Shares(33);
    let expected = PaperEvent::Dividend { symbol: symbol(), shares, per_share, gross, withheld };
    assert_eq!(events, [expected]);
    assert_eq!((portfolio.cash, portfolio.dividends), (lira("1056.10"), lira("56.10")));
    assert_eq!(portfolio.realised, lira("56.10"));
    assert_eq!(portfolio.settled_cash(date(2026, 6, 3)), lira("1000.00"));
    assert_eq!(portfolio.settled_cash(date(2026, 6, 4)), lira("1056.10"));
    // It did not trade: it is worth its theoretical price until it does.
    assert_eq!(portfolio.positions[&symbol()].ex_price, Some(price("98.00")));
}

#[test]
fn fractions_of_bonus_shares_are_paid_at_the_theoretical_price() {
    let bonus = CorporateActionKind::BonusIssue { new_per_old: 0.5 };
    let (portfolio, events) = ex_day(101, "106.00", &[bonus]);
    // Half a share at 106 / 1.5 = 70.6667.
    assert_eq!(events, [shares_event(SharesChange::BonusIssue, 101, 151, lira("35.33"))]);
    assert_eq!(portfolio.cash, lira("1035.33"));
    // 10,100.00 went with 35.33 of 35.33 + 151 * 70.6667: 33.33 of cost.
    let position = portfolio.positions[&symbol()];
    assert_eq!((position.shares, position.cost), (Shares(151), lira("10066.6699")));
    assert_eq!(portfolio.realised, lira("1.9999"));
}

#[test]
fn the_rounding_of_a_ratio_makes_no_fraction() {
    let third = CorporateActionKind::Split { new_per_old: 1.0 / 3.0 };
    let (_, events) = ex_day(300, "100.00", &[third]);
    assert_eq!(events, [shares_event(SharesChange::Split, 300, 100, Notional::ZERO)]);
    let bonus = [1.277_155_4, 0.022_844_5]
        .map(|new_per_old| CorporateActionKind::BonusIssue { new_per_old });
    let (_, events) = ex_day(1_000, "104.60", &bonus);
    assert_eq!(events, [shares_event(SharesChange::BonusIssue, 1_000, 2_300, Notional::ZERO)]);
}

#[test]
fn rights_are_sold_at_their_theoretical_worth() {
    let subscription = price("1.00");
    let rights = CorporateActionKind::RightsIssue { new_per_old: 0.5, subscription };
    let (portfolio, events) = ex_day(100, "20.00", &[rights]);
    // The price falls from 20.00 to 13.6667, 6.3333 for each old share.
    let amount = lira("633.34");
    let shares = Shares(100);
    assert_eq!(events, [PaperEvent::RightsSold { symbol: symbol(), shares, amount }]);
    assert_eq!(portfolio.cash, lira("1633.34"));
    let dear = CorporateActionKind::RightsIssue { new_per_old: 0.5, subscription: price("30.00") };
    assert_eq!(ex_day(100, "20.00", &[dear]).1, []);
}

#[test]
fn a_decrease_can_leave_nothing_but_money() {
    let decrease = CorporateActionKind::CapitalDecrease { new_per_old: 0.25 };
    let (portfolio, events) = ex_day(3, "20.00", &[decrease]);
    assert_eq!(events, [shares_event(SharesChange::CapitalDecrease, 3, 0, lira("60.00"))]);
    assert!(portfolio.positions.is_empty());
    assert_eq!(portfolio.realised.to_string(), "-240.00");
}

#[test]
fn what_is_given_on_one_day_is_counted_on_the_shares_that_remain() {
    let decrease = CorporateActionKind::CapitalDecrease { new_per_old: 0.5 };
    let bonus = CorporateActionKind::BonusIssue { new_per_old: 1.0 };
    let dividend = CorporateActionKind::CashDividend { per_share: price("1.00") };
    let (portfolio, events) = ex_day(10, "20.00", &[bonus, dividend, decrease]);
    assert!(matches!(events[1], PaperEvent::Dividend { shares: Shares(5), .. }), "{events:?}");
    assert_eq!(events[0], shares_event(SharesChange::CapitalDecrease, 10, 5, Notional::ZERO));
    assert_eq!(events[2], shares_event(SharesChange::BonusIssue, 5, 10, Notional::ZERO));
    // (20 / 0.5 - 1) / 2.
    let ex_price = Some(price("19.50"));
    let expected = Position { shares: Shares(10), cost: lira("1000.00"), ex_price };
    assert_eq!(portfolio.positions[&symbol()], expected);
}

#[test]
fn actions_that_leave_no_price_are_left_out() {
    let dividend = CorporateActionKind::CashDividend { per_share: price("20.00") };
    let nothing = CorporateActionKind::Split { new_per_old: 0.0 };
    for kind in [dividend, nothing] {
        let (portfolio, events) = ex_day(10, "20.00", &[kind]);
        assert_eq!((portfolio.cash, events), (lira("1000.00"), Vec::new()));
        assert_eq!(portfolio.shares(symbol()), Shares(10));
    }
}
