"""Noise laid over generated logs after they were written: order lost within files, one account for everybody.

Truth names records by file and line, so it is told where each of them went.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samplegen.world import PEOPLE

SHARED = "svc-coding-agents"
"""The service account that stands for everybody."""

_AGENTS = ("claude-code", "codex")


def shuffle(logs: Path, seed: int = 1) -> None:
    """Lose the order of records within every log but the agents' own, whose order is part of what they say."""
    rng = random.Random(seed)
    moved: dict[tuple[str, int, int], tuple[int, int]] = {}
    for path in _others(logs):
        if path.suffix == ".json":
            records = json.loads(path.read_text("utf-8"))["Records"]
            order = rng.sample(range(len(records)), len(records))
            path.write_text(json.dumps({"Records": [records[n] for n in order]}, separators=(",", ":")), "utf-8")
            moved |= {(path.name, 1, old + 1): (1, new + 1) for new, old in enumerate(order)}
        else:
            lines = path.read_bytes().splitlines(keepends=True)
            order = rng.sample(range(len(lines)), len(lines))
            path.write_bytes(b"".join(lines[n] for n in order))
            moved |= {(path.name, old + 1, 0): (new + 1, 0) for new, old in enumerate(order)}

    def tell(place: dict[str, Any]) -> None:
        line, index = moved.get((place["file"], place["line"], place.get("index") or 0), (place["line"], place.get("index") or 0))
        place["line"] = line
        if index:
            place["index"] = index

    _retell(logs / "truth.json", tell)


def share_accounts(logs: Path) -> None:
    """Let one service account do everybody's work, in all logs but the agents' own."""
    names = [name for one in PEOPLE.values() for name in (one.email, one.login, one.name)]
    for path in _others(logs):
        text = path.read_text("utf-8")
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, SHARED)
        path.write_text(text, "utf-8")


def _others(logs: Path) -> list[Path]:
    kinds = (".jsonl", ".ndjson", ".log", ".json")
    return sorted(
        path
        for path in logs.iterdir()
        if path.suffix in kinds and path.name != "truth.json" and not path.name.startswith(_AGENTS)
    )


def _retell(path: Path, tell: Callable[[dict[str, Any]], None]) -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "file" in value and "line" in value:
                tell(value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    truth = json.loads(path.read_text("utf-8"))
    walk(truth)
    path.write_text(json.dumps(truth), "utf-8")
