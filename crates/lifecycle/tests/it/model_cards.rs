//! The card of a version says what the version says, in both languages.

use bist_lifecycle::evaluation::Sentence;
use bist_lifecycle::{
    CardDrift, ExcludedSymbol, Lineage, ModelCard, ModelState, ModelVersion, Signed, Since,
    StateChange,
};
use bist_market::Origin;
use bist_models::explain::words::Language;
use jiff::Timestamp;

use crate::panels::{HORIZON, Recipe, spec, symbol, train};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn version(origin: Origin, strength: f64) -> ModelVersion {
    let panel = Recipe { symbols_count: 6, days_count: 400, strength, seed: 3 }.panel();
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
    ModelVersion {
        training_seconds: Some(12.5),
        ..ModelVersion::candidate(origin, at(1_700_000_000), lineage, trained.evaluation, &bytes)
    }
}

/// Signed by somebody whose words would end a cell of a table, and a line.
fn since(version: &ModelVersion) -> Since {
    let change = StateChange {
        version: version.id.clone(),
        horizon: HORIZON,
        from: None,
        to: ModelState::Candidate,
        signed: Signed {
            at: at(1_700_000_000),
            by: "ayse".to_owned(),
            reason: "one | two\n# three".to_owned(),
        },
    };
    Since { changes: vec![change], drift: None, record: None }
}

/// Every row of a table has as many cells as its head.
fn check_tables(markdown: &str) {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let lines: Vec<&str> = markdown.lines().collect();
    for pair in lines.windows(2).filter(|pair| pair.iter().all(|line| line.starts_with('|'))) {
        assert_eq!(cells(pair[0]), cells(pair[1]), "{pair:?}");
    }
    let heads = lines.iter().filter(|line| line.starts_with("# ")).count();
    assert_eq!(heads, 1, "what somebody wrote is no heading");
}

#[test]
fn a_card_says_what_its_version_says_in_both_languages() {
    let version = version(Origin::Market, 0.0);
    let evaluation = version.evaluation.clone();
    let card = ModelCard::of(version.clone(), since(&version), at(1_800_000_000));
    assert!(!card.skill.shown && card.headline.en.contains("no skill"), "{:?}", card.headline);
    assert_eq!(card.limits.len(), evaluation.caveats.len());
    for Sentence { tr, en } in card.limits.iter().chain(&card.intended_use).chain(&card.not_for) {
        assert!(!tr.is_empty() && tr != en, "{tr}");
    }
    assert!(card.skill.coverage.iter().all(|band| band.step == u32::from(HORIZON.sessions())));
    assert_eq!(card.skill.coverage.len(), 3);

    let rank_ic = evaluation.rank_ic.estimate.unwrap();
    let [turkish, english] = Language::ALL.map(|language| card.markdown(language));
    for (page, language) in [(&turkish, Language::Turkish), (&english, Language::English)] {
        check_tables(page);
        let known = [
            version.id.clone(),
            language.number(rank_ic.value, 3),
            language.number(rank_ic.low, 3),
            language.number(12.5, 1),
            version.artifact_sha256.clone(),
            "one \\| two # three".to_owned(),
        ];
        for text in known {
            assert!(page.contains(&text), "{text} is missing in\n{page}");
        }
        let (met, unmet) = (page.matches("- [x]").count(), page.matches("- [ ]").count());
        assert_eq!(unmet, evaluation.skill.unmet().len());
        assert_eq!(met + unmet, evaluation.skill.reasons.len());
    }
    assert!(turkish.contains("Kaymaya") || turkish.contains("kaymaya"), "{turkish}");
    assert!(english.contains("Nobody has looked for drift"), "{english}");

    let json = serde_json::to_value(&card).unwrap();
    assert_eq!(json["skill"]["rank_ic"]["value"], rank_ic.value);
    assert_eq!(json["horizon"], HORIZON.to_string());
    assert_eq!(json["changes"][0]["by"], "ayse");
}

#[test]
fn a_card_begins_with_what_must_be_known_first() {
    let sample = version(Origin::Sample, 0.0);
    let card = ModelCard::of(sample.clone(), since(&sample), at(1_800_000_000));
    assert!(card.headline.en.contains("sample market"), "{:?}", card.headline);
    assert!(card.not_for.last().unwrap().en.contains("were generated"));
    assert!(card.markdown(Language::Turkish).contains("> **Örnek piyasadan öğrendi"));

    // A record that no honest forecast reaches.
    let alarmed = version(Origin::Market, 0.5);
    assert!(alarmed.evaluation.alarm.is_some());
    let drift = CardDrift {
        at: at(1_750_000_000),
        is_alarm: true,
        sentence: Sentence { tr: "Kaydı.".to_owned(), en: "It drifted.".to_owned() },
    };
    let since = Since { drift: Some(drift), ..since(&alarmed) };
    let card = ModelCard::of(alarmed, since, at(1_800_000_000));
    assert!(card.headline.en.contains("too good to be true"), "{:?}", card.headline);
    assert!(card.markdown(Language::English).contains("ALARM. It drifted."));
}
