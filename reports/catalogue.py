"""Framework catalogues: one YAML file per edition, found by listing; items, attribution, labels of other spellings."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from reports import yamlfile
from reports.errors import DataError, UnknownName

Reading = Literal["controls", "threats"]
_THREAT_KINDS = ("risk list", "threat", "adversary")
HEADINGS = frozenset({"function", "category", "objective-group", "heading"})


class Item(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of a catalogue. `statement` is the publisher's text where it is public domain, `summary` our own words."""

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
    """A catalogue in one edition. `id` is the file's stem, by which it is asked for (`owasp-asi-2026`)."""

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

    @property
    def by_id(self) -> dict[str, Item]:
        return {item.id: item for item in self.items}

    @property
    def assessable(self) -> tuple[Item, ...]:
        """The items that get a result: everything but headings, in the catalogue's order."""
        return tuple(item for item in self.items if not item.heading)

    def find(self, label: str) -> tuple[str, ...]:
        """Published ids behind a label in any spelling (`AC-02(09)`, `ac-2.9`, `NHI7-2025`, `A2`); empty if unknown."""
        if label in self.aliases:
            return self.aliases[label]
        plain = label.removesuffix(f":{self.edition}")
        for item in self.items:
            if label in (item.id, item.oscal_id, item.oscal_token, item.padded_label) or plain == item.id:
                return (item.id,)
        return ()


def _read(data: bytes, name: str, stem: str) -> Framework | None:
    value = yamlfile.load(data, name)
    if not isinstance(value, dict) or "catalogue_schema" not in value:
        return None
    head = yamlfile.convert(value, Head, name)
    reading = head.reading or ("threats" if any(word in head.kind for word in _THREAT_KINDS) else "controls")
    aliases = {label: (ids,) if isinstance(ids, str) else ids for label, ids in head.aliases.items()}
    _check(head, aliases, name)
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


def _check(head: Head, aliases: dict[str, tuple[str, ...]], name: str) -> None:
    if head.catalogue_schema != 1:
        raise DataError(name, f"catalogue_schema {head.catalogue_schema} is not known here (1 is)")
    ids = [item.id for item in head.items]
    known = set(ids)
    if len(known) != len(ids):
        twice = sorted({i for i in ids if ids.count(i) > 1})[0]
        raise DataError(name, f"item {twice!r} occurs twice")
    for label, targets in aliases.items():
        for target in targets:
            if target not in known:
                raise DataError(name, f"alias {label!r} names {target!r}, which is no item of this catalogue")


@cache
def _shipped() -> dict[str, Framework]:
    found: dict[str, Framework] = {}
    for entry in files("reports").joinpath("frameworks").iterdir():
        if entry.name.endswith(".yaml"):
            framework = _read(entry.read_bytes(), entry.name, entry.name.removesuffix(".yaml"))
            if framework is not None:
                found[framework.id] = framework
    return dict(sorted(found.items()))


def frameworks(folder: Path | None = None) -> list[Framework]:
    """All catalogues in the order of their ids; files of `folder` are added and outrank ours of the same name."""
    found = dict(_shipped())
    if folder is not None:
        for path in sorted(p for p in folder.glob("*.yaml") if p.is_file()):
            framework = _read(yamlfile.read(path), path.name, path.stem)
            if framework is not None:
                found[framework.id] = framework
    return [found[name] for name in sorted(found)]


def framework(name: str, folder: Path | None = None) -> Framework:
    """One catalogue by its id, or by a beginning of it that fits one alone; raises UnknownName with the nearest names."""
    found = {f.id: f for f in frameworks(folder)}
    if name in found:
        return found[name]
    fits = [f for stem, f in found.items() if name and stem.startswith(name.lower())]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise UnknownName("framework (more than one edition fits)", name, [f.id for f in fits])
    raise UnknownName("framework", name, found)
