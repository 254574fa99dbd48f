"""An organisation's own reading of a framework: a file that changes links, sentences and scope, signed by a person's name.

What it changes is never silent: the control it changes says so, with who stands behind it, in every format of a report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Protocol, TypeVar

import msgspec

from reports import yamlfile
from reports.catalogue import Framework, named
from reports.crosswalk import ControlEvidence, Crosswalk, DetectionRow
from reports.errors import DataError, UnknownName
from reports.input import Classification, PackInput


class Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the evidence shows and does not show of a control; one that is left out stays as it was."""

    shows: str = ""
    does_not_show: str = ""


class Classified(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who classified the system under a regulation, and in which role (provider, deployer, both)."""

    by: str
    role: str
    text: str = ""


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is read otherwise in one framework, by control; links are ids of detections."""

    add_links: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    remove_links: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    sentences: dict[str, Sentences] = msgspec.field(default_factory=dict)
    not_in_scope: dict[str, str] = msgspec.field(default_factory=dict)
    classification: Classified | None = None


class OverrideFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An override file as it is written. `by` is printed wherever it changes something."""

    override_schema: int
    by: str
    date: str = ""
    reason: str = ""
    frameworks: dict[str, Changes]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """An override file, checked: frameworks and controls by their published ids."""

    name: str
    sha256: str
    by: str
    date: str
    reason: str
    frameworks: dict[str, Changes]

    @property
    def behind(self) -> str:
        """Who stands behind it, as it is printed."""
        return f"by {self.by}" + (f" on {self.date}" if self.date else "")

    @property
    def signed(self) -> str:
        """Who stands behind it, and why."""
        return self.behind + (f": {self.reason}" if self.reason else "")


_ROLES = ("provider", "deployer", "both")
T = TypeVar("T")


class _Wrong(Protocol):
    def __call__(self, reason: str, *steps: str | int) -> DataError: ...


def parse(
    data: bytes, value: dict[str, object], name: str, frameworks: Mapping[str, Framework], crosswalk: Crosswalk
) -> Override:
    """An override from a file's plain `value`; raises DataError with the line where it names what is not there."""
    found = yamlfile.convert(value, OverrideFile, name, data)

    def wrong(reason: str, *steps: str | int) -> DataError:
        return DataError(name, yamlfile.where(data, steps) + reason)

    if found.override_schema != 1:
        raise wrong(f"override_schema {found.override_schema} is not known here (1 is)", "override_schema")
    if not found.by.strip():
        raise wrong("`by` must name who stands behind this reading; reports print it", "by")
    changes: dict[str, Changes] = {}
    for label, one in found.frameworks.items():
        try:
            framework = named(label, frameworks)
        except UnknownName as error:
            raise wrong(str(error), "frameworks", label) from error
        if framework.id in changes:
            raise wrong(f"{framework.id} is named twice", "frameworks", label)
        changes[framework.id] = _checked(one, framework, label, crosswalk, wrong)
    return Override(
        name=name,
        sha256=sha256(data).hexdigest(),
        by=found.by.strip(),
        date=found.date.strip(),
        reason=found.reason.strip(),
        frameworks=changes,
    )


def _checked(one: Changes, framework: Framework, label: str, crosswalk: Crosswalk, wrong: _Wrong) -> Changes:
    """The changes with published ids for the labels they were written with."""
    assessed = {item.id for item in framework.assessable}

    def ids(part: str, controls: Mapping[str, T]) -> dict[str, T]:
        made: dict[str, T] = {}
        for control, what in controls.items():
            known = framework.find(control)
            if len(known) != 1 or known[0] not in assessed:
                raise wrong(f"{control!r} is no control of {framework.id}", "frameworks", label, part, control)
            made[known[0]] = what
        return made

    for control, detections in one.remove_links.items():
        linked = {d for known in framework.find(control) for d in crosswalk.detections_of(framework.id, known)}
        for place, detection in enumerate(detections):
            if detection not in linked:
                raise wrong(
                    f"{detection!r} is not linked to {control}, so it cannot be taken away",
                    *("frameworks", label, "remove_links", control, place),
                )
    for control, sentences in one.sentences.items():
        if not (sentences.shows.strip() or sentences.does_not_show.strip()):
            raise wrong("neither `shows` nor `does_not_show` is given", "frameworks", label, "sentences", control)
    for control, reason in one.not_in_scope.items():
        if not reason.strip():
            raise wrong(f"say why {control} is not in scope", "frameworks", label, "not_in_scope", control)
    if one.classification is not None:
        if not one.classification.by.strip():
            raise wrong("`by` must name who classified the system", "frameworks", label, "classification", "by")
        if one.classification.role not in _ROLES:
            raise wrong(
                f"role is {one.classification.role!r}; one of {', '.join(_ROLES)}",
                *("frameworks", label, "classification", "role"),
            )
    return Changes(
        add_links=ids("add_links", one.add_links),
        remove_links=ids("remove_links", one.remove_links),
        sentences=ids("sentences", one.sentences),
        not_in_scope=ids("not_in_scope", one.not_in_scope),
        classification=one.classification,
    )


def applied(known: Crosswalk, overrides: Iterable[Override]) -> Crosswalk:
    """The crosswalk with the overrides over it, in their order; what each control owes to them stands in `overridden`."""
    told: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in overrides:
        for framework, changes in one.frameworks.items():
            for control, words in _words(changes).items():
                told[framework][control] += [f"{word}, {one.behind}" for word in words]
            known = _read_otherwise(known, framework, changes)
    if not told:
        return known
    said = {framework: {control: tuple(words) for control, words in found.items()} for framework, found in told.items()}
    return msgspec.structs.replace(known, overridden=said)


def _words(changes: Changes) -> dict[str, list[str]]:
    """What the changes do to each control, in words."""
    told: dict[str, list[str]] = defaultdict(list)
    for control, detections in sorted(changes.add_links.items()):
        told[control].append(f"linked to {', '.join(detections)} as well")
    for control, detections in sorted(changes.remove_links.items()):
        told[control].append(f"no longer linked to {', '.join(detections)}")
    for control, sentences in sorted(changes.sentences.items()):
        parts = [name for name, text in (("shows", sentences.shows), ("does not show", sentences.does_not_show)) if text]
        told[control].append(f"own sentence for what the evidence {' and what it '.join(parts)}")
    for control in sorted(changes.not_in_scope):
        told[control].append("taken out of scope")
    return dict(told)


def _read_otherwise(known: Crosswalk, framework: str, changes: Changes) -> Crosswalk:
    links: dict[str, set[str]] = {id: set(row.mappings.get(framework, ())) for id, row in known.detections.items()}
    for control, detections in changes.add_links.items():
        for detection in detections:
            links.setdefault(detection, set()).add(control)
    for control, detections in changes.remove_links.items():
        for detection in detections:
            links[detection].discard(control)
    rows = dict(known.detections)
    for detection, controls in links.items():
        row = rows.get(detection) or DetectionRow(detection)
        if controls != set(row.mappings.get(framework, ())):
            rows[detection] = msgspec.structs.replace(row, mappings={**row.mappings, framework: tuple(sorted(controls))})
    evidence = dict(known.evidence.get(framework, {}))
    for control, own in changes.sentences.items():
        before = evidence.get(control) or ControlEvidence("indicator", "", "")
        evidence[control] = msgspec.structs.replace(
            before, shows=own.shows or before.shows, does_not_show=own.does_not_show or before.does_not_show
        )
    unassessable = {i: why for i, why in known.not_assessable.get(framework, {}).items() if i not in changes.add_links}
    return msgspec.structs.replace(
        known,
        detections=dict(sorted(rows.items())),
        evidence={**known.evidence, framework: evidence},
        not_assessable={**known.not_assessable, framework: unassessable},
    )


def stated(given: PackInput, overrides: Iterable[Override]) -> PackInput:
    """The state with the scope and the classifications that override files state; what the state says itself goes first."""
    outside = {framework: dict(controls) for framework, controls in given.out_of_scope.items()}
    classified = list(given.classifications)
    for one in overrides:
        for framework, changes in one.frameworks.items():
            for control, reason in changes.not_in_scope.items():
                outside.setdefault(framework, {}).setdefault(control, f"{reason} (taken out {one.behind})")
            if changes.classification is not None:
                who = changes.classification
                classified.append(Classification(framework, who.by, who.role, who.text))
    return msgspec.structs.replace(given, out_of_scope=outside, classifications=tuple(dict.fromkeys(classified)))
