"""Scores of made-up signals by scikit-learn and statsmodels, as signal_record_sklearn.json.

Run with: python signal_record_sklearn.py > signal_record_sklearn.json
Made with Python 3.11, numpy 2.4.6, scikit-learn 1.9.1 and statsmodels 0.15.0 (all BSD-3-Clause); the
inputs are generated here, so the file holds nothing but numbers computed from them.
"""

import json
import sys

import numpy as np
import statsmodels.api as sm
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

rng = np.random.default_rng(20261128)
DAYS, SYMBOLS, HORIZON = 60, 7, 5

days = np.repeat(np.arange(DAYS), SYMBOLS)
said = np.round(np.clip(rng.normal(0.52, 0.06, DAYS * SYMBOLS), 0.3, 0.75), 4)
# A move that all symbols of a day share.
shared = np.repeat(rng.normal(0, 0.15, DAYS), SYMBOLS)
rose = rng.random(DAYS * SYMBOLS) < np.clip(said + shared, 0.02, 0.98)
hits = np.where(said == 0.5, np.nan, (said > 0.5) == rose)

share, mean = calibration_curve(rose, said, n_bins=10, strategy="quantile")
edges = np.quantile(said, np.linspace(0, 1, 11))
counts = np.bincount(np.searchsorted(edges[1:-1], said, side="left"), minlength=10)
daily = np.array([np.nanmean(hits[days == day]) for day in range(DAYS)])
fit = sm.OLS(daily, np.ones(DAYS)).fit(
    cov_type="HAC", cov_kwds={"maxlags": 2 * HORIZON, "use_correction": True}
)
json.dump(
    {
        "horizon": HORIZON,
        "days": days.tolist(),
        "said": said.tolist(),
        "rose": rose.tolist(),
        "brier": float(brier_score_loss(rose, said)),
        "ece": float(np.sum(counts / counts.sum() * np.abs(share - mean))),
        "curve_said": mean.tolist(),
        "curve_came": share.tolist(),
        "hits_mean": float(fit.params[0]),
        "hits_standard_error": float(fit.bse[0]),
    },
    sys.stdout,
)
print()
