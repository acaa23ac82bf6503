//! What a rule waits for, as a document: `kind`, and the fields of that kind.

use bist_market::{Price, Symbol};
use bist_trading::Condition;
use bist_trading::alert::Direction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::extract;
use crate::routes::user_settings::word;

/// What a rule waits for: `kind`, and the fields of that kind and no others.
///
/// `price`: `symbol`, `direction`, `price`; the last close at the price or beyond. `change`: `symbol`,
/// `change_share`, `direction` or either; the last close against the one before. `volume_spike`:
/// `symbol`, `volume_multiple`, `sessions_count`; the last volume against the mean of the sessions
/// before. `signal_change`: `symbol`, `horizon`; another action than the signal before. `band_breach`:
/// `symbol`, `horizon`; the last close outside of the 80 % band that was forecast for its session.
/// `data_quality`: `score_share`, and `symbol` or all data; a score below. `drift`: `horizon` or any; an
/// alarm at the newest look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AlertCondition)]
pub(super) struct ConditionDocument {
    /// What is looked at.
    #[schema(
        pattern = "^(price|change|volume_spike|signal_change|band_breach|data_quality|drift)$",
        example = "price"
    )]
    kind: String,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        pattern = "^[A-Za-z0-9]{1,12}([.]([Ii][Ss]|[Ee]))?$",
        example = "THYAO"
    )]
    symbol: Option<String>,
    /// How far ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^(1|5|20|1h|eod)$")]
    horizon: Option<String>,
    /// `up` at the threshold or above, `down` at it or below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^(up|down)$", example = "up")]
    direction: Option<String>,
    /// A price, a decimal string.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, pattern = "^[0-9]{1,9}([.][0-9]{1,4})?$", example = "312.50")]
    price: Option<String>,
    /// The size of a change, a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, exclusive_minimum = 0, maximum = 1)]
    change_share: Option<f64>,
    /// How many times the mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1.1, maximum = 100)]
    volume_multiple: Option<f64>,
    /// Over how many sessions the mean is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 5, maximum = 250)]
    sessions_count: Option<u32>,
    /// A score, a share.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, exclusive_minimum = 0, maximum = 1)]
    score_share: Option<f64>,
}

impl From<&Condition> for ConditionDocument {
    fn from(condition: &Condition) -> Self {
        let document = Self {
            kind: condition.kind().to_owned(),
            symbol: condition.symbol().map(|symbol| symbol.to_string()),
            ..Self::default()
        };
        match condition {
            Condition::Price { direction, price, .. } => Self {
                direction: Some(direction.as_str().to_owned()),
                price: Some(price.to_string()),
                ..document
            },
            Condition::Change { direction, change_share, .. } => Self {
                direction: direction.map(|direction| direction.as_str().to_owned()),
                change_share: Some(*change_share),
                ..document
            },
            Condition::VolumeSpike { volume_multiple, sessions_count, .. } => Self {
                volume_multiple: Some(*volume_multiple),
                sessions_count: Some(*sessions_count),
                ..document
            },
            Condition::SignalChange { horizon, .. } | Condition::BandBreach { horizon, .. } => {
                Self { horizon: Some(horizon.to_string()), ..document }
            }
            Condition::DataQuality { score_share, .. } => {
                Self { score_share: Some(*score_share), ..document }
            }
            Condition::Drift { horizon } => {
                Self { horizon: horizon.map(|horizon| horizon.to_string()), ..document }
            }
        }
    }
}

impl ConditionDocument {
    /// The condition, whose numbers are not checked yet.
    pub(super) fn condition(&self) -> Result<Condition, ApiError> {
        let condition = match self.kind.as_str() {
            "price" => Condition::Price {
                symbol: self.symbol()?,
                direction: needed("direction", self.direction()?)?,
                price: self.price()?,
            },
            "change" => Condition::Change {
                symbol: self.symbol()?,
                direction: self.direction()?,
                change_share: needed("change_share", self.change_share)?,
            },
            "volume_spike" => Condition::VolumeSpike {
                symbol: self.symbol()?,
                volume_multiple: needed("volume_multiple", self.volume_multiple)?,
                sessions_count: needed("sessions_count", self.sessions_count)?,
            },
            "signal_change" => Condition::SignalChange {
                symbol: self.symbol()?,
                horizon: needed("horizon", self.horizon()?)?,
            },
            "band_breach" => Condition::BandBreach {
                symbol: self.symbol()?,
                horizon: needed("horizon", self.horizon()?)?,
            },
            "data_quality" => Condition::DataQuality {
                symbol: self.symbol.as_deref().map(|_| self.symbol()).transpose()?,
                score_share: needed("score_share", self.score_share)?,
            },
            "drift" => Condition::Drift { horizon: self.horizon()? },
            _ => {
                let known = Condition::KINDS.join(", ");
                return Err(malformed("kind", &format!("give one of {known}")));
            }
        };
        let taken = Self::from(&condition);
        let given = [
            ("symbol", self.symbol.is_some(), taken.symbol.is_some()),
            ("horizon", self.horizon.is_some(), taken.horizon.is_some()),
            ("direction", self.direction.is_some(), taken.direction.is_some()),
            ("price", self.price.is_some(), taken.price.is_some()),
            ("change_share", self.change_share.is_some(), taken.change_share.is_some()),
            ("volume_multiple", self.volume_multiple.is_some(), taken.volume_multiple.is_some()),
            ("sessions_count", self.sessions_count.is_some(), taken.sessions_count.is_some()),
            ("score_share", self.score_share.is_some(), taken.score_share.is_some()),
        ];
        match given.into_iter().find(|(_, is_given, is_taken)| *is_given && !is_taken) {
            Some((field, ..)) => {
                Err(malformed(field, &format!("the kind '{}' takes none; leave it out", self.kind)))
            }
            None => Ok(condition),
        }
    }

    fn symbol(&self) -> Result<Symbol, ApiError> {
        let text = needed("symbol", self.symbol.as_deref())?;
        extract::symbol(text).map_err(|problem| malformed("symbol", &problem))
    }

    fn horizon(&self) -> Result<Option<bist_lifecycle::Horizon>, ApiError> {
        let read = |text| extract::horizon(text).map_err(|problem| malformed("horizon", &problem));
        self.horizon.as_deref().map(read).transpose()
    }

    fn direction(&self) -> Result<Option<Direction>, ApiError> {
        let read = |text| word("condition.direction", text, Direction::ALL, Direction::as_str);
        self.direction.as_deref().map(read).transpose()
    }

    fn price(&self) -> Result<Price, ApiError> {
        let text = needed("price", self.price.as_deref())?;
        Price::parse(text)
            .map_err(|error| malformed("price", &format!("{error}; give a decimal such as 312.50")))
    }
}

fn needed<T>(field: &str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| malformed(field, "is missing; this kind needs it"))
}

fn malformed(field: &str, problem: &str) -> ApiError {
    ApiError::Malformed(format!("condition.{field}: {problem}"))
}
