//! Plots of explanations and of studies: plain data in, SVG text out.
//!
//! Each plot is a struct of numbers and ready-made labels with a `draw` method, which gives a
//! [`Drawing`] for a [`Canvas`]: its size, theme, palette and language. Labels may be long: they
//! are broken into lines by the widths of the typeface, and elided only with the whole text as
//! their title. The same plot gives the same bytes.
//!
//! An explanation whose parts do not sum to its forecast is refused, not drawn.

mod advances;
mod axis;
mod beeswarm;
mod colouring;
mod dependence;
mod drawing;
mod force;
mod importance;
mod interaction;
mod lime;
mod number;
mod plane;
mod sheet;
mod study;
mod svg;
mod swarm;
mod text;
mod theme;
mod waterfall;

pub use axis::Scale;
pub use beeswarm::{Beeswarm, BeeswarmFeature};
pub use dependence::{ColouredBy, Dependence};
pub use drawing::{Dot, Dots, Drawing};
pub use force::Force;
pub use importance::{Importance, ImportanceBars};
pub use interaction::Interaction;
pub use lime::{LimeBars, LimeWeight};
pub use number::Unit;
pub use sheet::{Canvas, Heading};
pub use study::{
    Direction, OptimisationHistory, Parallel, ParallelCoordinates, Parameter, ParetoFront, Slice,
    SlicedParameter, TrialValue,
};
pub use theme::{Colour, Palette, Theme};
pub use waterfall::{Contribution, Waterfall};

pub use super::words::Language;

/// Why a plot is not drawn.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// The parts of an explanation are not those of its forecast.
    #[error("base {base} and contributions {contributions} sum to {}, not to the forecast {forecast}", base + contributions)]
    SumDiffers {
        /// What the contributions are added to.
        base: f64,
        /// Their sum.
        contributions: f64,
        /// What the base and they should sum to.
        forecast: f64,
    },
    /// A number that must be finite is not.
    #[error("{what}: {value} is not a finite number")]
    NotFinite {
        /// Whose number.
        what: String,
        /// The number.
        value: f64,
    },
    /// A number on a logarithmic axis is not positive.
    #[error("{what}: {value} is not positive, and its axis is logarithmic")]
    NotPositive {
        /// Whose number.
        what: String,
        /// The number.
        value: f64,
    },
    /// A number on an axis of categories is not the index of one.
    #[error("{what}: {value} is none of the {count} categories")]
    NoCategory {
        /// Whose number.
        what: String,
        /// The number.
        value: f64,
        /// How many categories there are.
        count: usize,
    },
    /// There is nothing to draw.
    #[error("{what} has nothing to draw")]
    Empty {
        /// What would be drawn.
        what: &'static str,
    },
    /// Two lists that belong together differ in length.
    #[error("{what} has {actual} numbers where {expected} belong")]
    LengthDiffers {
        /// Whose list.
        what: String,
        /// The length of the other list.
        expected: usize,
        /// Its own.
        actual: usize,
    },
    /// The size is outside of 320..=4096 x 200..=4096 px.
    #[error("{width} x {height} px is not a size for a plot: 320 x 200 to 4096 x 4096 are")]
    Size {
        /// Px.
        width: u32,
        /// Px.
        height: u32,
    },
}

/// How far base and contributions may sum from the forecast, in its units: what the ensemble's
/// explanations promise.
const SUM_TOLERANCE: f64 = 1e-6;

/// Checks that base and contributions are finite and sum to the forecast.
fn check_sum(base: f64, contributions: &[Contribution], forecast: f64) -> Result<(), PlotError> {
    check_finite("base", base)?;
    check_finite("forecast", forecast)?;
    for contribution in contributions {
        check_finite(&contribution.label, contribution.effect)?;
    }
    let sum: f64 = contributions.iter().map(|c| c.effect).sum();
    if (base + sum - forecast).abs() > SUM_TOLERANCE {
        return Err(PlotError::SumDiffers { base, contributions: sum, forecast });
    }
    Ok(())
}

fn check_finite(what: &str, value: f64) -> Result<(), PlotError> {
    if value.is_finite() {
        return Ok(());
    }
    Err(PlotError::NotFinite { what: what.to_owned(), value })
}

fn check_length(what: &str, expected: usize, actual: usize) -> Result<(), PlotError> {
    if expected == actual {
        return Ok(());
    }
    Err(PlotError::LengthDiffers { what: what.to_owned(), expected, actual })
}
