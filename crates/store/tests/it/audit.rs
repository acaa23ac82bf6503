//! The audit in the database: with the change or not at all, by several processes, and whatever is done
//! to it from outside.

use bist_access::{
    AccountId, AuditAction, AuditDetails, AuditPersonal, AuditProblem, AuditRoot, AuditVerification,
};
use bist_store::{Audit, AuditFilter, AuditNote, NewJob, Store, StoreError};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::home::{Raw, is_on_postgres};
use crate::{audit, store};

/// Records of the chain that is tampered with.
const RECORDS: u64 = 40;

/// Whoever tampers drops the triggers first.
const TRIGGERS: [(&str, &str); 4] = [
    ("audit_records_are_not_changed", "audit_log"),
    ("audit_records_are_not_removed", "audit_log"),
    ("audit_head_moves_on", "audit_head"),
    ("audit_head_is_not_removed", "audit_head"),
];

async fn drop_triggers(raw: &mut Raw) {
    for (trigger, table) in TRIGGERS {
        raw.drop_trigger(trigger, table).await;
    }
}

fn account(number: u64) -> AccountId {
    format!("u{number:016x}").parse().unwrap()
}

/// A note; every second one has a personal part of one of three accounts.
fn note(number: u64) -> AuditNote {
    let data = AuditDetails::from([("address", json!(format!("192.0.2.{number}")))]);
    let personal = AuditPersonal { about: account(number % 3), data };
    AuditNote {
        personal: number.is_multiple_of(2).then_some(personal),
        ..AuditNote::new(
            AuditAction::SessionBegan,
            format!("session:{number}"),
            [("number", json!(number))],
        )
    }
}

async fn put(store: &Store, audit: &Audit, note: AuditNote) {
    let change = store.change_access().await.unwrap();
    change.commit(audit, vec![note]).await.unwrap();
}

/// A chain of [`RECORDS`] records in which the account 1 was forgotten by the last one.
async fn chain(store: &Store) -> Audit {
    let audit = audit(store).await;
    for number in 1..RECORDS {
        put(store, &audit, note(number)).await;
    }
    let mut change = store.change_access().await.unwrap();
    change.forget_owner(&audit, &account(1)).await.unwrap();
    change.commit(&audit, Vec::new()).await.unwrap();
    audit
}

async fn verify(store: &Store, audit: &Audit) -> AuditVerification {
    store.verify_audit(&audit.key, &[]).await.unwrap()
}

#[tokio::test]
async fn records_are_found_by_what_they_say() {
    let (store, _folder) = store().await;
    let audit = chain(&store).await;
    let find = async |filter: AuditFilter, limit| -> Vec<u64> {
        let records = store.audit_records(&filter, limit).await.unwrap();
        records.into_iter().map(|record| record.seq).collect()
    };
    let all = AuditFilter::default();
    assert_eq!(find(all.clone(), 2).await, [40, 39]);
    assert_eq!(find(AuditFilter { before: Some(39), ..all.clone() }, 2).await, [38, 37]);
    let action = |text: &str| AuditFilter { action: Some(text.to_owned()), ..all.clone() };
    assert_eq!(find(action("user.erased"), 9).await, [40]);
    assert_eq!(find(action("session"), 1).await, [39]);
    assert!(find(action("sess"), 1).await.is_empty());
    assert!(find(action("session.beg_n"), 1).await.is_empty());
    let subject = AuditFilter { subject: Some("session:7".to_owned()), ..all.clone() };
    assert_eq!(find(subject, 9).await, [7]);
    let nobody = AuditFilter { actor: Some("nobody".to_owned()), ..all.clone() };
    assert!(find(nobody, 9).await.is_empty());
    let later = Audit { at: Timestamp::from_second(9).unwrap(), ..audit };
    put(&store, &later, note(41)).await;
    assert_eq!(find(AuditFilter { from: Some(later.at), ..all.clone() }, 9).await, [41]);
    assert_eq!(find(AuditFilter { until: Some(later.at), ..all }, 1).await, [40]);
}

#[tokio::test]
async fn who_is_forgotten_leaves_a_chain_that_is_whole() {
    let (store, folder) = store().await;
    let audit = chain(&store).await;
    let verification = verify(&store, &audit).await;
    assert_eq!((verification.broken, verification.records_count), (None, RECORDS));
    assert_eq!(verification.erased_count, 6, "every sixth has a personal part of the account");
    let records = store.audit_records(&AuditFilter::default(), 99).await.unwrap();
    let of = |number| records.iter().filter(move |r| r.about == Some(account(number).to_string()));
    assert!(of(1).all(|record| record.personal.is_none() && record.salt.is_none()));
    assert!(of(2).all(|record| record.personal.is_some() && record.salt.is_some()));
    store.close().await;
    if is_on_postgres() {
        // When its pages are written anew is the server's affair.
        return;
    }
    let bytes = std::fs::read(folder.path().join("bist.sqlite")).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("192.0.2.38\""));
    for number in [4, 10, 16, 22, 28, 34] {
        assert!(!holds(&format!("192.0.2.{number}\"")), "{number} is in the file still");
    }
}

#[tokio::test]
async fn the_database_itself_lets_nothing_be_changed_or_removed() {
    let (store, folder) = store().await;
    chain(&store).await;
    let mut raw = folder.raw().await;
    for (statement, told) in [
        ("UPDATE audit_log SET actor = 'nobody'", "audit records are never changed"),
        ("UPDATE audit_log SET personal = '{}' WHERE seq = 2", "audit records are never changed"),
        ("UPDATE audit_log SET about = NULL, personal = NULL, salt = NULL WHERE seq = 2", "never"),
        ("DELETE FROM audit_log WHERE seq = 40", "audit records are never removed"),
        ("UPDATE audit_head SET records_count = 39", "the end of the audit is never set back"),
        ("DELETE FROM audit_head", "the end of the audit is never removed"),
    ] {
        let error = raw.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains(told), "{statement}: {error}");
    }
}

#[tokio::test]
async fn whatever_is_done_to_the_tables_is_found_where_it_is() {
    let (made, folder) = store().await;
    let audit = chain(&made).await;
    made.close().await;
    let changed = [
        "UPDATE audit_log SET at_us = at_us + 1 WHERE seq = 5",
        "UPDATE audit_log SET actor = 'operator:eve' WHERE seq = 5",
        "UPDATE audit_log SET action = 'session.ended' WHERE seq = 5",
        "UPDATE audit_log SET subject = subject || ' ' WHERE seq = 5",
        "UPDATE audit_log SET details = '{\"number\": 5}' WHERE seq = 5",
        "UPDATE audit_log SET about = 'u0' WHERE seq = 5",
        "UPDATE audit_log SET personal_mac = mac WHERE seq = 5",
        "UPDATE audit_log SET request_id = '' WHERE seq = 5",
        "UPDATE audit_log SET mac = (SELECT mac FROM audit_log WHERE seq = 6) WHERE seq = 5",
        "UPDATE audit_log SET seq = CASE seq WHEN 5 THEN -9 ELSE 5 END WHERE seq IN (5, 9);
         UPDATE audit_log SET seq = 9 WHERE seq = -9",
        "INSERT INTO audit_log SELECT -seq, at_us, actor, action, subject, details, about, personal,
             salt, personal_mac, request_id, mac FROM audit_log WHERE seq >= 5;
         DELETE FROM audit_log WHERE seq >= 5;
         INSERT INTO audit_log SELECT 1 - seq, at_us, actor, action, subject, details, about,
             personal, salt, personal_mac, request_id, mac FROM audit_log WHERE seq < 0;
         INSERT INTO audit_log SELECT 5, at_us, actor, action, subject, details, about, personal,
             salt, personal_mac, request_id, mac FROM audit_log WHERE seq = 9;
         DELETE FROM audit_log WHERE seq < 0",
    ];
    let personal = [
        "UPDATE audit_log SET personal = '{}' WHERE seq = 8",
        "UPDATE audit_log SET salt = NULL WHERE seq = 8",
        "UPDATE audit_log SET personal = NULL WHERE seq = 8",
        "UPDATE audit_log SET salt = 'aa' WHERE seq = 8",
        "UPDATE audit_log SET personal = (SELECT personal FROM audit_log WHERE seq = 12),
                              salt = (SELECT salt FROM audit_log WHERE seq = 12) WHERE seq = 8",
    ];
    let head = [
        "UPDATE audit_head SET records_count = 39",
        "UPDATE audit_head SET last_mac = mac",
        "UPDATE audit_head SET mac = last_mac",
        "UPDATE audit_head SET records_count = 39,
             last_mac = (SELECT mac FROM audit_log WHERE seq = 39);
         DELETE FROM audit_log WHERE seq = 40",
    ];
    let missing = [
        ("DELETE FROM audit_log WHERE seq = 5", 5),
        ("DELETE FROM audit_log WHERE seq > 30", 31),
        ("DELETE FROM audit_log", 1),
        ("UPDATE audit_log SET seq = 99 WHERE seq = 5", 5),
    ];
    let behind = "INSERT INTO audit_log SELECT 41, at_us, actor, action, subject, details, about,
                      personal, salt, personal_mac, request_id, mac FROM audit_log WHERE seq = 40";
    let gone = "UPDATE audit_log SET personal = NULL, salt = NULL WHERE seq = 8";
    let none = ["DELETE FROM audit_head", "DELETE FROM audit_head; DELETE FROM audit_log"];
    let cases = changed.map(|sql| (sql, Some(5), AuditProblem::Changed)).into_iter();
    let cases = cases
        .chain(personal.map(|sql| (sql, Some(8), AuditProblem::PersonalChanged)))
        .chain(head.map(|sql| (sql, None, AuditProblem::HeadChanged)))
        .chain(missing.map(|(sql, seq)| (sql, Some(seq), AuditProblem::Missing)))
        .chain(none.map(|sql| (sql, None, AuditProblem::HeadMissing)))
        .chain([
            (behind, Some(41), AuditProblem::Changed),
            (gone, Some(8), AuditProblem::PersonalGone),
        ]);
    for (sql, seq, problem) in cases {
        let copy = folder.copy();
        let mut raw = copy.raw().await;
        drop_triggers(&mut raw).await;
        raw.execute(sql).await.unwrap();
        raw.close().await;
        let store = copy.open().await;
        let broken = verify(&store, &audit).await.broken.expect("it is found");
        assert_eq!((broken.seq, broken.problem), (seq, problem), "{sql}");
        store.close().await;
    }
}

#[tokio::test]
async fn what_was_never_a_record_is_refused_by_its_number() {
    if is_on_postgres() {
        // A text is a text there.
        return;
    }
    let (store, folder) = store().await;
    let audit = chain(&store).await;
    let mut raw = folder.raw().await;
    drop_triggers(&mut raw).await;
    raw.execute("UPDATE audit_log SET subject = X'00FF' WHERE seq = 5").await.unwrap();
    let error = store.verify_audit(&audit.key, &[]).await.unwrap_err().to_string();
    assert!(error.contains("impossible value: record 5 of the audit"), "{error}");
}

#[tokio::test]
async fn a_chain_that_was_set_back_is_found_by_a_root_that_was_kept_elsewhere() {
    let (store, folder) = store().await;
    let audit = chain(&store).await;
    let kept = AuditRoot::from(&store.audit_records(&AuditFilter::default(), 1).await.unwrap()[0]);
    let mut raw = folder.raw().await;
    drop_triggers(&mut raw).await;
    // The head of before, as a copy of the database has it.
    raw.execute("CREATE TABLE copy AS SELECT * FROM audit_head").await.unwrap();
    put(&store, &audit, note(50)).await;
    let later = AuditRoot::from(&store.audit_records(&AuditFilter::default(), 1).await.unwrap()[0]);
    raw.execute("DELETE FROM audit_log WHERE seq = 41; DELETE FROM audit_head").await.unwrap();
    raw.execute("INSERT INTO audit_head SELECT * FROM copy").await.unwrap();
    let verify = async |roots: &[AuditRoot]| {
        store.verify_audit(&audit.key, roots).await.unwrap().broken.map(|broken| broken.seq)
    };
    assert_eq!(verify(&[]).await, None);
    assert_eq!(verify(&[kept]).await, None);
    assert_eq!(verify(&[later]).await, Some(Some(41)));
}

/// A trigger fails the record, which is written after the change.
#[tokio::test]
async fn a_change_that_cannot_be_put_on_record_is_not_made() {
    let (store, folder) = store().await;
    let audit = audit(&store).await;
    let mut raw = folder.raw().await;
    raw.cut("audit_log").await;
    let new = NewJob { name: "retraining", asked_by: "a", reason: "b", plan: Value::Null };
    let error = store.ask_for_job(&new, &audit).await.unwrap_err();
    assert!(error.to_string().contains("cut off"), "{error}");
    assert!(store.jobs(None, None, 9).await.unwrap().is_empty());

    raw.drop_trigger("cut", "audit_log").await;
    let run = store.ask_for_job(&new, &audit).await.unwrap();
    // Under another key, or when the end was changed, nothing goes on.
    let other = crate::audit_of(99);
    let error = store.cancel_job(run.id, "a", "b", &other).await.unwrap_err();
    assert!(matches!(error, StoreError::AuditBroken), "{error}");
    raw.execute("UPDATE audit_head SET records_count = 9").await.unwrap();
    let error = store.cancel_job(run.id, "a", "b", &audit).await.unwrap_err();
    assert!(matches!(error, StoreError::AuditBroken), "{error}");
    assert_eq!(store.job(run.id).await.unwrap(), Some(run));
}

#[tokio::test]
async fn several_processes_continue_one_chain() {
    let (first, folder) = store().await;
    let audit = audit(&first).await;
    let mut processes = Vec::new();
    for process in 0..4_u64 {
        let (store, audit) = (folder.open().await, audit.clone());
        processes.push(tokio::spawn(async move {
            for number in 0..25 {
                put(&store, &audit, note(process * 25 + number)).await;
            }
        }));
    }
    for process in processes {
        process.await.unwrap();
    }
    let verification = verify(&first, &audit).await;
    assert_eq!((verification.broken, verification.records_count), (None, 100));
}

#[tokio::test]
async fn a_chain_is_begun_once_and_not_over_another() {
    let (store, folder) = store().await;
    let audit = chain(&store).await;
    let error = store.begin_audit(|sealed| {
        sealed.secrets.clear();
        Ok::<_, StoreError>(audit.key.clone())
    });
    assert!(matches!(error.await, Err(StoreError::AuditBroken)));
    let other = folder.open().await;
    assert_eq!(verify(&other, &audit).await.broken, None);
}
