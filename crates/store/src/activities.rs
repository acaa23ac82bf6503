//! What people do with the product: what they look at, search for, take away and order, when they sign
//! in, and what their rules tell them.
//!
//! Signing in is kept in `sign_ins`, what rules fired in `alerts` and what was ordered in `paper_orders`;
//! they are read from there, and kept once.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use bist_access::AccountId;
use jiff::{SignedDuration, Timestamp};

use crate::bulk::{ROWS_PER_STATEMENT, values};
use crate::columns::{count, impossible, instant_us};
use crate::db::{AssertSqlSafe, Connection, Row, query, query_scalar};
use crate::error::StoreError;
use crate::pool::Store;

/// Where activities of all kinds are; names tell apart what happened at the same time.
const KINDS: [&str; 4] = [
    "SELECT at_us, kind, account, subject, request_id, 'n' || CAST(number AS TEXT) AS name
     FROM activities",
    "SELECT at_us, 'sign_in' AS kind, account, CAST(NULL AS TEXT) AS subject,
            CAST(NULL AS TEXT) AS request_id, 's' || CAST(number AS TEXT) AS name
     FROM sign_ins WHERE outcome = 'signed_in'",
    "SELECT fired_at_us AS at_us, 'alert' AS kind, account, rule AS subject,
            CAST(NULL AS TEXT) AS request_id, id AS name
     FROM alerts WHERE rule IS NOT NULL",
    "SELECT placed_at_us AS at_us, 'order' AS kind, account, symbol AS subject,
            CAST(NULL AS TEXT) AS request_id, id AS name
     FROM paper_orders",
];

/// What somebody did, or was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActivityKind {
    /// They signed in.
    SignIn,
    /// They looked at a share or a page.
    View,
    /// They searched for a share, and found it.
    Search,
    /// They took data away, such as a table as a file.
    Export,
    /// A rule of theirs fired.
    Alert,
    /// They placed a paper order.
    Order,
}

impl ActivityKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::SignIn, Self::View, Self::Search, Self::Export, Self::Alert, Self::Order];

    /// Its name in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::View => "view",
            Self::Search => "search",
            Self::Export => "export",
            Self::Alert => "alert",
            Self::Order => "order",
        }
    }

    /// The kind called `text`, if there is one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What is to be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewActivity {
    /// When it was.
    pub at: Timestamp,
    /// What: a view, a search or an export; the others are kept where they happen.
    pub kind: ActivityKind,
    /// Who.
    pub account: AccountId,
    /// A symbol, a page, or what was exported.
    pub subject: String,
    /// The request by which it was noted.
    pub request_id: Option<String>,
}

/// What somebody did, or was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// When it was, and its place among what was at the same time.
    pub place: ActivityPlace,
    /// What.
    pub kind: ActivityKind,
    /// Who.
    pub account: AccountId,
    /// A symbol, also of what was ordered, a page, what was exported, or a rule.
    pub subject: Option<String>,
    /// The request by which it was noted.
    pub request_id: Option<String>,
}

/// A place in the order of all activities.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityPlace {
    /// When it was.
    pub at: Timestamp,
    name: String,
}

impl fmt::Display for ActivityPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.as_microsecond(), self.name)
    }
}

/// A text that is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no place in the order of activities")]
pub struct NoSuchPlace;

impl FromStr for ActivityPlace {
    type Err = NoSuchPlace;

    fn from_str(text: &str) -> Result<Self, NoSuchPlace> {
        let (at_us, name) = text.split_once('-').ok_or(NoSuchPlace)?;
        let at = at_us.parse().ok().and_then(|at_us| Timestamp::from_microsecond(at_us).ok());
        let is_name = name.len() <= 32 && name.chars().all(|c| c.is_ascii_alphanumeric());
        let name = Some(name.to_owned()).filter(|_| is_name).ok_or(NoSuchPlace)?;
        Ok(Self { at: at.ok_or(NoSuchPlace)?, name })
    }
}

/// Which activities are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Not before this instant.
    pub from: Timestamp,
    /// Before this instant.
    pub to: Timestamp,
    /// Alerts not before this instant either.
    pub alerts_from: Timestamp,
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those of this kind.
    pub kind: Option<ActivityKind>,
    /// Those before this place.
    pub before: Option<ActivityPlace>,
}

/// How often what was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityCounts {
    /// By kind, in the order of [`ActivityKind::ALL`].
    pub by_kind: [u64; ActivityKind::ALL.len()],
    /// People who did something; that a rule of theirs fired is nothing that they did.
    pub active_count: u64,
}

impl ActivityCounts {
    /// How often `kind` was.
    pub const fn of(&self, kind: ActivityKind) -> u64 {
        self.by_kind[kind as usize]
    }
}

/// How often what was done in a step of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityPoint {
    /// The begin of the step.
    pub at: Timestamp,
    /// How often.
    pub counts: ActivityCounts,
}

impl Store {
    /// The activities that `filter` wants, at most `limit`, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn activities(
        &self,
        filter: &ActivityFilter,
        limit: u32,
    ) -> Result<Vec<Activity>, StoreError> {
        let newest = "ORDER BY at_us DESC, name DESC LIMIT $7";
        let of_account = of_account(filter, 8);
        // The newest of each by its index: of all together a database may read and sort everything.
        let newest_of = |kind: &str| {
            format!(
                "SELECT * FROM (
                     SELECT at_us, kind, account, subject, request_id, name FROM ({kind}) AS one
                     WHERE at_us >= $1 AND at_us < $2 AND (kind <> 'alert' OR at_us >= $3)
                       AND ($4 IS NULL OR kind = $4)
                       AND ($5 IS NULL OR at_us < $5 OR (at_us = $5 AND name < $6)){of_account}
                     {newest}) AS newest"
            )
        };
        let text = format!("{} {newest}", KINDS.map(newest_of).join(" UNION ALL "));
        let (before, to_us) = (filter.before.as_ref(), filter.to.as_microsecond());
        let before_us = before.map(|place| place.at.as_microsecond());
        // Of an alternative no index knows where to end.
        let end_us = before_us.map_or(to_us, |before_us| to_us.min(before_us + 1));
        let mut query = query(AssertSqlSafe(text))
            .bind(filter.from.as_microsecond())
            .bind(end_us)
            .bind(filter.alerts_from.as_microsecond())
            .bind(filter.kind.map(ActivityKind::as_str))
            .bind(before_us)
            .bind(before.map(|place| place.name.as_str()))
            .bind(i64::from(limit));
        if let Some(account) = &filter.account {
            query = query.bind(account.as_str());
        }
        query.fetch_all(&self.reader).await?.iter().map(activity).collect()
    }

    /// How often what was done within what `filter` wants, altogether.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn activity_total(
        &self,
        filter: &ActivityFilter,
    ) -> Result<ActivityCounts, StoreError> {
        total(&mut self.reader.acquire().await?, filter).await
    }

    /// How often what was done within what `filter` wants, altogether and in each step of `step` from the
    /// beginning of time on in which there was anything, in their order; one view of the database.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn activity_counts(
        &self,
        filter: &ActivityFilter,
        step: SignedDuration,
    ) -> Result<(ActivityCounts, Vec<ActivityPoint>), StoreError> {
        let mut view = self.reader.begin().await?;
        let whole = total(&mut view, filter).await?;
        let step_us = step.as_secs().max(1).saturating_mul(1_000_000);
        // Times before 1970 do not happen here.
        let points = counts_by(&mut view, filter, &format!("at_us - at_us % {step_us}")).await?;
        Ok((whole, points))
    }

    /// Removes what was viewed and searched for before `views_from`, exported before `exports_from`, who
    /// signed in before `sign_ins_from`, and of what is noted the oldest beyond `noted_max`; how many
    /// those were.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn remove_old_activities(
        &self,
        views_from: Timestamp,
        exports_from: Timestamp,
        sign_ins_from: Timestamp,
        noted_max: u32,
    ) -> Result<u64, StoreError> {
        // Counted beside those who write: it goes over as many rows.
        let too_many =
            query_scalar("SELECT number FROM activities ORDER BY number DESC LIMIT 1 OFFSET $1");
        let newest_removed: Option<i64> =
            too_many.bind(i64::from(noted_max)).fetch_optional(&self.reader).await?;
        let mut transaction = self.writer.begin_alone().await?;
        let noted = query(
            "DELETE FROM activities
             WHERE (kind <> 'export' AND at_us < $1) OR (kind = 'export' AND at_us < $2)
                OR number <= $3",
        )
        .bind(views_from.as_microsecond())
        .bind(exports_from.as_microsecond())
        .bind(newest_removed.unwrap_or(0))
        .execute(&mut *transaction)
        .await?;
        let signed_in = query("DELETE FROM sign_ins WHERE at_us < $1")
            .bind(sign_ins_from.as_microsecond())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(noted.rows_affected() + signed_in.rows_affected())
    }
}

/// The condition on whose they are, where that is asked, with the value `$place`: only then the index by
/// account is of use.
fn of_account(filter: &ActivityFilter, place: usize) -> String {
    match filter.account {
        Some(_) => format!(" AND account = ${place}"),
        None => String::new(),
    }
}

/// The counts of what `filter` wants altogether.
async fn total(
    connection: &mut Connection,
    filter: &ActivityFilter,
) -> Result<ActivityCounts, StoreError> {
    let whole = counts_by(connection, filter, "CAST(0 AS BIGINT)").await?.pop();
    Ok(whole.map_or_else(ActivityCounts::default, |point| point.counts))
}

/// The counts of what `filter` wants by the steps that `step` computes.
async fn counts_by(
    connection: &mut Connection,
    filter: &ActivityFilter,
    step: &str,
) -> Result<Vec<ActivityPoint>, StoreError> {
    let sums: Vec<String> = ActivityKind::ALL
        .map(ActivityKind::as_str)
        .map(|kind| format!("COUNT(CASE WHEN kind = '{kind}' THEN 1 END) AS {kind}_count"))
        .into();
    let text = format!(
        "SELECT {step} AS step_us, {},
                COUNT(DISTINCT CASE WHEN kind <> 'alert' THEN account END) AS active_count
         FROM ({}) AS happened
         WHERE at_us >= $1 AND at_us < $2 AND (kind <> 'alert' OR at_us >= $3)
           AND ($4 IS NULL OR kind = $4){}
         GROUP BY 1 ORDER BY 1",
        sums.join(", "),
        KINDS.join(" UNION ALL "),
        of_account(filter, 5)
    );
    let mut query = query(AssertSqlSafe(text))
        .bind(filter.from.as_microsecond())
        .bind(filter.to.as_microsecond())
        .bind(filter.alerts_from.as_microsecond())
        .bind(filter.kind.map(ActivityKind::as_str));
    if let Some(account) = &filter.account {
        query = query.bind(account.as_str());
    }
    let rows = query.fetch_all(connection).await?;
    let point = |row: &Row| {
        let mut counts =
            ActivityCounts { active_count: count(row, "active_count")?, ..Default::default() };
        for kind in ActivityKind::ALL {
            counts.by_kind[kind as usize] = count(row, &format!("{}_count", kind.as_str()))?;
        }
        let step_us: i64 = row.try_get("step_us")?;
        Ok::<_, StoreError>(ActivityPoint { at: instant_us(step_us)?, counts })
    };
    rows.iter().map(point).collect()
}

/// Notes what was done by those who are not `forgotten`, within a transaction that goes on alone.
pub(crate) async fn add(
    connection: &mut Connection,
    activities: &[NewActivity],
    forgotten: &BTreeSet<AccountId>,
) -> Result<(), StoreError> {
    let kept: Vec<&NewActivity> =
        activities.iter().filter(|activity| !forgotten.contains(&activity.account)).collect();
    if kept.is_empty() {
        return Ok(());
    }
    let newest = query_scalar("SELECT COALESCE(MAX(number), 0) FROM activities");
    let mut number: i64 = newest.fetch_one(&mut *connection).await?;
    for chunk in kept.chunks(ROWS_PER_STATEMENT) {
        let text = format!(
            "INSERT INTO activities (number, at_us, kind, account, subject, request_id) {}",
            values(0, 6, chunk.len())
        );
        let mut query = query(AssertSqlSafe(text));
        for activity in chunk {
            number += 1;
            query = query.bind(number).bind(activity.at.as_microsecond());
            query = query.bind(activity.kind.as_str()).bind(activity.account.as_str());
            query = query.bind(&activity.subject).bind(&activity.request_id);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn activity(row: &Row) -> Result<Activity, StoreError> {
    let kind: &str = row.try_get("kind")?;
    Ok(Activity {
        place: ActivityPlace { at: instant_us(row.try_get("at_us")?)?, name: row.try_get("name")? },
        kind: ActivityKind::parse(kind)
            .ok_or_else(|| impossible(format!("activity of the kind '{kind}'")))?,
        account: row.try_get::<&str, _>("account")?.parse().map_err(impossible)?,
        subject: row.try_get("subject")?,
        request_id: row.try_get("request_id")?,
    })
}
