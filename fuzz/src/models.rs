//! Models that learned elsewhere: what is read is written as the same, and forecasts the same.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bist_lifecycle::{FittedModel, sha256_hex};
use bist_market::Symbol;
use bist_models::{Artifact, FeatureMatrix, FittedForecaster, FittedGbdt, Known, RowKey};
use jiff::civil::date;

/// Columns of a model that is asked for forecasts.
const COLUMNS_MAX: usize = 64;

/// More rows than trees answer one by one.
const MANY_ROWS: usize = 96;

/// The content of an artefact. Its first line, which has the hash of the rest, is put before it, so that an
/// input is more than a damaged one.
pub(crate) fn check(bytes: &[u8], _: &Path) -> bool {
    if let Ok(model) = FittedModel::from_bytes(bytes) {
        let written = model.to_bytes();
        assert_eq!(FittedModel::from_bytes(&written).expect("what was written"), model);
    }
    check_content(bytes)
}

fn check_content(content: &[u8]) -> bool {
    let Ok(artifact) = Artifact::from_bytes(&artifact_of(content)) else { return false };
    let written = artifact.to_bytes();
    let again = Artifact::from_bytes(&written).expect("what was written can be read");
    assert!(again == artifact && again.to_bytes() == written);
    match &artifact {
        // What stands beside models in evaluations, and comes from nobody else.
        Artifact::Ridge(_) | Artifact::SeasonalNaive(_) | Artifact::Drift(_) | Artifact::Ets(_) => {
        }
        Artifact::ElasticNet(_) | Artifact::Gbdt(_) | Artifact::Prophet(_) | Artifact::Lstm(_) => {
            let [first, second] = [artifact, again].map(Artifact::into_forecaster);
            let Some(known) = known(first.feature_names()) else { return true };
            assert_eq!(bits(&*first, &known), bits(&*second, &known));
        }
    }
    true
}

fn artifact_of(content: &[u8]) -> Vec<u8> {
    let first_line = format!("bist-artifact/1 sha256={}\n", sha256_hex(content));
    [first_line.as_bytes(), content].concat()
}

/// Some rows with these columns, some of their values unknown; `None` where no model has such columns.
fn known(names: &[String]) -> Option<Known> {
    if names.is_empty() || names.len() > COLUMNS_MAX {
        return None;
    }
    let column = |j: u32| vec![0.0, f64::NAN, f64::from(j) - 2.5, 1e9, -1e-9, 1.0];
    let columns = (0_u32..).map(column).take(names.len()).collect();
    let features = FeatureMatrix::from_columns(names.to_vec(), columns).ok()?;
    let [a, b] = ["AAAAA", "BBBBB"].map(|text| Symbol::parse(text).expect("a symbol"));
    let days = [date(2024, 3, 1), date(2024, 3, 4), date(2026, 12, 31)];
    let keys = days.into_iter().flat_map(|day| [a, b].map(|symbol| RowKey::daily(day, symbol)));
    let log_close = vec![5.6, 3.1, 5.61, 3.12, 5.7, 3.0];
    Some(Known { keys: keys.collect(), features, log_close, stretch: vec![0; 6] })
}

/// The forecasts, which may be told from each other where they are no numbers.
fn bits(model: &dyn FittedForecaster, known: &Known) -> Vec<u64> {
    let rows: Vec<usize> = (0..known.keys.len()).collect();
    let mut forecasts = model.predict(known, &rows);
    assert_eq!(forecasts.len(), rows.len());
    forecasts.extend(model.predict(known, &rows[2..3]));
    forecasts.into_iter().map(f64::to_bits).collect()
}

/// Boosted trees in LightGBM's text, which explain what they forecast.
pub(crate) fn check_trees(bytes: &[u8], _: &Path) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let trees = match FittedGbdt::from_lightgbm_text(text) {
        Ok(trees) => trees,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    let written = trees.to_lightgbm_text();
    let again = FittedGbdt::from_lightgbm_text(&written).expect("what was written can be read");
    assert!(again == trees && again.to_lightgbm_text() == written);
    let Some(known) = known(trees.feature_names()) else { return true };
    assert_eq!(bits(&trees, &known), bits(&again, &known));
    // Many rows are answered another way than few.
    let rows: Vec<usize> = (0..known.keys.len()).cycle().take(MANY_ROWS).collect();
    for (answer, row) in trees.predict(&known, &rows).into_iter().zip(rows) {
        let alone = trees.predict_row(&known.features.row(row));
        assert_eq!(answer.to_bits(), alone.to_bits());
    }
    for row in 0..known.keys.len() {
        let contributions = trees.contributions(&known.features, row);
        assert_eq!(contributions.values.len(), trees.feature_names().len());
    }
    true
}

/// The weights of a small network, as safetensors.
pub(crate) fn check_weights(bytes: &[u8], _: &Path) -> bool {
    check_content(&network_of(bytes))
}

/// The content of an artefact with these weights.
fn network_of(weights: &[u8]) -> Vec<u8> {
    format!(
        r#"{{"kind":"lstm","model":{{"feature_names":["a","b"],"symbols":["AAAAA","BBBBB"],"scaler":[{{"scale":{{"mean":0.0,"std_dev":1.0}},"flagged":true}},{{"scale":{{"mean":0.5,"std_dev":2.0}},"flagged":false}}],"target":{{"mean":0.001,"std_dev":0.02}},"shape":{{"steps":3,"inputs":3,"symbols":2,"embedding":1,"layers":1,"hidden":2,"layer_norm":true}},"weights":"{}"}}}}"#,
        BASE64_STANDARD.encode(weights)
    )
    .into_bytes()
}
