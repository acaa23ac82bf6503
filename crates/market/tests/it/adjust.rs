//! Adjusted series: what holds for any prices, and what real vendors say.

use std::collections::BTreeMap;

use bist_market::adjust::{
    AdjustmentFactors, PriceTerms, ReturnFlavour, adjusted, compare_with_vendor, unadjust,
};
use bist_market::{Bar, CorporateAction, CorporateActionKind, Price, PriceBasis};
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::made_up::{bars, checked, symbol, units};
use crate::shared;

const START: Date = date(2024, 1, 2);
const LATER: Date = date(2026, 1, 2);

fn action(effective_on: Date, kind: CorporateActionKind) -> CorporateAction {
    CorporateAction { symbol: symbol(), effective_on, kind }
}

fn dividend(effective_on: Date, per_share: f64) -> CorporateAction {
    let per_share = Price::from_units(units(per_share)).unwrap();
    action(effective_on, CorporateActionKind::CashDividend { per_share })
}

fn bonus(effective_on: Date, new_per_old: f64) -> CorporateAction {
    action(effective_on, CorporateActionKind::BonusIssue { new_per_old })
}

/// One bar a session from [`START`] on, believed as they are.
fn series(closes_lira: &[f64]) -> Vec<Bar> {
    bars(START, closes_lira)
        .into_iter()
        .map(|raw| {
            let price = |units| Price::from_units(units).unwrap();
            Bar {
                day: raw.day(),
                opened_at: raw.opened_at,
                open: raw.open_units.map(price),
                high: price(raw.high_units),
                low: price(raw.low_units),
                close: price(raw.close_units),
                adjusted_close: raw.adjusted_close,
                volume: raw.volume_shares.map(|v| bist_market::Shares(v.unsigned_abs())),
            }
        })
        .collect()
}

fn closes(bars: &[bist_market::adjust::LiraBar]) -> Vec<f64> {
    bars.iter().map(|bar| bar.close).collect()
}

#[track_caller]
fn check_close(actual: &[f64], expected: &[f64]) {
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(expected) {
        assert!((a / e - 1.0).abs() < 1e-9, "{actual:?} is not {expected:?}");
    }
}

// The sessions of the first week of 2024 are 2, 3, 4, 5 and 8 January.

#[test]
fn each_flavour_takes_out_what_it_says() {
    let bars = series(&[20.0, 20.0, 9.0, 9.0]);
    let actions = [dividend(date(2024, 1, 4), 2.0), bonus(date(2024, 1, 4), 1.0)];
    let run = |flavour| closes(&adjusted(&bars, &actions, PriceTerms::Raw, LATER, flavour));
    check_close(&run(ReturnFlavour::Price), &[10.0, 10.0, 9.0, 9.0]);
    check_close(&run(ReturnFlavour::Total), &[9.0, 9.0, 9.0, 9.0]);
    let adjusted = adjusted(&bars, &actions, PriceTerms::Raw, LATER, ReturnFlavour::Total);
    assert_eq!(adjusted[0].volume_shares, bars[0].volume.map(|v| v.count() * 2.0));
    assert_eq!(adjusted[2].volume_shares, bars[2].volume.map(|v| v.count()));
}

#[test]
fn a_rights_issue_is_worth_what_the_exchange_says() {
    let bars = series(&[20.0, 20.0, 13.0]);
    let rights = CorporateActionKind::RightsIssue {
        new_per_old: 0.5,
        subscription: Price::parse("1.00").unwrap(),
    };
    let actions = [action(date(2024, 1, 4), rights)];
    let prices = adjusted(&bars, &actions, PriceTerms::Raw, LATER, ReturnFlavour::Price);
    check_close(&closes(&prices), &[20.5 / 1.5, 20.5 / 1.5, 13.0]);
}

#[test]
fn ex_days_without_a_bar_between_them_follow_from_one_another() {
    let mut bars = series(&[20.0, 20.0, 20.0, 20.0, 4.0]);
    bars.drain(2..4);
    let actions = [dividend(date(2024, 1, 5), 1.0), bonus(date(2024, 1, 4), 1.0)];
    let factors = AdjustmentFactors::new(&bars, &actions, PriceTerms::Raw, LATER);
    let bases: Vec<f64> = factors.steps().iter().map(|step| step.previous_close_lira).collect();
    check_close(&bases, &[20.0, 10.0]);
    assert!((factors.on(START, ReturnFlavour::Total) - 0.45).abs() < 1e-12);
}

#[test]
fn split_adjusted_prices_keep_their_dividends_and_a_dividend_keeps_its_old_shares() {
    // Raw closes 20, 20, 18, then nine new shares for each: 1.80.
    let traded = series(&[20.0, 20.0, 18.0, 1.8, 1.8]);
    let given = series(&[2.0, 2.0, 1.8, 1.8, 1.8]);
    let actions = [dividend(date(2024, 1, 4), 2.0), bonus(date(2024, 1, 5), 9.0)];
    let terms = PriceTerms::of(PriceBasis::SplitAdjusted, LATER).unwrap();
    check_close(&closes(&unadjust(&given, &actions, LATER)), &[20.0, 20.0, 18.0, 1.8, 1.8]);
    for flavour in [ReturnFlavour::Price, ReturnFlavour::Total] {
        let of_given = adjusted(&given, &actions, terms, LATER, flavour);
        let of_traded = adjusted(&traded, &actions, PriceTerms::Raw, LATER, flavour);
        check_close(&closes(&of_given), &closes(&of_traded));
    }
    let before_the_bonus =
        adjusted(&given, &actions, terms, date(2024, 1, 4), ReturnFlavour::Total);
    check_close(&closes(&before_the_bonus), &[18.0, 18.0, 18.0]);
}

#[test]
fn a_fully_adjusted_series_is_left_alone_and_an_unknown_one_needs_a_decision() {
    let bars = series(&[20.0, 20.0, 9.0]);
    let actions = [bonus(date(2024, 1, 4), 1.0)];
    let terms = PriceTerms::of(PriceBasis::FullyAdjusted, LATER).unwrap();
    let same = adjusted(&bars, &actions, terms, LATER, ReturnFlavour::Total);
    check_close(&closes(&same), &[20.0, 20.0, 9.0]);
    assert_eq!(PriceTerms::of(PriceBasis::Unknown, LATER), None);
}

#[test]
fn an_action_that_takes_more_than_a_share_is_worth_is_left_out_and_named() {
    let bars = series(&[20.0, 20.0, 10.0]);
    let actions = [
        dividend(date(2024, 1, 4), 50.0),
        bonus(date(2024, 1, 4), 1.0),
        action(date(2024, 1, 5), CorporateActionKind::Split { new_per_old: 0.0 }),
        bonus(date(2024, 1, 8), f64::NAN),
    ];
    let factors = AdjustmentFactors::new(&bars, &actions, PriceTerms::Raw, LATER);
    let refused: Vec<_> =
        factors.refused().iter().map(|day| (day.effective_on.day(), day.flavour)).collect();
    use ReturnFlavour::{Price, Total};
    assert_eq!(refused, [(4, Total), (5, Price), (5, Total), (8, Price), (8, Total)]);
    assert!((factors.refused()[0].theoretical_base_lira - -15.0).abs() < 1e-9);
    for flavour in [Price, Total] {
        assert!((factors.on(START, flavour) - 0.5).abs() < 1e-12, "the bonus issue stays");
    }
}

fn kind() -> impl Strategy<Value = CorporateActionKind> {
    let price = |units: i64| Price::from_units(units).unwrap();
    prop_oneof![
        (100_i64..20_000)
            .prop_map(move |u| CorporateActionKind::CashDividend { per_share: price(u) }),
        (0.01_f64..9.0).prop_map(|new_per_old| CorporateActionKind::BonusIssue { new_per_old }),
        (0.01_f64..2.0).prop_map(move |new_per_old| CorporateActionKind::RightsIssue {
            new_per_old,
            subscription: price(10_000)
        }),
        (0.1_f64..10.0).prop_map(|new_per_old| CorporateActionKind::Split { new_per_old }),
        (0.1_f64..0.9).prop_map(|new_per_old| CorporateActionKind::CapitalDecrease { new_per_old }),
    ]
}

fn actions() -> impl Strategy<Value = Vec<CorporateAction>> {
    prop::collection::vec((0_i32..80, kind()), 0..8).prop_map(|drawn| {
        let day = |days| START.saturating_add(jiff::Span::new().days(days));
        drawn.into_iter().map(|(days, kind)| action(day(days), kind)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_becomes_known_later_never_changes_an_earlier_answer(
        closes_lira in prop::collection::vec(5.0_f64..500.0, 30..60),
        actions in actions(),
        days in 0_i32..80,
    ) {
        let bars = series(&closes_lira);
        let as_of = START.saturating_add(jiff::Span::new().days(days));
        let known: Vec<_> = actions.iter().filter(|a| a.effective_on <= as_of).copied().collect();
        let seen: Vec<_> = bars.iter().filter(|bar| bar.day <= as_of).copied().collect();
        for flavour in [ReturnFlavour::Price, ReturnFlavour::Total] {
            let late = adjusted(&bars, &actions, PriceTerms::Raw, as_of, flavour);
            let early = adjusted(&seen, &known, PriceTerms::Raw, as_of, flavour);
            prop_assert_eq!(late, early, "bit for bit");
            let terms = PriceTerms::SplitAdjusted { until: as_of };
            prop_assert_eq!(
                adjusted(&bars, &actions, terms, as_of, flavour),
                adjusted(&seen, &known, terms, as_of, flavour)
            );
        }
    }

    #[test]
    fn adjusting_for_splits_and_back_is_identity(
        closes_lira in prop::collection::vec(5.0_f64..500.0, 30..60),
        actions in actions(),
    ) {
        let traded = series(&closes_lira);
        let free: Vec<_> = actions
            .iter()
            .filter(|a| !matches!(
                a.kind,
                CorporateActionKind::CashDividend { .. } | CorporateActionKind::RightsIssue { .. }
            ))
            .copied()
            .collect();
        // A source that divides by splits, in prices of four decimals.
        let given: Vec<Bar> =
            adjusted(&traded, &free, PriceTerms::Raw, LATER, ReturnFlavour::Price)
                .iter()
                .zip(&traded)
                .map(|(lira, bar)| Bar { close: Price::from_units(units(lira.close).max(1)).unwrap(), ..*bar })
                .collect();
        for ((raw, bar), given) in unadjust(&given, &free, LATER).iter().zip(&traded).zip(&given) {
            let rounding = 0.00006 / given.close.lira();
            prop_assert!((raw.close / bar.close.lira() - 1.0).abs() <= rounding);
        }
    }

    #[test]
    fn a_return_over_an_ex_day_is_the_close_over_the_theoretical_price(
        closes_lira in prop::collection::vec(5.0_f64..500.0, 30..60),
        actions in actions(),
    ) {
        let bars = series(&closes_lira);
        let factors = AdjustmentFactors::new(&bars, &actions, PriceTerms::Raw, LATER);
        let total = adjusted(&bars, &actions, PriceTerms::Raw, LATER, ReturnFlavour::Total);
        for step in factors.steps() {
            let after = bars.partition_point(|bar| bar.day < step.effective_on);
            let alone = factors.steps().iter().filter(|other| {
                other.effective_on > bars[after - 1].day
                    && bars.get(after).is_none_or(|bar| other.effective_on <= bar.day)
            });
            if after == bars.len() || alone.count() > 1 {
                continue;
            }
            let base = step.previous_close_lira * step.total_factor;
            let actual = total[after].close / total[after - 1].close;
            prop_assert!((actual / (bars[after].close.lira() / base) - 1.0).abs() < 1e-9);
        }
    }
}

// What real vendors say.

/// A row of the table of real events.
struct RealEvent {
    symbol: String,
    day: Date,
    kind: String,
    amount: f64,
    /// What the vendor multiplies earlier prices with.
    factor: f64,
}

fn real_events() -> Option<Vec<RealEvent>> {
    let path = shared::path("corporate_actions.csv")?;
    let event = |fields: Vec<String>| RealEvent {
        symbol: fields[0].clone(),
        day: fields[1].parse().unwrap(),
        kind: fields[2].clone(),
        amount: fields[3].parse().unwrap(),
        factor: fields[4].parse().unwrap(),
    };
    Some(shared::rows(&path).into_iter().map(event).collect())
}

/// The events that concern a holder. A restricted placement, a merger and an offering leave what a
/// share is worth as it was, and so does the cancelling of the company's own shares; the vendor
/// gives them the factor one.
fn real_actions(events: &[RealEvent]) -> BTreeMap<String, Vec<CorporateAction>> {
    let mut actions: BTreeMap<String, Vec<CorporateAction>> = BTreeMap::new();
    for event in events {
        let kind = match event.kind.as_str() {
            "cash_dividend_gross" => CorporateActionKind::CashDividend {
                per_share: Price::from_units(units(event.amount)).unwrap(),
            },
            "bonus_issue_internal" | "bonus_issue_dividend" => {
                CorporateActionKind::BonusIssue { new_per_old: event.amount }
            }
            // New shares are offered at their nominal value of one lira.
            "rights_issue" if event.amount > 0.0 => CorporateActionKind::RightsIssue {
                new_per_old: event.amount,
                subscription: Price::parse("1.00").unwrap(),
            },
            _ => continue,
        };
        let symbol = bist_market::Symbol::parse(&event.symbol).unwrap();
        let action = CorporateAction { symbol, effective_on: event.day, kind };
        actions.entry(event.symbol.clone()).or_default().push(action);
    }
    actions
}

/// The files whose closes are adjusted for splits only and stand beside an adjusted close; they
/// were downloaded on their last day.
fn split_adjusted_files() -> Option<Vec<(String, Vec<Bar>)>> {
    let recent = shared::path("daily_recent")?;
    let mut files: Vec<_> = std::fs::read_dir(recent)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let read = |file: String| {
        let path = shared::path("daily").unwrap().join(&file);
        let bars = checked(shared::daily_series(&path).bars).bars().to_vec();
        (file.trim_end_matches(".csv").to_owned(), bars)
    };
    Some(files.into_iter().map(read).collect())
}

#[test]
fn our_factors_are_the_vendors_wherever_the_prices_compare() {
    let (Some(events), Some(files)) = (real_events(), split_adjusted_files()) else { return };
    let actions = real_actions(&events);
    let (mut compared, mut agreeing, mut by_kind) = (0_u32, 0_u32, BTreeMap::new());
    for (symbol, bars) in &files {
        let Some(actions) = actions.get(symbol) else { continue };
        let until = bars.last().unwrap().day;
        let terms = PriceTerms::SplitAdjusted { until };
        for step in AdjustmentFactors::new(bars, actions, terms, until).steps() {
            // The vendor gives each row of a day the factor of the whole day.
            let event = events
                .iter()
                .find(|e| e.symbol == *symbol && e.day == step.effective_on && e.factor < 1.0);
            let vendor = event.unwrap();
            compared += 1;
            let error = (step.total_factor / vendor.factor - 1.0).abs();
            let worst: &mut f64 = by_kind.entry(vendor.kind.as_str()).or_default();
            *worst = worst.max(error);
            agreeing += u32::from(error <= 0.005);
            if error > 0.0005 {
                println!(
                    "{symbol} {}: own {:.5} vendor {:.5}",
                    step.effective_on, step.total_factor, vendor.factor
                );
            }
        }
    }
    println!("{agreeing} of {compared} factors agree within 0.5 %; worst by kind {by_kind:?}");
    assert!(compared > 40, "{compared}");
    // Nothing excuses a difference: the previous close and the event are those of the vendor.
    assert_eq!(agreeing, compared);
}

#[test]
fn every_disagreement_with_an_adjusted_close_is_named() {
    let (Some(events), Some(files)) = (real_events(), split_adjusted_files()) else { return };
    let actions = real_actions(&events);
    // The table of events begins here.
    let first = events.iter().map(|event| event.day).min().unwrap();
    let (mut both, mut agreeing, mut theirs, mut ours) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut worst: f64 = 0.0;
    for (symbol, bars) in &files {
        let bars: Vec<Bar> = bars.iter().filter(|bar| bar.day >= first).copied().collect();
        let actions = actions.get(symbol).map_or(&[][..], Vec::as_slice);
        let terms = PriceTerms::SplitAdjusted { until: bars.last().unwrap().day };
        let comparison = compare_with_vendor(&bars, actions, terms);
        assert!(comparison.compared_count > 1_000, "{symbol}");
        for event in &comparison.events {
            let vendor_knows = (event.vendor_factor - 1.0).abs() > event.tolerance_share;
            match (event.actions.is_empty(), vendor_knows) {
                (false, false) if (event.own_factor - 1.0).abs() > event.tolerance_share => {
                    ours += 1;
                }
                (true, _) => theirs += 1,
                (false, _) => {
                    both += 1;
                    agreeing += u32::from(event.agrees());
                    worst = worst.max((event.own_factor / event.vendor_factor - 1.0).abs());
                }
            }
            assert_eq!(
                event.agrees(),
                comparison.remarks().iter().all(|remark| remark.day != Some(event.day)),
            );
            if !event.agrees() {
                println!(
                    "{symbol} {}: own {:.5} vendor {:.5} {}",
                    event.day,
                    event.own_factor,
                    event.vendor_factor,
                    event.actions.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(" ")
                );
            }
        }
    }
    println!(
        "both {both}, of which {agreeing} agree; off by {worst:.6} at most; vendor alone {theirs}, we alone {ours}"
    );
    assert!(both > 40 && agreeing == both, "{agreeing} of {both}");
    assert_eq!(ours, 0);
}
