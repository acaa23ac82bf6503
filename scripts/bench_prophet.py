"""Our Prophet beside Python's: the same generated closes and settings, on one core, in turns.

usage: bench_prophet.py EXAMPLE [ROUNDS]
EXAMPLE is the built example `prophet`. Fits 2520 closes of five symbols, and forecasts history and
30 weekdays more. Prints the medians and their ratio; a ratio above one means that ours took less
time. `make bench` builds the example and installs what this needs.
"""
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import prophet

logging.getLogger("cmdstanpy").disabled = True
logging.getLogger("prophet").disabled = True
SYMBOLS, ROWS, AHEAD = 5, 2520, 30


def closes():
    rng = np.random.default_rng(20261128)
    days = pd.bdate_range("2016-01-04", periods=ROWS)
    walks = np.cumsum(rng.normal(0.0006, 0.02, (SYMBOLS, ROWS)), axis=1)
    return [pd.DataFrame({"ds": days, "y": np.round(20 * np.exp(walk), 2)}) for walk in walks]


def ours(example, path):
    forecasts = path.with_name("forecasts.csv")
    out = subprocess.run([example, path, forecasts], check=True, capture_output=True, text=True).stdout
    runs = [json.loads(line) for line in out.splitlines()]
    took = {name: statistics.median(run["seconds"] for run in runs if run["name"] == name) for name in {run["name"] for run in runs}}
    yhat = pd.read_csv(forecasts)["yhat"].to_numpy().reshape(SYMBOLS, ROWS + AHEAD)
    return took, runs[0]["log_posteriors"], yhat


def theirs(series):
    took, densities, yhat = {}, [], []
    for samples in (0, 1000):
        started = time.perf_counter()
        for frame in series:
            model = prophet.Prophet(yearly_seasonality=True, weekly_seasonality=True, daily_seasonality=False, uncertainty_samples=samples)
            model.fit(frame)
            yhat.append(model.predict(model.make_future_dataframe(AHEAD, freq="B"))["yhat"].to_numpy())
            densities.append(float(model.stan_fit.optimized_params_dict["lp__"]))
        took[f"fit_forecast30_samples{samples}"] = time.perf_counter() - started
    return took, densities[:SYMBOLS], np.array(yhat[:SYMBOLS])


def main():
    example, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    series = closes()
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "closes.csv"
        frames = [frame.assign(symbol=f"S{i}") for i, frame in enumerate(series)]
        pd.concat(frames)[["symbol", "ds", "y"]].to_csv(path, index=False, date_format="%Y-%m-%d")
        theirs(series[:1])  # the first call loads the model
        for _ in range(rounds):
            runs.append((ours(example, path), theirs(series)))
    print(f"{SYMBOLS} symbols x {ROWS} rows, one thread, {rounds} rounds, prophet {prophet.__version__}")
    print(f"{'':26}{'ours s':>10}{'Python s':>10}{'ratio':>8}")
    for what in sorted(runs[0][0][0]):
        a, b = (statistics.median(run[side][0][what] for run in runs) for side in (0, 1))
        print(f"{what:26}{a:10.4f}{b:10.3f}{b / a:8.1f}")
    differences = np.abs(runs[0][0][2] / runs[0][1][2] - 1)
    print(f"our forecasts less Python's: at most {differences.max():.2%}, {np.median(differences):.2%} in the middle")
    gains = [a - b for a, b in zip(runs[0][0][1], runs[0][1][1])]
    print(f"our log-posterior less Stan's: {', '.join(f'{gain:+.3f}' for gain in gains)}")


main()
