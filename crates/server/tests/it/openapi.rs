//! The description of the API: as reviewed, and as true.

use std::path::Path;

use axum::http::Method;
use serde_json::Value;

use crate::pattern::is_match;
use crate::schema_check::{assert_valid, resolve};
use crate::test_app::TestApp;

/// The reviewed document.
const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/openapi.json");

/// One GET of the document.
struct Operation {
    path: String,
    description: Value,
}

impl Operation {
    fn all(document: &Value) -> Vec<Self> {
        let paths = document["paths"].as_object().unwrap();
        let operation = |(path, item): (&String, &Value)| {
            let methods: Vec<&String> = item.as_object().unwrap().keys().collect();
            assert!(
                methods
                    .iter()
                    .all(|method| ["get", "post", "patch", "delete"].contains(&method.as_str())),
                "{path}"
            );
            let description = item.get("get")?.clone();
            Some(Self { path: path.clone(), description })
        };
        paths.iter().filter_map(operation).collect()
    }

    fn parameters(&self) -> &[Value] {
        self.description["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The address with something that exists for each parameter that must be given.
    fn address(&self, app: &Known) -> String {
        let path = self.path.replace("{symbol}", &app.symbol).replace("{version}", &app.version);
        let path = path.replace("{study}", &app.study).replace("{signal}", &app.signal);
        let path = path.replace("{run}", &app.run).replace("{user}", &app.user);
        let path = path.replace("{id}", &app.experiment).replace("{portfolio}", &app.portfolio);
        let required = self.parameters().iter().find_map(|parameter| {
            let is_required = parameter["in"] == "query" && parameter["required"] == true;
            is_required.then(|| parameter["name"].as_str().unwrap())
        });
        match required {
            None => path,
            Some("param") => format!("{path}?param={}", app.param),
            Some("topics") => format!("{path}?topics=prices"),
            Some("against") => format!("{path}?against={}", app.version),
            Some(name) => format!("{path}?{name}={}", app.symbol),
        }
    }

    /// The address with one more query parameter.
    fn address_with(&self, app: &Known, name: &str, value: &str) -> String {
        let address = self.address(app);
        let separator = if address.contains('?') { '&' } else { '?' };
        format!("{address}{separator}{name}={value}")
    }
}

/// Something that exists.
struct Known {
    symbol: String,
    version: String,
    study: String,
    param: &'static str,
    signal: String,
    run: String,
    experiment: String,
    user: String,
    portfolio: String,
}

impl Known {
    async fn of(app: &TestApp) -> Self {
        let first = async |path: &str, name: &str| {
            app.get(path).await.ok()["items"][0][name].as_str().unwrap().to_owned()
        };
        Self {
            symbol: first("/api/v1/symbols", "symbol").await,
            version: first("/api/v1/models", "version").await,
            study: first("/api/v1/studies", "name").await,
            param: "certainty",
            signal: first("/api/v1/signals", "id").await,
            run: {
                let asked = serde_json::json!({"job": "retraining", "by": "ayse", "reason": "x"});
                let run = app.post("/api/v1/jobs", &asked).await;
                run.body["id"].to_string()
            },
            experiment: crate::experiments::declared(app).await,
            user: first("/api/v1/users", "id").await,
            portfolio: {
                let terms = serde_json::json!({"name": "Deneme", "opening_cash": "100000.00"});
                let opened = app.post("/api/v1/portfolios", &terms).await;
                opened.body["id"].as_str().unwrap().to_owned()
            },
        }
    }
}

#[tokio::test]
async fn the_description_is_the_reviewed_one() {
    let app = TestApp::empty().await;
    let document = app.get("/api/openapi.json").await.ok();
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("BIST_UPDATE_SNAPSHOTS").is_some_and(|value| value == "1") {
        std::fs::write(SNAPSHOT, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(Path::new(SNAPSHOT)).unwrap_or_default();
    assert!(
        text == reviewed,
        "the API is not the reviewed one; look at the difference after running the tests with BIST_UPDATE_SNAPSHOTS=1"
    );
}

#[tokio::test]
async fn the_description_is_openapi_3_1_and_whole() {
    let app = TestApp::empty().await;
    let document = app.get("/api/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let tags: Vec<&Value> =
        document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for Operation { path, description } in Operation::all(&document) {
        assert!(description["operationId"].is_string(), "{path} has no operationId");
        assert!(description["summary"].is_string(), "{path} has no summary");
        assert!(tags.contains(&&description["tags"][0]), "{path} has an unknown tag");
        for parameter in description["parameters"].as_array().into_iter().flatten() {
            let shown =
                !parameter["example"].is_null() || !parameter["schema"]["default"].is_null();
            assert!(parameter["description"].is_string() && shown, "{path} {parameter}");
        }
        let responses = description["responses"].as_object().unwrap();
        for status in ["400", "421", "500", "503"] {
            let problem =
                &resolve(&document, &responses[status])["content"]["application/problem+json"];
            assert!(
                problem["schema"]["allOf"].is_array() || path == "/health/ready",
                "{path} {status}"
            );
        }
        for (status, response) in responses {
            let headers = &resolve(&document, response)["headers"];
            assert!(headers["x-request-id"].is_object(), "{path} {status}");
        }
    }
}

#[tokio::test]
async fn every_example_of_a_parameter_is_what_its_pattern_asks_for() {
    let app = TestApp::empty().await;
    let document = app.get("/api/openapi.json").await.ok();
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let parameters = operations.flat_map(|one| one["parameters"].as_array().into_iter().flatten());
    let mut seen = 0;
    for parameter in parameters {
        let Some(pattern) = parameter["schema"]["pattern"].as_str() else { continue };
        for shown in [&parameter["example"], &parameter["schema"]["default"]] {
            if shown.is_null() {
                continue;
            }
            let text = shown.as_str().map_or_else(|| shown.to_string(), str::to_owned);
            let name = &parameter["name"];
            assert!(is_match(pattern, &text), "{name}: '{text}' is not {pattern}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} examples");
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    fn walk(document: &Value, value: &Value, seen: &mut usize) {
        if let Some(members) = value.as_object() {
            if members.contains_key("$ref") {
                resolve(document, value);
                *seen += 1;
            }
            members.values().for_each(|member| walk(document, member, seen));
        }
        value.as_array().into_iter().flatten().for_each(|item| walk(document, item, seen));
    }
    let app = TestApp::empty().await;
    let document = app.get("/api/openapi.json").await.ok();
    let mut seen = 0;
    walk(&document, &document, &mut seen);
    assert!(seen > 50, "{seen} references");
}

#[tokio::test]
async fn every_code_of_a_problem_is_in_the_guide() {
    let app = TestApp::empty().await;
    let document = app.get("/api/openapi.json").await.ok();
    let codes = document["components"]["schemas"]["ProblemCode"]["enum"].clone();
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/API.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for code in codes.as_array().unwrap() {
        let code = code.as_str().unwrap();
        assert!(guide.contains(&format!("`{code}`")), "docs/API.md does not name {code}");
    }
}

#[tokio::test]
async fn every_path_answers_what_is_described() {
    let app = TestApp::trained().await;
    let document = app.get("/api/openapi.json").await.ok();
    let known = Known::of(&app).await;
    for operation in Operation::all(&document) {
        // Events without an end have tests of their own.
        if !operation.description["responses"]["200"]["content"]["text/event-stream"].is_null() {
            continue;
        }
        let address = operation.address(&known);
        let answer = app.get(&address).await;
        // Whether the web app was built decides about readiness; all else is there.
        // The sample market has one source, which nothing can be compared with, a WebSocket is not asked
        // for here, nothing has failed, and nothing was ordered.
        // Metrics are for this machine, which is not where these requests come from.
        let expected = ["/health/ready", "/metrics"].contains(&operation.path.as_str())
            || answer.status == 200
            || ["no_second_source", "upgrade_required", "error_group_not_found", "order_not_found"]
                .iter()
                .any(|code| answer.body["code"] == *code);
        assert!(expected, "{address}: {}", answer.body);
        let response =
            resolve(&document, &operation.description["responses"][answer.status.to_string()]);
        let kinds = ["application/json", "text/markdown", "text/csv", "application/problem+json"];
        let kind = kinds.into_iter().find(|kind| !response["content"][*kind].is_null()).unwrap();
        let schema = &response["content"][kind]["schema"];
        assert_valid(&document, schema, &answer.body, &address);
    }
}

#[tokio::test]
async fn every_path_refuses_what_it_does_not_know() {
    let app = TestApp::trained().await;
    let document = app.get("/api/openapi.json").await.ok();
    let known = Known::of(&app).await;
    for operation in Operation::all(&document) {
        let address = operation.address_with(&known, "colour", "red");
        let answer = app.get(&address).await;
        let (code, detail) = answer.problem(400);
        assert_eq!((code, &answer.body["parameter"]), ("unknown_parameter", &"colour".into()));
        for parameter in operation.parameters().iter().filter(|one| one["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            assert!(detail.contains(name), "{address}: {detail} does not name {name}");
        }
        let response = resolve(&document, &operation.description["responses"]["400"]);
        let schema = &response["content"]["application/problem+json"]["schema"];
        assert_valid(&document, schema, &answer.body, &address);
    }
}

#[tokio::test]
async fn every_query_parameter_names_itself_when_it_is_malformed() {
    let app = TestApp::trained().await;
    let document = app.get("/api/openapi.json").await.ok();
    let none = || "none".to_owned();
    let known = Known {
        symbol: "NONE".to_owned(),
        version: none(),
        study: none(),
        param: "none",
        signal: none(),
        run: "1".to_owned(),
        experiment: none(),
        user: none(),
        portfolio: none(),
    };
    for operation in Operation::all(&document) {
        for parameter in operation.parameters().iter().filter(|one| one["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            // Any text may be searched for, as long as it is not too long.
            let value = match name {
                "q" | "param" | "actor" | "subject" | "sector" => "q".repeat(201),
                _ => "%C5%9F".to_owned(),
            };
            let address = if matches!(name, "symbol" | "param" | "against") {
                format!("{}?{name}={value}", operation.path)
            } else {
                operation.address_with(&known, name, &value)
            };
            let answer = app.get(&address).await;
            let (code, detail) = answer.problem(400);
            assert_eq!((code, &answer.body["parameter"]), ("invalid_parameter", &name.into()));
            assert!(
                detail.starts_with(&format!("{name}: ")) && detail.contains("give "),
                "{detail}"
            );
        }
    }
}

#[tokio::test]
async fn no_junk_makes_the_server_fail() {
    const JUNK: [&str; 24] = [
        "",
        "0",
        "-1",
        "1",
        "4294967296",
        "18446744073709551616",
        "1e9",
        "NaN",
        "null",
        "true",
        "%00",
        "%FF%FE",
        "%C5%9E",
        "..%2F..%2Fetc%2Fpasswd",
        "%27%20OR%201%3D1--",
        "0000-00-00",
        "9999-12-31",
        "-9999-01-01",
        "2026-11-24",
        "after-",
        "from-18446744073709551615",
        "to-9999-12-31",
        "%F0%9F%92%A9",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];
    let app = TestApp::trained().await;
    let document = app.get("/api/openapi.json").await.ok();
    let known = Known::of(&app).await;
    let mut asked = 0;
    let mut addresses = Vec::new();
    for operation in Operation::all(&document) {
        for junk in JUNK {
            let path = operation.path.replace("{symbol}", junk).replace("{version}", junk);
            addresses.push(path.replace("{study}", junk).replace("{signal}", junk));
            for parameter in operation.parameters() {
                let name = parameter["name"].as_str().unwrap();
                addresses.push(operation.address_with(&known, name, junk));
                // Two at once, so that checks between parameters are reached too.
                addresses
                    .push(operation.address_with(&known, name, junk) + "&from=2026-11-24&limit=3");
            }
        }
    }
    for address in addresses {
        let answer = app.send(Method::GET, &address, &[]).await;
        let fails = answer.status >= 500 && !address.starts_with("/health/ready");
        assert!(!fails, "{address}: {} {}", answer.status, answer.body);
        if answer.status >= 400 && !fails && !address.starts_with("/health/ready") {
            answer.problem(answer.status);
        }
        asked += 1;
    }
    assert!(asked > 500, "{asked} requests");
}
