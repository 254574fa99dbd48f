"""The shapes of the command-line contract, the sample day it is held against, and how records are counted by other means."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running import (
    Day,
    Either,
    ok,
    sample_day,
    surroundings,
)

# How many records the tests look up one by one; the whole day would take minutes.
LOOKED_UP = 60

COUNT = int
TIME = Either(lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", value))
TEXT = Either(str)
DIGEST = lambda value: isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value)  # noqa: E731
VANTAGE = {"agent", "enforcer", "target", "witness"}
SEVERITIES = ("critical", "high", "medium", "low")
LISTINGS = (
    "tasks",
    "findings",
    "credentials",
    "coverage",
    "sources",
    "identities",
    "journal",
    "formats",
    "frameworks",
    "detections",
)

REFERENCE = {"source": str, "name": str, "line": COUNT, "index": Either(COUNT), "offset": COUNT, "digest": DIGEST}
REVIEW = {"state": {"open", "reviewed", "reopened"}, "verdict": TEXT, "reviewer": TEXT, "at": TIME}
COUNTS = {"read": COUNT, "accepted": COUNT, "duplicate": COUNT, "rejected": COUNT}
REJECT = {"line": COUNT, "index": Either(COUNT), "offset": COUNT, "reason": str}
IMPORT = {
    "sources": [
        {
            "id": str,
            "name": str,
            "format": str,
            "sha256": DIGEST,
            "bytes": COUNT,
            "first": TIME,
            "last": TIME,
            "records": COUNTS,
            "events": COUNT,
            "rejects": [REJECT],
        }
    ],
    "skipped": [{"name": str, "reason": str}],
    "totals": COUNTS | {"events": COUNT, "tasks": COUNT, "steps": COUNT, "findings": COUNT},
    "seconds": (int, float),
}
TASK = {
    "id": str,
    "title": str,
    "agent": TEXT,
    "principal": TEXT,
    "on_behalf_of": TEXT,
    "repository": TEXT,
    "environment": TEXT,
    "started": TIME,
    "ended": TIME,
    "steps": COUNT,
    "risk": COUNT,
    "findings": dict.fromkeys(SEVERITIES, COUNT),
    "vantages": [VANTAGE],
    "parent": TEXT,
    "review": REVIEW,
}
LINK = {
    "from": {"event": str, **REFERENCE},
    "to": {"event": str, **REFERENCE},
    "kind": {"exact", "derived", "inferred"},
    "key": str,
    "confidence": (int, float),
    "candidates": list,
}
TARGET = {"class": str, "name": TEXT, "owner": TEXT, "environment": TEXT}
HELD = {"id": str, "record": REFERENCE}
YES_NO = {"yes", "no", "unknown"}
STEP = {
    "id": str,
    "at": TIME,
    "intent": TEXT,
    "verb": str,
    "tool": TEXT,
    "target": TARGET,
    "operations": [{"verb": str, "target": dict}],
    "request": dict,
    "decisions": [
        {
            "at": TIME,
            "by": str,
            "effect": {"allow", "deny", "ask", "unknown"},
            "rule": TEXT,
            "reason": TEXT,
            "policy": TEXT,
            "vantage": VANTAGE,
            **HELD,
        }
    ],
    "credentials": [str],
    "outcome": {
        "permitted": {"allow", "deny", "ask", "unknown"},
        "transport": YES_NO,
        "tool": YES_NO,
        "effect": YES_NO,
    },
    "actions": [HELD],
    "effects": [HELD],
    "links": [LINK],
    "records": [REFERENCE],
}
FINDING = {
    "id": str,
    "detection": str,
    "title": str,
    "severity": set(SEVERITIES),
    "task": TEXT,
    "step": TEXT,
    "at": TIME,
    "evidence": [REFERENCE],
    "why": str,
    "controls": [{"framework": str, "id": str}],
    "blind_spot": bool,
    "review": REVIEW,
}
CREDENTIAL = {
    "id": str,
    "kind": TEXT,
    "issuer": TEXT,
    "subject": TEXT,
    "scope": [str],
    "requested": TIME,
    "issued": TIME,
    "ttl_seconds": Either(COUNT),
    "expires": TIME,
    "revoked": TIME,
    "first_use": TIME,
    "last_use": TIME,
    "uses": COUNT,
    "tasks": [str],
    "flags": [str],
}
WHOLE_TASK = {
    "task": TASK,
    "intents": [{"id": str, "at": TIME, "kind": str, "text": str, "by": TEXT, "records": [REFERENCE], "record": REFERENCE}],
    "steps": [STEP],
    "children": [str],
    "findings": [FINDING],
    "credentials": [CREDENTIAL],
    "records": [REFERENCE],
    "links": [LINK],
}
COVERAGE = {
    "enforcement_point": str,
    "vantage": VANTAGE,
    "scope": str,
    "from": TIME,
    "to": TIME,
    "records": COUNT,
    "gaps": [{"from": TIME, "to": TIME}],
}
SUMMARY = dict.fromkeys(("newly_denied", "newly_asked", "newly_allowed", "unchanged", "cannot_judge"), COUNT)
DRY_RUN = {
    "policy": {"format": str, "sha256": DIGEST, "rules": COUNT},
    "history": {"requests": COUNT, "shapes": COUNT, "tasks": COUNT, "from": TIME, "to": TIME},
    "baseline": str,
    "summary": SUMMARY,
    "by_tasks": SUMMARY,
    "verdicts": dict.fromkeys(("harm_stopped", "harm_missed", "work_broken", "friction_added"), COUNT),
    "rules": [{"id": str, "effect": str, "hits": COUNT, "decides": COUNT, "flips": COUNT, "shadowed_by": [str]}],
    "flips": [{"task": str, "step": str, "from": str, "to": str, "rule": TEXT, "request": dict, "downstream": [str]}],
    "flips_total": COUNT,
    "missing_attributes": dict,
}
EXPLAINED = {
    "effect": {"allow", "ask", "deny", "none", "unknown"},
    "rule": TEXT,
    "reason": TEXT,
    "matched": list,
    "undetermined": [{"rule": str, "missing": [str]}],
    "operations": [{"text": str, "effect": str, "rule": TEXT}],
}
VERIFIED = {
    "integrity": {"intact", "altered"},
    "altered": [str],
    "extra": [str],
    "missing": [str],
    "completeness": {"claimed": COUNT, "found": COUNT},
    "signature": {"state": {"absent", "valid", "invalid", "untrusted"}, "key": TEXT},
}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[None]:
    """An environment in which `remit` finds nothing of the person who runs the tests."""
    with surroundings(tmp_path):
        yield


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return sample_day(tmp_path_factory)


@pytest.fixture(scope="session")
def chains(day: Day) -> list[dict[str, Any]]:
    """Every task of the day with its chain."""
    return [row for row in ok("--store", day.store, "store", "export").lines if row["kind"] == "task"]


def records_in(path: Path) -> list[bytes]:
    """The records of a sample log, cut out by means that are not Remit's."""
    data = path.read_bytes()
    if path.name.startswith("cloudtrail"):
        return [json.dumps(one).encode() for one in json.loads(data)["Records"]]
    return [line for line in data.split(b"\n") if line.strip()]


def references(value: Any) -> Iterator[dict[str, Any]]:
    """Every record reference anywhere in a document."""
    if isinstance(value, dict):
        if {"digest", "offset", "line"} <= value.keys():
            yield value
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)
