//! Errors as they are kept: in groups, of which the newest are there.

use bist_access::AuditAction;
use bist_store::{
    AuditFilter, ErrorBreadcrumb, ErrorEvent, ErrorFilter, ErrorKind, ErrorState, KeptMax, NewError,
};
use jiff::Timestamp;

use super::{audit, store};

const KEPT: KeptMax = KeptMax { groups_max: 3, events_max: 2 };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn error(what: &str, second: i64) -> NewError {
    let crumb =
        ErrorBreadcrumb { at: at(second), level: "info".to_owned(), message: "began".to_owned() };
    NewError {
        kind: ErrorKind::Internal,
        place: "/api/v1/bars".to_owned(),
        sameness: what.to_owned(),
        title: format!("{what} at {second}"),
        event: ErrorEvent {
            at: at(second),
            message: format!("{what} at {second}"),
            request_id: Some(format!("r{second}")),
            route: Some("/api/v1/bars".to_owned()),
            release: "bist@1".to_owned(),
            breadcrumbs: vec![crumb],
        },
    }
}

#[tokio::test]
async fn errors_that_are_the_same_are_one_group_with_the_newest_of_them() {
    let (store, _home) = store().await;
    for second in 0..3 {
        store.keep_error(&error("full", second), KEPT).await.unwrap();
    }
    let other = NewError { kind: ErrorKind::Job, ..error("full", 3) };
    store.keep_error(&other, KEPT).await.unwrap();
    let groups = store.error_groups(&ErrorFilter::default(), 10).await.unwrap();
    assert_eq!(groups.len(), 2);
    let group = &groups[1];
    assert_eq!((group.id.clone(), group.events_count), (error("full", 9).group(), 3));
    assert_eq!((group.first_at, group.last_at), (at(0), at(2)));
    assert_eq!((group.title.as_str(), group.last_request_id.as_deref()), ("full at 0", Some("r2")));
    let kept = store.error_events(&group.id).await.unwrap();
    assert_eq!(kept, [error("full", 2).event, error("full", 1).event]);
    let jobs = ErrorFilter { kind: Some(ErrorKind::Job), ..ErrorFilter::default() };
    assert_eq!(store.error_groups(&jobs, 10).await.unwrap(), [groups[0].clone()]);
    for (id, expected) in [("r2", vec![groups[1].clone()]), ("r9", vec![])] {
        let of_request = ErrorFilter { request_id: Some(id.to_owned()), ..ErrorFilter::default() };
        assert_eq!(store.error_groups(&of_request, 10).await.unwrap(), expected, "{id}");
    }
    assert_eq!(store.error_group("e0").await.unwrap(), None);
}

#[tokio::test]
async fn of_too_many_groups_those_go_that_happened_the_longest_ago() {
    let (store, _home) = store().await;
    for (second, what) in ["a", "b", "c", "a", "d"].into_iter().enumerate() {
        store.keep_error(&error(what, i64::try_from(second).unwrap()), KEPT).await.unwrap();
    }
    let all = store.error_groups(&ErrorFilter::default(), 10).await.unwrap();
    let names: Vec<&str> = all.iter().map(|group| group.id.as_str()).collect();
    assert_eq!(names, ["d", "a", "c"].map(|what| error(what, 0).group()));
    assert_eq!(store.error_events(&error("b", 0).group()).await.unwrap(), []);
    // Page by page.
    let before = Some(all[0].mark());
    let rest = ErrorFilter { before, ..ErrorFilter::default() };
    assert_eq!(store.error_groups(&rest, 1).await.unwrap(), [all[1].clone()]);
}

#[tokio::test]
async fn groups_of_one_kind_push_out_none_of_another() {
    let (store, _home) = store().await;
    let panic = NewError { kind: ErrorKind::Panic, ..error("tree fell", 0) };
    store.keep_error(&panic, KEPT).await.unwrap();
    for (second, what) in (1..).zip(["a", "b", "c", "d", "e"]) {
        let page = NewError { kind: ErrorKind::Page, ..error(what, second) };
        store.keep_error(&page, KEPT).await.unwrap();
    }
    let all = store.error_groups(&ErrorFilter::default(), 10).await.unwrap();
    let kinds: Vec<ErrorKind> = all.iter().map(|group| group.kind).collect();
    let page = ErrorKind::Page;
    assert_eq!(kinds, [page, page, page, ErrorKind::Panic]);
    assert_eq!(all[3].id, panic.group());
}

#[tokio::test]
async fn events_are_listed_as_they_happened_and_not_as_they_were_kept() {
    let (store, _home) = store().await;
    // Another process could not keep its own at once.
    for second in [5, 2] {
        store.keep_error(&error("full", second), KEPT).await.unwrap();
    }
    let kept = store.error_events(&error("full", 0).group()).await.unwrap();
    assert_eq!(kept, [error("full", 5).event, error("full", 2).event]);
}

#[tokio::test]
async fn what_was_resolved_opens_when_it_happens_again_and_what_is_muted_stays() {
    let (store, _home) = store().await;
    let audit = audit(&store).await;
    let [full, slow] = ["full", "slow"].map(|what| error(what, 0));
    for new in [&full, &slow] {
        store.keep_error(new, KEPT).await.unwrap();
    }
    assert_eq!(store.open_errors_count().await.unwrap(), 2);
    let set = async |new: &NewError, state| {
        let set = store.set_error_state(&new.group(), state, &audit).await.unwrap();
        assert_eq!(set.unwrap().state, state);
    };
    set(&full, ErrorState::Resolved).await;
    set(&full, ErrorState::Resolved).await;
    set(&slow, ErrorState::Muted).await;
    assert_eq!(store.open_errors_count().await.unwrap(), 0);
    for new in [&full, &slow] {
        store.keep_error(new, KEPT).await.unwrap();
    }
    let state =
        async |new: &NewError| store.error_group(&new.group()).await.unwrap().unwrap().state;
    assert_eq!((state(&full).await, state(&slow).await), (ErrorState::Open, ErrorState::Muted));
    // Each change is on record, and what changes nothing is not.
    let filter = AuditFilter {
        action: Some(AuditAction::ErrorStateChanged.to_string()),
        ..AuditFilter::default()
    };
    let records = store.audit_records(&filter, 10).await.unwrap();
    let told: Vec<_> = records.iter().map(|record| record.details.as_str()).collect();
    assert_eq!(told, [r#"{"from":"open","to":"muted"}"#, r#"{"from":"open","to":"resolved"}"#]);
    assert_eq!(records[1].subject, format!("error:{}", full.group()));
    assert_eq!(store.set_error_state("e0", ErrorState::Open, &audit).await.unwrap(), None);
}
