"""What detections have to do with controls: mappings, evidence sentences, what cannot be assessed, given labels."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import msgspec

from reports import yamlfile
from reports.catalogue import Framework, frameworks
from reports.errors import DataError, UnknownName

_EDITION = re.compile(r"\s*\(edition [^)]*\)$")
_LABEL = re.compile(r"(?:,\s*([^,()]+)|\(([^()]+)\))$")


class Relevance(msgspec.Struct, frozen=True):
    """Why a detection matters: one sentence for threat lists, one for control catalogues."""

    threat: str = ""
    control: str = ""


class DetectionRow(msgspec.Struct, frozen=True):
    """A detection as the crosswalk knows it, with the ids it speaks to per framework."""

    id: str
    title: str = ""
    proposed_severity: str = ""
    evidence_needed: tuple[str, ...] = ()
    relevance: Relevance = Relevance()
    mappings: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)


class ControlEvidence(msgspec.Struct, frozen=True):
    """What imported evidence can say of a control, and what it cannot."""

    level: Literal["direct", "partial"]
    shows: str
    does_not_show: str
    detections: tuple[str, ...] = ()


class Unassessable(msgspec.Struct, frozen=True):
    reason: str
    ids: tuple[str, ...]


class Reference(msgspec.Struct, frozen=True):
    """A label people bring, the published ids it stands for, and the correction to print."""

    reference: str
    resolves_to: tuple[str, ...]
    correction: str
    label: str = ""
    framework: str = ""


class _File(msgspec.Struct):
    crosswalk_schema: int
    checked_on: str = ""
    reading: tuple[str, ...] = ()
    founding_references: tuple[Reference, ...] = ()
    detections: tuple[DetectionRow, ...] = ()
    control_evidence: dict[str, dict[str, ControlEvidence]] = msgspec.field(default_factory=dict)
    not_assessable: dict[str, tuple[Unassessable, ...]] = msgspec.field(default_factory=dict)


class Crosswalk(msgspec.Struct):
    """The crosswalk in force: ours, overlaid by a folder's own reading where one is given."""

    checked_on: str
    reading: tuple[str, ...]
    references: tuple[Reference, ...]
    detections: dict[str, DetectionRow]
    evidence: dict[str, dict[str, ControlEvidence]]
    not_assessable: dict[str, dict[str, str]]

    def detections_of(self, framework: str, control: str) -> tuple[str, ...]:
        """Ids of the detections that speak to a control, in order."""
        return tuple(d.id for d in self.detections.values() if control in d.mappings.get(framework, ()))

    def including(self, rows: Iterable[DetectionRow]) -> Crosswalk:
        """This crosswalk with detections of an organisation's own beside ours."""
        added = {row.id: row for row in rows}
        return msgspec.structs.replace(self, detections=dict(sorted((self.detections | added).items()))) if added else self

    def references_of(self, framework: str) -> tuple[Reference, ...]:
        return tuple(r for r in self.references if r.framework == framework)


def _parse(data: bytes, name: str) -> _File | None:
    value = yamlfile.load(data, name)
    if not isinstance(value, dict) or "crosswalk_schema" not in value:
        return None
    parsed = yamlfile.convert(value, _File, name)
    if parsed.crosswalk_schema != 1:
        raise DataError(name, f"crosswalk_schema {parsed.crosswalk_schema} is not known here (1 is)")
    return parsed


def _settle(reference: Reference, catalogues: Iterable[Framework]) -> Reference:
    """Give a reference its short label and the catalogue that holds all of its ids."""
    ids = tuple(_EDITION.sub("", i) for i in reference.resolves_to)
    match = _LABEL.search(reference.reference)
    label = reference.label or (match and (match.group(1) or match.group(2))) or reference.reference
    holder = next((f.id for f in catalogues if set(ids) <= set(f.by_id)), "")
    return Reference(reference.reference, ids, reference.correction, label.strip(), reference.framework or holder)


def _merge(base: Crosswalk, extra: _File, catalogues: list[Framework]) -> None:
    base.references += tuple(_settle(r, catalogues) for r in extra.founding_references)
    for row in extra.detections:
        known = base.detections.get(row.id)
        if known is None:
            base.detections[row.id] = row
        else:
            base.detections[row.id] = msgspec.structs.replace(known, mappings={**known.mappings, **row.mappings})
    for name, controls in extra.control_evidence.items():
        base.evidence[name] = {**base.evidence.get(name, {}), **controls}
    for name, groups in extra.not_assessable.items():
        base.not_assessable[name] = {i: g.reason for g in groups for i in g.ids}


def load(folder: Path | None = None) -> Crosswalk:
    """The crosswalk; a file with `crosswalk_schema` in `folder` adds frameworks or replaces the reading of ours.

    For a detection both know, the folder's mapping to a framework replaces ours for that framework alone.
    """
    return _shipped() if folder is None else _load(folder)


@cache
def _shipped() -> Crosswalk:
    return _load(None)


def _load(folder: Path | None) -> Crosswalk:
    catalogues = frameworks(folder)
    base = Crosswalk(checked_on="", reading=(), references=(), detections={}, evidence={}, not_assessable={})
    shipped = files("reports").joinpath("frameworks").joinpath("detections-crosswalk.yaml")
    ours = _parse(shipped.read_bytes(), shipped.name)
    assert ours is not None, "the shipped crosswalk carries its schema number"
    base.checked_on, base.reading = ours.checked_on, ours.reading
    _merge(base, ours, catalogues)
    if folder is not None:
        for path in sorted(p for p in folder.glob("*.yaml") if p.is_file()):
            extra = _parse(yamlfile.read(path), path.name)
            if extra is not None:
                _merge(base, extra, catalogues)
    known = {f.id: set(f.by_id) for f in catalogues}
    for row in base.detections.values():
        for name, ids in row.mappings.items():
            stray = [i for i in ids if i not in known.get(name, set())]
            if stray:
                raise DataError("crosswalk", f"{row.id} maps to {stray[0]!r}, which {name} does not hold")
    base.detections = dict(sorted(base.detections.items()))
    return base


@cache
def _controls() -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        row.id: tuple((name, control) for name in sorted(row.mappings) for control in row.mappings[name])
        for row in _shipped().detections.values()
    }


def controls_of(detection_id: str) -> list[dict[str, str]]:
    """The controls a detection speaks to over all shipped frameworks: `[{"framework", "id"}]`, empty if unknown."""
    return [{"framework": name, "id": control} for name, control in _controls().get(detection_id, ())]


def own_row(id: str, title: str, controls: Iterable[tuple[str, str]]) -> DetectionRow:
    """An organisation's own detection as the crosswalk knows detections."""
    mappings: dict[str, tuple[str, ...]] = {}
    for framework, control in controls:
        mappings[framework] = (*mappings.get(framework, ()), control)
    return DetectionRow(id, title, mappings=mappings)


class Resolution(msgspec.Struct, frozen=True):
    """What a given label stands for: published ids in one framework, and the correction to print if there is one."""

    label: str
    framework: str
    ids: tuple[str, ...]
    correction: str = ""


def resolve(label: str, framework_id: str = "", folder: Path | None = None) -> Resolution:
    """Published ids behind a label somebody brought; raises UnknownName. Without a framework all are searched."""
    crosswalk = load(folder)
    for reference in crosswalk.references:
        if label in (reference.label, reference.reference) and framework_id in ("", reference.framework):
            return Resolution(label, reference.framework, reference.resolves_to, reference.correction)
    candidates = [f for f in frameworks(folder) if framework_id in ("", f.id)]
    for candidate in candidates:
        ids = candidate.find(label)
        if ids:
            correction = "" if ids == (label,) else f"published as {', '.join(ids)}"
            return Resolution(label, candidate.id, ids, correction)
    raise UnknownName("control", label, [item.id for f in candidates for item in f.items])
