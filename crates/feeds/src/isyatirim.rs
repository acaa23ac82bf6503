//! İş Yatırım: daily prices as traded and corporate actions, a share at a time.

mod actions;
pub mod actions_csv;
mod adjustment;
mod prices;
mod provider;

pub use actions::parse_sermaye;
pub use adjustment::adjustment_changed;
pub use prices::parse_hisse_tekil;
pub use provider::IsYatirimProvider;

use std::fmt::Display;

use bist_market::Source;

use crate::fetch_error::FetchError;
use crate::rows::shortened;

/// An answer that does not have its documented shape.
fn malformed(piece: &str, place: &str, reason: impl Display) -> FetchError {
    FetchError::malformed(Source::ISYATIRIM, piece, place, reason)
}

/// An answer in which the source says that it failed.
fn refused(piece: &str, words: &str) -> FetchError {
    let reason = if words.is_empty() { "it gives no reason" } else { words };
    FetchError::Refused {
        source_name: Source::ISYATIRIM,
        piece: piece.to_owned(),
        reason: shortened(reason),
    }
}
