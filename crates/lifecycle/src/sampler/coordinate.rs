//! A parameter as a place on a line, where samplers work.

use crate::search_space::Distribution;

/// The line of one parameter: logarithmic ranges as logarithms, stepped ones widened by half a step
/// on each side, so that each value owns a cell of the same width (categories likewise).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Coordinate {
    /// Where the line begins.
    pub(super) low: f64,
    /// Where it ends.
    pub(super) high: f64,
    is_log: bool,
    /// The lowest and the highest internal value.
    ends: (f64, f64),
    /// The distance between internal values, if not all are values.
    step: Option<f64>,
}

impl Coordinate {
    #[expect(clippy::cast_precision_loss, reason = "whole numbers of parameters are below 2^53")]
    pub(super) fn of(distribution: &Distribution) -> Self {
        match *distribution {
            Distribution::Float { low, high, log, step: None } => {
                let line = |value: f64| if log { value.ln() } else { value };
                let ends = (low, high);
                Self { low: line(low), high: line(high), is_log: log, ends, step: None }
            }
            Distribution::Float { low, high, log, step: Some(step) } => {
                Self::stepped(low, high, step, log)
            }
            Distribution::Int { low, high, log, step } => {
                Self::stepped(low as f64, high as f64, step as f64, log)
            }
            Distribution::Categorical { ref choices } => {
                Self::stepped(0.0, choices.len() as f64 - 1.0, 1.0, false)
            }
        }
    }

    fn stepped(low: f64, high: f64, step: f64, is_log: bool) -> Self {
        // A highest value that was computed may miss the grid by rounding.
        let high = low + ((high - low) / step + 1e-9).floor() * step;
        let line = |value: f64| if is_log { value.ln() } else { value };
        let (from, to) = (line(low - step / 2.0), line(high + step / 2.0));
        Self { low: from, high: to, is_log, ends: (low, high), step: Some(step) }
    }

    /// The place of an internal value.
    pub(super) fn place(&self, internal: f64) -> f64 {
        if self.is_log { internal.ln() } else { internal }
    }

    /// The internal value at a place, of a stepped parameter the one that owns it; places beyond the
    /// ends are those of the ends.
    pub(super) fn internal(&self, place: f64) -> f64 {
        let place = place.clamp(self.low, self.high);
        let value = if self.is_log { place.exp() } else { place };
        let (lowest, highest) = self.ends;
        let on_grid = |step: f64| lowest + ((value - lowest) / step).round() * step;
        self.step.map_or(value, on_grid).clamp(lowest, highest)
    }

    /// Whether only some places have a value.
    pub(super) const fn is_stepped(&self) -> bool {
        self.step.is_some()
    }

    /// Where the cell of a stepped parameter's value begins and ends; `None` without steps.
    pub(super) fn cell(&self, internal: f64) -> Option<(f64, f64)> {
        let step = self.step?;
        Some((self.place(internal - step / 2.0), self.place(internal + step / 2.0)))
    }

    /// The length of the line.
    pub(super) fn width(&self) -> f64 {
        self.high - self.low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(distribution: &Distribution, place: f64, internal: f64) {
        let found = Coordinate::of(distribution).internal(place);
        assert!((found - internal).abs() < 1e-12, "{found} is not {internal}");
    }

    #[test]
    fn each_value_of_a_stepped_range_owns_a_cell() {
        let int = Distribution::Int { low: 1, high: 8, log: false, step: 3 };
        assert_eq!(
            (Coordinate::of(&int).low, Coordinate::of(&int).high),
            (-0.5, 8.5),
            "the values are 1, 4 and 7"
        );
        check(&int, -0.5, 1.0);
        check(&int, 2.4, 1.0);
        check(&int, 2.6, 4.0);
        check(&int, 8.5, 7.0);
        let tenths = Distribution::Float { low: 0.0, high: 0.3, log: false, step: Some(0.1) };
        check(&tenths, 0.34, 0.3);
    }

    #[test]
    fn logarithmic_values_stay_within_their_range() {
        let float = Distribution::log_float(1e-5, 0.1);
        let line = Coordinate::of(&float);
        for share in [0.0, 0.3, 1.0] {
            let internal = line.internal(line.low + share * line.width());
            assert!(float.contains(internal), "{internal}");
        }
        let int = Distribution::log_int(1, 1_000);
        let line = Coordinate::of(&int);
        assert!((line.low - 0.5_f64.ln()).abs() < 1e-12);
        for share in [0.0, 0.3, 1.0] {
            assert!(int.contains(line.internal(line.low + share * line.width())));
        }
    }
}
