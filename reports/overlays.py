"""Licensed text: a file of the organisation's own that fills in titles and text which this package may not carry."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reports import yamlfile
from reports.catalogue import Framework, Item, named
from reports.errors import DataError, UnknownName


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The publisher's own title and text of one entry; either may be left out."""

    title: str = ""
    text: str = ""


class Overlay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An overlay file. `licence` says whose text it is and by what right it is held; reports print it beside the text."""

    overlay_schema: int
    catalogue: str
    licence: str
    items: dict[str, Entry]


def parse(data: bytes, value: dict[str, object], name: str) -> Overlay:
    """An overlay from a file's plain `value`; raises DataError with the line."""
    found = yamlfile.convert(value, Overlay, name, data)
    if found.overlay_schema != 1:
        place = yamlfile.where(data, ["overlay_schema"])
        raise DataError(name, f"{place}overlay_schema {found.overlay_schema} is not known here (1 is)")
    if not found.licence.strip():
        raise DataError(name, f"{yamlfile.where(data, ['licence'])}licence must say by what right the text is held")
    return found


def overlaid(frameworks: Mapping[str, Framework], overlay: Overlay, name: str, data: bytes) -> Framework:
    """The catalogue with the overlay's text in it; raises DataError where it names what is not there."""
    try:
        framework = named(overlay.catalogue, frameworks)
    except UnknownName as error:
        raise DataError(name, f"{yamlfile.where(data, ['catalogue'])}{error}") from error
    texts: dict[str, Entry] = {}
    for label, entry in overlay.items.items():
        ids = framework.find(label)
        if len(ids) != 1:
            raise DataError(name, f"{yamlfile.where(data, ['items', label])}{label!r} is no entry of {framework.id}")
        texts[ids[0]] = entry
    items = tuple(_filled(item, texts[item.id]) if item.id in texts else item for item in framework.items)
    return msgspec.structs.replace(framework, items=items, overlay=overlay.licence)


def _filled(item: Item, entry: Entry) -> Item:
    return msgspec.structs.replace(item, title=entry.title or item.title, licensed=entry.text)
