//! Value at risk, expected shortfall and drawdown.

use bist_market::Notional;
use bist_trading::{drawdown, tail_risk};

/// Made-up returns between -4 % and 4 %: `s = s * 1103515245 + 12345 mod 2^31` from 42 on, and of it
/// `((s >> 16) mod 801 - 400) / 10000`.
fn returns(count: usize) -> Vec<f64> {
    let mut state: u64 = 42;
    let mut next = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let step = u32::try_from((state >> 16) % 801).unwrap();
        (f64::from(step) - 400.0) / 10_000.0
    };
    (0..count).map(|_| next()).collect()
}

/// The expected numbers are those of numpy 2.4.6: `q = numpy.quantile(r, 1 - level,
/// method="inverted_cdf")` and `r[r <= q].mean()`, with `1 - level` rounded to ten decimals.
#[track_caller]
fn check(count: usize, level: f64, value_at_risk: f64, expected_shortfall: f64) {
    let risk = tail_risk(&returns(count), level).unwrap();
    assert_eq!(risk.returns_count, count);
    assert!((risk.value_at_risk_share - value_at_risk).abs() < 1e-12, "{risk:?}");
    assert!((risk.expected_shortfall_share - expected_shortfall).abs() < 1e-12, "{risk:?}");
}

#[test]
fn the_tail_is_that_of_numpy() {
    check(100, 0.95, 0.0371, 0.03832);
    check(100, 0.99, 0.0397, 0.0397);
    check(101, 0.95, 0.0369, 0.038_083_333_333_333_33);
    check(101, 0.99, 0.039, 0.039_35);
    check(250, 0.95, 0.0359, 0.037_592_307_692_307_69);
    check(250, 0.99, 0.039, 0.039_433_333_333_333_33);
}

#[test]
fn only_the_newest_returns_count_and_too_few_say_nothing() {
    let mut old = vec![-0.9; 50];
    old.extend(returns(250));
    assert_eq!(tail_risk(&old, 0.95), tail_risk(&returns(250), 0.95));
    assert_eq!(tail_risk(&returns(99), 0.95), None);
    for level in [0.0, 0.49, 1.0, f64::NAN] {
        assert_eq!(tail_risk(&returns(100), level), None, "{level}");
    }
    let mut broken = returns(100);
    broken[7] = f64::NAN;
    assert_eq!(tail_risk(&broken, 0.95), None);
}

#[test]
fn a_tail_that_gains_loses_nothing() {
    let risk = tail_risk(&[0.01; 100], 0.95).unwrap();
    assert_eq!((risk.value_at_risk_share, risk.expected_shortfall_share), (0.0, 0.0));
}

#[test]
fn the_deepest_fall_is_from_the_peak_before_it() {
    let values =
        |units: &[i64]| units.iter().copied().map(Notional::from_units).collect::<Vec<_>>();
    let fall = drawdown(&values(&[100, 120, 90, 130, 117, 140])).unwrap();
    assert_eq!((fall.peak_index, fall.trough_index), (1, 2));
    assert!((fall.share - 0.25).abs() < 1e-12);
    let rise = drawdown(&values(&[1, 2, 3])).unwrap();
    assert_eq!((rise.share, rise.peak_index, rise.trough_index), (0.0, 0, 0));
    assert_eq!(drawdown(&[]), None);
    assert_eq!(drawdown(&values(&[1, 0])), None);
}
