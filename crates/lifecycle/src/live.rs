//! A model that follows the market bar by bar.

use std::collections::BTreeMap;

use bist_market::{Bar, Calendar, Instrument, Interval, Symbol, ValidatedBars};
use bist_models::{
    FeatureSpec, FittedForecaster as _, LateBar, MarketRow, MarketStream, RecentRows,
};
use jiff::civil::Date;

use crate::evaluation::LearningTarget;
use crate::forecast::{FittedModel, Forecast, ForecastRow};
use crate::rank_ic::mean;

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
    /// Prophet's forecasts of the day in progress, each with the stretch that it is for.
    of_prophet: BTreeMap<Symbol, (u32, f64)>,
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
            of_prophet: BTreeMap::new(),
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
        self.follow_prophet();
        let input = ForecastRow {
            key: row.key,
            volatility: row.volatility,
            names: &self.feature_names,
            features: &row.features,
        };
        self.model.forecast_row(&input, || self.of_members(row), Calendar::bist())
    }

    /// The members' forecasts for `row`, in the order of their weights.
    fn of_members(&self, row: &MarketRow) -> Vec<f64> {
        let MarketRow { key, features, stretch, .. } = row;
        let members = &self.model.members;
        let mut forecasts = vec![members.gbdt.predict_row(features)];
        forecasts.extend(members.elastic_net.as_ref().map(|linear| linear.predict_row(features)));
        forecasts.extend(members.lstm.as_ref().map(|lstm| {
            let none = RecentRows::default();
            let recent = self.recent.get(&key.symbol).unwrap_or(&none);
            lstm.predict_next(recent, key.symbol, *stretch, features)
        }));
        forecasts.extend(members.prophet.as_ref().map(|_| {
            let (_, own) = self.of_prophet[&key.symbol];
            match members.target {
                LearningTarget::Absolute => own,
                LearningTarget::RelativeToDay => {
                    let of_day: Vec<f64> = self.of_prophet.values().map(|(_, f)| *f).collect();
                    own - mean(&of_day)
                }
            }
        }));
        forecasts
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
            let is_known = self.of_prophet.get(&symbol).is_some_and(|known| known.0 == stretch);
            if !is_known {
                let forecast = prophet.predict_day(symbol, stretch, day);
                self.of_prophet.insert(symbol, (stretch, forecast));
            }
        }
    }
}
