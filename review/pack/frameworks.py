"""Frameworks as people ask for them: by any name, with the corrections to print and what an organisation's own files got wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from reports.catalogue import Framework
from reports.errors import UnknownName
from reports.library import Library as Library
from reports.library import Resolution, library
from review.documents import Doc
from review.errors import RemitError
from review.organisation import frameworks_folder
from review.pack.framework_pages import compare_document, page_document


def open_library(folder: str | None, overrides: Sequence[str] = ()) -> Library:
    """The frameworks with the organisation's own files over them; needs no store. Raises RemitError where a named folder is none."""
    return library(frameworks_folder(folder), tuple(Path(one) for one in overrides))


def page(known: Library, name: str) -> tuple[Doc, list[str]]:
    """A framework by any name of it, or the entries a control's label stands for; and the correction to print, if any."""
    framework, asked = selected(known, [name])
    doc = page_document(known, framework[0])
    ids = {id for one in asked for id in one.ids}
    if ids:
        doc["items"] = [item for item in doc["items"] if item["id"] in ids]
    return doc, corrections(known, asked)


def compared(known: Library, names: Sequence[str]) -> Doc:
    """Two editions side by side; raises RemitError where they are none of one catalogue."""
    (one, other), _ = selected(known, names) if len(names) == 2 else ((None, None), None)
    if one is None or other is None:
        raise RemitError("`remit frameworks compare` wants two editions, such as owasp-llm-2025 owasp-llm-2026")
    if one.catalogue != other.catalogue:
        raise RemitError(f"{one.id} and {other.id} are no editions of one catalogue, so there is nothing to compare")
    return compare_document(known, one, other)


def selected(known: Library, names: Iterable[str]) -> tuple[list[Framework], list[Resolution]]:
    """The frameworks asked for and the labels they were asked for by; raises RemitError."""
    try:
        return known.select(names)
    except UnknownName as error:
        raise RemitError(f"{error}; see `remit frameworks`") from error


def corrections(known: Library, asked: Iterable[Resolution]) -> list[str]:
    """What is to be said of each label that is no published id."""
    told = []
    for one in asked:
        if one.correction:
            titles = known.frameworks[one.framework].by_id
            meant = ", ".join(f"{id} {titles[id].title}" for id in one.ids)
            why = "" if one.correction.startswith("published as") else f"; {one.correction}"
            told.append(f"{one.label} is {meant} in {one.framework}{why}")
    return told
