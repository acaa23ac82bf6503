#!/usr/bin/env python3
"""What an administrator is told of how the API is used, beside what the access logs say.

Two real servers on one data directory answer 100,000 requests of several accounts and keys, on several
paths, with answers from 200 to 429. Their logs are summed up here by themselves, and compared: counts
have to be equal, latencies within the error that the API states. One of the servers is stopped before
anybody asks, so that what it has counted last has to be in the database.

usage: usage_check.py BIST [OUT_DIR] [REQUESTS]
"""

import base64
import csv
import hmac
import http.client
import io
import json
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PASSWORD = "kirmizi balon dokuz kedi"
STEP_S = 30
# Requests that are sent before the first answer is read, and connections to each server.
PIPELINED = 25
CONNECTIONS = 4
QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
# Digits that the text of a number may lose.
ROUNDING = 1e-9
SEED = 7
CONFIG = """
[limits]
default = "1000000/min"
auth = "1000000/min"
ai = "40/min"
address_multiple = 1000
"""


def one_time_code(secret: str) -> str:
    """The code of this moment, by RFC 6238 with SHA-1, 30 s and 6 digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // STEP_S), "sha1")
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Server:
    """A running `bist serve`, its log in a file."""

    def __init__(self, bist: str, out: Path, name: str) -> None:
        self.log = out / f"{name}.log"
        command = [bist, "serve", "--bind", "127.0.0.1:0", "--json", "--data-dir", str(out / "data")]
        command += ["--config", str(out / "bist.toml")]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log.open("w"), text=True
        )
        document = ""
        while not document.endswith("}\n"):
            line = self.process.stdout.readline()
            if not line:
                sys.exit(f"failed: the server did not start: {self.log.read_text()}")
            document += line
        self.address = json.loads(document)["address"].removeprefix("http://")

    def stop(self) -> None:
        """Tells it to stop, and waits until it has."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(timeout=60) != 0:
            sys.exit(f"failed: the server ended badly: {self.log.read_text()[-2000:]}")

    def lines(self) -> list[dict]:
        """One line a request, in the order of the answers."""
        # What is said to a person beside it is no document.
        texts = (line for line in self.log.read_text().splitlines() if line.startswith("{"))
        fields = (json.loads(line)["fields"] for line in texts)
        return [line for line in fields if "http.status" in line]


class Page:
    """A browser of sorts."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookie = ""
        self.csrf = ""

    def ask(self, path: str, body: dict | None = None) -> str:
        """Reads `path`, or sends `body` to it, and gives the body of the answer."""
        connection = http.client.HTTPConnection(self.address)
        headers = {"cookie": self.cookie, "x-csrf-token": self.csrf}
        if body is not None:
            headers["content-type"] = "application/json"
        connection.request("GET" if body is None else "POST", path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status >= 300:
            sys.exit(f"failed: {path} answered {answer.status} {text}")
        if cookie := answer.headers.get("set-cookie"):
            self.cookie = cookie.split(";")[0]
        connection.close()
        return text

    def accept(self, token: str) -> None:
        """Sets the password of an invitation, which begins a session."""
        self.ask("/api/v1/auth/invitation", {"token": token, "password": PASSWORD})
        self.csrf = json.loads(self.ask("/api/v1/auth/session"))["csrf_token"]

    def enrol(self) -> None:
        """Puts a second factor in force."""
        secret = json.loads(self.ask("/api/v1/auth/2fa/setup", {}))["secret"]
        self.ask("/api/v1/auth/2fa/confirm", {"code": one_time_code(secret)})
        self.csrf = json.loads(self.ask("/api/v1/auth/session"))["csrf_token"]


def read_answer(stream: io.BufferedReader) -> int:
    """The status of the next answer on a connection."""
    status = int(stream.readline().split()[1])
    length = 0
    while (line := stream.readline().strip()):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        if name.lower() == b"transfer-encoding":
            sys.exit("failed: an answer has no length")
    stream.read(length)
    return status


def drive(address: str, requests: list[bytes]) -> Counter:
    """Sends requests over one connection, and counts the statuses of the answers."""
    host, port = address.split(":")
    statuses: Counter = Counter()
    with socket.create_connection((host, int(port))) as connection:
        stream = connection.makefile("rb")
        for begin in range(0, len(requests), PIPELINED):
            batch = requests[begin : begin + PIPELINED]
            connection.sendall(b"".join(batch))
            statuses.update(read_answer(stream) for _ in batch)
    return statuses


def kinds(symbol: str, keys: list[str], cookies: list[str]) -> list[bytes]:
    """The kinds of requests, those that are frequent several times."""
    callers = [f"authorization: Bearer {key}" for key in keys]
    callers += [f"cookie: {cookie}" for cookie in cookies]
    nobody = ["accept: */*"]
    paths = [
        ("/api/v1/symbols", callers, 3),
        (f"/api/v1/bars?symbol={symbol}&limit=1", callers, 5),
        (f"/api/v1/bars?symbol={symbol}&limit=200", callers[:2], 1),
        (f"/api/v1/bars?symbol={symbol}&limit=0", callers, 1),
        ("/api/v1/symbols/NONE", callers[1:4], 1),
        ("/api/v1/users", callers, 1),
        ("/api/v1/market/calendar", callers[:3], 1),
        ("/api/v1/forecasts", callers, 1),
        ("/api/v1/symbols", nobody, 1),
        ("/health/live", nobody, 3),
        ("/nothing/of/the/kind.js", nobody, 1),
    ]
    found = []
    for path, whose, weight in paths:
        for caller in whose:
            text = f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{caller}\r\n\r\n"
            found += [text.encode()] * weight
    return found


def class_of(status: int) -> str:
    """Where an answer is counted."""
    if status == 429:
        return "refused_count"
    if status >= 500:
        return "errors_count"
    return "client_errors_count" if status >= 400 else "succeeded_count"


def summed(lines: list[dict], group) -> dict:
    """Lines of the log by what `group` says of each."""
    groups = defaultdict(lambda: {"counts": Counter(), "latencies": []})
    for line in lines:
        of = groups[group(line)]
        of["counts"][class_of(line["http.status"])] += 1
        of["latencies"].append(line["latency_ms"])
    return groups


def compare(what: str, told: dict, expected: dict, error: float) -> None:
    """Ends this program where the API does not tell what the log says."""
    latencies = sorted(expected["latencies"])
    counts = {name: expected["counts"][name] for name in ("client_errors_count", "refused_count", "errors_count")}
    counts["requests_count"] = len(latencies)
    for name, count in counts.items():
        if told[name] != count:
            sys.exit(f"failed: {what}: {name} is {told[name]}, and {count} by the log")
    exact = {name: latencies[int(q * (len(latencies) - 1))] for name, q in QUANTILES.items()}
    for name, latency in exact.items():
        if abs(told[name] - latency) > (error + ROUNDING) * latency:
            sys.exit(f"failed: {what}: {name} is {told[name]}, and {latency} by the log")
    mean = sum(latencies) / len(latencies)
    if abs(told["mean_ms"] - mean) > 1e-6 * mean:
        sys.exit(f"failed: {what}: mean_ms is {told['mean_ms']}, and {mean} by the log")


def caller(line: dict) -> tuple:
    """The account and the key of a line."""
    kind, _, rest = line.get("caller", "nobody:").partition(":")
    if kind == "key":
        key, _, account = rest.partition("/")
        return account, key
    return (rest, None) if kind == "account" else (None, None)


GROUPS = {
    "route": (lambda line: (line["http.method"], line["http.route"]), lambda item: (item["method"], item["name"])),
    "account": (lambda line: caller(line)[0], lambda item: item["account"]),
    # People are one line of the table, and nobody another one.
    "key": (
        lambda line: caller(line)[1] or ("(no key)" if caller(line)[0] else "(nobody)"),
        lambda item: item["key"] or item["name"],
    ),
}


def main(bist: str, out: Path, requests_count: int) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    (out / "bist.toml").write_text(CONFIG)

    def run(*arguments: str) -> dict:
        command = [bist, *arguments, "--json", "--quiet", "--data-dir", str(out / "data")]
        return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    run("sample", "--symbols", "3", "--years", "1")
    token = {"admin": run("users", "create-admin")["link"].split("#")[1]}
    for name, role in (("ayse", "viewer"), ("bora", "trader"), ("can", "analyst")):
        token[name] = run("users", "create", name, "--role", role)["link"].split("#")[1]
    keys = [
        run("keys", "create", "--user", user, "--name", name, "--scope", "read")["token"]
        for user, name in (("ayse", "nightly"), ("ayse", "sheet"), ("bora", "robot"))
    ]
    servers = [Server(bist, out, name) for name in ("one", "other")]
    try:
        admin = Page(servers[0].address)
        admin.accept(token["admin"])
        admin.enrol()
        pages = [Page(server.address) for server in servers]
        for page, name in zip(pages, ("bora", "can"), strict=True):
            page.accept(token[name])
        symbol = json.loads(pages[0].ask("/api/v1/symbols"))["items"][0]["symbol"]
        choice = kinds(symbol, keys, [page.cookie for page in pages])
        rng = random.Random(SEED)
        lanes = [(server.address, []) for server in servers for _ in range(CONNECTIONS)]
        for number in range(requests_count):
            lanes[number % len(lanes)][1].append(rng.choice(choice))
        began = time.monotonic()
        with ThreadPoolExecutor(len(lanes)) as pool:
            statuses = sum(pool.map(lambda lane: drive(*lane), lanes), Counter())
        took_s = time.monotonic() - began
        servers[1].stop()

        of_other = servers[1].lines()
        is_asking = lambda line: line.get("http.route") == "/api/v1/admin/api-usage"
        for number, (by, (of_line, of_item)) in enumerate(GROUPS.items()):
            table = json.loads(admin.ask(f"/api/v1/admin/api-usage?by={by}&limit=1000"))
            own = servers[0].lines()
            # What was answered before this table was.
            until = [at for at, line in enumerate(own) if is_asking(line)]
            lines = of_other + own[: until[number] if number < len(until) else len(own)]
            expected = summed(lines, of_line)
            items = {of_item(item): item for item in table["items"]}
            if table["next"] is not None or items.keys() != expected.keys():
                sys.exit(f"failed: by {by} there are {sorted(map(str, items))}, by the log {sorted(map(str, expected))}")
            for name, item in items.items():
                compare(f"{by} {name}", item, expected[name], table["sketch_error"])
            whole = summed(lines, lambda line: None)[None]
            compare(f"total by {by}", table["total"], whole, table["sketch_error"])
            print(f"ok: {len(items)} lines by {by}, {table['total']['requests_count']} requests")

        # Files and charts say the same once more.
        lines = of_other + servers[0].lines()
        file = csv.DictReader(io.StringIO(admin.ask("/api/v1/admin/api-usage.csv?by=route")))
        series = json.loads(admin.ask("/api/v1/admin/api-usage/series"))
        in_file = sum(int(line["requests_count"]) for line in file)
        in_series = sum(point["requests_count"] for point in series["points"])
        if (in_file, in_series) != (len(lines), len(lines) + 1):
            sys.exit(f"failed: {in_file} in the file, {in_series} in the chart, {len(lines)} in the log")
        limits = json.loads(admin.ask("/api/v1/admin/rate-limits"))
        refused = Counter(caller(line) for line in lines if line.get("problem.code") == "rate_limited")
        told = {(item["account"], item["key"]): item["refused_count"] for item in limits["items"] if item["class"] == "ai"}
        if told != dict(refused):
            sys.exit(f"failed: limits refused {told}, by the log {dict(refused)}")
        if sum(statuses.values()) != requests_count or not {200, 400, 401, 403, 404, 429} <= statuses.keys():
            sys.exit(f"failed: the answers were {statuses}")
    finally:
        for server in servers:
            server.process.kill()
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    print(f"ok: {requests_count} requests to two servers in {took_s:.1f} s ({answers})")


if __name__ == "__main__":
    main(
        sys.argv[1],
        Path(sys.argv[2] if len(sys.argv) > 2 else "target/usage-check"),
        int(sys.argv[3]) if len(sys.argv) > 3 else 100_000,
    )
