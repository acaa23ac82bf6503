//! Every trial as a line through its parameters.

use super::super::axis::Axis;
use super::super::check_length;
use super::super::drawing::Drawing;
use super::super::sheet::{Canvas, Heading, Sheet};
use super::super::svg::Ink;
use super::super::text::{Font, wrap};
use super::{Direction, Parameter, PlotError};

/// One trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Parallel {
    /// One a parameter; `None` where the trial has none.
    pub values: Vec<Option<f64>>,
    /// What it came to.
    pub objective: f64,
}

/// The trials as lines through one upright axis a parameter, the objective first; better ones have
/// the colours of higher values and lie above.
#[derive(Clone, Debug, PartialEq)]
pub struct ParallelCoordinates {
    /// Above it.
    pub heading: Heading,
    /// What is optimised.
    pub objective: Parameter,
    /// Which values are better.
    pub direction: Direction,
    /// From left to right.
    pub parameters: Vec<Parameter>,
    /// In any order.
    pub trials: Vec<Parallel>,
}

/// Room for names above the axes, px.
const NAMES_HEIGHT: f64 = 52.0;

/// How far below an axis the place of trials without the parameter is, px.
const UNSET_BELOW: f64 = 26.0;

impl ParallelCoordinates {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without a trial or a parameter, [`PlotError::LengthDiffers`],
    /// [`PlotError::NotFinite`], [`PlotError::NotPositive`] on a logarithmic axis,
    /// [`PlotError::NoCategory`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        let columns = self.columns()?;
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let language = canvas.language;
        sheet.describe(format!("{}: {}.", self.objective.label, self.trials.len()));
        let (low, high) = (language.pick("kötü", "worse"), language.pick("iyi", "better"));
        sheet.colour_legend(&self.objective.label, low, high);
        let unset = columns.iter().flatten().any(Option::is_none);
        let unset_height = if unset { UNSET_BELOW } else { 0.0 };
        let height = sheet.room(0.0).max(240.0);
        let above = sheet.top + NAMES_HEIGHT;
        let below = sheet.top + height - unset_height - 8.0;

        let slot = (sheet.right() - sheet.left()) / columns.len() as f64;
        let parameters: Vec<&Parameter> =
            [&self.objective].into_iter().chain(&self.parameters).collect();
        let axes: Vec<Axis> = parameters
            .iter()
            .zip(&columns)
            .map(|(parameter, column)| {
                let values = column.iter().flatten().copied();
                Axis::over(&parameter.scale, parameter.unit, values, [below, above])
            })
            .collect();
        let left = sheet.left();
        let x_of = |column: usize| left + (column as f64 + 0.5) * slot;

        for (share, trial) in self.worst_first() {
            let colour = sheet.tokens.scale_at(share);
            let corner = |(i, axis): (usize, &Axis)| {
                let y = columns[i][trial].map_or(below + UNSET_BELOW, |value| axis.at(value));
                [x_of(i), y]
            };
            let corners: Vec<[f64; 2]> = axes.iter().enumerate().map(corner).collect();
            sheet.marks.polyline(&corners, 1.3, colour, 0.65);
        }
        for (i, (parameter, axis)) in parameters.iter().zip(&axes).enumerate() {
            let x = x_of(i);
            sheet.marks.line([x, above], [x, below], 1.5, sheet.tokens.outline);
            let name = wrap(&parameter.label, Font::SMALL, slot - 8.0, 3);
            let ink = Ink::middle(sheet.tokens.text);
            sheet.label([x, sheet.top + 20.0], &parameter.label, &name, Font::SMALL, ink);
            for tick in axis.ticks(5, language) {
                let at = axis.at(tick.value);
                label_tick(&mut sheet, [x, at], &tick.label, slot);
            }
            if columns[i].iter().any(Option::is_none) {
                let text = language.pick("yok", "unset");
                label_tick(&mut sheet, [x, below + UNSET_BELOW], text, slot);
            }
        }
        sheet.top += height;
        Ok(sheet.finish())
    }

    /// The objective and each parameter over all trials.
    fn columns(&self) -> Result<Vec<Vec<Option<f64>>>, PlotError> {
        if self.trials.is_empty() || self.parameters.is_empty() {
            return Err(PlotError::Empty { what: "a plot of parallel coordinates" });
        }
        for trial in &self.trials {
            check_length("a trial", self.parameters.len(), trial.values.len())?;
        }
        let objective = self.trials.iter().map(|trial| Some(trial.objective)).collect();
        let mut columns: Vec<Vec<Option<f64>>> = vec![objective];
        for i in 0..self.parameters.len() {
            columns.push(self.trials.iter().map(|trial| trial.values[i]).collect());
        }
        let parameters = [&self.objective].into_iter().chain(&self.parameters);
        for (parameter, column) in parameters.zip(&columns) {
            let values: Vec<f64> = column.iter().flatten().copied().collect();
            parameter.quantity(&values).check()?;
        }
        Ok(columns)
    }

    /// Each trial with its rank as a share, zero for the worst.
    fn worst_first(&self) -> Vec<(f64, usize)> {
        let mut order: Vec<usize> = (0..self.trials.len()).collect();
        order.sort_by(|&a, &b| self.trials[a].objective.total_cmp(&self.trials[b].objective));
        if self.direction == Direction::Minimise {
            order.reverse();
        }
        let last = (order.len() - 1).max(1) as f64;
        order.into_iter().enumerate().map(|(rank, i)| (rank as f64 / last, i)).collect()
    }
}

/// A label at the right of an axis, readable over the lines.
fn label_tick(sheet: &mut Sheet, [x, y]: [f64; 2], label: &str, slot: f64) {
    let name = wrap(label, Font::SMALL, slot * 0.8, 1);
    let width = Font::SMALL.width(&name.lines[0]);
    sheet.marks.line([x - 3.0, y], [x + 3.0, y], 1.5, sheet.tokens.outline);
    sheet.marks.veil([x + 4.0, y - 8.0, width + 4.0, 16.0], sheet.tokens.surface);
    sheet.label([x + 6.0, y], label, &name, Font::SMALL, Ink::start(sheet.tokens.muted));
}
