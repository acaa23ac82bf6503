//! The values of a study's trials in their order, and the best so far.

use super::super::drawing::{Dot, Drawing};
use super::super::plane::{Plane, Quantity};
use super::super::sheet::{Canvas, Heading, Mark, Sheet};
use super::super::{Language, Scale, Unit};
use super::{Direction, Parameter, PlotError};

/// What one trial came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrialValue {
    /// Its number in the study, from zero.
    pub number: u32,
    /// Its value; of a pruned trial the last that it reported.
    pub value: f64,
    /// Whether it was stopped early, and so cannot be the best.
    pub pruned: bool,
}

/// The trials as dots and the best so far as a line.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimisationHistory {
    /// Above it.
    pub heading: Heading,
    /// What is optimised.
    pub objective: Parameter,
    /// Which values are better.
    pub direction: Direction,
    /// By number.
    pub trials: Vec<TrialValue>,
}

impl OptimisationHistory {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without trials, [`PlotError::NotFinite`], [`PlotError::NotPositive`] on
    /// a logarithmic axis, [`PlotError::NoCategory`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        if self.trials.is_empty() {
            return Err(PlotError::Empty { what: "a study's history" });
        }
        let language = canvas.language;
        let numbers: Vec<f64> = self.trials.iter().map(|trial| f64::from(trial.number)).collect();
        let values: Vec<f64> = self.trials.iter().map(|trial| trial.value).collect();
        let linear = Scale::Linear;
        let label = language.pick("Deneme", "Trial");
        let x = Quantity { label, unit: Unit::Plain, scale: &linear, values: &numbers };
        let y = self.objective.quantity(&values);
        y.check()?;

        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let tokens = sheet.tokens;
        let named = |mark, turkish, english| (mark, language.pick(turkish, english).to_owned());
        let mut legend = vec![
            named(Mark::Dot(tokens.accent), "biten deneme", "finished trial"),
            named(Mark::Line(tokens.warn), "o ana kadarki en iyi", "best so far"),
        ];
        if self.trials.iter().any(|trial| trial.pruned) {
            legend.push(named(Mark::Dot(tokens.outline), "erken durdurulan", "pruned"));
        }
        sheet.legend(&legend);
        let height = sheet.room(0.0).max(200.0);
        let edges = [sheet.left(), sheet.right()];
        let plane = Plane::draw(&mut sheet, x, y, edges, height, 0.0);

        let mut corners: Vec<[f64; 2]> = Vec::new();
        let mut best: Option<f64> = None;
        for trial in &self.trials {
            let at = f64::from(trial.number);
            if trial.pruned || best.is_some_and(|best| !self.direction.better(trial.value, best)) {
                continue;
            }
            if let Some(before) = best {
                corners.push(plane.at(at, before));
            }
            corners.push(plane.at(at, trial.value));
            best = Some(trial.value);
        }
        if let (Some(best), Some(last)) = (best, numbers.last()) {
            corners.push(plane.at(*last, best));
            sheet.marks.polyline(&corners, 2.0, tokens.warn, 1.0);
            let decimals = self.objective.unit.decimals(best.abs());
            let best = self.objective.unit.write(best, decimals, language);
            let count = self.trials.len();
            sheet.describe(match language {
                Language::Turkish => format!("{count} deneme, en iyi {best}."),
                Language::English => format!("{count} trials, best {best}."),
            });
        }
        sheet.dots.radius = 3.0;
        sheet.dots.colours = vec![tokens.outline, tokens.accent];
        let dot = |trial: &TrialValue| {
            let [x, y] = plane.at(f64::from(trial.number), trial.value);
            Dot { x, y, colour: usize::from(!trial.pruned) }
        };
        sheet.dots.dots = self.trials.iter().map(dot).collect();
        sheet.top += height;
        Ok(sheet.finish())
    }
}
