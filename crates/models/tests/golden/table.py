"""The table of bist_testkit::table, bit for bit."""
import numpy as np


def uniform(seed, index):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + (index.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2.0**53


def generate(rows, columns, seed):
    draws = 2 * columns + 4
    u = uniform(seed, np.arange(rows * draws)).reshape(rows, draws)
    x = 2.0 * u[:, :columns] - 1.0
    n = u[:, 2 * columns:]
    noise = ((n[:, 0] + n[:, 1]) + n[:, 2]) + n[:, 3] - 2.0
    y = 2.0 * x[:, 0] * x[:, 1] + np.abs(x[:, 2]) + (x[:, 3] > 0.3) + x[:, 4] * x[:, 4] + 0.5 * noise
    return np.where(u[:, columns:2 * columns] < 0.05, np.nan, x), y
