//! The sample market keeps the exchange's rules, and what it says of itself is true.

use std::collections::{BTreeMap, BTreeSet};

use bist_market::sample::{Mechanism, SampleMarket, SampleSpec, SymbolTruth, generate};
use bist_market::{
    Bar, BarSeries, Calendar, CorporateAction, ExchangeRules, Price, Received, Severity, Source,
    Symbol, ValidatedBars, ValidationPolicy, validate,
};
use jiff::civil::{Date, date};

const SPEC: SampleSpec =
    SampleSpec { symbols_count: 30, years: 6, seed: 7, until: date(2026, 10, 30) };

/// Sessions that the expectations are about.
const HORIZON: usize = 5;

fn market(spec: SampleSpec) -> SampleMarket {
    generate(&spec).unwrap()
}

fn validated(market: &SampleMarket) -> Vec<ValidatedBars> {
    let check = |series: &BarSeries| {
        let received = Received {
            actions: market.actions.clone(),
            ..Received::bars(series.clone(), Source::SAMPLE)
        };
        validate(&received, Calendar::bist(), ExchangeRules::bist(), ValidationPolicy::default())
    };
    market.series.iter().map(check).collect()
}

/// The actions by symbol and ex-day.
fn actions_of(market: &SampleMarket) -> BTreeMap<(Symbol, Date), CorporateAction> {
    market.actions.iter().map(|action| ((action.symbol, action.effective_on), *action)).collect()
}

/// The closes of a symbol on its sessions, oldest first, without the days of planted defects.
fn sound_closes(market: &SampleMarket, series: &BarSeries) -> Vec<(Date, Price)> {
    let planted = market.truth.defects.iter().filter(|defect| defect.symbol == series.symbol);
    let planted: BTreeSet<Date> = planted.map(|defect| defect.day).collect();
    let mut closes: Vec<(Date, Price)> = series
        .bars
        .iter()
        .filter(|bar| !planted.contains(&bar.day()))
        .map(|bar| (bar.day(), Price::from_units(bar.close_units).unwrap()))
        .collect();
    closes.sort_unstable();
    closes
}

/// Stretches of daily log-returns without a gap, from raw closes and corporate actions.
fn returns(
    symbol: Symbol,
    closes: &[(Date, Price)],
    actions: &BTreeMap<(Symbol, Date), CorporateAction>,
) -> Vec<Vec<f64>> {
    let mut stretches = vec![Vec::new()];
    for pair in closes.windows(2) {
        let [(before, previous_close), (day, close)] = pair else { unreachable!("windows of two") };
        if Calendar::bist().next_session(*before) != Some(*day) {
            stretches.push(Vec::new());
            continue;
        }
        let base = match actions.get(&(symbol, *day)) {
            Some(action) => action.theoretical_base(*previous_close),
            None => previous_close.lira(),
        };
        stretches.last_mut().unwrap().push((close.lira() / base).ln());
    }
    stretches
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len() as f64;
    let (sum_x, sum_y) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        xy += (x - mean_x) * (y - mean_y);
        xx += (x - mean_x).powi(2);
        yy += (y - mean_y).powi(2);
    }
    xy / (xx * yy).sqrt()
}

fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for (rank, index) in order.into_iter().enumerate() {
        ranks[index] = rank as f64;
    }
    ranks
}

/// The 5-session return that an all-knowing forecaster expects after `past`.
fn oracle(truth: &SymbolTruth, weight: f64, past: &[f64]) -> f64 {
    let mut surprises: Vec<f64> = past.iter().map(|r| r - truth.drift_per_session).collect();
    for _ in 0..HORIZON {
        let recent: f64 = surprises[surprises.len() - HORIZON..].iter().sum();
        surprises.push(weight * recent);
    }
    surprises[past.len()..].iter().sum::<f64>() + HORIZON as f64 * truth.drift_per_session
}

/// What the oracle expects and what happens, at sessions that do not overlap.
fn forecasts(truth: &SymbolTruth, weight: f64, stretches: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let mut pairs = Vec::new();
    for stretch in stretches {
        for window in stretch.windows(2 * HORIZON).step_by(HORIZON) {
            let (past, future) = window.split_at(HORIZON);
            pairs.push((oracle(truth, weight, past), future.iter().sum()));
        }
    }
    pairs
}

#[test]
fn the_same_seed_gives_the_same_market_and_another_seed_another() {
    let spec = SampleSpec { symbols_count: 9, years: 2, ..SPEC };
    let json = |spec| {
        let market = market(spec);
        let bars: Vec<_> = market.series.iter().map(|s| (s.symbol, s.bars.clone())).collect();
        serde_json::to_string(&(&market.instruments, bars, &market.actions, &market.truth)).unwrap()
    };
    assert_eq!(json(spec), json(spec));
    assert_ne!(json(spec), json(SampleSpec { seed: 8, ..spec }));
}

#[test]
fn a_symbol_does_not_depend_on_how_many_others_there_are() {
    let few = market(SampleSpec { symbols_count: 3, years: 1, ..SPEC });
    let many = market(SampleSpec { symbols_count: 20, years: 1, ..SPEC });
    for series in &few.series {
        assert!(many.series.contains(series), "{}", series.symbol);
    }
}

#[test]
fn everything_says_that_it_is_a_sample() {
    let market = market(SampleSpec { symbols_count: 40, years: 1, ..SPEC });
    let symbols: BTreeSet<Symbol> = market.instruments.iter().map(|i| i.symbol).collect();
    assert_eq!(symbols.len(), 40);
    assert!(market.instruments.is_sorted_by_key(|i| i.symbol));
    for instrument in &market.instruments {
        assert_eq!(instrument.origin, bist_market::Origin::Sample);
        assert!(instrument.symbol.as_str().ends_with(|c: char| c.is_ascii_digit()));
        assert!(instrument.name.as_ref().unwrap().starts_with("Örnek "));
    }
    let sectors: BTreeSet<_> = market.instruments.iter().map(|i| i.sector.clone()).collect();
    assert_eq!(sectors.len(), 8);
}

#[test]
fn what_cannot_be_made_is_refused_in_one_sentence() {
    #[track_caller]
    fn check(spec: SampleSpec, expected: &str) {
        assert_eq!(generate(&spec).unwrap_err().to_string(), expected);
    }
    check(
        SampleSpec { symbols_count: 0, ..SPEC },
        "a sample market has 1 to 400 symbols, and 0 were asked for",
    );
    check(
        SampleSpec { symbols_count: 401, ..SPEC },
        "a sample market has 1 to 400 symbols, and 401 were asked for",
    );
    check(SampleSpec { years: 0, ..SPEC }, "a sample market needs at least 1 year");
    for years in [27, 20_000, u32::MAX] {
        check(
            SampleSpec { years, ..SPEC },
            &format!(
                "{years} years up to 2026-10-30 would begin before 2000-01-01, the first day of the calendar"
            ),
        );
    }
    check(
        SampleSpec { until: date(2027, 1, 1), ..SPEC },
        "the last day 2027-01-01 is outside the calendar, which knows 2000-01-01 to 2026-12-31",
    );
    assert!(generate(&SampleSpec { symbols_count: 1, years: 26, ..SPEC }).is_ok());
}

#[test]
fn every_accepted_price_is_on_the_tick_and_within_the_days_limits() {
    // Ten years, so that both tick tables and both limits of the decade are met.
    let market = market(SampleSpec { symbols_count: 12, years: 10, ..SPEC });
    let rules = ExchangeRules::bist();
    let actions = actions_of(&market);
    let (mut checked, mut locked) = (0, 0);
    for bars in validated(&market) {
        for bar in bars.bars() {
            for price in [bar.open.unwrap(), bar.high, bar.low, bar.close] {
                assert_eq!(
                    rules.round_nearest(bar.day, price),
                    Some(price),
                    "{} {}",
                    bars.symbol(),
                    bar.day
                );
            }
        }
        for pair in bars.bars().windows(2) {
            let [before, bar] = pair else { unreachable!("windows of two") };
            if Calendar::bist().next_session(before.day) != Some(bar.day) {
                continue;
            }
            let base = match actions.get(&(bars.symbol(), bar.day)) {
                Some(action) => price(action.theoretical_base(before.close)),
                None => before.close,
            };
            let limits = rules.daily_limits(bar.day, base).unwrap();
            assert!(
                limits.lower <= bar.low && bar.high <= limits.upper,
                "{} {}",
                bars.symbol(),
                bar.day
            );
            checked += 1;
            locked += u32::from(bar.close == limits.lower || bar.close == limits.upper);
        }
    }
    assert!(checked > 25_000, "{checked}");
    assert!(locked > 20 && locked < checked / 100, "{locked} of {checked}");
}

fn price(lira: f64) -> Price {
    Price::parse(&format!("{lira:.4}")).unwrap()
}

#[test]
fn the_adjusted_close_moves_as_the_holder_fares() {
    let market = market(SPEC);
    let actions = actions_of(&market);
    let kinds: BTreeSet<&str> = market.actions.iter().map(|a| a.kind.code()).collect();
    assert_eq!(kinds, BTreeSet::from(["bonus_issue", "cash_dividend", "split"]));
    let mut ex_days = 0;
    for bars in validated(&market) {
        for pair in bars.bars().windows(2) {
            let Some(action) = actions.get(&(bars.symbol(), pair[1].day)) else { continue };
            let adjusted = pair[1].adjusted_close.unwrap() / pair[0].adjusted_close.unwrap();
            let fair = pair[1].close.lira() / action.theoretical_base(pair[0].close);
            assert!((adjusted / fair - 1.0).abs() < 1e-9, "{} {}", bars.symbol(), pair[1].day);
            ex_days += 1;
        }
        let last = bars.bars().last().unwrap();
        assert_eq!(last.adjusted_close, Some(last.close.lira()));
    }
    assert_eq!(ex_days, market.actions.len());
}

#[test]
fn returns_have_fat_tails_and_clusters_and_volume_follows_them() {
    let market = market(SPEC);
    let actions = actions_of(&market);
    let (mut lags, mut with_volume) = (vec![Vec::new(); HORIZON], Vec::new());
    let (mut square, mut fourth, mut count) = (0.0, 0.0, 0.0);
    let mut next_volume = Vec::new();
    for bars in validated(&market) {
        let closes: Vec<(Date, Price)> = bars.bars().iter().map(|b| (b.day, b.close)).collect();
        for stretch in returns(bars.symbol(), &closes, &actions) {
            for r in &stretch {
                square += r.powi(2);
                fourth += r.powi(4);
                count += 1.0;
            }
            for lag in 1..=HORIZON {
                let pairs = stretch.windows(lag + 1).map(|w| (w[0].abs(), w[lag].abs()));
                lags[lag - 1].extend(pairs);
            }
        }
        let volume = |bar: &Bar| bar.volume.filter(|v| v.0 > 0).map(|v| v.count().ln());
        let volumes: Vec<f64> = bars.bars().iter().filter_map(volume).collect();
        next_volume
            .push(correlation(&volumes.windows(2).map(|w| (w[0], w[1])).collect::<Vec<_>>()));
        let moves = bars.bars().windows(2).filter_map(|pair| {
            let explained = actions.contains_key(&(bars.symbol(), pair[1].day));
            let size = (pair[1].close.lira() / pair[0].close.lira()).ln().abs();
            if explained { None } else { Some((size, volume(&pair[1])?)) }
        });
        with_volume.push(correlation(&moves.collect::<Vec<_>>()));
    }
    let kurtosis = fourth / count / (square / count).powi(2);
    let clusters: Vec<f64> = lags.iter().map(|pairs| correlation(pairs)).collect();
    println!("kurtosis {kurtosis:.2}, |r| autocorrelation {clusters:.3?}");
    assert!(kurtosis > 4.0, "{kurtosis}");
    assert!(clusters.iter().all(|c| *c > 0.05), "{clusters:?}");
    assert!(with_volume.iter().all(|c| *c > 0.1), "{with_volume:?}");
    assert!(next_volume.iter().all(|c| *c > 0.3), "{next_volume:?}");
}

/// The claim that models will be measured by. Symbols of one market move together, so the standard
/// error is taken from the scatter between markets of different seeds.
///
/// The martingales' correlation has an expectation a little above zero, about 0.001: a mean return
/// is estimated, and what was above it once is below it later.
#[test]
fn the_oracle_is_as_good_as_the_truth_says_and_no_better() {
    let reversal = market(SPEC).truth.symbols.iter().find(|t| t.weight < 0.0).unwrap().weight;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut known_ranks = Vec::new();
    let (mut share, mut documented_rank) = (0.0, 0.0);
    for seed in 1..=24 {
        let market = market(SampleSpec { seed, ..SPEC });
        let actions = actions_of(&market);
        let (mut predictable, mut martingale) = (Vec::new(), Vec::new());
        for (truth, series) in market.truth.symbols.iter().zip(&market.series) {
            assert_eq!(truth.symbol, series.symbol);
            let stretches = returns(truth.symbol, &sound_closes(&market, series), &actions);
            match truth.mechanism {
                Mechanism::Reversal => {
                    share = truth.predictable_share;
                    documented_rank = truth.attainable_rank_ic();
                    predictable.extend(forecasts(truth, truth.weight, &stretches));
                }
                // Where nothing can be known, the rule that works elsewhere must fail.
                Mechanism::None => {
                    assert_eq!(truth.predictable_share.to_bits(), 0.0_f64.to_bits());
                    martingale.extend(forecasts(truth, reversal, &stretches));
                }
            }
        }
        known.push(correlation(&predictable));
        unknown.push(correlation(&martingale));
        let ranked = ranks(predictable.iter().map(|p| p.0)).into_iter();
        let happened = ranks(predictable.iter().map(|p| p.1));
        known_ranks.push(correlation(&ranked.zip(happened).collect::<Vec<_>>()));
    }
    let documented = share.sqrt();
    let (mean, error) = mean_and_error(&known);
    println!(
        "documented {documented:.4}, realised {mean:.4} +- {error:.4}: {known:.3?}, ranks {known_ranks:.3?}"
    );
    assert!((mean - documented).abs() < 2.5 * error, "{mean} +- {error} is not {documented}");
    let (mean, error) = mean_and_error(&known_ranks);
    println!("ranks: documented {documented_rank:.4}, realised {mean:.4} +- {error:.4}");
    assert!((mean - documented_rank).abs() < 2.5 * error, "{mean} +- {error}");
    let (mean, error) = mean_and_error(&unknown);
    println!("martingales {mean:.4} +- {error:.4}: {unknown:.3?}");
    assert!(mean.abs() < 2.5 * error, "{mean} +- {error} is not zero");
    assert!(error < 0.01, "{error}");
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

#[test]
fn about_half_of_the_symbols_are_predictable() {
    for symbols_count in [1, 2, 7, 30] {
        let truth = market(SampleSpec { symbols_count, years: 1, ..SPEC }).truth;
        let predictable = truth.symbols.iter().filter(|t| t.predictable_share > 0.0).count();
        assert_eq!(predictable, symbols_count.div_ceil(2) as usize);
    }
}

#[test]
fn the_validator_finds_what_was_planted_and_no_other_error() {
    let market = market(SPEC);
    let mut planted: BTreeSet<(Symbol, Option<Date>, String)> = BTreeSet::new();
    let mut bad_days = BTreeSet::new();
    for defect in &market.truth.defects {
        let code = serde_json::to_value(defect.kind).unwrap().as_str().unwrap().to_owned();
        planted.insert((defect.symbol, Some(defect.day), code));
        bad_days.insert((defect.symbol, defect.day));
    }
    let kinds: BTreeSet<&str> = planted.iter().map(|(_, _, code)| code.as_str()).collect();
    assert_eq!(kinds.len(), 24, "{kinds:?}");

    let mut found = BTreeSet::new();
    for bars in validated(&market) {
        let quality = bars.quality();
        assert!(quality.score_share() >= 0.95, "{} {}", bars.symbol(), quality.score_share());
        for finding in &quality.findings {
            let code = finding.kind.code().to_owned();
            if finding.severity() == Severity::Error {
                let day = finding.day.unwrap();
                assert!(bad_days.contains(&(bars.symbol(), day)), "{} {finding}", bars.symbol());
            }
            found.insert((bars.symbol(), finding.day, code));
        }
    }
    // The order of rows is a finding about all of them, without a day.
    let of_all = |code: &str| matches!(code, "out_of_order" | "newest_first");
    let missed: Vec<_> = planted
        .into_iter()
        .map(|(symbol, day, code)| (symbol, day.filter(|_| !of_all(&code)), code))
        .filter(|defect| !found.contains(defect))
        .collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn a_short_market_of_one_symbol_keeps_its_score() {
    for seed in 0..20 {
        let market = market(SampleSpec { symbols_count: 16, years: 1, seed, ..SPEC });
        for bars in validated(&market) {
            assert!(bars.quality().score_share() >= 0.95, "{} seed {seed}", bars.symbol());
        }
    }
}
