//! What all plots share: the heading, labels in rows, the axis of values, notes below.

use super::Language;
use super::PlotError;
use super::axis::Axis;
use super::drawing::{Dots, Drawing, Words};
use super::svg::{Anchor, Ink, Svg};
use super::text::{Font, Wrapped, wrap};
use super::theme::{Colour, Palette, SCALE_STEPS, Theme, Tokens};

/// Where and for whom a plot is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canvas {
    /// Px, 320 to 4096.
    pub width: u32,
    /// Px, 200 to 4096. A plot of rows takes what its rows need and comes near to it.
    pub height: u32,
    /// The ground.
    pub theme: Theme,
    /// How up and down differ in colour.
    pub palette: Palette,
    /// Of the words and numbers.
    pub language: Language,
}

/// What stands above a plot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heading {
    /// What is shown.
    pub title: String,
    /// Of what, from when; may be empty.
    pub subtitle: String,
}

/// What a legend explains.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Dot(Colour),
    Line(Colour),
}

/// Room at each edge, px.
const PADDING: f64 = 16.0;

/// Lines of a label in a row, at most.
const LABEL_LINES: usize = 4;

/// Height of the row of tick labels below an axis, px.
const TICKS_HEIGHT: f64 = 22.0;

/// A plot in the making.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) canvas: Canvas,
    pub(super) tokens: Tokens,
    pub(super) marks: Svg,
    pub(super) dots: Dots,
    title: String,
    description: Vec<String>,
    /// Down to where it is filled, px.
    pub(super) top: f64,
}

impl Sheet {
    /// An empty one with its heading.
    pub(super) fn begin(canvas: &Canvas, heading: &Heading) -> Result<Self, PlotError> {
        let (width, height) = (canvas.width, canvas.height);
        if !(320..=4096).contains(&width) || !(200..=4096).contains(&height) {
            return Err(PlotError::Size { width, height });
        }
        let mut sheet = Self {
            canvas: *canvas,
            tokens: Tokens::of(canvas.theme, canvas.palette),
            marks: Svg::default(),
            dots: Dots::default(),
            title: heading.title.clone(),
            description: Vec::new(),
            top: PADDING,
        };
        sheet.paragraph(&heading.title, Font::TITLE, Ink::start(sheet.tokens.text), 2);
        if !heading.subtitle.is_empty() {
            sheet.top += 2.0;
            sheet.paragraph(&heading.subtitle, Font::LABEL, Ink::start(sheet.tokens.muted), 2);
            sheet.describe(heading.subtitle.clone());
        }
        sheet.top += 12.0;
        Ok(sheet)
    }

    pub(super) const fn left(&self) -> f64 {
        PADDING
    }

    pub(super) fn right(&self) -> f64 {
        f64::from(self.canvas.width) - PADDING
    }

    /// What is left of the height that was aimed at, without `below` px, px.
    pub(super) fn room(&self, below: f64) -> f64 {
        f64::from(self.canvas.height) - self.top - below - PADDING
    }

    /// Adds a sentence for readers who do not see the plot.
    pub(super) fn describe(&mut self, sentence: String) {
        self.description.push(sentence);
    }

    /// Text over the whole width, which fills the sheet by its height.
    fn paragraph(&mut self, text: &str, font: Font, ink: Ink, lines_max: usize) {
        let wrapped = wrap(text, font, self.right() - self.left(), lines_max);
        let height = wrapped.lines.len() as f64 * font.line_height();
        let middle = self.top + height / 2.0;
        self.label([self.left(), middle], text, &wrapped, font, ink);
        self.top += height;
    }

    /// A remark below the plot.
    pub(super) fn note(&mut self, text: &str) {
        self.paragraph(text, Font::SMALL, Ink::start(self.tokens.muted), 3);
        self.top += 2.0;
    }

    /// Height of what [`Self::note`] will draw, px.
    pub(super) fn note_height(&self, text: &str) -> f64 {
        let lines = wrap(text, Font::SMALL, self.right() - self.left(), 3).lines.len();
        lines as f64 * Font::SMALL.line_height() + 2.0
    }

    /// Lines around the height `y`; where they are elided, the whole text is their title.
    pub(super) fn label(
        &mut self,
        at: [f64; 2],
        text: &str,
        lines: &Wrapped,
        font: Font,
        ink: Ink,
    ) {
        let [x, y] = at;
        let first = y - (lines.lines.len() as f64 - 1.0) / 2.0 * font.line_height();
        let draw = |svg: &mut Svg| {
            for (i, line) in lines.lines.iter().enumerate() {
                svg.text([x, first + i as f64 * font.line_height()], line, font, ink);
            }
        };
        if lines.elided { self.marks.titled(text, draw) } else { draw(&mut self.marks) }
    }

    /// One line of at most `width_max` px.
    pub(super) fn line(&mut self, at: [f64; 2], text: &str, width_max: f64, font: Font, ink: Ink) {
        let wrapped = wrap(text, font, width_max, 1);
        self.label(at, text, &wrapped, font, ink);
    }

    /// One line beside `x`, moved so far that it stays between the edges of the sheet.
    pub(super) fn line_within(&mut self, [x, y]: [f64; 2], text: &str, font: Font, ink: Ink) {
        let width = font.width(text);
        let offset = match ink.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => width / 2.0,
            Anchor::End => width,
        };
        let left = (x - offset).min(self.right() - width).max(self.left());
        self.line([left, y], text, self.right() - left, font, Ink::start(ink.fill));
    }

    /// Upright lines at the ticks of a horizontal axis between two heights, a stronger one at zero,
    /// labels below, and the caption below those.
    pub(super) fn value_axis(&mut self, axis: &Axis, [above, below]: [f64; 2], caption: &str) {
        for tick in axis.horizontal_ticks(self.canvas.language) {
            let x = axis.at(tick.value);
            let stroke =
                if tick.value.abs() > 0.0 { self.tokens.line } else { self.tokens.outline };
            self.marks.line([x, above], [x, below], 1.0, stroke);
            let ink = Ink::middle(self.tokens.muted);
            self.line_within([x, below + 12.0], &tick.label, Font::SMALL, ink);
        }
        self.top = below + TICKS_HEIGHT;
        if !caption.is_empty() {
            let [from, to] = axis.ends();
            let at = [f64::midpoint(from, to), self.top + 8.0];
            let caption = wrap(caption, Font::SMALL, self.right() - self.left(), 1).lines.concat();
            self.line_within(at, &caption, Font::SMALL, Ink::middle(self.tokens.muted));
            self.top += 20.0;
        }
    }

    /// Height of what [`Self::value_axis`] draws below its lower end, px.
    pub(super) const fn value_axis_height(caption: &str) -> f64 {
        if caption.is_empty() { TICKS_HEIGHT } else { TICKS_HEIGHT + 20.0 }
    }

    /// The colours of the scale, from `low` at the left to `high` at the right, ending at the right
    /// edge; `name` before them. Fills the sheet by its height.
    pub(super) fn colour_legend(&mut self, name: &str, low: &str, high: &str) {
        const STEP: f64 = 5.0;
        let y = self.top + 8.0;
        let font = Font::SMALL;
        let ink = Ink::start(self.tokens.muted);
        let bar = STEP * SCALE_STEPS as f64;
        let high_left = self.right() - font.width(high);
        let bar_left = high_left - 6.0 - bar;
        let low_right = bar_left - 6.0;
        self.line([high_left, y], high, self.right() - high_left + 1.0, font, ink);
        for (i, colour) in self.tokens.scale_colours().iter().take(SCALE_STEPS).enumerate() {
            // A little wider than the step, so that no seam shows.
            self.marks.rect([bar_left + i as f64 * STEP, y - 5.0, STEP + 0.5, 10.0], 0.0, *colour);
        }
        let low_width = font.width(low);
        self.line([low_right, y], low, low_width + 1.0, font, Ink { anchor: Anchor::End, ..ink });
        let name_right = low_right - low_width - 12.0;
        let name_room = name_right - self.left();
        self.line([name_right, y], name, name_room, font, Ink { anchor: Anchor::End, ..ink });
        self.top += 24.0;
    }

    /// What the marks mean, from the left, in as many lines as it takes. Fills the sheet.
    pub(super) fn legend(&mut self, entries: &[(Mark, String)]) {
        let font = Font::SMALL;
        let (mut x, mut y) = (self.left(), self.top + 8.0);
        for (mark, label) in entries {
            let width = 22.0 + font.width(label);
            if x > self.left() && x + width > self.right() {
                (x, y) = (self.left(), y + 20.0);
            }
            match *mark {
                Mark::Dot(fill) => self.marks.circle([x + 8.0, y], 4.0, fill),
                Mark::Line(stroke) => self.marks.line([x, y], [x + 16.0, y], 2.0, stroke),
            }
            let room = self.right() - x - 22.0;
            self.line([x + 22.0, y], label, room, font, Ink::start(self.tokens.muted));
            x += width + 18.0;
        }
        self.top = y + 16.0;
    }

    /// Ends the sheet where it is filled.
    pub(super) fn finish(self) -> Drawing {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a height of some thousand pixels"
        )]
        let height = (self.top + PADDING).ceil() as u32;
        let description = self.description.join(" ");
        let words = Words { title: self.title, description };
        let size = [self.canvas.width, height];
        Drawing::new(size, self.tokens.surface, words, self.marks, self.dots)
    }
}

/// Labels of rows, broken into lines of one column.
#[derive(Debug)]
pub(super) struct RowLabels {
    labels: Vec<(String, Wrapped)>,
    font: Font,
    /// Of the column, px.
    pub(super) width: f64,
    /// What the row with the most lines needs, px.
    pub(super) row_height_min: f64,
}

impl RowLabels {
    pub(super) fn fit(labels: Vec<String>, font: Font, width_max: f64) -> Self {
        let wrapped = |label: String| {
            let lines = wrap(&label, font, width_max, LABEL_LINES);
            (label, lines)
        };
        let labels: Vec<_> = labels.into_iter().map(wrapped).collect();
        let lines = || labels.iter().flat_map(|(_, wrapped)| &wrapped.lines);
        let width = lines().map(|line| font.width(line)).fold(0.0, f64::max);
        let lines_max = labels.iter().map(|(_, w)| w.lines.len()).max().unwrap_or(1);
        let row_height_min = lines_max as f64 * font.line_height() + 10.0;
        Self { labels, font, width, row_height_min }
    }

    /// Height of each row when all share `room`, px.
    pub(super) fn row_height(&self, room: f64) -> f64 {
        (room / self.labels.len() as f64).min(44.0).max(self.row_height_min)
    }

    /// Draws label `row` with its right end at `x`.
    pub(super) fn draw(&self, sheet: &mut Sheet, row: usize, [x, y]: [f64; 2]) {
        let (text, lines) = &self.labels[row];
        let ink = Ink::end(sheet.tokens.text);
        sheet.label([x, y], text, lines, self.font, ink);
    }
}
