//! A model version is named after everything it was made from.

use bist_lifecycle::{ExcludedSymbol, Lineage, ModelState, ModelVersion};
use bist_market::Origin;
use jiff::Timestamp;

use crate::panels::{Recipe, spec, symbol, train};

#[test]
fn the_name_of_a_version_follows_its_lineage_and_nothing_else() {
    let panel = Recipe { symbols_count: 6, days_count: 400, strength: 0.2, seed: 3 }.panel();
    let trained = train(&panel, &spec(7)).unwrap();
    let lineage = Lineage {
        snapshot_hash: "00".repeat(32),
        feature_names: panel.known.features.names().to_vec(),
        spec: spec(7),
        code_version: "0.1.0".to_owned(),
        symbols: (0..6).map(symbol).collect(),
        excluded: vec![ExcludedSymbol { symbol: symbol(6), reason: "too short".to_owned() }],
        first_day: trained.first_day,
        last_day: trained.last_day,
        rows_count: trained.rows_count as u64,
        tuned: Vec::new(),
    };
    let version = |lineage: &Lineage, second| {
        let at = Timestamp::from_second(second).unwrap();
        let bytes = trained.model.to_bytes();
        ModelVersion::candidate(
            Origin::Sample,
            at,
            lineage.clone(),
            trained.evaluation.clone(),
            &bytes,
        )
    };
    let first = version(&lineage, 1_700_000_000);
    assert!(first.id.starts_with("ensemble-") && first.id.len() == 21, "{}", first.id);
    assert_eq!(first.state, ModelState::Candidate);
    assert_eq!(first.artifact_sha256.len(), 64);
    assert_eq!(first.id, version(&lineage, 1_800_000_000).id);
    let other = Lineage { spec: spec(8), ..lineage };
    assert_ne!(first.id, version(&other, 1_700_000_000).id);

    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<ModelVersion>(&json).unwrap(), first);
}
