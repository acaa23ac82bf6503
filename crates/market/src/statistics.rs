//! Counts, shares, medians and correlations.

/// The middle of the values, or the mean of the two in the middle; `None` for none. Values are
/// finite.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = &values[(values.len() - 1) / 2];
    Some(f64::midpoint(*lower, *upper))
}

/// How far values usually lie from zero: the standard deviation that a normal distribution around
/// zero with the same median of absolute values has (Rousseeuw and Croux 1993).
pub(crate) fn robust_deviation(values: impl Iterator<Item = f64>) -> Option<f64> {
    median(values.map(f64::abs).collect()).map(|median| 1.4826 * median)
}

/// Pearson's correlation; `None` for less than three pairs, or when one side is constant.
pub(crate) fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let days = share(count(pairs), 1);
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / days;
    let (mean_a, mean_b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (a - mean_a, b - mean_b);
        aa += a * a;
        bb += b * b;
        ab += a * b;
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa * bb).sqrt()).clamp(-1.0, 1.0))
}

/// A part as a share of a whole.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// The length of an iterator.
///
/// # Panics
///
/// Never: a length fits in 64 bits.
pub(crate) fn count<T>(items: impl IntoIterator<Item = T>) -> u64 {
    u64::try_from(items.into_iter().count()).expect("a length fits in 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_an_even_number_is_between_two() {
        assert_eq!(median(vec![4.0, 1.0, 3.0]), Some(3.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }

    #[test]
    fn the_correlation_is_that_of_the_textbook() {
        // numpy 2.4.6: numpy.corrcoef([1, 2, 3, 4], [2, 1, 4, 3])[0, 1] = 0.6
        let actual = correlation(&[(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0)]).unwrap();
        assert!((actual - 0.6).abs() < 1e-12);
        assert_eq!(correlation(&[(1.0, 2.0), (1.0, 1.0), (1.0, 4.0)]), None);
    }
}
