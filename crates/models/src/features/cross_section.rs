//! How a symbol stands among the others of the same day, and against their mean.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{FeatureDefinition, known_mean, mean, ratio};

/// What [`columns`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureDefinition; 17] = [
    rank("rank_return_5", "rank of return_5 among the symbols of the day, 0 lowest to 1 highest"),
    rank("rank_return_20", "rank of return_20 among the symbols of the day, 0 lowest to 1 highest"),
    rank(
        "rank_volatility_20",
        "rank of volatility_20 among the symbols of the day, 0 lowest to 1 highest",
    ),
    rank(
        "rank_volume_ratio",
        "rank of volume_ratio_5_20 among the symbols of the day, 0 lowest to 1 highest",
    ),
    rank(
        "rank_turnover_20",
        "rank of the mean lira traded over 20 sessions among the symbols of the day",
    ),
    FeatureDefinition {
        name: "amihud_20",
        formula: "ln(mean |return_1| per lira traded over 20 sessions) less the mean of the day",
        source: "Amihud (2002), equation 1; less the mean so that inflation cancels",
    },
    market("market_return_1", "mean of return_1 over the symbols of the day"),
    market("market_return_5", "mean of return_5 over the symbols of the day"),
    market("market_return_20", "mean of return_20 over the symbols of the day"),
    FeatureDefinition {
        name: "beta_60",
        formula: "covariance of return_1 with market_return_1 / variance of the latter, 60 sessions",
        source: "Sharpe (1964), market model",
    },
    FeatureDefinition {
        name: "residual_return_60",
        formula: "sum of return_1 - beta_60 * market_return_1 over 60 sessions",
        source: "Blitz, Huij, Martens (2011), residual momentum",
    },
    sector("sector_return_5", "mean of return_5 over the symbols of the sector on the day"),
    sector("sector_return_20", "mean of return_20 over the symbols of the sector on the day"),
    sector("return_5_less_sector", "return_5 - sector_return_5"),
    sector("return_20_less_sector", "return_20 - sector_return_20"),
    sector(
        "sector_reversal_slope_250",
        "mean of reversal_slope_250 over the symbols of the sector on the day",
    ),
    sector("sector_reversal_forecast", "sector_reversal_slope_250 * return_5"),
];

const fn rank(name: &'static str, formula: &'static str) -> FeatureDefinition {
    FeatureDefinition { name, formula, source: "mid-rank; Jegadeesh and Titman (1993)" }
}

const fn market(name: &'static str, formula: &'static str) -> FeatureDefinition {
    FeatureDefinition { name, formula, source: "equal-weighted market" }
}

const fn sector(name: &'static str, formula: &'static str) -> FeatureDefinition {
    FeatureDefinition {
        name,
        formula,
        source: "Moskowitz and Grinblatt (1999), industry momentum; NaN without a sector",
    }
}

/// Features of single symbols that the cross-section compares, one value a row of the panel.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    pub(crate) return_1: &'a [f64],
    pub(crate) return_5: &'a [f64],
    pub(crate) return_20: &'a [f64],
    pub(crate) reversal_slope: &'a [f64],
    pub(crate) volatility_20: &'a [f64],
    pub(crate) volume_ratio: &'a [f64],
    pub(crate) log_illiquidity: &'a [f64],
    pub(crate) turnover: &'a [f64],
    /// The number of the sector of each row; `None` where it is unknown.
    pub(crate) sector: &'a [Option<usize>],
}

/// The features of [`DEFINITIONS`], one value a row.
///
/// `days` are the rows of each day, `runs` the rows of each run of a symbol in the order of time.
pub(crate) fn columns(
    inputs: &Inputs<'_>,
    days: &[Range<usize>],
    runs: &[Vec<usize>],
) -> [Vec<f64>; 17] {
    let each_day = |values: &[f64], f: fn(&[f64]) -> Vec<f64>| -> Vec<f64> {
        days.iter().flat_map(|rows| f(&values[rows.clone()])).collect()
    };
    let market_return_1 = each_day(inputs.return_1, day_mean);
    let sector_mean = |values: &[f64]| -> Vec<f64> {
        let of_day =
            |rows: &Range<usize>| sector_means(&values[rows.clone()], &inputs.sector[rows.clone()]);
        days.iter().flat_map(of_day).collect()
    };
    let less = |values: &[f64], means: &[f64]| -> Vec<f64> {
        values.iter().zip(means).map(|(value, mean)| value - mean).collect()
    };
    let (sector_5, sector_20) = (sector_mean(inputs.return_5), sector_mean(inputs.return_20));
    let (less_5, less_20) = (less(inputs.return_5, &sector_5), less(inputs.return_20, &sector_20));
    let slopes = sector_mean(inputs.reversal_slope);
    let reversal = slopes.iter().zip(inputs.return_5).map(|(slope, r)| slope * r).collect();
    let (beta, residual) = market_model(inputs.return_1, &market_return_1, runs);
    [
        each_day(inputs.return_5, ranks),
        each_day(inputs.return_20, ranks),
        each_day(inputs.volatility_20, ranks),
        each_day(inputs.volume_ratio, ranks),
        each_day(inputs.turnover, ranks),
        each_day(inputs.log_illiquidity, less_mean),
        market_return_1,
        each_day(inputs.return_5, day_mean),
        each_day(inputs.return_20, day_mean),
        beta,
        residual,
        sector_5,
        sector_20,
        less_5,
        less_20,
        slopes,
        reversal,
    ]
}

/// The mean of the known values of each row's sector; NaN without a sector.
fn sector_means(values: &[f64], sectors: &[Option<usize>]) -> Vec<f64> {
    let mut of_sector: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (value, sector) in values.iter().zip(sectors) {
        if let Some(sector) = sector {
            of_sector.entry(*sector).or_default().push(*value);
        }
    }
    let means: BTreeMap<usize, f64> =
        of_sector.iter().map(|(sector, values)| (*sector, known_mean(values))).collect();
    sectors.iter().map(|sector| sector.map_or(f64::NAN, |sector| means[&sector])).collect()
}

/// Mid-ranks of the known values on a scale from 0 to 1; a lone value stands in the middle.
#[expect(clippy::cast_precision_loss, reason = "there are few symbols")]
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    values
        .iter()
        .map(|value| {
            if value.is_nan() {
                return f64::NAN;
            }
            let below = sorted.partition_point(|other| other < value);
            let up_to = sorted.partition_point(|other| other <= value);
            if sorted.len() == 1 {
                return 0.5;
            }
            (below + up_to - 1) as f64 / 2.0 / (sorted.len() - 1) as f64
        })
        .collect()
}

/// The mean of the known values, the same for all; NaN without any.
fn day_mean(values: &[f64]) -> Vec<f64> {
    vec![known_mean(values); values.len()]
}

fn less_mean(values: &[f64]) -> Vec<f64> {
    let mean = known_mean(values);
    values.iter().map(|value| value - mean).collect()
}

/// Beta and residual return of each row over the last 60 sessions of its run.
fn market_model(own: &[f64], market: &[f64], runs: &[Vec<usize>]) -> (Vec<f64>, Vec<f64>) {
    const SESSIONS_COUNT: usize = 60;
    let (mut beta, mut residual) = (vec![f64::NAN; own.len()], vec![f64::NAN; own.len()]);
    for rows in runs {
        let of_run = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
        let (own, market) = (of_run(own), of_run(market));
        let both = own.windows(SESSIONS_COUNT).zip(market.windows(SESSIONS_COUNT));
        for ((own, market), &row) in both.zip(rows.iter().skip(SESSIONS_COUNT - 1)) {
            let (own_mean, market_mean) = (mean(own), mean(market));
            let (mut covariance, mut variance) = (0.0, 0.0);
            for (r, m) in own.iter().zip(market) {
                covariance += (r - own_mean) * (m - market_mean);
                variance += (m - market_mean) * (m - market_mean);
            }
            beta[row] = ratio(covariance, variance);
            residual[row] = own.iter().sum::<f64>() - beta[row] * market.iter().sum::<f64>();
        }
    }
    (beta, residual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_run_from_zero_to_one_and_equals_share_theirs() {
        assert_eq!(ranks(&[3.0, 1.0, 2.0]), [1.0, 0.0, 0.5]);
        assert_eq!(ranks(&[1.0, 1.0, 2.0]), [0.25, 0.25, 1.0]);
        assert_eq!(ranks(&[7.0]), [0.5]);
        let with_unknown = ranks(&[2.0, f64::NAN, 1.0]);
        assert!(with_unknown[1].is_nan());
        assert_eq!((with_unknown[0], with_unknown[2]), (1.0, 0.0));
    }

    #[test]
    fn a_sector_is_the_mean_of_its_known_symbols() {
        let means = sector_means(
            &[1.0, 3.0, f64::NAN, 9.0, 5.0],
            &[Some(0), Some(0), Some(0), None, Some(1)],
        );
        assert_eq!((&means[..3], means[4]), (&[2.0; 3][..], 5.0));
        assert!(means[3].is_nan());
    }

    #[test]
    fn a_symbol_that_moves_twice_the_market_has_beta_two_and_keeps_its_drift() {
        let market: Vec<f64> = (0..80).map(|t| f64::from(t * 7 % 11) * 0.001 - 0.005).collect();
        let own: Vec<f64> = market.iter().map(|m| 2.0 * m + 0.0005).collect();
        let (beta, residual) = market_model(&own, &market, &[(0..80).collect()]);
        assert!(beta[58].is_nan());
        assert!((beta[59] - 2.0).abs() < 1e-12);
        assert!((residual[79] - 60.0 * 0.0005).abs() < 1e-12);
    }
}
