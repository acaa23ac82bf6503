"""The peer of `bist bench http`: the same bars from SQLite by FastAPI, each request counted by slowapi.

usage: peer.py BARS.csv DATABASE PORT
Prints its versions as a line of JSON, and then answers /bars?symbol=S&limit=N.
"""
import csv
import importlib.metadata
import json
import sqlite3
import sys

import uvicorn
from fastapi import FastAPI, Request
from slowapi import Limiter, _rate_limit_exceeded_handler
from slowapi.errors import RateLimitExceeded
from slowapi.util import get_remote_address

bars_csv, database, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
COLUMNS = ("day", "open", "high", "low", "close", "volume")

store = sqlite3.connect(database, check_same_thread=False)
store.execute("pragma journal_mode = wal")
store.execute(
    "create table if not exists bars (symbol text, day text, open text, high text, low text, close text,"
    " volume integer, primary key (symbol, day)) without rowid"
)
with open(bars_csv, encoding="utf-8") as file:
    rows = csv.reader(file)
    next(rows)
    store.executemany("insert or replace into bars values (?, ?, ?, ?, ?, ?, ?)", rows)
store.commit()
NEWEST = f"select {', '.join(COLUMNS)} from bars where symbol = ? order by day desc limit ?"

app = FastAPI()
limiter = Limiter(key_func=get_remote_address)
app.state.limiter = limiter
app.add_exception_handler(RateLimitExceeded, _rate_limit_exceeded_handler)


@app.get("/bars")
@limiter.limit("100000000/minute")
async def bars(request: Request, symbol: str, limit: int):
    found = store.execute(NEWEST, (symbol, limit)).fetchall()
    return {"symbol": symbol, "items": [dict(zip(COLUMNS, row)) for row in reversed(found)]}


names = ("fastapi", "slowapi", "uvicorn", "uvloop", "httptools")
versions = {name: importlib.metadata.version(name) for name in names}
versions["python"] = sys.version.split()[0]
print(json.dumps(versions), flush=True)
uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False)
