"""report.html: one file for people. No script, nothing loaded from outside, made to be printed and read aloud."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from reports.input import StepRow
from reports.renderers.base import Choices, Document
from reports.renderers.templating import Page
from reports.sections.steps import action, decision, outcome
from reports.text import neutral, when

LARGEST = 5_000_000
"""Bytes of the page by default; where hostile or very many values would make it larger, fewer of them are shown."""
SHOWN = {"findings": 200, "blind": 50, "rows": 300, "evidence": 10, "ids": 6}
ALL = dict.fromkeys(SHOWN, 2**31)
_STEPS = ".steps"


class _Steps:
    """Keeps the population beside the page that is to be made, so that memory does not grow with it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")
        self._encode = msgspec.json.Encoder().encode

    def add(self, row: StepRow) -> None:
        shown = {
            "task": row.task,
            "step": row.id,
            "at": when(row.at),
            "action": action(row),
            "decision": decision(row),
            "credential": ", ".join(row.credentials) or "none seen",
            "outcome": outcome(row),
            "verdict": row.verdict,
        }
        self._file.write(self._encode(neutral(shown)) + b"\n")

    def close(self) -> dict[str, int]:
        self._file.close()
        return {}


def _population(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for task, steps in groupby(map(msgspec.json.decode, file), key=lambda row: row["task"]):
            yield {"id": task, "steps": steps}


class Html:
    """The main format for people; with `full` every finding and the whole population, without it at most LARGEST bytes."""

    id = "html"
    title = "HTML (one file)"
    order = 30

    def __init__(self, choices: Choices | None = None) -> None:
        self._choices = choices or Choices()

    def configured(self, choices: Choices) -> Html:
        return Html(choices)

    def population(self, folder: Path) -> _Steps | None:
        return _Steps(folder / _STEPS) if self._choices.full else None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        page = Page("report.html", html=True, folder=self._choices.templates)
        out = folder / "report.html"
        if self._choices.full:
            page.write(out, report=document, show=ALL, population=_population(folder / _STEPS))
            (folder / _STEPS).unlink()
            return {out.name: -1}
        show = SHOWN
        page.write(out, report=document, show=show)
        while out.stat().st_size > LARGEST and any(n > 1 for n in show.values()):
            show = {name: max(1, n // 2) for name, n in show.items()}
            page.write(out, report=document, show=show)
        return {out.name: -1}


RENDERER = Html()
