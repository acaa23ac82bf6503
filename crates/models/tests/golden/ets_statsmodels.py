"""Writes ets_statsmodels.json: series and what the exponential smoothing of statsmodels makes of them.

Made with statsmodels 0.15.0 (BSD-3-Clause, https://www.statsmodels.org), scipy 1.17.1 and numpy 2.4.6
from PyPI, Python 3.11:
    pip install statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6 && python ets_statsmodels.py
"""
import json
import pathlib
import warnings

import numpy as np
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

warnings.simplefilter("ignore")
rng = np.random.default_rng(20261128)
ROWS = 250
MODELS = {
    "none": {},
    "linear": {"trend": "add"},
    "damped": {"trend": "add", "damped_trend": True},
}


def simulate(alpha, beta, phi, level, trend, sigma):
    values = []
    for _ in range(ROWS):
        error = sigma * rng.standard_normal()
        expected = level + phi * trend
        values.append(expected + error)
        level, trend = expected + alpha * error, phi * trend + beta * error
    return np.array(values)


def fit(values, options):
    model = ETSModel(values, error="add", initialization_method="estimated", **options)
    # Its solver stops early from some starts; the best of a few is taken.
    fits = []
    for alpha in (0.1, 0.5, 0.9):
        start = model.start_params.copy()
        start[0] = alpha
        if "trend" in options:
            start[1] = alpha * 0.1
        fits.append(model.fit(start_params=start, disp=False, maxiter=10_000,
                              ftol=1e-14, gtol=1e-9, pgtol=1e-9))
    best = max(fits, key=lambda result: result.llf)
    params = dict(zip(model.param_names, best.params))
    return {
        "alpha": params["smoothing_level"],
        "beta": params.get("smoothing_trend", 0.0),
        "phi": params.get("damping_trend", 1.0 if "trend" in options else 0.0),
        "level": params["initial_level"],
        "trend": params.get("initial_trend", 0.0),
        "log_likelihood": best.llf,
        "aicc": best.aicc,
        "forecast": best.forecast(5).tolist(),
    }


series = {
    "noise about a level": simulate(0.05, 0.0, 0.0, 3.0, 0.0, 0.02),
    "moving level": simulate(0.6, 0.0, 0.0, 3.0, 0.0, 0.02),
    "near random walk": simulate(0.97, 0.0, 0.0, 4.0, 0.0, 0.02),
    "moving trend": simulate(0.4, 0.1, 1.0, 2.0, 0.01, 0.02),
    "damped trend": simulate(0.7, 0.4, 0.9, 2.0, 0.05, 0.02),
}
cases = [
    {"name": name, "values": values.tolist(),
     "fits": {model: fit(values, options) for model, options in MODELS.items()}}
    for name, values in series.items()
]
path = pathlib.Path(__file__).with_name("ets_statsmodels.json")
path.write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")
for case in cases:
    for model, result in case["fits"].items():
        k = {"none": 3, "linear": 5, "damped": 6}[model]
        expected = -2 * result["log_likelihood"] + 2 * k * ROWS / (ROWS - k - 1)
        print(case["name"], model, {key: np.round(value, 5) for key, value in result.items()},
              result["aicc"] - expected)
