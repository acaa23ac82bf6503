//! `/api/v1/studies`.

use std::path::Path;

use axum::http::Method;
use bist_lifecycle::search_space::Distribution;
use bist_lifecycle::study::{FrozenTrial, NewTrial, Param, StudyDirection, StudyId, TrialState};
use bist_store::{AttributeKind, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::test_app::{NOW, TestApp};

const TREES: &str = "/api/v1/studies/trees-5-sample";
const SIGNAL: &str = "/api/v1/studies/signal-5-sample";

fn seconds_ago(seconds: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_secs(seconds)
}

async fn begin(store: &Store, study: StudyId, at: Timestamp) -> FrozenTrial {
    store.create_study_trial(study, NewTrial::Running, at).await.unwrap()
}

async fn set(
    store: &Store,
    trial: &FrozenTrial,
    name: &str,
    distribution: Distribution,
    internal: f64,
) {
    let param = Param { distribution, internal };
    store.set_trial_param(trial.id, name, &param).await.unwrap();
}

async fn remember(store: &Store, study: StudyId, kind: AttributeKind, attrs: &[(&str, Value)]) {
    for (key, value) in attrs {
        store.set_study_attribute(study, kind, key, value).await.unwrap();
    }
}

/// A study that runs, with a trial in each state, and a finished one with two objectives.
pub(crate) async fn write_studies(directory: &Path) {
    let store = Store::open(directory).await.unwrap();
    let trees = store.create_study("trees-5-sample", &[StudyDirection::Maximize]).await.unwrap();
    remember(&store, trees, AttributeKind::System, &[("study:metric_names", json!(["rank_ic"]))])
        .await;
    let attrs = [
        ("bist:part", json!("trees")),
        ("bist:horizon", json!("5")),
        ("bist:origin", json!("sample")),
    ];
    remember(&store, trees, AttributeKind::User, &attrs).await;
    let states = [
        (TrialState::Complete, Some(0.01)),
        (TrialState::Pruned, Some(0.5)),
        (TrialState::Complete, Some(0.03)),
        (TrialState::Fail, None),
        (TrialState::Complete, Some(f64::NEG_INFINITY)),
    ];
    for (place, (state, value)) in states.into_iter().enumerate() {
        let began = seconds_ago(500 - 20 * i64::try_from(place).unwrap());
        let trial = begin(&store, trees, began).await;
        let depth = [3.0, 4.0, 5.0, 6.0, 7.0][place];
        set(&store, &trial, "depth", Distribution::int(2, 8), depth).await;
        set(&store, &trial, "rate", Distribution::log_float(0.001, 1.0), 0.1).await;
        let bagged = if place == 2 { 0.0 } else { 1.0 };
        let choices = Distribution::categorical([true, false]);
        set(&store, &trial, "bagged", choices, bagged).await;
        if place == 2 {
            set(&store, &trial, "bagging_share", Distribution::float(0.4, 1.0), 0.6).await;
        }
        for step in 0..2 {
            store
                .report_trial(trial.id, step, if step == 0 { f64::NAN } else { 0.5 })
                .await
                .unwrap();
        }
        if state == TrialState::Fail {
            let reason = json!("no split");
            let kind = AttributeKind::System;
            store.set_trial_attribute(trial.id, kind, "bist:fail_reason", &reason).await.unwrap();
        }
        let took = SignedDuration::from_secs(10 - i64::try_from(place).unwrap());
        let values = value.map(|value| [value]);
        let values = values.as_ref().map(<[f64; 1]>::as_slice);
        store.finish_trial(trial.id, state, values, began + took).await.unwrap();
    }
    begin(&store, trees, seconds_ago(30)).await;

    let both = [StudyDirection::Maximize, StudyDirection::Minimize];
    let signal = store.create_study("signal-5-sample", &both).await.unwrap();
    for values in [[0.01, 0.5], [0.02, 0.6], [0.005, 0.7]] {
        let trial = begin(&store, signal, seconds_ago(400)).await;
        set(&store, &trial, "certainty", Distribution::float(0.5, 1.0), values[1]).await;
        let end = seconds_ago(390);
        store.finish_trial(trial.id, TrialState::Complete, Some(&values), end).await.unwrap();
    }
    let holdout = json!({"sentence": {"tr": "Ayırt edilemiyor.", "en": "Cannot be told."}});
    remember(&store, signal, AttributeKind::User, &[("bist:holdout", holdout)]).await;
    store.close().await;
}

#[tokio::test]
async fn studies_are_listed_with_what_they_found_the_newest_first() {
    let app = TestApp::with_studies().await;
    let page = app.get("/api/v1/studies").await.ok();
    let [signal, trees] = page["items"].as_array().unwrap().as_slice() else { panic!("{page}") };
    assert_eq!(
        json!([
            signal["name"],
            signal["state"],
            signal["objectives"],
            signal["best"],
            signal["origin"]
        ]),
        json!(["signal-5-sample", "finished", ["value 0", "value 1"], null, null])
    );
    assert_eq!(
        json!([
            trees["state"],
            trees["objectives"],
            trees["horizon"],
            trees["part"],
            trees["origin"]
        ]),
        json!(["running", ["rank_ic"], "5", "trees", "sample"])
    );
    assert_eq!(
        trees["trials"],
        json!({"complete": 3, "pruned": 1, "fail": 1, "running": 1, "waiting": 0})
    );
    let params = json!({"depth": 5, "rate": 0.1, "bagged": true, "bagging_share": 0.6});
    assert_eq!(trees["best"], json!({"number": 2, "values": [0.03], "params": params}));
    assert_eq!(trees["as_of"], "2026-11-24T11:59:30Z");

    let first = app.get("/api/v1/studies?limit=1").await.ok();
    assert_eq!(
        json!([first["items"][0]["name"], first["next"]]),
        json!(["signal-5-sample", "from-1"])
    );
}

#[tokio::test]
async fn a_study_has_the_path_to_its_best_or_its_front() {
    let app = TestApp::with_studies().await;
    let trees = app.get(TREES).await.ok();
    let path = json!([{"number": 0, "value": 0.01}, {"number": 2, "value": 0.03}]);
    assert_eq!(
        json!([trees["best_path"], trees["pareto"], trees["holdout"]]),
        json!([path, [], null])
    );
    let signal = app.get(SIGNAL).await.ok();
    let front = json!([{"number": 0, "values": [0.01, 0.5]}, {"number": 1, "values": [0.02, 0.6]}]);
    assert_eq!(json!([signal["best_path"], signal["pareto"]]), json!([[], front]));
    assert_eq!(signal["holdout"]["sentence"]["en"], "Cannot be told.");
}

#[tokio::test]
async fn trials_come_in_the_order_asked_for_without_numbers_that_are_none() {
    let app = TestApp::with_studies().await;
    let numbers = async |query: &str| -> Vec<u64> {
        let page = app.get(&format!("{TREES}/trials{query}")).await.ok();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["number"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers("").await, [0, 1, 2, 3, 4, 5]);
    assert_eq!(numbers("?sort=value&order=desc").await, [1, 2, 0, 4, 5, 3]);
    assert_eq!(numbers("?sort=duration").await, [4, 3, 2, 1, 0, 5]);
    assert_eq!(numbers("?state=complete&sort=value&order=desc").await, [2, 0, 4]);
    assert_eq!(numbers("?limit=2&cursor=from-4").await, [4, 5]);

    let page = app.get(&format!("{TREES}/trials")).await.ok();
    let failed = &page["items"][3];
    assert_eq!(json!([failed["values"], failed["fail_reason"]]), json!([null, "no split"]));
    assert_eq!(
        failed["intermediate"],
        json!([{"step": 0, "value": null}, {"step": 1, "value": 0.5}])
    );
    assert_eq!(page["items"][4]["values"], json!([null]));
    assert_eq!(page["items"][0]["duration_s"], 10.0);
}

#[tokio::test]
async fn plots_hold_what_can_be_drawn() {
    let app = TestApp::with_studies().await;
    let history = app.get(&format!("{TREES}/history")).await.ok();
    let best: Vec<&Value> =
        history["points"].as_array().unwrap().iter().map(|point| &point["best"]).collect();
    assert_eq!(json!(best), json!([0.01, 0.01, 0.03, 0.03, 0.03, 0.03]));

    let parallel = app.get(&format!("{TREES}/parallel-coordinates")).await.ok();
    let axes: Vec<&Value> =
        parallel["axes"].as_array().unwrap().iter().map(|axis| &axis["name"]).collect();
    assert_eq!(json!(axes), json!(["bagged", "bagging_share", "depth", "rate"]));
    assert_eq!(parallel["axes"][0]["choices"], json!([true, false]));
    assert_eq!(
        parallel["lines"],
        json!([
            {"number": 0, "value": 0.01, "x": [1.0, null, 3.0, 0.1]},
            {"number": 2, "value": 0.03, "x": [0.0, 0.6, 5.0, 0.1]},
        ])
    );

    let slice = app.get(&format!("{TREES}/slice?param=bagging_share")).await.ok();
    assert_eq!(slice["points"], json!([{"number": 2, "x": 0.6, "value": 0.03}]));
    let pareto = app.get(&format!("{SIGNAL}/pareto")).await.ok();
    let on_front: Vec<&Value> =
        pareto["points"].as_array().unwrap().iter().map(|point| &point["on_front"]).collect();
    assert_eq!(json!(on_front), json!([true, true, false]));
}

#[tokio::test]
async fn importances_wait_for_enough_trials() {
    let app = TestApp::with_studies().await;
    let path = format!("{TREES}/importances");
    let few =
        json!({"method": "fanova", "items": [], "trials_count": 2, "reason": "too_few_trials"});
    assert_eq!(app.get(&path).await.ok(), few);

    let store = Store::open(app.app.directory()).await.unwrap();
    let study = store.find_study("trees-5-sample").await.unwrap().unwrap().id;
    for depth in 0..10 {
        let trial = begin(&store, study, seconds_ago(20)).await;
        let depth = f64::from(depth % 5) + 2.0;
        set(&store, &trial, "depth", Distribution::int(2, 8), depth).await;
        let values = [0.01 * depth];
        store
            .finish_trial(trial.id, TrialState::Complete, Some(&values), seconds_ago(10))
            .await
            .unwrap();
    }
    let told = app.get(&path).await.ok();
    assert_eq!(json!([told["items"][0]["param"], told["reason"]]), json!(["depth", null]));
    assert_eq!(told["trials_count"], 12);
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_is() {
    let app = TestApp::with_studies().await;
    assert_eq!(
        app.get("/api/v1/studies/none/history").await.problem(404),
        ("study_not_found", "there is no study 'none'; GET /api/v1/studies lists what there is")
    );
    assert_eq!(
        app.get(&format!("{TREES}/pareto")).await.problem(404),
        (
            "one_objective",
            "the study 'trees-5-sample' has one objective; ask for its history instead"
        )
    );
    assert_eq!(
        app.get(&format!("{SIGNAL}/slice?param=depth")).await.problem(400).1,
        "param: no complete trial has a parameter 'depth'; give one of: certainty"
    );
    assert_eq!(
        app.get(&format!("{TREES}/history?objective=1")).await.problem(400).1,
        "objective: the study has 1 and none at 1; give a place below 1"
    );
}

#[tokio::test]
async fn who_has_the_last_answer_is_told_that_nothing_changed_until_something_does() {
    let app = TestApp::with_studies().await;
    let first = app.get(TREES).await;
    let etag = first.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.headers["cache-control"], "no-store");
    let again = app.send(Method::GET, TREES, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, &again.headers["etag"]), (304, &first.headers["etag"]));
    assert_eq!(again.body, "");

    let store = Store::open(app.app.directory()).await.unwrap();
    let study = store.find_study("trees-5-sample").await.unwrap().unwrap().id;
    begin(&store, study, seconds_ago(1)).await;
    let changed = app.send(Method::GET, TREES, &[("if-none-match", &etag)]).await;
    assert_ne!(changed.headers["etag"], first.headers["etag"]);
    assert_eq!(changed.ok()["trials"]["running"], 2);
}

#[tokio::test]
async fn without_a_study_the_list_is_empty() {
    let app = TestApp::empty().await;
    assert_eq!(app.get("/api/v1/studies").await.ok(), json!({"items": [], "next": null}));
}
