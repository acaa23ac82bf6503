//! The record of signals: each as it was served, and what came of it. Rows are only ever added.

use bist_lifecycle::{Horizon, ScoredSignal};
use bist_market::session_hours::moment_text;
use bist_market::{Origin, Symbol};
use bist_trading::{NeverKnown, SignalScore};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use crate::columns::{count, document, impossible, json, maybe_instant_us, origin, signed, symbol};
use crate::db::{Connection, Row, query};
use crate::error::StoreError;
use crate::pool::Store;
use crate::signals::{SignalRecord, says_the_same};

/// What is kept of what came of a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeptScore {
    /// It was scored.
    Scored(Box<SignalScore>),
    /// It will never be known.
    NeverKnown {
        /// Why.
        reason: NeverKnown,
    },
}

impl KeptScore {
    const fn state(&self) -> &'static str {
        match self {
            Self::Scored(_) => SCORED,
            Self::NeverKnown { .. } => NEVER_KNOWN,
        }
    }
}

const SCORED: &str = "scored";
const NEVER_KNOWN: &str = "never_known";

/// A signal of the record.
#[derive(Clone, Debug, PartialEq)]
pub struct ServedSignal {
    /// Its place in the record.
    pub number: u64,
    /// How many times a signal of this name had said something else before, and one.
    pub issue: u64,
    /// The signal as it was served.
    pub record: SignalRecord,
    /// What came of it, and when that was noted; `None` while it waits.
    pub score: Option<(Timestamp, KeptScore)>,
}

/// Which signals of the record are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServedFilter {
    /// Whether made from real data.
    pub origin: Origin,
    /// Only those that look so far ahead.
    pub horizon: Option<Horizon>,
    /// Only those of this symbol.
    pub symbol: Option<Symbol>,
    /// Only those that were scored, or will never be known.
    pub only_closed: bool,
    /// Only those before this place.
    pub before: Option<u64>,
}

/// How many signals of one horizon stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedCounts {
    /// Whether made from real data.
    pub origin: Origin,
    /// How far ahead they look.
    pub horizon: Horizon,
    /// All that were served.
    pub served_count: u64,
    /// Of those, the ones that were scored.
    pub scored_count: u64,
    /// Of those, the ones of which it will never be known.
    pub never_known_count: u64,
}

impl Store {
    /// Puts on record that `signals`, which are kept, are shown; all or none. One of which the newest
    /// issue on record says the same is on record already.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn serve_signals(&self, signals: &[SignalRecord]) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        serve(&mut transaction, signals).await?;
        Ok(transaction.commit().await?)
    }

    /// All signals that wait, the first first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn waiting_signals(&self) -> Result<Vec<ServedSignal>, StoreError> {
        query(
            "SELECT g.number, g.issue, g.document, NULL AS scored_at_us
             FROM served_signals AS g LEFT JOIN signal_scores AS s ON s.served_number = g.number
             WHERE s.served_number IS NULL ORDER BY g.number",
        )
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| served(row, None))
        .collect()
    }

    /// Notes what came of signals, by their places; what was noted of one before stays. Returns how
    /// many were noted.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; nothing is noted then.
    pub async fn save_scores(
        &self,
        scores: &[(u64, KeptScore)],
        scored_at: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let mut noted_count = 0;
        for (number, score) in scores {
            let inserted = query(
                "INSERT INTO signal_scores (served_number, state, scored_at_us, document)
                 VALUES ($1, $2, $3, $4) ON CONFLICT (served_number) DO NOTHING",
            )
            .bind(signed(*number))
            .bind(score.state())
            .bind(scored_at.as_microsecond())
            .bind(json("score of a signal", score)?)
            .execute(&mut *transaction)
            .await?;
            noted_count += inserted.rows_affected();
        }
        transaction.commit().await?;
        Ok(noted_count)
    }

    /// All signals of `origin` and `horizon` that were scored, by the day they are of.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn scored_signals(
        &self,
        origin: Origin,
        horizon: Horizon,
    ) -> Result<Vec<ScoredSignal>, StoreError> {
        query(
            "SELECT g.symbol, g.model_version, g.as_of, s.document
             FROM served_signals AS g JOIN signal_scores AS s ON s.served_number = g.number
             WHERE g.origin = $1 AND g.horizon = $2 AND s.state = $3 ORDER BY g.as_of, g.number",
        )
        .bind(origin.as_str())
        .bind(horizon.to_string())
        .bind(SCORED)
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| scored(row, horizon))
        .collect()
    }

    /// How many signals of each origin and horizon stand where.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn served_counts(&self) -> Result<Vec<ServedCounts>, StoreError> {
        query(
            "SELECT g.origin, g.horizon, COUNT(*) AS served,
                    COUNT(CASE WHEN s.state = $1 THEN 1 END) AS scored,
                    COUNT(CASE WHEN s.state = $2 THEN 1 END) AS never_known
             FROM served_signals AS g LEFT JOIN signal_scores AS s ON s.served_number = g.number
             GROUP BY g.origin, g.horizon ORDER BY g.origin, g.horizon",
        )
        .bind(SCORED)
        .bind(NEVER_KNOWN)
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            Ok(ServedCounts {
                origin: origin(row.try_get("origin")?)?,
                horizon: row.try_get::<&str, _>("horizon")?.parse().map_err(impossible)?,
                served_count: count(row, "served")?,
                scored_count: count(row, "scored")?,
                never_known_count: count(row, "never_known")?,
            })
        })
        .collect()
    }

    /// Why it will never be known of each signal of `origin` and `horizon` of which it will not.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn never_known(
        &self,
        origin: Origin,
        horizon: Horizon,
    ) -> Result<Vec<NeverKnown>, StoreError> {
        let rows = query(
            "SELECT s.document
             FROM served_signals AS g JOIN signal_scores AS s ON s.served_number = g.number
             WHERE g.origin = $1 AND g.horizon = $2 AND s.state = $3 ORDER BY g.number",
        )
        .bind(origin.as_str())
        .bind(horizon.to_string())
        .bind(NEVER_KNOWN)
        .fetch_all(&self.reader)
        .await?;
        let mut reasons = Vec::with_capacity(rows.len());
        for row in &rows {
            if let KeptScore::NeverKnown { reason } = document("score of a signal", row)? {
                reasons.push(reason);
            }
        }
        Ok(reasons)
    }

    /// Signals of the record, the last served first, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn served_signals(
        &self,
        filter: ServedFilter,
        limit: u32,
    ) -> Result<Vec<ServedSignal>, StoreError> {
        query(
            "SELECT g.number, g.issue, g.document, s.scored_at_us, s.document AS score
             FROM served_signals AS g LEFT JOIN signal_scores AS s ON s.served_number = g.number
             WHERE g.origin = $1 AND ($2 IS NULL OR g.horizon = $2)
               AND ($3 IS NULL OR g.symbol = $3) AND ($4 IS NULL OR g.number < $4)
               AND ($5 = 0 OR s.served_number IS NOT NULL)
             ORDER BY g.number DESC LIMIT $6",
        )
        .bind(filter.origin.as_str())
        .bind(filter.horizon.map(|horizon| horizon.to_string()))
        .bind(filter.symbol.map(|symbol| symbol.to_string()))
        .bind(filter.before.map(signed))
        .bind(i64::from(filter.only_closed))
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| {
            let text: Option<&str> = row.try_get("score")?;
            let read = |text| {
                serde_json::from_str(text)
                    .map_err(|source| StoreError::Document { what: "score of a signal", source })
            };
            served(row, text.map(read).transpose()?)
        })
        .collect()
    }
}

/// Adds those of `signals` to the record of which the newest issue does not say the same.
pub(crate) async fn serve(
    connection: &mut Connection,
    signals: &[SignalRecord],
) -> Result<(), StoreError> {
    for record in signals {
        serve_one(connection, record).await?;
    }
    Ok(())
}

async fn serve_one(connection: &mut Connection, record: &SignalRecord) -> Result<(), StoreError> {
    let newest = query(
        "SELECT issue, document FROM served_signals WHERE signal_id = $1
         ORDER BY issue DESC LIMIT 1",
    )
    .bind(&record.id)
    .fetch_optional(&mut *connection)
    .await?;
    let mut issue = 1;
    if let Some(row) = newest {
        let kept: SignalRecord = document("signal", &row)?;
        if says_the_same(&kept, record)? {
            return Ok(());
        }
        issue = row.try_get::<i64, _>("issue")? + 1;
    }
    query(
        "INSERT INTO served_signals (number, signal_id, issue, origin, horizon, symbol,
                                     model_version, as_of, made_at_us, document)
         VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM served_signals),
                 $1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&record.id)
    .bind(issue)
    .bind(record.origin.as_str())
    .bind(record.signal.horizon.to_string())
    .bind(record.signal.symbol.as_str())
    .bind(&record.model_version)
    .bind(moment_text(record.signal.as_of, record.signal.as_of_time))
    .bind(record.made_at.as_microsecond())
    .bind(json("signal", record)?)
    .execute(connection)
    .await?;
    Ok(())
}

fn served(row: &Row, score: Option<KeptScore>) -> Result<ServedSignal, StoreError> {
    Ok(ServedSignal {
        number: count(row, "number")?,
        issue: count(row, "issue")?,
        record: document("signal", row)?,
        score: maybe_instant_us(row, "scored_at_us")?.zip(score),
    })
}

fn scored(row: &Row, horizon: Horizon) -> Result<ScoredSignal, StoreError> {
    let KeptScore::Scored(score) = document("score of a signal", row)? else {
        return Err(impossible("a scored signal without score"));
    };
    Ok(ScoredSignal {
        symbol: symbol(row)?,
        model_version: row.try_get("model_version")?,
        horizon,
        as_of: as_of(row.try_get("as_of")?)?,
        score: *score,
    })
}

/// The day of a day or moment.
fn as_of(text: &str) -> Result<Date, StoreError> {
    match text.parse::<DateTime>() {
        Ok(moment) => Ok(moment.date()),
        Err(_) => text.parse().map_err(impossible),
    }
}
