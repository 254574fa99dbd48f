"""OSCAL assessment results for one framework whose publisher gives it as an OSCAL catalogue.

OSCAL knows `satisfied` and `not-satisfied` alone. Nothing here is ever called satisfied: that no exception was seen is an
observation with its population, and a control about which the evidence says nothing is not among the reviewed ones.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec

from model.words import ResultWord
from reports.canonical import Streamed, canonical
from reports.identity import NAMESPACE, stable
from reports.renderers.base import Document
from reports.renderers.oscal_parts import NO_PLAN, Shared
from reports.renderers.oscal_words import ASSESSOR, Piece, moment, person, prop, prose, title

_REVIEWED = {ResultWord.EXCEPTIONS.value, ResultWord.NONE_FOUND.value}
_SILENCE = (
    "A reviewed control without a finding is not thereby satisfied: no exception was found in the covered population, and "
    "no more. Controls with insufficient evidence, not assessable ones and those out of scope are not listed as reviewed; "
    "their observations say why."
)


def assessment_results(shared: Shared, section: Document) -> Piece | None:
    """The whole OSCAL document for one framework of the report (`section["oscal"]` is there).

    None where the evidence speaks to no control: OSCAL has no results without a reviewed control.
    """
    if not _reviewed(section):
        return None
    catalogue = {
        "uuid": stable("catalogue", section["catalogue"], section["edition"]),
        "title": title(f"{section['title']}, edition {section['edition']}"),
        "props": [*prop("catalogue-id", section["id"]), *prop("catalogue-sha256", section["catalogue_sha256"])],
        "citation": {"text": title(f"{section['oscal']['catalogue']}. {section['attribution']}")},
    }
    result = _result(shared, section)
    set_plan = shared.document["exchange"]["import_ap"]
    plan: Piece = {"href": set_plan} if set_plan else {"href": f"#{shared.plan}", "remarks": NO_PLAN}
    body = {
        "uuid": stable("assessment-results", section["id"], *shared.key()),
        "metadata": shared.metadata(f"Assessment results, {section['title']}"),
        "import-ap": plan,
        "results": [result],
        "back-matter": {"resources": shared.resources(catalogue)},
    }
    return {"assessment-results": body}


def _reviewed(section: Document) -> list[Piece]:
    names = section["oscal"]["control_ids"]
    return [{"control-id": names[c["id"]]} for c in section["controls"] if c["id"] in names and c["result"] in _REVIEWED]


def _result(shared: Shared, section: Document) -> Piece:
    cover, names = shared.document["cover"], section["oscal"]
    mapped = shared.mapped(section["id"])
    seen = [entry for entry in shared.entries if entry.detection in mapped]
    standing = [entry for entry in seen if entry.standing]
    controls = [c for c in section["controls"] if c["id"] in names["control_ids"]]
    starts = sorted(s["first"] for s in shared.document["coverage"]["sources"] if moment(s["first"], ""))
    reviewed = {
        "description": f"Controls of {prose(section['title'])} that imported evidence speaks to.",
        "include-controls": _reviewed(section),
    }
    made: Piece = {
        "uuid": stable("result", section["id"], *shared.key()),
        "title": title(f"{section['title']}, as of {shared.as_of}"),
        "description": "Rules ran over every chain of the imported audit records of the period; reviewers' words stand beside "
        "what they found.",
        "start": moment(cover["period"]["start"], starts[0] if starts else shared.as_of),
        "end": moment(cover["period"]["end"], shared.as_of),
        "props": [*prop("framework", section["id"]), *prop("edition", section["edition"])],
        "local-definitions": {
            "assessment-assets": {
                "components": [shared.component()],
                "assessment-platforms": [
                    {
                        "uuid": stable("platform", "remit"),
                        "title": "The importing program",
                        "uses-components": [{"component-uuid": shared.tool}],
                    }
                ],
            }
        },
        "reviewed-controls": {"control-selections": [reviewed], "remarks": _SILENCE},
    }
    attestations = [*_attested(section), *_signed(shared)]
    told = [_standing(shared, section, c) for c in controls] + shared.blind_spots(mapped)
    if attestations:
        made["attestations"] = attestations
    if told or seen:
        made["observations"] = Streamed(chain(told, shared.observations(seen).items))
    if standing:
        made["risks"] = shared.risks(standing)
    if found := [c for c in controls if c["result"] == ResultWord.EXCEPTIONS.value]:
        made["findings"] = Streamed(_finding(shared, section, c) for c in found)
    return made


def _standing(shared: Shared, section: Document, control: dict[str, Any]) -> Piece:
    """One control's result in our own words, with what it rests on."""
    said = [f"Result: {control['word']}."]
    for label, text in (
        ("Reason", control["reason"]),
        ("The evidence shows", control["shows"]),
        ("It does not show", control["does_not_show"]),
    ):
        if text:
            said.append(f"{label}: {text.rstrip('.')}.")
    return {
        "uuid": stable("control", section["id"], control["id"]),
        "title": title(_name(control)),
        "description": prose(" ".join(said)),
        "props": [
            *prop("control-id", section["oscal"]["control_ids"][control["id"]]),
            *prop("result", control["result"]),
            *(p for name in ("open", "accepted", "dismissed") for p in prop(f"exceptions-{name}", control[name])),
            *prop("blind-spots", control["blind_spots"]),
            *prop("cannot-judge", control["cannot_judge"]),
            *(p for name, size in sorted(control["population"].items()) for p in prop("population", _counted(size, name))),
            *(p for name in control["ran"] for p in prop("detection-run", name)),
            *(p for text in control["lacking"] for p in prop("lacking", text)),
        ],
        "methods": ["EXAMINE"],
        "types": ["control-objective"],
        "origins": shared.origin(),
        "collected": shared.as_of,
    }


def _name(control: dict[str, Any]) -> str:
    return control["id"] if control["title"] == control["id"] else f"{control['id']} {control['title']}"


def _counted(size: int, population: str) -> str:
    return f"{size} {population.replace('_', ' ')}"


def _finding(shared: Shared, section: Document, control: dict[str, Any]) -> Piece:
    """A control with exceptions. Where every one of them was accepted the status says so, and it stays not satisfied."""
    observations, risks = shared.related(control["findings"])
    own = canonical({"observation-uuid": stable("control", section["id"], control["id"])})
    looked = ", ".join(_counted(size, name) for name, size in sorted(control["population"].items())) or "nothing counted"
    counts = f"{control['open']} open and {control['accepted']} accepted exceptions; looked at: {looked}."
    status: Piece = {"state": "not-satisfied", "reason": "fail" if control["open"] else "other"}
    if not control["open"]:
        status["remarks"] = "Every exception is an accepted risk with an owner and a date of expiry."
    made: Piece = {
        "uuid": stable("finding", section["id"], control["id"]),
        "title": title(f"{control['id']}: exceptions found"),
        "description": prose(counts),
        "origins": shared.origin(),
        "target": {
            "type": "statement-id",
            "target-id": section["oscal"]["statement_ids"][control["id"]],
            "title": title(control["title"]),
            "status": status,
        },
        "related-observations": msgspec.Raw(b"[%b%b]" % (own, observations)),
    }
    if risks:
        made["related-risks"] = msgspec.Raw(b"[%b]" % risks[1:])
    return made


def _signed(shared: Shared) -> list[Piece]:
    return [
        _statement({"name": "authorization-statements", "title": "Sign-off"}, s, prop("asserted", s["asserted"]))
        for s in shared.document["sign_off"]["signed"]
        if s["covers"] is not False
    ]


def _attested(section: Document) -> list[Piece]:
    made = []
    for one in section["attestations"]:
        named = {"name": "control-attestation", "ns": NAMESPACE, "title": title(f"Attestation on {one['control']}")}
        control = prop("control-id", section["oscal"]["control_ids"].get(one["control"], ""))
        ground = [*prop("asserted", one["asserted"]), *prop("evidence", one["evidence"])]
        end = [*prop("expires", one["expires"]), *prop("expired", one["expired"])] if one["expires"] else []
        made.append(_statement(named, one, [*control, *ground, *end]))
    return made


def _statement(named: Piece, said: dict[str, Any], more: list[Piece]) -> Piece:
    part = {**named, "props": [*prop("given-at", said["at"] or "not stated"), *more], "prose": prose(said["text"])}
    return {"responsible-parties": [{"role-id": ASSESSOR, "party-uuids": [person(said["who"])]}], "parts": [part]}
