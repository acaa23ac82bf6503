"""Intervals by SciPy and statsmodels, written to intervals_scipy.json.

Run with: python intervals_scipy.py > intervals_scipy.json
Made with Python 3.11, scipy 1.17.1 and statsmodels 0.15.0 (both BSD-3-Clause); the inputs are
written out here, so the file holds nothing but numbers computed from them.
"""

import json
import math
import sys

import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

student = []
for value, error, freedom, level in [
    (0.0312, 0.0107, 41.0, 0.95),
    (-1.5, 0.25, 1.0, 0.95),
    (0.2, 0.1, 2.5, 0.9),
    (0.0, 1.0, 7.0, 0.5),
    (3.0, 2.0, 29.3, 0.99),
    (0.01, 0.004, 1234.56, 0.95),
    (1.0, 1.0, 250000.0, 0.8),
]:
    t = stats.t.ppf((1 + level) / 2, freedom)
    student.append([value, error, freedom, level, value - t * error, value + t * error])

wilson = []
for hits, trials, level in [(53, 100, 0.95), (0, 10, 0.95), (10, 10, 0.9), (517, 1000, 0.99), (1, 3, 0.5)]:
    low, high = proportion_confint(hits, trials, alpha=1 - level, method="wilson")
    wilson.append([hits / trials, float(trials), level, float(low), float(high)])

means = []
for count, level in [(2, 0.95), (9, 0.9), (120, 0.95)]:
    values = [round(0.003 + 0.05 * math.sin(1.7 * i * i + 0.3), 6) for i in range(count)]
    low, high = DescrStatsW(values).tconfint_mean(alpha=1 - level)
    means.append([values, level, sum(values) / count, float(low), float(high)])

json.dump(
    {
        "made_with": f"scipy {scipy.__version__}, statsmodels {statsmodels.__version__}",
        "student": student,
        "wilson": wilson,
        "means": means,
    },
    sys.stdout,
)
print()
