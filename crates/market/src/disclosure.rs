//! Announcements of companies on the public disclosure platform (KAP).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::instrument::Symbol;

/// One announcement, without its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// The platform's number; they grow, and gaps are normal.
    pub index: u64,
    /// When it was published, to the second.
    pub published_at: Timestamp,
    /// The shares it is about; several for one company, none for a fund.
    pub symbols: Vec<Symbol>,
    /// Who published it.
    pub sender: String,
    /// The platform's class: `ODA` material event, `FR` financial report, `DG` other, `FON` fund.
    pub class: String,
    /// What it is about.
    pub subject: Option<String>,
    /// A summary in one or two sentences.
    pub summary: Option<String>,
    /// Whether it was published late.
    pub late: Option<bool>,
}
