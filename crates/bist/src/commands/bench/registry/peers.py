"""The peer of `bist bench registry`: MLflow logs, registers and loads a model, several times.

usage: peers.py FOLDER RUNS
Prints one line of JSON. A run logs ten parameters and ten metrics, logs boosted trees of LightGBM as a
model, registers it as a version, and loads that back; runs and versions are kept in SQLite.
"""
import gc
import importlib.metadata
import json
import logging
import os
import resource
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
warnings.filterwarnings("ignore")

folder, runs = os.path.join(sys.argv[1], "mlflow"), int(sys.argv[2])

try:
    import lightgbm
    import mlflow
    import numpy as np
except ModuleNotFoundError as missing:
    sys.exit(f"this Python has no {missing.name}; install it, or name another with --python")

logging.disable(logging.CRITICAL)
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
mlflow.set_tracking_uri("sqlite:///registry.db")
mlflow.set_registry_uri("sqlite:///registry.db")
mlflow.set_experiment("bench")

random = np.random.default_rng(0)
rows = random.standard_normal((2000, 40))
params = {"objective": "binary", "num_leaves": 31, "num_threads": 1, "verbose": -1}
model = lightgbm.train(params, lightgbm.Dataset(rows, (rows[:, 0] > 0) * 1.0), 300)
expected = model.predict(rows[:1])[0]


def register_and_load():
    with mlflow.start_run():
        mlflow.log_params({f"p{i}": i for i in range(10)})
        mlflow.log_metrics({f"m{i}": float(i) for i in range(10)})
        logged = mlflow.lightgbm.log_model(model, name="model", registered_model_name="bench", pip_requirements=["lightgbm"])
    loaded = mlflow.lightgbm.load_model(logged.model_uri)
    assert abs(loaded.predict(rows[:1])[0] - expected) < 1e-12
    return f"a model of {len(model.model_to_string())} bytes"


# What MLflow prints is not the measurement.
stdout, sys.stdout = sys.stdout, sys.stderr
found = register_and_load()
wall, cpu = [], []
for _ in range(runs):
    gc.collect()
    began, cpu_began = time.perf_counter(), time.process_time()
    found = register_and_load()
    wall.append(time.perf_counter() - began)
    cpu.append(time.process_time() - cpu_began)
sys.stdout = stdout
versions = {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in ("mlflow", "lightgbm", "numpy")}}
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib, "versions": versions, "found": found}))
