//! Rules of the tree itself, as tests: each name is the rule, each failure says what to do.
//!
//! A rule is a function from a [`Tree`] to sentences about its breaches. [`holds`] shows that the
//! rule can fail, on small trees that break it, before it asks the real one.

mod code;
mod documents;
mod files;
mod manifests;
mod rust_text;
mod tree;

use tree::Tree;

/// Finds every breach of one rule, each as a sentence that says where it is and what to do.
type Rule = fn(&Tree) -> Vec<String>;

/// A small tree for showing what a rule does: paths and texts.
type Planted<'a> = &'a [(&'a str, &'a str)];

/// Asserts that `rule` finds something in each of `broken`, nothing in `sound`, and nothing in the
/// real tree.
#[track_caller]
fn holds(rule: Rule, broken: &[Planted<'_>], sound: Planted<'_>) {
    for planted in broken {
        assert!(!rule(&Tree::planted(planted)).is_empty(), "the rule does not see {planted:?}");
    }
    let found = rule(&Tree::planted(sound));
    assert!(found.is_empty(), "the rule is wrong about a sound tree:\n{}", found.join("\n"));

    let found = rule(Tree::real());
    assert!(found.is_empty(), "{} to put right:\n{}", found.len(), found.join("\n"));
}
