"""The contract every format fulfils, and the registry that finds the formats."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import msgspec

from reports.errors import UnknownName
from reports.input import StepRow
from reports.renderers.folder import TemplateFolder


class Choices(msgspec.Struct, frozen=True):
    """How the pages for people are made: with the whole population, with templates of the organisation's own;
    `also` names formats to make beside the usual ones."""

    full: bool = False
    templates: TemplateFolder | None = None
    also: frozenset[str] = frozenset()


Document = dict[str, Any]
"""The report as plain, already harmless values: `document.Report` turned into dicts and lists."""


class PopulationSink(Protocol):
    """Takes the population row by row as it streams by."""

    def add(self, row: StepRow) -> None: ...

    def close(self) -> dict[str, int]:
        """Finish the file; file names with the number of records in each."""
        ...


class Renderer(Protocol):
    """One format. `order` places it: tables come first, so that later formats can state how many records they hold.

    `render` writes its files into the folder and returns their names with the number of records in each, -1 for a
    file that holds no records. A name may lie in a sub-folder (`oscal/x.json`), which `render` makes; its parts are plain
    ASCII names. The same document gives the same bytes. One with `on_request` is made only when it
    is named; one with `configured` gives itself as the choices want it. One that is `alone` reads neither `records` nor
    `digests` of the document and passes over the findings one by one: it may be made at any time, and by another process, as may
    the table of the population of one that is `streamed`.
    """

    id: str
    title: str
    order: int

    def population(self, folder: Path) -> PopulationSink | None:
        """A sink for the population, or None where the format does not carry it."""
        ...

    def render(self, document: Document, folder: Path) -> dict[str, int]: ...


@cache
def renderers() -> dict[str, Renderer]:
    """All formats by id, in the order they are written."""
    found: dict[str, Renderer] = {}
    package = importlib.import_module("reports.renderers")
    for module in pkgutil.iter_modules(package.__path__):
        candidate = getattr(importlib.import_module(f"reports.renderers.{module.name}"), "RENDERER", None)
        if candidate is not None:
            found[candidate.id] = candidate
    return dict(sorted(found.items(), key=lambda pair: (pair[1].order, pair[0])))


def choose(only: set[str] | None, choices: Choices | None = None) -> list[Renderer]:
    """The formats asked for, without a wish all that need no asking; raises UnknownName with the nearest names."""
    known = renderers()
    for name in sorted({*(only or ()), *(choices.also if choices else ())}):
        if name not in known:
            raise UnknownName("report format", name, known)
    also = choices.also if choices else frozenset()
    usual = {name for name, r in known.items() if not getattr(r, "on_request", False)}
    wanted = [r for name, r in known.items() if name in also or name in (usual if only is None else only)]
    return [r.configured(choices) if choices and hasattr(r, "configured") else r for r in wanted]
