"""Writes hmm_hmmlearn.json: a seeded series of two regimes and what hmmlearn learns from it.

Made with hmmlearn 0.3.3 (BSD-3-Clause), scikit-learn 1.9.1, scipy 1.17.1 and numpy 2.4.6 from PyPI, Python 3.11:
    pip install hmmlearn==0.3.3 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6 && python hmm_hmmlearn.py
Its priors are switched off, so that a step is the plain one of Baum and Welch.
"""
import json
import pathlib

import numpy as np
from hmmlearn import _hmmc
from hmmlearn.hmm import GaussianHMM

rng = np.random.default_rng(20261128)
states = [0]
for _ in range(299):
    states.append(states[-1] if rng.random() < 0.96 else 1 - states[-1])
means, deviations = np.array([[0.001, -4.2], [-0.002, -3.6]]), np.array([[0.008, 0.2], [0.02, 0.3]])
observations = np.round(means[states] + deviations[states] * rng.normal(size=(300, 2)), 9)

model = GaussianHMM(2, "diag", init_params="", params="stmc", n_iter=25, tol=-np.inf, covars_prior=0.0,
                    covars_weight=1.0, means_weight=0.0, implementation="log")
model.n_features = 2
model.startprob_ = np.array([0.5, 0.5])
model.transmat_ = np.array([[0.9, 0.1], [0.1, 0.9]])
model.means_ = np.array([[0.0, -4.0], [0.0, -3.8]])
model.covars_ = np.array([[2e-4, 0.1], [2e-4, 0.1]])
parameters = lambda: {
    "start": model.startprob_.tolist(),
    "transition": model.transmat_.tolist(),
    "means": model.means_.tolist(),
    "variances": [np.diag(c).tolist() for c in model.covars_],
}
begun = parameters()
model.fit(observations)
assert model.monitor_.iter == 25
_, forward = _hmmc.forward_log(model.startprob_, model.transmat_, model._compute_log_likelihood(observations))
filtered = np.exp(forward - np.logaddexp.reduce(forward, axis=1, keepdims=True))
fixture = {"observations": observations.tolist(), "begun": begun, "iterations": 25, "learned": parameters(),
           "filtered": [[float(f"{p:.12g}") for p in row] for row in filtered]}
path = pathlib.Path(__file__).with_name("hmm_hmmlearn.json")
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(fixture["learned"])
