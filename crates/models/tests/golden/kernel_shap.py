"""Writes kernel_shap.json: values of a function by shap's KernelExplainer, all coalitions.

Made with shap 0.51.0 (MIT, https://github.com/shap/shap) and numpy 2.4.6 from PyPI, Python 3.11:
    pip install shap==0.51.0 numpy==2.4.6
    python kernel_shap.py
"""
import json
import pathlib

import numpy as np
import shap


def answer(x):
    return x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + 0.5 * np.abs(x[:, 3])


background = np.random.default_rng(0).normal(size=(50, 4))
row = np.array([1.0, 2.0, 0.5, -1.0])
explainer = shap.KernelExplainer(answer, background)
values = explainer.shap_values(row, nsamples=1000, l1_reg=0, silent=True)
fixture = {"background": background.tolist(), "row": row.tolist(),
           "base": float(explainer.expected_value), "values": values.tolist()}
path = pathlib.Path(__file__).parent / "kernel_shap.json"
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
