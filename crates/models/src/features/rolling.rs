//! Windows over the last values of a series. Each window is computed afresh, so that nothing but
//! its own values enters, and no rounding is carried along.

/// `f` of the last `length` values at each place; NaN until there are as many.
pub(crate) fn rolling(values: &[f64], length: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    windows(values.len(), length, |range| f(&values[range]))
}

/// `f` of the places of the last `length` values at each place; NaN until there are as many.
pub(crate) fn windows(
    values_count: usize,
    length: usize,
    f: impl Fn(std::ops::Range<usize>) -> f64,
) -> Vec<f64> {
    (1..=values_count)
        .map(|end| if end < length { f64::NAN } else { f(end - length..end) })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "windows are short")]
pub(crate) fn mean(window: &[f64]) -> f64 {
    window.iter().sum::<f64>() / window.len() as f64
}

/// Standard deviation with `n - 1` in the denominator.
#[expect(clippy::cast_precision_loss, reason = "windows are short")]
pub(crate) fn sample_std_dev(window: &[f64]) -> f64 {
    (squared_deviations(window) / (window.len() - 1) as f64).sqrt()
}

/// Standard deviation with `n` in the denominator.
#[expect(clippy::cast_precision_loss, reason = "windows are short")]
pub(crate) fn population_std_dev(window: &[f64]) -> f64 {
    (squared_deviations(window) / window.len() as f64).sqrt()
}

fn squared_deviations(window: &[f64]) -> f64 {
    let mean = mean(window);
    window.iter().map(|value| (value - mean) * (value - mean)).sum()
}

pub(crate) fn highest(window: &[f64]) -> f64 {
    window.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

pub(crate) fn lowest(window: &[f64]) -> f64 {
    window.iter().copied().fold(f64::INFINITY, f64::min)
}

/// `a / b`, unknown where `b` is not positive or the quotient is beyond all numbers.
pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    let quotient = a / b;
    if b > 0.0 && quotient.is_finite() { quotient } else { f64::NAN }
}

/// [`ratio`] place by place.
pub(crate) fn ratios(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| ratio(*a, *b)).collect()
}
