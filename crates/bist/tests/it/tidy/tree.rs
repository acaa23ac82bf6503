//! The files of the repository, as far as they are ours.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// Its path from the root of the repository, with `/`.
    pub(super) path: String,
    /// Its text; empty when it is not UTF-8.
    pub(super) text: String,
    /// Its size.
    pub(super) size_bytes: u64,
}

impl File {
    /// The path without its last part; empty for a file in the root.
    pub(super) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The crate it belongs to by the name of its folder: `market` for `crates/market/src/bar.rs`.
    pub(super) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split_once('/').map(|(name, _)| name)
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// All files, by path.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

impl Tree {
    /// The repository that this test was built from, without what `.gitignore` names.
    pub(super) fn real() -> &'static Self {
        static REAL: OnceLock<Tree> = OnceLock::new();
        REAL.get_or_init(|| {
            let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
            let ignored = fs::read_to_string(root.join(".gitignore")).unwrap();
            let ignored: Vec<&str> = ignored.lines().filter_map(|l| l.strip_prefix('/')).collect();
            let mut files = Vec::new();
            collect(root, "", &ignored, &mut files);
            files.sort_by(|a, b| a.path.cmp(&b.path));
            Self { files }
        })
    }

    /// A tree of these paths and texts.
    pub(super) fn planted(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
            size_bytes: text.len() as u64,
        };
        Self { files: files.iter().map(file).collect() }
    }

    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// The text at `path`; empty when there is no such file.
    pub(super) fn text(&self, path: &str) -> &str {
        self.files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str())
    }

    /// Whether `path` is a file or a folder of the tree.
    pub(super) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

fn collect(root: &Path, folder: &str, ignored: &[&str], files: &mut Vec<File>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if path == ".git" || ignored.contains(&path.as_str()) {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            collect(root, &path, ignored, files);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            let size_bytes = bytes.len() as u64;
            files.push(File {
                path,
                text: String::from_utf8(bytes).unwrap_or_default(),
                size_bytes,
            });
        }
    }
}
