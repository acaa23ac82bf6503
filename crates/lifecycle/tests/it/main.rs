//! The crate through its public face.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod combinatorial;
mod drift;
mod evaluations;
mod experiments;
mod folds;
mod given_trees;
mod golden;
mod hourly;
mod importances;
mod live;
mod model_cards;
mod panels;
mod pruners;
mod rounds;
mod samplers;
mod signal_record;
mod studies;
mod trainings;
mod tuning;
mod versions;
