//! The market as a whole, as the validated bars show it: made once for each change of the data.
//!
//! A share counts when its series reaches the quality that models are trained on, and when its last
//! bar is of the day that the others have reached. What is left out is counted, and why.

mod scenario;
mod screen;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bist_lifecycle::HORIZON_DEFAULT;
use bist_market::{
    Calendar, InstrumentClass, Origin, Price, Source, Symbol, ValidatedBars, ValidationPolicy,
};
use bist_models::market_view::{History, MarketReturns, SessionMarks, sector_strength};
use bist_store::{Generation, SignalMark, StoreError};
use bist_trading::signal::Action;
use jiff::ToSpan as _;
use jiff::civil::Date;
use tokio::sync::Mutex;

use crate::symbols::ended_sessions_since;
use crate::{App, DailyBars, blocking};

pub use bist_models::market_view::{
    Breadth, CHANGE_SESSIONS, Episode, Exposure, ExposureError, LeastSquares, MoveDistribution,
    OBSERVATIONS_MIN, PATHS_COUNT, RegimeDay, RegimeHistory, RegimeSpell, RegimeStatistics,
    SectorStrength, SectorWindow, Standing,
};
pub use bist_models::topsis::Wanted;
pub use scenario::{
    EpisodeView, Holding, MovedRow, Scenario, ScenarioError, ScenarioMoves, ScenarioQuery,
};
pub use screen::{
    Criterion, LeftOut, Range, SCREEN_FIELDS, ScreenField, ScreenQuery, Screened, ScreenedRow,
    Sorting, field_named,
};

/// The index that stands for the market.
const INDEX: &str = "XU100";

/// The rate of exchange that moves the market.
const FX: &str = "USDTRY";

/// What the overview tells of besides shares.
const SHOWN_INDICES: [&str; 3] = [INDEX, "XU030", FX];

/// A series that ended so many days before the newest bar of all has no say in which day it is.
const LIVING_DAYS_MAX: i32 = 14;

/// Days of which the mean turnover of the market is taken.
const TURNOVER_SESSIONS: usize = 20;

/// One share on the day of the view.
#[derive(Clone, Debug)]
pub struct ShareView {
    /// Where it stands.
    pub standing: Standing,
    /// The company, if a source named it.
    pub name: Option<String>,
    /// The sector, if a source named it.
    pub sector: Option<String>,
    /// Whether its data are real.
    pub origin: Origin,
    /// The source of its bars.
    pub source: Source,
    /// Quality of its series, 0..=1.
    pub quality_share: f64,
}

/// An index, or a rate of exchange.
#[derive(Clone, Debug)]
pub struct IndexView {
    /// Which.
    pub symbol: Symbol,
    /// What is known of it.
    pub state: IndexState,
}

/// What is known of an index.
#[derive(Clone, Debug)]
pub enum IndexState {
    /// The store has no bars of it.
    Missing,
    /// Its series does not reach the quality that is asked for.
    BelowGate,
    /// Its last bar on or before the day of the view.
    Known {
        /// The day of the bar.
        as_of: Date,
        /// The close.
        close: Price,
        /// Its changes over each of [`CHANGE_SESSIONS`] before that day, shares.
        changes: [Option<f64>; CHANGE_SESSIONS.len()],
        /// The source.
        source: Source,
    },
}

/// What stands for the market where shares are compared with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benchmark {
    /// The index XU100.
    Index,
    /// The mean of the shares, each counting alike, because the index is not stored up to the day.
    EqualWeighted,
}

impl Benchmark {
    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Index => INDEX,
            Self::EqualWeighted => "equal_weighted",
        }
    }
}

/// What was traded on the day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnoverView {
    /// The sum over the shares, lira.
    pub day_try: f64,
    /// Shares of which it is known.
    pub known_count: usize,
    /// Mean of the sums of the 20 sessions before, lira; `None` with fewer.
    pub mean_try: Option<f64>,
}

/// The market on a day.
#[derive(Debug)]
pub struct MarketView {
    /// The day: the newest that half of the living shares have reached; `None` without a share.
    pub as_of: Option<Date>,
    /// The shares that have a bar of the day, by symbol.
    pub shares: Vec<ShareView>,
    /// Shares whose bars end before it.
    pub older: Vec<(Symbol, Date)>,
    /// Shares whose series is not good enough.
    pub below_gate: Vec<Symbol>,
    /// XU100, XU030 and USDTRY.
    pub indices: Vec<IndexView>,
    /// What stands for the market.
    pub benchmark: Benchmark,
    /// What that did over each of [`CHANGE_SESSIONS`], shares.
    pub benchmark_changes: [Option<f64>; CHANGE_SESSIONS.len()],
    /// How many shares go along.
    pub breadth: Breadth,
    /// What was traded.
    pub turnover: TurnoverView,
    /// By sector.
    pub sectors: Vec<SectorStrength>,
    /// The regime of each session, by all shares that are good enough.
    pub regime: RegimeHistory,
    /// The bars of `shares`, in their order.
    histories: Vec<History>,
    /// The daily returns of the benchmark.
    market: MarketReturns,
    /// The daily returns of the rate of exchange, where it is stored.
    fx: Option<MarketReturns>,
    /// How the shares go with the market, with the rate, and with both; each made when asked for.
    exposures: [OnceLock<Vec<Result<Exposure, ExposureError>>>; 3],
}

/// What the model in force says of a share.
#[derive(Clone, Debug)]
pub struct ShareSignal {
    /// What to do.
    pub action: Action,
    /// Why, as a stable code.
    pub reason_code: &'static str,
    /// The last day that it knows.
    pub as_of: Date,
    /// The session at whose close it ends.
    pub valid_until: Option<Date>,
    /// When it was made.
    pub made_at: jiff::Timestamp,
    /// Return expected over the horizon, costs not counted.
    pub expected_return_share: f64,
    /// How often the return was above zero in such cases, 0..=1.
    pub probability_up: f64,
    /// Whether the model has shown skill, and skill on this share.
    pub is_skill_shown: bool,
}

/// The signals in force, by symbol.
pub type ShareSignals = BTreeMap<Symbol, ShareSignal>;

/// What differs whenever the signals in force may.
type SignalsMark = (Generation, SignalMark);

/// The newest view; the lock makes one caller compute for all.
#[derive(Debug, Default)]
pub(crate) struct KnownMarketView {
    view: Mutex<Option<(Generation, Arc<MarketView>)>>,
    signals: Mutex<Option<(SignalsMark, Arc<ShareSignals>)>>,
}

impl App {
    /// The market as a whole, made anew only when an ingest came in between.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn market_view(&self) -> Result<Arc<MarketView>, StoreError> {
        let mut held = self.market_view.view.lock().await;
        let generation = self.change_marks().await?.bars;
        if let Some((known, view)) = held.as_ref()
            && *known == generation
        {
            return Ok(Arc::clone(view));
        }
        let bars = self.daily_bars().await?;
        let policy = self.policy;
        let view = Arc::new(blocking(move || MarketView::of(&bars, policy)).await);
        *held = Some((generation, Arc::clone(&view)));
        Ok(view)
    }

    /// The signals in force for [`HORIZON_DEFAULT`], read anew only when one of them changed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn share_signals(&self) -> Result<Arc<ShareSignals>, StoreError> {
        let mut held = self.market_view.signals.lock().await;
        let marks = self.change_marks().await?;
        let mark = (marks.bars, marks.signals);
        if let Some((known, signals)) = held.as_ref()
            && *known == mark
        {
            return Ok(Arc::clone(signals));
        }
        let champion = self.store.champion(HORIZON_DEFAULT).await?;
        let model_shows =
            champion.as_ref().is_some_and(|model| model.evaluation.model_record().skill_shown());
        let records = self.signals(HORIZON_DEFAULT, None).await?;
        let signals = records.into_iter().map(|record| {
            let signal = record.signal;
            let symbol_shows = champion
                .as_ref()
                .is_some_and(|model| model.evaluation.symbol_record(signal.symbol).skill_shown());
            let signal_of_share = ShareSignal {
                action: signal.action,
                reason_code: signal.reason.code(),
                as_of: signal.as_of,
                valid_until: signal.valid_until,
                made_at: record.made_at,
                expected_return_share: signal.expected_return_share,
                probability_up: signal.probability_up,
                is_skill_shown: model_shows && symbol_shows,
            };
            (signal.symbol, signal_of_share)
        });
        let signals = Arc::new(signals.collect());
        *held = Some((mark, Arc::clone(&signals)));
        Ok(signals)
    }
}

impl MarketView {
    fn of(bars: &DailyBars, policy: ValidationPolicy) -> Self {
        let shares =
            bars.series.values().filter(|series| series.symbol().class() == InstrumentClass::Share);
        let (admitted, below): (Vec<_>, Vec<_>) =
            shares.partition(|series| is_good(series, policy));
        let as_of = day_of_most(&admitted);
        let day = as_of.unwrap_or(Date::MIN);
        let calendar = Calendar::bist();
        let marks = SessionMarks::before(day, calendar);
        let all: Vec<History> = admitted.iter().map(|series| History::of(series, day)).collect();
        let regime = RegimeHistory::of(&all);
        let about: BTreeMap<Symbol, _> =
            bars.overviews.iter().map(|one| (one.instrument.symbol, &one.instrument)).collect();

        let (mut views, mut histories, mut older) = (Vec::new(), Vec::new(), Vec::new());
        for (history, series) in all.into_iter().zip(&admitted) {
            let Some(standing) = Standing::of(&history, &marks) else {
                older.extend(series.bars().last().map(|bar| (series.symbol(), bar.day)));
                continue;
            };
            let instrument = about.get(&series.symbol());
            views.push(ShareView {
                standing,
                name: instrument.and_then(|one| one.name.clone()),
                sector: instrument.and_then(|one| one.sector.clone()),
                origin: instrument.map_or(Origin::Market, |one| one.origin),
                source: series.quality().source,
                quality_share: series.quality().score_share(),
            });
            histories.push(history);
        }

        let known = |name: &str| {
            let symbol = Symbol::parse(name).ok()?;
            let series = bars.series.get(&symbol).filter(|series| is_good(series, policy))?;
            Some(History::of(series, day)).filter(|history| history.last().is_some())
        };
        let indices = SHOWN_INDICES.iter().filter_map(|name| {
            let symbol = Symbol::parse(name).ok()?;
            let state = match (known(name), bars.series.get(&symbol)) {
                (Some(history), Some(series)) => index_state(&history, series, calendar),
                (None, Some(series)) if !is_good(series, policy) => IndexState::BelowGate,
                _ => IndexState::Missing,
            };
            Some(IndexView { symbol, state })
        });
        let indices: Vec<IndexView> = indices.collect();
        let index = known(INDEX).filter(|history| history.last().is_some_and(|bar| bar.day == day));
        let (benchmark, market) = match &index {
            Some(index) => (Benchmark::Index, MarketReturns::of(index)),
            None => (Benchmark::EqualWeighted, MarketReturns::equal_weighted(&histories)),
        };
        let benchmark_changes = match &index {
            Some(index) => marks.changes(index),
            None => mean_changes(&views),
        };
        let of_sector = views.iter().map(|share| (share.sector.as_deref(), &share.standing));
        Self {
            as_of,
            sectors: sector_strength(of_sector, &benchmark_changes),
            breadth: Breadth::of(views.iter().map(|share| &share.standing)),
            turnover: turnover(&histories, day),
            older,
            below_gate: below.iter().map(|series| series.symbol()).collect(),
            indices,
            benchmark,
            benchmark_changes,
            regime,
            market,
            fx: known(FX).map(|history| on_sessions(&history, calendar)),
            exposures: Default::default(),
            shares: views,
            histories,
        }
    }

    /// Sessions of the exchange that have ended since its day and before `today`; `None` without a
    /// day, or beyond the calendar.
    pub fn stale_sessions(&self, today: Date) -> Option<u32> {
        self.as_of.and_then(|day| ended_sessions_since(day, today))
    }

    /// Whether the rate of exchange is stored, so that a move of it can be asked about.
    pub fn has_rate(&self) -> bool {
        self.fx.is_some()
    }
}

fn is_good(series: &ValidatedBars, policy: ValidationPolicy) -> bool {
    !series.bars().is_empty() && series.quality().score_share() >= policy.accepted_share_min
}

/// The newest day that half of the series that go on have reached.
fn day_of_most(series: &[&ValidatedBars]) -> Option<Date> {
    let mut last: Vec<Date> =
        series.iter().filter_map(|series| series.bars().last()).map(|bar| bar.day).collect();
    last.sort_unstable_by(|a, b| b.cmp(a));
    let oldest = last.first()?.saturating_sub(LIVING_DAYS_MAX.days());
    last.retain(|day| *day >= oldest);
    last.get((last.len() - 1) / 2).copied()
}

fn index_state(history: &History, series: &ValidatedBars, calendar: &Calendar) -> IndexState {
    let Some(bar) = history.last() else { return IndexState::Missing };
    IndexState::Known {
        as_of: bar.day,
        close: bar.close,
        changes: SessionMarks::before(bar.day, calendar).changes(history),
        source: series.quality().source,
    }
}

/// What the shares did in the mean over each of [`CHANGE_SESSIONS`].
fn mean_changes(shares: &[ShareView]) -> [Option<f64>; CHANGE_SESSIONS.len()] {
    std::array::from_fn(|index| {
        let known = shares.iter().filter_map(|share| share.standing.changes[index]);
        let (sum, count) = known.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
        (count > 0).then(|| sum / f64::from(count))
    })
}

/// The returns of a series that has a value on every weekday, from session to session.
fn on_sessions(history: &History, calendar: &Calendar) -> MarketReturns {
    let mut sessions = MarketReturns::default();
    let (mut from, mut last, mut sum) = (None, None, 0.0);
    for ((before, day), value) in history.log_returns() {
        // From each session anew; after a break nothing is carried on.
        if calendar.is_session(before) || last != Some(before) {
            (from, sum) = (calendar.is_session(before).then_some(before), 0.0);
        }
        last = Some(day);
        sum += value;
        if let Some(from) = from
            && calendar.is_session(day)
        {
            sessions.0.insert((from, day), sum);
        }
    }
    sessions
}

fn turnover(histories: &[History], day: Date) -> TurnoverView {
    let mut by_day: BTreeMap<Date, (f64, usize)> = BTreeMap::new();
    for (day, value) in histories.iter().flat_map(History::turnovers) {
        if value.is_finite() {
            let sum = by_day.entry(day).or_default();
            *sum = (sum.0 + value, sum.1 + 1);
        }
    }
    let (day_try, known_count) = by_day.remove(&day).unwrap_or_default();
    let before: Vec<f64> =
        by_day.range(..day).rev().take(TURNOVER_SESSIONS).map(|(_, sum)| sum.0).collect();
    let mean_try = (before.len() == TURNOVER_SESSIONS).then(|| before.iter().sum::<f64>() / 20.0);
    TurnoverView { day_try, known_count, mean_try }
}
