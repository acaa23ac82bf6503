//! What a move of the market and of the rate of exchange has meant for a share.
//!
//! Daily log-returns are explained by those of the factors through least squares. The slopes of the
//! shares are drawn towards their mean, the more the less sure each is (Vasicek 1973, "A Note on
//! Using Cross-Sectional Information in Bayesian Estimation of Security Betas"). What comes of a
//! move of the factors is a distribution: slopes drawn around their estimates, and what the factors
//! do not explain, drawn in blocks of days that followed each other (the circular block bootstrap of
//! Politis and Romano 1992). The constant counts for nothing: a scenario tells of the move alone.

use super::history::MarketReturns;
use super::least_squares::LeastSquares;
use super::{count, mean, quantile};
use crate::explain::draws::{Purpose, below, normals, stream};

/// Days that the slopes are estimated from, at most: the newest.
const OBSERVATIONS_MAX: usize = 500;

/// Days without which nothing is said.
pub const OBSERVATIONS_MIN: usize = 120;

/// Days of a block.
pub const BLOCK_SESSIONS: usize = 5;

/// How many ways the future is drawn.
pub const PATHS_COUNT: usize = 1000;

/// What all chance is drawn from.
const SEED: u64 = 20_260_101;

/// How a share goes with the factors.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// As the share's own days tell it.
    pub line: LeastSquares,
    /// The slopes drawn towards those of all shares.
    pub betas: Vec<f64>,
    /// How far each of those may be off, one standard deviation.
    pub beta_errors: Vec<f64>,
    /// Days that it was learned from.
    pub observations_count: usize,
}

/// Why nothing is said of a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExposureError {
    /// There are fewer than [`OBSERVATIONS_MIN`] days on which it and all factors have returns.
    TooFewDays {
        /// How many there are.
        days_count: usize,
    },
    /// Its returns, or the factors, do not vary.
    NoVariation,
}

/// How each of `series` goes with `factors`, in their order.
pub fn exposures(
    series: &[MarketReturns],
    factors: &[&MarketReturns],
) -> Vec<Result<Exposure, ExposureError>> {
    let mut estimated: Vec<Result<Exposure, ExposureError>> =
        series.iter().map(|returns| exposure(returns, factors)).collect();
    for factor in 0..factors.len() {
        shrink(&mut estimated, factor);
    }
    estimated
}

fn exposure(
    returns: &MarketReturns,
    factors: &[&MarketReturns],
) -> Result<Exposure, ExposureError> {
    let mut outcomes = Vec::new();
    let mut regressors = vec![Vec::new(); factors.len()];
    for (days, outcome) in returns.0.iter().rev() {
        let moves: Option<Vec<f64>> =
            factors.iter().map(|factor| factor.0.get(days).copied()).collect();
        let Some(moves) = moves else { continue };
        outcomes.push(*outcome);
        for (column, value) in regressors.iter_mut().zip(moves) {
            column.push(value);
        }
        if outcomes.len() == OBSERVATIONS_MAX {
            break;
        }
    }
    let observations_count = outcomes.len();
    if observations_count < OBSERVATIONS_MIN {
        return Err(ExposureError::TooFewDays { days_count: observations_count });
    }
    outcomes.reverse();
    for column in &mut regressors {
        column.reverse();
    }
    let line = LeastSquares::of(&outcomes, &regressors).ok_or(ExposureError::NoVariation)?;
    let (betas, beta_errors) = (line.slopes.clone(), line.standard_errors.clone());
    Ok(Exposure { line, betas, beta_errors, observations_count })
}

/// Draws the slopes by one factor towards their mean: each by its own error against how far the
/// slopes of the shares lie apart beyond their errors.
fn shrink(estimated: &mut [Result<Exposure, ExposureError>], factor: usize) {
    let known = || estimated.iter().flatten();
    let slopes: Vec<f64> = known().map(|exposure| exposure.line.slopes[factor]).collect();
    let errors: Vec<f64> =
        known().map(|exposure| exposure.line.standard_errors[factor].powi(2)).collect();
    let (Some(centre), Some(error)) = (mean(&slopes), mean(&errors)) else { return };
    if slopes.len() < 3 {
        return;
    }
    let apart = slopes.iter().map(|slope| (slope - centre).powi(2)).sum::<f64>()
        / (count(slopes.len()) - 1.0);
    // Where the slopes lie no further apart than their errors, nothing but their mean is known.
    let spread = (apart - error).max(0.0);
    for exposure in estimated.iter_mut().flatten() {
        let variance = exposure.line.standard_errors[factor].powi(2);
        let own_weight = if spread > 0.0 { spread / (spread + variance) } else { 0.0 };
        exposure.betas[factor] = centre + own_weight * (exposure.line.slopes[factor] - centre);
        exposure.beta_errors[factor] = (own_weight * variance).sqrt();
    }
}

/// What may come of a move; shares.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MoveDistribution {
    /// What the slopes alone make of the move.
    pub conditional_share: f64,
    /// Below it, one way in twenty ends.
    pub quantile_05_share: f64,
    /// Below it, one in four.
    pub quantile_25_share: f64,
    /// Below it, one in two.
    pub quantile_50_share: f64,
    /// Below it, three in four.
    pub quantile_75_share: f64,
    /// Below it, nineteen in twenty.
    pub quantile_95_share: f64,
    /// The share of the ways that end in a loss, 0..=1.
    pub loss_probability: f64,
}

/// What may come of a share when the factors move by `moves` (shares above -1, one a factor) within
/// `sessions`, by [`PATHS_COUNT`] ways that are drawn alike for every share.
///
/// # Panics
///
/// Never: there are ways, and a line has residuals.
pub fn move_distribution(exposure: &Exposure, moves: &[f64], sessions: usize) -> MoveDistribution {
    let logs: Vec<f64> = moves.iter().map(|share| share.ln_1p()).collect();
    let of_betas =
        |betas: &[f64]| betas.iter().zip(&logs).map(|(beta, log)| beta * log).sum::<f64>();
    let residuals = &exposure.line.residuals;
    let mut rng = stream(SEED, Purpose::Scenario, 0);
    let mut ends: Vec<f64> = (0..PATHS_COUNT)
        .map(|_| {
            let mut end = 0.0;
            for ((beta, error), log) in exposure.betas.iter().zip(&exposure.beta_errors).zip(&logs)
            {
                end += (beta + error * normals(&mut rng).0) * log;
            }
            let mut drawn = 0;
            while drawn < sessions {
                let first = below(&mut rng, residuals.len());
                let block = BLOCK_SESSIONS.min(sessions - drawn);
                end +=
                    (first..first + block).map(|at| residuals[at % residuals.len()]).sum::<f64>();
                drawn += block;
            }
            end.exp_m1()
        })
        .collect();
    ends.sort_unstable_by(f64::total_cmp);
    let at = |share| quantile(&ends, share).expect("there are ways");
    MoveDistribution {
        conditional_share: of_betas(&exposure.betas).exp_m1(),
        quantile_05_share: at(0.05),
        quantile_25_share: at(0.25),
        quantile_50_share: at(0.5),
        quantile_75_share: at(0.75),
        quantile_95_share: at(0.95),
        loss_probability: count(ends.partition_point(|end| *end < 0.0)) / count(PATHS_COUNT),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;

    /// A factor, and `beta` times it with noise of that size, over `days` days.
    fn pair(days: i32, beta: f64, noise: f64) -> (MarketReturns, MarketReturns) {
        let day = |t: i32| -> Date { date(2020, 1, 1).saturating_add(jiff::Span::new().days(t)) };
        let (mut factor, mut share) = (MarketReturns::default(), MarketReturns::default());
        for t in 1..=days {
            let wave = |a: i32, m: i32| f64::from((a * t) % m) / f64::from(m) - 0.5;
            let move_of_day = 0.04 * wave(7919, 1009);
            factor.0.insert((day(t - 1), day(t)), move_of_day);
            share.0.insert((day(t - 1), day(t)), beta * move_of_day + noise * wave(104_729, 997));
        }
        (factor, share)
    }

    #[test]
    fn a_share_without_noise_moves_by_its_beta_and_with_noise_around_it() {
        let (factor, share) = pair(400, 1.5, 0.0);
        let exposure = exposure(&share, &[&factor]).unwrap();
        let told = move_distribution(&exposure, &[-0.1], 5);
        let expected = 0.9_f64.powf(1.5) - 1.0;
        assert!((told.conditional_share - expected).abs() < 1e-9);
        assert!((told.quantile_05_share - expected).abs() < 1e-6);

        let (factor, share) = pair(400, 1.5, 0.02);
        let noisy = super::exposure(&share, &[&factor]).unwrap();
        let told = move_distribution(&noisy, &[-0.1], 5);
        assert!(told.quantile_05_share < told.conditional_share);
        assert!(told.quantile_95_share > told.conditional_share);
        assert_eq!(told, move_distribution(&noisy, &[-0.1], 5));
        // More sessions leave more room for what the factor does not explain.
        let longer = move_distribution(&noisy, &[-0.1], 20);
        let width = |told: MoveDistribution| told.quantile_95_share - told.quantile_05_share;
        assert!(width(longer) > 1.5 * width(told));
    }

    #[test]
    fn what_is_less_sure_is_drawn_further_towards_the_others_and_too_little_is_refused() {
        let (factor, calm) = pair(400, 0.5, 0.005);
        let wild = pair(400, 2.0, 0.2).1;
        let others = [0.8, 1.0, 1.2].map(|beta| pair(400, beta, 0.01).1);
        let short = pair(OBSERVATIONS_MIN.try_into().unwrap(), 1.0, 0.01).1;
        let mut cut = short.clone();
        cut.0.pop_first();
        let [a, b, c] = others;
        let told = exposures(&[calm, wild, a, b, c, short, cut], &[&factor]);
        let moved = |index: usize| {
            let exposure = told[index].as_ref().unwrap();
            (exposure.betas[0] - exposure.line.slopes[0]).abs()
        };
        assert!(moved(1) > 5.0 * moved(0), "{} {}", moved(1), moved(0));
        assert!(told[5].is_ok());
        let days_count = OBSERVATIONS_MIN - 1;
        assert_eq!(told[6], Err(ExposureError::TooFewDays { days_count }));
    }
}
