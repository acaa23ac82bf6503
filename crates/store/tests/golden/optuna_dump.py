"""What Optuna reads in a journal, as JSON that tests compare with what we read.

usage: python optuna_dump.py JOURNAL
Numbers that JSON does not have are texts: NaN, Infinity, -Infinity.
optuna_journal.json and ours_journal.json are what it prints of the journals beside them, with Python
3.11 and optuna 5.0.0 (MIT); ours_journal.log is written by the tests with BIST_UPDATE_SNAPSHOTS=1.
"""

import datetime
import json
import math
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend


def plain(value):
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def microseconds(instant):
    if instant is None:
        return None
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (instant.astimezone(datetime.timezone.utc) - epoch) // datetime.timedelta(microseconds=1)


def param(trial, name):
    distribution = trial.distributions[name]
    return {
        "distribution": json.loads(optuna.distributions.distribution_to_json(distribution)),
        "internal": float(distribution.to_internal_repr(trial.params[name])),
        "value": trial.params[name],
    }


def dump_trial(trial):
    return {
        "id": trial._trial_id,
        "number": trial.number,
        "state": trial.state.name.lower(),
        "values": None if trial.values is None else [float(value) for value in trial.values],
        "params": {name: param(trial, name) for name in trial.params},
        "intermediate_values": {
            str(step): float(value) for step, value in trial.intermediate_values.items()
        },
        "user_attrs": trial.user_attrs,
        "system_attrs": trial.system_attrs,
        "started_at_us": microseconds(trial.datetime_start),
        "completed_at_us": microseconds(trial.datetime_complete),
    }


def dump_study(storage, study):
    return {
        "id": study._study_id,
        "name": study.study_name,
        "directions": [direction.name.lower() for direction in study.directions],
        "user_attrs": study.user_attrs,
        "system_attrs": study.system_attrs,
        "trials": [dump_trial(trial) for trial in storage.get_all_trials(study._study_id)],
    }


optuna.logging.set_verbosity(optuna.logging.ERROR)
storage = JournalStorage(JournalFileBackend(sys.argv[1]))
studies = [dump_study(storage, study) for study in storage.get_all_studies()]
print(json.dumps(plain({"studies": studies}), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False))
