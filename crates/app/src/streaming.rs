//! How quickly a live bar is answered, measured on the last sessions.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use bist_lifecycle::{Explained, ExplanationError, FittedModel, LiveModel, OtherFeatures};
use bist_market::{Bar, Calendar, Origin, Symbol, ValidatedBars};
use bist_models::{FeatureSpec, Horizon, LateBar, MarketRow, Panel, RowKey};
use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use crate::progress::{Progress, ProgressSink};
use crate::training::{Admitted, TrainingError, known_symbols};
use crate::{App, blocking};

/// An update must take less than this, microseconds.
const UPDATE_US_MAX: f64 = 1000.0;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum StreamingError {
    /// There is no model, or no bars.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The model cannot follow live bars.
    #[error(transparent)]
    OtherFeatures(#[from] OtherFeatures),
    /// A bar of the sessions was refused.
    #[error(transparent)]
    LateBar(#[from] LateBar),
    /// An explanation was refused.
    #[error(transparent)]
    Explanation(#[from] ExplanationError),
}

/// What is replayed.
#[derive(Clone, Copy, Debug)]
pub struct StreamingPlan {
    /// How many of the last sessions; one or more.
    pub sessions_count: usize,
    /// How many bars of each symbol arrive in a session, each in the place of the one before; one or
    /// more. The last is that of the close.
    pub bars_per_session: usize,
}

/// How long updates took, and whether they came out right.
#[derive(Clone, Debug, Serialize)]
pub struct StreamingReport {
    /// The model that followed the bars.
    pub model_version: String,
    /// Whether the data are real.
    pub origin: Origin,
    /// Sessions ahead.
    pub horizon_sessions: u8,
    /// Shares that the model follows.
    pub symbols_count: usize,
    /// Features of each.
    pub features_count: usize,
    /// The sessions replayed.
    pub sessions: Vec<Date>,
    /// Bars of shares taken in.
    pub updates_count: usize,
    /// All features of the bar's symbol.
    pub features: Latency,
    /// The ensemble's forecast from them, with band, outlook and explanation.
    pub ensemble: Latency,
    /// Both.
    pub together: Latency,
    /// The longest of both on the first bar of a session, which ends the session before,
    /// microseconds.
    pub first_of_session_max_us: f64,
    /// Forecasts at the close of the sessions that were compared with those of the batch.
    pub compared_count: usize,
    /// Those that were not the same, bit for bit.
    pub differing: Vec<Differing>,
}

/// How long something took, microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// Half of the times were no longer.
    pub median_us: f64,
    /// 99 of 100 times were no longer.
    pub p99_us: f64,
    /// The longest.
    pub max_us: f64,
}

/// A forecast that is not that of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Whose.
    pub symbol: Symbol,
    /// Of which session.
    pub day: Date,
}

impl StreamingReport {
    /// Whether 99 of 100 updates, features and ensemble together, took less than a millisecond.
    pub fn is_quick(&self) -> bool {
        self.together.p99_us < UPDATE_US_MAX
    }
}

impl App {
    /// Lets the champion for `horizon` follow the last sessions bar by bar, times each update, and
    /// compares its forecasts at each close with those of the batch.
    ///
    /// # Errors
    ///
    /// [`TrainingError::NoModel`] without a champion, and the others as named.
    pub async fn measure_streaming(
        &self,
        horizon: Horizon,
        plan: StreamingPlan,
        progress: Arc<ProgressSink>,
    ) -> Result<StreamingReport, StreamingError> {
        let champion = self.champion(horizon).await?;
        let fitted = self.fitted_model(&champion).await?;
        let wanted = known_symbols(&champion);
        let features = champion.lineage.spec.features;
        let admitted = self.admit(Some(&wanted), &[(horizon, features)], &*progress).await?;
        let (model_version, origin) = (champion.id, admitted.origin);
        blocking(move || {
            let replay = Replay::of(&admitted, plan);
            let measured = replay.run(fitted, features, &admitted, &*progress)?;
            Ok(measured.report(model_version, origin, horizon, &admitted.panels[0]))
        })
        .await
    }
}

/// A bar as it arrives.
#[derive(Clone, Copy, Debug)]
struct Arrival {
    symbol: Symbol,
    bar: Bar,
    continues: bool,
}

/// The bars of the last sessions, in the order in which they are taken in.
struct Replay {
    /// The last day that the model has seen before.
    until: Date,
    sessions: Vec<Session>,
    bars_per_session: usize,
}

struct Session {
    day: Date,
    /// Bars of the index and the rate on days since the session before.
    between: Vec<Arrival>,
    of_day: Vec<Arrival>,
}

impl Replay {
    fn of(admitted: &Admitted, plan: StreamingPlan) -> Self {
        let keys = &admitted.panels[0].known.keys;
        let days: BTreeSet<Date> = keys.iter().map(|key| key.day).collect();
        let mut days: Vec<Date> = days.into_iter().rev().take(plan.sessions_count).collect();
        days.reverse();
        let until = days.first().map_or(Date::MIN, |first| first.saturating_sub(1.day()));
        let mut before = until;
        let sessions = days.into_iter().map(|day| {
            let arrived = arrivals(admitted.universe.series(), before, day);
            before = day;
            let (between, of_day) = arrived.into_iter().partition(|new| new.bar.day < day);
            Session { day, between, of_day }
        });
        Self { until, sessions: sessions.collect(), bars_per_session: plan.bars_per_session }
    }

    fn run(
        &self,
        fitted: FittedModel,
        features: FeatureSpec,
        admitted: &Admitted,
        progress: &ProgressSink,
    ) -> Result<Measured, StreamingError> {
        let batch = fitted.clone();
        progress(Progress::of("warming up", 0, 1));
        let series = admitted.universe.series();
        let mut live = LiveModel::new(fitted, features, series, &admitted.instruments, self.until)?;
        progress(Progress::of("warming up", 1, 1));
        let mut measured = Measured::default();
        let total = self.sessions.len() as u64;
        for (number, session) in (0..).zip(&self.sessions) {
            progress(Progress::of("following", number, total));
            measured.follow(&mut live, session, self.bars_per_session)?;
            measured.compare(&mut live, &batch, session, &admitted.panels[0])?;
        }
        progress(Progress::of("following", total, total));
        Ok(measured)
    }
}

/// The bars of all series after `before`, up to `until`, by day and then by symbol.
fn arrivals(series: &[ValidatedBars], before: Date, until: Date) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    for series in series {
        let first = series.bars().partition_point(|bar| bar.day <= before);
        let end = series.bars().partition_point(|bar| bar.day <= until);
        arrivals.extend((first..end).map(|index| Arrival {
            symbol: series.symbol(),
            bar: series.bars()[index],
            continues: series.continues(index),
        }));
    }
    arrivals.sort_by_key(|new| (new.bar.day, new.symbol));
    arrivals
}

/// The bar as it may have been known before the close: with a last price at the low or the high of
/// the session, in turns; in the last of `rounds` the bar itself.
fn as_known_in(round: usize, rounds: usize, bar: Bar) -> Bar {
    if round + 1 == rounds {
        return bar;
    }
    let last_price = if round.is_multiple_of(2) { bar.low } else { bar.high };
    let share = last_price.lira() / bar.close.lira();
    let adjusted_close = bar.adjusted_close.map(|adjusted| adjusted * share);
    Bar { close: last_price, adjusted_close, ..bar }
}

#[derive(Default)]
struct Measured {
    sessions: Vec<Date>,
    features_us: Vec<f64>,
    ensemble_us: Vec<f64>,
    together_us: Vec<f64>,
    first_of_session_max_us: f64,
    compared_count: usize,
    differing: Vec<Differing>,
}

impl Measured {
    /// Takes in the bars of `session`, round after round.
    fn follow(
        &mut self,
        live: &mut LiveModel,
        session: &Session,
        rounds: usize,
    ) -> Result<(), StreamingError> {
        self.sessions.push(session.day);
        for Arrival { symbol, bar, continues } in &session.between {
            live.update(*symbol, bar, *continues)?;
        }
        let first = self.together_us.len();
        for round in 0..rounds {
            for arrival in &session.of_day {
                let bar = as_known_in(round, rounds, arrival.bar);
                self.update(live, &Arrival { bar, ..*arrival })?;
            }
        }
        let first_us = self.together_us.get(first).copied().unwrap_or(0.0);
        self.first_of_session_max_us = self.first_of_session_max_us.max(first_us);
        Ok(())
    }

    /// Takes in one bar and times it, when it is of a share.
    fn update(&mut self, live: &mut LiveModel, new: &Arrival) -> Result<(), StreamingError> {
        let begun = Instant::now();
        let row = live.update(new.symbol, &new.bar, new.continues)?;
        let has_row = Instant::now();
        if let Some(row) = row {
            let _explained = std::hint::black_box(live.explain(&row)?);
            let features_us = 1e6 * (has_row - begun).as_secs_f64();
            let ensemble_us = 1e6 * has_row.elapsed().as_secs_f64();
            self.features_us.push(features_us);
            self.ensemble_us.push(ensemble_us);
            self.together_us.push(features_us + ensemble_us);
        }
        Ok(())
    }

    /// Compares the forecasts at the close of `session` with those of the batch.
    fn compare(
        &mut self,
        live: &mut LiveModel,
        batch: &FittedModel,
        session: &Session,
        panel: &Panel,
    ) -> Result<(), StreamingError> {
        for Arrival { symbol, .. } in &session.of_day {
            let Some(row) = live.row(*symbol) else { continue };
            let ours = live.explain(&row)?;
            self.compared_count += 1;
            if !is_of_batch(&row, ours.as_ref(), batch, panel)? {
                self.differing.push(Differing { symbol: *symbol, day: session.day });
            }
        }
        Ok(())
    }

    fn report(
        self,
        model_version: String,
        origin: Origin,
        horizon: Horizon,
        panel: &Panel,
    ) -> StreamingReport {
        let symbols: BTreeSet<Symbol> = panel.known.keys.iter().map(|key| key.symbol).collect();
        StreamingReport {
            model_version,
            origin,
            horizon_sessions: horizon.sessions(),
            symbols_count: symbols.len(),
            features_count: panel.known.features.columns_count(),
            sessions: self.sessions,
            updates_count: self.together_us.len(),
            features: Latency::of(self.features_us),
            ensemble: Latency::of(self.ensemble_us),
            together: Latency::of(self.together_us),
            first_of_session_max_us: self.first_of_session_max_us,
            compared_count: self.compared_count,
            differing: self.differing,
        }
    }
}

/// Whether a live row, its forecast and its explanation are those of the batch, bit for bit.
fn is_of_batch(
    row: &MarketRow,
    explained: Option<&Explained>,
    batch: &FittedModel,
    panel: &Panel,
) -> Result<bool, ExplanationError> {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
    // Numbers that are written alike have the same bits.
    let written = |explained: Option<&Explained>| {
        let parts = explained.map(|explained| (&explained.forecast, &explained.explanation));
        serde_json::to_string(&parts).expect("a forecast is plain data")
    };
    let of_batch: Result<usize, usize> =
        panel.known.keys.binary_search_by(|key: &RowKey| key.cmp(&row.key));
    let Ok(index) = of_batch else { return Ok(false) };
    let of_batch = batch.explain(panel, index, Calendar::bist())?;
    Ok(bits(&panel.known.features.row(index)) == bits(&row.features)
        && written(of_batch.as_ref()) == written(explained))
}

impl Latency {
    /// Of times in microseconds; zeros of none.
    fn of(mut times_us: Vec<f64>) -> Self {
        times_us.sort_unstable_by(f64::total_cmp);
        // The nearest rank: the least time that so many of a hundred do not exceed.
        let percentile = |percent: usize| {
            let rank = (times_us.len() * percent).div_ceil(100);
            times_us.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        Self { median_us: percentile(50), p99_us: percentile(99), max_us: percentile(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let of = |count: u32| {
            let latency = Latency::of((1..=count).rev().map(f64::from).collect());
            [latency.median_us, latency.p99_us, latency.max_us].map(|us| us.to_string())
        };
        assert_eq!(of(200), ["100", "198", "200"]);
        assert_eq!(of(3), ["2", "3", "3"]);
        assert_eq!(of(0), ["0", "0", "0"]);
    }
}
