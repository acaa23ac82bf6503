//! Money flow index. TA-Lib MFI; Quong and Soudack (1989).

use super::window::{Sum, Window};
use super::{Indicator, Ohlcv};

/// `100 * positive / (positive + negative)` money flow of `period` bars, from 0 to 100: typical
/// price times volume, positive where the typical price rose. Zero where hardly any money flowed.
#[derive(Clone, Debug)]
pub struct Mfi {
    flows: Window<(Sum, Sum)>,
    last_price: f64,
}

impl Mfi {
    /// # Panics
    ///
    /// When `period` is zero.
    #[track_caller]
    pub fn new(period: u16) -> Self {
        Self { flows: Window::new(period), last_price: f64::NAN }
    }
}

impl Indicator for Mfi {
    type Input = Ohlcv;
    type Value = f64;

    #[inline]
    fn push(&mut self, bar: Ohlcv) -> f64 {
        let price = bar.typical_price();
        let last_price = std::mem::replace(&mut self.last_price, price);
        if last_price.is_nan() {
            return f64::NAN;
        }
        let flow = price * bar.volume;
        // By multiplication, so that an unknown flow is unknown on either side.
        let rose = if price > last_price { 1.0 } else { 0.0 };
        let fell = if price < last_price { 1.0 } else { 0.0 };
        let (Sum(positive), Sum(negative)) = self.flows.push((Sum(flow * rose), Sum(flow * fell)));
        let all = positive + negative;
        if all < 1.0 { 0.0 } else { 100.0 * positive / all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicators::talib_golden::Golden;

    #[test]
    fn the_index_equals_that_of_ta_lib() {
        let golden = Golden::read();
        golden.check("MFI", &Mfi::new(14).over(golden.bars()));
    }

    #[test]
    fn an_unknown_volume_is_unknown_in_every_window_that_holds_it() {
        let bars = (0..60).map(|t| {
            let price = 10.0 + f64::from(t % 3);
            let volume = if t == 30 { f64::NAN } else { 1_000.0 };
            Ohlcv { open: price, high: price, low: price, close: price, volume }
        });
        let index = Mfi::new(14).over(bars);
        assert!(index[30..44].iter().all(|value| value.is_nan()));
        assert!(!index[29].is_nan() && !index[44].is_nan());
    }
}
