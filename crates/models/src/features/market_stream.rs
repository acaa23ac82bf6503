//! The features of all symbols, bar by bar: what a live bar updates.

use std::collections::BTreeMap;

use bist_market::calendar::Calendar;
use bist_market::{Bar, ExchangeRules, Instrument, InstrumentClass, Symbol, ValidatedBars};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::context::Context;
use super::cross_section::{CrossSection, MARKET_MODEL_SESSIONS_COUNT, MarketModel, Standing};
use super::regime::Regime;
use super::stream::{OwnValues, SymbolStream};
use super::{FeatureSpec, RowKey, calendar, cross_section, own_templates, sectors};

/// The row of one symbol of the day in progress, as far as the day is known.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketRow {
    /// Day and symbol.
    pub key: RowKey,
    /// All features, in the order of [`FeatureSpec::definitions`]; NaN is an unknown value.
    pub features: Vec<f64>,
    /// Which unbroken stretch of its symbol's bars the row belongs to, as in [`super::Known`].
    pub stretch: u32,
    /// Standard deviation of the daily log-returns of the last 20 sessions; NaN until there are 20.
    pub volatility: f64,
}

/// What a bar changed.
#[derive(Clone, Debug, PartialEq)]
pub struct MarketUpdate {
    /// When the bar begins a day: the rows of the day before, which are final now, by symbol.
    pub closed: Vec<MarketRow>,
    /// The row of the bar; `None` when it is not of a share.
    pub row: Option<MarketRow>,
}

/// A bar of a day that later days have built on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the bar of {symbol} of {day} comes too late, for it would change rows that are final: from \
     {earliest} on bars are taken in; build the stream anew from the whole history"
)]
pub struct LateBar {
    /// Whose bar.
    pub symbol: Symbol,
    /// Its day.
    pub day: Date,
    /// The first day of which a bar of the symbol can be taken in.
    pub earliest: Date,
}

/// The state of all features of all symbols.
///
/// A row is, bit for bit, what [`super::build`] gives for that symbol and day when the bars known
/// are those taken in so far. A bar of the day in progress is provisional: another of the same
/// symbol and day takes its place, for what it builds on is kept as it was before the day. The day
/// ends when a share has a bar of a later one, and its rows are final then; the first bar of a year
/// takes longer, because the regime is learned anew.
#[derive(Clone, Debug)]
pub struct MarketStream {
    calendar: &'static Calendar,
    rules: &'static ExchangeRules,
    spec: FeatureSpec,
    places: Places,
    sectors: BTreeMap<Symbol, usize>,
    context: Context,
    regime: Regime,
    shares: BTreeMap<Symbol, Share>,
    /// The day in progress.
    day: Option<Day>,
    /// The day before it.
    last_closed: Option<Date>,
}

#[derive(Clone, Copy, Debug)]
struct Day {
    date: Date,
    of_calendar: [f64; calendar::DEFINITIONS.len()],
}

/// One share as of its last bar before the day in progress.
#[derive(Clone, Debug)]
struct Share {
    stream: SymbolStream,
    /// The stretch of the last bar.
    stretch: Option<u32>,
    /// The returns of the last sessions of the stretch, fewer than a market model takes.
    own_returns: Vec<f64>,
    /// Those of the market on the same days.
    market_returns: Vec<f64>,
    today: Option<Today>,
}

/// The bar of the day in progress.
#[derive(Clone, Debug)]
struct Today {
    stream: SymbolStream,
    own: OwnValues,
    standing: Standing,
    stretch: u32,
}

/// What the rows of a day share.
struct DayView {
    day: Date,
    section: CrossSection,
    market_return_1: f64,
    /// Calendar, context and regime.
    of_day: [f64; super::DAY_COUNT],
}

/// Where the features that are read again stand among those of a single symbol.
#[derive(Clone, Copy, Debug)]
struct Places {
    return_1: usize,
    return_5: usize,
    return_20: usize,
    reversal_slope: usize,
    volatility_20: usize,
    volume_ratio: usize,
}

impl MarketStream {
    /// Before the first bar, with the windows of `spec`. `instruments` tell the sectors.
    pub fn new(instruments: &[Instrument], spec: FeatureSpec) -> Self {
        let rules = ExchangeRules::bist();
        Self {
            calendar: Calendar::bist(),
            rules,
            spec,
            places: Places::new(),
            sectors: sectors(instruments),
            context: Context::new(rules),
            regime: Regime::new(),
            shares: BTreeMap::new(),
            day: None,
            last_closed: None,
        }
    }

    /// Takes in a bar and gives its row. `continues` says whether the bar may be compared with the
    /// one of its symbol on an earlier day ([`ValidatedBars::continues`]).
    ///
    /// # Errors
    ///
    /// [`LateBar`] when the bar would change rows that are final; nothing has changed then.
    pub fn push(
        &mut self,
        symbol: Symbol,
        bar: &Bar,
        continues: bool,
    ) -> Result<MarketUpdate, LateBar> {
        let closed = self.take(symbol, bar, continues)?;
        Ok(MarketUpdate { closed, row: self.row(symbol) })
    }

    /// Takes in the bars of `series` from where they begin to `until`, that day included, and hands
    /// the rows that become final to `closed`.
    ///
    /// # Errors
    ///
    /// [`LateBar`] when a bar would change rows that are final; bars of days before it have been
    /// taken in then.
    pub fn warm_up(
        &mut self,
        series: &[ValidatedBars],
        until: Date,
        mut closed: impl FnMut(Vec<MarketRow>),
    ) -> Result<(), LateBar> {
        let mut bars: Vec<(Date, &ValidatedBars, usize)> = Vec::new();
        for series in series {
            let known = series.bars().iter().take_while(|bar| bar.day <= until);
            bars.extend(known.enumerate().map(|(index, bar)| (bar.day, series, index)));
        }
        bars.sort_by_key(|(day, ..)| *day);
        for (_, series, index) in bars {
            closed(self.take(series.symbol(), &series.bars()[index], series.continues(index))?);
        }
        Ok(())
    }

    /// The row of `symbol` of the day in progress, given all bars so far; `None` when it has no bar
    /// of that day.
    pub fn row(&self, symbol: Symbol) -> Option<MarketRow> {
        let share = self.shares.get(&symbol)?;
        let today = share.today.as_ref()?;
        Some(self.day_view()?.row(&self.places, symbol, share, today))
    }

    /// The day in progress; `None` before the first bar of a share.
    pub fn day(&self) -> Option<Date> {
        self.day.map(|day| day.date)
    }

    /// The symbols with a bar of the day in progress and the stretch of that bar, in their order.
    pub fn today(&self) -> impl Iterator<Item = (Symbol, u32)> {
        let shares = self.shares.iter();
        shares.filter_map(|(symbol, share)| Some((*symbol, share.today.as_ref()?.stretch)))
    }

    /// Takes in a bar; gives the rows that are final with it.
    fn take(
        &mut self,
        symbol: Symbol,
        bar: &Bar,
        continues: bool,
    ) -> Result<Vec<MarketRow>, LateBar> {
        if let Some(earliest) = self.earliest(symbol).filter(|earliest| bar.day < *earliest) {
            return Err(LateBar { symbol, day: bar.day, earliest });
        }
        if let Some(series) = self.context.series_of(symbol) {
            series.push(bar, continues);
        }
        if symbol.class() != InstrumentClass::Share {
            return Ok(Vec::new());
        }
        let closed = if self.day.is_some_and(|day| day.date == bar.day) {
            Vec::new()
        } else {
            let closed = self.close();
            self.begin(bar.day);
            closed
        };
        let sector = self.sectors.get(&symbol).copied();
        let share = self.shares.entry(symbol).or_insert_with(|| Share::new(self.rules, self.spec));
        share.push(bar, continues, &self.places, sector);
        Ok(closed)
    }

    /// The first day of which a bar of `symbol` can be taken in.
    fn earliest(&mut self, symbol: Symbol) -> Option<Date> {
        if symbol.class() == InstrumentClass::Share {
            return self.day.map(|day| day.date);
        }
        // The rows of a day know the index of that day, and the rate of the day before.
        let unread = match symbol.as_str() {
            super::context::INDEX => self.last_closed.map(|day| day.saturating_add(1.day())),
            _ => self.last_closed,
        };
        let last = self.context.series_of(symbol)?.last_day();
        unread.max(last)
    }

    fn begin(&mut self, date: Date) {
        self.regime.begin(date);
        self.day = Some(Day { date, of_calendar: calendar::of_day(self.calendar, date) });
    }

    /// Ends the day in progress; gives its rows.
    fn close(&mut self) -> Vec<MarketRow> {
        let Some(view) = self.day_view() else { return Vec::new() };
        self.regime.close(&self.returns());
        let mut rows = Vec::new();
        for (symbol, share) in &mut self.shares {
            if let Some(today) = share.today.take() {
                rows.push(view.row(&self.places, *symbol, share, &today));
                share.close(today, view.market_return_1);
            }
        }
        self.last_closed = Some(view.day);
        self.day = None;
        rows
    }

    /// What the rows of the day in progress share, given all bars so far.
    fn day_view(&self) -> Option<DayView> {
        let day = self.day?;
        let standings: Vec<Standing> = self.standings().collect();
        let mut of_day = [f64::NAN; super::DAY_COUNT];
        let values = (day.of_calendar.into_iter())
            .chain(self.context.of_day(day.date))
            .chain([self.regime.turbulent(&self.returns())]);
        for (slot, value) in of_day.iter_mut().zip(values) {
            *slot = value;
        }
        Some(DayView {
            day: day.date,
            market_return_1: cross_section::market_return_1(&standings),
            section: CrossSection::of(&standings),
            of_day,
        })
    }

    /// The symbols with a bar of the day in progress, in their order.
    fn standings(&self) -> impl Iterator<Item = Standing> {
        self.shares.values().filter_map(|share| Some(share.today.as_ref()?.standing))
    }

    fn returns(&self) -> Vec<f64> {
        self.standings().map(|standing| standing.return_1).collect()
    }
}

impl Share {
    fn new(rules: &'static ExchangeRules, spec: FeatureSpec) -> Self {
        Self {
            stream: SymbolStream::new(rules, spec),
            stretch: None,
            own_returns: Vec::new(),
            market_returns: Vec::new(),
            today: None,
        }
    }

    /// Puts `bar` in the place of today's.
    fn push(&mut self, bar: &Bar, continues: bool, places: &Places, sector: Option<usize>) {
        let mut stream = self.stream.clone();
        let own = stream.advance(bar, continues);
        let stretch = self.stretch.map_or(0, |last| last + u32::from(own.begins));
        let standing = places.standing(&own, sector);
        self.today = Some(Today { stream, own, standing, stretch });
    }

    fn market_model(&self, today: &Today, market_return_1: f64) -> MarketModel {
        let of_run = |before: &[f64], last: f64| {
            let before = if today.own.begins { &[] } else { before };
            [before, &[last]].concat()
        };
        MarketModel::of_last(
            &of_run(&self.own_returns, today.standing.return_1),
            &of_run(&self.market_returns, market_return_1),
        )
    }

    fn close(&mut self, today: Today, market_return_1: f64) {
        if today.own.begins {
            self.own_returns.clear();
            self.market_returns.clear();
        }
        for (returns, last) in [
            (&mut self.own_returns, today.standing.return_1),
            (&mut self.market_returns, market_return_1),
        ] {
            returns.push(last);
            if returns.len() == MARKET_MODEL_SESSIONS_COUNT {
                returns.remove(0);
            }
        }
        self.stream = today.stream;
        self.stretch = Some(today.stretch);
    }
}

impl DayView {
    fn row(&self, places: &Places, symbol: Symbol, share: &Share, today: &Today) -> MarketRow {
        let of_market_model = share.market_model(today, self.market_return_1);
        let own = today.own.values;
        let across = self.section.row(&today.standing, of_market_model);
        MarketRow {
            key: RowKey::daily(self.day, symbol),
            volatility: own[places.volatility_20],
            features: [&own[..], &self.of_day, &across].concat(),
            stretch: today.stretch,
        }
    }
}

impl Places {
    fn new() -> Self {
        let of = |name: &str| {
            let place = own_templates().position(|template| template.name == name);
            place.expect("a feature of single symbols")
        };
        Self {
            return_1: of("return_1"),
            return_5: of("return_5"),
            return_20: of("return_20"),
            reversal_slope: of("reversal_slope_250"),
            volatility_20: of("volatility_20"),
            volume_ratio: of("volume_ratio_5_20"),
        }
    }

    fn standing(&self, own: &OwnValues, sector: Option<usize>) -> Standing {
        let values = &own.values;
        Standing {
            return_1: values[self.return_1],
            return_5: values[self.return_5],
            return_20: values[self.return_20],
            reversal_slope: values[self.reversal_slope],
            volatility_20: values[self.volatility_20],
            volume_ratio: values[self.volume_ratio],
            log_illiquidity: own.liquidity.log_illiquidity,
            turnover: own.liquidity.turnover,
            sector,
        }
    }
}
