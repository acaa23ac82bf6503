"""Our boosted trees beside LightGBM: the same generated table and parameters, on one core, in turns.

usage: bench_trees.py EXAMPLE [ROUNDS]
EXAMPLE is the built example `boosted_trees`. Prints the medians and their ratio; a ratio below one
means that ours took less time. `make bench` builds the example and installs what this needs.
"""
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "crates/models/tests/golden"))
import lightgbm as lgb
import numpy as np
import table

ROWS, COLUMNS, TREES, LEAVES, BINS = 50_000, 40, 500, 63, 255


def ours(example, folder):
    arguments = [str(n) for n in (ROWS, COLUMNS, TREES, LEAVES, BINS)]
    out = subprocess.run([example, *arguments, folder], check=True, capture_output=True, text=True).stdout
    seconds = [float(s) for s in re.findall(r" ([0-9.]+) s", out)]
    return dict(zip(("train", "predict", "explain"), seconds)), float(re.search(r"rmse ([0-9.]+)", out)[1])


def theirs(x, y):
    train, rest = ROWS * 7 // 10, ROWS - ROWS * 7 // 10
    test = train + rest // 2
    parameters = dict(objective="regression", num_leaves=LEAVES, max_bin=BINS, learning_rate=0.1, num_threads=1, verbose=-1, seed=1)
    took, started = {}, time.perf_counter()
    data = lgb.Dataset(x[:train], y[:train], params=parameters)
    valid = data.create_valid(x[train:test], y[train:test])
    stop = lgb.early_stopping(50, verbose=False)
    model = lgb.train(parameters, data, TREES, valid_sets=[valid], callbacks=[stop])
    took["train"], started = time.perf_counter() - started, time.perf_counter()
    predicted = model.predict(x[test:], num_threads=1)
    took["predict"], started = time.perf_counter() - started, time.perf_counter()
    model.predict(x[test:test + 200], pred_contrib=True, num_threads=1)
    took["explain"] = time.perf_counter() - started
    return took, float(np.sqrt(np.mean((predicted - y[test:]) ** 2)))


def main():
    example, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    x, y = table.generate(ROWS, COLUMNS, 1)
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            runs.append((ours(example, folder), theirs(x, y)))
        text = (Path(folder) / "ours_model.txt").read_text()
        written = np.loadtxt(Path(folder) / "ours_predicted.txt")
    read = lgb.Booster(model_str=text).predict(x[-len(written):], num_threads=1)
    print(f"{ROWS} rows x {COLUMNS}, {LEAVES} leaves, {BINS} bins, one thread, {rounds} rounds, LightGBM {lgb.__version__}")
    print(f"{'':10}{'ours s':>10}{'LightGBM s':>12}{'ratio':>8}")
    for what in ("train", "predict", "explain"):
        a, b = (statistics.median(run[side][0][what] for run in runs) for side in (0, 1))
        print(f"{what:10}{a:10.3f}{b:12.3f}{a / b:8.2f}")
    print(f"test rmse {runs[-1][0][1]:.5f} and {runs[-1][1][1]:.5f}")
    print(f"our model read by LightGBM: largest difference of a prediction {np.abs(read - written).max():.1e}")


main()
