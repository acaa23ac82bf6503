//! How strongly each two features act together, as a map of colours.

use super::drawing::Drawing;
use super::number::Unit;
use super::sheet::{Canvas, Heading, RowLabels, Sheet};
use super::svg::Ink;
use super::text::Font;
use super::theme::Colour;
use super::waterfall::how_not_why;
use super::{PlotError, check_finite, check_length};

/// Mean absolute interaction values of pairs of features; rows carry names, columns their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Interaction {
    /// Above it.
    pub heading: Heading,
    /// Of the strengths.
    pub unit: Unit,
    /// The features, in words.
    pub labels: Vec<String>,
    /// One row a feature and one column a feature, at least zero; the diagonal is not drawn.
    pub strengths: Vec<Vec<f64>>,
}

/// Room for the numbers of the rows, px.
const NUMBER_WIDTH: f64 = 30.0;

const BLACK: Colour = Colour::rgb(0);
const WHITE: Colour = Colour::rgb(0xff_ffff);

impl Interaction {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] below two features, [`PlotError::LengthDiffers`],
    /// [`PlotError::NotFinite`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        self.check()?;
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let count = self.labels.len();
        let pairs = || (0..count).flat_map(move |i| (0..count).map(move |j| (i, j)));
        let largest =
            pairs().filter(|(i, j)| i != j).map(|(i, j)| self.strengths[i][j]).fold(0.0, f64::max);
        let decimals = self.unit.decimals(largest);
        let written = |value: f64| self.unit.write(value, decimals, canvas.language);
        for (i, j) in pairs().filter(|(i, j)| i < j) {
            let strength = written(self.strengths[i][j]);
            sheet.describe(format!("{} / {}: {strength}.", self.labels[i], self.labels[j]));
        }

        let room = sheet.right() - sheet.left();
        let labels = RowLabels::fit(self.labels.clone(), Font::LABEL, room * 0.4);
        let cell_left = sheet.left() + labels.width + NUMBER_WIDTH;
        let cell_width = ((sheet.right() - cell_left) / count as f64).min(110.0);
        let note = how_not_why(canvas.language);
        let below = 44.0 + sheet.note_height(note);
        let cell_height = labels.row_height(sheet.room(below));
        let top = sheet.top + 20.0;
        let muted = Ink::middle(sheet.tokens.muted);
        for i in 0..count {
            let x = cell_left + (i as f64 + 0.5) * cell_width;
            let number = (i + 1).to_string();
            sheet.marks.text([x, top - 10.0], &number, Font::SMALL, muted);
            let y = top + (i as f64 + 0.5) * cell_height;
            labels.draw(&mut sheet, i, [cell_left - NUMBER_WIDTH, y]);
            let at = [cell_left - NUMBER_WIDTH / 2.0, y];
            sheet.marks.text(at, &number, Font::SMALL, muted);
        }
        for (i, j) in pairs() {
            let (x, y) = (cell_left + j as f64 * cell_width, top + i as f64 * cell_height);
            let share = if i == j || largest <= 0.0 { 0.0 } else { self.strengths[i][j] / largest };
            let fill = sheet.tokens.raised.towards(sheet.tokens.accent, share);
            let size = [x + 1.0, y + 1.0, cell_width - 2.0, cell_height - 2.0];
            sheet.marks.rect(size, 3.0, fill);
            let text = written(self.strengths[i][j]);
            if i != j && Font::SMALL.width(&text) < cell_width - 6.0 {
                let at = [x + cell_width / 2.0, y + cell_height / 2.0];
                sheet.marks.text(at, &text, Font::SMALL, Ink::middle(readable_on(fill)));
            }
        }
        sheet.top = top + cell_height * count as f64 + 12.0;
        sheet.note(note);
        Ok(sheet.finish())
    }

    fn check(&self) -> Result<(), PlotError> {
        let count = self.labels.len();
        if count < 2 {
            return Err(PlotError::Empty { what: "a map of interactions" });
        }
        check_length("interactions", count, self.strengths.len())?;
        for (label, row) in self.labels.iter().zip(&self.strengths) {
            check_length(label, count, row.len())?;
            row.iter().try_for_each(|&strength| check_finite(label, strength))?;
        }
        Ok(())
    }
}

/// Black or white, whichever stands out more; one of them always does by 4.58 to one.
fn readable_on(fill: Colour) -> Colour {
    if BLACK.contrast(fill) > WHITE.contrast(fill) { BLACK } else { WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_readable_on_any_colour() {
        for grey in 0..=255 {
            let fill = Colour { red: grey, green: grey, blue: grey };
            assert!(readable_on(fill).contrast(fill) >= 4.5, "{fill}");
        }
    }
}
