//! What somebody may do, by the part they have.

use std::fmt;
use std::str::FromStr;

/// The part of an account; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks at prices, forecasts, signals and their reasons.
    Viewer,
    /// Places orders.
    Trader,
    /// Works on data and models.
    Analyst,
    /// Looks after accounts and the service.
    Admin,
}

/// A text that is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no role; give viewer, trader, analyst or admin")]
pub struct RoleError;

impl Role {
    /// All of them, the one that may least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Trader, Self::Analyst, Self::Admin];

    /// The role as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Trader => "trader",
            Self::Analyst => "analyst",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for Role {
    type Err = RoleError;

    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleError)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_go_up() {
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert_eq!("Admin".parse::<Role>(), Err(RoleError));
    }
}
