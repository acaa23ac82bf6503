"""Makes optuna_fanova.json: a study of 200 random trials, and Optuna's fANOVA importances of it.

The importances are means of ten forests.

Made with Optuna 5.0.0, scikit-learn and numpy 2.4.6 under Python 3.11:

    python optuna_fanova.py > optuna_fanova.json
"""

import json
import math

import numpy as np
import optuna
from optuna.importance import FanovaImportanceEvaluator, get_param_importances

optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial):
    a = trial.suggest_float("a", 0.0, 1.0)
    b = trial.suggest_int("b", 1, 10)
    c = trial.suggest_categorical("c", ["u", "v", "w"])
    d = trial.suggest_float("d", 1e-3, 1.0, log=True)
    trial.suggest_float("e", -1.0, 1.0)
    return 3 * math.sin(3 * a) + 0.1 * (b - 4) ** 2 + {"u": 0.0, "v": 1.5, "w": 0.3}[c] + d + a * b / 20


study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=20261128))
study.optimize(objective, n_trials=200)
runs = [get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=s)) for s in range(10)]
trials = [
    {
        "params": {n: d.to_internal_repr(t.params[n]) for n, d in t.distributions.items()},
        "value": t.value,
    }
    for t in study.trials
]
distributions = {
    n: json.loads(optuna.distributions.distribution_to_json(d))
    for n, d in study.trials[0].distributions.items()
}
print(
    json.dumps(
        {
            "made_by": "optuna_fanova.py, Optuna 5.0.0",
            "distributions": distributions,
            "trials": trials,
            "importances": {n: float(np.mean([r[n] for r in runs])) for n in sorted(distributions)},
        }
    )
)
