"""The contract every format fulfils."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from importers.cutting.framing import Container
from model.event import Parsed


class Reader(Protocol):
    """Reads one source, record by record, in order; it may remember what earlier records said."""

    def read(self, record: object) -> Parsed:
        """Events of one decoded, already redacted record; raises BadRecord with the reason to print."""
        ...


def placed(path: str, name: str) -> str:
    """The path of a source and the name it is told under, as the one text that `reader_of` takes."""
    return f"{path}/{name}"


def reader_of(importer: Importer, place: str) -> Reader:
    """A fresh reader, told where its source lies where it has a method `lies_at` for that.

    `place` (see `placed`) is the path a source was imported from and its name, either of which may say more: the only way to know what files
    belong together that name nothing in common. "" where nothing is known.
    """
    reader = importer.open()
    if place and (told := getattr(reader, "lies_at", None)) is not None:
        told(place)
    return reader


class Importer(Protocol):
    """One format: what it is called, how it is recognised, how one record becomes events.

    A module `importers/<name>.py` that ends in `IMPORTER = <Name>()` is found by itself; a third party's by the
    entry point group `remit.importers`, a mapping by its file `importers/mappings/<name>.yaml`. `version` rises
    whenever the same bytes give other events. An importer of text lines names their `container`, see `container_of`.
    With a member `reads_heads = True` it is also shown what stands beside the list of an envelope, as a record with
    that list empty, before the elements: `{"sessionId": "s", "messages": []}`. With `states_intents = True` it says that a
    whole log of this format holds every prompt, so that a task of it without one was given none. With `checks_chains = True` it
    holds records against the hash chain, or the hashes, that their own log keeps. With `reads_documents = True` its records may be
    written as one document in TOML or in JSON with comments, as settings are.
    """

    id: str
    title: str
    evidence: Literal["real", "fixture", "documentation"]
    version: int

    def sniff(self, sample: Sequence[object]) -> int:
        """How surely the decoded records of a source's beginning are of this format: 0 no, 100 beyond doubt."""
        ...

    def open(self) -> Reader: ...


def container_of(importer: Importer) -> Container:
    """How an importer's sources are cut into records: "json" unless it says keyvalue, csv or lines."""
    container: Container = getattr(importer, "container", "json")
    return container


def states_intents(importer: Importer) -> bool:
    """Whether a whole log of this format holds every prompt its agent was given."""
    return getattr(importer, "states_intents", False) is True


def reads_heads(importer: Importer) -> bool:
    """Whether the importer asks for the members beside the list of an envelope."""
    return getattr(importer, "reads_heads", False) is True


def reads_documents(importer: Importer) -> bool:
    """Whether a record of the format may be a whole source in TOML or in JSON with comments."""
    return getattr(importer, "reads_documents", False) is True


def checks_chains(importer: Importer) -> bool:
    """Whether the importer holds records against the hash chain their own log keeps."""
    return getattr(importer, "checks_chains", False) is True
