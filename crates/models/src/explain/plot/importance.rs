//! How much each feature or parameter matters, as bars.

use super::Language;
use super::axis::Axis;
use super::drawing::Drawing;
use super::number::Unit;
use super::sheet::{Canvas, Heading, RowLabels, Sheet};
use super::svg::Ink;
use super::text::Font;
use super::waterfall::bundled_from;
use super::{PlotError, check_finite};

/// How much one feature or parameter matters.
#[derive(Clone, Debug, PartialEq)]
pub struct Importance {
    /// In words.
    pub label: String,
    /// At least zero for means of sizes and shares; permutation may find less.
    pub value: f64,
    /// Standard deviation over repetitions, where there are some; drawn as a whisker on both sides.
    pub std_dev: Option<f64>,
}

/// Mean absolute SHAP values, permutation importances or importances of a study's parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportanceBars {
    /// Above it.
    pub heading: Heading,
    /// Of the values.
    pub unit: Unit,
    /// What the axis shows; may be empty.
    pub axis_label: String,
    /// In any order.
    pub bars: Vec<Importance>,
    /// Bars of their own; the others share one, which is their sum.
    pub shown_max: usize,
    /// What a reader should know of how they were found; may be empty.
    pub note: String,
}

impl ImportanceBars {
    /// Draws it, the largest first.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without bars, [`PlotError::NotFinite`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        if self.bars.is_empty() {
            return Err(PlotError::Empty { what: "a plot of importances" });
        }
        for bar in &self.bars {
            check_finite(&bar.label, bar.value)?;
            check_finite(&bar.label, bar.std_dev.unwrap_or(0.0))?;
        }
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let bars = self.largest_first(canvas);
        let largest = bars.iter().map(|bar| bar.value.abs()).fold(0.0, f64::max);
        let decimals = self.unit.decimals(largest);
        let texts: Vec<String> =
            bars.iter().map(|bar| self.unit.write(bar.value, decimals, canvas.language)).collect();
        for (bar, text) in bars.iter().zip(&texts) {
            sheet.describe(format!("{}: {text}.", bar.label));
        }

        let mut below = Sheet::value_axis_height(&self.axis_label) + 8.0;
        if !self.note.is_empty() {
            below += sheet.note_height(&self.note);
        }
        let room = sheet.right() - sheet.left();
        let labels = bars.iter().map(|bar| bar.label.clone()).collect();
        let labels = RowLabels::fit(labels, Font::LABEL, room * 0.4);
        let height = labels.row_height(sheet.room(below));
        let labels_right = sheet.left() + labels.width;
        let text_width = texts.iter().map(|t| Font::STRONG.width(t)).fold(0.0, f64::max);
        let ends = [labels_right + 10.0, sheet.right() - text_width - 8.0];
        let low = bars.iter().map(Importance::low).fold(0.0, f64::min);
        let high = bars.iter().map(Importance::high).fold(0.0, f64::max);
        let axis = Axis::linear(self.unit, [low, high], ends);

        let top = sheet.top;
        let bottom = top + height * bars.len() as f64;
        sheet.value_axis(&axis, [top, bottom], &self.axis_label);
        for (i, (bar, text)) in bars.iter().zip(&texts).enumerate() {
            let y = top + (i as f64 + 0.5) * height;
            labels.draw(&mut sheet, i, [labels_right, y]);
            bar.draw(&mut sheet, &axis, y, height * 0.6, text);
        }
        sheet.top += 8.0;
        if !self.note.is_empty() {
            sheet.note(&self.note);
        }
        Ok(sheet.finish())
    }

    fn largest_first(&self, canvas: &Canvas) -> Vec<Importance> {
        let mut bars = self.bars.clone();
        bars.sort_by(|a, b| b.value.total_cmp(&a.value));
        let rest = bars.split_off(bundled_from(bars.len(), self.shown_max));
        if !rest.is_empty() {
            bars.push(Importance {
                label: match canvas.language {
                    Language::Turkish => format!("Diğer {}", rest.len()),
                    Language::English => format!("{} others", rest.len()),
                },
                value: rest.iter().map(|bar| bar.value).sum(),
                std_dev: None,
            });
        }
        bars
    }
}

impl Importance {
    fn low(&self) -> f64 {
        self.value - self.std_dev.unwrap_or(0.0)
    }

    fn high(&self) -> f64 {
        self.value + self.std_dev.unwrap_or(0.0)
    }

    fn draw(&self, sheet: &mut Sheet, axis: &Axis, y: f64, thickness: f64, text: &str) {
        let (zero, end) = (axis.at(0.0), axis.at(self.value));
        let fill = if self.value < 0.0 { sheet.tokens.down } else { sheet.tokens.accent };
        let width = (end - zero).abs().max(1.0);
        sheet.marks.rect([zero.min(end), y - thickness / 2.0, width, thickness], 2.0, fill);
        if self.std_dev.is_some() {
            whisker(sheet, axis, [self.low(), self.high()], y);
        }
        let x = axis.at(self.high()).max(zero) + 8.0;
        sheet.marks.text([x, y], text, Font::STRONG, Ink::start(sheet.tokens.text));
    }
}

/// A level line with ends that stand upright.
pub(super) fn whisker(sheet: &mut Sheet, axis: &Axis, ends: [f64; 2], y: f64) {
    let stroke = sheet.tokens.text;
    let [left, right] = ends.map(|end| axis.at(end));
    sheet.marks.line([left, y], [right, y], 1.5, stroke);
    for x in [left, right] {
        sheet.marks.line([x, y - 4.0], [x, y + 4.0], 1.5, stroke);
    }
}
