//! Background work over HTTP.

use serde_json::json;

use crate::test_app::TestApp;

#[tokio::test]
async fn a_run_is_asked_for_watched_cancelled_and_begun_again() {
    let app = TestApp::with_files().await;
    let listed = app.get("/api/v1/jobs").await.ok();
    assert_eq!(listed["items"], json!([]));
    let schedules = listed["schedules"].as_array().unwrap();
    assert_eq!(schedules.len(), 6);
    assert_eq!(schedules[1]["job"], "retraining");
    assert_eq!(schedules[1]["is_enabled"], false);

    let asked = json!({"job": "retraining", "by": "ayşe", "reason": "the market has changed"});
    let answer = app.post("/api/v1/jobs", &asked).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let run = answer.body;
    assert_eq!((&run["id"], &run["state"]), (&json!(1), &json!("waiting")));
    assert_eq!(run["plan"]["seed"], 7);
    assert!(run["plan"]["rule_sha256"].as_str().unwrap().len() == 64, "{run}");
    let again = app.post("/api/v1/jobs", &asked).await;
    let (code, detail) = again.problem(409);
    assert_eq!(code, "job_conflict");
    assert!(detail.contains("run 1 of the retraining is waiting already"), "{detail}");

    for field in ["by", "reason"] {
        // A text that would steer the terminal of whoever lists the runs.
        let mut steering = asked.clone();
        steering[field] = json!("a\u{1b}[31mb");
        let answer = app.post("/api/v1/jobs", &steering).await;
        let (code, detail) = answer.problem(400);
        assert_eq!(code, "malformed_request");
        assert!(detail.contains(&format!("{field} has control characters")), "{detail}");
    }

    let step = json!({"by": "can", "reason": "not now"});
    let cancelled = app.post("/api/v1/jobs/1/cancel", &step).await.ok();
    assert_eq!(
        (&cancelled["state"], &cancelled["detail"]),
        (&json!("cancelled"), &json!("cancelled by can"))
    );
    let said = app.get("/api/v1/jobs/1").await.ok()["lines"][0]["line"].clone();
    assert_eq!(said, "can wants it to end: not now");
    assert_eq!(app.post("/api/v1/jobs/1/cancel", &step).await.problem(409).0, "job_conflict");
    let retried = app.post("/api/v1/jobs/1/retry", &step).await.ok();
    assert!(retried["retry_at"].is_string(), "{retried}");
    let after = app.get("/api/v1/jobs/1?after=1").await.ok();
    assert_eq!(after["lines"].as_array().unwrap().len(), 1, "{after}");

    // Two small files are no basis: the run fails, and says why.
    let job = bist_app::jobs::Job::Retraining;
    app.app.run_waiting_job(job, std::sync::Arc::new(|_| {})).await.unwrap();
    let failed = app.get("/api/v1/jobs?job=retraining&limit=1").await.ok()["items"][0].clone();
    assert_eq!(failed["state"], "failed", "{failed}");
    let stages = failed["stages"].as_array().unwrap();
    assert!(stages.iter().any(|stage| stage["state"] == "failed"), "{failed}");
    let told = app.get("/api/v1/jobs/1").await.ok();
    assert!(told["lines"].as_array().unwrap().last().unwrap()["is_failure"] == true, "{told}");
}

#[tokio::test]
async fn a_step_without_a_name_or_reason_or_run_is_refused() {
    let app = TestApp::empty().await;
    let post = async |path: &str, body| app.post(path, &body).await;
    let refused =
        post("/api/v1/jobs", json!({"job": "retraining", "by": " ", "reason": "x"})).await;
    assert_eq!(
        refused.problem(400),
        ("malformed_request", "by is empty; it is recorded with the step")
    );
    let refused = post("/api/v1/jobs", json!({"job": "laundry", "by": "a", "reason": "x"})).await;
    assert!(
        refused.problem(400).1.contains(
            "there are nightly-ingest, retraining, key-care, tuning, backup, restore-drill"
        )
    );
    let refused = post("/api/v1/jobs/1/cancel", json!({"by": "a"})).await;
    assert!(refused.problem(400).1.contains("missing field `reason`"), "{}", refused.body);
    let step = json!({"by": "a", "reason": "x"});
    assert_eq!(post("/api/v1/jobs/7/retry", step.clone()).await.problem(404).0, "job_not_found");
    assert_eq!(post("/api/v1/jobs/x/retry", step).await.problem(400).0, "invalid_parameter");
    assert_eq!(app.get("/api/v1/jobs/7").await.problem(404).0, "job_not_found");
}

#[tokio::test]
async fn a_tuning_is_asked_for_with_what_is_not_usual_about_it() {
    let app = TestApp::empty().await;
    let ask = async |job: &str, tuning: serde_json::Value| {
        let asked = json!({"job": job, "by": "ayşe", "reason": "a try", "tuning": tuning});
        app.post("/api/v1/jobs", &asked).await
    };
    for (job, tuning, expected) in [
        ("retraining", json!({}), "a run of retraining has nothing of it"),
        ("tuning", json!({"parts": ["forest"]}), "there is no part 'forest'; there are trees,"),
        ("tuning", json!({"parts": []}), "parts: name at least one"),
        ("tuning", json!({"trials": 0}), "trials: give at least 1"),
        ("tuning", json!({"at_once": 65}), "at_once: give 64 at most"),
        ("tuning", json!({"horizon": "3"}), "3"),
        ("tuning", json!({"sampler": "tpe"}), "unknown field `sampler`"),
    ] {
        let refused = ask(job, tuning).await;
        let (code, detail) = refused.problem(400);
        assert_eq!(code, "malformed_request");
        assert!(detail.contains(expected), "{detail}");
    }
    let wanted = json!({"parts": ["elastic-net", "trees"], "trials": 5, "at_once": 2});
    let run = ask("tuning", wanted).await;
    assert_eq!(run.status, 202, "{}", run.body);
    let plan = &run.body["plan"];
    assert_eq!(plan["parts"], json!(["elastic-net", "trees"]));
    assert_eq!((&plan["trials_count"], &plan["at_once"]), (&json!(5), &json!(2)));
    assert_eq!((&plan["sampler"], &plan["pruner"]), (&json!("tpe"), &json!("auto")));
    assert_eq!(run.body["parts"], json!([]), "it has not begun");
}
