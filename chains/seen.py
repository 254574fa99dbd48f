"""What a record of another log says of itself that an inference weighs: what it names, when, by which credential, and what is not of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from chains.match import FOLDER, LOOSE
from model.evidence import Stub
from model.words import EventKind, KeyRole, Phase, Vantage, Verb

BEHIND = frozenset({EventKind.EFFECT, EventKind.ACTION})
"""What follows the call it shows: what came of it, and the call as somebody between agent and tool heard it."""

_CLOUD = f"{Verb.CLOUD_CALL.value}|"
_CLUSTER = f"{Verb.CLUSTER_CALL.value}|"


class Unknown(msgspec.Struct):
    """What is to be placed: the events of one record that name no scope."""

    id: str
    stubs: list[Stub]
    holders: frozenset[str]
    """Tasks known to hold its credential; empty if none is known or it carries none."""


class Scored(msgspec.Struct, frozen=True):
    """One call that might have caused a record."""

    call: Stub
    seen: Stub
    task: str
    value: str
    score: float
    factors: dict[str, float]

    @property
    def rank(self) -> tuple[float, str]:
        return -self.score, self.call.id


def named(value: str) -> bool:
    """Whether a value names what was done by more than a folder, a loose word or a cloud's service."""
    verb, _, name = value.partition("|")
    named = not name.startswith(FOLDER) and (verb == "words" or Verb(verb) not in LOOSE)
    return named and (not value.startswith(_CLOUD) or _operation(value))


def held(stubs: Iterable[Stub]) -> frozenset[str]:
    """The credentials a record names, and the request it is about: a second record of that may leave the credential out."""
    return frozenset(key.name for stub in stubs for key in stub.keys if key.role in (KeyRole.CREDENTIAL, KeyRole.CALL))


def surest(value: str) -> tuple[bool, bool, bool, str]:
    """The whole of a command before its target, a cloud's operation before its service, a target before a folder's name."""
    return f"|{FOLDER}" in value, not value.startswith("words|"), not _operation(value), value


def _operation(value: str) -> bool:
    return value.startswith(_CLOUD) and "/" in value


def of_cluster(value: str) -> bool:
    """Whether a value names a thing in a cluster, without the cluster: any other may have one of that name."""
    return value.startswith(_CLUSTER) and "/" in value


def other_cluster(one: Stub, other: Stub) -> bool:
    """Whether two records are of two clusters' own logs; that a proxy logs too what it passes on makes no second cluster."""
    return one.point != other.point and one.point.partition(":")[0] == other.point.partition(":")[0]


def ends_with_call(seen: Stub, value: str) -> bool:
    """Whether what was seen is over when the call is that it shows: a command at a cluster waits for the answer, and so does whoever
    calls a tool over a connection that is listened to.
    """
    return of_cluster(value) or (seen.kind is EventKind.ACTION and seen.phase is Phase.CALL)


def parts(name: str) -> frozenset[str]:
    """A name and the words it is made of: `mara` of `mara.lindqvist@example.com`."""
    account = name.casefold().rpartition("/")[2].partition("@")[0]
    return frozenset((account, *re.split(r"[._+-]", account)))


def distance(seen: Stub, at: int, call: int) -> int:
    """How far what was seen lies from the call on the side where it belongs: effects after it, verdicts before it, what was
    issued for it on either."""
    if seen.kind is EventKind.CREDENTIAL:
        return abs(at - call)
    return at - call if seen.kind in BEHIND else call - at


def inferable(stub: Stub) -> bool:
    """Whether an event may be placed by what it says alone."""
    return (
        stub.kind is EventKind.EFFECT
        or (stub.kind is EventKind.ACTION and stub.phase is Phase.CALL and stub.vantage is not Vantage.AGENT)
        or (stub.kind is EventKind.DECISION and stub.phase is Phase.VERDICT)
        or (stub.kind is EventKind.CREDENTIAL and stub.phase is Phase.ISSUED)
    )
