//! What must hold for any series, however bad.

use bist_market::{Calendar, DataQuality, Price, RawBar, ValidatedBars};
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::made_up::{bar, checked, units};

/// What may be wrong with a row.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Missing,
    Weekend,
    Spike,
    Level,
    Split,
    ZeroPrice,
    LowAboveHigh,
    OpenByRounding,
    Twice,
    Contradicted,
    Repeated,
    NegativeVolume,
    BadAdjustedClose,
    HighAlone,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        40 => Just(Fault::None),
        1 => Just(Fault::Missing),
        1 => Just(Fault::Weekend),
        1 => Just(Fault::Spike),
        1 => Just(Fault::Level),
        1 => Just(Fault::Split),
        1 => Just(Fault::ZeroPrice),
        1 => Just(Fault::LowAboveHigh),
        1 => Just(Fault::OpenByRounding),
        1 => Just(Fault::Twice),
        1 => Just(Fault::Contradicted),
        1 => Just(Fault::Repeated),
        1 => Just(Fault::NegativeVolume),
        1 => Just(Fault::BadAdjustedClose),
        1 => Just(Fault::HighAlone),
    ]
}

/// A walk of up to 120 sessions around March 2020, where the limit changes, with faults.
fn rows() -> impl Strategy<Value = Vec<RawBar>> {
    prop::collection::vec((fault(), -0.12_f64..0.12, 0.2_f64..5.0), 1..120).prop_map(|steps| {
        let calendar = Calendar::bist();
        let mut rows: Vec<RawBar> = Vec::new();
        // What one share is worth, and how many shares one became.
        let (mut level, mut shares) = (100.0, 1.0);
        let sessions = calendar.sessions(date(2020, 1, 2), calendar.last_day());
        for (((day, _), (fault, step, factor)), volume) in sessions.zip(steps).zip(1_000..) {
            level *= 1.0 + step;
            if matches!(fault, Fault::Level) {
                level *= factor;
            }
            if matches!(fault, Fault::Split) {
                shares *= 2.0;
            }
            let mut row = bar(day, units(level / shares), volume);
            row.adjusted_close = Some(level / 1e6);
            damage(&mut row, fault, factor, rows.last());
            if !matches!(fault, Fault::Missing) {
                rows.push(row);
            }
            if matches!(fault, Fault::Twice) {
                rows.push(row);
            }
            if matches!(fault, Fault::Contradicted) {
                rows.push(RawBar { volume_shares: Some(1), ..row });
            }
        }
        rows
    })
}

fn damage(row: &mut RawBar, fault: Fault, factor: f64, before: Option<&RawBar>) {
    match fault {
        Fault::None
        | Fault::Missing
        | Fault::Level
        | Fault::Split
        | Fault::Twice
        | Fault::Contradicted => {}
        Fault::Weekend => {
            let days_to_sunday = 7 - row.day().weekday().to_monday_one_offset();
            row.opened_at += jiff::SignedDuration::from_hours(24 * i64::from(days_to_sunday));
        }
        Fault::Spike => {
            let close = units(factor * 100.0);
            *row = RawBar { opened_at: row.opened_at, ..bar(row.day(), close, 77) };
        }
        Fault::ZeroPrice => row.open_units = Some(0),
        Fault::LowAboveHigh => row.low_units = row.high_units + 1,
        Fault::OpenByRounding => row.open_units = Some(row.high_units + 1),
        Fault::Repeated => {
            if let Some(before) = before {
                *row = RawBar { opened_at: row.opened_at, ..*before };
            }
        }
        Fault::NegativeVolume => row.volume_shares = Some(-1),
        Fault::BadAdjustedClose => row.adjusted_close = Some(-1.0),
        Fault::HighAlone => row.high_units *= 2,
    }
}

/// Accepted bars as a source would give them.
fn raw(bars: &ValidatedBars, from: usize, to: usize) -> Vec<RawBar> {
    bars.bars()[from..to]
        .iter()
        .map(|bar| RawBar {
            opened_at: bar.opened_at,
            open_units: bar.open.map(Price::units),
            high_units: bar.high.units(),
            low_units: bar.low.units(),
            close_units: bar.close.units(),
            adjusted_close: bar.adjusted_close,
            volume_shares: bar.volume.map(|shares| i64::try_from(shares.0).unwrap()),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_counts_add_up(rows in rows()) {
        let bars = checked(rows.clone());
        let quality: &DataQuality = bars.quality();
        prop_assert_eq!(quality.received_count, u64::try_from(rows.len()).unwrap());
        prop_assert_eq!(
            quality.accepted_count + quality.quarantined_count + quality.unverifiable_count,
            quality.received_count
        );
        prop_assert_eq!(quality.accepted_count, u64::try_from(bars.bars().len()).unwrap());
        // Every quarantined row has a finding that says so, and no accepted one has.
        let mut condemned: Vec<(Date, usize)> = Vec::new();
        for finding in quality.findings.iter().filter(|finding| finding.quarantines()) {
            let day = finding.day.unwrap();
            match condemned.last_mut() {
                Some((last, count)) if *last == day => *count += 1,
                _ => condemned.push((day, 1)),
            }
        }
        let findings: usize = condemned.iter().map(|(_, count)| count).sum();
        prop_assert!(u64::try_from(findings).unwrap() >= quality.quarantined_count);
        prop_assert!((0.0..=1.0).contains(&quality.score_share()));
    }

    #[test]
    fn accepted_bars_are_what_their_type_promises(rows in rows()) {
        let bars = checked(rows);
        for pair in bars.bars().windows(2) {
            prop_assert!(pair[0].opened_at < pair[1].opened_at);
        }
        for bar in bars.bars() {
            prop_assert!(bar.open.is_none_or(|open| bar.low <= open && open <= bar.high));
            prop_assert!(bar.low <= bar.close && bar.close <= bar.high);
            prop_assert!(Calendar::bist().is_session(bar.day));
            prop_assert!(bar.adjusted_close.is_none_or(|lira| lira > 0.0));
        }
    }

    #[test]
    fn the_order_of_input_does_not_change_what_is_accepted(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
    ) {
        let (a, b) = (checked(rows), checked(shuffled));
        prop_assert_eq!(a.bars(), b.bars());
        for index in 0..a.bars().len() {
            prop_assert_eq!(a.continues(index), b.continues(index));
        }
        prop_assert_eq!(a.quality().quarantined_count, b.quality().quarantined_count);
    }

    #[test]
    fn a_stretch_without_breaks_is_accepted_whole_the_second_time(rows in rows()) {
        let once = checked(rows);
        let mut begin = 0;
        for end in 1..=once.bars().len() {
            if end < once.bars().len() && once.continues(end) {
                continue;
            }
            let twice = checked(raw(&once, begin, end));
            // That an adjustment stayed is seen in later rows, which a stretch that ends with it
            // no longer has.
            let last_day = once.bars()[end - 1].day;
            let on_later_evidence = once.quality().findings.iter().any(|finding| {
                finding.day == Some(last_day)
                    && finding.kind.code() == "move_explained_by_adjustment"
            });
            let kept = if on_later_evidence { end - 1 } else { end };
            let expected = &once.bars()[begin..kept];
            let actual = &twice.bars()[..expected.len().min(twice.bars().len())];
            prop_assert_eq!(actual, expected, "{:?}", twice.quality().findings);
            begin = end;
        }
    }
}
