//! Hyperparameters, under Python prophet's names.

use serde::{Deserialize, Serialize};

use crate::forecaster::FitError;

/// Hyperparameters of a Prophet model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProphetParams {
    /// The shape of the trend.
    pub growth: Growth,
    /// Most places at which the slope of the trend may change; fewer when there are too few rows.
    pub n_changepoints: u16,
    /// The share of the rows, from the first on, among which the changepoints are spread; above 0
    /// and at most 1.
    pub changepoint_range: f64,
    /// Scale of the Laplace prior of a slope change, in units of the scaled series over its whole
    /// time; above 0.
    pub changepoint_prior_scale: f64,
    /// The seasonal curves.
    pub seasonalities: Vec<Seasonality>,
    /// How days next to the exchange's closures are treated; `None` leaves them alone.
    pub holidays: Option<Effect>,
}

/// The shape of the trend.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Growth {
    /// Straight between changepoints.
    Linear,
    /// Logistic between changepoints, saturating at a cap and a floor.
    Logistic {
        /// How far the cap lies above the highest value of the series and the floor below the
        /// lowest, as a share of the distance between the two; above 0.
        headroom: f64,
    },
}

/// How a term joins the trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is added to the trend.
    Additive,
    /// The trend, counted from its floor, is multiplied by one and the term.
    Multiplicative,
}

/// How the coefficients of a term are treated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Effect {
    /// How the term joins the trend.
    pub mode: Mode,
    /// Standard deviation of the normal prior of each coefficient, in units of the scaled series;
    /// above 0.
    pub prior_scale: f64,
}

/// A curve that repeats itself: a Fourier series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seasonality {
    /// Its name in decompositions.
    pub name: String,
    /// How long one turn takes, in days; above 0.
    pub period_days: f64,
    /// Pairs of sine and cosine; 1 or more.
    pub fourier_order: u16,
    /// How it joins the trend, and the prior of its coefficients.
    pub effect: Effect,
}

impl Seasonality {
    /// Python prophet's yearly curve.
    pub fn yearly() -> Self {
        Self::additive("yearly", 365.25, 10)
    }

    /// Python prophet's weekly curve.
    pub fn weekly() -> Self {
        Self::additive("weekly", 7.0, 3)
    }

    /// An additive curve with the default prior.
    pub fn additive(name: &str, period_days: f64, fourier_order: u16) -> Self {
        Self { name: name.to_owned(), period_days, fourier_order, effect: Effect::default() }
    }
}

impl Default for Effect {
    /// Additive, with the prior scale of Python prophet.
    fn default() -> Self {
        Self { mode: Mode::Additive, prior_scale: 10.0 }
    }
}

impl Default for ProphetParams {
    /// Python prophet's defaults for daily data, with the exchange's closures.
    fn default() -> Self {
        Self {
            growth: Growth::Linear,
            n_changepoints: 25,
            changepoint_range: 0.8,
            changepoint_prior_scale: 0.05,
            seasonalities: vec![Seasonality::yearly(), Seasonality::weekly()],
            holidays: Some(Effect::default()),
        }
    }
}

impl ProphetParams {
    pub(crate) fn check(&self) -> Result<(), FitError> {
        let positive =
            |name, value: f64| (name, value, value > 0.0 && value.is_finite(), "above 0");
        let range = self.changepoint_range;
        let mut rules = vec![
            ("changepoint_range", range, range > 0.0 && range <= 1.0, "above 0 and at most 1"),
            positive("changepoint_prior_scale", self.changepoint_prior_scale),
        ];
        if let Growth::Logistic { headroom } = self.growth {
            rules.push(positive("headroom", headroom));
        }
        for seasonality in &self.seasonalities {
            let order = f64::from(seasonality.fourier_order);
            rules.push(("fourier_order", order, order >= 1.0, "1 or more"));
            rules.push(positive("period_days", seasonality.period_days));
        }
        let effects = self.seasonalities.iter().map(|s| s.effect).chain(self.holidays);
        rules.extend(effects.map(|effect| positive("prior_scale", effect.prior_scale)));
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((name, value, _, range)) => Err(FitError::Parameter { name, value, range }),
            None => Ok(()),
        }
    }
}
