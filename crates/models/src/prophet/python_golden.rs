//! Prophet against Python's; `tests/golden/prophet_python.py` made the numbers.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::trend::Trend;
use super::*;

#[derive(Deserialize)]
struct Golden {
    series: Vec<GoldenSeries>,
}

#[derive(Deserialize)]
struct GoldenSeries {
    name: String,
    first_day: Date,
    /// Days from each day to the next, of the history and what is forecast.
    day_gaps: Vec<i64>,
    values: Vec<f64>,
    settings: Settings,
    changepoints_t: Vec<f64>,
    params: Params,
    log_posterior: f64,
    /// The rows whose forecasts follow.
    at: Vec<usize>,
    trend: Vec<f64>,
    yhat: Vec<f64>,
    yhat_lower: Vec<f64>,
    yhat_upper: Vec<f64>,
}

#[derive(Deserialize)]
struct Settings {
    yearly: Option<u16>,
    #[serde(default)]
    yearly_mode: Option<Mode>,
    weekly: Option<u16>,
    monthly: Option<u16>,
    headroom: Option<f64>,
    #[serde(default)]
    holidays: bool,
    regressors: Vec<(String, Vec<f64>)>,
}

#[derive(Deserialize)]
struct Params {
    k: [f64; 1],
    m: [f64; 1],
    delta: Vec<f64>,
    beta: Vec<f64>,
    sigma_obs: [f64; 1],
}

impl GoldenSeries {
    fn all() -> Vec<Self> {
        let text = include_str!("../../tests/golden/prophet_python.json");
        serde_json::from_str::<Golden>(text).unwrap().series
    }

    fn days(&self) -> Vec<Date> {
        let mut days = vec![self.first_day];
        for gap in &self.day_gaps {
            days.push(days[days.len() - 1].saturating_add(gap.days()));
        }
        days
    }

    fn prophet_params(&self) -> ProphetParams {
        let Settings { yearly, yearly_mode, weekly, monthly, headroom, .. } = &self.settings;
        let mode = yearly_mode.unwrap_or(Mode::Additive);
        let yearly = yearly.map(|order| Seasonality {
            effect: Effect { mode, ..Effect::default() },
            ..Seasonality::additive("yearly", 365.25, order)
        });
        let weekly = weekly.map(|order| Seasonality::additive("weekly", 7.0, order));
        let monthly = monthly.map(|order| Seasonality::additive("monthly", 30.5, order));
        ProphetParams {
            growth: headroom.map_or(Growth::Linear, |headroom| Growth::Logistic { headroom }),
            seasonalities: yearly.into_iter().chain(weekly).chain(monthly).collect(),
            holidays: self.settings.holidays.then(Effect::default),
            ..ProphetParams::default()
        }
    }

    /// The regressors' values of all days.
    fn regressors(&self) -> Vec<&[f64]> {
        self.settings.regressors.iter().map(|(_, values)| values.as_slice()).collect()
    }

    /// The regressors' values of the history.
    fn known_regressors(&self) -> Vec<&[f64]> {
        self.regressors().into_iter().map(|values| &values[..self.values.len()]).collect()
    }

    fn fit(&self) -> FittedProphetSeries {
        let regressors: Vec<Regressor<'_>> = (self.settings.regressors.iter())
            .zip(self.known_regressors())
            .map(|((name, _), values)| Regressor { name, effect: Effect::default(), values })
            .collect();
        let days = &self.days()[..self.values.len()];
        self.prophet_params().fit_series(days, &self.values, &regressors).unwrap()
    }

    fn log_posterior(&self, fitted: &FittedProphetSeries) -> f64 {
        let days = &self.days()[..self.values.len()];
        fitted.log_posterior(days, &self.values, &self.known_regressors())
    }
}

#[test]
fn the_density_is_stans_and_ours_is_never_lower() {
    let mut names = Vec::new();
    for golden in GoldenSeries::all() {
        let ours = golden.fit();
        for (ours, theirs) in ours.trend.changepoints.iter().zip(&golden.changepoints_t) {
            assert!((ours - theirs).abs() < 1e-12, "{}: a changepoint moved", golden.name);
        }
        let Params { k: [k], m: [m], delta, beta, sigma_obs: [sigma] } = &golden.params;
        let (k, m, deltas) = (*k, *m, delta.clone());
        let trend = Trend { k, m, deltas, ..ours.trend.clone() };
        let mut stan = ours.clone();
        (stan.trend, stan.betas, stan.sigma) = (trend, beta.clone(), *sigma);
        let (ours, stan) = (golden.log_posterior(&ours), golden.log_posterior(&stan));
        println!("{}: ours {ours:.4}, Stan's {stan:.4}, {:+.4}", golden.name, ours - stan);
        assert!(
            (stan - golden.log_posterior).abs() < 1e-3,
            "{}: {stan} instead of {}",
            golden.name,
            golden.log_posterior
        );
        assert!(ours >= stan, "{}: {ours} is less than {stan}", golden.name);
        names.push(golden.name);
    }
    assert_eq!(names.len(), 8);
}

#[test]
fn forecasts_are_pythons_within_one_percent() {
    for golden in GoldenSeries::all() {
        let forecast = golden.fit().forecast(&golden.days(), &golden.regressors());
        let worst = |ours: &[f64], theirs: &[f64]| {
            let differences = golden.at.iter().zip(theirs);
            differences.map(|(&row, theirs)| (ours[row] / theirs - 1.0).abs()).fold(0.0, f64::max)
        };
        let trend = worst(&forecast.trend, &golden.trend);
        let yhat = worst(&forecast.yhat, &golden.yhat);
        println!("{}: trend {trend:.5}, forecast {yhat:.5}", golden.name);
        assert!(yhat < 0.01, "{}: {yhat}", golden.name);
        assert!(trend < 0.01, "{}: {trend}", golden.name);
    }
}

#[test]
fn bands_are_as_wide_as_pythons() {
    for golden in GoldenSeries::all() {
        let fitted = golden.fit();
        let forecast = fitted.forecast(&golden.days(), &golden.regressors());
        let sampling = BandSampling { level: 0.8, samples_count: 2000, seed: 1 };
        let bands = fitted.bands(&forecast, sampling);
        let mut ratios = [(0.0, 0.0); 2];
        for (i, &row) in golden.at.iter().enumerate() {
            let (ours, theirs) = &mut ratios[usize::from(row >= golden.values.len())];
            *ours += bands.yhat_upper[row] - bands.yhat_lower[row];
            *theirs += golden.yhat_upper[i] - golden.yhat_lower[i];
        }
        let [known, future] = ratios.map(|(ours, theirs)| ours / theirs);
        println!("{}: width {known:.4} of Python's on fitted days, {future:.4} after", golden.name);
        // Python samples a thousand times; and where our density is higher there is less noise.
        assert!((0.95..1.02).contains(&known), "{}: {known}", golden.name);
        assert!((0.95..1.02).contains(&future), "{}: {future}", golden.name);
    }
}

#[test]
fn no_small_change_of_a_parameter_raises_the_density() {
    for golden in GoldenSeries::all() {
        let fitted = golden.fit();
        let found = golden.log_posterior(&fitted);
        let parameters_count = 3 + fitted.betas.len() + fitted.trend.deltas.len();
        for (index, change) in (0..parameters_count).flat_map(|i| [(i, 1e-5), (i, -1e-5)]) {
            let mut other = fitted.clone();
            let mut parameters = [&mut other.trend.k, &mut other.trend.m, &mut other.sigma]
                .into_iter()
                .chain(&mut other.betas)
                .chain(&mut other.trend.deltas);
            *parameters.nth(index).unwrap() += change;
            drop(parameters);
            let changed = golden.log_posterior(&other);
            assert!(
                changed < found + 1e-7,
                "{}: parameter {index} changed by {change} gains {}",
                golden.name,
                changed - found
            );
        }
    }
}
