#!/usr/bin/env bash
# Runs a command beside a PostgreSQL of its own, on which tests make databases; it keeps nothing. Where
# there is no PostgreSQL the command runs without, and tests say what they leave out.
#   scripts/with_postgres.sh make test
set -euo pipefail

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [ -z "$programs" ] && command -v initdb >/dev/null; then
    programs=$(dirname "$(command -v initdb)")
fi
if [ -z "$programs" ]; then
    echo "no PostgreSQL here: install the Debian package postgresql to have the store tested on it" >&2
    exec "$@"
fi

directory=$(mktemp -d)
# The server does not run as root.
as=()
if [ "$(id -u)" = 0 ]; then
    as=(setpriv --reuid=postgres --regid=postgres --init-groups)
    chown postgres "$directory"
fi
port=$(node -e 'const server = require("node:net").createServer();
server.listen(0, "127.0.0.1", () => { console.log(server.address().port); server.close(); });')
in_place() { (cd "$directory" && "${as[@]}" "$@"); }
finish() {
    in_place "$programs/pg_ctl" --silent --pgdata=data --mode=immediate stop || true
    rm -rf "$directory"
}
trap finish EXIT
in_place "$programs/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --locale=C \
    --no-sync >/dev/null
# What is lost with the machine is lost; it is thrown away in any case.
in_place "$programs/pg_ctl" --silent --pgdata=data --log=log --wait start --options="-p $port \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 -c fsync=off \
    -c full_page_writes=off -c autovacuum=off"
export BIST_TEST_POSTGRES_URL="postgres://postgres@127.0.0.1:$port"
"$@"
