"""The peers of `bist bench plots`: one plot of the numbers of a folder, several times, one thread.

usage: peers.py PLOT FOLDER RUNS
Prints one line of JSON. The files are little-endian numbers; `plots.rs` beside this folder writes them.
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

plot, folder, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
FEATURES = 40

try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    import shap
except ModuleNotFoundError as missing:
    sys.exit(f"this Python has no {missing.name}; install it, or name another with --python")

values, effects = (np.fromfile(os.path.join(folder, f"{name}.f64"), "<f8").reshape(-1, FEATURES) for name in ("values", "effects"))
explanation = shap.Explanation(effects, base_values=np.zeros(len(effects)), data=values,
                               feature_names=[f"f{k}" for k in range(FEATURES)])
path = os.path.join(folder, "peer.png")


def draw():
    plt.figure()
    if plot == "beeswarm":
        shap.plots.beeswarm(explanation, max_display=20, show=False)
    else:
        shap.plots.waterfall(explanation[0], max_display=15, show=False)
    plt.savefig(path, dpi=100)
    size = plt.gcf().get_size_inches() * 100
    plt.close("all")
    return f"{size[0]:.0f} x {size[1]:.0f} px in {os.path.getsize(path)} bytes"


found = draw()
wall, cpu = [], []
for _ in range(runs):
    gc.collect()
    began, cpu_began = time.perf_counter(), time.process_time()
    found = draw()
    wall.append(time.perf_counter() - began)
    cpu.append(time.process_time() - cpu_began)
versions = {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in ("shap", "matplotlib", "numpy")}}
peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib, "versions": versions, "found": found}))
