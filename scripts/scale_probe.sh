#!/usr/bin/env bash
# How many servers of one installation stand beside each other on this machine: what each takes of
# memory, processor, PostgreSQL and Redis at rest, and how soon all of them tell of a change.
# usage: scripts/with_postgres.sh scripts/scale_probe.sh BIST SERVERS [SYMBOLS]
set -euo pipefail
bist=$(realpath "$1")
servers=$2
symbols=${3:-400}
: "${BIST_TEST_POSTGRES_URL:?run this by scripts/with_postgres.sh}"
cd "$(dirname "$0")/.."
place=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$place"' EXIT

free_port() {
    node -e 'const server = require("node:net").createServer();
server.listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); });'
}

redis_port=$(free_port)
redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --appendonly no --dir "$place" >/dev/null &
database="${BIST_TEST_POSTGRES_URL%/}/scale_probe"
psql -q "${BIST_TEST_POSTGRES_URL%/}/postgres" -c 'DROP DATABASE IF EXISTS scale_probe' -c 'CREATE DATABASE scale_probe'

echo "a sample market of $symbols symbols" >&2
"$bist" sample --data-dir "$place/sample" --symbols "$symbols" --years 6 --seed 7 --quiet
"$bist" validate --all --data-dir "$place/sample" --quiet >/dev/null || true
"$bist" migrate copy --data-dir "$place/sample" --from "sqlite:" --to "$database" --quiet >/dev/null
export BIST_DATABASE_URL=$database BIST_REDIS_URL="redis://127.0.0.1:$redis_port/0" BIST_DATA_DIR=$place/data
cat >"$place/bist.toml" <<'TOML'
[database]
readers_max = 1
writers_max = 1
[limits]
default = "1000000/s"
TOML
"$bist" users create probe --role trader --quiet >/dev/null
key=$("$bist" keys create --user probe --name probe --scope read --json | sed -n 's/.*"token": *"\([^"]*\)".*/\1/p')

echo "$servers servers" >&2
ports=() pids=()
for _ in $(seq "$servers"); do
    port=$(free_port)
    "$bist" serve --config "$place/bist.toml" --role api --bind "127.0.0.1:$port" --quiet 2>>"$place/log" &
    ports+=("$port") pids+=("$!")
done
KEY=$key BIST=$bist PSQL_URL=$database REDIS_PORT=$redis_port PORTS="${ports[*]}" PIDS="${pids[*]}" \
    node scripts/scale_probe.mjs
