//! What the validator found, as of its last run.

use bist_market::validate::{DataQuality, Finding};
use bist_market::{Interval, Symbol};
use jiff::Timestamp;
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::bars::{document, instant_us, json};
use crate::error::StoreError;
use crate::ingests::ROWS_PER_INSERT;
use crate::instruments::{interval, symbol};
use crate::pool::Store;

/// One page of the findings of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingPage {
    /// The findings, in the order of the validator.
    pub findings: Vec<Finding>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

impl Store {
    /// Replaces the stored reports by `reports`, all in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; the earlier reports are then still there.
    pub async fn save_quality(
        &self,
        reports: &[&DataQuality],
        validated_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        for report in reports {
            let (name, span) = (report.symbol.to_string(), report.interval.to_string());
            sqlx::query("DELETE FROM findings WHERE symbol = $1 AND bar_interval = $2")
                .bind(&name)
                .bind(&span)
                .execute(&mut *transaction)
                .await?;
            let summary = DataQuality { findings: Vec::new(), ..(*report).clone() };
            sqlx::query(
                "INSERT INTO data_quality (symbol, bar_interval, validated_at_us, summary)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (symbol, bar_interval) DO UPDATE SET
                     validated_at_us = EXCLUDED.validated_at_us, summary = EXCLUDED.summary",
            )
            .bind(&name)
            .bind(&span)
            .bind(validated_at.as_microsecond())
            .bind(json("quality summary", &summary)?)
            .execute(&mut *transaction)
            .await?;
            let mut ordinals = 0_i64..;
            for findings in report.findings.chunks(ROWS_PER_INSERT) {
                let rows = findings
                    .iter()
                    .zip(ordinals.by_ref())
                    .map(|(finding, ordinal)| Ok((ordinal, finding, json("finding", finding)?)))
                    .collect::<Result<Vec<_>, StoreError>>()?;
                let mut query = QueryBuilder::<Sqlite>::new(
                    "INSERT INTO findings (symbol, bar_interval, ordinal, opened_at, code,
                                           severity, document) ",
                );
                query.push_values(rows, |mut row, (ordinal, finding, document)| {
                    row.push_bind(name.clone())
                        .push_bind(span.clone())
                        .push_bind(ordinal)
                        .push_bind(finding.opened_at.map(Timestamp::as_second))
                        .push_bind(finding.kind.code())
                        .push_bind(finding.severity().as_str())
                        .push_bind(document);
                });
                query.build().execute(&mut *transaction).await?;
            }
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The stored reports with the time of each, without their findings, by symbol and interval.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn quality_summaries(&self) -> Result<Vec<(DataQuality, Timestamp)>, StoreError> {
        sqlx::query(
            "SELECT summary AS document, validated_at_us FROM data_quality
             ORDER BY symbol, bar_interval",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            Ok((document("quality summary", row)?, instant_us(row.try_get("validated_at_us")?)?))
        })
        .collect()
    }

    /// How often each finding occurs: symbol, interval, code, severity, count.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn finding_counts(
        &self,
    ) -> Result<Vec<(Symbol, Interval, String, String, u64)>, StoreError> {
        sqlx::query(
            "SELECT symbol, bar_interval, code, severity, COUNT(*) AS findings_count FROM findings
             GROUP BY symbol, bar_interval, code, severity
             ORDER BY symbol, bar_interval, severity, code",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            let count: i64 = row.try_get("findings_count")?;
            Ok((
                symbol(row.try_get("symbol")?)?,
                interval(row.try_get("bar_interval")?)?,
                row.try_get("code")?,
                row.try_get("severity")?,
                count.unsigned_abs(),
            ))
        })
        .collect()
    }

    /// Findings of one series from the `from`-th on, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn findings(
        &self,
        symbol: Symbol,
        interval: Interval,
        from: u64,
        limit: u32,
    ) -> Result<FindingPage, StoreError> {
        let from = i64::try_from(from).unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT ordinal, document FROM findings
             WHERE symbol = $1 AND bar_interval = $2 AND ordinal >= $3
             ORDER BY ordinal LIMIT $4",
        )
        .bind(symbol.to_string())
        .bind(interval.to_string())
        .bind(from)
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.reader)
        .await?;
        let shown = rows.len().min(limit as usize);
        let next = match rows.get(shown) {
            Some(row) => Some(row.try_get::<i64, _>("ordinal")?.unsigned_abs()),
            None => None,
        };
        let findings =
            rows[..shown].iter().map(|row| document("finding", row)).collect::<Result<_, _>>()?;
        Ok(FindingPage { findings, next })
    }
}
