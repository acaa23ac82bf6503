#!/usr/bin/env bash
# The real binary, end to end, in headless Chromium: a sample market from nothing to the page; the same
# market moved to PostgreSQL and served by several processes behind nginx, where PostgreSQL, Redis and
# nginx are there; and, when ../shared is there, the whole path on real prices.
# usage: e2e.sh BIST [OUT_DIR [PART...]], of the parts sample, cluster and real
set -euo pipefail
bist=$(realpath "$1")
cd "$(dirname "$0")/.."
out=${2:-target/e2e}
parts=" ${*:3} "
if [ "$parts" = "  " ]; then
    parts=" sample cluster real "
    rm -rf "$out"
fi
mkdir -p "$out"
server=
# A browser that clicks through everything asks more often than people may.
cat >"$out/bist.toml" <<'TOML'
[limits]
ai = "100000/min"
auth = "1000/min"
default = "100000/min"
trading = "100000/min"
TOML
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

# Whether PART was asked for.
wanted() { [[ $parts == *" $1 "* ]]; }

# Runs the browser journeys against $BIST_E2E_BASE, with the options that follow. The administrator is made
# in DATA by $BIST_CONFIG.
journeys() {
    local data=$1 shots=$2 invitation=
    shift 2
    "$bist" users create-admin --data-dir "$data" --name "e2e-$shots" --json >"$out/administrator-$shots.json"
    invitation=$(sed -n 's/.*"link": "[^"]*\(\/invitation#[^"]*\)".*/\1/p' "$out/administrator-$shots.json")
    node web/e2e/run.mjs --invitation "$invitation" --out "$out/$shots" "$@"
}

# Serves DATA on a free port and runs the browser journeys against it, with the options that follow.
browse() {
    local data=$1 shots=$2 log=$out/serve-$2.log base=
    shift 2
    export BIST_CONFIG=$out/bist.toml
    : >"$out/address-$shots.json"
    "$bist" serve --data-dir "$data" --bind 127.0.0.1:0 --json >"$out/address-$shots.json" 2>"$log" &
    server=$!
    for _ in $(seq 100); do
        base=$(sed -n 's/.*"address": "\(.*\)".*/\1/p' "$out/address-$shots.json")
        [ -z "$base" ] || break
        kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
        sleep 0.1
    done
    curl -fsS --retry 20 --retry-delay 1 --retry-all-errors "$base/health/ready" >"$out/ready-$shots.json"
    BIST_E2E_BASE=$base journeys "$data" "$shots" --log "$log" "$@"
    kill -TERM "$server"
    wait "$server"
    server=
}

# The sample market in DATA, trained and tuned.
make_sample() {
    local data=$1 started=
    echo "-- sample market: sample, validate, train, signals, tune"
    rm -rf "$data"
    started=$(date +%s)
    "$bist" sample --data-dir "$data" --symbols 30 --years 6 --seed 7
    "$bist" validate --all --data-dir "$data" --json >"$out/sample-validate.json"
    "$bist" train --data-dir "$data" --json >"$out/sample-train.json"
    "$bist" signals --data-dir "$data" --json >"$out/sample-signals.json"
    "$bist" tune --data-dir "$data" --trials 5 --part trees --json >"$out/sample-tune.json"
    node - "$out/sample-tune.json" <<'JS'
const report = JSON.parse(require('node:fs').readFileSync(process.argv[2], 'utf8'));
const [part] = report.parts;
if (part.complete_count + part.pruned_count !== 5 || report.hold_out.sessions_count < 250) {
  throw new Error(`five trials and a hold-out, not ${JSON.stringify(part)}`);
}
console.log(report.comparison?.sentence.en ?? 'the sample is tuned: nothing better was found');
JS
    echo "first run of the sample market: $(($(date +%s) - started)) s"
}

if wanted sample; then
    make_sample "$out/sample-data"
    # Several processes begin with what one began with: nobody has an account yet.
    rm -rf "$out/cluster-data"
    cp -r "$out/sample-data" "$out/cluster-data"
    browse "$out/sample-data" sample
fi

if wanted cluster && { [ -z "${BIST_TEST_POSTGRES_URL:-}" ] || ! command -v redis-server >/dev/null || [ ! -x /usr/sbin/nginx ]; }; then
    echo "skipped: several processes, because PostgreSQL (scripts/with_postgres.sh), Redis or nginx is not here"
elif wanted cluster; then
    echo "-- several processes on PostgreSQL and Redis behind nginx"
    [ -e "$out/cluster-data/bist.sqlite" ] || make_sample "$out/cluster-data"
    mkdir -p "$out/cluster"
    started=$(date +%s)
    export bist out
    export -f journeys
    # Each page was looked at in every width and theme above.
    scripts/with_cluster.sh "$bist" "$out/cluster-data" "$out/cluster" \
        bash -euo pipefail -c 'journeys "$out/cluster-data" cluster-pages --looks few'
    echo "several processes: $(($(date +%s) - started)) s"
fi

wanted real || exit 0

prices=../shared/data/bist/daily
if [ ! -d "$prices" ]; then
    echo "skipped: real prices, because $prices is not here"
    exit 0
fi
echo "-- real prices: ingest, validate, train, evaluate, signals"
data=$out/real-data
rm -rf "$data"
started=$(date +%s)
"$bist" ingest csv "$prices" --data-dir "$data" --json >"$out/real-ingest.json"
"$bist" validate --all --data-dir "$data" --json >"$out/real-validate.json"
"$bist" train --data-dir "$data" --json >"$out/real-train.json"
"$bist" evaluate --data-dir "$data" --json >"$out/real-evaluate.json"
"$bist" signals --data-dir "$data" --json >"$out/real-signals.json"
echo "real prices, five commands: $(($(date +%s) - started)) s"
node - "$prices" "$out" <<'JS'
const fs = require('node:fs');
const [prices, out] = process.argv.slice(2);
let rows = 0;
for (const file of fs.readdirSync(prices).filter((name) => name.endsWith('.csv'))) {
  rows += fs.readFileSync(`${prices}/${file}`, 'utf8').trimEnd().split('\n').length - 1;
}
const read = (name) => JSON.parse(fs.readFileSync(`${out}/${name}.json`, 'utf8'));
const ingest = read('real-ingest');
const validate = read('real-validate');
if (ingest.rows_read !== rows || validate.received_count !== rows) {
  throw new Error(`${rows} rows in the files, ${ingest.rows_read} read, ${validate.received_count} validated`);
}
console.log(`${rows} rows in the files, as many read and validated`);
JS
# The sample has been looked at in every width and theme.
browse "$data" real --looks few --data-only
