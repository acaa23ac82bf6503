//! How old what can be restored of the shipped log is, as `/health/ready` tells it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bist_app::App;
use bist_app::backups::{BackupRecipients, BackupSettings, generate_identity_file};
use bist_market::FixedClock;
use bist_market::validate::ValidationPolicy;
use serde_json::json;
use tempfile::TempDir;

use crate::test_app::{NOW, TestApp, open};

/// Settings by which the log is shipped, for an identity that is made in `directory`.
async fn shipped(directory: &Path) -> BackupSettings {
    let recipient = generate_identity_file(&directory.join("identity.txt")).await.unwrap();
    BackupSettings {
        recipients: Some(BackupRecipients::parse(&[recipient]).unwrap()),
        ship_every: Some(Duration::from_secs(20)),
        ..BackupSettings::default()
    }
}

/// Ships the log of the service `app` at the moment `at`, as another process does.
async fn ship(app: &TestApp, settings: &BackupSettings, at: &str) {
    let clock = Arc::new(FixedClock(at.parse().unwrap()));
    let directory = app.app.directory();
    let shipper = App::open(directory, clock, ValidationPolicy::default()).await.unwrap();
    let shipper = shipper.with_backups(settings.clone());
    shipper.ship_log(std::future::ready(())).await;
    shipper.close().await;
}

/// How it is, and why if it is not well.
async fn told(app: &TestApp) -> (String, Option<String>) {
    let body = app.get("/health/ready").await.body;
    let condition = body["checks"]["outside"]["recovery_point"].as_str().unwrap().to_owned();
    (condition, body["reasons"]["recovery_point"].as_str().map(str::to_owned))
}

#[tokio::test]
async fn the_recovery_point_is_degraded_without_a_look_of_the_last_minute() {
    let directory = TempDir::new().unwrap();
    let settings = shipped(directory.path()).await;
    let app = open(directory.path()).await.with_backups(settings.clone());
    let app = TestApp::with(app, directory).await;
    let degraded = |reason: &str| ("degraded".to_owned(), Some(reason.to_owned()));
    let well = ("ok".to_owned(), None);
    assert_eq!(told(&app).await, degraded("no log was shipped yet"));
    ship(&app, &settings, "2026-11-24T11:58:59Z").await;
    assert_eq!(told(&app).await, degraded("everything up to 61 s ago can be restored"));
    ship(&app, &settings, "2026-11-24T11:59:00Z").await;
    assert_eq!(told(&app).await, well, "a minute is the most");
    ship(&app, &settings, NOW).await;
    assert_eq!(told(&app).await, well);
    assert_eq!(app.app.backup_folder().logs().unwrap().len(), 3, "one of each process");
}

#[tokio::test]
async fn nothing_is_told_of_a_log_that_is_not_shipped() {
    let directory = TempDir::new().unwrap();
    let settings = BackupSettings { ship_every: None, ..shipped(directory.path()).await };
    let app = open(directory.path()).await.with_backups(settings);
    let app = TestApp::with(app, directory).await;
    let outside = app.get("/health/ready").await.body["checks"]["outside"].clone();
    assert_eq!(outside, json!({"backups": "degraded"}));
}
