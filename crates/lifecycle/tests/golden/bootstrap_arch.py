"""Block lengths and bootstrap intervals by arch, Pearson's correlation by SciPy, as bootstrap_arch.json.

Run with: python bootstrap_arch.py > bootstrap_arch.json
Made with Python 3.11, numpy 2.4.6, scipy 1.17.1 (BSD-3-Clause) and arch 8.0.0 (NCSA); the inputs
are generated here, so the file holds nothing but numbers computed from them.
"""

import json
import sys

import arch
import numpy as np
import scipy
from arch.bootstrap import StationaryBootstrap, optimal_block_length
from scipy import stats

RESAMPLES = 20_000
rng = np.random.default_rng(20261128)


def autoregressive(size, coefficient, mean):
    noise = rng.normal(size=size)
    series = np.zeros(size)
    series[0] = noise[0]
    for t in range(1, size):
        series[t] = coefficient * series[t - 1] + noise[t]
    return np.round(mean + 0.2 * series, 6)


def overlapping(size, window, mean):
    noise = rng.normal(size=size + window - 1)
    return np.round(mean + 0.2 * np.convolve(noise, np.ones(window) / window, mode="valid"), 6)


block_lengths = [
    {"series": series.tolist(), "stationary": float(optimal_block_length(series)["stationary"].iloc[0])}
    for series in [
        autoregressive(60, 0.0, 0.0),
        autoregressive(250, 0.3, 0.02),
        autoregressive(250, 0.97, 0.0),
        autoregressive(120, -0.5, 0.0),
        overlapping(500, 5, 0.03),
        overlapping(90, 20, 0.0),
    ]
]


def quantiles(statistics):
    return [float(q) for q in np.quantile(statistics, [0.025, 0.975])]


intervals = []
for series, length in [(overlapping(300, 5, 0.03), 8.0), (autoregressive(150, 0.2, 0.05), 2.5)]:
    bootstrap = StationaryBootstrap(length, series, seed=7)
    means = bootstrap.apply(np.mean, RESAMPLES)
    ratios = bootstrap.apply(lambda x: x.mean() / x.std(ddof=1), RESAMPLES)
    intervals.append(
        {
            "series": series.tolist(),
            "mean_block_length": length,
            "mean": quantiles(means),
            "mean_deviation": float(means.std()),
            "ratio": quantiles(ratios),
            "ratio_deviation": float(ratios.std()),
        }
    )

pearson = []
for size, digits in [(5, 3), (40, 2)]:
    x = np.round(rng.normal(size=size), digits)
    y = np.round(0.5 * x + rng.standard_t(3, size=size), digits)
    pearson.append({"x": x.tolist(), "y": y.tolist(), "rho": float(stats.pearsonr(x, y).statistic)})

json.dump(
    {
        "made_with": f"numpy {np.__version__}, scipy {scipy.__version__}, arch {arch.__version__}",
        "resamples": RESAMPLES,
        "block_lengths": block_lengths,
        "intervals": intervals,
        "pearson": pearson,
    },
    sys.stdout,
)
print()
