//! What a wish costs: which series, of which days.

use bist_market::bar::day_of;
use bist_market::{SeriesCode, Source};
use jiff::Timestamp;
use jiff::civil::Weekday;

use crate::fetch_error::FetchError;
use crate::provider::{Piece, Scope, Wanted};
use crate::spans::{self, Span};

/// What is fetched when a wish names no series: dollars buying and selling, the policy rate (one-week
/// repo, as such since 2018), the corridor around it (lending and borrowing overnight), the average
/// cost of the bank's funding, and the overnight reference rate (TLREF, since December 2018).
const DEFAULT_SERIES: [&str; 7] = [
    "TP.DK.USD.A.YTL",
    "TP.DK.USD.S.YTL",
    "TP.PY.P02.1H",
    "TP.PY.P02.ON",
    "TP.PY.P01.ON",
    "TP.APIFON4",
    "TP.BISTTLREF.ORAN",
];

/// Years of one series that are asked for at once: at most 731 rows, of the 900 that the service
/// gives.
const YEARS_AT_ONCE: i16 = 2;

/// The series that are fetched when a wish names none.
///
/// # Panics
///
/// Never: the names are constants.
pub fn default_series() -> Vec<SeriesCode> {
    let parse = |name: &&str| SeriesCode::parse(name).expect("the constants are series");
    DEFAULT_SERIES.iter().map(parse).collect()
}

/// With a key one series and two years a piece; without one the exchange rates of one day a piece.
pub(super) fn plan(
    wanted: &Wanted,
    has_key: bool,
    now: Timestamp,
) -> Result<Vec<Piece>, FetchError> {
    let to = wanted.to.min(day_of(now));
    if wanted.from > to {
        let reason = format!("there are no days from {} to {to}", wanted.from);
        return Err(FetchError::NotOffered { source_name: Source::EVDS, reason });
    }
    let named = !wanted.series.is_empty();
    let codes = if named { wanted.series.clone() } else { default_series() };
    if has_key {
        let spans = spans::by_years(wanted.from, to, now, |year| year % YEARS_AT_ONCE == 0);
        let pieces = codes.iter().flat_map(|code| {
            spans.iter().map(move |span| piece(span.key(code.as_str()), vec![code.clone()], *span))
        });
        return Ok(pieces.collect());
    }
    let rates: Vec<SeriesCode> = codes.iter().filter(|code| is_rate(code)).cloned().collect();
    if rates.is_empty() || (named && rates.len() < codes.len()) {
        return Err(key_is_missing());
    }
    let days = wanted.from.series(jiff::Span::new().days(1)).take_while(|day| *day <= to);
    let business_days =
        days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
    let names: Vec<&str> = rates.iter().map(SeriesCode::as_str).collect();
    let pieces = business_days.map(|day| {
        let key = format!("{} {day}", names.join(" "));
        piece(key, rates.clone(), Span::of(day, day, now))
    });
    Ok(pieces.collect())
}

fn piece(key: String, codes: Vec<SeriesCode>, span: Span) -> Piece {
    let Span { from, to, is_final } = span;
    Piece { key, scope: Scope::Series { codes, from, to }, is_final }
}

/// Whether the daily documents have the series: `TP.DK.USD.A.YTL`, `TP.DK.USD.S.YTL`.
fn is_rate(code: &SeriesCode) -> bool {
    let middle = code.as_str().strip_prefix("TP.DK.").and_then(|rest| rest.strip_suffix(".YTL"));
    let currency = middle.and_then(|rest| rest.strip_suffix(".A").or(rest.strip_suffix(".S")));
    currency.is_some_and(|currency| currency.len() == 3)
}

pub(super) const fn key_is_missing() -> FetchError {
    FetchError::CredentialMissing {
        source_name: Source::EVDS,
        what: "a key for all but the exchange rates",
        advice: "get one for nothing at https://evds3.tcmb.gov.tr and set it as the credential of the source 'evds'",
    }
}
