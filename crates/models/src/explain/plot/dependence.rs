//! A feature's value against what it adds to the forecast.

use super::axis::Scale;
use super::colouring::{in_turns, value_steps};
use super::drawing::{Dot, Drawing};
use super::number::Unit;
use super::plane::{Plane, Quantity};
use super::sheet::{Canvas, Heading, Sheet};
use super::svg::Ink;
use super::swarm::offsets;
use super::text::Font;
use super::waterfall::how_not_why;
use super::{PlotError, check_length};

/// A second feature, which colours the dots.
#[derive(Clone, Debug, PartialEq)]
pub struct ColouredBy {
    /// In words.
    pub label: String,
    /// One a row, in any unit; NaN where it is missing.
    pub values: Vec<f64>,
}

/// One dot a row: value against effect, coloured by another feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    /// Above it.
    pub heading: Heading,
    /// The feature, in words.
    pub value_label: String,
    /// Of its values.
    pub value_unit: Unit,
    /// One a row; NaN where it is missing, which has a place of its own.
    pub values: Vec<f64>,
    /// What the effects are, in words.
    pub effect_label: String,
    /// Of the effects.
    pub effect_unit: Unit,
    /// What the feature adds to the forecast of each row.
    pub effects: Vec<f64>,
    /// The feature that it may interact with.
    pub coloured_by: Option<ColouredBy>,
}

/// Px.
const RADIUS: f64 = 2.8;

/// Room for rows without a value, px.
const MISSING_WIDTH: f64 = 44.0;

impl Dependence {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without rows, [`PlotError::LengthDiffers`], [`PlotError::NotFinite`] for
    /// an effect or an infinite value, [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        let rows_count = self.values.len();
        if rows_count == 0 {
            return Err(PlotError::Empty { what: "a dependence plot" });
        }
        check_length(&self.effect_label, rows_count, self.effects.len())?;
        if let Some(second) = &self.coloured_by {
            check_length(&second.label, rows_count, second.values.len())?;
        }
        let known: Vec<f64> = self.values.iter().copied().filter(|v| !v.is_nan()).collect();
        let missing: Vec<usize> = (0..rows_count).filter(|&i| self.values[i].is_nan()).collect();
        let scale = Scale::Linear;
        let x = Quantity {
            label: &self.value_label,
            unit: self.value_unit,
            scale: &scale,
            values: &known,
        };
        let y = Quantity {
            label: &self.effect_label,
            unit: self.effect_unit,
            scale: &scale,
            values: &self.effects,
        };
        x.check()?;
        y.check()?;

        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let language = canvas.language;
        sheet.describe(format!("{} / {}.", self.value_label, self.effect_label));
        if let Some(second) = &self.coloured_by {
            sheet.describe(second.label.clone());
            let (low, high) = (language.pick("düşük", "low"), language.pick("yüksek", "high"));
            sheet.colour_legend(&second.label, low, high);
        }
        let note = how_not_why(language);
        let height = sheet.room(8.0 + sheet.note_height(note)).max(200.0);
        let aside = if missing.is_empty() { 0.0 } else { MISSING_WIDTH };
        let edges = [sheet.left(), sheet.right()];
        let plane = Plane::draw(&mut sheet, x, y, edges, height, aside);
        let [plane_left, _] = plane.x.ends();
        let [below, above] = plane.y.ends();
        let missing_at = plane_left - MISSING_WIDTH / 2.0;
        if !missing.is_empty() {
            sheet.marks.dashed_line([plane_left, above], [plane_left, below], sheet.tokens.outline);
            let (text, at) = (language.pick("yok", "none"), [missing_at, below + 12.0]);
            sheet.line(at, text, MISSING_WIDTH, Font::SMALL, Ink::middle(sheet.tokens.muted));
        }

        let mut xs: Vec<f64> = self.values.iter().map(|&value| plane.x.at(value)).collect();
        let ys: Vec<f64> = self.effects.iter().map(|&effect| plane.y.at(effect)).collect();
        let heights: Vec<f64> = missing.iter().map(|&i| ys[i]).collect();
        for (&i, offset) in missing.iter().zip(offsets(&heights, RADIUS * 2.0, MISSING_WIDTH - 8.0))
        {
            xs[i] = missing_at + offset;
        }
        sheet.dots.radius = RADIUS;
        sheet.dots.colours = sheet.tokens.scale_colours();
        let steps = match &self.coloured_by {
            Some(second) => value_steps(&second.values),
            None => {
                sheet.dots.colours = vec![sheet.tokens.accent];
                vec![0; rows_count]
            }
        };
        let dot = |i: usize| Dot { x: xs[i], y: ys[i], colour: steps[i] };
        sheet.dots.dots = in_turns(&steps).map(dot).collect();
        sheet.top += height + 8.0;
        sheet.note(note);
        Ok(sheet.finish())
    }
}
