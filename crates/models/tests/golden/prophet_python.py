"""Writes prophet_python.json: seeded series, and what Python prophet makes of them.

Made with prophet 1.5.0 (MIT, https://facebook.github.io/prophet), cmdstan 2.37.0 inside it, numpy
2.4.6 and pandas 3.1.1 from PyPI, Python 3.11:
    pip install prophet==1.5.0 numpy==2.4.6 pandas==3.1.1 && python prophet_python.py
The series are invented by the seeds below. `log_posterior` is Stan's density without constants,
computed here from the parameters that Stan gave; it is compared with Stan's own `lp__`.
"""
import json
import logging
import pathlib

import numpy as np
import pandas as pd
from prophet import Prophet

logging.getLogger("cmdstanpy").disabled = True
logging.getLogger("prophet").disabled = True
AHEAD = 30

# Weekdays of 2021 to 2025 on which Borsa Istanbul did not trade, and its half days.
CLOSED = """2021-01-01 2021-04-23 2021-05-13 2021-05-14 2021-05-19 2021-07-15 2021-07-20 2021-07-21
2021-07-22 2021-07-23 2021-08-30 2021-10-29 2022-05-02 2022-05-03 2022-05-04 2022-05-19 2022-07-11
2022-07-12 2022-07-15 2022-08-30 2023-02-08 2023-02-09 2023-02-10 2023-02-13 2023-02-14 2023-04-21
2023-05-01 2023-05-19 2023-06-28 2023-06-29 2023-06-30 2023-08-30 2024-01-01 2024-04-10 2024-04-11
2024-04-12 2024-04-23 2024-05-01 2024-06-17 2024-06-18 2024-06-19 2024-07-15 2024-08-30 2024-10-29
2025-01-01 2025-03-31 2025-04-01 2025-04-23 2025-05-01 2025-05-19 2025-06-06 2025-06-09 2025-07-15
2025-10-29""".split()
HALF = """2021-05-12 2021-07-19 2021-10-28 2022-07-08 2022-10-28 2023-04-20 2023-06-27 2024-04-09
2024-10-28 2025-06-05 2025-10-28""".split()


def weekdays(start, count):
    return pd.bdate_range(start, periods=count)


def sessions(start, count):
    days = pd.bdate_range(start, periods=count + 80)
    return days[~days.isin(pd.to_datetime(CLOSED))][:count]


def bist_days(days):
    """Eves of a closure, half days and days after a closure: a weekday without trade lies next."""
    closed = set(pd.to_datetime(CLOSED))
    bday = pd.offsets.BDay()
    return {
        "eve": [float(d + bday in closed) for d in days],
        "half": [float(d in set(pd.to_datetime(HALF))) for d in days],
        "after": [float(d - bday in closed) for d in days],
    }


def yearly(days, phase=0.0):
    return np.sin(2 * np.pi * (days.day_of_year.to_numpy() / 365.25 + phase))


def series():
    """Name, days (history and AHEAD more), values of the history, settings."""
    def rng(seed):
        return np.random.default_rng(seed)

    d = weekdays("2016-01-04", 2520 + AHEAD)
    x = np.linspace(0, 1, 2520)
    y = 20 + 10 * x + 45 * np.clip(x - 0.35, 0, None) - 80 * np.clip(x - 0.6, 0, None)
    y = y + 1.5 * yearly(d)[:2520] + 0.4 * (d.day_of_week[:2520] == 0) + rng(1).normal(0, 0.8, 2520)
    yield "trend_breaks", d, y, dict(yearly=10, weekly=3)

    d = weekdays("2015-03-02", 2520 + AHEAD)
    y = 3 + np.cumsum(rng(2).normal(0.0008, 0.022, 2520))
    yield "random_walk", d, y, dict(yearly=10, weekly=3)

    d = weekdays("2018-01-01", 1500 + AHEAD)
    x = np.linspace(0, 1, 1500)
    y = (30 + 40 * x - 60 * np.clip(x - 0.5, 0, None)) * (1 + 0.12 * yearly(d, 0.2)[:1500])
    y = y + 0.8 * np.cos(2 * np.pi * (d.day_of_year[:1500] % 30.5) / 30.5) + rng(3).normal(0, 1.0, 1500)
    yield "multiplicative", d, y, dict(yearly=8, yearly_mode="multiplicative", monthly=4)

    d = weekdays("2019-06-03", 800 + AHEAD)
    x = np.linspace(0, 1, 800)
    y = 10 + 80 / (1 + np.exp(-9 * (x - 0.45))) + 1.0 * (d.day_of_week[:800] == 4) + rng(4).normal(0, 1.5, 800)
    yield "logistic", d, y, dict(weekly=3, headroom=0.25)

    d = sessions("2021-01-04", 1000 + AHEAD)
    h = bist_days(d)
    x = np.linspace(0, 1, 1000)
    y = 50 + 15 * x - 40 * np.clip(x - 0.7, 0, None) + rng(5).normal(0, 0.7, 1000)
    y = y + 2.0 * np.array(h["eve"])[:1000] - 1.0 * np.array(h["half"])[:1000] - 1.5 * np.array(h["after"])[:1000]
    yield "holidays", d, y, dict(yearly=5, weekly=3, holidays=True)

    r = rng(6)
    d = pd.date_range("2022-01-03", periods=700 + AHEAD)
    keep = r.random(700) < 0.65
    keep[200:290] = False
    keep[[0, 699]] = True
    d = d[np.concatenate([keep, np.ones(AHEAD, bool)])]
    n = len(d) - AHEAD
    level, binary = np.round(r.normal(100, 15, len(d)), 3), (r.random(len(d)) < 0.2).astype(float)
    x = np.linspace(0, 1, n)
    y = 15 - 4 * x + 0.05 * (level[:n] - 100) + 0.8 * binary[:n] + 0.5 * (d.day_of_week[:n] >= 5) + r.normal(0, 0.5, n)
    yield "gaps", d, y, dict(weekly=3, regressors={"level": level, "binary": binary})

    d = weekdays("2024-02-05", 200 + AHEAD)
    y = 100 + np.cumsum(rng(7).normal(0.05, 1.2, 200))
    yield "short", d, y, dict(weekly=3)

    d = weekdays("2017-01-02", 1200 + AHEAD)
    x = np.linspace(0, 1, 1200)
    h = -2 + 8 * x - 12 * np.clip(x - 0.6, 0, None)
    y = (60 / (1 + np.exp(-h)) + 5) * (1 + 0.08 * yearly(d)[:1200]) + rng(8).normal(0, 0.9, 1200)
    yield "logistic_multiplicative", d, y, dict(yearly=6, yearly_mode="multiplicative", weekly=2, headroom=0.2)


def fit(days, y, s):
    n = len(y)
    m = Prophet(growth="logistic" if "headroom" in s else "linear", yearly_seasonality=False,
                weekly_seasonality=False, daily_seasonality=False)
    if "yearly" in s:
        m.add_seasonality("yearly", 365.25, s["yearly"], mode=s.get("yearly_mode", "additive"))
    if "weekly" in s:
        m.add_seasonality("weekly", 7, s["weekly"])
    if "monthly" in s:
        m.add_seasonality("monthly", 30.5, s["monthly"])
    frame = pd.DataFrame({"ds": days})
    regressors = dict(s.get("regressors", {}))
    if s.get("holidays"):
        regressors = bist_days(days)
    for name, values in regressors.items():
        frame[name] = values
        m.add_regressor(name, prior_scale=10.0)
    if "headroom" in s:
        spread = (y.max() - y.min()) * s["headroom"]
        frame["cap"], frame["floor"] = y.max() + spread, y.min() - spread
    np.random.seed(0)
    m.fit(frame[:n].assign(y=y))
    return m, m.predict(frame)


def log_posterior(m, s):
    """Stan's model block; the trend as Python evaluates it."""
    p = {name: np.asarray(v).ravel() for name, v in m.params.items()}
    k, mm, sigma = p["k"][0], p["m"][0], p["sigma_obs"][0]
    h = m.history
    features, scales, cols, _ = m.make_all_seasonality_features(h)
    t = h["t"].to_numpy()
    if m.growth == "linear":
        trend = m.piecewise_linear(t, p["delta"], k, mm, m.changepoints_t)
    else:
        trend = m.piecewise_logistic(t, h["cap_scaled"].to_numpy(), p["delta"], k, mm, m.changepoints_t)
    a, b = cols["additive_terms"].to_numpy(), cols["multiplicative_terms"].to_numpy()
    yhat = trend * (1 + features.values @ (p["beta"] * b)) + features.values @ (p["beta"] * a)
    ssr = float(np.sum((h["y_scaled"].to_numpy() - yhat) ** 2))
    return (-len(t) * np.log(sigma) - ssr / (2 * sigma**2) - (k * k + mm * mm) / 50 - np.sum(np.abs(p["delta"])) / 0.05
            - 2 * sigma**2 - np.sum(p["beta"] ** 2 / (2 * np.array(scales) ** 2)))


def centred_trend(m, f, n):
    """The trend with what the seasonalities add to it on the average of the history."""
    trend = f["trend"].to_numpy().copy()
    height = trend - (f["floor"].to_numpy() if "floor" in f else 0.0)
    for name, props in m.seasonalities.items():
        mean = f[name].to_numpy()[:n].mean()
        trend += mean * height if props["mode"] == "multiplicative" else mean
    return trend


def main():
    out = []
    for name, days, y, s in series():
        y = np.round(y, 4)
        m, f = fit(days, y, s)
        n = len(y)
        lp = log_posterior(m, s)
        stan = float(m.stan_fit.optimized_params_dict["lp__"])
        print(f"{name}: {n} rows, log-posterior {lp:.4f}, lp__ {stan:.4f}")
        assert abs(lp - stan) < 0.02, (lp, stan)
        at = list(range(0, n, max(1, n // 40))) + list(range(n, n + AHEAD))
        f["centred_trend"] = centred_trend(m, f, n)
        pick = lambda column: [float(f"{v:.7g}") for v in f[column].to_numpy()[at]]
        params = {key: [float(v) for v in np.asarray(m.params[key]).ravel()] for key in ("k", "m", "delta", "beta", "sigma_obs")}
        settings = {key: v for key, v in s.items() if key != "regressors"}
        settings["regressors"] = [[key, [float(u) for u in v]] for key, v in s.get("regressors", {}).items()]
        out.append({
            "name": name, "first_day": str(days[0].date()), "day_gaps": [int(g) for g in np.diff(days).astype("timedelta64[D]").astype(int)],
            "values": [float(v) for v in y], "settings": settings,
            "changepoints_t": [float(v) for v in m.changepoints_t], "params": params,
            "log_posterior": lp, "at": at, "trend": pick("centred_trend"), "yhat": pick("yhat"),
            "yhat_lower": pick("yhat_lower"), "yhat_upper": pick("yhat_upper"),
        })
    path = pathlib.Path(__file__).with_name("prophet_python.json")
    path.write_text(json.dumps({"series": out}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
