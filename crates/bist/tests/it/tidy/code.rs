//! What Rust code may say where.

use super::holds;
use super::rust_text::RustText;
use super::tree::{File, Tree};

/// Crates that decide and do nothing else.
pub(super) const PURE_CRATES: [&str; 5] = ["market", "models", "trading", "lifecycle", "access"];

/// Pairs of words that make a text SQL when it has both, in this order.
const SQL: [(&str, &str); 8] = [
    ("SELECT", "FROM"),
    ("SELECT", "1"),
    ("INSERT", "INTO"),
    ("UPDATE", "SET"),
    ("DELETE", "FROM"),
    ("CREATE", "TABLE"),
    ("ALTER", "TABLE"),
    ("DROP", "TABLE"),
];

/// How a pure crate would reach for the world.
const WORLD: [&str; 12] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::os",
    "std::time",
    "std::thread::sleep",
    "Timestamp::now",
    "Zoned::now",
    "async fn",
    "async move",
    "tokio",
];

/// Types that prove that something was checked, with the file that may make them.
const PROOFS: [(&str, &str); 4] = [
    ("crates/market/src/price.rs", "Price"),
    ("crates/market/src/validate.rs", "ValidatedBars"),
    ("crates/market/src/universe.rs", "Universe"),
    ("crates/trading/src/risk.rs", "Approved"),
];

#[test]
fn sql_stands_only_in_the_store() {
    let query = ["SELECT", "close FROM bars"].join(" ");
    let source = format!("let q = \"{query}\";");
    holds(
        sql_outside_the_store,
        &[&[("crates/app/src/bars.rs", &source)], &[("crates/app/tests/it/main.rs", &source)]],
        &[
            ("crates/store/src/bars.rs", &source),
            ("crates/app/src/bars.rs", &format!("// {query}\nlet q = \"selected FROM bars\";")),
        ],
    );
}

fn sql_outside_the_store(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.rust().filter(|file| file.crate_name() != Some("store")) {
        for (line, literal) in RustText::of(&file.text).literals {
            let words: Vec<&str> =
                literal.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
            let sql = SQL.iter().any(|(first, second)| {
                let begin = words.iter().position(|word| word == first);
                begin.is_some_and(|begin| words[begin..].contains(second))
            });
            if sql {
                found.push(format!(
                    "{}:{line} holds SQL; write a function of bist-store that does it and call that",
                    file.path
                ));
            }
        }
    }
    found
}

#[test]
fn http_statuses_stand_only_in_the_server() {
    holds(
        statuses_outside_the_server,
        &[&[("crates/app/src/bars.rs", "fn f() -> StatusCode { StatusCode::OK }")]],
        &[
            ("crates/server/src/error.rs", "StatusCode::OK"),
            ("crates/app/src/bars.rs", "// the StatusCode is chosen by the server"),
        ],
    );
}

fn statuses_outside_the_server(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| file.crate_name() != Some("server"))
        .flat_map(|file| lines_with(file, &RustText::of(&file.text).code, &["StatusCode"]))
        .map(|place| {
            format!(
                "{place}; return an error that says what happened, bist-server chooses the status"
            )
        })
        .collect()
}

#[test]
fn every_module_says_what_it_is_for() {
    holds(
        modules_without_a_word,
        &[
            &[("crates/app/src/bars.rs", "use std::fmt;\n//! Late.\n")],
            &[("crates/app/src/bars.rs", "")],
        ],
        &[("crates/app/src/bars.rs", "\n//! Bars.\nuse std::fmt;\n")],
    );
}

fn modules_without_a_word(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| !file.text.trim_start().starts_with("//! "))
        .map(|file| format!("{} begins without `//!`; say there what the module is for", file.path))
        .collect()
}

#[test]
fn every_exception_from_a_lint_or_a_test_run_gives_its_reason() {
    holds(
        exceptions_without_a_reason,
        &[
            &[("crates/app/src/a.rs", "#[expect(dead_code)]\nfn f() {}")],
            &[("crates/app/src/a.rs", "#![expect(\n    dead_code,\n    unused\n)]")],
            &[("crates/app/src/a.rs", "#[allow(dead_code, reason = \"x\")]\nfn f() {}")],
            &[("crates/app/tests/it/a.rs", "#[test]\n#[ignore]\nfn f() {}")],
        ],
        &[
            (
                "crates/app/src/a.rs",
                "#[expect(\n    dead_code,\n    reason = \"a ] b\"\n)]\nfn f() {}",
            ),
            ("crates/app/tests/it/a.rs", "#[ignore = \"slow: 4 minutes, issue 9\"]\nfn f() {}"),
            ("crates/app/src/b.rs", "// #[allow(dead_code)] is not used here"),
        ],
    );
}

fn exceptions_without_a_reason(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.rust() {
        let code = RustText::of(&file.text).code;
        for (begin, _) in code.match_indices("#[").chain(code.match_indices("#![")) {
            let attribute = attribute(&code[begin..]);
            let name = attribute.trim_start_matches(['#', '!', '[']).trim_start();
            let advice = if name.starts_with("expect") && !attribute.contains("reason =") {
                "add reason = \"...\""
            } else if name.starts_with("allow") {
                "use #[expect(lint, reason = \"...\")], which ends when it is no longer needed"
            } else if name.starts_with("ignore") && !attribute.contains('=') {
                "write #[ignore = \"why, and the issue\"]"
            } else {
                continue;
            };
            let line = 1 + code[..begin].matches('\n').count();
            found.push(format!("{}:{line} {}: {advice}", file.path, attribute.trim()));
        }
    }
    found
}

/// The attribute that `code` begins with, up to its closing bracket.
fn attribute(code: &str) -> &str {
    let mut depth = 0_usize;
    for (i, c) in code.char_indices() {
        match c {
            '[' => depth += 1,
            ']' if depth == 1 => return &code[..=i],
            ']' => depth -= 1,
            _ => {}
        }
    }
    code
}

#[test]
fn pure_crates_reach_for_nothing() {
    holds(
        reaching_for_the_world,
        &[
            &[("crates/market/src/bar.rs", "let text = std::fs::read(path);")],
            &[("crates/models/src/gbdt.rs", "use std::time::Instant;")],
            &[("crates/lifecycle/src/training.rs", "pub async fn train() {}")],
        ],
        &[
            ("crates/feeds/src/csv.rs", "std::fs::read(path)"),
            (
                "crates/market/src/bar.rs",
                "// not std::fs\n#[cfg(test)]\nmod tests { use std::fs; }",
            ),
        ],
    );
}

fn reaching_for_the_world(tree: &Tree) -> Vec<String> {
    let pure = |file: &&File| {
        file.crate_name().is_some_and(|name| PURE_CRATES.contains(&name))
            && file.path.split('/').nth(2) == Some("src")
    };
    tree.rust()
        .filter(pure)
        .flat_map(|file| lines_with(file, RustText::of(&file.text).code_without_tests(), &WORLD))
        .map(|place| format!("{place}; take the value as an argument, bist-app reads the world"))
        .collect()
}

#[test]
fn proofs_have_no_public_field() {
    holds(
        proofs_that_anyone_can_make,
        &[
            &[("crates/market/src/price.rs", "pub struct Price(pub i64);")],
            &[("crates/market/src/universe.rs", "pub struct Universe {\n    pub series: u8,\n}")],
            &[("crates/market/src/validate.rs", "//! Nothing here.")],
        ],
        &[
            ("crates/market/src/price.rs", "pub struct Price(i64);\npub fn f() {}"),
            ("crates/market/src/validate.rs", "pub struct ValidatedBars {\n    bars: u8,\n}"),
            (
                "crates/market/src/universe.rs",
                "pub struct Universe {\n    pub(super) series: u8,\n}",
            ),
        ],
    );
}

fn proofs_that_anyone_can_make(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for (path, name) in PROOFS {
        // Small trees have only the file that they are about.
        if !tree.has(path) {
            continue;
        }
        let code = RustText::of(tree.text(path)).code;
        let Some((_, rest)) = code.split_once(&format!("pub struct {name}")) else {
            found.push(format!(
                "{path} has no `pub struct {name}`; say in tidy/code.rs where it is now"
            ));
            continue;
        };
        let body = rest.split_inclusive([';', '}']).next().unwrap_or_default();
        if body
            .split(|c: char| !(c.is_alphanumeric() || c == '('))
            .any(|word| word == "pub" || word == "(pub")
        {
            found.push(format!(
                "{path}: {name} has a public field, so anyone can make one unchecked; make it private"
            ));
        }
    }
    found
}

#[test]
fn every_crate_links_one_test_binary() {
    holds(
        test_binaries_beside_it,
        &[&[("crates/market/tests/calendar.rs", "//! Calendar.")]],
        &[
            ("crates/market/tests/it/main.rs", "//! Tests."),
            ("crates/market/tests/it/calendar.rs", "//! Calendar."),
        ],
    );
}

fn test_binaries_beside_it(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| {
            file.path.split('/').nth(2) == Some("tests") && file.path.split('/').count() == 4
        })
        .map(|file| {
            format!("{} is linked by itself; make it a module of tests/it/main.rs", file.path)
        })
        .collect()
}

#[test]
fn every_module_is_part_of_its_crate() {
    let root = ("crates/app/src/lib.rs", "pub mod bars;");
    holds(
        orphans,
        &[
            &[root, ("crates/app/src/orders.rs", "")],
            &[
                root,
                ("crates/app/src/bars/page.rs", ""),
                ("crates/app/src/bars.rs", "// mod page;"),
            ],
            &[("crates/app/tests/it/main.rs", ""), ("crates/app/tests/it/bars.rs", "")],
        ],
        &[
            root,
            ("crates/app/src/bars.rs", "mod page;"),
            ("crates/app/src/bars/page.rs", ""),
            ("crates/app/build.rs", ""),
            ("crates/app/examples/tour.rs", ""),
        ],
    );
}

fn orphans(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in
        tree.rust().filter(|file| file.path.contains("/src/") || file.path.contains("/tests/it/"))
    {
        let name = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if matches!(name, "lib" | "main") {
            continue;
        }
        let folder = file.folder();
        let parents =
            [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
        let declared = parents.iter().any(|parent| {
            let code = RustText::of(tree.text(parent)).code;
            code.lines().any(|line| line.trim_end().ends_with(&format!("mod {name};")))
        });
        if !declared {
            found.push(format!(
                "{} is in no module, so it is not compiled; declare `mod {name};` or delete it",
                file.path
            ));
        }
    }
    found
}

/// The places where `code`, a view of `file`, has one of `words`.
fn lines_with(file: &File, code: &str, words: &[&str]) -> Vec<String> {
    (1..)
        .zip(code.lines())
        .filter_map(|(line, code): (usize, &str)| {
            let word = words.iter().find(|word| code.contains(**word))?;
            Some(format!("{}:{line} says `{word}`", file.path))
        })
        .collect()
}
