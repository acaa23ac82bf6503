#!/usr/bin/env bash
# What watches the server, with programs that nobody here wrote: the rules by promtool, Alertmanager's
# configuration by amtool, the dashboards by Grafana's own library and types, and all of it on the real
# binary, which Debian's Prometheus scrapes while it is asked and does jobs: each query of each dashboard
# and each recorded rule has data, and alerts fire on faults and end with them. On PostgreSQL where it is
# run by scripts/with_postgres.sh, otherwise on SQLite.
# usage: prometheus_check.sh BIST [OUT_DIR]
set -euo pipefail
bist=$(realpath "$1")
cd "$(dirname "$0")/.."
out=${2:-target/prometheus-check}
tools=target/observe-tools
# The library is for Grafana 11.6, the newest that PyPI has; before the version stands when it was made.
packages=('grafana-foundation-sdk==1769699379!11.6.0' PyYAML==6.0.4)
modules=(@grafana/schema@13.2.3 typescript@6.0.3)
declare -A debian=([promtool]=prometheus [amtool]=prometheus-alertmanager [redis-server]=redis-server [shellcheck]=shellcheck)

missing=()
for program in "${!debian[@]}"; do command -v "$program" >/dev/null || missing+=("${debian[$program]}"); done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
        missing=()
    fi
fi
if [ ${#missing[@]} -gt 0 ]; then
    echo "skipped: Prometheus and Grafana, because these Debian packages are missing: ${missing[*]}"
    exit 0
fi
mkdir -p "$tools"
if ! { [ -x "$tools/bin/pip" ] || python3 -m venv "$tools"; } ||
    ! "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" ||
    ! npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$tools" "${modules[@]}"; then
    echo "skipped: Prometheus and Grafana, because ${packages[*]} ${modules[*]} cannot be installed"
    exit 0
fi
python=$tools/bin/python
rm -rf "$out"
mkdir -p "$out"
out=$(realpath "$out")
data=$out/data
pids=()
finish() {
    for ((at = ${#pids[@]} - 1; at >= 0; at--)); do
        kill "${pids[at]}" 2>/dev/null || true
        wait "${pids[at]}" 2>/dev/null || true
    done
    [ -z "${database:-}" ] || dropdb --if-exists --force --maintenance-db="$BIST_TEST_POSTGRES_URL/postgres" "$database"
}
trap finish EXIT
began=$(date +%s)
ok() { printf 'ok: %s\n' "$1"; }
failed() { printf 'failed: %s\n' "$1" >&2; exit 1; }
field() { "$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$@"; }

# The trap of one of them assigns a variable, which shellcheck does not see (SC2154).
git grep -lE '^#!/usr/bin/env bash' -- scripts .ci deploy >"$out/scripts.txt"
xargs -n 1 bash -n <"$out/scripts.txt"
xargs shellcheck --severity=warning --exclude=SC2154 <"$out/scripts.txt"
ok "$(wc -l <"$out/scripts.txt") scripts of the shell, by shellcheck"

promtool check rules deploy/prometheus/rules.yml >"$out/rules.txt"
promtool test rules deploy/prometheus/rules_test.yml deploy/prometheus/rules_slow_test.yml >"$out/rules-test.txt" 2>&1 || {
    cat "$out/rules-test.txt"
    failed "promtool test rules"
}
"$python" deploy/grafana/dashboards.py --check
"$python" scripts/observe/queries.py deploy/grafana/dashboards/*.json >"$out/queries.json"
ok "$("$python" scripts/observe/rules.py "$out/queries.json")"
# The file of the token is on the machine of Prometheus.
promtool check config --syntax-only deploy/prometheus/prometheus.yml >"$out/config.txt"
amtool check-config deploy/prometheus/alertmanager.yml >"$out/alertmanager.txt"
route=$(amtool config routes test --config.file=deploy/prometheus/alertmanager.yml severity=critical 2>/dev/null)
[ "$route" = people-on-call ] || failed "what is critical goes to ${route:-nobody}"
ok "rules by promtool, Alertmanager's configuration by amtool"
ok "$(node scripts/observe/dashboard_types.mjs "$tools" deploy/grafana/dashboards/*.json)"

free_port() { "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
run() { "$bist" "$@" --config "$out/bist.toml" --json --quiet; }
# Waits until URL answers.
answers() {
    curl -fsS --retry 120 --retry-delay 1 --retry-max-time 120 --retry-all-errors -o "$out/answer.txt" "$1" 2>"$out/answer.log" || {
        tail -n 5 "$out"/*.log >&2
        failed "$1 does not answer"
    }
}
alertmanager_port=$(free_port)
prometheus-alertmanager --config.file=deploy/prometheus/alertmanager.yml --storage.path="$out/alertmanager" --cluster.listen-address= \
    --web.listen-address="127.0.0.1:$alertmanager_port" 2>"$out/alertmanager.log" &
alertmanager_pid=$!
pids+=("$alertmanager_pid")
answers "http://127.0.0.1:$alertmanager_port/-/ready"
ok "$("$python" scripts/observe/inhibited.py "http://127.0.0.1:$alertmanager_port")"
# Before it tries to send anything, which it does after half a minute.
kill "$alertmanager_pid"

port=$(free_port) redis_port=$(free_port) prometheus_port=$(free_port)
base=http://127.0.0.1:$port
cat >"$out/bist.toml" <<TOML
data_dir = "$data"
redis_url = "redis://127.0.0.1:$redis_port/0"
[limits]
ai = "5/min"
default = "100000/min"
TOML
run sample --symbols 6 --years 4 >"$out/sample.json"
run train --horizon 5 >"$out/trained.json"
run signals >"$out/signals.json"
run backup generate-key --out "$out/identity.txt" >"$out/key-of-backups.json"
printf '[backup]\nrecipients = ["%s"]\nidentity = "%s"\n' "$(field "$out/key-of-backups.json" recipient)" "$out/identity.txt" >>"$out/bist.toml"
run users create watcher --role admin >"$out/watcher.json"
run users create reader --role viewer >"$out/reader.json"
run keys create --user watcher --name check --scope read --scope analyse --scope admin >"$out/key.json"
invitation=$(field "$out/reader.json" link)
"$python" -c 'import secrets; print(secrets.token_hex(32))' >"$out/metrics-token"
run secrets set metrics.token --from-file "$out/metrics-token" >"$out/secret.json"

# The database is reached through a program that can be taken away.
if [ -n "${BIST_TEST_POSTGRES_URL:-}" ]; then
    database=bist_observe_$$
    createdb --maintenance-db="$BIST_TEST_POSTGRES_URL/postgres" --template=template0 --encoding=UTF8 --locale=C "$database"
    "$bist" migrate copy --data-dir "$data" --from sqlite: --to "$BIST_TEST_POSTGRES_URL/$database" --quiet --json >"$out/moved.json"
    database_port=$(free_port)
    sed -i "1i database_url = \"postgres://postgres@127.0.0.1:$database_port/$database?sslmode=disable\"" "$out/bist.toml"
fi
connect_database() {
    : >"$out/database-port.txt"
    "$python" scripts/observe/away.py "${BIST_TEST_POSTGRES_URL##*:}" "$database_port" >"$out/database-port.txt" &
    database_pid=$!
    pids+=("$database_pid")
    until [ -s "$out/database-port.txt" ]; do kill -0 "$database_pid"; sleep 0.1; done
}
[ -z "${database:-}" ] || connect_database

start_redis() {
    redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no >>"$out/redis.log" 2>&1 &
    redis_pid=$!
    pids+=("$redis_pid")
}
start_bist() {
    "$bist" serve --config "$out/bist.toml" --bind "127.0.0.1:$port" --json >>"$out/serve.json" 2>>"$out/serve.log" &
    bist_pid=$!
    pids+=("$bist_pid")
}
start_redis
start_bist
answers "$base/health/ready"
curl -fsS "$base/metrics" >"$out/metrics.txt"
promtool check metrics <"$out/metrics.txt"
ok "$(grep -vc '^#' "$out/metrics.txt") series, by promtool check metrics"
# Who asks for somebody else needs the token.
for header in "X-Forwarded-For: 203.0.113.9" "X-Forwarded-For: 203.0.113.9
Authorization: Bearer wrong"; do
    status=$(printf '%s\n' "$header" | curl -s -o /dev/null -w '%{http_code}' -H @- "$base/metrics")
    [ "$status" = 401 ] || [ "$status" = 404 ] || failed "metrics for others answer $status"
done
curl -fsS -o /dev/null -H "X-Forwarded-For: 203.0.113.9" -H "Authorization: Bearer $(cat "$out/metrics-token")" "$base/metrics"
ok "metrics are for this machine and for the token"

"$python" scripts/observe/run_config.py "$out" "127.0.0.1:$port" "$out/metrics-token"
promtool check config "$out/prometheus.yml" >>"$out/config.txt"
scraped=$(date +%s)
prometheus --config.file="$out/prometheus.yml" --storage.tsdb.path="$out/tsdb" --web.listen-address="127.0.0.1:$prometheus_port" \
    --enable-feature=exemplar-storage --log.level=warn 2>"$out/prometheus.log" &
pids+=($!)
prometheus=http://127.0.0.1:$prometheus_port
answers "$prometheus/-/ready"
ask() { "$python" scripts/observe/ask.py "$prometheus" "$@"; }
ask value 'up{job="bist"}' 1
key=$(field "$out/key.json" token)
curl -sN -H "Authorization: Bearer $key" "$base/api/v1/live/events" >"$out/live.txt" &
pids+=($!)

# Does JOB in the server, and waits for its end.
job() {
    run jobs ask "$1" --reason "a run to look at" >"$out/job-$1.json"
    run jobs watch "$(field "$out/job-$1.json" id)" >"$out/watched-$1.json" || failed "the job $1, see $out/watched-$1.json"
}
"$python" scripts/observe/drive.py "$base" "$key" "${invitation#*#}" 10 >"$out/driven.json"
ok "requests by status: $(cat "$out/driven.json")"
for name in backup restore-drill key-care retraining; do job "$name"; done
job backup
ask value 'sum(bist_job_runs_total{outcome="done",exported_job="backup"})' 2
ask value 'max(bist_model_drift) >= bool 0' 1
ok "jobs: two backups, a drill, key-care and a retraining"

# A fault, an alert; its end, silence.
faults() {
    local name=$1 what=$2
    shift 2
    ask alert "$name" firing "$@"
    ok "$name fires: $what"
}
ends() { ask alert "$1" silent; ok "$1 ends: $2"; }

# The shell tells of who was killed.
{ kill -KILL "$bist_pid" && wait "$bist_pid"; } 2>>"$out/serve.log" || true
faults BistInstanceDown "the server was killed" "instance=127.0.0.1:$port"
start_bist
answers "$base/health/ready"
ends BistInstanceDown "it was started again"

kill "$redis_pid"
# Only who asks notices.
ask_ten_times() {
    for _ in $(seq 10); do curl -s -H "Authorization: Bearer $key" "$base/api/v1/symbols" >"$out/answer.txt"; done
}
ask_ten_times
faults BistBreakerOpen "Redis went away" target=redis
faults BistCountingAlone "Redis went away"
start_redis
ends BistBreakerOpen "Redis is back"
ask_ten_times
ends BistCountingAlone "Redis is back"

if [ -n "${database:-}" ]; then
    kill "$database_pid"
    faults BistDatabaseDown "PostgreSQL cannot be reached"
    faults BistNotReady "PostgreSQL cannot be reached"
    connect_database
    ends BistDatabaseDown "it can be reached again"
    ends BistNotReady "it can be reached again"
else
    ok "not tried: BistDatabaseDown, for there is no PostgreSQL (scripts/with_postgres.sh)"
fi

# Also what happened after the restart is in the figures.
"$python" scripts/observe/drive.py "$base" "$key" used 5 >"$out/driven-again.json"
ask value 'sum(bist_http_requests_total{route=~"/api/.*"}) > bool 0' 1
ok "$(ask queries "$out/queries.json" "$scraped")"
printf 'all of it in %d s\n' $(($(date +%s) - began))
