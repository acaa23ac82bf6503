//! What came of forecasts, by the bars as they are now.

use std::collections::HashMap;

use bist_lifecycle::experiment::Outcome;
use bist_market::calendar::Calendar;
use bist_market::exchange_rules::ExchangeRules;
use bist_market::session_hours::moment_text;
use bist_market::{SessionHours, Symbol};
use bist_models::{Horizon, Panel, RowKey};
use bist_store::ExposureRecord;
use bist_trading::CostModel;
use jiff::civil::Date;

use crate::training::Admitted;

/// Sessions past the end of the horizon that bars of a symbol may still come in. After that the
/// outcome will never be known, and it waits no longer.
pub(super) const LATE_SESSIONS: u32 = 5;

/// Finds what came of forecasts.
pub(super) struct Outcomes<'a> {
    admitted: &'a Admitted,
    panel: &'a Panel,
    costs: &'a CostModel,
    /// The rows by symbol and day or moment.
    rows: HashMap<(Symbol, String), usize>,
    /// The day of the last bar of each symbol.
    last_days: HashMap<Symbol, Date>,
}

impl<'a> Outcomes<'a> {
    /// By the rows of `panel`, which is one of `admitted`, from `first` on.
    pub(super) fn new(
        admitted: &'a Admitted,
        panel: &'a Panel,
        costs: &'a CostModel,
        first: Date,
    ) -> Self {
        let horizon = panel.targets.horizon;
        let keys = panel.known.keys.iter().enumerate();
        let rows = keys
            .filter(|(_, key)| key.day >= first)
            .map(|(row, key)| ((key.symbol, moment_of(*key, horizon)), row))
            .collect();
        let series = admitted.universe.series().iter();
        let last_days = series
            .filter_map(|series| Some((series.symbol(), series.bars().last()?.day)))
            .collect();
        Self { admitted, panel, costs, rows, last_days }
    }

    /// What came of a forecast; `None` while that is open.
    ///
    /// The return is the one by which models are judged out of sample: from the close as of which
    /// the forecast was to the close that ends the horizon, dividends included. It will never be known
    /// when the symbol has bars up to that end and it is not known, because a bar between is missing
    /// or was locked at its limit, and when bars that could tell it have not come for
    /// [`LATE_SESSIONS`].
    pub(super) fn of(&self, record: &ExposureRecord) -> Option<Outcome> {
        let exposure = &record.exposure;
        let symbol = Symbol::parse(&exposure.unit).ok()?;
        let outcome = |known_on, log_return, return_after_costs| Outcome {
            experiment: exposure.experiment.clone(),
            unit: exposure.unit.clone(),
            day: exposure.day,
            arm: exposure.arm.clone(),
            known_on,
            log_return,
            return_after_costs,
        };
        let newest = self.admitted.newest()?.day;
        let row = self.rows.get(&(symbol, record.moment.clone())).copied();
        let targets = &self.panel.targets;
        if let Some(row) = row
            && let Some(log_return) = targets.step_returns.last().map(|returns| returns[row])
            && log_return.is_finite()
            && let Some(known_on) = targets.known_on[row]
        {
            let after_costs =
                self.after_costs(exposure.expected_log_return, targets.tradable_return[row]);
            return Some(outcome(known_on, Some(log_return), after_costs));
        }
        let horizon = targets.horizon;
        let end = match horizon {
            Horizon::Sessions(sessions) => {
                Calendar::bist().session_after(exposure.day, sessions.get().into())?
            }
            Horizon::NextHour | Horizon::EndOfDay => exposure.day,
        };
        let last = self.last_days.get(&symbol).copied().filter(|_| row.is_some());
        let is_past = last.is_some_and(|last| match horizon {
            Horizon::Sessions(_) => last >= end,
            Horizon::NextHour | Horizon::EndOfDay => last > end,
        });
        let too_late = Calendar::bist().session_after(end, LATE_SESSIONS)?;
        (is_past || newest >= too_late).then(|| outcome(newest, None, None))
    }

    /// What following a forecast would have earned by the rule of [`bist_trading::AfterCosts`]: who
    /// expects more than a purchase and its sale cost buys at the next open and sells at the end of
    /// the horizon; who does not stays in cash. `None` when the prices could not be had.
    fn after_costs(&self, expected_log_return: f64, tradable_log_return: f64) -> Option<f64> {
        let costs_share = self.costs.round_trip_share();
        if expected_log_return.exp_m1() <= costs_share {
            return Some(0.0);
        }
        tradable_log_return.is_finite().then(|| tradable_log_return.exp_m1() - costs_share)
    }
}

/// The day or moment as of which a forecast from a row is.
fn moment_of(key: RowKey, horizon: Horizon) -> String {
    let closes = || {
        let hours = SessionHours::on(key.day, Calendar::bist(), ExchangeRules::bist())?;
        Some(hours.bar_ends(key.time))
    };
    moment_text(
        key.day,
        match horizon {
            Horizon::Sessions(_) => None,
            Horizon::NextHour | Horizon::EndOfDay => closes(),
        },
    )
}
