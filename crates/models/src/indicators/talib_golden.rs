//! What TA-Lib computes from a small series; `tests/golden/indicators_talib.py` made it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Ohlcv;

/// The series, and TA-Lib's values by name; `None` before the warm-up.
#[derive(Debug, Deserialize)]
pub(crate) struct Golden {
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
    indicators: BTreeMap<String, Vec<Option<f64>>>,
}

impl Golden {
    pub(crate) fn read() -> Self {
        serde_json::from_str(include_str!("../../tests/golden/indicators_talib.json")).unwrap()
    }

    pub(crate) fn close(&self) -> Vec<f64> {
        self.close.clone()
    }

    pub(crate) fn bars(&self) -> impl Iterator<Item = Ohlcv> + Clone {
        (0..self.close.len()).map(|t| Ohlcv {
            open: self.open[t],
            high: self.high[t],
            low: self.low[t],
            close: self.close[t],
            volume: self.volume[t],
        })
    }

    /// [`Self::check`] for one part of our values.
    #[track_caller]
    pub(crate) fn check_each<T>(&self, name: &str, ours: &[T], part: impl Fn(&T) -> f64) {
        self.check(name, &ours.iter().map(part).collect::<Vec<_>>());
    }

    /// Our values begin where TA-Lib's do and agree within 1e-9 of their size, or 1e-11 near zero.
    #[track_caller]
    pub(crate) fn check(&self, name: &str, ours: &[f64]) {
        let theirs = &self.indicators[name];
        assert_eq!(ours.len(), theirs.len());
        assert!(theirs.iter().any(Option::is_some), "{name} is unknown throughout");
        for (t, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            match theirs {
                None => assert!(ours.is_nan(), "{name}[{t}] is {ours} before the warm-up"),
                Some(theirs) => assert!(
                    (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-11,
                    "{name}[{t}]: {ours} and TA-Lib {theirs}"
                ),
            }
        }
    }
}
