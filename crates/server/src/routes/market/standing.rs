//! What the answers about the market as a whole share.

use std::collections::BTreeSet;

use bist_app::market_view::{CHANGE_SESSIONS, MarketView};
use bist_market::Source;
use serde::Serialize;
use utoipa::ToSchema;

/// A change over some sessions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeResponse {
    /// How many sessions: 1, 5 (a week), 21, 63 and 126 (one, three and six months), 252 (a year).
    #[schema(example = 5)]
    pub(crate) sessions: u32,
    /// The change; null where it is not known.
    #[schema(required, example = -0.012)]
    pub(crate) change_share: Option<f64>,
}

/// Shares that are not counted, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftOutShares)]
pub(crate) struct LeftOutResponse {
    /// Their bars are below the required quality.
    #[schema(example = 3)]
    pub(crate) below_gate_count: usize,
    /// Their last bar is older than the day.
    #[schema(example = 12)]
    pub(crate) older_count: usize,
}

/// The changes over [`CHANGE_SESSIONS`].
pub(crate) fn changes(shares: &[Option<f64>; CHANGE_SESSIONS.len()]) -> Vec<ChangeResponse> {
    let pairs = CHANGE_SESSIONS.iter().zip(shares);
    pairs
        .map(|(sessions, share)| ChangeResponse { sessions: *sessions, change_share: *share })
        .collect()
}

/// The shares that are not counted.
pub(crate) fn left_out(view: &MarketView) -> LeftOutResponse {
    LeftOutResponse { below_gate_count: view.below_gate.len(), older_count: view.older.len() }
}

/// The sources of the shares, by name.
pub(crate) fn sources(view: &MarketView) -> Vec<Source> {
    let sources: BTreeSet<Source> = view.shares.iter().map(|share| share.source).collect();
    sources.into_iter().collect()
}
