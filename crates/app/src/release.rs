//! Which program this is: its version, and what the build was told of where it comes from.

use std::sync::LazyLock;

/// The version, with the commit and the time of the sources where the build was told them
/// (`scripts/build_facts.sh`).
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| told(env!("CARGO_PKG_VERSION"), commit(), built_at()));
    VERSION.as_str()
}

/// The commit that was built.
pub(crate) fn commit() -> Option<&'static str> {
    option_env!("BIST_COMMIT").filter(|commit| !commit.is_empty())
}

fn built_at() -> Option<&'static str> {
    option_env!("BIST_BUILT_AT").filter(|instant| !instant.is_empty())
}

fn told(version: &str, commit: Option<&str>, built_at: Option<&str>) -> String {
    match (commit, built_at) {
        (Some(commit), Some(built_at)) => format!("{version} ({commit}, built {built_at})"),
        (Some(commit), None) => format!("{version} ({commit})"),
        (None, Some(_) | None) => version.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_tells_what_the_build_was_told() {
        let at = "2026-11-30T12:00:00Z";
        assert_eq!(
            told("0.1.0", Some("8076d04"), Some(at)),
            "0.1.0 (8076d04, built 2026-11-30T12:00:00Z)"
        );
        assert_eq!(told("0.1.0", Some("8076d04"), None), "0.1.0 (8076d04)");
        assert_eq!(told("0.1.0", None, Some(at)), "0.1.0");
        assert_eq!(told("0.1.0", None, None), "0.1.0");
        assert!(version().starts_with(env!("CARGO_PKG_VERSION")));
    }
}
