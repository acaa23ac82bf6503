//! The object store as a setting: what is refused, in one sentence without a key.

use std::path::Path;

use tempfile::TempDir;

use crate::cli::bist;

/// What `bist models list` is told with these variables.
fn told(data: &Path, variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = bist(data);
    command.args(["models", "list", "--quiet"]).envs(variables.iter().copied());
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_object_store_that_cannot_be_asked_is_refused_without_telling_a_key() {
    let folder = TempDir::new().unwrap();
    let data = folder.path();
    let url = |url| ("BIST_OBJECT_STORE_URL", url);
    let keys = [("AWS_ACCESS_KEY_ID", "AKIAHIDDEN"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
    assert_eq!(told(data, &[url("file:")]), (true, String::new()));
    assert_eq!(told(data, &[&[url("s3://models/a")], &keys[..]].concat()), (true, String::new()));
    for (variables, sentence) in [
        (vec![url("s3://AKIAHIDDEN:hidden@models")], "object_store_url: its bucket has no valid"),
        (vec![url("ftp://models")], "object_store_url: it is no object store; give file: ("),
        (vec![url("s3://models")], "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (vec![url("s3://models"), keys[0], ("AWS_SECRET_ACCESS_KEY", "hid den")], "holds blanks"),
        (
            vec![url("s3://models"), keys[0], keys[1], ("AWS_ENDPOINT_URL", "http://10.0.0.1")],
            "AWS_ENDPOINT_URL: plain http goes to this machine only",
        ),
        (
            vec![url("s3://models"), keys[0], keys[1], ("AWS_REGION", "eu central")],
            "AWS_REGION: it is no region",
        ),
    ] {
        let (done, told) = told(data, &variables);
        assert!(!done && told.contains(sentence), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(!told.contains("HIDDEN") && !told.contains("hid"), "{told}");
    }
}

#[test]
fn the_file_names_the_object_store_and_a_variable_takes_its_place() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bist.toml");
    std::fs::write(&file, "object_store_url = \"s3://models\"\n").unwrap();
    let config = ("BIST_CONFIG", file.to_str().unwrap());
    let (done, refused) = told(folder.path(), &[config]);
    assert!(!done && refused.contains("set AWS_ACCESS_KEY_ID"), "{refused}");
    let (done, refused) = told(folder.path(), &[config, ("BIST_OBJECT_STORE_URL", "file:")]);
    assert!(done, "{refused}");
}
