"""`truth.json`: what really belongs together and what is really wrong, written story by story."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from samplegen.records import Bundle, Json, Link, Record
from samplegen.scene import Noise

SECTIONS = ("tasks", "events", "links", "findings", "tolerated", "near_misses", "blind_spots", "unattributed", "related")
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def decides(link: Link) -> bool:
    """Whether the link is the strongest tie of its end to the task; others say the same once more."""
    return link.end.by == link.via or (link.via == "scope" and link.end.by == "job")


def loose(link: Link) -> bool:
    """Whether only inference could say to which task either end belongs."""
    return link.start.by == link.end.by == "inference"


class TruthWriter:
    """Collects the sections in temporary files, so that truth about millions of records needs no memory."""

    def __init__(self, noise: Noise, draft: str) -> None:
        self._noise = noise
        self._draft = draft
        self._parts: dict[str, IO[bytes]] = {name: TemporaryFile() for name in (*SECTIONS, "newly_denied")}  # noqa: SIM115
        self._empty = dict.fromkeys(self._parts, True)

    def add(self, bundle: Bundle) -> None:
        """Everything true of one story, once all its records are written."""
        self._forget(bundle)
        for task in bundle.tasks:
            self._put("tasks", task)
        for transcript in bundle.transcripts:
            for record in transcript.records:
                self._event(record)
        for record in bundle.records:
            self._event(record)
        for link in bundle.links:
            if link.start.line and link.end.line and not (link.kind != "inferred" and loose(link)):
                self._put(
                    "links",
                    {
                        "from": link.start.place,
                        "to": link.end.place,
                        "kind": link.kind,
                        "via": link.via,
                        "key": link.key,
                        "decides": decides(link),
                    },
                )
        for found in bundle.findings:
            missing = self._noise.drop.intersection(found.needs)
            told: Json = {"detection": found.detection, "task": found.task, "step": found.step}
            if missing or not found.where.line:
                self._put("tolerated", told)
                continue
            told |= {
                "where": found.where.place,
                "by": found.where.by,
                "needs": sorted(set(found.needs)),
                "story": found.story,
            }
            self._put("findings", told)
        for near in bundle.near_misses:
            self._put("near_misses", near)
        for spot in bundle.blind_spots:
            self._put("blind_spots", spot)
        for start, end, key in bundle.related:
            if start.line and end.line:
                self._put("related", {"from": start.place, "to": end.place, "key": key})
        for denied in bundle.newly_denied:
            self._put("newly_denied", denied)

    def _forget(self, bundle: Bundle) -> None:
        """Where ids are masked, nobody can tell a task that no log names: its records belong to none, its findings are not owed."""
        told = [r for transcript in bundle.transcripts for r in transcript.records if r.line]
        named = {r.task for r in told} | {r.task for r in bundle.records if r.line and r.by in ("call", "scope", "job")}
        if not self._noise.masked or named.issuperset({r.task for r in bundle.records} - {None}):
            return
        lost = {id(r) for r in bundle.records if r.task not in named}
        bundle.links = [one for one in bundle.links if id(one.start) not in lost and id(one.end) not in lost]
        for found in bundle.findings:
            if found.task not in named:
                found.where.line = 0
        for record in bundle.records:
            if id(record) in lost:
                record.task, record.by = None, "none"

    def _event(self, record: Record) -> None:
        if not record.line:
            return
        told: Json = {**record.place, "task": record.task, "step": record.step, "by": record.by}
        if record.quiet:
            told["quiet"] = True
        if record.also:
            told["also"] = record.also
        self._put("events", told)
        if record.task is None and record.by == "none" and record.source not in ("claude-code", "codex"):
            self._put("unattributed", record.place)

    def _put(self, section: str, value: Json) -> None:
        part = self._parts[section]
        part.write(b"\n" if self._empty[section] else b",\n")
        self._empty[section] = False
        part.write(_ENCODE(value).encode())

    def close(self, path: Path) -> None:
        with path.open("wb") as out:
            out.write(b'{"version":1')
            for name in SECTIONS:
                out.write(f',\n"{name}":['.encode())
                self._pour(name, out)
                out.write(b"]")
            out.write(f',\n"dry_run":{{"draft":{json.dumps(self._draft)},"newly_denied":['.encode())
            self._pour("newly_denied", out)
            out.write(b"]}}\n")

    def _pour(self, name: str, out: IO[bytes]) -> None:
        part = self._parts[name]
        part.seek(0)
        while block := part.read(1 << 20):
            out.write(block)
        part.close()
