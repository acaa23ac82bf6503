//! What a wish costs: which charts, of which days.

use bist_market::bar::{day_of, midnight_of};
use bist_market::{Interval, Source};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};

use super::chart::interval_name;
use crate::fetch_error::FetchError;
use crate::provider::{Piece, Scope, Wanted};
use crate::spans::{self, Span};

/// The days that Yahoo can count.
const FIRST_DAY: Date = date(1970, 1, 2);
const LAST_DAY: Date = date(2200, 1, 1);

/// Days for which Yahoo keeps bars of a length, today included; `None` for ever.
fn depth_days(interval: Interval) -> Option<i64> {
    match interval {
        Interval::Daily => None,
        Interval::Minutes(1) => Some(8),
        Interval::Minutes(60) => Some(730),
        Interval::Minutes(_) => Some(60),
    }
}

/// The charts of each symbol, one after the other. Days are one chart for all past years and one
/// for the year that runs: after a split everything is fetched again anyway, and fewer requests are
/// the more polite ones.
pub(super) fn plan(wanted: &Wanted, now: Timestamp) -> Result<Vec<Piece>, FetchError> {
    let not_offered =
        |reason: String| FetchError::NotOffered { source_name: Source::YAHOO, reason };
    let Wanted { symbols, from, interval, .. } = wanted;
    if interval_name(*interval).is_none() {
        return Err(not_offered(format!(
            "it has no bars of {interval}; ask for 1d, 1m, 2m, 5m, 15m, 60m or 90m"
        )));
    }
    if symbols.is_empty() {
        return Err(not_offered("its charts are of single symbols; name at least one".to_owned()));
    }
    let today = day_of(now);
    let to = wanted.to.min(today);
    if *from > to {
        return Err(not_offered(format!("there are no days from {from} to {to}")));
    }
    let first_kept = depth_days(*interval).map(|days| today.saturating_sub((days - 1).days()));
    if let Some(first) = first_kept.filter(|first| from < first) {
        return Err(not_offered(format!(
            "it keeps bars of {interval} since {first} only; ask for that day or a later one"
        )));
    }
    let spans = match interval {
        Interval::Daily => spans::by_years(*from, to, now, |year| year == today.year()),
        Interval::Minutes(_) => vec![Span::of(*from, to, now)],
    };
    let pieces = symbols.iter().flat_map(|symbol| {
        spans.iter().map(move |span| Piece {
            key: span.key(&format!("{symbol} {interval}")),
            scope: Scope::Share {
                symbol: *symbol,
                from: span.from,
                to: span.to,
                interval: *interval,
            },
            is_final: span.is_final,
        })
    });
    Ok(pieces.collect())
}

/// The first second of `from` and the first after `to`, as Yahoo counts them: since 1970.
pub(super) fn period_s(from: Date, to: Date) -> (i64, i64) {
    let begin_s = |day: Date| midnight_of(day.clamp(FIRST_DAY, LAST_DAY)).as_second();
    (begin_s(from), begin_s(to.saturating_add(1.day())))
}
