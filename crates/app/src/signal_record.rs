//! The record of signals: what came of each that was served, and what they have been worth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bist_lifecycle::signal_record::{reliability, summarise, summarise_by};
use bist_lifecycle::{
    Grouping, Horizon, RecordGroup, RecordSummary, ReliabilityRecord, ScoredSignal,
};
use bist_market::{
    Calendar, ExchangeRules, InstrumentClass, Interval, Origin, Symbol, ValidatedBars,
};
use bist_store::{KeptScore, ServedFilter, ServedSignal, StoreError};
use bist_trading::{NeverKnown, Outcome, ScoreInput, Waiting, score};
use jiff::civil::Date;
use serde::Serialize;

use crate::nightly::{due_at, last_due};
use crate::progress::{Progress, ProgressSink};
use crate::{App, blocking};

/// What a run of the scoring gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScoringReport {
    /// Signals scored in this run.
    pub scored_count: u64,
    /// Signals of which it turned out in this run that it will never be known.
    pub never_known_count: u64,
    /// Signals whose horizon has not ended.
    pub open_count: u64,
    /// Signals whose horizon has ended and whose bars may still come.
    pub bars_missing_count: u64,
}

impl fmt::Display for ScoringReport {
    /// `12 signals scored, 3 will never be known, 40 wait for their horizon, 2 for their bars`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scored_count, never_known_count, open_count, bars_missing_count } = self;
        write!(f, "{scored_count} signals scored")?;
        if *never_known_count > 0 {
            write!(f, ", {never_known_count} will never be known")?;
        }
        write!(f, ", {open_count} wait for their horizon")?;
        if *bars_missing_count > 0 {
            write!(f, ", {bars_missing_count} for their bars")?;
        }
        Ok(())
    }
}

/// Which part of the record is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordFilter {
    /// How far ahead the signals look.
    pub horizon: Horizon,
    /// Whether made from real data; `None` for what the store holds now.
    pub origin: Option<Origin>,
    /// Whether only signals count on which somebody could still act when they were made.
    pub only_in_time: bool,
    /// What they are grouped by.
    pub by: Grouping,
}

/// How many signals will never be known for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ReasonCount {
    /// The reason.
    pub reason: &'static str,
    /// How many.
    pub count: u64,
}

/// How the signals of one horizon stand, in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HorizonRecord {
    /// How far ahead they look.
    #[serde(flatten, with = "bist_models::horizon::fields")]
    pub horizon: Horizon,
    /// All that were served.
    pub served_count: u64,
    /// Of those, the ones that wait.
    pub waiting_count: u64,
    /// Of those, the ones of which it will never be known.
    pub never_known_count: u64,
    /// What became of the others.
    pub summary: RecordSummary,
}

/// What the signals of one horizon have been worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignalRecordReport {
    /// Whether they were made from real data; a sample is never mixed with them.
    pub origin: Origin,
    /// Whether only signals count on which somebody could still act when they were made.
    pub only_in_time: bool,
    /// The horizon that was asked for.
    #[serde(flatten)]
    pub of_horizon: HorizonRecord,
    /// Why it will never be known, by reason.
    pub never_known: Vec<ReasonCount>,
    /// How good the probabilities were; `None` when there are none to judge.
    pub reliability: Option<ReliabilityRecord>,
    /// What the groups have in common.
    pub by: Grouping,
    /// The groups, by what they have in common.
    pub groups: Vec<RecordGroup>,
    /// All horizons of which signals were served, this one too.
    pub horizons: Vec<HorizonRecord>,
}

/// Signals of the record, the last served first.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedPage {
    /// The signals.
    pub items: Vec<ServedSignal>,
    /// The place before which the next page begins; `None` at the end.
    pub next_before: Option<u64>,
}

impl App {
    /// Scores every signal whose horizon has ended and whose bars are there, and notes of which it
    /// will never be known. What was scored before stays as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; nothing is noted then.
    pub async fn score_signals(
        &self,
        progress: Arc<ProgressSink>,
    ) -> Result<ScoringReport, StoreError> {
        let waiting = self.store.waiting_signals().await?;
        if waiting.is_empty() {
            return Ok(ScoringReport::default());
        }
        let total = waiting.len() as u64;
        progress(Progress::of("scoring signals", 0, total));
        let held = self.store.origin().await?;
        let bars = self.bars_to_score_by(&waiting).await?;
        let now = self.now();
        let complete_until = last_due(now, Calendar::bist()).map(|(day, _)| day);
        let outcomes = blocking(move || {
            let outcome = |served: &ServedSignal| {
                if held.is_some_and(|held| held != served.record.origin) {
                    return Outcome::NeverKnown(NeverKnown::SampleGone);
                }
                outcome(served, &bars, complete_until)
            };
            waiting.iter().map(|served| (served.number, outcome(served))).collect::<Vec<_>>()
        })
        .await;
        let mut report = ScoringReport::default();
        let mut scores = Vec::new();
        for (number, outcome) in outcomes {
            match outcome {
                Outcome::Waiting(Waiting::HorizonOpen { .. }) => report.open_count += 1,
                Outcome::Waiting(Waiting::BarsMissing { .. }) => report.bars_missing_count += 1,
                Outcome::Scored(score) => {
                    report.scored_count += 1;
                    scores.push((number, KeptScore::Scored(score)));
                }
                Outcome::NeverKnown(reason) => {
                    report.never_known_count += 1;
                    scores.push((number, KeptScore::NeverKnown { reason }));
                }
            }
        }
        self.store.save_scores(&scores, now).await?;
        progress(Progress::of("scoring signals", total, total));
        Ok(report)
    }

    /// What the signals that were served have been worth.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn signal_record(
        &self,
        filter: RecordFilter,
    ) -> Result<SignalRecordReport, StoreError> {
        let origin = self.record_origin(filter.origin).await?;
        let counts = self.store.served_counts().await?;
        let mut horizons: Vec<(Horizon, u64, u64, u64)> = counts
            .iter()
            .filter(|counts| counts.origin == origin)
            .map(|counts| {
                let closed = counts.scored_count + counts.never_known_count;
                let waiting_count = counts.served_count.saturating_sub(closed);
                (counts.horizon, counts.served_count, waiting_count, counts.never_known_count)
            })
            .collect();
        if !horizons.iter().any(|of| of.0 == filter.horizon) {
            horizons.push((filter.horizon, 0, 0, 0));
        }
        horizons.sort_unstable_by_key(|of| of.0);
        let mut scored = BTreeMap::new();
        for (horizon, ..) in &horizons {
            let mut signals = self.store.scored_signals(origin, *horizon).await?;
            signals.retain(|signal| !filter.only_in_time || signal.score.made_in_time);
            scored.insert(*horizon, signals);
        }
        let never_known = by_reason(&self.store.never_known(origin, filter.horizon).await?);
        Ok(blocking(move || report(filter, origin, &horizons, &scored, never_known)).await)
    }

    /// Signals of the record, the last served first, at most `limit` of them before the place
    /// `before`; `origin` as in [`RecordFilter`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn served_signals(
        &self,
        origin: Option<Origin>,
        filter: ServedWanted,
        limit: u32,
    ) -> Result<ServedPage, StoreError> {
        let filter = ServedFilter {
            origin: self.record_origin(origin).await?,
            horizon: filter.horizon,
            symbol: filter.symbol,
            only_closed: filter.only_closed,
            before: filter.before,
        };
        let mut items = self.store.served_signals(filter, limit.saturating_add(1)).await?;
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_before = items.last().filter(|_| more).map(|served| served.number);
        Ok(ServedPage { items, next_before })
    }

    /// The origin that is asked for, or that of what the store holds.
    async fn record_origin(&self, asked: Option<Origin>) -> Result<Origin, StoreError> {
        match asked {
            Some(origin) => Ok(origin),
            None => Ok(self.store.origin().await?.unwrap_or(Origin::Market)),
        }
    }

    /// The bars of the kinds that `waiting` are of.
    async fn bars_to_score_by(
        &self,
        waiting: &[ServedSignal],
    ) -> Result<BTreeMap<Interval, BarsOfKind>, StoreError> {
        let wanted: BTreeSet<Interval> =
            waiting.iter().map(|served| served.record.signal.horizon.interval()).collect();
        let overviews = self.store.series_overviews().await?;
        let mut bars = BTreeMap::new();
        for interval in wanted {
            let (series, primary) = match interval {
                Interval::Daily => {
                    let daily = self.daily_bars().await?;
                    (daily.series.clone(), daily.checked.primary.clone())
                }
                Interval::Minutes(_) => {
                    let checked = self.check_interval(interval, Arc::new(|_| ())).await?;
                    let primary = checked.primary.clone();
                    (checked.into_primary(), primary)
                }
            };
            let fetched = overviews.iter().filter(|of| {
                of.interval == interval && primary.get(&of.symbol) == Some(&of.source)
            });
            let growing = fetched.filter_map(|of| {
                let day = series.get(&of.symbol)?.bars().last()?.day;
                let is_early = of.fetched_at < due_at(day, Calendar::bist())?;
                is_early.then_some((of.symbol, day))
            });
            let growing = growing.collect();
            bars.insert(interval, BarsOfKind { series, growing });
        }
        Ok(bars)
    }
}

/// Which signals of the record are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServedWanted {
    /// Only those that look so far ahead.
    pub horizon: Option<Horizon>,
    /// Only those of this symbol.
    pub symbol: Option<Symbol>,
    /// Only those that were scored, or will never be known.
    pub only_closed: bool,
    /// Only those before this place.
    pub before: Option<u64>,
}

/// The bars of one kind that signals are scored by.
struct BarsOfKind {
    series: BTreeMap<Symbol, ValidatedBars>,
    /// The last day of symbols whose source was last asked before that day was complete: what it
    /// said of it may not be final.
    growing: BTreeMap<Symbol, Date>,
}

fn outcome(
    served: &ServedSignal,
    bars: &BTreeMap<Interval, BarsOfKind>,
    complete_until: Option<Date>,
) -> Outcome {
    let signal = &served.record.signal;
    let of_kind = bars.get(&signal.horizon.interval());
    let series = of_kind.map(|of_kind| &of_kind.series);
    let growing = of_kind.and_then(|of_kind| of_kind.growing.get(&signal.symbol));
    let before_growing = growing.and_then(|day| day.yesterday().ok());
    let complete_until = match before_growing {
        Some(before) => complete_until.map(|day| day.min(before)),
        None => complete_until,
    };
    let is_share = |symbol: &Symbol| symbol.class() == InstrumentClass::Share;
    let last_day = |bars: &ValidatedBars| bars.bars().last().map(|bar| bar.day);
    let market_day = series.and_then(|series| {
        series.iter().filter(|(symbol, _)| is_share(symbol)).filter_map(|(_, b)| last_day(b)).max()
    });
    score(&ScoreInput {
        signal,
        made_at: served.record.made_at,
        series: series.and_then(|series| series.get(&signal.symbol)),
        market_day,
        complete_until,
        calendar: Calendar::bist(),
        rules: ExchangeRules::bist(),
    })
}

fn report(
    filter: RecordFilter,
    origin: Origin,
    horizons: &[(Horizon, u64, u64, u64)],
    scored: &BTreeMap<Horizon, Vec<ScoredSignal>>,
    never_known: Vec<ReasonCount>,
) -> SignalRecordReport {
    let of = |horizon| scored.get(&horizon).into_iter().flatten().collect::<Vec<_>>();
    let record = |&(horizon, served_count, waiting_count, never_known_count): &(_, _, _, _)| {
        let summary = summarise(&of(horizon), horizon);
        HorizonRecord { horizon, served_count, waiting_count, never_known_count, summary }
    };
    let horizons: Vec<HorizonRecord> = horizons.iter().map(record).collect();
    let asked = of(filter.horizon);
    let of_horizon = horizons.iter().find(|record| record.horizon == filter.horizon).cloned();
    SignalRecordReport {
        origin,
        only_in_time: filter.only_in_time,
        of_horizon: of_horizon.expect("the horizon asked for is among them"),
        never_known,
        reliability: reliability(&asked, filter.horizon),
        by: filter.by,
        groups: summarise_by(&asked, filter.by, filter.horizon),
        horizons,
    }
}

fn by_reason(reasons: &[NeverKnown]) -> Vec<ReasonCount> {
    let mut counts: BTreeMap<&'static str, u64> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason.code()).or_default() += 1;
    }
    counts.into_iter().map(|(reason, count)| ReasonCount { reason, count }).collect()
}
