//! The test that may be looked at after every value: Student's t, mixed over sizes of effects.

use crate::rank_ic::count;

/// The number of values, their mean and their squares, value after value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: usize,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds a value.
    ///
    /// Source: Welford (1962), "Note on a Method for Calculating Corrected Sums of Squares and
    /// Products".
    pub fn push(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / count(self.count);
        self.squares += before * (value - self.mean);
    }

    /// How many values there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Their mean; zero when there are none.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// Their variance with the correction `n / (n - 1)`; `None` for fewer than two.
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / count(self.count - 1))
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.push(value));
        moments
    }
}

/// The likelihood ratio of the t statistic, mixed over effects, in standard deviations of a value,
/// that are normal with mean zero and variance `1 / precision`.
///
/// With independent normal values it is a martingale that begins at one when their mean is the null,
/// whatever their variance, so that it ever exceeds `1 / level` with probability `level` at most
/// (Ville's inequality). That is exact for every number of values and looks.
///
/// Sources: Lai (1976), "On Confidence Sequences"; Lindon, Ham, Tingley and Bojinov (2022),
/// "Anytime-Valid Linear Models and Regression Adjusted Causal Inference in Randomized Experiments",
/// whose package `avlm` has the formula of [`Self::log_e_value`] as `log_G_t`; Wang and Ramdas
/// (2024), "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown
/// variance".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TMixture {
    precision: f64,
}

impl TMixture {
    /// With effects of this precision, above zero.
    pub const fn with_precision(precision: f64) -> Self {
        Self { precision }
    }

    /// The mixture whose interval is about the tightest when `values_count` values are there.
    ///
    /// Source: Howard, Ramdas, `McAuliffe` and Sekhon (2021), "Time-uniform, nonparametric,
    /// nonasymptotic confidence sequences", section 3.5, with the approximation of their package
    /// `confseq` for the two-sided normal mixture.
    pub fn tightest_at(values_count: f64, error_level: f64) -> Self {
        let bits = 2.0 * (1.0 / error_level).ln();
        Self { precision: values_count / (bits + (1.0 + bits).ln()) }
    }

    /// The precision of the effects.
    pub const fn precision(self) -> f64 {
        self.precision
    }

    /// The logarithm of the evidence against the mean being `null`; zero says nothing.
    ///
    /// With `n` values, `v = n - 1` degrees of freedom, precision `g` and `r = g / (g + n)` it is
    /// `ln(r) / 2 + n / 2 (ln(1 + t^2 / v) - ln(1 + r t^2 / v))`.
    pub fn log_e_value(self, moments: &Moments, null: f64) -> f64 {
        let n = count(moments.count);
        let shift = n * (moments.mean - null).powi(2);
        let total = shift + moments.squares;
        if total <= 0.0 {
            return 0.0;
        }
        // 1 + t^2 / v is total / squares, and 1 + r t^2 / v is (squares + r shift) / squares.
        let ratio = self.precision / (self.precision + n);
        let rest = (moments.squares + ratio * shift) / total;
        0.5 * ratio.ln() - 0.5 * n * rest.ln()
    }

    /// Half the width of the interval of all means that are not refuted at `error_level`; `None`
    /// while there are so few values that none is.
    pub fn half_width(self, moments: &Moments, error_level: f64) -> Option<f64> {
        let variance = moments.variance()?;
        let n = count(moments.count);
        let ratio = self.precision / (self.precision + n);
        // The evidence is 1 / level where rest, as above, is this.
        let rest = (error_level * ratio.sqrt()).powf(2.0 / n);
        let share = (1.0 - rest) / (1.0 - ratio);
        (share < 1.0).then(|| {
            let t_square = (n - 1.0) * share / (1.0 - share);
            (t_square * variance / n).sqrt()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_interval_are_just_refuted() {
        let mixture = TMixture::tightest_at(20.0, 0.05);
        let mut values = Moments::default();
        for i in 0..40 {
            values.push(f64::from((i * 37) % 17) / 17.0);
            let Some(half) = mixture.half_width(&values, 0.05) else { continue };
            for end in [values.mean() - half, values.mean() + half] {
                let evidence = mixture.log_e_value(&values, end);
                assert!((evidence - 20_f64.ln()).abs() < 1e-9, "{i}: {evidence}");
            }
        }
        assert!(mixture.half_width(&values, 0.05).is_some());
    }

    #[test]
    fn one_value_and_values_that_are_the_null_say_nothing() {
        let mixture = TMixture::with_precision(3.0);
        assert!(mixture.log_e_value(&Moments::from_iter([0.7]), 0.0).abs() < 1e-12);
        assert!(mixture.log_e_value(&Moments::from_iter([0.0; 9]), 0.0).abs() < 1e-12);
        assert_eq!(mixture.half_width(&Moments::from_iter([0.7]), 0.05), None);
    }
}
