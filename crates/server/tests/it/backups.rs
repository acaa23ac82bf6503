//! Backups, as administrators look after them.

use std::time::Duration;

use axum::body::Body;
use axum::http::Method;
use bist_access::Role;
use bist_app::backups::{BackupRecipients, BackupSettings, IdentitySource, generate_identity_file};
use bist_app::jobs::{Job, JobState};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::test_app::{NOW, Opened, TestApp, open, quiet, sign_in};

const BACKUPS: &str = "/api/v1/admin/backups";

/// The service where backups are made, and can be opened when `has_identity`.
async fn with_backups(has_identity: bool) -> TestApp {
    with_log(has_identity, None).await
}

/// The same where the log is shipped so often.
async fn with_log(has_identity: bool, ship_every: Option<Duration>) -> TestApp {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity.txt");
    let recipient = generate_identity_file(&file).await.unwrap();
    let settings = BackupSettings {
        recipients: Some(BackupRecipients::parse(&[recipient]).unwrap()),
        identity: has_identity.then_some(IdentitySource::File(file)),
        ship_every,
        ..BackupSettings::default()
    };
    let app = open(directory.path()).await.with_backups(settings);
    TestApp::with(app, directory).await
}

async fn does(app: &TestApp, job: Job) -> JobState {
    app.app.run_waiting_job(job, quiet()).await.unwrap().expect("a run waits").state
}

#[tokio::test]
async fn a_backup_is_asked_for_made_listed_and_tried_out() {
    let app = with_backups(true).await;
    let before = app.get(BACKUPS).await.ok();
    assert_eq!((&before["is_enabled"], &before["is_overdue"]), (&json!(true), &json!(true)));
    let ready = app.get("/health/ready").await.ok();
    assert_eq!(ready["checks"]["outside"]["backups"], "degraded");
    let asked = app.post(BACKUPS, &json!({"reason": "before the upgrade"})).await;
    assert_eq!(asked.status, 202, "{}", asked.body);
    assert_eq!(asked.body["asked_by"], "admin");
    let twice = app.post(BACKUPS, &json!({"reason": "again"})).await;
    assert_eq!(twice.problem(409).0, "job_conflict");
    assert_eq!(does(&app, Job::Backup).await, JobState::Done);

    let listed = app.get(BACKUPS).await.ok();
    assert_eq!((&listed["is_overdue"], &listed["has_identity"]), (&json!(false), &json!(true)));
    let backup = &listed["items"][0];
    assert_eq!(backup["name"], "bist-20261124T120000Z.tar.zst.age");
    assert_eq!(backup["created_at"], "2026-11-24T12:00:00Z");
    assert_eq!(backup["verified_at"], Value::Null);
    assert_eq!(listed["log"], Value::Null, "nothing is shipped");
    let ready = app.get("/health/ready").await.ok();
    assert_eq!(ready["checks"]["outside"]["backups"], "ok");

    let drill = format!("{BACKUPS}/drill");
    assert_eq!(app.post(&drill, &json!({"reason": "a try"})).await.status, 202);
    assert_eq!(does(&app, Job::RestoreDrill).await, JobState::Done);
    let listed = app.get(BACKUPS).await.ok();
    assert_eq!(listed["items"][0]["verified_at"], "2026-11-24T12:00:00Z");
    let records = app.get("/api/v1/audit?action=backup").await.ok();
    assert_eq!(records["items"][0]["action"], "backup.created");
    assert_eq!(app.get("/api/v1/audit/verification").await.ok()["verified"], true);
}

#[tokio::test]
async fn the_moments_are_told_that_the_shipped_log_has() {
    let app = with_log(true, Some(Duration::from_secs(20))).await;
    assert_eq!(app.get(BACKUPS).await.ok()["log"], Value::Null, "nothing was shipped yet");
    app.app.ship_log(std::future::ready(())).await;
    let log = json!({"from": NOW, "to": NOW, "looked_at": NOW});
    assert_eq!(app.get(BACKUPS).await.ok()["log"], log);
}

#[tokio::test]
async fn what_is_not_configured_is_refused_with_a_reason() {
    let app = TestApp::empty().await;
    let listed = app.get(BACKUPS).await.ok();
    assert_eq!((&listed["is_enabled"], &listed["is_overdue"]), (&json!(false), &json!(false)));
    let ready = app.get("/health/ready").await.ok();
    assert_eq!(ready["checks"]["outside"].get("backups"), None);
    let reason = json!({"reason": "x"});
    let refused = app.post(BACKUPS, &reason).await;
    assert_eq!(refused.problem(409).0, "backups_unavailable");
    let app = with_backups(false).await;
    let refused = app.post(&format!("{BACKUPS}/drill"), &reason).await;
    assert!(refused.problem(409).1.contains("backup.identity"), "{}", refused.body);
    let refused = app.post(BACKUPS, &json!({"reason": " "})).await;
    assert_eq!(refused.problem(400).0, "malformed_request");
    // An analyst may ask for jobs, and not for these.
    let asked = json!({"job": "backup", "by": "a", "reason": "x"});
    let refused = app.post("/api/v1/jobs", &asked).await;
    assert!(refused.problem(400).1.contains(BACKUPS), "{}", refused.body);
}

#[tokio::test]
async fn going_back_is_confirmed_and_what_fails_stays_told() {
    let app = with_backups(true).await;
    app.post(BACKUPS, &json!({"reason": "before the upgrade"})).await;
    assert_eq!(does(&app, Job::Backup).await, JobState::Done);
    let (restore, name) = (format!("{BACKUPS}/restore"), "bist-20261124T120000Z.tar.zst.age");
    let wish = |backup: &str, confirmation: &str, reason: &str| json!({"backup": backup, "confirmation": confirmation, "reason": reason});
    let refused = app.post(&restore, &wish(name, "bist", "a mistake")).await;
    assert_eq!(refused.problem(400).0, "invalid_parameter");
    assert_eq!(refused.body["parameter"], "confirmation");
    let other = "bist-20261124T110000Z.tar.zst.age";
    for unknown in [other, "../master.key"] {
        let refused = app.post(&restore, &wish(unknown, unknown, "a mistake")).await;
        assert_eq!(refused.problem(404).0, "backup_not_found");
    }
    let refused = app.post(&restore, &wish(name, name, " ")).await;
    assert_eq!(refused.problem(400).0, "malformed_request");
    let at = "2026-11-24T12:00:00Z";
    let both = json!({"backup": name, "at": at, "confirmation": name, "reason": "a mistake"});
    let neither = json!({"confirmation": name, "reason": "a mistake"});
    for malformed in [both, neither] {
        assert_eq!(app.post(&restore, &malformed).await.problem(400).0, "malformed_request");
    }
    for no_moment in ["noon", "2126-11-24T12:00:00Z"] {
        let wish = json!({"at": no_moment, "confirmation": no_moment, "reason": "a mistake"});
        let refused = app.post(&restore, &wish).await;
        assert_eq!((refused.status, &refused.body["parameter"]), (400, &json!("at")));
    }
    let listed = app.get(BACKUPS).await.ok();
    assert_eq!((&listed["restoring"], &listed["restored_at"]), (&Value::Null, &Value::Null));

    // The clock stands still, so that the backup of before would have the name of this one.
    for _ in 0..2 {
        let asked = app.post(&restore, &wish(name, name, "a mistake")).await;
        assert_eq!((asked.status, &asked.body["stage"]), (202, &json!("reading")));
        let failed = once_failed(&app).await;
        assert_eq!(failed["restoring"]["what"], name);
        let error = failed["restoring"]["error"].as_str().unwrap();
        assert!(error.contains("already"), "{error}");
        assert_eq!(failed["restored_at"], Value::Null);
    }
    let records = app.get("/api/v1/audit?action=backup").await.ok();
    let actions: Vec<_> =
        records["items"].as_array().unwrap().iter().map(|r| &r["action"]).collect();
    let tried = [json!("backup.restore_failed"), json!("backup.restore_asked")];
    assert_eq!(actions[..2], [&tried[0], &tried[1]]);
    assert_eq!(app.get("/api/v1/audit/verification").await.ok()["verified"], true);
}

/// How backups stand as soon as going back to one has failed.
async fn once_failed(app: &TestApp) -> Value {
    loop {
        let listed = app.get(BACKUPS).await.ok();
        if listed["restoring"]["stage"] == "failed" {
            return listed;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn for_what_cannot_be_restored_no_backup_of_before_is_made() {
    let app = with_backups(true).await;
    app.post(BACKUPS, &json!({"reason": "before the upgrade"})).await;
    assert_eq!(does(&app, Job::Backup).await, JobState::Done);
    let name = "bist-20261124T120000Z.tar.zst.age";
    let folder = app.app.backup_folder();
    let file = folder.file_of(name).unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // Under a name that leaves that of this second to the backup of before.
    let damaged = "bist-20261124T110000Z.tar.zst.age";
    std::fs::write(folder.file_of(damaged).unwrap(), bytes).unwrap();
    std::fs::remove_file(&file).unwrap();

    let at = "2026-11-24T11:30:00Z";
    let of_moment = json!({"at": at, "confirmation": at, "reason": "a mistake"});
    let of_name = json!({"backup": damaged, "confirmation": damaged, "reason": "a mistake"});
    for wish in [of_moment, of_name] {
        let asked = app.post(&format!("{BACKUPS}/restore"), &wish).await;
        assert_eq!(asked.status, 202, "{}", asked.body);
        let failed = once_failed(&app).await;
        let error = failed["restoring"]["error"].as_str().unwrap();
        assert!(error.contains("is not the backup that was written"), "{error}");
        assert_eq!(failed["restoring"]["before"], Value::Null);
        let items = failed["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{items:?}");
        assert_eq!(items[0]["name"], damaged);
    }
}

#[tokio::test]
async fn going_back_needs_who_opens_a_backup_and_for_whom_one_is_made() {
    let restore = format!("{BACKUPS}/restore");
    let name = "bist-20261124T120000Z.tar.zst.age";
    let wish = json!({"backup": name, "confirmation": name, "reason": "a mistake"});
    let app = TestApp::empty().await;
    let refused = app.post(&restore, &wish).await;
    assert_eq!(refused.problem(409).0, "backups_unavailable");
    let app = with_backups(false).await;
    let refused = app.post(&restore, &wish).await;
    assert!(refused.problem(409).1.contains("backup.identity"), "{}", refused.body);
    let signed_in = sign_in(&app.app, "trader", Role::Trader).await;
    let page = Opened::of(&app.app, &signed_in).await;
    let headers = [
        ("cookie", page.cookie.as_str()),
        ("x-csrf-token", page.csrf_token.as_str()),
        ("content-type", "application/json"),
    ];
    let body = Body::from(wish.to_string());
    let refused = app.send_body(Method::POST, &restore, &headers, body).await;
    assert_eq!(refused.status, 403, "{}", refused.body);
}
