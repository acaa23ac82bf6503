//! A source that has the bars of each session once it is over.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use bist_feeds::http::BreakerState;
use bist_feeds::{
    Batch, Content, FetchError, Fetched, Fetching, Piece, Provider, Scope, Validators, Wanted,
};
use bist_market::bar::day_of;
use bist_market::{BarSeries, Calendar, Interval, Source, Symbol};
use bist_testkit::bars::random_walk;
use jiff::Timestamp;
use jiff::civil::{Date, date};
use tokio::sync::Notify;

/// The first day that the source has.
const FIRST_DAY: Date = date(2026, 9, 1);

/// The last day that it will ever have.
const LAST_DAY: Date = date(2026, 11, 30);

/// A source of bars: a piece a share, or a piece a day with all shares.
#[derive(Debug)]
pub(crate) struct Exchange {
    source: Source,
    walks: Vec<BarSeries>,
    state: Mutex<State>,
    /// Told when a fetch hangs.
    pub(crate) hung: Notify,
}

#[derive(Debug, Default)]
struct State {
    failing: BTreeSet<String>,
    hanging: BTreeSet<String>,
    newest_day: Option<Date>,
    asked: Vec<String>,
}

impl Exchange {
    /// A source of `symbols` that answers.
    pub(crate) fn new(source: Source, symbols: &[&str]) -> Self {
        let walk = |symbol: &&str| random_walk(symbol, FIRST_DAY, LAST_DAY, 7);
        Self {
            source,
            walks: symbols.iter().map(walk).collect(),
            state: Mutex::new(State::default()),
            hung: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// From now on pieces whose name begins so fail.
    pub(crate) fn fail(&self, piece: &str) {
        self.state().failing.insert(piece.to_owned());
    }

    /// It answers again.
    pub(crate) fn recover(&self) {
        let mut state = self.state();
        state.failing.clear();
        state.hanging.clear();
    }

    /// From now on pieces whose name begins so are never answered.
    pub(crate) fn hang(&self, piece: &str) {
        self.state().hanging.insert(piece.to_owned());
    }

    /// It has no bars after `day`, or all that there are.
    pub(crate) fn have_bars_to(&self, day: Option<Date>) {
        self.state().newest_day = day;
    }

    /// The pieces that were asked for since this was called last.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state().asked)
    }

    fn bars(&self, symbol: Option<Symbol>, from: Date, to: Date) -> Vec<BarSeries> {
        let newest = self.state().newest_day.unwrap_or(LAST_DAY);
        let mut series: Vec<BarSeries> = self.walks.clone();
        series.retain(|series| symbol.is_none_or(|wanted| wanted == series.symbol));
        for series in &mut series {
            series.bars.retain(|bar| (from..=to.min(newest)).contains(&bar.day()));
        }
        series
    }
}

impl Provider for Exchange {
    fn source(&self) -> Source {
        self.source
    }

    fn plan(&self, wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
        let (from, to) = (wanted.from.max(FIRST_DAY), wanted.to.min(day_of(now)));
        if wanted.symbols.is_empty() {
            let days = Calendar::bist().sessions(from, to);
            return Ok(days
                .map(|(day, _)| Piece {
                    key: day.to_string(),
                    scope: Scope::Day(day),
                    is_final: false,
                })
                .collect());
        }
        let piece = |symbol: &Symbol| Piece {
            key: format!("{symbol} from {from}"),
            scope: Scope::Share { symbol: *symbol, from, to, interval: Interval::Daily },
            is_final: false,
        };
        Ok(wanted.symbols.iter().map(piece).collect())
    }

    fn fetch<'a>(&'a self, piece: &'a Piece, _known: &'a Validators) -> Fetching<'a> {
        Box::pin(async move {
            self.state().asked.push(piece.key.clone());
            let is_in =
                |pieces: &BTreeSet<String>| pieces.iter().any(|begin| piece.key.starts_with(begin));
            let hangs = is_in(&self.state().hanging);
            if hangs {
                self.hung.notify_one();
                std::future::pending::<()>().await;
            }
            let fails = is_in(&self.state().failing);
            if fails {
                let (place, reason) = ("the answer".to_owned(), "it is broken".to_owned());
                return Err(FetchError::Malformed {
                    source_name: self.source,
                    piece: piece.key.clone(),
                    place,
                    reason,
                });
            }
            let series = match piece.scope {
                Scope::Share { symbol, from, to, .. } => self.bars(Some(symbol), from, to),
                Scope::Day(day) => self.bars(None, day, day),
                ref other @ (Scope::Actions { .. }
                | Scope::Series { .. }
                | Scope::Cursor(_)
                | Scope::File(_)) => panic!("{other:?} is never planned"),
            };
            let rows_read = series.iter().map(|series| series.bars.len() as u64).sum();
            let batch = Batch { file: piece.key.clone(), rows_read, series, ..Batch::default() };
            let content = Content::Data(Box::new(batch));
            Ok(Fetched { content, validators: Validators::default(), next: None })
        })
    }

    fn breaker(&self) -> Option<BreakerState> {
        None
    }
}
