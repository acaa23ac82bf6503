#!/usr/bin/env bash
# What watches the real binary, with programs that nobody here wrote: Bugsink, which receives its errors,
# and Prometheus, Alertmanager and the library of Grafana. Where they cannot be installed it says so.
# usage: watch_check.sh BIST
set -euo pipefail
bist=$(realpath "$1")
cd "$(dirname "$0")/.."

# Bugsink wants versions of its own.
venv=target/bugsink-venv
if { [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } &&
    "$venv/bin/pip" install --quiet --disable-pip-version-check bugsink==2.6.1; then
    scripts/errors_check.sh "$bist" "$venv/bin"
else
    echo "skipped: Bugsink, because Python cannot install bugsink==2.6.1"
fi

scripts/with_postgres.sh scripts/prometheus_check.sh "$bist"
