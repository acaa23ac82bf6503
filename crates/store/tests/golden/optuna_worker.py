"""A worker of a study in a journal that does as it is told, by lines of its standard input.

usage: python optuna_worker.py JOURNAL STUDY
`run N` runs N trials, waiting ones first, and answers with the numbers they had.
"""

import json
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def objective(trial):
    numbers.append(trial.number)
    x = trial.suggest_float("x", -5.0, 5.0)
    n = trial.suggest_int("n", 1, 9)
    trial.set_user_attr("worker", "python")
    trial.report(x, 0)
    return x * x + n


optuna.logging.set_verbosity(optuna.logging.ERROR)
storage = JournalStorage(JournalFileBackend(sys.argv[1]))
study = optuna.load_study(
    storage=storage, study_name=sys.argv[2], sampler=optuna.samplers.RandomSampler(seed=1)
)
print("ready", flush=True)
for line in sys.stdin:
    numbers = []
    study.optimize(objective, n_trials=int(line.removeprefix("run ")))
    print(json.dumps(numbers), flush=True)
