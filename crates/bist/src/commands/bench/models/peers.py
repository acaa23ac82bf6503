"""The peers of `bist bench models`: one task on the files of a folder, several times, one thread.

usage: peers.py TASK FOLDER RUNS
Prints one line of JSON. The files are little-endian numbers; `data.rs` beside this file writes them.
"""
import gc
import importlib.metadata
import json
import logging
import os
import resource
import statistics
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

task, folder, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
SYMBOLS, WINDOWS, STEPS, FEATURES, COLUMNS, TABLES = 100, 4096, 60, 20, 40, 3
EPOCHS, LATENCIES, EXPLAINED = 3, 500, 1000


def numbers(name, kind):
    import numpy as np

    return np.fromfile(os.path.join(folder, name), kind)


def timed(work):
    """Seconds by the clock and on the processor, once to warm up and then `runs` times."""
    found = work()
    wall, cpu = [], []
    for _ in range(runs):
        gc.collect()
        began, cpu_began = time.perf_counter(), time.process_time()
        found = work()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
    return wall, cpu, found


def bars():
    import numpy as np

    table = numbers("bars.f64", "<f8").reshape(SYMBOLS, -1, 5)
    return [[np.ascontiguousarray(symbol[:, k]) for k in range(5)] for symbol in table]


def indicators():
    import numpy as np
    import talib as t

    series = bars()

    def sixteen(o, h, l, c, v):
        values = [t.RSI(c, 14), *t.MACD(c, 12, 26, 9), *(t.EMA(c, n) for n in (10, 20, 50, 200))]
        values += [*(t.SMA(c, n) for n in (10, 20, 50, 200)), *t.BBANDS(c, 20, 2, 2)]
        return values + [t.ATR(h, l, c, 14), t.ADX(h, l, c, 14), t.OBV(c, v), t.MFI(h, l, c, v, 14), *t.STOCH(h, l, c, 14, 3, 0, 3, 0)]

    def work():
        return sum(sum(column[-1] for column in sixteen(*symbol)) for symbol in series)

    wall, cpu, total = timed(work)
    return wall, cpu, f"a sum of last values of {total:.4f}", ["TA-Lib", "numpy"]


def prophet():
    import numpy as np
    import pandas as pd
    from prophet import Prophet

    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).disabled = True
    days = pd.bdate_range("2016-01-04", periods=2520)
    series = [pd.DataFrame({"ds": days, "y": symbol[3][-2520:]}) for symbol in bars()[:5]]

    def work():
        total, density = 0.0, 0.0
        for frame in series:
            model = Prophet(yearly_seasonality=True, weekly_seasonality=True, daily_seasonality=False, uncertainty_samples=0)
            model.fit(frame)
            total += model.predict(model.make_future_dataframe(30, freq="B"))["yhat"].iloc[-1]
            density += float(model.stan_fit.optimized_params_dict["lp__"])
        return total, density

    wall, cpu, (total, density) = timed(work)
    return wall, cpu, f"last forecasts of {total:.3f} together, log-posteriors of {density:.2f}", ["prophet", "cmdstanpy", "numpy"]


def network():
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.LSTM(FEATURES, 64, 2, batch_first=True)
            self.head = torch.nn.Linear(64, 1)

        def forward(self, x):
            return self.head(self.layers(x)[0][:, -1])[:, 0]

    x = torch.from_numpy(numbers("windows.f32", "<f4").reshape(WINDOWS, STEPS, FEATURES))
    y = torch.from_numpy(numbers("targets.f32", "<f4"))
    return torch, Network(), x, y


def lstm_training():
    torch, model, x, y = network()
    adam = torch.optim.Adam(model.parameters(), 1e-3)
    batches = WINDOWS // 64

    def epoch():
        for at in torch.randperm(WINDOWS).split(64):
            adam.zero_grad(set_to_none=True)
            torch.nn.functional.mse_loss(model(x[at]), y[at]).backward()
            adam.step()

    wall, cpu, _ = timed(epoch)
    with torch.inference_mode():
        error = float(((model(x) - y) ** 2).mean())
    found = f"a mean squared error of {error:.5f} after {runs + 1} epochs"
    return [s / batches for s in wall], [s / batches for s in cpu], found, ["torch", "numpy"]


def lstm_inference():
    torch, model, x, _ = network()
    model.eval()
    one = x[:1].clone()

    def latencies():
        took = []
        for _ in range(LATENCIES):
            began = time.perf_counter()
            model(one)
            took.append(time.perf_counter() - began)
        return statistics.median(took)

    with torch.inference_mode():
        medians = [latencies() for _ in range(runs + 1)][1:]
    return medians, [], f"medians of {LATENCIES} windows", ["torch", "numpy"]


def trees(table):
    import lightgbm as lgb

    x, y, test, test_y = (numbers(f"{table}_{name}.f32", "<f4") for name in ("train_x", "train_y", "test_x", "test_y"))
    x, test = x.reshape(-1, COLUMNS), test.reshape(-1, COLUMNS)
    parameters = dict(objective="binary", num_leaves=31, learning_rate=0.1, max_bin=255, num_threads=1,
                      verbose=-1, force_col_wise=True, seed=1)

    def train():
        return lgb.train(parameters, lgb.Dataset(x, y, params=parameters).construct(), 300)

    return train, test, test_y


def auc(predicted, y):
    import numpy as np

    order = np.argsort(predicted, kind="stable")
    ranks = np.empty(len(predicted))
    ranks[order] = np.arange(1, len(predicted) + 1)
    ones = y.sum(dtype=float)
    return float((ranks[y > 0].sum() - ones * (ones + 1) / 2) / (ones * (len(y) - ones)))


def trees_training():
    wall, cpu, areas = [], [], []
    for table in range(TABLES):
        train, test, y = trees(table)
        for _ in range(runs):
            began, cpu_began = time.perf_counter(), time.process_time()
            model = train()
            wall.append(time.perf_counter() - began)
            cpu.append(time.process_time() - cpu_began)
            areas.append(auc(model.predict(test, num_threads=1), y))
    return wall, cpu, f"a mean AUC of {statistics.mean(areas):.5f}", ["lightgbm", "numpy"]


def trees_prediction():
    train, test, y = trees(0)
    model = train()
    wall, cpu, predicted = timed(lambda: model.predict(test, num_threads=1))
    return wall, cpu, f"an AUC of {auc(predicted, y):.5f}", ["lightgbm", "numpy"]


def trees_explanation():
    train, test, _ = trees(0)
    model = train()
    wall, cpu, shares = timed(lambda: model.predict(test[:EXPLAINED], pred_contrib=True, num_threads=1))
    return wall, cpu, f"a base value of {shares[0, -1]:.4f}", ["lightgbm", "numpy"]


def main():
    try:
        wall, cpu, found, libraries = globals()[task.replace("-", "_")]()
    except ModuleNotFoundError as missing:
        sys.exit(f"this Python has no {missing.name}; install it, or name another with --python")
    versions = {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in libraries}}
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib, "versions": versions, "found": found}))


main()
