#!/usr/bin/env bash
# nginx on this machine by deploy/nginx/bist.conf, without TLS and with limits that no check meets, in
# front of the servers that are named. It stays in the foreground, and keeps everything in DIR.
#   scripts/nginx.sh DIR PORT 127.0.0.1:8081 127.0.0.1:8082
set -euo pipefail
directory=$(realpath "$1")
port=$2
shift 2
kept=$(realpath "$(dirname "$0")/../deploy/nginx/bist.conf")
program=$(command -v nginx || echo /usr/sbin/nginx)
servers=$(printf '    server %s max_fails=2 fail_timeout=5s;\\n' "$@")

sed -E "/# change/ {
    /server 10\.0\.0\.11/ { s/.*/${servers//\//\\/}/; b }
    /server 10\.0\.0\.12|ssl_certificate|listen \[/ d
    s/listen 443 ssl http2/listen 127.0.0.1:$port/
    s/rate=50r/rate=10000r/
    s/burst=200/burst=10000/
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
