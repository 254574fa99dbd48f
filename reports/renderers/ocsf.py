"""The folder `ocsf`: events of the Open Cybersecurity Schema Framework as JSON lines, for event stores and SIEMs.

One Detection Finding (class 2004) for every finding, blind spots among them; one Compliance Finding (class 2003) for every
finding that stands, with every control it speaks to. OCSF's `Pass` is never used: where no exception was found there is
no event.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from lang.times import parse_time
from reports.canonical import canonical
from reports.renderers.base import Document

Piece = dict[str, Any]
_SEVERITIES = {"low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"), "critical": (5, "Critical")}
_STATES = {
    "open": (1, "New"),
    "reopened": (1, "New"),
    "confirmed": (2, "In Progress"),
    "escalated": (2, "In Progress"),
    "within-remit": (3, "Suppressed"),
    "false-positive": (3, "Suppressed"),
    "accepted": (99, "Accepted exception"),
    "blind-spot": (99, "Blind spot"),
}
_RESULTS = {"open": (3, "Fail"), "accepted": (99, "Accepted exception")}
_CREATE, _CLOSE = (1, "Create"), (3, "Close")
_OTHER = (99, "Other")
_GAP = msgspec.Raw(b"\x01")
"""Stands where a line differs from the next one; no JSON text holds that byte."""


class Ocsf:
    """Two files; a line is one event, and the records of a file are its lines."""

    id = "ocsf"
    title = "OCSF events (JSON lines)"
    order = 60

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        (folder / "ocsf").mkdir(exist_ok=True)
        events = _Events(document)
        files = {"ocsf/detection-findings.jsonl": events.detections(), "ocsf/compliance-findings.jsonl": events.compliance()}
        return {name: _write(folder / name, lines) for name, lines in files.items()}


def _write(path: Path, lines: Iterator[bytes]) -> int:
    count = 0
    with path.open("wb", buffering=1 << 20) as file:
        for line in lines:
            file.write(line)
            count += 1
    return count


class _Events:
    """Makes the events of one report; their time is the report's as-of moment, the evidence's times stand in `finding_info`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        cover = document["cover"]
        self._time = _millis(cover["as_of"]) or 0
        self._product = {"name": "Remit", "vendor_name": "Remit", "version": cover["tool_version"]}
        self._version = document["exchange"]["ocsf_version"]
        self._rules = {d["id"]: d for d in document["method"]["detectors"]}

    def detections(self) -> Iterator[bytes]:
        """One event of class 2004 for every finding, in the report's order."""
        for finding in self._document["findings"]:
            event = self._event(2004, finding, finding["id"])
            event |= self._captions(finding)
            event |= {"is_alert": finding["group"] == "open", "message": finding["why"] or finding["title"]}
            event["finding_info"] |= self._details(finding)
            if evidences := _evidences(finding):
                event["evidences"] = evidences
            event["unmapped"] |= {
                "controls": finding["controls"],
                "evidence_digest": finding["evidence_digest"],
                "review_state": finding["state"],
                "step": finding["step"],
                "task": finding["task"],
            }
            yield canonical(event) + b"\n"

    def compliance(self) -> Iterator[bytes]:
        """One event of class 2003 for every control a standing finding speaks to.

        Findings and controls are each encoded once and put together, since a large report has very many of these lines.
        """
        controls = {group: self._controls(*result) for group, result in _RESULTS.items()}
        for finding in self._document["findings"]:
            if finding["group"] not in controls:
                continue
            known = controls[finding["group"]]
            event = self._event(2003, finding, "")
            event["compliance"] = event["metadata"]["uid"] = _GAP
            before, between, after = canonical(event).split(bytes(_GAP))
            id = canonical(f"{finding['id']}/")[:-1]
            for control in finding["controls"]:
                said, name = known[control]
                yield b"".join((before, said, between, id, name, after, b"\n"))

    def _controls(self, number: int, word: str) -> dict[str, tuple[bytes, bytes]]:
        """By `framework:control` the encoded object `compliance`, and the end of an event's identifier."""
        found = {}
        for section in self._document["frameworks"]:
            standard = f"{section['title']}, edition {section['edition']}"
            for control in (*section["headings"], *(c["id"] for c in section["controls"])):
                said = {"control": control, "standards": [standard], "status_id": number, "status": word}
                name = f"{section['id']}:{control}"
                found[name] = canonical(said), canonical(name)[1:]
        return found

    def _event(self, number: int, finding: Piece, uid: str) -> Piece:
        """What both classes require; captions and details stand in the Detection Finding of the same finding alone."""
        activity, _ = _activity(finding)
        event = {
            "activity_id": activity,
            "category_uid": 2,
            "class_uid": number,
            "type_uid": number * 100 + activity,
            "time": self._time,
            "severity_id": _SEVERITIES.get(finding["severity"], _OTHER)[0],
            "status_id": _STATES.get(finding["state"], _OTHER)[0],
            "metadata": {"version": self._version, "product": self._product, "uid": uid},
            "finding_info": {"uid": finding["id"], "title": finding["title"] or finding["detection"]},
            "unmapped": {"detection": finding["detection"], "finding": finding["id"]},
        }
        if finding["task"]:
            event["resources"] = [{"uid": finding["task"], "type": "agent task"}]
        return event

    def _captions(self, finding: Piece) -> Piece:
        _, doing = _activity(finding)
        return {
            "activity_name": doing,
            "category_name": "Findings",
            "class_name": "Detection Finding",
            "type_name": f"Detection Finding: {doing}",
            "severity": _SEVERITIES.get(finding["severity"], (99, finding["severity"]))[1],
            "status": _STATES.get(finding["state"], (99, finding["state"]))[1],
        }

    def _details(self, finding: Piece) -> Piece:
        rule = self._rules.get(finding["detection"])
        analytic: Piece = {"uid": finding["detection"], "name": rule["title"] if rule else finding["title"]}
        analytic |= {"type_id": 1, "type": "Rule"} | ({"version": str(rule["version"])} if rule else {})
        sources = sorted({e["name"] for e in finding["evidence"]})
        made: Piece = {"desc": finding["why"], "analytic": analytic, "data_sources": sources, "created_time": self._time}
        if (at := _millis(finding["at"])) is not None:
            made |= {"first_seen_time": at, "last_seen_time": at}
        return made


def _activity(finding: Piece) -> tuple[int, str]:
    return _CLOSE if finding["group"] == "dismissed" else _CREATE


def _evidences(finding: Piece) -> list[Piece]:
    """The records a finding rests on; who acted stands beside each, as far as it is known."""
    actor: Piece = {}
    if finding["agent"]:
        actor["app_name"] = finding["agent"]
    if finding["principal"]:
        actor["user"] = {"name": finding["principal"], "type_id": 0}
    known = {"actor": actor} if actor else {}
    return [
        {"name": "audit record", "data": {name: value for name, value in evidence.items() if value is not None}, **known}
        for evidence in finding["evidence"]
    ]


def _millis(text: str | None) -> int | None:
    micros = parse_time(text)[0] if text else None
    return None if micros is None else micros // 1000


RENDERER = Ocsf()
