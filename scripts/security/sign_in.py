"""Signs in as the first administrator, and makes a key with every scope.

Accepts the invitation and enrols a second factor, since administrators need one. The token of the key,
the cookie of the session and the token of its pages go to OUT, a JSON document.

usage: sign_in.py BASE CA_FILE INVITATION_TOKEN OUT
"""

import base64
import hmac
import json
import ssl
import struct
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

PASSWORD = "kirmizi balon dokuz kedi"
STEP_S = 30


def one_time_code(secret: str) -> str:
    """The code of this moment, by RFC 6238 with SHA-1, 30 s and 6 digits."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // STEP_S), "sha1")
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Session:
    """A browser of sorts."""

    def __init__(self, base: str, ca_file: str) -> None:
        self.base = base
        self.cookies = CookieJar()
        context = ssl.create_default_context(cafile=ca_file)
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context),
            urllib.request.HTTPCookieProcessor(self.cookies),
        )

    def ask(self, path: str, body: dict | None = None, csrf: str | None = None) -> dict:
        """Reads `path`, or sends `body` to it, and gives the document of the answer."""
        headers = {"accept": "application/json"}
        data = None
        if body is not None:
            headers["content-type"] = "application/json"
            data = json.dumps(body).encode()
        if csrf is not None:
            headers["x-csrf-token"] = csrf
        request = urllib.request.Request(self.base + path, data=data, headers=headers)
        with self.opener.open(request) as answer:
            return json.loads(answer.read() or b"null")

    def csrf(self) -> str:
        """The token of the pages of the session."""
        return self.ask("/api/v1/auth/session")["csrf_token"]


def main(base: str, ca_file: str, token: str, out: str) -> None:
    session = Session(base, ca_file)
    session.ask("/api/v1/auth/invitation", {"token": token, "password": PASSWORD})
    secret = session.ask("/api/v1/auth/2fa/setup", {}, session.csrf())["secret"]
    session.ask("/api/v1/auth/2fa/confirm", {"code": one_time_code(secret)}, session.csrf())
    csrf = session.csrf()
    scopes = ["read", "trade", "analyse", "admin"]
    made = session.ask("/api/v1/api-keys", {"name": "security check", "scopes": scopes}, csrf)
    cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)
    Path(out).write_text(json.dumps({"key": made["token"], "cookie": cookie, "csrf": csrf}))


if __name__ == "__main__":
    main(*sys.argv[1:])
