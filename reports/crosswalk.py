"""What detections have to do with controls: mappings, evidence sentences, what cannot be assessed, given labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from reports import yamlfile
from reports.catalogue import Framework, shipped
from reports.errors import DataError

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

    level: Literal["direct", "partial", "indicator"]
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


class CrosswalkFile(msgspec.Struct):
    """A crosswalk file as it is written: ours, or one of an organisation's folder."""

    crosswalk_schema: int
    checked_on: str = ""
    reading: tuple[str, ...] = ()
    founding_references: tuple[Reference, ...] = ()
    detections: tuple[DetectionRow, ...] = ()
    control_evidence: dict[str, dict[str, ControlEvidence]] = msgspec.field(default_factory=dict)
    not_assessable: dict[str, tuple[Unassessable, ...]] = msgspec.field(default_factory=dict)


class Crosswalk(msgspec.Struct):
    """The crosswalk in force: ours, with what an organisation's own files add to it or replace in it.

    `overridden` says by framework and control what an override file changed and who stands behind it, a sentence each.
    """

    checked_on: str
    reading: tuple[str, ...]
    references: tuple[Reference, ...]
    detections: dict[str, DetectionRow]
    evidence: dict[str, dict[str, ControlEvidence]]
    not_assessable: dict[str, dict[str, str]]
    overridden: dict[str, dict[str, tuple[str, ...]]] = msgspec.field(default_factory=dict)

    def detections_of(self, framework: str, control: str) -> tuple[str, ...]:
        """Ids of the detections that speak to a control, in order."""
        return tuple(d.id for d in self.detections.values() if control in d.mappings.get(framework, ()))

    def including(self, rows: Iterable[DetectionRow]) -> Crosswalk:
        """This crosswalk with detections of an organisation's own beside ours."""
        added = {row.id: row for row in rows}
        return msgspec.structs.replace(self, detections=dict(sorted((self.detections | added).items()))) if added else self

    def references_of(self, framework: str) -> tuple[Reference, ...]:
        return tuple(r for r in self.references if r.framework == framework)


def parse(data: bytes, value: dict[str, object], name: str) -> CrosswalkFile:
    """A crosswalk file from its plain `value`; raises DataError with the line."""
    parsed = yamlfile.convert(value, CrosswalkFile, name, data)
    if parsed.crosswalk_schema != 1:
        place = yamlfile.where(data, ["crosswalk_schema"])
        raise DataError(name, f"{place}crosswalk_schema {parsed.crosswalk_schema} is not known here (1 is)")
    return parsed


def _settle(reference: Reference, catalogues: Iterable[Framework]) -> Reference:
    """Give a reference its short label and the catalogue that holds all of its ids."""
    ids = tuple(_EDITION.sub("", i) for i in reference.resolves_to)
    match = _LABEL.search(reference.reference)
    label = reference.label or (match and (match.group(1) or match.group(2))) or reference.reference
    holder = next((f.id for f in catalogues if set(ids) <= set(f.by_id)), "")
    return Reference(reference.reference, ids, reference.correction, label.strip(), reference.framework or holder)


def merged(base: Crosswalk, extra: CrosswalkFile, catalogues: Mapping[str, Framework], name: str, data: bytes) -> Crosswalk:
    """`base` with a file over it; raises DataError with the line where the file names what no catalogue holds.

    For a detection both know, the file's mapping to a framework replaces the one before for that framework alone. A control
    that is mapped now is no longer "not assessable" for the file before.
    """
    _check(extra, catalogues, name, data)
    detections = dict(base.detections)
    for row in extra.detections:
        known = detections.get(row.id)
        detections[row.id] = msgspec.structs.replace(known, mappings={**known.mappings, **row.mappings}) if known else row
    evidence = {**base.evidence}
    for framework, controls in extra.control_evidence.items():
        evidence[framework] = {**evidence.get(framework, {}), **controls}
    unassessable = {**base.not_assessable}
    for row in extra.detections:
        for framework, ids in row.mappings.items():
            unassessable[framework] = {i: why for i, why in unassessable.get(framework, {}).items() if i not in ids}
    for framework, groups in extra.not_assessable.items():
        unassessable[framework] = {i: g.reason for g in groups for i in g.ids}
    references = tuple(_settle(r, catalogues.values()) for r in extra.founding_references)
    return Crosswalk(
        checked_on=base.checked_on or extra.checked_on,
        reading=base.reading or extra.reading,
        references=(*base.references, *references),
        detections=dict(sorted(detections.items())),
        evidence=evidence,
        not_assessable=unassessable,
    )


def _check(extra: CrosswalkFile, catalogues: Mapping[str, Framework], name: str, data: bytes) -> None:
    def held(framework: str, ids: Iterable[str], *steps: str | int) -> None:
        catalogue = catalogues.get(framework)
        for place, id in enumerate(ids):
            if catalogue is None:
                raise DataError(name, f"{yamlfile.where(data, steps)}there is no catalogue {framework!r}")
            if id not in catalogue.by_id:
                inner = place if steps[0] != "control_evidence" else id
                raise DataError(name, f"{yamlfile.where(data, [*steps, inner])}{id!r} is no entry of {framework}")

    mapped: set[tuple[str, str]] = set()
    for at, row in enumerate(extra.detections):
        for framework, ids in row.mappings.items():
            held(framework, ids, "detections", at, "mappings", framework)
            mapped.update((framework, id) for id in ids)
    for framework, controls in extra.control_evidence.items():
        held(framework, controls, "control_evidence", framework)
        for id, one in controls.items():
            if not (one.shows.strip() and one.does_not_show.strip()):
                place = yamlfile.where(data, ["control_evidence", framework, id])
                raise DataError(name, f"{place}{id!r} wants both sentences: what the evidence shows and what it does not show")
    for framework, groups in extra.not_assessable.items():
        for at, group in enumerate(groups):
            held(framework, group.ids, "not_assessable", framework, at, "ids")
            if both := next((id for id in group.ids if (framework, id) in mapped), None):
                place = yamlfile.where(data, ["not_assessable", framework, at, "ids", group.ids.index(both)])
                raise DataError(name, f"{place}{both!r} is called not assessable and mapped to a detection in the same file")


_FILES = ("detections-crosswalk.yaml", "remit-crosswalk.yaml")


@cache
def load() -> Crosswalk:
    """The crosswalk of this package; with an organisation's own see `reports.library`."""
    made = Crosswalk(checked_on="", reading=(), references=(), detections={}, evidence={}, not_assessable={})
    for name in _FILES:
        data = files("reports").joinpath("frameworks").joinpath(name).read_bytes()
        value = yamlfile.load(data, name)
        assert isinstance(value, dict), "a shipped crosswalk is a mapping"
        made = merged(made, parse(data, value, name), shipped(), name, data)
    return made


@cache
def _controls() -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        row.id: tuple((name, control) for name in sorted(row.mappings) for control in row.mappings[name])
        for row in load().detections.values()
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
