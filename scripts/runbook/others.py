"""Services of others that the runbook meets, in so far as it does: shares of Yahoo, the sign-in of AlgoLab."""

import datetime
import http.server
import json
import threading
import urllib.parse

DAY_S = 86_400
# 10:00 in Istanbul, as the service marks a day.
OPENED_S = 7 * 3600


def chart(symbol: str, period: dict[str, list[str]]) -> dict:
    """A day of each week that was asked for, on which nothing changed."""
    first, last = (int(period[name][0]) // DAY_S for name in ("period1", "period2"))
    is_wednesday = lambda day: datetime.date.fromordinal(719_163 + day).weekday() == 2  # noqa: E731
    times = [day * DAY_S + OPENED_S for day in range(first, last) if is_wednesday(day)]
    price = [10.0] * len(times)
    quote = {"open": price, "high": price, "low": price, "close": price, "volume": [1000] * len(times)}
    meta = {
        "currency": "TRY", "symbol": symbol, "instrumentType": "EQUITY", "exchangeTimezoneName": "Europe/Istanbul",
        "gmtoffset": 10_800, "dataGranularity": "1d", "regularMarketTime": times[-1] if times else 0,
    }
    result = {"meta": meta, "timestamp": times, "events": {}, "indicators": {"quote": [quote], "adjclose": [{"adjclose": price}]}}
    return {"chart": {"result": [result], "error": None}}


SIGN_IN = {"LoginUser": {"token": "a.token"}, "LoginUserControl": {"hash": "a.session"}}


class Answers(http.server.BaseHTTPRequestHandler):
    """What they answer."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = urllib.parse.urlsplit(self.path)
        self.answer(chart(asked.path.rsplit("/", 1)[-1], urllib.parse.parse_qs(asked.query)))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.answer({"success": True, "content": SIGN_IN[self.path.rsplit("/", 1)[-1]]})

    def answer(self, document: dict) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def started() -> str:
    """The address at which they answer from now on."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
