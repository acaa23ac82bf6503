"""Writes trees_lightgbm*.txt and trees_lightgbm.json: models, and what LightGBM makes of them.

Made with LightGBM 4.7.0 (MIT, https://github.com/microsoft/LightGBM) and numpy 2.4.6 from PyPI,
Python 3.11:
    pip install lightgbm==4.7.0 numpy==2.4.6
    cargo run --release -p bist-models --example boosted_trees -- 700 6 8 7 63 FOLDER
    python trees_lightgbm.py FOLDER
The data are those of table.py. FOLDER/ours_model.txt is our model, kept as ours_model.txt.
"""
import json
import pathlib
import sys

import lightgbm as lgb
import numpy as np
import table

here = pathlib.Path(__file__).parent
ours = (pathlib.Path(sys.argv[1]) / "ours_model.txt").read_text()
(here / "ours_model.txt").write_text(ours)

x, y = table.generate(700, 6, 1)
x[:, 5] = np.where(np.isnan(x[:, 5]), 0.25, x[:, 5])  # a column without missing values
x[:, 4] = np.where(np.abs(x[:, 4]) < 0.1, 0.0, x[:, 4])  # a column with zeros
small = dict(objective="regression", num_leaves=7, learning_rate=0.2, num_threads=1, verbose=-1,
             seed=1, deterministic=True)
models = {
    "trees_lightgbm": lgb.train(small, lgb.Dataset(x[:490], y[:490]), 8).model_to_string(),
    "trees_lightgbm_zero_as_missing": lgb.train(
        small | dict(zero_as_missing=True), lgb.Dataset(x[:490], y[:490]), 8).model_to_string(),
    "ours_model": ours,
}
rows = x[490:540].copy()
rows[0, :] = np.nan
rows[1, :] = 0.0
rows[2, 5] = np.nan  # missing where training had none
list_of = lambda a: [None if np.isnan(v) else float(v) for v in a]
answers = {}
for name, text in models.items():
    booster = lgb.Booster(model_str=text)
    answers[name] = {
        "predicted": list_of(booster.predict(rows, num_threads=1)),
        "contributions": [list_of(r) for r in booster.predict(rows, pred_contrib=True, num_threads=1)],
    }
    (here / f"{name}.txt").write_text(text)

x, y = table.generate(7000, 12, 1)
defaults = dict(num_iterations=300, learning_rate=0.1, num_leaves=31, min_data_in_leaf=20,
                min_gain_to_split=0.0, lambda_l2=0.0, feature_fraction=1.0, bagging_fraction=1.0,
                bagging_freq=0, max_bin=255, early_stopping_rounds=50)
quality = []
for changed in (
    dict(),
    dict(num_leaves=63, max_bin=63, lambda_l2=5.0, min_data_in_leaf=40),
    dict(learning_rate=0.05, feature_fraction=0.7, bagging_fraction=0.7, bagging_freq=1),
):
    params = defaults | changed
    full = dict(objective="regression", num_threads=1, verbose=-1, seed=1, deterministic=True) | params
    train = lgb.Dataset(x[:4900], y[:4900], params=full)
    valid = train.create_valid(x[4900:5950], y[4900:5950])
    booster = lgb.train(full, train, valid_sets=[valid])
    error = booster.predict(x[5950:], num_threads=1) - y[5950:]
    quality.append({"params": params, "trees": booster.best_iteration,
                    "rmse": float(np.sqrt(np.mean(error**2)))})

fixture = {"rows": [list_of(r) for r in rows], "answers": answers, "quality": quality}
(here / "trees_lightgbm.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
