//! Signals: the champion's word on the latest bars.

use std::sync::Arc;

use bist_lifecycle::{
    Explained, Explanation, ExplanationError, FittedModel, Forecast, HORIZON_DEFAULT, HORIZONS,
    HORIZONS_HOURLY, Horizon, ModelVersion,
};
use bist_market::calendar::Calendar;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::session_hours::moment_text;
use bist_market::{Bar, Price, SessionHours, Symbol, ValidatedBars};
use bist_models::{Panel, RowKey};
pub(crate) use bist_store::Serving;
use bist_store::{ForecastRecord, SignalRecord, signal_id};
use bist_trading::{ModelRecord, Signal, SignalInput, WithinSession, decide};
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;

use crate::experiments::ExperimentStep;
use crate::experiments::following::OfRun;
use crate::progress::{Progress, ProgressSink};
use crate::signal_record::ScoringReport;
use crate::training::{Admitted, TrainingError, known_symbols};
use crate::{App, blocking};

/// How far the ratios of adjusted close to close of two bars on one scale may differ by rounding.
const SCALE_TOLERANCE: f64 = 1e-6;

/// What the champions said, and what came of what was said before.
#[derive(Clone, Debug)]
pub struct SignalsRun {
    /// What each champion gave, by horizon.
    pub reports: Vec<SignalsReport>,
    /// Which of the signals served before were scored.
    pub scoring: ScoringReport,
}

/// What a run of the champion gave.
#[derive(Clone, Debug)]
pub struct SignalsReport {
    /// The champion.
    pub model: ModelVersion,
    /// The signals, by symbol.
    pub signals: Vec<SignalRecord>,
    /// Symbols without a forecast, and why.
    pub without_forecast: Vec<WithoutForecast>,
    /// What became of the experiment of this horizon, where there is one.
    pub experiment: Option<ExperimentStep>,
    /// Why it did not go on, where it did not.
    pub experiment_problem: Option<String>,
}

/// A symbol of which nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WithoutForecast {
    /// Which.
    pub symbol: Symbol,
    /// The day of its last bar.
    pub as_of: Option<Date>,
    /// Why.
    pub reason: WithoutForecastReason,
}

/// Why nothing is said of a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutForecastReason {
    /// A forecast from its last bar would have ended before the newest bar of all.
    BarsTooOld,
    /// Its last bars do not tell the volatility that a band needs.
    VolatilityUnknown,
}

impl App {
    /// Makes, keeps and returns forecasts and signals of the champion of each of `horizons`, or of
    /// all, for the latest bars of each symbol it knows. A signal that was made before and says the
    /// same is returned as it was made then. Then the experiment of the horizon goes on, see
    /// [`crate::experiments`]; whatever becomes of it, the champion's word stands. What is shown then
    /// goes on record, and signals of the record whose horizon has ended are scored.
    ///
    /// # Errors
    ///
    /// [`TrainingError::NoModel`] without any such champion; [`TrainingError::Refused`] when the bars are
    /// no longer good enough, and the others as named. Nothing is kept then.
    pub async fn make_signals(
        &self,
        horizons: Option<&[Horizon]>,
        progress: Arc<ProgressSink>,
    ) -> Result<SignalsRun, TrainingError> {
        self.check_audit().await?;
        // Models of the same bars are asked about the same rows.
        let mut asked = Vec::new();
        for alike in [&HORIZONS[..], &HORIZONS_HOURLY] {
            let is_wanted = |horizon: &&Horizon| horizons.is_none_or(|all| all.contains(horizon));
            let wanted: Vec<Horizon> = alike.iter().filter(is_wanted).copied().collect();
            let champions = self.champions(&wanted).await?;
            if !champions.is_empty() {
                let admitted = self.admit_for(&champions, &*progress).await?;
                asked.push((champions, Arc::new(admitted)));
            }
        }
        if asked.is_empty() {
            let first = horizons.and_then(<[Horizon]>::first).copied();
            return Err(TrainingError::NoModel(first.unwrap_or(HORIZON_DEFAULT)));
        }
        let total = asked.iter().map(|(champions, _)| champions.len() as u64).sum();
        let mut reports = Vec::new();
        for (champions, admitted) in asked {
            for (index, model) in champions.into_iter().enumerate() {
                progress(Progress::of("forecasting", reports.len() as u64, total));
                let fitted = self.fitted_model(&model).await?;
                let of_model = Arc::clone(&admitted);
                let (model, said) = blocking(move || {
                    let said = said_by(&model, &fitted, &of_model, index);
                    (model, said)
                })
                .await;
                let said = said?;
                let forecasts = said.iter().map(|said| said.forecast.clone()).collect();
                let serving = self.serving(model.lineage.spec.horizon).await?;
                let report = self.keep(model, said, &admitted, serving).await?;
                let of_run = OfRun { admitted: &admitted, index };
                let report = self.follow_experiment(report, forecasts, of_run).await;
                self.store.serve_signals(&report.signals).await?;
                self.live.stir();
                reports.push(report);
            }
        }
        progress(Progress::of("forecasting", total, total));
        let scoring = self.score_signals(progress).await?;
        self.apply_paper_sessions_after_ingest().await;
        Ok(SignalsRun { reports, scoring })
    }

    /// The champions of those of `horizons` that have one.
    async fn champions(&self, horizons: &[Horizon]) -> Result<Vec<ModelVersion>, TrainingError> {
        let mut champions = Vec::new();
        for horizon in horizons {
            champions.extend(self.store.champion(*horizon).await?);
        }
        Ok(champions)
    }

    /// The bars that `champions`, of which there is one, are asked about, with a panel for each.
    async fn admit_for(
        &self,
        champions: &[ModelVersion],
        progress: &ProgressSink,
    ) -> Result<Admitted, TrainingError> {
        let mut wanted: Vec<Symbol> = champions.iter().flat_map(known_symbols).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let specs = champions.iter().map(|champion| &champion.lineage.spec);
        let asked: Vec<_> = specs.map(|spec| (spec.horizon, spec.features)).collect();
        self.admit(Some(&wanted), &asked, progress).await
    }

    /// Keeps what `model` said, and puts it on record as `serving` says.
    pub(crate) async fn keep(
        &self,
        model: ModelVersion,
        said: Vec<Said>,
        admitted: &Admitted,
        serving: Serving,
    ) -> Result<SignalsReport, TrainingError> {
        let (origin, made_at) = (admitted.origin, self.now());
        let mut forecasts = Vec::with_capacity(said.len());
        let mut signals = Vec::with_capacity(said.len());
        let mut explanations = Vec::with_capacity(said.len());
        for Said { last_close, forecast, explanation, signal } in said {
            explanations.push(explanation);
            signals.push(signal_record(&model, admitted, made_at, signal));
            let model_version = model.id.clone();
            forecasts.push(ForecastRecord { origin, model_version, made_at, last_close, forecast });
        }
        self.store.save_snapshot(&admitted.snapshot_hash, &admitted.snapshot).await?;
        let signals = self
            .store
            .save_signals(&forecasts, &signals, &explanations, serving, &self.audit().await?)
            .await?;
        self.live.stir();

        let (horizon, newest) = (model.lineage.spec.horizon, admitted.newest());
        let known = known_symbols(&model);
        let silent = admitted.universe.series().iter().filter(|series| {
            known.contains(&series.symbol())
                && !signals.iter().any(|record| record.signal.symbol == series.symbol())
        });
        let without_forecast = silent
            .map(|series| {
                let as_of = series.bars().last().map(|bar| bar.day);
                let reason = if is_too_old(series, horizon, newest) {
                    WithoutForecastReason::BarsTooOld
                } else {
                    WithoutForecastReason::VolatilityUnknown
                };
                WithoutForecast { symbol: series.symbol(), as_of, reason }
            })
            .collect();
        Ok(SignalsReport {
            model,
            signals,
            without_forecast,
            experiment: None,
            experiment_problem: None,
        })
    }
}

/// A signal of `model` as it is kept.
pub(crate) fn signal_record(
    model: &ModelVersion,
    admitted: &Admitted,
    made_at: Timestamp,
    signal: Signal,
) -> SignalRecord {
    SignalRecord {
        id: signal_id(&model.id, signal.symbol, signal.as_of, signal.as_of_time),
        origin: admitted.origin,
        model_version: model.id.clone(),
        snapshot_hash: admitted.snapshot_hash.clone(),
        made_at,
        signal,
    }
}

/// Of what and as of when a signal is.
pub(crate) fn signal_moment(record: &SignalRecord) -> (Symbol, String) {
    let signal = &record.signal;
    (signal.symbol, moment_text(signal.as_of, signal.as_of_time))
}

/// What the model says of one symbol.
pub(crate) struct Said {
    last_close: Price,
    pub(crate) forecast: Forecast,
    pub(crate) explanation: Explanation,
    pub(crate) signal: Signal,
}

/// What `model` says of the latest bars of the symbols it knows; its panel is the `index`-th of those
/// admitted.
///
/// # Errors
///
/// [`ExplanationError`] when the parts of a forecast do not add up to it: then nothing is said.
pub(crate) fn said_by(
    model: &ModelVersion,
    fitted: &FittedModel,
    admitted: &Admitted,
    index: usize,
) -> Result<Vec<Said>, ExplanationError> {
    said_on(model, fitted, admitted, &admitted.panels[index])
}

/// The same by a panel of one's choice.
///
/// # Errors
///
/// As [`said_by`].
pub(crate) fn said_on(
    model: &ModelVersion,
    fitted: &FittedModel,
    admitted: &Admitted,
    panel: &Panel,
) -> Result<Vec<Said>, ExplanationError> {
    let (known, newest) = (known_symbols(model), admitted.newest());
    let record = model.evaluation.model_record();
    let explained = fitted.explain_latest(panel, Calendar::bist())?;
    let said = explained
        .into_iter()
        .filter(|explained| known.contains(&explained.forecast.symbol))
        .filter_map(|Explained { forecast, explanation }| {
            let mut series = admitted.universe.series().iter();
            let series = series.find(|series| series.symbol() == forecast.symbol)?;
            if is_too_old(series, forecast.horizon, newest) {
                return None;
            }
            let last = last_known(series, &forecast)?;
            let last_close = series.bars()[last].close;
            let within_session = within_session(series, last, &forecast);
            let signal =
                signal(&forecast, &explanation, last_close, within_session, model, &record);
            Some(Said { last_close, forecast, explanation, signal })
        });
    Ok(said.collect())
}

/// Whether a forecast for `horizon` from the last bar of `series` ends before the newest bar of all.
fn is_too_old(series: &ValidatedBars, horizon: Horizon, newest: Option<RowKey>) -> bool {
    let (Some(last), Some(newest)) = (series.bars().last(), newest) else { return false };
    match horizon {
        Horizon::Sessions(sessions) => Calendar::bist()
            .session_after(last.day, sessions.get().into())
            .is_some_and(|end| end < newest.day),
        Horizon::NextHour => next_hour(last) < Some((newest.day, newest.time)),
        Horizon::EndOfDay => last.day < newest.day,
    }
}

/// When the bar after an hourly one begins; that of its own when it is the last of its session.
fn next_hour(bar: &Bar) -> Option<(Date, Time)> {
    let time = bar.opening_time();
    let hours = SessionHours::on(bar.day, Calendar::bist(), ExchangeRules::bist())?;
    Some((bar.day, if hours.bars_after(time) > 0 { hours.bar_ends(time) } else { time }))
}

/// The last bar of `series` that `forecast` knows.
fn last_known(series: &ValidatedBars, forecast: &Forecast) -> Option<usize> {
    series.bars().iter().rposition(|bar| {
        bar.day == forecast.as_of
            && forecast.as_of_time.is_none_or(|known_at| bar.opening_time() < known_at)
    })
}

/// The session of a forecast that ends within it; its base price is the close of the bar before its
/// first, where the two may be compared and are on one scale.
fn within_session(
    series: &ValidatedBars,
    last: usize,
    forecast: &Forecast,
) -> Option<WithinSession> {
    let bars = series.bars();
    let known_at = forecast.as_of_time?;
    let ends_at = forecast.last_step().time?;
    let first = bars.partition_point(|bar| bar.day < bars[last].day);
    let scale = |bar: &Bar| bar.adjusted_close.map(|adjusted| adjusted / bar.close.lira());
    let before = first.checked_sub(1).map(|before| &bars[before]);
    let before = before.filter(|before| {
        let same_scale = match (scale(before), scale(&bars[first])) {
            (Some(before), Some(first)) => (before / first - 1.0).abs() < SCALE_TOLERANCE,
            (None, None) => true,
            _ => false,
        };
        series.continues(first) && same_scale
    });
    Some(WithinSession { known_at, ends_at, base_price: before.map(|before| before.close) })
}

fn signal(
    forecast: &Forecast,
    explanation: &Explanation,
    last_close: Price,
    within_session: Option<WithinSession>,
    model: &ModelVersion,
    record: &ModelRecord,
) -> Signal {
    let step = forecast.last_step();
    decide(&SignalInput {
        symbol: forecast.symbol,
        as_of: forecast.as_of,
        last_close,
        horizon: forecast.horizon,
        within_session,
        expected_log_return: forecast.expected_log_return,
        expected_interval_80: forecast.expected_interval_80,
        interval_80: step.interval_80,
        interval_50: step.interval_50,
        probability_up: forecast.probability_up,
        base_share: explanation.base,
        contributions: &explanation.contributions(),
        model_record: record,
        symbol_record: &model.evaluation.symbol_record(forecast.symbol),
        costs: &model.lineage.spec.costs,
        policy: model.lineage.spec.signal,
        calendar: Calendar::bist(),
        rules: ExchangeRules::bist(),
    })
}
