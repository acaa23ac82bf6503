"""Spearman's correlation by SciPy and Newey-West errors by statsmodels, as rank_ic_statsmodels.json.

Run with: python rank_ic_statsmodels.py > rank_ic_statsmodels.json
Made with Python 3.11, numpy 2.4.6, scipy 1.17.1 and statsmodels 0.15.0 (all BSD-3-Clause); the
inputs are generated here, so the file holds nothing but numbers computed from them.
"""

import json
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

rng = np.random.default_rng(20261124)

spearman = []
for size, digits in [(5, 3), (12, 1), (40, 0), (30, 2)]:
    x = np.round(rng.normal(size=size), digits)
    y = np.round(0.5 * x + rng.normal(size=size), digits)
    spearman.append({"x": x.tolist(), "y": y.tolist(), "rho": float(stats.spearmanr(x, y).statistic)})

newey_west = []
for size, window, lag in [(2, 1, 0), (30, 1, 3), (120, 5, 10), (90, 10, 20), (40, 5, 60)]:
    noise = rng.normal(size=size + window - 1)
    series = np.round(0.02 + np.convolve(noise, np.ones(window) / window, mode="valid"), 6)
    fit = sm.OLS(series, np.ones(size)).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": True}
    )
    newey_west.append(
        {
            "series": series.tolist(),
            "lag": lag,
            "mean": float(fit.params[0]),
            "standard_error": float(fit.bse[0]),
        }
    )

json.dump(
    {
        "made_with": f"numpy {np.__version__}, scipy {scipy.__version__}, "
        f"statsmodels {statsmodels.__version__}",
        "spearman": spearman,
        "newey_west": newey_west,
    },
    sys.stdout,
)
print()
