//! What is done is on record, with who did it; the keys for it are made once; roots are noted.

use std::path::Path;
use std::sync::Arc;

use bist_access::{Actor, AuditRoot, Secret, SecretName};
use bist_app::App;
use bist_app::audit::{AuditFilter, KeptRootsError, read_roots};
use bist_app::experiments::ExperimentPlan;
use bist_app::jobs::{Job, JobAsked, JobOrder};
use bist_app::registry::Asked;
use bist_app::secrets::{MasterKeySource, generate_key_file};
use bist_lifecycle::ModelState;
use bist_market::ValidationPolicy;
use bist_testkit::hand_clock::HandClock;
use jiff::civil::date;
use tempfile::TempDir;

use crate::experiments::{market, quiet, tomorrow};

const ASKED: Asked<'static> = Asked { by: "ayse", reason: "a test of the audit" };

async fn process(folder: &Path, clock: &Arc<HandClock>) -> App {
    App::open(folder, clock.clone(), ValidationPolicy::default()).await.unwrap()
}

/// Actions, subjects and actors of the records after the place `after`, the first first.
async fn records(app: &App, after: u64) -> Vec<(String, String, String)> {
    let mut records = app.audit_records(&AuditFilter::default(), 99).await.unwrap();
    records.retain(|record| record.seq > after);
    records.reverse();
    records.into_iter().map(|record| (record.action, record.subject, record.actor)).collect()
}

#[tokio::test]
async fn what_is_done_is_on_record_with_who_did_it() {
    let (_folder, app, champion, challenger) = market().await;
    let before = app.audit_root(None).await.unwrap().unwrap().seq;
    let made = records(&app, 0).await;
    let is_made = |action: &str, name: &str| {
        let subject = format!("model:{name}");
        made.iter().any(|record| record.0 == action && record.1 == subject)
    };
    for name in [&champion, &challenger] {
        assert!(is_made("model.registered", name), "{made:?}");
    }
    assert!(is_made("model.promoted", &champion) && is_made("model.staged", &challenger));

    let account = "u0123456789abcdef".parse().unwrap();
    let person = app.acting(Actor::Account(account), Some("request-1".to_owned()));
    let plan = ExperimentPlan { name: Some("autumn".to_owned()), ..ExperimentPlan::of(tomorrow()) };
    person.declare_experiment(&plan, ASKED, quiet()).await.unwrap();
    app.make_signals(None, quiet()).await.unwrap();
    app.make_signals(None, quiet()).await.unwrap();
    person.stop_experiment("autumn", ASKED).await.unwrap();
    let version = app.find_model(&challenger, tomorrow()).await.unwrap();
    person.promote_model(&version, ASKED).await.unwrap();
    let version = app.find_model(&champion, tomorrow()).await.unwrap();
    person.move_model(&version, ModelState::Staged, ASKED).await.unwrap();
    person.move_model(&version, ModelState::Candidate, ASKED).await.unwrap();
    let asked = JobAsked { by: "ayse", reason: "why" };
    let order = JobOrder::of(Job::Retraining);
    let run = person.ask_for_job(&order, asked).await.unwrap().run.id;
    app.cancel_job(run, asked).await.unwrap();
    app.retry_job(run, asked).await.unwrap();
    let name: SecretName = "evds".parse().unwrap();
    app.add_secret(&name, &Secret::new("first")).await.unwrap();
    app.rotate_secret(&name, &Secret::new("second")).await.unwrap();
    app.remove_secret(&name).await.unwrap();

    let done = records(&app, before).await;
    let signals = done.iter().filter(|record| record.0 == "signal.made").count();
    assert_eq!(signals, 7, "of each symbol, once: {done:?}");
    let rest = done.iter().filter(|record| record.0 != "signal.made");
    let rest: Vec<_> = rest.map(|(a, s, w)| (a.as_str(), s.as_str(), w.as_str())).collect();
    let (who, job) = ("account:u0123456789abcdef", format!("job:{run}"));
    let (old, new) = (format!("model:{champion}"), format!("model:{challenger}"));
    let expected = [
        ("experiment.declared", "experiment:autumn", who),
        ("experiment.stopped", "experiment:autumn", who),
        ("model.retired", &old, who),
        ("model.promoted", &new, who),
        ("model.staged", &old, who),
        ("model.withdrawn", &old, who),
        ("job.asked", &job, who),
        ("job.cancelled", &job, "system"),
        ("job.asked", &job, "system"),
        ("secret.set", "secret:evds", "system"),
        ("secret.rotated", "secret:evds", "system"),
        ("secret.removed", "secret:evds", "system"),
    ];
    assert_eq!(rest, expected);
    let newest = app.audit_records(&AuditFilter::default(), 99).await.unwrap();
    let promoted = newest.iter().find(|record| record.action == "model.promoted").unwrap();
    assert!(promoted.details.contains(r#""reason":"a test of the audit""#), "{promoted:?}");
    assert_eq!(promoted.request_id.as_deref(), Some("request-1"));
    assert_eq!(app.verify_audit(&[]).await.unwrap().broken, None);
}

#[tokio::test]
async fn a_master_key_is_made_once_and_never_where_there_are_secrets() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-20 18:30"));
    let path = folder.path().join("master.key");
    let looker = process(folder.path(), &clock).await;
    assert_eq!(looker.verify_audit(&[]).await.unwrap().records_count, 0);
    assert!(looker.secret(&"evds".parse().unwrap()).await.is_err());
    assert!(!path.exists(), "nothing has needed a key yet");

    let mut processes = Vec::new();
    for _ in 0..6 {
        let app = process(folder.path(), &clock).await;
        processes.push(tokio::spawn(async move { app.audit().await.unwrap().key }));
    }
    let mut keys = Vec::new();
    for process in processes {
        keys.push(process.await.unwrap());
    }
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "all found the same");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let elsewhere = folder.path().join("elsewhere.key");
    std::fs::rename(&path, &elsewhere).unwrap();
    let without = process(folder.path(), &clock).await;
    let refused = without.audit().await.unwrap_err().to_string();
    assert!(refused.contains("no master key is configured and there is none in"), "{refused}");
    assert!(without.verify_audit(&[]).await.is_err() && !path.exists());
    let moved = without.with_master_key(MasterKeySource::File(elsewhere));
    assert_eq!(moved.audit().await.unwrap().key, keys[0]);
}

#[tokio::test]
async fn the_key_of_the_audit_outlives_the_master_key_and_nobody_sets_it() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-20 18:30"));
    let app = process(folder.path(), &clock).await;
    let key = app.audit().await.unwrap().key;
    let name = SecretName::audit_key();
    for refused in [
        app.add_secret(&"bist.other".parse().unwrap(), &Secret::new("x")).await.map(drop),
        app.rotate_secret(&name, &Secret::new("x")).await.map(drop),
        app.remove_secret(&name).await,
    ] {
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("is the product's own"), "{refused}");
    }
    let new = folder.path().join("new.key");
    generate_key_file(&new).await.unwrap();
    let new = MasterKeySource::File(new);
    assert_eq!(app.rekey_secrets(&new).await.unwrap(), 1);
    // A process that goes on has the key still.
    let asked = JobAsked { by: "a", reason: "b" };
    app.ask_for_job(&JobOrder::NightlyIngest, asked).await.unwrap();
    let after = process(folder.path(), &clock).await.with_master_key(new);
    assert_eq!(after.audit().await.unwrap().key, key);
    let verification = after.verify_audit(&[]).await.unwrap();
    assert_eq!((verification.records_count, verification.broken), (2, None));
}

#[tokio::test]
async fn a_root_is_noted_each_day_and_looked_for_by_itself() {
    let folder = TempDir::new().unwrap();
    let clock = Arc::new(HandClock::at("2026-11-20 18:30"));
    let app = process(folder.path(), &clock).await;
    assert_eq!(app.note_audit_root().await.unwrap(), None, "there is no record yet");
    let name: SecretName = "evds".parse().unwrap();
    app.add_secret(&name, &Secret::new("first")).await.unwrap();
    let first = app.note_audit_root().await.unwrap().unwrap();
    assert_eq!((first.seq, app.note_audit_root().await.unwrap()), (1, None));
    app.remove_secret(&name).await.unwrap();
    clock.set("2026-11-21 00:00");
    let second = app.note_audit_root().await.unwrap().unwrap();
    assert_eq!(second.seq, 2);
    assert_eq!(app.audit_root(Some(date(2026, 11, 20))).await.unwrap(), Some(second.clone()));
    assert_eq!(app.audit_root(Some(date(2026, 11, 21))).await.unwrap(), None);
    let verification = app.verify_audit(&[AuditRoot::empty()]).await.unwrap();
    assert_eq!((verification.kept_roots_count, verification.broken), (3, None));

    let file = folder.path().join("audit-roots.log");
    assert_eq!(read_roots(&file).await.unwrap(), [first, second.clone()]);
    let later = AuditRoot { seq: 3, mac: second.mac };
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}{later} 2026-11-22T00:00:00Z\n")).unwrap();
    let broken = app.verify_audit(&[]).await.unwrap().broken.unwrap();
    assert_eq!(broken.to_string(), "record 3: it is missing");
    std::fs::write(&file, "nothing\n").unwrap();
    let refused = app.verify_audit(&[]).await.unwrap_err();
    assert!(matches!(refused, KeptRootsError::Line { line: 1, .. }), "{refused}");
}
