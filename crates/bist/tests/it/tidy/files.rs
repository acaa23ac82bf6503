//! What files may be called, may hold, and may weigh.

use super::holds;
use super::tree::{File, Tree};

/// Names that do not tell what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["util", "utils", "helpers", "common", "misc", "manager", "types", "mod"];

/// Largest file, in bytes: 1.5 MB.
const SIZE_BYTES_MAX: u64 = 1_500_000;

/// Types that SQLite and PostgreSQL both know and mean alike.
const COLUMN_TYPES: [&str; 3] = ["TEXT", "BIGINT", "DOUBLE"];

const MIGRATE: &str = "crates/store/src/migrate.rs";

#[test]
fn no_file_has_an_empty_name() {
    holds(
        empty_names,
        &[
            &[("crates/app/src/utils.rs", "")],
            &[("web/src/common/a.ts", "")],
            &[("crates/app/src/bars/mod.rs", "")],
        ],
        &[("crates/app/src/circuit_breaker.rs", ""), ("web/src/api/schema.d.ts", "")],
    );
}

fn empty_names(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .filter_map(|file| {
            let stem = |part: &str| part.split('.').next().unwrap_or_default().to_owned();
            let name =
                file.path.split('/').map(stem).find(|n| EMPTY_NAMES.contains(&n.as_str()))?;
            Some(format!(
                "{}: `{name}` does not tell what is inside; name it after the noun that it defines",
                file.path
            ))
        })
        .collect()
}

#[test]
fn no_file_is_large() {
    let large = "x".repeat(1_500_001);
    holds(large_files, &[&[("a.json", &large)]], &[("a.json", &large[1..])]);
}

fn large_files(tree: &Tree) -> Vec<String> {
    tree.files
        .iter()
        .filter(|file| file.size_bytes > SIZE_BYTES_MAX)
        .map(|file| {
            format!(
                "{} has {} bytes, above {SIZE_BYTES_MAX}; generate it, shrink it or leave it out",
                file.path, file.size_bytes
            )
        })
        .collect()
}

#[test]
fn no_file_tells_where_it_was_made() {
    let home = ["/home", "/ayse/bist"].concat();
    let work = ["see /wor", "k/main"].concat();
    let mirror = ["registry=htt", "ps://mirror.example"].concat();
    holds(
        traces_of_a_machine,
        &[&[("docs/a.md", &home)], &[("a.rs", &work)], &[("web/.npmrc", &mirror)]],
        &[
            ("docs/a.md", "https://example.org/network/home.html and ~/data"),
            ("b.md", "/api/v1/home/"),
        ],
    );
}

fn traces_of_a_machine(tree: &Tree) -> Vec<String> {
    // Written in halves, so that this file does not find itself.
    let folders = [["/ho", "me/"], ["/ro", "ot/"], ["/wo", "rk/"], ["/Use", "rs/"], ["/tm", "p/"]];
    let hosts = [
        ["registry=", "http"],
        ["registry.", "npmjs"],
        ["registry.", "yarnpkg"],
        ["index", "-url"],
        ["static.", "crates.io"],
        ["proxy.", "golang.org"],
        ["pypi.org", "/simple"],
        ["files.python", "hosted"],
        ["arti", "factory"],
    ];
    let mut found = Vec::new();
    for file in &tree.files {
        for (line, text) in (1_usize..).zip(file.text.lines()) {
            let folder =
                folders.iter().map(|halves| halves.concat()).find(|f| begins_a_path(text, f));
            let host = hosts.iter().map(|halves| halves.concat()).find(|h| text.contains(h));
            if let Some(trace) = folder.or(host) {
                found.push(format!(
                    "{}:{line} has `{trace}`, which holds on one machine only; use a relative path or the client's default",
                    file.path
                ));
            }
        }
    }
    found
}

/// Whether `text` has `folder` at the beginning of a path.
fn begins_a_path(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-/{}$~)*".contains(c))
    })
}

#[test]
fn every_migration_is_compiled_in() {
    let first = ("migrations/0001_market_data.sql", "");
    let listed = "shared!(1, \"market data\", \"0001_market_data.sql\"),";
    let forked = ("migrations/postgres/0001_market_data.sql", "");
    holds(
        migrations_left_out,
        &[
            &[first, (MIGRATE, "")],
            &[first, ("migrations/0003_models.sql", ""), (MIGRATE, listed)],
            &[(MIGRATE, listed)],
            &[first, forked, (MIGRATE, listed)],
            &[first, ("migrations/postgres/0001_other.sql", ""), (MIGRATE, listed)],
        ],
        &[first, (MIGRATE, listed)],
    );
}

fn migrations_left_out(tree: &Tree) -> Vec<String> {
    let list = tree.text(MIGRATE);
    let mut found = Vec::new();
    for (number, file) in (1_usize..).zip(migrations(tree)) {
        let name = file.path.trim_start_matches("migrations/");
        if !name.starts_with(&format!("{number:04}_")) {
            found.push(format!("{} should be number {number:04}; leave no gap", file.path));
        }
        if !list.contains(&format!("!({number}, \"")) || !list.contains(&format!("\"{name}\")")) {
            found.push(format!(
                "{} is not in the list of {MIGRATE}; add it there as {number}",
                file.path
            ));
        }
    }
    for file in tree.files.iter().filter(|file| file.folder() == "migrations/postgres") {
        let name = file.path.trim_start_matches("migrations/postgres/");
        let is_forked = list.lines().any(|line| {
            line.trim().starts_with("forked!(") && line.contains(&format!("\"{name}\""))
        });
        if !is_forked {
            found.push(format!(
                "{} is no `forked!` step of {MIGRATE}; list it there, or remove it",
                file.path
            ));
        }
    }
    let listed = list.matches("shared!(").count() + list.matches("forked!(").count();
    let there = migrations(tree).count();
    if listed != there {
        found.push(format!(
            "{MIGRATE} lists {listed} migrations and there are {there}; make them agree"
        ));
    }
    found
}

#[test]
fn migrations_keep_to_types_of_both_databases() {
    holds(
        types_of_one_database,
        &[
            &[("migrations/0001_a.sql", "t (\n    id  INTEGER PRIMARY KEY,\n    b TEXT\n);")],
            &[("migrations/0001_a.sql", "t (\n    made_at  DATETIME NOT NULL\n);")],
        ],
        &[(
            "migrations/0001_a.sql",
            "-- A note.\nt (\n    id  BIGINT PRIMARY KEY,\n    a  DOUBLE PRECISION,\n    UNIQUE (id, a)\n);",
        )],
    );
}

fn types_of_one_database(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in migrations(tree) {
        for (line, text) in (1_usize..).zip(file.text.lines()) {
            // A column is an indented line: a lower-case name and its type.
            let mut words = text.split_whitespace();
            let (Some(name), Some(kind)) = (words.next(), words.next()) else { continue };
            let column =
                text.starts_with(' ') && name.starts_with(|c: char| c.is_ascii_lowercase());
            if column && !COLUMN_TYPES.contains(&kind.trim_end_matches(',')) {
                found.push(format!(
                    "{}:{line} gives {name} the type {kind}; use {}, which SQLite and PostgreSQL both have",
                    file.path,
                    COLUMN_TYPES.join(", ")
                ));
            }
        }
    }
    found
}

fn migrations(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.folder() == "migrations" && file.path.ends_with(".sql"))
}
