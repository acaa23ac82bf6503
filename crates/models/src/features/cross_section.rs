//! How a symbol stands among the others of the same day, and against their mean.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{FeatureTemplate, known_mean, mean, ratio};

/// What [`CrossSection::row`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 17] = [
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
    FeatureTemplate {
        name: "amihud_20",
        formula: "ln(mean |return_1| per lira traded over 20 sessions) less the mean of the day",
        source: "Amihud (2002), equation 1; less the mean so that inflation cancels",
    },
    market("market_return_1", "mean of return_1 over the symbols of the day"),
    market("market_return_5", "mean of return_5 over the symbols of the day"),
    market("market_return_20", "mean of return_20 over the symbols of the day"),
    FeatureTemplate {
        name: "beta_60",
        formula: "covariance of return_1 with market_return_1 / variance of the latter, 60 sessions",
        source: "Sharpe (1964), market model",
    },
    FeatureTemplate {
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

const fn rank(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate { name, formula, source: "mid-rank; Jegadeesh and Titman (1993)" }
}

const fn market(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate { name, formula, source: "equal-weighted market" }
}

const fn sector(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate {
        name,
        formula,
        source: "Moskowitz and Grinblatt (1999), industry momentum; NaN without a sector",
    }
}

/// Sessions over which a symbol is compared with the market.
pub(crate) const MARKET_MODEL_SESSIONS_COUNT: usize = 60;

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

impl Inputs<'_> {
    fn standing(&self, row: usize) -> Standing {
        Standing {
            return_1: self.return_1[row],
            return_5: self.return_5[row],
            return_20: self.return_20[row],
            reversal_slope: self.reversal_slope[row],
            volatility_20: self.volatility_20[row],
            volume_ratio: self.volume_ratio[row],
            log_illiquidity: self.log_illiquidity[row],
            turnover: self.turnover[row],
            sector: self.sector[row],
        }
    }
}

/// What the cross-section compares of one symbol on one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) return_1: f64,
    pub(crate) return_5: f64,
    pub(crate) return_20: f64,
    pub(crate) reversal_slope: f64,
    pub(crate) volatility_20: f64,
    pub(crate) volume_ratio: f64,
    pub(crate) log_illiquidity: f64,
    pub(crate) turnover: f64,
    /// The number of its sector.
    pub(crate) sector: Option<usize>,
}

/// The features of [`DEFINITIONS`], one value a row.
///
/// `days` are the rows of each day, `runs` the rows of each run of a symbol in the order of time.
pub(crate) fn columns(
    inputs: &Inputs<'_>,
    days: &[Range<usize>],
    runs: &[Vec<usize>],
) -> [Vec<f64>; 17] {
    let rows_count = inputs.return_1.len();
    let standings: Vec<Standing> = (0..rows_count).map(|row| inputs.standing(row)).collect();
    let market_return_1: Vec<f64> = (days.iter())
        .flat_map(|rows| std::iter::repeat_n(market_return_1(&standings[rows.clone()]), rows.len()))
        .collect();
    let of_market_model = market_models(inputs.return_1, &market_return_1, runs);
    let mut columns: [Vec<f64>; 17] = std::array::from_fn(|_| Vec::with_capacity(rows_count));
    for rows in days {
        let section = CrossSection::of(&standings[rows.clone()]);
        for row in rows.clone() {
            let values = section.row(&standings[row], of_market_model[row]);
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
    }
    columns
}

/// The symbols of one day beside each other.
#[derive(Debug)]
pub(crate) struct CrossSection {
    /// Of the features that are ranked, in the order of [`DEFINITIONS`].
    rankings: [Ranking; 5],
    mean_log_illiquidity: f64,
    /// Mean returns over 1, 5 and 20 sessions.
    market: [f64; 3],
    /// Of each sector the means of the returns over 5 and 20 sessions, and of the reversal slope.
    sectors: BTreeMap<usize, [f64; 3]>,
}

impl CrossSection {
    /// Compares `symbols`, which are in their order.
    pub(crate) fn of(symbols: &[Standing]) -> Self {
        let mean_of = |value: fn(&Standing) -> f64| known_mean(symbols.iter().map(value));
        Self {
            rankings: ranked_values().map(|value| Ranking::of(symbols.iter().map(value))),
            mean_log_illiquidity: mean_of(|symbol| symbol.log_illiquidity),
            market: [
                market_return_1(symbols),
                mean_of(|symbol| symbol.return_5),
                mean_of(|symbol| symbol.return_20),
            ],
            sectors: sector_means(symbols),
        }
    }

    /// The features of [`DEFINITIONS`] of one of the symbols.
    pub(crate) fn row(&self, symbol: &Standing, of_market_model: MarketModel) -> [f64; 17] {
        let mut ranked = self.rankings.iter().zip(ranked_values());
        let [r5, r20, r_volatility, r_volume, r_turnover] = std::array::from_fn(|_| {
            ranked.next().map_or(f64::NAN, |(ranking, value)| ranking.rank(value(symbol)))
        });
        let [market_1, market_5, market_20] = self.market;
        let sector = symbol.sector.and_then(|sector| self.sectors.get(&sector));
        let [sector_5, sector_20, slope] = sector.copied().unwrap_or([f64::NAN; 3]);
        [
            r5,
            r20,
            r_volatility,
            r_volume,
            r_turnover,
            symbol.log_illiquidity - self.mean_log_illiquidity,
            market_1,
            market_5,
            market_20,
            of_market_model.beta,
            of_market_model.residual_return,
            sector_5,
            sector_20,
            symbol.return_5 - sector_5,
            symbol.return_20 - sector_20,
            slope,
            slope * symbol.return_5,
        ]
    }
}

/// The features that are ranked, in the order of [`DEFINITIONS`].
fn ranked_values() -> [fn(&Standing) -> f64; 5] {
    [
        |symbol| symbol.return_5,
        |symbol| symbol.return_20,
        |symbol| symbol.volatility_20,
        |symbol| symbol.volume_ratio,
        |symbol| symbol.turnover,
    ]
}

/// The mean of the known returns of the symbols of a day; NaN without any.
pub(crate) fn market_return_1(symbols: &[Standing]) -> f64 {
    known_mean(symbols.iter().map(|symbol| symbol.return_1))
}

/// The means of the known values of each sector.
fn sector_means(symbols: &[Standing]) -> BTreeMap<usize, [f64; 3]> {
    let mut of_sector: BTreeMap<usize, Vec<&Standing>> = BTreeMap::new();
    for symbol in symbols {
        if let Some(sector) = symbol.sector {
            of_sector.entry(sector).or_default().push(symbol);
        }
    }
    let means = |symbols: Vec<&Standing>| {
        let mean_of =
            |value: fn(&Standing) -> f64| known_mean(symbols.iter().map(|symbol| value(symbol)));
        [
            mean_of(|symbol| symbol.return_5),
            mean_of(|symbol| symbol.return_20),
            mean_of(|symbol| symbol.reversal_slope),
        ]
    };
    of_sector.into_iter().map(|(sector, symbols)| (sector, means(symbols))).collect()
}

/// The known values of a day in their order.
#[derive(Debug)]
struct Ranking(Vec<f64>);

impl Ranking {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        Self(sorted)
    }

    /// The mid-rank of one of the values on a scale from 0 to 1; a lone value stands in the middle.
    #[expect(clippy::cast_precision_loss, reason = "there are few symbols")]
    fn rank(&self, value: f64) -> f64 {
        if value.is_nan() {
            return f64::NAN;
        }
        let below = self.0.partition_point(|other| *other < value);
        let up_to = self.0.partition_point(|other| *other <= value);
        if self.0.len() == 1 {
            return 0.5;
        }
        (below + up_to - 1) as f64 / 2.0 / (self.0.len() - 1) as f64
    }
}

/// How a symbol moves with the market.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarketModel {
    beta: f64,
    residual_return: f64,
}

impl MarketModel {
    /// Before there are enough sessions.
    const UNKNOWN: Self = Self { beta: f64::NAN, residual_return: f64::NAN };

    /// Of the last [`MARKET_MODEL_SESSIONS_COUNT`] sessions of a run; unknown when there are fewer.
    pub(crate) fn of_last(own: &[f64], market: &[f64]) -> Self {
        match (own.last_chunk(), market.last_chunk()) {
            (Some(own), Some(market)) => Self::of(own, market),
            _ => Self::UNKNOWN,
        }
    }

    fn of(
        own: &[f64; MARKET_MODEL_SESSIONS_COUNT],
        market: &[f64; MARKET_MODEL_SESSIONS_COUNT],
    ) -> Self {
        let (own_mean, market_mean) = (mean(own), mean(market));
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (r, m) in own.iter().zip(market) {
            covariance += (r - own_mean) * (m - market_mean);
            variance += (m - market_mean) * (m - market_mean);
        }
        let beta = ratio(covariance, variance);
        let residual_return = own.iter().sum::<f64>() - beta * market.iter().sum::<f64>();
        Self { beta, residual_return }
    }
}

/// The market model of each row over the last sessions of its run.
fn market_models(own: &[f64], market: &[f64], runs: &[Vec<usize>]) -> Vec<MarketModel> {
    let mut models = vec![MarketModel::UNKNOWN; own.len()];
    for rows in runs {
        let of_run = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row]).collect() };
        let (own, market) = (of_run(own), of_run(market));
        for (t, &row) in rows.iter().enumerate() {
            models[row] = MarketModel::of_last(&own[..=t], &market[..=t]);
        }
    }
    models
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranks(values: &[f64]) -> Vec<f64> {
        let ranking = Ranking::of(values.iter().copied());
        values.iter().map(|value| ranking.rank(*value)).collect()
    }

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
        let of = |(return_5, sector): (f64, Option<usize>)| Standing {
            return_1: f64::NAN,
            return_5,
            return_20: f64::NAN,
            reversal_slope: f64::NAN,
            volatility_20: f64::NAN,
            volume_ratio: f64::NAN,
            log_illiquidity: f64::NAN,
            turnover: f64::NAN,
            sector,
        };
        let returns =
            [(1.0, Some(0)), (3.0, Some(0)), (f64::NAN, Some(0)), (9.0, None), (5.0, Some(1))];
        let symbols = returns.map(of);
        let section = CrossSection::of(&symbols);
        let means = symbols.map(|symbol| section.row(&symbol, MarketModel::UNKNOWN)[11]);
        assert_eq!((&means[..3], means[4]), (&[2.0; 3][..], 5.0));
        assert!(means[3].is_nan());
    }

    #[test]
    fn a_symbol_that_moves_twice_the_market_has_beta_two_and_keeps_its_drift() {
        let market: Vec<f64> = (0..80).map(|t| f64::from(t * 7 % 11) * 0.001 - 0.005).collect();
        let own: Vec<f64> = market.iter().map(|m| 2.0 * m + 0.0005).collect();
        let models = market_models(&own, &market, &[(0..80).collect()]);
        assert!(models[58].beta.is_nan());
        assert!((models[59].beta - 2.0).abs() < 1e-12);
        assert!((models[79].residual_return - 60.0 * 0.0005).abs() < 1e-12);
    }
}
