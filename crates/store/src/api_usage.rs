//! How the API is used: how often what was answered to whom, and how soon, by minute, hour and day.
//!
//! What a process has counted is added to the rows of all three resolutions in one transaction, so that
//! they always say the same, and several processes add to the same rows one after the other.

mod counts;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use bist_access::{AccountId, Class, KeyId};
use jiff::Timestamp;

use crate::access_change::AccessChange;
use crate::activities::{self, NewActivity};
use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{count, impossible, instant_us, signed};
use crate::db::{AssertSqlSafe, Connection, Row, Transaction, query, query_scalar};
use crate::error::StoreError;
use crate::pool::Store;

pub use counts::{SKETCH_ERROR, UsageCounts};
use window::Piece;
pub use window::{Resolution, UsageWindow};

/// The columns of a row that say what is counted there.
const KEY_COLUMNS: &str = "resolution, begins_at_s, route, method, account, api_key, refused_by";

/// The columns with what was counted.
const COUNT_COLUMNS: &str = "succeeded_count, client_errors_count, refused_count, errors_count, \
                             latency_sum_ns, last_at_us, sketch";

/// How many columns of a key each row has for itself: all but the resolution.
const OWN_KEY_COLUMNS: usize = 6;

/// How many columns of counts there are.
const COUNTS: usize = 7;

/// What stands for the account of all callers that are not told apart.
const OTHER: &str = "(other)";

/// What stands for a limit that is not that of a class.
const NO_CLASS: &str = "all";

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UsageCaller {
    /// Nobody had to say, or the person was forgotten.
    Nobody,
    /// Somebody who signed in.
    Account(AccountId),
    /// A program.
    Key {
        /// By which key.
        key: KeyId,
        /// Whose it is.
        account: AccountId,
    },
    /// One of those who are not told apart, for they were too many at a time.
    Other,
}

impl UsageCaller {
    /// Whose request it was, as far as it is known.
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) | Self::Key { account, .. } => Some(account),
            Self::Nobody | Self::Other => None,
        }
    }

    /// By which key it was asked.
    pub const fn key(&self) -> Option<&KeyId> {
        match self {
            Self::Key { key, .. } => Some(key),
            Self::Nobody | Self::Account(_) | Self::Other => None,
        }
    }

    /// As the two columns have it.
    fn columns(&self) -> (&str, &str) {
        match self {
            Self::Nobody => ("", ""),
            Self::Account(account) => (account.as_str(), ""),
            Self::Key { key, account } => (account.as_str(), key.as_str()),
            Self::Other => (OTHER, ""),
        }
    }

    fn of_columns(account: &str, key: &str) -> Result<Self, StoreError> {
        Ok(match (account, key) {
            ("", "") => Self::Nobody,
            (OTHER, "") => Self::Other,
            (account, "") => Self::Account(account.parse().map_err(impossible)?),
            (account, key) => Self::Key {
                key: key.parse().map_err(impossible)?,
                account: account.parse().map_err(impossible)?,
            },
        })
    }
}

/// What refused a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusedBy {
    /// The quota of a class of requests.
    Quota(Class),
    /// Another limit, such as that of live streams.
    OtherLimit,
}

impl RefusedBy {
    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quota(class) => class.as_str(),
            Self::OtherLimit => NO_CLASS,
        }
    }

    fn of_column(text: &str) -> Result<Option<Self>, StoreError> {
        if text.is_empty() {
            return Ok(None);
        }
        if text == NO_CLASS {
            return Ok(Some(Self::OtherLimit));
        }
        let class = Class::ALL.into_iter().find(|class| class.as_str() == text);
        let class = class.ok_or_else(|| impossible(format!("a limit '{text}'")))?;
        Ok(Some(Self::Quota(class)))
    }
}

/// What is counted in one row of a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageKey {
    /// The path as it is registered, or `(no route)`.
    pub route: String,
    /// The method.
    pub method: String,
    /// Who asked.
    pub caller: UsageCaller,
    /// What refused it.
    pub refused_by: Option<RefusedBy>,
}

/// What a process has counted of a minute.
#[derive(Clone, Debug)]
pub struct UsageRow {
    /// The begin of the minute.
    pub minute: Timestamp,
    /// What.
    pub key: UsageKey,
    /// How often, and how soon.
    pub counts: UsageCounts,
}

/// Which requests are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// Those of this route.
    pub route: Option<String>,
    /// Those with this method.
    pub method: Option<String>,
    /// Those of this account, by whatever key.
    pub account: Option<AccountId>,
    /// Those by this key.
    pub key: Option<KeyId>,
}

/// What limits refused to one caller in a step of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// The begin of the step.
    pub at: Timestamp,
    /// What refused.
    pub refused_by: RefusedBy,
    /// Whom.
    pub caller: UsageCaller,
    /// How often.
    pub refused_count: u64,
    /// When last.
    pub last_at: Timestamp,
}

/// What reads counts piece by piece, in one view of the database.
#[derive(Debug)]
pub struct UsageReader {
    view: Transaction,
    pieces: std::vec::IntoIter<Piece>,
    filter: UsageFilter,
}

/// Rows as the database gave them. To make counts of them takes processor time, for their latencies are
/// read and merged.
#[derive(Debug)]
pub struct UsagePage(Vec<Row>);

impl UsageReader {
    /// The next rows; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn read(&mut self) -> Result<Option<UsagePage>, StoreError> {
        let Some(piece) = self.pieces.next() else { return Ok(None) };
        let text = format!(
            "SELECT {KEY_COLUMNS}, {COUNT_COLUMNS} FROM api_usage
             WHERE resolution = $1 AND begins_at_s >= $2 AND begins_at_s < $3
               AND ($4 IS NULL OR route = $4) AND ($5 IS NULL OR method = $5)
               AND ($6 IS NULL OR account = $6) AND ($7 IS NULL OR api_key = $7)"
        );
        let filter = &self.filter;
        let rows = query(AssertSqlSafe(text))
            .bind(piece.resolution.as_str())
            .bind(piece.from_s)
            .bind(piece.to_s)
            .bind(&filter.route)
            .bind(&filter.method)
            .bind(filter.account.as_ref().map(AccountId::as_str))
            .bind(filter.key.as_ref().map(KeyId::as_str))
            .fetch_all(&mut *self.view)
            .await?;
        Ok(Some(UsagePage(rows)))
    }
}

impl UsagePage {
    /// Gives each row to `take`: when it begins, what is counted there, and the counts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when a row is none of ours.
    pub fn each(
        &self,
        mut take: impl FnMut(Timestamp, &UsageKey, &UsageCounts),
    ) -> Result<(), StoreError> {
        for row in &self.0 {
            let ((begin_s, key), counts) = (row_key(row)?, UsageCounts::of_row(row)?);
            take(Timestamp::from_second(begin_s).map_err(impossible)?, &key, &counts);
        }
        Ok(())
    }
}

/// Rows of one resolution by their begin, seconds of Unix time, and what is counted there.
type Rows = BTreeMap<(i64, UsageKey), UsageCounts>;

impl Store {
    /// Adds what a process has counted and noted, in one transaction. Of those who were forgotten
    /// meanwhile only the counts stay, as nobody's.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; nothing is added then.
    pub async fn add_usage(
        &self,
        usage: &[UsageRow],
        activities: &[NewActivity],
    ) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let forgotten = forgotten_accounts(&mut transaction).await?;
        for resolution in Resolution::ALL {
            let mut rows = Rows::new();
            for UsageRow { minute, key, counts } in usage {
                let mut key = key.clone();
                if key.caller.account().is_some_and(|account| forgotten.contains(account)) {
                    key.caller = UsageCaller::Nobody;
                }
                let begin = resolution.begin(*minute).as_second();
                rows.entry((begin, key)).or_default().merge(counts);
            }
            add(&mut transaction, resolution, rows).await?;
        }
        activities::add(&mut transaction, activities, &forgotten).await?;
        Ok(transaction.commit().await?)
    }

    /// What reads all that was counted in `window` of what `filter` wants.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn read_usage(
        &self,
        window: UsageWindow,
        filter: &UsageFilter,
    ) -> Result<UsageReader, StoreError> {
        let (view, pieces) = (self.reader.begin().await?, window.pieces().into_iter());
        Ok(UsageReader { view, pieces, filter: filter.clone() })
    }

    /// What limits refused in `window`, by who was refused and by steps of `step_s` seconds, of which the
    /// window has whole rows; a step may be there in several parts. The database sums up.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn refusals(
        &self,
        window: UsageWindow,
        step_s: i64,
    ) -> Result<Vec<Refusals>, StoreError> {
        let mut view = self.reader.begin().await?;
        let mut refusals = Vec::new();
        for piece in window.pieces() {
            let rows = query(
                "SELECT begins_at_s - begins_at_s % $4 AS step_begins_at_s,
                        refused_by, account, api_key,
                        CAST(SUM(refused_count) AS BIGINT) AS sum_count,
                        MAX(last_at_us) AS last_at_us
                 FROM api_usage
                 WHERE resolution = $1 AND begins_at_s >= $2 AND begins_at_s < $3
                   AND refused_by <> ''
                 GROUP BY 1, refused_by, account, api_key ORDER BY 1, refused_by, account, api_key",
            )
            .bind(piece.resolution.as_str())
            .bind(piece.from_s)
            .bind(piece.to_s)
            .bind(step_s)
            .fetch_all(&mut *view)
            .await?;
            for row in &rows {
                refusals.push(refusals_of(row)?);
            }
        }
        Ok(refusals)
    }

    /// Removes the rows of `resolution` that begin before `oldest`; how many those were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_old_usage(
        &self,
        resolution: Resolution,
        oldest: Timestamp,
    ) -> Result<u64, StoreError> {
        let removed = query("DELETE FROM api_usage WHERE resolution = $1 AND begins_at_s < $2")
            .bind(resolution.as_str())
            .bind(oldest.as_second())
            .execute(&self.writer)
            .await?;
        Ok(removed.rows_affected())
    }
}

impl AccessChange {
    /// Leaves of what `account` asked for only the counts, as nobody's.
    pub(crate) async fn forget_usage(&mut self, account: &AccountId) -> Result<(), StoreError> {
        let connection = self.connection();
        for resolution in Resolution::ALL {
            let text = format!(
                "DELETE FROM api_usage WHERE resolution = $1 AND account = $2
                 RETURNING {KEY_COLUMNS}, {COUNT_COLUMNS}"
            );
            let removed = query(AssertSqlSafe(text))
                .bind(resolution.as_str())
                .bind(account.as_str())
                .fetch_all(&mut *connection)
                .await?;
            let mut rows = Rows::new();
            for row in &removed {
                let (begin_s, key) = row_key(row)?;
                let key = UsageKey { caller: UsageCaller::Nobody, ..key };
                rows.entry((begin_s, key)).or_default().merge(&UsageCounts::of_row(row)?);
            }
            add(connection, resolution, rows).await?;
        }
        Ok(())
    }
}

/// The accounts whose owners are forgotten.
async fn forgotten_accounts(
    connection: &mut Connection,
) -> Result<BTreeSet<AccountId>, StoreError> {
    let ids: Vec<String> = query_scalar("SELECT id FROM accounts WHERE user_name IS NULL")
        .fetch_all(connection)
        .await?;
    ids.iter().map(|id| id.parse().map_err(impossible)).collect()
}

/// Adds `rows` to those that are there, within a transaction that goes on alone.
async fn add(
    connection: &mut Connection,
    resolution: Resolution,
    rows: Rows,
) -> Result<(), StoreError> {
    let mut rows: Vec<((i64, UsageKey), UsageCounts)> = rows.into_iter().collect();
    for chunk in rows.chunks_mut(ROWS_PER_STATEMENT) {
        let there = rows_there(connection, resolution, chunk).await?;
        for (key, counts) in chunk.iter_mut() {
            if let Some(there) = there.get(key) {
                counts.merge(there);
            }
        }
        write(connection, resolution, chunk).await?;
    }
    Ok(())
}

/// Those rows with the keys of `wanted` that are there.
async fn rows_there(
    connection: &mut Connection,
    resolution: Resolution,
    wanted: &[((i64, UsageKey), UsageCounts)],
) -> Result<Rows, StoreError> {
    let keys = values(1, OWN_KEY_COLUMNS, wanted.len());
    // As a join, since SQLite would go over all rows to find those that are `IN` a list.
    let text = format!(
        "WITH wanted ({KEY_COLUMNS}) AS ({keys})
         SELECT {KEY_COLUMNS}, {COUNT_COLUMNS} FROM wanted JOIN api_usage USING ({KEY_COLUMNS})"
    );
    let mut query = query(AssertSqlSafe(text)).bind(resolution.as_str());
    for ((begin_s, key), _) in wanted {
        let (account, api_key) = key.caller.columns();
        query = query.bind(*begin_s).bind(&key.route).bind(&key.method);
        query = query.bind(account).bind(api_key).bind(refused_by(key));
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row_key(row)?, UsageCounts::of_row(row)?))).collect()
}

/// Writes rows as they are to be from now on.
async fn write(
    connection: &mut Connection,
    resolution: Resolution,
    rows: &[((i64, UsageKey), UsageCounts)],
) -> Result<(), StoreError> {
    let values = values(1, OWN_KEY_COLUMNS + COUNTS, rows.len());
    let set: Vec<String> =
        COUNT_COLUMNS.split(", ").map(|name| format!("{name} = excluded.{name}")).collect();
    let text = format!(
        "INSERT INTO api_usage ({KEY_COLUMNS}, {COUNT_COLUMNS}) {values}
         ON CONFLICT ({KEY_COLUMNS}) DO UPDATE SET {}",
        set.join(", ")
    );
    let mut query = query(AssertSqlSafe(text)).bind(resolution.as_str());
    for ((begin_s, key), counts) in rows {
        let (account, api_key) = key.caller.columns();
        query = query.bind(*begin_s).bind(&key.route).bind(&key.method);
        query = query.bind(account).bind(api_key).bind(refused_by(key));
        query = query.bind(signed(counts.succeeded_count)).bind(signed(counts.client_errors_count));
        query = query.bind(signed(counts.refused_count)).bind(signed(counts.errors_count));
        query = query.bind(signed(counts.latency_sum_ns())).bind(counts.last_at_us());
        query = query.bind(counts.sketch_text());
    }
    query.execute(connection).await?;
    Ok(())
}

fn refused_by(key: &UsageKey) -> &'static str {
    key.refused_by.map_or("", RefusedBy::as_str)
}

fn refusals_of(row: &Row) -> Result<Refusals, StoreError> {
    let at_s: i64 = row.try_get("step_begins_at_s")?;
    let refused_by = RefusedBy::of_column(row.try_get("refused_by")?)?;
    Ok(Refusals {
        at: Timestamp::from_second(at_s).map_err(impossible)?,
        refused_by: refused_by.ok_or_else(|| impossible("a limit without a name"))?,
        caller: UsageCaller::of_columns(row.try_get("account")?, row.try_get("api_key")?)?,
        refused_count: count(row, "sum_count")?,
        last_at: instant_us(row.try_get("last_at_us")?)?,
    })
}

fn row_key(row: &Row) -> Result<(i64, UsageKey), StoreError> {
    let key = UsageKey {
        route: row.try_get("route")?,
        method: row.try_get("method")?,
        caller: UsageCaller::of_columns(row.try_get("account")?, row.try_get("api_key")?)?,
        refused_by: RefusedBy::of_column(row.try_get("refused_by")?)?,
    };
    Ok((row.try_get("begins_at_s")?, key))
}
