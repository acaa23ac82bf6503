//! Tuning: finding a better configuration without looking at the days on which it will be judged.
//!
//! The last sessions are the [`HoldOut`], which no trial sees: panels are cut before it begins,
//! outcomes included. What is tuned falls into [`Part`]s, a study each, in which an [`Objective`]
//! judges configurations by forecasts of unseen days of the time before. The best of all parts
//! together is compared with the configuration in force on the hold-out once ([`HoldOutComparison`]),
//! and takes its place only by the rule of that comparison.

mod comparison;
mod deflated;
mod epochs;
mod hold_out;
mod objective;
mod part;
mod space;

pub use comparison::{HoldOutComparison, PromotionVerdict, TunedPart, looks_count};
pub use deflated::{DeflatedScore, expected_maximum_of_noise};
pub use epochs::EPOCHS_ATTR;
pub use hold_out::{HOLD_OUT_SESSIONS_MIN, HoldOut, HoldOutError, HoldOutScore};
pub use objective::{FOLDS_ATTR, Objective, PanelOf, STANDARD_ERROR_ATTR};
pub use part::{Part, UnknownPart};
pub use space::{Knob, SpaceError, knobs, spec_of, values_of};
