//! Momentum and trend: indicators made free of scale.

use super::run::RunBar;
use super::spec::{FeatureSpec, FeatureWindow};
use super::{FeatureTemplate, ratio};
use crate::indicators::{
    Adx, Aroon, Atr, BollingerBands, Cci, Donchian, Ichimoku, Indicator as _, Keltner, Macd, Roc,
    Rsi, Sma, Stochastic, SuperTrend, WilliamsR,
};

/// What [`Momentum`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 22] = [
    FeatureTemplate {
        name: "rsi_{rsi}",
        formula: "100 * gain / (gain + loss), Wilder averages of the changes of {rsi} sessions",
        source: "Wilder (1978); TA-Lib RSI",
    },
    FeatureTemplate {
        name: "macd_histogram_atr",
        formula: "(MACD(12, 26) - its EMA(9)) / ATR(14)",
        source: "Appel (1979); TA-Lib MACD, ATR",
    },
    FeatureTemplate {
        name: "bollinger_percent_b_20",
        formula: "(close - lower) / (upper - lower), bands SMA(20) -+ 2 population standard deviations",
        source: "Bollinger (2001); TA-Lib BBANDS",
    },
    FeatureTemplate {
        name: "bollinger_bandwidth_20",
        formula: "(upper - lower) / SMA(20)",
        source: "Bollinger (2001); TA-Lib BBANDS",
    },
    FeatureTemplate {
        name: "adx_14",
        formula: "Wilder average of 100 |+DI - -DI| / (+DI + -DI) over 14 sessions",
        source: "Wilder (1978); TA-Lib ADX",
    },
    FeatureTemplate {
        name: "stochastic_k_{stochastic}",
        formula: "100 (close - lowest low) / (highest high - lowest low) of {stochastic} sessions",
        source: "Lane (1984); TA-Lib STOCHF, fast %K",
    },
    FeatureTemplate {
        name: "cci_{cci}",
        formula: "(p - SMA(p, {cci})) / (0.015 * mean |p - SMA|), p = (high + low + close) / 3",
        source: "Lambert (1980); TA-Lib CCI",
    },
    FeatureTemplate {
        name: "sma_distance_{sma_short}",
        formula: "(close - SMA({sma_short})) / ATR(14)",
        source: "TA-Lib SMA, ATR",
    },
    FeatureTemplate {
        name: "sma_distance_50",
        formula: "(close - SMA(50)) / ATR(14)",
        source: "TA-Lib SMA, ATR",
    },
    FeatureTemplate {
        name: "sma_distance_{sma_long}",
        formula: "(close - SMA({sma_long})) / ATR(14)",
        source: "TA-Lib SMA, ATR",
    },
    FeatureTemplate {
        name: "high_distance_250",
        formula: "ln(close / highest high of 250 sessions)",
        source: "George and Hwang (2004), the 52-week high",
    },
    FeatureTemplate {
        name: "low_distance_250",
        formula: "ln(close / lowest low of 250 sessions)",
        source: "as high_distance_250",
    },
    FeatureTemplate {
        name: "directional_balance_14",
        formula: "(+DI - -DI) / 100 over 14 sessions",
        source: "Wilder (1978); TA-Lib PLUS_DI, MINUS_DI",
    },
    FeatureTemplate {
        name: "stochastic_d_{stochastic}",
        formula: "slow %D: fast %K of {stochastic} sessions, averaged over 3 and 3",
        source: "Lane (1984); TA-Lib STOCH",
    },
    FeatureTemplate {
        name: "williams_r_{williams_r}",
        formula: "-100 (highest high - close) / (highest high - lowest low) of {williams_r} sessions",
        source: "Williams (1973); TA-Lib WILLR",
    },
    FeatureTemplate {
        name: "roc_{roc}",
        formula: "close / close {roc} sessions ago - 1, per cent",
        source: "Jegadeesh and Titman (1993); TA-Lib ROC",
    },
    FeatureTemplate {
        name: "aroon_oscillator_25",
        formula: "100 (sessions since the lowest low - since the highest high of 26) / 25",
        source: "Chande (1995); TA-Lib AROONOSC",
    },
    FeatureTemplate {
        name: "donchian_position_55",
        formula: "(close - lowest low) / (highest high - lowest low) of 55 sessions, per cent",
        source: "Donchian (1960)",
    },
    FeatureTemplate {
        name: "keltner_position_20",
        formula: "(close - EMA(20)) / (2 ATR(10))",
        source: "Keltner (1960), with the true range; TA-Lib EMA, ATR",
    },
    FeatureTemplate {
        name: "supertrend_distance",
        formula: "ln(close / SuperTrend(10, 3)): positive above the stop, negative below",
        source: "Seban (2008)",
    },
    FeatureTemplate {
        name: "ichimoku_lines",
        formula: "ln(middle of the range of 9 sessions / that of 26)",
        source: "Hosoda (1969), tenkan and kijun",
    },
    FeatureTemplate {
        name: "ichimoku_cloud_distance",
        formula: "ln(close / middle of the cloud drawn 26 sessions ago)",
        source: "Hosoda (1969), senkou spans",
    },
];

/// The state of the features of [`DEFINITIONS`].
#[derive(Clone, Debug)]
pub(crate) struct Momentum {
    rsi: Rsi,
    macd: Macd,
    bollinger: BollingerBands,
    adx: Adx,
    stochastic: Stochastic,
    cci: Cci,
    averages: [Sma; 3],
    year: Donchian,
    atr: Atr,
    williams_r: WilliamsR,
    roc: Roc,
    aroon: Aroon,
    donchian: Donchian,
    keltner: Keltner,
    supertrend: SuperTrend,
    ichimoku: Ichimoku,
}

impl Momentum {
    pub(crate) fn new(spec: &FeatureSpec) -> Self {
        let (short, long) =
            (spec.window(FeatureWindow::SmaShort), spec.window(FeatureWindow::SmaLong));
        Self {
            rsi: Rsi::new(spec.window(FeatureWindow::Rsi)),
            macd: Macd::new(12, 26, 9),
            bollinger: BollingerBands::new(20, 2.0),
            adx: Adx::new(14),
            stochastic: Stochastic::new(spec.window(FeatureWindow::Stochastic), 3, 3),
            cci: Cci::new(spec.window(FeatureWindow::Cci)),
            averages: [short, 50, long].map(Sma::new),
            year: Donchian::new(250),
            atr: Atr::new(14),
            williams_r: WilliamsR::new(spec.window(FeatureWindow::WilliamsR)),
            roc: Roc::new(spec.window(FeatureWindow::Roc)),
            aroon: Aroon::new(25),
            donchian: Donchian::new(55),
            keltner: Keltner::new(20, 10, 2.0),
            supertrend: SuperTrend::new(10, 3.0),
            ichimoku: Ichimoku::new(),
        }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 22] {
        let bar = of_run.bar;
        let close = bar.close;
        let atr = self.atr.push(bar);
        let bands = self.bollinger.push(close);
        let width = bands.upper - bands.lower;
        let adx = self.adx.push(bar);
        let stochastic = self.stochastic.push(bar);
        let year = self.year.push(bar);
        let keltner = self.keltner.push(bar);
        let ichimoku = self.ichimoku.push(bar);
        let cloud = f64::midpoint(ichimoku.span_a, ichimoku.span_b);
        let [d_short, d50, d_long] =
            self.averages.each_mut().map(|average| ratio(close - average.push(close), atr));
        [
            self.rsi.push(close),
            ratio(self.macd.push(close).histogram, atr),
            ratio(close - bands.lower, width),
            ratio(width, bands.middle),
            adx.adx,
            stochastic.fast_k,
            self.cci.push(bar),
            d_short,
            d50,
            d_long,
            (close / year.highest).ln(),
            (close / year.lowest).ln(),
            (adx.plus_di - adx.minus_di) / 100.0,
            stochastic.slow_d,
            self.williams_r.push(bar),
            self.roc.push(close),
            self.aroon.push(bar).oscillator(),
            self.donchian.push(bar).position_percent(close),
            ratio(close - keltner.middle, keltner.upper - keltner.middle),
            // A wide range can put the stop below zero.
            finite((close / self.supertrend.push(bar).stop).ln()),
            (ichimoku.conversion / ichimoku.base).ln(),
            (close / cloud).ln(),
        ]
    }
}

fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::indicators::Ohlcv;

    #[test]
    fn prices_that_stand_still_leave_no_feature_infinite_and_bounded_ones_at_zero() {
        let bar = Ohlcv { open: 5.3, high: 5.3, low: 5.3, close: 5.3, volume: 0.0 };
        let of_run = RunBar {
            day: date(2024, 1, 2),
            time: jiff::civil::Time::midnight(),
            bar,
            turnover: 0.0,
            limit_hit: 0.0,
        };
        let mut momentum = Momentum::new(&FeatureSpec::default());
        let last = (0..300).map(|_| momentum.push(&of_run)).last().unwrap();
        for (definition, value) in DEFINITIONS.iter().zip(last) {
            assert!(!value.is_infinite(), "{}", definition.name);
            let bounded = [
                "rsi_{rsi}",
                "adx_14",
                "stochastic_k_{stochastic}",
                "cci_{cci}",
                "williams_r_{williams_r}",
            ];
            if bounded.contains(&definition.name) {
                assert!(value.abs() < 1e-12, "{}", definition.name);
            }
        }
    }
}
