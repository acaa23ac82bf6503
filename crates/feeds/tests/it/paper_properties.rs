//! Whatever the bytes of a bulletin or of an answer of İş Yatırım are: no panic, and never more
//! than they hold.

use bist_feeds::{Batch, parse_bulletin_csv, parse_bulletin_zip, parse_hisse_tekil, parse_sermaye};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::RngSeed;

use crate::bulletin::zipped;

const TABLE: &[u8] = include_bytes!("../fixtures/bulletin/thb202510301.csv");
const PRICES: &[u8] = include_bytes!("../fixtures/isyatirim/hisse_tekil.json");
const ACTIONS: &[u8] = include_bytes!("../fixtures/isyatirim/sermaye.json");

/// Every row is at most one bar, one day of facts, or refused; texts are shortened.
fn check_bounds(batch: &Batch, bytes: &[u8]) -> Result<(), TestCaseError> {
    let rows = batch.rows_read;
    let bars: usize = batch.series.iter().map(|series| series.bars.len()).sum();
    let refused = batch.refused.len();
    prop_assert!((bars + refused) as u64 <= rows);
    prop_assert!((batch.days.len() + refused) as u64 <= rows);
    prop_assert!(batch.actions.len() as u64 <= rows * 3);
    prop_assert!(rows <= bytes.len() as u64);
    prop_assert!(batch.refused.iter().all(|row| row.text.chars().count() <= 201));
    prop_assert!(batch.notes.iter().all(|note| note.len() < 30_000));
    Ok(())
}

/// One change of a document.
#[derive(Clone, Debug)]
enum Change {
    Byte(Index, u8),
    Cut(Index),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Insert(Index, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let words = prop::sample::select(vec![
        "null",
        "-1",
        "0",
        "1e999",
        "9223372036854775808",
        "\"NaN\"",
        "NaN",
        "[[[[",
        "{}",
        ";;;;",
        "\n",
        "\"",
        "\\u0000",
        "\u{feff}",
        "İ",
        "2025-02-30",
        "EQT",
        "\\",
        "1,5",
        "true",
    ]);
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
        any::<Index>().prop_map(Change::Cut),
        (any::<Index>(), 1..80_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (any::<Index>(), 1..400_usize, 1..20_usize)
            .prop_map(|(at, length, times)| Change::Repeat(at, length, times)),
        (any::<Index>(), words).prop_map(|(at, word)| Change::Insert(at, word)),
    ]
}

fn changed(document: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut bytes = document.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len();
        let end = |at: usize, wanted: usize| (at + wanted).min(length);
        match change {
            Change::Byte(at, byte) => bytes[at.index(length)] = *byte,
            Change::Cut(at) => bytes.truncate(at.index(length)),
            Change::Remove(at, wanted) => {
                let at = at.index(length);
                bytes.drain(at..end(at, *wanted));
            }
            Change::Repeat(at, wanted, times) => {
                let at = at.index(length);
                let part = bytes[at..end(at, *wanted)].repeat(*times);
                bytes.splice(at..at, part);
            }
            Change::Insert(at, word) => {
                let at = at.index(length);
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

fn check_all(bytes: &[u8]) -> Result<(), TestCaseError> {
    for batch in [
        parse_bulletin_csv("x", bytes).ok(),
        parse_bulletin_zip("x", bytes).ok(),
        parse_hisse_tekil("x", bytes).ok(),
        parse_sermaye("x", bytes).ok(),
    ] {
        batch.map_or(Ok(()), |batch| check_bounds(&batch, bytes))?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(11),
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_bytes_are_an_answer_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check_all(&bytes)?;
    }

    #[test]
    fn a_damaged_document_is_an_answer_or_an_error(
        which in 0..3_usize,
        changes in prop::collection::vec(change(), 1..8),
    ) {
        check_all(&changed([TABLE, PRICES, ACTIONS][which], &changes))?;
    }

    #[test]
    fn a_damaged_archive_is_an_error_or_the_whole_table(
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let whole = zipped(&[("thb202510301.csv", TABLE)]);
        let days = parse_bulletin_zip("x", &whole).unwrap().days;
        if let Ok(batch) = parse_bulletin_zip("x", &changed(&whole, &changes)) {
            prop_assert_eq!(batch.days, days);
        }
    }

    #[test]
    fn a_price_survives_the_way_through_a_bulletin(units in 1_i64..=99_999_999_999, shares in 1_i64..1_000_000_000) {
        let price = format!("{}.{:04}", units / 10_000, units % 10_000);
        let text = std::str::from_utf8(TABLE).unwrap();
        let table = text.replace("102.00;101.25;101.25", &format!("{price};101.25;101.25"));
        let table = table.replace("8053312", &shares.to_string());
        let bar = parse_bulletin_csv("x", table.as_bytes()).unwrap().series[0].bars[0];
        prop_assert_eq!((bar.high_units, bar.volume_shares), (units, Some(shares)));
    }
}
