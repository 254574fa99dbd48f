"""What OSCAL's schema does not see: that references resolve, control ids exist, tokens are legal and nothing is called satisfied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

UUID5 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TOKEN = re.compile(r"[^\W\d][\w.\-]*")
STRING = re.compile(r"\S(.*\S)?")
MOMENT = re.compile(r"(19|2\d)\d\d-(0[1-9]|1[0-2])-[0-3]\d[Tt][0-2]\d:[0-5]\d:[0-5]\d(\.\d+)?Z")
_REFERENCES = {"observation-uuid", "risk-uuid", "actor-uuid", "party-uuid", "component-uuid", "finding-uuid"}
_TOKENS = {"control-id", "target-id", "role-id", "state", "reason", "filename"}
_TIMES = {"last-modified", "start", "end", "collected", "deadline"}


def walk(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every (path, key, value) of a document."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, dict | list):
            yield f"{path}/{key}", str(key), inner
            yield from walk(inner, f"{path}/{key}")
        else:
            yield f"{path}/{key}", str(key), inner


def problems(document: dict[str, Any], controls: dict[str, str] | None = None) -> list[str]:
    """What is wrong with an OSCAL document; `controls` maps the catalogue's control ids to their statements' ids."""
    found: list[str] = []
    defined: list[str] = []
    for path, key, value in walk(document):
        if key == "uuid":
            defined.append(value)
            if not UUID5.fullmatch(value):
                found.append(f"{path}: {value!r} is no UUID of version 5")
        if key in _TOKENS and not TOKEN.fullmatch(value):
            found.append(f"{path}: {value!r} is no token")
        if key in _TIMES and not MOMENT.fullmatch(value):
            found.append(f"{path}: {value!r} is no time with a zone")
        if key == "state" and value == "satisfied":
            found.append(f"{path}: says satisfied")
        if key == "value" and "/props/" in path and not STRING.fullmatch(value):
            found.append(f"{path}: {value!r} is no string")
        if key == "title" and ("\n" in value or not value):
            found.append(f"{path}: {value!r} is no line")
        if key in ("props", "observations", "findings", "risks", "parts", "entries", "parties") and value == []:
            found.append(f"{path}: an empty list")
        if key == "props":
            found += [f"{path}: {p['name']!r} has no namespace" for p in value if not p.get("ns", "").startswith("urn:remit:")]
        if controls is not None and key == "control-id" and value not in controls:
            found.append(f"{path}: the catalogue holds no control {value!r}")
        if controls is not None and key == "target-id" and value not in controls.values():
            found.append(f"{path}: the catalogue holds no statement {value!r}")
    found += [f"{id} is given twice" for id in sorted(set(defined)) if defined.count(id) > 1]
    known = set(defined)
    for path, key, value in walk(document):
        named = value if key == "party-uuids" else [value] if key in _REFERENCES else []
        if key == "href" and value.startswith("#"):
            named = [value[1:]]
        found += [f"{path}: {id} is nowhere" for id in named if id not in known]
    return found
