"""Framework catalogues: one YAML file per edition, found by listing; items, attribution, labels of other spellings."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from reports import yamlfile
from reports.errors import DataError, SeveralNames, UnknownName
from reports.labels import plain, unedited

Reading = Literal["controls", "threats"]
_THREAT_KINDS = ("risk list", "threat", "adversary")
HEADINGS = frozenset({"function", "category", "objective-group", "heading"})


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a catalogue. `statement` is the publisher's text where it is public domain, `summary` our own words.

    `same` names the same entry in other editions, by edition (`same_risk_in_2025: LLM06:2025` in the file). `licensed` is text
    that an organisation holds a licence for and brought itself (see `reports.overlays`).
    """

    id: str
    title: str
    kind: str = ""
    parent: str | None = None
    summary: str = ""
    statement: str = ""
    verified: bool = True
    official_id: bool = True
    oscal_id: str = ""
    oscal_token: str = ""
    padded_label: str = ""
    note: str = ""
    same: dict[str, str] = msgspec.field(default_factory=dict)
    licensed: str = ""

    @property
    def heading(self) -> bool:
        """True for an entry that groups others and is never assessed itself."""
        return self.kind in HEADINGS


class Head(msgspec.Struct, kw_only=True):
    """What a catalogue file says of itself; see `docs` of the fields in reports/frameworks."""

    catalogue_schema: int
    id: str
    edition: str
    title: str
    publisher: str
    version: str = ""
    published: str = ""
    status: str = ""
    kind: str = ""
    reading: Reading | None = None
    licence: str = ""
    quoting: str = ""
    attribution: str
    verification: str = ""
    notes: tuple[str, ...] = ()
    aliases: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)
    checked_on: str = ""
    items: tuple[Item, ...]


class Framework(msgspec.Struct, kw_only=True, frozen=True):
    """A catalogue in one edition. `id` is the file's stem, by which it is asked for (`owasp-asi-2026`).

    `overlay` says under which licence text of the organisation's own stands in it, "" where none does.
    """

    id: str
    sha256: str
    catalogue: str
    edition: str
    title: str
    publisher: str
    version: str
    published: str
    status: str
    kind: str
    reading: Reading
    licence: str
    quoting: str
    attribution: str
    verification: str
    notes: tuple[str, ...]
    aliases: dict[str, tuple[str, ...]]
    checked_on: str
    items: tuple[Item, ...]
    overlay: str = ""

    @property
    def by_id(self) -> dict[str, Item]:
        return {item.id: item for item in self.items}

    @property
    def assessable(self) -> tuple[Item, ...]:
        """The items that get a result: everything but headings, in the catalogue's order."""
        return tuple(item for item in self.items if not item.heading)

    def find(self, label: str) -> tuple[str, ...]:
        """Published ids behind a label in any spelling (`AC-02(09)`, `ac-2.9`, `NHI7`, `A2`); empty if unknown or ambiguous."""
        if label in self.by_id:
            return (label,)
        folded = label.strip().casefold()
        exact = [i.id for i in self.items if folded in _spellings(i, self.edition)]
        if len(exact) == 1:
            return (exact[0],)
        for alias, ids in self.aliases.items():
            if folded == alias.casefold():
                return ids
        wanted = unedited(label, self.edition)
        meant = [i.id for i in self.items if wanted and wanted in (unedited(i.id, self.edition), plain(i.oscal_id))]
        return (meant[0],) if len(meant) == 1 else ()


def _spellings(item: Item, edition: str) -> frozenset[str]:
    given = (item.id, item.id.removesuffix(f":{edition}"), item.oscal_id, item.oscal_token, item.padded_label)
    return frozenset(text.casefold() for text in given if text)


_SAME = "same_risk_in_"


def _editions(value: dict[str, object]) -> None:
    """Gather what an entry says of other editions of itself, whichever they are."""
    items = value.get("items")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            links = {str(key).removeprefix(_SAME): text for key, text in item.items() if str(key).startswith(_SAME)}
            if links:
                item.setdefault("same", links)


def read_catalogue(data: bytes, value: dict[str, object], name: str) -> Framework:
    """The catalogue that a file's plain `value` holds, called by the file's stem; raises DataError with the line."""
    stem = Path(name).stem
    _editions(value)
    head = yamlfile.convert(value, Head, name, data)
    reading = head.reading or ("threats" if any(word in head.kind for word in _THREAT_KINDS) else "controls")
    aliases = {label: (ids,) if isinstance(ids, str) else ids for label, ids in head.aliases.items()}
    _check(head, aliases, name, data)
    return Framework(
        id=stem,
        sha256=sha256(data).hexdigest(),
        catalogue=head.id,
        edition=head.edition,
        title=head.title,
        publisher=head.publisher,
        version=head.version,
        published=head.published,
        status=head.status,
        kind=head.kind,
        reading=reading,
        licence=head.licence,
        quoting=head.quoting,
        attribution=head.attribution,
        verification=head.verification,
        notes=head.notes,
        aliases=aliases,
        checked_on=head.checked_on,
        items=head.items,
    )


def _check(head: Head, aliases: dict[str, tuple[str, ...]], name: str, data: bytes) -> None:
    def wrong(reason: str, *steps: str | int) -> DataError:
        return DataError(name, yamlfile.where(data, steps) + reason)

    if head.catalogue_schema != 1:
        raise wrong(f"catalogue_schema {head.catalogue_schema} is not known here (1 is)", "catalogue_schema")
    known: set[str] = set()
    for place, item in enumerate(head.items):
        if not item.id.strip():
            raise wrong("an item has an empty id", "items", place)
        if item.id in known:
            raise wrong(f"item {item.id!r} occurs twice", "items", place)
        known.add(item.id)
    for label, targets in aliases.items():
        for target in targets:
            if target not in known:
                raise wrong(f"alias {label!r} names {target!r}, which is no item of this catalogue", "aliases", label)


@cache
def shipped() -> dict[str, Framework]:
    """The catalogues of this package by id, in order."""
    found: dict[str, Framework] = {}
    for entry in sorted(files("reports").joinpath("frameworks").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".yaml"):
            data = entry.read_bytes()
            value = yamlfile.load(data, entry.name)
            if isinstance(value, dict) and "catalogue_schema" in value:
                made = read_catalogue(data, value, entry.name)
                found[made.id] = made
    return found


def frameworks() -> list[Framework]:
    """The catalogues of this package in the order of their ids; with an organisation's own see `reports.library`."""
    return list(shipped().values())


def framework(name: str) -> Framework:
    """One catalogue of this package by any name of it; raises UnknownName with the nearest names."""
    return named(name, shipped())


def named(name: str, found: Mapping[str, Framework]) -> Framework:
    """The catalogue called so: by its id, a beginning of it, or words of its id or title that fit one alone (`csf`, `OWASP LLM 2025`).

    Raises UnknownName: with the nearest names, or with those that fit where several do.
    """
    asked = name.strip().casefold()
    if asked in found:
        return found[asked]
    if name in found:
        return found[name]
    words = set(plain(name))
    for fits in (
        [f for stem, f in found.items() if asked and stem.casefold().startswith(asked)],
        [f for stem, f in found.items() if words and words <= set(plain(f"{stem} {f.catalogue}"))],
        [
            f
            for stem, f in found.items()
            if words and words <= set(plain(f"{stem} {f.catalogue} {f.publisher} {f.title} {f.edition}"))
        ],
    ):
        if len(fits) == 1:
            return fits[0]
        if fits:
            raise SeveralNames("more than one framework fits", name, [f.id for f in fits])
    raise UnknownName("framework", name, found)
