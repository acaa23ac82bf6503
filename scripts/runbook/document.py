"""The commands of a runbook, as they stand in it."""

import re
import subprocess
from dataclasses import dataclass

# What begins a command between backticks.
PROGRAMS = (
    "age apt-get aws bist chown curl docker du kill make mv openssl pg_ctlcluster promtool redis-cli scripts/deploy "
    "scripts/start scripts/stop service systemctl systemd-analyze /usr/lib/bist/deploy"
).split()
# What is one by itself.
ALONE = ("pg_isready", "timedatectl")
SPAN = re.compile(r"`([^`]+)`")


@dataclass
class Typed:
    """Something to be typed, and the lines on which it stands."""

    text: str
    lines: list[int]
    # Whether it is one between backticks, which may only name a command.
    is_span: bool


def without_comment(line: str) -> str:
    """`line` without what a `#` begins after a blank and outside quotes."""
    quote = ""
    for at, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (at == 0 or line[at - 1].isspace()):
            return line[:at].rstrip()
    return line.rstrip()


def is_whole(text: str) -> bool:
    """Whether a shell would begin with it, and not wait for more."""
    read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    return read.returncode == 0 and "here-document" not in read.stderr and not text.rstrip().endswith("\\")


def commands(document: str) -> dict[str, Typed]:
    """All of them by their texts, in their order."""
    found: dict[str, Typed] = {}

    def note(text: str, line: int, is_span: bool) -> None:
        known = found.setdefault(text, Typed(text, [], is_span))
        known.lines.append(line)
        known.is_span &= is_span

    language, begun, begun_at = None, "", 0
    for number, line in enumerate(document.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("```"):
            language = None if language is not None else bare[3:]
        elif language == "sh":
            # Blocks of lists are indented by three.
            line = line[3:] if line.startswith("   ") and not begun.startswith("cd ") else line
            begun_at = begun_at if begun else number
            begun = f"{begun}\n{line}" if begun else without_comment(line)
            if begun and is_whole(begun):
                note(begun if "\n" in begun else without_comment(begun), begun_at, False)
                begun = ""
        elif language is None:
            for span in SPAN.findall(line):
                if (span.split(" ")[0] in PROGRAMS and " " in span) or span in ALONE:
                    note(span, number, True)
    return found
