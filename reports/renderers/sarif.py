"""findings.sarif: SARIF 2.1.0 for dashboards that read code-scanning results. A location is a line of an imported log.

Detections are rules, frameworks taxonomies, accepted exceptions and dismissals suppressions. A blind spot is no failure:
it is of kind `open`, which says that the tool had too little to decide.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from lang import sarif
from lang.safe import safe_line
from reports.canonical import Streamed, canonical, write_canonical
from reports.identity import evidence_reference, stable
from reports.renderers.base import Document
from reports.text import excerpt

Piece = dict[str, Any]
NAME = "findings.sarif"
BASE = "EVIDENCE"
_LEVELS: dict[str, sarif.Level] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}


class Sarif:
    """One file with one run."""

    id = "sarif"
    title = "SARIF 2.1.0"
    order = 50
    alone = True

    def population(self, folder: Path) -> None:
        return None

    def render(self, document: Document, folder: Path) -> dict[str, int]:
        write_canonical(folder / NAME, _log(document))
        return {NAME: -1}


def _log(document: Document) -> Piece:
    rules = _rules(document)
    sources = {s["id"]: n for n, s in enumerate(document["coverage"]["sources"])}
    numbers = {rule["id"]: n for n, rule in enumerate(rules)}
    cover = document["cover"]
    taxonomies = [_taxonomy(f) for f in document["frameworks"]]
    log = sarif.log(
        cover["tool_version"],
        rules,
        [],
        driver={"supportedTaxonomies": [{"name": t["name"], "index": n, "guid": t["guid"]} for n, t in enumerate(taxonomies)]},
        taxonomies=taxonomies,
        artifacts=[_artifact(s) for s in document["coverage"]["sources"]],
        originalUriBaseIds={
            BASE: {"description": {"text": "The folder that holds the imported logs; it is not part of the pack."}}
        },
        automationDetails={
            "id": f"remit/{safe_line(cover['as_of'])}",
            "guid": stable("run", cover["organisation"], cover["system"], str(cover["period"]["start"]), cover["as_of"]),
            "description": sarif.message(f"Evidence pack of {cover['organisation']} as of {cover['as_of']}"),
        },
    )
    log["runs"][0]["results"] = Streamed(_result(f, numbers, sources) for f in document["findings"])
    return log


def _rules(document: Document) -> list[Piece]:
    """Every detection that ran or reported, with the framework entries its findings speak to."""
    ran = {d["id"]: d for d in document["method"]["detectors"]}
    seen: dict[str, Piece] = {}
    for finding in document["findings"]:
        seen.setdefault(finding["detection"], finding)
    spoken: dict[str, list[Piece]] = {}
    for n, section in enumerate(document["frameworks"]):
        for place, control in enumerate(section["controls"]):
            target = {"id": safe_line(control["id"]), "index": place, "toolComponent": {"index": n}}
            for name in dict.fromkeys((*control["ran"], *control["not_run"])):
                spoken.setdefault(name, []).append({"target": target, "kinds": ["relevant"]})
    rules = []
    for id in sorted({*ran, *seen}):
        known = ran.get(id) or seen[id]
        rule: Piece = {
            "id": safe_line(id),
            "shortDescription": sarif.message(known["title"]),
            "defaultConfiguration": {"level": _LEVELS.get(known["severity"], "warning")},
            "properties": {"severity": known["severity"]} | ({"version": ran[id]["version"]} if id in ran else {}),
        }
        if id in seen and seen[id]["relevance"]:
            rule["fullDescription"] = sarif.message(seen[id]["relevance"])
        if id in spoken:
            rule["relationships"] = spoken[id]
        rules.append(rule)
    return rules


def _taxonomy(section: Document) -> Piece:
    return {
        "guid": stable("catalogue", section["catalogue"], section["edition"]),
        "name": safe_line(section["id"]),
        "version": safe_line(section["edition"]),
        "organization": safe_line(section["publisher"]),
        "shortDescription": sarif.message(section["title"]),
        "fullDescription": sarif.message(section["attribution"]),
        "isComprehensive": False,
        "taxa": [{"id": safe_line(c["id"]), "shortDescription": sarif.message(c["title"])} for c in section["controls"]],
    }


def _artifact(source: Piece) -> Piece:
    made: Piece = {
        "location": {"uri": evidence_reference(source["name"]), "uriBaseId": BASE},
        "description": sarif.message(f"{source['format']}, source {source['id']}"),
    }
    if source["bytes"] >= 0:
        made["length"] = source["bytes"]
    if re.fullmatch("[0-9a-f]{64}", source["sha256"]):
        made["hashes"] = {"sha-256": source["sha256"]}
    return made


def _result(finding: Piece, numbers: dict[str, int], sources: dict[str, int]) -> Piece:
    blind = finding["group"] == "blind-spot"
    rule = safe_line(finding["detection"])
    made: Piece = {
        "ruleId": rule,
        "ruleIndex": numbers[rule],
        "guid": stable("result", finding["id"]),
        "kind": "open" if blind else "fail",
        "level": "none" if blind else _LEVELS.get(finding["severity"], "warning"),
        "message": sarif.message(finding["why"] or finding["title"] or "no reason recorded"),
        "partialFingerprints": {"remitFinding/v1": safe_line(finding["id"])},
        "suppressions": _suppressions(finding),
        "properties": {
            "severity": finding["severity"],
            "reviewState": finding["state"],
            "task": safe_line(finding["task"]),
            "step": safe_line(finding["step"]),
        },
    }
    if remedy := finding["remedy"]:
        made["properties"]["remedy"] = {
            name: safe_line(remedy[name] or "") for name in ("cause", "owner", "due", "closure", "by")
        }
    if finding["evidence_digest"]:
        made["partialFingerprints"]["remitEvidence/v1"] = safe_line(finding["evidence_digest"])
    places = [_location(e, sources) for e in finding["evidence"]]
    if places:
        made["locations"] = [msgspec.Raw(b"{" + places[0])]
    if places[1:]:
        made["relatedLocations"] = [msgspec.Raw(b'{"id":%d,' % n + place) for n, place in enumerate(places[1:], start=1)]
    return made


def _location(evidence: Piece, sources: dict[str, int]) -> bytes:
    """A location, encoded, without the brace it begins with: related ones have an id before all else."""
    artifact = _referred(evidence["name"], sources.get(evidence["source"]))
    region = b',"region":{"startLine":%d}' % evidence["line"] if evidence["line"] > 0 else b""
    return b'"physicalLocation":{"artifactLocation":%b%b}}' % (artifact, region)


@lru_cache(maxsize=4096)
def _referred(name: str, number: int | None) -> bytes:
    artifact: Piece = {"uri": evidence_reference(name), "uriBaseId": BASE}
    return canonical(artifact if number is None else {**artifact, "index": number})


def _suppressions(finding: Piece) -> list[Piece]:
    """Empty where nothing is suppressed: either every result of a run has the list or none has."""
    exception, history = finding["exception"], finding["history"]
    if finding["group"] == "accepted" and exception:
        why = f"Accepted by {exception['by']} until {exception['expires']}, owner {exception['owner']}, {exception['ticket']}: "
        why += exception["reason"]
    elif finding["group"] == "dismissed" and history:
        why = f"{history[-1]['verdict']} by {history[-1]['reviewer']}: {history[-1]['reason']}"
    else:
        return []
    text = safe_line(excerpt(why, sarif.LONGEST))
    return [{"kind": "external", "status": "accepted", "guid": stable("suppression", finding["id"]), "justification": text}]


RENDERER = Sarif()
