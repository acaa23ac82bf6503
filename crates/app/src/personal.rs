//! What stands between people and what belongs to them: why something was not done.

use bist_market::Symbol;
use bist_store::{Changed, StoreError};
use bist_trading::alert::ChannelError;
use bist_trading::watchlist::WatchlistError;
use bist_trading::{AlertRuleError, Channel, UserSettingsError};

use crate::secrets::SecretStoreError;

/// Why something of somebody's own was not done.
#[derive(Debug, thiserror::Error)]
pub enum PersonalError {
    /// There is no such list of theirs.
    #[error("there is no watchlist '{0}' of yours; GET /api/v1/watchlists lists those there are")]
    NoSuchWatchlist(String),
    /// There is no such rule of theirs.
    #[error(
        "there is no alert rule '{0}' of yours; GET /api/v1/alerts/rules lists those there are"
    )]
    NoSuchRule(String),
    /// Another device was quicker.
    #[error(
        "it was changed meanwhile, on another device or page: revision {0} stands; read it again, and \
         make the change to that"
    )]
    ChangedMeanwhile(u64),
    /// There are as many as one person may have.
    #[error("there are {max} {what} already, and no more are kept; remove one first")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        max: usize,
    },
    /// Tests were sent a moment ago.
    #[error("{0} test messages were sent in the last hour, and no more are; try again later")]
    TooManyTests(u64),
    /// Nothing is known of the share.
    #[error("there are no daily bars of {0}; GET /api/v1/symbols lists what there is")]
    NoSuchSymbol(Symbol),
    /// It is no list.
    #[error(transparent)]
    Watchlist(#[from] WatchlistError),
    /// It is no rule.
    #[error(transparent)]
    Rule(#[from] AlertRuleError),
    /// It is no channel.
    #[error(transparent)]
    Channel(#[from] ChannelError),
    /// A setting is none.
    #[error(transparent)]
    Settings(#[from] UserSettingsError),
    /// It is no address of the channel.
    #[error("{channel}: {problem}")]
    Address {
        /// Of which.
        channel: Channel,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// Nobody is told there.
    #[error("the channel {0} is not set up; POST /api/v1/alerts/channels/{0} sets it up")]
    NotSetUp(Channel),
    /// The server has no such channel.
    #[error(
        "this server tells nobody by {0}: its configuration does not say how; docs/CONFIGURATION.md \
         describes it"
    )]
    Unavailable(Channel),
    /// A key cannot be had.
    #[error(transparent)]
    Secrets(#[from] SecretStoreError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The revision that stands after a change that was done.
pub(crate) fn done(
    changed: Changed,
    not_there: impl FnOnce() -> PersonalError,
) -> Result<u64, PersonalError> {
    match changed {
        Changed::Done(revision) => Ok(revision),
        Changed::Meanwhile(revision) => Err(PersonalError::ChangedMeanwhile(revision)),
        Changed::NotThere => Err(not_there()),
    }
}
