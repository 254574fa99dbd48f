"""The folder `oscal`: assessment results per framework with an OSCAL catalogue, and a plan of action for what stands open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from reports.canonical import write_canonical
from reports.renderers.base import Document
from reports.renderers.oscal_parts import Shared
from reports.renderers.oscal_poam import plan_of_action
from reports.renderers.oscal_results import assessment_results
from reports.renderers.oscal_words import Piece


class Oscal:
    """Files are left out where OSCAL demands what there is not: a reviewed control, an item that stands open."""

    id = "oscal"
    title = "OSCAL assessment results and plan of action"
    order = 40
    alone = True

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        shared = Shared(document, folder)
        made: dict[str, int] = {}
        for name, written in _documents(shared):
            if written is not None:
                path = folder / name
                path.parent.mkdir(exist_ok=True)
                write_canonical(path, written)
                made[name] = -1
        return made


def _documents(shared: Shared) -> Iterator[tuple[str, Piece | None]]:
    for section in shared.document["frameworks"]:
        if section["oscal"] is not None:
            yield f"oscal/assessment-results-{_name(section['id'])}.json", assessment_results(shared, section)
    yield "oscal/plan-of-action.json", plan_of_action(shared)


def _name(framework: str) -> str:
    return re.sub("[^A-Za-z0-9._-]", "_", framework)[:120]


RENDERER = Oscal()
