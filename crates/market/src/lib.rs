//! Instruments, prices, bars, the trading calendar, exchange rules and validation: the words every
//! other crate speaks.
//!
//! Pure: no clock, no environment, no file, no socket. Time is an argument. The three types to know
//! are [`BarSeries`] (bars as they were received), [`ValidatedBars`] (bars that passed
//! [`validate()`]) and [`ExchangeRules`] (what the exchange allowed on a given day).

pub mod adjust;
pub mod bar;
pub mod breaker;
pub mod calendar;
pub mod clock;
pub mod corporate_action;
pub mod disclosure;
pub mod drift;
pub mod exchange_rules;
pub mod index_membership;
pub mod instrument;
pub mod instrument_day;
pub mod observation;
pub mod price;
pub mod quantity;
pub mod quote;
pub mod reconcile;
pub mod refused_row;
pub mod rename;
pub mod sample;
pub mod session_hours;
pub mod snapshot;
pub mod source;
mod statistics;
pub mod trading_times;
pub mod universe;
pub mod validate;

pub use bar::{Bar, BarSeries, Interval, RawBar};
pub use calendar::{Calendar, DayKind, SessionKind};
pub use clock::{Clock, FixedClock};
pub use corporate_action::{CorporateAction, CorporateActionKind, theoretical_base_of};
pub use disclosure::Disclosure;
pub use exchange_rules::{ExchangeRules, PriceLimits, RulesOfDay};
pub use index_membership::ShareIndex;
pub use instrument::{Instrument, InstrumentClass, Origin, Symbol, SymbolError};
pub use instrument_day::{DatedInstrumentDay, InstrumentDay};
pub use observation::{Observation, SeriesCode};
pub use price::{Price, PriceError};
pub use quantity::{Notional, Shares};
pub use quote::{KnownShare, Quote, QuoteRefusal, StoredClose};
pub use refused_row::{Refusal, RefusedRow};
pub use rename::{Rename, canonical, current_name, former_names, renames};
pub use session_hours::SessionHours;
pub use snapshot::{Snapshot, SnapshotDifference, SymbolSnapshot, bars_hash, snapshot_hash};
pub use source::{PriceBasis, Source};
pub use trading_times::TradingTimes;
pub use universe::{Universe, UniverseError, admit};
pub use validate::{
    DataQuality, Decision, Finding, FindingId, FindingKind, QualityBand, Received, Remark,
    Severity, ValidatedBars, ValidationPolicy, Verdict, validate, validate_with,
};
