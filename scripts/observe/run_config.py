#!/usr/bin/env python3
"""Makes from the configuration of deploy/prometheus one for a short run: the same rules, looked at more
often, and with alerts that wait for seconds where they wait for minutes. Nothing else is changed.

usage: run_config.py OUT_DIR TARGET TOKEN_FILE
"""

import sys
from pathlib import Path

import yaml

SOURCE = Path(__file__).resolve().parents[2] / "deploy/prometheus"
# A scrape may take some seconds while the database is away.
SCRAPED = "6s"
LOOKED_AT = "3s"
WAITED = "3s"


def main():
    out, target, token = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    rules = yaml.safe_load((SOURCE / "rules.yml").read_text(encoding="utf-8"))
    for group in rules["groups"]:
        group.pop("interval", None)
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = WAITED
    (out / "rules.yml").write_text(yaml.safe_dump(rules, sort_keys=False), encoding="utf-8")

    config = yaml.safe_load((SOURCE / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": SCRAPED, "scrape_timeout": SCRAPED, "evaluation_interval": LOOKED_AT}
    del config["alerting"]
    [scrape] = config["scrape_configs"]
    scrape["authorization"]["credentials_file"] = str(Path(token).resolve())
    del scrape["static_configs"]
    # By the file that targets come and go with.
    (out / "instances").mkdir(exist_ok=True)
    (out / "instances/run.yml").write_text(yaml.safe_dump([{"targets": [target]}]), encoding="utf-8")
    (out / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


main()
