"""The control of the scanners: a server with the faults that they look for.

It answers this machine only, and writes its address to standard output. A scanner that finds nothing
here says nothing by finding nothing elsewhere.

usage: vulnerable.py
"""

import json
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

DATABASE = sqlite3.connect(":memory:", check_same_thread=False)
DATABASE.executescript(
    "CREATE TABLE users (name TEXT, password TEXT);"
    "INSERT INTO users VALUES ('ayse', 'balloon'), ('can', 'kitten');"
)


def users_named(name: str) -> str:
    """The users called `name`, by a statement that `name` can change."""
    try:
        rows = DATABASE.execute(f"SELECT name FROM users WHERE name = '{name}'").fetchall()
    except sqlite3.Error as error:
        return f"sqlite3.OperationalError: {error}"
    return f"{len(rows)} found: {rows}"


class Handler(BaseHTTPRequestHandler):
    """`/users?name=` and `POST /users` ask the database, `/welcome?name=` greets."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        name = parse_qs(url.query).get("name", [""])[0]
        if url.path == "/users":
            self.answer(f"<html><body><p>{users_named(name)}</p></body></html>")
        elif url.path == "/welcome":
            self.answer(f"<html><body><p>Welcome, {name}!</p></body></html>")
        else:
            self.answer('<html><body><a href="/welcome?name=ayse">welcome</a></body></html>')

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        try:
            name = str(json.loads(self.rfile.read(length))["name"])
        except (ValueError, KeyError, TypeError):
            self.answer("no document with a name", 400)
            return
        self.answer(users_named(name))

    def answer(self, text: str, status: int = 200) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{SERVER.server_address[1]}", flush=True)
    SERVER.serve_forever()
