//! The crate through its public face.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod artifact;
mod battery;
mod elastic_net;
mod explanations;
mod features;
mod gbdt;
mod gbdt_objectives;
mod hourly;
mod lstm;
mod market_stream;
mod plots;
mod price_baselines;
mod probability;
mod prophet;
mod ridge;
mod targets;
