//! Two axes and the grid between them.

use super::axis::{Axis, Scale};
use super::number::Unit;
use super::sheet::Sheet;
use super::svg::Ink;
use super::text::{Font, wrap};
use super::{PlotError, check_finite};

/// What an axis shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quantity<'a> {
    pub(super) label: &'a str,
    pub(super) unit: Unit,
    pub(super) scale: &'a Scale,
    /// What must find room on it.
    pub(super) values: &'a [f64],
}

/// Where values of two quantities lie on the sheet.
#[derive(Debug)]
pub(super) struct Plane {
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Quantity<'_> {
    /// Checks that its numbers can stand on its axis.
    pub(super) fn check(&self) -> Result<(), PlotError> {
        for &value in self.values {
            check_finite(self.label, value)?;
            let what = || self.label.to_owned();
            match self.scale {
                Scale::Log if value <= 0.0 => {
                    return Err(PlotError::NotPositive { what: what(), value });
                }
                Scale::Categories(names) if !is_index(value, names.len()) => {
                    return Err(PlotError::NoCategory { what: what(), value, count: names.len() });
                }
                Scale::Linear | Scale::Log | Scale::Categories(_) => {}
            }
        }
        Ok(())
    }
}

impl Plane {
    /// Draws axes and grid between two x, from the top of the sheet down by `height` px, all labels
    /// included; `aside` px are left free between the labels of the upright axis and the plane.
    /// The sheet is not filled by it.
    pub(super) fn draw(
        sheet: &mut Sheet,
        x: Quantity<'_>,
        y: Quantity<'_>,
        [left, right]: [f64; 2],
        height: f64,
        aside: f64,
    ) -> Self {
        const NAME: f64 = 22.0;
        const BELOW: f64 = 42.0;
        let language = sheet.canvas.language;
        let top = sheet.top;
        let (above, below) = (top + NAME, top + height - BELOW);
        let y_axis = Axis::over(y.scale, y.unit, y.values.iter().copied(), [below, above]);
        let y_ticks = y_axis.ticks(6, language);
        let room = (right - left) * 0.3;
        let widest = y_ticks.iter().map(|tick| Font::SMALL.width(&tick.label)).fold(0.0, f64::max);
        let ticks_right = left + widest.min(room);
        let from = ticks_right + 8.0 + aside;
        let x_axis = Axis::over(x.scale, x.unit, x.values.iter().copied(), [from, right]);

        let muted = sheet.tokens.muted;
        sheet.line([left, top + 8.0], y.label, right - left, Font::SMALL, Ink::start(muted));
        for tick in y_ticks {
            let at = y_axis.at(tick.value);
            let stroke = grid(sheet, y.scale, tick.value);
            sheet.marks.line([ticks_right + 8.0, at], [right, at], 1.0, stroke);
            sheet.line([ticks_right, at], &tick.label, room, Font::SMALL, Ink::end(muted));
        }
        let slot = match x.scale {
            Scale::Categories(names) => (right - from) / names.len() as f64 - 6.0,
            Scale::Linear | Scale::Log => right - from,
        };
        for tick in x_axis.horizontal_ticks(language) {
            let at = x_axis.at(tick.value);
            let stroke = grid(sheet, x.scale, tick.value);
            sheet.marks.line([at, above], [at, below], 1.0, stroke);
            sheet.line([at, below + 12.0], &tick.label, slot, Font::SMALL, Ink::middle(muted));
        }
        let name = wrap(x.label, Font::SMALL, right - left, 1);
        let middle = f64::midpoint(from, right);
        // Moved left where it would leave the plane.
        let half = Font::SMALL.width(&name.lines[0]) / 2.0;
        let at = [middle.min(right - half), below + 32.0];
        sheet.label(at, x.label, &name, Font::SMALL, Ink::middle(muted));
        Self { x: x_axis, y: y_axis }
    }

    /// Where a pair of values lies, px.
    pub(super) fn at(&self, x: f64, y: f64) -> [f64; 2] {
        [self.x.at(x), self.y.at(y)]
    }
}

fn is_index(value: f64, count: usize) -> bool {
    value >= 0.0 && value < count as f64 && value.fract() <= 0.0
}

/// Zero is told from other values.
fn grid(sheet: &Sheet, scale: &Scale, value: f64) -> super::Colour {
    if *scale == Scale::Linear && value.abs() <= 0.0 {
        sheet.tokens.outline
    } else {
        sheet.tokens.line
    }
}
