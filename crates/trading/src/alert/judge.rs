//! Whether a condition is met by what is known.

use bist_market::Price;
use bist_models::Horizon;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::condition::{Condition, Direction};
use crate::signal::Action;

/// What is known of a share.
#[derive(Clone, Debug, PartialEq)]
pub struct SymbolFacts {
    /// The day of the last bar.
    pub as_of: Option<Date>,
    /// Sessions that have ended since; `None` when the calendar does not reach so far.
    pub stale_sessions: Option<u32>,
    /// Close of the last bar.
    pub last_close: Option<Price>,
    /// Return from the close before; `None` across a break in the series.
    pub change_share: Option<f64>,
    /// Volumes of the last sessions, the last one last; those without one are left out.
    pub volumes_shares: Vec<u64>,
    /// Whether the last of them is that of the last bar.
    pub has_last_volume: bool,
}

/// The two newest signals of a share for a horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalFacts {
    /// The name of the newest.
    pub id: String,
    /// As of which day or moment it is.
    pub as_of: String,
    /// What it says.
    pub action: Action,
    /// What the one of the day or moment before says.
    pub before: Option<Action>,
}

/// The band that was forecast for the session of the last bar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandFacts {
    /// The day from which it was forecast.
    pub forecast_as_of: Date,
    /// Its lower end.
    pub low: Price,
    /// Its upper end.
    pub high: Price,
}

/// How good the data are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityFacts {
    /// The score, a share.
    pub score_share: Option<f64>,
    /// When it was found.
    pub validated_at: Option<Timestamp>,
}

/// What the newest look at a model found.
#[derive(Clone, Debug, PartialEq)]
pub struct DriftFacts {
    /// The version.
    pub model_version: String,
    /// How far ahead it looks.
    pub horizon: Horizon,
    /// When it was looked at.
    pub found_at: Timestamp,
    /// Whether something is alarming.
    pub is_alarm: bool,
}

/// What is known of all that a condition asks about; what it does not ask about is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Of its share.
    pub symbol: Option<SymbolFacts>,
    /// Of the signals.
    pub signal: Option<SignalFacts>,
    /// Of the band.
    pub band: Option<BandFacts>,
    /// Of the quality.
    pub quality: Option<QualityFacts>,
    /// Of the models; `None` when none was ever looked at.
    pub drift: Option<Vec<DriftFacts>>,
}

/// Why nobody can tell whether a condition is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// There are no bars of the share.
    NoBars,
    /// Sessions have ended of which there are no bars yet, or the calendar does not say.
    StaleBars,
    /// There is a break in the series before the last bar.
    NoChange,
    /// There are too few volumes for the mean.
    TooFewVolumes,
    /// There is no signal, or none before it.
    NoSignalBefore,
    /// Nothing was forecast for the session.
    NoForecast,
    /// Nothing was validated.
    NotValidated,
    /// No model was looked at for drift.
    NoDriftLook,
}

impl Silence {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NoBars,
        Self::StaleBars,
        Self::NoChange,
        Self::TooFewVolumes,
        Self::NoSignalBefore,
        Self::NoForecast,
        Self::NotValidated,
        Self::NoDriftLook,
    ];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoBars => "no_bars",
            Self::StaleBars => "stale_bars",
            Self::NoChange => "no_change",
            Self::TooFewVolumes => "too_few_volumes",
            Self::NoSignalBefore => "no_signal_before",
            Self::NoForecast => "no_forecast",
            Self::NotValidated => "not_validated",
            Self::NoDriftLook => "no_drift_look",
        }
    }
}

/// What was seen when a condition was met, with the numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Observed {
    /// A close.
    Price {
        /// The last close.
        last_close: Price,
    },
    /// A return.
    Change {
        /// From the close before to the last.
        change_share: f64,
        /// The last close.
        last_close: Price,
    },
    /// A volume.
    VolumeSpike {
        /// Of the last session.
        volume_shares: u64,
        /// The mean of those before.
        mean_shares: f64,
        /// Over how many sessions.
        sessions_count: u32,
    },
    /// Another signal.
    SignalChange {
        /// What the one before said.
        from: Action,
        /// What it says.
        to: Action,
        /// How far ahead it looks.
        horizon: Horizon,
    },
    /// A close outside of its band.
    BandBreach {
        /// The last close.
        last_close: Price,
        /// Lower end of the band.
        low: Price,
        /// Upper end.
        high: Price,
        /// The day from which it was forecast.
        forecast_as_of: Date,
    },
    /// A score.
    DataQuality {
        /// The score.
        score_share: f64,
    },
    /// Drift of a model.
    Drift {
        /// The version.
        model_version: String,
        /// How far ahead it looks.
        horizon: Horizon,
    },
}

/// What met a condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Its name: the same fact has the same name, whoever sees it and when.
    pub key: String,
    /// As of which day, moment or instant.
    pub as_of: String,
    /// What was seen.
    pub observed: Observed,
}

/// Whether a condition is met.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is.
    Met(Fact),
    /// It is not.
    NotMet,
    /// Nobody can tell.
    Unknown(Silence),
}

/// Holds `condition` against what is known.
pub fn judge(condition: &Condition, facts: &Facts) -> Verdict {
    match judged(condition, facts) {
        Ok(Some(fact)) => Verdict::Met(fact),
        Ok(None) => Verdict::NotMet,
        Err(silence) => Verdict::Unknown(silence),
    }
}

fn judged(condition: &Condition, facts: &Facts) -> Result<Option<Fact>, Silence> {
    match condition {
        Condition::Price { direction, price, .. } => {
            let bar = Bar::of(facts)?;
            let last_close = bar.last_close;
            let is_met = match direction {
                Direction::Up => last_close >= *price,
                Direction::Down => last_close <= *price,
            };
            Ok(is_met.then(|| bar.fact(Observed::Price { last_close })))
        }
        Condition::Change { direction, change_share: size, .. } => {
            let bar = Bar::of(facts)?;
            let change_share = bar.of.change_share.ok_or(Silence::NoChange)?;
            let is_met = match direction {
                Some(Direction::Up) => change_share >= *size,
                Some(Direction::Down) => change_share <= -size,
                None => change_share.abs() >= *size,
            };
            let last_close = bar.last_close;
            Ok(is_met.then(|| bar.fact(Observed::Change { change_share, last_close })))
        }
        Condition::VolumeSpike { volume_multiple, sessions_count, .. } => {
            volume_spike(&Bar::of(facts)?, *volume_multiple, *sessions_count)
        }
        Condition::SignalChange { horizon, .. } => {
            Bar::of(facts)?;
            let signal = facts.signal.as_ref().ok_or(Silence::NoSignalBefore)?;
            let from = signal.before.ok_or(Silence::NoSignalBefore)?;
            let to = signal.action;
            Ok((from != to).then(|| Fact {
                key: signal.id.clone(),
                as_of: signal.as_of.clone(),
                observed: Observed::SignalChange { from, to, horizon: *horizon },
            }))
        }
        Condition::BandBreach { .. } => {
            let bar = Bar::of(facts)?;
            let BandFacts { forecast_as_of, low, high } = facts.band.ok_or(Silence::NoForecast)?;
            let last_close = bar.last_close;
            let is_met = last_close < low || last_close > high;
            let observed = Observed::BandBreach { last_close, low, high, forecast_as_of };
            Ok(is_met.then(|| bar.fact(observed)))
        }
        Condition::DataQuality { score_share: below, .. } => {
            let quality = facts.quality.ok_or(Silence::NotValidated)?;
            let (Some(score_share), Some(at)) = (quality.score_share, quality.validated_at) else {
                return Err(Silence::NotValidated);
            };
            Ok((score_share < *below).then(|| Fact {
                key: at.to_string(),
                as_of: at.to_string(),
                observed: Observed::DataQuality { score_share },
            }))
        }
        Condition::Drift { horizon } => {
            let looked = facts.drift.as_ref().ok_or(Silence::NoDriftLook)?;
            let mut of_horizon =
                looked.iter().filter(|of| horizon.is_none_or(|wanted| of.horizon == wanted));
            if of_horizon.clone().next().is_none() {
                return Err(Silence::NoDriftLook);
            }
            let alarm = of_horizon.find(|of| of.is_alarm);
            Ok(alarm.map(|of| Fact {
                key: format!("{}@{}", of.model_version, of.found_at),
                as_of: of.found_at.to_string(),
                observed: Observed::Drift {
                    model_version: of.model_version.clone(),
                    horizon: of.horizon,
                },
            }))
        }
    }
}

/// The last bar of a share, when it is there and of the newest session that has ended.
struct Bar<'a> {
    of: &'a SymbolFacts,
    day: Date,
    last_close: Price,
}

impl<'a> Bar<'a> {
    fn of(facts: &'a Facts) -> Result<Self, Silence> {
        let of = facts.symbol.as_ref().ok_or(Silence::NoBars)?;
        let (Some(day), Some(last_close)) = (of.as_of, of.last_close) else {
            return Err(Silence::NoBars);
        };
        match of.stale_sessions {
            Some(0) => Ok(Self { of, day, last_close }),
            Some(_) | None => Err(Silence::StaleBars),
        }
    }

    fn fact(&self, observed: Observed) -> Fact {
        Fact { key: self.day.to_string(), as_of: self.day.to_string(), observed }
    }
}

#[expect(clippy::cast_precision_loss, reason = "volumes are far below 2^53 shares")]
fn volume_spike(
    bar: &Bar<'_>,
    multiple: f64,
    sessions_count: u32,
) -> Result<Option<Fact>, Silence> {
    let volumes = &bar.of.volumes_shares;
    let (Some((&volume_shares, before)), true) = (volumes.split_last(), bar.of.has_last_volume)
    else {
        return Err(Silence::TooFewVolumes);
    };
    let first = before.len().checked_sub(sessions_count as usize).ok_or(Silence::TooFewVolumes)?;
    let sum: f64 = before[first..].iter().map(|&volume| volume as f64).sum();
    let mean_shares = sum / f64::from(sessions_count);
    if mean_shares <= 0.0 {
        return Err(Silence::TooFewVolumes);
    }
    let is_met = volume_shares as f64 >= multiple * mean_shares;
    Ok(is_met
        .then(|| bar.fact(Observed::VolumeSpike { volume_shares, mean_shares, sessions_count })))
}
