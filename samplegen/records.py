"""What a story is made of: records for the logs, and beside them what is true of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

Json = dict[str, object]
LinkKind = Literal["exact", "derived", "inferred"]
Via = Literal["call", "request", "scope", "credential", "reference", "inference"]

SOURCES = ("claude-code", "codex", "opa", "gateway", "vault", "github", "ci", "cloudtrail", "registry", "ticketing")
AGENT_SOURCES = ("claude-code", "codex")


class Record:
    """One record of one log; `text` is its line once encoded, `file`, `line` and `index` are known once it is
    written; `quiet` is one that says nothing of what was wanted, decided or done, `also` a second task it speaks of."""

    __slots__ = ("also", "at", "by", "data", "file", "index", "line", "log", "quiet", "source", "step", "task", "text")

    def __init__(self, source: str, log: str, at: int, data: Json, task: str | None, step: str | None, by: str) -> None:
        self.source = source
        self.log = log
        self.at = at
        self.data: Json | None = data
        self.task = task
        self.step = step
        self.by = by
        self.file = ""
        self.line = 0
        self.index = 0
        self.text = b""
        self.quiet = False
        self.also: str | None = None

    @property
    def place(self) -> Json:
        found: Json = {"file": self.file, "line": self.line}
        if self.index:
            found["index"] = self.index
        return found


@dataclass(slots=True)
class Link:
    start: Record
    end: Record
    kind: LinkKind
    via: Via
    key: str


@dataclass(slots=True)
class Finding:
    detection: str
    task: str
    step: str | None
    where: Record
    story: str
    needs: tuple[str, ...]


@dataclass(slots=True)
class Transcript:
    """A file of its own, in order: a session's or a sub-agent's."""

    source: str
    name: str
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Bundle:
    """A story with everything in it; it is told whole, so that truth can name the line of every record."""

    story: str
    start: int
    transcripts: list[Transcript] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    tasks: list[Json] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    blind_spots: list[Json] = field(default_factory=list)
    near_misses: list[Json] = field(default_factory=list)
    related: list[tuple[Record, Record, str]] = field(default_factory=list)
    newly_denied: list[Json] = field(default_factory=list)
    twins: list[tuple[Record, Record]] = field(default_factory=list)
    waiting: int = 0

    def link(self, start: Record | None, end: Record, kind: LinkKind, via: Via, key: str) -> None:
        if start is not None:
            self.links.append(Link(start, end, kind, via, key))

    def settle_twins(self) -> None:
        """Of two encoded records of one id the one with the smaller digest speaks; the other joins nothing."""
        for pair in self.twins:
            mute = max(pair, key=lambda record: sha256(record.text).digest())
            mute.quiet = True
            self.links = [link for link in self.links if mute not in (link.start, link.end)]

    def settle_ties(self) -> None:
        """A credential ties its use to a task only as surely as its issuance is tied to it."""
        for _ in range(2):
            for link in self.links:
                if link.via == "credential" and link.start.by == "inference" and link.end.by == "credential":
                    link.end.by = "inference"

    def find(self, detection: str, task: str, step: str | None, where: Record, *needs: str) -> None:
        """A finding that is real; `needs` are the sources without which nobody could tell."""
        self.findings.append(Finding(detection, task, step, where, self.story, (*needs, where.source)))

    def near(self, detection: str, task: str, step: str | None, why: str) -> None:
        """Something that looks like a finding of `detection` and is none."""
        self.near_misses.append({"detection": detection, "task": task, "step": step, "why": why})
