"""What an installation needs, as the lock has it: `locked.py versions` for pip to plan by, `locked.py PLAN` (pip's `--report`) with hashes.

The lock is of the whole development environment; an image wants the part that its extras need, and nothing without a hash.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)([^\\]*)", re.MULTILINE)


def pins(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """By name and version: the requirement as one line, and as it stands, with its hashes."""
    starts = [*_PIN.finditer(text)]
    ends = [one.start() for one in starts[1:]] + [len(text)]
    return {(one[1], one[2]): (one[0].strip(), text[one.start() : end]) for one, end in zip(starts, ends, strict=True)}


def main(what: str) -> None:
    known = pins(LOCK.read_text("utf-8"))
    if what == "versions":
        print("\n".join(line for line, _ in known.values()))
        return
    planned = [one["metadata"] for one in json.loads(Path(what).read_text("utf-8"))["install"]]
    for one in planned:
        name = re.sub(r"[-_.]+", "-", one["name"]).lower()
        if name == "remit":
            continue
        if (name, one["version"]) not in known:
            sys.exit(f"{name} {one['version']} is not in {LOCK.name}")
        print(known[name, one["version"]][1], end="")


if __name__ == "__main__":
    main(sys.argv[1])
