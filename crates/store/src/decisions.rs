//! What people decided about findings: only ever added, the newest about a finding is in force.

use std::collections::BTreeMap;

use bist_access::AuditAction;
use bist_market::{Decision, FindingId, Verdict};
use serde_json::json;

use crate::audit::{Audit, AuditNote, append};
use crate::bulk::{ROWS_PER_STATEMENT, placeholders};
use crate::columns::{impossible, instant_us, json as text};
use crate::db::{AssertSqlSafe, Row, query};
use crate::error::StoreError;
use crate::findings::{FindingRecord, record};
use crate::pool::Store;

/// A decision with the finding as it stood when it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionRecord {
    /// The finding.
    pub found: FindingRecord,
    /// What was decided.
    pub decision: Decision,
}

impl Store {
    /// Keeps what was decided about `found`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn save_decision(
        &self,
        found: &FindingRecord,
        decision: &Decision,
        audit: &Audit,
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        query(
            "INSERT INTO finding_decisions (id, finding_id, symbol, bar_interval, source, verdict,
                                            reason, decided_by, decided_at_us, document)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM finding_decisions),
                     $1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(decision.finding.to_string())
        .bind(found.symbol.as_str())
        .bind(found.interval.to_string())
        .bind(found.source.as_str())
        .bind(decision.verdict.as_str())
        .bind(&decision.reason)
        .bind(&decision.decided_by)
        .bind(decision.decided_at.as_microsecond())
        .bind(text("finding", &found.finding)?)
        .execute(&mut *transaction)
        .await?;
        let details = [
            ("symbol", json!(found.symbol.as_str())),
            ("interval", json!(found.interval.to_string())),
            ("source", json!(found.source.as_str())),
            ("verdict", json!(decision.verdict.as_str())),
            ("reason", json!(decision.reason)),
        ];
        let subject = format!("finding:{}", decision.finding);
        let note = AuditNote::new(AuditAction::FindingDecided, subject, details);
        append(&mut transaction, audit, vec![note]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The newest decisions, at most `limit` of them, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn decisions(&self, limit: u32) -> Result<Vec<DecisionRecord>, StoreError> {
        query(
            "SELECT finding_id, symbol, bar_interval, source, verdict, reason, decided_by,
                    decided_at_us, document
             FROM finding_decisions ORDER BY id DESC LIMIT $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| Ok(DecisionRecord { found: record(row)?, decision: decision(row)? }))
        .collect()
    }

    /// The decision in force about each of `findings` that anybody decided about.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn decisions_on(
        &self,
        findings: &[FindingId],
    ) -> Result<BTreeMap<FindingId, Decision>, StoreError> {
        let mut in_force = BTreeMap::new();
        for ids in findings.chunks(ROWS_PER_STATEMENT) {
            let text = format!(
                "SELECT finding_id, verdict, reason, decided_by, decided_at_us
                 FROM finding_decisions WHERE finding_id IN ({}) ORDER BY id",
                placeholders(0, ids.len())
            );
            let mut query = query(AssertSqlSafe(text));
            for id in ids {
                query = query.bind(id.to_string());
            }
            for row in &query.fetch_all(&self.reader).await? {
                let decision = decision(row)?;
                in_force.insert(decision.finding, decision);
            }
        }
        Ok(in_force)
    }
}

/// The decision of a row with the columns of `finding_decisions`.
pub(crate) fn decision(row: &Row) -> Result<Decision, StoreError> {
    let verdict: &str = row.try_get("verdict")?;
    Ok(Decision {
        finding: row.try_get::<&str, _>("finding_id")?.parse().map_err(impossible)?,
        verdict: [Verdict::Accept, Verdict::Reject]
            .into_iter()
            .find(|known| known.as_str() == verdict)
            .ok_or_else(|| impossible(format!("verdict '{verdict}'")))?,
        reason: row.try_get("reason")?,
        decided_by: row.try_get("decided_by")?,
        decided_at: instant_us(row.try_get("decided_at_us")?)?,
    })
}
