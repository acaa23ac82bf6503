//! A fitted model with its band: what forecasts from now on.

use std::collections::BTreeMap;

use bist_market::{Calendar, ExchangeRules, SessionHours, Symbol};
use bist_models::{
    AdaptiveBand, BARRIER_WIDTH, ConformalBand, Horizon, Panel, ProbabilityCalibration, RowKey,
};
use bist_trading::{Estimate, ReturnInterval};
use jiff::civil::{Date, Time};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::evaluation::centre;
use crate::explanation::{Explained, ExplanationError};
use crate::members::FittedMembers;
use crate::outlook::{FittedOutlook, Outlook};
use crate::regime::{self, RegimeWeights, turbulence_of_row};
use crate::row_model::{ProphetDay, RowModel};

/// What is expected some sessions ahead, or at the end of a horizon within a session. Log-returns
/// from the last close.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastStep {
    /// Sessions ahead; one for the end of a horizon within a session.
    pub session: u32,
    /// The day of that session; `None` when the calendar does not reach so far.
    pub day: Option<Date>,
    /// The time of that day, in Istanbul, at which a horizon within a session ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// The centre: the forecast over the horizon times `session / horizon`, a straight line. The
    /// model says nothing on the way there.
    pub centre: f64,
    /// Where the return will lie with probability 0.5.
    pub interval_50: ReturnInterval,
    /// Where the return will lie with probability 0.8.
    pub interval_80: ReturnInterval,
    /// Where the return will lie with probability 0.95.
    pub interval_95: ReturnInterval,
}

/// A forecast for one symbol. Log-returns, total return.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Whose.
    pub symbol: Symbol,
    /// The day of the last bar it knows.
    pub as_of: Date,
    /// The time, in Istanbul, at which that bar closed, where it is not that of a whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of_time: Option<Time>,
    /// How far ahead it looks.
    pub horizon: Horizon,
    /// Standard deviation of the daily log-returns of the last 20 sessions; within a session, of the
    /// return over the horizon by the last 20 hourly ones.
    pub volatility: f64,
    /// The forecast over the horizon.
    pub expected_log_return: f64,
    /// Where the expected return lies with probability 0.8: the drift plus the rest of the forecast
    /// times the ends of the interval of the model's calibration slope.
    pub expected_interval_80: ReturnInterval,
    /// Probability that the close is higher at the end of the horizon, calibrated out of sample.
    pub probability_up: f64,
    /// What is said besides the return.
    pub outlook: Outlook,
    /// Sessions 1, 2, ... up to the horizon, or its end within the session. The band of each step
    /// is calibrated on errors of that many sessions.
    pub steps: Vec<ForecastStep>,
}

impl Forecast {
    /// How far the barriers of the outlook are from the price of entry, log-return.
    pub fn barrier_distance(&self) -> f64 {
        BARRIER_WIDTH * self.volatility * f64::from(self.horizon.sessions()).sqrt()
    }

    /// Where the return over the horizon will lie with probability 0.5 and 0.8.
    ///
    /// # Panics
    ///
    /// Never: a forecast has a step for each session of its horizon, which is one or more.
    pub fn last_step(&self) -> &ForecastStep {
        self.steps.last().expect("a horizon has at least one session")
    }
}

/// From the close of a row's bar to the end of the horizon.
#[derive(Clone, Copy)]
enum Span {
    /// Over sessions.
    Sessions,
    /// From one time of a day to another.
    WithinSession { begins: Time, ends: Time },
}

impl Span {
    /// That of the row `key`; `None` when nothing is left of its session, or its hours are not known.
    fn of(key: RowKey, horizon: Horizon, calendar: &Calendar) -> Option<Self> {
        let hours = || SessionHours::on(key.day, calendar, ExchangeRules::bist());
        let left = |hours: &SessionHours| hours.bars_after(key.time) > 0;
        match horizon {
            Horizon::Sessions(_) => Some(Self::Sessions),
            Horizon::NextHour => hours().filter(left).map(|hours| {
                let begins = hours.bar_ends(key.time);
                Self::WithinSession { begins, ends: hours.bar_ends(begins) }
            }),
            Horizon::EndOfDay => hours().filter(left).map(|hours| Self::WithinSession {
                begins: hours.bar_ends(key.time),
                ends: hours.ends(),
            }),
        }
    }

    const fn begins(self) -> Option<Time> {
        match self {
            Self::Sessions => None,
            Self::WithinSession { begins, .. } => Some(begins),
        }
    }

    const fn ends(self) -> Option<Time> {
        match self {
            Self::Sessions => None,
            Self::WithinSession { ends, .. } => Some(ends),
        }
    }
}

/// The ensemble with what its record out of sample taught.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedModel {
    /// The members; their forecasts are relative to `drift`.
    pub members: FittedMembers,
    /// How much each counts.
    pub weights: RegimeWeights,
    /// What is added to the forecast of the members, log-return over the horizon.
    pub drift: f64,
    /// What it says besides the return.
    pub outlook: FittedOutlook,
    /// How much return has come out of sample for a unit of return forecast.
    pub calibration_slope: Option<Estimate>,
    /// How wide its forecasts must be drawn, by its whole record.
    pub band: ConformalBand,
    /// By how much wider or narrower, by the latest days of its record.
    pub adaptive: AdaptiveBand,
    /// What the outlook's probability of a rise means.
    pub direction: ProbabilityCalibration,
    /// How far ahead it looks.
    pub horizon: Horizon,
}

/// What is known of the row of a forecast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ForecastRow<'a> {
    pub(crate) key: RowKey,
    /// Standard deviation of the daily log-returns of the last 20 sessions; NaN when unknown.
    pub(crate) volatility: f64,
    /// The names of the columns.
    pub(crate) names: &'a [String],
    /// The value of each column.
    pub(crate) features: &'a [f64],
}

/// Why bytes are not a fitted model.
#[derive(Debug, thiserror::Error)]
#[error("not a fitted model of this version: {0}")]
pub struct FittedModelError(#[from] serde_json::Error);

impl FittedModel {
    /// The kind of model.
    pub const KIND: &str = "ensemble";

    /// Forecasts for `row` of `panel`; `None` when its volatility is not known or zero, because
    /// then no band can be drawn, and when nothing is left of its session to forecast.
    ///
    /// # Panics
    ///
    /// When the columns of the panel are not those the model was fitted on, or there is no such
    /// row.
    pub fn forecast(&self, panel: &Panel, row: usize, calendar: &Calendar) -> Option<Forecast> {
        let day = self.prophet_day(panel, row);
        let row_model = RowModel::of(self, panel, row, day.as_ref());
        row_model.forecast(&panel.known.features.row(row), calendar)
    }

    /// Forecasts for `row` of `panel` and says why; `None` as [`Self::forecast`].
    ///
    /// # Errors
    ///
    /// [`ExplanationError`] when the parts do not add up to the forecast.
    ///
    /// # Panics
    ///
    /// As [`Self::forecast`].
    pub fn explain(
        &self,
        panel: &Panel,
        row: usize,
        calendar: &Calendar,
    ) -> Result<Option<Explained>, ExplanationError> {
        let day = self.prophet_day(panel, row);
        let row_model = RowModel::of(self, panel, row, day.as_ref());
        row_model.explain(&panel.known.features.row(row), calendar)
    }

    /// What Prophet says of all symbols of the day of `row`; `None` without Prophet.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    pub fn prophet_day(&self, panel: &Panel, row: usize) -> Option<ProphetDay> {
        let prophet = self.members.prophet.as_ref()?;
        Some(ProphetDay::of(prophet, &panel.known, panel.known.keys[row].day))
    }

    /// The forecast for one row, wherever it comes from; `of_members` gives the members' forecasts.
    pub(crate) fn forecast_row(
        &self,
        row: &ForecastRow<'_>,
        of_members: impl FnOnce() -> Vec<f64>,
        calendar: &Calendar,
    ) -> Option<Forecast> {
        let ForecastRow { key, volatility, names, features } = *row;
        if !(volatility.is_finite() && volatility > 0.0) {
            return None;
        }
        let span = Span::of(key, self.horizon, calendar)?;
        let of_members = of_members();
        let weights = self.weights.at(turbulence_of_row(names, features));
        let expected_log_return = self.drift + regime::combine(&weights, &of_members);
        let outlook = self.outlook.predict_row(features, volatility);
        let steps = (1..=self.horizon.sessions())
            .map(|session| {
                let day = match span {
                    Span::Sessions => calendar.session_after(key.day, u32::from(session)),
                    Span::WithinSession { .. } => Some(key.day),
                };
                let time = span.ends();
                self.step(session, (day, time), expected_log_return, volatility)
            })
            .collect::<Option<Vec<_>>>()?;
        Some(Forecast {
            symbol: key.symbol,
            as_of: key.day,
            as_of_time: span.begins(),
            horizon: self.horizon,
            volatility,
            expected_log_return,
            expected_interval_80: self.expected_interval(expected_log_return),
            outlook,
            probability_up: self.direction.apply(outlook.up_share),
            steps,
        })
    }

    /// Where the expected return lies; from one sign to the other, when nothing is known of the
    /// slope.
    fn expected_interval(&self, expected_log_return: f64) -> ReturnInterval {
        let slope = self.calibration_slope.map_or((-1.0, 1.0), |slope| (slope.low, slope.high));
        let of_members = expected_log_return - self.drift;
        let (a, b) = (self.drift + slope.0 * of_members, self.drift + slope.1 * of_members);
        ReturnInterval { low: a.min(b), high: a.max(b) }
    }

    /// Forecasts for the latest row of each symbol, by symbol, and says why; within a session for the
    /// latest row after which something is left of it. A symbol whose latest row cannot be forecast
    /// is left out.
    ///
    /// # Errors
    ///
    /// [`ExplanationError`] when the parts of a forecast do not add up to it.
    ///
    /// # Panics
    ///
    /// As [`Self::forecast`].
    pub fn explain_latest(
        &self,
        panel: &Panel,
        calendar: &Calendar,
    ) -> Result<Vec<Explained>, ExplanationError> {
        let mut days: BTreeMap<Date, Option<ProphetDay>> = BTreeMap::new();
        let mut explained = Vec::new();
        for row in self.latest_rows(panel, calendar).into_values() {
            let day = panel.known.keys[row].day;
            let day = days.entry(day).or_insert_with(|| self.prophet_day(panel, row));
            let row_model = RowModel::of(self, panel, row, day.as_ref());
            explained.extend(row_model.explain(&panel.known.features.row(row), calendar)?);
        }
        Ok(explained)
    }

    /// The forecasts of [`Self::explain_latest`], without saying why.
    ///
    /// # Panics
    ///
    /// As [`Self::forecast`].
    pub fn latest_forecasts(&self, panel: &Panel, calendar: &Calendar) -> Vec<Forecast> {
        let mut days: BTreeMap<Date, Option<ProphetDay>> = BTreeMap::new();
        let mut forecasts = Vec::new();
        for row in self.latest_rows(panel, calendar).into_values() {
            let day = panel.known.keys[row].day;
            let day = days.entry(day).or_insert_with(|| self.prophet_day(panel, row));
            let row_model = RowModel::of(self, panel, row, day.as_ref());
            forecasts.extend(row_model.forecast(&panel.known.features.row(row), calendar));
        }
        forecasts
    }

    /// Forecasts for each of `rows`, which ascend, and says why; a row that cannot be forecast has
    /// `None`.
    ///
    /// # Errors
    ///
    /// [`ExplanationError`] when the parts of a forecast do not add up to it.
    ///
    /// # Panics
    ///
    /// As [`Self::forecast`].
    pub fn explain_rows(
        &self,
        panel: &Panel,
        rows: &[usize],
        calendar: &Calendar,
    ) -> Result<Vec<Option<Explained>>, ExplanationError> {
        let of_rows =
            self.for_rows(panel, rows, |row_model, features| row_model.explain(features, calendar));
        of_rows.into_iter().collect()
    }

    /// Forecasts for each of `rows`, which ascend; a row that cannot be forecast has `None`.
    ///
    /// # Panics
    ///
    /// As [`Self::forecast`].
    pub fn forecast_rows(
        &self,
        panel: &Panel,
        rows: &[usize],
        calendar: &Calendar,
    ) -> Vec<Option<Forecast>> {
        self.for_rows(panel, rows, |row_model, features| row_model.forecast(features, calendar))
    }

    /// Asks about each of `rows`, which ascend, day by day, as what Prophet says is of a day.
    fn for_rows<T: Send>(
        &self,
        panel: &Panel,
        rows: &[usize],
        ask: impl Fn(&RowModel<'_>, &[f64]) -> T + Sync,
    ) -> Vec<T> {
        let keys = &panel.known.keys;
        let days: Vec<&[usize]> = rows.chunk_by(|&a, &b| keys[a].day == keys[b].day).collect();
        let of_days: Vec<Vec<T>> = days
            .into_par_iter()
            .map(|rows| {
                let day = self.prophet_day(panel, rows[0]);
                let of_row = |&row: &usize| {
                    let row_model = RowModel::of(self, panel, row, day.as_ref());
                    ask(&row_model, &panel.known.features.row(row))
                };
                rows.iter().map(of_row).collect()
            })
            .collect();
        of_days.into_iter().flatten().collect()
    }

    /// The latest row of each symbol after which something is left to forecast.
    pub fn latest_rows(&self, panel: &Panel, calendar: &Calendar) -> BTreeMap<Symbol, usize> {
        let mut latest = BTreeMap::new();
        for (row, key) in panel.known.keys.iter().enumerate() {
            if Span::of(*key, self.horizon, calendar).is_some() {
                latest.insert(key.symbol, row);
            }
        }
        latest
    }

    /// Writes the model. Equal models have equal bytes.
    ///
    /// # Panics
    ///
    /// Never: a fitted model has no maps with keys that JSON cannot hold.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a fitted model is plain data")
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    ///
    /// [`FittedModelError`] when the bytes are something else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FittedModelError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    fn step(
        &self,
        session: u8,
        (day, time): (Option<Date>, Option<Time>),
        expected_log_return: f64,
        volatility: f64,
    ) -> Option<ForecastStep> {
        let step = usize::from(session);
        let centre = centre(expected_log_return, step, self.horizon);
        let interval = |level| {
            self.adaptive
                .interval(&self.band, step, level, centre, volatility)
                .map(|(low, high)| ReturnInterval { low, high })
        };
        Some(ForecastStep {
            session: u32::from(session),
            day,
            time,
            centre,
            interval_50: interval(0.5)?,
            interval_80: interval(0.8)?,
            interval_95: interval(0.95)?,
        })
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
