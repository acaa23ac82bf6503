#!/usr/bin/env python3
"""Asks a Prometheus.

usage: ask.py PROMETHEUS alert NAME firing|silent [LABEL=VALUE...]   waits until the alert is so
       ask.py PROMETHEUS value EXPR NUMBER                            waits until a query has this value
       ask.py PROMETHEUS queries QUERIES BEGAN                        asks each query and each recording rule
                                                                      over the time since BEGAN
"""

import json
import math
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

PATIENCE_S = 180
RULES = Path(__file__).resolve().parents[2] / "deploy/prometheus/rules.yml"
# What Grafana puts in, for a scrape every 6 s and everything chosen.
PUT_IN = {"$__rate_interval": "30s", "$instance": ".*", "$route": ".*", "$horizon": ".*", "$work": ".*"}
# What the run cannot bring about, with the reason. These must be understood all the same, and their metrics
# stand in docs/METRICS.md (rules.py); one that has data must leave this list.
NO_DATA = {
    "operations / Certificate A": "TLS ends nowhere in the run",
}


class Prometheus:
    def __init__(self, base):
        self.base = base

    def get(self, path, **parameters):
        url = f"{self.base}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refused:
            sys.exit(f"ask.py: {parameters}: {json.load(refused).get('error')}")

    def alerts(self, name, labels):
        found = [alert for alert in self.get("alerts")["alerts"] if alert["labels"]["alertname"] == name]
        return [alert for alert in found if labels.items() <= alert["labels"].items() and alert["state"] == "firing"]


def wait_for(what, holds):
    ends = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > ends:
            sys.exit(f"ask.py: not within {PATIENCE_S} s: {what}")
        time.sleep(0.5)


def alert(prometheus, name, state, *labels):
    wanted = dict(label.split("=", 1) for label in labels)
    wait_for(f"{name} {state}", lambda: bool(prometheus.alerts(name, wanted)) == (state == "firing"))


def value(prometheus, expr, number):
    def holds():
        found = prometheus.get("query", query=expr)["result"]
        return any(float(series["value"][1]) == float(number) for series in found)

    wait_for(f"{expr} is {number}", holds)


def has_data(found):
    return any(not math.isnan(float(point[1])) for series in found["result"] for point in series["values"])


def queries(prometheus, file, began):
    now = time.time()
    length = int(now - float(began)) + 1
    asked = json.loads(Path(file).read_text(encoding="utf-8"))
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            if "record" in rule:
                chosen = ",".join(f'{name}="{text}"' for name, text in rule.get("labels", {}).items())
                asked.append({"name": f"record {rule['record']} {chosen}".strip(), "expr": f"{rule['record']}{{{chosen}}}", "exemplar": False})
    faults, with_data, exemplars = [], 0, 0
    for query in asked:
        expr = query["expr"].replace("$__range", f"{length}s")
        for name, text in PUT_IN.items():
            expr = expr.replace(name, text)
        there = has_data(prometheus.get("query_range", query=expr, start=began, end=now, step=max(3, length // 400)))
        with_data += there
        if there == (query["name"] in NO_DATA):
            faults.append(f"{query['name']} {'has data after all' if there else 'has no data'}: {expr}")
        if query["exemplar"]:
            found = prometheus.get("query_exemplars", query=expr, start=began, end=now)
            exemplars += sum("request_id" in one["labels"] for series in found for one in series["exemplars"])
            if not exemplars:
                faults.append(f"{query['name']} has no exemplar with a request id")
    for name in sorted(set(NO_DATA) - {query["name"] for query in asked}):
        faults.append(f"{name} is excused and does not exist")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{with_data} of {len(asked)} queries have data, {exemplars} exemplars lead to requests; without data, by name: {', '.join(f'{name} ({why})' for name, why in NO_DATA.items())}")
    sys.exit(1 if faults else 0)


prometheus = Prometheus(sys.argv[1])
{"alert": alert, "value": value, "queries": queries}[sys.argv[2]](prometheus, *sys.argv[3:])
