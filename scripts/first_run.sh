#!/usr/bin/env bash
# The product's own first run: sample market, validation, training, signals, then the server.
# Steps whose result is already in the data directory are not repeated, so a run that was cut short
# is taken up where it stopped, and real data are left as they are.
# usage: first_run.sh BIST DATA_DIR BIND
set -euo pipefail
bist=$1 data=$2 bind=$3

started=$SECONDS
if ! "$bist" validate --all --quiet --data-dir "$data" 2>/dev/null; then
    "$bist" sample --data-dir "$data"
    "$bist" validate --all --data-dir "$data"
fi
if ! "$bist" signals --quiet --data-dir "$data" 2>/dev/null; then
    "$bist" train --data-dir "$data"
    "$bist" signals --data-dir "$data"
fi
echo "ready after $((SECONDS - started)) s" >&2
exec "$bist" serve --data-dir "$data" --bind "$bind"
