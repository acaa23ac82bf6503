"""Somebody who types what the runbook says, and looks at what comes of it."""

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from runbook.document import Typed, commands

TIME_MAX_S = 600


class Wrong(Exception):
    """What did not come as the runbook says."""


@dataclass
class Runbook:
    """The document, and what of it was typed so far."""

    path: Path
    found: dict[str, Typed] = field(default_factory=dict)
    typed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.found = commands(self.path.read_text(encoding="utf-8"))

    def take(self, text: str) -> Typed:
        """The command, which has to stand in the runbook."""
        if text not in self.found:
            raise Wrong(f"a scene types what is not in {self.path.name}: {text}")
        self.typed.add(text)
        return self.found[text]


@dataclass
class Person:
    """Who types, where, and with what in the environment."""

    book: Runbook
    place: Path
    user: str = "root"
    env: dict[str, str] = field(default_factory=dict)
    # Functions of the shell that this person has.
    functions: str = ""

    def run(self, text: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Types something that is not in the runbook."""
        env = os.environ | self.env
        as_user = [] if self.user == "root" else ["runuser", "-u", self.user, "--"]
        return subprocess.run(
            [*as_user, "bash", "-c", f"{self.functions}{text}"], cwd=self.place, env=env, input=stdin, text=True, timeout=TIME_MAX_S,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", check=False,
        )

    def does(self, text: str, stdin: str = "") -> str:
        """What comes of something that is not in the runbook, which has to go well."""
        ended = self.run(text, stdin)
        if ended.returncode:
            raise Wrong(f"to prepare, `{text}` was typed, and ended with {ended.returncode}:\n{ended.stdout[-2000:]}")
        return ended.stdout

    def json(self, text: str) -> dict:
        """The document that a command of `bist` prints."""
        return json.loads(self.does(f"{text} --json --quiet 2>/dev/null"))

    def types(
        self,
        text: str,
        *,
        fill: dict[str, object] | None = None,
        stdin: str = "",
        status: tuple[int, ...] = (0,),
        shows: str = "",
        adds: str = "",
    ) -> str:
        """Types a command of the runbook, its words filled, and `adds` after it.

        It has to end with one of `status`, and what it prints has to hold `shows`, a regular expression.
        """
        command = self.book.take(text)
        filled = text
        for word, value in (fill or {}).items():
            if word not in filled:
                raise Wrong(f"there is no {word} in: {text}")
            filled = filled.replace(word, str(value))
        ended = self.run(filled + adds, stdin)
        at = f"{self.book.path.name}:{command.lines[0]}: `{filled}{adds}`"
        if ended.returncode not in status:
            raise Wrong(f"{at} ended with {ended.returncode} and not {status}:\n{ended.stdout[-3000:]}")
        if not re.search(shows, ended.stdout):
            raise Wrong(f"{at} does not show /{shows}/:\n{ended.stdout[-3000:]}")
        return ended.stdout

    def exports(self, text: str) -> None:
        """Types an `export`, which holds for what this person types from then on."""
        self.book.take(text)
        name, _, value = text.removeprefix("export ").partition("=")
        self.env[name] = value

    def defines(self, text: str) -> None:
        """Types a function, which holds for what this person types from then on."""
        self.book.take(text)
        self.functions += f"{text}\n"


def until(condition, what: str, time_max_s: float = 60) -> None:
    """Waits for something that comes about by itself."""
    end = time.monotonic() + time_max_s
    while not condition():
        if time.monotonic() > end:
            raise Wrong(f"{what} did not come about within {time_max_s:.0f} s")
        time.sleep(0.1)
