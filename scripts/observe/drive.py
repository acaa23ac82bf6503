#!/usr/bin/env python3
"""Asks a server for a while as people, programs and strangers do: what is there and what is not, with a key
and without, more often than allowed, and with passwords that are wrong.

usage: drive.py BASE KEY INVITATION SECONDS; tells how often which status was answered
"""

import json
import sys
import time
import urllib.error
import urllib.request
from collections import Counter

PASSWORD = "kirmizi balon dokuz kedi"
READ = [
    "/api/v1/symbols", "/api/v1/bars?symbol={symbol}", "/api/v1/market/overview", "/api/v1/data-quality",
    "/api/v1/jobs", "/api/v1/models", "/api/v1/audit", "/health/ready", "/", "/api/v1/symbols/NONE",
    "/api/v1/nowhere", "/nowhere",
]
ENOUGH_SIGNALS = 8


def ask(base, path, key=None, body=None):
    headers = {"accept": "application/json"}
    data = None
    if key:
        headers["authorization"] = f"Bearer {key}"
    if body is not None:
        headers["content-type"] = "application/json"
        data = json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def main(base, key, invitation, seconds):
    statuses = Counter()

    def note(*of, **named):
        status, body = ask(base, *of, **named)
        statuses[status] += 1
        return status, body

    symbol = json.loads(ask(base, "/api/v1/symbols", key)[1])["items"][0]["symbol"]
    # Somebody accepts an invitation, signs in, mistypes; nobody guesses until the limit says no.
    note("/api/v1/auth/invitation", body={"token": invitation, "password": PASSWORD})
    for name, password in [("reader", PASSWORD), ("reader", "wrong"), ("nobody", "wrong"), ("reader", "wrong"), ("nobody", "wrong")]:
        note("/api/v1/auth/login", body={"user_name": name, "password": password})
    ends = time.monotonic() + seconds
    rounds = 0
    while time.monotonic() < ends or rounds == 0:
        for path in READ:
            note(path.format(symbol=symbol), key)
        note("/api/v1/symbols")
        note("/api/v1/users", "bist_0000000000000000_wrong")
        for _ in range(ENOUGH_SIGNALS if rounds == 0 else 1):
            note("/api/v1/signals", key)
        rounds += 1
    print(json.dumps({str(status): count for status, count in sorted(statuses.items())}))
    missing = {200, 401, 404, 429} - set(statuses)
    if missing:
        sys.exit(f"nothing was answered {sorted(missing)}")


main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
