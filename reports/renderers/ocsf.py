"""The folder `ocsf`: events of the Open Cybersecurity Schema Framework as JSON lines, for event stores and SIEMs.

One Detection Finding (class 2004) for every finding, blind spots among them; one Compliance Finding (class 2003) for every
control of every framework. OCSF's `Pass` is never used: where no exception was found the status says so in our own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lang.times import parse_time
from reports.canonical import write_lines
from reports.identity import stable
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
_CREATE, _CLOSE = (1, "Create"), (3, "Close")
_NOTHING = (1, "Informational")
_STANDING = ("open", "accepted")
_COUNTS = ("open", "accepted", "dismissed", "blind_spots", "cannot_judge")
CONTROL_IDS = 100


class Ocsf:
    """Two files; a line is one event, and the records of a file are its lines."""

    id = "ocsf"
    title = "OCSF events (JSON lines)"
    order = 60
    alone = True

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        (folder / "ocsf").mkdir(exist_ok=True)
        events = _Events(document)
        files = {"ocsf/detection-findings.jsonl": events.detections(), "ocsf/compliance-findings.jsonl": events.compliance()}
        return {name: write_lines(folder / name, lines) for name, lines in files.items()}


class _Events:
    """Makes the events of one report; their time is the report's as-of moment, the evidence's times stand in `finding_info`."""

    def __init__(self, document: Document) -> None:
        self._document = document
        cover = document["cover"]
        self._time = _millis(cover["as_of"]) or 0
        self._product = {"name": "Remit", "vendor_name": "Remit", "version": cover["tool_version"]}
        self._version = document["exchange"]["ocsf_version"]
        self._rules = {d["id"]: d for d in document["method"]["detectors"]}

    def detections(self) -> Iterator[Piece]:
        """One event of class 2004 for every finding, in the report's order."""
        for finding in self._document["findings"]:
            activity, doing = _CLOSE if finding["group"] == "dismissed" else _CREATE
            severity_id, severity = _severity(finding["severity"])
            status_id, status = _STATES.get(finding["state"], (99, finding["state"]))
            event = {
                "activity_id": activity,
                "activity_name": doing,
                "category_uid": 2,
                "category_name": "Findings",
                "class_uid": 2004,
                "class_name": "Detection Finding",
                "type_uid": 200400 + activity,
                "type_name": f"Detection Finding: {doing}",
                "time": self._time,
                "severity_id": severity_id,
                "severity": severity,
                "status_id": status_id,
                "status": status,
                "is_alert": finding["group"] == "open",
                "message": finding["why"] or finding["title"],
                "metadata": self._metadata(finding["id"]),
                "finding_info": self._details(finding),
                "unmapped": {
                    "evidence_digest": finding["evidence_digest"],
                    "review_state": finding["state"],
                    "step": finding["step"],
                    "task": finding["task"],
                },
            }
            if finding["task"]:
                event["resources"] = [{"uid": finding["task"], "type": "agent task"}]
            if finding["remedy"]:
                event["remediation"] = {"desc": _remedy(finding["remedy"])}
            if evidences := _evidences(finding):
                event["evidences"] = evidences
            yield event

    def compliance(self) -> Iterator[Piece]:
        """One event of class 2003 for every control of every framework, whatever its result."""
        severities: dict[str, tuple[int, str]] = {}
        for f in self._document["findings"]:
            if f["group"] in _STANDING:
                severities[f["detection"]] = max(severities.get(f["detection"], _NOTHING), _severity(f["severity"]))
        for section in self._document["frameworks"]:
            standard = f"{section['title']}, edition {section['edition']}"
            for control in section["controls"]:
                worst = max((severities.get(name, _NOTHING) for name in _speaking(control)), default=_NOTHING)
                yield self._compliance(section["id"], standard, control, worst)

    def _compliance(self, framework: str, standard: str, control: Piece, worst: tuple[int, str]) -> Piece:
        """A control's result with its counts; the ids of its findings up to CONTROL_IDS, those left out are counted."""
        number, word = (
            (3, "Fail") if control["open"] else (99, "Accepted exception" if control["accepted"] else control["result"])
        )
        name = f"{framework}:{control['id']}"
        ids = control["findings"]
        return {
            "activity_id": 1,
            "activity_name": "Create",
            "category_uid": 2,
            "category_name": "Findings",
            "class_uid": 2003,
            "class_name": "Compliance Finding",
            "type_uid": 200301,
            "type_name": "Compliance Finding: Create",
            "time": self._time,
            "severity_id": worst[0],
            "severity": worst[1],
            "metadata": self._metadata(name),
            "finding_info": {"uid": stable("control", framework, control["id"]), "title": control["title"] or control["id"]},
            "compliance": {"control": control["id"], "standards": [standard], "status_id": number, "status": word},
            "message": control["reason"] or control["word"],
            "unmapped": {
                "result": control["result"],
                **{name: control[name] for name in _COUNTS},
                "population": control["population"],
                "detections": _speaking(control),
                "lacking": control["lacking"],
                "findings": ids[:CONTROL_IDS],
                "findings_left_out": max(0, len(ids) - CONTROL_IDS),
            },
        }

    def _metadata(self, uid: str) -> Piece:
        return {"version": self._version, "product": self._product, "uid": uid}

    def _details(self, finding: Piece) -> Piece:
        rule = self._rules.get(finding["detection"])
        analytic: Piece = {"uid": finding["detection"], "name": rule["title"] if rule else finding["title"]}
        analytic |= {"type_id": 1, "type": "Rule"} | ({"version": str(rule["version"])} if rule else {})
        sources = sorted({e["name"] for e in finding["evidence"]})
        made: Piece = {
            "uid": finding["id"],
            "title": finding["title"] or finding["detection"],
            "analytic": analytic,
            "data_sources": sources,
            "created_time": self._time,
        }
        if (at := _millis(finding["at"])) is not None:
            made |= {"first_seen_time": at, "last_seen_time": at}
        return made


def _remedy(remedy: Piece) -> str:
    """How a person says the finding is put right, as a sentence."""
    told = {"cause": remedy["cause"], "owner": remedy["owner"], "due": remedy["due"], "shown done by": remedy["closure"]}
    return "; ".join(f"{name}: {text}" for name, text in told.items() if text)


def _speaking(control: Piece) -> list[str]:
    return [*control["ran"], *control["not_run"]]


def _severity(word: str) -> tuple[int, str]:
    return _SEVERITIES.get(word, (99, word))


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


@lru_cache(maxsize=4096)
def _millis(text: str | None) -> int | None:
    micros = parse_time(text)[0] if text else None
    return None if micros is None else micros // 1000


RENDERER = Ocsf()
