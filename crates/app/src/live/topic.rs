//! What there is to listen to, and places in the stream.

use std::fmt;
use std::str::FromStr;

use bist_access::AccountId;
use bist_lifecycle::Horizon;
use bist_market::Symbol;
use bist_market::rename::current_name;
use bist_store::PersonalTopic;
use serde::{Deserialize, Serialize};

/// What an event is about, written as `prices/THYAO`, `signals/THYAO/5`, `jobs/12`, `quality`,
/// `audit`, and `watchlists`, `settings`, `alerts` and `orders` of who listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Topic {
    /// The price of a symbol.
    Price(Symbol),
    /// The signal of a symbol for a horizon.
    Signal(Symbol, Horizon),
    /// A run of a job.
    Job(i64),
    /// The quality of the data.
    Quality,
    /// The records of what was done.
    Audit,
    /// What belongs to one person.
    Personal(PersonalTopic, Person),
}

/// Somebody to whom something belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person(u64);

impl From<&AccountId> for Person {
    fn from(account: &AccountId) -> Self {
        let digits = account.as_str().get(1..).and_then(|text| u64::from_str_radix(text, 16).ok());
        Self(digits.expect("an account is a letter and sixteen hexadecimal digits"))
    }
}

/// A part of what there is to listen to; who may listen is decided by section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Prices of symbols.
    Prices,
    /// Signals.
    Signals,
    /// Runs of jobs.
    Jobs,
    /// The quality of the data.
    Quality,
    /// The records of what was done.
    Audit,
    /// What belongs to one person, who alone hears of it.
    Personal(PersonalTopic),
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Prices,
        Self::Signals,
        Self::Jobs,
        Self::Quality,
        Self::Audit,
        Self::Personal(PersonalTopic::Watchlists),
        Self::Personal(PersonalTopic::Settings),
        Self::Personal(PersonalTopic::Alerts),
        Self::Personal(PersonalTopic::Orders),
    ];

    /// Its name, with which all topics of it begin.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prices => "prices",
            Self::Signals => "signals",
            Self::Jobs => "jobs",
            Self::Quality => "quality",
            Self::Audit => "audit",
            Self::Personal(topic) => topic.as_str(),
        }
    }
}

impl Topic {
    /// The part that it belongs to.
    pub const fn section(self) -> Section {
        match self {
            Self::Price(_) => Section::Prices,
            Self::Signal(..) => Section::Signals,
            Self::Job(_) => Section::Jobs,
            Self::Quality => Section::Quality,
            Self::Audit => Section::Audit,
            Self::Personal(topic, _) => Section::Personal(topic),
        }
    }

    /// A name that no other topic has, not even that of another person.
    pub(super) fn full_name(self) -> String {
        match self {
            Self::Personal(_, Person(number)) => format!("{self}/{number:016x}"),
            Self::Price(_) | Self::Signal(..) | Self::Job(_) | Self::Quality | Self::Audit => {
                self.to_string()
            }
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = self.section().as_str();
        match self {
            Self::Price(symbol) => write!(f, "{section}/{symbol}"),
            Self::Signal(symbol, horizon) => write!(f, "{section}/{symbol}/{horizon}"),
            Self::Job(run) => write!(f, "{section}/{run}"),
            Self::Quality | Self::Audit | Self::Personal(..) => f.write_str(section),
        }
    }
}

/// What somebody wants to hear of: a section, or one symbol or run of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Everything of a section.
    All(Section),
    /// The price of a symbol.
    Price(Symbol),
    /// The signals of a symbol for all horizons.
    Signals(Symbol),
    /// A run of a job.
    Job(i64),
    /// What belongs to this person.
    Own(PersonalTopic, Person),
}

/// A text that names nothing one could listen to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no topic '{0}'; there are prices, prices/SYMBOL, signals, signals/SYMBOL, jobs, \
     jobs/RUN, quality, audit, watchlists, settings, alerts and orders"
)]
pub struct WantedError(pub String);

impl Wanted {
    /// The part that it belongs to.
    pub const fn section(self) -> Section {
        match self {
            Self::All(section) => section,
            Self::Price(_) => Section::Prices,
            Self::Signals(_) => Section::Signals,
            Self::Job(_) => Section::Jobs,
            Self::Own(topic, _) => Section::Personal(topic),
        }
    }

    /// The same as `account` wants it: what belongs to people is wanted of oneself.
    #[must_use]
    pub fn of(self, account: &AccountId) -> Self {
        match self {
            Self::All(Section::Personal(topic)) => Self::Own(topic, account.into()),
            Self::All(_) | Self::Price(_) | Self::Signals(_) | Self::Job(_) | Self::Own(..) => self,
        }
    }

    /// Whether what happens to `topic` is wanted. What belongs to one person is wanted by nobody who
    /// does not say of whom.
    pub fn covers(self, topic: Topic) -> bool {
        match self {
            Self::All(Section::Personal(_)) => false,
            Self::All(section) => topic.section() == section,
            Self::Own(of, person) => topic == Topic::Personal(of, person),
            Self::Price(symbol) => topic == Topic::Price(symbol),
            Self::Signals(symbol) => matches!(topic, Topic::Signal(other, _) if other == symbol),
            Self::Job(run) => topic == Topic::Job(run),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = self.section().as_str();
        match self {
            Self::All(_) | Self::Own(..) => f.write_str(section),
            Self::Price(symbol) | Self::Signals(symbol) => write!(f, "{section}/{symbol}"),
            Self::Job(run) => write!(f, "{section}/{run}"),
        }
    }
}

impl FromStr for Wanted {
    type Err = WantedError;

    /// Reads a topic; a former ticker means the share under its present name.
    fn from_str(text: &str) -> Result<Self, WantedError> {
        let unknown = || WantedError(text.chars().take(64).collect());
        let (name, one) = match text.split_once('/') {
            Some((name, one)) => (name, Some(one)),
            None => (text, None),
        };
        let section = Section::ALL.into_iter().find(|section| section.as_str() == name);
        let section = section.ok_or_else(unknown)?;
        let symbol = |one| Symbol::parse(one).map(current_name).map_err(|_| unknown());
        match (section, one) {
            (section, None) => Ok(Self::All(section)),
            (Section::Prices, Some(one)) => Ok(Self::Price(symbol(one)?)),
            (Section::Signals, Some(one)) => Ok(Self::Signals(symbol(one)?)),
            (Section::Jobs, Some(one)) => {
                let run = one.parse::<u32>().map_err(|_| unknown())?;
                Ok(Self::Job(run.into()))
            }
            (Section::Quality | Section::Audit | Section::Personal(_), Some(_)) => Err(unknown()),
        }
    }
}

/// A place in the stream, written as `0123456789abcdef-42`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Which life of the stream.
    pub epoch: String,
    /// The number of the last event before it.
    pub seq: u64,
}

/// A text that is no place in a stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is no position; give one that the stream has told, such as 0123456789abcdef-42, or none"
)]
pub struct PositionError(String);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.seq)
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        let read = || {
            let (epoch, seq) = text.split_once('-')?;
            let is_epoch = epoch.len() == 16 && epoch.bytes().all(|b| b.is_ascii_hexdigit());
            let is_number = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
            (is_epoch && is_number)
                .then(|| Some(Self { epoch: epoch.to_owned(), seq: seq.parse().ok()? }))?
        };
        read().ok_or_else(|| PositionError(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_wanted_as_it_is_written() {
        for text in
            ["prices", "prices/THYAO", "signals", "signals/THYAO", "jobs", "jobs/12", "quality"]
        {
            assert_eq!(text.parse::<Wanted>().unwrap().to_string(), text);
        }
        for text in ["", "price", "prices/", "prices/no such", "jobs/x", "quality/1", "audit/"] {
            assert_eq!(text.parse::<Wanted>(), Err(WantedError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn one_symbol_is_not_another() {
        let symbol = |text| Symbol::parse(text).unwrap();
        let wanted: Wanted = "signals/THYAO".parse().unwrap();
        let horizon = bist_lifecycle::HORIZON_DEFAULT;
        assert!(wanted.covers(Topic::Signal(symbol("THYAO"), horizon)));
        assert!(!wanted.covers(Topic::Signal(symbol("GARAN"), horizon)));
        assert!(!wanted.covers(Topic::Price(symbol("THYAO"))));
        assert!(Wanted::All(Section::Prices).covers(Topic::Price(symbol("GARAN"))));
    }

    #[test]
    fn what_belongs_to_somebody_is_heard_by_them_alone() {
        let [ayse, ali]: [AccountId; 2] =
            ["u0123456789abcdef", "u0123456789abcdee"].map(|text| text.parse().unwrap());
        let topic = Topic::Personal(PersonalTopic::Alerts, Person::from(&ayse));
        let wanted: Wanted = "alerts".parse().unwrap();
        assert_eq!(
            (topic.to_string(), wanted.of(&ayse).to_string()),
            ("alerts".into(), "alerts".into())
        );
        assert!(wanted.of(&ayse).covers(topic));
        assert!(!wanted.covers(topic) && !wanted.of(&ali).covers(topic));
        assert!("alerts/u0123456789abcdef".parse::<Wanted>().is_err());
    }

    #[test]
    fn a_position_is_what_the_stream_has_told() {
        let position = Position { epoch: "0123456789abcdef".to_owned(), seq: 42 };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "42", "0123456789abcdef", "0123456789abcdef-", "0123456789abcdef-+4"] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
