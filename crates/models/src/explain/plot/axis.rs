//! Values to pixels, and the ticks between.

use super::Language;
use super::number::Unit;
use super::text::Font;

/// How the values of an axis lie on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences take equal room.
    Linear,
    /// Equal ratios take equal room; values are positive.
    Log,
    /// A value is the index of one of these names.
    Categories(Vec<String>),
}

/// A range of values on a stretch of pixels.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    scale: Scale,
    unit: Unit,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// A value with its label.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
}

/// Least room between the labels of neighbouring ticks, px.
const TICK_GAP: f64 = 14.0;

impl Axis {
    /// From `low` to `high`, which may be equal, over the pixels `from` to `to`.
    pub(super) fn linear(unit: Unit, [low, high]: [f64; 2], [from, to]: [f64; 2]) -> Self {
        let (low, high) = opened(low, high);
        Self { scale: Scale::Linear, unit, low, high, from, to }
    }

    /// Holds every value of `values`, with a twentieth of room at both ends.
    pub(super) fn over(
        scale: &Scale,
        unit: Unit,
        values: impl Iterator<Item = f64>,
        [from, to]: [f64; 2],
    ) -> Self {
        let (low, high) = match scale {
            Scale::Categories(names) => (-0.5, names.len() as f64 - 0.5),
            Scale::Linear => {
                let (low, high) = range(values).unwrap_or((0.0, 1.0));
                let (low, high) = opened(low, high);
                let room = (high - low) / 20.0;
                (low - room, high + room)
            }
            Scale::Log => {
                let (low, high) = range(values).unwrap_or((1.0, 10.0));
                let room = (high / low).powf(0.05).max(1.05);
                (low / room, high * room)
            }
        };
        Self { scale: scale.clone(), unit, low, high, from, to }
    }

    /// The pixel of `value`.
    pub(super) fn at(&self, value: f64) -> f64 {
        self.from + (self.to - self.from) * self.share(value)
    }

    /// Where `value` stands between the ends, 0 to 1.
    pub(super) fn share(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Log => (value / self.low).ln() / (self.high / self.low).ln(),
            Scale::Linear | Scale::Categories(_) => (value - self.low) / (self.high - self.low),
        }
    }

    pub(super) const fn holds(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// Its ends, px.
    pub(super) const fn ends(&self) -> [f64; 2] {
        [self.from, self.to]
    }

    /// At most about `count_max` ticks, but every category.
    pub(super) fn ticks(&self, count_max: usize, language: Language) -> Vec<Tick> {
        match &self.scale {
            Scale::Categories(names) => {
                let tick =
                    |(i, name): (usize, &String)| Tick { value: i as f64, label: name.clone() };
                names.iter().enumerate().map(tick).collect()
            }
            Scale::Linear => self.linear_ticks(count_max, language),
            Scale::Log => {
                let decades = self.log_ticks(&[1.0], language);
                let thirds = self.log_ticks(&[1.0, 2.0, 5.0], language);
                match (thirds.len() <= count_max, decades.len()) {
                    (true, _) if thirds.len() >= 2 => thirds,
                    (_, 2..) => thinned(decades, count_max),
                    _ => self.linear_ticks(count_max, language),
                }
            }
        }
    }

    /// As many ticks as find room beside each other below a horizontal axis.
    pub(super) fn horizontal_ticks(&self, language: Language) -> Vec<Tick> {
        if matches!(self.scale, Scale::Categories(_)) {
            return self.ticks(usize::MAX, language);
        }
        let room = (self.to - self.from).abs();
        let mut count_max = 9;
        loop {
            let ticks = self.ticks(count_max, language);
            let widest = ticks.iter().map(|t| Font::SMALL.width(&t.label)).fold(0.0, f64::max);
            let places: Vec<f64> = ticks.iter().map(|t| self.at(t.value)).collect();
            let nearest = places.windows(2).map(|p| (p[1] - p[0]).abs()).fold(room, f64::min);
            if nearest >= widest + TICK_GAP || count_max <= 2 {
                return ticks;
            }
            count_max -= 1;
        }
    }

    fn linear_ticks(&self, count_max: usize, language: Language) -> Vec<Tick> {
        let step = step_of(self.high - self.low, count_max);
        let decimals = self.unit.decimals_of_step(step);
        let (first, last) = ((self.low / step - 1e-9).ceil(), (self.high / step + 1e-9).floor());
        let mut ticks = Vec::new();
        let mut number = first;
        while number <= last {
            let value = number * step;
            ticks.push(Tick { value, label: self.unit.write(value, decimals, language) });
            number += 1.0;
        }
        ticks
    }

    fn log_ticks(&self, digits: &[f64], language: Language) -> Vec<Tick> {
        let mut ticks = Vec::new();
        let mut exponent = self.low.log10().floor();
        while exponent <= self.high.log10() {
            for digit in digits {
                let value = digit * 10_f64.powf(exponent);
                if self.holds(value) {
                    let decimals = self.unit.decimals_of_step(value);
                    ticks.push(Tick { value, label: self.unit.write(value, decimals, language) });
                }
            }
            exponent += 1.0;
        }
        ticks
    }
}

/// A bar with text beside one of its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Captioned {
    /// The end, in values.
    pub(super) at: f64,
    /// Room for the text, px.
    pub(super) width: f64,
    /// Whether it stands to the left of the end.
    pub(super) left: bool,
}

impl Axis {
    /// From the least to the greatest value, with just so much room at the sides of `from` and `to`
    /// that every caption stays between them.
    pub(super) fn captioned(
        unit: Unit,
        values: [f64; 2],
        [from, to]: [f64; 2],
        captions: &[Captioned],
    ) -> Self {
        let mut axis = Self::linear(unit, values, [from, to]);
        // Each turn moves the ends inwards, never beyond where the widest caption needs them.
        for _ in 0..16 {
            let (mut short_left, mut short_right) = (0.0_f64, 0.0_f64);
            for caption in captions {
                let end = axis.at(caption.at);
                if caption.left {
                    short_left = short_left.max(from + caption.width - end);
                } else {
                    short_right = short_right.max(end + caption.width - to);
                }
            }
            if short_left + short_right < 0.5 {
                break;
            }
            axis.from += short_left;
            axis.to -= short_right;
        }
        axis
    }
}

/// Least and greatest of the numbers.
pub(super) fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}

/// A range with room in it, where both ends are the same.
fn opened(low: f64, high: f64) -> (f64, f64) {
    if high > low {
        return (low, high);
    }
    let room = if low.abs() > 0.0 { low.abs() / 10.0 } else { 1.0 };
    (low - room, high + room)
}

/// The least of 1, 2 and 5 times a power of ten that cuts `length` into at most `count_max` pieces.
fn step_of(length: f64, count_max: usize) -> f64 {
    let rough = length / count_max.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|digit| digit * power >= rough * 0.999_999);
    step.unwrap_or(10.0) * power
}

/// Every so-manieth tick, so that at most `count_max` are left.
fn thinned(ticks: Vec<Tick>, count_max: usize) -> Vec<Tick> {
    let every = ticks.len().div_ceil(count_max.max(1));
    ticks.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, count_max: usize) -> Vec<String> {
        axis.ticks(count_max, Language::Turkish).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_and_within() {
        let axis = Axis::linear(Unit::LogReturn, [-0.0007, 0.0031], [0.0, 100.0]);
        assert_eq!(labels(&axis, 5), ["%0,0", "%0,1", "%0,2", "%0,3"]);
        assert!((axis.at(-0.0007)).abs() < 1e-12 && (axis.at(0.0031) - 100.0).abs() < 1e-12);
    }

    #[test]
    fn a_range_without_length_is_opened() {
        let axis = Axis::linear(Unit::Plain, [3.0, 3.0], [0.0, 10.0]);
        assert!((axis.at(3.0) - 5.0).abs() < 1e-9);
        assert!(Axis::linear(Unit::Plain, [0.0, 0.0], [0.0, 10.0]).at(0.5).is_finite());
    }

    #[test]
    fn logarithms_have_their_own_ticks() {
        let values = [1e-4, 0.5];
        let axis = Axis::over(&Scale::Log, Unit::Plain, values.into_iter(), [0.0, 100.0]);
        assert_eq!(labels(&axis, 5), ["0,0001", "0,001", "0,01", "0,1"]);
        let equal = axis.at(1e-3) - axis.at(1e-4) - (axis.at(1e-1) - axis.at(1e-2));
        assert!(equal.abs() < 1e-9);
        let narrow = Axis::over(&Scale::Log, Unit::Plain, [31.0, 34.0].into_iter(), [0.0, 100.0]);
        assert!(labels(&narrow, 6).len() >= 2);
    }

    #[test]
    fn labels_below_an_axis_leave_room() {
        let axis = Axis::linear(Unit::Plain, [0.0, 1e6], [0.0, 200.0]);
        let ticks = axis.horizontal_ticks(Language::English);
        let widest = ticks.iter().map(|t| Font::SMALL.width(&t.label)).fold(0.0, f64::max);
        assert!(ticks.len() >= 2);
        assert!(axis.at(ticks[1].value) - axis.at(ticks[0].value) > widest);
    }

    #[test]
    fn captions_stay_between_the_sides_and_take_no_more() {
        let captions = [
            Captioned { at: 0.0, width: 60.0, left: true },
            Captioned { at: 0.9, width: 60.0, left: false },
        ];
        let axis = Axis::captioned(Unit::Plain, [0.0, 1.0], [0.0, 300.0], &captions);
        let [left, right] = [axis.at(0.0) - 60.0, axis.at(0.9) + 60.0];
        assert!((-1.0..1.0).contains(&left), "{left}");
        assert!((299.0..301.0).contains(&right), "{right}");
        assert!(axis.at(1.0) > 250.0, "a caption of 0.9 takes less than one of 1");
    }

    #[test]
    fn every_category_has_a_tick_in_its_middle() {
        let names = Scale::Categories(["gbdt", "dart"].map(str::to_owned).to_vec());
        let axis = Axis::over(&names, Unit::Plain, [0.0].into_iter(), [0.0, 100.0]);
        assert_eq!(labels(&axis, 1), ["gbdt", "dart"]);
        assert!((axis.at(1.0) - 75.0).abs() < 1e-9);
    }
}
