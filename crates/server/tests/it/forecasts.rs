//! `/api/v1/forecasts`.

use bist_market::Price;
use serde_json::{Value, json};

use crate::test_app::{NOW, TestApp};

fn price(value: &Value) -> Price {
    Price::parse(value.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_forecast_has_a_step_a_session_with_bands_around_its_middle() {
    let app = TestApp::trained().await;
    let page = app.get("/api/v1/forecasts").await.ok();
    let items = page["items"].as_array().unwrap();
    assert!(!items.is_empty());
    for forecast in items {
        assert_eq!((&forecast["origin"], &forecast["made_at"]), (&json!("sample"), &json!(NOW)));
        let steps = forecast["steps"].as_array().unwrap();
        assert_eq!(forecast["horizon_sessions"], steps.len());
        assert_eq!(forecast["horizon"], steps.len().to_string());
        assert!(forecast.get("as_of_time").is_none(), "a day has no time");
        for (session, step) in (1..).zip(steps) {
            assert_eq!(step["session"], session);
            let [half, most, nearly_all] = step["bands"].as_array().unwrap().as_slice() else {
                panic!("{step}")
            };
            let levels = [half, most, nearly_all].map(|band| &band["coverage"]);
            assert_eq!(levels, [&json!(0.5), &json!(0.8), &json!(0.95)]);
            let in_order = [
                &nearly_all["low"],
                &most["low"],
                &half["low"],
                &step["median"],
                &half["high"],
                &most["high"],
                &nearly_all["high"],
            ]
            .map(price);
            assert!(in_order.is_sorted(), "{step}");
        }
        let up = forecast["probability_up"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&up) && forecast["volatility_share"].as_f64().unwrap() > 0.0);
        let barriers = &forecast["barriers"];
        let shares = ["upper", "lower", "vertical"].map(|name| barriers[name].as_f64().unwrap());
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{barriers}");
        let [first, last] = [&steps[0], &steps[steps.len() - 1]]
            .map(|step| price(&step["bands"][1]["high"]).lira() / price(&step["median"]).lira());
        assert!(first <= last, "the band widens: {forecast}");
    }
}

#[tokio::test]
async fn horizons_within_a_session_may_be_asked_for_and_others_are_named() {
    let app = TestApp::trained().await;
    for horizon in ["1h", "eod"] {
        // Nobody has trained on hours.
        let page = app.get(&format!("/api/v1/forecasts?horizon={horizon}")).await.ok();
        assert_eq!(page["items"], json!([]));
    }
    let answer = app.get("/api/v1/forecasts?horizon=2h").await;
    let (code, detail) = answer.problem(400);
    assert_eq!(code, "invalid_parameter");
    assert!(detail.contains("1, 5 or 20 sessions, 1h or eod"), "{detail}");
}

#[tokio::test]
async fn the_steps_are_the_sessions_after_the_last_bar() {
    let app = TestApp::trained().await;
    let page = app.get("/api/v1/forecasts").await.ok();
    let forecast =
        page["items"].as_array().unwrap().iter().find(|one| one["as_of"] == "2026-11-20").unwrap();
    let days: Vec<&Value> =
        forecast["steps"].as_array().unwrap().iter().map(|step| &step["day"]).collect();
    assert_eq!(days, ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27"]);
}

#[tokio::test]
async fn one_symbol_can_be_asked_for() {
    let app = TestApp::trained().await;
    let all = app.get("/api/v1/forecasts").await.ok();
    let one = &all["items"][0];
    let path = format!("/api/v1/forecasts?symbol={}", one["symbol"].as_str().unwrap());
    assert_eq!(app.get(&path).await.ok(), json!({"items": [one], "next": null}));
    assert_eq!(app.get("/api/v1/forecasts?symbol=NONE").await.problem(404).0, "symbol_not_found");
}

#[tokio::test]
async fn without_a_model_there_is_no_forecast() {
    let app = TestApp::with_files().await;
    for path in ["/api/v1/forecasts", "/api/v1/forecasts?symbol=TEST1"] {
        assert_eq!(app.get(path).await.ok(), json!({"items": [], "next": null}));
    }
}
