"""Requests as a policy engine was asked them: the `input` of OPA's own log, so that a policy in its language is replayed as it was.

Nothing is kept for it beside the records themselves, which lie in the store with their secrets replaced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from importers.opa_result import plain
from model.evidence import RequestRow
from model.request import ASKED, SEPARATOR, TOLD_BY
from review.workspace import Workspace
from store import NotKept

ENGINES = {"rego": "opa"}
"""Policy formats whose engine's own log holds what it was asked, and how its enforcement points are called."""

_REDACTED = re.compile(r"REDACTED\.[a-z0-9_-]+\.[0-9a-f]{12}")
_DEPTH = 60
_TOLD_EVERY = 500


def requests(
    work: Workspace, format: str, tasks: Collection[str] | None = None, told: Callable[[int], None] | None = None
) -> Iterator[RequestRow]:
    """Every request of the store, or of some tasks; where the format's engine decided, with the input it was asked with.

    `told` hears now and then how many are read, and may raise to give up.
    """
    engine = ENGINES.get(format)
    for number, row in enumerate(work.store.requests()):
        if told is not None and number % _TOLD_EVERY == 0:
            told(number)
        if tasks is not None and row.task not in tasks:
            continue
        points = str(row.request.get(TOLD_BY) or "").split(SEPARATOR)
        if engine is not None and any(_is_of(point, engine) for point in points):
            asked = _asked(work, row.step, engine)
            if asked:
                row.request[ASKED] = asked
        yield row


def _is_of(point: str, engine: str) -> bool:
    return point == engine or point.startswith(f"{engine}:")


def _asked(work: Workspace, step: str, engine: str) -> str:
    """What the engine's last decision on a step was asked with, as JSON of `input` and the `masked` paths in it; "" where none is stated."""
    found = work.store.step(step)
    records = [one.record for one in found.decisions if _is_of(one.point, engine)] if found is not None else []
    for record in reversed(records):
        try:
            entry = _entry(work.store.raw(record).decode("utf-8", "replace"))
        except NotKept:
            continue
        if isinstance(entry.get("input"), dict):
            try:
                return written(entry)
            except RecursionError:
                return ""
    return ""


def _entry(text: str) -> dict[str, Any]:
    """The decision in a record: a line of JSON, whatever a shipper wrote before it or wrapped it in."""
    at = text.find("{")
    if at < 0:
        return {}
    try:
        entry, _ = json.JSONDecoder(strict=False).raw_decode(text, at)
    except (ValueError, RecursionError):
        return {}
    if "decision_id" not in entry:
        for inner in entry.values():
            if isinstance(inner, str) and "decision_id" in inner:
                return _entry(inner)
    return entry if isinstance(entry, dict) else {}


def written(entry: dict[str, Any]) -> str:
    """A decision's input and which of its paths do not stand there as they were: erased, masked, or a secret replaced.

    Raises RecursionError where it is nested too deep.
    """
    input = entry["input"]
    if set(input) == {"type", "value"} and input["type"] == "object":
        input = plain(input)
    masked = [path for name in ("erased", "masked") for path in _pointers(entry.get(name))]
    masked += _replaced(input, (), 0)
    return json.dumps({"input": input, "masked": sorted(masked)}, sort_keys=True)


def _pointers(value: object) -> Iterator[list[str]]:
    """JSON pointers into the input as lists of names; `/input` alone is all of it."""
    for one in value if isinstance(value, list) else ():
        steps = [step.replace("~1", "/").replace("~0", "~") for step in str(one).strip("/").split("/")]
        if steps[0] == "input":
            yield steps[1:]


def _replaced(value: object, path: tuple[str, ...], depth: int) -> Iterator[list[str]]:
    if depth > _DEPTH:
        raise RecursionError
    if isinstance(value, str):
        if _REDACTED.search(value):
            yield list(path)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if _REDACTED.search(name):
                yield list(path)
            yield from _replaced(inner, (*path, name), depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _replaced(inner, (*path, str(number)), depth + 1)
