//! Features as small integers: which values share a bin, and the bins of all rows.

use rayon::prelude::*;

use crate::features::FeatureMatrix;

/// Fewest training values in a bin, as in LightGBM.
const VALUES_PER_BIN_MIN: usize = 3;

/// How the values of one feature are put into bins.
///
/// Bin `b` holds the values above the limit before it and up to its own; missing values have a bin
/// of their own after the others.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bins {
    /// Highest value of each bin but the last, ascending.
    limits: Vec<f64>,
}

impl Bins {
    /// Chooses at most `bins_count_max - 1` bins for the known values, each with about as many
    /// values; a value that fills a bin by itself gets one by itself.
    fn choose(known: &mut [f64], bins_count_max: usize) -> Self {
        known.sort_unstable_by(f64::total_cmp);
        let distinct = distinct_values(known);
        let bins_count_max = bins_count_max - 1;
        let mut limits = Vec::new();

        // Frequent values are set apart first; the others share what is left of the bins evenly.
        let enough_alone = known.len().div_ceil(bins_count_max).max(VALUES_PER_BIN_MIN);
        let alone = |count: usize| distinct.len() > bins_count_max && count >= enough_alone;
        let mut bins_left =
            bins_count_max - distinct.iter().filter(|(_, count)| alone(*count)).count();
        let mut values_left: usize =
            distinct.iter().map(|(_, count)| *count).filter(|count| !alone(*count)).sum();
        let mut values_in_bin = 0;
        for pair in distinct.windows(2) {
            let ((value, count), (next, next_count)) = (pair[0], pair[1]);
            let enough = if distinct.len() <= bins_count_max {
                VALUES_PER_BIN_MIN
            } else {
                (values_left + values_in_bin).div_ceil(bins_left.max(1)).max(VALUES_PER_BIN_MIN)
            };
            values_in_bin += count;
            if !alone(count) {
                values_left -= count;
            }
            let full = alone(count)
                || values_in_bin >= enough
                || (alone(next_count) && values_in_bin >= enough.div_ceil(2));
            if full && limits.len() + 1 < bins_count_max {
                limits.push(middle(value, next));
                if !alone(count) {
                    bins_left = bins_left.saturating_sub(1);
                }
                values_in_bin = 0;
            }
        }
        Self { limits }
    }

    /// How many bins hold known values.
    pub(crate) fn known_count(&self) -> usize {
        self.limits.len() + 1
    }

    /// The bin of missing values.
    pub(crate) fn missing(&self) -> usize {
        self.known_count()
    }

    /// The highest value of a bin; the largest number a model text can hold for the last one.
    pub(crate) fn limit(&self, bin: usize) -> f64 {
        self.limits.get(bin).copied().unwrap_or(1e300)
    }

    fn bin(&self, value: f64) -> u8 {
        let bin = if value.is_nan() {
            self.missing()
        } else {
            self.limits.partition_point(|limit| *limit < value)
        };
        u8::try_from(bin).expect("there are at most 255 bins")
    }
}

/// Distinct values and how often each occurs, ascending; `sorted` has no NaN.
fn distinct_values(sorted: &[f64]) -> Vec<(f64, usize)> {
    sorted.chunk_by(|a, b| a >= b).map(|equal| (equal[0], equal.len())).collect()
}

/// A number that is at least `low` and below `high`, half-way if there is room.
fn middle(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if low <= middle && middle < high { middle } else { low }
}

/// The bins of a feature whose values are categories: the more frequent the lower, one each. Rare
/// categories are binned with the missing values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CategoryBins {
    /// The category of each bin.
    categories: Vec<u32>,
}

/// The share of the known values that must have a bin by themselves, in percent, as in LightGBM.
const CATEGORIES_COVERED_PERCENT: usize = 99;

impl CategoryBins {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "categories were checked to be whole numbers from zero"
    )]
    fn choose(known: &mut [f64], bins_count_max: usize) -> Self {
        known.sort_unstable_by(f64::total_cmp);
        let mut by_count = distinct_values(known);
        by_count.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut covered = 0;
        let frequent = by_count.into_iter().take(bins_count_max - 1).take_while(|(_, count)| {
            let needed = 100 * covered < CATEGORIES_COVERED_PERCENT * known.len();
            covered += count;
            needed
        });
        Self { categories: frequent.map(|(category, _)| category as u32).collect() }
    }

    /// The category of a bin.
    pub(crate) fn category(&self, bin: usize) -> u32 {
        self.categories[bin]
    }

    fn column(&self, values: &[f64]) -> Vec<u8> {
        let missing = self.categories.len();
        let last = self.categories.iter().max().map_or(0, |last| *last as usize + 1);
        let mut bin_of = vec![missing; last];
        for (bin, category) in self.categories.iter().enumerate() {
            bin_of[*category as usize] = bin;
        }
        let bin = |value: &f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "categories were checked; NaN becomes zero and is not looked up"
            )]
            let category = *value as usize;
            let known = !value.is_nan();
            bin_of.get(category).copied().filter(|_| known).unwrap_or(missing)
        };
        values.iter().map(|v| u8::try_from(bin(v)).expect("there are at most 255 bins")).collect()
    }
}

/// The bins of a feature of either kind; the one after the known ones is that of missing values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FeatureBins {
    Numbers(Bins),
    Categories(CategoryBins),
}

impl FeatureBins {
    /// How many bins hold known values.
    pub(crate) fn known_count(&self) -> usize {
        match self {
            Self::Numbers(bins) => bins.known_count(),
            Self::Categories(bins) => bins.categories.len(),
        }
    }

    /// The bin of missing values.
    pub(crate) fn missing(&self) -> usize {
        self.known_count()
    }
}

/// The training rows in bins, column after column.
#[derive(Debug)]
pub(crate) struct BinnedRows {
    pub(crate) bins: Vec<FeatureBins>,
    pub(crate) columns: Vec<Vec<u8>>,
}

impl BinnedRows {
    /// Chooses the bins from `rows` of `x` and puts these rows into them. The values of a column
    /// that `is_categorical` are whole numbers from zero, or missing.
    pub(crate) fn choose(
        x: &FeatureMatrix,
        rows: &[usize],
        bins_count_max: usize,
        is_categorical: impl Fn(usize) -> bool + Sync,
    ) -> Self {
        let (bins, columns) = (0..x.columns_count())
            .into_par_iter()
            .map(|j| {
                let values: Vec<f64> = rows.iter().map(|&row| x.value(row, j)).collect();
                let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
                if is_categorical(j) {
                    let bins = CategoryBins::choose(&mut known, bins_count_max);
                    let column = bins.column(&values);
                    (FeatureBins::Categories(bins), column)
                } else {
                    let bins = Bins::choose(&mut known, bins_count_max);
                    let column = values.iter().map(|value| bins.bin(*value)).collect();
                    (FeatureBins::Numbers(bins), column)
                }
            })
            .unzip();
        Self { bins, columns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(values: &[f64], bins_count_max: usize) -> Bins {
        Bins::choose(&mut values.to_vec(), bins_count_max)
    }

    #[test]
    fn few_distinct_values_get_a_bin_each() {
        let bins = choose(&[1.0, 2.0, 1.0, 3.0, 2.0, 1.0, 2.0, 3.0, 3.0], 255);
        assert_eq!(bins.limits, [1.5, 2.5]);
        let placed = [0.0, 1.5, 1.6, 9.0, f64::NAN].map(|value| bins.bin(value));
        assert_eq!(placed, [0, 0, 1, 2, 3]);
    }

    #[test]
    fn a_column_without_known_values_has_one_bin_and_the_missing_one() {
        let bins = choose(&[], 255);
        assert_eq!((bins.known_count(), bins.missing()), (1, 1));
        assert_eq!(bins.bin(f64::NAN), 1);
    }

    #[test]
    fn many_values_share_the_bins_evenly() {
        let values: Vec<f64> = (0..10_000).map(f64::from).collect();
        let bins = choose(&values, 64);
        assert_eq!(bins.known_count(), 63);
        let mut counts = vec![0; 63];
        for value in &values {
            counts[bins.bin(*value) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (155..=162).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_frequent_value_stands_alone() {
        let mut values: Vec<f64> = (1..=5_000).map(f64::from).collect();
        values.extend(vec![0.0; 5_000]);
        let bins = choose(&values, 17);
        assert_eq!((bins.bin(0.0), bins.bin(1.0)), (0, 1));
        assert_eq!(bins.known_count(), 16);
    }

    #[test]
    fn a_limit_lies_between_neighbours_however_close() {
        let high = 1.0_f64.next_up();
        assert_eq!(middle(1.0, high).to_bits(), 1.0_f64.to_bits());
        assert!(middle(-1e308, 1.7e308) < 1.7e308);
    }

    #[test]
    fn frequent_categories_get_a_bin_each_and_rare_ones_none() {
        // 50 of 7, 30 of 2, 19 of 9, one of 3: the first three are 99 %.
        let mut values: Vec<f64> = [(7.0, 50), (2.0, 30), (9.0, 19), (3.0, 1)]
            .into_iter()
            .flat_map(|(category, count)| vec![category; count])
            .collect();
        let bins = CategoryBins::choose(&mut values, 255);
        assert_eq!(bins.categories, [7, 2, 9]);
        assert_eq!(bins.column(&[7.0, 2.0, 9.0, 3.0, 0.0, 50.0, f64::NAN]), [0, 1, 2, 3, 3, 3, 3]);
        assert_eq!(CategoryBins::choose(&mut values, 3).categories, [7, 2]);
    }
}
