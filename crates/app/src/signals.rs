//! Signals: the champion's word on the latest bars.

use std::sync::Arc;

use bist_lifecycle::{Forecast, ModelVersion};
use bist_market::calendar::Calendar;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::{Price, Symbol};
use bist_store::{ForecastRecord, SignalRecord};
use bist_trading::{ModelRecord, Signal, SignalInput, decide};
use jiff::civil::Date;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::training::{Admitted, TrainingError, horizon, known_symbols};
use crate::{App, blocking};

/// What a run of the champion gave.
#[derive(Clone, Debug)]
pub struct SignalsReport {
    /// The champion.
    pub model: ModelVersion,
    /// The signals, by symbol.
    pub signals: Vec<SignalRecord>,
    /// Symbols without a forecast, and why.
    pub without_forecast: Vec<WithoutForecast>,
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
    /// Makes, keeps and returns forecasts and signals of the champion for the latest bars of each
    /// symbol it knows.
    ///
    /// # Errors
    ///
    /// [`TrainingError::NoModel`] without a champion; [`TrainingError::Refused`] when the bars are
    /// no longer good enough, and the others as named.
    pub async fn make_signals(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<SignalsReport, TrainingError> {
        let model = self.champion().await?;
        let fitted = self.fitted_model(&model)?;
        let admitted = self.admit(Some(&known_symbols(&model)), &*progress).await?;
        let made_at = self.now();
        progress(Progress { stage: "forecasting", done: 0, total: 1 });
        let (model, admitted, said) = blocking(move || {
            let newest = admitted.panel.known.keys.last().map(|key| key.day);
            let forecasts = fitted.latest_forecasts(&admitted.panel, Calendar::bist());
            let record = model.evaluation.model_record();
            let said: Vec<(Price, Forecast, Signal)> = forecasts
                .into_iter()
                .filter(|forecast| !ends_before(forecast.as_of, newest))
                .filter_map(|forecast| {
                    let last_close = last_close(&admitted, forecast.symbol)?;
                    let signal = signal(&forecast, last_close, &model, &record);
                    Some((last_close, forecast, signal))
                })
                .collect();
            (model, admitted, said)
        })
        .await;

        let origin = admitted.origin;
        let mut forecasts = Vec::with_capacity(said.len());
        let mut signals = Vec::with_capacity(said.len());
        for (last_close, forecast, signal) in said {
            let model_version = model.id.clone();
            signals.push(SignalRecord {
                id: format!("{model_version}-{}-{}", signal.symbol, signal.as_of),
                origin,
                model_version: model_version.clone(),
                snapshot_hash: admitted.snapshot_hash.clone(),
                made_at,
                signal,
            });
            forecasts.push(ForecastRecord { origin, model_version, made_at, last_close, forecast });
        }
        self.store.save_signals(&forecasts, &signals).await?;
        progress(Progress { stage: "forecasting", done: 1, total: 1 });

        let newest = admitted.panel.known.keys.last().map(|key| key.day);
        let silent =
            admitted.universe.series().iter().filter(|series| {
                !signals.iter().any(|record| record.signal.symbol == series.symbol())
            });
        let without_forecast = silent
            .map(|series| {
                let as_of = series.bars().last().map(|bar| bar.day);
                let reason = if as_of.is_some_and(|as_of| ends_before(as_of, newest)) {
                    WithoutForecastReason::BarsTooOld
                } else {
                    WithoutForecastReason::VolatilityUnknown
                };
                WithoutForecast { symbol: series.symbol(), as_of, reason }
            })
            .collect();
        Ok(SignalsReport { model, signals, without_forecast })
    }
}

/// Whether a forecast made on `as_of` ends before `newest`.
fn ends_before(as_of: Date, newest: Option<Date>) -> bool {
    let end = Calendar::bist().session_after(as_of, u32::from(horizon().sessions()));
    end.is_some_and(|end| newest.is_some_and(|newest| end < newest))
}

/// The last close of `symbol` as traded.
fn last_close(admitted: &Admitted, symbol: Symbol) -> Option<Price> {
    let series = admitted.universe.series().iter().find(|series| series.symbol() == symbol)?;
    series.bars().last().map(|bar| bar.close)
}

fn signal(
    forecast: &Forecast,
    last_close: Price,
    model: &ModelVersion,
    record: &ModelRecord,
) -> Signal {
    let step = forecast.last_step();
    decide(&SignalInput {
        symbol: forecast.symbol,
        as_of: forecast.as_of,
        last_close,
        horizon: forecast.horizon,
        expected_log_return: forecast.expected_log_return,
        interval_80: step.interval_80,
        interval_50: step.interval_50,
        probability_up: forecast.probability_up,
        base_share: forecast.base_share,
        contributions: &forecast.contributions,
        model_record: record,
        symbol_record: &model.evaluation.symbol_record(forecast.symbol),
        costs: &model.lineage.spec.costs,
        calendar: Calendar::bist(),
        rules: ExchangeRules::bist(),
    })
}
