//! What TA-Lib computes from a small series; `tests/golden/indicators_talib.py` made it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The series, and TA-Lib's values by name; `None` before the warm-up.
#[derive(Debug, Deserialize)]
pub(crate) struct Golden {
    pub(crate) high: Vec<f64>,
    pub(crate) low: Vec<f64>,
    pub(crate) close: Vec<f64>,
    pub(crate) volume: Vec<f64>,
    indicators: BTreeMap<String, Vec<Option<f64>>>,
}

impl Golden {
    pub(crate) fn read() -> Self {
        serde_json::from_str(include_str!("../../tests/golden/indicators_talib.json")).unwrap()
    }

    /// Our values begin where TA-Lib's do and agree within 1e-9 of their size.
    #[track_caller]
    pub(crate) fn check(&self, name: &str, ours: &[f64]) {
        let theirs = &self.indicators[name];
        assert_eq!(ours.len(), theirs.len());
        for (t, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
            match theirs {
                None => assert!(ours.is_nan(), "{name}[{t}] is {ours} before the warm-up"),
                Some(theirs) => assert!(
                    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0),
                    "{name}[{t}]: {ours} and TA-Lib {theirs}"
                ),
            }
        }
    }
}
