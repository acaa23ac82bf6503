//! `/api/v1/experiments`.

use bist_app::experiments::ExperimentPlan;
use bist_app::registry::Asked;
use bist_lifecycle::{FittedModel, HORIZON_DEFAULT, ModelState, ModelVersion, Signed};
use bist_store::{Registration, Store};
use serde_json::json;

use crate::test_app::{TestApp, quiet};

const ASKED: Asked<'static> = Asked { by: "ayse", reason: "a test of experiments" };

/// Declares an experiment of the champion and a twin of it; its name.
pub(crate) async fn declared(app: &TestApp) -> String {
    let champion = app.app.find_model("champion", HORIZON_DEFAULT).await.unwrap();
    let store = Store::open(app.app.directory()).await.unwrap();
    let mut fitted = FittedModel::from_bytes(&store.artifact(&champion).await.unwrap()).unwrap();
    fitted.drift += 1e-4;
    let bytes = fitted.to_bytes();
    let ModelVersion { origin, trained_at, lineage, evaluation, .. } = champion;
    let twin = ModelVersion::candidate(origin, trained_at, lineage, evaluation, &bytes);
    let signed =
        Signed { at: trained_at, by: ASKED.by.to_owned(), reason: ASKED.reason.to_owned() };
    let (audit, twin) = (app.app.audit().await.unwrap(), [(twin, bytes)]);
    let kept = store.register(&twin, Registration::Candidates, &signed, &audit).await.unwrap();
    store.close().await;
    app.app.move_model(&kept[0], ModelState::Staged, ASKED).await.unwrap();
    let name = Some("autumn".to_owned());
    let plan = ExperimentPlan { name, ..ExperimentPlan::of(HORIZON_DEFAULT) };
    app.app.declare_experiment(&plan, ASKED, quiet()).await.unwrap().id
}

#[tokio::test]
async fn an_experiment_is_told_with_its_rule_and_where_it_stands() {
    let app = TestApp::trained().await;
    assert_eq!(app.get("/api/v1/experiments").await.ok(), json!({ "items": [], "next": null }));
    assert_eq!(declared(&app).await, "autumn");
    app.app.make_signals(None, quiet()).await.unwrap();

    let running = app.get("/api/v1/experiments?horizon=5&state=running").await.ok();
    let item = &running["items"][0];
    assert_eq!((&item["id"], &item["state"]), (&json!("autumn"), &json!("running")));
    assert_eq!((&item["days_count"], &item["days_min"]), (&json!(0), &json!(60)));
    assert!(item["sentence"]["tr"].as_str().unwrap().starts_with("Henüz değerlendirilen gün yok"));
    let ended = app.get("/api/v1/experiments?state=promoted").await.ok();
    assert_eq!(ended["items"], json!([]));

    let one = app.get("/api/v1/experiments/autumn").await.ok();
    assert_eq!(one["challengers"].as_array().unwrap().len(), 1);
    assert_eq!(one["design"]["metric"], "rank_ic");
    assert_eq!(one["design_sha256"].as_str().unwrap().len(), 64);
    assert_eq!((&one["exposures_count"], &one["open_count"]), (&json!(12), &json!(12)));
    assert_eq!((&one["path"], &one["concluded"]), (&json!([]), &json!(null)));
    assert_eq!(one["declared"]["reason"], ASKED.reason);

    let answer = app.get("/api/v1/experiments/aut").await;
    let (code, detail) = answer.problem(404);
    assert_eq!(code, "experiment_not_found");
    assert!(detail.contains("there is no experiment 'aut'"), "{detail}");
    let answer = app.get("/api/v1/experiments?state=paused").await;
    assert!(answer.problem(400).1.contains("give running, promoted"), "{}", answer.body);
}
