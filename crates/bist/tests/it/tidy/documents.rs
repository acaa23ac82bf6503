//! Documents say what is so.

use std::collections::{BTreeMap, BTreeSet};

use super::holds;
use super::rust_text::RustText;
use super::tree::{File, Tree};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const CHANGELOG: &str = "CHANGELOG.md";
const RUNBOOK: &str = "docs/OPERATIONS.md";
const RUNBOOK_TR: &str = "docs/OPERATIONS.tr.md";
const SECURITY: &str = "docs/SECURITY.md";

/// How an item of the map of security may stand; what `how` begins with.
const STANDS: [&str; 4] = ["met", "partly", "open", "does not apply"];

#[test]
fn links_lead_to_files() {
    holds(
        broken_links,
        &[
            &[("docs/a.md", "See [b](b.md).")],
            &[("docs/a.md", "See [b](../README.md#start).")],
            &[("docs/a.md", "![picture](a.png)")],
        ],
        &[
            (
                "docs/a.md",
                "[b](adr/b.md#x), [c](../README.md), [d](https://example.org), [e](#here)",
            ),
            ("docs/adr/b.md", "```\n[not](a-link.md)\n```\n and `[nor](this.md)`"),
            ("README.md", "[docs](docs/) and [a](docs/a.md \"title\")"),
        ],
    );
}

fn broken_links(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in markdown(tree) {
        for (line, text) in prose(&file.text) {
            // Code between backticks is not a link.
            let text: String = text.split('`').step_by(2).collect();
            for rest in text.split("](").skip(1) {
                let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
                if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                    continue;
                }
                if !tree.has(&resolve(file.folder(), target)) {
                    found.push(format!(
                        "{}:{line} links to {target}, which is not there; mend the link",
                        file.path
                    ));
                }
            }
        }
    }
    found
}

/// `target` as seen from `folder`, from the root of the repository.
fn resolve(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[test]
fn every_promise_of_the_architecture_has_a_guard_that_exists() {
    let text = |guard: &str| {
        format!(
            "## Promises\n\n| promise | kept by |\n|---|---|\n| It holds. | {guard} |\n\n## Next\n| a | b |\n"
        )
    };
    let guarded = text("test `it_holds` and lint `unsafe_code`");
    let rust = ("crates/app/src/a.rs", "#[test]\nfn it_holds() {}\nfn helper() {}\n");
    let lints = ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n");
    holds(
        promises_without_a_guard,
        &[
            &[(ARCHITECTURE, &guarded), lints],
            &[(ARCHITECTURE, &guarded), rust],
            &[(ARCHITECTURE, &text("test `helper`")), rust],
            &[(ARCHITECTURE, &text("care")), rust],
            &[(ARCHITECTURE, "# No promises")],
        ],
        &[(ARCHITECTURE, &guarded), rust, lints],
    );
}

fn promises_without_a_guard(tree: &Tree) -> Vec<String> {
    let tests: BTreeSet<String> = tree.rust().flat_map(tests_of).collect();
    let mut found = Vec::new();
    let mut promises_count = 0;
    let section = tree.text(ARCHITECTURE).split_once("## Promises").map_or("", |(_, rest)| rest);
    for row in section.lines().take_while(|l| !l.starts_with("## ")).filter(|l| l.starts_with("| "))
    {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [promise, guards] = cells[..] else { continue };
        if promise == "promise" {
            continue;
        }
        promises_count += 1;
        let named: Vec<(&str, &str)> = ["test", "lint"]
            .into_iter()
            .flat_map(|kind| {
                let mark = format!("{kind} `");
                let names = guards.split(mark.as_str()).skip(1).map(|rest| rest.split('`').next());
                names.map(|name| (kind, name.unwrap_or_default())).collect::<Vec<_>>()
            })
            .collect();
        if named.is_empty() {
            found.push(format!(
                "{ARCHITECTURE}: \"{promise}\" names no test or lint; name one as test `name`, or drop the promise"
            ));
        }
        for (kind, name) in named {
            let there = if kind == "test" { tests.contains(name) } else { is_lint(tree, name) };
            if !there {
                found.push(format!(
                    "{ARCHITECTURE}: there is no {kind} `{name}`; write it, correct the name, or drop the promise"
                ));
            }
        }
    }
    if promises_count == 0 {
        found.push(format!(
            "{ARCHITECTURE} has no table of promises under `## Promises`; write one"
        ));
    }
    found
}

/// The names of the test functions in `file`.
fn tests_of(file: &File) -> Vec<String> {
    let code = RustText::of(&file.text).code;
    let marks = code.match_indices("#[test]").chain(code.match_indices("#[tokio::test"));
    marks
        .filter_map(|(at, _)| {
            let rest = code[at..].split_once("fn ")?.1;
            rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().map(str::to_owned)
        })
        .collect()
}

/// Whether `name` is a lint that the workspace sets.
fn is_lint(tree: &Tree, name: &str) -> bool {
    let lints = tree.text("Cargo.toml").split_once("[workspace.lints").map_or("", |(_, rest)| rest);
    lints.lines().any(|line| line.split([' ', '=']).next() == Some(name))
}

#[test]
fn every_item_of_the_map_of_security_says_how_it_stands_and_what_shows_it() {
    let map = |rows: &[&str], met: usize, open: usize| {
        let rows: String =
            rows.iter().map(|row| format!("| V1.1.1 | 1 | a topic | {row} |\n")).collect();
        format!("## The map\n\n| met | {met} |\n| open | {open} |\n\n| id | level |\n{rows}")
    };
    let rust = ("crates/app/src/a/b.rs", "#[test]\nfn it_holds() {}\nfn helper() {}\n");
    let web = ("web/e2e/c.mjs", "check(isSo, 'it is so');\n");
    let lints = ("Cargo.toml", "[workspace.lints.rust]\nunsafe_code = \"forbid\"\n");
    let broken = [
        "met | `app::a::b::helper`",
        "met | `app::a::it_holds`",
        "met | `store::a::b::it_holds`",
        "met | `web/e2e/c.mjs::it is not so`",
        "met | `web/e2e/d.mjs`",
        "met | lint `unsafe_cod`",
        "met | care",
        "met | -",
        "perhaps | no test",
        "met",
    ]
    .map(|row| map(&[row], 1, 0));
    let twice = map(&["met | no test", "met | document"], 2, 0);
    let miscounted = map(&["met | no test"], 0, 1);
    let good = map(&["**open**: nobody did it | -"], 0, 1).replace(
        "| V1.1.1 |",
        "| V1.1.2, V1.1.3 | 2 | more | met: by care | `app::a::b::it_holds`, \
         `web/e2e/c.mjs::it is so`, `web/e2e/c.mjs`, lint `unsafe_code` |\n| V1.1.1 |",
    );
    let good = good.replace("| met | 0 |", "| met | 2 |");
    let broken: Vec<Vec<(&str, &str)>> = broken
        .iter()
        .chain([&twice, &miscounted])
        .map(|text| vec![(SECURITY, text.as_str()), rust, web, lints])
        .collect();
    let broken: Vec<&[(&str, &str)]> = broken.iter().map(Vec::as_slice).collect();
    holds(items_that_nothing_shows, &broken, &[(SECURITY, &good), rust, web, lints]);
}

fn items_that_nothing_shows(tree: &Tree) -> Vec<String> {
    let map = tree.text(SECURITY).split_once("## The map").map_or("", |(_, rest)| rest);
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in map.lines().filter(|line| line.starts_with("| V")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [names, _, _, how, shown_by] = cells[..] else {
            found.push(format!(
                "{SECURITY}: `{row}` has {} columns; give id, level, topic, how and shown by",
                cells.len()
            ));
            continue;
        };
        let how = how.trim_start_matches('*');
        let Some(stands) = STANDS.into_iter().find(|word| how.starts_with(word)) else {
            found.push(format!(
                "{SECURITY}: {names} does not say how it stands; begin with {}",
                STANDS.join(", ")
            ));
            continue;
        };
        for id in names.split(", ") {
            *counts.entry(stands).or_default() += 1;
            if !ids.insert(id) {
                found.push(format!("{SECURITY}: {id} stands there twice; leave one"));
            }
        }
        let guards: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        let is_built = ["met", "partly"].contains(&stands);
        if is_built && guards.is_empty() && !["no test", "document"].contains(&shown_by) {
            found.push(format!(
                "{SECURITY}: {names} names nothing that shows it; name a test, or say `no test` or `document`"
            ));
        }
        for guard in guards {
            if !is_guard(tree, guard) {
                found.push(format!(
                    "{SECURITY}: {names} is shown by `{guard}`, which is not there; correct the name, or say how it stands now"
                ));
            }
        }
    }
    for word in STANDS {
        let count = counts.get(word).copied().unwrap_or(0);
        let told = format!("| {word} | ");
        let told = map.lines().find_map(|line| line.strip_prefix(told.as_str()));
        let told = told.map_or("0", |rest| rest.trim_end_matches('|').trim());
        if told != count.to_string() {
            found.push(format!(
                "{SECURITY} counts {told} items as `{word}` where there are {count}; correct the table"
            ));
        }
    }
    if ids.is_empty() {
        found.push(format!("{SECURITY} has no item under `## The map`; write it"));
    }
    found
}

/// Whether `guard` is there: a lint, a file, a file with a text in it (`web/e2e/a.mjs::a text`), or a
/// test by the folder of its crate, its module and its name (`server::middleware::host::a_test`).
fn is_guard(tree: &Tree, guard: &str) -> bool {
    let Some((head, rest)) = guard.split_once("::") else {
        return is_lint(tree, guard) || tree.has(guard);
    };
    if head.contains('/') {
        return tree.text(head).contains(rest);
    }
    let Some((module, name)) = rest.rsplit_once("::") else { return false };
    let module = module.replace("::", "/");
    let (file, tests) = (format!("/{module}.rs"), format!("/{module}/tests.rs"));
    tree.rust()
        .filter(|rust| rust.crate_name() == Some(head))
        .filter(|rust| rust.path.ends_with(&file) || rust.path.ends_with(&tests))
        .any(|rust| tests_of(rust).iter().any(|test| test == name))
}

#[test]
fn the_runbooks_in_english_and_turkish_are_in_step() {
    let english = "# Run\n\nType `bist serve`, see `--bind`.\n\n```sh\nbist serve   # now\ncat 'a #1'\n```\n\n\
                   ```toml\na = 1\n```\n\n## Alerts\n\n### BistPanic\n\nLook at `warn`.\n\n### BistModelOld\n";
    let turkish = "# Çalıştırma\n\n`--bind` ayarına bakın, `bist serve` yazın.\n\n```sh\nbist serve # hemen\n\
                   cat 'a #1'\n```\n\n```toml\na = 1\n```\n\n## Uyarılar\n\n### BistPanic\n\n\
                   `warn` düzeyine bakın.\n\n### BistModelOld\n";
    let broken = [
        ("## Uyarılar", "### Uyarılar"),
        ("## Uyarılar\n\n", ""),
        ("### BistModelOld\n", ""),
        ("### BistPanic", "### BistPanik"),
        ("### BistModelOld", "### Eski model"),
        ("bist serve #", "bist server #"),
        ("cat 'a #1'", "cat 'a #2'"),
        ("```sh", "```bash"),
        ("```toml\na = 1\n```\n\n", ""),
        ("`warn`", "`error`"),
        ("`warn` düzeyine", "Günlüğe"),
    ]
    .map(|(from, to)| turkish.replacen(from, to, 1));
    let mut broken: Vec<Vec<(&str, &str)>> =
        broken.iter().map(|text| vec![(RUNBOOK, english), (RUNBOOK_TR, text.as_str())]).collect();
    broken.push(vec![(RUNBOOK, english)]);
    broken.push(vec![(RUNBOOK, "# Run\n"), (RUNBOOK_TR, "# Çalıştırma\n")]);
    let broken: Vec<&[(&str, &str)]> = broken.iter().map(Vec::as_slice).collect();
    holds(runbooks_out_of_step, &broken, &[(RUNBOOK, english), (RUNBOOK_TR, turkish)]);
}

fn runbooks_out_of_step(tree: &Tree) -> Vec<String> {
    let (english, turkish) = (sections(tree.text(RUNBOOK)), sections(tree.text(RUNBOOK_TR)));
    let mut found = Vec::new();
    let (alerts, alerts_tr) = (alerts_of(&english), alerts_of(&turkish));
    for (path, missing) in [(RUNBOOK_TR, &alerts - &alerts_tr), (RUNBOOK, &alerts_tr - &alerts)] {
        for name in missing {
            found.push(format!(
                "{path} has no section `{name}`, which the other language has; write it"
            ));
        }
    }
    if alerts.is_empty() {
        found.push(format!("{RUNBOOK} has no section of an alert; write them"));
    }
    if english.len() != turkish.len() {
        found.push(format!(
            "{RUNBOOK} has {} sections and {RUNBOOK_TR} {}; give both the same, in the same order",
            english.len(),
            turkish.len()
        ));
    }
    for (section, other) in english.iter().zip(&turkish) {
        let place = format!("{RUNBOOK}:{} and {RUNBOOK_TR}:{}", section.line, other.line);
        let is_alert = section.is_alert() || other.is_alert();
        if section.level != other.level || (is_alert && section.heading != other.heading) {
            found.push(format!(
                "{place}, `{}` and `{}`, are not the same section; give both the same levels, in the same order",
                section.heading, other.heading
            ));
            // Those that follow would be compared with the wrong ones.
            break;
        }
        if section.code != other.code {
            let same = section.code.iter().zip(&other.code).take_while(|(a, b)| a == b).count();
            let [line, line_other] =
                [section, other].map(|s| s.code.get(same).copied().unwrap_or_default());
            found.push(format!(
                "{place} have other code: `{line}` and `{line_other}`; only comments are translated"
            ));
        }
        let names: Vec<&str> = section.names.symmetric_difference(&other.names).copied().collect();
        if !names.is_empty() {
            found.push(format!(
                "{place} do not both have `{}`; commands and names between backticks stay as they are",
                names.join("`, `")
            ));
        }
    }
    found
}

/// What a Markdown text has below one of its headings and above the next one.
#[derive(Debug)]
struct Section<'a> {
    /// The line of the heading.
    line: usize,
    /// From 1 for `#`.
    level: usize,
    heading: &'a str,
    /// The lines of fenced code with their fences, without comments.
    code: Vec<&'a str>,
    /// What stands between backticks elsewhere.
    names: BTreeSet<&'a str>,
}

impl Section<'_> {
    /// Whether it is about an alert of Prometheus.
    fn is_alert(&self) -> bool {
        self.heading.starts_with("Bist") && self.heading.chars().all(|c| c.is_ascii_alphanumeric())
    }
}

fn alerts_of<'a>(sections: &[Section<'a>]) -> BTreeSet<&'a str> {
    sections.iter().filter(|section| section.is_alert()).map(|section| section.heading).collect()
}

/// The sections of a Markdown text, in their order; what comes before the first heading is in none.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    let mut fenced = false;
    for (line, text) in (1_usize..).zip(text.lines()) {
        let fence = text.trim_start().starts_with("```");
        let heading = text.trim_start_matches('#');
        let level = text.len() - heading.len();
        if !fenced && level > 0 {
            let heading = heading.trim();
            let names = BTreeSet::new();
            sections.push(Section { line, level, heading, code: Vec::new(), names });
        } else if let Some(section) = sections.last_mut() {
            if fenced || fence {
                section.code.push(without_comment(text));
            } else {
                section.names.extend(text.split('`').skip(1).step_by(2));
            }
        }
        fenced ^= fence;
    }
    sections
}

/// A line of code without the comment that `#` begins, at the beginning of a word and outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match quote {
            Some(mark) if mark == c => quote = None,
            Some(_) => {}
            None if c == '#' && before.is_whitespace() => return line[..at].trim_end(),
            None if c == '"' || c == '\'' => quote = Some(c),
            None => {}
        }
        before = c;
    }
    line.trim_end()
}

#[test]
fn the_changelog_tells_what_is_unreleased() {
    holds(
        changelog_without_news,
        &[
            &[(CHANGELOG, "# Changelog\n\n## 0.1.0\n\n- A.\n")],
            &[(CHANGELOG, "# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- A.\n")],
            &[(CHANGELOG, "# Changelog\n\n## Unreleased\n\n- A.\n")],
        ],
        &[(CHANGELOG, "# Changelog\n\n## Unreleased\n\n### Added\n\n- A.\n")],
    );
}

fn changelog_without_news(tree: &Tree) -> Vec<String> {
    let text = tree.text(CHANGELOG);
    let section = text.split_once("\n## Unreleased\n").map_or("", |(_, rest)| rest);
    let section = section.split("\n## ").next().unwrap_or_default();
    let kinds = ["### Added", "### Changed", "### Fixed", "### Removed", "### Security"];
    if section.contains("\n- ") && kinds.iter().any(|kind| section.contains(kind)) {
        return Vec::new();
    }
    vec![format!(
        "{CHANGELOG} has no entry under `## Unreleased`; tell users what changes, under Added, Changed, Fixed, Removed or Security"
    )]
}

#[test]
fn every_decision_is_numbered_and_listed() {
    let list = ("docs/adr/README.md", "| [0001](0001-a.md) | A |");
    holds(
        decisions_out_of_order,
        &[
            &[list, ("docs/adr/0001-a.md", ""), ("docs/adr/0002-b.md", "")],
            &[list, ("docs/adr/0001-a.md", ""), ("docs/adr/0003-c.md", "(0003-c.md)")],
        ],
        &[list, ("docs/adr/0001-a.md", "")],
    );
}

fn decisions_out_of_order(tree: &Tree) -> Vec<String> {
    let list = tree.text("docs/adr/README.md");
    let records = tree.files.iter().filter(|file| {
        file.folder() == "docs/adr"
            && file.path.ends_with(".md")
            && !file.path.ends_with("README.md")
    });
    let mut found = Vec::new();
    for (number, file) in (1_usize..).zip(records) {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(&format!("{number:04}-")) {
            found.push(format!("{} should be number {number:04}; leave no gap", file.path));
        }
        if !list.contains(&format!("({name})")) {
            found.push(format!("docs/adr/README.md does not list {name}; add its row"));
        }
    }
    found
}

#[test]
fn open_work_names_an_issue() {
    let mark = ["TO", "DO"].concat();
    holds(
        open_work_without_an_issue,
        &[
            &[("crates/app/src/a.rs", &format!("// {mark}: faster\n"))],
            &[("web/src/a.ts", &format!("// {mark} (ayse) faster\n"))],
        ],
        &[
            ("crates/app/src/a.rs", &format!("// {mark}(#12): faster\nlet a = \"{mark} list\";\n")),
            ("web/src/a.ts", "// todo list\n"),
        ],
    );
}

fn open_work_without_an_issue(tree: &Tree) -> Vec<String> {
    // Written in halves, so that this file does not find itself.
    let marks =
        [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["HA", "CK"]].map(|halves| halves.concat());
    let mut found = Vec::new();
    for file in tree.files.iter().filter(|file| !file.path.ends_with(".md")) {
        let text =
            if file.is_rust() { RustText::of(&file.text).comments } else { file.text.clone() };
        for (line, text) in (1_usize..).zip(text.lines()) {
            let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            let Some(mark) = words.find(|word| marks.iter().any(|mark| mark == word)) else {
                continue;
            };
            if !text.contains(&format!("{mark}(#")) {
                found.push(format!(
                    "{}:{line} leaves work open without saying where; write {mark}(#issue), or do it",
                    file.path
                ));
            }
        }
    }
    found
}

fn markdown(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.path.ends_with(".md"))
}

/// The lines of a Markdown text outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}
