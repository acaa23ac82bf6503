"""Our boosted trees for log loss beside LightGBM: the same table and parameters, on one core, in turns.

usage: bench_binary_trees.py EXAMPLE DATA [ROUNDS]
EXAMPLE is the built example `binary_trees`; DATA holds train_X.npy, train_y.npy, test_X.npy and
test_y.npy of 32-bit floats. Prints the medians and their ratio; a ratio below one means that ours
took less time. Training includes the binning on both sides. Needs lightgbm==4.7.0 numpy==2.4.6:
    RAYON_NUM_THREADS=1 OMP_NUM_THREADS=1 taskset -c 1 python scripts/bench_binary_trees.py EXAMPLE DATA
"""
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np

TREES, LEAVES = 300, 31


def auc(predicted, y):
    order = np.argsort(predicted, kind="stable")
    ranks = np.empty(len(predicted))
    ranks[order] = np.arange(1, len(predicted) + 1)
    ones = y.sum()
    return float((ranks[y > 0].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones)))


def ours(example, data, folder):
    arguments = [example, data, str(TREES), str(LEAVES), folder]
    out = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
    seconds = [float(s) for s in re.findall(r" ([0-9.]+) s", out)]
    return dict(zip(("train", "predict"), seconds)), np.loadtxt(Path(folder) / "ours_predicted.txt")


def theirs(x, y, test_x):
    parameters = dict(objective="binary", num_leaves=LEAVES, learning_rate=0.1, max_bin=255,
                      num_threads=1, verbose=-1, force_col_wise=True, seed=1)
    took, started = {}, time.perf_counter()
    model = lgb.train(parameters, lgb.Dataset(x, y, params=parameters).construct(), TREES)
    took["train"], started = time.perf_counter() - started, time.perf_counter()
    predicted = model.predict(test_x, num_threads=1)
    took["predict"] = time.perf_counter() - started
    return took, predicted


def main():
    example, data = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    x, y, test_x, test_y = (np.load(Path(data) / f"{name}.npy") for name in ("train_X", "train_y", "test_X", "test_y"))
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            runs.append((ours(example, data, folder), theirs(x, y, test_x)))
        text = (Path(folder) / "ours_model.txt").read_text()
    (_, our_forecasts), (_, their_forecasts) = runs[-1]
    read = lgb.Booster(model_str=text).predict(test_x, num_threads=1)
    print(f"{len(x)} rows x {x.shape[1]}, {TREES} trees of {LEAVES} leaves, one thread, {rounds} rounds, LightGBM {lgb.__version__}")
    print(f"{'':10}{'ours s':>10}{'LightGBM s':>12}{'ratio':>8}")
    for what in ("train", "predict"):
        a, b = (statistics.median(run[side][0][what] for run in runs) for side in (0, 1))
        print(f"{what:10}{a:10.3f}{b:12.3f}{a / b:8.2f}")
    print(f"test AUC {auc(our_forecasts, test_y):.5f} and {auc(their_forecasts, test_y):.5f}")
    print(f"our model read by LightGBM: largest difference of a forecast {np.abs(read - our_forecasts).max():.1e}")


main()
