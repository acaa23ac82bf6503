"""Writes indicators_talib.json: a seeded series of bars and the indicators that TA-Lib computes from it.

Made with TA-Lib 0.8.2 (BSD-2-Clause, https://ta-lib.org) and numpy 2.4.6 from PyPI, Python 3.11:
    pip install TA-Lib==0.8.2 numpy==2.4.6 && python indicators_talib.py
The bars are invented by the seed below; the file holds numbers only, none of TA-Lib's code.
"""
import json
import pathlib

import numpy as np
import talib

rng = np.random.default_rng(20261124)
n = 160
close = np.round(40 * np.exp(np.cumsum(rng.normal(0.0005, 0.02, n))), 2)
close[70:76] = close[70]  # a share that stands still for six sessions
open_ = np.round(np.concatenate([[40.0], close[:-1]]) * np.exp(rng.normal(0, 0.004, n)), 2)
high = np.round(np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.008, n))), 2)
low = np.round(np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.008, n))), 2)
volume = np.floor(np.exp(rng.normal(12, 0.5, n)))
volume[100] = 0.0

upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
k, _ = talib.STOCHF(high, low, close, 14, 1, 0)
obv = talib.OBV(close, volume)
indicators = {
    "RSI": talib.RSI(close, 14),
    "MACD_HISTOGRAM": talib.MACD(close, 12, 26, 9)[2],
    "ATR": talib.ATR(high, low, close, 14),
    "ADX": talib.ADX(high, low, close, 14),
    "BBANDS_LOWER": lower,
    "BBANDS_MIDDLE": middle,
    "BBANDS_UPPER": upper,
    "STOCHF_K": k,
    "CCI": talib.CCI(high, low, close, 20),
    "MFI": talib.MFI(high, low, close, volume, 14),
    "OBV": obv,
    "OBV_SLOPE": talib.LINEARREG_SLOPE(obv, 20),
}
numbers = lambda a: [None if np.isnan(v) else float(v) for v in a]
fixture = {"high": high, "low": low, "close": close, "volume": volume}
fixture = {name: numbers(values) for name, values in fixture.items()}
fixture["indicators"] = {name: numbers(values) for name, values in indicators.items()}
path = pathlib.Path(__file__).with_name("indicators_talib.json")
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
