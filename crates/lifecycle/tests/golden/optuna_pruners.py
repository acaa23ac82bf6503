"""Makes optuna_pruners.json: what Optuna's pruners say of trials that report step by step.

Each pruner sees the same trials: their reports are drawn here, NaN and infinite ones among them, and
a trial ends at its last step or when the pruner says so. Every answer is kept.

Made with Optuna 5.0.0 and numpy 2.4.6 under Python 3.11:

    python optuna_pruners.py > optuna_pruners.json
"""

import json
import math

import numpy as np
import optuna
from optuna.pruners import (
    HyperbandPruner,
    MedianPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
)

optuna.logging.set_verbosity(optuna.logging.ERROR)

PRUNERS = {
    "median": lambda: MedianPruner(),
    "quarter": lambda: PercentilePruner(
        25.0, n_startup_trials=3, n_warmup_steps=2, interval_steps=3, n_min_trials=4
    ),
    "halving": lambda: SuccessiveHalvingPruner(min_resource=1, reduction_factor=3),
    "halving of unknown length": lambda: SuccessiveHalvingPruner(reduction_factor=2),
    "late halving": lambda: SuccessiveHalvingPruner(
        min_resource=2, reduction_factor=2, min_early_stopping_rate=1, bootstrap_count=2
    ),
    "hyperband": lambda: HyperbandPruner(min_resource=1, max_resource=12, reduction_factor=2),
    "hyperband of unknown length": lambda: HyperbandPruner(),
    "patient median": lambda: PatientPruner(MedianPruner(n_startup_trials=2), 2, 0.05),
    "patient": lambda: PatientPruner(None, 1),
}


def reports(rng, direction):
    level = rng.uniform(0.0, 1.0)
    steps = np.arange(12)
    values = level + np.exp(-steps / 4.0) + rng.normal(0.0, 0.15, size=12)
    values = values if direction == "minimize" else -values
    values = values.tolist()
    if rng.uniform() < 0.25:
        values[int(rng.integers(12))] = math.nan
    if rng.uniform() < 0.1:
        values[int(rng.integers(12))] = math.inf
    if rng.uniform() < 0.05:
        values = [math.nan] * 12
    return values


def text(value):
    return value if math.isfinite(value) else str(value)


cases = []
for direction in ("minimize", "maximize"):
    rng = np.random.default_rng(20261128)
    trials = [reports(rng, direction) for _ in range(40)]
    answers = {}
    for name, make in PRUNERS.items():
        study = optuna.create_study(study_name="golden", direction=direction, pruner=make())
        answers[name] = []
        for values in trials:
            trial = study.ask()
            said = ""
            for step, value in enumerate(values):
                trial.report(value, step)
                prune = trial.should_prune()
                said += "x" if prune else "."
                if prune:
                    break
            state = optuna.trial.TrialState.PRUNED if said.endswith("x") else None
            last = values[len(said) - 1]
            if state is None and math.isnan(last):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, None if state else last, state=state)
            answers[name].append(said)
    cases.append(
        {
            "direction": direction,
            "trials": [[text(value) for value in values] for values in trials],
            "answers": answers,
        }
    )
print(json.dumps({"made_by": "optuna_pruners.py, Optuna 5.0.0", "cases": cases}))
