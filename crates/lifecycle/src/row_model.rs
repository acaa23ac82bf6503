//! The ensemble as a function of one row's features.
//!
//! What is not a feature of the row is held as it was: the rows before it, which the network reads,
//! the symbol, the day, and what Prophet says of all symbols of the day.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bist_market::{Calendar, Symbol};
use bist_models::{FeatureMatrix, FittedProphet, Known, Panel, RecentRows, RowKey};
use jiff::civil::Date;
use rayon::prelude::*;

use crate::evaluation::LearningTarget;
use crate::explanation::{Explained, Explanation, ExplanationError, MemberParts};
use crate::forecast::{FittedModel, Forecast, ForecastRow};
use crate::rank_ic::{count, mean};
use crate::regime::{self, turbulence_of_row};

/// What Prophet's components say of the symbols of one day: the parts of each forecast, and of which
/// stretch it is.
#[derive(Clone, Debug, Default)]
pub struct ProphetDay(BTreeMap<Symbol, (u32, Vec<(String, f64)>)>);

impl ProphetDay {
    /// Of all rows of `day`.
    pub(crate) fn of(prophet: &FittedProphet, known: &Known, day: Date) -> Self {
        let begin = known.keys.partition_point(|key| key.day < day);
        let mut of_day = Self::default();
        for (key, stretch) in known.keys[begin..].iter().zip(&known.stretch[begin..]) {
            if key.day > day {
                break;
            }
            of_day.follow(prophet, key.symbol, *stretch, day);
        }
        of_day
    }

    /// Adds a symbol of `day`, or its new stretch.
    pub(crate) fn follow(
        &mut self,
        prophet: &FittedProphet,
        symbol: Symbol,
        stretch: u32,
        day: Date,
    ) {
        if self.0.get(&symbol).is_none_or(|known| known.0 != stretch) {
            let components = prophet.components_of_day(symbol, stretch, day);
            self.0.insert(symbol, (stretch, components));
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The forecast for `symbol`; where symbols are compared, less the mean of all.
    fn forecast(&self, symbol: Symbol, target: LearningTarget) -> f64 {
        let of = |components: &[(String, f64)]| components.iter().map(|(_, value)| value).sum();
        let own: f64 = of(&self.0[&symbol].1);
        match target {
            LearningTarget::Absolute => own,
            LearningTarget::RelativeToDay => {
                let of_day: Vec<f64> = self.0.values().map(|(_, other)| of(other)).collect();
                own - mean(&of_day)
            }
        }
    }

    /// The components of that forecast. Where symbols are compared, a component that only others
    /// have is a part as well.
    fn components(&self, symbol: Symbol, target: LearningTarget) -> Vec<(String, f64)> {
        let mut components = self.0[&symbol].1.clone();
        if target == LearningTarget::Absolute {
            return components;
        }
        let symbols_count = count(self.0.len());
        for (name, value) in self.0.values().flat_map(|(_, other)| other) {
            let of_mean = value / symbols_count;
            match components.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum -= of_mean,
                None => components.push((name.clone(), -of_mean)),
            }
        }
        components
    }
}

/// The ensemble with all that it looks at besides the features of one row.
#[derive(Clone, Debug)]
pub struct RowModel<'a> {
    pub(crate) model: &'a FittedModel,
    pub(crate) key: RowKey,
    pub(crate) stretch: u32,
    pub(crate) volatility: f64,
    pub(crate) names: &'a [String],
    /// What the network read of the rows before; nothing without a network.
    pub(crate) before: Cow<'a, RecentRows>,
    /// `None` without Prophet.
    pub(crate) of_prophet: Option<&'a ProphetDay>,
}

impl<'a> RowModel<'a> {
    /// For `row` of `panel`; `of_prophet` is [`FittedModel::prophet_day`] of its day.
    ///
    /// # Panics
    ///
    /// When the columns of the panel are not those the model was fitted on, or there is no such
    /// row.
    pub fn of(
        model: &'a FittedModel,
        panel: &'a Panel,
        row: usize,
        of_prophet: Option<&'a ProphetDay>,
    ) -> Self {
        let known = &panel.known;
        let before = model.members.lstm.as_ref().map(|lstm| lstm.rows_before(known, row));
        Self {
            model,
            key: known.keys[row],
            stretch: known.stretch[row],
            volatility: panel.targets.volatility[row],
            names: known.features.names(),
            before: Cow::Owned(before.unwrap_or_default()),
            of_prophet,
        }
    }

    /// The names of the features, in the order of the columns.
    pub fn feature_names(&self) -> &'a [String] {
        self.names
    }

    /// The forecast, log-return over the horizon, if the row had these features.
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub fn expected(&self, features: &[f64]) -> f64 {
        let weights = self.weights(features);
        self.model.drift + regime::combine(&weights, &self.of_members(features))
    }

    /// The same for each row of `features`, whose columns are those of the model.
    ///
    /// # Panics
    ///
    /// When there are not as many columns.
    pub fn expected_of(&self, features: &FeatureMatrix) -> Vec<f64> {
        let rows = (0..features.rows_count()).into_par_iter();
        rows.map(|row| self.expected(&features.row(row))).collect()
    }

    /// The forecast with its bands, if the row had these features; `None` as
    /// [`FittedModel::forecast`].
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub fn forecast(&self, features: &[f64], calendar: &Calendar) -> Option<Forecast> {
        self.model.forecast_row(&self.row(features), || self.of_members(features), calendar)
    }

    /// The forecast with its explanation, if the row had these features; `None` as
    /// [`FittedModel::forecast`].
    ///
    /// # Errors
    ///
    /// [`ExplanationError`] when the parts do not add up to the forecast.
    ///
    /// # Panics
    ///
    /// When there are not as many features as columns.
    pub fn explain(
        &self,
        features: &[f64],
        calendar: &Calendar,
    ) -> Result<Option<Explained>, ExplanationError> {
        let of_members = self.of_members(features);
        let forecast =
            self.model.forecast_row(&self.row(features), || of_members.clone(), calendar);
        let Some(forecast) = forecast else { return Ok(None) };
        let weighted = of_members.into_iter().zip(self.weights(features));
        let parts: Vec<MemberParts> = self
            .parts(features)
            .into_iter()
            .zip(weighted)
            .map(|(parts, (forecast, weight))| parts.weighted(forecast, weight))
            .collect();
        let explanation = Explanation::of(
            self.key.symbol,
            (self.names, features),
            self.model.drift,
            &parts,
            forecast.expected_log_return,
        )?;
        Ok(Some(Explained { forecast, explanation }))
    }

    fn row<'b>(&'b self, features: &'b [f64]) -> ForecastRow<'b> {
        ForecastRow { key: self.key, volatility: self.volatility, names: self.names, features }
    }

    fn weights(&self, features: &[f64]) -> Vec<f64> {
        self.model.weights.at(turbulence_of_row(self.names, features))
    }

    /// The members' forecasts, in the order of their weights.
    fn of_members(&self, features: &[f64]) -> Vec<f64> {
        let members = &self.model.members;
        let mut forecasts = vec![members.gbdt.predict_row(features)];
        forecasts.extend(members.elastic_net.as_ref().map(|linear| linear.predict_row(features)));
        forecasts.extend(
            members.lstm.as_ref().map(|lstm| {
                lstm.predict_next(&self.before, self.key.symbol, self.stretch, features)
            }),
        );
        let of_prophet = self.of_prophet.map(|day| day.forecast(self.key.symbol, members.target));
        forecasts.extend(of_prophet);
        forecasts
    }

    /// The parts of the members' forecasts, in the order of their weights.
    fn parts(&self, features: &[f64]) -> Vec<MemberParts> {
        let (members, symbol) = (&self.model.members, self.key.symbol);
        let mut parts = vec![MemberParts::of_trees(members.gbdt.row_contributions(features))];
        parts.extend(
            members
                .elastic_net
                .as_ref()
                .map(|linear| MemberParts::of_elastic_net(linear.row_contributions(features))),
        );
        parts.extend(members.lstm.as_ref().map(|lstm| {
            let attributed = lstm.attribute_next(&self.before, symbol, self.stretch, features);
            MemberParts::of_network(attributed)
        }));
        parts.extend(
            self.of_prophet
                .map(|day| MemberParts::of_prophet(day.components(symbol, members.target))),
        );
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(components: &[(&str, &[(&str, f64)])]) -> ProphetDay {
        let of_symbol = |&(symbol, parts): &(&str, &[(&str, f64)])| {
            let parts = parts.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
            (Symbol::parse(symbol).unwrap(), (0, parts))
        };
        ProphetDay(components.iter().map(of_symbol).collect())
    }

    #[test]
    fn components_relative_to_the_day_add_up_though_symbols_have_others() {
        let day = day(&[
            ("AAA", &[("trend", 0.01), ("weekly", -0.002)]),
            ("BBB", &[("trend", 0.03), ("yearly", 0.006), ("weekly", 0.001)]),
            ("CCC", &[]),
        ]);
        let expected = [
            ("AAA", vec![("trend", -0.01 / 3.0), ("weekly", -0.005 / 3.0), ("yearly", -0.002)]),
            ("CCC", vec![("trend", -0.04 / 3.0), ("weekly", 0.001 / 3.0), ("yearly", -0.002)]),
        ];
        for (symbol, expected) in expected {
            let symbol = Symbol::parse(symbol).unwrap();
            let parts = day.components(symbol, LearningTarget::RelativeToDay);
            assert_eq!(parts.len(), expected.len());
            for ((name, value), (expected_name, expected)) in parts.iter().zip(&expected) {
                assert_eq!(name, expected_name);
                assert!((value - expected).abs() < 1e-15, "{name} {value}");
            }
            let sum: f64 = parts.iter().map(|(_, value)| value).sum();
            let forecast = day.forecast(symbol, LearningTarget::RelativeToDay);
            assert!((sum - forecast).abs() < 1e-15, "{sum} and {forecast}");
        }
        let own = day.components(Symbol::parse("AAA").unwrap(), LearningTarget::Absolute);
        assert_eq!(own, [("trend".to_owned(), 0.01), ("weekly".to_owned(), -0.002)]);
    }
}
