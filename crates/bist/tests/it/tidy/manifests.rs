//! Who may use whom, and what comes from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::code::PURE_CRATES;
use super::holds;
use super::rust_text::RustText;
use super::tree::Tree;

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const DEPENDENCIES_ADR: &str = "docs/adr/0002-dependencies.md";
const FUZZ_MANIFEST: &str = "fuzz/Cargo.toml";
const FUZZ_LOCK: &str = "fuzz/Cargo.lock";

/// Crates that a pure crate must not bring along, however far down.
const RUNTIMES: [&str; 8] =
    ["tokio", "async-std", "mio", "hyper", "axum", "sqlx", "sqlx-core", "reqwest"];

/// Where a locked Rust package may come from.
const CRATES_IO: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

#[test]
fn crates_use_each_other_as_the_architecture_says() {
    let map = "| crate | what | may do IO | uses |\n|---|---|---|---|\n| `market` | Words. | no | - |\n| `models` | Models. | no | `market` |\n";
    let market = ("crates/market/Cargo.toml", "[dependencies]\njiff.workspace = true\n");
    let models = ("crates/models/Cargo.toml", "[dependencies]\nbist-market.workspace = true\n");
    let models_alone = ("crates/models/Cargo.toml", "[dependencies]\n");
    let backwards = (
        "crates/market/Cargo.toml",
        "[dependencies]\nbist-models = { path = \"../models\" }\n\n[dev-dependencies]\n",
    );
    holds(
        arrows_that_differ,
        &[
            &[(ARCHITECTURE, map), backwards, models],
            &[(ARCHITECTURE, map), market, models_alone],
            &[(ARCHITECTURE, map), market, models, ("crates/store/Cargo.toml", "")],
            &[(ARCHITECTURE, map), market],
        ],
        &[(ARCHITECTURE, map), market, models],
    );
}

fn arrows_that_differ(tree: &Tree) -> Vec<String> {
    let mut drawn: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in tree.text(ARCHITECTURE).lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
        let [name, _, _, uses] = cells[..] else { continue };
        if let [name] = code_words(name)[..] {
            drawn.insert(name, code_words(uses).into_iter().collect());
        }
    }
    let mut built: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, manifest) in manifests(tree) {
        let uses = entries(manifest, "[dependencies]");
        built.insert(name, uses.into_iter().filter_map(|dep| dep.strip_prefix("bist-")).collect());
    }
    let mut found = Vec::new();
    for name in drawn.keys().chain(built.keys()).collect::<BTreeSet<_>>() {
        match (drawn.get(name), built.get(name)) {
            (Some(drawn), Some(built)) if drawn == built => {}
            (Some(drawn), Some(built)) => found.push(format!(
                "crates/{name}/Cargo.toml uses {built:?} and {ARCHITECTURE} allows {drawn:?}; move the type to where the picture has it, or change the picture and say why"
            )),
            (None, _) => found.push(format!("{ARCHITECTURE} does not list crate {name}; add its row")),
            (_, None) => found.push(format!("{ARCHITECTURE} lists crate {name}, which is not there; remove its row")),
        }
    }
    found
}

#[test]
fn pure_crates_bring_no_runtime_and_no_driver() {
    let manifest = ("crates/models/Cargo.toml", "[dependencies]\nmiddle.workspace = true\n");
    let package = |name: &str, uses: &str| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\ndependencies = [\n \"{uses}\",\n]\n\n"
        )
    };
    let far = package("middle", "far 2.0.0") + &package("far", "tokio");
    let near = package("middle", "far 2.0.0") + &package("other", "tokio");
    holds(
        runtimes_below_pure_crates,
        &[
            &[manifest, ("Cargo.lock", &far)],
            &[("crates/market/Cargo.toml", "[dependencies]\nsqlx = \"1\"\n"), ("Cargo.lock", "")],
        ],
        &[manifest, ("Cargo.lock", &near)],
    );
}

fn runtimes_below_pure_crates(tree: &Tree) -> Vec<String> {
    let locked = locked_packages(tree.text("Cargo.lock"));
    let mut found = Vec::new();
    for (name, manifest) in manifests(tree).filter(|(name, _)| PURE_CRATES.contains(name)) {
        let mut open: Vec<&str> = entries(manifest, "[dependencies]");
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        while let Some(package) = open.pop() {
            // Our own crates are judged one by one; the lock file has their test dependencies too.
            if !package.starts_with("bist-") && seen.insert(package) {
                open.extend(locked.get(package).into_iter().flatten());
            }
        }
        for runtime in RUNTIMES.iter().filter(|runtime| seen.contains(*runtime)) {
            found.push(format!(
                "crate {name} brings {runtime} along; keep the waiting in feeds, store, app or server"
            ));
        }
    }
    found
}

/// Packages of `Cargo.lock` and the names that each depends on.
fn locked_packages(lock: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut packages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let (mut name, mut uses) = ("", Vec::new());
        for line in block.lines() {
            let Some(quoted) = line.split('"').nth(1) else { continue };
            if line.starts_with("name = ") {
                name = quoted;
            } else if line.starts_with(' ') {
                uses.push(quoted.split(' ').next().unwrap_or_default());
            }
        }
        packages.entry(name).or_default().extend(uses);
    }
    packages
}

#[test]
fn every_dependency_is_used() {
    let manifest = |section: &str| format!("{section}\nserde-thing.workspace = true\n");
    let (normal, dev) = (manifest("[dependencies]"), manifest("[dev-dependencies]"));
    holds(
        idle_dependencies,
        &[
            &[("crates/app/Cargo.toml", &normal), ("crates/app/src/lib.rs", "// serde_thing")],
            &[
                ("crates/app/Cargo.toml", &normal),
                ("crates/app/tests/it/main.rs", "use serde_thing;"),
            ],
            &[("crates/app/Cargo.toml", &dev), ("crates/app/src/lib.rs", "")],
            &[("Cargo.toml", "[workspace.dependencies]\nserde-thing = \"1\"\n")],
        ],
        &[
            ("Cargo.toml", "[workspace.dependencies]\nserde-thing = \"1\"\n"),
            ("crates/app/Cargo.toml", &normal),
            ("crates/app/src/lib.rs", "use serde_thing::A;"),
            ("crates/feeds/Cargo.toml", &dev),
            ("crates/feeds/tests/it/main.rs", "serde_thing::a()"),
        ],
    );
}

fn idle_dependencies(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let mut asked: BTreeSet<&str> = BTreeSet::new();
    for (name, manifest) in manifests(tree) {
        let code = |below_src: bool| -> String {
            tree.rust()
                .filter(|file| file.crate_name() == Some(name))
                .filter(|file| !below_src || file.path.contains("/src/"))
                .map(|file| RustText::of(&file.text).code)
                .collect()
        };
        for (section, below_src) in [("[dependencies]", true), ("[dev-dependencies]", false)] {
            let code = code(below_src);
            for dependency in entries(manifest, section) {
                asked.insert(dependency);
                if !has_word(&code, &dependency.replace('-', "_")) {
                    found.push(format!(
                        "crates/{name}/Cargo.toml has {dependency} under {section} and the code does not use it; remove the line"
                    ));
                }
            }
        }
    }
    let idle = entries(tree.text("Cargo.toml"), "[workspace.dependencies]");
    found.extend(idle.into_iter().filter(|name| !asked.contains(name)).map(|name| {
        format!("Cargo.toml has {name} under [workspace.dependencies] and no crate asks for it; remove the line")
    }));
    found
}

fn has_word(code: &str, word: &str) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(word).any(|(at, _)| {
        !part(code[..at].chars().next_back()) && !part(code[at + word.len()..].chars().next())
    })
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    let sound = "[package]\n\n[lints]\nworkspace = true\n";
    holds(
        crates_without_lints,
        &[&[("crates/app/Cargo.toml", "[package]\n")]],
        &[("crates/app/Cargo.toml", sound)],
    );
}

fn crates_without_lints(tree: &Tree) -> Vec<String> {
    manifests(tree)
        .filter(|(_, manifest)| !manifest.contains("[lints]\nworkspace = true"))
        .map(|(name, _)| {
            format!(
                "crates/{name}/Cargo.toml goes without lints; add `[lints]` and `workspace = true`"
            )
        })
        .collect()
}

#[test]
fn every_dependency_is_explained() {
    let cargo =
        ("Cargo.toml", "[workspace.dependencies]\nbist-app = { path = \"a\" }\nglob = \"1\"\n");
    let npm = ("web/package.json", "{\n  \"dependencies\": {\n    \"svelte\": \"5.0.0\"\n  }\n}\n");
    let fuzz = ("fuzz/Cargo.toml", "[dependencies]\nbist-app = { path = \"a\" }\ndice = \"1\"\n");
    let told = "| `glob` | patterns |\n| `svelte` | screens |\n| `dice` | throws |\n";
    holds(
        dependencies_without_a_reason,
        &[
            &[cargo, (DEPENDENCIES_ADR, "")],
            &[npm, (DEPENDENCIES_ADR, "| `vite` | builds |\n")],
            &[fuzz, (DEPENDENCIES_ADR, "")],
            &[cargo, (DEPENDENCIES_ADR, "| `glob` | patterns |\n| `gone` | was here |\n")],
        ],
        &[cargo, npm, fuzz, (DEPENDENCIES_ADR, told)],
    );
}

fn dependencies_without_a_reason(tree: &Tree) -> Vec<String> {
    let rust = entries(tree.text("Cargo.toml"), "[workspace.dependencies]");
    let fuzz = entries(tree.text(FUZZ_MANIFEST), "[dependencies]");
    let web = tree.text("web/package.json");
    let npm = ["\"dependencies\": {", "\"devDependencies\": {"].into_iter().flat_map(|section| {
        let body = web.split_once(section).map_or("", |(_, rest)| rest);
        let body = body.split('}').next().unwrap_or_default();
        body.lines().filter_map(|line| line.split('"').nth(1)).collect::<Vec<_>>()
    });
    let used: BTreeSet<&str> =
        rust.into_iter().chain(fuzz).filter(|name| !name.starts_with("bist-")).chain(npm).collect();
    let told: BTreeSet<&str> = tree
        .text(DEPENDENCIES_ADR)
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let untold = used.difference(&told).map(|name| {
        format!("{DEPENDENCIES_ADR} has no row for {name}; say what it saves, costs, who keeps it, its licence")
    });
    let gone = told.difference(&used).map(|name| {
        format!("{DEPENDENCIES_ADR} has a row for {name}, which nobody asks for; remove the row")
    });
    untold.chain(gone).collect()
}

#[test]
fn lock_files_name_no_server() {
    let mirror = "source = \"registry+https://mirror.example/index\"\n";
    holds(
        servers_in_lock_files,
        &[
            &[("Cargo.lock", mirror)],
            &[(FUZZ_LOCK, mirror)],
            &[("web/package-lock.json", "      \"resolved\": \"https://mirror.example/a.tgz\",\n")],
        ],
        &[
            ("Cargo.lock", CRATES_IO),
            ("web/package-lock.json", "      \"integrity\": \"sha512-a\",\n"),
        ],
    );
}

fn servers_in_lock_files(tree: &Tree) -> Vec<String> {
    let cargo = ["Cargo.lock", FUZZ_LOCK].into_iter().flat_map(|path| {
        (1_usize..)
            .zip(tree.text(path).lines())
            .filter(|(_, line)| line.starts_with("source = ") && *line != CRATES_IO)
            .map(move |(line, _)| {
                format!(
                    "{path}:{line} comes from elsewhere than crates.io; use a published version"
                )
            })
    });
    let npm = (1_usize..)
        .zip(tree.text("web/package-lock.json").lines())
        .filter(|(_, line)| line.contains("\"resolved\": \"http"))
        .map(|(line, _)| {
            format!("web/package-lock.json:{line} names a server; run npm with omit-lockfile-registry-resolved")
        });
    cargo.chain(npm).collect()
}

#[test]
fn what_is_fuzzed_is_what_is_shipped() {
    let package = |name: &str, version: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\n")
    };
    let shipped = package("glob", "1.0.0") + &package("glob", "2.0.0");
    let dice = package("fuzz", "0.0.0") + &package("dice", "2.0.0");
    let same = dice.clone() + &package("glob", "2.0.0");
    let other = dice + &package("glob", "1.0.1");
    holds(
        other_versions_in_the_fuzz_lock,
        &[&[("Cargo.lock", &shipped), (FUZZ_LOCK, &other)]],
        &[("Cargo.lock", &shipped), (FUZZ_LOCK, &same)],
    );
}

fn other_versions_in_the_fuzz_lock(tree: &Tree) -> Vec<String> {
    let versions = |path: &str| {
        let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for block in tree.text(path).split("[[package]]").skip(1) {
            let mut quoted = block.lines().filter_map(|line| line.split('"').nth(1));
            if let (Some(name), Some(version)) = (quoted.next(), quoted.next()) {
                versions.entry(name).or_default().insert(version);
            }
        }
        versions
    };
    let shipped = versions("Cargo.lock");
    versions(FUZZ_LOCK)
        .into_iter()
        .filter_map(|(name, fuzzed)| {
            let shipped = shipped.get(name)?;
            (!fuzzed.is_subset(shipped)).then(|| {
                format!(
                    "{FUZZ_LOCK} has {name} {fuzzed:?} and Cargo.lock {shipped:?}; copy Cargo.lock there and run `cargo update --workspace` in fuzz/"
                )
            })
        })
        .collect()
}

/// Name and text of the manifest of each crate.
fn manifests(tree: &Tree) -> impl Iterator<Item = (&str, &str)> {
    tree.files.iter().filter_map(|file| {
        let name = file.crate_name()?;
        (file.path == format!("crates/{name}/Cargo.toml")).then_some((name, file.text.as_str()))
    })
}

/// The names that stand in `section` of a manifest.
fn entries<'a>(manifest: &'a str, section: &str) -> Vec<&'a str> {
    manifest
        .lines()
        .skip_while(|line| *line != section)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .collect()
}

/// What stands between backticks in `text`.
fn code_words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
