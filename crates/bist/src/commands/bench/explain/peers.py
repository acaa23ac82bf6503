"""The peers of `bist bench explain`: one task on the files of a folder, several times, one thread.

usage: peers.py TASK FOLDER RUNS PEER
Prints one line of JSON. `model.txt` is the explained model, in LightGBM's format.
"""
import gc
import importlib.metadata
import json
import os
import resource
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")

task, folder, runs, peer = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
COLUMNS, EXPLAINED, AGAINST, SAMPLES, SETS = 40, 1000, 100, 5000, 2048


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


def sizes(values):
    import numpy as np

    values = np.atleast_2d(np.asarray(values, dtype=float))
    return f"sizes of {np.abs(values).sum(1).mean():.4f} together"


def load():
    import lightgbm as lgb
    import numpy as np

    model = lgb.Booster(model_file=os.path.join(folder, "model.txt"), params={"num_threads": 1})
    model.params["objective"] = "binary"
    x = np.fromfile(os.path.join(folder, "0_test_x.f32"), "<f4").reshape(-1, COLUMNS).astype(float)
    return model, x, lambda rows: model.predict(rows, num_threads=1)


def tree_shap(count=EXPLAINED):
    model, x, _ = load()
    x = x[:count]
    if peer == "LightGBM":
        wall, cpu, found = timed(lambda: model.predict(x, pred_contrib=True, num_threads=1))
        return wall, cpu, sizes(found[:, :-1]), ["lightgbm", "numpy"]
    import shap

    # For a model of LightGBM shap has LightGBM compute these values.
    explainer = shap.TreeExplainer(model)
    wall, cpu, found = timed(lambda: explainer.shap_values(x))
    return wall, cpu, sizes(found), ["shap", "lightgbm", "numpy"]


def tree_shap_row():
    return tree_shap(1)


def interventional():
    import shap

    model, x, _ = load()
    explainer = shap.TreeExplainer(model, x[1000:1000 + AGAINST], feature_perturbation="interventional")
    wall, cpu, found = timed(lambda: explainer.shap_values(x[:100]))
    return wall, cpu, sizes(found), ["shap", "lightgbm", "numpy"]


def lime(discretised):
    from lime.lime_tabular import LimeTabularExplainer

    _, x, predict = load()
    explainer = LimeTabularExplainer(x[:20000], mode="regression", discretize_continuous=discretised, random_state=0)
    wall, cpu, found = timed(lambda: explainer.explain_instance(x[0], predict, num_features=10, num_samples=SAMPLES))
    return wall, cpu, sizes([weight for _, weight in found.local_exp[1]]), ["lime", "lightgbm", "numpy", "scikit-learn"]


def lime_quartiles():
    return lime(True)


def lime_normal():
    return lime(False)


def lime_floor():
    _, x, predict = load()
    x = x[:SAMPLES].copy()
    wall, cpu, found = timed(lambda: predict(x))
    return wall, cpu, f"a mean of {found.mean():.5f}", ["lightgbm", "numpy"]


def kernel_shap():
    import shap

    _, x, predict = load()
    explainer = shap.KernelExplainer(predict, x[1000:1000 + AGAINST])
    wall, cpu, found = timed(lambda: explainer.shap_values(x[0], nsamples=SETS, l1_reg=0, silent=True))
    return wall, cpu, sizes(found), ["shap", "lightgbm", "numpy"]


def kernel_floor():
    import numpy as np

    _, x, predict = load()
    x = np.tile(x[:40960], (5, 1))
    wall, cpu, found = timed(lambda: predict(x))
    return wall, cpu, f"a mean of {found.mean():.5f}", ["lightgbm", "numpy"]


def main():
    try:
        wall, cpu, found, libraries = globals()[task.replace("-", "_")]()
    except ModuleNotFoundError as missing:
        sys.exit(f"this Python has no {missing.name}; install it, or name another with --python")
    versions = {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in libraries}}
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib, "versions": versions, "found": found}))


main()
