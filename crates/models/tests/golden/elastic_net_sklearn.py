"""Writes elastic_net_sklearn.json: what scikit-learn's ElasticNet makes of the table of table.py.

Made with scikit-learn 1.9.1 (BSD-3-Clause, https://scikit-learn.org) and numpy 2.4.6 from PyPI,
Python 3.11:
    pip install scikit-learn==1.9.1 numpy==2.4.6 && python elastic_net_sklearn.py
"""
import json
import pathlib

import table
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x, y = table.generate(400, 8, 3)
fits = []
for alpha, l1_ratio in ((0.01, 0.5), (0.03, 1.0), (0.1, 0.1), (0.2, 0.0), (10.0, 0.7)):
    # The scaler ignores NaN; a standard score of zero is the mean of the known values.
    model = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0),
                          ElasticNet(alpha=alpha, l1_ratio=l1_ratio, tol=1e-14, max_iter=1_000_000))
    model.fit(x[:300], y[:300])
    fits.append({"alpha": alpha, "l1_ratio": l1_ratio,
                 "coefficients": model[-1].coef_.tolist(),
                 "predicted": model.predict(x[300:]).tolist()})
    print(alpha, l1_ratio, model[-1].coef_)
path = pathlib.Path(__file__).with_name("elastic_net_sklearn.json")
path.write_text(json.dumps({"fits": fits}, separators=(",", ":")) + "\n")
