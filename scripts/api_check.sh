#!/usr/bin/env bash
# Schemathesis asks every operation of the OpenAPI document, with what the document allows and with what
# it does not: no answer may be an error of the server, or one that the document does not know.
# usage: api_check.sh BIST SCHEMATHESIS [OUT_DIR]
set -euo pipefail
bist=$(realpath "$1")
schemathesis=$(realpath "$2")
cd "$(dirname "$0")/.."
out=${3:-target/api-check}
rm -rf "$out"
mkdir -p "$out"
data=$out/data
run() { "$bist" "$@" --data-dir "$data" --json --quiet; }
value() { grep -m 1 -o "\"$1\": *\"[^\"]*\"" | cut -d '"' -f 4; }

run sample --symbols 6 --years 4 >"$out/sample.json"
run train --horizon 5 >"$out/trained.json"
run signals >"$out/signals.json"
run tune --part elastic-net --pruner none --study check --trials 2 >"$out/tuned.json"

# A program with a key that may everything; Schemathesis asks more often than programs may.
run users create checker --role admin >"$out/user.json"
run keys create --user checker --name check --scope read --scope trade --scope analyse --scope admin >"$out/key.json"
key=$(value token <"$out/key.json")
cat >"$out/bist.toml" <<'TOML'
[limits]
ai = "100000/min"
auth = "100000/min"
default = "100000/min"
trading = "100000/min"
TOML
"$bist" serve --config "$out/bist.toml" --data-dir "$data" --bind 127.0.0.1:0 --json >"$out/serve.json" 2>"$out/serve.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    url=$(value address <"$out/serve.json" || true)
    [ -n "$url" ] && break
    sleep 0.1
done

# A portfolio to trade in, for as long as no request closes it.
portfolio=$(curl -fsS -H "Authorization: Bearer $key" -H "Content-Type: application/json" \
    --data '{"name": "check", "opening_cash": "100000.00"}' "$url/api/v1/portfolios" | value id)

# What the document cannot say is refused with 400 (a cursor of another list, days in the wrong order, a
# range or a span that ends before it begins, a rate that is not stored, a parameter that the study does not have,
# the order of a tuning with another job, a market order with a limit, an amount of zero)
# or 422 (a feature that no model reads, an order that is denied): no fault. Neither is 401 for a password that is none, or 403
# where the key of a program will not do. That a wrong cookie beside the right key is let in is meant; who is refused is tested operation by operation in tests/it/access.rs.
# The one operation whose answer does not end is left out: tests/it/live*.rs ask it.
cat >"$out/schemathesis.toml" <<TOML
[parameters]
symbol = "$(value symbol <"$out/signals.json")"
version = "$(value model_version <"$out/signals.json")"
against = "$(value model_version <"$out/signals.json")"
signal = "$(value id <"$out/signals.json")"
study = "check"
portfolio = "$portfolio"

[checks]
positive_data_acceptance.expected-statuses = ["2xx", "304", "401", "403", "404", "409", "410", "422", "503"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "410", "413", "415", "422", "428", "429", "503"]

[[operations]]
include-path-regex = "^/api/v1/(bars|market/(calendar|regime)|scenarios|screener|studies/.*)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "400", "404"]

[[operations]]
include-path-regex = "^/api/v1/admin/(overview|activity|api-usage|rate-limits).*$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403"]

[[operations]]
include-path = "/api/v1/jobs"
checks.positive_data_acceptance.expected-statuses = ["2xx", "304", "400", "403", "409"]

[[operations]]
include-path-regex = "^/api/v1/(portfolios|orders(/preview)?)$"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404", "409", "422"]

[[operations]]
include-path = "/api/v1/live/poll"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "403", "404"]

[[operations]]
include-path = "/api/v1/live"
checks.positive_data_acceptance.expected-statuses = ["426"]
checks.negative_data_rejection.expected-statuses = ["400", "426"]
TOML
(cd "$out" && "$schemathesis" --config-file schemathesis.toml run "$url/api/openapi.json" --checks all --exclude-checks ignored_auth \
    --exclude-path-regex '^/api/v1/live/events$' \
    --header "Authorization: Bearer $key" \
    --max-examples 25 --seed 7 --workers 1 --no-color) >"$out/report.txt" 2>&1 || {
    cat "$out/report.txt"
    exit 1
}
grep -A 3 "^Test cases:" "$out/report.txt"
