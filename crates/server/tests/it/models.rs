//! `/api/v1/models`.

use bist_lifecycle::evaluation::Baseline;
use serde_json::json;

use crate::test_app::{NOW, TestApp};

#[tokio::test]
async fn the_champion_is_listed_with_its_record_in_short() {
    let app = TestApp::trained().await;
    let page = app.get("/api/v1/models").await.ok();
    let [model] = page["items"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!(
        json!([model["kind"], model["state"], model["origin"], model["trained_at"], model["seed"]]),
        json!(["ensemble", "champion", "sample", NOW, 7])
    );
    let names = std::iter::once("model").chain(Baseline::ALL.map(Baseline::word));
    for name in names {
        assert!(model["rmse"][name].as_f64().unwrap() > 0.0, "{name}");
    }
    let rank_ic = &model["rank_ic"];
    assert_eq!(rank_ic["level"], 0.95);
    assert!(rank_ic["low"].as_f64().unwrap() <= rank_ic["high"].as_f64().unwrap());
}

#[tokio::test]
async fn a_version_has_its_whole_record_and_lineage() {
    let app = TestApp::trained().await;
    let page = app.get("/api/v1/models").await.ok();
    let summary = page["items"][0].as_object().unwrap();
    let path = format!("/api/v1/models/{}", summary["version"].as_str().unwrap());
    let version = app.get(&path).await.ok();
    for (name, value) in summary {
        assert_eq!(&version[name], value, "{name}");
    }
    let evaluation = &version["evaluation"];
    assert_eq!(evaluation["skill"]["shown"], version["skill_shown"]);
    assert_eq!(evaluation["rank_ic"]["estimate"], version["rank_ic"]);
    assert_eq!(version["lineage"]["snapshot_hash"], version["snapshot_hash"]);
    let stored =
        app.app.model_version(version["version"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(evaluation, &serde_json::to_value(stored.evaluation).unwrap());
}

#[tokio::test]
async fn an_unknown_version_is_not_found() {
    let app = TestApp::trained().await;
    assert_eq!(
        app.get("/api/v1/models/gbdt-none").await.problem(404),
        (
            "model_version_not_found",
            "there is no model version 'gbdt-none'; GET /api/v1/models lists what there is"
        )
    );
}

#[tokio::test]
async fn without_training_the_list_is_empty() {
    let app = TestApp::with_files().await;
    assert_eq!(app.get("/api/v1/models").await.ok(), json!({"items": [], "next": null}));
}
