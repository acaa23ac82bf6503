#!/usr/bin/env python3
"""Looks at the dashboards as Grafana's own library reads them: whether reading and writing again changes
nothing, and whether a damaged one is refused. Then tells all their queries, of panels, annotations and
variables, as one JSON document.

usage: queries.py DASHBOARD... >QUERIES
"""

import json
import re
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

GRID_WIDTH = 24


def pages():
    """The addresses of the web app that are one or two words."""
    source = (Path(__file__).resolve().parents[2] / "web/src/routes.ts").read_text(encoding="utf-8")
    admin = re.search(r"ADMIN_PARTS = \[(.*?)\]", source).group(1)
    heads = set(re.findall(r"head === '(\w+)'", source))
    return {f"/{head}" for head in heads} | {f"/admin/{part}" for part in re.findall(r"'(\w+)'", admin)}


def fail(sentence):
    sys.exit(f"queries.py: {sentence}")


def read(raw):
    return json.loads(json.dumps(Dashboard.from_json(raw), cls=JSONEncoder))


def look_at(name, raw):
    """What must hold of each dashboard besides its form."""
    if read(json.loads(json.dumps(raw))) != raw:
        fail(f"{name} is another one after it was read by the library")
    damaged = json.loads(json.dumps(raw)) | {"panels": "nope"}
    try:
        read(damaged)
    except Exception:  # noqa: BLE001: whatever the library raises
        pass
    else:
        fail("the library takes a dashboard whose panels are a text")
    titles = set()
    taken = set()
    for panel in raw["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        if cells & taken or place["x"] + place["w"] > GRID_WIDTH:
            fail(f"{name}: the panel {panel['title']} lies over another one or out of the grid")
        taken |= cells
        if panel["type"] == "row":
            continue
        if panel["title"] in titles or not panel.get("description"):
            fail(f"{name}: the panel {panel['title']} is there twice or has no description")
        titles.add(panel["title"])
    links = [link["url"] for panel in raw["panels"] + [raw] for link in panel.get("links", []) if link["type"] == "link"]
    astray = sorted({link.removeprefix("${public_url}") for link in links} - pages())
    if astray:
        fail(f"{name}: the web app has no pages {astray}")
    uses = set(re.findall(r"\$\{?(\w+)", json.dumps(raw["panels"]) + json.dumps(raw.get("links", []))))
    known = {variable["name"] for variable in raw["templating"]["list"]}
    unknown = {use for use in uses - known if not use.startswith("__")}
    if unknown or known - uses:
        fail(f"{name}: variables that do not exist {sorted(unknown)}, or that nothing uses {sorted(known - uses)}")


def queries(name, raw):
    for panel in raw["panels"]:
        for target in panel.get("targets", []):
            yield {"name": f"{name} / {panel['title']} {target['refId']}", "expr": target["expr"], "exemplar": target.get("exemplar", False)}
    for annotation in raw["annotations"]["list"]:
        yield {"name": f"{name} / annotation {annotation['name']}", "expr": annotation["expr"], "exemplar": False}
    for variable in raw["templating"]["list"]:
        if variable["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"]).groups()
            yield {"name": f"{name} / variable {variable['name']}", "expr": f"count by ({label}) ({metric})", "exemplar": False}


def main():
    register_default_plugins()
    told = []
    for file in map(Path, sys.argv[1:]):
        raw = json.loads(file.read_text(encoding="utf-8"))
        look_at(file.stem, raw)
        told += queries(file.stem, raw)
    json.dump(told, sys.stdout, indent=1)


main()
