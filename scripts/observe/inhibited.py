#!/usr/bin/env python3
"""Tells an Alertmanager of alerts, and looks which of them it keeps to itself: those of a server that is down
or has no database, the slower burn of an objective beside the faster, and nobody else's.

usage: inhibited.py ALERTMANAGER
"""

import json
import sys
import time
import urllib.request

PATIENCE_S = 60
# Who fires, and whether people are told of it.
TOLD = [
    ({"alertname": "BistInstanceDown", "severity": "critical", "instance": "a:1"}, True),
    ({"alertname": "BistNotReady", "severity": "critical", "instance": "a:1"}, False),
    ({"alertname": "BistNotReady", "severity": "critical", "instance": "b:1"}, True),
    ({"alertname": "BistDatabaseDown", "severity": "critical", "instance": "c:1"}, True),
    ({"alertname": "BistNotReady", "severity": "critical", "instance": "c:1"}, False),
    ({"alertname": "BistDiskFilling", "severity": "warning", "instance": "c:1"}, True),
    ({"alertname": "BistBreakerOpen", "severity": "warning", "instance": "b:1", "target": "redis"}, True),
    ({"alertname": "BistCountingAlone", "severity": "warning", "instance": "b:1"}, False),
    ({"alertname": "BistErrorBudgetBurnFast", "severity": "critical", "slo": "latency"}, True),
    ({"alertname": "BistErrorBudgetBurnSlow", "severity": "warning", "slo": "latency"}, False),
    ({"alertname": "BistErrorBudgetBurnSlow", "severity": "warning", "slo": "availability"}, True),
]


def main(base):
    alerts = [{"labels": labels | {"job": "bist"}} for labels, _ in TOLD]
    request = urllib.request.Request(f"{base}/api/v2/alerts", json.dumps(alerts).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()
    wanted = {json.dumps(labels | {"job": "bist"}, sort_keys=True): told for labels, told in TOLD}
    ends = time.monotonic() + PATIENCE_S
    while True:
        with urllib.request.urlopen(f"{base}/api/v2/alerts", timeout=10) as answer:
            known = {json.dumps(alert["labels"], sort_keys=True): not alert["status"]["inhibitedBy"] for alert in json.load(answer)}
        if known == wanted:
            break
        if time.monotonic() > ends:
            sys.exit(f"inhibited.py: told otherwise than meant: {set(known.items()) ^ set(wanted.items())}")
        time.sleep(0.5)
    print(f"of {len(TOLD)} alerts Alertmanager keeps {sum(not told for _, told in TOLD)} to itself")


main(sys.argv[1])
