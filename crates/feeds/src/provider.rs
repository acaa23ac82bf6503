//! The one door to every source: what is wanted, cut into pieces that can be repeated and resumed.
//!
//! A [`Provider`] says which pieces a wish consists of ([`Provider::plan`]) and fetches one of them
//! ([`Provider::fetch`]). It keeps nothing: the caller stores what a piece brought, together with
//! the mark that the piece is done, so that an interrupted run goes on where it stopped.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use bist_market::{
    BarSeries, CorporateAction, DatedInstrumentDay, Disclosure, Instrument, Interval, Observation,
    RefusedRow, SeriesCode, Source, Symbol,
};
use jiff::Timestamp;
use jiff::civil::Date;

use crate::fetch_error::FetchError;
use crate::http::BreakerState;

/// What a user wants of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whose data; sources that are not about single shares take no notice.
    pub symbols: Vec<Symbol>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// What each bar covers, for sources that have more than daily bars.
    pub interval: Interval,
    /// Which series, for sources of rates; empty means the source's usual ones.
    pub series: Vec<SeriesCode>,
    /// The first announcement, for sources of those; `None` means the newest ones.
    pub from_index: Option<u64>,
}

impl Wanted {
    /// Daily data of no share in particular.
    pub const fn of_days(from: Date, to: Date) -> Self {
        Self {
            symbols: Vec::new(),
            from,
            to,
            interval: Interval::Daily,
            series: Vec::new(),
            from_index: None,
        }
    }
}

/// One piece of work: a request or a few, stored at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Names the piece within its source, the same in every run: `THYAO 1d 2020-01-01..2020-12-31`,
    /// `2025-10-30`. A person reads it in the progress and in messages.
    pub key: String,
    /// What it is.
    pub scope: Scope,
    /// Whether its content is final once it was fetched: days long past. What is not final is
    /// asked for again by the next run, with the validators of the last answer.
    pub is_final: bool,
}

/// What a piece is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Bars, events and facts of one share.
    Share {
        /// Which.
        symbol: Symbol,
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
        /// What each bar covers.
        interval: Interval,
    },
    /// All corporate actions of one share.
    Actions {
        /// Which.
        symbol: Symbol,
    },
    /// Everything of one day.
    Day(Date),
    /// Series of the central bank.
    Series {
        /// Which.
        codes: Vec<SeriesCode>,
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// Announcements from this number on.
    Cursor(u64),
    /// A file on this machine.
    File(PathBuf),
}

/// How a server recognises that we have its newest answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` of the last answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last answer, as it stood.
    pub last_modified: Option<String>,
}

/// What a piece brought.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The content.
    pub content: Content,
    /// To be kept with the piece, and given with the next request for it.
    pub validators: Validators,
    /// The piece that follows, for sources whose pieces are found one after the other.
    pub next: Option<Piece>,
}

/// The content of a piece.
#[derive(Clone, Debug)]
pub enum Content {
    /// The source has nothing newer than what we have.
    NotModified,
    /// The source says that there is nothing: no bulletin on a closed day, an unknown share.
    Absent {
        /// In the source's words, or ours.
        reason: String,
    },
    /// What there is.
    Data(Box<Batch>),
}

/// Everything that one piece holds.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The file, or the piece as a person would name it; refused rows carry it too.
    pub file: String,
    /// Rows of the answer, those that could not be used included.
    pub rows_read: u64,
    /// The bars.
    pub series: Vec<BarSeries>,
    /// Rows that did not become bars.
    pub refused: Vec<RefusedRow>,
    /// Names of the shares, where the source gives them.
    pub instruments: Vec<Instrument>,
    /// Corporate actions.
    pub actions: Vec<CorporateAction>,
    /// Whether `actions` are all that the source knows of their symbols, so that one it no longer
    /// names was withdrawn.
    pub actions_are_complete: bool,
    /// Facts of a share and a day.
    pub days: Vec<DatedInstrumentDay>,
    /// Rates.
    pub observations: Vec<Observation>,
    /// Announcements.
    pub disclosures: Vec<Disclosure>,
    /// What a reader of the report should know, one sentence each.
    pub notes: Vec<String>,
}

/// The answer to [`Provider::fetch`], some time later.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, FetchError>> + Send + 'a>>;

/// A source of market data.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Its name.
    fn source(&self) -> Source;

    /// The pieces that `wanted` consists of, in the order in which to fetch them; `now` tells which
    /// of them are final.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when the wish makes no sense for this source, or names files that are not
    /// there.
    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError>;

    /// Fetches one piece, retrying what may be retried; `known` are the validators of the last
    /// answer for it.
    ///
    /// # Errors
    ///
    /// [`FetchError`] when the piece cannot be had or not be understood; nothing of it may be used.
    fn fetch<'a>(&'a self, piece: &'a Piece, known: &'a Validators) -> Fetching<'a>;

    /// The state of its circuit breaker; `None` for files.
    fn breaker(&self) -> Option<BreakerState>;
}
