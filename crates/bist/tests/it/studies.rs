//! `bist studies`: what it lists, what it draws, and what it refuses.

use std::fs;

use tempfile::TempDir;

use crate::cli::{json, refusal};
use crate::explain::text;

#[test]
fn a_study_is_listed_and_drawn() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    assert!(text(&data, &["studies", "list"]).contains("there is no study"));
    json(&data, &["sample", "--symbols", "6", "--years", "4"]);
    let tune = ["tune", "--part", "elastic-net", "--pruner", "none", "--study", "tuned"];
    json(&data, &[&tune[..], &["--trials", "10"]].concat());

    let listed = json(&data, &["studies", "list"]);
    assert_eq!(listed["items"][0]["name"], "tuned");
    assert_eq!(listed["items"][0]["complete_count"], 10);
    assert!(text(&data, &["studies", "list"]).starts_with("tuned "));

    let plot = |name: &str, args: &[&str]| {
        let path = folder.path().join(name);
        let args = [&["studies", "plot", "tuned", "--plot", path.to_str().unwrap()], args].concat();
        text(&data, &args);
        fs::read(&path).unwrap()
    };
    for (name, begins, args) in [
        ("history.svg", &b"<svg"[..], &["--kind", "history"][..]),
        ("slice.png", b"\x89PNG", &["--kind", "slice", "--theme", "dark"]),
        ("parallel.svg", b"<svg", &["--kind", "parallel", "--lang", "en"]),
        ("importances.svg", b"<svg", &["--kind", "importances"]),
    ] {
        assert!(plot(name, args).starts_with(begins), "{name}");
    }
    let path = folder.path().join("again.svg");
    let again = ["studies", "plot", "tuned", "--kind", "history", "--plot", path.to_str().unwrap()];
    assert_eq!(json(&data, &again)["kind"], "history");

    let refused = |args: &[&str]| refusal(&data, &[&["studies", "plot"], args].concat());
    let stranger = refused(&["none", "--kind", "history", "--plot", "a.svg"]);
    assert!(stranger.contains("there is no study 'none'"), "{stranger}");
    let alone = refused(&["tuned", "--kind", "pareto", "--plot", "a.svg"]);
    assert!(alone.contains("the study has 1"), "{alone}");
    let unknown = refused(&["tuned", "--kind", "slice", "--param", "x", "--plot", "a.svg"]);
    assert!(unknown.contains("no complete trial has a parameter 'x'; give one of: "), "{unknown}");
    let beside = refused(&["tuned", "--kind", "history", "--param", "x", "--plot", "a.svg"]);
    assert!(beside.contains("--param"), "{beside}");
    let second = refused(&["tuned", "--kind", "slice", "--objective", "1", "--plot", "a.svg"]);
    assert!(second.contains("none at 1"), "{second}");
}
