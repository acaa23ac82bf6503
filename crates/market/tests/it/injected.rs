//! Faults put into clean series at random places: each is found there, under its own name, and
//! nothing else is.

use std::collections::BTreeMap;

use bist_market::{Calendar, RawBar, Severity};
use jiff::SignedDuration;
use jiff::civil::date;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::made_up::{bar, checked, codes};

/// Sessions of a series, and the first place for a fault: a full window of volumes before it.
const ROWS: usize = 160;
const FIRST_PLACE: usize = 30;

const SEEDS: u64 = 200;

/// A quiet walk: moves of up to two percent, volumes that differ by less than two times, and no
/// close like the one before.
fn clean(rng: &mut ChaCha8Rng) -> Vec<RawBar> {
    let calendar = Calendar::bist();
    let first = date(2021 + rng.random_range(0..4), rng.random_range(1..=12), 1);
    let mut close_units: i64 = rng.random_range(50_000..2_000_000);
    let sessions = calendar.sessions(first, calendar.last_day()).take(ROWS);
    sessions
        .map(|(day, _)| {
            let step = (close_units / 50).max(2);
            let change = rng.random_range(1..=step);
            close_units += if rng.random_bool(0.5) { change } else { -change };
            let row = bar(day, close_units, rng.random_range(10_000..20_000));
            RawBar { adjusted_close: Some(lira(close_units) * 0.9), ..row }
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "prices of tests are small")]
fn lira(units: i64) -> f64 {
    units as f64 / 10_000.0
}

/// Puts one fault at the row `index`.
type Inject = fn(&mut Vec<RawBar>, usize);

/// The code that must be found, and how its fault comes about.
const FAULTS: [(&str, Inject); 17] = [
    ("non_positive_price", |rows, at| rows[at].low_units = 0),
    ("low_above_high", |rows, at| {
        let RawBar { low_units, high_units, .. } = rows[at];
        (rows[at].low_units, rows[at].high_units) = (high_units, low_units);
    }),
    ("open_out_of_range", |rows, at| rows[at].open_units = Some(rows[at].high_units * 51 / 50)),
    ("close_out_of_range", |rows, at| rows[at].close_units = rows[at].low_units * 49 / 50),
    ("negative_volume", |rows, at| rows[at].volume_shares = Some(-5)),
    ("non_positive_adjusted_close", |rows, at| rows[at].adjusted_close = Some(-1.0)),
    ("adjusted_close_above_close", |rows, at| {
        rows[at].adjusted_close = Some(lira(rows[at].close_units) * 1.1);
    }),
    ("weekend_row", |rows, at| {
        let days_to_sunday = 7 - i64::from(rows[at].day().weekday().to_monday_one_offset());
        let opened_at = rows[at].opened_at + SignedDuration::from_hours(24 * days_to_sunday);
        let place = rows.partition_point(|row| row.opened_at < opened_at);
        let copy = RawBar { opened_at, ..rows[at] };
        rows.insert(place, copy);
    }),
    ("duplicate_timestamp", |rows, at| rows.insert(at, rows[at])),
    ("conflicting_timestamp", |rows, at| {
        let other = RawBar { volume_shares: Some(7), ..rows[at] };
        rows.insert(at, other);
    }),
    ("repeated_bar", |rows, at| {
        rows[at] = RawBar { opened_at: rows[at].opened_at, ..rows[at - 1] };
    }),
    ("move_beyond_limit", |rows, at| {
        rows[at].close_units = rows[at].close_units * 7 / 5;
        rows[at].high_units = rows[at].close_units;
        // The adjusted close is wrong with it, so that it explains nothing.
        rows[at].adjusted_close = Some(lira(rows[at].close_units) * 0.9);
    }),
    ("missing_session", |rows, at| {
        rows.remove(at);
    }),
    ("missing_volume", |rows, at| rows[at].volume_shares = None),
    ("volume_outlier", |rows, at| rows[at].volume_shares = Some(5_000_000)),
    ("open_rounding", |rows, at| rows[at].open_units = Some(rows[at].high_units + 1)),
    ("zero_volume", |rows, at| rows[at].volume_shares = Some(0)),
];

#[test]
fn a_clean_walk_has_no_finding() {
    for seed in 0..SEEDS {
        let rows = clean(&mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(codes(&checked(rows)), [""; 0], "seed {seed}");
    }
}

#[test]
fn an_injected_fault_is_found_at_its_place_and_nothing_else_is() {
    let mut recall: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for (code, inject) in FAULTS {
        for seed in 0..SEEDS {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut rows = clean(&mut rng);
            // The Sunday after it lies within the series.
            let at = rng.random_range(FIRST_PLACE..ROWS - 6);
            let sound = rows.clone();
            inject(&mut rows, at);
            let found = checked(rows.clone());
            // The row that is not among the sound ones, or the sound one that is gone.
            let changed = rows.iter().find(|row| !sound.contains(row)).unwrap_or(&sound[at]);
            let day = changed.day();
            let expected = format!("{day} {code}");
            let findings = codes(&found);
            let (hits, of) = recall.entry(code).or_default();
            *of += 1;
            *hits += u64::from(findings.contains(&expected));
            assert!(findings.iter().all(|f| *f == expected), "{code}, seed {seed}: {findings:?}");

            // An error keeps the row out; everything else stays.
            let finding = &found.quality().findings[0];
            let kept = found.bars().iter().filter(|bar| bar.day == day).count();
            let is_error = finding.severity() == Severity::Error;
            let expected_kept = usize::from(!is_error || code == "duplicate_timestamp");
            assert_eq!(kept, expected_kept, "{code}, seed {seed}");
            let others = found.bars().iter().filter(|bar| bar.day != day).count();
            let sound_others = sound.iter().filter(|row| row.day() != day).count();
            assert_eq!(others, sound_others, "{code}, seed {seed}: a clean row was lost");
        }
    }
    for (code, (hits, of)) in &recall {
        println!("{code:28} found {hits} of {of}");
        assert_eq!(hits, of, "{code}");
    }
    assert_eq!(recall.len(), FAULTS.len());
}

#[test]
fn five_equal_closes_and_a_reversed_file_are_found_wherever_they_are() {
    for seed in 0..SEEDS {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut rows = clean(&mut rng);
        let at = rng.random_range(FIRST_PLACE..ROWS - 10);
        let held = rows[at].close_units;
        for row in &mut rows[at + 1..at + 5] {
            row.close_units = held;
            row.open_units = Some(held);
            (row.high_units, row.low_units) = (held + 100, held - 100);
            row.adjusted_close = Some(lira(held) * 0.9);
        }
        let run = format!("{} stale_close_run", rows[at].day());
        // The walk goes on from where it was, so the row after the run may lie at its limit.
        let said = codes(&checked(rows.clone()));
        assert_eq!(said, std::slice::from_ref(&run), "seed {seed}");
        rows.reverse();
        assert_eq!(codes(&checked(rows)), ["newest_first".to_owned(), run], "seed {seed}");
    }
}
