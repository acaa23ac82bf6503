//! Use cases on a real store, with a clock and sources that the test steps.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod alerts;
mod answers;
mod artifacts;
mod audit;
mod errors;
mod exchange;
mod experiments;
mod live_quotes;
mod mail_server;
mod market;
mod model_file;
mod nightly;
mod paper;
mod reproduction;
mod retraining;
mod scoring;
mod secrets;
mod shared_live;
mod streaming;
mod traces;
mod tuning;
