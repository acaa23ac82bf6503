//! Every row's contribution of each feature as a dot, coloured by the feature's value.

use std::borrow::Cow;

use super::axis::{Axis, range};
use super::colouring::{in_turns, value_steps};
use super::drawing::{Dot, Drawing};
use super::number::Unit;
use super::sheet::{Canvas, Heading, RowLabels, Sheet};
use super::svg::Ink;
use super::swarm::offsets;
use super::text::Font;
use super::theme::SCALE_STEPS;
use super::waterfall::{bundled_from, how_not_why, others};
use super::{PlotError, check_length};

/// One feature over all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct BeeswarmFeature {
    /// In words.
    pub label: String,
    /// What it adds to the forecast of each row, in units of the forecast.
    pub effects: Vec<f64>,
    /// Its value in each row, in any unit; NaN where it is missing.
    pub values: Vec<f64>,
}

/// The features by mean absolute effect, the rest bundled last without colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Beeswarm {
    /// Above it.
    pub heading: Heading,
    /// Of the effects.
    pub unit: Unit,
    /// What the axis shows; may be empty.
    pub axis_label: String,
    /// In any order.
    pub features: Vec<BeeswarmFeature>,
    /// Features with a row of their own; the others share one.
    pub shown_max: usize,
}

/// Px.
const RADIUS: f64 = 2.5;

struct Row<'a> {
    label: String,
    effects: Cow<'a, [f64]>,
    values: Option<&'a [f64]>,
    mean_size: f64,
}

impl Beeswarm {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without a feature or a row, [`PlotError::LengthDiffers`],
    /// [`PlotError::NotFinite`] for an effect that is none, [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        let rows = self.rows(canvas)?;
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let language = canvas.language;
        let largest = rows.iter().map(|row| row.mean_size).fold(0.0, f64::max);
        let decimals = self.unit.decimals(largest);
        let means: Vec<String> =
            rows.iter().map(|row| self.unit.write(row.mean_size, decimals, language)).collect();
        for (row, mean) in rows.iter().zip(&means) {
            sheet.describe(format!("{}: {mean}.", row.label));
        }

        sheet.colour_legend(
            language.pick("Özelliğin değeri", "Feature value"),
            language.pick("düşük", "low"),
            language.pick("yüksek", "high"),
        );
        let mean_head = language.pick("ort. |etki|", "mean |effect|");
        let mean_width = means
            .iter()
            .map(|mean| Font::SMALL.width(mean))
            .fold(Font::SMALL.width(mean_head), f64::max);
        let room = sheet.right() - sheet.left();
        let labels = rows.iter().map(|row| row.label.clone()).collect();
        let labels = RowLabels::fit(labels, Font::LABEL, room * 0.34);
        let missing = self.features.iter().any(|f| f.values.iter().any(|value| value.is_nan()));
        let note = how_not_why(language);
        let grey = language.pick(
            "Gri: değer yok ya da birden çok özelliğin toplamı.",
            "Grey: no value, or several features together.",
        );
        let has_grey = missing || rows.iter().any(|row| row.values.is_none());
        let mut below = Sheet::value_axis_height(&self.axis_label) + 26.0 + sheet.note_height(note);
        if has_grey {
            below += sheet.note_height(grey);
        }
        let height = labels.row_height(sheet.room(below));
        let labels_right = sheet.left() + labels.width;
        let ends = [labels_right + 10.0 + RADIUS, sheet.right() - mean_width - 10.0 - RADIUS];
        let effects = rows.iter().flat_map(|row| row.effects.iter().copied()).chain([0.0]);
        let (low, high) = range(effects).unwrap_or((0.0, 0.0));
        let axis = Axis::linear(self.unit, [low, high], ends);

        let ink = Ink::end(sheet.tokens.muted);
        let head_at = [sheet.right(), sheet.top + 8.0];
        sheet.marks.text(head_at, mean_head, Font::SMALL, ink);
        let top = sheet.top + 18.0;
        let bottom = top + height * rows.len() as f64;
        sheet.value_axis(&axis, [top, bottom], &self.axis_label);
        sheet.dots.radius = RADIUS;
        sheet.dots.colours = sheet.tokens.scale_colours();
        for (i, (row, mean)) in rows.iter().zip(&means).enumerate() {
            let y = top + (i as f64 + 0.5) * height;
            labels.draw(&mut sheet, i, [labels_right, y]);
            sheet.marks.text([sheet.right(), y], mean, Font::SMALL, ink);
            row.push_dots(&axis, y, height * 0.86, &mut sheet.dots.dots);
        }
        sheet.top += 8.0;
        if has_grey {
            sheet.note(grey);
        }
        sheet.note(note);
        Ok(sheet.finish())
    }

    fn rows(&self, canvas: &Canvas) -> Result<Vec<Row<'_>>, PlotError> {
        let rows_count = self.features.first().map_or(0, |feature| feature.effects.len());
        if rows_count == 0 {
            return Err(PlotError::Empty { what: "a beeswarm" });
        }
        let mut rows = Vec::with_capacity(self.features.len());
        for feature in &self.features {
            check_length(&feature.label, rows_count, feature.effects.len())?;
            check_length(&feature.label, rows_count, feature.values.len())?;
            if let Some(&value) = feature.effects.iter().find(|effect| !effect.is_finite()) {
                return Err(PlotError::NotFinite { what: feature.label.clone(), value });
            }
            rows.push(Row {
                label: feature.label.clone(),
                mean_size: mean_size(&feature.effects),
                effects: feature.effects.as_slice().into(),
                values: Some(&feature.values),
            });
        }
        rows.sort_by(|a, b| b.mean_size.total_cmp(&a.mean_size));
        let rest = rows.split_off(bundled_from(rows.len(), self.shown_max));
        if !rest.is_empty() {
            let mut sums = vec![0.0; rows_count];
            for row in &rest {
                sums.iter_mut().zip(row.effects.iter()).for_each(|(sum, effect)| *sum += effect);
            }
            rows.push(Row {
                label: others(rest.len(), canvas.language),
                mean_size: mean_size(&sums),
                effects: sums.into(),
                values: None,
            });
        }
        Ok(rows)
    }
}

impl Row<'_> {
    fn push_dots(&self, axis: &Axis, y: f64, height: f64, dots: &mut Vec<Dot>) {
        let xs: Vec<f64> = self.effects.iter().map(|&effect| axis.at(effect)).collect();
        let offsets = offsets(&xs, RADIUS * 2.0, height);
        let steps = match self.values {
            Some(values) => value_steps(values),
            None => vec![SCALE_STEPS; xs.len()],
        };
        let dot = |i: usize| Dot { x: xs[i], y: y + offsets[i], colour: steps[i] };
        dots.extend(in_turns(&steps).map(dot));
    }
}

fn mean_size(effects: &[f64]) -> f64 {
    effects.iter().map(|effect| effect.abs()).sum::<f64>() / effects.len() as f64
}
