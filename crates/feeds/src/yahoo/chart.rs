//! An answer of the chart service to bars and corporate actions.

use std::fmt;

use bist_market::{BarSeries, Interval, RawBar, Source, Symbol};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::answer::{Answer, Chart, Complaint, Meta};
use super::events;
use super::finished::is_finished;
use super::table::{Counts, Table, line_of};
use super::ticker::{kind_of, symbol_of, ticker_of};
use crate::fetch_error::FetchError;
use crate::json;
use crate::provider::{Batch, Content};
use crate::rows::Group;

/// What a chart was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartRequest<'a> {
    /// Names the piece in refused rows and errors.
    pub piece: &'a str,
    /// Whose chart.
    pub symbol: Symbol,
    /// What each bar covers.
    pub interval: Interval,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl ChartRequest<'_> {
    pub(super) fn malformed(
        &self,
        place: impl fmt::Display,
        reason: impl fmt::Display,
    ) -> FetchError {
        FetchError::malformed(Source::YAHOO, self.piece, place, reason)
    }
}

/// Reads an answer of the chart service. Prices are divided by later splits, not by dividends; the
/// amounts of dividends are divided in the same way.
///
/// `now` tells which of the newest bars are still growing: they are left out, and noted.
///
/// # Errors
///
/// [`FetchError::Refused`] when Yahoo says that it failed, [`FetchError::Malformed`] when the
/// document is not a chart, or not the chart that was asked for.
pub fn parse_chart(
    bytes: &[u8],
    request: &ChartRequest<'_>,
    now: Timestamp,
) -> Result<Content, FetchError> {
    let answer: Answer =
        json::parse(bytes).map_err(|error| request.malformed("the document", error))?;
    let outcome = answer.chart.or(answer.finance).unwrap_or_default();
    if let Some(complaint) = outcome.error {
        return meaning_of(complaint, request);
    }
    let Some(chart) = outcome.result.into_iter().flatten().next() else {
        return Err(request.malformed("chart.result", "it is missing"));
    };
    let zone = check(&chart.meta, request)?;
    let batch = read(&chart, request, &zone, now)?;
    if batch.rows_read == 0 && batch.actions.is_empty() {
        let reason = format!("Yahoo has no rows from {} to {}", request.from, request.to);
        return Ok(Content::Absent { reason });
    }
    Ok(Content::Data(Box::new(batch)))
}

/// What a complaint means: that there is nothing, or that the request failed.
pub(super) fn meaning_of(
    complaint: Complaint,
    request: &ChartRequest<'_>,
) -> Result<Content, FetchError> {
    let Complaint { code, description } = complaint;
    if code.eq_ignore_ascii_case("not found") {
        return Ok(Content::Absent { reason: description });
    }
    let (piece, reason) = (request.piece.to_owned(), format!("{code}: {description}"));
    Err(FetchError::Refused { source_name: Source::YAHOO, piece, reason })
}

/// The time zone of the chart, if it is the one that was asked for.
fn check(meta: &Meta, request: &ChartRequest<'_>) -> Result<TimeZone, FetchError> {
    let ticker = ticker_of(request.symbol);
    let interval = interval_name(request.interval).unwrap_or_default();
    let granularity = meta.data_granularity.as_deref().map(|g| if g == "1h" { "60m" } else { g });
    let said = [
        ("meta.symbol", meta.symbol.as_deref(), ticker.as_str()),
        ("meta.currency", meta.currency.as_deref(), "TRY"),
        ("meta.dataGranularity", granularity, interval),
    ];
    for (place, found, expected) in said {
        let same = |found: &str| found == expected || symbol_of(found) == Some(request.symbol);
        if let Some(found) = found.filter(|found| !same(found)) {
            return Err(request.malformed(place, format!("'{found}' instead of '{expected}'")));
        }
    }
    let zone = meta.exchange_timezone_name.as_deref().unwrap_or_default();
    TimeZone::get(zone).map_err(|error| request.malformed("meta.exchangeTimezoneName", error))
}

/// Yahoo's name of an interval; `None` for those it does not keep. It answers `30m` with bars of
/// 60 minutes, so that is not asked for.
pub(super) fn interval_name(interval: Interval) -> Option<&'static str> {
    match interval {
        Interval::Daily => Some("1d"),
        Interval::Minutes(1) => Some("1m"),
        Interval::Minutes(2) => Some("2m"),
        Interval::Minutes(5) => Some("5m"),
        Interval::Minutes(15) => Some("15m"),
        Interval::Minutes(60) => Some("60m"),
        Interval::Minutes(90) => Some("90m"),
        Interval::Minutes(_) => None,
    }
}

fn read(
    chart: &Chart,
    request: &ChartRequest<'_>,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Batch, FetchError> {
    let table = Table::of(chart, request, zone)?;
    let kind = kind_of(request.symbol);
    let replaced = table.replaced_row(chart.meta.regular_market_time);
    let mut batch = Batch {
        file: request.piece.to_owned(),
        rows_read: table.rows_count() as u64,
        ..Batch::default()
    };
    let mut counts = Counts::default();
    let mut rows = Group::new(request.symbol);
    for index in 0..table.rows_count() {
        let Some((day, opened_at)) = table.time(index) else {
            batch.refused.push(table.not_a_date(index));
            continue;
        };
        if replaced == Some(index) {
            counts.replaced += 1;
        } else if !(request.from..=request.to).contains(&day) {
            counts.outside += 1;
        } else {
            match table.bar(index, opened_at, &mut counts) {
                Err(reason) => batch.refused.push(table.refused(index, day, reason)),
                Ok(None) => counts.empty += 1,
                Ok(Some(bar)) if !is_finished(&bar, request.interval, kind, now) => {
                    counts.unfinished += 1;
                }
                Ok(Some(bar)) => {
                    rows.push(line_of(index), bar);
                }
            }
        }
    }
    let bars = once(rows, &table, &mut batch);
    if !bars.is_empty() {
        batch.series.push(BarSeries { symbol: request.symbol, interval: request.interval, bars });
    }
    batch.notes = counts.notes();
    events::read(&chart.events, request.symbol, zone, &mut batch);
    Ok(batch)
}

/// The bars of the rows; those said twice are refused.
fn once(mut rows: Group, table: &Table<'_>, batch: &mut Batch) -> Vec<RawBar> {
    for (line, day, reason) in rows.take_repeated() {
        let index = usize::try_from(line - 1).unwrap_or_default();
        batch.refused.push(table.refused(index, day, reason));
    }
    batch.refused.sort_by_key(|row| row.line);
    rows.bars
}
