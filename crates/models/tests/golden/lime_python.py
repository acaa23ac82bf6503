"""Writes lime_python.txt and lime_python.json: a model, and the weights that lime finds for it.

Made with lime 0.2.0.1 (BSD-2-Clause, https://github.com/marcotcr/lime), LightGBM 4.7.0, numpy 2.4.6
and scipy 1.17.1 from PyPI, Python 3.11:
    pip install lime==0.2.0.1 lightgbm==4.7.0 numpy==2.4.6 scipy==1.17.1
    python lime_python.py
The features are those of table.py, missing values filled: lime takes none. The target has a part of
each feature; of features without one the weights are noise, and so are their ranks. How well lime
agrees with itself from another seed is written too.
"""
import json
import pathlib

import lightgbm as lgb
import numpy as np
import table
from lime.lime_tabular import LimeTabularExplainer
from scipy.stats import spearmanr

here = pathlib.Path(__file__).parent
x, _ = table.generate(2000, 6, 7)
x = np.where(np.isnan(x), 0.1, x)
y = 3.0 * x[:, 0] - 2.2 * x[:, 1] + 1.6 * x[:, 2] - 1.1 * x[:, 3] + 0.7 * x[:, 4] + 0.4 * x[:, 5] ** 3
parameters = dict(objective="regression", num_leaves=7, learning_rate=0.1, num_threads=1, verbose=-1,
                  seed=1, deterministic=True)
booster = lgb.train(parameters, lgb.Dataset(x, y), 80)
booster.save_model(here / "lime_python.txt")
background, rows = x[:1000], x[1000:1050]


def weights(discretised, seed):
    explainer = LimeTabularExplainer(background, mode="regression", discretize_continuous=discretised,
                                     random_state=seed)
    found = []
    for row in rows:
        explained = explainer.explain_instance(row, lambda z: booster.predict(z, num_threads=1),
                                               num_features=10, num_samples=5000)
        by_feature = dict(explained.local_exp[1])
        found.append([float(f"{by_feature[j]:.6g}") for j in range(6)])
    return found


fixture = {}
for name, discretised in (("quartiles", True), ("normal", False)):
    first, second = weights(discretised, 0), weights(discretised, 1)
    alike = [spearmanr(a, b).statistic for a, b in zip(first, second)]
    fixture[name] = {"weights": first, "alike_with_itself": float(np.mean(alike))}
(here / "lime_python.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
