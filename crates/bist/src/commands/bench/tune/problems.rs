//! Functions whose least value is known; `peers.py` has the same, formula by formula.

use std::f64::consts::PI;

use bist_lifecycle::search_space::{Distribution, ParamValue};
use bist_lifecycle::study::{Trial, TrialEnd};
use clap::ValueEnum;
use serde::Serialize;

/// A function to be minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Problem {
    /// Hartmann's function of six numbers
    Hartmann6,
    /// Branin's function of two numbers
    Branin,
    /// Rastrigin's function of five numbers, its least value off the centre
    ShiftedRastrigin5,
    /// Rosenbrock's valley in five numbers, along no axis
    RotatedRosenbrock5,
    /// Whole numbers, categories, orders of magnitude, and parameters that depend on others
    Mixed,
}

const HARTMANN_ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];

const HARTMANN_A: [[f64; 6]; 4] = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
];

const HARTMANN_P: [[f64; 6]; 4] = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
];

const RASTRIGIN_SHIFT: [f64; 5] = [1.3, -2.1, 0.7, 3.3, -0.4];

/// The angle of each turn of the valley's axes, radians.
const ROSENBROCK_ANGLE: f64 = 0.7;

impl Problem {
    /// The least value.
    pub(super) const fn least(self) -> f64 {
        match self {
            Self::Hartmann6 => -3.322_368_011_415_515,
            Self::Branin => 0.397_887_357_729_738,
            Self::ShiftedRastrigin5 | Self::RotatedRosenbrock5 | Self::Mixed => 0.0,
        }
    }

    /// The value of the trial's parameters.
    pub(super) fn value(self, trial: &mut Trial<'_>) -> Result<f64, TrialEnd> {
        match self {
            Self::Hartmann6 => Ok(hartmann(&numbers::<6>(trial, 0.0, 1.0)?)),
            Self::Branin => {
                let x = trial.suggest_float("x0", -5.0, 10.0)?;
                let y = trial.suggest_float("x1", 0.0, 15.0)?;
                Ok(branin(x, y))
            }
            Self::ShiftedRastrigin5 => Ok(rastrigin(&numbers::<5>(trial, -5.12, 5.12)?)),
            Self::RotatedRosenbrock5 => Ok(rosenbrock(numbers::<5>(trial, -3.0, 3.0)?)),
            Self::Mixed => mixed(trial),
        }
    }
}

fn numbers<const N: usize>(
    trial: &mut Trial<'_>,
    low: f64,
    high: f64,
) -> Result<[f64; N], TrialEnd> {
    let mut numbers = [0.0; N];
    for (at, number) in numbers.iter_mut().enumerate() {
        *number = trial.suggest_float(&format!("x{at}"), low, high)?;
    }
    Ok(numbers)
}

fn hartmann(x: &[f64; 6]) -> f64 {
    let inner = |row: usize| -> f64 {
        (0..6).map(|j| HARTMANN_A[row][j] * (x[j] - HARTMANN_P[row][j]).powi(2)).sum()
    };
    -(0..4).map(|row| HARTMANN_ALPHA[row] * (-inner(row)).exp()).sum::<f64>()
}

fn branin(x: f64, y: f64) -> f64 {
    let valley = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn rastrigin(x: &[f64; 5]) -> f64 {
    let term = |(x, shift): (&f64, &f64)| {
        let z = x - shift;
        z * z - 10.0 * (2.0 * PI * z).cos() + 10.0
    };
    x.iter().zip(&RASTRIGIN_SHIFT).map(term).sum()
}

fn rosenbrock(mut z: [f64; 5]) -> f64 {
    let (sin, cos) = ROSENBROCK_ANGLE.sin_cos();
    for _ in 0..2 {
        for at in 0..4 {
            let (a, b) = (z[at], z[at + 1]);
            z[at] = cos * a - sin * b;
            z[at + 1] = sin * a + cos * b;
        }
    }
    let term =
        |pair: &[f64]| 100.0 * (pair[1] - pair[0] * pair[0]).powi(2) + (1.0 - pair[0]).powi(2);
    z.windows(2).map(term).sum()
}

/// Something like the choice of a model: only the net reaches zero, at a depth of 6, a rate of
/// 0.01, 96 units and a dropout of 0.2.
fn mixed(trial: &mut Trial<'_>) -> Result<f64, TrialEnd> {
    #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
    let octaves = |value: i64, middle: f64| (value as f64 / middle).log2();
    #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
    let depth = trial.suggest_int("depth", 2, 12)? as f64;
    let rate = trial.suggest_log_float("rate", 1e-4, 1.0)?;
    let shared = 0.02 * (depth - 6.0).powi(2) + 0.15 * (rate / 0.01).log10().powi(2);
    let own = match trial.suggest_choice("kind", ["tree", "linear", "net"])? {
        0 => {
            let leaves = trial.suggest_log_int("leaves", 2, 256)?;
            let step = Some(0.1);
            let share = Distribution::Float { low: 0.1, high: 1.0, log: false, step };
            let share = match trial.suggest("share", &share)? {
                ParamValue::Float(share) => share,
                other @ (ParamValue::Int(_) | ParamValue::Choice(_)) => {
                    return Err(TrialEnd::Failed(format!("{other} is no share")));
                }
            };
            0.2 + 0.1 * octaves(leaves, 32.0).powi(2) + 2.0 * (share - 0.7).powi(2)
        }
        1 => 0.5 + 0.05 * (trial.suggest_log_float("l2", 1e-6, 10.0)? / 0.001).log10().powi(2),
        _ => {
            let units = trial.suggest_log_int("units", 8, 512)?;
            let dropout = trial.suggest_float("dropout", 0.0, 0.5)?;
            0.075 * octaves(units, 96.0).powi(2) + 8.0 * (dropout - 0.2).powi(2)
        }
    };
    Ok(shared + own)
}
