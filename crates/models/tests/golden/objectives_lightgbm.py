"""Writes objectives_lightgbm.json: models of LightGBM of all kinds that we read, what it makes of
them and of ours, and how good it is out of sample.

Made with LightGBM 4.7.0 (MIT, https://github.com/microsoft/LightGBM) and numpy 2.4.6 from PyPI,
Python 3.11:
    pip install lightgbm==4.7.0 numpy==2.4.6 && python objectives_lightgbm.py
The data are those of table.py, the first column made into categories. ours_objectives.json holds
models of ours, written by the test `seeded_fits_of_all_objectives_golden`.
"""
import json
import pathlib

import lightgbm as lgb
import numpy as np
import table

here = pathlib.Path(__file__).parent


def generate(rows, columns, seed):
    """A table whose first column is one of 25 categories, each with an effect of its own."""
    x, y = table.generate(rows, columns, seed)
    category = np.floor((x[:, 0] + 1.0) * 0.5 * 25.0)
    y = y + np.where(np.isnan(category), 0.0, 0.25 * (np.nan_to_num(category) * 7.0 % 25.0) - 3.0)
    x[:, 0] = category
    return x, y


def fifths(y):
    """The fifth of its 20 rows that each target is in."""
    order = np.argsort(np.argsort(y.reshape(-1, 20), axis=1), axis=1)
    return (order // 4).reshape(-1)


def labels(objective, y):
    if objective in ("poisson", "gamma", "tweedie"):
        return np.abs(y) + 0.1
    if objective in ("lambdarank", "rank_xendcg"):
        return fifths(y)
    return (y > 0) * 1.0 if objective in ("binary", "cross_entropy", "cross_entropy_lambda") else y


def train(x, y, params, trees, **more):
    objective = params["objective"]
    group = dict(group=[20] * (len(y) // 20)) if "rank" in objective else {}
    full = dict(num_threads=1, verbose=-1, seed=1, deterministic=True) | params
    data = lgb.Dataset(x, labels(objective, y), categorical_feature=[0], params=full, **group)
    return lgb.train(full, data, trees, **more)


def bare(text):
    return text.split("\nparameters:")[0] + "\n\nparameters:\nend of parameters\n\npandas_categorical:null\n"


list_of = lambda a: [None if np.isnan(v) else float(v) for v in a]
x, y = generate(600, 5, 1)
x[:, 3] = np.where(np.isnan(x[:, 3]), 0.25, x[:, 3])  # a column without missing values
x[:, 4] = np.where(np.abs(x[:, 4]) < 0.1, 0.0, x[:, 4])  # a column with zeros
rows = x[500:518].copy()
rows[0, :] = np.nan
rows[1, :] = 0.0
rows[2, 3] = np.nan  # missing where training had none
rows[3, 0], rows[4, 0], rows[5, 0], rows[6, 0] = 99.0, -1.0, 2.5, -0.5

small = dict(num_leaves=6, learning_rate=0.2, min_data_per_group=10, cat_smooth=2)
kinds = [dict(objective=o) for o in (
    "regression", "huber", "fair", "quantile", "mape", "regression_l1", "poisson", "gamma",
    "tweedie", "binary", "cross_entropy", "cross_entropy_lambda", "lambdarank", "rank_xendcg")]
kinds += [
    dict(objective="regression", reg_sqrt=True),
    dict(objective="regression", zero_as_missing=True),
    dict(objective="regression", use_missing=False),
    dict(objective="binary", sigmoid=2.5, zero_as_missing=True),
    dict(objective="regression", boosting="rf", bagging_freq=1, bagging_fraction=0.6),
    dict(objective="binary", boosting="rf", bagging_freq=1, bagging_fraction=0.6),
    dict(objective="regression", boosting="dart", drop_rate=0.5),
    dict(objective="binary", monotone_constraints=[0, 1, -1, 0, 0]),
    dict(objective="regression", max_cat_to_onehot=30),
]
models = [(" ".join(f"{k}={v}" for k, v in kind.items()), bare(train(x[:500], y[:500], small | kind, 3).model_to_string()))
          for kind in kinds]
ours = here / "ours_objectives.json"
if ours.exists():
    models += [("our " + name, text) for name, text in json.loads(ours.read_text()).items()]
answers = []
for name, text in models:
    booster = lgb.Booster(model_str=text)
    answers.append({
        "name": name,
        "text": "" if name.startswith("our ") else text,
        "predicted": list_of(booster.predict(rows, num_threads=1)),
        "raw": list_of(booster.predict(rows, raw_score=True, num_threads=1)),
        "contributions": [list_of(r) for r in booster.predict(rows, pred_contrib=True, num_threads=1)],
    })

x, y = generate(7000, 8, 1)


def score(objective, predicted, y):
    """A loss; lower is better."""
    if objective == "binary":
        label = labels(objective, y)
        return -float(np.mean(label * np.log(predicted) + (1 - label) * np.log(1 - predicted)))
    if objective == "quantile":
        return float(np.mean(np.maximum(0.8 * (y - predicted), -0.2 * (y - predicted))))
    if objective == "lambdarank":  # Share of the pairs of a day that are in the wrong order.
        a, b = predicted.reshape(-1, 20), y.reshape(-1, 20)
        wrong = (a[:, :, None] - a[:, None, :]) * (b[:, :, None] - b[:, None, :]) < 0
        return float(wrong.mean())
    return float(np.mean(np.abs(predicted - y))) if objective == "huber" else float(np.sqrt(np.mean((predicted - y) ** 2)))


quality = []
for params in (
    dict(objective="regression"),
    dict(objective="regression", lambda_l1=5.0, max_depth=4),
    dict(objective="huber", alpha=0.5),
    dict(objective="quantile", alpha=0.8),
    dict(objective="binary"),
    dict(objective="lambdarank"),
    dict(objective="regression", monotone_constraints=[0, 0, 0, 1, 0, 0, 0, 0]),
    dict(objective="binary", monotone_constraints=[0, 0, 0, 1, 0, 0, 0, 0]),
):
    booster = train(x[:5000], y[:5000], dict(num_leaves=31, learning_rate=0.1) | params, 80)
    quality.append(params | {"loss": score(params["objective"], booster.predict(x[5000:], num_threads=1), y[5000:])})

fixture = {"rows": [list_of(r) for r in rows], "answers": answers, "quality": quality}
(here / "objectives_lightgbm.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
