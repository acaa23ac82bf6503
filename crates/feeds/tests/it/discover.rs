//! From what the user typed to the files that are meant.

use std::fs;

use bist_feeds::{FileFormat, discover};
use tempfile::TempDir;

#[track_caller]
fn check(folder: &TempDir, path: &str, expected: Result<&[&str], &str>) {
    let root = folder.path().to_str().unwrap();
    let actual = discover(&format!("{root}/{path}"), FileFormat::Csv);
    let actual = actual
        .map(|files| {
            files
                .iter()
                .map(|f| f.strip_prefix(root).unwrap().display().to_string())
                .collect::<Vec<_>>()
        })
        .map_err(|error| error.to_string().replace(root, ""));
    assert_eq!(
        actual.as_deref().map_err(String::as_str),
        expected
            .map(|e| e.iter().map(ToString::to_string).collect::<Vec<_>>())
            .as_deref()
            .map_err(|e| *e)
    );
}

#[test]
fn a_file_a_folder_and_a_pattern_mean_their_files() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("sub.csv")).unwrap();
    for name in
        ["B.csv", "A.CSV", ".hidden.csv", "notes.txt", "C.parquet", "sub.csv/D.csv", "[x].csv"]
    {
        fs::write(folder.path().join(name), "x").unwrap();
    }
    check(&folder, "", Ok(&["A.CSV", "B.csv", "[x].csv"]));
    check(&folder, "notes.txt", Ok(&["notes.txt"]));
    check(&folder, "*.csv", Ok(&["B.csv", "[x].csv"]));
    check(&folder, "*/?.csv", Ok(&["sub.csv/D.csv"]));
    check(&folder, "[x].csv", Ok(&["[x].csv"]));
    check(&folder, "[!B]*", Ok(&["A.CSV", "C.parquet", "[x].csv", "notes.txt"]));
}

#[test]
fn nothing_meant_is_said_in_one_sentence() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("empty")).unwrap();
    check(
        &folder,
        "empty",
        Err("the folder '/empty' has no .csv file; name another folder or the files themselves"),
    );
    check(&folder, "nowhere", Err("there is no file or folder '/nowhere'; check the path"));
    check(&folder, "*.csv", Err("no file matches '/*.csv'; check the pattern"));
    let error = discover("[", FileFormat::Csv).unwrap_err().to_string();
    assert!(error.starts_with("'[' is not a pattern of file names: "), "{error}");
}
