//! What went wrong in this installation: groups of errors that are the same, and the newest of each.
//!
//! Whoever hands an error over has taken out of it what nobody may read later.

use std::fmt::Write as _;

use bist_access::AuditAction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::audit::{Audit, AuditNote, append};
use crate::columns::{count, document, impossible, instant_us, json};
use crate::db::{Connection, Row, query, query_scalar};
use crate::error::StoreError;
use crate::pool::Store;

/// Bytes of the digest that names a group.
const NAME_BYTES: usize = 8;

/// The first letter of the name of a group.
const NAME_PREFIX: char = 'e';

macro_rules! words {
    ($(#[$about:meta])+ $name:ident: $($(#[$each:meta])+ $value:ident = $word:literal,)+) => {
        $(#[$about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$each])+ $value,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$value,)+];

            /// Its name in the store and the API.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }

            /// The one called `text`.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// What kind of error it is.
    ErrorKind:
    /// The program gave up in the middle of something.
    Panic = "panic",
    /// A request was answered with a failure of the server.
    Internal = "internal",
    /// A run of a job failed.
    Job = "job",
    /// A page of the web app failed in a browser.
    Page = "page",
    /// Anything else that someone should act on.
    Other = "other",
}

words! {
    /// What people have said about a group.
    ErrorState:
    /// Nobody has dealt with it.
    Open = "open",
    /// It was dealt with; it opens again when it happens again.
    Resolved = "resolved",
    /// It is counted, and nobody wants to hear of it.
    Muted = "muted",
}

/// Something that was logged before an error, in the same request or run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBreadcrumb {
    /// When.
    pub at: Timestamp,
    /// How important it was: `info`, `warn` or `error`.
    pub level: String,
    /// What was said.
    pub message: String,
}

/// One time that something went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorEvent {
    /// When; microseconds are kept.
    pub at: Timestamp,
    /// What was said.
    pub message: String,
    /// The request that was being answered.
    pub request_id: Option<String>,
    /// Its path as it is registered; of a page, where the page was.
    pub route: Option<String>,
    /// The version of the program.
    pub release: String,
    /// What was logged before, the oldest first.
    pub breadcrumbs: Vec<ErrorBreadcrumb>,
}

/// An error that is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewError {
    /// What kind it is.
    pub kind: ErrorKind,
    /// Where it happened: a route, a job, or a part of the program.
    pub place: String,
    /// The message without what differs from one time to the next; what it is grouped by.
    pub sameness: String,
    /// One line that names it.
    pub title: String,
    /// This time.
    pub event: ErrorEvent,
}

impl NewError {
    /// The name of the group that it belongs to.
    pub fn group(&self) -> String {
        let mut hash = Sha256::new();
        for part in [self.kind.as_str(), &self.place, &self.sameness] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        let mut name = String::from(NAME_PREFIX);
        for byte in hash.finalize().iter().take(NAME_BYTES) {
            // Writing to a text cannot fail.
            write!(name, "{byte:02x}").ok();
        }
        name
    }
}

/// Errors that are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorGroup {
    /// Its name.
    pub id: String,
    /// What kind they are.
    pub kind: ErrorKind,
    /// One line that names them.
    pub title: String,
    /// Where they happened.
    pub place: String,
    /// What people have said about them.
    pub state: ErrorState,
    /// When the first one happened.
    pub first_at: Timestamp,
    /// When the newest one happened.
    pub last_at: Timestamp,
    /// How many there were, those included that are kept no more.
    pub events_count: u64,
    /// The newest request in which one happened.
    pub last_request_id: Option<String>,
    /// The version of the program that met it last.
    pub release: String,
}

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptMax {
    /// Groups of each kind; those that happened the longest ago go, and none of another kind.
    pub groups_max: u32,
    /// Events of a group; the oldest go.
    pub events_max: u32,
}

/// Which groups are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFilter {
    /// Those in this state.
    pub state: Option<ErrorState>,
    /// Those of this kind.
    pub kind: Option<ErrorKind>,
    /// Those of which one is kept that happened in this request.
    pub request_id: Option<String>,
    /// Those that follow this one in the list: when its newest event happened, microseconds of Unix
    /// time, and its name.
    pub before: Option<(i64, String)>,
}

impl Store {
    /// Keeps `error`, and removes what is more than `kept`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn keep_error(&self, error: &NewError, kept: KeptMax) -> Result<(), StoreError> {
        let (id, event) = (error.group(), &error.event);
        let at_us = event.at.as_microsecond();
        let mut transaction = self.writer.begin_alone().await?;
        let number: i64 = query_scalar(
            "INSERT INTO error_groups (id, kind, title, place, state, first_at_us, last_at_us,
                                       events_count, last_request_id, release_name)
             VALUES ($1, $2, $3, $4, $5, $6, $6, 1, $7, $8)
             ON CONFLICT (id) DO UPDATE SET
                 state = CASE WHEN error_groups.state = $9 THEN $5 ELSE error_groups.state END,
                 last_at_us = CASE WHEN error_groups.last_at_us > $6 THEN error_groups.last_at_us
                                   ELSE $6 END,
                 events_count = error_groups.events_count + 1,
                 last_request_id = COALESCE($7, error_groups.last_request_id),
                 release_name = $8
             RETURNING events_count",
        )
        .bind(&id)
        .bind(error.kind.as_str())
        .bind(&error.title)
        .bind(&error.place)
        .bind(ErrorState::Open.as_str())
        .bind(at_us)
        .bind(&event.request_id)
        .bind(&event.release)
        .bind(ErrorState::Resolved.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        query(
            "INSERT INTO error_events (group_id, number, at_us, document, request_id)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(&id)
        .bind(number)
        .bind(at_us)
        .bind(json("error", event)?)
        .bind(&event.request_id)
        .execute(&mut *transaction)
        .await?;
        query("DELETE FROM error_events WHERE group_id = $1 AND number <= $2")
            .bind(&id)
            .bind(number - i64::from(kept.events_max))
            .execute(&mut *transaction)
            .await?;
        if number == 1 {
            forget_groups(&mut transaction, error.kind, kept.groups_max).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The groups that `filter` wants, at most `limit`, the one that happened last first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn error_groups(
        &self,
        filter: &ErrorFilter,
        limit: u32,
    ) -> Result<Vec<ErrorGroup>, StoreError> {
        query(
            "SELECT * FROM error_groups
             WHERE ($1 IS NULL OR state = $1) AND ($2 IS NULL OR kind = $2)
               AND ($3 IS NULL OR last_at_us < $3 OR (last_at_us = $3 AND id < $4))
               AND ($5 IS NULL
                    OR id IN (SELECT group_id FROM error_events WHERE request_id = $5))
             ORDER BY last_at_us DESC, id DESC LIMIT $6",
        )
        .bind(filter.state.map(ErrorState::as_str))
        .bind(filter.kind.map(ErrorKind::as_str))
        .bind(filter.before.as_ref().map(|(at_us, _)| *at_us))
        .bind(filter.before.as_ref().map(|(_, id)| id.as_str()))
        .bind(filter.request_id.as_deref())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(group)
        .collect()
    }

    /// The group `id`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn error_group(&self, id: &str) -> Result<Option<ErrorGroup>, StoreError> {
        group_of(&mut self.reader.acquire().await?, id).await
    }

    /// What is kept of the group `id`, what happened last first, in whichever order it was kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn error_events(&self, id: &str) -> Result<Vec<ErrorEvent>, StoreError> {
        query(
            "SELECT document FROM error_events WHERE group_id = $1
             ORDER BY at_us DESC, number DESC",
        )
        .bind(id)
        .fetch_all(&self.reader)
        .await?
        .iter()
        .map(|row| document("error", row))
        .collect()
    }

    /// How many groups are open.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn open_errors_count(&self) -> Result<u64, StoreError> {
        let row = query("SELECT COUNT(*) AS groups_count FROM error_groups WHERE state = $1")
            .bind(ErrorState::Open.as_str())
            .fetch_one(&self.reader)
            .await?;
        count(&row, "groups_count")
    }

    /// Puts the group `id` into `state`, on record; the group as it is then, `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or the change cannot be put on record.
    pub async fn set_error_state(
        &self,
        id: &str,
        state: ErrorState,
        audit: &Audit,
    ) -> Result<Option<ErrorGroup>, StoreError> {
        let mut transaction = self.writer.begin_alone().await?;
        let Some(found) = group_of(&mut transaction, id).await? else { return Ok(None) };
        if found.state == state {
            return Ok(Some(found));
        }
        query("UPDATE error_groups SET state = $2 WHERE id = $1")
            .bind(id)
            .bind(state.as_str())
            .execute(&mut *transaction)
            .await?;
        let details = [("from", json!(found.state.as_str())), ("to", json!(state.as_str()))];
        let note = AuditNote::new(AuditAction::ErrorStateChanged, format!("error:{id}"), details);
        append(&mut transaction, audit, vec![note]).await?;
        transaction.commit().await?;
        Ok(Some(ErrorGroup { state, ..found }))
    }
}

/// Removes the groups of `kind` beyond `groups_max` that happened the longest ago, with their events.
///
/// Each kind has a number of its own: whoever can make errors of one kind, such as a page that reports,
/// pushes out none of another.
async fn forget_groups(
    connection: &mut Connection,
    kind: ErrorKind,
    groups_max: u32,
) -> Result<(), StoreError> {
    query(
        "DELETE FROM error_groups WHERE id IN (
             SELECT id FROM error_groups WHERE kind = $3
             ORDER BY last_at_us DESC, id DESC LIMIT $1 OFFSET $2)",
    )
    .bind(i64::from(u32::MAX))
    .bind(i64::from(groups_max))
    .bind(kind.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

async fn group_of(connection: &mut Connection, id: &str) -> Result<Option<ErrorGroup>, StoreError> {
    let row = query("SELECT * FROM error_groups WHERE id = $1").bind(id);
    row.fetch_optional(connection).await?.as_ref().map(group).transpose()
}

fn group(row: &Row) -> Result<ErrorGroup, StoreError> {
    let (kind, state): (&str, &str) = (row.try_get("kind")?, row.try_get("state")?);
    Ok(ErrorGroup {
        id: row.try_get("id")?,
        kind: ErrorKind::parse(kind).ok_or_else(|| impossible(format!("the error {kind}")))?,
        title: row.try_get("title")?,
        place: row.try_get("place")?,
        state: ErrorState::parse(state).ok_or_else(|| impossible(format!("state '{state}'")))?,
        first_at: instant_us(row.try_get("first_at_us")?)?,
        last_at: instant_us(row.try_get("last_at_us")?)?,
        events_count: count(row, "events_count")?,
        last_request_id: row.try_get("last_request_id")?,
        release: row.try_get("release_name")?,
    })
}

impl ErrorGroup {
    /// When its newest event happened, microseconds of Unix time, and its name: what
    /// [`ErrorFilter::before`] takes.
    pub fn mark(&self) -> (i64, String) {
        (self.last_at.as_microsecond(), self.id.clone())
    }
}
