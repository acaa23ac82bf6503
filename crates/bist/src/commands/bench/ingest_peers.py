"""One of the peers of `bist bench ingest`: reads a file of daily bars and checks it, several times.

usage: ingest_peers.py BARS.csv {polars,pandas,pandera} RUNS
Prints one line of JSON. The rules are those that all of them can express: types, positive prices and
volumes, high and low around open and close, dates that rise in each symbol, no gap of more than ten
days, no day twice, no close further than 10 % and a price step from the close before.
"""
import gc
import importlib.metadata
import json
import os
import resource
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[name] = "1"

csv, variant, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
PRICES = ["open", "high", "low", "close"]
LIMIT, STEP, GAP_DAYS = 0.10, 0.0101, 10


def polars():
    import polars as pl

    c = pl.col
    schema = {"symbol": pl.String, "date": pl.Date, **dict.fromkeys(PRICES, pl.Float64), "volume": pl.Int64}
    days = c("date").diff().over("symbol").dt.total_days()
    moved = (c("close") / c("close").shift(1).over("symbol") - 1).abs()
    rules = {
        "positive": pl.sum_horizontal(*[((c(p) <= 0) | c(p).is_null()).sum() for p in PRICES]),
        "volume": (c("volume") <= 0).sum(),
        "high": (c("high") < pl.max_horizontal("open", "close", "low")).sum(),
        "low": (c("low") > pl.min_horizontal("open", "close", "high")).sum(),
        "order": (days <= 0).sum(),
        "gap": (days > GAP_DAYS).sum(),
        "limit": (moved > LIMIT + STEP / c("close")).sum(),
        "twice": pl.struct("symbol", "date").is_duplicated().sum(),
    }
    return lambda: pl.read_csv(csv, schema=schema).lazy().select(**rules).collect().to_dicts()[0]


def read_pandas():
    import pandas as pd

    types = {"symbol": "str", **dict.fromkeys(PRICES, "float64"), "volume": "int64"}
    return pd.read_csv(csv, parse_dates=["date"], dtype=types)


def days_and_moves(table):
    groups = table.groupby("symbol", sort=False)
    days = groups["date"].diff().dt.days
    return days, (table["close"] / groups["close"].shift(1) - 1).abs()


def pandas():
    def check():
        table = read_pandas()
        days, moved = days_and_moves(table)
        prices = table[PRICES]
        wrong = {
            "positive": (prices <= 0) | prices.isna(),
            "volume": table["volume"] <= 0,
            "high": table["high"] < table[["open", "close", "low"]].max(axis=1),
            "low": table["low"] > table[["open", "close", "high"]].min(axis=1),
            "order": days <= 0,
            "gap": days > GAP_DAYS,
            "limit": moved > LIMIT + STEP / table["close"],
            "twice": table.duplicated(["symbol", "date"]),
        }
        return {rule: int(rows.to_numpy().sum()) for rule, rows in wrong.items()}

    return check


def pandera():
    import pandera.pandas as pa

    def limit(table):
        days, moved = days_and_moves(table)
        return ~(moved > LIMIT + STEP / table["close"])

    above, below = ["open", "close", "low"], ["open", "close", "high"]
    schema = pa.DataFrameSchema(
        {
            "symbol": pa.Column(str),
            "date": pa.Column("datetime64[ns]"),
            **{p: pa.Column(float, pa.Check.gt(0)) for p in PRICES},
            "volume": pa.Column("int64", pa.Check.gt(0)),
        },
        checks=[
            pa.Check(lambda t: t["high"] >= t[above].max(axis=1), name="high"),
            pa.Check(lambda t: t["low"] <= t[below].min(axis=1), name="low"),
            pa.Check(lambda t: ~(days_and_moves(t)[0] <= 0), name="order"),
            pa.Check(lambda t: ~(days_and_moves(t)[0] > GAP_DAYS), name="gap"),
            pa.Check(limit, name="limit"),
        ],
        unique=["symbol", "date"],
        strict=True,
    )

    def check():
        try:
            schema.validate(read_pandas(), lazy=True)
        except pa.errors.SchemaErrors as errors:
            return {"cases": len(errors.failure_cases)}
        return {}

    return check


def main():
    try:
        check = {"polars": polars, "pandas": pandas, "pandera": pandera}[variant]()
        found = check()
    except ModuleNotFoundError as missing:
        sys.exit(f"this Python has no {missing.name}; install polars, pandas and pandera, or name another with --python")
    wall, cpu = [], []
    for _ in range(runs):
        gc.collect()
        began, cpu_began = time.perf_counter(), time.process_time()
        found = check()
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - cpu_began)
    found = ", ".join(f"{rule} {count}" for rule, count in found.items() if count) or "nothing"
    libraries = {"polars": ["polars"], "pandas": ["pandas", "numpy"], "pandera": ["pandera", "pandas", "numpy"]}[variant]
    versions = {"python": sys.version.split()[0], **{name: importlib.metadata.version(name) for name in libraries}}
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "peak_mib": peak_mib, "versions": versions, "found": found}))


main()
