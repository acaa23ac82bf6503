//! Two sources side by side: made-up stories with a known answer, and real files.

use bist_market::adjust::PriceTerms;
use bist_market::bar::midnight_of;
use bist_market::reconcile::{
    DayVerdict, EarlyCloseDay, IndexEvidence, IndexPolicy, ReconcilePolicy, Reconciliation, Side,
    SideName, early_closes_by_index, reconcile,
};
use bist_market::{
    Bar, Calendar, CorporateAction, CorporateActionKind, FindingKind, Price, Severity, Shares,
    Source, Symbol,
};
use jiff::civil::{Date, date};

use crate::made_up::{checked, symbol, units};
use crate::shared;

fn vendor(name: &str) -> Source {
    Source::parse(name).unwrap()
}

/// Forty sessions from 2 January 2024 on that wander, with a range of two percent.
fn quiet() -> Vec<Bar> {
    let calendar = Calendar::bist();
    let sessions = calendar.sessions(date(2024, 1, 2), calendar.last_day()).take(40);
    let mut close = 50.0;
    sessions
        .zip(0_u32..)
        .map(|((day, _), i)| {
            close *= 1.0 + ((f64::from(i) * 0.618).fract() - 0.5) * 0.04;
            bar(day, close, close * 0.98, close * 1.02, 1_000_000 + 1_000 * u64::from(i))
        })
        .collect()
}

fn bar(day: Date, close: f64, low: f64, high: f64, volume: u64) -> Bar {
    let price = |lira: f64| Price::from_units(units(lira)).unwrap();
    Bar {
        day,
        opened_at: midnight_of(day),
        open: Some(price(close)),
        high: price(high),
        low: price(low),
        close: price(close),
        adjusted_close: None,
        volume: Some(Shares(volume)),
    }
}

/// The bars with prices times a factor and volumes divided by it.
fn scaled(bars: &[Bar], factor: f64) -> Vec<Bar> {
    let times = |price: Price| Price::from_units(units(price.lira() * factor)).unwrap();
    bars.iter()
        .map(|bar| Bar {
            open: bar.open.map(times),
            high: times(bar.high),
            low: times(bar.low),
            close: times(bar.close),
            ..*bar
        })
        .collect()
}

fn compare(a: &[Bar], b: &[Bar], actions: &[CorporateAction]) -> Reconciliation {
    let side = |source, bars| Side { source, bars, terms: Some(PriceTerms::Raw) };
    let (a, b) = (side(vendor("first"), a), side(vendor("second"), b));
    reconcile(&a, &b, actions, ReconcilePolicy::default())
}

/// The days that do not simply agree, by their number in the series.
#[track_caller]
fn check(a: &[Bar], b: &[Bar], actions: &[CorporateAction], expected: &[(usize, DayVerdict)]) {
    let found: Vec<(usize, DayVerdict)> = compare(a, b, actions)
        .days
        .iter()
        .map(|day| (a.iter().position(|bar| bar.day == day.day).unwrap(), day.verdict))
        .filter(|(_, verdict)| *verdict != DayVerdict::Agrees)
        .collect();
    assert_eq!(found, expected);
}

/// The same bar, as it stood at an hour when the close was still `share` of what it became.
fn early(bar: &Bar, share: f64) -> Bar {
    let close = Price::from_units(units(bar.close.lira() * share)).unwrap();
    Bar {
        close,
        low: bar.low.max(Price::from_units(units(close.lira() * 0.99)).unwrap()).min(close),
        high: bar.high.min(Price::from_units(units(close.lira() * 1.005)).unwrap()),
        volume: bar.volume.map(|shares| Shares(shares.0 * 7 / 10)),
        ..*bar
    }
}

const EARLY_A: DayVerdict = DayVerdict::EarlyClose { side: SideName::A };
const EARLY_B: DayVerdict = DayVerdict::EarlyClose { side: SideName::B };

#[test]
fn another_level_and_another_count_of_shares_are_no_difference() {
    let a = quiet();
    let mut b = scaled(&a, 0.25);
    b.iter_mut().for_each(|bar| bar.volume = bar.volume.map(|shares| Shares(shares.0 * 4)));
    check(&a, &b, &[], &[]);
    let found = compare(&a, &b, &[]);
    assert_eq!((found.compared_count, found.agreeing_count), (39, 39));
    assert_eq!(found.volume_ratio_median, Some(0.25));
    assert_eq!((found.volume_compared_count, found.volume_agreeing_count), (39, 39));
    assert!(found.return_correlation.unwrap() > 0.9999);
    assert!(found.remarks(SideName::A).is_empty() && found.remarks(SideName::B).is_empty());
}

#[test]
fn the_side_that_closed_early_is_named_and_the_other_is_not() {
    let full = quiet();
    let mut cut = scaled(&full, 0.8);
    cut[20] = early(&cut[20], 0.99);
    check(&cut, &full, &[], &[(20, EARLY_A), (21, DayVerdict::AfterWrongClose)]);
    check(&full, &cut, &[], &[(20, EARLY_B), (21, DayVerdict::AfterWrongClose)]);

    let found = compare(&full, &cut, &[]);
    let codes = |side| -> Vec<(&str, Severity)> {
        found.remarks(side).iter().map(|r| (r.kind.code(), r.kind.severity())).collect()
    };
    assert_eq!(codes(SideName::A), [("volume_disagreement", Severity::Info)]);
    assert_eq!(
        codes(SideName::B),
        [("early_close", Severity::Error), ("volume_disagreement", Severity::Info)]
    );
    let remark = &found.remarks(SideName::B)[0];
    assert_eq!(remark.day, Some(full[20].day));
    let FindingKind::EarlyClose { close_units, other_source, return_share, .. } = &remark.kind
    else {
        panic!("{remark:?}")
    };
    assert_eq!((*close_units, *other_source), (cut[20].close.units(), vendor("first")));
    assert!((return_share - (cut[20].close.lira() / cut[19].close.lira() - 1.0)).abs() < 1e-12);
}

#[test]
fn several_early_closes_in_a_row_are_all_named() {
    let full = quiet();
    let mut cut = full.clone();
    for bar in &mut cut[20..23] {
        *bar = early(bar, 0.985);
    }
    check(
        &cut,
        &full,
        &[],
        &[(20, EARLY_A), (21, EARLY_A), (22, EARLY_A), (23, DayVerdict::AfterWrongClose)],
    );
}

#[test]
fn the_newest_bar_can_be_early_too() {
    let full = quiet();
    let mut cut = full.clone();
    cut[39] = early(&cut[39], 0.99);
    check(&cut, &full, &[], &[(39, EARLY_A)]);
}

#[test]
fn without_evidence_nobody_is_early() {
    let a = quiet();
    let mut b = a.clone();
    // Another close with the same range and volume, and one far outside the other's range.
    b[20].close = Price::from_units(units(b[20].close.lira() * 0.99)).unwrap();
    b[30] = bar(
        b[30].day,
        b[30].close.lira() * 1.3,
        b[30].low.lira(),
        b[30].high.lira() * 1.4,
        1_030_000,
    );
    check(
        &a,
        &b,
        &[],
        &[
            (20, DayVerdict::WrongClose),
            (21, DayVerdict::AfterWrongClose),
            (30, EARLY_A),
            (31, DayVerdict::AfterWrongClose),
        ],
    );
}

#[test]
fn a_level_that_stays_differs_once() {
    let a = quiet();
    let mut b = a.clone();
    let shifted = scaled(&a[20..], 0.9);
    b[20..].copy_from_slice(&shifted);
    check(&a, &b, &[], &[(20, DayVerdict::Differs)]);
    let found = compare(&a, &b, &[]);
    for side in [SideName::A, SideName::B] {
        let remarks = found.remarks(side);
        assert!(matches!(remarks[0].kind, FindingKind::ReturnDisagreement { .. }));
        assert_eq!(remarks.len(), 1);
    }
}

#[test]
fn a_dividend_that_one_side_is_adjusted_for_explains_the_ex_day() {
    let raw = quiet();
    let per_share = Price::parse("2.50").unwrap();
    let action = CorporateAction {
        symbol: symbol(),
        effective_on: raw[20].day,
        kind: CorporateActionKind::CashDividend { per_share },
    };
    let factor = action.theoretical_base(raw[19].close) / raw[19].close.lira();
    let mut adjusted = raw.clone();
    adjusted[..20].copy_from_slice(&scaled(&raw[..20], factor));
    check(&raw, &adjusted, &[action], &[(20, DayVerdict::ExplainedByActions)]);
    check(&raw, &adjusted, &[], &[(20, DayVerdict::Differs)]);

    // Without our own actions, an adjusted close beside the close tells as much.
    let mut beside = raw;
    for (bar, adjusted) in beside.iter_mut().zip(&adjusted) {
        bar.adjusted_close = Some(adjusted.close.lira());
    }
    check(&beside, &adjusted, &[], &[(20, DayVerdict::ExplainedByAdjustment)]);
}

#[test]
fn days_that_one_side_lacks_are_counted_and_jumped_over() {
    let a = quiet();
    let mut b = a.clone();
    b.remove(20);
    b.remove(5);
    let found = compare(&a[..30], &b, &[]);
    assert_eq!((found.only_a_count, found.only_b_count), (2, 0));
    assert_eq!((found.compared_count, found.agreeing_count), (27, 27));
    let nothing = compare(&a, &[], &[]);
    assert_eq!((nothing.compared_count, nothing.agreement_share), (0, None));
}

#[test]
fn a_volume_that_one_side_lost_is_a_difference() {
    let a = quiet();
    let mut b = a.clone();
    b[20].volume = Some(Shares(0));
    b[25].volume = None;
    b[30].volume = b[30].volume.map(|shares| Shares(shares.0 / 2));
    let found = compare(&a, &b, &[]);
    let differing: Vec<Date> =
        found.days.iter().filter(|d| d.volume_agrees == Some(false)).map(|d| d.day).collect();
    assert_eq!(differing, [a[20].day, a[30].day]);
    assert_eq!(found.volume_compared_count, 38);
}

/// An index of sixty sessions and twelve shares that follow it with a little noise of their own;
/// every day opens where the day before closed.
fn market() -> (Vec<Bar>, Vec<(Symbol, Vec<Bar>)>) {
    let calendar = Calendar::bist();
    let days: Vec<Date> = calendar
        .sessions(date(2024, 1, 2), calendar.last_day())
        .take(60)
        .map(|(day, _)| day)
        .collect();
    let series = |number: u32| {
        let noise = |multiple: f64, i: u32| (f64::from(i) * multiple).fract() - 0.5;
        let mut close = 100.0;
        let bars: Vec<Bar> = days
            .iter()
            .zip(0_u32..)
            .map(|(day, i)| {
                let before = close;
                let own =
                    if number == 0 { 0.0 } else { noise(0.414 + f64::from(number) * 0.01, i) };
                close *= 1.0 + 0.04 * noise(0.618, i) + 0.004 * own;
                let (low, high) = (before.min(close) * 0.999, before.max(close) * 1.001);
                let open = Some(Price::from_units(units(before)).unwrap());
                Bar { open, ..bar(*day, close, low, high, 1_000_000) }
            })
            .collect();
        bars
    };
    let shares = (1..=12).map(|n| (Symbol::parse(&format!("AAA{n}")).unwrap(), series(n)));
    (series(0), shares.collect())
}

fn early_days(index: &[Bar], shares: &[(Symbol, Vec<Bar>)]) -> Vec<EarlyCloseDay> {
    let series: Vec<(Symbol, &[Bar])> =
        shares.iter().map(|(symbol, bars)| (*symbol, bars.as_slice())).collect();
    early_closes_by_index(&series, index, IndexPolicy::default())
}

#[test]
fn a_market_that_follows_its_index_was_closed_in_time() {
    let (index, shares) = market();
    assert_eq!(early_days(&index, &shares), []);
}

#[test]
fn shares_that_left_the_index_and_opened_back_on_it_were_closed_early() {
    let (index, mut shares) = market();
    for (_, bars) in &mut shares[..9] {
        let close = bars[30].close.lira() * 1.04;
        bars[30] = Bar { open: bars[30].open, ..bar(bars[30].day, close, 90.0, 130.0, 1_000_000) };
    }
    let found = early_days(&index, &shares);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].day, index[30].day);
    let early: Vec<Symbol> = found[0].symbols.iter().map(|early| early.symbol).collect();
    let moved: Vec<Symbol> = shares[..9].iter().map(|(symbol, _)| *symbol).collect();
    assert_eq!(early, moved);

    // The same closes, but the next day opens on them: the shares moved and moved back.
    for (_, bars) in &mut shares {
        bars[31].open = Some(bars[30].close);
    }
    assert_eq!(early_days(&index, &shares), []);
}

#[test]
fn a_fraction_of_the_usual_volume_is_a_partial_day_unless_the_index_has_it_too() {
    let (mut index, mut shares) = market();
    for (_, bars) in &mut shares[..7] {
        bars[30].volume = Some(Shares(200_000));
        // No trade at all is something else.
        bars[40].volume = Some(Shares(0));
    }
    let found = early_days(&index, &shares);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].day, found[0].symbols.len()), (index[30].day, 7));
    assert!(matches!(found[0].evidence, IndexEvidence::ShortVolume { volume_share }
        if (volume_share - 0.2).abs() < 1e-12));

    index[30].volume = Some(Shares(200_000));
    assert_eq!(early_days(&index, &shares), []);
    assert_eq!(early_days(&index, &shares[..9]), [], "nine symbols are too few");
}

// Real files.

fn real(file: &str) -> Vec<Bar> {
    checked(shared::daily_series(&shared::path(file).unwrap()).bars).bars().to_vec()
}

/// The files of a folder, in order.
fn files(folder: &str) -> Option<Vec<String>> {
    let entries = std::fs::read_dir(shared::path(folder)?).unwrap();
    let mut files: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    Some(files)
}

#[test]
fn two_vintages_of_real_symbols_agree_but_for_what_is_named() {
    let Some(files) = files("daily_recent") else { return };
    let (mut early_on_the_last_day, mut compared, mut agreeing) = (0, 0, 0);
    for file in &files {
        let (old, new) = (real(&format!("daily/{file}")), real(&format!("daily_recent/{file}")));
        let last = old.last().unwrap().day;
        // The older file was downloaded on its last day, during the session.
        let a = Side {
            source: vendor("yahoo-2024"),
            bars: &old,
            terms: Some(PriceTerms::SplitAdjusted { until: last }),
        };
        let terms = Some(PriceTerms::FullyAdjusted);
        let b = Side { source: vendor("yahoo-2026"), bars: &new, terms };
        // No actions: the adjusted close of the older file is asked.
        let found = reconcile(&a, &b, &[], ReconcilePolicy::default());
        println!(
            "{file:10} {} days, agreement {:.2} %, correlation {:.4}, volume ratio {:?}, volumes {}/{}, alone {} {}",
            found.compared_count,
            found.agreement_share.unwrap() * 100.0,
            found.return_correlation.unwrap(),
            found.volume_ratio_median,
            found.volume_agreeing_count,
            found.volume_compared_count,
            found.only_a_count,
            found.only_b_count
        );
        for day in found.days.iter().filter(|day| !day.verdict.agrees()) {
            println!(
                "    {} {:?} {:.4} {:.4}",
                day.day, day.verdict, day.return_share_a, day.return_share_b
            );
            if day.day == last {
                assert_eq!(day.verdict, EARLY_A, "{file}");
                early_on_the_last_day += 1;
            }
        }
        compared += found.compared_count;
        agreeing += found.agreeing_count;
        assert!(found.agreement_share.unwrap() > 0.995 && found.compared_count > 700, "{file}");
        let errors = found.remarks(SideName::B);
        assert!(errors.iter().all(|remark| remark.kind.severity() < Severity::Error), "{file}");
    }
    println!("{agreeing} of {compared} agree; {early_on_the_last_day} early on the last day");
    assert!(early_on_the_last_day >= 6);
}

/// The index from another source than the shares.
fn index() -> Option<Vec<Bar>> {
    let path = shared::path("index/XU100_investing_2015_2025.csv")?;
    let number = |field: &str| field.parse::<f64>().unwrap();
    let mut bars: Vec<Bar> = shared::rows(&path)
        .iter()
        .map(|f| {
            let price = |field: &str| Price::from_units(units(number(field))).unwrap();
            let opened_at = midnight_of(f[0].parse().unwrap());
            Bar {
                day: f[0].parse().unwrap(),
                opened_at,
                open: Some(price(&f[1])),
                high: price(&f[2]),
                low: price(&f[3]),
                close: price(&f[4]),
                adjusted_close: None,
                volume: f[6].parse::<u64>().ok().map(Shares),
            }
        })
        .collect();
    bars.sort_by_key(|bar| bar.day);
    Some(bars)
}

#[test]
fn days_on_which_the_vendor_closed_early_are_seen_against_the_index() {
    let (Some(files), Some(index)) = (files("daily"), index()) else { return };
    let series: Vec<(Symbol, Vec<Bar>)> = files
        .iter()
        .map(|file| {
            let symbol = Symbol::parse(file.trim_end_matches(".csv")).unwrap();
            (symbol, real(&format!("daily/{file}")))
        })
        .collect();
    let series: Vec<(Symbol, &[Bar])> =
        series.iter().map(|(symbol, bars)| (*symbol, bars.as_slice())).collect();
    let found = early_closes_by_index(&series, &index, IndexPolicy::default());
    for EarlyCloseDay { day, evidence, compared_count, symbols, .. } in &found {
        println!("{day}: {} of {compared_count} symbols, {evidence:?}", symbols.len());
    }
    // The stories of QUALITY.md that a whole market shows; on 9 and 29 November 2022 it was a
    // symbol here and there, which takes a second vendor to see.
    let days: Vec<Date> = found.iter().map(|early| early.day).collect();
    let stories = [date(2022, 5, 10), date(2022, 6, 27), date(2022, 12, 16), date(2023, 1, 5)];
    assert_eq!(days, stories);
    let market_wide = &found[3];
    assert!(matches!(market_wide.evidence, IndexEvidence::ReturnsTakenBack { .. }));
    assert!((market_wide.index_return_share - -0.0737).abs() < 1e-3);
    assert!(market_wide.symbols.len() >= 35);
    let remarks: Vec<_> = market_wide.remarks(vendor("investing")).collect();
    assert_eq!(remarks.len(), market_wide.symbols.len());
    assert!(remarks.iter().all(|(_, remark)| remark.kind.severity() == Severity::Error));
}
