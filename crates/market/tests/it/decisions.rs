//! What a person decides about a finding, and what becomes of the row.

use bist_market::validate::MonthQuality;
use bist_market::{
    BarSeries, DataQuality, Decision, FindingId, FindingKind, Interval, QualityBand, RawBar,
    Received, Refusal, RefusedRow, Source, ValidatedBars, ValidationPolicy, Verdict,
};
use jiff::civil::{Date, date};

use crate::made_up::{bar, bars, codes, decision, symbol, units, verdict};

const START: Date = date(2024, 1, 2);

/// Thirty quiet sessions, the last eight of them in February.
fn quiet() -> Vec<RawBar> {
    let closes: Vec<f64> = (0..30).map(|index| 100.0 + f64::from(index % 4)).collect();
    bars(START, &closes)
}

fn decided(rows: Vec<RawBar>, decisions: Vec<Decision>) -> ValidatedBars {
    let series = BarSeries { symbol: symbol(), interval: Interval::Daily, bars: rows };
    verdict(&Received { decisions, ..Received::bars(series, Source::CSV) })
}

/// The name of the only finding of this code.
#[track_caller]
fn id(bars: &ValidatedBars, code: &str) -> FindingId {
    let mut found = bars.quality().findings.iter().filter(|f| f.kind.code() == code);
    let finding = found.next().unwrap_or_else(|| panic!("no {code} in {:?}", codes(bars)));
    assert!(found.next().is_none(), "more than one {code}");
    finding.id
}

/// Accepted, quarantined, unverifiable, and rows with a warning.
fn counts(quality: &DataQuality) -> [u64; 4] {
    let DataQuality { accepted_count, quarantined_count, .. } = *quality;
    [accepted_count, quarantined_count, quality.unverifiable_count, quality.warning_rows_count]
}

#[test]
fn a_row_that_a_person_accepts_is_a_bar_and_costs_nothing() {
    let mut rows = quiet();
    rows[9] = RawBar { opened_at: rows[9].opened_at, ..rows[8] };
    let before = decided(rows.clone(), Vec::new());
    assert_eq!(counts(before.quality()), [29, 1, 0, 0]);
    let accept = decision(id(&before, "repeated_bar"), Verdict::Accept);
    let after = decided(rows, vec![accept]);
    assert_eq!(counts(after.quality()), [30, 0, 0, 0]);
    assert!((after.quality().score_share() - 1.0).abs() < 1e-12);
    // The finding stays, with what was decided.
    let finding = &after.quality().findings[0];
    assert_eq!(finding.decision, Some(Verdict::Accept));
    assert!(!finding.quarantines() && !finding.counts() && !finding.costs());
}

#[test]
fn a_warning_that_a_person_accepts_costs_nothing_and_one_rejected_costs_its_row() {
    let mut rows = quiet();
    rows[9].volume_shares = None;
    let before = decided(rows.clone(), Vec::new());
    assert_eq!(counts(before.quality()), [30, 0, 0, 1]);
    let name = id(&before, "missing_volume");
    let accepted = decided(rows.clone(), vec![decision(name, Verdict::Accept)]);
    assert_eq!(counts(accepted.quality()), [30, 0, 0, 0]);
    let rejected = decided(rows, vec![decision(name, Verdict::Reject)]);
    assert_eq!(counts(rejected.quality()), [29, 1, 0, 0]);
    assert!(rejected.bars().iter().all(|b| b.day != rejected.quality().findings[0].day.unwrap()));
}

#[test]
fn even_what_is_only_good_to_know_keeps_its_row_out_when_rejected() {
    let mut rows = quiet();
    rows[9].high_units = rows[9].close_units;
    rows[9].low_units = rows[9].close_units;
    let before = decided(rows.clone(), Vec::new());
    let reject = decision(id(&before, "flat_bar"), Verdict::Reject);
    assert_eq!(counts(decided(rows, vec![reject]).quality()), [29, 1, 0, 0]);
}

#[test]
fn the_newest_decision_is_in_force() {
    let mut rows = quiet();
    rows[9].volume_shares = Some(-1);
    let name = id(&decided(rows.clone(), Vec::new()), "negative_volume");
    let (accept, reject) = (decision(name, Verdict::Accept), decision(name, Verdict::Reject));
    for (decisions, accepted) in [
        (vec![accept.clone(), reject.clone()], 29),
        (vec![reject.clone(), accept.clone()], 30),
        (vec![accept.clone(), reject, accept], 30),
    ] {
        assert_eq!(decided(rows.clone(), decisions).quality().accepted_count, accepted);
    }
}

#[test]
fn a_decision_does_not_speak_for_a_row_whose_numbers_changed() {
    let mut rows = quiet();
    rows[9].adjusted_close = Some(-3.0);
    let name = id(&decided(rows.clone(), Vec::new()), "non_positive_adjusted_close");
    let accept = vec![decision(name, Verdict::Accept)];
    assert_eq!(decided(rows.clone(), accept.clone()).quality().accepted_count, 30);
    let revisions: [fn(&mut RawBar); 6] = [
        |row| row.open_units = row.open_units.map(|units| units + 1),
        |row| row.high_units += 1,
        |row| row.low_units -= 1,
        |row| row.close_units += 1,
        |row| row.adjusted_close = Some(-3.1),
        |row| row.volume_shares = row.volume_shares.map(|shares| shares + 1),
    ];
    for (index, revise) in revisions.into_iter().enumerate() {
        let mut revised = rows.clone();
        revise(&mut revised[9]);
        let bars = decided(revised, accept.clone());
        assert_eq!(counts(bars.quality()), [29, 1, 0, 0], "revision {index}");
        assert_eq!(bars.quality().findings[0].decision, None);
    }
    // Its neighbours may change as they like.
    let mut beside = rows;
    beside[8].volume_shares = Some(77_000);
    assert_eq!(decided(beside, accept).quality().accepted_count, 30);
}

#[test]
fn a_decision_is_about_one_source_and_one_kind() {
    let mut rows = quiet();
    rows[9].volume_shares = Some(-1);
    rows[9].adjusted_close = Some(-3.0);
    let before = decided(rows.clone(), Vec::new());
    let volume = decision(id(&before, "negative_volume"), Verdict::Accept);
    let adjusted = decision(id(&before, "non_positive_adjusted_close"), Verdict::Accept);
    assert_eq!(decided(rows.clone(), vec![volume.clone()]).quality().accepted_count, 29);
    let both = vec![volume, adjusted];
    let bars = decided(rows.clone(), both.clone());
    assert_eq!(bars.quality().accepted_count, 30);
    // What a bar cannot hold is left away.
    let accepted = bars.bars().iter().find(|b| b.volume.is_none()).unwrap();
    assert_eq!(accepted.adjusted_close, None);
    let series = BarSeries { symbol: symbol(), interval: Interval::Daily, bars: rows };
    let other = Source::parse("vendor-b").unwrap();
    let received = Received { decisions: both, ..Received::bars(series, other) };
    assert_eq!(verdict(&received).quality().accepted_count, 29);
}

#[test]
fn no_decision_makes_a_bar_of_what_is_none() {
    let mut rows = quiet();
    rows[9].low_units = 0;
    let accept =
        decision(id(&decided(rows.clone(), vec![]), "non_positive_price"), Verdict::Accept);
    assert_eq!(counts(decided(rows, vec![accept]).quality()), [29, 0, 1, 0]);

    let mut rows = quiet();
    rows[9].low_units = rows[9].high_units + 1;
    let accept = decision(id(&decided(rows.clone(), vec![]), "low_above_high"), Verdict::Accept);
    assert_eq!(counts(decided(rows, vec![accept]).quality()), [29, 0, 1, 0]);

    let mut rows = quiet();
    rows.insert(9, rows[9]);
    let accept =
        decision(id(&decided(rows.clone(), vec![]), "duplicate_timestamp"), Verdict::Accept);
    assert_eq!(counts(decided(rows, vec![accept]).quality()), [30, 0, 1, 0]);
}

#[test]
fn of_conflicting_rows_a_person_chooses_one() {
    let mut rows = quiet();
    let other = bar(rows[9].day(), units(101.5), 9);
    rows.insert(10, other);
    let before = decided(rows.clone(), Vec::new());
    let names: Vec<_> = before.quality().findings.iter().map(|finding| finding.id).collect();
    assert_eq!((names.len(), counts(before.quality())), (2, [29, 2, 0, 0]));
    let chosen: Vec<_> = names
        .iter()
        .map(|name| {
            let bars = decided(rows.clone(), vec![decision(*name, Verdict::Accept)]);
            assert_eq!(counts(bars.quality()), [30, 1, 0, 0]);
            bars.bars()[9].close.units()
        })
        .collect();
    assert_eq!(chosen.len(), 2);
    assert_ne!(chosen[0], chosen[1]);
    assert!(chosen.contains(&units(101.5)));
}

#[test]
fn a_move_that_a_person_accepts_is_the_base_of_the_next() {
    let closes = [100.0, 101.0, 50.0, 51.0, 52.0, 53.0];
    let rows = bars(START, &closes);
    let before = decided(rows.clone(), Vec::new());
    assert!(!before.continues(2), "a new level");
    let accept = decision(id(&before, "move_beyond_limit"), Verdict::Accept);
    let after = decided(rows, vec![accept]);
    assert_eq!(counts(after.quality()), [6, 0, 0, 0]);
    assert!((1..6).all(|index| after.continues(index)));
}

#[test]
fn a_missing_session_and_a_refused_row_can_be_accepted() {
    let mut rows = quiet();
    let lost = rows.remove(9).day();
    let before = decided(rows.clone(), Vec::new());
    assert_eq!(before.quality().missing_sessions_count, 1);
    let accept = decision(id(&before, "missing_session"), Verdict::Accept);
    let after = decided(rows.clone(), vec![accept]);
    assert_eq!(after.quality().missing_sessions_count, 0);
    assert!((after.quality().score_share() - 1.0).abs() < 1e-12);

    let refused = RefusedRow {
        file: "THYAO.csv".to_owned(),
        line: 11,
        symbol: Some(symbol()),
        day: Some(lost),
        text: "2024-01-15,,,,".to_owned(),
        reason: Refusal::MissingField { field: "close".to_owned() },
    };
    let series = BarSeries { symbol: symbol(), interval: Interval::Daily, bars: rows };
    let received = Received { refused: vec![refused], ..Received::bars(series, Source::CSV) };
    let before = verdict(&received);
    assert_eq!(counts(before.quality()), [29, 1, 0, 0]);
    let decisions = vec![decision(id(&before, "row_refused"), Verdict::Accept)];
    let after = verdict(&Received { decisions, ..received });
    assert_eq!(counts(after.quality()), [29, 0, 1, 0]);
}

#[test]
fn a_decision_about_something_that_no_longer_occurs_has_no_effect() {
    let gone: FindingId = "0123456789abcdef".parse().unwrap();
    let bars = decided(quiet(), vec![decision(gone, Verdict::Reject)]);
    assert_eq!(bars, decided(quiet(), Vec::new()));
}

#[test]
fn a_score_is_in_the_band_whose_bound_it_reaches() {
    let policy = ValidationPolicy::default();
    for (score_share, band) in [
        (0.0, QualityBand::Refused),
        (0.949_999, QualityBand::Refused),
        (0.95, QualityBand::Warning),
        (0.969_999, QualityBand::Warning),
        (0.97, QualityBand::Good),
        (1.0, QualityBand::Good),
    ] {
        assert_eq!(QualityBand::of(score_share, policy), band, "{score_share}");
    }
    // Of a hundred rows six, four and two are lost.
    for (lost, band) in
        [(6, QualityBand::Refused), (4, QualityBand::Warning), (2, QualityBand::Good)]
    {
        let closes: Vec<f64> = (0..100).map(|index| 100.0 + f64::from(index % 4)).collect();
        let mut rows = bars(START, &closes);
        for index in 0..lost {
            rows[10 + 5 * index].volume_shares = Some(-1);
        }
        let quality = decided(rows, Vec::new()).quality().clone();
        assert_eq!(quality.band(policy), band, "{}", quality.score_share());
    }
}

#[test]
fn each_month_has_its_own_counts_and_together_they_are_those_of_the_series() {
    let mut rows = quiet();
    rows[3].volume_shares = None;
    rows[4].volume_shares = Some(-1);
    rows.remove(25);
    let quality = decided(rows, Vec::new()).quality().clone();
    let month = |month, expected_count, error_rows_count, warning_rows_count: u64, cost: f64| {
        let score_share = 1.0 - cost / expected_count as f64;
        MonthQuality { month, expected_count, error_rows_count, warning_rows_count, score_share }
    };
    assert_eq!(
        quality.months,
        [month(date(2024, 1, 1), 22, 1, 1, 1.1), month(date(2024, 2, 1), 8, 1, 0, 1.0)]
    );
    let sum = |count: fn(&MonthQuality) -> u64| quality.months.iter().map(count).sum::<u64>();
    assert_eq!(sum(|month| month.expected_count), quality.expected_count());
    assert_eq!(sum(|month| month.error_rows_count), quality.error_rows_count());
    assert_eq!(sum(|month| month.warning_rows_count), quality.warning_rows_count);
}

fn series_of(code: &str, bars: Vec<RawBar>) -> ValidatedBars {
    let symbol = bist_market::Symbol::parse(code).unwrap();
    let series = BarSeries { symbol, interval: Interval::Daily, bars };
    verdict(&Received::bars(series, Source::CSV))
}

#[test]
fn an_index_has_the_sessions_and_limits_of_shares_and_need_not_have_a_volume() {
    let without_volume = |code: &str| {
        let mut rows = quiet();
        for row in &mut rows {
            row.volume_shares = None;
        }
        series_of(code, rows)
    };
    assert_eq!(codes(&without_volume("XU100")), [""; 0]);
    assert_eq!(codes(&without_volume("THYAO")), ["volume_absent"]);
    let mut rows = quiet();
    rows[9].close_units *= 2;
    rows[9].high_units *= 2;
    rows.insert(4, bar(date(2024, 1, 6), units(100.0), 5));
    rows.remove(20);
    assert_eq!(
        codes(&series_of("XU100", rows)),
        ["2024-01-06 weekend_row", "2024-01-15 move_beyond_limit", "2024-01-29 missing_session"]
    );
}

#[test]
fn a_rate_of_exchange_has_every_weekday_no_limit_and_no_volume() {
    // The 1st of May is a holiday of the exchange, and the 27th of April 2024 a Saturday.
    let days = [(4, 25), (4, 26), (4, 27), (4, 30), (5, 1), (5, 2), (5, 3)];
    let closes = [32.50, 32.51, 32.50, 32.40, 32.38, 36.00, 35.90];
    let rows: Vec<RawBar> = days
        .into_iter()
        .zip(closes)
        .map(|((month, day), lira)| RawBar {
            volume_shares: None,
            ..bar(date(2024, month, day), units(lira), 0)
        })
        .collect();
    let bars = series_of("USDTRY", rows.clone());
    // The 29th is not missing, and the move of a ninth is remarked on and kept.
    assert_eq!(codes(&bars), ["2024-04-27 weekend_row", "2024-05-02 fx_jump"]);
    assert_eq!(counts(bars.quality()), [6, 1, 0, 0]);
    let FindingKind::FxJump { move_share, .. } = bars.quality().findings[1].kind else {
        panic!("{:?}", bars.quality().findings)
    };
    assert!((move_share - (36.00 / 32.38 - 1.0)).abs() < 1e-9);
    // As a share the same rows are judged by the exchange's days and limits.
    let share = series_of("THYAO", rows);
    let found = codes(&share);
    for code in ["2024-05-01 holiday_row", "2024-04-29 missing_session", "volume_absent"] {
        assert!(found.iter().any(|found| found == code), "{code} not in {found:?}");
    }
}
