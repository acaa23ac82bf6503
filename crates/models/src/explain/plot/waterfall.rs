//! From the base to the forecast, one step a feature.

use super::Language;
use super::axis::{Axis, Captioned, range};
use super::drawing::Drawing;
use super::number::Unit;
use super::sheet::{Canvas, Heading, RowLabels, Sheet};
use super::svg::{Anchor, Ink};
use super::text::Font;
use super::{PlotError, check_sum};

/// What a feature adds to a forecast.
#[derive(Clone, Debug, PartialEq)]
pub struct Contribution {
    /// The feature and its value, in words.
    pub label: String,
    /// In units of the forecast.
    pub effect: f64,
}

/// A forecast as a walk from the base through its contributions, by size, the rest bundled last.
#[derive(Clone, Debug, PartialEq)]
pub struct Waterfall {
    /// Above it.
    pub heading: Heading,
    /// Of all its numbers.
    pub unit: Unit,
    /// What the axis shows; may be empty.
    pub axis_label: String,
    /// The forecast for a row of which nothing is known.
    pub base: f64,
    /// One a feature, in any order.
    pub contributions: Vec<Contribution>,
    /// The base and all contributions together.
    pub forecast: f64,
    /// Contributions with a row of their own; the others share one.
    pub shown_max: usize,
}

/// One row: a bar, or a level without one.
struct Row {
    label: String,
    from: f64,
    to: f64,
    step: bool,
}

impl Waterfall {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::SumDiffers`] when base and contributions are not the forecast to 1e-6,
    /// [`PlotError::NotFinite`], [`PlotError::Empty`] without contributions, [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        check_sum(self.base, &self.contributions, self.forecast)?;
        if self.contributions.is_empty() {
            return Err(PlotError::Empty { what: "a waterfall" });
        }
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let language = canvas.language;
        let rows = self.rows(language);
        let steps = rows.iter().filter(|row| row.step).map(|row| row.to - row.from);
        let decimals = decimals_of(self.unit, steps);
        let texts: Vec<String> = rows
            .iter()
            .map(|row| {
                if row.step {
                    self.unit.write_signed(row.to - row.from, decimals, language)
                } else {
                    self.unit.write(row.to, decimals, language)
                }
            })
            .collect();
        for (row, text) in rows.iter().zip(&texts) {
            sheet.describe(format!("{}: {text}.", row.label));
        }

        let note = how_not_why(language);
        let below = Sheet::value_axis_height(&self.axis_label) + 8.0 + sheet.note_height(note);
        let room = sheet.right() - sheet.left();
        let labels = rows.iter().map(|row| row.label.clone()).collect();
        let labels = RowLabels::fit(labels, Font::LABEL, room * 0.4);
        let height = labels.row_height(sheet.room(below));
        let labels_right = sheet.left() + labels.width;
        let levels = rows.iter().flat_map(|row| [row.from, row.to]);
        let (low, high) = range(levels).unwrap_or((self.base, self.base));
        let captions: Vec<Captioned> =
            rows.iter().zip(&texts).map(|(row, text)| row.caption(text)).collect();
        let sides = [labels_right + 12.0, sheet.right()];
        let axis = Axis::captioned(self.unit, [low, high], sides, &captions);

        let top = sheet.top;
        let bottom = top + height * rows.len() as f64;
        sheet.value_axis(&axis, [top, bottom], &self.axis_label);
        for (i, (row, text)) in rows.iter().zip(&texts).enumerate() {
            let y = top + (i as f64 + 0.5) * height;
            labels.draw(&mut sheet, i, [labels_right, y]);
            if i + 1 < rows.len() {
                let x = axis.at(row.to);
                let (from, to) = (y + height * 0.3, y + height * 0.7);
                sheet.marks.line([x, from], [x, to], 1.0, sheet.tokens.outline);
            }
            row.draw(&mut sheet, &axis, y, height * 0.6, text);
        }
        sheet.top += 8.0;
        sheet.note(note);
        Ok(sheet.finish())
    }

    fn rows(&self, language: Language) -> Vec<Row> {
        let level =
            |label: &str, at| Row { label: label.to_owned(), from: at, to: at, step: false };
        let mut rows = vec![level(language.pick("Taban", "Base"), self.base)];
        let mut at = self.base;
        for Contribution { label, effect } in
            largest_first(&self.contributions, self.shown_max, language)
        {
            rows.push(Row { label, from: at, to: at + effect, step: true });
            at += effect;
        }
        rows.push(level(language.pick("Tahmin", "Forecast"), self.forecast));
        rows
    }
}

impl Row {
    /// Where the text of its number stands.
    fn caption(&self, text: &str) -> Captioned {
        let left = self.to < self.from;
        let at = if left { self.to } else { self.from.max(self.to) };
        Captioned { at, width: Font::STRONG.width(text) + 9.0, left }
    }

    fn draw(&self, sheet: &mut Sheet, axis: &Axis, y: f64, thickness: f64, text: &str) {
        let (from, to) = (axis.at(self.from), axis.at(self.to));
        if !self.step {
            let (fill, at) = (sheet.tokens.accent, [to - 2.0, y - thickness / 2.0]);
            sheet.marks.rect([at[0], at[1], 4.0, thickness], 2.0, fill);
            let text_at = [to + 8.0, y];
            sheet.marks.text(text_at, text, Font::STRONG, Ink::start(sheet.tokens.text));
            return;
        }
        let fill = sheet.tokens.of_sign(self.to - self.from);
        let (left, right) = (from.min(to), from.max(to).max(from.min(to) + 1.0));
        sheet.marks.rect([left, y - thickness / 2.0, right - left, thickness], 2.0, fill);
        let (x, anchor) =
            if to < from { (left - 6.0, Anchor::End) } else { (right + 6.0, Anchor::Start) };
        sheet.marks.text([x, y], text, Font::STRONG, Ink { fill, anchor });
    }
}

/// Decimals that give the largest effect three significant digits, and one more where the smallest
/// would be written as zero.
pub(super) fn decimals_of(unit: Unit, effects: impl Iterator<Item = f64>) -> usize {
    let sizes = effects.map(f64::abs).filter(|size| *size > 0.0);
    let (smallest, largest) = range(sizes).unwrap_or((0.0, 0.0));
    let decimals = unit.decimals(largest);
    decimals.max(unit.decimals_of_step(smallest).min(decimals + 1))
}

/// The contributions by absolute effect, those behind the first `shown_max` as one.
pub(super) fn largest_first(
    contributions: &[Contribution],
    shown_max: usize,
    language: Language,
) -> Vec<Contribution> {
    let mut sorted: Vec<&Contribution> = contributions.iter().collect();
    // Stable, so that equals keep their order.
    sorted.sort_by(|a, b| b.effect.abs().total_cmp(&a.effect.abs()));
    let (shown, rest) = sorted.split_at(bundled_from(sorted.len(), shown_max));
    let mut largest: Vec<Contribution> = shown.iter().map(|c| (*c).clone()).collect();
    if !rest.is_empty() {
        let effect = rest.iter().map(|c| c.effect).sum();
        largest.push(Contribution { label: others(rest.len(), language), effect });
    }
    largest
}

/// How many of `count` are shown by themselves; a rest of one is shown as well.
pub(super) fn bundled_from(count: usize, shown_max: usize) -> usize {
    let shown = shown_max.max(1);
    if count <= shown + 1 { count } else { shown }
}

/// The name of what is bundled.
pub(super) fn others(count: usize, language: Language) -> String {
    match language {
        Language::Turkish => format!("Diğer {count} özellik"),
        Language::English => format!("{count} other features"),
    }
}

/// What an explanation is not.
pub(super) const fn how_not_why(language: Language) -> &'static str {
    language.pick(
        "Modelin tahmine nasıl ulaştığını gösterir; neden-sonuç ilişkisi değildir.",
        "Shows how the model arrived at its forecast, not what causes the price.",
    )
}
