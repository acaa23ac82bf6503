//! The binary as its users meet it, and the tree that it is built from.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod cli;
mod decisions;
mod explain;
mod gate;
mod hourly;
mod kills;
mod models;
mod services;
mod studies;
mod tidy;
mod tune;
