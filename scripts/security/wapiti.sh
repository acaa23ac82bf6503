#!/usr/bin/env bash
# Wapiti on the addresses in DIR/urls.txt, without looking for others, each kind of attack for two minutes
# at most. What it finds gets a line each in `wapiti.txt`: the fault, the address and the parameter.
# usage: wapiti.sh BASE DIR [OPTION...]
set -euo pipefail
base=$1 dir=$2
shift 2
# Attacks that need a server of Wapiti's own elsewhere are not among these; headers are the Observatory's.
wapiti --url "$base" --start "$dir/urls.txt" --depth 0 --scope folder --max-attack-time 120 --no-bugreport \
    --module sql,blindsql,xss,permanentxss,exec,file,crlf,redirect,csp,cookieflags,htaccess,methods,csrf \
    --flush-session --store-session "$dir/wapiti" --format json --output "$dir/wapiti.json" "$@" >"$dir/wapiti.out" 2>&1 </dev/null
python3 - "$dir/wapiti.json" >"$dir/wapiti.txt" <<'PYTHON'
import json
import sys

report = json.load(open(sys.argv[1]))
for kind in ("vulnerabilities", "anomalies"):
    for fault, findings in report[kind].items():
        for finding in findings:
            print(fault, finding["method"], finding["path"], finding["parameter"], finding["info"], sep=": ")
PYTHON
