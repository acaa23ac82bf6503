//! A local linear model's weights, with how far it may be trusted.

use super::Language;
use super::axis::{Axis, Captioned};
use super::drawing::Drawing;
use super::importance::whisker;
use super::number::Unit;
use super::sheet::{Canvas, Heading, RowLabels, Sheet};
use super::svg::{Anchor, Ink};
use super::text::Font;
use super::waterfall::how_not_why;
use super::{PlotError, check_finite};

/// The weight of one condition.
#[derive(Clone, Debug, PartialEq)]
pub struct LimeWeight {
    /// What holds in the row, in words: a feature within bounds, or its value.
    pub condition: String,
    /// In units of the forecast.
    pub weight: f64,
    /// Standard deviation of the weight over runs with other seeds.
    pub std_dev: f64,
}

/// The strongest weights and the figures that say how well they describe the model.
#[derive(Clone, Debug, PartialEq)]
pub struct LimeBars {
    /// Above it.
    pub heading: Heading,
    /// Of weights and forecasts.
    pub unit: Unit,
    /// What the axis shows; may be empty.
    pub axis_label: String,
    /// In any order.
    pub weights: Vec<LimeWeight>,
    /// The local model's share of the variance, weighted, around the row; one is a perfect fit.
    pub local_r2: f64,
    /// What the local model gives for the row.
    pub local_forecast: f64,
    /// What the model gives.
    pub forecast: f64,
    /// Rows that were drawn around it.
    pub samples: usize,
    /// Runs with seeds of their own, behind the standard deviations.
    pub runs: usize,
    /// Mean share of strongest features that two runs have in common, 0 to 1.
    pub overlap: f64,
}

impl LimeBars {
    /// Draws it, the largest first.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without weights, [`PlotError::NotFinite`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        self.check()?;
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let language = canvas.language;
        let mut weights: Vec<&LimeWeight> = self.weights.iter().collect();
        weights.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
        let largest = weights.first().map_or(0.0, |w| w.weight.abs());
        let decimals = self.unit.decimals(largest);
        let texts: Vec<String> =
            weights.iter().map(|w| self.unit.write_signed(w.weight, decimals, language)).collect();
        for (weight, text) in weights.iter().zip(&texts) {
            sheet.describe(format!("{}: {text}.", weight.condition));
        }

        let notes = self.notes(decimals, language);
        let notes_height: f64 = notes.iter().map(|note| sheet.note_height(note)).sum();
        let below = Sheet::value_axis_height(&self.axis_label) + 8.0 + notes_height;
        let room = sheet.right() - sheet.left();
        let labels = weights.iter().map(|w| w.condition.clone()).collect();
        let labels = RowLabels::fit(labels, Font::LABEL, room * 0.4);
        let height = labels.row_height(sheet.room(below));
        let labels_right = sheet.left() + labels.width;
        let low = weights.iter().map(|w| w.weight - w.std_dev).fold(0.0, f64::min);
        let high = weights.iter().map(|w| w.weight + w.std_dev).fold(0.0, f64::max);
        let captions: Vec<Captioned> =
            weights.iter().zip(&texts).map(|(weight, text)| weight.caption(text)).collect();
        let sides = [labels_right + 12.0, sheet.right()];
        let axis = Axis::captioned(self.unit, [low, high], sides, &captions);

        let top = sheet.top;
        let bottom = top + height * weights.len() as f64;
        sheet.value_axis(&axis, [top, bottom], &self.axis_label);
        for (i, (weight, text)) in weights.iter().zip(&texts).enumerate() {
            let y = top + (i as f64 + 0.5) * height;
            labels.draw(&mut sheet, i, [labels_right, y]);
            weight.draw(&mut sheet, &axis, y, height * 0.6, text);
        }
        sheet.top += 8.0;
        for note in &notes {
            sheet.describe(note.clone());
            sheet.note(note);
        }
        Ok(sheet.finish())
    }

    fn check(&self) -> Result<(), PlotError> {
        if self.weights.is_empty() {
            return Err(PlotError::Empty { what: "a plot of local weights" });
        }
        for weight in &self.weights {
            check_finite(&weight.condition, weight.weight)?;
            check_finite(&weight.condition, weight.std_dev)?;
        }
        check_finite("local fit", self.local_r2)?;
        check_finite("local forecast", self.local_forecast)?;
        check_finite("forecast", self.forecast)?;
        check_finite("overlap", self.overlap)
    }

    fn notes(&self, decimals: usize, language: Language) -> [String; 3] {
        let forecast = self.unit.write(self.forecast, decimals, language);
        let local = self.unit.write(self.local_forecast, decimals, language);
        let r2 = Unit::Plain.write(self.local_r2, 2, language);
        let overlap = Unit::Share.write(self.overlap, 0, language);
        let samples = Unit::Plain.write(self.samples as f64, 0, language);
        let runs = self.runs;
        let (fit, stability) = match language {
            Language::Turkish => (
                format!(
                    "Yerel uyum R² {r2}; model {forecast}, yerel model {local} ({samples} örnek)."
                ),
                format!(
                    "Çizgiler: {runs} tekrarda ±1 standart sapma; en güçlü özelliklerin {overlap} kadarı ortak."
                ),
            ),
            Language::English => (
                format!(
                    "Local fit R² {r2}; model {forecast}, local model {local} ({samples} samples)."
                ),
                format!(
                    "Whiskers: ±1 standard deviation over {runs} runs, which share {overlap} of their strongest features."
                ),
            ),
        };
        [fit, stability, how_not_why(language).to_owned()]
    }
}

impl LimeWeight {
    /// Where the text of its number stands: beyond the whisker.
    fn caption(&self, text: &str) -> Captioned {
        let left = self.weight < 0.0;
        let at = if left { self.weight - self.std_dev } else { self.weight + self.std_dev };
        Captioned { at, width: Font::STRONG.width(text) + 8.0, left }
    }

    fn draw(&self, sheet: &mut Sheet, axis: &Axis, y: f64, thickness: f64, text: &str) {
        let (zero, end) = (axis.at(0.0), axis.at(self.weight));
        let fill = sheet.tokens.of_sign(self.weight);
        let width = (end - zero).abs().max(1.0);
        sheet.marks.rect([zero.min(end), y - thickness / 2.0, width, thickness], 2.0, fill);
        let ends = [self.weight - self.std_dev, self.weight + self.std_dev];
        whisker(sheet, axis, ends, y);
        let (x, anchor) = if self.weight < 0.0 {
            (axis.at(ends[0]) - 6.0, Anchor::End)
        } else {
            (axis.at(ends[1]) + 6.0, Anchor::Start)
        };
        sheet.marks.text([x, y], text, Font::STRONG, Ink { fill, anchor });
    }
}
