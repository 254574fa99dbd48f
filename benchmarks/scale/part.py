"""One part of `benchmarks.scale.measuring` in a process of its own, so that its memory is its own: prints one JSON object.

Importing is timed from the inside: each stage hands the next one record at a time, so that a stage's own time is what its
generator took less what the one it draws from took. The processes that large files are read in otherwise are left out:
processor seconds are the same work, less the handing over.
"""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from time import process_time
from typing import Any, TypeVar

from chains.enrich import enrich
from importers import open_source
from importers.registry import importers
from review.derive.building import build
from review.intake import importing
from review.intake.ahead import Ahead
from review.intake.cleaning import Cleaning
from review.intake.feed import Feed
from review.intake.helper import Helper
from review.workspace import Workspace, open_workspace

Found = dict[str, Mapping[str, float]]
T = TypeVar("T")
SPENT: defaultdict[str, float] = defaultdict(float)
"""Processor seconds by stage, what it draws from included."""


def timed(stage: str, items: Iterator[T]) -> Iterator[T]:
    """The same items; what drawing them took is added to the stage."""
    while True:
        start = process_time()
        item = next(items, None)
        SPENT[stage] += process_time() - start
        if item is None:
            return
        yield item


class _Source:
    """An open source whose cutting is timed."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def items(self) -> Iterator[Any]:
        return timed("read", self._source.items())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


class _Cleaning(Cleaning):
    def items(self) -> Iterator[Any]:
        return timed("redact", super().items())


class _Feed(Feed):
    def batches(self) -> Iterator[Any]:
        return timed("parse", super().batches())


class _Alone(Helper):
    def wanted(self, path: Any) -> bool:
        return False


class _Here(Ahead):
    def over(self, sources: Any) -> Any:
        return ((source, None) for source in sources)


def imported(work: Workspace, logs: str) -> Found:
    """Everything up to stored evidence; `store` is what is left: writing and committing."""
    opening, enriching = open_source, enrich

    def opened(*args: Any, **more: Any) -> Any:
        start = process_time()
        source = opening(*args, **more)
        SPENT["open"] += process_time() - start
        return _Source(source)

    def enriched(event: Any) -> Any:
        start = process_time()
        event = enriching(event)
        SPENT["enrich"] += process_time() - start
        return event

    patched: dict[str, Any] = {
        "open_source": opened,
        "Cleaning": _Cleaning,
        "Feed": _Feed,
        "Helper": _Alone,
        "Ahead": _Here,
        "enrich": enriched,
    }
    for name, value in patched.items():
        setattr(importing, name, value)
    importers()
    start = process_time()
    report = importing.import_logs(work, [logs])
    whole = process_time() - start
    read, redact, parse = SPENT["read"], SPENT["redact"] - SPENT["read"], SPENT["parse"] - SPENT["redact"]
    read += SPENT["open"]
    rest = whole - read - redact - parse - SPENT["enrich"]
    cpu = {"read": read, "redact": redact, "parse": parse, "enrich": SPENT["enrich"], "store": rest}
    return {"cpu": cpu, "counts": {"events": sum(one.events for one in report.sources)}}


def built(work: Workspace, _logs: str) -> Found:
    """Tasks, links, findings and the search index, from stored evidence; the second process's time is in it."""
    start = os.times()
    made = build(work)
    end = os.times()
    cpu = sum(end[:4]) - sum(start[:4])
    return {"cpu": {"build": cpu}, "counts": made}


def indexed(work: Workspace, _logs: str) -> Found:
    """The policy index, made from the database."""
    from review.policy.history_index import open_history

    start = process_time()
    history = open_history(work, keep_from=0)
    return {
        "cpu": {"index": process_time() - start},
        "counts": {"requests": history.requests, "shapes": history.size, "cells": len(history.row_cell)},
    }


def replayed(work: Workspace, _logs: str) -> Found:
    """A first dry-run of forty rules, the index opened before."""
    from benchmarks.policy_history import forty, policy
    from policy import Replayer
    from review.policy.history_index import open_history
    from review.policy.studio import FLIPS_FIRST

    replayer = Replayer(open_history(work))
    rules = policy(forty())
    start = process_time()
    replayer.run(rules, flips_limit=FLIPS_FIRST)
    return {"cpu": {"dry-run": process_time() - start}, "counts": {}}


PARTS = {"import": imported, "build": built, "index": indexed, "replay": replayed}


def main() -> int:
    part, url, logs = sys.argv[1:]
    with open_workspace(url, None, create=part == "import") as work:
        print(json.dumps(PARTS[part](work, logs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
