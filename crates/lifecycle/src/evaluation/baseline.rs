//! What a model is compared with. A baseline more is a line of [`Baseline`], and its forecast where
//! the compiler then asks for it.

use std::collections::BTreeMap;
use std::ops::Index;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A forecast that a model must be better than to be worth anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Baseline {
    /// Ridge regression on the same rows.
    Ridge,
    /// The elastic net on the same rows.
    ElasticNet,
    /// Exponential smoothing of each symbol's price.
    Ets,
    /// A random walk with the drift of each symbol.
    Drift,
    /// The return of the last horizon repeated.
    SeasonalNaive,
    /// The mean of the rows the model learned from.
    TrainingMean,
    /// Zero.
    Zero,
}

impl Baseline {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Ridge,
        Self::ElasticNet,
        Self::Ets,
        Self::Drift,
        Self::SeasonalNaive,
        Self::TrainingMean,
        Self::Zero,
    ];

    /// The word used in the API and the files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ridge => "ridge",
            Self::ElasticNet => "elastic_net",
            Self::Ets => "ets",
            Self::Drift => "drift",
            Self::SeasonalNaive => "seasonal_naive",
            Self::TrainingMean => "training_mean",
            Self::Zero => "zero",
        }
    }
}

/// A value for each baseline; in JSON an object with a member for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByBaseline<T>([T; Baseline::ALL.len()]);

impl<T> ByBaseline<T> {
    /// The values that `value` gives.
    pub fn of(value: impl FnMut(Baseline) -> T) -> Self {
        Self(Baseline::ALL.map(value))
    }

    /// The values that `value` gives.
    ///
    /// # Errors
    ///
    /// The first that it gives.
    pub fn try_of<E>(mut value: impl FnMut(Baseline) -> Result<T, E>) -> Result<Self, E> {
        let mut values = Vec::with_capacity(Baseline::ALL.len());
        for baseline in Baseline::ALL {
            values.push(value(baseline)?);
        }
        match values.try_into() {
            Ok(values) => Ok(Self(values)),
            Err(_) => unreachable!("one value was taken for each baseline"),
        }
    }

    /// The baselines with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Baseline, &T)> {
        Baseline::ALL.into_iter().zip(&self.0)
    }
}

impl<T> Index<Baseline> for ByBaseline<T> {
    type Output = T;

    fn index(&self, baseline: Baseline) -> &T {
        &self.0[baseline as usize]
    }
}

impl<T: Serialize> Serialize for ByBaseline<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByBaseline<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut values = BTreeMap::<Baseline, T>::deserialize(deserializer)?;
        let mut in_order = Vec::with_capacity(values.len());
        for baseline in Baseline::ALL {
            let value = values.remove(&baseline);
            in_order.push(value.ok_or_else(|| D::Error::missing_field(baseline.word()))?);
        }
        let complete = in_order.try_into().map_err(|_| "as many values as baselines");
        complete.map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_baseline_has_its_own_place_and_word() {
        let places = ByBaseline::of(|baseline| baseline as usize);
        for (place, baseline) in Baseline::ALL.into_iter().enumerate() {
            assert_eq!(places[baseline], place);
            let json = serde_json::to_value(baseline).unwrap();
            assert_eq!(json, baseline.word());
        }
    }

    #[test]
    fn a_value_that_is_missing_is_named() {
        let read = |json| serde_json::from_str::<ByBaseline<f64>>(json);
        let error = read(r#"{"ridge": 1.0, "elastic_net": 1.0, "ets": 1.0, "drift": 1.0, "seasonal_naive": 2.0, "zero": 3.0}"#).unwrap_err();
        assert!(error.to_string().contains("training_mean"), "{error}");
        let whole = ByBaseline::of(|baseline| f64::from(baseline as u8));
        assert_eq!(read(&serde_json::to_string(&whole).unwrap()).unwrap(), whole);
    }
}
