"""Writes trees_shap.txt and trees_shap.json: a model of 300 trees, and how shap explains it.

Made with shap 0.51.0 (MIT, https://github.com/shap/shap), LightGBM 4.7.0 and numpy 2.4.6 from PyPI,
Python 3.11:
    pip install shap==0.51.0 lightgbm==4.7.0 numpy==2.4.6
    python trees_shap.py
The data are those of table.py. shap hands path-dependent values of LightGBM's models on to LightGBM;
here its own loops compute them.
"""
import json
import pathlib

import lightgbm as lgb
import numpy as np
import shap
import table

here = pathlib.Path(__file__).parent
x, y = table.generate(3000, 10, 7)
parameters = dict(objective="regression", num_leaves=7, learning_rate=0.1, num_threads=1, verbose=-1,
                  seed=1, deterministic=True)
text = lgb.train(parameters, lgb.Dataset(x[:2000], y[:2000]), 300).model_to_string()
(here / "trees_shap.txt").write_text(text)

booster = lgb.Booster(model_str=text)
booster.params["objective"] = "regression"
rows, background = x[2000:2024].copy(), x[2100:2120]
rows[0, :] = np.nan
rows[1, :] = 0.0
of_paths = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
of_paths.model.model_type = "internal"
against = shap.TreeExplainer(booster, background, feature_perturbation="interventional")


def list_of(a):
    return [list_of(v) for v in a] if np.ndim(a) else None if np.isnan(a) else float(a)


fixture = {
    "rows": list_of(rows),
    "background": list_of(background),
    "predicted": list_of(booster.predict(rows, num_threads=1)),
    "base": float(np.ravel(of_paths.expected_value)[0]),
    "contributions": list_of(of_paths.shap_values(rows, check_additivity=False)),
    "interactions": list_of(of_paths.shap_interaction_values(rows[2:4])),
    "interventional_base": float(np.ravel(against.expected_value)[0]),
    "interventional": list_of(against.shap_values(rows, check_additivity=False)),
}
(here / "trees_shap.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
