//! Seasonal curves as columns of a regression.

use std::f64::consts::TAU;

/// The columns sine 1, cosine 1, sine 2, ... of a Fourier series with `order` pairs, one value a
/// day; the phase counts from 1 January 1970.
///
/// Source: Taylor and Letham (2018), "Forecasting at Scale", section 3.2; `fourier_series` of
/// Python prophet 1.5.0.
pub(crate) fn fourier_columns(epoch_days: &[f64], period_days: f64, order: u16) -> Vec<Vec<f64>> {
    let first: Vec<(f64, f64)> = epoch_days
        .iter()
        .map(|day| ((day / period_days).rem_euclid(1.0) * TAU).sin_cos())
        .collect();
    let mut columns = Vec::with_capacity(2 * usize::from(order));
    let mut current = first.clone();
    for _ in 0..order {
        columns.push(current.iter().map(|(sine, _)| *sine).collect());
        columns.push(current.iter().map(|(_, cosine)| *cosine).collect());
        // sin and cos of the sum of two angles.
        for ((sine, cosine), (sine_1, cosine_1)) in current.iter_mut().zip(&first) {
            let next = *sine * cosine_1 + *cosine * sine_1;
            *cosine = *cosine * cosine_1 - *sine * sine_1;
            *sine = next;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sines_and_cosines_of_days_since_1970() {
        let days = [0.0, 1.0, 18_262.0, 20_000.0, -3.0];
        let columns = fourier_columns(&days, 365.25, 10);
        assert_eq!(columns.len(), 20);
        for (harmonic, pair) in (1..).zip(columns.chunks(2)) {
            for (i, day) in days.iter().enumerate() {
                let (sine, cosine) = (TAU * f64::from(harmonic) * day / 365.25).sin_cos();
                assert!((pair[0][i] - sine).abs() < 1e-11, "sine {harmonic} of day {day}");
                assert!((pair[1][i] - cosine).abs() < 1e-11, "cosine {harmonic} of day {day}");
            }
        }
    }
}
