//! What forecasts are compared by.

use std::fmt;
use std::str::FromStr;

use bist_trading::ReturnInterval;
use serde::{Deserialize, Serialize};

use super::record::Judged;
use crate::evaluation::{SYMBOLS_PER_DAY_MIN, with_comma};
use crate::rank_ic::{Correlation, mean};

/// What the band of an exposure promises to hold.
const BAND_LEVEL: f64 = 0.8;

/// What forecasts are compared by. More is better: of errors the value is the error with a minus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Spearman's correlation of forecasts and returns across the units of a day, of which there are
    /// five or more.
    RankIc,
    /// Mean square of the probability of a rise less what came, one or zero; with a minus.
    Brier,
    /// Mean over the units of a day of the return after costs, which the outcome tells.
    ReturnAfterCosts,
    /// How far the share of outcomes inside the 80 % band of a day is from 0.8; with a minus. Only in
    /// shadow mode, as a smaller arm is farther from it by chance.
    CoverageError,
}

impl Metric {
    /// The parts of the units that make up the value of a day, in their order; `None` when they
    /// cannot be measured.
    pub(super) fn parts(self, units: &[Judged<'_>]) -> Option<Vec<f64>> {
        match self {
            Self::RankIc if units.len() < SYMBOLS_PER_DAY_MIN => None,
            _ if units.is_empty() => None,
            Self::RankIc => {
                let of = |number: fn(&Judged<'_>) -> f64| units.iter().map(number).collect();
                let forecasts: Vec<f64> = of(|unit| unit.exposure.expected_log_return);
                let returns: Vec<f64> = of(|unit| unit.log_return);
                Some(Correlation::Spearman.parts(&forecasts, &returns))
            }
            Self::Brier => Some(units.iter().map(minus_brier).collect()),
            Self::ReturnAfterCosts => units.iter().map(|unit| unit.return_after_costs).collect(),
            Self::CoverageError => Some(units.iter().map(held).collect()),
        }
    }

    /// The value of a day from the parts of its units.
    pub(super) fn of_day(self, parts: &[f64]) -> f64 {
        match self {
            Self::CoverageError => -(mean(parts) - BAND_LEVEL).abs(),
            Self::RankIc | Self::Brier | Self::ReturnAfterCosts => mean(parts),
        }
    }

    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::RankIc, Self::Brier, Self::ReturnAfterCosts, Self::CoverageError];

    /// The word used in the files, the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RankIc => "rank_ic",
            Self::Brier => "brier",
            Self::ReturnAfterCosts => "return_after_costs",
            Self::CoverageError => "coverage_error",
        }
    }

    /// Its name in English.
    pub const fn in_english(self) -> &'static str {
        match self {
            Self::RankIc => "rank IC",
            Self::Brier => "Brier score",
            Self::ReturnAfterCosts => "return after costs",
            Self::CoverageError => "coverage of the 80 % band",
        }
    }

    /// Its name in Turkish.
    pub(super) const fn in_turkish(self) -> &'static str {
        match self {
            Self::RankIc => "rank IC",
            Self::Brier => "Brier skoru",
            Self::ReturnAfterCosts => "maliyet sonrası getiri",
            Self::CoverageError => "%80 aralığının kapsaması",
        }
    }

    /// A difference with its sign, in English; of shares in percentage points.
    pub fn amount_in_english(self, value: f64) -> String {
        match self {
            Self::RankIc => format!("{value:+.3}"),
            Self::Brier => format!("{value:+.4}"),
            Self::ReturnAfterCosts | Self::CoverageError => format!("{:+.2} points", 100.0 * value),
        }
    }

    /// The same in Turkish.
    pub(super) fn amount_in_turkish(self, value: f64) -> String {
        with_comma(&self.amount_in_english(value)).replace("points", "puan")
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no metric '{word}'; give {}", Metric::ALL.map(Metric::as_str).join(", "))]
pub struct UnknownMetric {
    /// The word.
    pub word: String,
}

impl FromStr for Metric {
    type Err = UnknownMetric;

    fn from_str(word: &str) -> Result<Self, UnknownMetric> {
        let found = Self::ALL.into_iter().find(|metric| metric.as_str() == word);
        found.ok_or_else(|| UnknownMetric { word: word.to_owned() })
    }
}

fn minus_brier(unit: &Judged<'_>) -> f64 {
    let rose = f64::from(u8::from(unit.log_return > 0.0));
    -(unit.exposure.probability_up - rose).powi(2)
}

/// One when the band held the return, zero otherwise.
fn held(unit: &Judged<'_>) -> f64 {
    let ReturnInterval { low, high } = unit.exposure.interval_80;
    f64::from(u8::from((low..=high).contains(&unit.log_return)))
}
