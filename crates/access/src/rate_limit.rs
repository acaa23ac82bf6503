//! How often something may be done: quotas, the decision about one request, and what is remembered.
//!
//! The rule is the virtual scheduling form of the generic cell rate algorithm of ITU-T I.371, as the
//! English Wikipedia describes it under "Generic cell rate algorithm" (read on 29 November 2026). With
//! its letters: `T` is the time that one request costs, `TAT` the instant at which all that was done is
//! paid for, and `τ` how far `TAT` may lie ahead of a request that still conforms; here `τ = (N - 1) T`
//! for a quota of `N`. One instant a key is therefore all that is remembered, and a key whose instant
//! is past is as good as never seen. The script of the shared limiter in `bist-store` is the same in
//! another language, and both are held against the same vectors.

mod limiter;
mod quota;

pub use limiter::{KEYS_MAX, RateLimiter};
pub use quota::{Quota, QuotaError};

use std::fmt;

/// What kind of request is counted; each kind has a quota of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Forecasts, signals and explanations, which cost the most to make.
    Ai,
    /// Whatever tries a password, a code or an invitation.
    Auth,
    /// Orders, and changes of portfolios.
    Trading,
    /// Everything else of the API.
    Default,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ai, Self::Auth, Self::Trading, Self::Default];

    /// Its name, in headers and in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ai => "ai",
            Self::Auth => "auth",
            Self::Trading => "trading",
            Self::Default => "default",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What is decided about one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may be done. One that may not is not counted.
    pub allowed: bool,
    /// How many more could be done at once.
    pub remaining: u32,
    /// Microseconds until one more than `remaining` could be done. Of a request that is refused: until
    /// it may be tried again.
    pub next_after_us: u64,
    /// Microseconds until the whole quota is there again.
    pub full_after_us: u64,
}

impl Decision {
    /// The one of the two that lets less through.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        let ease = |d: &Self| (d.allowed, d.remaining, std::cmp::Reverse(d.next_after_us));
        if ease(&other) < ease(&self) { other } else { self }
    }
}

#[cfg(test)]
mod tests;
