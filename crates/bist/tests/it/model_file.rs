//! `bist models export` and `bist models import`: a model goes to another data directory by a file.

use tempfile::TempDir;

use crate::cli::{json, refusal, text as path_text};
use crate::explain::text;

#[test]
fn a_model_goes_to_another_data_directory_by_a_file() {
    let folder = TempDir::new().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    for data in [&from, &to] {
        json(data, &["sample", "--symbols", "6", "--years", "3"]);
    }
    let trained = json(&from, &["train", "--horizon", "5"]);
    let id = trained["items"][0]["id"].as_str().unwrap();
    let file = folder.path().join("model.zip");
    let out = path_text(&file);
    let export = ["models", "export", "champion", "--horizon", "5", "--out", out];
    let exported = json(&from, &export);
    assert_eq!((&exported["model_version"], &exported["file"]), (&id.into(), &out.into()));
    assert_eq!(exported["size_bytes"], std::fs::metadata(&file).unwrap().len());
    assert_eq!(exported["has_snapshot"], true);
    let kept = refusal(&from, &export);
    assert!(kept.contains("is there already; give another --out, or --force"), "{kept}");
    assert!(text(&from, &[&export[..], &["--force"]].concat()).contains(&format!("{id} is in ")));

    let import = ["models", "import", out, "--reason", "trained on the large machine"];
    let imported = json(&to, &import);
    assert_eq!(imported["version"]["id"], id);
    assert_eq!(
        (&imported["version"]["state"], &imported["was_there"]),
        (&"candidate".into(), &false.into())
    );
    assert_eq!(imported["changes_elsewhere"].as_array().unwrap().len(), 2);
    let history = text(&to, &["models", "history"]);
    assert!(history.contains("imported from model.zip: trained on the large machine"), "{history}");
    assert!(text(&to, &import).contains("was here already: it stays candidate"));
    let reproduced = json(&to, &["models", "reproduce", id]);
    assert_eq!(reproduced["items"][0]["reproduced"], true, "{reproduced}");
    json(&to, &["models", "promote", id, "--reason", "it comes out the same here"]);
    let ids = |data| -> Vec<_> {
        let signals = json(data, &["signals"]);
        signals["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
    };
    assert_eq!(ids(&from), ids(&to));

    let no_reason = refusal(&to, &["models", "import", out, "--reason", ""]);
    assert!(no_reason.contains("needs a reason"), "{no_reason}");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    let cut_off = refusal(&to, &import);
    assert!(cut_off.contains("model.zip is refused, and nothing was kept: it is no whole zip"));
}
