//! Versions that take each other's place, and what the service tells of it.

use std::sync::atomic::{AtomicBool, Ordering};

use bist_app::registry::{Asked, RegistryError};
use bist_app::{App, ModelVersion, StoreError};
use bist_lifecycle::{HORIZON_DEFAULT, HORIZONS, ModelState};
use serde_json::{Value, json};

use crate::test_app::{TestApp, open, quiet};

const ASKED: Asked<'static> = Asked { by: "ayse", reason: "a test of the registry" };

/// The service with a second version in force; the first and the second one.
async fn with_two_versions() -> (TestApp, ModelVersion, ModelVersion) {
    let app = TestApp::trained().await;
    let first = app.app.find_model("champion", HORIZON_DEFAULT).await.unwrap();
    let mut trained = app.app.train(None, &[HORIZON_DEFAULT], 8, quiet()).await.unwrap();
    let second = trained.remove(0);
    assert_eq!(second.state, ModelState::Champion);
    assert_ne!(first.id, second.id);
    (app, first, second)
}

async fn state(app: &App, version: &ModelVersion) -> ModelState {
    app.model_version(&version.id).await.unwrap().unwrap().state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_by_another_process_takes_effect_at_once_and_no_request_fails() {
    let (app, first, second) = with_two_versions().await;
    app.app.make_signals(None, quiet()).await.unwrap();
    let symbol = app.get("/api/v1/signals").await.ok()["items"][0]["symbol"].clone();
    let path = format!("/api/v1/signals?symbol={}", symbol.as_str().unwrap());
    let shown = async || app.get(&path).await.ok()["items"][0]["model_version"].clone();
    assert_eq!(shown().await, json!(second.id));

    let done = AtomicBool::new(false);
    let asking = async {
        let mut told = Vec::new();
        while !done.load(Ordering::Relaxed) {
            for path in [path.as_str(), "/api/v1/models", "/api/v1/forecasts"] {
                told.push(app.get(path).await.status);
            }
        }
        told
    };
    let rolling_back = async {
        let terminal = open(app.app.directory()).await;
        let moved = terminal.roll_back_model(HORIZON_DEFAULT, ASKED).await.unwrap();
        let now_shown = shown().await;
        done.store(true, Ordering::Relaxed);
        terminal.close().await;
        (moved, now_shown)
    };
    let (told, (moved, now_shown)) = tokio::join!(asking, rolling_back);
    assert_eq!(now_shown, json!(first.id));
    assert!(told.iter().all(|status| *status == 200), "{told:?}");
    let ways: Vec<_> = moved.changes.iter().map(|change| (&change.version, change.to)).collect();
    assert_eq!(ways, [(&second.id, ModelState::Retired), (&first.id, ModelState::Champion)]);
    assert_eq!(moved.version.state, ModelState::Champion);

    // There is nothing before the first; what was taken back may be put in force again.
    let error = app.app.roll_back_model(HORIZON_DEFAULT, ASKED).await.unwrap_err();
    assert!(matches!(error, RegistryError::NoFormerChampion { .. }), "{error}");
    assert!(error.to_string().contains("5 sessions ahead was in force before"), "{error}");
    app.app.promote_model(&second, ASKED).await.unwrap();
    assert_eq!(shown().await, json!(second.id));
    let again = app.app.promote_model(&second, ASKED).await.unwrap();
    assert!(again.changes.is_empty(), "it is in force already");
}

#[tokio::test]
async fn a_version_whose_file_was_changed_is_not_put_in_force() {
    let (app, first, second) = with_two_versions().await;
    let file = app.app.directory().join(format!("models/{}.json", first.artifact_sha256));
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = app.app.roll_back_model(HORIZON_DEFAULT, ASKED).await.unwrap_err().to_string();
    assert!(error.contains(&first.id) && error.contains("SHA-256 differs"), "{error}");
    assert_eq!(state(&app.app, &second).await, ModelState::Champion);
    assert_eq!(state(&app.app, &first).await, ModelState::Retired);
}

#[tokio::test]
async fn a_challenger_is_staged_by_name_and_every_step_has_a_reason() {
    let (app, first, second) = with_two_versions().await;
    let find = async |name: &str| app.app.find_model(name, HORIZON_DEFAULT).await;
    let digits = first.id.rsplit_once('-').unwrap().1;
    for name in [first.id.as_str(), &first.id[..14], digits, &digits[..5]] {
        assert_eq!(find(name).await.unwrap().id, first.id, "{name}");
    }
    assert_eq!(find("champion").await.unwrap().id, second.id);
    let ambiguous = find("ensemble").await.unwrap_err().to_string();
    assert!(ambiguous.contains(&first.id) && ambiguous.contains(&second.id), "{ambiguous}");
    let unknown = find("ens").await.unwrap_err();
    assert!(matches!(unknown, RegistryError::Store(StoreError::NoSuchVersion(_))), "{unknown}");
    let none = find("challenger").await.unwrap_err();
    assert!(matches!(none, RegistryError::NoChallenger(_)), "{none}");
    let other = app.app.find_model("champion", HORIZONS[0]).await.unwrap_err().to_string();
    assert!(other.contains("1 session ahead has been trained yet"), "{other}");

    app.app.move_model(&first, ModelState::Staged, ASKED).await.unwrap();
    assert_eq!(find("challenger").await.unwrap().id, first.id);
    let silent = Asked { reason: "  ", ..ASKED };
    let error = app.app.promote_model(&first, silent).await.unwrap_err();
    assert!(matches!(error, RegistryError::Reason(_)), "{error}");
    let error = app.app.move_model(&second, ModelState::Retired, ASKED).await.unwrap_err();
    assert!(error.to_string().contains("is champion and cannot become retired"), "{error}");

    let version = app.get(&format!("/api/v1/models/{}", first.id)).await.ok();
    let told: Vec<Value> = version["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| json!([change["from"], change["to"], change["by"]]))
        .collect();
    let expected = [
        json!([null, "candidate", "bist train"]),
        json!(["candidate", "champion", "bist train"]),
        json!(["champion", "retired", "bist train"]),
        json!(["retired", "staged", "ayse"]),
    ];
    assert_eq!(told, expected);
    let changes = app.app.state_changes(None).await.unwrap();
    assert_eq!(changes.len(), 6);
    assert!(changes.iter().all(|change| !change.signed.reason.is_empty()));
    assert!(app.app.state_changes(Some(HORIZONS[0])).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_version_has_a_card_as_a_document_and_as_a_page() {
    let (app, first, second) = with_two_versions().await;
    let path = format!("/api/v1/models/{}/card", first.id);
    let card = app.get(&path).await.ok();
    assert_eq!((&card["version"], &card["state"]), (&json!(first.id), &json!("retired")));
    assert!(card["headline"]["tr"].as_str().unwrap().starts_with("Örnek piyasadan"));
    let page = app.get(&format!("{path}.md?language=en")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.headers["content-type"], "text/markdown; charset=utf-8");
    let title = format!("# Model card: {}\n", first.id);
    assert!(page.body.as_str().unwrap().starts_with(&title), "{}", page.body);
    let turkish = app.get(&format!("/api/v1/models/{}/card.md", second.id)).await.ok();
    assert!(turkish.as_str().unwrap().starts_with("# Model kartı"), "{turkish}");
    assert_eq!(app.get("/api/v1/models/none/card.md").await.status, 404);
    assert_eq!(app.get(&format!("{path}.md?language=de")).await.status, 400);
}

#[tokio::test]
async fn the_same_training_is_the_same_version() {
    let (app, _, second) = with_two_versions().await;
    let again = app.app.train(None, &[HORIZON_DEFAULT], 8, quiet()).await.unwrap();
    assert_eq!(again, [second]);
    assert_eq!(app.app.model_versions().await.unwrap().len(), 2);
}

#[tokio::test]
async fn two_versions_are_compared_field_by_field() {
    let (app, first, second) = with_two_versions().await;
    let path = format!("/api/v1/models/{}/diff?against={}", second.id, first.id);
    let difference = app.get(&path).await.ok();
    assert_eq!(
        json!([difference["before"], difference["after"], difference["same_bars"]]),
        json!([first.id, second.id, true])
    );
    assert_eq!(
        difference["lineage"],
        json!([{"field": "spec.seed", "before": 7, "after": 8}]),
        "only the seed is another"
    );
    assert_eq!(difference["symbols"], json!({"added": [], "removed": []}));
    let rank_ic = &difference["metrics"][0];
    assert_eq!(rank_ic["metric"], "rank_ic");
    let of = |version: &ModelVersion| version.evaluation.rank_ic.estimate.unwrap().value;
    assert_eq!(
        json!([rank_ic["before"]["value"], rank_ic["after"]["value"]]),
        json!([of(&first), of(&second)])
    );
    for path in [
        format!("/api/v1/models/none/diff?against={}", first.id),
        format!("/api/v1/models/{}/diff?against=none", first.id),
    ] {
        let answer = app.get(&path).await;
        assert_eq!(answer.problem(404).0, "model_version_not_found");
    }
    let only = app.get("/api/v1/models?state=champion&horizon=5").await.ok();
    assert_eq!(only["items"].as_array().unwrap().len(), 1);
    assert_eq!(only["items"][0]["version"], json!(second.id));
    let none = app.get("/api/v1/models?state=winner").await;
    assert!(none.problem(400).1.contains("candidate, staged, champion, retired"), "{none:?}");
}
