//! Signals: the champion's word on the latest bars.

use std::sync::Arc;

use bist_lifecycle::{FittedModel, Forecast, HORIZON_DEFAULT, HORIZONS, Horizon, ModelVersion};
use bist_market::calendar::Calendar;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::{Price, Symbol};
use bist_store::{ForecastRecord, SignalRecord};
use bist_trading::{ModelRecord, Signal, SignalInput, decide};
use jiff::civil::Date;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::training::{Admitted, TrainingError, known_symbols};
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
    /// Makes, keeps and returns forecasts and signals of the champion of each horizon, for the
    /// latest bars of each symbol it knows; a report for each champion, by horizon.
    ///
    /// # Errors
    ///
    /// [`TrainingError::NoModel`] without any champion; [`TrainingError::Refused`] when the bars are
    /// no longer good enough, and the others as named. Nothing is kept then.
    pub async fn make_signals(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<Vec<SignalsReport>, TrainingError> {
        let mut champions = Vec::new();
        for horizon in HORIZONS {
            champions.extend(self.store.champion(horizon).await?);
        }
        let Some(first) = champions.first() else {
            return Err(TrainingError::NoModel(HORIZON_DEFAULT));
        };
        let mut wanted = known_symbols(first);
        wanted.extend(champions.iter().skip(1).flat_map(known_symbols));
        wanted.sort_unstable();
        wanted.dedup();
        let horizons: Vec<Horizon> =
            champions.iter().map(|champion| champion.lineage.spec.horizon).collect();
        let admitted = self.admit(Some(&wanted), &horizons, &*progress).await?;
        let admitted = Arc::new(admitted);
        let total = champions.len() as u64;
        let mut reports = Vec::with_capacity(champions.len());
        for (index, model) in (0..).zip(champions) {
            progress(Progress::of("forecasting", index as u64, total));
            let fitted = self.fitted_model(&model)?;
            let of_model = Arc::clone(&admitted);
            let (model, said) = blocking(move || {
                let said = said_by(&model, &fitted, &of_model, index);
                (model, said)
            })
            .await;
            reports.push(self.keep(model, said, &admitted).await?);
        }
        progress(Progress::of("forecasting", total, total));
        Ok(reports)
    }

    /// Keeps what `model` said.
    async fn keep(
        &self,
        model: ModelVersion,
        said: Vec<(Price, Forecast, Signal)>,
        admitted: &Admitted,
    ) -> Result<SignalsReport, TrainingError> {
        let (origin, made_at) = (admitted.origin, self.now());
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

        let (horizon, newest) = (model.lineage.spec.horizon, admitted.newest_day());
        let known = known_symbols(&model);
        let silent = admitted.universe.series().iter().filter(|series| {
            known.contains(&series.symbol())
                && !signals.iter().any(|record| record.signal.symbol == series.symbol())
        });
        let without_forecast = silent
            .map(|series| {
                let as_of = series.bars().last().map(|bar| bar.day);
                let reason = if as_of.is_some_and(|as_of| ends_before(as_of, horizon, newest)) {
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

/// What `model` says of the latest bars of the symbols it knows, with their last closes; its panel
/// is the `index`-th of those admitted.
fn said_by(
    model: &ModelVersion,
    fitted: &FittedModel,
    admitted: &Admitted,
    index: usize,
) -> Vec<(Price, Forecast, Signal)> {
    let (known, newest) = (known_symbols(model), admitted.newest_day());
    let record = model.evaluation.model_record();
    let forecasts = fitted.latest_forecasts(&admitted.panels[index], Calendar::bist());
    forecasts
        .into_iter()
        .filter(|forecast| known.contains(&forecast.symbol))
        .filter(|forecast| !ends_before(forecast.as_of, forecast.horizon, newest))
        .filter_map(|forecast| {
            let last_close = last_close(admitted, forecast.symbol)?;
            let signal = signal(&forecast, last_close, model, &record);
            Some((last_close, forecast, signal))
        })
        .collect()
}

/// Whether a forecast made on `as_of` for `horizon` ends before `newest`.
fn ends_before(as_of: Date, horizon: Horizon, newest: Option<Date>) -> bool {
    let end = Calendar::bist().session_after(as_of, u32::from(horizon.sessions()));
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
        expected_interval_80: forecast.expected_interval_80,
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
