"""What passes between import and store: sources, new records, and the thin view of events that stitching needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from model.chain import Link, Step, StepOutcome
from model.event import Attr, Decision, Event, Key, Target
from model.words import EventKind, KeyRole, LinkKind, Phase, Vantage, Verb

FULL_RECORD = 4 << 20
"""Bytes up to which a record is read in full; a larger one is kept whole and read with its long texts cut."""


WIDE = 50
"""A scope key that events name together with more than so many stronger ones tells no task from another."""

CONNECTIONS = frozenset({"mcp.session"})
"""Kinds of scopes that name a connection, which whoever saw it from outside cannot tell the session of."""


def is_wide(name: str, stronger: int, sharers: int) -> bool:
    """Whether a scope key (`kind:value`) tells no task from another, by how many stronger ones it is named with, and how many of them are
    no traces: a connection that several sessions or agents share is nobody's.
    """
    return stronger > WIDE or (sharers > 1 and name.partition(":")[0] in CONNECTIONS)


class SourceFile(msgspec.Struct):
    """One imported file: `id` is the digest of (format, identity of its first record), stable while the file grows.

    `name` is its path below the import argument's root; `path`, `by` and `at` are custody and never leave it.
    """

    id: str
    format: str
    name: str
    sha256: str = ""
    bytes: int = 0
    path: str = ""
    by: str = ""
    at: int = 0
    note: str = ""


class NewRecord(msgspec.Struct):
    """A record ready to be stored: redacted bytes, the digest of the original bytes, its place and its events.

    `id` is the digest of the record's identity. Two records with one id and different digests are both kept; the
    smallest digest speaks (its events are the record's events); one that is `copied` from another speaks only where no
    other is there, and is no version of its own. Of different `voice`s (a short digest, "" where the format knows none) the
    smallest speaks before the digests are compared, and the others are copies. `secrets` names the kind of every secret replaced in it.
    """

    id: str
    digest: str
    source: str
    name: str
    line: int
    offset: int
    raw: bytes
    index: int | None = None
    at: int | None = None
    type: str = ""
    unknown_type: str = ""
    secrets: tuple[str, ...] = ()
    events: list[Event] = msgspec.field(default_factory=list)
    copied: bool = False
    voice: str = ""


class Bookmark(msgspec.Struct, omit_defaults=True):
    """Where a file was read to, for when it has grown: it is read on only while its first `size` bytes have this digest.

    `offset` and `line` are the beginning of the first line not read yet, at most `size`; `cutter` and `reader` are what
    cutter and reader knew there, `stamp` the version of both. The rest is what the import told of all
    before it.
    """

    stamp: str
    source: str
    size: int
    sha256: str
    offset: int
    line: int
    cutter: tuple[bool | int | str | list[str], ...]
    reader: bytes
    read: int = 0
    rejected: int = 0
    first: int | None = None
    last: int | None = None
    unknown_types: dict[str, int] = msgspec.field(default_factory=dict)
    secrets: dict[str, int] = msgspec.field(default_factory=dict)


class BatchCount(msgspec.Struct):
    accepted: int = 0
    duplicate: int = 0
    events: int = 0


class Stub(msgspec.Struct):
    """An event as stitching sees it: its keys and the few facts that decide where it belongs. `task` is "" while unknown."""

    id: str
    record: str
    kind: EventKind
    phase: Phase
    vantage: Vantage
    point: str
    at: int | None
    verb: Verb
    target: Target
    principal: str
    keys: tuple[Key, ...]
    task: str = ""

    def keys_of(self, role: KeyRole) -> tuple[Key, ...]:
        return tuple(k for k in self.keys if k.role is role)


class StepSketch(msgspec.Struct):
    """A step as a walk's outline needs it. Steps of one `sort` next to each other do the same and end the same."""

    id: str
    n: int
    sort: tuple[object, ...]
    decided: bool
    held: bool
    child: str


class NamedAct(msgspec.Struct):
    """An event that names its principal; `task` is where an identifier of its own put it, a ticket or pull request apart."""

    principal: str
    kind: str
    on_behalf_of: str
    record: str
    at: int | None
    host: str
    keys: tuple[Key, ...]
    task: str = ""


class StepEnds(msgspec.Struct):
    """A step by who is named in it: (principal, record) by event, and what ties the events: (from, to, kind)."""

    id: str
    named: dict[str, tuple[str, str]]
    links: tuple[tuple[str, str, LinkKind], ...]


class Attribution(msgspec.Struct):
    """Where an event belongs: its task ("" = unattributed) and the links that say why (none for its own scope key).

    `apart` is its time less that of the one call that says the same, in microseconds; None where no such pair is there.
    """

    event: str
    task: str
    links: tuple[Link, ...] = ()
    apart: int | None = None


class EventIndex(Protocol):
    """What the store answers to stitching; a dictionary does the same in tests."""

    def carrying(self, names: Sequence[str], limit: int = 500, known: Mapping[str, Stub] | None = None) -> dict[str, list[Stub]]:
        """Events that carry each `kind:value`, in (at, id) order, at most `limit` + 1 of them: more marks a hot key.

        `known` are events as they stand now, by id, that need not be read again.
        """
        ...

    def scope_root(self, name: str) -> str:
        """The strongest scope key (`kind:value`) among all that are known to name the same task as this one.

        A key that `is_wide` joins none of those it goes with and is its own.
        """
        ...


class RequestRow(msgspec.Struct, array_like=True):
    """One request of the history, as replay reads it."""

    step: str
    task: str
    at: int | None
    recorded: str
    request: dict[str, str | int | float | bool | list[str] | None]


RequestSource = Iterable[RequestRow]


class SeenItem(msgspec.Struct):
    """An event of a step as a report counts it."""

    phase: Phase
    vantage: Vantage
    point: str
    decision: Decision | None = None


class SeenRequest(msgspec.Struct, frozen=True, rename={"principal": "principal.id"}):
    """Who made a request."""

    principal: Attr = None


class SeenStep(msgspec.Struct):
    """The part of a step that a report's population needs; the field names are those of `model.chain.Step`."""

    id: str
    task: str
    n: int
    verb: Verb
    at: int | None = None
    tool: str = ""
    target: Target = Target()
    owner: str = ""
    environment: str = ""
    title: str = ""
    request: SeenRequest = SeenRequest()
    decisions: tuple[SeenItem, ...] = ()
    credential_events: tuple[SeenItem, ...] = ()
    actions: tuple[SeenItem, ...] = ()
    effects: tuple[SeenItem, ...] = ()
    outcome: StepOutcome = StepOutcome()
    credentials: tuple[str, ...] = ()
    records: tuple[str, ...] = ()


class SeenTask(msgspec.Struct):
    """The part of a task that a report needs; the field names are those of `model.chain.Task`."""

    id: str
    scope: str
    title: str = ""
    agent: str = ""
    principal: str = ""
    on_behalf_of: str = ""
    repository: str = ""
    owners: tuple[str, ...] = ()
    project: str = ""
    environment: str = ""
    ticket: str = ""
    started: int | None = None
    ended: int | None = None
    steps: int = 0
    risk: int = 0
    unjudged: dict[str, str] = msgspec.field(default_factory=dict)
    clocks: dict[str, list[int]] = msgspec.field(default_factory=dict)
    hidden: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)


class SeenCredential(msgspec.Struct):
    """The part of a credential that a report needs; the field names are those of `model.chain.Credential`."""

    id: str
    kind: str = ""
    issuer: str = ""
    subject: str = ""
    scope: tuple[str, ...] = ()
    issued: int | None = None
    issued_task: str = ""
    ttl_seconds: int | None = None
    expires: int | None = None
    revoked: int | None = None
    first_use: int | None = None
    last_use: int | None = None
    uses: int = 0
    tasks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


_SEEN = msgspec.msgpack.Decoder(SeenStep)
_ENCODER = msgspec.msgpack.Encoder()


def seen_step(step: Step) -> SeenStep:
    """The same of a step that is there whole."""
    return _SEEN.decode(_ENCODER.encode(step))
