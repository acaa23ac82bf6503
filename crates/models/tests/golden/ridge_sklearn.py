"""Writes ridge_sklearn.json: what scikit-learn's Ridge makes of the table of table.py.

Made with scikit-learn 1.9.1 (BSD-3-Clause, https://scikit-learn.org) and numpy 2.4.6 from PyPI,
Python 3.11:
    pip install scikit-learn==1.9.1 numpy==2.4.6 && python ridge_sklearn.py
"""
import json
import pathlib

import table
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

x, y = table.generate(400, 8, 3)
fits = []
for alpha in (0.01, 1.0, 300.0):
    # The scaler ignores NaN; a standard score of zero is the mean of the known values.
    model = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0),
                          Ridge(alpha=alpha))
    model.fit(x[:300], y[:300])
    fits.append({"alpha": alpha, "predicted": model.predict(x[300:]).tolist()})
path = pathlib.Path(__file__).with_name("ridge_sklearn.json")
path.write_text(json.dumps({"fits": fits}, separators=(",", ":")) + "\n")
