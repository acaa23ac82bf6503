//! What pushes a forecast up against what pushes it down, in one bar.

use super::Language;
use super::axis::Axis;
use super::drawing::Drawing;
use super::number::Unit;
use super::sheet::{Canvas, Heading, Sheet};
use super::svg::{Anchor, Ink};
use super::text::{Font, Wrapped, wrap};
use super::waterfall::{Contribution, decimals_of, how_not_why, largest_first};
use super::{PlotError, check_sum};

/// A forecast between what pushes it up, at its left, and what pushes it down, at its right; the
/// largest next to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Force {
    /// Above it.
    pub heading: Heading,
    /// Of all its numbers.
    pub unit: Unit,
    /// The forecast for a row of which nothing is known.
    pub base: f64,
    /// One a feature, in any order.
    pub contributions: Vec<Contribution>,
    /// The base and all contributions together.
    pub forecast: f64,
    /// Contributions with a segment of their own; the others share one.
    pub shown_max: usize,
}

const BAR_HEIGHT: f64 = 34.0;

/// How far the points of the segments stand out, px.
const POINT: f64 = 6.0;

/// Least room for the two lists to stand beside each other, px.
const LISTS_BESIDE: f64 = 560.0;

/// A line of the list below the bar.
struct Entry {
    number: usize,
    contribution: Contribution,
    label: Wrapped,
}

impl Force {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::SumDiffers`] when base and contributions are not the forecast to 1e-6,
    /// [`PlotError::NotFinite`], [`PlotError::Empty`] without an effect, [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        check_sum(self.base, &self.contributions, self.forecast)?;
        let language = canvas.language;
        let shown = largest_first(&self.contributions, self.shown_max, language);
        let numbered = shown.into_iter().filter(|c| c.effect.abs() > 0.0).zip(1..);
        let (ups, downs): (Vec<_>, Vec<_>) = numbered.partition(|(c, _)| c.effect > 0.0);
        let sum = |side: &[(Contribution, usize)]| side.iter().map(|(c, _)| c.effect).sum::<f64>();
        let ends = [self.forecast - sum(&ups), self.forecast - sum(&downs)];
        if ups.is_empty() && downs.is_empty() {
            return Err(PlotError::Empty { what: "a force plot" });
        }

        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let effects = ups.iter().chain(&downs).map(|(c, _)| c.effect);
        let decimals = decimals_of(self.unit, effects);
        let written = |value: f64| self.unit.write(value, decimals, language);
        let (base, forecast) = (written(self.base), written(self.forecast));
        let base = format!("{} {base}", language.pick("Taban", "Base"));
        let forecast = format!("{} {forecast}", language.pick("Tahmin", "Forecast"));
        sheet.describe(format!("{base}. {forecast}."));

        let axis = Axis::linear(self.unit, ends, [sheet.left() + POINT, sheet.right() - POINT]);
        let bar_top = sheet.top + 26.0;
        let at = axis.at(self.forecast);
        sheet.line_within(
            [at, sheet.top + 8.0],
            &forecast,
            Font::STRONG,
            Ink::middle(sheet.tokens.text),
        );
        segments(&mut sheet, &axis, self.forecast, bar_top, &ups);
        segments(&mut sheet, &axis, self.forecast, bar_top, &downs);
        let ink = sheet.tokens.text;
        sheet.marks.rect([at - 1.5, bar_top - 8.0, 3.0, BAR_HEIGHT + 14.0], 1.5, ink);
        let bar_bottom = bar_top + BAR_HEIGHT;
        let base_at = axis.at(self.base);
        sheet.marks.dashed_line([base_at, bar_top - 4.0], [base_at, bar_bottom + 10.0], ink);
        sheet.line_within(
            [base_at, bar_bottom + 20.0],
            &base,
            Font::LABEL,
            Ink::middle(sheet.tokens.muted),
        );

        sheet.top = bar_bottom + 40.0;
        let heads = [
            language.pick("Yukarı itenler", "Pushing up"),
            language.pick("Aşağı itenler", "Pushing down"),
        ];
        let (left, right) = (sheet.left(), sheet.right());
        let beside = right - left >= LISTS_BESIDE;
        let middle = f64::midpoint(left, right);
        let columns = if beside {
            [[left, middle - 12.0], [middle + 12.0, right]]
        } else {
            [[left, right]; 2]
        };
        let top = sheet.top;
        let mut bottom = top;
        for ((side, column), head) in [ups, downs].into_iter().zip(columns).zip(heads) {
            sheet.top = if beside { top } else { bottom };
            let filled = self.list(&mut sheet, side, column, head, (decimals, language));
            bottom = bottom.max(filled + 8.0);
        }
        sheet.top = bottom;
        sheet.note(how_not_why(language));
        Ok(sheet.finish())
    }

    /// The names of one side with their effects, down to the height that is returned.
    fn list(
        &self,
        sheet: &mut Sheet,
        side: Vec<(Contribution, usize)>,
        [left, right]: [f64; 2],
        head: &str,
        (decimals, language): (usize, Language),
    ) -> f64 {
        const NUMBER_WIDTH: f64 = 24.0;
        let texts: Vec<String> = side
            .iter()
            .map(|(c, _)| self.unit.write_signed(c.effect, decimals, language))
            .collect();
        let text_width = texts.iter().map(|t| Font::STRONG.width(t)).fold(0.0, f64::max);
        let mut y = sheet.top;
        let head_at = [left, y + Font::STRONG.line_height() / 2.0];
        sheet.marks.text(head_at, head, Font::STRONG, Ink::start(sheet.tokens.muted));
        y += Font::STRONG.line_height() + 6.0;
        for ((contribution, number), text) in side.into_iter().zip(&texts) {
            let room = right - left - NUMBER_WIDTH - text_width - 10.0;
            let label = wrap(&contribution.label, Font::LABEL, room, 3);
            let entry = Entry { number, contribution, label };
            sheet.describe(format!("{}: {text}.", entry.contribution.label));
            y = entry.draw(sheet, [left, right], y, text);
        }
        y
    }
}

impl Entry {
    fn draw(&self, sheet: &mut Sheet, [left, right]: [f64; 2], top: f64, text: &str) -> f64 {
        let height = (self.label.lines.len() as f64 * Font::LABEL.line_height()).max(18.0) + 6.0;
        let y = top + height / 2.0;
        let fill = sheet.tokens.of_sign(self.contribution.effect);
        sheet.marks.rect([left, y - 9.0, 18.0, 18.0], 4.0, fill);
        let on_fill = Ink::middle(sheet.tokens.on_fill);
        sheet.marks.text([left + 9.0, y], &self.number.to_string(), Font::SMALL, on_fill);
        let ink = Ink::start(sheet.tokens.text);
        sheet.label([left + 24.0, y], &self.contribution.label, &self.label, Font::LABEL, ink);
        sheet.marks.text([right, y], text, Font::STRONG, Ink { fill, anchor: Anchor::End });
        top + height
    }
}

/// The segments of one side, the first next to the forecast, each pointing to where it pushes.
fn segments(
    sheet: &mut Sheet,
    axis: &Axis,
    forecast: f64,
    top: f64,
    side: &[(Contribution, usize)],
) {
    let mut near = forecast;
    for (contribution, number) in side {
        let far = near - contribution.effect;
        let (tip, tail) = (axis.at(near), axis.at(far));
        // Points stand out against the direction in which the segments were stacked.
        let point = if tip > tail { POINT } else { -POINT };
        let (tip, tail) = (tip - point, tail - point);
        let (middle, bottom) = (top + BAR_HEIGHT / 2.0, top + BAR_HEIGHT);
        let corners = [
            [tail, top],
            [tip, top],
            [tip + point, middle],
            [tip, bottom],
            [tail, bottom],
            [tail + point, middle],
        ];
        let fill = sheet.tokens.of_sign(contribution.effect);
        sheet.marks.titled(&contribution.label, |svg| svg.polygon(&corners, fill));
        sheet.marks.polyline(
            &[[tail, top], [tail + point, middle], [tail, bottom]],
            1.5,
            sheet.tokens.surface,
            1.0,
        );
        let label = number.to_string();
        if (tip - tail).abs() > Font::SMALL.width(&label) + 10.0 {
            let at = [f64::midpoint(tip, tail) + point, middle];
            sheet.marks.text(at, &label, Font::SMALL, Ink::middle(sheet.tokens.on_fill));
        }
        near = far;
    }
}
