"""Writes probability_sklearn.json: calibrations and scores of probabilities by other people's code.

Made with scikit-learn 1.9.1 (BSD-3-Clause), betacal 1.1.0 (MIT), statsmodels 0.15.0 (BSD-3-Clause) and
numpy 2.4.6 from PyPI, Python 3.11:
    pip install scikit-learn==1.9.1 betacal==1.1.0 statsmodels==0.15.0 numpy==2.4.6 && python probability_sklearn.py
betacal stops its solver early (at a gradient of 1e-4 of the mean loss), so the regression inside it is
also solved to the end by the Newton method of statsmodels.
"""
import json
import pathlib

import numpy as np
import statsmodels.api as sm
from betacal import BetaCalibration
from sklearn.calibration import _SigmoidCalibration, calibration_curve
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from table import uniform

ROWS = 600
PROBES = [0.0, 0.01, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.99, 1.0]


def draw(seed, rows=ROWS):
    return uniform(seed, np.arange(rows))


def logs(s):
    s = np.clip(s, np.finfo(float).eps, 1 - np.finfo(float).eps)
    return [np.log(s), -np.log(1 - s)]


def case(name, scores, truth, seed):
    outcomes = draw(seed) < truth
    y = outcomes.astype(float)
    probes = np.array(PROBES)
    platt = _SigmoidCalibration().fit(scores, y)
    # Bounded by the targets of Platt, in place of 0 and 1.
    positives, negatives = y.sum(), (1 - y).sum()
    isotonic = IsotonicRegression(y_min=1 / (negatives + 2), y_max=(positives + 1) / (positives + 2),
                                  out_of_bounds="clip").fit(scores, y)
    beta = BetaCalibration(parameters="abm").fit(scores, y)
    a, b, _ = beta.calibrator_.map_
    used = [of for of, exponent in zip(range(2), (a, b)) if exponent != 0]
    design = sm.add_constant(np.column_stack([logs(scores)[i] for i in used]), prepend=False)
    newton = sm.Logit(y, design).fit(method="newton", tol=1e-13, maxiter=100, disp=0)
    at_probes = sm.add_constant(np.column_stack([logs(probes)[i] for i in used]), prepend=False)
    share, mean = calibration_curve(outcomes, scores, n_bins=10, strategy="quantile")
    return {
        "name": name,
        "scores": scores.tolist(),
        "outcomes": outcomes.tolist(),
        "platt": platt.predict(probes).tolist(),
        "isotonic": isotonic.predict(probes).tolist(),
        "betacal": beta.predict(probes).tolist(),
        "beta": newton.predict(at_probes).tolist(),
        "brier": brier_score_loss(outcomes, scores),
        "log_loss": log_loss(outcomes, y_proba=scores),
        "bins_share": share.tolist(),
        "bins_forecast": mean.tolist(),
    }


plain = draw(1)
# Rounded scores repeat, and lie on the edges of the bins.
coarse = np.round(draw(2), 2)
# A chance that falls at one end makes the exponent of that end negative, which is then set to zero.
low_end, high_end = draw(3), draw(4)
cases = [
    case("overconfident", plain, 0.3 + 0.4 * plain, 11),
    case("coarse", coarse, coarse**2, 12),
    case("falls_low", low_end, 0.3 + 1.4 * (low_end - 0.3) ** 2, 13),
    case("falls_high", high_end, 0.7 - 1.4 * (0.7 - high_end) ** 2, 14),
]
path = pathlib.Path(__file__).with_name("probability_sklearn.json")
path.write_text(json.dumps({"probes": PROBES, "cases": cases}, separators=(",", ":")) + "\n")
for c in cases:
    print(c["name"], len(c["bins_share"]), np.abs(np.array(c["beta"]) - c["betacal"]).max())
