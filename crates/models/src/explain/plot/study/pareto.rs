//! Two objectives against each other, and the trials that no other beats in both.

use super::super::Language;
use super::super::drawing::{Dot, Drawing};
use super::super::plane::Plane;
use super::super::sheet::{Canvas, Heading, Mark, Sheet};
use super::{Direction, Parameter, PlotError};

/// Trials by two objectives; those on the front are joined.
#[derive(Clone, Debug, PartialEq)]
pub struct ParetoFront {
    /// Above it.
    pub heading: Heading,
    /// To the right and upwards.
    pub objectives: [Parameter; 2],
    /// Which values of each are better.
    pub directions: [Direction; 2],
    /// The values of each finished trial.
    pub trials: Vec<[f64; 2]>,
}

impl ParetoFront {
    /// Draws it.
    ///
    /// # Errors
    ///
    /// [`PlotError::Empty`] without trials, [`PlotError::NotFinite`], [`PlotError::NotPositive`] on
    /// a logarithmic axis, [`PlotError::NoCategory`], [`PlotError::Size`].
    pub fn draw(&self, canvas: &Canvas) -> Result<Drawing, PlotError> {
        if self.trials.is_empty() {
            return Err(PlotError::Empty { what: "a Pareto front" });
        }
        let [firsts, seconds] =
            [0, 1].map(|k| -> Vec<f64> { self.trials.iter().map(|values| values[k]).collect() });
        let [first, second] = &self.objectives;
        let (x, y) = (first.quantity(&firsts), second.quantity(&seconds));
        x.check()?;
        y.check()?;

        let front = self.front();
        let mut sheet = Sheet::begin(canvas, &self.heading)?;
        let tokens = sheet.tokens;
        let (count, best) = (self.trials.len(), front.len());
        let (dominated, optimal) = match canvas.language {
            Language::Turkish => ("başka bir denemenin geçtiği", "Pareto cephesi"),
            Language::English => ("beaten by another trial", "Pareto front"),
        };
        sheet.describe(format!("{optimal}: {best} / {count}."));
        sheet.legend(&[
            (Mark::Dot(tokens.warn), format!("{optimal} ({best})")),
            (Mark::Dot(tokens.outline), format!("{dominated} ({})", count - best)),
        ]);
        let height = sheet.room(0.0).max(200.0);
        let edges = [sheet.left(), sheet.right()];
        let plane = Plane::draw(&mut sheet, x, y, edges, height, 0.0);

        let mut corners: Vec<[f64; 2]> = Vec::new();
        for &i in &front {
            let [x, y] = self.trials[i];
            // Between two trials of the front lies what is as good as the worse of both.
            if let Some(&[_, before]) = corners.last() {
                corners.push([plane.x.at(x), before]);
            }
            corners.push(plane.at(x, y));
        }
        sheet.marks.polyline(&corners, 1.5, tokens.warn, 0.7);
        sheet.dots.radius = 3.5;
        sheet.dots.colours = vec![tokens.outline, tokens.warn];
        let dot = |i: usize, colour| {
            let [x, y] = self.trials[i];
            Dot { x: plane.x.at(x), y: plane.y.at(y), colour }
        };
        let rest = (0..count).filter(|i| !front.contains(i)).map(|i| dot(i, 0));
        sheet.dots.dots = rest.chain(front.iter().map(|&i| dot(i, 1))).collect();
        sheet.top += height;
        Ok(sheet.finish())
    }

    /// The trials that no other beats in one objective without being beaten in the other, from the
    /// best of the first objective to the best of the second.
    fn front(&self) -> Vec<usize> {
        let [first, second] = self.directions;
        let mut order: Vec<usize> = (0..self.trials.len()).collect();
        let directed = |direction: Direction, value: f64| match direction {
            Direction::Minimise => value,
            Direction::Maximise => -value,
        };
        order.sort_by(|&a, &b| {
            let [a1, a2] = self.trials[a];
            let [b1, b2] = self.trials[b];
            let by_first = directed(first, a1).total_cmp(&directed(first, b1));
            by_first.then(directed(second, a2).total_cmp(&directed(second, b2)))
        });
        let mut front: Vec<usize> = Vec::new();
        for i in order {
            let beats = |last: &usize| second.better(self.trials[i][1], self.trials[*last][1]);
            if front.last().is_none_or(beats) {
                front.push(i);
            }
        }
        front
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::plot::{Scale, Unit};

    #[test]
    fn the_front_holds_what_nothing_beats() {
        let parameter = |label: &str| Parameter {
            label: label.to_owned(),
            unit: Unit::Plain,
            scale: Scale::Linear,
        };
        let plot = ParetoFront {
            heading: Heading::default(),
            objectives: [parameter("a"), parameter("b")],
            directions: [Direction::Maximise, Direction::Minimise],
            trials: vec![[1.0, 1.0], [3.0, 5.0], [2.0, 2.0], [2.0, 3.0], [0.5, 4.0], [3.0, 6.0]],
        };
        assert_eq!(plot.front(), [1, 2, 0]);
    }
}
