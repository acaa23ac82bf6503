//! The crate through its public face.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod alerts;
mod intervals;
mod paper;
mod scores;
mod signals;
mod tail_risk;
