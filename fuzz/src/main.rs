//! Everything that reads bytes of others, before inputs that libFuzzer looks for by what they reach.
//!
//! `FUZZ_TARGET` names one of [`TARGETS`]; without it their names are printed. What holds of an answer is
//! asked by each target: of files and services by the checks that the tests of `bist-feeds` have for their
//! million damaged inputs, of the rest here. `scripts/fuzz.sh` builds this and runs all of them.

#![no_main]

mod broker;
mod documents;
mod models;
mod parquet;
mod words;

#[path = "../../crates/feeds/tests/it/fuzz/checks.rs"]
mod checks;

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// Reads the bytes, with a folder to work in; panics when a promise is broken, and says whether anything of
/// use was read.
type Check = fn(&[u8], &Path) -> bool;

/// What reads bytes of others, by name; each has a folder of inputs to begin with under `seeds/`.
const TARGETS: [(&str, Check); 20] = [
    ("actions_csv", checks::actions_csv),
    ("archive", checks::archive),
    ("broker", broker::check),
    ("bulletin", checks::bulletin),
    ("csv", checks::csv),
    ("documents", documents::check),
    ("evds", checks::evds),
    ("hisse_tekil", checks::hisse_tekil),
    ("kap_detail", checks::kap_detail),
    ("kap_page", checks::kap_page),
    ("kap_site", checks::kap_site),
    ("models", models::check),
    ("parquet", parquet::check),
    ("rates", checks::rates),
    ("sermaye", checks::sermaye),
    ("trees", models::check_trees),
    ("weights", models::check_weights),
    ("words", words::check),
    ("yahoo_days", checks::yahoo_days),
    ("yahoo_hours", checks::yahoo_hours),
];

/// The target that was named, and a folder for it.
static CHOSEN: OnceLock<(Check, TempDir)> = OnceLock::new();

fn choose() {
    let Some(wanted) = std::env::var_os("FUZZ_TARGET") else {
        for (name, _) in TARGETS {
            println!("{name}");
        }
        std::process::exit(0);
    };
    let Some((name, check)) = TARGETS.into_iter().find(|(name, _)| wanted == *name) else {
        eprintln!("there is no target {}; without FUZZ_TARGET they are listed", wanted.display());
        std::process::exit(2);
    };
    if name == "parquet" {
        parquet::catch_panics();
    }
    let folder = TempDir::new().expect("there is room for a file");
    CHOSEN.set((check, folder)).expect("one target is chosen, once");
}

fuzz_target!(init: choose(), |bytes: &[u8]| {
    let (check, folder) = CHOSEN.get().expect("libFuzzer begins with the choice");
    check(bytes, folder.path());
});
