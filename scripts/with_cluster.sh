#!/usr/bin/env bash
# Runs a command beside an installation of several processes: a new database of the PostgreSQL that
# scripts/with_postgres.sh starts, a Redis, two servers, two workers and a scheduler, and nginx in front
# of the servers. What is in DATA, on SQLite, is moved there first. It keeps nothing but the logs in LOGS.
#   scripts/with_postgres.sh scripts/with_cluster.sh BIST DATA LOGS COMMAND...
# The command finds the address of nginx as BIST_E2E_BASE, that of one of the servers as BIST_E2E_DIRECT,
# and a configuration of the installation as BIST_CONFIG.
set -euo pipefail
bist=$(realpath "$1")
data=$2
logs=$(realpath "$3")
shift 3
scripts=$(dirname "$(realpath "$0")")
: "${BIST_TEST_POSTGRES_URL:?run this by scripts/with_postgres.sh}"

free_port() {
    node -e 'const server = require("node:net").createServer();
server.listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); });'
}

started=()
database=bist_cluster_$$
finish() {
    # The last that was started goes first, so that nobody is asked who is gone.
    for ((at = ${#started[@]} - 1; at >= 0; at--)); do
        kill -TERM "${started[at]}" 2>/dev/null || true
        wait "${started[at]}" 2>/dev/null || true
    done
    dropdb --if-exists --force --maintenance-db="$BIST_TEST_POSTGRES_URL/postgres" "$database"
}
trap finish EXIT
createdb --maintenance-db="$BIST_TEST_POSTGRES_URL/postgres" --template=template0 --encoding=UTF8 --locale=C "$database"
redis_port=$(free_port)
redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --logfile '' >"$logs/redis.log" 2>&1 &
started+=($!)

# Clicking through everything asks more often than people may.
export BIST_CONFIG=$logs/cluster.toml
cat >"$BIST_CONFIG" <<TOML
data_dir = "$(realpath "$data")"
database_url = "$BIST_TEST_POSTGRES_URL/$database"
redis_url = "redis://127.0.0.1:$redis_port/0"
[server]
trusted_proxies = ["127.0.0.1"]
[limits]
ai = "100000/min"
auth = "1000/min"
default = "100000/min"
trading = "100000/min"
TOML
if [ -e "$data/bist.sqlite" ]; then
    "$bist" migrate copy --from sqlite: --to "$BIST_TEST_POSTGRES_URL/$database"
fi

# Starts a process of a role and waits until it says where it listens, which `address` is then.
start() {
    local role=$1 name=$2
    : >"$logs/$name.json"
    "$bist" serve --role "$role" --bind 127.0.0.1:0 --json >"$logs/$name.json" 2>"$logs/$name.log" &
    local process=$!
    started+=("$process")
    address=
    until address=$(sed -n 's/.*"address": "\(.*\)".*/\1/p' "$logs/$name.json") && [ -n "$address" ]; do
        kill -0 "$process" 2>/dev/null || { cat "$logs/$name.log" >&2; exit 1; }
        sleep 0.1
    done
    curl -fsS --retry 20 --retry-delay 1 --retry-all-errors "$address/health/ready" >>"$logs/ready.json"
}
start api api-1
export BIST_E2E_DIRECT=$address
servers=("${address#http://}")
start api api-2
servers+=("${address#http://}")
start worker worker-1
start worker worker-2
start scheduler scheduler
port=$(free_port)
mkdir -p "$logs/nginx"
"$scripts/nginx.sh" "$logs/nginx" "$port" "${servers[@]}" 2>"$logs/nginx.log" &
started+=($!)
export BIST_E2E_BASE=http://127.0.0.1:$port
curl -fs --retry 20 --retry-delay 1 --retry-all-errors "$BIST_E2E_BASE/health/ready" >>"$logs/ready.json"
"$@"
