//! The table of changed codes.

use bist_market::{Symbol, canonical, current_name, former_names, renames};
use jiff::civil::date;

fn symbol(code: &str) -> Symbol {
    Symbol::parse(code).unwrap()
}

#[test]
fn every_change_has_two_codes_a_source_and_its_place_in_time() {
    for change in renames() {
        assert_ne!(symbol(change.from), symbol(change.to));
        assert!(!change.source.is_empty(), "{change:?}");
    }
    assert!(renames().is_sorted_by_key(|change| (change.effective_on, change.from)));
}

#[test]
fn a_company_has_one_history_before_and_after_its_change() {
    for (before, after) in [("KOZAL", "TRALT"), ("KOZAA", "TRMET"), ("IPEKE", "TRENJ")] {
        let (before, after) = (symbol(before), symbol(after));
        assert_eq!(current_name(before), after);
        assert_eq!(current_name(after), after);
        for day in [date(2019, 5, 2), date(2025, 11, 21), date(2025, 11, 24)] {
            assert_eq!(canonical(before, day), after, "{before} on {day}");
            assert_eq!(canonical(after, day), after, "{after} on {day}");
        }
        let former: Vec<_> = former_names(after).collect();
        assert_eq!(former, [(before, date(2025, 11, 23))]);
    }
}

#[test]
fn a_row_of_the_old_code_after_the_change_belongs_to_the_same_company() {
    assert_eq!(canonical(symbol("KOZAL"), date(2026, 3, 2)), symbol("TRALT"));
}

#[test]
fn a_code_that_never_changed_is_its_own() {
    let thyao = symbol("THYAO");
    assert_eq!((current_name(thyao), canonical(thyao, date(2005, 1, 3))), (thyao, thyao));
    assert_eq!(former_names(thyao).count(), 0);
}
