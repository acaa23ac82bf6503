//! Drift: exact values, the reference implementation, and false alarms on real prices.

use std::collections::BTreeMap;

use bist_market::drift::{
    CAPACITY, DriftMeasure, DriftPolicy, DriftSketch, PSI_MODERATE, PSI_SIGNIFICANT, ks, psi,
    series_drift,
};
use bist_market::{Bar, Calendar};
use jiff::civil::date;
use proptest::prelude::*;

use crate::made_up::{bars, checked};
use crate::shared;

fn sketch(values: impl IntoIterator<Item = f64>) -> DriftSketch {
    let mut sketch = DriftSketch::new();
    values.into_iter().for_each(|value| sketch.observe(value));
    sketch
}

/// Fractional parts of multiples: values that any language can repeat.
fn sequence(count: u32, multiple: f64, shift: f64, scale: f64) -> Vec<f64> {
    (1..=count).map(|i| (f64::from(i) * multiple).fract().mul_add(scale, shift)).collect()
}

const GOLDEN: f64 = 0.618_033_988_749_894_9;
const SILVER: f64 = 0.414_213_562_373_095_15;

#[test]
fn the_test_agrees_with_scipy() {
    // scipy 1.17.1, numpy 2.4.6:
    //   x = [(i * 0.6180339887498949) % 1.0 for i in range(1, n + 1)]
    //   y = [((i * 0.41421356237309515) % 1.0) * scale + shift for i in range(1, m + 1)]
    //   scipy.stats.ks_2samp(x, y, method="exact")
    let golden = [
        (500, 120, 0.0, 1.0, 0.016_333_333_333_333_33, 1.0),
        (500, 120, 0.1, 1.0, 0.116_333_333_333_333_33, 0.133_886_442_398_045_84),
        (500, 120, 0.0, 1.5, 0.337_666_666_666_666_67, 2.613_554_487_896_196_6e-10),
        (30, 20, 0.3, 1.0, 0.35, 0.089_268_487_443_924_59),
        (7, 5, 0.0, 1.0, 0.2, 0.997_474_747_474_747_4),
        (500, 120, 0.3, 1.0, 0.316_333_333_333_333_36, 4.413_821_496_019_807e-9),
        (800, 900, 0.02, 1.0, 0.024_027_777_777_777_776, 0.961_576_332_731_437_1),
    ];
    for (n, m, shift, scale, statistic, p_value) in golden {
        let test =
            ks(&sketch(sequence(n, GOLDEN, 0.0, 1.0)), &sketch(sequence(m, SILVER, shift, scale)))
                .unwrap();
        assert!((test.statistic - statistic).abs() < 1e-12, "{test:?}");
        assert!((test.p_value - p_value).abs() < 1e-11, "{test:?} is not {p_value}");
        assert_eq!(test.statistic_error.to_bits(), 0);
    }
}

#[test]
fn large_samples_agree_with_scipy_within_the_error_that_is_stated() {
    // As above, with shift 0.01 and 0.02; exact p-values.
    for (n, m, shift, statistic, p_value) in [
        (20_000, 15_000, 0.01, 0.010_216_666_666_666_68, 0.330_626_023_118_255_9),
        (5_000, 4_000, 0.02, 0.020_749_999_999_999_99, 0.290_248_598_028_081_4),
    ] {
        let test =
            ks(&sketch(sequence(n, GOLDEN, 0.0, 1.0)), &sketch(sequence(m, SILVER, shift, 1.0)))
                .unwrap();
        println!("{n} and {m}: {test:?}, exactly {statistic} with p {p_value}");
        assert!((test.statistic - statistic).abs() <= test.statistic_error);
        assert!(test.statistic_error < 0.01);
    }
}

#[test]
fn the_limiting_p_value_is_close_to_the_exact_one() {
    // 1010 times 1000 values are just beyond what is counted; both samples are kept whole.
    let test =
        ks(&sketch(sequence(1010, GOLDEN, 0.0, 1.0)), &sketch(sequence(1000, SILVER, 0.05, 1.0)))
            .unwrap();
    // scipy as above.
    let (statistic, p_value) = (0.051_623_762_376_237_62, 0.130_752_310_066_014_04);
    assert!((test.statistic - statistic).abs() < 1e-12, "{test:?}");
    assert!((test.p_value - p_value).abs() < 0.005, "{test:?} is not {p_value}");
}

#[test]
fn the_index_is_the_sum_over_tenths() {
    let reference = sketch((0..100).map(f64::from));
    // 19 values in the lowest tenth, 1 in the highest, 10 in each of the others.
    let current =
        sketch((0..90).map(f64::from).chain((0..9).map(|i| f64::from(i) + 0.5)).chain([95.0]));
    let expected = 0.09 * (0.19_f64 / 0.1).ln() - 0.09 * (0.01_f64 / 0.1).ln();
    let actual = psi(&reference, &current).unwrap();
    assert!((actual - expected).abs() < 1e-12, "{actual} is not {expected}");
    assert!(psi(&reference, &reference).unwrap().abs() < 1e-12);
    assert!(psi(&reference, &sketch([])).is_none() && ks(&sketch([]), &reference).is_none());
}

#[test]
fn the_usual_thresholds_mean_what_is_usual() {
    let shifted = |shift| {
        let reference = sketch(sequence(5_000, GOLDEN, 0.0, 1.0));
        psi(&reference, &sketch(sequence(4_000, SILVER, shift, 1.0))).unwrap()
    };
    assert!(shifted(0.0) < 0.01);
    assert!((PSI_MODERATE..PSI_SIGNIFICANT).contains(&shifted(0.08)), "{}", shifted(0.08));
    assert!(shifted(0.2) > PSI_SIGNIFICANT);
}

#[test]
fn values_that_are_not_numbers_are_counted_apart() {
    let sketch = sketch([1.0, f64::NAN, f64::INFINITY, 2.0]);
    assert_eq!((sketch.count(), sketch.not_finite_count()), (2, 2));
    assert_eq!(sketch.quantile(0.5), Some(1.0));
}

#[test]
fn memory_is_bounded_and_the_bound_of_the_error_holds_for_a_million() {
    let count = 1_000_000_u32;
    let hostile: [(&str, Vec<f64>); 3] = [
        ("rising", (0..count).map(f64::from).collect()),
        ("falling", (0..count).rev().map(f64::from).collect()),
        ("mixed", sequence(count, GOLDEN, 0.0, f64::from(count))),
    ];
    for (name, values) in hostile {
        let sketch = sketch(values);
        assert!(sketch.kept_count() <= 12 * CAPACITY, "{}", sketch.kept_count());
        let worst = (1..100_u32)
            .map(|percent| {
                let value = f64::from(percent * (count / 100));
                (sketch.rank_share(value) - f64::from(percent) / 100.0).abs()
            })
            .fold(0.0, f64::max);
        println!(
            "{name}: kept {} bound {:.5} worst {worst:.5}",
            sketch.kept_count(),
            sketch.rank_error_share()
        );
        assert!(worst <= sketch.rank_error_share() + 2e-6, "{name}: {worst}");
        assert!(sketch.rank_error_share() < 0.006);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn ranks_are_within_the_bound_however_the_stream_is_cut(
        values in prop::collection::vec(-1.0_f64..1.0, 1..6_000),
        cut in 0.0_f64..1.0,
        asked in -1.0_f64..1.0,
    ) {
        let at = values.iter().filter(|value| **value < cut).count();
        let (left, right) = values.split_at(at.min(values.len()));
        let mut merged = sketch(left.iter().copied());
        merged.merge(&sketch(right.iter().copied()));
        let share = |count: usize| f64::from(u32::try_from(count).unwrap());
        let exact = share(values.iter().filter(|v| **v <= asked).count()) / share(values.len());
        prop_assert_eq!(merged.count(), u64::try_from(values.len()).unwrap());
        prop_assert!((merged.rank_share(asked) - exact).abs() <= merged.rank_error_share() + 1e-12);
        if left.len().max(right.len()) <= CAPACITY / 2 {
            prop_assert_eq!(merged.rank_error_share().to_bits(), 0);
        }
    }
}

/// Daily bars whose closes wander by these steps, with volumes that go up and down.
fn wandering(steps: impl Iterator<Item = f64>) -> Vec<Bar> {
    let mut close = 100.0;
    let closes: Vec<f64> = steps
        .map(|step| {
            close *= 1.0 + step;
            close
        })
        .collect();
    let mut rows = bars(date(2022, 1, 3), &closes);
    for (row, volume) in rows.iter_mut().zip((0..7).cycle()) {
        row.volume_shares = Some(1_000 + 100 * volume);
    }
    checked(rows).bars().to_vec()
}

fn drifted(bars: &[Bar]) -> Vec<DriftMeasure> {
    series_drift(bars, Calendar::bist(), DriftPolicy::default())
        .into_iter()
        .filter(|drift| drift.remark().is_some())
        .map(|drift| drift.measure)
        .collect()
}

#[test]
fn a_market_that_becomes_wild_has_drifted_and_a_steady_one_has_not() {
    let noise = sequence(640, SILVER, -0.5, 1.0);
    let steady = wandering(noise.iter().map(|step| step * 0.02));
    assert_eq!(drifted(&steady), []);
    let wild = wandering(
        noise.iter().enumerate().map(|(i, step)| step * if i < 520 { 0.02 } else { 0.12 }),
    );
    assert_eq!(drifted(&wild), [DriftMeasure::LogReturn]);
    assert!(series_drift(&steady[..600], Calendar::bist(), DriftPolicy::default()).is_empty());
}

#[test]
fn real_series_seldom_raise_an_alarm() {
    let Some(folder) = shared::path("daily") else { return };
    let mut alarms: BTreeMap<DriftMeasure, Vec<bool>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let series = checked(shared::daily_series(&entry.unwrap().path()).bars);
        let since = series.bars().partition_point(|bar| bar.day < date(2010, 1, 1));
        let bars = &series.bars()[since..];
        // Newest windows that do not overlap.
        for to in (620..=bars.len()).step_by(120) {
            for drift in series_drift(&bars[..to], Calendar::bist(), DriftPolicy::default()) {
                alarms.entry(drift.measure).or_default().push(drift.drifted);
            }
        }
    }
    assert_eq!(alarms.len(), DriftMeasure::ALL.len());
    for (measure, alarms) in alarms {
        let raised = alarms.iter().filter(|raised| **raised).count();
        println!("{measure}: {raised} alarms in {} windows", alarms.len());
        assert!(alarms.len() > 400 && raised * 20 <= alarms.len(), "more than one in twenty");
    }
}
