//! How good the series are, as of their last validation.

use bist_market::DataQuality;
use jiff::Timestamp;

use crate::columns::{document, instant_us, json, signed};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;
use crate::{findings, quality_history};

/// The report of one series without its findings.
#[derive(Clone, Debug, PartialEq)]
pub struct QualitySummary {
    /// The report; its findings are asked for by [`Store::findings`].
    pub quality: DataQuality,
    /// Whether models and charts use this source of the symbol.
    pub is_primary: bool,
    /// When it was made.
    pub validated_at: Timestamp,
}

impl Store {
    /// Replaces the stored reports of the series in `reports`, each given with whether models and
    /// charts use it, and notes the scores that have changed; all in one transaction.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; the earlier reports are then still there.
    pub async fn save_quality(
        &self,
        reports: &[(DataQuality, bool)],
        validated_at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        for (report, is_primary) in reports {
            findings::remove(&mut transaction, report).await?;
            save_summary(&mut transaction, report, *is_primary, validated_at).await?;
            findings::save(&mut transaction, report).await?;
        }
        quality_history::record(&mut transaction, reports, validated_at).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The stored reports, by symbol, interval and source.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn quality_summaries(&self) -> Result<Vec<QualitySummary>, StoreError> {
        query(
            "SELECT summary AS document, is_primary, validated_at_us FROM data_quality
             ORDER BY symbol, bar_interval, source",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(summary)
        .collect()
    }
}

fn summary(row: &Row) -> Result<QualitySummary, StoreError> {
    Ok(QualitySummary {
        quality: document("quality summary", row)?,
        is_primary: row.try_get::<i64, _>("is_primary")? == 1,
        validated_at: instant_us(row.try_get("validated_at_us")?)?,
    })
}

async fn save_summary(
    connection: &mut Connection,
    report: &DataQuality,
    is_primary: bool,
    validated_at: Timestamp,
) -> Result<(), StoreError> {
    let summary = DataQuality { findings: Vec::new(), ..report.clone() };
    query(
        "INSERT INTO data_quality (symbol, bar_interval, source, validated_at_us, is_primary,
             expected_count, score_share, error_rows_count, warning_rows_count, summary)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (symbol, bar_interval, source) DO UPDATE SET
             validated_at_us = EXCLUDED.validated_at_us, is_primary = EXCLUDED.is_primary,
             expected_count = EXCLUDED.expected_count, score_share = EXCLUDED.score_share,
             error_rows_count = EXCLUDED.error_rows_count,
             warning_rows_count = EXCLUDED.warning_rows_count, summary = EXCLUDED.summary",
    )
    .bind(report.symbol.as_str())
    .bind(report.interval.to_string())
    .bind(report.source.as_str())
    .bind(validated_at.as_microsecond())
    .bind(i64::from(is_primary))
    .bind(signed(report.expected_count()))
    .bind(report.score_share())
    .bind(signed(report.error_rows_count()))
    .bind(signed(report.warning_rows_count))
    .bind(json("quality summary", &summary)?)
    .execute(connection)
    .await?;
    Ok(())
}
