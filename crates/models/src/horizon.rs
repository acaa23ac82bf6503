//! How far ahead a forecast looks.

use std::fmt;
use std::num::NonZeroU8;
use std::str::FromStr;

use bist_market::Interval;
use serde::{Deserialize, Serialize};

/// How far ahead a forecast looks: sessions of the exchange, from the close of a daily bar, or within
/// its session, from the close of an hourly one.
///
/// Written as a number of sessions, or as the text `1h` or `eod`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Horizon {
    /// This many sessions, at least one.
    Sessions(NonZeroU8),
    /// The next hour of the same session.
    NextHour,
    /// The rest of the same session.
    EndOfDay,
}

/// A [`Horizon`] as it is written.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Sessions(NonZeroU8),
    WithinSession(WithinSession),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum WithinSession {
    #[serde(rename = "1h")]
    NextHour,
    #[serde(rename = "eod")]
    EndOfDay,
}

/// A text that is no [`Horizon`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a horizon; give a number of sessions from 1 to 255, 1h or eod")]
pub struct HorizonError(String);

impl Horizon {
    /// A horizon of this many sessions; `None` for zero.
    pub const fn from_sessions(sessions: u8) -> Option<Self> {
        match NonZeroU8::new(sessions) {
            Some(sessions) => Some(Self::Sessions(sessions)),
            None => None,
        }
    }

    /// Over how many sessions its outcomes reach, for what depends on their overlap: one for those
    /// within a session.
    pub const fn sessions(self) -> u8 {
        match self {
            Self::Sessions(sessions) => sessions.get(),
            Self::NextHour | Self::EndOfDay => 1,
        }
    }

    /// The bars from whose closes it looks ahead.
    pub const fn interval(self) -> Interval {
        match self {
            Self::Sessions(_) => Interval::Daily,
            Self::NextHour | Self::EndOfDay => Interval::HOURLY,
        }
    }

    /// Where it ends, in words: `5 sessions ahead`, `1 hour ahead`, `to the end of the day`.
    pub fn in_words(self) -> String {
        match self {
            Self::Sessions(NonZeroU8::MIN) => "1 session ahead".to_owned(),
            Self::Sessions(sessions) => format!("{sessions} sessions ahead"),
            Self::NextHour => "1 hour ahead".to_owned(),
            Self::EndOfDay => "to the end of the day".to_owned(),
        }
    }
}

impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sessions(sessions) => sessions.fmt(f),
            Self::NextHour => f.pad("1h"),
            Self::EndOfDay => f.pad("eod"),
        }
    }
}

impl FromStr for Horizon {
    type Err = HorizonError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "1h" => Ok(Self::NextHour),
            "eod" => Ok(Self::EndOfDay),
            _ => text
                .parse()
                .map(Self::Sessions)
                .map_err(|_not_a_count| HorizonError(text.to_owned())),
        }
    }
}

impl From<Written> for Horizon {
    fn from(written: Written) -> Self {
        match written {
            Written::Sessions(sessions) => Self::Sessions(sessions),
            Written::WithinSession(WithinSession::NextHour) => Self::NextHour,
            Written::WithinSession(WithinSession::EndOfDay) => Self::EndOfDay,
        }
    }
}

impl From<Horizon> for Written {
    fn from(horizon: Horizon) -> Self {
        match horizon {
            Horizon::Sessions(sessions) => Self::Sessions(sessions),
            Horizon::NextHour => Self::WithinSession(WithinSession::NextHour),
            Horizon::EndOfDay => Self::WithinSession(WithinSession::EndOfDay),
        }
    }
}

/// A horizon as two fields of a document: `horizon_sessions`, over how many sessions it reaches, and
/// `horizon`, its text.
///
/// Of documents without the latter the former tells it. To be used as
/// `#[serde(flatten, with = "bist_models::horizon::fields")]`.
pub mod fields {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Horizon;

    #[derive(Serialize, Deserialize)]
    struct Fields {
        horizon_sessions: u8,
        #[serde(default)]
        horizon: Option<String>,
    }

    /// Writes both fields.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(horizon: &Horizon, serializer: S) -> Result<S::Ok, S::Error> {
        let horizon_sessions = horizon.sessions();
        Fields { horizon_sessions, horizon: Some(horizon.to_string()) }.serialize(serializer)
    }

    /// Reads what [`serialize`] wrote.
    ///
    /// # Errors
    ///
    /// When the text is no horizon, and those of the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Horizon, D::Error> {
        let Fields { horizon_sessions, horizon } = Fields::deserialize(deserializer)?;
        let text = horizon.unwrap_or_else(|| horizon_sessions.to_string());
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_written_as_a_number_and_hours_as_a_text() {
        for (json, text) in [("5", "5"), ("\"1h\"", "1h"), ("\"eod\"", "eod")] {
            let horizon: Horizon = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&horizon).unwrap(), json);
            assert_eq!((horizon.to_string(), text.parse()), (text.to_owned(), Ok(horizon)));
        }
        for json in ["0", "256", "\"5\"", "\"2h\"", "null"] {
            assert!(serde_json::from_str::<Horizon>(json).is_err(), "{json}");
        }
        for text in ["", "0", "256", "1H", "60m"] {
            assert!(text.parse::<Horizon>().is_err(), "{text:?}");
        }
    }
}
