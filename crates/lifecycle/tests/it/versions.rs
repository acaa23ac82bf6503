//! A model version is named after everything it was made from, and has a history.

use bist_lifecycle::{
    ExcludedSymbol, Lineage, ModelState, ModelVersion, Signed, StateChange, former_champion,
};
use bist_market::Origin;
use jiff::Timestamp;

use crate::panels::{Recipe, spec, symbol, train};

#[test]
fn the_name_of_a_version_follows_its_lineage_and_its_bytes() {
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
    let bytes = trained.model.to_bytes();
    let version_of = |lineage: &Lineage, second, bytes: &[u8]| {
        let at = Timestamp::from_second(second).unwrap();
        ModelVersion::candidate(
            Origin::Sample,
            at,
            lineage.clone(),
            trained.evaluation.clone(),
            bytes,
        )
    };
    let version = |lineage: &Lineage, second| version_of(lineage, second, &bytes);
    let first = version(&lineage, 1_700_000_000);
    assert!(first.id.starts_with("ensemble-") && first.id.len() == 21, "{}", first.id);
    assert_eq!(first.state, ModelState::Candidate);
    assert_eq!(first.artifact_sha256.len(), 64);
    assert_eq!(first.id, version(&lineage, 1_800_000_000).id);
    assert_ne!(first.id, version_of(&lineage, 1_700_000_000, b"another model").id);
    let other = Lineage { spec: spec(8), ..lineage };
    assert_ne!(first.id, version(&other, 1_700_000_000).id);

    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<ModelVersion>(&json).unwrap(), first);
}

/// What became the champion, one after the other.
fn champions(versions: &[&str]) -> Vec<StateChange> {
    let change = |(at, version): (i64, &&str)| StateChange {
        version: (*version).to_owned(),
        horizon: crate::panels::HORIZON,
        from: Some(ModelState::Candidate),
        to: ModelState::Champion,
        signed: Signed {
            at: Timestamp::from_second(at).unwrap(),
            by: "ayse".to_owned(),
            reason: "a test".to_owned(),
        },
    };
    (0..).zip(versions).map(change).collect()
}

#[test]
fn a_step_back_leads_to_the_champion_before_and_another_one_further() {
    let check = |versions: &[&str], expected: Option<&str>| {
        assert_eq!(former_champion(&champions(versions), |_| true), expected, "{versions:?}");
    };
    check(&[], None);
    check(&["a"], None);
    check(&["a", "b"], Some("a"));
    check(&["a", "b", "c"], Some("b"));
    check(&["a", "b", "c", "b"], Some("a"));
    check(&["a", "b", "c", "b", "a"], None);
    check(&["a", "b", "c", "b", "d"], Some("b"));
    let changes = champions(&["a", "b", "c"]);
    let without_b = former_champion(&changes, |version| version != "b");
    assert_eq!(without_b, Some("a"), "what is gone is passed over");
    let mut changes = champions(&["a", "b"]);
    changes[1].to = ModelState::Staged;
    assert_eq!(former_champion(&changes, |_| true), None, "who is only tried is not in the line");
}

#[test]
fn a_champion_leaves_only_by_retiring_and_may_come_back() {
    use ModelState::{Candidate, Champion, Retired, Staged};
    let allowed = |from: ModelState| {
        ModelState::ALL.into_iter().filter(|to| from.may_become(*to)).collect::<Vec<_>>()
    };
    assert_eq!(allowed(Candidate), [Staged, Champion, Retired]);
    assert_eq!(allowed(Staged), [Candidate, Champion, Retired]);
    assert_eq!(allowed(Champion), [Retired]);
    assert_eq!(allowed(Retired), [Staged, Champion]);
    for state in ModelState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    let error = "winner".parse::<ModelState>().unwrap_err().to_string();
    assert_eq!(error, "there is no state 'winner'; give candidate, staged, champion, retired");
}
