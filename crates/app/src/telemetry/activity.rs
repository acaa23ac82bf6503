//! What people do with the product, noted in memory and written down with what was counted.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bist_access::{AccountId, Actor, AuditAction};
use bist_market::Symbol;
use bist_market::rename::current_name;
use bist_store::{ActivityFilter, AuditNote, StoreError};
use jiff::Timestamp;
use serde_json::json;

use super::usage::{Span, days_before};
use crate::App;

pub use bist_store::{
    Activity, ActivityCounts, ActivityKind, ActivityPlace, ActivityPoint, NewActivity,
};

/// Activities that are noted at most between two writings.
pub const NOTED_MAX: usize = 10_000;

/// Characters of the name of a page.
const PAGE_CHARS_MAX: usize = 80;

/// Rows that are read at a time where all are wanted.
const ROWS_AT_A_TIME: u32 = 1_000;

/// What was noted and is not written down yet.
#[derive(Debug, Default)]
pub struct Activities {
    is_off: AtomicBool,
    /// How many could not be kept, for there were too many at a time.
    dropped_count: AtomicU64,
    noted: Mutex<VecDeque<NewActivity>>,
}

impl Activities {
    /// Notes from now on, or does not.
    pub(crate) fn switch(&self, is_on: bool) {
        self.is_off.store(!is_on, Ordering::Relaxed);
    }

    /// How many were not kept, for there were too many at a time.
    pub fn dropped_count(&self) -> u64 {
        self.dropped_count.load(Ordering::Relaxed)
    }

    fn note(&self, activity: NewActivity) {
        if self.is_off.load(Ordering::Relaxed) {
            return;
        }
        let mut noted = self.noted();
        if noted.len() < NOTED_MAX {
            noted.push_back(activity);
        } else {
            self.dropped_count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes what was noted since the last time.
    pub(super) fn take(&self) -> Vec<NewActivity> {
        std::mem::take(&mut *self.noted()).into()
    }

    /// Notes again what could not be written down, before what came since.
    pub(super) fn put_back(&self, activities: Vec<NewActivity>) {
        let mut noted = self.noted();
        for activity in activities.into_iter().rev() {
            if noted.len() < NOTED_MAX {
                noted.push_front(activity);
            } else {
                self.dropped_count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn noted(&self) -> MutexGuard<'_, VecDeque<NewActivity>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an activity is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A share.
    Symbol(Symbol),
    /// A page of the web app, by its path.
    Page(String),
}

/// A text that is no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "subject: give a symbol such as THYAO, or the path of a page such as /screener, in small letters, \
     digits and hyphens"
)]
pub struct SubjectError;

impl Subject {
    /// Reads a symbol, or the path of a page.
    ///
    /// # Errors
    ///
    /// [`SubjectError`] when it is neither, such as free text.
    pub fn parse(text: &str) -> Result<Self, SubjectError> {
        let Some(path) = text.strip_prefix('/') else {
            return Symbol::parse(text)
                .map(current_name)
                .map(Self::Symbol)
                .map_err(|_| SubjectError);
        };
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_page = text.len() <= PAGE_CHARS_MAX
            && (path.is_empty()
                || path.split('/').all(|part| !part.is_empty() && part.chars().all(is_plain)));
        if is_page { Ok(Self::Page(text.to_owned())) } else { Err(SubjectError) }
    }
}

/// Which activities are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Those of this account.
    pub account: Option<AccountId>,
    /// Those of this kind.
    pub kind: Option<ActivityKind>,
    /// Those before this place.
    pub before: Option<ActivityPlace>,
}

/// How often what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivitySummary {
    /// From this instant on.
    pub from: Timestamp,
    /// Before this instant.
    pub to: Timestamp,
    /// How long each step is, seconds.
    pub step_s: i64,
    /// Altogether.
    pub whole: ActivityCounts,
    /// In each step.
    pub points: Vec<ActivityPoint>,
}

impl App {
    /// Notes that the person for whom this acts did something with `subject`; whether they could have:
    /// not with a share of which nothing is known.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn note_activity(
        &self,
        kind: ActivityKind,
        subject: Subject,
    ) -> Result<bool, StoreError> {
        match subject {
            Subject::Symbol(symbol) => {
                if self.symbol(symbol).await?.is_none() {
                    return Ok(false);
                }
                self.note(kind, symbol.to_string());
            }
            Subject::Page(path) => self.note(kind, path),
        }
        Ok(true)
    }

    /// Notes that whoever this acts for was given `subject` to take away.
    pub(crate) fn note_export(&self, subject: &str) {
        self.note(ActivityKind::Export, subject.to_owned());
    }

    fn note(&self, kind: ActivityKind, subject: String) {
        let (Actor::Account(account) | Actor::Key { account, .. }) = &self.actor else { return };
        self.telemetry.activities.note(NewActivity {
            at: self.now(),
            kind,
            account: account.clone(),
            subject,
            request_id: self.request_id.clone(),
        });
    }

    /// The activities from `from` on and before `to` that `query` wants, at most `limit`, the newest
    /// first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn activities(
        &self,
        asked: (Timestamp, Timestamp),
        query: ActivityQuery,
        limit: u32,
    ) -> Result<Vec<Activity>, StoreError> {
        self.flush_for_reading().await;
        self.store.activities(&self.activity_filter(asked, query), limit).await
    }

    /// The newest activities of the person of `account`, as far as they are kept.
    pub(crate) async fn activities_of(
        &self,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<Activity>, StoreError> {
        let query = ActivityQuery { account: Some(account.clone()), ..ActivityQuery::default() };
        self.activities((Timestamp::MIN, Timestamp::MAX), query, limit).await
    }

    /// All of them; that they are given away goes on record first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn export_activities(
        &self,
        asked: (Timestamp, Timestamp),
        query: ActivityQuery,
    ) -> Result<Vec<Activity>, StoreError> {
        self.flush_for_reading().await;
        let mut filter = self.activity_filter(asked, query);
        let mut all = Vec::new();
        loop {
            let page = self.store.activities(&filter, ROWS_AT_A_TIME).await?;
            let Some(last) = page.last() else { break };
            filter.before = Some(last.place.clone());
            all.extend(page);
        }
        let details = [
            ("rows_count", json!(all.len())),
            ("from", json!(asked.0)),
            ("to", json!(asked.1)),
            ("account", json!(filter.account.as_ref().map(AccountId::as_str))),
            ("kind", json!(filter.kind.map(ActivityKind::as_str))),
        ];
        let action = AuditAction::ActivityExported;
        self.put_on_record(AuditNote::new(action, "activity".to_owned(), details)).await?;
        self.note_export("activity.csv");
        Ok(all)
    }

    /// How often what was done from `from` on and before `to`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn activity_summary(
        &self,
        asked: (Timestamp, Timestamp),
    ) -> Result<ActivitySummary, StoreError> {
        self.flush_for_reading().await;
        let span = Span::of_activities(asked, self.telemetry_settings, self.now());
        let step = span.step();
        let to = asked.1.min(span.to);
        let from = asked.0.max(span.from).min(to);
        let filter = self.activity_filter((from, to), ActivityQuery::default());
        let (whole, points) = self.store.activity_counts(&filter, step.length()).await?;
        let mut known: BTreeMap<Timestamp, ActivityCounts> =
            points.into_iter().map(|point| (point.at, point.counts)).collect();
        let points = span
            .begins(step)
            .map(|at| ActivityPoint { at, counts: known.remove(&at).unwrap_or_default() })
            .collect();
        Ok(ActivitySummary { from, to, step_s: step.length_s, whole, points })
    }

    pub(crate) fn activity_filter(
        &self,
        (from, to): (Timestamp, Timestamp),
        query: ActivityQuery,
    ) -> ActivityFilter {
        let ActivityQuery { account, kind, before } = query;
        let alerts_from = days_before(self.now(), self.telemetry_settings.alerts_kept_days);
        ActivityFilter { from, to, alerts_from, account, kind, before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_typed_is_no_subject() {
        for (text, is_one) in [
            ("THYAO", true),
            ("/", true),
            ("/admin/usage", true),
            ("/symbol-page/a1", true),
            ("turkish airlines", false),
            ("/search?q=secret", false),
            ("//", false),
            ("/Admin", false),
            ("", false),
            ("/a/", false),
        ] {
            assert_eq!(Subject::parse(text).is_ok(), is_one, "{text}");
        }
        assert!(Subject::parse(&format!("/{}", "a".repeat(PAGE_CHARS_MAX))).is_err());
    }

    #[test]
    fn more_than_there_is_room_for_is_dropped_and_counted() {
        let activities = Activities::default();
        let activity = |number: usize| NewActivity {
            at: Timestamp::UNIX_EPOCH,
            kind: ActivityKind::View,
            account: "u0123456789abcdef".parse().unwrap(),
            subject: format!("/{number}"),
            request_id: None,
        };
        (0..NOTED_MAX + 3).for_each(|number| activities.note(activity(number)));
        assert_eq!(activities.dropped_count(), 3);
        let taken = activities.take();
        assert_eq!(taken.len(), NOTED_MAX);
        activities.note(activity(7));
        activities.put_back(taken);
        // The oldest goes, for what came since is there.
        assert_eq!(activities.dropped_count(), 4);
        let taken = activities.take();
        assert_eq!(
            (taken.len(), &taken[0], taken.last()),
            (NOTED_MAX, &activity(1), Some(&activity(7)))
        );
        activities.switch(false);
        activities.note(activity(1));
        assert_eq!(activities.take(), []);
    }
}
