//! `/api/v1/explanations`.

use serde_json::{Value, json};

use crate::test_app::TestApp;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn sum(items: &Value, name: &str) -> f64 {
    items.as_array().unwrap().iter().map(|item| number(&item[name])).sum()
}

async fn signal(app: &TestApp) -> Value {
    app.get("/api/v1/signals").await.ok()["items"][0].clone()
}

#[tokio::test]
async fn every_signal_is_explained_by_parts_that_add_up() {
    let app = TestApp::trained().await;
    let signals = app.get("/api/v1/signals").await.ok();
    for signal in signals["items"].as_array().unwrap() {
        let id = signal["id"].as_str().unwrap();
        let explained = app.get(&format!("/api/v1/explanations/{id}")).await.ok();
        let forecast = number(&explained["forecast_share"]);
        let base = number(&explained["base_share"]);
        let parts = sum(&explained["items"], "contribution_share");
        assert!((base + parts - forecast).abs() < 1e-6, "{id}: {base} + {parts} for {forecast}");
        assert!((forecast - number(&signal["contributions"]["total_share"])).abs() < 1e-15);
        assert!(number(&explained["residual_share"]).abs() < 1e-6);
        let members = explained["members"].as_array().unwrap();
        let kinds: Vec<&str> = members.iter().map(|m| m["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["gbdt", "elastic_net", "lstm", "prophet"]);
        for member in members {
            let kind = member["kind"].as_str().unwrap();
            let parts = explained["items"].as_array().unwrap().iter();
            let parts: f64 = parts.map(|item| number(&item["by_member"][kind])).sum();
            assert!((parts - number(&member["contribution_share"])).abs() < 1e-12, "{kind}");
        }
        for (language, word) in [("tr", "bekleniyor"), ("en", "is expected to return")] {
            let sentence = explained["reasons"][language].as_str().unwrap();
            assert!(sentence.contains(word) && !sentence.contains('_'), "{sentence}");
        }
        for item in explained["items"].as_array().unwrap() {
            let text = item["text"]["tr"].as_str().unwrap();
            assert!(text.starts_with(item["name"]["tr"].as_str().unwrap()), "{text}");
            let value = item["value_text"]["tr"].as_str();
            assert_eq!(value.is_some(), !item["value"].is_null());
            assert!(value.is_none_or(|value| text.contains(value)), "{text} without {value:?}");
        }
    }
}

#[tokio::test]
async fn the_newest_explanation_of_a_symbol_is_that_of_its_signal() {
    let app = TestApp::trained().await;
    let signal = signal(&app).await;
    let (id, symbol) = (signal["id"].as_str().unwrap(), signal["symbol"].as_str().unwrap());
    let by_id = app.get(&format!("/api/v1/explanations/{id}")).await.ok();
    let newest = app.get(&format!("/api/v1/explanations?symbol={symbol}")).await.ok();
    assert_eq!(by_id, newest);
    assert_eq!(newest["signal_id"], signal["id"]);
}

#[tokio::test]
async fn lime_and_kernel_explain_the_same_forecast_and_say_how_well() {
    let app = TestApp::trained().await;
    let symbol = signal(&app).await["symbol"].as_str().unwrap().to_owned();
    let get = async |method: &str| {
        let path = format!("/api/v1/explanations?symbol={symbol}&method={method}&seed=3");
        app.get(&path).await.ok()
    };
    let (shap, lime, kernel) = (get("shap").await, get("lime").await, get("kernel").await);
    for explained in [&lime, &kernel] {
        assert_eq!(explained["forecast_share"], shap["forecast_share"]);
        let parts = number(&explained["base_share"])
            + sum(&explained["items"], "contribution_share")
            + number(&explained["residual_share"]);
        assert!((parts - number(&explained["forecast_share"])).abs() < 1e-12);
    }
    assert!(number(&kernel["residual_share"]).abs() < 1e-9, "Shapley values add up");
    assert_eq!(kernel["quality"]["background_count"], 50);
    let quality = &lime["quality"];
    assert!((0.0..=1.0).contains(&number(&quality["stability"])), "{quality}");
    assert!(number(&quality["r_squared"]) <= 1.0 && number(&quality["kernel_width"]) > 0.0);
    assert_eq!((&quality["seed"], &quality["runs_count"]), (&json!(3), &json!(5)));
    let runs = number(&quality["runs_count"]);
    for item in lime["items"].as_array().unwrap() {
        let repeats = &item["repeats"];
        let selected = number(&repeats["selected_share"]) * runs;
        assert!((0.9..=runs).contains(&selected), "this draw is one of the runs: {repeats}");
        let deviation = repeats["deviation_share"].as_f64();
        assert_eq!(deviation.is_some(), selected > 1.5, "{repeats}");
        assert!(deviation.is_none_or(|deviation| deviation > 0.0), "draws differ: {repeats}");
    }
    for item in shap["items"].as_array().unwrap() {
        assert!(item.get("repeats").is_none(), "exact parts do not spread");
    }
    assert_eq!(get("lime").await, lime, "the same seed draws the same");
}

#[tokio::test]
async fn another_value_of_a_feature_moves_the_forecast_and_its_parts() {
    let app = TestApp::trained().await;
    let symbol = signal(&app).await["symbol"].clone();
    let ask = async |changes: Value| {
        let body = json!({"symbol": symbol, "changes": changes});
        app.post("/api/v1/explanations/what-if", &body).await
    };
    let moved = ask(json!({"rank_return_5": 0.99, "return_5": 0.3})).await.ok();
    for side in ["before", "after"] {
        let side = &moved[side];
        let parts = number(&side["base_share"]) + sum(&side["items"], "contribution_share");
        assert!((parts - number(&side["forecast_share"])).abs() < 1e-6);
    }
    let change =
        number(&moved["after"]["forecast_share"]) - number(&moved["before"]["forecast_share"]);
    assert!(change.abs() > 1e-9, "the forecast moves");
    let changes: Vec<&Value> = moved["changes"].as_array().unwrap().iter().collect();
    assert_eq!(changes[0]["feature"], "rank_return_5");
    assert_eq!(number(&changes[1]["after"]).to_bits(), 0.3_f64.to_bits());
    assert_eq!(changes[1]["after_text"], json!({"tr": "+%34,99", "en": "+34.99%"}));
    assert!(changes[1]["before_text"]["en"].as_str().unwrap().ends_with('%'));
    assert!(!moved["moved"].as_array().unwrap().is_empty());

    let same = number(&moved["changes"][1]["before"]);
    let still = ask(json!({"return_5": same})).await.ok();
    assert_eq!(still["moved"], json!([]), "nothing moves when nothing is changed");
    assert_eq!(still["before"], still["after"]);

    let unknown = ask(json!({"rsi14": 30.0})).await;
    let (code, detail) = unknown.problem(422);
    assert!(code == "change_refused" && detail.contains("rsi_14"), "{detail}");
    assert_eq!(ask(json!({})).await.problem(422).0, "change_refused");
    for body in [json!({"changes": {}}), json!({"symbol": symbol, "changes": {"rsi_14": "high"}})] {
        let refused = app.post("/api/v1/explanations/what-if", &body).await;
        assert_eq!(refused.problem(400).0, "malformed_request");
    }
    let nowhere = json!({"symbol": "no symbol", "changes": {"rsi_14": 30.0}});
    let refused = app.post("/api/v1/explanations/what-if", &nowhere).await;
    assert_eq!(refused.problem(400).0, "invalid_parameter");
}

#[tokio::test]
async fn a_summary_ranks_features_over_a_window() {
    let app = TestApp::trained().await;
    let summary = app.get("/api/v1/explanations/summary?window=5").await.ok();
    let rows_count = summary["rows_count"].as_u64().unwrap();
    assert!((1..=30).contains(&rows_count), "six symbols on five days: {rows_count}");
    let features = summary["features"].as_array().unwrap();
    let sizes: Vec<f64> = features.iter().map(|f| number(&f["mean_abs_share"])).collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b) && sizes[0] > 0.0);
    for (index, feature) in features.iter().enumerate() {
        let points = feature["points"].as_array().unwrap();
        assert_eq!(points.len() as u64, if index < 20 { rows_count } else { 0 });
        if index < 20 {
            let mean = sum(&feature["points"], "contribution_share") / points.len() as f64;
            assert!((mean - number(&feature["mean_share"])).abs() < 1e-12);
        }
    }
}

#[tokio::test]
async fn what_was_never_explained_is_told() {
    let app = TestApp::trained().await;
    for path in ["/api/v1/explanations/none", "/api/v1/explanations?symbol=NONE"] {
        let (code, detail) = (app.get(path).await.problem(404).0.to_owned(), path);
        assert_eq!(code, "explanation_not_found", "{detail}");
    }
    let empty = TestApp::empty().await;
    let answer = empty.get("/api/v1/explanations/summary").await;
    assert_eq!(answer.problem(404).0, "explanation_not_found");
}
