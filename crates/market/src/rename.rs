//! Symbols that changed: one company, one history, under the code it has now.
//!
//! The exchange gives a share a new code when its company changes its name. The shares, the holders
//! and the prices stay, so the rows before and after are one history. A code that is free again may
//! be given to another company later, so a code without a day says little: ask [`canonical`].

use std::iter;

use jiff::civil::{Date, date};

use crate::instrument::Symbol;

/// One change of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The code up to the day before.
    pub from: &'static str,
    /// The code from `effective_on` on.
    pub to: &'static str,
    /// The first day under the new code.
    pub effective_on: Date,
    /// Where it was read.
    pub source: &'static str,
}

const KOZA_GROUP: &str = "announcement of Borsa İstanbul carried by ekonomim, 13 Nov 2025; \
                          borsagundem, 24 Nov 2025";

/// The changes we can support with a source, in the order of time. A change that is missing here
/// leaves two histories, which is safe; a wrong one would join two companies.
const RENAMES: &[Rename] = &[
    Rename { from: "IPEKE", to: "TRENJ", effective_on: date(2025, 11, 24), source: KOZA_GROUP },
    Rename { from: "KOZAA", to: "TRMET", effective_on: date(2025, 11, 24), source: KOZA_GROUP },
    Rename { from: "KOZAL", to: "TRALT", effective_on: date(2025, 11, 24), source: KOZA_GROUP },
];

/// The changes that are known, in the order of time.
pub const fn renames() -> &'static [Rename] {
    RENAMES
}

/// The present code of the company that had `symbol` last; `symbol` itself when no change is known.
/// Follows chains.
pub fn current_name(symbol: Symbol) -> Symbol {
    canonical(symbol, Date::MAX)
}

/// The present code of the company that traded under `symbol` on `day`.
///
/// After a change the old code still means the same company, as sources go on using it, until the
/// code is given to another. Before a change the new code means the company that took it, as
/// sources rewrite their history.
pub fn canonical(symbol: Symbol, day: Date) -> Symbol {
    canonical_in(RENAMES, symbol, day)
}

/// The codes that the company had before it had `symbol`, newest first, each with its last day.
pub fn former_names(symbol: Symbol) -> impl Iterator<Item = (Symbol, Date)> {
    former_in(RENAMES, symbol)
}

impl Rename {
    /// The code before.
    fn before(&self) -> Symbol {
        Symbol::parse(self.from).expect("every code in the table is a symbol")
    }

    /// The code after.
    fn after(&self) -> Symbol {
        Symbol::parse(self.to).expect("every code in the table is a symbol")
    }
}

/// See [`canonical`].
fn canonical_in(renames: &[Rename], symbol: Symbol, day: Date) -> Symbol {
    // Whoever had the code on the day took it at the latest change to it, or had it always.
    let taken_on = renames
        .iter()
        .filter(|change| change.after() == symbol && change.effective_on <= day)
        .map(|change| change.effective_on)
        .max();
    let given_up = |(code, since): &(Symbol, Option<Date>)| {
        renames
            .iter()
            .filter(|change| change.before() == *code)
            .filter(|change| since.is_none_or(|since| change.effective_on > since))
            .min_by_key(|change| change.effective_on)
            .map(|change| (change.after(), Some(change.effective_on)))
    };
    iter::successors(Some((symbol, taken_on)), given_up).last().map_or(symbol, |(code, _)| code)
}

/// See [`former_names`].
fn former_in(renames: &[Rename], symbol: Symbol) -> impl Iterator<Item = (Symbol, Date)> {
    let change_to = move |code: Symbol, until: Date| {
        let change = renames
            .iter()
            .filter(|change| change.after() == code && change.effective_on <= until)
            .max_by_key(|change| change.effective_on)?;
        Some((change.before(), change.effective_on.yesterday().ok()?))
    };
    iter::successors(change_to(symbol, Date::MAX), move |(code, until)| change_to(*code, *until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbol(code: &str) -> Symbol {
        Symbol::parse(code).unwrap()
    }

    const fn rename(from: &'static str, to: &'static str, effective_on: Date) -> Rename {
        Rename { from, to, effective_on, source: "made up" }
    }

    /// One company was AAA, BBB and then CCC; another was ZZZ, took AAA and is now DDD.
    const CHAIN: &[Rename] = &[
        rename("AAA", "BBB", date(2010, 3, 1)),
        rename("BBB", "CCC", date(2014, 3, 1)),
        rename("ZZZ", "AAA", date(2018, 3, 1)),
        rename("AAA", "DDD", date(2022, 3, 1)),
    ];

    #[track_caller]
    fn check(code: &str, day: Date, expected: &str) {
        assert_eq!(canonical_in(CHAIN, symbol(code), day), symbol(expected), "{code} on {day}");
    }

    #[test]
    fn a_chain_of_changes_leads_to_the_present_code() {
        for day in [date(2009, 1, 2), date(2012, 1, 2), date(2026, 1, 2)] {
            check("BBB", day, "CCC");
            check("CCC", day, "CCC");
        }
        check("AAA", date(2009, 1, 2), "CCC");
        let former: Vec<_> = former_in(CHAIN, symbol("CCC")).collect();
        assert_eq!(
            former,
            [(symbol("BBB"), date(2014, 2, 28)), (symbol("AAA"), date(2010, 2, 28))]
        );
    }

    #[test]
    fn a_code_that_was_given_to_another_company_is_told_apart_by_the_day() {
        check("AAA", date(2018, 2, 28), "CCC");
        check("AAA", date(2018, 3, 1), "DDD");
        check("AAA", date(2026, 1, 2), "DDD");
        check("ZZZ", date(2009, 1, 2), "DDD");
        let former: Vec<_> = former_in(CHAIN, symbol("DDD")).collect();
        assert_eq!(
            former,
            [(symbol("AAA"), date(2022, 2, 28)), (symbol("ZZZ"), date(2018, 2, 28))]
        );
    }

    #[test]
    fn a_code_that_came_back_ends() {
        let there_and_back =
            [rename("AAA", "BBB", date(2010, 3, 1)), rename("BBB", "AAA", date(2014, 3, 1))];
        for code in ["AAA", "BBB"] {
            for day in [date(2009, 1, 2), date(2012, 1, 2), date(2026, 1, 2)] {
                assert_eq!(canonical_in(&there_and_back, symbol(code), day), symbol("AAA"));
            }
        }
        assert_eq!(former_in(&there_and_back, symbol("AAA")).count(), 2);
    }
}
