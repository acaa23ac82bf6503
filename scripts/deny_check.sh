#!/usr/bin/env bash
# Licences, bans, sources and advisories of the dependencies, by deny.toml. The last line says what came
# of it. Advisories need the database of RustSec, which is fetched; where it cannot be, that is said.
# usage: deny_check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
command -v cargo-deny >/dev/null || {
    echo "missing: cargo-deny; type: cargo install --locked cargo-deny" >&2
    exit 1
}
cargo deny --log-level warn check --hide-inclusion-graph licenses bans sources
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if cargo deny check advisories >"$log" 2>&1; then
    echo "licences, bans, sources and advisories hold"
elif grep -q "failed to fetch advisory database" "$log"; then
    echo "licences, bans and sources hold; advisories not checked: the database of RustSec cannot be fetched here"
else
    cat "$log"
    exit 1
fi
