#!/usr/bin/env bash
# Licences, bans, sources and advisories of the dependencies, by deny.toml and .cargo/audit.toml. The last
# line says what came of it. Advisories need the database of RustSec, which is fetched; where it cannot
# be, ADVISORY_DB names a git repository that has it, and without that it is said that nobody looked.
# usage: [ADVISORY_DB=DIRECTORY] deny_check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in cargo-deny cargo-audit; do
    command -v "$tool" >/dev/null || {
        echo "missing: $tool; type: cargo install --locked $tool" >&2
        exit 1
    }
done
cargo deny --log-level warn check --hide-inclusion-graph licenses bans sources
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if [ -n "${ADVISORY_DB:-}" ]; then
    database=$(realpath "$ADVISORY_DB")
    # The folder that cargo-deny makes for this address.
    mkdir "$scratch/databases"
    ln -s "$database" "$scratch/databases/advisory-db-3157b0e258782691"
    sed "s|^\[advisories\]$|&\ndb-path = \"$scratch/databases\"\ndb-urls = [\"https://github.com/rustsec/advisory-db\"]|" \
        deny.toml >"$scratch/deny.toml"
    cargo deny --frozen --config "$scratch/deny.toml" --log-level warn check --hide-inclusion-graph advisories
    cargo audit --quiet --deny warnings --db "$database" --no-fetch
    count=$(find "$database/crates" -name 'RUSTSEC-*.md' | wc -l)
    newest=$(find "$database/crates" -name 'RUSTSEC-*.md' -exec sed -n 's/^date = "\(.*\)"/\1/p' {} + | sort | tail -n 1)
    echo "licences, bans, sources and advisories hold ($count advisories, the newest of $newest)"
elif cargo deny check advisories >"$scratch/log" 2>&1; then
    cargo audit --quiet --deny warnings
    echo "licences, bans, sources and advisories hold"
elif grep -q "failed to fetch advisory database" "$scratch/log"; then
    echo "licences, bans and sources hold; advisories not checked: the database of RustSec cannot be fetched here"
else
    cat "$scratch/log"
    exit 1
fi
