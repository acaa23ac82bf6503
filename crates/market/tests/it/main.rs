//! The crate through its public face.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop with a trace")]
#![expect(clippy::print_stdout, reason = "what a test measured is worth reading")]

mod adjust;
mod calendar;
mod decisions;
mod drift;
mod exchange_rules;
mod injected;
mod intraday;
mod made_up;
mod properties;
mod real_prices;
mod reconcile;
mod renames;
mod sample;
mod shared;
mod universe;
mod validate;
