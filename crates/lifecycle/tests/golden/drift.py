"""Distances between samples by scipy, as drift.json.

Run with: python drift.py > drift.json
Made with Python 3.11, numpy 2.4.6 and scipy 1.17.1 (BSD-3-Clause); the inputs are generated here.

- ks: the statistic of the two-sample test, scipy.stats.ks_2samp.
- wasserstein: scipy.stats.wasserstein_distance over the reference's standard deviation (ddof 0).
- psi: twice Jeffreys' divergence over the bins of numpy.histogram between the deciles of the
  reference, by scipy.special.rel_entr in both directions; no bin of these inputs is empty.
"""

import json
import sys

import numpy as np
from scipy import special, stats

rng = np.random.default_rng(20261128)


def case(reference, current):
    ordered = np.sort(reference)
    edges = [ordered[i * len(ordered) // 10] for i in range(1, 10)]

    def shares(values):
        # A bin holds what is at most its edge.
        places = np.searchsorted(edges, values, side="left")
        return np.bincount(places, minlength=10) / len(values)

    expected, actual = shares(reference), shares(current)
    assert expected.min() > 0 and actual.min() > 0
    psi = special.rel_entr(expected, actual).sum() + special.rel_entr(actual, expected).sum()
    return {
        "reference": [float(value) for value in reference],
        "current": [float(value) for value in current],
        "psi": float(psi),
        "ks": float(stats.ks_2samp(reference, current).statistic),
        "wasserstein": float(stats.wasserstein_distance(reference, current) / reference.std()),
    }


cases = [
    case(rng.normal(0, 1, 400), rng.normal(0.3, 1, 120)),
    case(rng.normal(0, 1, 400), rng.normal(0, 1.5, 120)),
    case(rng.standard_t(3, 300), rng.standard_t(3, 200)),
    case(rng.integers(0, 40, 300).astype(float), rng.integers(0, 45, 200).astype(float)),
]
json.dump({"cases": cases}, sys.stdout, indent=1)
