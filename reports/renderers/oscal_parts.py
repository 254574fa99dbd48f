"""Pieces that OSCAL documents share: properties, people, sources, observations of detections, and risks.

Content is that of OSCAL 1.1.2, which later versions take as well.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property, lru_cache
from pathlib import Path

import msgspec
import rfc8785

from reports.canonical import Frame, Gap, Streamed, canonical
from reports.identity import evidence_reference, stable
from reports.renderers.base import Document
from reports.renderers.oscal_risks import risk
from reports.renderers.oscal_words import ASSESSOR, Piece, line, listed, moment, person, prop, prose, title, told_prop
from reports.shelf import Drawer

NO_PLAN = (
    "No OSCAL assessment plan was named. The resource holds the detections with their versions and parameters, which "
    "served as the plan. A full import needs the organisation's own system security plan and assessment plan."
)


class Entry:
    """A finding as OSCAL tells it: how it stands, and encoded the UUIDs of its observation and its risk, the properties that name it,
    and the numbers of the two themselves: `observed`, and `held` where it stands, else -1. `due` says
    until when it is accepted.
    """

    __slots__ = (
        "about",
        "detection",
        "due",
        "held",
        "id",
        "observation",
        "observed",
        "props",
        "risk",
        "standing",
    )

    observed: int
    held: int

    def __init__(self, finding: Piece) -> None:
        self.id, self.detection, self.about = finding["id"], finding["detection"], finding["title"]
        self.standing = finding["group"] in ("open", "accepted")
        exception = finding["exception"] if finding["group"] == "accepted" else None
        self.due = f"Accepted by {exception['by']} until {exception['expires']}; owner {exception['owner']}." if exception else ""
        self.observation = b'"%b"' % stable("observation", finding["id"]).encode("ascii")
        self.risk = b'"%b"' % stable("risk", finding["id"]).encode("ascii")
        severity, state = _usual("severity", finding["severity"]), _usual("review-state", finding["state"])
        self.props = (told_prop("finding-id", finding["id"]), severity, state)


_usual = lru_cache(maxsize=64)(told_prop)


class Shared:
    """What every OSCAL document of one report has in common; `as_of` is the only time that is not the evidence's.

    The findings are read once; their observations and risks are encoded then, kept in files of `folder`, and stand in several
    documents. What is the same for all findings of a detection stands once, in the detection's resource. `entries` are those that
    are no blind spots.
    """

    def __init__(self, document: Document, folder: Path) -> None:
        self.document = document
        self.as_of = moment(document["cover"]["as_of"], "1970-01-01T00:00:00Z")
        self.tool = stable("tool", "remit")
        self.plan = stable("plan", str(document["annexes"]["crosswalk_checked_on"]), document["cover"]["tool_version"])
        self._speaking: dict[str, Piece] = {}
        self._blind: Counter[str] = Counter()
        self._observations, self._risks = Drawer(folder), Drawer(folder)
        self._sources: dict[str, str] = {}
        self._frames: dict[tuple[Hashable, ...], Frame] = {}
        self._related: dict[int, tuple[list[str], bytes, bytes]] = {}
        self.entries: list[Entry] = []
        said: list[tuple[str, bool]] = []
        for finding in document["findings"]:
            self._speaking.setdefault(finding["detection"], finding)
            said += [(j["reviewer"], j["asserted"]) for j in finding["history"]]
            said += [(told["by"], False) for told in (finding["exception"], finding["remedy"]) if told]
            if finding["group"] == "blind-spot":
                self._blind[finding["detection"]] += 1
            else:
                self.entries.append(self._entry(finding))
        self.people = _people(document, said)

    def _entry(self, finding: Piece) -> Entry:
        made = Entry(finding)
        made.observed = self._observations.put(self._observed(finding, made))
        made.held = self._risks.put(self._stands(finding, made)) if made.standing else -1
        return made

    def observations(self, entries: Iterable[Entry]) -> Streamed:
        """What detections reported."""
        return Streamed(self._observations.take(entry.observed for entry in entries))

    def risks(self, standing: Iterable[Entry]) -> Streamed:
        """Findings that stand."""
        return Streamed(self._risks.take(entry.held for entry in standing))

    def related(self, findings: list[str]) -> tuple[bytes, bytes]:
        """References to the observations and to the risks of those of these findings that stand, each with a comma before it.

        Controls that rest on the same findings share one list of them: it is gone through once.
        """
        found = self._related.get(id(findings))
        if found is None:
            standing = [entry for id in findings if (entry := self._standing_by_id.get(id)) is not None]
            observations = b"".join([b',{"observation-uuid":%b}' % entry.observation for entry in standing])
            risks = b"".join([b',{"risk-uuid":%b}' % entry.risk for entry in standing])
            # With the list itself, so that no other takes its place in memory.
            found = self._related[id(findings)] = (findings, observations, risks)
        return found[1:]

    @cached_property
    def _standing_by_id(self) -> dict[str, Entry]:
        return {entry.id: entry for entry in self.entries if entry.standing}

    def frame(self, key: tuple[Hashable, ...], made: Callable[[], Piece]) -> Frame:
        """The frame of all pieces that are alike by this key."""
        found = self._frames.get(key)
        if found is None:
            found = self._frames[key] = Frame(made())
        return found

    def mapped(self, framework: str) -> set[str]:
        """The detections that reported and speak to an entry of a framework."""
        prefix = f"{framework}:"
        return {n for n, f in self._speaking.items() if any(c.startswith(prefix) for c in f["controls"])}

    def key(self) -> tuple[str, ...]:
        """What tells one report from another: whose, for which period, as of when."""
        cover = self.document["cover"]
        period = cover["period"]
        return cover["organisation"], cover["system"], str(period["start"]), str(period["end"]), cover["as_of"]

    def metadata(self, what: str) -> Piece:
        cover = self.document["cover"]
        people = [self.people[id] for id in sorted(self.people)]
        organisation = line(cover["organisation"]) or "not named"
        owner = {"uuid": stable("organisation", organisation), "type": "organization", "name": organisation}
        made: Piece = {
            "title": title(f"{what}: {cover['organisation']}"),
            "last-modified": self.as_of,
            "version": self.as_of,
            "oscal-version": self.document["exchange"]["oscal_version"],
            "props": [
                *prop("tool", f"{cover['tool']} {cover['tool_version']}"),
                *prop("report-status", cover["status"]),
                *prop("system", cover["system"]),
            ],
            "roles": [{"id": ASSESSOR, "title": "Reviewer"}],
            "parties": [owner, *people],
        }
        if people:
            made["responsible-parties"] = [{"role-id": ASSESSOR, "party-uuids": [party["uuid"] for party in people]}]
        return made

    def component(self) -> Piece:
        """The program that made the observations."""
        cover = self.document["cover"]
        return {
            "uuid": self.tool,
            "type": "software",
            "title": title(f"{cover['tool']} {cover['tool_version']}"),
            "description": "Joins audit records of agents, deciders, credential issuers and targets, and tests the chains by rules.",
            "status": {"state": "operational"},
        }

    def origin(self) -> list[Piece]:
        return [{"actors": [{"type": "tool", "actor-uuid": self.tool}]}]

    def resources(self, *others: Piece) -> list[Piece]:
        """Back matter: the plan, every detection that reported, every source with its SHA-256, and what else is given."""
        method = self.document["method"]
        plan = rfc8785.dumps({"detections": method["detectors"], "not_run": method["not_run"], "linking": method["linking"]})
        held = {
            "uuid": self.plan,
            "title": "Detections used as the assessment plan",
            "description": "Every detection that ran, with version, severity, parameters and needs, as canonical JSON.",
            "base64": {"filename": "detections.json", "media-type": "application/json", "value": b64encode(plan).decode("ascii")},
        }
        told = (self._detection(self._speaking[name]) for name in sorted(self._speaking))
        return [held, *others, *told, *(self._source(s) for s in self.document["coverage"]["sources"])]

    def _source(self, source: Piece) -> Piece:
        link: Piece = {"href": f"evidence/{evidence_reference(source['name'])}"}
        if re.fullmatch("[0-9a-f]{64}", source["sha256"]):
            link["hashes"] = [{"algorithm": "SHA-256", "value": source["sha256"]}]
        counts = [p for name in ("read", "accepted", "duplicate", "rejected") for p in prop(f"records-{name}", source[name])]
        return {
            "uuid": stable("source", source["id"]),
            "title": title(source["name"]),
            "description": "An imported audit log. It is not part of this pack; the reference is relative to where it is kept.",
            "props": [*prop("source-id", source["id"]), *prop("format", source["format"]), *counts],
            "rlinks": [link],
        }

    def _detection(self, finding: Piece) -> Piece:
        """What all findings of one detection share: one property per framework with the entries it speaks to."""
        grouped: dict[str, list[str]] = {}
        for control in finding["controls"]:
            framework, _, id = control.partition(":")
            grouped.setdefault(framework, []).append(id)
        return {
            "uuid": stable("detection", finding["detection"]),
            "title": title(f"{finding['detection']} {finding['title']}"),
            "description": prose(finding["relevance"]),
            "props": [
                *prop("detection", finding["detection"]),
                *(p for framework, ids in grouped.items() for p in prop("mapped", f"{framework}: {'; '.join(ids)}")),
            ],
        }

    def blind_spots(self, detections: set[str]) -> list[Piece]:
        """One observation per detection for what it could not see; the single ones stand in findings.csv."""
        return [
            {
                "uuid": stable("blind-spots", name),
                "title": title(f"{name} {self._speaking[name]['title']}"),
                "description": f"{count} blind spots of this detection; each stands in findings.csv with its reason.",
                "props": [*prop("detection", name), *prop("blind-spots", count)],
                "links": _about(name),
                "methods": ["EXAMINE"],
                "types": ["blind-spot"],
                "origins": self.origin(),
                "collected": self.as_of,
            }
            for name, count in sorted(self._blind.items())
            if name in detections
        ]

    def _observed(self, finding: Piece, named: Entry) -> msgspec.Raw:
        """Examined, with the records it rests on by source and line. The review's word stands beside it."""
        detection, about = finding["detection"], finding["title"]
        more = (("task", finding["task"]), ("step", finding["step"]), ("event-time", finding["at"] or ""))
        told = [told_prop(name, value) for name, value in (*more, ("evidence-digest", finding["evidence_digest"]))]
        evidence = finding["evidence"]

        def alike() -> Piece:
            return {
                "uuid": Gap("uuid"),
                "title": title(f"{detection} {about}"),
                "description": Gap("description"),
                "props": Gap("props"),
                "links": _about(detection),
                "methods": ["EXAMINE"],
                "types": ["finding"],
                "origins": self.origin(),
                "collected": self.as_of,
            } | ({"relevant-evidence": Gap("evidence")} if evidence else {})

        values = {
            "uuid": named.observation,
            "description": canonical(prose(finding["why"])),
            "props": listed([*named.props, *told]),
            "evidence": listed([self._evidence(e) for e in evidence]),
        }
        return self.frame(("observed", detection, about, not evidence), alike).filled(values)

    def _evidence(self, evidence: Piece) -> bytes:
        """A record by its source and its line."""
        source = evidence["source"]
        if source not in self._sources:
            self._sources[source] = stable("source", source)
        place = f"line {evidence['line']}" if evidence["line"] > 0 else f"byte {evidence['offset']}"
        return f'{{"description":"{place}","href":"#{self._sources[source]}"}}'.encode("ascii")

    def _stands(self, finding: Piece, named: Entry) -> msgspec.Raw:
        values = {"uuid": named.risk, "observation": named.observation}
        if finding["exception"] or finding["history"] or finding["remedy"]:
            return Frame(risk(finding, self.as_of, self.origin())).filled(values)
        key = ("stands", *(finding[name] for name in ("title", "relevance", "state", "severity")))
        return self.frame(key, lambda: risk(finding, self.as_of, self.origin())).filled(values)


def _people(document: Document, said: list[tuple[str, bool]]) -> dict[str, Piece]:
    """Everybody who judged, accepted, attested or signed, as parties; whether a name was checked is said of each."""
    said += [(s["who"], s["asserted"]) for s in document["sign_off"]["signed"]]
    said += [(a["who"], False) for section in document["frameworks"] for a in section["attestations"]]
    found: dict[str, Piece] = {}
    for name, asserted in said:
        id = person(name)
        party = found.setdefault(id, {"uuid": id, "type": "person", "name": line(name) or "not named"})
        if asserted:
            party["remarks"] = "The name is as stated by whoever acted; it was not checked."
    return found


def _about(detection: str) -> list[Piece]:
    return [{"href": f"#{stable('detection', detection)}", "rel": "detection"}]
