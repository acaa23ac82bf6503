//! How the API is used: each answer is counted in memory, and what was counted is written down every
//! few seconds.
//!
//! Counting takes no memory for a caller and a route that were counted since the last writing. Nothing here
//! grows without a bound: those beyond
//! [`KEYS_MAX`] are counted together as others of their route.

mod asked;
mod settings;
mod span;
mod writing;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bist_access::{AccountId, Actor, Class, KeyId};
use bist_store::{RefusedBy, Resolution, UsageKey, UsageRow};
use foldhash::fast::RandomState;
use jiff::Timestamp;

use super::{Answered, NO_ROUTE};

pub use bist_store::{SKETCH_ERROR, UsageCaller, UsageCounts, UsageFilter};

pub use asked::{
    ApiUsage, LimitsHit, Overview, RefusedItem, RefusedPoint, UsageBy, UsageItem, UsageName,
    UsagePoint,
};
pub use settings::TelemetrySettings;
pub(crate) use settings::days_before;
pub use span::{Span, Step};
pub use writing::FLUSH_EVERY;

/// Callers and routes that are told apart between two writings.
pub const KEYS_MAX: usize = 20_000;

/// The status of what a limit refused.
const REFUSED: u16 = 429;

/// What this process has counted and not written down yet.
#[derive(Debug, Default)]
pub struct Usage {
    is_off: AtomicBool,
    /// Answers that were counted among others.
    others_count: AtomicU64,
    counted: Mutex<Counted>,
}

#[derive(Debug, Default)]
struct Counted {
    rows: HashMap<Counting, UsageCounts, RandomState>,
    /// The minute at which no more could be told apart; others are counted there, and then at the begin
    /// of each hour, until the next writing. So there is one row of them for each route and hour, however
    /// long it takes.
    full_since: Option<Timestamp>,
}

/// What is counted together.
#[derive(Debug)]
pub(super) struct Counting {
    minute: Timestamp,
    method: &'static str,
    route: Box<str>,
    refused_by: Option<RefusedBy>,
    caller: UsageCaller,
}

/// The same, borrowed: what is counted already is found without a copy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Parts<'a> {
    minute: Timestamp,
    method: &'a str,
    route: &'a str,
    refused_by: Option<RefusedBy>,
    account: Option<&'a AccountId>,
    key: Option<&'a KeyId>,
    is_other: bool,
}

/// What has [`Parts`], whether it owns them or not.
trait InParts {
    fn parts(&self) -> Parts<'_>;
}

impl InParts for Parts<'_> {
    fn parts(&self) -> Parts<'_> {
        *self
    }
}

impl InParts for Counting {
    fn parts(&self) -> Parts<'_> {
        Parts {
            minute: self.minute,
            method: self.method,
            route: &self.route,
            refused_by: self.refused_by,
            account: self.caller.account(),
            key: self.caller.key(),
            is_other: self.caller == UsageCaller::Other,
        }
    }
}

impl Hash for dyn InParts + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialEq for dyn InParts + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for dyn InParts + '_ {}

impl Hash for Counting {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl PartialEq for Counting {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Counting {}

impl<'a> Borrow<dyn InParts + 'a> for Counting {
    fn borrow(&self) -> &(dyn InParts + 'a) {
        self
    }
}

impl<'a> Parts<'a> {
    /// Of which an answer is.
    fn of(answered: &'a Answered) -> Self {
        let (account, key) = match &answered.caller {
            Some(Actor::Account(account)) => (Some(account), None),
            Some(Actor::Key { key, account }) => (Some(account), Some(key)),
            Some(Actor::Operator(_) | Actor::System | Actor::Nobody) | None => (None, None),
        };
        Self {
            minute: Resolution::Minute.begin(answered.at),
            method: answered.method,
            route: answered.route.as_deref().unwrap_or(NO_ROUTE),
            refused_by: refused_by(answered.status, answered.limit_class),
            account,
            key,
            is_other: false,
        }
    }

    fn owned(self, method: &'static str) -> Counting {
        let caller = match (self.account, self.key) {
            _ if self.is_other => UsageCaller::Other,
            (None, _) => UsageCaller::Nobody,
            (Some(account), None) => UsageCaller::Account(account.clone()),
            (Some(account), Some(key)) => {
                UsageCaller::Key { key: key.clone(), account: account.clone() }
            }
        };
        Counting {
            minute: self.minute,
            method,
            route: self.route.into(),
            refused_by: self.refused_by,
            caller,
        }
    }
}

impl Usage {
    /// Counts from now on, or does not.
    pub(crate) fn switch(&self, is_on: bool) {
        self.is_off.store(!is_on, Ordering::Relaxed);
    }

    /// Answers that were counted as others of their route, for there were too many callers at a time.
    pub fn others_count(&self) -> u64 {
        self.others_count.load(Ordering::Relaxed)
    }

    pub(super) fn is_off(&self) -> bool {
        self.is_off.load(Ordering::Relaxed)
    }

    /// Counts answers.
    pub(super) fn answered(&self, answers: &[Answered]) {
        if self.is_off() {
            return;
        }
        let mut others_count = 0;
        let mut counted = self.counted();
        for answered in answers {
            let Answered { method, status, took, at, .. } = *answered;
            let count = |counts: &mut UsageCounts| counts.count(status, took, at);
            others_count += u64::from(counted.with(Parts::of(answered), method, count));
        }
        drop(counted);
        self.others_count.fetch_add(others_count, Ordering::Relaxed);
    }

    /// Takes what was counted since the last time.
    pub(super) fn take(&self) -> Vec<(Counting, UsageCounts)> {
        let Counted { rows, .. } = std::mem::take(&mut *self.counted());
        rows.into_iter().collect()
    }

    /// Counts again what could not be written down.
    fn put_back(&self, rows: Vec<(Counting, UsageCounts)>) {
        let mut counted = self.counted();
        for (counting, counts) in rows {
            let is_among_others =
                counted.with(counting.parts(), counting.method, |sum| sum.merge(&counts));
            if is_among_others && counting.caller != UsageCaller::Other {
                self.others_count.fetch_add(counts.requests_count(), Ordering::Relaxed);
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        // A count that was left in its middle is as good as any.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Lets `count` change the counts of `parts`; whether it changed those of others, for there is no
    /// more room.
    fn with(
        &mut self,
        parts: Parts<'_>,
        method: &'static str,
        count: impl FnOnce(&mut UsageCounts),
    ) -> bool {
        let found: &dyn InParts = &parts;
        if let Some(counts) = self.rows.get_mut(found) {
            count(counts);
            return false;
        }
        if self.rows.len() < KEYS_MAX {
            count(self.rows.entry(parts.owned(method)).or_default());
            return false;
        }
        let full_since = *self.full_since.get_or_insert(parts.minute);
        let minute = full_since.max(Resolution::Hour.begin(parts.minute));
        let others = Parts { minute, account: None, key: None, is_other: true, ..parts };
        count(self.rows.entry(others.owned(method)).or_default());
        true
    }
}

impl Counting {
    fn row(&self, counts: &UsageCounts) -> UsageRow {
        UsageRow {
            minute: self.minute,
            key: UsageKey {
                route: self.route.to_string(),
                method: self.method.to_owned(),
                caller: self.caller.clone(),
                refused_by: self.refused_by,
            },
            counts: counts.clone(),
        }
    }
}

fn refused_by(status: u16, class: Option<Class>) -> Option<RefusedBy> {
    (status == REFUSED).then(|| class.map_or(RefusedBy::OtherLimit, RefusedBy::Quota))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn answer(route: &str, caller: Option<&Actor>, status: u16) -> Answered {
        Answered {
            method: "GET",
            route: Some(route.into()),
            status,
            took: Duration::from_micros(250),
            at: "2026-11-24T12:00:30Z".parse().unwrap(),
            caller: caller.cloned(),
            problem_code: None,
            limit_class: None,
            request_id: "r".into(),
        }
    }

    fn account(number: usize) -> Actor {
        Actor::Account(format!("u{number:016x}").parse().unwrap())
    }

    #[test]
    fn what_is_asked_by_too_many_callers_is_counted_as_others_and_nothing_is_lost() {
        let usage = Usage::default();
        let asked = KEYS_MAX + 500;
        for number in 0..asked {
            usage.answered(&[answer("/a", Some(&account(number)), 200)]);
        }
        // Whoever was told apart still is.
        usage.answered(&[answer("/a", Some(&account(7)), 200)]);
        usage.answered(&[answer("/b", Some(&account(asked)), 500)]);
        assert_eq!(usage.others_count(), 501);
        let rows = usage.take();
        assert_eq!(rows.len(), KEYS_MAX + 2, "and one row of others for each route");
        let sum: u64 = rows.iter().map(|(_, counts)| counts.requests_count()).sum();
        assert_eq!(sum, asked as u64 + 2);
        let others = |route: &str| {
            let is_it = |row: &&(Counting, UsageCounts)| {
                *row.0.route == *route && row.0.caller == UsageCaller::Other
            };
            rows.iter().find(is_it).map(|(_, counts)| counts.requests_count())
        };
        assert_eq!((others("/a"), others("/b")), (Some(500), Some(1)));
        assert!(usage.take().is_empty());
    }

    #[test]
    fn what_could_not_be_written_down_is_counted_with_what_came_since() {
        let usage = Usage::default();
        let ayse = account(1);
        usage.answered(&[answer("/a", Some(&ayse), 200)]);
        let taken = usage.take();
        usage.answered(&[answer("/a", Some(&ayse), 404)]);
        usage.put_back(taken);
        let rows = usage.take();
        assert_eq!(rows.len(), 1);
        let counts = &rows[0].1;
        assert_eq!((counts.succeeded_count, counts.client_errors_count), (1, 1));
    }

    #[test]
    fn what_is_put_back_where_there_is_no_room_is_counted_among_others() {
        let usage = Usage::default();
        for _ in 0..3 {
            usage.answered(&[answer("/a", Some(&account(KEYS_MAX)), 200)]);
        }
        let taken = usage.take();
        for number in 0..KEYS_MAX {
            usage.answered(&[answer("/a", Some(&account(number)), 200)]);
        }
        usage.put_back(taken);
        assert_eq!(usage.others_count(), 3);
        // Who is among others already is not counted again.
        let taken = usage.take();
        for number in 0..KEYS_MAX {
            usage.answered(&[answer("/b", Some(&account(number)), 200)]);
        }
        usage.put_back(taken);
        assert_eq!(usage.others_count(), 3 + KEYS_MAX as u64);
    }

    #[test]
    fn in_a_long_outage_others_are_counted_in_their_hour() {
        let mut counted = Counted::default();
        let ayse: AccountId = "u0123456789abcdef".parse().unwrap();
        let mut count = |at: &str, route: &str| {
            let minute: Timestamp = at.parse().unwrap();
            let (account, refused_by) = (Some(&ayse), None);
            let parts = Parts {
                minute,
                method: "GET",
                route,
                refused_by,
                account,
                key: None,
                is_other: false,
            };
            counted.with(parts, "GET", |sum| {
                sum.count(200, Duration::from_millis(1), minute);
            })
        };
        for number in 0..KEYS_MAX {
            assert!(!count("2026-11-24T12:34:00Z", &format!("/{number}")));
        }
        for at in ["2026-11-24T12:34:00Z", "2026-11-24T12:59:00Z", "2026-11-24T14:10:00Z"] {
            assert!(count(at, "/a"));
        }
        let others = counted.rows.iter().filter(|(row, _)| row.caller == UsageCaller::Other);
        let mut others: Vec<(String, u64)> =
            others.map(|(row, sum)| (row.minute.to_string(), sum.requests_count())).collect();
        others.sort();
        let expected = [("2026-11-24T12:34:00Z", 2), ("2026-11-24T14:00:00Z", 1)];
        assert_eq!(others, expected.map(|(at, count)| (at.to_owned(), count)));
    }

    #[test]
    fn what_a_limit_refused_is_counted_by_its_class() {
        let usage = Usage::default();
        for (status, limit_class) in
            [(200, None), (429, Some(Class::Ai)), (429, None), (429, Some(Class::Ai))]
        {
            usage.answered(&[Answered { limit_class, ..answer("/a", None, status) }]);
        }
        let mut told: Vec<(Option<RefusedBy>, u64)> = usage
            .take()
            .iter()
            .map(|(counting, counts)| (counting.refused_by, counts.refused_count))
            .collect();
        told.sort();
        let quota = Some(RefusedBy::Quota(Class::Ai));
        assert_eq!(told, [(None, 0), (quota, 2), (Some(RefusedBy::OtherLimit), 1)]);
    }

    #[test]
    fn who_switches_it_off_is_not_counted() {
        let usage = Usage::default();
        usage.switch(false);
        usage.answered(&[answer("/a", None, 200)]);
        assert!(usage.take().is_empty());
    }
}
