#!/usr/bin/env bash
# Errors of the real binary at a server that speaks Sentry's protocol and that nobody here wrote: Bugsink
# receives exactly one event for a panic, a failure of a request, a run of a job that failed and a failure
# of a page, none with a secret that was planted, and the list of the product holds the same.
# usage: errors_check.sh BIST BUGSINK_BIN [OUT_DIR]; BUGSINK_BIN is the folder bin of a venv with bugsink
set -euo pipefail
bist=$(realpath "$1")
bin=$(realpath "$2")
cd "$(dirname "$0")/.."
out=${3:-target/errors-check}
rm -rf "$out"
mkdir -p "$out/bugsink"
out=$(realpath "$out")
pids=()
trap 'for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done' EXIT
free_port() { "$bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

port=$(free_port)
(
    cd "$out/bugsink"
    "$bin/bugsink-create-conf" --template=local --port="$port" >conf.log 2>&1
    "$bin/bugsink-manage" migrate >migrate.log 2>&1
    "$bin/bugsink-manage" shell -c '
from projects.models import Project
print("KEY", Project.objects.create(name="bist").sentry_key.hex)' 2>shell.log | sed -n 's/^KEY //p' >key
)
key=$(cat "$out/bugsink/key")
(cd "$out/bugsink" && exec "$bin/bugsink-manage" runserver --noreload "127.0.0.1:$port" >server.log 2>&1) &
pids+=($!)

data=$out/data
"$bist" users create-admin --data-dir "$data" --json --quiet >"$out/administrator.json"
cat >"$out/bist.toml" <<'TOML'
[errors]
environment = "check"
TOML
SENTRY_DSN="http://$key@127.0.0.1:$port/1" "$bist" serve --config "$out/bist.toml" --data-dir "$data" \
    --bind 127.0.0.1:0 --json >"$out/serve.json" 2>"$out/serve.log" &
pids+=($!)

"$bin/python" - "$bist" "$out" "$port" <<'PY'
import base64
import hashlib
import hmac
import json
import socket
import sqlite3
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request

bist, out, port = sys.argv[1:]
PASSWORD = "planted-kirmizi-bisiklet-8QdTz3"
MAIL = "planted.ayse@example.com"
planted = [PASSWORD, MAIL, "planted-list", "planted-query"]


def wait_for(what, look, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: nothing within {seconds} s")


def address():
    with open(f"{out}/serve.json") as file:
        text = file.read()
    return json.loads(text)["address"] if text.rstrip().endswith("}") else None


def bugsink_listens():
    try:
        socket.create_connection(("127.0.0.1", int(port)), timeout=1).close()
        return True
    except OSError:
        return False


base = wait_for("the server", address)
wait_for("Bugsink", bugsink_listens)


class Page:
    """The page of a session."""

    def __init__(self):
        self.headers = {}

    def ask(self, method, path, document=None, wanted=None):
        body = None if document is None else json.dumps(document).encode()
        headers = {"content-type": "application/json", **self.headers}
        request = urllib.request.Request(base + path, body, headers, method=method)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read().decode()
        assert wanted is None or answer.status == wanted, (path, answer.status, text)
        cookie = answer.headers.get("set-cookie")
        if cookie:
            self.headers["cookie"] = cookie.split(";")[0]
            planted.append(self.headers["cookie"].split("=")[1])
            session = self.ask("GET", "/api/v1/auth/session")[1]
            self.headers["x-csrf-token"] = session["csrf_token"]
            planted.append(session["csrf_token"])
        return answer.headers.get("x-request-id"), json.loads(text) if text else None


def code(seed, step):
    """What an authenticator shows: RFC 6238."""
    digest = hmac.new(base64.b32decode(seed), struct.pack(">Q", step), hashlib.sha1).digest()
    (number,) = struct.unpack(">I", digest[digest[19] & 15 :][:4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def tamper(statement, *values):
    with sqlite3.connect(f"{out}/data/bist.sqlite", timeout=30) as database:
        changed = database.execute(statement, values)
        assert changed.rowcount == 1, statement
    database.close()


with open(f"{out}/administrator.json") as file:
    token = json.load(file)["link"].split("#")[1]
planted.append(token)
admin = Page()
admin.ask("POST", "/api/v1/auth/invitation", {"token": token, "password": PASSWORD}, 200)
seed = admin.ask("POST", "/api/v1/auth/2fa/setup")[1]["secret"]
planted.append(seed)
now = int(time.time()) // 30
admin.ask("POST", "/api/v1/auth/2fa/confirm", {"code": code(seed, now)}, 200)

# What the caller does wrong is no error of the server.
admin.ask("GET", "/api/v1/bars?symbol=NONE1&planted-query=1", wanted=400)
admin.ask("POST", "/api/v1/auth/step-up", {"code": "000000"})
ids = {}
# A failure of a request: what the database holds is no list any more.
admin.ask("POST", "/api/v1/watchlists", {"name": "x", "symbols": []}, 201)
tamper("UPDATE watchlists SET document = ?", f'{{"name": 1, "password": "planted-list {MAIL}')
ids["internal"], _ = admin.ask("GET", "/api/v1/watchlists", wanted=500)
# A failure of a page, as a careless one reports it.
message = f"TypeError: {PASSWORD!r} of {MAIL}, authorization: Bearer {planted[-1]}"
page = {"message": message.replace("'", '"'), "place": "shell", "page": "/login?q=planted-query"}
ids["page"], _ = admin.ask("POST", "/api/v1/errors", page, 202)
# A run that fails: there are no bars to learn from.
run = subprocess.run(
    [bist, "jobs", "ask", "retraining", "--reason", "a try", "--by", "check",
     "--config", f"{out}/bist.toml", "--data-dir", f"{out}/data", "--json", "--quiet"],
    check=True, capture_output=True)
number = json.loads(run.stdout)["id"]
wait_for("the run", lambda: admin.ask("GET", f"/api/v1/jobs/{number}")[1]["state"] == "failed")
# A panic: a session that ends after the end of time. Nobody else has signed in meanwhile.
victim = Page()
victim.ask("POST", "/api/v1/auth/login", {"user_name": "admin", "password": PASSWORD}, 200)
tamper(
    "UPDATE sessions SET signed_in_at_us = 253402207199000000 "
    "WHERE signed_in_at_us = (SELECT MAX(signed_in_at_us) FROM sessions)"
)
ids["panic"], _ = victim.ask("GET", "/api/v1/auth/session", wanted=500)

groups = wait_for(
    "four errors in the list",
    lambda: (lambda items: items if len(items) >= 4 else None)(
        admin.ask("GET", "/api/v1/admin/errors", wanted=200)[1]["items"]),
)
assert sorted(group["kind"] for group in groups) == ["internal", "job", "page", "panic"], groups
for group in groups:
    assert group["events_count"] == 1, group
    assert group["last_request_id"] == ids.get(group["kind"]), (group, ids)
print("the list:", *sorted(f"{group['kind']} at {group['place']}" for group in groups), sep="\n  ")


def events():
    with sqlite3.connect(f"file:{out}/bugsink/{DATABASE}?mode=ro", uri=True, timeout=30) as database:
        return [json.loads(row[0]) for row in database.execute("SELECT data FROM events_event")]


DATABASE = "db.sqlite3"
received = wait_for("four events at Bugsink", lambda: (lambda e: e if len(e) >= 4 else None)(events()))
# One more, if there is any, would come now.
time.sleep(3)
received = events()
assert sorted(event["tags"]["kind"] for event in received) == ["internal", "job", "page", "panic"], received
for event in received:
    kind = event["tags"]["kind"]
    assert event["environment"] == "check" and event["release"].startswith("bist@"), event
    assert event["tags"].get("request_id") == ids.get(kind), (event, ids)
    assert not {"server_name", "user", "request"} & event.keys(), event
    group = next(group for group in groups if group["kind"] == kind)
    assert event["fingerprint"] == [group["id"]], event
told = json.dumps([received, [admin.ask("GET", f"/api/v1/admin/errors/{group['id']}")[1] for group in groups]])
with open(f"{out}/serve.log") as file:
    log = file.read()
for secret in planted:
    assert secret not in told, f"an error holds {secret}"
    assert secret not in log, f"the log holds {secret}"
print(f"Bugsink has the same four, and none of {len(planted)} secrets is in them or in the log")
PY
