//! The windows of the features that can be chosen.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bist_market::Interval;
use serde::{Deserialize, Serialize};

use super::{FeatureDefinition, FeatureTemplate, templates};

/// A window that can be chosen, in bars of the symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FeatureWindow {
    /// Of the longest return, `return_60`.
    ReturnLong,
    /// Of `rsi_14`.
    Rsi,
    /// Of `stochastic_k_14` and `stochastic_d_14`.
    Stochastic,
    /// Of `cci_20`.
    Cci,
    /// Of `williams_r_60`.
    WilliamsR,
    /// Of `roc_120`.
    Roc,
    /// Of the shortest average, `sma_distance_20`.
    SmaShort,
    /// Of the longest average, `sma_distance_200`.
    SmaLong,
    /// Of the shortest volatility, `volatility_5`.
    VolatilityShort,
    /// Of the longest volatility, `volatility_60`.
    VolatilityLong,
    /// Of `atr_14_share`.
    Atr,
    /// Of `volume_zscore_20`.
    VolumeZscore,
    /// Of `mfi_14`.
    Mfi,
}

impl FeatureWindow {
    /// All of them, in the order of their columns.
    pub const ALL: [Self; 13] = [
        Self::ReturnLong,
        Self::Rsi,
        Self::Stochastic,
        Self::Cci,
        Self::WilliamsR,
        Self::Roc,
        Self::SmaShort,
        Self::SmaLong,
        Self::VolatilityShort,
        Self::VolatilityLong,
        Self::Atr,
        Self::VolumeZscore,
        Self::Mfi,
    ];

    /// Its name in a written [`FeatureSpec`].
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReturnLong => "return_long",
            Self::Rsi => "rsi",
            Self::Stochastic => "stochastic",
            Self::Cci => "cci",
            Self::WilliamsR => "williams_r",
            Self::Roc => "roc",
            Self::SmaShort => "sma_short",
            Self::SmaLong => "sma_long",
            Self::VolatilityShort => "volatility_short",
            Self::VolatilityLong => "volatility_long",
            Self::Atr => "atr",
            Self::VolumeZscore => "volume_zscore",
            Self::Mfi => "mfi",
        }
    }

    /// What it may be. No two features with windows in these ranges have one name.
    pub const fn range(self) -> RangeInclusive<u16> {
        match self {
            Self::ReturnLong | Self::VolatilityLong => 30..=250,
            Self::Rsi => 2..=60,
            Self::Stochastic | Self::Atr | Self::Mfi => 5..=60,
            Self::Cci => 5..=100,
            Self::WilliamsR => 5..=250,
            Self::Roc => 20..=250,
            Self::SmaShort => 5..=40,
            Self::SmaLong => 60..=300,
            Self::VolatilityShort => 3..=15,
            Self::VolumeZscore => 5..=120,
        }
    }

    /// What the authors of the indicators named, and weeks, months and quarters.
    const fn usual(self) -> u16 {
        match self {
            Self::Rsi | Self::Stochastic | Self::Atr | Self::Mfi => 14,
            Self::Cci | Self::SmaShort | Self::VolumeZscore => 20,
            Self::ReturnLong | Self::WilliamsR | Self::VolatilityLong => 60,
            Self::Roc => 120,
            Self::SmaLong => 200,
            Self::VolatilityShort => 5,
        }
    }
}

/// The windows of the features; those that [`FeatureWindow`] does not name are fixed.
///
/// A window is part of the feature's name: `rsi_14` is the relative strength of 14 bars, and a model
/// that was fitted on it does not read `rsi_21`. Every window is in its range. Written as a map of
/// names to bars; one that is left out is the usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, u16>", into = "BTreeMap<String, u16>")]
pub struct FeatureSpec([u16; FeatureWindow::ALL.len()]);

/// Why there is no such [`FeatureSpec`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureSpecError {
    /// A window outside its range.
    #[error("the window {name} is {value} bars, and must be {} to {}", range.start(), range.end())]
    Range {
        /// Its name.
        name: &'static str,
        /// What was asked for.
        value: u16,
        /// What it may be.
        range: RangeInclusive<u16>,
    },
    /// A name that no window has.
    #[error(
        "there is no window {name}; there are {}",
        FeatureWindow::ALL.map(FeatureWindow::name).join(", ")
    )]
    Unknown {
        /// The name.
        name: String,
    },
}

impl Default for FeatureSpec {
    fn default() -> Self {
        Self(FeatureWindow::ALL.map(FeatureWindow::usual))
    }
}

impl FeatureSpec {
    /// How many bars `window` has.
    pub const fn window(&self, window: FeatureWindow) -> u16 {
        self.0[window as usize]
    }

    /// The same with another `window`.
    ///
    /// # Errors
    ///
    /// [`FeatureSpecError::Range`] when `bars_count` is outside its range.
    pub fn with(
        mut self,
        window: FeatureWindow,
        bars_count: u16,
    ) -> Result<Self, FeatureSpecError> {
        let range = window.range();
        if !range.contains(&bars_count) {
            let name = window.name();
            return Err(FeatureSpecError::Range { name, value: bars_count, range });
        }
        self.0[window as usize] = bars_count;
        Ok(self)
    }

    /// Whether every window is the usual.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// All features of rows of such bars, in the order of the columns.
    ///
    /// Hourly rows know what daily ones do, but for the regime, which takes years to learn, and what
    /// the index and the dollar did as of the session before; and besides where they stand in their
    /// session.
    pub fn definitions(&self, interval: Interval) -> Vec<FeatureDefinition> {
        let of_template = |template: &FeatureTemplate| FeatureDefinition {
            name: self.fill(template.name),
            formula: self.fill(template.formula),
            source: template.source,
        };
        templates(interval).map(of_template).collect()
    }

    /// The names of all features of rows of such bars, in the order of the columns.
    pub fn names(&self, interval: Interval) -> Vec<String> {
        templates(interval).map(|template| self.fill(template.name)).collect()
    }

    /// `text` with the bars of the windows that it names in braces.
    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        if text.contains('{') {
            for window in FeatureWindow::ALL {
                let name = format!("{{{}}}", window.name());
                filled = filled.replace(&name, &self.window(window).to_string());
            }
        }
        filled
    }
}

impl TryFrom<BTreeMap<String, u16>> for FeatureSpec {
    type Error = FeatureSpecError;

    fn try_from(windows: BTreeMap<String, u16>) -> Result<Self, Self::Error> {
        windows.into_iter().try_fold(Self::default(), |spec, (name, bars_count)| {
            match FeatureWindow::ALL.into_iter().find(|window| window.name() == name) {
                Some(window) => spec.with(window, bars_count),
                None => Err(FeatureSpecError::Unknown { name }),
            }
        })
    }
}

impl From<FeatureSpec> for BTreeMap<String, u16> {
    fn from(spec: FeatureSpec) -> Self {
        let named = |window: FeatureWindow| (window.name().to_owned(), spec.window(window));
        FeatureWindow::ALL.map(named).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_stands_in_the_name_and_the_formula_of_its_features() {
        let spec = FeatureSpec::default().with(FeatureWindow::Rsi, 21).unwrap();
        let spec = spec.with(FeatureWindow::VolatilityShort, 7).unwrap();
        let definitions = spec.definitions(Interval::Daily);
        let find = |name: &str| definitions.iter().find(|definition| definition.name == name);
        assert!(find("rsi_21").unwrap().formula.contains("21 sessions"));
        assert_eq!(find("volatility_ratio_7_60").unwrap().formula, "volatility_7 / volatility_60");
        assert!(find("rsi_14").is_none());
        let usual = FeatureSpec::default().names(Interval::Daily);
        let differ = spec.names(Interval::Daily).iter().zip(&usual).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 3, "rsi, volatility, and its ratio");
    }

    #[test]
    fn no_two_features_have_one_name_and_no_brace_is_left_whatever_the_windows_are() {
        let at = |end: fn(RangeInclusive<u16>) -> u16| {
            let widen =
                |spec: FeatureSpec, window: FeatureWindow| spec.with(window, end(window.range()));
            FeatureWindow::ALL.into_iter().try_fold(FeatureSpec::default(), widen).unwrap()
        };
        for spec in [at(|range| *range.start()), at(|range| *range.end()), FeatureSpec::default()] {
            let mut names = spec.names(Interval::Daily);
            let definitions = spec.definitions(Interval::Daily);
            let texts = definitions.iter().flat_map(|d| [d.name.as_str(), d.formula.as_str()]);
            assert!(texts.into_iter().all(|text| !text.contains(['{', '}'])));
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }

    #[test]
    fn a_written_spec_is_read_back_and_a_wrong_one_is_refused_with_what_is_wrong() {
        let spec = FeatureSpec::default().with(FeatureWindow::Mfi, 9).unwrap();
        let json = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<FeatureSpec>(&json).unwrap(), spec);
        assert_eq!(serde_json::from_str::<FeatureSpec>(r#"{"mfi": 9}"#).unwrap(), spec);
        let refused =
            |json: &str| serde_json::from_str::<FeatureSpec>(json).unwrap_err().to_string();
        let error = refused(r#"{"rsi": 1}"#);
        assert!(error.starts_with("the window rsi is 1 bars, and must be 2 to 60"), "{error}");
        let error = refused(r#"{"rsy": 14}"#);
        assert!(
            error.starts_with("there is no window rsy; there are return_long, rsi,"),
            "{error}"
        );
    }
}
