"""What a report can speak to: the catalogues and the crosswalk of this package, with an organisation's own files over them.

A folder holds files of four kinds, told apart by the field they begin with: `catalogue_schema`, `crosswalk_schema`,
`overlay_schema` (licensed text) and `override_schema` (an organisation's own reading). A file that is wrong is left out and
named in `problems`, one sentence with file and line each; everything beside it stands. See docs/frameworks.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from reports import catalogue, crosswalk, overlays, overrides, yamlfile
from reports.catalogue import Framework
from reports.crosswalk import Crosswalk, DetectionRow, Reference
from reports.errors import DataError, SeveralNames, UnknownName
from reports.input import PackInput
from reports.overrides import Override

SUFFIXES = (".yaml", ".yml")
EVERY = "all"
_KINDS = ("catalogue_schema", "overlay_schema", "crosswalk_schema", "override_schema")


class Resolution(msgspec.Struct, frozen=True):
    """What a given label stands for: published ids in one framework, and the correction to print if there is one."""

    label: str
    framework: str
    ids: tuple[str, ...]
    correction: str = ""


class Library(msgspec.Struct, kw_only=True):
    """Catalogues by id, the crosswalk over them, the overrides in force; own files in use by name with their SHA-256, and what is wrong with others."""

    frameworks: dict[str, Framework]
    crosswalk: Crosswalk
    overrides: tuple[Override, ...] = ()
    files: dict[str, str] = msgspec.field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def framework(self, name: str) -> Framework:
        """The catalogue called so; raises UnknownName."""
        return catalogue.named(name, self.frameworks)

    def resolve(self, label: str, framework: str = "") -> Resolution:
        """Published ids behind a label somebody brought; raises UnknownName where none or several frameworks hold it."""
        folded = label.strip().casefold()
        for one in self.crosswalk.references:
            if folded in (one.label.casefold(), one.reference.casefold()) and framework in ("", one.framework):
                return Resolution(label, one.framework, one.resolves_to, one.correction)
        candidates = [f for f in self.frameworks.values() if framework in ("", f.id)]
        exact = [Resolution(label, f.id, (label,)) for f in candidates if label in f.by_id]
        found = exact or [
            Resolution(label, f.id, ids, f"published as {', '.join(ids)}") for f in candidates if (ids := f.find(label))
        ]
        if len(found) == 1:
            return found[0]
        if found:
            held = [f"{one.ids[0]} of {one.framework}" for one in found]
            raise SeveralNames("give the framework too: more than one holds", label, held)
        raise UnknownName("control", label, [item.id for f in candidates for item in f.items])

    def select(self, names: Iterable[str]) -> tuple[list[Framework], list[Resolution]]:
        """The frameworks asked for, each once and in order, and the control labels they were asked for by.

        A name may be a framework's, in any form `named` takes, a control's label in any spelling, or `all`. Raises UnknownName.
        """
        chosen: dict[str, Framework] = {}
        asked: list[Resolution] = []
        for name in names:
            if name.strip().casefold() == EVERY:
                chosen |= self.frameworks
                continue
            one = self._meant(name)
            if isinstance(one, Resolution):
                asked.append(one)
                one = self.frameworks[one.framework]
            chosen[one.id] = one
        return list(chosen.values()), asked

    def _meant(self, name: str) -> Framework | Resolution:
        if name in self.frameworks:
            return self.frameworks[name]
        try:
            return self.resolve(name)
        except UnknownName as label:
            try:
                return self.framework(name)
            except UnknownName as unknown:
                several = isinstance(label, SeveralNames) and not isinstance(unknown, SeveralNames)
                raise (label if several or label.likeness > unknown.likeness else unknown) from None

    def reading(self, own: Iterable[DetectionRow] = (), asked: Sequence[Resolution] = ()) -> Crosswalk:
        """The crosswalk in force, with own detections and the overrides; labels in `asked` are printed beside the given ones."""
        known = overrides.applied(self.crosswalk.including(own), self.overrides)
        printed = {(r.framework, r.label.casefold()) for r in known.references}
        for one in asked:
            if one.correction and (one.framework, one.label.casefold()) not in printed:
                reference = Reference("asked for by this label", one.ids, one.correction, one.label, one.framework)
                known = msgspec.structs.replace(known, references=(*known.references, reference))
        return known

    def stated(self, given: PackInput) -> PackInput:
        """The state with what override files state of scope and classification, and with the own files in its configuration."""
        made = overrides.stated(given, self.overrides)
        told = {f"frameworks file {name}": f"SHA-256 {digest}" for name, digest in self.files.items()}
        told |= {f"frameworks file {one.name}": f"an own reading {one.signed}; SHA-256 {one.sha256}" for one in self.overrides}
        told |= {f"frameworks file left out ({n})": problem for n, problem in enumerate(self.problems, 1)}
        return msgspec.structs.replace(made, configuration={**made.configuration, **told})


@cache
def shipped() -> Library:
    """What this package carries."""
    return Library(frameworks=catalogue.shipped(), crosswalk=crosswalk.load())


def library(folder: Path | None = None, named: Sequence[Path] = ()) -> Library:
    """The package's frameworks with the files of a folder and files that are named one by one over them.

    A catalogue outranks ours of the same file name. Never raises for what a file holds.
    """
    if folder is None and not named:
        return shipped()
    problems: list[str] = []
    made = msgspec.structs.replace(shipped(), frameworks=dict(shipped().frameworks))
    held = _read(folder, named, problems)
    for kind in _KINDS:
        for name, data, value in held[kind]:
            try:
                made = _with(made, kind, name, data, value)
                made.files = {**made.files, name: sha256(data).hexdigest()}
            except DataError as error:
                problems.append(str(error))
    made.problems = tuple(problems)
    return made


def _with(made: Library, kind: str, name: str, data: bytes, value: dict[str, object]) -> Library:
    """The library with one more file."""
    replace = msgspec.structs.replace
    match kind:
        case "catalogue_schema":
            one = catalogue.read_catalogue(data, value, name)
            return replace(made, frameworks=dict(sorted((made.frameworks | {one.id: one}).items())))
        case "overlay_schema":
            one = overlays.overlaid(made.frameworks, overlays.parse(data, value, name), name, data)
            return replace(made, frameworks=made.frameworks | {one.id: one})
        case "crosswalk_schema":
            extra = crosswalk.parse(data, value, name)
            return replace(made, crosswalk=crosswalk.merged(made.crosswalk, extra, made.frameworks, name, data))
        case _:
            found = overrides.parse(data, value, name, made.frameworks, made.crosswalk)
            return replace(made, overrides=(*made.overrides, found))


def _read(
    folder: Path | None, named: Sequence[Path], problems: list[str]
) -> dict[str, list[tuple[str, bytes, dict[str, object]]]]:
    """Every file by its kind, in the order of names, those named one by one last."""
    held: dict[str, list[tuple[str, bytes, dict[str, object]]]] = {kind: [] for kind in _KINDS}
    for path in (*_inside(folder, problems), *named):
        try:
            data = yamlfile.read(path)
            value = yamlfile.load(data, path.name)
            kind = next((k for k in _KINDS if isinstance(value, dict) and k in value), None)
            if kind is None or not isinstance(value, dict):
                raise DataError(path.name, f"line 1: it states none of {', '.join(_KINDS)}, so nobody knows what it is")
            held[kind].append((path.name, data, value))
        except DataError as error:
            problems.append(str(error))
    return held


def _inside(folder: Path | None, problems: list[str]) -> list[Path]:
    if folder is None:
        return []
    try:
        return sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES and not p.name.startswith(".") and p.is_file())
    except OSError as error:
        problems.append(f"the folder of frameworks {folder.name} cannot be read: {error.strerror or error}")
        return []
