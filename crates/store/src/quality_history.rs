//! How the scores have changed from one validation to the next.

use std::collections::{BTreeMap, BTreeSet};

use bist_market::DataQuality;
use jiff::{SignedDuration, Timestamp};

use crate::columns::{count, instant_us, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// The scope of everything that models may see: the series in use of all symbols.
pub const OVERALL: &str = "overall";

/// Older points than this are thinned out to the last one of each day (UTC).
const ALL_KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// A score as a validation left it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    /// When.
    pub recorded_at: Timestamp,
    /// The score, 0..=1: the mean over the series, each weighed by its expected rows.
    pub score_share: f64,
    /// Rows that should be there.
    pub expected_count: u64,
    /// Of those, quarantined or missing.
    pub error_count: u64,
    /// Of those, with a warning and no error.
    pub warning_count: u64,
}

impl Store {
    /// The scores of `scope`, oldest first: [`OVERALL`], `source:` with a name (all series of the
    /// source) or `symbol:` with a name (the series of the symbol in use). Validations that changed
    /// nothing do not appear; of days longer than 90 days ago the last one does.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn quality_history(&self, scope: &str) -> Result<Vec<HistoryPoint>, StoreError> {
        query(
            "SELECT recorded_at_us, score_share, expected_count, error_rows_count,
                    warning_rows_count
             FROM quality_history WHERE scope = $1 ORDER BY recorded_at_us",
        )
        .bind(scope)
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            let sum = Sum::of(row)?;
            Ok(HistoryPoint {
                recorded_at: instant_us(row.try_get("recorded_at_us")?)?,
                score_share: sum.score_share,
                expected_count: sum.expected_count,
                error_count: sum.error_rows_count,
                warning_count: sum.warning_rows_count,
            })
        })
        .collect()
    }
}

/// The score of one or several series.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sum {
    score_share: f64,
    expected_count: u64,
    error_rows_count: u64,
    warning_rows_count: u64,
}

impl Sum {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            score_share: row.try_get("score_share")?,
            expected_count: count(row, "expected_count")?,
            error_rows_count: count(row, "error_rows_count")?,
            warning_rows_count: count(row, "warning_rows_count")?,
        })
    }

    /// Both together; a score is one less a cost a row, so scores weigh by their rows.
    fn and(self, other: Self) -> Self {
        let expected_count = self.expected_count + other.expected_count;
        #[expect(clippy::cast_precision_loss, reason = "row counts are far below 2^53")]
        let weight = |sum: Self| sum.expected_count as f64 / expected_count as f64;
        let score_share = match (self.expected_count, other.expected_count) {
            (_, 0) => self.score_share,
            (0, _) => other.score_share,
            _ => self.score_share.mul_add(weight(self), other.score_share * weight(other)),
        };
        Self {
            score_share,
            expected_count,
            error_rows_count: self.error_rows_count + other.error_rows_count,
            warning_rows_count: self.warning_rows_count + other.warning_rows_count,
        }
    }
}

/// Notes the scores that `reports`, which are stored already, have changed.
pub(crate) async fn record(
    connection: &mut Connection,
    reports: &[(DataQuality, bool)],
    at: Timestamp,
) -> Result<(), StoreError> {
    let touched = reports.iter().flat_map(|(report, _)| {
        [format!("symbol:{}", report.symbol), format!("source:{}", report.source)]
    });
    let touched: BTreeSet<String> = touched.chain([OVERALL.to_owned()]).collect();
    let sums = sums(connection).await?;
    let latest = latest(connection).await?;
    for (scope, sum) in sums {
        if touched.contains(&scope) && latest.get(&scope) != Some(&sum) {
            insert(connection, &scope, sum, at).await?;
        }
    }
    thin_out(connection, at).await
}

/// The score of each scope, from the stored reports.
async fn sums(connection: &mut Connection) -> Result<BTreeMap<String, Sum>, StoreError> {
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    let rows = query(
        "SELECT symbol, source, is_primary, score_share, expected_count, error_rows_count,
                warning_rows_count
         FROM data_quality ORDER BY symbol, bar_interval, source",
    )
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let mut scopes = vec![format!("source:{}", row.try_get::<&str, _>("source")?)];
        if row.try_get::<i64, _>("is_primary")? == 1 {
            scopes.push(format!("symbol:{}", row.try_get::<&str, _>("symbol")?));
            scopes.push(OVERALL.to_owned());
        }
        for scope in scopes {
            let sum = sums.entry(scope).or_default();
            *sum = sum.and(Sum::of(row)?);
        }
    }
    Ok(sums)
}

/// The newest point of each scope.
async fn latest(connection: &mut Connection) -> Result<BTreeMap<String, Sum>, StoreError> {
    query(
        "SELECT h.scope, h.score_share, h.expected_count, h.error_rows_count, h.warning_rows_count
         FROM quality_history h
         JOIN (SELECT scope, MAX(recorded_at_us) AS recorded_at_us FROM quality_history
               GROUP BY scope) newest
           ON newest.scope = h.scope AND newest.recorded_at_us = h.recorded_at_us",
    )
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((row.try_get("scope")?, Sum::of(row)?)))
    .collect()
}

async fn insert(
    connection: &mut Connection,
    scope: &str,
    sum: Sum,
    at: Timestamp,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO quality_history (scope, recorded_at_us, score_share, expected_count,
                                      error_rows_count, warning_rows_count)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (scope, recorded_at_us) DO UPDATE SET
             score_share = EXCLUDED.score_share, expected_count = EXCLUDED.expected_count,
             error_rows_count = EXCLUDED.error_rows_count,
             warning_rows_count = EXCLUDED.warning_rows_count",
    )
    .bind(scope)
    .bind(at.as_microsecond())
    .bind(sum.score_share)
    .bind(signed(sum.expected_count))
    .bind(signed(sum.error_rows_count))
    .bind(signed(sum.warning_rows_count))
    .execute(connection)
    .await?;
    Ok(())
}

/// Leaves one point a day and scope of the time before [`ALL_KEPT_FOR`].
async fn thin_out(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let Ok(before) = now.checked_sub(ALL_KEPT_FOR) else { return Ok(()) };
    query(
        "DELETE FROM quality_history
         WHERE recorded_at_us < $1 AND EXISTS (
             SELECT 1 FROM quality_history later
             WHERE later.scope = quality_history.scope
               AND later.recorded_at_us > quality_history.recorded_at_us
               AND later.recorded_at_us / $2 = quality_history.recorded_at_us / $2)",
    )
    .bind(before.as_microsecond())
    .bind(DAY_US)
    .execute(connection)
    .await?;
    Ok(())
}
