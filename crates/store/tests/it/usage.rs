//! Counts of how the API is used, and what people do: exact whoever adds to them, in all resolutions.

use std::collections::BTreeMap;
use std::time::Duration;

use bist_access::{Account, AccountId, AccountState, Class, Role, SecondFactor};
use bist_store::{
    ActivityFilter, ActivityKind, NewActivity, Origins, RefusedBy, Resolution, SignInOutcome,
    Store, UsageCaller, UsageCounts, UsageFilter, UsageKey, UsageRow, UsageWindow,
};
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::home::Home;
use crate::{audit, store};

/// When everything here begins: 23:58, so that an hour and a day end soon.
const BEGIN: &str = "2026-11-23T23:58:00Z";

const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

fn begin() -> Timestamp {
    BEGIN.parse().unwrap()
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn account(number: u64) -> AccountId {
    format!("u{number:016x}").parse().unwrap()
}

fn key(route: &str, caller: UsageCaller) -> UsageKey {
    let (route, method) = (route.to_owned(), "GET".to_owned());
    UsageKey { route, method, caller, refused_by: None }
}

/// A row of the minute `minute` with these latencies, one answer each.
fn row(minute: i64, key: UsageKey, latencies_us: &[u64], status: u16) -> UsageRow {
    let minute = begin() + minutes(minute);
    let mut counts = UsageCounts::default();
    for latency_us in latencies_us {
        counts.count(status, Duration::from_micros(*latency_us), minute);
    }
    UsageRow { minute, key, counts }
}

fn window(minutes_count: i64, finest: Resolution, coarsest: Resolution) -> UsageWindow {
    let (from, to) = (finest.begin(begin()), finest.end(begin() + minutes(minutes_count)));
    UsageWindow { from, to, finest, coarsest }
}

/// What was counted in `window`, summed up by what `group` says of a row.
async fn sums<G: Ord>(
    store: &Store,
    window: UsageWindow,
    filter: &UsageFilter,
    group: impl Fn(&UsageKey) -> G,
) -> BTreeMap<G, UsageCounts> {
    let mut reader = store.read_usage(window, filter).await.unwrap();
    let mut sums: BTreeMap<G, UsageCounts> = BTreeMap::new();
    while let Some(page) = reader.read().await.unwrap() {
        page.each(|_, key, counts| sums.entry(group(key)).or_default().merge(counts)).unwrap();
    }
    sums
}

/// All counts of a window of so many minutes.
async fn total(store: &Store, window: UsageWindow, filter: &UsageFilter) -> UsageCounts {
    sums(store, window, filter, |_| "all").await.remove("all").unwrap_or_default()
}

/// What can be told of counts.
fn told(counts: &UsageCounts) -> (u64, u64, [Option<f64>; 3], Option<f64>, Option<Timestamp>) {
    (
        counts.requests_count(),
        counts.refused_count,
        QUANTILES.map(|quantile| counts.latency_ms(quantile)),
        counts.latency_mean_ms(),
        counts.last_at(),
    )
}

/// Makes the account `number`, called by its letter.
async fn add_account(store: &Store, number: u64, name: &str) -> AccountId {
    let owner = Account {
        id: account(number),
        user_name: name.parse().unwrap(),
        role: Role::Viewer,
        state: AccountState::Active,
        second_factor: SecondFactor::NONE,
        created_at: begin(),
        last_signed_in_at: None,
    };
    let audit = audit(store).await;
    let mut change = store.change_access().await.unwrap();
    change.add_account(&owner).await.unwrap();
    change.commit(&audit, Vec::new()).await.unwrap();
    owner.id
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "latencies and ranks are above nothing and far below 2^53"
)]
#[tokio::test]
async fn two_processes_that_add_to_the_same_minutes_lose_nothing_and_all_resolutions_agree() {
    let home = Home::new();
    let (one, other) = (home.open().await, home.open().await);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let mut batches = Vec::new();
    let mut all = Vec::new();
    for _ in 0..24 {
        let rows: Vec<UsageRow> = (0..40)
            .map(|_| {
                let latencies: Vec<u64> = (0..=rng.next_u32() % 9)
                    .map(|_| 50 + u64::from(rng.next_u32() % 90_000))
                    .collect();
                let caller = match rng.next_u32() % 3 {
                    0 => UsageCaller::Nobody,
                    number => UsageCaller::Account(account(u64::from(number))),
                };
                let route = ["/a", "/b"][rng.next_u32() as usize % 2];
                all.extend(latencies.iter().copied());
                row(i64::from(rng.next_u32() % 5), key(route, caller), &latencies, 200)
            })
            .collect();
        batches.push(rows);
    }
    let (mine, theirs) = batches.split_at(12);
    let add = async |store: &Store, batches: &[Vec<UsageRow>]| {
        for rows in batches {
            store.add_usage(rows, &[]).await.unwrap();
        }
    };
    tokio::join!(add(&one, mine), add(&other, theirs));

    let mut expected = UsageCounts::default();
    batches.iter().flatten().for_each(|row| expected.merge(&row.counts));
    let everything = UsageFilter::default();
    for finest in Resolution::ALL {
        for coarsest in Resolution::ALL {
            let counts = total(&one, window(5, finest, coarsest), &everything).await;
            assert_eq!(told(&counts), told(&expected), "{finest:?} {coarsest:?}");
        }
    }
    // Within the error of the exact ones, and not only as good as themselves.
    all.sort_unstable();
    for quantile in QUANTILES {
        let exact_ms = all[(quantile * (all.len() - 1) as f64) as usize] as f64 / 1000.0;
        let error = (expected.latency_ms(quantile).unwrap() - exact_ms).abs() / exact_ms;
        assert!(error <= bist_store::SKETCH_ERROR + 1e-9, "{quantile}: {error}");
    }
    // Each part of a window by itself adds up to the window.
    let whole = window(5, Resolution::Minute, Resolution::Day);
    let by_route = sums(&one, whole, &everything, |key| key.route.clone()).await;
    let sum: u64 = by_route.values().map(UsageCounts::requests_count).sum();
    assert_eq!((by_route.len(), sum), (2, expected.requests_count()));
    let filter = UsageFilter { account: Some(account(1)), ..UsageFilter::default() };
    let filtered = total(&one, window(5, Resolution::Minute, Resolution::Day), &filter).await;
    let theirs =
        batches.iter().flatten().filter(|row| row.key.caller.account() == filter.account.as_ref());
    let theirs: u64 = theirs.map(|row| row.counts.requests_count()).sum();
    assert_eq!(filtered.requests_count(), theirs);
}

#[tokio::test]
async fn what_was_kept_long_enough_goes_resolution_by_resolution() {
    let (store, _home) = store().await;
    let rows = [
        row(0, key("/a", UsageCaller::Nobody), &[100], 200),
        row(5, key("/a", UsageCaller::Nobody), &[100, 200], 200),
    ];
    store.add_usage(&rows, &[]).await.unwrap();
    let everything = UsageFilter::default();
    let count = async |finest: Resolution| {
        total(&store, window(6, finest, finest), &everything).await.requests_count()
    };
    let oldest = begin() + minutes(5);
    assert_eq!(store.remove_old_usage(Resolution::Minute, oldest).await.unwrap(), 1);
    assert_eq!((count(Resolution::Minute).await, count(Resolution::Hour).await), (2, 3));
    assert_eq!(store.remove_old_usage(Resolution::Hour, begin()).await.unwrap(), 1);
    assert_eq!((count(Resolution::Hour).await, count(Resolution::Day).await), (2, 3));
    let never = Timestamp::UNIX_EPOCH;
    assert_eq!(store.remove_old_usage(Resolution::Day, never).await.unwrap(), 0);
}

#[tokio::test]
async fn what_limits_refused_is_found_by_itself() {
    let (store, _home) = store().await;
    let refused = |refused_by| UsageKey { refused_by, ..key("/a", UsageCaller::Nobody) };
    let rows = [
        row(0, refused(None), &[100; 5], 200),
        row(0, refused(Some(RefusedBy::Quota(Class::Ai))), &[100; 3], 429),
        row(
            1,
            UsageKey { route: "/b".to_owned(), ..refused(Some(RefusedBy::OtherLimit)) },
            &[9],
            429,
        ),
        row(3, refused(Some(RefusedBy::OtherLimit)), &[100], 429),
        row(
            3,
            UsageKey { caller: UsageCaller::Other, ..refused(Some(RefusedBy::OtherLimit)) },
            &[9],
            429,
        ),
    ];
    store.add_usage(&rows, &[]).await.unwrap();
    let window = window(4, Resolution::Minute, Resolution::Minute);
    let found = store.refusals(window, 300).await.unwrap();
    let mut found: Vec<_> = found
        .into_iter()
        .map(|one| (one.at, one.refused_by, one.caller, one.refused_count, one.last_at))
        .collect();
    found.sort();
    let at = |minute| begin() + minutes(minute);
    let other = RefusedBy::OtherLimit;
    // The steps begin at 23:55 and at 00:00.
    let expected = [
        (at(-3), RefusedBy::Quota(Class::Ai), UsageCaller::Nobody, 3, at(0)),
        (at(-3), other, UsageCaller::Nobody, 1, at(1)),
        (at(2), other, UsageCaller::Nobody, 1, at(3)),
        (at(2), other, UsageCaller::Other, 1, at(3)),
    ];
    assert_eq!(found, expected);
}

fn filter() -> ActivityFilter {
    ActivityFilter {
        from: begin(),
        to: begin() + minutes(60),
        alerts_from: Timestamp::MIN,
        account: None,
        kind: None,
        before: None,
    }
}

fn activity(minute: i64, kind: ActivityKind, who: &AccountId, subject: &str) -> NewActivity {
    NewActivity {
        at: begin() + minutes(minute),
        kind,
        account: who.clone(),
        subject: subject.to_owned(),
        request_id: Some("r1".to_owned()),
    }
}

#[tokio::test]
async fn activities_are_listed_with_sign_ins_page_by_page_and_counted_by_people() {
    let (store, _home) = store().await;
    let (ayse, bora) = (add_account(&store, 1, "ayse").await, add_account(&store, 2, "bora").await);
    let audit = audit(&store).await;
    let mut change = store.change_access().await.unwrap();
    let origins = Origins::default();
    for outcome in [SignInOutcome::WrongPassword, SignInOutcome::SignedIn] {
        change.add_sign_in(&ayse, begin() + minutes(1), outcome, &origins).await.unwrap();
    }
    change.commit(&audit, Vec::new()).await.unwrap();
    let noted = [
        activity(1, ActivityKind::View, &ayse, "THYAO"),
        activity(1, ActivityKind::View, &ayse, "/screener"),
        activity(2, ActivityKind::Search, &bora, "GARAN"),
        activity(7, ActivityKind::Export, &ayse, "/signals"),
    ];
    store.add_usage(&[], &noted).await.unwrap();

    let mut seen = Vec::new();
    let mut asked = filter();
    loop {
        let page = store.activities(&asked, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        let place = last.place.to_string();
        asked.before = Some(place.parse().unwrap());
        seen.extend(page.into_iter().map(|one| (one.kind, one.subject)));
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert_eq!(seen[0], (ActivityKind::Export, Some("/signals".to_owned())));
    assert_eq!(seen[1], (ActivityKind::Search, Some("GARAN".to_owned())));
    assert!(seen.contains(&(ActivityKind::SignIn, None)));
    let of_bora = ActivityFilter { account: Some(bora), ..filter() };
    assert_eq!(store.activities(&of_bora, 9).await.unwrap().len(), 1);
    let views = ActivityFilter { kind: Some(ActivityKind::View), ..filter() };
    assert_eq!(store.activities(&views, 9).await.unwrap().len(), 2);

    let (whole, points) = store.activity_counts(&filter(), minutes(5)).await.unwrap();
    assert_eq!((whole.by_kind, whole.active_count), ([1, 2, 1, 1, 0, 0], 2));
    let points: Vec<_> = points
        .iter()
        .map(|point| {
            (point.at, point.counts.by_kind.iter().sum::<u64>(), point.counts.active_count)
        })
        .collect();
    // 23:55, 00:00 and 00:05: steps begin where the clock does.
    let at = |minute| begin() + minutes(minute);
    assert_eq!(points, [(at(-3), 3, 1), (at(2), 1, 1), (at(7), 1, 1)]);

    let total = store.activity_total(&filter()).await.unwrap();
    assert_eq!(total, whole);
    let of_ayse = ActivityFilter { account: Some(ayse), ..filter() };
    assert_eq!(store.activity_total(&of_ayse).await.unwrap().by_kind, [1, 2, 0, 1, 0, 0]);

    let removed = store.remove_old_activities(at(2), at(9), at(2), 100).await.unwrap();
    assert_eq!(removed, 5, "two views, an export, and two attempts to sign in");
    let left = store.activities(&filter(), 9).await.unwrap();
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn of_too_many_activities_the_oldest_go() {
    let (store, _home) = store().await;
    let ayse = add_account(&store, 1, "ayse").await;
    let noted: Vec<NewActivity> =
        (0..5).map(|minute| activity(minute, ActivityKind::View, &ayse, "THYAO")).collect();
    store.add_usage(&[], &noted).await.unwrap();
    let never = Timestamp::UNIX_EPOCH;
    for (noted_max, removed) in [(5, 0), (2, 3)] {
        let gone = store.remove_old_activities(never, never, never, noted_max).await.unwrap();
        assert_eq!(gone, removed);
    }
    let left = store.activities(&filter(), 9).await.unwrap();
    let at: Vec<Timestamp> = left.iter().map(|one| one.place.at).collect();
    assert_eq!(at, [begin() + minutes(4), begin() + minutes(3)]);
}

#[tokio::test]
async fn activities_are_never_changed() {
    let home = Home::new();
    let store = home.open().await;
    let ayse = add_account(&store, 1, "ayse").await;
    let noted = [activity(1, ActivityKind::View, &ayse, "THYAO")];
    store.add_usage(&[], &noted).await.unwrap();
    let mut raw = home.raw().await;
    let refused = raw.execute("UPDATE activities SET subject = 'GARAN'").await.unwrap_err();
    assert!(refused.to_string().contains("activities are never changed"), "{refused}");
    raw.close().await;
}

#[tokio::test]
async fn who_is_forgotten_leaves_counts_that_are_nobodys_and_no_activity() {
    let (store, _home) = store().await;
    let (ayse, bora) = (add_account(&store, 1, "ayse").await, add_account(&store, 2, "bora").await);
    let by_key =
        UsageCaller::Key { key: "k0123456789abcdef".parse().unwrap(), account: ayse.clone() };
    let rows = [
        row(0, key("/a", UsageCaller::Nobody), &[100], 200),
        row(0, key("/a", UsageCaller::Account(ayse.clone())), &[100, 300], 200),
        row(0, key("/a", by_key), &[900], 500),
        row(0, key("/a", UsageCaller::Account(bora.clone())), &[700], 200),
    ];
    let noted = [
        activity(0, ActivityKind::View, &ayse, "THYAO"),
        activity(0, ActivityKind::View, &bora, "THYAO"),
    ];
    store.add_usage(&rows, &noted).await.unwrap();
    let everything = UsageFilter::default();
    let minute = window(1, Resolution::Minute, Resolution::Minute);
    let before = total(&store, minute, &everything).await;

    let audit = audit(&store).await;
    let mut change = store.change_access().await.unwrap();
    change.forget_owner(&audit, &ayse).await.unwrap();
    change.commit(&audit, Vec::new()).await.unwrap();
    // Another process had counted and noted something of her still.
    store.add_usage(&rows[1..2], &noted[..1]).await.unwrap();

    for resolution in Resolution::ALL {
        let window = window(1, resolution, resolution);
        let by_caller = sums(&store, window, &everything, |key| key.caller.clone()).await;
        let by_caller: BTreeMap<UsageCaller, u64> = by_caller
            .into_iter()
            .map(|(caller, counts)| (caller, counts.requests_count()))
            .collect();
        let expected = [(UsageCaller::Nobody, 6), (UsageCaller::Account(bora.clone()), 1)];
        assert_eq!(by_caller, expected.into());
    }
    let after = total(&store, minute, &everything).await;
    assert_eq!(after.requests_count(), before.requests_count() + 2);
    assert_eq!(after.errors_count, 1);
    let left = store.activities(&filter(), 9).await.unwrap();
    assert_eq!(left.iter().map(|one| &one.account).collect::<Vec<_>>(), [&bora]);
}
