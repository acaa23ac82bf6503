"""What the scanners ask: every operation of the OpenAPI document that reads, and some that write.

OUT gets `urls.txt` for Wapiti, the addresses of what reads with all their parameters, and for sqlmap a
file `NUMBER.request` for each operation, in which a star marks what else than a parameter may be changed.
KNOWN is a JSON document of parameters with values that exist, SIGNED_IN what `sign_in.py` made.

usage: operations.py DOCUMENT KNOWN SIGNED_IN BASE OUT
"""

import json
import sys
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

# What writes text that people give. Nobody is locked out by these, and nothing is removed.
WRITES = [
    ("post", "/api/v1/users"),
    ("post", "/api/v1/api-keys"),
    ("patch", "/api/v1/users/{user}"),
    ("post", "/api/v1/auth/login"),
    ("post", "/api/v1/auth/invitation/check"),
    ("post", "/api/v1/explanations/what-if"),
    ("post", "/api/v1/activity"),
    ("post", "/api/v1/errors"),
    ("post", "/api/v1/watchlists"),
    ("post", "/api/v1/portfolios"),
    ("post", "/api/v1/orders"),
    ("post", "/api/v1/orders/preview"),
    ("post", "/api/v1/jobs"),
    ("post", "/api/v1/jobs/{run}/cancel"),
    ("post", "/api/v1/jobs/{run}/retry"),
]


class Operations:
    """The operations of a document, with values for their parameters."""

    def __init__(self, document: dict, known: dict) -> None:
        self.document = document
        self.known = known

    def reading(self) -> list[tuple[str, str]]:
        """Method and path of all that reads."""
        paths = self.document["paths"].items()
        # A stream does not end: no answer for a scanner.
        return [("get", path) for path, item in paths if "get" in item and path != "/api/v1/live/events"]

    def operation(self, method: str, path: str) -> dict:
        """What the document says of an operation."""
        return self.document["paths"][path][method]

    def value(self, parameter: dict) -> str:
        """A value for `parameter`, one that exists if there is one."""
        schema = parameter.get("schema", {})
        usual = parameter.get("example", schema.get("default", schema.get("enum", ["1"])[0]))
        value = self.known.get(parameter["name"], usual)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def address(self, method: str, path: str, star: str) -> str:
        """The address with all parameters; `star` stands behind each where the path has one."""
        parameters = self.operation(method, path).get("parameters", [])
        in_path = [parameter for parameter in parameters if parameter["in"] == "path"]
        star = star if in_path else ""
        for parameter in in_path:
            value = quote(self.value(parameter), safe="")
            path = path.replace("{" + parameter["name"] + "}", value + star)
        query = [
            (parameter["name"], self.value(parameter) + star)
            for parameter in parameters
            if parameter["in"] == "query" and parameter["name"] != "cursor"
        ]
        return f"{path}?{urlencode(query, safe='*')}" if query else path

    def body(self, method: str, path: str) -> str:
        """A document that the operation takes."""
        content = self.operation(method, path)["requestBody"]["content"]
        name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        properties = self.document["components"]["schemas"][name]["properties"]
        usual = {}
        for field, schema in properties.items():
            # A word that is described once stands where it is used by reference.
            examples = self.referred(schema).get("examples", [])
            if examples and field not in self.known:
                usual[field] = examples[0]
            elif "example" in schema or "string" in schema.get("type", ""):
                usual[field] = self.known.get(field, schema.get("example", "none"))
        return json.dumps(usual)

    def referred(self, schema: dict) -> dict:
        """The schema that a reference stands for; nothing where there is none."""
        name = schema.get("$ref", "").rpartition("/")[2]
        return self.document["components"]["schemas"].get(name, {})


def request(operations: Operations, method: str, path: str, signed_in: dict, host: str) -> str:
    """An HTTP request by the key, or by the session where a key will not do."""
    needs = operations.operation(method, path).get("x-needs", "nothing")
    is_for_people = needs in ("session", "person") or needs.endswith("fresh code")
    body = "" if method == "get" else operations.body(method, path)
    star = "*" if method == "get" else ""
    lines = [f"{method.upper()} {operations.address(method, path, star)} HTTP/1.1", f"Host: {host}"]
    if is_for_people:
        lines += [f"Cookie: {signed_in['cookie']}", f"X-Csrf-Token: {signed_in['csrf']}"]
    elif needs != "nothing":
        lines.append(f"Authorization: Bearer {signed_in['key']}")
    if body:
        lines.append("Content-Type: application/json")
    return "\r\n".join([*lines, "", body])


def main(document: str, known: str, signed_in: str, base: str, out: str) -> None:
    texts = [json.loads(Path(file).read_text()) for file in (document, known, signed_in)]
    operations = Operations(texts[0], texts[1])
    reading = operations.reading()
    urls = [base + operations.address(method, path, "") for method, path in reading]
    (Path(out) / "urls.txt").write_text("".join(f"{url}\n" for url in urls))
    # What asks for a fresh code comes first, as long as the code is.
    for number, (method, path) in enumerate([*WRITES, *reading]):
        text = request(operations, method, path, texts[2], urlsplit(base).netloc)
        # What has nothing to be changed is left to Wapiti.
        if method != "get" or "*" in text or "?" in text.splitlines()[0]:
            (Path(out) / f"{number:02}.request").write_bytes(text.encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
