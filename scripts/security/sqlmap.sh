#!/usr/bin/env bash
# sqlmap on each file `NAME.request` of DIR, two at a time, each for two minutes at most: the query, the
# path where a star says so, and the fields of a document. `sqlmap.txt` gets a line for each: `injectable`,
# `nothing`, or why it is not known.
# usage: sqlmap.sh DIR [OPTION...]
set -euo pipefail
dir=$1
shift
one() {
    local request=$1 code=0 result
    shift
    # The refusals of what is asked for are answers as well; the cookie is that of the check.
    timeout 120 sqlmap -r "$request" --batch --ignore-stdin --flush-session --disable-coloring --output-dir="$request.d" \
        --dbms=sqlite --technique=BEUS --level=1 --risk=1 --ignore-code=401,404 "$@" >"${request%.request}.out" 2>&1 || code=$?
    if grep -q "identified the following injection point" "${request%.request}.out"; then
        result=injectable
    elif grep -q "do not appear to be injectable" "${request%.request}.out"; then
        result=nothing
    else
        result="not known, ended with $code: $(grep -m 1 CRITICAL "${request%.request}.out" || true)"
    fi
    echo "$(basename "$request"): $result"
}
export -f one
printf '%s\0' "$dir"/*.request | xargs -0 -P 2 -I '{}' bash -c 'one "$@"' one '{}' "$@" | sort >"$dir/sqlmap.txt"
