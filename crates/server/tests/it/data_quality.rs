//! `/api/v1/data-quality`.

use serde_json::{Value, json};

use crate::test_app::{NOW, TestApp};

#[tokio::test]
async fn the_overview_counts_rows_and_findings_by_symbol() {
    let app = TestApp::with_files().await;
    let page = app.get("/api/v1/data-quality").await.ok();
    // Eight sound rows of ten that should be there: one is malformed and one missing.
    assert_eq!(
        json!([page["as_of"], page["threshold_share"], page["score_share"], page["next"]]),
        json!([NOW, 0.95, 0.8, null])
    );
    let [sound, flawed] = page["items"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!(json!([sound["symbol"], sound["score_share"]]), json!(["TEST1", 1.0]));
    let mut counts = flawed.clone();
    let findings = counts.as_object_mut().unwrap().remove("findings").unwrap();
    assert_eq!(
        counts,
        json!({
            "symbol": "ZTEST", "source": "csv", "basis": "unknown", "is_primary": true,
            "origin": "market", "interval": "1d", "received_count": 4, "accepted_count": 3,
            "quarantined_count": 1, "unverifiable_count": 0, "missing_sessions_count": 1,
            "warning_rows_count": 0, "score_share": 0.6, "band": "refused",
            "first_day": "2026-11-16", "last_day": "2026-11-20",
        })
    );
    let errors: Vec<&Value> =
        findings.as_array().unwrap().iter().filter(|one| one["severity"] == "error").collect();
    assert_eq!(
        json!(errors),
        json!([
            {"code": "low_above_high", "severity": "error", "count": 1},
            {"code": "missing_session", "severity": "error", "count": 1},
        ])
    );
}

#[tokio::test]
async fn the_findings_of_a_symbol_are_sentences() {
    let app = TestApp::with_files().await;
    let report = app.get("/api/v1/data-quality/ZTEST").await.ok();
    assert_eq!(report["accepted_count"], 3);
    let findings = report["findings"]["items"].as_array().unwrap();
    let named = |code: &str| findings.iter().find(|finding| finding["code"] == code).unwrap();
    let missing = named("missing_session");
    assert_eq!(
        json!([missing["day"], missing["severity"], missing["quarantined"], missing["text"]]),
        json!(["2026-11-18", "error", false, "a session without a row"])
    );
    let crossed = named("low_above_high");
    assert_eq!(
        json!([
            crossed["day"],
            crossed["quarantined"],
            crossed["unverifiable"],
            crossed["text"],
            crossed["values"]
        ]),
        json!([
            "2026-11-19", true, false, "the low 10.40 is above the high 10.00",
            {"low_units": 104_000, "high_units": 100_000}
        ])
    );
    assert_eq!(crossed["id"].as_str().unwrap().len(), 16);
    assert!(!crossed["rule"].as_str().unwrap().is_empty() && crossed["decision"].is_null());
}

#[tokio::test]
async fn findings_and_the_overview_are_paged() {
    let app = TestApp::with_files().await;
    let whole = app.get("/api/v1/data-quality/ZTEST").await.ok()["findings"]["items"].clone();
    let mut walked = Vec::new();
    let mut path = "/api/v1/data-quality/ZTEST?limit=1".to_owned();
    loop {
        let page = app.get(&path).await.ok()["findings"].clone();
        walked.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/data-quality/ZTEST?limit=1&cursor={next}");
    }
    assert!(walked.len() >= 2);
    assert_eq!(json!(walked), whole);

    let first = app.get("/api/v1/data-quality?limit=1").await.ok();
    assert_eq!((&first["items"][0]["symbol"], &first["next"]), (&json!("TEST1"), &json!("from-1")));
    let second = app.get("/api/v1/data-quality?limit=1&cursor=from-1").await.ok();
    assert_eq!((&second["items"][0]["symbol"], &second["next"]), (&json!("ZTEST"), &json!(null)));
}

#[tokio::test]
async fn nothing_validated_is_said_and_not_counted_as_good() {
    let app = TestApp::empty().await;
    let page = app.get("/api/v1/data-quality").await.ok();
    assert_eq!(
        page,
        json!({
            "as_of": null, "threshold_share": 0.95, "good_share": 0.97, "score_share": null,
            "band": null, "sources": [], "items": [], "next": null
        })
    );
}

#[tokio::test]
async fn an_unknown_symbol_has_no_report() {
    let app = TestApp::with_files().await;
    assert_eq!(app.get("/api/v1/data-quality/NONE").await.problem(404).0, "symbol_not_found");
    assert_eq!(
        app.get("/api/v1/data-quality/ZTEST?cursor=after-ZTEST").await.problem(400).0,
        "invalid_parameter"
    );
}

#[tokio::test]
async fn findings_can_be_asked_by_kind_and_decided_ones_carry_the_decision() {
    let app = TestApp::with_files().await;
    let list = "/api/v1/data-quality/findings";
    let crossed = app.get(&format!("{list}?code=low_above_high&quarantined=true")).await.ok();
    let [finding] = crossed["items"].as_array().unwrap().as_slice() else { panic!("{crossed}") };
    let id = finding["id"].as_str().unwrap().parse().unwrap();
    let verdict = bist_market::Verdict::Reject;
    app.app.decide(id, verdict, "seen twice", "tester").await.unwrap();
    let decided = app.get(&format!("{list}?decided=true")).await.ok();
    assert_eq!(decided["items"][0]["decision"]["reason"], "seen twice");
    assert_eq!(app.get(&format!("{list}?decided=maybe")).await.problem(400).0, "invalid_parameter");
}

#[tokio::test]
async fn an_error_of_the_early_years_is_told_as_unverifiable_and_not_as_kept() {
    let csv = "date,open,high,low,close,volume\n\
        2008-11-17,10.00,10.20,9.95,10.10,1000\n\
        2008-11-18,10.10,10.00,10.30,10.25,2000\n\
        2008-11-19,10.20,10.40,10.10,10.30,4000\n";
    let app = TestApp::with_csv(&[("OLD1.csv", csv)]).await;
    let list = "/api/v1/data-quality/findings?code=low_above_high";
    let crossed = app.get(list).await.ok()["items"][0].clone();
    assert_eq!(
        json!([
            crossed["day"],
            crossed["severity"],
            crossed["quarantined"],
            crossed["unverifiable"]
        ]),
        json!(["2008-11-18", "error", false, true])
    );
}

#[tokio::test]
async fn history_freshness_and_sources_tell_of_what_is_stored() {
    let app = TestApp::with_files().await;
    let history = app.get("/api/v1/data-quality/history").await.ok();
    assert_eq!(history["months"][0]["month"], "2026-11-01");
    assert_eq!(history["runs"].as_array().unwrap().len(), 1);
    let fresh = app.get("/api/v1/data-quality/freshness?sessions=5").await.ok();
    assert_eq!(fresh["sessions"].as_array().unwrap().len(), 5);
    let cells = fresh["items"][1]["cells"].as_array().unwrap();
    assert!(cells.contains(&json!("quarantined")) && cells.contains(&json!("missing")), "{fresh}");
    let sources = app.get("/api/v1/data-quality/sources").await.ok();
    assert_eq!(
        json!([
            sources["items"][0]["source"],
            sources["items"][0]["state"],
            sources["nightly"]["enabled"],
            sources["live"]
        ]),
        json!(["csv", "ok", false, null])
    );
}

#[tokio::test]
async fn one_source_has_nothing_to_be_compared_with() {
    let app = TestApp::with_files().await;
    let path = "/api/v1/data-quality/TEST1/reconciliation";
    assert_eq!(app.get(path).await.problem(404).0, "no_second_source");
    let unknown = "/api/v1/data-quality/NONE/reconciliation";
    assert_eq!(app.get(unknown).await.problem(404).0, "symbol_not_found");
}
