"""Optuna's side of `bist bench tune`; the functions are those of `problems.rs` beside this file.

usage: peers.py quality SEEDS | peers.py speed TRIALS
Prints one line of JSON.
"""
import importlib.metadata
import json
import math
import os
import resource
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")

import optuna  # noqa: E402

optuna.logging.set_verbosity(optuna.logging.ERROR)

ALPHA = [1.0, 1.2, 3.0, 3.2]
A = [
    [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
    [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
    [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
    [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
]
P = [
    [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
    [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
    [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
    [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
]
SHIFT = [1.3, -2.1, 0.7, 3.3, -0.4]


def numbers(trial, count, low, high):
    return [trial.suggest_float(f"x{at}", low, high) for at in range(count)]


def hartmann(trial):
    x = numbers(trial, 6, 0.0, 1.0)
    inner = [sum(a * (x - p) ** 2 for x, a, p in zip(x, A[row], P[row])) for row in range(4)]
    return -sum(alpha * math.exp(-value) for alpha, value in zip(ALPHA, inner))


def branin(trial):
    x = trial.suggest_float("x0", -5.0, 10.0)
    y = trial.suggest_float("x1", 0.0, 15.0)
    valley = y - 5.1 / (4 * math.pi**2) * x * x + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


def rastrigin(trial):
    z = [x - shift for x, shift in zip(numbers(trial, 5, -5.12, 5.12), SHIFT)]
    return sum(z * z - 10 * math.cos(2 * math.pi * z) + 10 for z in z)


def rosenbrock(trial):
    z = numbers(trial, 5, -3.0, 3.0)
    sin, cos = math.sin(0.7), math.cos(0.7)
    for _ in range(2):
        for at in range(4):
            a, b = z[at], z[at + 1]
            z[at], z[at + 1] = cos * a - sin * b, sin * a + cos * b
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(z, z[1:]))


def mixed(trial):
    depth = trial.suggest_int("depth", 2, 12)
    rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
    shared = 0.02 * (depth - 6) ** 2 + 0.15 * math.log10(rate / 0.01) ** 2
    kind = trial.suggest_categorical("kind", ["tree", "linear", "net"])
    if kind == "tree":
        leaves = trial.suggest_int("leaves", 2, 256, log=True)
        share = trial.suggest_float("share", 0.1, 1.0, step=0.1)
        return shared + 0.2 + 0.1 * math.log2(leaves / 32) ** 2 + 2 * (share - 0.7) ** 2
    if kind == "linear":
        l2 = trial.suggest_float("l2", 1e-6, 10.0, log=True)
        return shared + 0.5 + 0.05 * math.log10(l2 / 0.001) ** 2
    units = trial.suggest_int("units", 8, 512, log=True)
    dropout = trial.suggest_float("dropout", 0.0, 0.5)
    return shared + 0.075 * math.log2(units / 96) ** 2 + 8 * (dropout - 0.2) ** 2


PROBLEMS = {
    "hartmann6": (hartmann, -3.322368011415515),
    "branin": (branin, 0.397887357729738),
    "shifted-rastrigin5": (rastrigin, 0.0),
    "rotated-rosenbrock5": (rosenbrock, 0.0),
    "mixed": (mixed, 0.0),
}
SAMPLERS = {
    "tpe": lambda seed: optuna.samplers.TPESampler(multivariate=True, seed=seed),
    "tpe-univariate": lambda seed: optuna.samplers.TPESampler(multivariate=False, seed=seed),
    "cma-es": lambda seed: optuna.samplers.CmaEsSampler(seed=seed),
}


def best_values(sampler, trials, objective):
    study = optuna.create_study(sampler=sampler)
    study.optimize(objective, n_trials=trials)
    best = []
    for trial in study.trials:
        best.append(min(trial.value, best[-1]) if best else trial.value)
    return best


task, count = sys.argv[1], int(sys.argv[2])
if task == "quality":
    found = []
    for problem, (objective, least) in PROBLEMS.items():
        for name, sampler in SAMPLERS.items():
            best = [best_values(sampler(seed), 200, objective) for seed in range(count)]
            found.append(
                {
                    "problem": problem,
                    "sampler": name,
                    "regrets_at_100": [values[99] - least for values in best],
                    "regrets_at_200": [values[199] - least for values in best],
                }
            )
    print(json.dumps(found))
else:
    began, cpu_began = time.perf_counter(), time.process_time()
    best = best_values(SAMPLERS["tpe"](1), count, rastrigin)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    versions = {name: importlib.metadata.version(name) for name in ("optuna", "numpy")}
    versions["python"] = sys.version.split()[0]
    print(
        json.dumps(
            {
                "wall_s": [wall],
                "cpu_s": [cpu],
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "versions": versions,
                "found": f"{best[-1]:.4f}",
            }
        )
    )
