#!/usr/bin/env bash
# What a build is told of where it comes from, as words for `env`: the commit, and its time or that of
# SOURCE_DATE_EPOCH, so that the same sources give the same program.
#   env $(scripts/build_facts.sh) cargo build --release --locked --bin bist
set -euo pipefail
cd "$(dirname "$0")/.."
commit=$(git rev-parse HEAD)
[ -z "$(git status --porcelain --untracked-files=no)" ] || commit+=-changed
echo "BIST_COMMIT=$commit"
echo "BIST_BUILT_AT=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}" +%FT%TZ)"
