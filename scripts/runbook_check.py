#!/usr/bin/env python3
"""Types each command of the runbook as it stands there, and looks at what comes of it.

On a copy of this machine that is thrown away (scripts/runbook/machine.py), in the order in which somebody
would set up, run and mend an installation (scripts/runbook/scenes.py). A command of docs/OPERATIONS.md
that no scene types fails the check, and so does a scene for one that is not there.

usage: runbook_check.py BIST
"""

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from runbook import machine
from runbook.person import Runbook, Wrong
from runbook.scenes import Scenes

CHECKOUT = Path(__file__).resolve().parent.parent
# Beginnings of what is not typed here, and what it is checked by instead.
ELSEWHERE = {
    "docker ": "there is no engine; `make lint-deploy` has the files read by `docker compose config`",
    "BIST_PUBLIC_URL=https://bist.example docker ": "as the others of docker",
    "systemctl ": "no systemd runs; the runbook has what takes its place, which is typed",
    "systemd-analyze ": "`make lint-deploy` has the exposure of each unit judged by it",
    "timedatectl": "as systemctl",
    "make ": "each is a check of its own, or builds the program that is tried here",
    "aws ": "scripts/s3_check.sh types it, where there is an object store and a client",
}
# Words between backticks that name a command, which is typed elsewhere with what it needs.
NAMES = (
    "audit list",
    "audit root",
    "backup",
    "backup verify",
    "jobs run retraining",
    "jobs show",
    "secrets",
    "serve",
    "tune",
    "users remove-second-factor",
    "users reset",
    "users sign-out",
)


def is_there(name: str, bist: Path) -> bool:
    """Whether there is a command of this name."""
    return subprocess.run([bist, *name.split(" "), "--help"], capture_output=True, check=False).returncode == 0


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    bist = Path(sys.argv[1]).resolve()
    machine.enter(CHECKOUT, bist)
    began = time.monotonic()
    book = Runbook(CHECKOUT / "docs/OPERATIONS.md")
    scenes = Scenes(book, bist, CHECKOUT)
    try:
        for name, scene in scenes.all():
            before, at = len(book.typed), time.monotonic()
            scene()
            print(f"{name}: {len(book.typed) - before} commands, {time.monotonic() - at:.0f} s", flush=True)
    except Wrong as wrong:
        print(f"the runbook does not hold: {wrong}", file=sys.stderr)
        return 1
    left = [typed for text, typed in book.found.items() if text not in book.typed]
    elsewhere = [typed for typed in left if typed.text.startswith(tuple(ELSEWHERE))]
    for beginning, why in ELSEWHERE.items():
        count = sum(typed.text.startswith(beginning) for typed in elsewhere)
        print(f"not typed: {count} beginning with `{beginning.strip()}`: {why}")
    names = {f"bist {name}" for name in NAMES if is_there(name, bist)}
    named = [typed for typed in left if typed.is_span and typed.text in names]
    missed = [typed for typed in left if typed not in elsewhere and typed not in named]
    for typed in missed:
        print(f"{book.path.name}:{typed.lines[0]}: nobody types `{typed.text}`", file=sys.stderr)
    print(
        f"{len(book.typed)} commands of the runbook typed, {len(named)} more only named, {len(elsewhere)} checked "
        f"elsewhere, {time.monotonic() - began:.0f} s"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
