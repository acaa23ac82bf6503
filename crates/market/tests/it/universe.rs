//! Which series may be trained on, and the fingerprint of those that are.

use bist_market::universe::ExclusionReason;
use bist_market::{
    BarSeries, Interval, RawBar, Received, Source, Symbol, UniverseError, ValidatedBars,
    ValidationPolicy, admit, snapshot_hash,
};
use jiff::civil::date;

use crate::made_up::{bars, verdict};

/// A series of so many sessions, of which so many at the end have a price of zero.
fn series(name: &str, sessions: usize, bad: usize) -> ValidatedBars {
    let closes: Vec<f64> = (0_u8..200).map(|k| 100.0 + f64::from(k % 7)).take(sessions).collect();
    let mut rows: Vec<RawBar> = bars(date(2024, 1, 2), &closes);
    for row in &mut rows[sessions - bad..] {
        row.open_units = Some(0);
    }
    let symbol = Symbol::parse(name).unwrap();
    let series = BarSeries { symbol, interval: Interval::Daily, bars: rows };
    verdict(&Received::bars(series, Source::CSV))
}

fn admitted(series: Vec<ValidatedBars>) -> Result<bist_market::Universe, UniverseError> {
    admit(series, ValidationPolicy::default())
}

#[test]
fn good_series_are_admitted_in_the_order_of_their_symbols() {
    let universe = admitted(vec![series("THYAO", 100, 0), series("AKBNK", 100, 5)]).unwrap();
    let names: Vec<_> = universe.series().iter().map(|bars| bars.symbol().to_string()).collect();
    assert_eq!(names, ["AKBNK", "THYAO"], "95 % is enough");
    assert!(universe.excluded().is_empty());
    assert!((universe.score_share() - 0.975).abs() < 1e-12);
}

#[test]
fn a_bad_symbol_is_left_out_by_name() {
    let universe =
        admitted(vec![series("AKBNK", 150, 0), series("KONTR", 50, 3), series("KOZAL", 0, 0)])
            .unwrap();
    assert_eq!(universe.series().len(), 1);
    let told: Vec<_> = universe.excluded().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "KONTR has a quality score of 94.00 %, below 95.00 %",
            "KOZAL has no row that can be verified",
        ]
    );
    assert_eq!(universe.excluded()[1].reason, ExclusionReason::NothingVerifiable);
    assert!((universe.score_share() - 197.0 / 200.0).abs() < 1e-12);
}

#[test]
fn data_that_are_bad_as_a_whole_are_refused_and_the_worst_is_named() {
    let error = admitted(vec![series("AKBNK", 100, 4), series("KONTR", 100, 20)]).unwrap_err();
    let told = error.to_string();
    let mut lines = told.lines();
    assert_eq!(
        lines.next(),
        Some(
            "the data score 88.00 % overall, below 95.00 %; the worst is KONTR with 80.00 %, see its \
             findings with bist validate"
        )
    );
    // The first of the failing rows follow, and how many more there are.
    assert_eq!(lines.next(), Some("  KONTR 2024-04-29: the open is 0.00, which is not a price"));
    assert_eq!(lines.next_back(), Some("  and 19 more"));
}

#[test]
fn without_anything_to_train_on_there_is_no_universe() {
    assert_eq!(admitted(Vec::new()), Err(UniverseError::NoSeries));
    let error = admitted(vec![series("KOZAL", 0, 0)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no symbol is good enough: KOZAL has no row that can be verified"
    );
}

#[test]
fn one_symbol_twice_is_refused() {
    let error = admitted(vec![series("AKBNK", 10, 0), series("AKBNK", 20, 0)]).unwrap_err();
    assert_eq!(error.to_string(), "AKBNK comes twice (1d and 1d); admit one series a symbol");
}

#[test]
fn the_fingerprint_tells_bars_apart_and_not_their_order() {
    let (a, b) = (series("AKBNK", 60, 0), series("THYAO", 60, 0));
    let hash = snapshot_hash(&[a.clone(), b.clone()]);
    assert_eq!(hash.len(), 64);
    assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()));
    assert_eq!(snapshot_hash(&[b, a.clone()]), hash);
    assert_ne!(snapshot_hash(std::slice::from_ref(&a)), hash);
    assert_ne!(snapshot_hash(&[a, series("THYAO", 60, 1)]), hash);
}

/// Guards against change, not against error: a stored model names its bars by this value.
#[test]
fn the_fingerprint_of_given_bars_stays_the_same_golden() {
    assert_eq!(
        snapshot_hash(&[series("AKBNK", 30, 1)]),
        "c7bc6cf70ed11f8b53c2b251e742687c061689e27d2aa19b28f74e493377efbb"
    );
}
