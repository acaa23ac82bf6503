//! What somebody has set for themselves, on whatever device.

use std::collections::BTreeSet;

use bist_models::Horizon;
use serde::{Deserialize, Serialize};

use crate::alert::Channel;

/// The language in which somebody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Turkish.
    Tr,
    /// English.
    En,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Tr, Self::En];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tr => "tr",
            Self::En => "en",
        }
    }
}

/// Dark on light, or light on dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
}

impl Theme {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Dark, Self::Light];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// The colours of gains and losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Palette {
    /// Green and red.
    Classic,
    /// Blue and orange, for those who do not tell green from red.
    Cvd,
}

impl Palette {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Classic, Self::Cvd];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Cvd => "cvd",
        }
    }
}

/// What somebody has set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    /// The language of the pages and of what is sent.
    pub language: Language,
    /// Light or dark.
    pub theme: Theme,
    /// The colours.
    pub palette: Palette,
    /// From which size on a change of price stands out, 0..=1.
    pub highlight_change_share: f64,
    /// Below which probability of its direction a signal is shown as uncertain, 0.5..=1.
    pub confidence_share_min: f64,
    /// Which horizon a page shows first.
    pub horizon: Horizon,
    /// By which channels a new rule tells.
    pub channels: BTreeSet<Channel>,
}

/// A setting that is none.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum UserSettingsError {
    /// No change is of that size.
    #[error("highlight_change_share is {0}; give a share from 0 to 1, such as 0.03")]
    Change(f64),
    /// No direction has that probability.
    #[error("confidence_share_min is {0}; give a share from 0.5 to 1, such as 0.55")]
    Confidence(f64),
}

impl UserSettings {
    /// What holds until somebody sets something else; the horizon is that of the product.
    pub fn with_horizon(horizon: Horizon) -> Self {
        Self {
            language: Language::Tr,
            theme: Theme::Dark,
            palette: Palette::Classic,
            highlight_change_share: 0.03,
            confidence_share_min: 0.55,
            horizon,
            channels: BTreeSet::from([Channel::Web]),
        }
    }

    /// The same, once its numbers are within their ranges.
    ///
    /// # Errors
    ///
    /// [`UserSettingsError`] for the first that is not.
    pub fn checked(self) -> Result<Self, UserSettingsError> {
        if !(0.0..=1.0).contains(&self.highlight_change_share) {
            return Err(UserSettingsError::Change(self.highlight_change_share));
        }
        if !(0.5..=1.0).contains(&self.confidence_share_min) {
            return Err(UserSettingsError::Confidence(self.confidence_share_min));
        }
        Ok(self)
    }
}
