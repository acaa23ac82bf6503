# shellcheck shell=bash disable=SC2034
# Read by scripts/deploy, scripts/start and scripts/stop: the settings, what is noted, processes, and who of
# the two colours gets how much. deploy/systemd/deploy.conf explains the settings.

SETTINGS=${BIST_DEPLOY_SETTINGS:-/etc/bist/deploy.conf}

# Who listened may have gone away meanwhile.
say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >&2 2>/dev/null || true; }
die() {
    say "$*"
    exit 1
}

read_settings() {
    PLACE=/var/lib/bist-deploy PROGRAMS=/opt/bist BIST_CONFIG=${BIST_CONFIG:-/etc/bist/bist.toml}
    RUN_BY=systemd BALANCER=haproxy HAPROXY_SOCKET=/run/haproxy/admin.sock HAPROXY_BACKEND=bist
    BLUE="8101 8102" GREEN="8201 8202" BACKGROUND="worker scheduler" WORKER_PORT=8301 SCHEDULER_PORT=8302
    READY_S=60 STOP_S=30 DRAIN_S=25 STEPS="10 50 100" STEP_S=15 PROBE_EVERY_S=3
    ERROR_SHARE_MAX=0.01 P95_MS_MAX=1000 API_KEY_FILE='' WARM='/ /api/openapi.json' KEEP_RELEASES=5
    GRAFANA_URL='' GRAFANA_TOKEN_FILE=''
    RUN_AS=bist DATA_DIR=/var/lib/bist SERVICE_ENVIRONMENT=/etc/bist/bist.env MASTER_KEY=/etc/bist/master.key
    # shellcheck disable=SC1090
    if [ -e "$SETTINGS" ]; then source "$SETTINGS"; fi
    export BIST_CONFIG
    mkdir -p "$PLACE/run" "$PLACE/log" "$PLACE/traffic" "$PROGRAMS/releases" "$PROGRAMS/instances"
    case $BALANCER in haproxy | nginx) ;; *) die "BALANCER is haproxy or nginx, not '$BALANCER'" ;; esac
    case $RUN_BY in systemd | processes) ;; *) die "RUN_BY is systemd or processes, not '$RUN_BY'" ;; esac
    ACTIVE='' PHASE=steady TO='' SHARE=0 KEPT='' PROGRAM_BEFORE='' PROGRAM_BLUE='' PROGRAM_GREEN=''
    # shellcheck disable=SC1091
    if [ -e "$PLACE/state" ]; then source "$PLACE/state"; fi
}

# One of these scripts at a time.
take_turn() {
    [ -z "${BIST_DEPLOY_TURN:-}" ] || return 0
    exec 9>"$PLACE/lock"
    # What a script that was killed has left behind ends within seconds.
    flock --wait 15 9 || die "another of deploy, start and stop is at work here"
    export BIST_DEPLOY_TURN=taken
}

note() {
    local changed
    for changed in "$@"; do printf -v "${changed%%=*}" '%s' "${changed#*=}"; done
    {
        for changed in ACTIVE PHASE TO SHARE KEPT PROGRAM_BEFORE PROGRAM_BLUE PROGRAM_GREEN; do
            printf '%s=%q\n' "$changed" "${!changed}"
        done
    } >"$PLACE/state.part"
    sync "$PLACE/state.part"
    mv "$PLACE/state.part" "$PLACE/state"
}

record() {
    say "$*"
    printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >>"$PLACE/history"
}

other() { if [ "$1" = blue ]; then echo green; else echo blue; fi; }
ports_of() { if [ "$1" = blue ]; then echo "$BLUE"; else echo "$GREEN"; fi; }
program_of() { if [ "$1" = blue ]; then echo "$PROGRAM_BLUE"; else echo "$PROGRAM_GREEN"; fi; }

# The instances of a word: a colour, a port, `worker`, `scheduler`.
instances_of() {
    case $1 in
        blue | green) ports_of "$1" ;;
        worker | scheduler) echo "$1" ;;
        *) case " $BLUE $GREEN " in *" $1 "*) echo "$1" ;; *) die "there is no '$1'; say blue, green, worker, scheduler, a port or all" ;; esac ;;
    esac
}

port_of() {
    case $1 in worker) echo "$WORKER_PORT" ;; scheduler) echo "$SCHEDULER_PORT" ;; *) echo "$1" ;; esac
}

# ---- Processes

unit_of() { case $1 in worker | scheduler) echo "bist-$1.service" ;; *) echo "bist@$1.service" ;; esac; }

# When the process began, by which it is told from another one that has its number now; nothing of one
# that has ended.
began_at() {
    local stat fields
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -ra fields <<<"${stat##*) }"
    [ "${fields[0]}" = Z ] || echo "${fields[19]}"
}

is_running() {
    if [ "$RUN_BY" = systemd ]; then
        systemctl --quiet is-active "$(unit_of "$1")"
        return
    fi
    local pid began
    # One that had ended before it was noted when it began has no such time.
    [ -e "$PLACE/run/$1.pid" ] && read -r pid began <"$PLACE/run/$1.pid" && [ -n "$began" ] &&
        [ "$(began_at "$pid")" = "$began" ]
}

# Takes up what stands in a file as systemd reads it, which is no shell: names, values, quotes around them.
take_environment() {
    local line value
    while IFS= read -r line || [ -n "$line" ]; do
        [[ $line =~ ^[[:space:]]*([A-Za-z_][A-Za-z0-9_]*)=(.*)$ ]] || continue
        value=${BASH_REMATCH[2]}
        value=${value%"${value##*[![:space:]]}"}
        case $value in \"*\" | \'*\') value=${value:1:${#value}-2} ;; esac
        export "${BASH_REMATCH[1]}=$value"
    done <"$1"
}

# Becomes a program as the services run it, with their rights, in their directory, with their settings and
# their key; for a shell of its own. Nothing of that is an argument, which every user of the machine can see.
as_service() {
    export BIST_DATA_DIR=$DATA_DIR
    # As LoadCredential gives it: what the configuration names comes before it.
    if [ -e "$MASTER_KEY" ]; then
        mkdir -p "$PLACE/run/credentials"
        ln -sfn "$MASTER_KEY" "$PLACE/run/credentials/bist-master-key"
        export CREDENTIALS_DIRECTORY=$PLACE/run/credentials
    fi
    [ ! -e "$SERVICE_ENVIRONMENT" ] || take_environment "$SERVICE_ENVIRONMENT"
    cd /
    [ -n "$RUN_AS" ] && [ "$(id -u)" = 0 ] || exec "$@"
    HOME=$(getent passwd "$RUN_AS" | cut -d: -f6)
    export HOME USER=$RUN_AS LOGNAME=$RUN_AS
    exec setpriv --reuid="$RUN_AS" --regid="$RUN_AS" --init-groups "$@"
}

is_ready() { curl -fsS -o /dev/null --max-time 3 "http://127.0.0.1:$(port_of "$1")/health/ready" 2>/dev/null; }

begin_instance() {
    local instance=$1 program=$PROGRAMS/instances/$1 role=api pid
    [ -x "$program" ] || die "$instance has no program yet; scripts/deploy switch --binary PATH brings one"
    # Whoever listens there would be taken for it until it has noticed.
    if (exec 3<>"/dev/tcp/127.0.0.1/$(port_of "$instance")") 2>/dev/null; then
        die "$instance is not started: somebody else listens at 127.0.0.1:$(port_of "$instance")"
    fi
    if [ "$RUN_BY" = systemd ]; then
        # One that has failed often is not started otherwise.
        systemctl reset-failed "$(unit_of "$instance")" 2>/dev/null || true
        systemctl start "$(unit_of "$instance")"
        return
    fi
    case $instance in worker | scheduler) role=$instance ;; esac
    # Away from the terminal, and without the lock of this script.
    as_service setsid "$(realpath "$program")" serve --role "$role" --bind "127.0.0.1:$(port_of "$instance")" \
        </dev/null >>"$PLACE/log/$instance.log" 2>&1 9>&- &
    pid=$!
    echo "$pid $(began_at "$pid")" >"$PLACE/run/$instance.pid"
}

end_instance() {
    local instance=$1 pid began waited=0
    if [ "$RUN_BY" = systemd ]; then
        # Also one that does not run and is about to be started again.
        systemctl stop "$(unit_of "$instance")" 2>/dev/null || ! is_running "$instance"
        return
    fi
    if ! is_running "$instance"; then return 0; fi
    read -r pid began <"$PLACE/run/$instance.pid"
    kill -TERM "$pid" 2>/dev/null || true
    while is_running "$instance"; do
        if [ $((waited += 1)) -gt $((STOP_S * 10)) ]; then
            say "$instance (process $pid) did not stop within $STOP_S s and is killed"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    rm -f "$PLACE/run/$instance.pid"
}

# Has systemd start the colour that is in force, and not the other one, when the machine starts.
start_at_boot() {
    local instance on=() off=()
    [ "$RUN_BY" = systemd ] || return 0
    for instance in $(ports_of "$1") $BACKGROUND; do on+=("$(unit_of "$instance")"); done
    for instance in $(ports_of "$(other "$1")"); do off+=("$(unit_of "$instance")"); done
    systemctl --quiet enable "${on[@]}" && systemctl --quiet disable "${off[@]}" ||
        say "systemd could not be told what to start with the machine; enable ${on[*]}, disable ${off[*]}"
}

# Waits until all are ready; fails when one ends, or when the time is over.
wait_ready() {
    local deadline=$((SECONDS + READY_S)) instance
    for instance in "$@"; do
        # Whoever answers at its port is not it when it does not run.
        until is_ready "$instance" && is_running "$instance"; do
            is_running "$instance" || { say "$instance ended before it was ready; see its log"; return 1; }
            [ "$SECONDS" -lt "$deadline" ] || { say "$instance was not ready within $READY_S s"; return 1; }
            sleep 0.2
        done
    done
}

# ---- The balancer

haproxy_say() {
    local said answer
    for said in "$@"; do
        answer=$(socat -t 5 - "UNIX-CONNECT:$HAPROXY_SOCKET" <<<"$said") || { say "HAProxy does not answer at $HAPROXY_SOCKET; start it, or name its socket in $SETTINGS (HAPROXY_SOCKET)"; return 1; }
        [ -z "$answer" ] || { say "HAProxy to '$said': $answer"; return 1; }
    done
}

haproxy_ask() { socat -t 5 - "UNIX-CONNECT:$HAPROXY_SOCKET" <<<"$1"; }

# The names that HAProxy has for the servers of a colour.
servers_of() {
    local number=0 _
    for _ in $(ports_of "$1"); do echo "$HAPROXY_BACKEND/$1$((number += 1))"; done
}

# All of these are asked where `set -e` does not hold, and say themselves whether they were heard.
haproxy_share() {
    local colour=$1 share=$2 server
    for server in $(servers_of "$colour"); do
        haproxy_say "set weight $server $share" "set server $server state ready" || return 1
    done
    for server in $(servers_of "$(other "$colour")"); do
        haproxy_say "set weight $server $((100 - share))" || return 1
        [ "$share" -lt 100 ] || haproxy_say "set server $server state drain" || return 1
    done
}

# Lots go to green or to blue; one is moved after the other.
nginx_share() {
    local green=$2 lot
    [ "$1" = green ] || green=$((100 - $2))
    for lot in 0 1 2 3 4 5 6 7 8 9; do
        if [ $((lot * 10 + 5)) -le "$green" ]; then
            : >"$PLACE/traffic/green.$lot" || return 1
        else
            rm -f "$PLACE/traffic/green.$lot" || return 1
        fi
    done
}

# COLOUR gets SHARE percent of what comes from now on, and the other one the rest.
give() {
    "${BALANCER}_share" "$1" "$2" && remember_balancer
}

# Nothing is sent to the colour, and HAProxy does not ask how it is.
hold() {
    local server
    [ "$BALANCER" = haproxy ] || return 0
    for server in $(servers_of "$1"); do haproxy_say "set server $server state maint" || return 1; done
    remember_balancer
}

# One server gets nothing from now on, or something again. Only HAProxy can be told of one.
one_server() {
    local colour port number
    [ "$BALANCER" = haproxy ] || return 0
    for colour in blue green; do
        number=0
        for port in $(ports_of "$colour"); do
            number=$((number + 1))
            [ "$port" != "$1" ] || haproxy_say "set server $HAPROXY_BACKEND/$colour$number state $2" || return 1
        done
    done
    remember_balancer
}

remember_balancer() {
    local states
    [ "$BALANCER" = haproxy ] || return 0
    states=$(haproxy_ask "show servers state") || { say "HAProxy does not tell its state"; return 1; }
    # What it does not know is no reason to forget.
    [[ $states == *" $HAPROXY_BACKEND "* ]] || { say "HAProxy tells no state of $HAPROXY_BACKEND"; return 1; }
    printf '%s\n' "$states" >"$PLACE/haproxy-servers.part" && mv "$PLACE/haproxy-servers.part" "$PLACE/haproxy-servers"
}
