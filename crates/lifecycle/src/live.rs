//! A model that follows the market bar by bar.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bist_market::{Bar, Calendar, Instrument, Interval, Symbol, ValidatedBars};
use bist_models::{
    FeatureSpec, FittedForecaster as _, LateBar, MarketRow, MarketStream, RecentRows,
};
use jiff::civil::Date;

use crate::explanation::{Explained, ExplanationError};
use crate::forecast::{FittedModel, Forecast};
use crate::row_model::{ProphetDay, RowModel};

/// A model that was fitted on other features than a live bar gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the model reads {of_model_count} features, and a live bar gives {live_count} that are not the \
     same; train anew"
)]
pub struct OtherFeatures {
    /// How many the model reads.
    pub of_model_count: usize,
    /// How many a live bar gives.
    pub live_count: usize,
}

/// A fitted model of daily bars beside the state of the market that it reads.
///
/// What it forecasts is, bit for bit, what [`FittedModel::forecast`] makes of the panel of the bars
/// taken in so far; only the row asked for is computed.
#[derive(Debug)]
pub struct LiveModel {
    model: FittedModel,
    market: MarketStream,
    feature_names: Vec<String>,
    /// What the network read of each symbol's final rows.
    recent: BTreeMap<Symbol, RecentRows>,
    /// What Prophet says of the symbols of the day in progress.
    of_prophet: ProphetDay,
}

impl LiveModel {
    /// The model, which was fitted on features with the windows of `spec`, as of the close of
    /// `until`, having seen the bars of `series` to that day.
    ///
    /// # Errors
    ///
    /// [`OtherFeatures`] when the model was fitted on other features.
    ///
    /// # Panics
    ///
    /// When a symbol is given twice.
    pub fn new(
        model: FittedModel,
        spec: FeatureSpec,
        series: &[ValidatedBars],
        instruments: &[Instrument],
        until: Date,
    ) -> Result<Self, OtherFeatures> {
        let names = spec.names(Interval::Daily);
        let of_model = model.members.gbdt.feature_names();
        if of_model != names {
            let (of_model_count, live_count) = (of_model.len(), names.len());
            return Err(OtherFeatures { of_model_count, live_count });
        }
        let mut live = Self {
            model,
            market: MarketStream::new(instruments, spec),
            feature_names: names,
            recent: BTreeMap::new(),
            of_prophet: ProphetDay::default(),
        };
        let mut market = MarketStream::new(instruments, spec);
        let warmed_up = market.warm_up(series, until, |rows| live.close(&rows));
        warmed_up.expect("each symbol is given once, so no bar is late");
        live.market = market;
        live.follow_prophet();
        Ok(live)
    }

    /// Takes in a bar of `symbol`, of the day in progress or a later one, and gives its forecast:
    /// [`Self::update`], then [`Self::forecast`].
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    pub fn push(
        &mut self,
        symbol: Symbol,
        bar: &Bar,
        continues: bool,
    ) -> Result<Option<Forecast>, LateBar> {
        let row = self.update(symbol, bar, continues)?;
        Ok(row.and_then(|row| self.forecast(&row)))
    }

    /// Takes in a bar and gives its row; `None` when it is not of a share. `continues` as in
    /// [`MarketStream::push`].
    ///
    /// # Errors
    ///
    /// [`LateBar`] when the bar would change rows that are final; nothing has changed then.
    pub fn update(
        &mut self,
        symbol: Symbol,
        bar: &Bar,
        continues: bool,
    ) -> Result<Option<MarketRow>, LateBar> {
        let update = self.market.push(symbol, bar, continues)?;
        self.close(&update.closed);
        Ok(update.row)
    }

    /// The row of `symbol` of the day in progress, given all bars so far; `None` when it has no bar
    /// of that day.
    pub fn row(&self, symbol: Symbol) -> Option<MarketRow> {
        self.market.row(symbol)
    }

    /// The forecast for `row`, which is of the day in progress; `None` when its volatility is not
    /// known or zero, because then no band can be drawn.
    ///
    /// # Panics
    ///
    /// When the row is of a symbol without a bar of the day in progress.
    pub fn forecast(&mut self, row: &MarketRow) -> Option<Forecast> {
        self.row_model(row).forecast(&row.features, Calendar::bist())
    }

    /// The forecast for `row` with its explanation; `None` as [`Self::forecast`].
    ///
    /// # Errors
    ///
    /// [`ExplanationError`] when the parts do not add up to the forecast.
    ///
    /// # Panics
    ///
    /// As [`Self::forecast`].
    pub fn explain(&mut self, row: &MarketRow) -> Result<Option<Explained>, ExplanationError> {
        self.row_model(row).explain(&row.features, Calendar::bist())
    }

    /// The model as a function of the features of `row`.
    fn row_model(&mut self, row: &MarketRow) -> RowModel<'_> {
        self.follow_prophet();
        let MarketRow { key, stretch, volatility, .. } = *row;
        let before = self.recent.get(&key.symbol);
        RowModel {
            model: &self.model,
            key,
            stretch,
            volatility,
            names: &self.feature_names,
            before: before.map_or_else(|| Cow::Owned(RecentRows::default()), Cow::Borrowed),
            of_prophet: self.model.members.prophet.is_some().then_some(&self.of_prophet),
        }
    }

    /// Takes in the final rows of a day that is over.
    fn close(&mut self, rows: &[MarketRow]) {
        if rows.is_empty() {
            return;
        }
        self.of_prophet.clear();
        if let Some(lstm) = &self.model.members.lstm {
            for MarketRow { key, features, stretch, .. } in rows {
                let recent = self.recent.entry(key.symbol).or_default();
                lstm.remember(recent, *stretch, features);
            }
        }
    }

    /// Lets Prophet forecast the symbols of the day in progress that it has not forecast yet.
    fn follow_prophet(&mut self) {
        let Some(prophet) = &self.model.members.prophet else { return };
        let Some(day) = self.market.day() else { return };
        for (symbol, stretch) in self.market.today() {
            self.of_prophet.follow(prophet, symbol, stretch, day);
        }
    }
}
