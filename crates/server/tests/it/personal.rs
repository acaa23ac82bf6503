//! Watchlists, settings and alerts: each person's own, on all their devices.

use axum::http::Method;
use bist_access::Role;
use serde_json::{Value, json};

use crate::page::ask;
use crate::test_app::{Answer, Opened, TestApp, enrol, sign_in};

const LISTS: &str = "/api/v1/watchlists";
const RULES: &str = "/api/v1/alerts/rules";
const SETTINGS: &str = "/api/v1/settings";

async fn viewer(app: &TestApp, name: &str) -> Opened {
    let signed_in = sign_in(&app.app, name, Role::Viewer).await;
    let (signed_in, _) = enrol(&app.app, &signed_in.account).await;
    Opened::of(&app.app, &signed_in).await
}

async fn get(app: &TestApp, page: &Opened, path: &str) -> Value {
    ask(app, page, Method::GET, path, json!({})).await.ok()
}

async fn post(app: &TestApp, page: &Opened, path: &str, body: Value) -> Answer {
    ask(app, page, Method::POST, path, body).await
}

async fn patch(app: &TestApp, page: &Opened, path: &str, body: Value) -> Answer {
    ask(app, page, Method::PATCH, path, body).await
}

fn rule(condition: &Value) -> Value {
    json!({
        "name": "TEST1 100 üstü", "enabled": true, "condition": condition, "channels": ["web"],
        "cool_down_minutes": 60, "quiet_hours": {"from": "22:00", "to": "08:00"},
    })
}

#[tokio::test]
async fn a_list_is_its_owners_and_the_second_of_two_devices_is_told() {
    let app = TestApp::with_files().await;
    let (ayse, berk) = (viewer(&app, "ayse").await, viewer(&app, "berk").await);
    let made = post(&app, &ayse, LISTS, json!({"name": "Bankalar", "symbols": ["test1"]})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["symbols"], json!(["TEST1"]));
    let path = format!("{LISTS}/{}", made.body["id"].as_str().unwrap());

    let changed = json!({"revision": 1, "name": "Bankalar", "symbols": ["ZTEST", "TEST1"]});
    let answer = patch(&app, &ayse, &path, changed.clone()).await.ok();
    assert_eq!((&answer["revision"], &answer["symbols"]), (&json!(2), &json!(["ZTEST", "TEST1"])));
    // The other device has not seen that.
    let late = patch(&app, &ayse, &path, changed).await;
    assert_eq!(late.problem(409).0, "changed_meanwhile");

    for (body, wrong) in [
        (json!({"name": "", "symbols": []}), "name: "),
        (json!({"name": "x", "symbols": ["TEST1", "TEST1"]}), "symbols: TEST1 stands twice"),
        (json!({"name": "x", "symbols": ["NONE1"]}), "there are no daily bars of NONE1"),
    ] {
        let refused = post(&app, &ayse, LISTS, body).await;
        let (code, detail) = refused.problem(400);
        assert!(code == "malformed_request" && detail.starts_with(wrong), "{detail}");
    }

    // Nobody else sees it, changes it, or hears of it.
    assert_eq!(get(&app, &berk, LISTS).await["items"], json!([]));
    let foreign = json!({"revision": 2, "name": "x", "symbols": []});
    let refused = patch(&app, &berk, &path, foreign).await;
    assert_eq!(refused.problem(404).0, "watchlist_not_found");
    let refused = ask(&app, &berk, Method::DELETE, &path, json!({})).await;
    assert_eq!(refused.problem(404).0, "watchlist_not_found");
    app.app.look_at_changes().await.unwrap();
    let poll = "/api/v1/live/poll?topics=watchlists,settings,alerts";
    let heard = get(&app, &ayse, poll).await["items"][0]["data"]["items"].clone();
    assert_eq!((heard.as_array().unwrap().len(), &heard[0]["topic"]), (1, &json!("watchlists")));
    let heard = get(&app, &berk, poll).await["items"][0]["data"]["items"].clone();
    assert_eq!(heard, json!([]));

    for number in 1..20 {
        let body = json!({"name": format!("{number}"), "symbols": []});
        assert_eq!(post(&app, &ayse, LISTS, body).await.status, 201);
    }
    let refused = post(&app, &ayse, LISTS, json!({"name": "x", "symbols": []})).await;
    assert_eq!(refused.problem(409).0, "limit_reached");
    assert_eq!(ask(&app, &ayse, Method::DELETE, &path, json!({})).await.status, 204);
}

#[tokio::test]
async fn settings_hold_on_all_devices_and_the_export_has_everything() {
    let app = TestApp::with_files().await;
    let ayse = viewer(&app, "ayse").await;
    let kept = get(&app, &ayse, SETTINGS).await;
    assert_eq!((&kept["revision"], &kept["updated_at"]), (&json!(0), &Value::Null));
    let mut settings = kept["settings"].clone();
    settings["language"] = json!("en");
    settings["channels"] = json!(["web", "email"]);
    let change = json!({"revision": 0, "settings": settings});
    assert_eq!(patch(&app, &ayse, SETTINGS, change.clone()).await.ok()["revision"], 1);
    assert_eq!(get(&app, &ayse, SETTINGS).await["settings"], settings);
    let late = patch(&app, &ayse, SETTINGS, change).await;
    assert_eq!(late.problem(409).0, "changed_meanwhile");
    for (field, wrong) in [
        ("language", json!("de")),
        ("confidence_share_min", json!(0.4)),
        ("horizon", json!("7")),
        ("channels", json!(["fax"])),
    ] {
        let mut settings = settings.clone();
        settings[field] = wrong;
        let refused =
            patch(&app, &ayse, SETTINGS, json!({"revision": 1, "settings": settings})).await;
        let (code, detail) = refused.problem(400);
        assert!(code == "malformed_request" && detail.contains(field), "{detail}");
    }
    let list = json!({"name": "Bankalar", "symbols": ["TEST1"]});
    assert_eq!(post(&app, &ayse, LISTS, list).await.status, 201);
    let hook = json!({"address": "https://example.com/hook"});
    let set = post(&app, &ayse, "/api/v1/alerts/channels/webhook", hook).await.ok();
    assert!(set["webhook_key"].as_str().unwrap().starts_with("whsec_"));
    let above = json!({"kind": "price", "symbol": "TEST1", "direction": "up", "price": "100"});
    assert_eq!(post(&app, &ayse, RULES, rule(&above)).await.status, 201);
    let export = app.get("/api/v1/users/ayse/export").await.ok();
    assert_eq!(export["settings"]["settings"]["language"], "en");
    assert_eq!(export["watchlists"][0]["name"], "Bankalar");
    assert_eq!(export["alert_channels"][0]["address"], "https://example.com/hook");
    assert_eq!(export["alert_rules"][0]["rule"]["condition"]["price"], "100.00");
    let actions = app.get("/api/v1/audit?action=alert_channel.set").await.ok();
    assert_eq!(actions["items"][0]["details"], json!({"channel": "webhook"}));
    assert!(!actions.to_string().contains("example.com"));
}

#[tokio::test]
async fn a_rule_is_checked_and_what_it_fired_is_read_by_its_owner() {
    let app = TestApp::with_files().await;
    let (ayse, berk) = (viewer(&app, "ayse").await, viewer(&app, "berk").await);
    let quality = json!({"kind": "data_quality", "score_share": 1.0});
    let made = post(&app, &ayse, RULES, rule(&quality)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.body["state"]["is_met"], Value::Null);
    let above = json!({"kind": "price", "symbol": "TEST1", "direction": "up", "price": "100"});
    assert_eq!(post(&app, &ayse, RULES, rule(&above)).await.status, 201);
    for (condition, wrong) in [
        (json!({"kind": "moon"}), "condition.kind: give one of price"),
        (
            json!({"kind": "price", "symbol": "TEST1", "price": "1"}),
            "condition.direction: is missing",
        ),
        (json!({"kind": "drift", "score_share": 0.5}), "condition.score_share: the kind 'drift'"),
        (json!({"kind": "data_quality", "score_share": 2}), "score_share is 2; give"),
        (json!({"kind": "band_breach", "symbol": "TEST1", "horizon": "1h"}), "horizon is 1h;"),
    ] {
        let refused = post(&app, &ayse, RULES, rule(&condition)).await;
        let (code, detail) = refused.problem(400);
        assert!(code == "malformed_request" && detail.starts_with(wrong), "{detail}");
    }
    // The quality of the files is below 100 %; their last bar is of Friday, and Monday is over.
    assert_eq!(app.app.look_at_alert_rules().await.unwrap().fired_count, 1);
    let rules = get(&app, &ayse, RULES).await;
    // Both were made at the same instant.
    let state_of = |kind: &str| {
        let items = rules["items"].as_array().unwrap().iter();
        let mut of_kind = items.filter(|item| item["rule"]["condition"]["kind"] == kind);
        of_kind.next().unwrap()["state"].clone()
    };
    assert_eq!(state_of("data_quality")["is_met"], true);
    assert_eq!(state_of("price")["silence"], "stale_bars");
    let alerts = get(&app, &ayse, "/api/v1/alerts").await;
    assert_eq!(
        (&alerts["unread_count"], &alerts["items"][0]["kind"]),
        (&json!(1), &json!("data_quality"))
    );
    assert_eq!(alerts["items"][0]["deliveries"][0]["state"], "delivered");
    assert_eq!(get(&app, &berk, "/api/v1/alerts").await["items"], json!([]));
    assert_eq!(post(&app, &ayse, "/api/v1/alerts/read", json!({"number": 1})).await.status, 204);
    assert_eq!(get(&app, &ayse, "/api/v1/alerts").await["unread_count"], 0);

    let path = format!("{RULES}/{}", made.body["id"].as_str().unwrap());
    let change = json!({"revision": 1, "rule": rule(&above)});
    assert_eq!(
        patch(&app, &berk, &path, change.clone()).await.problem(404).0,
        "alert_rule_not_found"
    );
    assert_eq!(patch(&app, &ayse, &path, change.clone()).await.ok()["revision"], 2);
    assert_eq!(patch(&app, &ayse, &path, change).await.problem(409).0, "changed_meanwhile");
    let refused =
        post(&app, &ayse, "/api/v1/alerts/channels/email", json!({"address": "a@b.c"})).await;
    assert_eq!(refused.problem(409).0, "alert_channel_unavailable");
    let refused = post(&app, &ayse, "/api/v1/alerts/channels/webhook/test", json!({})).await;
    assert_eq!(refused.problem(404).0, "alert_channel_not_found");
    let inside = json!({"address": "https://169.254.169.254/latest"});
    let refused = post(&app, &ayse, "/api/v1/alerts/channels/webhook", inside).await;
    assert_eq!(refused.problem(400).0, "malformed_request");
}
