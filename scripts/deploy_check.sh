#!/usr/bin/env bash
# scripts/deploy put to the test on the real binary, PostgreSQL and Redis, through HAProxy and through
# nginx: under constant load traffic goes from one colour to the other and back again, and no request and
# no live event is lost; releases that do not do well roll back by themselves; a killed server leaves.
# usage: scripts/with_postgres.sh scripts/deploy_check.sh BIST [SWITCHES] [haproxy|nginx]
set -euo pipefail
bist=$(realpath "$1")
switches=${2:-20}
balancers=${3:-haproxy nginx}
cd "$(dirname "$0")/.."
: "${BIST_TEST_POSTGRES_URL:?run this by scripts/with_postgres.sh}"
for program in wrk haproxy nginx redis-server socat jq; do
    command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || {
        echo "skipped: $program is not here; the Debian packages wrk, haproxy, nginx-light, redis-server, socat and jq have all of it"
        exit 0
    }
done
# Each run has a folder of its own, whose name is short enough for a socket, and a program that no build
# changes meanwhile.
folder=$(mktemp -d)
keep=target/deploy-check
rm -rf "$keep"
mkdir -p "$keep"

# Ports below those that the system gives away by itself: the servers of the colour that rests do not hold
# theirs, and no connection is to take them meanwhile.
free_ports() {
    node -e 'const { createServer } = require("node:net");
const isFree = (port) => new Promise((done) => {
  const server = createServer().once("error", () => done(false));
  server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
});
(async () => {
  const ports = [];
  for (let port = 20000 + (process.pid % 1000) * 10; ports.length < Number(process.argv[1]); port += 1) {
    if (await isFree(port)) ports.push(port);
  }
  console.log(ports.join(" "));
})();' "$1"
}
say() { printf '%s %s\n' "$(date -u +%T)" "$*"; }

begun=() balancer=
database=bist_deploy_$$
# Forgets a process that has ended, whose number may be that of another one.
no_longer() {
    local ended=$1 process left=()
    for process in "${begun[@]}"; do [ "$process" = "$ended" ] || left+=("$process"); done
    begun=("${left[@]}")
}
# What the servers behind this balancer said, and everything else that was said.
keep_logs() {
    [ -z "$balancer" ] || cp -rT "$folder/place" "$keep/place-$balancer" 2>/dev/null || true
    cp "$folder"/*.log "$folder"/*.json "$keep/" 2>/dev/null || true
}
# Ends the servers of the place that nobody could stop, with what they have started.
# shellcheck disable=SC2317
kill_servers() (
    # shellcheck source=scripts/deploy_parts.sh
    source scripts/deploy_parts.sh
    for file in "$folder"/place/run/*.pid; do
        read -r pid began 2>/dev/null <"$file" || continue
        if [ -n "$began" ] && [ "$(began_at "$pid")" = "$began" ]; then kill -KILL -- "-$pid" || true; fi
    done
)
# shellcheck disable=SC2317
finish() {
    local at
    [ ! -e "$folder/deploy.conf" ] || scripts/stop 2>/dev/null || true
    kill_servers 2>/dev/null || true
    for ((at = ${#begun[@]} - 1; at >= 0; at--)); do
        kill -TERM "${begun[at]}" 2>/dev/null || true
        wait "${begun[at]}" 2>/dev/null || true
    done
    keep_logs
    rm -rf "$folder"
    dropdb --if-exists --force --maintenance-db="$BIST_TEST_POSTGRES_URL/postgres" "$database"
}
trap finish EXIT
cp --reflink=auto "$bist" "$folder/bist"
bist=$folder/bist

# ---- An installation with a sample market, and an account whose key asks
createdb --maintenance-db="$BIST_TEST_POSTGRES_URL/postgres" --template=template0 --encoding=UTF8 --locale=C "$database"
read -ra ports <<<"$(free_ports 8)"
redis-server --bind 127.0.0.1 --port "${ports[0]}" --save '' --appendonly no --dir "$folder" >"$folder/redis.log" 2>&1 &
begun+=($!)
export BIST_CONFIG=$folder/bist.toml BIST_DEPLOY_SETTINGS=$folder/deploy.conf
cat >"$BIST_CONFIG" <<TOML
data_dir = "$folder/data"
database_url = "$BIST_TEST_POSTGRES_URL/$database"
redis_url = "redis://127.0.0.1:${ports[0]}/0"
[server]
trusted_proxies = ["127.0.0.1"]
[server.connections]
per_address_max = 5000
[limits]
ai = "1000000/min"
auth = "1000000/min"
default = "1000000/min"
TOML
BIST_DATABASE_URL='sqlite:' "$bist" sample --data-dir "$folder/data" --symbols 6 --years 2 --seed 7 --quiet
"$bist" migrate copy --from "sqlite:$folder/data/bist.sqlite" --to "$BIST_TEST_POSTGRES_URL/$database" --quiet >/dev/null
"$bist" users create asker --role trader --quiet >/dev/null
"$bist" keys create --user asker --name check --scope read --json --quiet | jq -r .token >"$folder/key"
# No key is an argument, which every user of the machine can see.
with_key() { printf 'authorization: Bearer %s' "$(cat "$folder/key")"; }
cat >"$folder/key.lua" <<'LUA'
local file = assert(io.open(os.getenv("KEY_FILE")))
wrk.headers["Authorization"] = "Bearer " .. file:read("*l")
file:close()
LUA

# ---- Releases: the program under two names, so that a switch brings another one, and four bad ones
mkdir "$folder/releases"
for name in one two; do
    printf '#!/bin/sh\n# %s\nexec %q "$@"\n' "$name" "$bist" >"$folder/releases/$name"
done
cat >"$folder/releases/never-ready" <<'SH'
#!/bin/sh
case $1 in serve) exec sleep 600 ;; --version) echo 'bist 9.9.9' ;; esac
SH
cat >"$folder/releases/takes-away" <<'SH'
#!/bin/sh
case "$1 $2" in 'migrate known') echo '{"newest": 99999, "migration_min": 99999}' ;; *) exec "$REAL_BIST" "$@" ;; esac
SH
# One that answers 500: all the time, or once it has answered many requests.
cat >"$folder/releases/answers-500" <<'JS'
#!/usr/bin/env node
const http = require('node:http');
const { spawn, spawnSync } = require('node:child_process');
const args = process.argv.slice(2);
if (args[0] !== 'serve') process.exit(spawnSync(process.env.REAL_BIST, args, { stdio: 'inherit' }).status);
const at = args.indexOf('--bind') + 1;
const [host, port] = args[at].split(':');
args[at] = `${host}:0`;
const child = spawn(process.env.REAL_BIST, [...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
const agent = new http.Agent({ keepAlive: true });
let answered = 0;
child.stdout.once('data', (text) => {
  const inner = new URL(JSON.parse(text).address);
  http.createServer((request, response) => {
    const isHealth = request.url.startsWith('/health');
    if (!isHealth && (answered += 1) > Number(process.env.GOOD_ANSWERS)) return response.writeHead(500).end('bad');
    const passed = { host: inner.hostname, port: inner.port, method: request.method, path: request.url, headers: request.headers, agent };
    const asked = http.request(passed, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    asked.on('error', () => response.destroy());
    request.pipe(asked);
  }).listen(Number(port), host);
});
JS
chmod +x "$folder"/releases/*
export REAL_BIST=$bist GOOD_ANSWERS=0

settings() {
    cat >"$BIST_DEPLOY_SETTINGS" <<CONF
PLACE=$folder/place PROGRAMS=$folder/programs RUN_BY=processes BALANCER=$1
HAPROXY_SOCKET=$folder/haproxy/admin.sock
RUN_AS= DATA_DIR=$folder/data SERVICE_ENVIRONMENT=$folder/none MASTER_KEY=$folder/none
BLUE="${ports[1]} ${ports[2]}" GREEN="${ports[3]} ${ports[4]}" WORKER_PORT=${ports[5]} SCHEDULER_PORT=${ports[6]}
API_KEY_FILE=$folder/key WARM='/ /api/openapi.json /api/v1/symbols?limit=50'
STEPS="10 50 100" STEP_S=1 PROBE_EVERY_S=0.2 DRAIN_S=1 READY_S=${2:-60} P95_MS_MAX=10000
CONF
}

failed=0
wrong() {
    say "WRONG: $*"
    failed=$((failed + 1))
}

# What wrk found: fails unless every answer was 2xx or 3xx and no connection failed.
judge_load() {
    local log=$1
    grep -E 'requests in|Requests/sec' "$log"
    if grep -E 'Non-2xx|Socket errors' "$log"; then wrong "requests failed: $log"; fi
    grep -q 'requests in' "$log" || wrong "wrk told nothing: $log"
}

load_begins() {
    # What is asked is what people ask most, by a key of an account.
    KEY_FILE=$folder/key wrk -t2 -c200 -d3600s --timeout 30s -s "$folder/key.lua" \
        "$edge/api/v1/bars?symbol=$symbol&limit=30" >"$1" &
    load=$!
    begun+=("$load")
}
load_ends() {
    kill -INT "$load"
    wait "$load" || true
    no_longer "$load"
}

active() { sed -n 's/^ACTIVE=//p' "$folder/place/state"; }

# A release that does not do well is refused, and who had the traffic has it.
bad_release() {
    local program=$1 why=$2 before
    before=$(active)
    if scripts/deploy switch --binary "$folder/releases/$program" >"$folder/bad-$balancer-$program.log" 2>&1; then
        wrong "$program took over"
    fi
    grep -q "rolled back: .*$why" "$folder/bad-$balancer-$program.log" || wrong "$program: not for the reason '$why': $(tail -n 3 "$folder/bad-$balancer-$program.log")"
    [ "$(active)" = "$before" ] || wrong "$(active) has the traffic after $program"
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$edge/health/ready")" = 200 ] || wrong "nobody answers after $program"
    say "$program: $(grep -o 'rolled back: .*' "$folder/bad-$balancer-$program.log" | tail -n 1)"
}

# With the quotas that there are to begin with, probes that meet them are no reason to go back.
met_quota() {
    sed -e '/^\[limits\]/,$d' -e '/^redis_url/s|/0"|/1"|' "$BIST_CONFIG" >"$folder/quota.toml"
    echo "API_KEY_FILE= WARM='/ /api/openapi.json' STEP_S=2 PROBE_EVERY_S=0" >>"$BIST_DEPLOY_SETTINGS"
    BIST_CONFIG=$folder/quota.toml scripts/deploy switch --binary "$folder/releases/two" >>"$folder/switches-$balancer.log" 2>&1 ||
        wrong "a switch met its own quota: $(tail -n 3 "$folder/switches-$balancer.log")"
    grep -q '"http.status":429' "$folder"/place/log/*.log || wrong "no probe met a quota"
    settings "$balancer"
    scripts/deploy switch --binary "$folder/releases/one" >>"$folder/switches-$balancer.log" 2>&1 || wrong "the switch after it failed"
}

# A newer program has added to the tables, which those in force do not know.
tables_of_later() {
    psql -qX -v ON_ERROR_STOP=1 "$BIST_TEST_POSTGRES_URL/$database" <<'SQL'
INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
VALUES (9999, 'of later', TRUE, '\x00', 0) ON CONFLICT DO NOTHING;
ALTER TABLE job_runs ADD COLUMN IF NOT EXISTS of_later TEXT;
ALTER TABLE alert_rules ADD COLUMN IF NOT EXISTS of_later TEXT;
SQL
}

# One that would take away what those in force need does not come near the tables.
taken_away() {
    local before
    before=$(active)
    if scripts/deploy switch --binary "$folder/releases/takes-away" >"$folder/takes-away-$balancer.log" 2>&1; then
        wrong "a release that takes away from the tables took over"
    fi
    grep -q 'takes away from the tables' "$folder/takes-away-$balancer.log" || wrong "takes-away: $(tail -n 3 "$folder/takes-away-$balancer.log")"
    [ "$(active)" = "$before" ] || wrong "$(active) has the traffic after takes-away"
}

# The way back, to a colour that was started anew and to one that was kept.
one_command_back() {
    local before port kept
    tables_of_later
    before=$(active)
    scripts/deploy back >>"$folder/switches-$balancer.log" 2>&1 || wrong "there was no way back"
    [ "$(active)" != "$before" ] || wrong "the way back led nowhere"
    before=$(active)
    [ "$before" = blue ] && port=${ports[1]} || port=${ports[3]}
    kept=$(cat "$folder/place/run/$port.pid")
    scripts/deploy switch --keep --binary "$folder/releases/two" >>"$folder/switches-$balancer.log" 2>&1 || wrong "a switch with --keep failed"
    local began=$SECONDS
    scripts/deploy back >>"$folder/switches-$balancer.log" 2>&1 || wrong "there was no way back to what was kept"
    say "back to what was kept in $((SECONDS - began)) s"
    [ "$(active) $(cat "$folder/place/run/$port.pid")" = "$before $kept" ] || wrong "what was kept was started anew"
}

# A deployment that is killed half way is put right by one command.
cut_off() {
    local before process
    before=$(active)
    scripts/deploy switch --binary "$folder/releases/two" >>"$folder/switches-$balancer.log" 2>&1 &
    process=$!
    begun+=("$process")
    until grep -q PHASE=shifting "$folder/place/state"; do
        kill -0 "$process" || { wrong "nothing was shifted"; return; }
        sleep 0.1
    done
    kill -KILL "$process"
    wait "$process" 2>/dev/null || true
    no_longer "$process"
    if scripts/deploy switch --binary "$folder/releases/two" 2>/dev/null; then wrong "a switch began beside one that was cut off"; fi
    scripts/deploy back >>"$folder/switches-$balancer.log" 2>&1 || wrong "what was cut off was not put right"
    [ "$(active)" = "$before" ] || wrong "$(active) has the traffic after a deployment that was cut off"
    say "a deployment that was killed half way was put right"
}

# Whether HAProxy has this word of the server of a port.
haproxy_says() {
    echo 'show stat' | socat - "UNIX-CONNECT:$folder/haproxy/admin.sock" |
        awk -F, -v address="127.0.0.1:$1" -v word="$2" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
            $at["addr"] == address && $18 ~ word { found = 1 } END { exit !found }'
}

# One server of the colour that has the traffic is killed under load: it leaves, and comes back when it is
# started. What was sent to it and not answered is the most that may be lost.
kill_one() {
    local port pid _ began lost
    [ "$(active)" = blue ] && port=${ports[1]} || port=${ports[3]}
    read -r pid _ <"$folder/place/run/$port.pid"
    load_begins "$folder/load-kill-$balancer.log"
    sleep 2
    kill -KILL "$pid"
    began=$(date +%s%N)
    if [ "$balancer" = haproxy ]; then
        until haproxy_says "$port" DOWN; do
            [ $((($(date +%s%N) - began) / 1000000)) -lt 10000 ] || { wrong "a killed server is still in rotation after 10 s"; break; }
            sleep 0.05
        done
        say "a killed server is out of rotation after $((($(date +%s%N) - began) / 1000000)) ms"
    else
        # It is asked again after each fail_timeout, and who asked is answered by the other one.
        sleep 10
    fi
    load_ends
    grep -E 'requests in' "$folder/load-kill-$balancer.log"
    lost=$({ grep -oE '(Non-2xx or 3xx responses:|connect|read|write|timeout) [0-9]+' "$folder/load-kill-$balancer.log" || true; } | awk '{ n += $NF } END { print n + 0 }')
    say "$lost requests failed when a server was killed"
    [ "$lost" -le 200 ] || wrong "more failed than were under way: $lost"
    load_begins "$folder/load-killed-$balancer.log"
    sleep 4
    load_ends
    judge_load "$folder/load-killed-$balancer.log"
    scripts/start "$port" >>"$folder/switches-$balancer.log" 2>&1 || wrong "the killed server could not be started"
    scripts/start >"$folder/start.log" 2>&1 || wrong "a start beside running servers failed"
    grep -q "$port runs already" "$folder/start.log" || wrong "a start beside a running server is not idempotent"
    if [ "$balancer" = haproxy ]; then
        for _ in $(seq 200); do haproxy_says "$port" '^UP' && break; sleep 0.05; done
        haproxy_says "$port" '^UP' || wrong "the server that was started gets nothing"
    fi
}

through() {
    balancer=$1
    say "-- through $balancer"
    settings "$balancer"
    rm -rf "$folder/place" "$folder/programs"
    mkdir -p "$folder/$balancer" "$folder/place/traffic"
    edge=http://127.0.0.1:${ports[7]}
    "scripts/$balancer.sh" "$folder/$balancer" "${ports[7]}" "127.0.0.1:${ports[1]}" "127.0.0.1:${ports[2]}" \
        -- "127.0.0.1:${ports[3]}" "127.0.0.1:${ports[4]}" >"$folder/$balancer.log" 2>&1 &
    local edge_process=$!
    begun+=("$edge_process")
    # nginx looks where the scripts put their files.
    rm -rf "$folder/nginx/traffic" && ln -sfn "$folder/place/traffic" "$folder/$balancer/traffic"
    until curl -s -o /dev/null "$edge/"; do
        kill -0 "$edge_process" || { cat "$folder/$balancer.log"; exit 1; }
        sleep 0.1
    done

    scripts/deploy switch --binary "$folder/releases/one" >"$folder/first-$balancer.log" 2>&1 || { cat "$folder/first-$balancer.log"; exit 1; }
    met_quota
    symbol=$(curl -fsS -H @<(with_key) "$edge/api/v1/symbols?limit=1" | jq -r '.items[0].symbol')
    "$bist" users create "listener-$balancer" --role trader --json --quiet | jq -r .link | sed 's/.*#//' >"$folder/invitation"
    node --experimental-websocket --no-warnings scripts/deploy_live.mjs "http://127.0.0.1:${ports[1]}" "$edge" 18 \
        <"$folder/invitation" >"$folder/live-$balancer.json" 2>"$folder/live-$balancer.log" &
    local live=$! number
    begun+=("$live")
    until grep -qs listening "$folder/live-$balancer.log"; do
        kill -0 "$live" || { cat "$folder/live-$balancer.log"; exit 1; }
        sleep 0.1
    done
    load_begins "$folder/load-$balancer.log"
    local began=$SECONDS
    for ((number = 1; number <= switches; number++)); do
        if ((number % 2)); then name=two; else name=one; fi
        scripts/deploy switch --binary "$folder/releases/$name" >>"$folder/switches-$balancer.log" 2>&1 ||
            { wrong "switch $number failed: $(tail -n 3 "$folder/switches-$balancer.log")"; break; }
    done
    say "$switches switches in $((SECONDS - began)) s"
    one_command_back
    cut_off
    load_ends
    judge_load "$folder/load-$balancer.log"

    # Releases that do no good, while the same people are there.
    load_begins "$folder/load-bad-$balancer.log"
    GOOD_ANSWERS=0 bad_release answers-500 'does not answer as it should'
    settings "$balancer" 3
    bad_release never-ready 'did not become ready'
    taken_away
    settings "$balancer"
    load_ends
    judge_load "$folder/load-bad-$balancer.log"
    kill -TERM "$live"
    wait "$live" || wrong "listeners or writers found: $(jq -c .failed_by "$folder/live-$balancer.json" || true) $(cat "$folder/live-$balancer.log")"
    no_longer "$live"
    cat "$folder/live-$balancer.json"
    # This one answers well until it has its share of the traffic.
    load_begins "$folder/load-worse-$balancer.log"
    GOOD_ANSWERS=50 bad_release answers-500 'does not do well'
    sleep 2
    load_ends
    grep -q 'Non-2xx' "$folder/load-worse-$balancer.log" || wrong "nobody met the release that answers 500"

    kill_one
    # What is kept ends by itself when it is told to.
    scripts/deploy switch --keep --binary "$folder/releases/one" >>"$folder/switches-$balancer.log" 2>&1 || wrong "the last switch failed"
    scripts/deploy forget >>"$folder/switches-$balancer.log" 2>&1 || wrong "what was kept could not be ended"
    if scripts/deploy status | grep 'kept without' >/dev/null; then wrong "something is still kept"; fi
    scripts/stop >>"$folder/switches-$balancer.log" 2>&1
    kill -TERM "$edge_process"
    wait "$edge_process" || true
    no_longer "$edge_process"
    keep_logs
}

through_all() {
    local balancer
    for balancer in $balancers; do through "$balancer"; done
}
through_all
[ "$failed" = 0 ] || { say "$failed things were wrong; see $keep"; exit 1; }
say "all as it should be"
