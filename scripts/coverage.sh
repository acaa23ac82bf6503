#!/usr/bin/env bash
# How much of each crate the tests of the workspace reach: a table of lines, and target/coverage/lcov.info for
# editors; with crates named, by their own tests alone.
# usage: coverage.sh [-p CRATE...]
set -euo pipefail
cd "$(dirname "$0")/.."
version=0.9.1
tools=target/tools
llvm=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
host=$(rustc -vV | sed -n 's/^host: //p')

# The programs that read what was counted have to know the form of this compiler's LLVM: those that come with
# it, or Debian's of the same number.
programs=$(rustc --print sysroot)/lib/rustlib/$host/bin
if [ ! -x "$programs/llvm-profdata" ]; then
    scripts/setup.sh coverage
    programs=/usr/lib/llvm-$llvm/bin
fi
export LLVM_COV=$programs/llvm-cov LLVM_PROFDATA=$programs/llvm-profdata

[ "$("$tools/bin/cargo-llvm-cov" llvm-cov --version 2>/dev/null)" = "cargo-llvm-cov $version" ] ||
    cargo install --quiet cargo-llvm-cov --locked --version "$version" --root "$tools"
measure() { "$tools/bin/cargo-llvm-cov" llvm-cov "$@"; }

scope=("$@")
[ $# -gt 0 ] || scope=(--workspace)
# Damaged inputs by the hundred thousand reach what those by the million do.
export BIST_FUZZ_INPUTS=${BIST_FUZZ_INPUTS:-100000}
mkdir -p target/coverage
measure --no-report --locked "${scope[@]}" -- --quiet
measure report "${scope[@]}" --ignore-filename-regex 'crates/testkit/' --lcov --output-path target/coverage/lcov.info

awk -F: '
    /^SF:/ { name = $2; sub(/.*\/crates\//, "", name); sub(/\/.*/, "", name) }
    /^LF:/ { lines[name] += $2; all += $2 }
    /^LH:/ { reached[name] += $2; all_reached += $2 }
    END {
        printf "%-10s %8s %8s %8s\n", "crate", "lines", "reached", "percent"
        for (name in lines) {
            printf "%-10s %8d %8d %8.1f\n", name, lines[name], reached[name], 100 * reached[name] / lines[name] | "sort"
        }
        close("sort")
        if (!all) { print "nothing was counted"; exit 1 }
        printf "%-10s %8d %8d %8.1f\n", "all", all, all_reached, 100 * all_reached / all
    }' target/coverage/lcov.info
