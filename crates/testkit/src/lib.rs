//! Synthetic bars, tables with a known rule. A dev-dependency only.

pub mod bars;
pub mod table;
