#!/usr/bin/env bash
# deploy/haproxy and deploy/nginx with TLS: sslyze on what they speak, and what they let through.
# usage: edge_check.sh [haproxy|nginx]...
set -euo pipefail
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- haproxy nginx
venv=target/edge-venv
sslyze=sslyze==$(sed -n 's/^packages=(sslyze==\([0-9.]*\) .*/\1/p' scripts/security_check.sh)
if ! { [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } || ! "$venv/bin/pip" install --quiet --disable-pip-version-check "$sslyze"; then
    echo "skipped: $sslyze, because Python cannot install it"
    exit 0
fi
folder=$(mktemp -d)
edge=
# shellcheck disable=SC2317
finish() {
    [ -z "$edge" ] || kill "$edge" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
scripts/security/certificates.sh "$folder/tls"
failed=0
for name in "$@"; do
    echo "-- $name"
    mkdir -p "$folder/$name"
    read -ra ports <<<"$(node -e 'const at = 30000 + (process.pid % 500) * 4; console.log(at, at + 1, at + 2, at + 3)')"
    BIST_EDGE_TLS=$folder/tls "scripts/$name.sh" "$folder/$name" "${ports[0]}" "127.0.0.1:${ports[2]}" "127.0.0.1:${ports[3]}" >"$folder/$name.log" 2>&1 &
    edge=$!
    NODE_EXTRA_CA_CERTS=$folder/tls/ca.pem node scripts/edge_check.mjs "${ports[@]}" || failed=1
    # What was asked before counts against the limit of an address.
    sleep 11
    "$venv/bin/sslyze" --mozilla_config=intermediate --certinfo_ca_file="$folder/tls/ca.pem" "localhost:${ports[0]}" >"$folder/sslyze.txt" 2>&1 || true
    if grep -q "OK - Compliant" "$folder/sslyze.txt"; then
        echo "holds  TLS as Mozilla's intermediate configuration asks (sslyze)"
    else
        grep -A 9 COMPLIANCE "$folder/sslyze.txt" || cat "$folder/sslyze.txt"
        failed=1
    fi
    kill "$edge"
    wait "$edge" || true
    [ "$failed" = 0 ] || tail -n 20 "$folder/$name.log"
done
exit "$failed"
