"""The evidence vocabulary: what a detection needs before its silence means anything, and what was delivered."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from model.words import EventKind, Phase, Vantage
from reports import yamlfile
from reports.errors import DataError
from reports.input import Delivered

Population = Literal["steps", "covered_steps", "decided_steps", "tasks", "credentials", "records", "findings"]


class Term(msgspec.Struct, frozen=True):
    """One kind of evidence: events of these kinds, phases and vantages (`of`), or a fact by name.

    `vantages` says which enforcement points it rests on: where one of them is known to exist and is not seen, the
    term is incomplete.
    """

    title: str
    kinds: tuple[EventKind, ...] = ()
    phases: tuple[Phase, ...] = ()
    of: tuple[Vantage, ...] = ()
    fact: str = ""
    vantages: tuple[Vantage, ...] = ()

    def met_by(self, row: Delivered) -> bool:
        if self.fact:
            return self.fact in row.facts
        return (
            row.events > 0
            and (not self.kinds or row.kind in self.kinds)
            and (not self.phases or row.phase in self.phases)
            and (not self.of or row.vantage in self.of)
        )

    def points(self, rows: Iterable[Delivered]) -> frozenset[str]:
        """The enforcement points whose events meet this term; none for a fact that no event kind expresses."""
        return frozenset(row.point for row in rows if self.met_by(row))


class Need(msgspec.Struct, frozen=True):
    """What one detection needs, all of it, and the population it looks over.

    The findings of an `optional` one count; where it lacks its evidence, the other detections of a control still speak, unless
    what it lacks is an enforcement point that the organisation expects.
    """

    needs: tuple[str, ...]
    population: Population
    optional: bool = False


class Classified(msgspec.Struct, frozen=True):
    """A framework that is left off until a person has stated a classification; items bind by role."""

    ask: str
    roles: dict[str, tuple[str, ...]]


class OscalCatalogue(msgspec.Struct, frozen=True):
    """A catalogue its publisher also gives as OSCAL; `statement` is what its ids of statements add to the control's."""

    catalogue: str
    edition: str
    title: str
    statement: str


class Vocabulary(msgspec.Struct):
    """The file `evidence-vocabulary.yaml`, checked."""

    vocabulary_schema: int
    terms: dict[str, Term]
    populations: dict[Population, str]
    detections: dict[str, Need]
    threat_lists: tuple[str, ...] = ()
    printed_notes: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    listed_only: dict[str, str] = msgspec.field(default_factory=dict)
    needs_classification: dict[str, Classified] = msgspec.field(default_factory=dict)
    oscal_catalogues: tuple[OscalCatalogue, ...] = ()

    def met(self, delivered: Iterable[Delivered], facts: Iterable[str]) -> frozenset[str]:
        """Names of the terms that what was delivered meets; more evidence never takes one away."""
        rows, known = list(delivered), set(facts)
        return frozenset(name for name, term in self.terms.items() if term.fact in known or any(map(term.met_by, rows)))

    def need_of(self, detection: str) -> Need:
        """What a detection needs; one the vocabulary does not know (an organisation's own) needs action events."""
        return self.detections.get(detection, Need(("actions",), "steps"))


@cache
def vocabulary() -> Vocabulary:
    """The shipped vocabulary; raises DataError where it names a term it does not define."""
    path = files("reports").joinpath("frameworks").joinpath("evidence-vocabulary.yaml")
    found = yamlfile.convert(yamlfile.load(path.read_bytes(), path.name), Vocabulary, path.name)
    for detection, need in found.detections.items():
        for name in need.needs:
            if name not in found.terms:
                raise DataError(path.name, f"{detection} needs {name!r}, which is no term")
    return found
