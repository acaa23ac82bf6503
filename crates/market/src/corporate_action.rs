//! Corporate actions: the events after which yesterday's price no longer compares with today's.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::instrument::Symbol;
use crate::price::Price;

/// An event that changes what one share is worth without anyone trading it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorporateAction {
    /// Whose shares.
    pub symbol: Symbol,
    /// The first session on which shares trade without the right (the ex-day).
    pub effective_on: Date,
    /// What happens.
    #[serde(flatten)]
    pub kind: CorporateActionKind,
}

/// What happens to one old share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CorporateActionKind {
    /// Money is paid out (nakit temettü).
    CashDividend {
        /// Gross, for each share.
        per_share: Price,
    },
    /// New shares are given for nothing (bedelsiz).
    BonusIssue {
        /// New shares for each old one, which remains: 1.0 doubles the number of shares.
        new_per_old: f64,
    },
    /// New shares are offered to holders at a fixed price (bedelli).
    RightsIssue {
        /// New shares offered for each old one.
        new_per_old: f64,
        /// What a holder pays for each new share.
        subscription: Price,
    },
    /// Each old share is replaced by several new ones.
    Split {
        /// New shares that replace one old one: 10.0 for a ten-for-one split, below one for a
        /// reverse split.
        new_per_old: f64,
    },
    /// The capital is reduced by cancelling shares (sermaye azaltımı).
    CapitalDecrease {
        /// Shares that remain of each old one, below one.
        new_per_old: f64,
    },
}

impl CorporateActionKind {
    /// The name used in the store, the API and the reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CashDividend { .. } => "cash_dividend",
            Self::BonusIssue { .. } => "bonus_issue",
            Self::RightsIssue { .. } => "rights_issue",
            Self::Split { .. } => "split",
            Self::CapitalDecrease { .. } => "capital_decrease",
        }
    }

    /// Whether fewer shares remain after it, so that a vendor raises the older prices.
    pub fn reduces_shares(&self) -> bool {
        match self {
            Self::Split { new_per_old } | Self::CapitalDecrease { new_per_old } => {
                *new_per_old < 1.0
            }
            Self::CashDividend { .. } | Self::BonusIssue { .. } | Self::RightsIssue { .. } => false,
        }
    }
}

impl CorporateAction {
    /// The price, in lira, at which the holder of one old share is neither richer nor poorer on the
    /// ex-day than at `previous_close`: the theoretical ex-price.
    ///
    /// Zero or negative when the action takes away more than a share was worth.
    pub fn theoretical_base(&self, previous_close: Price) -> f64 {
        self.kind.ex_price(previous_close.lira())
    }
}

/// The same for all actions of one share on one ex-day together, which are counted on the same
/// holding: `previous_close` itself when there is none.
pub fn theoretical_base_of(actions: &[CorporateActionKind], previous_close: Price) -> f64 {
    Entitlement::of(actions).ex_price(previous_close.lira())
}

impl CorporateActionKind {
    /// [`CorporateAction::theoretical_base`] in lira.
    pub(crate) fn ex_price(&self, previous_lira: f64) -> f64 {
        Entitlement::of([self]).ex_price(previous_lira)
    }
}

/// What the holder of one share gets on one ex-day, from all actions of that day together.
///
/// Shares are replaced first (split, capital decrease); money and new shares are for each share
/// that remains, and all are counted on the same holding: after 127.7 % and 2.3 % of bonus shares
/// one share has become 2.3, not 2.277 times 1.023. The vendor's factor for such a day (SASA, 23 May
/// 2023: 0.43478) says the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entitlement {
    /// Shares that replace one old one.
    replaced_by: f64,
    /// New shares for each remaining one, for nothing.
    free_shares: f64,
    /// New shares for each remaining one, against payment.
    paid_shares: f64,
    /// Lira paid in less lira paid out, for each remaining share.
    paid_in_lira: f64,
}

impl Entitlement {
    /// The sum of actions of one day.
    pub(crate) fn of<'a>(kinds: impl IntoIterator<Item = &'a CorporateActionKind>) -> Self {
        let nothing =
            Self { replaced_by: 1.0, free_shares: 0.0, paid_shares: 0.0, paid_in_lira: 0.0 };
        kinds.into_iter().fold(nothing, |mut sum, kind| {
            match *kind {
                CorporateActionKind::CashDividend { per_share } => {
                    sum.paid_in_lira -= per_share.lira();
                }
                CorporateActionKind::BonusIssue { new_per_old } => sum.free_shares += new_per_old,
                CorporateActionKind::RightsIssue { new_per_old, subscription } => {
                    sum.paid_shares += new_per_old;
                    sum.paid_in_lira += new_per_old * subscription.lira();
                }
                CorporateActionKind::Split { new_per_old }
                | CorporateActionKind::CapitalDecrease { new_per_old } => {
                    sum.replaced_by *= new_per_old;
                }
            }
            sum
        })
    }

    /// The price after the ex-day at which the holder is neither richer nor poorer, lira. Not
    /// positive, or not finite, when the actions are nonsense at this price.
    pub(crate) fn ex_price(&self, previous_lira: f64) -> f64 {
        (previous_lira / self.replaced_by + self.paid_in_lira)
            / (1.0 + self.free_shares + self.paid_shares)
    }

    /// Shares that one old share has become without payment.
    pub(crate) fn share_ratio(&self) -> f64 {
        self.replaced_by * (1.0 + self.free_shares)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[track_caller]
    fn check(kind: CorporateActionKind, previous_close: &str, expected_lira: f64) {
        let symbol = Symbol::parse("THYAO").unwrap();
        let action = CorporateAction { symbol, effective_on: date(2026, 6, 1), kind };
        let actual = action.theoretical_base(Price::parse(previous_close).unwrap());
        assert!((actual - expected_lira).abs() < 1e-9, "{actual} is not {expected_lira}");
    }

    #[test]
    fn the_holder_of_one_share_is_neither_richer_nor_poorer() {
        let lira = |text| Price::parse(text).unwrap();
        check(CorporateActionKind::CashDividend { per_share: lira("1.50") }, "20.00", 18.5);
        check(CorporateActionKind::BonusIssue { new_per_old: 1.0 }, "20.00", 10.0);
        check(
            CorporateActionKind::RightsIssue { new_per_old: 0.5, subscription: lira("1.00") },
            "20.00",
            20.5 / 1.5,
        );
        check(CorporateActionKind::Split { new_per_old: 10.0 }, "20.00", 2.0);
        check(CorporateActionKind::CapitalDecrease { new_per_old: 0.25 }, "20.00", 80.0);
    }

    #[test]
    fn what_is_given_on_one_day_is_counted_on_the_same_holding() {
        let lira = |text| Price::parse(text).unwrap();
        let bonus = |new_per_old| CorporateActionKind::BonusIssue { new_per_old };
        let check = |kinds: &[CorporateActionKind], previous: f64, expected: f64| {
            let actual = Entitlement::of(kinds).ex_price(previous);
            assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
        };
        check(&[bonus(1.2771554), bonus(0.0228445)], 104.6, 104.6 / 2.2999999);
        let rights =
            CorporateActionKind::RightsIssue { new_per_old: 0.5, subscription: lira("1.00") };
        check(&[bonus(0.5), rights], 20.0, 20.5 / 2.0);
        check(&[rights, bonus(0.5)], 20.0, 20.5 / 2.0);
        let dividend = CorporateActionKind::CashDividend { per_share: lira("2.00") };
        check(&[bonus(1.0), dividend], 20.0, 9.0);
        check(
            &[CorporateActionKind::CapitalDecrease { new_per_old: 0.25 }, rights],
            5.0,
            20.5 / 1.5,
        );
    }

    #[test]
    fn an_action_survives_the_way_to_json_and_back() {
        let action = CorporateAction {
            symbol: Symbol::parse("KONTR").unwrap(),
            effective_on: date(2025, 12, 1),
            kind: CorporateActionKind::RightsIssue {
                new_per_old: 0.5,
                subscription: Price::parse("1.00").unwrap(),
            },
        };
        let json = serde_json::to_string(&action).unwrap();
        assert_eq!(
            json,
            r#"{"symbol":"KONTR","effective_on":"2025-12-01","kind":"rights_issue","new_per_old":0.5,"subscription":"1.00"}"#
        );
        assert_eq!(serde_json::from_str::<CorporateAction>(&json).unwrap(), action);
    }
}
