#!/usr/bin/env bash
# Everything that reads bytes of others, each for FUZZ_SECONDS before inputs that libFuzzer looks for by what
# they reach, beginning with fuzz/seeds and with what earlier runs found. An input that breaks a promise, takes
# ten seconds or a gigabyte is kept under target/fuzz/found and named.
# usage: [FUZZ_SECONDS=20] [FUZZ_DIR=target/fuzz] fuzz.sh [TARGET...]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${FUZZ_SECONDS:-20}
folder=${FUZZ_DIR:-target/fuzz}
host=$(rustc -vV | sed -n 's/^host: //p')
# The marks by which libFuzzer sees what an input reached and what it was compared with: those of cargo-fuzz
# without a sanitizer, which a stable compiler has too.
marks='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0'
RUSTFLAGS=$(tr -s '\n ' ' ' <<<"$marks") cargo build --manifest-path fuzz/Cargo.toml --target-dir "$folder" \
    --target "$host" --release --locked
program=$folder/$host/release/bist-fuzz

# Files that are overwritten all the time are kept in memory where the system has room.
memory=/dev/shm
[ -w "$memory" ] || memory=${TMPDIR:-$folder}
scratch=$(mktemp -d "$memory/bist-fuzz-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

names=("$@")
# libFuzzer says there what it does without; what is wrong shows with the first target.
[ $# -gt 0 ] || mapfile -t names < <("$program" 2>/dev/null)
[ ${#names[@]} -gt 0 ]
failed=0
for name in "${names[@]}"; do
    corpus=$folder/corpus/$name
    found=$folder/found/$name
    log=$folder/$name.log
    mkdir -p "$corpus" "$found"
    if FUZZ_TARGET=$name TMPDIR=$scratch "$program" "$corpus" "fuzz/seeds/$name" -max_total_time="$seconds" \
        -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$found/" -print_final_stats=1 >"$log" 2>&1; then
        awk -v name="$name" '
            $2 == "DONE" { reached = $4 }
            /^stat::number_of_executed_units:/ { inputs = $2 }
            /^stat::average_exec_per_sec:/ { pace = $2 }
            /^stat::peak_rss_mb:/ { memory = $2 }
            END { printf "holds  %-12s %9d inputs, %6d a second, %6d places reached, %4d MB\n", name, inputs, pace, reached, memory }' "$log"
    else
        failed=$((failed + 1))
        echo "FAILS  $name"
        grep -E -A 3 "panicked at|^==[0-9]+== *(ERROR|WARNING)|SUMMARY" "$log" | head -n 12 | sed 's/^/    /'
        input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        echo "    the input is in ${input:-nowhere, see $log}; again: FUZZ_TARGET=$name $program $input"
    fi
done
[ "$failed" = 0 ]
