#!/usr/bin/env bash
# The real binary beside programs that nobody here wrote, from PyPI: Optuna and its dashboard on the
# journals of `bist tune`, LightGBM on trees of both, moto as an object store that the client of Amazon
# fills too, and Schemathesis on the API. Where they cannot be installed it says so.
# usage: outside_check.sh BIST
set -euo pipefail
bist=$(realpath "$1")
cd "$(dirname "$0")/.."
venv=target/outside-venv
packages=(optuna==5.0.0 optuna-dashboard==0.21.0 'moto[server]==5.2.5' awscli==1.46.3 lightgbm==4.7.0 pandas==3.1.1 schemathesis==4.32.5)

if ! { [ -x "$venv/bin/pip" ] || python3 -m venv "$venv"; } ||
    ! "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"; then
    echo "skipped: Optuna, LightGBM, moto and Schemathesis, because Python cannot install ${packages[*]}"
    exit 0
fi
scripts/optuna_check.sh "$bist" "$venv/bin/python"
scripts/s3_check.sh "$bist" "$venv/bin/python"
scripts/lightgbm_check.sh "$bist" "$venv/bin/python"
scripts/api_check.sh "$bist" "$venv/bin/schemathesis"
