#!/usr/bin/env bash
# nginx on this machine by deploy/nginx/bist.conf, without TLS and with limits that no check meets, in
# front of the blue servers that are named and of the green ones after `--`. It stays in the foreground,
# and keeps everything in DIR; a file DIR/traffic/green.N sends lot N to green.
# With BIST_EDGE_TLS, a folder of scripts/security/certificates.sh, TLS and the limits stay, and PORT + 1
# is the one without TLS.
#   scripts/nginx.sh DIR PORT 127.0.0.1:8081 127.0.0.1:8082 [-- 127.0.0.1:8083 127.0.0.1:8084]
set -euo pipefail
directory=$(realpath "$1")
port=$2
shift 2
kept=$(realpath "$(dirname "$0")/../deploy/nginx/bist.conf")
program=$(command -v nginx || echo /usr/sbin/nginx)
blue=() green=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do blue+=("$1") && shift; done
if [ $# -gt 1 ]; then green=("${@:2}"); else green=(127.0.0.1:1); fi
lines() { printf '    server %s max_fails=2 fail_timeout=5s;\\n' "$@"; }
blue_lines=$(lines "${blue[@]}") green_lines=$(lines "${green[@]}")
mkdir -p "$directory/traffic"
if [ -n "${BIST_EDGE_TLS:-}" ]; then
    edge="s/listen 443 ssl http2/listen 127.0.0.1:$port ssl http2/
        s|/etc/bist/fullchain.pem|$BIST_EDGE_TLS/chain.pem|
        s|/etc/bist/key.pem|$BIST_EDGE_TLS/leaf.key|
        s/server_name bist.example/server_name localhost/"
    without="s/listen 80;/listen 127.0.0.1:$((port + 1));/"
else
    edge="/ssl_|resolver|Strict-Transport/ d
        s/listen 443 ssl http2/listen 127.0.0.1:$port/
        s/rate=50r/rate=1000000r/
        s/burst=200/burst=10000/
        s/bist_connections 256/bist_connections 60000/"
    without="/^# Whoever comes without TLS/,/^}/ d"
fi

sed -E "$without
/listen \\[::\\]/ d
/# change/ {
    /server 127\.0\.0\.1:8101/ { s/.*/${blue_lines//\//\\/}/; b }
    /server 127\.0\.0\.1:8201/ { s/.*/${green_lines//\//\\/}/; b }
    /server 127\.0\.0\.1:8.02/ d
    $edge
    s|/var/lib/bist-deploy|$directory|
}" "$kept" >"$directory/bist.conf"
user=
# Its workers are to reach DIR, which is for its owner.
[ "$(id -u)" != 0 ] || user='user root;'
cat >"$directory/nginx.conf" <<NGINX
$user
worker_processes 2;
pid $directory/nginx.pid;
daemon off;
events { worker_connections 4096; }
http {
    access_log off;
    client_body_temp_path $directory/body;
    proxy_temp_path $directory/proxy;
    fastcgi_temp_path $directory/fastcgi;
    uwsgi_temp_path $directory/uwsgi;
    scgi_temp_path $directory/scgi;
    include $directory/bist.conf;
}
NGINX
exec "$program" -p "$directory" -c "$directory/nginx.conf" -e stderr
