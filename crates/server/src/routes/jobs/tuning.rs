//! What a tuning is to do, as it is asked for over HTTP.

use std::num::NonZeroUsize;

use bist_app::parse_horizon;
use bist_app::tuning::{Part, TuningOrder};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::schema::{schema, text};

/// Most trials of a part that a tuning may be asked for, and most that are begun together.
const TRIALS_MAX: u64 = 1_000;
const AT_ONCE_MAX: u64 = 64;

/// What a tuning is to do.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TuningRequest {
    /// How far ahead the model looks: `1`, `5` or `20` sessions, `1h` or `eod`.
    #[schema(example = "5", pattern = "^(1|5|20|1h|eod)$")]
    horizon: Option<String>,
    /// What is tuned: `trees`, `elastic-net`, `lstm`, `prophet`, `features`, `ensemble` or `signal`; all
    /// that the models have otherwise.
    #[schema(min_items = 1, max_items = 7)]
    parts: Option<Vec<TunedPartWord>>,
    /// Trials of each part with a result.
    #[schema(minimum = 1, maximum = 1000, default = 30)]
    trials: Option<u64>,
    /// Trials that are begun together, each by what was known before; the result depends on it, and
    /// not on how many processes run them.
    #[schema(minimum = 1, maximum = 64, default = 4)]
    at_once: Option<u32>,
    /// Seed of everything random.
    #[schema(minimum = 0, maximum = 2_147_483_647, default = 7)]
    seed: Option<u32>,
}

/// A part of a configuration that can be tuned.
#[derive(Debug, Deserialize)]
struct TunedPartWord(String);

schema!(
    TunedPartWord,
    "TunedPart",
    text("A part of a configuration that can be tuned.", "trees")
        .enum_values(Some(Part::ALL.map(Part::as_str)))
);

impl TuningRequest {
    /// The order of it, with what is usual where nothing else is asked for.
    pub(super) fn order(self) -> Result<TuningOrder, ApiError> {
        let malformed = |error: &dyn std::fmt::Display| ApiError::Malformed(error.to_string());
        let usual = TuningOrder::default();
        let within = |what: &str, value: u64, most: u64| match value {
            0 => Err(ApiError::Malformed(format!("{what}: give at least 1"))),
            value if value > most => {
                Err(ApiError::Malformed(format!("{what}: give {most} at most")))
            }
            value => Ok(value),
        };
        let horizon = self.horizon.map(|text| parse_horizon(&text)).transpose();
        let parts = self.parts.map(|words| {
            words.iter().map(|word| word.0.parse::<Part>()).collect::<Result<Vec<_>, _>>()
        });
        let at_once = self.at_once.map_or(usual.at_once.get() as u64, u64::from);
        let order = TuningOrder {
            horizon: horizon.map_err(|error| malformed(&error))?.unwrap_or(usual.horizon),
            parts: parts.transpose().map_err(|error| malformed(&error))?.unwrap_or(usual.parts),
            trials_count: within("trials", self.trials.unwrap_or(usual.trials_count), TRIALS_MAX)?,
            at_once: usize::try_from(within("at_once", at_once, AT_ONCE_MAX)?)
                .ok()
                .and_then(NonZeroUsize::new)
                .unwrap_or(usual.at_once),
            seed: self.seed.map_or(usual.seed, u64::from),
            ..usual
        };
        if order.parts.is_empty() {
            return Err(ApiError::Malformed("parts: name at least one".to_owned()));
        }
        order.check().map_err(|error| malformed(&error))?;
        Ok(order)
    }
}
