//! Rows near an explained one, feature by feature.

use serde::{Deserialize, Serialize};

use super::super::draws::{Purpose, normals, stream, uniform};
use crate::prophet::normal_quantile::normal_quantile;

/// How rows near the explained one are drawn, and what the linear model sees of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neighbourhood {
    /// Each feature is cut at its quartiles in the background. A bin is drawn as often as the
    /// background has it, a value by the normal distribution of the bin, cut off at its bounds; the
    /// linear model sees whether the value is in the bin of the explained row. Missing values are a
    /// bin of their own.
    #[default]
    Quartiles,
    /// Each feature is drawn by the normal distribution that has the mean and standard deviation of
    /// the background, and the linear model sees its standard score. No drawn value is missing; a
    /// missing value of the explained row has the score zero.
    Normal,
}

/// The bin of the explained row, with the bounds of its values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Bin {
    /// Values above `low`, if there is one, up to `high`, if there is one.
    Values {
        /// The bound below, outside the bin.
        low: Option<f64>,
        /// The bound above, inside the bin.
        high: Option<f64>,
    },
    /// No value is known.
    Missing,
}

/// What the background knows of one feature.
#[derive(Clone, Debug)]
pub(super) enum Spread {
    Binned(Bins),
    Scaled {
        mean: f64,
        deviation: f64,
        /// Whether any value is known.
        is_known: bool,
    },
}

/// The values of a feature, cut at its quartiles.
#[derive(Clone, Debug)]
pub(super) struct Bins {
    /// Ascending, all different: a bin ends at each, and one is above the last.
    cuts: Vec<f64>,
    /// One for each bin of values.
    values: Vec<TruncatedNormal>,
    /// The share of rows in the bins up to each; the rest is missing.
    shares_up_to: Vec<f64>,
}

/// A normal distribution between two bounds.
#[derive(Clone, Copy, Debug)]
struct TruncatedNormal {
    mean: f64,
    deviation: f64,
    low: f64,
    high: f64,
    /// What a normal number has the chance to be below the bounds.
    below_low: f64,
    below_high: f64,
}

/// What is drawn of one feature.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Its values, that of the explained row first.
    pub(super) values: Vec<f64>,
    /// What the linear model sees of them.
    pub(super) regressors: Vec<f64>,
}

impl Spread {
    /// Learns from the values of the background.
    pub(super) fn of(values: &[f64], neighbourhood: Neighbourhood) -> Self {
        let mut known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        match neighbourhood {
            Neighbourhood::Quartiles => {
                known.sort_unstable_by(f64::total_cmp);
                Self::Binned(Bins::of(&known, values.len()))
            }
            Neighbourhood::Normal => {
                let (mean, deviation) = moments(&known);
                let deviation = if deviation > 0.0 { deviation } else { 1.0 };
                Self::Scaled { mean, deviation, is_known: !known.is_empty() }
            }
        }
    }

    /// Draws `count` values; the first is `own`.
    pub(super) fn draw(&self, own: f64, count: usize, seed: u64, feature: usize) -> Drawn {
        let mut rng = stream(seed, Purpose::Neighbourhood, feature as u64);
        let (mut values, mut regressors) = (Vec::with_capacity(count), Vec::with_capacity(count));
        match self {
            Self::Binned(bins) => {
                let own_bin = bins.bin(own);
                values.push(own);
                regressors.push(1.0);
                for _ in 1..count {
                    let (bin, value) = bins.draw(uniform(&mut rng), uniform(&mut rng));
                    values.push(value);
                    regressors.push(f64::from(u8::from(bin == own_bin)));
                }
            }
            Self::Scaled { mean, deviation, is_known } => {
                let score = if own.is_nan() { 0.0 } else { (own - mean) / deviation };
                values.push(own);
                regressors.push(score);
                while values.len() < count {
                    let (first, second) = normals(&mut rng);
                    for score in [first, second].into_iter().take(count - values.len()) {
                        values.push(if *is_known { mean + score * deviation } else { f64::NAN });
                        regressors.push(if *is_known { score } else { 0.0 });
                    }
                }
            }
        }
        Drawn { values, regressors }
    }

    /// The bin of a value, where there are bins.
    pub(super) fn bin(&self, value: f64) -> Option<Bin> {
        match self {
            Self::Binned(bins) => Some(bins.bounds(bins.bin(value))),
            Self::Scaled { .. } => None,
        }
    }
}

impl Bins {
    /// From the known values in order, and the number of all.
    fn of(sorted: &[f64], values_count: usize) -> Self {
        let mut cuts: Vec<f64> =
            [0.25, 0.5, 0.75].into_iter().filter_map(|share| quantile(sorted, share)).collect();
        cuts.dedup();
        let (mut values, mut shares_up_to) = (Vec::new(), Vec::new());
        let mut begin = 0;
        let bounds =
            [sorted.first(), sorted.last()].map(|bound| bound.copied().unwrap_or_default());
        for bin in 0..=cuts.len() {
            let high = cuts.get(bin).copied().unwrap_or(bounds[1]);
            let end = begin + sorted[begin..].partition_point(|value| *value <= high);
            let low = if bin == 0 { bounds[0] } else { cuts[bin - 1] };
            values.push(TruncatedNormal::of(&sorted[begin..end], low, high));
            shares_up_to.push(share(end, values_count));
            begin = end;
        }
        Self { cuts, values, shares_up_to }
    }

    /// The number of a value's bin; the last is of missing values.
    fn bin(&self, value: f64) -> usize {
        if value.is_nan() {
            return self.values.len();
        }
        self.cuts.iter().filter(|cut| **cut < value).count()
    }

    fn bounds(&self, bin: usize) -> Bin {
        if bin == self.values.len() {
            return Bin::Missing;
        }
        let low = bin.checked_sub(1).map(|below| self.cuts[below]);
        Bin::Values { low, high: self.cuts.get(bin).copied() }
    }

    /// A bin and a value of it, from two uniform numbers.
    fn draw(&self, which: f64, place: f64) -> (usize, f64) {
        let bin = self.shares_up_to.iter().filter(|share| **share <= which).count();
        (bin, self.values.get(bin).map_or(f64::NAN, |values| values.at(place)))
    }
}

impl TruncatedNormal {
    fn of(values: &[f64], low: f64, high: f64) -> Self {
        let (mean, deviation) = moments(values);
        let chance = |bound: f64| chance_below((bound - mean) / deviation);
        let (below_low, below_high) =
            if deviation > 0.0 { (chance(low), chance(high)) } else { (0.5, 0.5) };
        Self { mean, deviation, low, high, below_low, below_high }
    }

    /// The value below which lies this share of the distribution.
    fn at(&self, share: f64) -> f64 {
        if self.deviation == 0.0 {
            return self.mean.clamp(self.low, self.high);
        }
        let chance = self.below_low + (self.below_high - self.below_low) * share;
        (self.mean + self.deviation * normal_quantile(chance)).clamp(self.low, self.high)
    }
}

/// The chance that a standard normal number is below `x`: where its quantile function reaches `x`.
fn chance_below(x: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        *(if normal_quantile(middle) < x { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

/// Mean and standard deviation (of the values, not of what they were drawn from); zero of none.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (squares / count).sqrt())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// The quantile between the two nearest values, in proportion (numpy's default); `None` of none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a sorted list"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let below = place.floor() as usize;
    let (low, high) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_drawn_in_their_bins_as_often_as_the_background_has_them() {
        let mut background: Vec<f64> = (0..80).map(f64::from).collect();
        background.extend([f64::NAN; 20]);
        let spread = Spread::of(&background, Neighbourhood::Quartiles);
        assert_eq!(spread.bin(10.0), Some(Bin::Values { low: None, high: Some(19.75) }));
        assert_eq!(spread.bin(19.75), spread.bin(-5.0));
        assert_eq!(spread.bin(30.0), Some(Bin::Values { low: Some(19.75), high: Some(39.5) }));
        assert_eq!(spread.bin(99.0), Some(Bin::Values { low: Some(59.25), high: None }));
        assert_eq!(spread.bin(f64::NAN), Some(Bin::Missing));

        let drawn = spread.draw(30.0, 4_001, 1, 0);
        assert_eq!((drawn.values[0], drawn.regressors[0]), (30.0, 1.0));
        let share_of = |is: &dyn Fn(f64) -> bool| {
            drawn.values[1..].iter().filter(|value| is(**value)).count() as f64 / 4_000.0
        };
        let shares = [
            share_of(&|v| v <= 19.75),
            share_of(&|v| v > 19.75 && v <= 39.5),
            share_of(&|v| v > 39.5 && v <= 59.25),
            share_of(&|v| v > 59.25),
            share_of(&f64::is_nan),
        ];
        assert!(shares.iter().all(|share| (share - 0.2).abs() < 0.03), "{shares:?}");
        assert!(drawn.values[1..].iter().all(|v| v.is_nan() || (0.0..=79.0).contains(v)));
        for (value, regressor) in drawn.values.iter().zip(&drawn.regressors) {
            assert_eq!(*regressor > 0.5, *value > 19.75 && *value <= 39.5, "{value}");
        }
    }

    #[test]
    fn a_constant_feature_is_drawn_constant_and_an_unknown_one_unknown() {
        let constant = Spread::of(&[2.0; 9], Neighbourhood::Quartiles).draw(2.0, 50, 1, 0);
        assert!(constant.values.iter().all(|value| value.to_bits() == 2.0_f64.to_bits()));
        for neighbourhood in [Neighbourhood::Quartiles, Neighbourhood::Normal] {
            let unknown = Spread::of(&[f64::NAN; 9], neighbourhood).draw(1.0, 50, 1, 0);
            assert!(unknown.values[1..].iter().all(|value| value.is_nan()));
            assert!(unknown.regressors[1..].iter().all(|regressor| *regressor == 0.0));
        }
    }

    #[test]
    fn standard_scores_are_of_the_background() {
        let spread = Spread::of(&[1.0, 3.0, f64::NAN, 5.0, 7.0], Neighbourhood::Normal);
        let drawn = spread.draw(6.0, 2_000, 1, 0);
        let deviation = 5.0_f64.sqrt();
        for (value, score) in drawn.values.iter().zip(&drawn.regressors) {
            assert!((4.0 + score * deviation - value).abs() < 1e-12);
        }
        let mean = drawn.values.iter().sum::<f64>() / 2_000.0;
        assert!((mean - 4.0).abs() < 0.2, "{mean}");
        assert_eq!(spread.draw(f64::NAN, 1, 1, 0).regressors, [0.0]);
    }
}
