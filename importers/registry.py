"""Which formats there are: modules of this package, mappings in `importers/mappings`, and third parties' entry points."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec

from importers.base import Importer

GROUP = "remit.importers"
"""The entry point group under which an installed distribution offers importers."""

_MEMBERS = ("id", "title", "evidence", "version", "sniff", "open")


@cache
def importers() -> dict[str, Importer]:
    """All importers by id, ours and third parties', in the order of their ids."""
    # YAML and JMESPath: a process that reads one format can do without them.
    from importers.mapping.file import built_in

    found: dict[str, Importer] = {}
    package = importlib.import_module("importers")
    for module in pkgutil.iter_modules(package.__path__):
        candidate = getattr(importlib.import_module(f"importers.{module.name}"), "IMPORTER", None)
        if candidate is not None:
            found[candidate.id] = candidate
    for one in (*built_in(), *_offered()[0]):
        found.setdefault(one.id, one)
    return dict(sorted(found.items()))


def importer_named(id: str) -> Importer | None:
    """One importer by its id; the others are not loaded for it where its module is called as it is."""
    name = id.replace("-", "_")
    if not importers.cache_info().currsize and name.isidentifier() and find_spec(f"importers.{name}") is not None:
        candidate: Importer | None = getattr(importlib.import_module(f"importers.{name}"), "IMPORTER", None)
        if candidate is not None and candidate.id == id:
            return candidate
    return importers().get(id)


def broken() -> dict[str, str]:
    """Third parties' importers that cannot be used, by the name of their entry point, and why: the others work on."""
    return _offered()[1]


@cache
def _offered() -> tuple[list[Importer], dict[str, str]]:
    made: list[Importer] = []
    faults: dict[str, str] = {}
    for entry in entry_points(group=GROUP):
        try:
            candidate = entry.load()
        except Exception as error:  # noqa: BLE001  whatever a stranger's module does at import must not end ours
            faults[entry.name] = f"{entry.value} cannot be loaded: {type(error).__name__}: {error}"
            continue
        missing = [name for name in _MEMBERS if not hasattr(candidate, name)]
        if missing:
            faults[entry.name] = f"{entry.value} is no importer: it lacks {', '.join(missing)}"
        else:
            made.append(candidate)
    return made, faults
