//! How far the tables have come that live streams tell of: what is cheap to ask again and again.

use crate::db::query;
use crate::error::StoreError;
use crate::ingests::Generation;
use crate::pool::Store;

/// What differs whenever one of the tables has changed, whichever process changed it.
///
/// Runs of jobs are not among it: they change in place, and [`Store::jobs`] is as cheap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeMarks {
    /// Bars, and what was decided about them.
    pub bars: Generation,
    /// The signals that are in force.
    pub signals: SignalMark,
    /// When the validator ran last, microseconds since 1970 UTC.
    pub validated_at_us: Option<i64>,
    /// The place of the newest record of the audit.
    pub audit_seq: Option<i64>,
    /// The number of the newest change of what belongs to people.
    pub personal: Option<i64>,
    /// The number of the newest change of paper portfolios and orders.
    pub orders: Option<i64>,
}

/// Which signals there are, and which models are in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SignalMark {
    served_number: Option<i64>,
    state_change_number: Option<i64>,
}

impl Store {
    /// Where the tables stand.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn change_marks(&self) -> Result<ChangeMarks, StoreError> {
        let row = query(
            "SELECT (SELECT MAX(number) FROM served_signals) AS served_number,
                    (SELECT MAX(number) FROM model_state_changes) AS state_change_number,
                    (SELECT MAX(validated_at_us) FROM data_quality) AS validated_at_us,
                    (SELECT MAX(seq) FROM audit_log) AS audit_seq,
                    (SELECT MAX(mark) FROM personal_marks) AS personal,
                    (SELECT MAX(mark) FROM paper_marks) AS orders",
        )
        .fetch_one(&self.reader)
        .await?;
        Ok(ChangeMarks {
            bars: self.generation().await?,
            signals: SignalMark {
                served_number: row.try_get("served_number")?,
                state_change_number: row.try_get("state_change_number")?,
            },
            validated_at_us: row.try_get("validated_at_us")?,
            audit_seq: row.try_get("audit_seq")?,
            personal: row.try_get("personal")?,
            orders: row.try_get("orders")?,
        })
    }
}
