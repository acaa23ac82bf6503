//! What a process of this installation does: answer people, work, or look at the calendar.

use std::fmt;
use std::str::FromStr;

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProcessRole {
    /// All of it: one process is a whole installation.
    #[default]
    All,
    /// Answers people and programs; jobs are asked for, and done elsewhere.
    Api,
    /// Does jobs that are asked for or due.
    Worker,
    /// Puts in what is due by the calendar.
    Scheduler,
}

impl ProcessRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::All, Self::Api, Self::Worker, Self::Scheduler];

    /// Its name on the command line, in settings and in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Scheduler => "scheduler",
        }
    }

    /// Whether it answers people and programs, rather than whoever watches processes alone.
    pub const fn answers_people(self) -> bool {
        matches!(self, Self::All | Self::Api)
    }

    /// Whether it does jobs.
    pub const fn does_jobs(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }

    /// Whether it looks at the calendar.
    pub const fn schedules(self) -> bool {
        matches!(self, Self::All | Self::Scheduler)
    }
}

impl fmt::Display for ProcessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is no role of a process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{word}' is no role of a process; there are {}",
    ProcessRole::ALL.map(ProcessRole::as_str).join(", ")
)]
pub struct UnknownProcessRole {
    /// The word.
    pub word: String,
}

impl FromStr for ProcessRole {
    type Err = UnknownProcessRole;

    fn from_str(word: &str) -> Result<Self, UnknownProcessRole> {
        let role = Self::ALL.into_iter().find(|role| role.as_str() == word);
        role.ok_or_else(|| UnknownProcessRole { word: word.to_owned() })
    }
}
