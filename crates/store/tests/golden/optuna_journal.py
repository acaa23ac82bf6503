"""A journal by Optuna, as optuna_journal.log; optuna_dump.py says what Optuna reads in it.

Run with: rm -f optuna_journal.log; python optuna_journal.py optuna_journal.log
          python optuna_dump.py optuna_journal.log > optuna_journal.json
Made with Python 3.11 and optuna 5.0.0 (MIT). Times and the ids of workers are those of the run.
"""

import sys

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState, create_trial

path = sys.argv[1]
storage = JournalStorage(JournalFileBackend(path))
sampler = optuna.samplers.RandomSampler(seed=20261128)


def tree(trial):
    kind = trial.suggest_categorical("kind", ["ağaç \"1\"", "linear", None, True, 3, 0.5])
    x = trial.suggest_float("x", -1.0, 2.5)
    rate = trial.suggest_float("rate", 1e-8, 1.0, log=True)
    share = trial.suggest_float("share", 0.0, 1.0, step=0.25)
    leaves = trial.suggest_int("leaves", 2, 4096, log=True)
    even = trial.suggest_int("even", -4, 4, step=2)
    if kind == "linear":
        x += trial.suggest_float("linear_only", 0.0, 1.0)
    elif kind is not None:
        x += trial.suggest_int("other_only", 1, 9)
    trial.set_user_attr("ölçü", {"a": [1, -2.5, 1e-7, 1.5e300, None, True], "b": "ç\n\u0001😀"})
    trial.report(float("nan"), 0)
    trial.report(float("inf"), 1)
    trial.report(x, 2)
    if trial.number % 5 == 1:
        raise optuna.TrialPruned
    if trial.number % 5 == 3:
        raise ValueError("on purpose")
    return x * rate + share + leaves + even


study = optuna.create_study(storage=storage, study_name="çalışma", sampler=sampler)
study.set_user_attr("owner", "Ayşe")
study.set_user_attr("owner", ["Ali", float("nan"), float("-inf"), "NaN"])
study.set_metric_names(["loss"])
study.enqueue_trial({"kind": "linear", "x": 0.125}, user_attrs={"from": "İzmir"})
study.optimize(tree, n_trials=12, catch=(ValueError,))

# A study between two others that is gone, with trials whose ids stay its own.
gone = optuna.create_study(storage=storage, study_name="gone", sampler=sampler)
gone.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
optuna.delete_study(study_name="gone", storage=storage)

two = optuna.create_study(
    storage=storage, study_name="two", directions=["maximize", "minimize"], sampler=sampler
)
two.optimize(lambda trial: (trial.suggest_float("x", 0, 1), trial.suggest_int("n", 1, 3)), n_trials=3)

study.add_trial(
    create_trial(
        value=float("-inf"),
        params={"even": 2, "kind": 3, "x": 0.25},
        distributions={
            "even": IntDistribution(-4, 4, step=2),
            "kind": CategoricalDistribution(("ağaç \"1\"", "linear", None, True, 3, 0.5)),
            "x": FloatDistribution(0.0, 1.0),
        },
        intermediate_values={9: float("-inf"), 10: 0.5},
        user_attrs={"added": True},
        system_attrs={"why": "golden"},
    )
)
two.add_trial(create_trial(values=[1.0, 2.5], state=TrialState.COMPLETE))
study.add_trial(create_trial(state=TrialState.FAIL))
study.enqueue_trial({"x": 0.5})
running = study.ask()
running.suggest_float("x", -1.0, 2.5)
study.enqueue_trial({"a": "waits", "x": 0.75})

# Records that Optuna refuses to whoever wrote them, and that everybody else passes over.
other = JournalStorage(JournalFileBackend(path))
for act in [
    lambda: other.create_new_study([optuna.study.StudyDirection.MINIMIZE], "two"),
    lambda: other.set_trial_state_values(0, TrialState.FAIL),
    lambda: other.set_trial_user_attr(0, "late", 1),
    lambda: other.set_trial_param(
        running._trial_id, "rate", 0.5, FloatDistribution(0.0, 1.0)
    ),
    lambda: other.set_trial_intermediate_value(4711, 0, 1.0),
    lambda: other.set_study_user_attr(1, "gone", 1),
]:
    try:
        act()
    except Exception as error:
        print("refused, as it should be:", repr(error))
    else:
        raise SystemExit("this should have been refused")

with open(path, "a") as journal:
    journal.write('{"op_code":10,"worker_id":"rustuna","trial_ids":[1]}\n')
