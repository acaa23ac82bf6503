//! Paper orders: placed, denied, taken back, executed on later sessions, and on record with each step.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use bist_access::{KeyRequest, Role, Scope};
use bist_app::AuditFilter;
use bist_app::rate_limits::Quotas;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::page::{ask, moved, opened};
use crate::schema_check::assert_valid;
use crate::test_app::{Answer, Opened, TestApp, settings, sign_in};

const ORDERS: &str = "/api/v1/orders";
const PORTFOLIOS: &str = "/api/v1/portfolios";

/// Six sessions of a share, the last of them Monday, 23 November 2026: the newest whose data are due at
/// the instant of tests.
const PAPER_CSV: &str = "date,open,high,low,close,volume
2026-11-16,100.00,102.00,99.50,101.00,100000
2026-11-17,101.00,103.00,100.50,102.50,100000
2026-11-18,102.50,104.00,102.00,103.00,100000
2026-11-19,103.00,103.50,101.00,101.50,100000
2026-11-20,101.50,102.50,100.00,100.50,100000
2026-11-23,100.50,101.50,100.00,101.00,100000
";

/// The two sessions after them.
const LATER_ROWS: &str = "2026-11-24,101.00,102.00,100.50,101.50,100000
2026-11-25,101.00,103.00,100.00,102.00,100000
";

/// A share whose newest bar is one session too old.
const OLD_CSV: &str = "date,open,high,low,close,volume
2026-11-19,10.00,10.20,9.95,10.10,100000
2026-11-20,10.10,10.30,10.00,10.20,100000
";

/// A service with shares to trade.
pub(crate) async fn exchange() -> TestApp {
    TestApp::with_csv(&[("PAPER.csv", PAPER_CSV), ("OLD.csv", OLD_CSV)]).await
}

/// The page of somebody who trades.
pub(crate) async fn trader(app: &TestApp, name: &str) -> Opened {
    opened(app, &sign_in(&app.app, name, Role::Trader).await).await
}

/// Opens a portfolio of 100,000 TRY; its name for programs.
pub(crate) async fn open_portfolio(app: &TestApp, page: &Opened) -> String {
    let terms = json!({
        "name": "Deneme", "opening_cash": "100000.00",
        "limits": {"order_notional_max": "150000.00", "position_share_max": 0.25},
    });
    let answer = ask(app, page, Method::POST, PORTFOLIOS, terms).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["id"].as_str().unwrap().to_owned()
}

/// A purchase of 100 shares at 101.50 TRY, in the next session.
pub(crate) fn purchase(portfolio: &str) -> Value {
    json!({
        "portfolio": portfolio, "symbol": "PAPER", "side": "buy", "quantity_shares": 100,
        "kind": "limit", "limit_price": "101.50",
    })
}

/// The same with other fields.
fn with(mut order: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

pub(crate) async fn place(app: &TestApp, page: &Opened, order: Value) -> Answer {
    ask(app, page, Method::POST, ORDERS, order).await
}

pub(crate) async fn get(app: &TestApp, page: &Opened, path: &str) -> Value {
    ask(app, page, Method::GET, path, json!({})).await.ok()
}

/// Sends a request with a header of its own.
async fn with_header(
    app: &TestApp,
    (page, header): (&Opened, (&str, &str)),
    order: &Value,
) -> Answer {
    let headers = [
        ("cookie", page.cookie.as_str()),
        ("x-csrf-token", page.csrf_token.as_str()),
        ("content-type", "application/json"),
        header,
    ];
    app.send_body(Method::POST, ORDERS, &headers, Body::from(order.to_string())).await
}

fn path_of(order: &Value) -> String {
    format!("{ORDERS}/{}", order["id"].as_str().unwrap())
}

/// What is on record of `action`, the newest first.
async fn on_record(app: &TestApp, action: &str) -> Vec<Value> {
    let records = app.get(&format!("/api/v1/audit?action={action}")).await.ok();
    records["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_order_is_placed_looked_at_and_taken_back() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let placed = place(&app, &page, purchase(&portfolio)).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let order = placed.body;
    assert_eq!((&order["paper"], &order["status"]), (&json!(true), &json!("open")));
    assert_eq!((&order["kind"], &order["validity"]), (&json!("limit"), &json!("day")));
    assert_eq!(order["limit_price"], "101.50");
    // The session of the day has begun.
    assert_eq!(order["first_session"], "2026-11-25");
    assert_eq!(order["last_session"], "2026-11-25");
    assert_eq!((&order["filled_shares"], &order["remaining_shares"]), (&json!(0), &json!(100)));
    let path = path_of(&order);
    assert_eq!(get(&app, &page, &path).await, order);

    // 10,150.00 and 4.06 + 0.20 + 0.30 of charges are bound.
    let bound = get(&app, &page, &format!("{PORTFOLIOS}/{portfolio}")).await;
    assert_eq!(bound["reserved_cash"], "10154.56");
    assert_eq!((&bound["cash"], &bound["free_cash"]), (&json!("100000.00"), &json!("89845.44")));
    let open = get(&app, &page, &format!("{ORDERS}?open=true&portfolio={portfolio}")).await;
    assert_eq!((&open["items"], &open["next"]), (&json!([order]), &Value::Null));
    assert_eq!(open["trading"], json!({"halted": false, "reason": null}));

    let cancelled = ask(&app, &page, Method::DELETE, &path, json!({})).await.ok();
    assert_eq!(
        (&cancelled["status"], &cancelled["cancel_reason"], &cancelled["cancelled_at"]),
        (&json!("cancelled"), &json!("owner"), &json!("2026-11-24T12:00:00Z"))
    );
    let again = ask(&app, &page, Method::DELETE, &path, json!({})).await;
    assert_eq!(again.problem(409).0, "order_not_open");
    assert_eq!(get(&app, &page, &format!("{ORDERS}?open=true")).await["items"], json!([]));

    let records = on_record(&app, "order").await;
    let seen: Vec<(&Value, &Value)> =
        records.iter().map(|record| (&record["action"], &record["actor_name"])).collect();
    let name = json!("ayse");
    assert_eq!(seen, [(&json!("order.cancelled"), &name), (&json!("order.placed"), &name)]);
    assert_eq!(records[1]["details"]["quantity_shares"], 100);
}

#[tokio::test]
async fn an_order_that_is_denied_says_by_which_rule_and_is_on_record() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let denied = [
        (
            json!({"limit_price": "101.05"}),
            "off_tick",
            json!({"price": "101.05", "below": "101.00", "above": "101.10"}),
        ),
        (
            json!({"limit_price": "120.00"}),
            "outside_limits",
            json!({"price": "120.00", "lower": "90.90", "upper": "111.10"}),
        ),
        (json!({"quantity_shares": 0}), "nothing_ordered", json!({})),
        (
            json!({"quantity_shares": 1500}),
            "notional_above_limit",
            json!({"notional": "152250.00", "limit": "150000.00"}),
        ),
        (
            json!({"quantity_shares": 990}),
            "cash_short",
            json!({"needed": "100530.21", "available": "100000.00"}),
        ),
        (json!({"quantity_shares": 300}), "position_above_limit", json!({"limit": 0.25})),
        (json!({"side": "sell"}), "shares_short", json!({"ordered": 100, "free": 0})),
        (
            json!({"validity": "until", "until": "2026-11-24"}),
            "ends_too_early",
            json!({"first_session": "2026-11-25"}),
        ),
        (
            json!({"validity": "until", "until": "2027-01-01"}),
            "ends_too_late",
            json!({"latest": "2026-12-25"}),
        ),
        (
            json!({"symbol": "OLD", "limit_price": "10.20"}),
            "stale",
            json!({"last_day": "2026-11-20", "expected_day": "2026-11-23"}),
        ),
    ];
    for (fields, rule, numbers) in &denied {
        let answer = place(&app, &page, with(purchase(&portfolio), fields)).await;
        assert_eq!(answer.problem(422).0, "order_denied");
        assert_eq!(answer.body["denial"], *rule, "{}", answer.body);
        for (name, value) in numbers.as_object().unwrap() {
            assert_eq!(&answer.body[name], value, "{}", answer.body);
        }
    }
    let records = on_record(&app, "order.denied").await;
    let rules: Vec<&Value> = records.iter().rev().map(|of| &of["details"]["denial"]).collect();
    assert_eq!(rules, denied.iter().map(|(_, rule, _)| *rule).collect::<Vec<_>>());
    assert!(records.iter().all(|record| record["actor_name"] == "ayse"));
    assert_eq!(get(&app, &page, ORDERS).await["items"], json!([]), "nothing is kept");
    let verified = app.get("/api/v1/audit/verification").await.ok();
    assert_eq!(verified["verified"], true);
}

#[tokio::test]
async fn an_order_that_cannot_be_read_is_no_order() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    for fields in [
        json!({"kind": "market"}),
        json!({"limit_price": null}),
        json!({"limit_price": 101.5}),
        json!({"until": "2026-12-04"}),
        json!({"quantity_shares": -1}),
        json!({"side": "short"}),
        json!({"broker": "real"}),
    ] {
        let answer = place(&app, &page, with(purchase(&portfolio), &fields)).await;
        assert_eq!(answer.problem(400).0, "malformed_request", "{fields}");
    }
    let unknown = with(purchase(&portfolio), &json!({"symbol": "NONE"}));
    assert_eq!(place(&app, &page, unknown).await.problem(404).0, "symbol_not_found");
    let nowhere = purchase("f0123456789abcdef");
    assert_eq!(place(&app, &page, nowhere).await.problem(404).0, "portfolio_not_found");
    assert_eq!(on_record(&app, "order").await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_order_under_the_same_key_is_placed_once() {
    let app = exchange().await;
    let (ayse, berk) = (trader(&app, "ayse").await, trader(&app, "berk").await);
    let portfolio = open_portfolio(&app, &ayse).await;
    let key = ("idempotency-key", "2b0c6f0e-7d5b");
    let order = purchase(&portfolio);
    let first = with_header(&app, (&ayse, key), &order).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = with_header(&app, (&ayse, key), &order).await;
    assert_eq!(again.ok(), first.body);
    let other = with(order.clone(), &json!({"quantity_shares": 200}));
    let refused = with_header(&app, (&ayse, key), &other).await;
    assert_eq!(refused.problem(409).0, "order_key_reused");
    assert_eq!(get(&app, &ayse, ORDERS).await["items"].as_array().unwrap().len(), 1);

    // Of somebody else it is another key.
    let theirs = purchase(&open_portfolio(&app, &berk).await);
    assert_eq!(with_header(&app, (&berk, key), &theirs).await.status, 201);
    let long = "x".repeat(65);
    for key in ["", "a b", "ş", long.as_str()] {
        let refused = with_header(&app, (&ayse, ("idempotency-key", key)), &order).await;
        assert_eq!(refused.problem(400).0, "malformed_request", "{key}");
    }
}

#[tokio::test]
async fn a_preview_tells_what_an_order_would_come_to_and_keeps_nothing() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let path = format!("{ORDERS}/preview");
    let market = json!({
        "portfolio": portfolio, "symbol": "PAPER", "side": "buy", "quantity_shares": 100,
        "kind": "market",
    });
    let preview = ask(&app, &page, Method::POST, &path, market).await.ok();
    // 0.04 % of 10,100.00, 5 % of that, 0.003 %; and the upper price limit is 111.10.
    let expected = json!({
        "paper": true, "origin": "market", "estimated_price": "101.00", "amount": "10100.00",
        "charges": {"commission": "4.04", "bsmv": "0.20", "exchange_fee": "0.30", "total": "4.54"},
        "reserve": "11114.99", "first_session": "2026-11-25",
        "executes_from": "2026-11-25T06:40:00Z", "cash_after": "89895.46",
        "price_limits": {"lower": "90.90", "upper": "111.10"}, "price_step": "0.10",
    });
    assert_eq!(preview, expected);
    let denied = with(purchase(&portfolio), &json!({"quantity_shares": 1500}));
    let denied = ask(&app, &page, Method::POST, &path, denied).await;
    assert_eq!(denied.problem(422).0, "order_denied");
    assert_eq!(denied.body["denial"], "notional_above_limit");
    assert_eq!(get(&app, &page, ORDERS).await["items"], json!([]));
    assert_eq!(on_record(&app, "order").await, Vec::<Value>::new());
}

#[tokio::test]
async fn orders_are_for_traders_and_those_of_others_are_not_there() {
    let app = exchange().await;
    let (ayse, berk) = (trader(&app, "ayse").await, trader(&app, "berk").await);
    let viewer = opened(&app, &sign_in(&app.app, "can", Role::Viewer).await).await;
    let portfolio = open_portfolio(&app, &ayse).await;
    let order = place(&app, &ayse, purchase(&portfolio)).await.body;
    let path = path_of(&order);
    let answer = ask(&app, &viewer, Method::GET, ORDERS, json!({})).await;
    assert_eq!(answer.problem(403).0, "forbidden");
    let answer = place(&app, &viewer, purchase(&portfolio)).await;
    assert_eq!(answer.problem(403).0, "forbidden");

    assert_eq!(get(&app, &berk, ORDERS).await["items"], json!([]));
    for method in [Method::GET, Method::DELETE] {
        let answer = ask(&app, &berk, method, &path, json!({})).await;
        assert_eq!(answer.problem(404).0, "order_not_found");
    }
    let answer = place(&app, &berk, purchase(&portfolio)).await;
    assert_eq!(answer.problem(404).0, "portfolio_not_found");
    let of_portfolio = format!("{ORDERS}?portfolio={portfolio}");
    let answer = ask(&app, &berk, Method::GET, &of_portfolio, json!({})).await;
    assert_eq!(answer.problem(404).0, "portfolio_not_found");
    assert_eq!(get(&app, &ayse, &path).await["status"], "open");
}

/// The header of a key of `name` with this scope.
async fn bearer(app: &TestApp, name: &str, scope: Scope) -> String {
    let request = KeyRequest {
        name: "desk".to_owned(),
        scopes: [scope].into(),
        networks: Vec::new(),
        days: 90,
        auto_rotate: false,
    };
    let owner = app.app.user(name).await.unwrap();
    format!("Bearer {}", app.app.make_key(&owner, &request).await.unwrap().token.expose())
}

#[tokio::test]
async fn a_key_trades_by_its_scope() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let post = async |bearer: &str| {
        let headers = [("authorization", bearer), ("content-type", "application/json")];
        let body = Body::from(purchase(&portfolio).to_string());
        app.send_body(Method::POST, ORDERS, &headers, body).await
    };
    let read = bearer(&app, "ayse", Scope::Read).await;
    assert_eq!(post(&read).await.problem(403).0, "forbidden");
    let trade = bearer(&app, "ayse", Scope::Trade).await;
    let placed = post(&trade).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
    let record = &on_record(&app, "order.placed").await[0];
    assert!(record["actor"].as_str().unwrap().starts_with("key:"), "{record}");
}

#[tokio::test]
async fn ten_changes_a_minute_and_looking_is_free_of_that() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    // The product's own limits from here on.
    let app_of = Arc::clone(&app.app);
    let app = app.behind(&settings(&app_of, Quotas::default()));
    let one = with(purchase(&portfolio), &json!({"quantity_shares": 1}));
    for n in 0..10 {
        let answer = place(&app, &page, one.clone()).await;
        assert_eq!(answer.status, 201, "{n}: {}", answer.body);
    }
    let refused = place(&app, &page, one.clone()).await;
    assert_eq!(refused.problem(429).0, "rate_limited");
    assert_eq!(refused.headers["ratelimit-policy"], "\"trading\";q=10;w=60");
    assert_eq!(get(&app, &page, ORDERS).await["items"].as_array().unwrap().len(), 10);
    let preview = ask(&app, &page, Method::POST, &format!("{ORDERS}/preview"), one).await;
    assert_eq!(preview.status, 200, "{}", preview.body);
}

#[tokio::test]
async fn orders_come_in_pages_the_newest_first() {
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let mut placed = Vec::new();
    for shares in 1..=5 {
        let order = with(purchase(&portfolio), &json!({"quantity_shares": shares}));
        placed.push(place(&app, &page, order).await.body["id"].clone());
    }
    let mut walked = Vec::new();
    let mut path = format!("{ORDERS}?limit=2");
    let mut pages = 0;
    loop {
        let list = get(&app, &page, &path).await;
        let items = list["items"].as_array().unwrap();
        walked.extend(items.iter().map(|order| order["id"].clone()));
        pages += 1;
        let Some(next) = list["next"].as_str() else { break };
        path = format!("{ORDERS}?limit=2&cursor={next}");
    }
    // All were placed at the same instant, so that only each once is for certain.
    let by_name = |ids: &mut Vec<Value>| ids.sort_by_key(ToString::to_string);
    by_name(&mut walked);
    by_name(&mut placed);
    assert_eq!((pages, walked), (3, placed));
    let nothing = format!("{ORDERS}?cursor=before-o0123456789abcdef");
    let answer = ask(&app, &page, Method::GET, &nothing, Value::Null).await;
    assert_eq!(answer.problem(400).0, "invalid_parameter");
}

#[tokio::test]
async fn a_halt_cancels_all_orders_and_takes_none_until_it_ends() {
    const TRADING: &str = "/api/v1/admin/trading";
    let app = exchange().await;
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let order = place(&app, &page, purchase(&portfolio)).await.body;
    let (halt, resume) = (format!("{TRADING}/halt"), format!("{TRADING}/resume"));
    let why = json!({"reason": "prices of the source are wrong"});
    for path in [&halt, &resume] {
        let answer = ask(&app, &page, Method::POST, path, why.clone()).await;
        assert_eq!(answer.problem(403).0, "forbidden");
        let answer = app.post(path, &json!({"reason": " "})).await;
        assert_eq!(answer.problem(400).0, "malformed_request");
    }
    assert_eq!(app.get(TRADING).await.ok()["open_orders_count"], 1);

    let halted = app.post(&halt, &why).await.ok();
    assert_eq!((&halted["halted"], &halted["open_orders_count"]), (&json!(true), &json!(0)));
    assert_eq!(
        (&halted["reason"], &halted["changed_by_name"]),
        (&json!("prices of the source are wrong"), &json!("admin"))
    );
    let cancelled = get(&app, &page, &path_of(&order)).await;
    assert_eq!(
        (&cancelled["status"], &cancelled["cancel_reason"]),
        (&json!("cancelled"), &json!("halt"))
    );
    let denied = place(&app, &page, purchase(&portfolio)).await;
    assert_eq!((denied.problem(422).0, &denied.body["denial"]), ("order_denied", &json!("halted")));
    for path in [ORDERS, PORTFOLIOS] {
        let trading = get(&app, &page, path).await["trading"].clone();
        assert_eq!(trading, json!({"halted": true, "reason": "prices of the source are wrong"}));
    }
    let record = &on_record(&app, "trading.halted").await[0];
    assert_eq!(record["details"]["reason"], "prices of the source are wrong");
    assert_eq!(on_record(&app, "order.cancelled").await[0]["actor_name"], "admin");

    let resumed = app.post(&resume, &json!({"reason": "they are right again"})).await.ok();
    assert_eq!(resumed["halted"], false);
    assert_eq!(place(&app, &page, purchase(&portfolio)).await.status, 201);
    assert_eq!(get(&app, &page, &path_of(&order)).await["status"], "cancelled");
}

#[tokio::test]
async fn who_halts_gives_a_fresh_code() {
    let (app, clock) = moved().await;
    let path = "/api/v1/admin/trading/halt";
    let admin = bearer(&app, "admin", Scope::Admin).await;
    let headers = [("authorization", admin.as_str()), ("content-type", "application/json")];
    let body = Body::from(json!({"reason": "x"}).to_string());
    let by_key = app.send_body(Method::POST, path, &headers, body).await;
    assert_eq!(by_key.problem(403).0, "forbidden");
    clock.pass(SignedDuration::from_mins(11));
    let late = app.post(path, &json!({"reason": "x"})).await;
    assert_eq!(late.problem(403).0, "step_up_required");
    assert_eq!(app.get("/api/v1/admin/trading").await.ok()["halted"], false);
}

#[tokio::test]
async fn orders_are_executed_on_the_session_after_them_once_its_bars_are_there() {
    let (app, clock) = moved().await;
    app.take_in(&[("PAPER.csv", PAPER_CSV)]).await;
    let document = app.get("/api/openapi.json").await.ok();
    let page = trader(&app, "ayse").await;
    let portfolio = open_portfolio(&app, &page).await;
    let order = place(&app, &page, purchase(&portfolio)).await.body;
    // The market is never as low as that.
    let low = with(purchase(&portfolio), &json!({"limit_price": "91.00", "quantity_shares": 1}));
    let low = place(&app, &page, low).await.body;
    let trade = bearer(&app, "ayse", Scope::Trade).await;
    let look = async |path: &str, schema: &str| {
        let body = app.send(Method::GET, path, &[("authorization", &trade)]).await.ok();
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        assert_valid(&document, &schema, &body, path);
        body
    };

    clock.pass(SignedDuration::from_hours(29));
    assert_eq!(look(&path_of(&order), "Order").await["status"], "open", "there are no bars yet");
    app.take_in(&[("PAPER.csv", &format!("{PAPER_CSV}{LATER_ROWS}"))]).await;
    let report = app.app.apply_paper_sessions().await.unwrap();
    assert_eq!(report.sessions_count, 0, "they were when the bars came");

    // The open of 101.00, worse by 0.05 % and rounded up to the step of 0.10.
    let filled = look(&path_of(&order), "Order").await;
    assert_eq!((&filled["status"], &filled["ended_on"]), (&json!("filled"), &json!("2026-11-25")));
    let fill = &filled["fills"][0];
    assert_eq!((&fill["price"], &fill["amount"]), (&json!("101.10"), &json!("10110.00")));
    assert_eq!(fill["charges"]["total"], "4.54");
    assert_eq!((&fill["day"], &fill["settles_on"]), (&json!("2026-11-25"), &json!("2026-11-27")));
    let expired = look(&path_of(&low), "Order").await;
    assert_eq!(
        (&expired["status"], &expired["unfilled_because"]),
        (&json!("expired"), &json!("not_reached"))
    );

    let path = format!("{PORTFOLIOS}/{portfolio}");
    let held = look(&path, "Portfolio").await;
    assert_eq!((&held["through"], &held["cash"]), (&json!("2026-11-25"), &json!("89885.46")));
    assert_eq!(held["pending"], json!([{"settles_on": "2026-11-27", "amount": "-10114.54"}]));
    assert_eq!((&held["value"], &held["profit"]), (&json!("100085.46"), &json!("85.46")));
    assert_eq!(
        (&held["settled_cash"], &held["day_profit"]),
        (&json!("100000.00"), &json!("85.46"))
    );
    let position = &held["positions"][0];
    assert_eq!((&position["symbol"], &position["quantity_shares"]), (&json!("PAPER"), &json!(100)));
    assert_eq!((&position["cost"], &position["value"]), (&json!("10114.54"), &json!("10200.00")));

    let events = look(&format!("{path}/events"), "PortfolioEventPage").await;
    let of = |kind: &str| {
        let mut items = events["items"].as_array().unwrap().iter();
        items.find(|item| item["event"]["event"] == kind).unwrap().clone()
    };
    assert_eq!(of("filled")["order"], order["id"]);
    assert_eq!(of("filled")["event"]["fill"]["amount"], "10110.00");
    let ended = json!({"event": "expired", "symbol": "PAPER", "unfilled": 1, "why": "not_reached"});
    assert_eq!((&of("expired")["order"], &of("expired")["event"]), (&low["id"], &ended));
    let days = look(&format!("{path}/days"), "PortfolioDays").await;
    let values: Vec<(&Value, &Value)> =
        days["items"].as_array().unwrap().iter().map(|of| (&of["day"], &of["value"])).collect();
    let (before, after) = (json!("2026-11-24"), json!("2026-11-25"));
    assert_eq!(values, [(&before, &json!("100000.00")), (&after, &json!("100085.46"))]);

    let records = app.app.audit_records(&AuditFilter::default(), 20).await.unwrap();
    for action in ["order.filled", "order.expired"] {
        let record = records.iter().find(|record| record.action == action).unwrap();
        assert_eq!(record.actor, "system", "{action}");
    }
}
