#!/usr/bin/env python3
"""Writes the dashboards of deploy/grafana/dashboards from their source, by Grafana's own library.

usage: dashboards.py [--check]; with --check nothing is written, and the status is 1 when a file is not
what the source gives.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "source"))
sys.dont_write_bytecode = True

import models_and_data  # noqa: E402
import operations  # noqa: E402
import security_and_usage  # noqa: E402
import service  # noqa: E402
from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: E402

GRID_WIDTH = 24
BOARDS = {"service": service, "models-and-data": models_and_data, "security-and-usage": security_and_usage, "operations": operations}


def place(panels):
    """Each panel as far up and then as far left as there is room, and never above the title of its section."""
    tops = [0] * GRID_WIDTH
    for panel in panels:
        if panel.type_val == "row":
            tops = [max(tops)] * GRID_WIDTH
        width = panel.grid_pos.w
        top, left = min((max(tops[x : x + width]), x) for x in range(GRID_WIDTH - width + 1))
        panel.grid_pos.x, panel.grid_pos.y = left, top
        tops[left : left + width] = [top + panel.grid_pos.h] * width


def text(board):
    """A dashboard as its file; numbers of panels follow their order."""
    made = board.dashboard().build()
    place(made.panels)
    for number, panel in enumerate(made.panels, start=1):
        panel.id_val = number
    return json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main():
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, board in BOARDS.items():
        file = HERE / "dashboards" / f"{name}.json"
        now = text(board)
        if check and (not file.exists() or file.read_text(encoding="utf-8") != now):
            stale.append(file.name)
        elif not check:
            file.write_text(now, encoding="utf-8")
    if stale:
        sys.exit(f"not what the source gives: {', '.join(stale)}; run deploy/grafana/dashboards.py")


main()
