//! Backups, as administrators look after them.

use bist_app::backups::{BackupRecipients, BackupSettings, IdentitySource, generate_identity_file};
use bist_app::jobs::{Job, JobState};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::test_app::{TestApp, open, quiet};

const BACKUPS: &str = "/api/v1/admin/backups";

/// The service where backups are made, and can be opened when `has_identity`.
async fn with_backups(has_identity: bool) -> TestApp {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("identity.txt");
    let recipient = generate_identity_file(&file).await.unwrap();
    let settings = BackupSettings {
        recipients: Some(BackupRecipients::parse(&[recipient]).unwrap()),
        identity: has_identity.then_some(IdentitySource::File(file)),
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
