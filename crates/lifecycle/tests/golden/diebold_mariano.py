"""The Diebold-Mariano test by the package dieboldmariano, as diebold_mariano.json.

Run with: python diebold_mariano.py > diebold_mariano.json
Made with Python 3.11, numpy 2.4.6 (BSD-3-Clause) and dieboldmariano 1.1.0 (MIT); the inputs are
generated here, so the file holds nothing but numbers computed from them.
"""

import json
import sys

import numpy as np
from dieboldmariano import NegativeVarianceException, dm_test

rng = np.random.default_rng(20261128)


def case(differences, horizon):
    differences = [round(float(difference), 6) for difference in differences]
    test = lambda estimator: dm_test(
        [0.0] * len(differences),
        differences,
        [0.0] * len(differences),
        loss=lambda actual, predicted: predicted,
        h=horizon,
        variance_estimator=estimator,
    )
    try:
        estimator, (statistic, p_value) = "acf", test("acf")
    except NegativeVarianceException:
        estimator, (statistic, p_value) = "bartlett", test("bartlett")
    return {
        "differences": differences,
        "horizon": horizon,
        "estimator": estimator,
        "statistic": statistic,
        "p_value": p_value,
    }


def overlapping(size, window, mean):
    noise = rng.standard_t(4, size=size + window - 1)
    return mean + np.convolve(noise, np.ones(window) / window, mode="valid")


alternating = [(-1) ** t * (1 + 0.1 * rng.normal()) + 0.05 for t in range(40)]
cases = [
    case(overlapping(30, 1, 0.3), 1),
    case(overlapping(250, 5, 0.15), 5),
    case(overlapping(250, 5, -0.9), 5),
    case(overlapping(60, 10, 0.1), 10),
    case(alternating, 2),
]
assert cases[-1]["estimator"] == "bartlett"
json.dump({"made_with": f"numpy {np.__version__}, dieboldmariano 1.1.0", "cases": cases}, sys.stdout)
print()
