#!/usr/bin/env bash
# HAProxy on this machine by deploy/haproxy/haproxy.cfg, without TLS and with limits that no check meets,
# in front of the blue servers that are named and of the green ones after `--`. It stays in the
# foreground, keeps everything in DIR, and is told what to do at DIR/admin.sock. With BIST_EDGE_TLS, a
# folder of scripts/security/certificates.sh, TLS and the limits stay, and PORT + 1 is the one without TLS.
#   scripts/haproxy.sh DIR PORT 127.0.0.1:8081 127.0.0.1:8082 [-- 127.0.0.1:8083 127.0.0.1:8084]
set -euo pipefail
directory=$(realpath "$1")
port=$2
shift 2
kept=$(realpath "$(dirname "$0")/../deploy/haproxy/haproxy.cfg")
program=$(command -v haproxy || echo /usr/sbin/haproxy)
blue=() green=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do blue+=("$1") && shift; done
[ $# -le 1 ] || green=("${@:2}")
lines() {
    local colour=$1 index=0 address
    shift
    for address in "$@"; do printf '    server %s%d %s\\n' "$colour" $((index += 1)) "$address"; done
}
servers=$(lines blue "${blue[@]}")$(lines green "${green[@]}")
[ -e "$directory/haproxy-servers" ] || echo 1 >"$directory/haproxy-servers"

if [ -n "${BIST_EDGE_TLS:-}" ]; then
    cat "$BIST_EDGE_TLS"/{chain.pem,leaf.key} >"$directory/bist.pem"
    edge="s/bind :80/bind 127.0.0.1:$((port + 1))/
        s|bind :443 ssl crt [^ ]*|bind 127.0.0.1:$port ssl crt $directory/bist.pem|"
else
    edge="/ssl|Strict-Transport|sc0_http_req_rate|sc0_conn_cur/ d
        s/bind :80/bind 127.0.0.1:$port/"
fi

sed -E "/^    (log|user|group|option httplog)/ d
/^frontend counts/,\$ d
s|maxconn 20000|maxconn 4000|
s|/run/haproxy|$directory|
s|/var/lib/bist-deploy|$directory|
/# change/ {
    /server blue1 / { s/.*/${servers//\//\\/}/; b }
    /server (blue|green)/ d
    $edge
}" "$kept" >"$directory/haproxy.cfg"
exec "$program" -db -q -f "$directory/haproxy.cfg"
