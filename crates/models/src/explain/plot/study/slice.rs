//! The objective against each parameter, one small plane a parameter.

use super::super::colouring::in_turns;
use super::super::drawing::{Dot, Drawing};
use super::super::plane::Plane;
use super::super::sheet::{Canvas, Heading, Sheet};
use super::super::swarm::offsets;
use super::super::theme::scale_step;
use super::super::{Scale, check_length};
use super::{Parameter, PlotError};

/// One parameter over the trials that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct SlicedParameter {
    /// What varies.
    pub parameter: Parameter,
    /// Its values.
    pub values: Vec<f64>,
    /// The objective of the same trials.
    pub objectives: Vec<f64>,
    /// The numbers of the same trials, from zero.
    pub numbers: Vec<u32>,
}

/// The objective against each parameter; later trials have the colours of higher values.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Above it.
    pub heading: Heading,
    /// What is optimised.
    pub objective: Parameter,
    /// In the order in which they are drawn.
    pub parameters: Vec<SlicedParameter>,
}

/// Px, about.
const PANEL_WIDTH: f64 = 280.0;

const PANEL_GAP: f64 = 20.0;

/// Of the dots, px.
const RADIUS: f64 = 2.8;

impl Slice {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without a parameter or for one without trials,
    /// [`PlotError::LengthDiffers`], [`PlotError::NotFinite`], [`PlotError::NotPositive`] on a
    /// logarithmic axis, [`PlotError::NoCategory`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        self.check()?;
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let language = canvas.language;
        let number_max =
            self.parameters.iter().flat_map(|p| &p.numbers).copied().max().unwrap_or(0);
        sheet.colour_legend(
            language.pick("Deneme", "Trial"),
            language.pick("ilk", "first"),
            language.pick("son", "last"),
        );
        // All panels show the same range of the objective.
        let all: Vec<f64> = self.parameters.iter().flat_map(|p| &p.objectives).copied().collect();
        let room = sheet.right() - sheet.left();
        let columns = columns_in(room).min(self.parameters.len());
        let rows = self.parameters.len().div_ceil(columns);
        let width = (room - PANEL_GAP * (columns - 1) as f64) / columns as f64;
        let row_room = sheet.room(0.0) / rows as f64;
        let height = (row_room - PANEL_GAP).clamp(190.0, 420.0);
        sheet.dots.radius = RADIUS;
        sheet.dots.colours = sheet.tokens.scale_colours();
        for panels in self.parameters.chunks(columns) {
            for (column, sliced) in panels.iter().enumerate() {
                let left = sheet.left() + column as f64 * (width + PANEL_GAP);
                let x = sliced.parameter.quantity(&sliced.values);
                let y = self.objective.quantity(&all);
                let plane = Plane::draw(&mut sheet, x, y, [left, left + width], height, 0.0);
                sheet.describe(format!("{}: {}.", sliced.parameter.label, sliced.values.len()));
                let step =
                    |number: &u32| scale_step(f64::from(*number) / f64::from(number_max.max(1)));
                let steps: Vec<usize> = sliced.numbers.iter().map(step).collect();
                let places = sliced.places(&plane);
                sheet.dots.dots.extend(in_turns(&steps).map(|i| {
                    let [x, y] = places[i];
                    Dot { x, y, colour: steps[i] }
                }));
            }
            sheet.top += height + PANEL_GAP;
        }
        sheet.top -= PANEL_GAP;
        Ok(sheet.finish())
    }

    fn check(&self) -> Result<(), PlotError> {
        if self.parameters.is_empty() {
            return Err(PlotError::Empty { what: "a slice plot" });
        }
        for sliced in &self.parameters {
            let label = &sliced.parameter.label;
            if sliced.values.is_empty() {
                return Err(PlotError::Empty { what: "a parameter of a slice plot" });
            }
            check_length(label, sliced.values.len(), sliced.objectives.len())?;
            check_length(label, sliced.values.len(), sliced.numbers.len())?;
            sliced.parameter.quantity(&sliced.values).check()?;
            self.objective.quantity(&sliced.objectives).check()?;
        }
        Ok(())
    }
}

impl SlicedParameter {
    /// Where each trial lies; those of one category beside each other.
    fn places(&self, plane: &Plane) -> Vec<[f64; 2]> {
        let pairs = self.values.iter().zip(&self.objectives);
        let mut places: Vec<[f64; 2]> = pairs.map(|(&x, &y)| plane.at(x, y)).collect();
        let Scale::Categories(names) = &self.parameter.scale else { return places };
        let [from, to] = plane.x.ends();
        let room = (to - from) / names.len() as f64 * 0.7;
        for (category, _) in names.iter().enumerate() {
            let held = |i: &usize| (self.values[*i] - category as f64).abs() < 0.5;
            let trials: Vec<usize> = (0..places.len()).filter(held).collect();
            let heights: Vec<f64> = trials.iter().map(|&i| places[i][1]).collect();
            for (i, offset) in trials.into_iter().zip(offsets(&heights, RADIUS * 2.0, room)) {
                places[i][0] += offset;
            }
        }
        places
    }
}

/// Panels beside each other in so many px.
fn columns_in(room: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a canvas is at most 4096 px wide"
    )]
    let columns = ((room + PANEL_GAP) / (PANEL_WIDTH + PANEL_GAP)).round() as usize;
    columns.max(1)
}
