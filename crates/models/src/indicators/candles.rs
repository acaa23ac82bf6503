//! Candle patterns of one to three bars. TA-Lib CDL* with its default settings; Nison (1991).
//!
//! "Long" and "short" are by comparison with the bars before: a body with the mean body of ten
//! bars, a shadow with a tenth of their mean range, nearness with a fifth of the mean range of five.

use super::{Indicator, Ohlcv, Sma};

/// The patterns that a bar completes.
#[derive(Clone, Debug)]
pub struct CandlePatterns {
    body_average: Sma,
    range_average: Sma,
    near_average: Sma,
    /// This bar and the two before, newest first; what is not there has NaN.
    bars: [Shape; 3],
    count: u8,
}

/// What [`CandlePatterns`] gives.
///
/// Each field is positive for a pattern after which prices are said
/// to rise, negative for one after which they are said to fall, and zero without the pattern; 100
/// for the full pattern, 80 for one whose bodies touch at one end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candle {
    /// Hardly any body; 100 though it says neither.
    pub doji: i8,
    /// Small body near the last low, long shadow below.
    pub hammer: i8,
    /// Small body near the last high, long shadow below.
    pub hanging_man: i8,
    /// Small body below the last body, long shadow above.
    pub inverted_hammer: i8,
    /// Small body above the last body, long shadow above.
    pub shooting_star: i8,
    /// A body that holds the last one, of the other colour.
    pub engulfing: i8,
    /// A small body within a long one.
    pub harami: i8,
    /// A long white body that opens below a long black one and closes in its upper half.
    pub piercing: i8,
    /// A black body that opens above a long white one and closes in its lower half.
    pub dark_cloud_cover: i8,
    /// Long black body, small one below it, white one well into the first.
    pub morning_star: i8,
    /// Long white body, small one above it, black one well into the first.
    pub evening_star: i8,
}

impl Candle {
    /// How many patterns say that prices rise, less how many say that they fall.
    pub fn balance(&self) -> f64 {
        let directed = [
            self.hammer,
            self.hanging_man,
            self.inverted_hammer,
            self.shooting_star,
            self.engulfing,
            self.harami,
            self.piercing,
            self.dark_cloud_cover,
            self.morning_star,
            self.evening_star,
        ];
        directed.iter().map(|strength| f64::from(strength.signum())).sum()
    }
}

/// A bar, and the means of the bars before it.
#[derive(Clone, Copy, Debug)]
struct Shape {
    bar: Ohlcv,
    /// Mean body of the ten bars before.
    body_average: f64,
    /// Mean range of the ten bars before.
    range_average: f64,
    /// Mean range of the five bars before.
    near_average: f64,
}

impl Shape {
    const UNKNOWN: Self = Self {
        bar: Ohlcv {
            open: f64::NAN,
            high: f64::NAN,
            low: f64::NAN,
            close: f64::NAN,
            volume: f64::NAN,
        },
        body_average: f64::NAN,
        range_average: f64::NAN,
        near_average: f64::NAN,
    };

    fn body(&self) -> f64 {
        (self.bar.close - self.bar.open).abs()
    }

    fn is_white(&self) -> bool {
        self.bar.close >= self.bar.open
    }

    fn is_black(&self) -> bool {
        self.bar.close < self.bar.open
    }

    fn top(&self) -> f64 {
        if self.is_white() { self.bar.close } else { self.bar.open }
    }

    fn bottom(&self) -> f64 {
        if self.is_white() { self.bar.open } else { self.bar.close }
    }

    fn upper_shadow(&self) -> f64 {
        self.bar.high - self.top()
    }

    fn lower_shadow(&self) -> f64 {
        self.bottom() - self.bar.low
    }

    fn is_long(&self) -> bool {
        self.body() > self.body_average
    }

    fn is_short(&self) -> bool {
        self.body() <= self.body_average
    }

    /// A small body with a long shadow below and hardly any above.
    fn hangs(&self) -> bool {
        self.body() < self.body_average
            && self.lower_shadow() > self.body()
            && self.upper_shadow() < 0.1 * self.range_average
    }

    /// A small body with a long shadow above and hardly any below.
    fn stands(&self) -> bool {
        self.body() < self.body_average
            && self.upper_shadow() > self.body()
            && self.lower_shadow() < 0.1 * self.range_average
    }
}

impl CandlePatterns {
    /// Before the first bar.
    #[expect(clippy::new_without_default, reason = "indicators are made by new")]
    pub fn new() -> Self {
        Self {
            body_average: Sma::new(10),
            range_average: Sma::new(10),
            near_average: Sma::new(5),
            bars: [Shape::UNKNOWN; 3],
            count: 0,
        }
    }

    /// Takes the bar in, with the means of the bars before it.
    fn take(&mut self, bar: Ohlcv) {
        // The means as of the last bar are those of the bars before this one.
        let last = self.bars[0].bar;
        let mut shape = Shape { bar, ..Shape::UNKNOWN };
        if self.count > 0 {
            shape.body_average = self.body_average.push((last.close - last.open).abs());
            shape.range_average = self.range_average.push(last.high - last.low);
            shape.near_average = self.near_average.push(last.high - last.low);
        }
        self.bars = [shape, self.bars[0], self.bars[1]];
        self.count = self.count.saturating_add(1);
    }
}

impl Indicator for CandlePatterns {
    type Input = Ohlcv;
    type Value = Candle;

    fn push(&mut self, bar: Ohlcv) -> Candle {
        self.take(bar);
        let [third, second, first] = &self.bars;
        let (last, strength) =
            (second, |found: bool, strength: i8| if found { strength } else { 0 });
        let mut candle = Candle {
            doji: strength(third.body() <= 0.1 * third.range_average, 100),
            ..Candle::default()
        };
        // TA-Lib warms a pattern of two bars up by one bar more, even where it does not need it.
        if self.count > 2 {
            candle.engulfing = engulfing(last, third);
        }
        if self.count > 11 {
            let near = 0.2 * last.near_average;
            candle.hammer = strength(third.hangs() && third.bottom() <= last.bar.low + near, 100);
            candle.hanging_man =
                strength(third.hangs() && third.bottom() >= last.bar.high - near, -100);
            candle.inverted_hammer = strength(third.stands() && third.top() < last.bottom(), 100);
            candle.shooting_star = strength(third.stands() && third.bottom() > last.top(), -100);
        }
        candle.harami = harami(last, third);
        let piercing = last.is_black()
            && last.is_long()
            && third.is_white()
            && third.is_long()
            && third.bar.open < last.bar.low
            && third.bar.close < last.bar.open
            && third.bar.close > last.bar.close + 0.5 * last.body();
        candle.piercing = strength(piercing, 100);
        let dark_cloud_cover = last.is_white()
            && last.is_long()
            && third.is_black()
            && third.bar.open > last.bar.high
            && third.bar.close > last.bar.open
            && third.bar.close < last.bar.close - 0.5 * last.body();
        candle.dark_cloud_cover = strength(dark_cloud_cover, -100);

        let star = first.is_long() && second.is_short() && third.body() > third.body_average;
        let morning_star = star
            && first.is_black()
            && third.is_white()
            && second.top() < first.bottom()
            && third.bar.close > first.bar.close + 0.3 * first.body();
        candle.morning_star = strength(morning_star, 100);
        let evening_star = star
            && first.is_white()
            && third.is_black()
            && second.bottom() > first.top()
            && third.bar.close < first.bar.close - 0.3 * first.body();
        candle.evening_star = strength(evening_star, -100);
        candle
    }
}

/// The second body holds the first, of the other colour; they may touch at one end.
fn engulfing(first: &Shape, second: &Shape) -> i8 {
    let other_colour =
        (second.is_white() && first.is_black()) || (second.is_black() && first.is_white());
    let (top, bottom) = (second.top(), second.bottom());
    let holds = (top >= first.top() && bottom < first.bottom())
        || (top > first.top() && bottom <= first.bottom());
    if !other_colour || !holds {
        return 0;
    }
    let strength = if top > first.top() && bottom < first.bottom() { 100 } else { 80 };
    if second.is_white() { strength } else { -strength }
}

/// The second body is short and within the first, which is long; they may touch at one end.
fn harami(first: &Shape, second: &Shape) -> i8 {
    if !first.is_long() || !second.is_short() {
        return 0;
    }
    let strength = if second.top() < first.top() && second.bottom() > first.bottom() {
        100
    } else if second.top() <= first.top() && second.bottom() >= first.bottom() {
        80
    } else {
        0
    };
    if first.is_white() { -strength } else { strength }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    /// Bars in whole units of a price, and where TA-Lib finds which pattern.
    #[derive(Debug, Deserialize)]
    struct Golden {
        bars: Vec<[f64; 4]>,
        patterns: BTreeMap<String, Vec<(usize, i8)>>,
    }

    type Part = fn(&Candle) -> i8;

    #[test]
    fn patterns_are_found_where_ta_lib_finds_them() {
        let golden: Golden =
            serde_json::from_str(include_str!("../../tests/golden/candles_talib.json")).unwrap();
        let bars = golden.bars.iter().map(|&[open, high, low, close]| Ohlcv {
            open,
            high,
            low,
            close,
            volume: f64::NAN,
        });
        let candles = CandlePatterns::new().over(bars);
        let found = |part: Part| -> Vec<(usize, i8)> {
            let strengths = candles.iter().map(part).enumerate();
            strengths.filter(|(_, strength)| *strength != 0).collect()
        };
        let ours: [(&str, Part); 11] = [
            ("DOJI", |candle| candle.doji),
            ("HAMMER", |candle| candle.hammer),
            ("HANGINGMAN", |candle| candle.hanging_man),
            ("INVERTEDHAMMER", |candle| candle.inverted_hammer),
            ("SHOOTINGSTAR", |candle| candle.shooting_star),
            ("ENGULFING", |candle| candle.engulfing),
            ("HARAMI", |candle| candle.harami),
            ("PIERCING", |candle| candle.piercing),
            ("DARKCLOUDCOVER", |candle| candle.dark_cloud_cover),
            ("MORNINGSTAR", |candle| candle.morning_star),
            ("EVENINGSTAR", |candle| candle.evening_star),
        ];
        assert_eq!(golden.patterns.len(), ours.len());
        for (name, part) in ours {
            assert!(golden.patterns[name].len() >= 3, "TA-Lib finds hardly any {name}");
            assert_eq!(found(part), golden.patterns[name], "{name}");
        }
    }
}
