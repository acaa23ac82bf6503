#!/usr/bin/env bash
# The product's own first run: sample market, validation, training, signals, then the server.
# A data directory that already holds bars is served as it is.
# usage: first_run.sh BIST DATA_DIR BIND
set -euo pipefail
bist=$1 data=$2 bind=$3

if [ ! -e "$data/bist.sqlite" ]; then
    started=$SECONDS
    "$bist" sample --data-dir "$data"
    "$bist" validate --all --data-dir "$data"
    "$bist" train --data-dir "$data"
    "$bist" signals --data-dir "$data"
    echo "first run: $((SECONDS - started)) s" >&2
fi
exec "$bist" serve --data-dir "$data" --bind "$bind"
