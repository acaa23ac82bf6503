"""Makes optuna_parzen.json: densities of Optuna's Parzen estimator on a mixed space.

Where values repeat, as those of stepped parameters do, the trials of one value share several
bandwidths in an order that numpy's sort leaves open; of a parameter alone, and up to 24 trials, which
weigh the same, the order does not matter.

Made with Optuna 5.0.0 and numpy 2.4.6 under Python 3.11:

    python optuna_parzen.py > optuna_parzen.json
"""

import json

import numpy as np
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

SPACES = {
    "float": {"x": FloatDistribution(-5.0, 10.0)},
    "log": {"x": FloatDistribution(1e-5, 1.0, log=True)},
    "int": {"x": IntDistribution(0, 20)},
    "int of a step": {"x": IntDistribution(1, 31, step=5)},
    "logarithmic int": {"x": IntDistribution(1, 200, log=True)},
    "category": {"x": CategoricalDistribution(["a", "b", "c"])},
    "all": {
        "a": FloatDistribution(0.0, 1.0),
        "b": IntDistribution(2, 100_000),
        "c": CategoricalDistribution(["u", "v"]),
        "d": FloatDistribution(1e-3, 1e2, log=True),
    },
}


def draw(rng, distribution, count):
    if isinstance(distribution, CategoricalDistribution):
        return rng.integers(len(distribution.choices), size=count).astype(float)
    if isinstance(distribution, IntDistribution):
        steps = (distribution.high - distribution.low) // distribution.step
        return distribution.low + distribution.step * rng.integers(steps + 1, size=count).astype(float)
    if distribution.log:
        return np.exp(rng.uniform(np.log(distribution.low), np.log(distribution.high), count))
    return rng.uniform(distribution.low, distribution.high, count)


def case(name, space, count, rng):
    observed = {name: draw(rng, distribution, count) for name, distribution in space.items()}
    asked = {name: draw(rng, distribution, 6) for name, distribution in space.items()}
    parameters = _ParzenEstimatorParameters(1.0, True, False, default_weights, True)
    estimator = _ParzenEstimator(observed, space, parameters)
    return {
        "name": f"{name}, {count} trials",
        "distributions": {name: json.loads(distribution_to_json(d)) for name, d in space.items()},
        "weights": default_weights(count).tolist(),
        "observed": {name: values.tolist() for name, values in observed.items()},
        "asked": {name: values.tolist() for name, values in asked.items()},
        "ln_densities": estimator.log_pdf(asked).tolist(),
    }


rng = np.random.default_rng(20261128)
cases = [
    case(name, space, count, rng)
    for name, space in SPACES.items()
    for count in (0, 1, 2, 7, 40 if name in ("float", "log") else 20)
]
print(json.dumps({"made_by": "optuna_parzen.py, Optuna 5.0.0", "cases": cases}))
