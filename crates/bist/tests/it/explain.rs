//! `bist explain`: what it prints, what it draws, and what it refuses.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::cli::{bist, json, refusal};

pub(crate) fn text(data: &Path, args: &[&str]) -> String {
    let output = bist(data).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_forecast_is_explained_drawn_and_changed() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    json(&data, &["sample", "--symbols", "6", "--years", "3"]);
    json(&data, &["validate", "--all"]);
    json(&data, &["train", "--horizon", "5"]);
    let signals = json(&data, &["signals"]);
    let signal = &signals["items"][0];
    let symbol = signal["symbol"].as_str().unwrap();
    let id = signal["id"].as_str().unwrap();

    let explained = json(&data, &["explain", symbol]);
    let parts = explained["features"].as_array().unwrap().iter();
    let sum: f64 = parts.map(|part| number(&part["contribution"])).sum();
    let gap = number(&explained["base"]) + sum - number(&explained["forecast"]);
    assert!(gap.abs() < 1e-6, "{gap}");
    assert_eq!(explained["signal_id"], id);
    assert_eq!(json(&data, &["explain", symbol, "--signal", id]), explained);

    let turkish = text(&data, &["explain", symbol]);
    assert!(turkish.contains("bekleniyor") && turkish.contains("tahmin"), "{turkish}");
    assert!(turkish.contains("karar ağaçları") && turkish.contains('█'), "{turkish}");
    let english = text(&data, &["explain", symbol, "--lang", "en"]);
    assert!(english.contains("is expected to return") && english.contains("decision trees"));
    let lime = text(&data, &["explain", symbol, "--method", "lime", "--lang", "en"]);
    assert!(lime.contains("local R²") && lime.contains("kernel width"), "{lime}");

    for (name, begins, args) in [
        ("waterfall.svg", &b"<svg"[..], &[][..]),
        ("force.png", b"\x89PNG", &["--kind", "force", "--theme", "dark"]),
        ("lime.svg", b"<svg", &["--method", "lime", "--lang", "en"]),
        ("beeswarm.png", b"\x89PNG", &["--kind", "beeswarm", "--window", "20"]),
        ("bar.svg", b"<svg", &["--kind", "bar", "--window", "20"]),
        ("dependence.svg", b"<svg", &["--kind", "dependence", "--feature", "rsi_14"]),
        ("interaction.svg", b"<svg", &["--kind", "interaction", "--window", "5"]),
    ] {
        let path = folder.path().join(name);
        let plot = [&["explain", symbol, "--plot", path.to_str().unwrap()], args].concat();
        text(&data, &plot);
        assert!(fs::read(&path).unwrap().starts_with(begins), "{name}");
    }

    let changed = json(&data, &["explain", symbol, "--what-if", "return_5=0.3"]);
    assert_ne!(changed["before"]["forecast"], changed["after"]["forecast"]);
    assert_eq!(changed["before"]["forecast"], explained["forecast"]);
    let table = text(&data, &["explain", symbol, "--what-if", "rsi_14=20", "--lang", "en"]);
    assert!(table.contains("14-day RSI") && table.contains("-> 20"), "{table}");

    let unknown = refusal(&data, &["explain", symbol, "--what-if", "rsi14=30"]);
    assert!(unknown.contains("no feature 'rsi14'") && unknown.contains("rsi_14"), "{unknown}");
    let nowhere = refusal(&data, &["explain", "NONE"]);
    assert!(nowhere.contains("no forecast of NONE"), "{nowhere}");
    let stranger = refusal(&data, &["explain", symbol, "--signal", "none"]);
    assert!(stranger.contains("no signal 'none'"), "{stranger}");
    let gif = refusal(&data, &["explain", symbol, "--plot", "a.gif"]);
    assert!(gif.contains(".svg or .png"), "{gif}");
    let mixed = refusal(&data, &["explain", symbol, "--plot", "a.svg", "--kind", "lime"]);
    assert!(mixed.contains("--method lime"), "{mixed}");
}
