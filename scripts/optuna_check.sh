#!/usr/bin/env bash
# Studies of `bist tune` and of Python's Optuna on one journal: optuna-dashboard shows ours, Optuna
# goes on with ours, and `bist tune` goes on with one that Optuna began.
# usage: optuna_check.sh BIST PYTHON [OUT_DIR]; PYTHON has optuna 5 and optuna-dashboard
set -euo pipefail
bist=$(realpath "$1")
python=$2
cd "$(dirname "$0")/.."
out=${3:-target/optuna-check}
rm -rf "$out"
mkdir -p "$out"
data=$out/data
ours=$out/ours.journal
theirs=$out/theirs.journal
"$bist" sample --data-dir "$data" --symbols 6 --years 4 --quiet
tune=("$bist" tune --data-dir "$data" --part elastic-net --pruner none --json --quiet)

echo "-- a study of bist tune"
"${tune[@]}" --study ours --storage "journal:$ours" --trials 3 >"$out/ours.json"
"$python" crates/store/tests/golden/optuna_dashboard_check.py "$ours" | tee "$out/dashboard.json"
"$python" - "$ours" <<'PY'
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.load_study(study_name="ours", storage=JournalStorage(JournalFileBackend(sys.argv[1])))
complete = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
assert len(complete) == 3, study.trials
assert complete[0].params == {"alpha": 0.001, "l1_ratio": 0.5}, complete[0].params
assert complete[0].user_attrs["bist:standard_error"] > 0, complete[0].user_attrs
assert study.user_attrs["bist:part"] == "elastic-net" and study.metric_names == ["rank_ic"]
study.optimize(
    lambda trial: trial.suggest_float("alpha", 1e-5, 0.1, log=True)
    - trial.suggest_float("l1_ratio", 0.0, 1.0),
    n_trials=1,
)
assert len(study.trials) == 4, study.trials
print("Optuna reads three trials and adds one")
PY

echo "-- a study that Optuna began"
"$python" - "$theirs" <<'PY'
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(
    study_name="theirs",
    direction="maximize",
    storage=JournalStorage(JournalFileBackend(sys.argv[1])),
    sampler=optuna.samplers.RandomSampler(seed=1),
)


def objective(trial):
    trial.suggest_float("alpha", 1e-5, 0.1, log=True)
    trial.suggest_float("l1_ratio", 0.0, 1.0)
    return -1.0


study.optimize(objective, n_trials=2)
PY
"${tune[@]}" --study theirs --storage "journal:$theirs" --trials 4 >"$out/theirs.json"
"$python" - "$out/theirs.json" "$theirs" <<'PY'
import json
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

with open(sys.argv[1]) as file:
    part = json.load(file)["parts"][0]
assert part["complete_count"] == 4, part
assert part["best"]["number"] >= 2, "the two of Optuna have the value -1"
study = optuna.load_study(study_name="theirs", storage=JournalStorage(JournalFileBackend(sys.argv[2])))
assert [t.number for t in study.trials] == [0, 1, 2, 3], study.trials
assert study.best_trial.number == part["best"]["number"], study.best_trial
print("bist tune adds two trials to the two of Optuna, and both name the same best one")
PY
