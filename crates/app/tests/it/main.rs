//! Use cases on a real store, with a clock and sources that the test steps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod exchange;
mod nightly;
mod reproduction;
mod streaming;
mod tuning;
