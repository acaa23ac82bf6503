"""Writes indicators_talib.json and candles_talib.json: seeded bars and what TA-Lib computes from them.

Made with TA-Lib 0.8.2 (BSD-2-Clause, https://ta-lib.org) and numpy 2.4.6 from PyPI, Python 3.11:
    pip install TA-Lib==0.8.2 numpy==2.4.6 && python indicators_talib.py
The bars are invented by the seeds below; the files hold numbers only, none of TA-Lib's code. What
TA-Lib has not is written out from its definition, over TA-Lib's averages and extremes.
"""
import json
import pathlib

import numpy as np
import talib

here = pathlib.Path(__file__)
rng = np.random.default_rng(20261124)
n = 230
close = np.round(40 * np.exp(np.cumsum(rng.normal(0.0005, 0.02, n))), 2)
close[70:76] = close[70]  # a share that stands still for six sessions
open_ = np.round(np.concatenate([[40.0], close[:-1]]) * np.exp(rng.normal(0, 0.004, n)), 2)
high = np.round(np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.008, n))), 2)
low = np.round(np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.008, n))), 2)
volume = np.floor(np.exp(rng.normal(12, 0.5, n)))
volume[100] = 0.0

typical = (high + low + close) / 3
middle_of = lambda period: (talib.MAX(high, period) + talib.MIN(low, period)) / 2
later = lambda values, bars: np.concatenate([np.full(bars, np.nan), values[:-bars]])
windows = lambda values, period: np.lib.stride_tricks.sliding_window_view(values, period)


def rolling(f, period, *columns):
    """f of the last `period` values of the columns; NaN before, and where a value is NaN."""
    values = f(*(windows(column, period) for column in columns))
    return np.concatenate([np.full(period - 1, np.nan), values])


def supertrend(period, ranges):
    atr = talib.ATR(high, low, close, period)
    stop, direction = np.full(n, np.nan), np.full(n, np.nan)
    lower = upper = np.nan
    trend = 1.0
    for t in range(n):
        if np.isnan(atr[t]):
            continue
        new_lower, new_upper = ((high[t] + low[t]) / 2 + sign * ranges * atr[t] for sign in (-1, 1))
        if close[t] > upper:
            trend = 1.0
        elif close[t] < lower:
            trend = -1.0
        elif trend > 0:
            new_lower = max(new_lower, lower) if lower == lower else new_lower
        else:
            new_upper = min(new_upper, upper)
        lower, upper = new_lower, new_upper
        stop[t], direction[t] = (lower if trend > 0 else upper), trend
    return stop, direction


def yang_zhang(period):
    gap = np.log(open_ / np.concatenate([[np.nan], close[:-1]]))
    body, up, down = np.log(close / open_), np.log(high / open_), np.log(low / open_)
    k = 0.34 / (1.34 + (period + 1) / (period - 1))
    inside = up * (up - body) + down * (down - body) + 0 * gap
    variance = lambda x: x.var(axis=1, ddof=1)
    return rolling(lambda g, b, i: np.sqrt(variance(g) + k * variance(b) + (1 - k) * i.mean(axis=1)), period, gap, body, inside)


returns = np.concatenate([[np.nan], np.diff(np.log(close))])
lira = close * volume
traded = lira > 0
per_million = np.where(traded, np.abs(returns) / np.where(traded, lira, 1.0) * 1e6, 0.0)
ln_range, ln_body = np.log(high / low), np.log(close / open_)
squares = 0.5 * ln_range**2 - (2 * np.log(2) - 1) * ln_body**2

bands = talib.BBANDS(close, 20, 2, 2)
macd = talib.MACD(close, 12, 26, 9)
slow_k, slow_d = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
aroon_down, aroon_up = talib.AROON(high, low, 14)
obv = talib.OBV(close, volume)
stop, direction = supertrend(10, 3.0)
reach = 2 * talib.ATR(high, low, close, 10)
indicators = {
    **{f"SMA_{period}": talib.SMA(close, period) for period in (10, 20, 50, 200)},
    **{f"EMA_{period}": talib.EMA(close, period) for period in (10, 20, 50, 200)},
    "RSI": talib.RSI(close, 14),
    "MACD": macd[0],
    "MACD_SIGNAL": macd[1],
    "MACD_HISTOGRAM": macd[2],
    "ATR": talib.ATR(high, low, close, 14),
    "ADX": talib.ADX(high, low, close, 14),
    "PLUS_DI": talib.PLUS_DI(high, low, close, 14),
    "MINUS_DI": talib.MINUS_DI(high, low, close, 14),
    "BBANDS_UPPER": bands[0],
    "BBANDS_MIDDLE": bands[1],
    "BBANDS_LOWER": bands[2],
    "STOCHF_K": talib.STOCHF(high, low, close, 14, 1, 0)[0],
    "STOCH_K": slow_k,
    "STOCH_D": slow_d,
    "WILLR": talib.WILLR(high, low, close, 14),
    "CCI": talib.CCI(high, low, close, 20),
    "MFI": talib.MFI(high, low, close, volume, 14),
    "OBV": obv,
    "OBV_SLOPE": talib.LINEARREG_SLOPE(obv, 20),
    "ROC": talib.ROC(close, 10),
    "AROON_DOWN": aroon_down,
    "AROON_UP": aroon_up,
    "AROONOSC": talib.AROONOSC(high, low, 14),
    "MAX_HIGH_55": talib.MAX(high, 55),
    "MIN_LOW_55": talib.MIN(low, 55),
    "KELTNER_LOWER": talib.EMA(close, 20) - reach,
    "KELTNER_UPPER": talib.EMA(close, 20) + reach,
    "SUPERTREND": stop,
    "SUPERTREND_DIRECTION": direction,
    "ICHIMOKU_CONVERSION": middle_of(9),
    "ICHIMOKU_BASE": middle_of(26),
    "ICHIMOKU_SPAN_A": later((middle_of(9) + middle_of(26)) / 2, 26),
    "ICHIMOKU_SPAN_B": later(middle_of(52), 26),
    "VWAP": talib.SUM(typical * volume, 20) / talib.SUM(volume, 20),
    "CLOSE_TO_CLOSE": rolling(lambda r: r.std(axis=1, ddof=1), 20, returns),
    "PARKINSON": rolling(lambda r: np.sqrt((r**2).mean(axis=1) / (4 * np.log(2))), 20, ln_range),
    "GARMAN_KLASS": rolling(lambda s: np.sqrt(s.mean(axis=1)), 20, squares),
    "YANG_ZHANG": yang_zhang(20),
    "AMIHUD": rolling(lambda s, t: s.sum(axis=1) / t.sum(axis=1), 20, np.where(np.isnan(returns), np.nan, per_million), traded.astype(float)),
    "TURNOVER": rolling(lambda s: s[:, -5:].mean(axis=1) / s.mean(axis=1), 60, lira),
}
numbers = lambda a: [None if np.isnan(v) else float(f"{v:.13g}") for v in a]
fixture = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}
fixture = {name: numbers(values) for name, values in fixture.items()}
fixture["indicators"] = {name: numbers(values) for name, values in indicators.items()}
here.with_name("indicators_talib.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")

# Whole numbers, so that sums of them are exact and equality means the same to everyone.
rng = np.random.default_rng(20261127)
n, last, bars = 2000, 1000, []
for _ in range(n):
    first = last + int(np.round(rng.normal(0, 16)))
    last_, first = first + int(np.round(rng.standard_t(3) * 12)), first
    shadows = np.round(np.abs(rng.normal(0, 10, 2)) * (rng.random(2) < 0.6)).astype(int)
    bars.append([first, max(first, last_) + int(shadows[0]), min(first, last_) - int(shadows[1]), last_])
    last = last_ if 200 < last_ < 5000 else 1000
columns = np.array(bars, dtype=float).T.copy()
names = "DOJI HAMMER HANGINGMAN INVERTEDHAMMER SHOOTINGSTAR ENGULFING HARAMI PIERCING DARKCLOUDCOVER MORNINGSTAR EVENINGSTAR"
found = {name: getattr(talib, "CDL" + name)(*columns) for name in names.split()}
patterns = {name: [[int(t), int(s[t])] for t in np.flatnonzero(s)] for name, s in found.items()}
fixture = {"bars": bars, "patterns": patterns}
here.with_name("candles_talib.json").write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print({name: len(where) for name, where in patterns.items()})
