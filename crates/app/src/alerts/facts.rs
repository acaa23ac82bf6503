//! What rules are held against, gathered once for all rules that ask about it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bist_lifecycle::Horizon;
use bist_market::session_hours::moment_text;
use bist_market::{Origin, Price, Shares, Symbol};
use bist_store::{JobRun, ServedFilter, ServedSignal, StoreError};
use bist_trading::Condition;
use bist_trading::alert::{BandFacts, DriftFacts, Facts, QualityFacts, SignalFacts, SymbolFacts};
use jiff::civil::Date;

use crate::App;
use crate::jobs::Job;

/// Sessions of which volumes are looked at: the longest mean, and the last one.
const VOLUMES_MAX: usize = 251;

/// Signals of a share among which the one before the newest is looked for: some days may have several.
const SIGNALS_MAX: u32 = 64;

/// Retrainings among which the newest is looked for that looked for drift.
const RUNS_MAX: u32 = 20;

/// What was gathered so far.
#[derive(Debug, Default)]
pub(super) struct Known {
    symbols: Option<BTreeMap<Symbol, (Origin, SymbolFacts)>>,
    served: BTreeMap<(Symbol, Horizon), Vec<ServedSignal>>,
    quality: Option<BTreeMap<Option<Symbol>, QualityFacts>>,
    drift: Option<Option<Vec<DriftFacts>>>,
}

impl App {
    /// What is known of all that `condition` asks about.
    pub(super) async fn facts_of(
        &self,
        condition: &Condition,
        known: &mut Known,
    ) -> Result<Facts, StoreError> {
        let mut facts = Facts::default();
        match condition {
            Condition::Price { symbol, .. }
            | Condition::Change { symbol, .. }
            | Condition::VolumeSpike { symbol, .. } => {
                facts.symbol = self.symbol_facts(*symbol, known).await?.map(|(_, of)| of);
            }
            Condition::SignalChange { symbol, horizon } => {
                if let Some((origin, of)) = self.symbol_facts(*symbol, known).await? {
                    let served = self.served(origin, *symbol, *horizon, known).await?;
                    facts.signal = signal_facts(served);
                    facts.symbol = Some(of);
                }
            }
            Condition::BandBreach { symbol, horizon } => {
                if let Some((origin, of)) = self.symbol_facts(*symbol, known).await? {
                    let served = self.served(origin, *symbol, *horizon, known).await?;
                    let before = of.as_of.and_then(|day| {
                        served.iter().find(|served| served.record.signal.as_of < day)
                    });
                    if let (Some(before), Some(day)) = (before, of.as_of) {
                        facts.band = self.band(before, day).await?;
                    }
                    facts.symbol = Some(of);
                }
            }
            Condition::DataQuality { symbol, .. } => {
                facts.quality = self.quality_facts(known).await?.get(symbol).copied();
            }
            Condition::Drift { .. } => facts.drift = self.drift_facts(known).await?,
        }
        Ok(facts)
    }

    async fn symbol_facts(
        &self,
        symbol: Symbol,
        known: &mut Known,
    ) -> Result<Option<(Origin, SymbolFacts)>, StoreError> {
        if known.symbols.is_none() {
            let bars = self.daily_bars().await?;
            let views = self.symbols().await?.into_iter().map(|view| {
                let symbol = view.instrument.symbol;
                let bars = bars.series.get(&symbol).map(|series| series.bars()).unwrap_or_default();
                let last = &bars[bars.len().saturating_sub(VOLUMES_MAX)..];
                let volumes = last.iter().filter_map(|bar| bar.volume);
                let of = SymbolFacts {
                    as_of: view.as_of,
                    stale_sessions: view.stale_sessions,
                    last_close: view.last_close,
                    change_share: view.change_share,
                    volumes_shares: volumes.map(|Shares(shares)| shares).collect(),
                    has_last_volume: bars.last().is_some_and(|bar| bar.volume.is_some()),
                };
                (symbol, (view.instrument.origin, of))
            });
            known.symbols = Some(views.collect());
        }
        Ok(known.symbols.as_ref().and_then(|all| all.get(&symbol)).cloned())
    }

    /// The newest signals that were served, the newest first.
    async fn served<'a>(
        &self,
        origin: Origin,
        symbol: Symbol,
        horizon: Horizon,
        known: &'a mut Known,
    ) -> Result<&'a [ServedSignal], StoreError> {
        match known.served.entry((symbol, horizon)) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let filter = ServedFilter {
                    origin,
                    horizon: Some(horizon),
                    symbol: Some(symbol),
                    only_closed: false,
                    before: None,
                };
                Ok(unknown.insert(self.store.served_signals(filter, SIGNALS_MAX).await?))
            }
        }
    }

    /// The 80 % band that the forecast behind `served` gave of `day`.
    async fn band(
        &self,
        served: &ServedSignal,
        day: Date,
    ) -> Result<Option<BandFacts>, StoreError> {
        let Some(kept) = self.store.forecast_behind(&served.record).await? else { return Ok(None) };
        let step = kept.forecast.steps.iter().find(|step| step.day == Some(day));
        Ok(step.and_then(|step| {
            let close = kept.last_close.lira();
            let end = |log_return: f64| Price::nearest(close * log_return.exp());
            Some(BandFacts {
                forecast_as_of: kept.forecast.as_of,
                low: end(step.interval_80.low)?,
                high: end(step.interval_80.high)?,
            })
        }))
    }

    async fn quality_facts<'a>(
        &self,
        known: &'a mut Known,
    ) -> Result<&'a BTreeMap<Option<Symbol>, QualityFacts>, StoreError> {
        if known.quality.is_none() {
            let overview = self.quality_overview().await?;
            let validated_at = overview.validated_at;
            let of = |score_share| QualityFacts { score_share, validated_at };
            let mut all = BTreeMap::from([(None, of(overview.score_share))]);
            // A score that was never validated is none.
            for view in self.symbols().await? {
                let share = view.quality_share.filter(|_| validated_at.is_some());
                all.insert(Some(view.instrument.symbol), of(share));
            }
            known.quality = Some(all);
        }
        Ok(known.quality.get_or_insert_default())
    }

    async fn drift_facts(&self, known: &mut Known) -> Result<Option<Vec<DriftFacts>>, StoreError> {
        if let Some(drift) = &known.drift {
            return Ok(drift.clone());
        }
        let runs: Vec<JobRun> =
            self.store.jobs(Some(Job::Retraining.as_str()), None, RUNS_MAX).await?;
        let mut found = None;
        for run in &runs {
            found = self.drift_of(run).await?;
            if found.is_some() {
                break;
            }
        }
        let drift = found.map(|(found_at, reports)| {
            let of = reports.into_iter().map(|report| DriftFacts {
                model_version: report.model_version,
                horizon: report.horizon,
                found_at,
                is_alarm: report.is_alarm,
            });
            of.collect()
        });
        known.drift = Some(drift.clone());
        Ok(drift)
    }
}

/// The newest signal, and what the one of the day or moment before said.
fn signal_facts(served: &[ServedSignal]) -> Option<SignalFacts> {
    let moment =
        |served: &ServedSignal| (served.record.signal.as_of, served.record.signal.as_of_time);
    let newest = served.iter().max_by_key(|served| (moment(served), served.number))?;
    let before = served
        .iter()
        .filter(|served| moment(served) < moment(newest))
        .max_by_key(|served| (moment(served), served.number));
    let (day, time) = moment(newest);
    Some(SignalFacts {
        id: format!("{}#{}", newest.record.id, newest.issue),
        as_of: moment_text(day, time),
        action: newest.record.signal.action,
        before: before.map(|served| served.record.signal.action),
    })
}
