//! What the validator found in each series the last time it ran.

use bist_market::{DataQuality, Finding, FindingId, Interval, Severity, Source, Symbol};
use jiff::Timestamp;

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{count, document, interval, json, signed, source, symbol};
use crate::db::{AssertSqlSafe, Connection, QueryBuilder, Row, query};
use crate::error::StoreError;
use crate::pool::Store;

/// A finding with the series that it is about.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingRecord {
    /// Whose series.
    pub symbol: Symbol,
    /// What its bars cover.
    pub interval: Interval,
    /// Which source.
    pub source: Source,
    /// What was found.
    pub finding: Finding,
}

/// Which findings are wanted; what is `None` is not asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Of this symbol.
    pub symbol: Option<Symbol>,
    /// Of this interval.
    pub interval: Option<Interval>,
    /// Of this source.
    pub source: Option<Source>,
    /// With this code.
    pub code: Option<String>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Whether the row is kept out because of it.
    pub quarantined: Option<bool>,
    /// Whether somebody has decided about it.
    pub decided: Option<bool>,
    /// How many of the findings that match to pass over.
    pub from: u64,
    /// At most so many.
    pub limit: u32,
}

/// One page of findings.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingPage {
    /// The findings, by series and in the order of the validator.
    pub records: Vec<FindingRecord>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// How often one finding occurs in a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FindingTally {
    /// Whose series.
    pub symbol: Symbol,
    /// What its bars cover.
    pub interval: Interval,
    /// Which source.
    pub source: Source,
    /// The code of the finding.
    pub code: String,
    /// `error`, `warning` or `info`.
    pub severity: String,
    /// How often.
    pub count: u64,
}

impl Store {
    /// How often each finding occurs, by series, severity and code.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn finding_counts(&self) -> Result<Vec<FindingTally>, StoreError> {
        query(
            "SELECT symbol, bar_interval, source, code, severity, COUNT(*) AS findings_count
             FROM findings GROUP BY symbol, bar_interval, source, code, severity
             ORDER BY symbol, bar_interval, source, severity, code",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            Ok(FindingTally {
                symbol: symbol(row)?,
                interval: interval(row)?,
                source: source(row)?,
                code: row.try_get("code")?,
                severity: row.try_get("severity")?,
                count: count(row, "findings_count")?,
            })
        })
        .collect()
    }

    /// A page of the findings that match `filter`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<FindingPage, StoreError> {
        let mut query = QueryBuilder::new(
            "SELECT symbol, bar_interval, source, document FROM findings WHERE 1 = 1",
        );
        let equal = [
            (" AND symbol = ", filter.symbol.map(|symbol| symbol.to_string())),
            (" AND bar_interval = ", filter.interval.map(|interval| interval.to_string())),
            (" AND source = ", filter.source.map(|source| source.to_string())),
            (" AND code = ", filter.code.clone()),
            (" AND severity = ", filter.severity.map(|severity| severity.to_string())),
        ];
        for (condition, value) in equal {
            if let Some(value) = value {
                query.push(condition).push_bind(value);
            }
        }
        if let Some(quarantined) = filter.quarantined {
            query.push(" AND quarantined = ").push_bind(i64::from(quarantined));
        }
        if let Some(decided) = filter.decided {
            query.push(if decided { " AND " } else { " AND NOT " }).push(
                "EXISTS (SELECT 1 FROM finding_decisions d
                         WHERE d.finding_id = findings.finding_id)",
            );
        }
        query
            .push(" ORDER BY symbol, bar_interval, source, ordinal LIMIT ")
            .push_bind(i64::from(filter.limit) + 1)
            .push(" OFFSET ")
            .push_bind(signed(filter.from));
        let rows = query.build().fetch_all(&self.reader).await?;
        let shown = rows.len().min(filter.limit as usize);
        Ok(FindingPage {
            records: rows[..shown].iter().map(record).collect::<Result<_, _>>()?,
            next: (rows.len() > shown).then(|| filter.from + u64::from(filter.limit)),
        })
    }

    /// The finding of that name; `None` when the last validation has not found it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn finding(&self, id: FindingId) -> Result<Option<FindingRecord>, StoreError> {
        query(
            "SELECT symbol, bar_interval, source, document FROM findings WHERE finding_id = $1
             ORDER BY symbol, bar_interval, source, ordinal LIMIT 1",
        )
        .bind(id.to_string())
        .fetch_optional(&self.reader)
        .await?
        .as_ref()
        .map(record)
        .transpose()
    }
}

/// The finding of a row with the columns of a series and the document.
pub(crate) fn record(row: &Row) -> Result<FindingRecord, StoreError> {
    Ok(FindingRecord {
        symbol: symbol(row)?,
        interval: interval(row)?,
        source: source(row)?,
        finding: document("finding", row)?,
    })
}

/// Removes what an earlier validation found in the series of `report`.
pub(crate) async fn remove(
    connection: &mut Connection,
    report: &DataQuality,
) -> Result<(), StoreError> {
    query("DELETE FROM findings WHERE symbol = $1 AND bar_interval = $2 AND source = $3")
        .bind(report.symbol.as_str())
        .bind(report.interval.to_string())
        .bind(report.source.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps the findings of `report` in its order.
pub(crate) async fn save(
    connection: &mut Connection,
    report: &DataQuality,
) -> Result<(), StoreError> {
    let mut ordinals = 0_i64..;
    for findings in report.findings.chunks(ROWS_PER_STATEMENT) {
        let text = format!(
            "INSERT INTO findings (symbol, bar_interval, source, ordinal, finding_id, day,
                 opened_at, code, severity, quarantined, document) {}",
            values(3, 8, findings.len())
        );
        let mut query = query(AssertSqlSafe(text))
            .bind(report.symbol.as_str())
            .bind(report.interval.to_string())
            .bind(report.source.as_str());
        for (finding, ordinal) in findings.iter().zip(ordinals.by_ref()) {
            query = query
                .bind(ordinal)
                .bind(finding.id.to_string())
                .bind(finding.day.map(|day| day.to_string()))
                .bind(finding.opened_at.map(Timestamp::as_second))
                .bind(finding.kind.code())
                .bind(finding.severity().as_str())
                .bind(i64::from(finding.quarantines()))
                .bind(json("finding", finding)?);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
