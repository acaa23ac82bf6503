//! The central bank's data service (EVDS): exchange rates and interest rates.

mod table;

pub use table::parse_evds;
