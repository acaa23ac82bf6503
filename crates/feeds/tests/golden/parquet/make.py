"""Writes the small Parquet files of this folder; the values are synthetic.

    python3 -m venv venv && venv/bin/pip install pandas==3.1.1 polars==2.1.0 pyarrow==26.0.1
    venv/bin/python make.py

pandas is BSD-3-Clause, polars MIT, pyarrow Apache-2.0; only their output is kept here.
"""

import datetime as dt
import decimal
import pathlib

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
DAYS = [dt.date(2024, 3, 1), dt.date(2024, 3, 4), dt.date(2024, 3, 5)]
OPEN = [270.5, 271.25, 272.0]
HIGH = [274.0, 275.5, None]
LOW = [270.125, 270.0, 271.0]
CLOSE = [273.25, 272.1, 272.5]
ADJ = [1100.5, 1101.0, 1102.25]
VOLUME = [1250000, 990000, 12]


def write(table, name, **options):
    pq.write_table(table, HERE / f"{name}.parquet", **options)


def arrow(date, price=pa.float64(), volume=pa.int64(), convert=lambda v: v):
    prices = lambda values: pa.array([None if v is None else convert(v) for v in values], price)
    return pa.table({
        "date": date, "open": prices(OPEN), "high": prices(HIGH), "low": prices(LOW),
        "close": prices(CLOSE), "adj_close": pa.array(ADJ), "volume": pa.array(VOLUME, volume),
    })


frame = pd.DataFrame(
    {"Open": OPEN, "High": HIGH, "Low": LOW, "Close": CLOSE, "Adj Close": ADJ, "Volume": VOLUME},
    index=pd.DatetimeIndex(pd.to_datetime(DAYS), name="Date"),
)
frame.to_parquet(HERE / "pandas_snappy_v1.parquet", compression="snappy")
zoned = frame.copy()
zoned.index = zoned.index.tz_localize("Europe/Istanbul")
zoned.to_parquet(HERE / "pandas_zoned_zstd_v2.parquet", compression="zstd", data_page_version="2.0")
nameless = frame.copy()
nameless.index.name = None
nameless.to_parquet(HERE / "pandas_nameless_index_int96.parquet", use_deprecated_int96_timestamps=True)
wide = pd.concat({"THYAO.IS": frame, "AKBNK.IS": frame * 2}, axis=1).swaplevel(axis=1)
wide.columns.names = ["Price", "Ticker"]
wide.to_parquet(HERE / "pandas_wide.parquet")

pl.DataFrame({
    "Sembol": ["THYAO"] * 3 + ["AKBNK"], "Tarih": DAYS + DAYS[:1], "Açılış": OPEN + OPEN[:1],
    "Yüksek": HIGH + HIGH[:1], "Düşük": LOW + LOW[:1], "Kapanış": CLOSE + CLOSE[:1],
    "Düzeltilmiş Kapanış": ADJ + ADJ[:1], "Hacim": VOLUME + VOLUME[:1],
}).write_parquet(HERE / "polars_symbols_zstd.parquet", compression="zstd")

write(arrow(pa.array(DAYS)), "arrow_date_gzip_v2", compression="gzip", data_page_version="2.0")
write(arrow(pa.array([str(d) for d in DAYS]), pa.float32()), "arrow_text_float32", compression="none")
write(arrow(pa.array([d.strftime("%d/%m/%Y") for d in DAYS])), "arrow_slashed_text", compression="none")
write(
    arrow(pa.array(DAYS), pa.decimal128(12, 4), pa.int32(), lambda v: decimal.Decimal(str(v))),
    "arrow_decimal_flba", compression="none",
)
write(
    arrow(pa.array(DAYS), pa.decimal128(9, 4), pa.float64(), lambda v: decimal.Decimal(str(v))),
    "arrow_decimal_int32", compression="none", store_decimal_as_integer=True,
)
hours = [dt.datetime(2024, 3, 1, h) for h in (10, 11, 12)]
for unit in ("ms", "us", "ns"):
    write(arrow(pa.array(hours, pa.timestamp(unit))), f"arrow_hours_{unit}", version="2.6", row_group_size=2)
write(pa.table({"date": pa.array(DAYS), "open": pa.array([[1.0], [2.0], []])}), "arrow_list")
write(
    pa.table({"date": pa.array(DAYS), **{c: pa.array([True] * 3) for c in ("open", "high", "low", "close")}}),
    "arrow_booleans",
)
