//! Writing bars: new ones, and revisions of what the same source said before.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use bist_market::{BarSeries, RawBar};

use crate::bulk::{ROWS_PER_STATEMENT, placeholders, values};
use crate::columns::{raw_bar, signed};
use crate::db::{AssertSqlSafe, Connection, SqlSafeStr as _, query};
use crate::error::StoreError;
use crate::ingests::{Ingest, IngestCounts};

/// Keeps the bars of `series`, each compared with what the source said of it before.
pub(crate) async fn save(
    connection: &mut Connection,
    ingest: Ingest,
    series: &BarSeries,
    counts: &mut IngestCounts,
) -> Result<(), StoreError> {
    let known = Extent::stored(connection, ingest, series).await?;
    let before = match known.overlap(series) {
        Some((from, to)) => stored_bars(connection, ingest, series, from, to).await?,
        None => HashMap::new(),
    };
    let mut changed: BTreeMap<i64, &RawBar> = BTreeMap::new();
    let mut revised = Vec::new();
    for bar in &series.bars {
        let second = bar.opened_at.as_second();
        match changed.get(&second).copied().or_else(|| before.get(&second)) {
            Some(last) if same(last, bar) => {
                counts.rows_unchanged += 1;
                continue;
            }
            Some(_) => counts.rows_revised += 1,
            None => {}
        }
        counts.rows_stored += 1;
        if changed.insert(second, bar).is_none() && before.contains_key(&second) {
            revised.push(second);
        }
    }
    for seconds in revised.chunks(ROWS_PER_STATEMENT) {
        keep_revised(connection, ingest, series, seconds).await?;
    }
    let rows: Vec<_> = changed.iter().map(|(second, bar)| (*second, *bar)).collect();
    for rows in rows.chunks(ROWS_PER_STATEMENT) {
        upsert(connection, ingest, series, rows).await?;
    }
    let extent = Extent {
        rows_count: known.rows_count + (rows.len() - revised.len()) as u64,
        first: changed.keys().next().copied().into_iter().chain(known.first).min(),
        last: changed.keys().next_back().copied().into_iter().chain(known.last).max(),
    };
    extent.save(connection, ingest, series).await
}

/// How many bars of a series are stored, and the seconds of the first and the last of them.
#[derive(Clone, Copy, Debug, Default)]
struct Extent {
    rows_count: u64,
    first: Option<i64>,
    last: Option<i64>,
}

impl Extent {
    async fn stored(
        connection: &mut Connection,
        ingest: Ingest,
        series: &BarSeries,
    ) -> Result<Self, StoreError> {
        let row = query(
            "SELECT rows_count, first_opened_at, last_opened_at FROM bar_series
             WHERE symbol = $1 AND bar_interval = $2 AND source = $3",
        )
        .bind(series.symbol.as_str())
        .bind(series.interval.to_string())
        .bind(ingest.source.as_str())
        .fetch_optional(connection)
        .await?;
        let Some(row) = row else { return Ok(Self::default()) };
        Ok(Self {
            rows_count: crate::columns::count(&row, "rows_count")?,
            first: row.try_get("first_opened_at")?,
            last: row.try_get("last_opened_at")?,
        })
    }

    /// The seconds between which `series` may meet bars that are stored; `None` when it cannot.
    fn overlap(self, series: &BarSeries) -> Option<(i64, i64)> {
        let seconds = || series.bars.iter().map(|bar| bar.opened_at.as_second());
        let from = seconds().min()?.max(self.first?);
        let to = seconds().max()?.min(self.last?);
        (from <= to).then_some((from, to))
    }

    async fn save(
        self,
        connection: &mut Connection,
        ingest: Ingest,
        series: &BarSeries,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO bar_series (symbol, bar_interval, source, rows_count, first_opened_at,
                                     last_opened_at, fetched_at_us)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (symbol, bar_interval, source) DO UPDATE SET
                 rows_count = EXCLUDED.rows_count, first_opened_at = EXCLUDED.first_opened_at,
                 last_opened_at = EXCLUDED.last_opened_at, fetched_at_us = EXCLUDED.fetched_at_us",
        )
        .bind(series.symbol.as_str())
        .bind(series.interval.to_string())
        .bind(ingest.source.as_str())
        .bind(signed(self.rows_count))
        .bind(self.first)
        .bind(self.last)
        .bind(ingest.received_at.as_microsecond())
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// What the source said before of the bars from the second `from` to `to`, by second.
async fn stored_bars(
    connection: &mut Connection,
    ingest: Ingest,
    series: &BarSeries,
    from: i64,
    to: i64,
) -> Result<HashMap<i64, RawBar>, StoreError> {
    query(
        "SELECT opened_at, open_units, high_units, low_units, close_units, adjusted_close,
                volume_shares
         FROM bars WHERE symbol = $1 AND bar_interval = $2 AND source = $3
           AND opened_at BETWEEN $4 AND $5",
    )
    .bind(series.symbol.as_str())
    .bind(series.interval.to_string())
    .bind(ingest.source.as_str())
    .bind(from)
    .bind(to)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((row.try_get("opened_at")?, raw_bar(row)?)))
    .collect()
}

/// Equal value for value; the adjusted close bit for bit.
fn same(a: &RawBar, b: &RawBar) -> bool {
    let adjusted = |bar: &RawBar| bar.adjusted_close.map(f64::to_bits);
    let rest = |bar: &RawBar| {
        (bar.open_units, bar.high_units, bar.low_units, bar.close_units, bar.volume_shares)
    };
    rest(a) == rest(b) && adjusted(a) == adjusted(b)
}

/// Puts the stored bars of `seconds` aside before they are replaced.
async fn keep_revised(
    connection: &mut Connection,
    ingest: Ingest,
    series: &BarSeries,
    seconds: &[i64],
) -> Result<(), StoreError> {
    // A file that has a series twice revises its own rows; what was there before it is kept.
    let text = format!(
        "INSERT INTO bar_revisions (symbol, bar_interval, source, opened_at, replaced_by,
             open_units, high_units, low_units, close_units, adjusted_close, volume_shares,
             ingest_id)
         SELECT symbol, bar_interval, source, opened_at, $1, open_units, high_units, low_units,
             close_units, adjusted_close, volume_shares, ingest_id
         FROM bars WHERE symbol = $2 AND bar_interval = $3 AND source = $4 AND opened_at IN ({})
         ON CONFLICT DO NOTHING",
        placeholders(4, seconds.len())
    );
    let mut query = query(AssertSqlSafe(text))
        .bind(ingest.id)
        .bind(series.symbol.as_str())
        .bind(series.interval.to_string())
        .bind(ingest.source.as_str());
    for second in seconds {
        query = query.bind(second);
    }
    query.execute(connection).await?;
    Ok(())
}

/// The text of most statements, which need not be made each time.
static UPSERT_OF_FULL_STATEMENT: LazyLock<String> =
    LazyLock::new(|| upsert_text(ROWS_PER_STATEMENT));

fn upsert_text(rows_count: usize) -> String {
    format!(
        "INSERT INTO bars (symbol, bar_interval, source, ingest_id, opened_at, open_units,
             high_units, low_units, close_units, adjusted_close, volume_shares) {}
         ON CONFLICT (symbol, bar_interval, source, opened_at) DO UPDATE SET
             open_units = EXCLUDED.open_units, high_units = EXCLUDED.high_units,
             low_units = EXCLUDED.low_units, close_units = EXCLUDED.close_units,
             adjusted_close = EXCLUDED.adjusted_close, volume_shares = EXCLUDED.volume_shares,
             ingest_id = EXCLUDED.ingest_id",
        values(4, 7, rows_count)
    )
}

async fn upsert(
    connection: &mut Connection,
    ingest: Ingest,
    series: &BarSeries,
    rows: &[(i64, &RawBar)],
) -> Result<(), StoreError> {
    let text = if rows.len() == ROWS_PER_STATEMENT {
        AssertSqlSafe(UPSERT_OF_FULL_STATEMENT.as_str()).into_sql_str()
    } else {
        AssertSqlSafe(upsert_text(rows.len())).into_sql_str()
    };
    let mut query = query(text)
        .bind(series.symbol.as_str())
        .bind(series.interval.to_string())
        .bind(ingest.source.as_str())
        .bind(ingest.id);
    for (second, bar) in rows {
        query = query
            .bind(second)
            .bind(bar.open_units)
            .bind(bar.high_units)
            .bind(bar.low_units)
            .bind(bar.close_units)
            .bind(bar.adjusted_close)
            .bind(bar.volume_shares);
    }
    query.execute(connection).await?;
    Ok(())
}
