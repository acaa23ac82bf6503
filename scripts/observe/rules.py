#!/usr/bin/env python3
"""What `promtool` does not look at: each alert of deploy/prometheus/rules.yml has a severity, words and a
section in docs/OPERATIONS.md, and a test in which it is silent, fires and is silent again; and each metric
that rules or dashboards ask for is in docs/METRICS.md.

usage: rules.py QUERIES, the queries of the dashboards as queries.py tells them
"""

import json
import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
# What Prometheus itself knows of a target, and of alerts.
OWN = {"up", "scrape_duration_seconds", "ALERTS"}
SEVERITIES = {"critical", "warning", "info"}


def documented():
    """The metrics of docs/METRICS.md, with the series that a histogram consists of."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|", (ROOT / "docs/METRICS.md").read_text(encoding="utf-8"), re.MULTILINE)
    parts = [name + part for name, kind in rows if kind == "histogram" for part in ("_bucket", "_sum", "_count")]
    return {name for name, kind in rows if kind != "histogram"} | set(parts)


def asked(expr):
    """The metrics that an expression names; what rules record has a colon and is left out."""
    bare = re.sub(r'"[^"]*"', '""', expr)
    return {name for name in re.findall(r"(?<![\w:])(?:bist|process|scrape)_[a-z0-9_]+(?![\w:])|(?<![\w:])up(?=\{)|ALERTS", bare)}


def heading_anchors():
    heads = re.findall(r"^#+ (.+)$", (ROOT / "docs/OPERATIONS.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).strip().lower().replace(" ", "-") for head in heads}


def tested():
    """Of each alert, whether a test has it silent, then firing, then silent."""
    found = {}
    for file in ("rules_test.yml", "rules_slow_test.yml"):
        for test in yaml.safe_load((PROMETHEUS / file).read_text(encoding="utf-8"))["tests"]:
            course = {}
            for look in test["alert_rule_test"]:
                course.setdefault(look["alertname"], []).append(bool(look["exp_alerts"]))
            for alert, fires in course.items():
                whole = not fires[0] and any(fires) and not fires[-1]
                found[alert] = found.get(alert, False) or whole
    return found


def main():
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    faults, known, anchors, course = [], documented(), heading_anchors(), tested()
    for alert in alerts:
        name, words = alert["alert"], alert["annotations"]
        if alert["labels"]["severity"] not in SEVERITIES:
            faults.append(f"{name} has no severity of {sorted(SEVERITIES)}")
        if not {"summary", "description", "runbook_url"} <= set(words):
            faults.append(f"{name} lacks a summary, a description or a runbook_url")
        place, _, anchor = words.get("runbook_url", "").partition("#")
        if place != "docs/OPERATIONS.md" or anchor not in anchors:
            faults.append(f"{name}: docs/OPERATIONS.md has no section {anchor}")
        if not course.get(name):
            faults.append(f"{name} has no test in which it is silent, fires and is silent again")
    for name in sorted(set(course) - {alert["alert"] for alert in alerts}):
        faults.append(f"{name} is tested and does not exist")
    queries = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sources = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules]
    sources += [(query["name"], query["expr"]) for query in queries]
    for name, expr in sources:
        for metric in sorted(asked(expr) - known - OWN):
            faults.append(f"{name} asks for {metric}, which is not in docs/METRICS.md")
        for record in sorted(set(re.findall(r"bist:\w+:\w+", expr)) - recorded):
            faults.append(f"{name} asks for {record}, which no rule records")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(alerts)} alerts with section and test, {len(recorded)} names recorded, {len(sources)} expressions of documented metrics")
    sys.exit(1 if faults else 0)


main()
