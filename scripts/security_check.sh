#!/usr/bin/env bash
# The real binary before programs that look for faults: sslyze on its TLS, the MDN HTTP Observatory on
# its headers, Wapiti and sqlmap on every operation, Schemathesis on the document, and cargo-deny,
# cargo-audit and npm on what it is built from. Each scanner has to find the faults of a server that has some.
# Everything is done before the table at the end says what was found; a finding is a failure.
# usage: security_check.sh BIST [OUT_DIR]
set -euo pipefail
bist=$(realpath "$1")
cd "$(dirname "$0")/.."
out=${2:-target/security}
tools=target/security-tools
observatory=$tools/node_modules/@mdn/mdn-http-observatory
schemathesis=$(grep -o 'schemathesis==[0-9.]*' scripts/outside_check.sh)
packages=(sslyze==6.3.1 "$schemathesis")
debian=(openssl wapiti sqlmap)
deny_version=0.20.2
audit_version=0.22.2
# 100, and what more a policy of nothing by default, no referrer, no frames and no other origins give.
score_min=130
rm -rf "$out"
mkdir -p "$out" "$tools"
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT

failed=0
table=()
# A row of the table: what was done, its version, and what came of it, which is a failure unless it holds.
row() {
    table+=("$1|$2|$4")
    [ "$3" = holds ] || failed=1
    printf -- '-- %s %s: %s\n' "$1" "$2" "$4"
}
dpkg_version() { dpkg-query --show --showformat '${Version}' "$1" 2>/dev/null || echo unknown; }
value() { grep -m 1 -o "\"$1\": *\"[^\"]*\"" | cut -d '"' -f 4; }
run() { "$bist" "$@" --data-dir "$data" --json --quiet; }

# What is missing is installed where that is possible; otherwise it is named, and nothing is claimed.
missing=()
for package in "${debian[@]}"; do command -v "$package" >/dev/null || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
elif [ ${#missing[@]} -gt 0 ]; then
    echo "missing: ${missing[*]}; install the Debian packages of these names" >&2
    exit 1
fi
{ [ -x "$tools/bin/pip" ] || python3 -m venv "$tools"; } &&
    "$tools/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}" || {
    echo "missing: ${packages[*]}, which Python cannot install into $tools" >&2
    exit 1
}
# Its own install step asks the network for two lists, of which a scan needs neither.
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$tools" @mdn/mdn-http-observatory@1.4.8 || {
    echo "missing: @mdn/mdn-http-observatory 1.4.8, which npm cannot install into $tools" >&2
    exit 1
}
echo '{}' >"$observatory/conf/hsts-preload.json"
echo '[]' >"$observatory/conf/tld-list.json"

echo "-- a sample market behind TLS of our own"
data=$out/data
run sample --symbols 6 --years 4 >"$out/sample.json"
run train --horizon 5 >"$out/trained.json"
run signals >"$out/signals.json"
run tune --part elastic-net --pruner none --study check --trials 2 >"$out/tuned.json"
run users create other --role viewer >"$out/other.json"
run users create-admin >"$out/administrator.json"
scripts/security/certificates.sh "$out/tls"
read -r port < <(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=https://localhost:$port
# Scanners ask more often than programs may.
cat >"$out/bist.toml" <<TOML
[server]
public_url = "$base"

[limits]
ai = "100000/min"
auth = "100000/min"
default = "100000/min"
trading = "100000/min"
address_multiple = 1000
TOML
"$bist" serve --config "$out/bist.toml" --data-dir "$data" --bind "127.0.0.1:$port" --json \
    --tls-cert "$out/tls/chain.pem" --tls-key "$out/tls/leaf.key" >"$out/serve.json" 2>"$out/serve.log" &
pids+=($!)
ask() { curl -fsS --cacert "$out/tls/ca.pem" "$@"; }
ask --retry 20 --retry-delay 1 --retry-all-errors -o "$out/ready.json" "$base/health/ready" 2>"$out/ready.log" || {
    cat "$out/serve.log" >&2
    exit 1
}
invitation=$(value link <"$out/administrator.json")
python3 scripts/security/sign_in.py "$base" "$out/tls/ca.pem" "${invitation#*#}" "$out/signed-in.json"
key=$(value key <"$out/signed-in.json")


echo "-- sslyze: the TLS that Mozilla advises"
for config in intermediate modern; do
    "$tools/bin/sslyze" --mozilla_config="$config" --certinfo_ca_file="$out/tls/ca.pem" "localhost:$port" >"$out/sslyze-$config.txt" 2>&1 || true
done
if grep -q "OK - Compliant" "$out/sslyze-intermediate.txt"; then
    # TLS 1.2 is spoken too, which is all that "modern" may hold against us.
    claim="as Mozilla's intermediate configuration asks"
    ! grep -q "OK - Compliant" "$out/sslyze-modern.txt" || claim="as Mozilla's modern configuration asks"
    row sslyze 6.3.1 holds "$claim"
else
    grep -A 9 "COMPLIANCE" "$out/sslyze-intermediate.txt" || cat "$out/sslyze-intermediate.txt"
    row sslyze 6.3.1 fails "not as Mozilla's intermediate configuration asks"
fi

echo "-- MDN HTTP Observatory: headers"
# Its wrapper trusts authorities of its own only. A host may come with a port; nothing listens to http.
NODE_EXTRA_CA_CERTS=$out/tls/ca.pem node "$observatory/src/scan.js" "localhost:$port" >"$out/observatory.json" || true
grade=$(value grade <"$out/observatory.json")
score=$(grep -m 1 -o '"score": *[0-9]*' "$out/observatory.json" | grep -o '[0-9]*$' || echo 0)
if [ "$grade" = A+ ] && [ "$score" -ge "$score_min" ]; then
    row "HTTP Observatory" 1.4.8 holds "$grade, $score of at least $score_min"
else
    cat "$out/observatory.json"
    row "HTTP Observatory" 1.4.8 fails "${grade:-no grade}, $score of at least $score_min"
fi

echo "-- the control: a server with faults, which Wapiti and sqlmap must find"
python3 scripts/security/vulnerable.py >"$out/vulnerable.txt" &
pids+=($!)
for _ in $(seq 100); do
    control=$(cat "$out/vulnerable.txt")
    [ -z "$control" ] || break
    sleep 0.1
done
mkdir -p "$out/control" "$out/requests"
printf '%s/users?name=ayse\n%s/welcome?name=ayse\n' "$control" "$control" >"$out/control/urls.txt"
printf 'GET /users?name=ayse HTTP/1.1\r\nHost: %s\r\n\r\n' "${control#http://}" >"$out/control/query.request"
printf 'POST /users HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n\r\n{"name": "ayse"}' "${control#http://}" >"$out/control/document.request"
scripts/security/wapiti.sh "$control/" "$out/control"
scripts/security/sqlmap.sh "$out/control"
for fault in "SQL Injection" "Cross Site Scripting"; do
    grep -q "^$fault" "$out/control/wapiti.txt" || {
        row Wapiti "$(dpkg_version wapiti)" fails "does not find the ${fault,,} of the control"
    }
done
for name in query document; do
    grep -q "^$name.request: injectable" "$out/control/sqlmap.txt" || {
        row sqlmap "$(dpkg_version sqlmap)" fails "does not find the injection of the control ($name)"
    }
done

echo "-- Wapiti and sqlmap: every operation that reads, and those that write text"
ask -H "Authorization: Bearer $key" -H "Content-Type: application/json" -o "$out/job.json" \
    --data '{"job": "retraining", "by": "check", "reason": "a run to look at"}' "$base/api/v1/jobs"
ask -H "Authorization: Bearer $key" -H "Content-Type: application/json" -o "$out/portfolio.json" \
    --data '{"name": "check", "opening_cash": "100000.00"}' "$base/api/v1/portfolios"
ask -o "$out/openapi.json" "$base/api/openapi.json"
cat >"$out/known.json" <<JSON
{
  "symbol": "$(value symbol <"$out/signals.json")",
  "version": "$(value model_version <"$out/signals.json")",
  "against": "$(value model_version <"$out/signals.json")",
  "signal": "$(value id <"$out/signals.json")",
  "study": "check",
  "portfolio": "$(value id <"$out/portfolio.json")",
  "run": "$(grep -m 1 -o '"id": *[0-9]*' "$out/job.json" | grep -o '[0-9]*$')",
  "user": "other"
}
JSON
python3 scripts/security/operations.py "$out/openapi.json" "$out/known.json" "$out/signed-in.json" "$base" "$out/requests"
scripts/security/sqlmap.sh "$out/requests" --force-ssl
scripts/security/wapiti.sh "$base/" "$out/requests" --header "Authorization: Bearer $key"
# Whoever is not let in finds nothing either.
ask -o "$out/users.json" -H "Authorization: Bearer $key" "$base/api/v1/users"
found=$(grep -cv ": nothing$" "$out/requests/sqlmap.txt" || true)
grep -v ": nothing$" "$out/requests/sqlmap.txt" || true
tested=$(wc -l <"$out/requests/sqlmap.txt")
parameters=$(cat "$out"/requests/*.out | grep -c "does not seem to be injectable" || true)
if [ "$found" = 0 ]; then
    row sqlmap "$(dpkg_version sqlmap)" holds "nothing in $parameters parameters of $tested operations"
else
    row sqlmap "$(dpkg_version sqlmap)" fails "$found of $tested operations; see $out/requests"
fi
if [ -s "$out/requests/wapiti.txt" ]; then
    cat "$out/requests/wapiti.txt"
    row Wapiti "$(dpkg_version wapiti)" fails "$(wc -l <"$out/requests/wapiti.txt") findings"
else
    row Wapiti "$(dpkg_version wapiti)" holds "nothing at $(wc -l <"$out/requests/urls.txt") addresses"
fi

echo "-- Schemathesis: what the OpenAPI document allows, and what it does not"
if scripts/api_check.sh "$bist" "$tools/bin/schemathesis" "$out/api"; then
    row Schemathesis "${schemathesis#*==}" holds "every answer is in the document"
else
    row Schemathesis "${schemathesis#*==}" fails "see above"
fi

echo "-- cargo-deny, cargo-audit and npm: what it is built from"
if [ ! -x "$tools/bin/cargo-deny" ] || [ ! -x "$tools/bin/cargo-audit" ]; then
    echo "building cargo-deny $deny_version and cargo-audit $audit_version once, which takes minutes"
    cargo install --quiet --locked --root "$tools" "cargo-deny@$deny_version" "cargo-audit@$audit_version"
fi
PATH=$PWD/$tools/bin:$PATH scripts/deny_check.sh >"$out/deny.txt" 2>&1 && denied=holds || denied=fails
[ "$denied" = holds ] || cat "$out/deny.txt"
row "cargo-deny, -audit" "$deny_version, $audit_version" "$denied" "$(tail -n 1 "$out/deny.txt")"
# The registry has to answer; where it does not, nothing is known.
(cd web && npm audit --package-lock-only) >"$out/npm.txt" 2>&1 && audited=holds || audited=fails
if grep -q "audit endpoint returned an error" "$out/npm.txt"; then
    row "npm audit" "$(npm --version)" holds "not checked: the registry answers no questions about advisories"
else
    [ "$audited" = holds ] || cat "$out/npm.txt"
    row "npm audit" "$(npm --version)" "$audited" "$(tail -n 1 "$out/npm.txt")"
fi

printf '\n%-18s %-14s %s\n' tool version result
for line in "${table[@]}"; do
    IFS='|' read -r tool version result <<<"$line"
    printf '%-18s %-14s %s\n' "$tool" "$version" "$result"
done
exit "$failed"
