//! Where an hourly bar stands in its session, and what the same hours did on the days before.

use std::collections::BTreeMap;

use bist_market::session_hours::later;
use bist_market::{Calendar, ExchangeRules, SessionHours};
use jiff::civil::{Date, Time};

use super::run::RunBar;
use super::{FeatureTemplate, ratio};
use crate::indicators::window::{Sum, Window};

/// Sessions over which the same hours are averaged.
const SESSIONS_COUNT: u16 = 20;

/// What [`Intraday`] gives, in this order.
pub(crate) const DEFINITIONS: [FeatureTemplate; 6] = [
    FeatureTemplate {
        name: "bar_of_session",
        formula: "1 for the bar in which continuous trading begins, 2 for the next hour, and so on",
        source: "timetable of the exchange; Wood, McInish, Ord (1985), patterns within the day",
    },
    FeatureTemplate {
        name: "bars_to_close",
        formula: "hourly bars left in the session, 0 for the bar of the closing auction",
        source: "timetable of the exchange; Wood, McInish, Ord (1985), patterns within the day",
    },
    FeatureTemplate {
        name: "session_return",
        formula: "ln(close[t] / open of the session's first bar)",
        source: "Gao, Han, Li, Zhou (2018), market intraday momentum",
    },
    FeatureTemplate {
        name: "session_gap",
        formula: "ln(open of the session's first bar / last close of the session before)",
        source: "Berkman, Koch, Tuttle, Zhang (2012), overnight returns and their reversal",
    },
    FeatureTemplate {
        name: "same_hour_volume_ratio_20",
        formula: "volume / mean volume of the same hour of the last 20 sessions, this one included",
        source: "Jain and Joh (1988), volume within the day",
    },
    FeatureTemplate {
        name: "next_hour_return_20",
        formula: "mean return_1 of the hour after this one over the last 20 sessions before",
        source: "Heston, Korajczyk, Sadka (2010), returns repeat at the same time of the day",
    },
];

/// The features of the session before that rows of hourly bars know.
pub(crate) const CONTEXT_DEFINITIONS: [FeatureTemplate; 8] = [
    context("index_return_1", "ln(XU100[d] / XU100[d-1]), d the session before"),
    context("index_return_5", "ln(XU100[d] / XU100[d-5]), d the session before"),
    context("index_return_20", "ln(XU100[d] / XU100[d-20]), d the session before"),
    context("index_volatility_20", "index_volatility_20 of the session before"),
    context("usdtry_return_1", "ln(USDTRY[d] / USDTRY[d-1]), d the last day before that session"),
    context("usdtry_return_5", "ln(USDTRY[d] / USDTRY[d-5]), d the last day before that session"),
    context("usdtry_return_20", "ln(USDTRY[d] / USDTRY[d-20]), d the last day before that session"),
    context("usdtry_volatility_20", "usdtry_volatility_20 of the session before"),
];

const fn context(name: &'static str, formula: &'static str) -> FeatureTemplate {
    FeatureTemplate {
        name,
        formula,
        source: "daily bars, as known at the close of the session before; NaN without them",
    }
}

/// The state of the features of [`DEFINITIONS`].
#[derive(Debug)]
pub(crate) struct Intraday<'a> {
    calendar: &'a Calendar,
    rules: &'a ExchangeRules,
    session: Option<Session>,
    last_close: f64,
    hours: BTreeMap<Time, SameHour>,
}

/// The session of the last bar.
#[derive(Clone, Copy, Debug)]
struct Session {
    day: Date,
    hours: Option<SessionHours>,
    /// The first price.
    open: f64,
    /// The last price of the session before.
    base: f64,
}

/// An hour of the day over the last sessions.
#[derive(Debug)]
struct SameHour {
    volumes: Window<Sum>,
    returns: Window<Sum>,
    mean_return: f64,
}

impl<'a> Intraday<'a> {
    pub(crate) const fn new(calendar: &'a Calendar, rules: &'a ExchangeRules) -> Self {
        Self { calendar, rules, session: None, last_close: f64::NAN, hours: BTreeMap::new() }
    }

    pub(crate) fn push(&mut self, of_run: &RunBar) -> [f64; 6] {
        let (bar, time) = (of_run.bar, of_run.time);
        let session = match self.session {
            Some(session) if session.day == of_run.day => session,
            _ => Session {
                day: of_run.day,
                hours: SessionHours::on(of_run.day, self.calendar, self.rules),
                open: bar.open,
                base: self.last_close,
            },
        };
        self.session = Some(session);
        let return_1 = (bar.close / self.last_close).ln();
        self.last_close = bar.close;

        let hour = self.hours.entry(time).or_insert_with(SameHour::new);
        let count = f64::from(SESSIONS_COUNT);
        hour.mean_return = hour.returns.push(Sum(return_1)).0 / count;
        let volume_ratio = ratio(bar.volume, hour.volumes.push(Sum(bar.volume)).0 / count);
        let next = self.hours.get(&later(time, 1));
        let place = |number: fn(&SessionHours, Time) -> u8| {
            session.hours.map_or(f64::NAN, |hours| f64::from(number(&hours, time)))
        };
        [
            place(SessionHours::number_of),
            place(SessionHours::bars_after),
            (bar.close / session.open).ln(),
            (session.open / session.base).ln(),
            volume_ratio,
            next.map_or(f64::NAN, |next| next.mean_return),
        ]
    }
}

impl SameHour {
    fn new() -> Self {
        Self {
            volumes: Window::new(SESSIONS_COUNT),
            returns: Window::new(SESSIONS_COUNT),
            mean_return: f64::NAN,
        }
    }
}
