//! What an administrator asks of what was counted: totals, tables, charts.
//!
//! Before each answer this process writes down what it has counted; what other processes have counted is
//! there within [`FLUSH_EVERY`](super::FLUSH_EVERY). Spans are taken by one rule, and the table and the
//! chart of one answer are made of one view of the database, so that they add up to the same; those of
//! several answers do where nothing was asked between them.

use std::collections::BTreeMap;

use bist_access::{AccountId, AuditAction, KeyId};
use bist_store::{
    ActivityCounts, AdminTallies, AuditNote, Refusals, RefusedBy, StoreError, UsageCaller,
    UsageCounts, UsageFilter, UsageKey, UsageWindow,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Span, Step};
use crate::App;
use crate::access::users::PersonalUsage;
use crate::telemetry::activity::ActivityQuery;

/// By what requests are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageBy {
    /// The method and the path.
    Route,
    /// Who asked, by whatever key.
    Account,
    /// By which key.
    Key,
}

impl UsageBy {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Route, Self::Account, Self::Key];

    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Account => "account",
            Self::Key => "key",
        }
    }
}

/// What requests of one line of a table have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageName {
    /// Method and path.
    Route {
        /// The method.
        method: String,
        /// The path as it is registered.
        route: String,
    },
    /// Whose they are.
    Account(AccountId),
    /// By which key.
    Key {
        /// The key.
        key: KeyId,
        /// Whose it is.
        account: AccountId,
    },
    /// By no key, but by somebody who is known.
    NoKey,
    /// Nobody had to say who asks, or the person was forgotten.
    Nobody,
    /// Others, who are not told apart.
    Others,
}

impl UsageName {
    fn of(by: UsageBy, key: &UsageKey) -> Self {
        match (by, &key.caller) {
            (UsageBy::Route, _) => {
                Self::Route { method: key.method.clone(), route: key.route.clone() }
            }
            (_, UsageCaller::Nobody) => Self::Nobody,
            (_, UsageCaller::Other) => Self::Others,
            (UsageBy::Key, UsageCaller::Key { key, account }) => {
                Self::Key { key: key.clone(), account: account.clone() }
            }
            (UsageBy::Key, UsageCaller::Account(_)) => Self::NoKey,
            (
                UsageBy::Account,
                UsageCaller::Account(account) | UsageCaller::Key { account, .. },
            ) => Self::Account(account.clone()),
        }
    }
}

/// A line of a table.
#[derive(Clone, Debug)]
pub struct UsageItem {
    /// What its requests have in common.
    pub name: UsageName,
    /// How many they are, and what came of them.
    pub counts: UsageCounts,
}

/// A table of requests.
#[derive(Clone, Debug)]
pub struct ApiUsage {
    /// When it was asked for.
    pub as_of: Timestamp,
    /// Of which span.
    pub span: Span,
    /// All of them.
    pub total: UsageCounts,
    /// The lines, the one with the most requests first.
    pub items: Vec<UsageItem>,
}

/// A step of a chart.
#[derive(Clone, Debug)]
pub struct UsagePoint {
    /// Its begin.
    pub at: Timestamp,
    /// What was asked in it.
    pub counts: UsageCounts,
}

/// A line of those that limits refused.
#[derive(Clone, Debug)]
pub struct RefusedItem {
    /// What refused.
    pub refused_by: RefusedBy,
    /// Whom.
    pub caller: UsageCaller,
    /// How often.
    pub refused_count: u64,
    /// When last.
    pub last_at: Timestamp,
}

/// A step of the chart of what limits refused.
#[derive(Clone, Debug)]
pub struct RefusedPoint {
    /// Its begin.
    pub at: Timestamp,
    /// How often limits refused in it.
    pub refused_count: u64,
}

/// Whom limits refused.
#[derive(Clone, Debug)]
pub struct LimitsHit {
    /// Of which span.
    pub span: Span,
    /// The steps of its chart.
    pub step: Step,
    /// The lines, the one that was refused most first.
    pub items: Vec<RefusedItem>,
    /// The chart.
    pub points: Vec<RefusedPoint>,
}

/// How everything stands at a glance, and how it was in the span before.
#[derive(Clone, Debug)]
pub struct Overview {
    /// When it was asked for.
    pub as_of: Timestamp,
    /// Of which span.
    pub span: Span,
    /// The steps of its chart.
    pub step: Step,
    /// What was asked.
    pub total: UsageCounts,
    /// What was asked in the span before, which is as long; `None` where not all of that is kept.
    pub before: Option<UsageCounts>,
    /// What people did.
    pub people: ActivityCounts,
    /// What people did in the span before; `None` where not all of that is kept.
    pub people_before: Option<ActivityCounts>,
    /// The paths with the most requests.
    pub endpoints: Vec<UsageItem>,
    /// The chart.
    pub points: Vec<UsagePoint>,
    /// Sessions and jobs.
    pub tallies: AdminTallies,
    /// Groups of errors that are open.
    pub errors_open_count: u64,
}

/// Requests of a span, told apart in two ways by one pass over them.
#[derive(Debug, Default)]
struct TableAndChart {
    table: BTreeMap<UsageName, UsageCounts>,
    chart: BTreeMap<Timestamp, UsageCounts>,
}

impl App {
    /// The span from `asked.0` on and before `asked.1`, as it is kept; `known_from` is the begin of all
    /// that is asked for with it.
    pub(crate) fn span(&self, asked: (Timestamp, Timestamp), known_from: Timestamp) -> Span {
        Span::of(asked, known_from, self.telemetry_settings, self.now())
    }

    /// The table of what was asked from `from` on and before `to`, by `by`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn api_usage(
        &self,
        by: UsageBy,
        asked: (Timestamp, Timestamp),
    ) -> Result<ApiUsage, StoreError> {
        self.flush_for_reading().await;
        let (as_of, span) = (self.now(), self.span(asked, asked.0));
        let add = move |sums: &mut BTreeMap<UsageName, UsageCounts>,
                        _: Timestamp,
                        key: &UsageKey,
                        counts: &UsageCounts| {
            sums.entry(UsageName::of(by, key)).or_default().merge(counts);
        };
        let all = UsageFilter::default();
        let sums = self.fold_usage(span.window(), &all, BTreeMap::new(), add).await?;
        let (total, items) = lines(sums);
        Ok(ApiUsage { as_of, span, total, items })
    }

    /// The same, to be taken away: that it was goes on record first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails, or nothing can be put on record.
    pub async fn export_api_usage(
        &self,
        by: UsageBy,
        asked: (Timestamp, Timestamp),
    ) -> Result<ApiUsage, StoreError> {
        let usage = self.api_usage(by, asked).await?;
        let details = [
            ("rows_count", json!(usage.items.len())),
            ("by", json!(by.as_str())),
            ("from", json!(usage.span.from)),
            ("to", json!(usage.span.to)),
        ];
        let note = AuditNote::new(AuditAction::UsageExported, "usage".to_owned(), details);
        self.put_on_record(note).await?;
        self.note_export("api-usage.csv");
        Ok(usage)
    }

    /// The chart of what `filter` wants, from `from` on and before `to`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn usage_series(
        &self,
        filter: &UsageFilter,
        asked: (Timestamp, Timestamp),
    ) -> Result<(Span, Step, Vec<UsagePoint>), StoreError> {
        self.flush_for_reading().await;
        let span = self.span(asked, asked.0);
        let step = span.step();
        let add = move |sums: &mut BTreeMap<Timestamp, UsageCounts>,
                        at: Timestamp,
                        _: &UsageKey,
                        counts: &UsageCounts| {
            sums.entry(step.begin(at)).or_default().merge(counts);
        };
        let chart = self.fold_usage(span.window_in(step), filter, BTreeMap::new(), add).await?;
        Ok((span, step, points(span, step, chart)))
    }

    /// Whom limits refused from `from` on and before `to`.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn limits_hit(&self, asked: (Timestamp, Timestamp)) -> Result<LimitsHit, StoreError> {
        self.flush_for_reading().await;
        let span = self.span(asked, asked.0);
        let step = span.step();
        let mut whom: BTreeMap<(RefusedBy, UsageCaller), (u64, Timestamp)> = BTreeMap::new();
        let mut known: BTreeMap<Timestamp, u64> = BTreeMap::new();
        for refusals in self.store.refusals(span.window_in(step), step.length_s).await? {
            let Refusals { at, refused_by, caller, refused_count, last_at } = refusals;
            let sum = whom.entry((refused_by, caller)).or_insert((0, Timestamp::MIN));
            *sum = (sum.0 + refused_count, sum.1.max(last_at));
            *known.entry(at).or_insert(0) += refused_count;
        }
        let mut items: Vec<RefusedItem> = whom
            .into_iter()
            .map(|((refused_by, caller), (refused_count, last_at))| RefusedItem {
                refused_by,
                caller,
                refused_count,
                last_at,
            })
            .collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.refused_count));
        let points = span
            .begins(step)
            .map(|at| RefusedPoint { at, refused_count: known.remove(&at).unwrap_or_default() })
            .collect();
        Ok(LimitsHit { span, step, items, points })
    }

    /// How everything stands from `from` on and before `to`, beside the span before, which is as long.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn admin_overview(
        &self,
        asked: (Timestamp, Timestamp),
        endpoints_max: usize,
    ) -> Result<Overview, StoreError> {
        self.flush_for_reading().await;
        let (now, settings) = (self.now(), self.telemetry_settings);
        let length = asked.1.duration_since(asked.0);
        let begin = |at: Timestamp, length: SignedDuration| {
            at.saturating_sub(length).unwrap_or(Timestamp::MIN)
        };
        let known_from = begin(asked.0, length);
        let span = self.span(asked, known_from);
        let step = span.step();
        let length = SignedDuration::from_secs(span.to.as_second() - span.from.as_second());
        let before = Span { from: begin(span.from, length), to: span.from, ..span };
        let all = UsageFilter::default();
        let add =
            move |sums: &mut TableAndChart, at: Timestamp, key: &UsageKey, counts: &UsageCounts| {
                sums.table.entry(UsageName::of(UsageBy::Route, key)).or_default().merge(counts);
                sums.chart.entry(step.begin(at)).or_default().merge(counts);
            };
        let window = span.window_in(step);
        let sums = self.fold_usage(window, &all, TableAndChart::default(), add).await?;
        let (total, mut endpoints) = lines(sums.table);
        endpoints.truncate(endpoints_max);
        let is_kept = settings.usage_kept_from(span.resolution, now) <= before.from;
        let are_people_kept = settings.people_kept_from(now) <= before.from;
        Ok(Overview {
            as_of: now,
            span,
            step,
            total,
            before: if is_kept { Some(self.usage_total(before).await?) } else { None },
            people: self.people(span).await?,
            people_before: if are_people_kept { Some(self.people(before).await?) } else { None },
            endpoints,
            points: points(span, step, sums.chart),
            tallies: self.store.admin_tallies(now, span.from, span.to).await?,
            errors_open_count: self.store.open_errors_count().await?,
        })
    }

    /// What the person of `account` has asked by day, as far as it is kept.
    pub(crate) async fn usage_of(
        &self,
        account: &AccountId,
    ) -> Result<Vec<PersonalUsage>, StoreError> {
        self.flush_for_reading().await;
        let span = self.span((Timestamp::MIN, Timestamp::MAX), Timestamp::MIN);
        let filter = UsageFilter { account: Some(account.clone()), ..UsageFilter::default() };
        let add = |sums: &mut BTreeMap<(Timestamp, UsageKey), UsageCounts>,
                   day: Timestamp,
                   key: &UsageKey,
                   counts: &UsageCounts| {
            sums.entry((day, key.clone())).or_default().merge(counts);
        };
        let sums = self.fold_usage(span.window(), &filter, BTreeMap::new(), add).await?;
        let of_day = |((day, key), counts)| PersonalUsage { day, key, counts };
        Ok(sums.into_iter().map(of_day).collect())
    }

    /// The names of the API keys in force and of those before, with what they are called.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub async fn key_names(&self) -> Result<BTreeMap<KeyId, String>, StoreError> {
        let keys = self.store.api_keys(None).await?;
        Ok(keys.into_iter().map(|key| (key.id, key.name)).collect())
    }

    async fn people(&self, span: Span) -> Result<ActivityCounts, StoreError> {
        let filter = self.activity_filter((span.from, span.to), ActivityQuery::default());
        self.store.activity_total(&filter).await
    }

    async fn usage_total(&self, span: Span) -> Result<UsageCounts, StoreError> {
        let add = |sum: &mut UsageCounts, _: Timestamp, _: &UsageKey, counts: &UsageCounts| {
            sum.merge(counts);
        };
        let all = UsageFilter::default();
        self.fold_usage(span.window(), &all, UsageCounts::default(), add).await
    }

    /// Goes once over what was counted in `window` of what `filter` wants, and has `add` add each row to
    /// `sums`. Rows are read and summed up beside the runtime, for a busy day has a hundred thousand
    /// sketches.
    async fn fold_usage<S: Send + 'static>(
        &self,
        window: UsageWindow,
        filter: &UsageFilter,
        mut sums: S,
        add: impl Fn(&mut S, Timestamp, &UsageKey, &UsageCounts) + Copy + Send + 'static,
    ) -> Result<S, StoreError> {
        let mut reader = self.store.read_usage(window, filter).await?;
        while let Some(page) = reader.read().await? {
            sums = crate::blocking(move || {
                let mut sums = sums;
                page.each(|at, key, counts| add(&mut sums, at, key, counts)).map(|()| sums)
            })
            .await?;
        }
        Ok(sums)
    }
}

/// The lines of a table, the one with the most requests first, and their sum.
fn lines(sums: BTreeMap<UsageName, UsageCounts>) -> (UsageCounts, Vec<UsageItem>) {
    let mut total = UsageCounts::default();
    sums.values().for_each(|counts| total.merge(counts));
    let mut items: Vec<UsageItem> =
        sums.into_iter().map(|(name, counts)| UsageItem { name, counts }).collect();
    // Equal ones stay in the order of their names.
    items.sort_by_key(|item| std::cmp::Reverse(item.counts.requests_count()));
    (total, items)
}

/// All steps of the chart of `span`, also those in which nothing was asked.
fn points(span: Span, step: Step, mut known: BTreeMap<Timestamp, UsageCounts>) -> Vec<UsagePoint> {
    span.begins(step)
        .map(|at| UsagePoint { at, counts: known.remove(&at).unwrap_or_default() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_by_a_key_is_its_owners_too() {
        let account: AccountId = "u0123456789abcdef".parse().unwrap();
        let id: KeyId = "k0123456789abcdef".parse().unwrap();
        let by_key = UsageCaller::Key { key: id.clone(), account: account.clone() };
        let key = |caller: UsageCaller| UsageKey {
            route: "/a".to_owned(),
            method: "GET".to_owned(),
            caller,
            refused_by: None,
        };
        let named = |by, caller| UsageName::of(by, &key(caller));
        let ayse = UsageName::Account(account.clone());
        assert_eq!(named(UsageBy::Account, by_key.clone()), ayse);
        assert_eq!(named(UsageBy::Account, UsageCaller::Account(account.clone())), ayse);
        let expected = UsageName::Key { key: id, account: account.clone() };
        assert_eq!(named(UsageBy::Key, by_key), expected);
        assert_eq!(named(UsageBy::Key, UsageCaller::Account(account)), UsageName::NoKey);
        assert_eq!(named(UsageBy::Key, UsageCaller::Nobody), UsageName::Nobody);
        assert_eq!(named(UsageBy::Account, UsageCaller::Other), UsageName::Others);
    }
}
