"""Anytime-valid inference by published implementations, as experiments.json.

Run with: python experiments.py > experiments.json
Made with Python 3.11, numpy 1.26.4 and scipy 1.17.1 (BSD-3-Clause), confseq 0.0.11 (MIT) and
ssrm-test 0.1.5 (Apache-2.0); the inputs are generated here, so the file holds nothing but numbers
computed from them.

- t_mixture: no formula of ours: scipy's noncentral t distribution over its central one, integrated
  over normal effects; the ends of the interval by a root of that.
- normal_mixture: the two-sided bound of Howard et al. by confseq, which the t mixture comes to when
  there are many values.
- sample_ratio: the Bayes factors of Lindon and Malek by ssrm-test.
- cuped: values less the slope of scipy's linregress over the pairs before times the covariate.
"""

import json
import sys

import numpy as np
from confseq import boundaries
from scipy import integrate, optimize, stats
from ssrm_test.ssrm_test import sequential_bayes_factors

rng = np.random.default_rng(20261128)


def log_e_value(t, n, precision):
    prior = stats.norm(0, 1 / np.sqrt(precision))
    ratio = lambda effect: (
        stats.nct.pdf(t, n - 1, effect * np.sqrt(n)) / stats.t.pdf(t, n - 1) * prior.pdf(effect)
    )
    end, peak = 8 / np.sqrt(precision), t / np.sqrt(n)
    pieces = sorted({-end, end, 0.0, min(max(peak, -end), end)})
    areas = [
        integrate.quad(ratio, low, high, limit=400, epsabs=0, epsrel=1e-12)[0]
        for low, high in zip(pieces, pieces[1:])
    ]
    return float(np.log(sum(areas)))


def t_mixture(size, shift, precision, level):
    values = [round(float(v), 6) for v in shift + rng.standard_t(4, size=size)]
    steps = []
    for n in (3, 6, 10, 16, size):
        mean, error = np.mean(values[:n]), np.std(values[:n], ddof=1) / np.sqrt(n)
        refuted = lambda t: log_e_value(t, n, precision) + np.log(level)
        # The evidence grows with t to ((g + n) / g) ** ((n - 1) / 2), which may not be enough.
        enough = (n - 1) / 2 * np.log((precision + n) / precision) + np.log(level) > 1
        half = error * optimize.brentq(refuted, 0, 60, xtol=1e-13) if enough else None
        evidence = log_e_value(mean / error, n, precision)
        steps.append({"count": n, "log_e_value": evidence, "half_width": half})
    return {"values": values, "precision": precision, "level": level, "steps": steps}


def normal_mixture(count, tightest_at, level):
    bound = boundaries.normal_mixture_bound(float(count), level, float(tightest_at), level, False)
    return {"count": count, "tightest_at": tightest_at, "level": level, "bound": float(bound)}


def sample_ratio(size, weights, truth):
    shares = np.array(weights) / sum(weights)
    units = rng.multinomial(size, truth, size=12)
    factors = sequential_bayes_factors(units, shares, dirichlet_concentration=100)
    logarithms = [float(np.log(factor)) for factor in factors]
    return {"weights": weights, "units": units.tolist(), "log_bayes_factors": logarithms}


def cuped(size, slope):
    covariates = [round(float(x), 6) for x in rng.normal(size=size)]
    values = [round(float(slope * x + e), 6) for x, e in zip(covariates, rng.normal(size=size))]
    adjusted = [
        y - (stats.linregress(covariates[:i], values[:i]).slope * x if i >= 8 else 0.0)
        for i, (y, x) in enumerate(zip(values, covariates))
    ]
    removed = 1 - np.var(adjusted[8:], ddof=1) / np.var(values[8:], ddof=1)
    return {
        "values": values,
        "covariates": covariates,
        "adjusted": adjusted,
        "variance_removed_share": float(max(removed, 0.0)),
    }


json.dump(
    {
        "made_with": "numpy 1.26.4, scipy 1.17.1, confseq 0.0.11, ssrm-test 0.1.5",
        "t_mixture": [
            t_mixture(30, 0.0, 1.0, 0.05),
            t_mixture(40, 0.8, 3.5, 0.05),
            t_mixture(25, -0.4, 7.0, 0.00625),
        ],
        "normal_mixture": [
            normal_mixture(100_000, 50_000, 0.05),
            normal_mixture(100_000, 10_000, 0.00625),
        ],
        "sample_ratio": [
            sample_ratio(40, [1, 1], [0.5, 0.5]),
            sample_ratio(40, [1, 1], [0.65, 0.35]),
            sample_ratio(60, [8, 1, 1], [0.8, 0.12, 0.08]),
        ],
        "cuped": [cuped(60, 1.0), cuped(40, 0.0)],
    },
    sys.stdout,
)
print()
