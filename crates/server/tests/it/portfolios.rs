//! Paper portfolios: opened, looked at, closed; taken along and forgotten with their owner.

use axum::http::Method;
use bist_access::Role;
use serde_json::{Value, json};

use crate::orders::{exchange, get, open_portfolio, place, purchase, trader};
use crate::page::{ask, opened};
use crate::schema_check::assert_valid;
use crate::test_app::{Answer, Opened, TestApp, sign_in};

const PORTFOLIOS: &str = "/api/v1/portfolios";

async fn post(app: &TestApp, page: &Opened, path: &str, body: Value) -> Answer {
    ask(app, page, Method::POST, path, body).await
}

#[tokio::test]
async fn a_portfolio_is_opened_with_usual_costs_and_limits_and_says_that_it_is_paper() {
    let app = exchange().await;
    let document = app.get("/api/openapi.json").await.ok();
    let page = trader(&app, "ayse").await;
    let terms = json!({"name": " Deneme ", "opening_cash": "100000"});
    let answer = post(&app, &page, PORTFOLIOS, terms).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let portfolio = answer.body;
    let schema = json!({"$ref": "#/components/schemas/Portfolio"});
    assert_valid(&document, &schema, &portfolio, PORTFOLIOS);
    assert_eq!((&portfolio["paper"], &portfolio["name"]), (&json!(true), &json!("Deneme")));
    for amount in ["opening_cash", "value", "cash", "settled_cash", "free_cash"] {
        assert_eq!(portfolio[amount], "100000.00", "{amount}");
    }
    for amount in ["invested", "profit", "realised", "charges", "dividends", "reserved_cash"] {
        assert_eq!(portfolio[amount], "0.00", "{amount}");
    }
    assert_eq!(portfolio["costs"]["commission_share"], 0.0004);
    assert_eq!(
        portfolio["limits"],
        json!({"order_notional_max": "1000000.00", "position_share_max": 0.25})
    );
    // The session of the day is not over.
    assert_eq!(
        (&portfolio["through"], &portfolio["day_profit"]),
        (&json!("2026-11-23"), &Value::Null)
    );
    let path = format!("{PORTFOLIOS}/{}", portfolio["id"].as_str().unwrap());
    assert_eq!(get(&app, &page, &path).await, portfolio);
    let list = get(&app, &page, PORTFOLIOS).await;
    assert_valid(
        &document,
        &json!({"$ref": "#/components/schemas/PortfolioPage"}),
        &list,
        PORTFOLIOS,
    );
    assert_eq!((&list["paper"], &list["items"]), (&json!(true), &json!([portfolio])));
    for part in ["events", "days"] {
        let record = get(&app, &page, &format!("{path}/{part}")).await;
        assert_eq!(record, json!({"paper": true, "items": [], "next": null}));
    }
}

#[tokio::test]
async fn terms_that_are_none_are_refused_by_the_name_of_their_field() {
    let app = TestApp::empty().await;
    let page = trader(&app, "ayse").await;
    let costs = |commission: f64| {
        json!({
            "commission_share": commission, "bsmv_share_of_commission": 0.05,
            "exchange_fee_share": 0.00003, "slippage_share": 0.0005,
        })
    };
    for (terms, expected) in [
        (json!({"name": "Deneme", "opening_cash": "999.99"}), "opening_cash: "),
        (json!({"name": "Deneme", "opening_cash": "1000000000.01"}), "opening_cash: "),
        (json!({"name": "Deneme", "opening_cash": "çok"}), "opening_cash: 'çok' is no amount"),
        (json!({"name": "Deneme"}), "missing field `opening_cash`"),
        (
            json!({"name": "Deneme", "opening_cash": "1000", "costs": costs(0.06)}),
            "costs.commission_share: ",
        ),
        (
            json!({
                "name": "Deneme", "opening_cash": "1000",
                "limits": {"order_notional_max": "5000", "position_share_max": 0},
            }),
            "limits.position_share_max: ",
        ),
        (json!({"name": "Deneme", "opening_cash": "1000", "real": true}), "unknown field `real`"),
    ] {
        let answer = post(&app, &page, PORTFOLIOS, terms).await;
        let (code, detail) = answer.problem(400);
        assert_eq!(code, "malformed_request");
        assert!(detail.contains(expected), "{detail}");
    }
    for name in ["", "  ", "a\u{7}b", "x".repeat(61).as_str()] {
        let terms = json!({"name": name, "opening_cash": "1000"});
        let answer = post(&app, &page, PORTFOLIOS, terms).await;
        assert_eq!(answer.problem(400).0, "malformed_request", "{name:?}");
    }
    assert_eq!(get(&app, &page, PORTFOLIOS).await["items"], json!([]));
}

#[tokio::test]
async fn a_closed_portfolio_is_read_and_takes_nothing() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let order = place(&app, &page, purchase(&portfolio)).await.body;
    let path = format!("{PORTFOLIOS}/{portfolio}");
    let close = format!("{path}/close");
    let closed = post(&app, &page, &close, json!({})).await.ok();
    assert_eq!(closed["closed_at"], "2026-11-24T12:00:00Z");
    assert_eq!(
        (&closed["open_orders_count"], &closed["free_cash"]),
        (&json!(0), &json!("100000.00"))
    );
    let order = format!("/api/v1/orders/{}", order["id"].as_str().unwrap());
    let order = get(&app, &page, &order).await;
    assert_eq!(
        (&order["status"], &order["cancel_reason"]),
        (&json!("cancelled"), &json!("closed"))
    );
    let denied = place(&app, &page, purchase(&portfolio)).await;
    assert_eq!((denied.problem(422).0, &denied.body["denial"]), ("order_denied", &json!("closed")));
    let again = post(&app, &page, &close, json!({})).await;
    assert_eq!(again.problem(409).0, "portfolio_closed");
    assert_eq!(get(&app, &page, &path).await["closed_at"], closed["closed_at"]);
    let records = app.get("/api/v1/audit?action=portfolio").await.ok();
    let actions: Vec<&Value> =
        records["items"].as_array().unwrap().iter().map(|record| &record["action"]).collect();
    assert_eq!(actions, ["portfolio.closed", "portfolio.opened"]);
}

#[tokio::test]
async fn a_person_has_ten_open_portfolios_at_most() {
    let app = TestApp::empty().await;
    let page = trader(&app, "ayse").await;
    let mut last = String::new();
    for _ in 0..10 {
        last = open_portfolio(&app, &page).await;
    }
    let terms = json!({"name": "Deneme", "opening_cash": "1000"});
    let refused = post(&app, &page, PORTFOLIOS, terms.clone()).await;
    assert_eq!(refused.problem(409).0, "limit_reached");
    post(&app, &page, &format!("{PORTFOLIOS}/{last}/close"), json!({})).await.ok();
    assert_eq!(post(&app, &page, PORTFOLIOS, terms).await.status, 201);
    assert_eq!(get(&app, &page, PORTFOLIOS).await["items"].as_array().unwrap().len(), 11);
}

#[tokio::test]
async fn portfolios_are_for_traders_and_those_of_others_are_not_there() {
    let app = TestApp::empty().await;
    let (ayse, berk) = (trader(&app, "ayse").await, trader(&app, "berk").await);
    let viewer = opened(&app, &sign_in(&app.app, "can", Role::Viewer).await).await;
    let path = format!("{PORTFOLIOS}/{}", open_portfolio(&app, &ayse).await);
    assert_eq!(get(&app, &berk, PORTFOLIOS).await["items"], json!([]));
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/events")),
        (Method::GET, format!("{path}/days")),
        (Method::POST, format!("{path}/close")),
    ] {
        let answer = ask(&app, &berk, method.clone(), &path, json!({})).await;
        assert_eq!(answer.problem(404).0, "portfolio_not_found", "{method} {path}");
        let answer = ask(&app, &viewer, method.clone(), &path, json!({})).await;
        assert_eq!(answer.problem(403).0, "forbidden", "{method} {path}");
    }
    assert_eq!(get(&app, &ayse, &path).await["closed_at"], Value::Null);
}

#[tokio::test]
async fn a_person_takes_their_portfolios_along_and_is_forgotten_with_them() {
    let app = exchange().await;
    let document = app.get("/api/openapi.json").await.ok();
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let order = place(&app, &page, purchase(&portfolio)).await.body;
    let exported = app.get("/api/v1/users/ayse/export").await.ok();
    let schema = json!({"$ref": "#/components/schemas/PersonalData"});
    assert_valid(&document, &schema, &exported, "export");
    let kept = &exported["portfolios"][0];
    assert_eq!((&kept["id"], &kept["cash"]), (&json!(portfolio), &json!("100000.00")));
    assert_eq!(kept["orders"][0]["id"], order["id"]);

    let user = app.app.user("ayse").await.unwrap();
    let erased = app.send(Method::DELETE, &format!("/api/v1/users/{}", user.id), &[]).await;
    assert_eq!(erased.status, 204, "{}", erased.body);
    assert_eq!(app.get("/api/v1/admin/trading").await.ok()["open_orders_count"], 0);
    // What was done stays on record, without who did it.
    let records = app.get("/api/v1/audit?action=order.placed").await.ok();
    assert_eq!(records["items"].as_array().unwrap().len(), 1);
    assert!(!records.to_string().contains("ayse"), "{records}");
    assert_eq!(app.get("/api/v1/audit/verification").await.ok()["verified"], true);
}
